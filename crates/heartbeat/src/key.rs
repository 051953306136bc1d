//! Heartbeat keys: one shared secret becomes one key for each direction.

use std::fmt;

use ring::hkdf;
use ring::hmac;

/// Most keys held at once: one in use, one coming, one going, one to spare.
pub const MAX_KEYS: usize = 4;
/// Shortest secret that is accepted, in bytes.
pub const MIN_SECRET: usize = 4;
/// What HKDF extracts with, and the start of what it expands with.
const PROTOCOL: &[u8] = b"caribe heartbeat 1";

/// A secret that both routers hold, and its number.
#[derive(Clone)]
pub struct SharedKey {
    /// Its number on the wire, 1 to 255.
    pub id: u8,
    /// The secret itself.
    pub secret: Vec<u8>,
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedKey {{ id: {}, secret: … }}", self.id)
    }
}

/// Why a set of keys cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key at all.
    #[error("no heartbeat key was given")]
    None,
    /// More than [`MAX_KEYS`].
    #[error("{0} heartbeat keys were given; at most {MAX_KEYS} can be held at once")]
    TooMany(usize),
    /// Two keys with one number, or number 0.
    #[error("heartbeat key number {0} is used twice or is 0")]
    Number(u8),
    /// Shorter than [`MIN_SECRET`].
    #[error("heartbeat key {0} is shorter than {MIN_SECRET} bytes")]
    TooShort(u8),
    /// HKDF refused, which it does only for lengths that are never asked.
    #[error("a heartbeat key could not be derived")]
    Derivation,
    /// Both routers have one name, so that the directions cannot be told apart.
    #[error("both routers are named alike")]
    SameNames,
}

/// One key of the ring, as it is used in each direction.
struct Directed {
    id: u8,
    send: hmac::Key,
    receive: hmac::Key,
}

/// The keys of one router towards its partner, the preferred one first.
pub struct KeyRing {
    keys: Vec<Directed>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl KeyRing {
    /// Derives the keys of both directions (RFC 5869, SHA-256) from each secret and both names.
    ///
    /// # Errors
    /// [`KeyError`] when the set of keys makes no sense.
    pub fn new(me: &str, partner: &str, keys: &[SharedKey]) -> Result<Self, KeyError> {
        if keys.is_empty() {
            return Err(KeyError::None);
        }
        if keys.len() > MAX_KEYS {
            return Err(KeyError::TooMany(keys.len()));
        }
        if me == partner {
            return Err(KeyError::SameNames);
        }
        let mut ring: Vec<Directed> = Vec::with_capacity(keys.len());
        for key in keys {
            if key.id == 0 || ring.iter().any(|other| other.id == key.id) {
                return Err(KeyError::Number(key.id));
            }
            if key.secret.len() < MIN_SECRET {
                return Err(KeyError::TooShort(key.id));
            }
            ring.push(Directed {
                id: key.id,
                send: derive(&key.secret, me, partner)?,
                receive: derive(&key.secret, partner, me)?,
            });
        }
        Ok(Self { keys: ring })
    }

    /// Numbers of the keys held, the preferred one first.
    pub fn ids(&self) -> impl Iterator<Item = u8> + '_ {
        self.keys.iter().map(|key| key.id)
    }

    /// The key to sign with: the first one that the partner also holds; while nothing is known
    /// of the partner (all zeroes), the first one.
    pub(crate) fn signing(&self, partner_holds: [u8; MAX_KEYS]) -> Option<(u8, &hmac::Key)> {
        self.keys
            .iter()
            .find(|key| partner_holds.contains(&key.id))
            .or_else(|| self.keys.first())
            .map(|key| (key.id, &key.send))
    }

    /// The tag of this router over any bytes, under its preferred key: tests and fuzzing make
    /// packets with it that no router would send.
    #[doc(hidden)]
    pub fn tag(&self, bytes: &[u8]) -> Option<hmac::Tag> {
        self.keys.first().map(|key| hmac::sign(&key.send, bytes))
    }

    /// The key that the partner signs with under this number.
    pub(crate) fn verifying(&self, id: u8) -> Option<&hmac::Key> {
        self.keys.iter().find(|key| key.id == id).map(|key| &key.receive)
    }
}

/// The key for packets from `sender` to `receiver`. A length stands before each name, so that no
/// two pairs of names run together.
fn derive(secret: &[u8], sender: &str, receiver: &str) -> Result<hmac::Key, KeyError> {
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, PROTOCOL).extract(secret);
    let sender_length = (sender.len() as u64).to_be_bytes();
    let receiver_length = (receiver.len() as u64).to_be_bytes();
    let info: [&[u8]; 5] =
        [PROTOCOL, &sender_length, sender.as_bytes(), &receiver_length, receiver.as_bytes()];
    let material = pseudorandom.expand(&info, hmac::HMAC_SHA256);
    material.map(hmac::Key::from).map_err(|_| KeyError::Derivation)
}
