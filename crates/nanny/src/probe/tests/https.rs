//! HTTPS with good and bad certificates.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::path::PathBuf;
use tokio_rustls::TlsAcceptor;

/// An authority of our own, whose certificate lies in a file as long as it lives.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let file = std::env::temp_dir().join(format!("nanny-{name}-{}.pem", std::process::id()));
        std::fs::write(&file, certificate.pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file }
    }

    fn tls(&self) -> Tls {
        Tls { verify: true, ca_file: Some(self.file.display().to_string()), name: None }
    }

    /// A server's side of TLS, with a certificate that this authority has signed.
    pub(super) fn acceptor(&self, change: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec!["www.example.com".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    pub(super) async fn server(&self, change: impl FnOnce(&mut CertificateParams)) -> SocketAddr {
        naming(self.acceptor(change)).await
    }
}

/// A web server whose pages tell the name of the handshake.
async fn naming(acceptor: TlsAcceptor) -> SocketAddr {
    server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut request = [0; 1024];
            let _length = stream.read(&mut request).await;
            let name = stream.get_ref().1.server_name().unwrap_or("none").to_owned();
            let answer = format!("HTTP/1.0 200 OK\r\n\r\nname={name}");
            let _sent = stream.write_all(answer.as_bytes()).await;
            let _closed = stream.shutdown().await;
        }
    })
    .await
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.file);
    }
}

async fn get(
    server: SocketAddr,
    tls: Tls,
    host: Option<&str>,
    holds: &str,
) -> Result<String, String> {
    let http = HttpCheck {
        tls: Some(tls),
        method: "GET".into(),
        path: "/".into(),
        host: host.map(str::to_owned),
        status: Vec::new(),
        follow_redirects: 0,
        expect: Some(Expect::Contains(holds.into())),
        digest: None,
    };
    run(server, CheckKind::Http(http), PLENTY).await
}

const WWW: Option<&str> = Some("www.example.com");

#[tokio::test]
async fn a_good_certificate_is_up_and_the_host_is_the_name_in_the_handshake() {
    let authority = Authority::new("good");
    let server = authority.server(|_| {}).await;
    let seen = get(server, authority.tls(), WWW, "name=www.example.com").await;
    assert_eq!(seen, Ok("status 200".into()));
    let named = Tls { name: WWW.map(str::to_owned), ..authority.tls() };
    let seen = get(server, named, Some("other:8443"), "name=www.example.com").await;
    assert_eq!(seen, Ok("status 200".into()));
}

#[tokio::test]
async fn without_a_host_the_address_must_be_in_the_certificate() {
    let authority = Authority::new("address");
    let with = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().subject_alt_names;
    let server = authority.server(|params| params.subject_alt_names = with).await;
    assert_eq!(get(server, authority.tls(), None, "name=none").await, Ok("status 200".into()));
    let server = authority.server(|_| {}).await;
    assert_eq!(
        get(server, authority.tls(), None, "").await,
        Err("certificate is for www.example.com, not for 127.0.0.1".into())
    );
}

#[tokio::test]
async fn an_expired_certificate_is_down_and_says_since_when() {
    let authority = Authority::new("expired");
    let server = authority
        .server(|params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 2, 3);
        })
        .await;
    assert_eq!(
        get(server, authority.tls(), WWW, "").await,
        Err("certificate expired on 2021-02-03".into())
    );
}

#[tokio::test]
async fn a_certificate_of_an_authority_is_no_servers() {
    let authority = Authority::new("authority");
    let is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let server = authority.server(|params| params.is_ca = is_ca).await;
    assert_eq!(
        get(server, authority.tls(), WWW, "").await,
        Err("certificate is that of an authority (CA:TRUE), not of a server".into())
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_is_down() {
    let authority = Authority::new("name");
    let server = authority.server(|_| {}).await;
    assert_eq!(
        get(server, authority.tls(), Some("shop.example.com"), "").await,
        Err("certificate is for www.example.com, not for shop.example.com".into())
    );
}

#[tokio::test]
async fn an_unknown_authority_is_down_unless_verification_is_off() {
    let authority = Authority::new("unknown");
    let other = Authority::new("other");
    let server = authority.server(|_| {}).await;
    assert_eq!(
        get(server, other.tls(), WWW, "").await,
        Err("certificate is not signed by a known authority".into())
    );
    let off = Tls { verify: false, ..other.tls() };
    assert_eq!(get(server, off, WWW, "name=www").await, Ok("status 200".into()));
}

/// What `openssl x509 -req -signkey` makes has version 1, which nothing verifies.
#[tokio::test]
async fn a_certificate_of_version_1_is_good_enough_where_none_is_looked_at() {
    let pem = include_bytes!("version-1.pem");
    let certificate = CertificateDer::from_pem_slice(pem).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let held = Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key)));
    let off = Tls { verify: false, ca_file: None, name: None };
    for version in rustls::ALL_VERSIONS {
        let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(held.clone());
        let server = naming(TlsAcceptor::from(Arc::new(config))).await;
        let seen = get(server, off.clone(), WWW, "name=www").await;
        assert_eq!(seen, Ok("status 200".into()), "{version:?}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_down() {
    let authority = Authority::new("plain");
    let server = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_eq!(
        get(server, authority.tls(), WWW, "").await,
        Err("the server does not speak TLS".into())
    );
    let closing = answering(b"").await;
    assert_eq!(
        get(closing, authority.tls(), WWW, "").await,
        Err("connection closed before the TLS handshake was over".into())
    );
}

#[tokio::test]
async fn a_missing_file_of_authorities_is_said_and_looked_for_again() {
    let authority = Authority::new("missing");
    let server = authority.server(|_| {}).await;
    let tls = authority.tls();
    let pem = std::fs::read(&authority.file).unwrap();
    std::fs::remove_file(&authority.file).unwrap();
    let reason = get(server, tls.clone(), WWW, "").await.unwrap_err();
    assert!(reason.contains("authorities in") && reason.contains("cannot be read"), "{reason}");
    std::fs::write(&authority.file, pem).unwrap();
    assert_eq!(get(server, tls, WWW, "").await, Ok("status 200".into()));
}
