//! TLS towards the server.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use config::model::Tls;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::failure::Failure;

mod trusting;
mod words;

pub(super) use words::io_failure;

/// Authorities are read again after this long: their files are renewed while nanny runs.
const FRESH: Duration = Duration::from_secs(600);

/// What decides about a certificate. Checks that agree on it share one configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Trust {
    /// Anything goes.
    All,
    /// The system's authorities.
    System,
    /// Those of a file.
    File(String),
}

/// Our side of the handshakes of one check.
#[derive(Debug)]
pub(crate) struct Side {
    name: ServerName<'static>,
    trust: Trust,
}

impl Side {
    /// The name is the check's own, else that of the `Host` header, else the address.
    pub(super) fn new(ip: IpAddr, host: Option<&str>, tls: &Tls) -> Result<Self, Failure> {
        let name = match tls.name.as_deref().or(host.map(without_port)) {
            Some(name) => ServerName::try_from(name.to_owned()).map_err(|_| {
                Failure::Other(format!("{name:?} cannot be the name in a certificate"))
            })?,
            None => ServerName::from(ip),
        };
        let trust = match (&tls.ca_file, tls.verify) {
            (_, false) => Trust::All,
            (None, true) => Trust::System,
            (Some(file), true) => Trust::File(file.clone()),
        };
        Ok(Self { name, trust })
    }

    pub(super) async fn handshake(
        &self,
        config: Arc<ClientConfig>,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        TlsConnector::from(config)
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| io_failure(&error, "before the TLS handshake was over"))
    }
}

/// `www.example.com` of `www.example.com:8443`, `::1` of `[::1]:8443`.
fn without_port(host: &str) -> &str {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.split(']').next().unwrap_or(inner);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// The configurations in use, made when first needed.
#[derive(Debug, Default)]
pub(crate) struct TlsConfigs {
    made: Mutex<HashMap<Trust, (Arc<ClientConfig>, Instant)>>,
}

impl TlsConfigs {
    /// A configuration is kept once it could be made; a file that cannot be read fails the check
    /// and is tried again at the next one.
    pub(crate) async fn get(&self, side: &Side) -> Result<Arc<ClientConfig>, Failure> {
        let known = self
            .made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&side.trust)
            .map(|(config, since)| (Arc::clone(config), since.elapsed() < FRESH));
        if let Some((config, true)) = known {
            return Ok(config);
        }
        let trust = side.trust.clone();
        let made = tokio::task::spawn_blocking(move || make(&trust))
            .await
            .map_err(|error| Failure::Other(format!("reading the authorities broke: {error}")))?;
        let config = match (made, known) {
            (Ok(config), _) => config,
            (Err(failure), None) => return Err(failure),
            // The old authorities are better than none, while somebody edits the file.
            (Err(_), Some((old, _))) => old,
        };
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(side.trust.clone(), (Arc::clone(&config), Instant::now()));
        Ok(config)
    }
}

/// Reads the authorities; blocks.
fn make(trust: &Trust) -> Result<Arc<ClientConfig>, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::Other(format!("TLS cannot be set up: {error}")))?;
    let mut config = match trust {
        Trust::All => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(trusting::Trusting::new(provider)))
            .with_no_client_auth(),
        Trust::System | Trust::File(_) => {
            builder.with_root_certificates(authorities(trust)?).with_no_client_auth()
        }
    };
    // A resumed handshake does not look at the certificate, and tickets are kept by name, which
    // many servers share.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn authorities(trust: &Trust) -> Result<RootCertStore, Failure> {
    let mut store = RootCertStore::empty();
    let (whence, found) = match trust {
        Trust::File(file) => {
            let unreadable = |error: &dyn std::fmt::Display| {
                Failure::Other(format!("the authorities in {file} cannot be read: {error}"))
            };
            let found: Vec<_> = CertificateDer::pem_file_iter(file)
                .map_err(|error| unreadable(&error))?
                .collect::<Result<_, _>>()
                .map_err(|error| unreadable(&error))?;
            (file.as_str(), found)
        }
        Trust::System | Trust::All => {
            ("the system's store", rustls_native_certs::load_native_certs().certs)
        }
    };
    store.add_parsable_certificates(found);
    if store.is_empty() {
        return Err(Failure::Other(format!(
            "no certificate of an authority in {whence}; name one with ca_file, or switch verify off"
        )));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_the_handshake_has_no_port() {
        assert_eq!(without_port("www.example.com"), "www.example.com");
        assert_eq!(without_port("www.example.com:8443"), "www.example.com");
        assert_eq!(without_port("[2001:db8::1]:8443"), "2001:db8::1");
        assert_eq!(without_port("[2001:db8::1]"), "2001:db8::1");
    }
}
