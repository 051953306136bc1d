//! Hosts: addresses, or names that are resolved much later.

use std::net::IpAddr;

use crate::model::Host;

/// An address, or what may be a name; `None` is neither. `localhost` is 127.0.0.1, because no name
/// server is needed to know that.
pub(crate) fn host(text: &str) -> Option<Host> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Host::Address(address));
    }
    if text == "localhost" {
        return Some(Host::Address(IpAddr::from([127, 0, 0, 1])));
    }
    is_name(text).then(|| Host::Name(text.to_string()))
}

/// What to write instead of a text that is no host.
pub(crate) fn help(text: &str) -> &'static str {
    if text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        "an IPv4 address is four numbers from 0 to 255"
    } else {
        "write an address, or a name of letters, digits, `.` and `-`"
    }
}

/// The same where a name will not do.
pub(crate) fn help_for_address(text: &str) -> String {
    if is_name(text) {
        format!("write the address of {text}: no name is looked up here")
    } else if text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        help(text).to_string()
    } else {
        "write an address like 192.168.1.4 or 2001:db8::4".to_string()
    }
}

/// Whether a text can be a host name. One that ends in a number would be an address gone wrong
/// (`192.168.1.256`), and no name ends so (RFC 1123, 2.1).
pub(crate) fn is_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let label =
        |l: &str| !l.is_empty() && l.len() <= 63 && !l.starts_with('-') && !l.ends_with('-');
    let name = text.strip_suffix('.').unwrap_or(text);
    let last = name.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.chars().all(legal)
        && name.split('.').all(label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}
