//! How two routers agree on a new key, while the old one goes on signing.
//!
//! Each makes a key pair for this one time and sends its public half (X25519, RFC 7748) in a packet
//! that the present key authenticates. The new key follows from both halves and the present key
//! (HKDF, RFC 5869): whoever has only recorded the packets does not get it, not even with the
//! present key. Who answers proves that it came to the same one, and only then does anybody sign
//! with it.

use ring::{hkdf, hmac};

use crate::key::KeyError;

/// Bytes of a public half, of a secret and of a proof.
pub const HALF: usize = 32;
/// Bytes of an exchange in its packet.
pub(crate) const LENGTH: usize = 1 + 8 + 1 + HALF + HALF;

const LABEL: &[u8] = b"caribe new key 1";
const PROOF: &[u8] = b"caribe new key 1: proof";

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The router that an operator asked.
    Offer,
    /// Its partner, which holds the new key already.
    Answer,
}

/// One message of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Offer or answer.
    pub step: Step,
    /// Random bits of this exchange.
    pub number: u64,
    /// Number of the new key.
    pub key_id: u8,
    /// The sender's public half.
    pub public: [u8; HALF],
    /// Of the new key, in an answer; zeroes in an offer.
    pub proof: [u8; HALF],
}

impl Exchange {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(match self.step {
            Step::Offer => 1,
            Step::Answer => 2,
        });
        out.extend(self.number.to_be_bytes());
        out.push(self.key_id);
        out.extend(self.public);
        out.extend(self.proof);
    }

    /// None when it makes no sense.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (step, rest) = bytes.split_first()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (key_id, rest) = rest.split_first()?;
        let (public, rest) = rest.split_first_chunk::<HALF>()?;
        let proof: [u8; HALF] = rest.try_into().ok()?;
        let step = match step {
            1 => Step::Offer,
            2 => Step::Answer,
            _ => return None,
        };
        let number = u64::from_be_bytes(*number);
        (*key_id != 0).then_some(Self { step, number, key_id: *key_id, public: *public, proof })
    }
}

/// The new key and its proof.
pub struct Agreed {
    /// The new secret.
    pub secret: Vec<u8>,
    /// What only somebody who has it can write.
    pub proof: [u8; HALF],
}

/// From what both halves make together, the present key, and all that was said.
///
/// # Errors
/// [`KeyError::Derivation`], which HKDF answers only to lengths that are never asked.
pub fn agree(
    shared: &[u8],
    present: &[u8],
    offer: &Exchange,
    answer: &[u8; HALF],
) -> Result<Agreed, KeyError> {
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, present).extract(shared);
    let number = offer.number.to_be_bytes();
    let said: [&[u8]; 5] = [LABEL, &number, &[offer.key_id], &offer.public, answer];
    let mut secret = vec![0; HALF];
    pseudorandom
        .expand(&said, Length(HALF))
        .and_then(|material| material.fill(&mut secret))
        .map_err(|_| KeyError::Derivation)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let tag = hmac::sign(&key, PROOF);
    let proof = tag.as_ref().try_into().map_err(|_| KeyError::Derivation)?;
    Ok(Agreed { secret, proof })
}

/// Whether the answer's proof is that of this secret, compared in constant time.
pub fn proves(secret: &[u8], answer: &Exchange) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    hmac::verify(&key, PROOF, &answer.proof).is_ok()
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> Exchange {
        Exchange { step: Step::Offer, number: 7, key_id: 2, public: [1; 32], proof: [0; 32] }
    }

    #[test]
    fn a_message_is_read_as_it_was_written_and_never_shorter_or_longer() {
        let mut bytes = Vec::new();
        offer().write(&mut bytes);
        assert_eq!(bytes.len(), LENGTH);
        assert_eq!(Exchange::read(&bytes), Some(offer()));
        for length in 0..LENGTH {
            assert_eq!(Exchange::read(&bytes[..length]), None);
        }
        bytes.push(0);
        assert_eq!(Exchange::read(&bytes), None);
        let mut unknown = bytes[..LENGTH].to_vec();
        unknown[0] = 3;
        assert_eq!(Exchange::read(&unknown), None);
    }

    #[test]
    fn the_new_key_depends_on_everything_that_was_said() {
        let agreed = |shared: &[u8], present: &[u8], offer: &Exchange, answer: u8| {
            agree(shared, present, offer, &[answer; 32]).unwrap().secret
        };
        let base = agreed(b"shared", b"present", &offer(), 5);
        assert_eq!(base.len(), 32);
        assert_eq!(agreed(b"shared", b"present", &offer(), 5), base);
        let other = Exchange { number: 8, ..offer() };
        let others = [
            agreed(b"other", b"present", &offer(), 5),
            agreed(b"shared", b"other", &offer(), 5),
            agreed(b"shared", b"present", &other, 5),
            agreed(b"shared", b"present", &Exchange { key_id: 3, ..offer() }, 5),
            agreed(b"shared", b"present", &Exchange { public: [9; 32], ..offer() }, 5),
            agreed(b"shared", b"present", &offer(), 6),
        ];
        assert!(others.iter().all(|other| *other != base));
    }

    #[test]
    fn only_the_same_key_proves_itself() {
        let agreed = agree(b"shared", b"present", &offer(), &[5; 32]).unwrap();
        let answer = Exchange { step: Step::Answer, proof: agreed.proof, ..offer() };
        assert!(proves(&agreed.secret, &answer));
        assert!(!proves(b"another secret", &answer));
        assert!(!proves(&agreed.secret, &offer()));
    }
}
