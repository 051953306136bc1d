//! The MD5 of what a server sends.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The MD5 of a body, written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 16]);

/// A text that is no MD5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an MD5 has 32 hexadecimal digits")]
pub struct NoDigest;

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoDigest);
        }
        u128::from_str_radix(text, 16).map(|all| Self(all.to_be_bytes())).map_err(|_| NoDigest)
    }
}

impl TryFrom<String> for Digest {
    type Error = NoDigest;

    fn try_from(text: String) -> Result<Self, NoDigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_and_written_as_32_digits() {
        let text = "9b3a0c85a887a256d6939da88aabd8cd";
        let digest: Digest = text.to_uppercase().parse().unwrap();
        assert_eq!(digest.0[..2], [0x9b, 0x3a]);
        assert_eq!(digest.to_string(), text);
        assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Digest>(&format!("\"{text}\"")).unwrap(), digest);
        let zeros = "0".repeat(31);
        for wrong in ["", "9b3a", &format!("+{zeros}"), &format!("{zeros}g"), &"0".repeat(33)] {
            assert_eq!(wrong.parse::<Digest>(), Err(NoDigest), "{wrong}");
        }
    }
}
