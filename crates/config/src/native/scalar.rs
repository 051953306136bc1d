//! Small values as people write them: times, addresses, text with escapes.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipvs::{Ports, Protocol};

use crate::Percent;
use crate::model::{Endpoint, Host};

/// What is wrong with a value, and what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// One sentence, to follow the key's name.
    pub(super) message: String,
    /// What to write.
    pub(super) help: String,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// A value, or why it is none.
pub(super) type Parsed<T> = Result<T, Problem>;

/// Units of time and their nanoseconds, longest first.
pub(super) const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// `500ms`, `2s`, `1.5s`, `5m`.
pub(super) fn duration(text: &str) -> Parsed<Duration> {
    let wrong =
        |message: String| Problem::new(message, "write a number with its unit: 500ms, 2s, 5m");
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if unit.is_empty() {
        let help = format!("write {text}s for seconds, or {text}ms for milliseconds");
        return Err(Problem::new(format!("{text} has no unit of time"), help));
    }
    let nanoseconds = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, n)| *n);
    let Some(nanoseconds) = nanoseconds.filter(|_| !number.is_empty()) else {
        return Err(wrong(format!("{text} is not a time")));
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let scaled = |digits: &str| digits.parse::<u64>().ok()?.checked_mul(nanoseconds);
    let total = match (scaled(whole), part) {
        (Some(whole), "") => Some(whole),
        (Some(whole), part) if part.len() <= 6 => {
            let scale = 10_u64.pow(u32::try_from(part.len()).unwrap_or(0));
            scaled(part).and_then(|part| whole.checked_add(part / scale))
        }
        _ => None,
    };
    total.map(Duration::from_nanos).ok_or_else(|| wrong(format!("{text} is not a time")))
}

/// The shortest text that [`duration`] reads as the same time.
pub(crate) fn render_duration(time: Duration) -> String {
    let total = time.as_nanos();
    if total == 0 {
        return "0s".into();
    }
    let unit = UNITS.iter().find(|(_, nanoseconds)| total.is_multiple_of(u128::from(*nanoseconds)));
    let (name, nanoseconds) = unit.copied().unwrap_or(("ns", 1));
    format!("{}{name}", total / u128::from(nanoseconds))
}

/// `50%`.
pub(super) fn percent(text: &str) -> Parsed<Percent> {
    let text = text.trim();
    let number = text.strip_suffix('%').and_then(|number| number.trim_end().parse().ok());
    number.and_then(Percent::new).ok_or_else(|| {
        let whole = text.parse::<u8>().ok().and_then(Percent::new);
        let help = whole.map_or("write 0% to 100%".to_string(), |whole| format!("write {whole}"));
        Problem::new(format!("{text} is not a share"), help)
    })
}

/// An address, without a port.
pub(super) fn address(text: &str) -> Parsed<IpAddr> {
    let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
    bare.parse().map_err(|_| {
        let help = if text.parse::<SocketAddr>().is_ok() {
            "leave the port out".to_string()
        } else if text.contains('/') {
            "leave the prefix length out".to_string()
        } else {
            "write an address as 192.168.1.1 or 2001:db8::1".to_string()
        };
        Problem::new(format!("{text} is not an IP address"), help)
    })
}

/// An address with or without a prefix length.
pub(super) fn address_with_prefix(text: &str) -> Parsed<(IpAddr, Option<u8>)> {
    let Some((ip, length)) = text.split_once('/') else {
        return address(text).map(|ip| (ip, None));
    };
    let ip = address(ip)?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    match length.trim().parse::<u8>() {
        Ok(length) if length <= most => Ok((ip, Some(length))),
        _ => Err(Problem::new(
            format!("/{length} is not a prefix length"),
            format!("write /0 to /{most}, as in {ip}/{}", if most == 32 { 24 } else { 64 }),
        )),
    }
}

