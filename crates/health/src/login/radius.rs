//! RADIUS (RFC 2865): may this user log in? With the signatures of RFC 2869.

use md5::{Digest, Md5};

use super::{Refused, hide};

const ACCESS_REQUEST: u8 = 1;
const ACCESS_ACCEPT: u8 = 2;
const ACCESS_REJECT: u8 = 3;
const ACCESS_CHALLENGE: u8 = 11;

const USER_NAME: u8 = 1;
const USER_PASSWORD: u8 = 2;
const REPLY_MESSAGE: u8 = 18;
const NAS_IDENTIFIER: u8 = 32;
const MESSAGE_AUTHENTICATOR: u8 = 80;

/// Who asks.
const NAME: &[u8] = b"caribe";
/// Bytes of a digest, of an authenticator, and of a piece of a password.
const BLOCK: usize = 16;
/// Bytes before the attributes.
const HEAD: usize = 20;
/// Largest packet.
const PACKET: usize = 4096;
/// Longest password.
const PASSWORD: usize = 128;
/// Longest value of an attribute.
const VALUE: usize = 253;

/// One question.
pub struct Request {
    packet: Vec<u8>,
    authenticator: [u8; BLOCK],
    secret: Vec<u8>,
    password: Vec<u8>,
}

impl Request {
    /// May `name` log in with `password`? Nobody may be able to guess the authenticator.
    ///
    /// # Errors
    /// The name or the password is too long.
    pub fn new(
        (name, password): (&str, &str),
        secret: &str,
        id: u8,
        authenticator: [u8; BLOCK],
    ) -> Result<Self, Refused> {
        if password.len() > PASSWORD || name.len() > VALUE {
            return Err(Refused::Unsayable("the login is too long"));
        }
        let secret = secret.as_bytes().to_vec();
        let mut attributes = Vec::new();
        attribute(&mut attributes, USER_NAME, name.as_bytes());
        let hidden = hidden(password.as_bytes(), &secret, &authenticator);
        attribute(&mut attributes, USER_PASSWORD, &hidden);
        attribute(&mut attributes, NAS_IDENTIFIER, NAME);
        attribute(&mut attributes, MESSAGE_AUTHENTICATOR, &[0; BLOCK]);
        let length = u16::try_from(HEAD + attributes.len()).unwrap_or(u16::MAX);
        let mut packet = vec![ACCESS_REQUEST, id];
        packet.extend(length.to_be_bytes());
        packet.extend(authenticator);
        packet.extend(attributes);
        // It was put there last, signed over with zeros in its place.
        let signature = signature(&secret, &[&packet]);
        packet.truncate(packet.len() - BLOCK);
        packet.extend(signature);
        let password = password.as_bytes().to_vec();
        Ok(Self { packet, authenticator, secret, password })
    }

    /// What is sent; again when no answer comes.
    pub fn packet(&self) -> &[u8] {
        &self.packet
    }

    /// Whether a datagram says yes. Nothing of it is believed before its signature is right.
    ///
    /// # Errors
    /// The answer is another one, or none to this question.
    pub fn answer(&self, datagram: &[u8]) -> Result<(), Refused> {
        let packet = whole(datagram).ok_or_else(foreign)?;
        let (head, attributes) = packet.split_at_checked(HEAD).ok_or_else(foreign)?;
        let (&[code, id, ..], Some(signed)) = (head, head.get(4..)) else { return Err(foreign()) };
        if self.packet.get(1) != Some(&id) {
            return Err(Refused::Empty("the answer is one to another question"));
        }
        let start = head.get(..4).unwrap_or_default();
        let right = digest(&[start, &self.authenticator, attributes, &self.secret]);
        if signed != right || !self.is_signed(start, attributes).ok_or_else(foreign)? {
            return Err(Refused::Empty("the answer is not signed with the secret"));
        }
        let said = hide(find(attributes, REPLY_MESSAGE).unwrap_or_default(), &self.password);
        let said = hide(&said, &self.secret);
        match code {
            ACCESS_ACCEPT => Ok(()),
            ACCESS_REJECT => Err(Refused::Said { what: "login", said }),
            ACCESS_CHALLENGE => Err(Refused::Empty("the server wants more than a password")),
            _ => Err(foreign()),
        }
    }

