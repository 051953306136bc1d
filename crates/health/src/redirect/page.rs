//! A page by its address (RFC 3986), as far as checks need one.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv6Addr};

use super::Lost;

/// Longest address that is followed, in bytes.
const LONGEST: usize = 8 << 10;

/// A page that HTTP or HTTPS brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// HTTPS.
    pub tls: bool,
    /// Name or address of the host, in small letters; IPv6 in brackets.
    pub host: String,
    /// The port, where it is written.
    pub port: Option<u16>,
    /// Path and query; it begins with a slash.
    pub path: String,
}

impl Page {
    /// A page of a host that is written as in a `Host` header.
    ///
    /// # Errors
    /// The host is none.
    pub fn new(tls: bool, host: &str, path: &str) -> Result<Self, Lost> {
        let (host, port) = authority(host)?;
        Ok(Self { tls, host, port, path: path.to_owned() })
    }

    /// A page by its whole address.
    ///
    /// # Errors
    /// It is none of HTTP or HTTPS.
    pub fn parse(text: &str) -> Result<Self, Lost> {
        Self { tls: false, host: String::new(), port: None, path: "/".to_owned() }
            .at(text.as_bytes())
            .and_then(|page| if page.host.is_empty() { Err(Lost::Unreadable) } else { Ok(page) })
    }

    /// The page that a `Location` of this one names, whole or relative.
    ///
    /// # Errors
    /// It names none of HTTP or HTTPS.
    pub fn at(&self, location: &[u8]) -> Result<Self, Lost> {
        let text = plain(location.trim_ascii())?;
        let text = text.split('#').next().unwrap_or_default();
        let (tls, rest) = match scheme(text) {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some(_) => return Err(Lost::Scheme),
            None => (self.tls, text),
        };
        if let Some(rest) = rest.strip_prefix("//") {
            let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            let (host, port) = authority(host)?;
            return Ok(Self { tls, host, port, path: whole_path(path) });
        }
        if rest.len() < text.len() {
            return Err(Lost::Unreadable);
        }
        let (own, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let path = match rest.chars().next() {
            None if query.is_empty() => own.to_owned(),
            None => format!("{own}?{query}"),
            Some('?') => format!("{own}{rest}"),
            Some('/') => whole_path(rest),
            Some(_) => {
                let folder = own.rfind('/').and_then(|slash| own.get(..=slash)).unwrap_or("/");
                whole_path(&format!("{folder}{rest}"))
            }
        };
        Ok(Self { path, ..self.clone() })
    }

    /// Host and port, as in a `Host` header.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The port that is usual for it.
    pub fn usual_port(&self) -> u16 {
        if self.tls { 443 } else { 80 }
    }

    /// The host, where it is an address.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

/// Printable ASCII; what else a server sends is escaped as browsers do.
fn plain(bytes: &[u8]) -> Result<String, Lost> {
    if bytes.len() > LONGEST {
        return Err(Lost::Unreadable);
    }
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'!'..=b'~' => text.push(char::from(*byte)),
            byte => {
                // A text takes everything.
                let _written = write!(text, "%{byte:02X}");
            }
        }
    }
    Ok(text)
}

/// `http` and what follows its colon; none where a relative address begins.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let known = ["http", "https"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known));
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let first = scheme.chars().next()?;
    (first.is_ascii_alphabetic() && scheme.chars().all(legal))
        .then_some((known.unwrap_or(scheme), rest))
}

/// Host and port. A login within it is refused: a check sends none that a server chose.
fn authority(text: &str) -> Result<(String, Option<u16>), Lost> {
    if text.contains('@') {
        return Err(Lost::Login);
    }
    let end = if text.starts_with('[') {
        text.find(']').ok_or(Lost::Unreadable)? + 1
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, port) = text.split_at_checked(end).ok_or(Lost::Unreadable)?;
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0).ok_or(Lost::Unreadable)?),
        None => return Err(Lost::Unreadable),
    };
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().map_err(|_| Lost::Unreadable)?;
        return Ok((format!("[{address}]"), port));
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if host.is_empty() || !host.chars().all(legal) {
        return Err(Lost::Unreadable);
    }
    Ok((host, port))
}

/// With a slash first, and without the dots that lead up and nowhere.
fn whole_path(text: &str) -> String {
    let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
    let mut steps: Vec<&str> = Vec::new();
    let mut folder = false;
    for step in path.split('/').skip(usize::from(path.starts_with('/'))) {
        folder = matches!(step, "." | "..");
        match step {
            "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    let slash = if folder && !steps.is_empty() { "/" } else { "" };
    format!("/{}{slash}{query}", steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn base() -> Page {
        Page::parse("http://www.example.com:8080/a/b/c?d").unwrap()
    }

    #[test]
    fn a_location_is_whole_or_relative_to_the_page() {
        for (location, wanted) in [
            ("https://Shop.Example.com./x?y#z", "https://shop.example.com/x?y"),
            ("HTTP://[2001:DB8::1]:81", "http://[2001:db8::1]:81/"),
            ("//other/x", "http://other/x"),
            ("http://other?x", "http://other/?x"),
            ("/x/./y/../z", "http://www.example.com:8080/x/z"),
            ("x", "http://www.example.com:8080/a/b/x"),
            ("./x/", "http://www.example.com:8080/a/b/x/"),
            ("../../../x", "http://www.example.com:8080/x"),
            ("..", "http://www.example.com:8080/a/"),
            ("?x=http://y/", "http://www.example.com:8080/a/b/c?x=http://y/"),
            (" ", "http://www.example.com:8080/a/b/c?d"),
            ("/ä b", "http://www.example.com:8080/%C3%A4%20b"),
        ] {
            assert_eq!(base().at(location.as_bytes()).unwrap().to_string(), wanted, "{location}");
        }
    }

    #[test]
    fn what_names_no_page_is_told_apart() {
        for (location, wanted) in [
            ("ftp://www.example.com/", Lost::Scheme),
            ("javascript:alert(1)", Lost::Scheme),
            ("http://anna:secret@www.example.com/", Lost::Login),
            ("http:x", Lost::Unreadable),
            ("http:///x", Lost::Unreadable),
            ("http://[::1/x", Lost::Unreadable),
            ("http://[::1]x/", Lost::Unreadable),
            ("http://a:0/", Lost::Unreadable),
            ("http://a:65536/", Lost::Unreadable),
            ("http://a b/", Lost::Unreadable),
        ] {
            assert_eq!(base().at(location.as_bytes()), Err(wanted), "{location}");
        }
        assert_eq!(base().at(&vec![b'x'; LONGEST + 1]), Err(Lost::Unreadable));
    }

    proptest! {
        /// Whatever a server sends, what is asked for is one line of an HTTP request.
        #[test]
        fn a_page_is_always_fit_to_be_asked_for(
            location in proptest::collection::vec(any::<u8>(), 0..60),
            wild in "(http|https|x)?:?/{0,2}[a-z.:@\\[\\]]{0,6}[/.?#a]{0,9}",
        ) {
            for location in [location.as_slice(), wild.as_bytes()] {
                let Ok(page) = base().at(location) else { continue };
                prop_assert!(page.path.starts_with('/'), "{page:?}");
                prop_assert!(page.to_string().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(!page.host.is_empty());
                prop_assert_eq!(Page::parse(&page.to_string()), Ok(page));
            }
        }
    }
}
