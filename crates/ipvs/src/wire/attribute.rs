//! Netlink attributes: length, kind and value, each padded to four bytes (RFC 3549, `struct nlattr`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Set in the kind of an attribute that holds attributes (`NLA_F_NESTED`).
const NESTED: u16 = 0x8000;
/// The bits of the kind itself (`NLA_TYPE_MASK`).
const KIND_MASK: u16 = 0x3fff;
/// Length and kind.
const HEADER: usize = 4;
/// Attributes and messages begin at multiples of this.
pub const ALIGNMENT: usize = 4;

/// An answer of the kernel that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// An attribute reaches beyond the end.
    #[error("the kernel's answer ends in the middle of an attribute")]
    Truncated,
    /// A value has the wrong number of bytes.
    #[error("attribute {kind} has {length} bytes")]
    Length {
        /// The attribute's kind.
        kind: u16,
        /// Bytes it has.
        length: usize,
    },
    /// An attribute is not there that always should be.
    #[error("the kernel's answer has no {0}")]
    Missing(&'static str),
    /// A value that there is no word for.
    #[error("unknown {what} {value}")]
    Unknown {
        /// What the value stands for.
        what: &'static str,
        /// The value.
        value: u32,
    },
    /// A name that is no legal name.
    #[error("{0} is not a name")]
    Name(String),
}

/// Fills up to the next border of four bytes, where the next attribute or message begins
/// (`NLA_ALIGNTO`, `NLMSG_ALIGNTO`).
pub fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
}

/// Attributes being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

impl Payload {
    /// Appends an attribute of plain bytes. A value of more than 64 KiB does not fit and is cut.
    pub fn bytes(&mut self, kind: u16, value: &[u8]) {
        let value = value.get(..usize::from(u16::MAX) - HEADER).unwrap_or(value);
        let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        pad(&mut self.0);
    }

    /// Appends a byte.
    pub fn u8(&mut self, kind: u16, value: u8) {
        self.bytes(kind, &[value]);
    }

    /// Appends a number in the host's byte order.
    pub fn u16(&mut self, kind: u16, value: u16) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// Appends a number in network byte order.
    pub fn u16_be(&mut self, kind: u16, value: u16) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// Appends a number in the host's byte order.
    pub fn u32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// Appends a number in network byte order.
    pub fn u32_be(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// Appends a text with the closing NUL.
    pub fn text(&mut self, kind: u16, value: &str) {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.bytes(kind, &bytes);
    }

    /// Appends an attribute that holds what `build` appends.
    pub fn nested(&mut self, kind: u16, build: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        build(&mut inner);
        self.bytes(kind | NESTED, &inner.0);
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// One attribute that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its kind, without flags.
    pub kind: u16,
    /// Its value.
    pub value: &'a [u8],
}

impl<'a> Attribute<'a> {
    fn fixed<const N: usize>(&self) -> Result<[u8; N], WireError> {
        let wrong = || WireError::Length { kind: self.kind, length: self.value.len() };
        self.value.try_into().map_err(|_| wrong())
    }

    /// A byte.
    pub fn u8(&self) -> Result<u8, WireError> {
        self.fixed().map(u8::from_ne_bytes)
    }

    /// A number in the host's byte order.
    pub fn u16(&self) -> Result<u16, WireError> {
        self.fixed().map(u16::from_ne_bytes)
    }

    /// A number in network byte order.
    pub fn u16_be(&self) -> Result<u16, WireError> {
        self.fixed().map(u16::from_be_bytes)
    }

    /// A number in the host's byte order.
    pub fn u32(&self) -> Result<u32, WireError> {
        self.fixed().map(u32::from_ne_bytes)
    }

    /// A number in network byte order.
    pub fn u32_be(&self) -> Result<u32, WireError> {
        self.fixed().map(u32::from_be_bytes)
    }

    /// A number in the host's byte order.
    pub fn u64(&self) -> Result<u64, WireError> {
        self.fixed().map(u64::from_ne_bytes)
    }

    /// Two numbers in the host's byte order (`struct ip_vs_flags`: bits and mask).
    pub fn u32_pair(&self) -> Result<(u32, u32), WireError> {
        let [a, b, c, d, e, f, g, h] = self.fixed()?;
        Ok((u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h])))
    }

    /// A text, up to its NUL or its end. What is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        let bytes = self.value.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// An IPv4 address, which IPVS pads to the 16 bytes of an IPv6 one.
    pub fn ipv4(&self) -> Result<IpAddr, WireError> {
        let wrong = WireError::Length { kind: self.kind, length: self.value.len() };
        let (bytes, _) = self.value.split_first_chunk::<4>().ok_or(wrong)?;
        Ok(Ipv4Addr::from(*bytes).into())
    }

    /// An IPv6 address.
    pub fn ipv6(&self) -> Result<IpAddr, WireError> {
        Ok(Ipv6Addr::from(self.fixed::<16>()?).into())
    }

    /// The attributes that this one holds.
    pub fn nested(&self) -> Attributes<'a> {
        Attributes::new(self.value)
    }
}

/// Reads attributes one after the other; after an error there are no more.
#[derive(Clone, Debug)]
pub struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// Reads from the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The first attribute of a kind, if it is there. An error before it is reported.
    pub fn find_kind(mut self, kind: u16) -> Result<Option<Attribute<'a>>, WireError> {
        self.find(|one| one.as_ref().map_or(true, |one| one.kind == kind)).transpose()
    }

    fn take(&mut self) -> Option<Attribute<'a>> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let (kind, _) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_ne_bytes(*length));
        let value = self.0.get(HEADER..length)?;
        self.0 = self.0.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        Some(Attribute { kind: u16::from_ne_bytes(*kind) & KIND_MASK, value })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let taken = self.take();
        if taken.is_none() {
            self.0 = &[];
        }
        Some(taken.ok_or(WireError::Truncated))
    }
}
