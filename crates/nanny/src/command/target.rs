//! What a person names to be checked.

use std::net::{IpAddr, SocketAddr};

use runtime::ExitError;

use super::login::{self, Service};

/// How it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Tcp,
    Udp,
    Http,
    Https,
    Ping,
    Exec,
    /// A login, inside TLS or not.
    Login(Service, bool),
}

/// A target, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) scheme: Scheme,
    /// Who logs in.
    pub(super) login: Option<String>,
    /// Name or address without brackets; the program of [`Scheme::Exec`].
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query of a request.
    pub(super) path: String,
    port_is_usual: bool,
}

impl Target {
    pub(super) fn parse(text: &str) -> Result<Self, ExitError> {
        if let Some(program) = text.strip_prefix("exec:") {
            return Ok(Self {
                scheme: Scheme::Exec,
                login: None,
                host: program.to_owned(),
                port: 0,
                path: String::new(),
                port_is_usual: true,
            });
        }
        let unknown = || {
            ExitError::usage(format!(
                "{text:?} is no target; write tcp://ADDRESS:PORT, udp://ADDRESS:PORT, \
                 http://ADDRESS/PATH, https://ADDRESS/PATH, ping://ADDRESS, exec:PROGRAM, or, \
                 to log in, {}",
                login::forms()
            ))
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(unknown)?;
        let (scheme, usual) = scheme_of(scheme).ok_or_else(unknown)?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        let (login, authority) = match (&scheme, authority.rsplit_once('@')) {
            (Scheme::Login(..), Some((name, host))) => (Some(login::name(name)?), host),
            _ => (None, authority),
        };
        let (host, given) = split_port(authority).ok_or_else(unknown)?;
        let port = given
            .or(usual)
            .ok_or_else(|| ExitError::usage(format!("{text:?} has no port; write {text}:PORT")))?;
        if host.is_empty() {
            return Err(unknown());
        }
        Ok(Self {
            scheme,
            login,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
            port_is_usual: usual == Some(port),
        })
    }

    /// A name is sent as the `Host`; an address needs none.
    pub(super) fn host_header(&self) -> Option<String> {
        if self.host.parse::<IpAddr>().is_ok() {
            return None;
        }
        let port = if self.port_is_usual { String::new() } else { format!(":{}", self.port) };
        Some(format!("{}{port}", self.host))
    }

    /// The first address of the name.
    pub(super) async fn resolve(&self) -> Result<SocketAddr, ExitError> {
        let failed = |why: &str| {
            ExitError::usage(format!("cannot resolve {}: {why}; try its address", self.host))
        };
        tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|error| failed(&error.to_string()))?
            .next()
            .ok_or_else(|| failed("it has no address"))
    }
}

/// A scheme, and the port that it usually has.
fn scheme_of(name: &str) -> Option<(Scheme, Option<u16>)> {
    Some(match name {
        "tcp" => (Scheme::Tcp, None),
        "udp" => (Scheme::Udp, None),
        "http" => (Scheme::Http, Some(80)),
        "https" => (Scheme::Https, Some(443)),
        "ping" => (Scheme::Ping, Some(0)),
        _ => {
            let (service, tls, port) = login::scheme(name)?;
            (Scheme::Login(service, tls), Some(port))
        }
    })
}

/// `host`, `host:80`, `[::1]`, `[::1]:80`, and `::1` alone.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    if authority.parse::<IpAddr>().is_ok() {
        return Some((authority, None));
    }
    if let Some(inner) = authority.strip_prefix('[') {
        let (host, rest) = inner.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None if rest.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((authority, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Scheme, String, u16, String) {
        let target = Target::parse(text).unwrap();
        (target.scheme, target.host, target.port, target.path)
    }

    #[test]
    fn targets_are_taken_apart() {
        let own = str::to_owned;
        assert_eq!(parsed("tcp://192.0.2.4:80"), (Scheme::Tcp, own("192.0.2.4"), 80, own("/")));
        assert_eq!(
            parsed("http://[2001:db8::1]:8080/a?b"),
            (Scheme::Http, own("2001:db8::1"), 8080, own("/a?b"))
        );
        assert_eq!(parsed("https://www"), (Scheme::Https, own("www"), 443, own("/")));
        assert_eq!(parsed("ping://::1"), (Scheme::Ping, own("::1"), 0, own("/")));
        assert_eq!(parsed("exec:/bin/true").1, "/bin/true");
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for text in
            ["", "www", "tcp://192.0.2.4", "gopher://x", "http://", "tcp://x:99999", "tcp://[::1"]
        {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_login_stands_before_the_address_and_a_password_never_does() {
        let target = Target::parse("ldaps://cn=eva,dc=lab@[::1]/dc=lab").unwrap();
        assert_eq!(target.login.as_deref(), Some("cn=eva,dc=lab"));
        assert_eq!((target.host.as_str(), target.port), ("::1", 636));
        assert_eq!(target.scheme, Scheme::Login(Service::Ldap, true));
        let told = Target::parse("imap://anna:geheim@192.0.2.4/").unwrap_err();
        assert!(told.message.contains("--password-file"), "{told}");
        assert!(!told.message.contains("geheim"), "{told}");
        assert!(Target::parse("http://anna@192.0.2.4/").is_ok(), "the name of a host");
    }

    #[test]
    fn a_name_is_sent_as_host_and_an_address_is_not() {
        let header = |text| Target::parse(text).unwrap().host_header();
        assert_eq!(header("http://www/"), Some("www".to_owned()));
        assert_eq!(header("http://www:81/"), Some("www:81".to_owned()));
        assert_eq!(header("http://192.0.2.4:81/"), None);
    }
}
