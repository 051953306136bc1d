//! Netmasks, as dotted quads or prefix lengths.

use std::net::Ipv4Addr;

/// Why a netmask is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadMask {
    /// Neither a dotted quad nor a number.
    NoMask,
    /// The ones do not stand together, as in 255.0.255.0.
    Holes,
    /// More bits than an address has.
    TooLong,
}

/// The prefix length of a netmask: `255.255.255.0`, `24` or `/24`; `bits` is 32 or 128.
pub(crate) fn prefix_length(text: &str, bits: u8) -> Result<u8, BadMask> {
    if let Ok(quad) = text.parse::<Ipv4Addr>() {
        let mask = u32::from(quad);
        if mask.leading_ones() + mask.trailing_zeros().min(32) < 32 {
            return Err(BadMask::Holes);
        }
        return u8::try_from(mask.leading_ones()).map_err(|_| BadMask::NoMask);
    }
    let number = text.strip_prefix('/').unwrap_or(text);
    let length: u8 = number.parse().map_err(|_| BadMask::NoMask)?;
    if length > bits { Err(BadMask::TooLong) } else { Ok(length) }
}

impl BadMask {
    /// What is wrong with `text`, in words.
    pub(crate) fn message(self, text: &str) -> String {
        match self {
            Self::NoMask => format!("`{text}` is no netmask"),
            Self::Holes => format!("the netmask `{text}` has holes"),
            Self::TooLong => format!("the netmask `{text}` is longer than an address"),
        }
    }
}