    /// Whether the other signature is right, where there is one. None of a packet that is broken.
    fn is_signed(&self, start: &[u8], attributes: &[u8]) -> Option<bool> {
        let mut at = 0;
        while let Some(&[kind, length]) = attributes.get(at..at + 2) {
            let length = usize::from(length);
            let value = attributes.get(at + 2..at + length)?;
            if kind == MESSAGE_AUTHENTICATOR {
                let (before, rest) = attributes.split_at_checked(at + 2)?;
                let after = rest.get(BLOCK..)?;
                let parts = [start, &self.authenticator, before, &[0; BLOCK], after];
                return Some(value == signature(&self.secret, &parts));
            }
            at += length.max(2);
        }
        Some(at == attributes.len())
    }
}

/// A packet without what a network may have put behind it.
fn whole(datagram: &[u8]) -> Option<&[u8]> {
    let length = usize::from(u16::from_be_bytes([*datagram.get(2)?, *datagram.get(3)?]));
    datagram.get(..length).filter(|packet| (HEAD..=PACKET).contains(&packet.len()))
}

fn foreign() -> Refused {
    Refused::Empty("the answer is no RADIUS")
}

fn attribute(to: &mut Vec<u8>, kind: u8, value: &[u8]) {
    let value = value.get(..VALUE).unwrap_or(value);
    to.push(kind);
    to.push(u8::try_from(value.len() + 2).unwrap_or(u8::MAX));
    to.extend_from_slice(value);
}

/// The first value of a kind.
fn find(attributes: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut rest = attributes;
    while let Some(&[kind, length]) = rest.get(..2) {
        let (this, after) = rest.split_at_checked(usize::from(length).max(2))?;
        if kind == wanted {
            return this.get(2..);
        }
        rest = after;
    }
    None
}

/// Each piece of the password, mixed with a digest of the secret and the piece before it.
fn hidden(password: &[u8], secret: &[u8], authenticator: &[u8; BLOCK]) -> Vec<u8> {
    let mut padded = password.to_vec();
    padded.resize(password.len().max(1).next_multiple_of(BLOCK), 0);
    let mut before = *authenticator;
    let mut hidden = Vec::with_capacity(padded.len());
    for piece in padded.chunks(BLOCK) {
        let mask = digest(&[secret, &before]);
        for (mixed, (byte, mask)) in before.iter_mut().zip(piece.iter().zip(mask)) {
            *mixed = byte ^ mask;
        }
        hidden.extend(before);
    }
    hidden
}

fn digest(parts: &[&[u8]]) -> [u8; BLOCK] {
    let mut digest = Md5::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().into()
}

