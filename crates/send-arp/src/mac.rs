//! A link-layer address.

use std::fmt;
use std::str::FromStr;

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Everybody on the wire.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Nobody.
    pub const ZERO: Self = Self([0; 6]);
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A text is not a link-layer address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a link-layer address: write twelve hexadecimal digits, with or without colons"
)]
pub struct NotAMac(String);

impl FromStr for Mac {
    type Err = NotAMac;

    /// Twelve hexadecimal digits, bare or in pairs with colons or dashes between.
    fn from_str(text: &str) -> Result<Self, NotAMac> {
        let wrong = || NotAMac(text.escape_debug().to_string());
        let separator = text.chars().nth(2).filter(|character| matches!(character, ':' | '-'));
        let digits = match separator {
            Some(separator) => {
                let parts: Vec<&str> = text.split(separator).collect();
                if parts.len() != 6 || parts.iter().any(|part| part.len() != 2) {
                    return Err(wrong());
                }
                parts.concat()
            }
            None => text.to_owned(),
        };
        if digits.len() != 12 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let number = u64::from_str_radix(&digits, 16).map_err(|_| wrong())?;
        let [_, _, octets @ ..] = number.to_be_bytes();
        Ok(Self(octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_are_read() {
        let mac = Mac([0x52, 0x54, 0, 0x0a, 0xbc, 0xff]);
        for text in ["52:54:00:0a:bc:ff", "5254000ABCFF", "52-54-00-0a-bc-ff"] {
            assert_eq!(text.parse(), Ok(mac), "{text}");
        }
        assert_eq!(mac.to_string(), "52:54:00:0a:bc:ff");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "5254000abcf", "52:54:00:0a:bc", "52:54:00:0a:bc:f", "+254000abcff", "g"] {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }
}
