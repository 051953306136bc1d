//! SCRAM-SHA-256 (RFC 5802 and 7677): each side shows that it knows the password.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{HMAC_SHA256, Key, sign, verify};
use ring::{digest, pbkdf2};

use super::Refused;

/// Rounds that a server may ask for: more would keep this router busy.
const ROUNDS: u32 = 100_000;
/// Bytes of a digest.
const DIGEST: usize = 32;

/// One exchange.
pub(super) struct Scram {
    password: String,
    nonce: String,
    /// What the server's last words have to be signed with, and over what.
    wanted: Option<(Key, String)>,
}

impl Scram {
    pub(super) fn new(password: &str, nonce: &str) -> Self {
        Self { password: password.to_owned(), nonce: nonce.to_owned(), wanted: None }
    }

    /// The first words. The name is empty: the server knows it from elsewhere.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.bare())
    }

    fn bare(&self) -> String {
        format!("n=,r={}", self.nonce)
    }

    /// The second words, after the server's first ones.
    pub(super) fn proof(&mut self, said: &[u8]) -> Result<String, Refused> {
        let foreign = || Refused::Foreign { protocol: "SCRAM", said: said.to_vec() };
        let text = std::str::from_utf8(said).map_err(|_| foreign())?;
        let field = |name| text.split(',').find_map(|field| field.strip_prefix(name));
        let nonce =
            field("r=").filter(|nonce| nonce.starts_with(&self.nonce)).ok_or_else(foreign)?;
        let salt = field("s=").and_then(|salt| STANDARD.decode(salt).ok()).ok_or_else(foreign)?;
        let rounds = field("i=").and_then(|rounds| rounds.parse().ok()).filter(|n| *n <= ROUNDS);
        let rounds = rounds.and_then(NonZeroU32::new).ok_or_else(foreign)?;
        let mut salted = [0; DIGEST];
        let how = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(how, rounds, &salt, self.password.as_bytes(), &mut salted);
        let salted = Key::new(HMAC_SHA256, &salted);
        let client = sign(&salted, b"Client Key");
        let stored = digest::digest(&digest::SHA256, client.as_ref());
        // "biws" is "n,,": no binding to the channel.
        let last = format!("c=biws,r={nonce}");
        let all = format!("{},{text},{last}", self.bare());
        let signature = sign(&Key::new(HMAC_SHA256, stored.as_ref()), all.as_bytes());
        let mixed = client.as_ref().iter().zip(signature.as_ref()).map(|(one, other)| one ^ other);
        let proof = STANDARD.encode(mixed.collect::<Vec<u8>>());
        let server = sign(&salted, b"Server Key");
        self.wanted = Some((Key::new(HMAC_SHA256, server.as_ref()), all));
        Ok(format!("{last},p={proof}"))
    }

    /// Whether the server's last words show that it knows the password, too.
    pub(super) fn verify(&self, said: &[u8]) -> Result<(), Refused> {
        let shown = || {
            let (key, all) = self.wanted.as_ref()?;
            let text = std::str::from_utf8(said).ok()?.strip_prefix("v=")?;
            let signature = STANDARD.decode(text.split(',').next()?).ok()?;
            verify(key, all.as_bytes(), &signature).ok()
        };
        shown().ok_or(Refused::Empty("the server does not know the password itself"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_that_of_a_server_that_knows_the_password() {
        // Computed apart, after RFC 5802: user empty, password "pencil".
        let mut scram = Scram::new("pencil", "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(scram.first(), "n,,n=,r=rOprNGfwEbeRWgbNEkqO");
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let proof = scram.proof(server.as_bytes()).unwrap();
        assert_eq!(
            proof,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=qvT2SWdEH5Q06albL+hjSYuUhCG7VndFyzIb7CK4n9k="
        );
        assert_eq!(scram.verify(b"v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg="), Ok(()));
        assert!(scram.verify(b"v=AAAA").is_err());
    }

    #[test]
    fn what_a_server_must_not_ask_is_refused() {
        let refused = |said: &str| Scram::new("pencil", "abc").proof(said.as_bytes()).is_err();
        assert!(!refused("r=abcd,s=QUJD,i=4096"));
        assert!(refused("r=xabc,s=QUJD,i=4096"), "another nonce");
        assert!(refused("r=abcd,s=QUJD,i=0"), "no rounds");
        assert!(refused("r=abcd,s=QUJD,i=4000000000"), "rounds for hours");
        assert!(refused("r=abcd,s=?,i=4096"), "no salt");
    }
}