/// `192.168.1.1:80/tcp`; TCP when no protocol is given.
pub(super) fn endpoint(text: &str) -> Parsed<Endpoint> {
    let (place, protocol) = text.trim().rsplit_once('/').unwrap_or((text.trim(), "tcp"));
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "sctp" => Protocol::Sctp,
        other => {
            let help = format!("write {place}/tcp, {place}/udp or {place}/sctp");
            return Err(Problem::new(format!("{other} is not a protocol"), help));
        }
    };
    if let Ok(address) = place.parse() {
        return Ok(Endpoint { address, protocol });
    }
    if let Ok(ip) = address(place) {
        let shown = SocketAddr::new(ip, 80);
        let help = format!("write {shown}/{protocol}; port 0 takes every port, with persistence");
        return Err(Problem::new(format!("{text} has no port"), help));
    }
    Err(match place.rsplit_once(':') {
        Some((ip, port)) if address(ip).is_ok() => {
            let number = crate::foreign::ports::port(port);
            let help = number.map_or("write a port from 0 to 65535".to_string(), |number| {
                format!("write the number: {ip}:{number}/{protocol}")
            });
            Problem::new(format!("{port} is not a port"), help)
        }
        _ => {
            let help = "write ADDRESS:PORT/PROTOCOL as 192.168.1.1:80/tcp or [2001:db8::1]:80/tcp, and no host name";
            Problem::new(format!("{text} is not an address with a port"), help)
        }
    })
}

/// An endpoint, or several of its ports: `192.168.1.1:10000-10100/tcp`.
pub(super) fn ports(text: &str) -> Parsed<Ports> {
    let text = text.trim();
    let (place, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let range = place.rsplit_once(':').and_then(|(ip, ports)| Some((ip, ports.split_once('-')?)));
    let Some((ip, (first, last))) = range else { return endpoint(text).map(Ports::from) };
    let from = endpoint(&format!("{ip}:{first}/{protocol}"))?;
    let to = endpoint(&format!("{ip}:{last}/{protocol}"))?;
    let (first, last) = (from.address.port(), to.address.port());
    if first == 0 || first >= last {
        let help = "write the lower port first, as in 192.168.1.1:10000-10100/tcp";
        return Err(Problem::new(format!("{first}-{last} is no range of ports"), help));
    }
    Ok(Ports { ip: from.address.ip(), protocol: from.protocol, first, last })
}

/// `192.168.1.4:80`, `[2001:db8::4]:80`, `web4.example.com:80`; the port may be left out.
pub(super) fn host_and_port(text: &str) -> Parsed<(Host, Option<u16>)> {
    let text = text.trim();
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok((Host::Address(address.ip()), Some(address.port())));
    }
    if let Ok(ip) = address(text) {
        return Ok((Host::Address(ip), None));
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let port = match port.map(str::parse::<u16>) {
        None => None,
        Some(Ok(port)) => Some(port),
        Some(Err(_)) => {
            let port = port_of(text);
            let help = "write a port from 1 to 65535, as in 192.168.1.4:80 or [2001:db8::4]:80";
            return Err(Problem::new(format!("{port} is not a port"), help));
        }
    };
    if let Ok(ip) = address(name) {
        return Ok((Host::Address(ip), port));
    }
    if is_host_name(name) {
        return Ok((Host::Name(name.to_owned()), port));
    }
    let help = "write ADDRESS:PORT as 192.168.1.4:80 or [2001:db8::4]:80, or a host name";
    Err(Problem::new(format!("{name} is neither an address nor a host name"), help))
}

fn port_of(text: &str) -> &str {
    text.rsplit_once(':').map_or("", |(_, port)| port)
}

/// Letters, digits, `-`, `_` and dots (RFC 1123, and `_` which people use); four numbers with dots
/// are a mistyped address.
fn is_host_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let number = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    !text.is_empty() && text.len() <= 253 && text.chars().all(legal) && !number
}

/// Text with `\r \n \t \0 \\ \" \xHH` as bytes.
pub(super) fn unescape(text: &str) -> Parsed<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = characters.next();
        bytes.push(match escape {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('"') => b'"',
            Some('x') => {
                let digits: String = characters.by_ref().take(2).collect();
                match u8::from_str_radix(&digits, 16) {
                    Ok(byte) if digits.len() == 2 => byte,
                    _ => {
                        let help = "write two hexadecimal digits, as in \\x1b";
                        return Err(Problem::new(format!("\\x{digits} is not a byte"), help));
                    }
                }
            }
            other => {
                let shown = other.map(String::from).unwrap_or_default();
                let help = "write \\\\ for a backslash; \\r \\n \\t \\0 \\xHH are understood";
                return Err(Problem::new(format!("\\{shown} means nothing"), help));
            }
        });
    }
    Ok(bytes)
}

/// The text that [`unescape`] reads as these bytes.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\r' => text.push_str("\\r"),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                '\\' => text.push_str("\\\\"),
                c if c.is_control() => {
                    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                        text.push_str(&format!("\\x{byte:02x}"));
                    }
                }
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}
