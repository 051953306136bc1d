//! Netlink messages: a header of 16 bytes, then the payload (RFC 3549, `struct nlmsghdr`).

use ipvs::wire::{ALIGNMENT, Attributes, WireError, pad};

use crate::KernelError;

#[cfg(test)]
mod tests;

const HEADER: usize = 16;

/// The message asks for something (`NLM_F_REQUEST`).
pub(crate) const REQUEST: u16 = 0x001;
/// An acknowledgement is wanted (`NLM_F_ACK`).
pub(crate) const ACK: u16 = 0x004;
/// The dump was not consistent (`NLM_F_DUMP_INTR`).
pub(crate) const DUMP_INTERRUPTED: u16 = 0x010;
/// Everything is listed (`NLM_F_DUMP`).
pub(crate) const DUMP: u16 = 0x300;

/// The acknowledgement leaves the request's payload out (`NLM_F_CAPPED`).
const CAPPED: u16 = 0x100;
/// The acknowledgement ends with attributes (`NLM_F_ACK_TLVS`).
const ACK_TLVS: u16 = 0x200;
/// The kernel's words in an acknowledgement (`NLMSGERR_ATTR_MSG`).
const ACK_TEXT: u16 = 1;

/// An acknowledgement or an error (`NLMSG_ERROR`).
const KIND_ERROR: u16 = 2;
/// The end of a dump (`NLMSG_DONE`).
const KIND_DONE: u16 = 3;

/// Appends one whole message.
pub(crate) fn append(to: &mut Vec<u8>, kind: u16, flags: u16, sequence: u32, payload: &[u8]) {
    let length = u32::try_from(HEADER + payload.len()).unwrap_or(u32::MAX);
    to.extend_from_slice(&length.to_ne_bytes());
    to.extend_from_slice(&kind.to_ne_bytes());
    to.extend_from_slice(&flags.to_ne_bytes());
    to.extend_from_slice(&sequence.to_ne_bytes());
    to.extend_from_slice(&0u32.to_ne_bytes()); // the sender: the kernel fills it in
    to.extend_from_slice(payload);
    pad(to);
}

/// One message of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) payload: &'a [u8],
}

/// What a message means to whoever waits for an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning<'a> {
    /// The request was done.
    Acknowledged,
    /// The request was refused.
    Refused(KernelError),
    /// The dump is whole.
    Done,
    /// Part of the answer.
    Data(&'a [u8]),
}

impl<'a> Message<'a> {
    pub(crate) fn meaning(&self) -> Result<Meaning<'a>, KernelError> {
        if self.kind != KIND_ERROR && self.kind != KIND_DONE {
            return Ok(Meaning::Data(self.payload));
        }
        let Some((code, rest)) = self.payload.split_first_chunk::<4>() else {
            // An old kernel ends a dump without a code.
            return if self.kind == KIND_DONE {
                Ok(Meaning::Done)
            } else {
                Err(WireError::Truncated.into())
            };
        };
        let errno = i32::from_ne_bytes(*code).saturating_neg();
        Ok(match (errno, self.kind) {
            (0, KIND_DONE) => Meaning::Done,
            (0, _) => Meaning::Acknowledged,
            (errno, _) => Meaning::Refused(KernelError::refused(errno, self.text(rest))),
        })
    }

    /// The kernel's words, after the code and the request that is repeated.
    fn text(&self, rest: &[u8]) -> Option<String> {
        if self.flags & ACK_TLVS == 0 {
            return None;
        }
        let repeated = match self.kind {
            KIND_DONE => 0,
            _ if self.flags & CAPPED != 0 => HEADER,
            _ => {
                let (length, _) = rest.split_first_chunk::<4>()?;
                usize::try_from(u32::from_ne_bytes(*length))
                    .ok()?
                    .checked_next_multiple_of(ALIGNMENT)?
            }
        };
        let attributes = Attributes::new(rest.get(repeated..)?);
        let found = attributes.find_kind(ACK_TEXT).ok()??;
        Some(found.text()).filter(|text| !text.is_empty())
    }
}

/// The messages of one datagram; a broken one is an error and ends the list.
pub(crate) struct Messages<'a>(pub(crate) &'a [u8]);

impl<'a> Messages<'a> {
    fn take(&mut self) -> Option<Message<'a>> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<2>()?;
        let (flags, rest) = rest.split_first_chunk::<2>()?;
        let (sequence, _) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_ne_bytes(*length)).ok()?;
        let payload = self.0.get(HEADER..length)?;
        let next = length.checked_next_multiple_of(ALIGNMENT)?;
        self.0 = self.0.get(next..).unwrap_or_default();
        Some(Message {
            kind: u16::from_ne_bytes(*kind),
            flags: u16::from_ne_bytes(*flags),
            sequence: u32::from_ne_bytes(*sequence),
            payload,
        })
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, WireError>;

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