/// HMAC-MD5 (RFC 2104).
fn signature(secret: &[u8], parts: &[&[u8]]) -> [u8; BLOCK] {
    const INNER: usize = 64;
    let mut key = if secret.len() > INNER { digest(&[secret]).to_vec() } else { secret.to_vec() };
    key.resize(INNER, 0);
    let masked = |mask: u8| -> Vec<u8> { key.iter().map(|byte| byte ^ mask).collect() };
    let mut inner = Md5::new();
    inner.update(masked(0x36));
    parts.iter().for_each(|part| inner.update(part));
    digest(&[&masked(0x5c), &inner.finalize()])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 2865, section 7.1: nemo with "arctangent", over "xyzzy5461".
    const NEMO: [u8; BLOCK] = [
        0x0f, 0x40, 0x3f, 0x94, 0x73, 0x97, 0x80, 0x57, 0xbd, 0x83, 0xd5, 0xcb, 0x98, 0xf4, 0x22,
        0x7a,
    ];

    fn request() -> Request {
        Request::new(("nemo", "arctangent"), "xyzzy5461", 0, NEMO).unwrap()
    }

    /// An answer with this code and these attributes, signed with a secret.
    pub(super) fn answer(request: &Request, code: u8, attributes: &[u8], secret: &str) -> Vec<u8> {
        let length = u16::try_from(HEAD + attributes.len()).unwrap().to_be_bytes();
        let start = [code, request.packet[1], length[0], length[1]];
        let signed = digest(&[&start, &request.authenticator, attributes, secret.as_bytes()]);
        [start.as_slice(), &signed, attributes].concat()
    }

    #[test]
    fn the_password_is_hidden_as_in_the_example_of_the_standard() {
        let wanted = [
            0x0d, 0xbe, 0x70, 0x8d, 0x93, 0xd4, 0x13, 0xce, 0x31, 0x96, 0xe4, 0x3f, 0x78, 0x2a,
            0x0a, 0xee,
        ];
        assert_eq!(find(&request().packet[HEAD..], USER_PASSWORD), Some(wanted.as_slice()));
        assert_eq!(hidden(&[b'x'; 20], b"s", &NEMO).len(), 32);
    }

    #[test]
    fn the_signature_is_that_of_the_standards_examples() {
        let wanted = [
            0x92, 0x94, 0x72, 0x7a, 0x36, 0x38, 0xbb, 0x1c, 0x13, 0xf4, 0x8e, 0xf8, 0x15, 0x8b,
            0xfc, 0x9d,
        ];
        assert_eq!(signature(&[0x0b; 16], &[b"Hi ", b"There"]), wanted);
    }

    #[test]
    fn only_an_accept_that_is_signed_with_the_secret_is_one() {
        let request = request();
        let say = |code, attributes: &[u8], secret| {
            let said = request.answer(&answer(&request, code, attributes, secret));
            said.map_err(|refused| refused.to_string())
        };
        assert_eq!(say(ACCESS_ACCEPT, &[], "xyzzy5461"), Ok(()));
        let reject = say(ACCESS_REJECT, b"\x12\x10no, arctangent", "xyzzy5461");
        assert_eq!(reject, Err("login refused: \"no, ***\"".to_owned()));
        let foreign = say(ACCESS_ACCEPT, &[], "other").unwrap_err();
        assert_eq!(foreign, "the answer is not signed with the secret");
        assert!(say(ACCESS_CHALLENGE, &[], "xyzzy5461").is_err());
        // A second signature that is wrong.
        let mut wrong = vec![MESSAGE_AUTHENTICATOR, 18];
        wrong.extend([7; BLOCK]);
        assert_eq!(say(ACCESS_ACCEPT, &wrong, "xyzzy5461").unwrap_err(), foreign);
        let length = [0, 38];
        let start = [&[ACCESS_ACCEPT, 0], length.as_slice()].concat();
        let head = [MESSAGE_AUTHENTICATOR, 18];
        let right = signature(b"xyzzy5461", &[&start, &NEMO, &head, &[0; BLOCK]]);
        let attributes = [head.as_slice(), &right].concat();
        assert_eq!(say(ACCESS_ACCEPT, &attributes, "xyzzy5461"), Ok(()));
    }

    #[test]
    fn no_datagram_breaks_it() {
        let request = request();
        let good = answer(&request, ACCESS_ACCEPT, b"\x12\x04no\x50\x03x", "xyzzy5461");
        for end in 0..good.len() {
            assert!(request.answer(&good[..end]).is_err());
        }
        assert!(request.answer(&good).is_err());
        let mut other = answer(&request, ACCESS_ACCEPT, &[], "xyzzy5461");
        other[1] = 9;
        assert!(request.answer(&other).is_err());
    }
}
