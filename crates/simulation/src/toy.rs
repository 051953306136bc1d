//! Key pairs as the routers make them, with numbers that are too small for any secret: what counts here
//! is who comes to the same key.

use heartbeat::exchange::{Agreed, HALF};
use heartbeat::rotation::Pairs;

use crate::random::Random;

/// A prime, 2^61 - 1, and a number whose powers are many.
const PRIME: u64 = (1 << 61) - 1;
const BASE: u64 = 37;

/// Where private halves come from.
#[derive(Clone, Debug)]
pub(crate) struct Toy(pub(crate) Random);

fn times(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other) % u128::from(PRIME);
    u64::try_from(product).unwrap_or(0)
}

fn power(base: u64, exponent: u64) -> u64 {
    let bits = (0..u64::BITS).rev().map(|bit| exponent >> bit & 1);
    bits.fold(1, |so_far, bit| {
        let squared = times(so_far, so_far);
        if bit == 1 { times(squared, base) } else { squared }
    })
}

impl Pairs for Toy {
    type Private = u64;

    fn pair(&mut self) -> Option<(u64, [u8; HALF])> {
        let private = self.0.next();
        let mut public = [0; HALF];
        public.first_chunk_mut::<8>()?.copy_from_slice(&power(BASE, private).to_be_bytes());
        Some((private, public))
    }

    fn meet(
        private: u64,
        theirs: &[u8; HALF],
        then: impl FnOnce(&[u8]) -> Option<Agreed>,
    ) -> Option<Agreed> {
        let theirs = u64::from_be_bytes(*theirs.first_chunk()?);
        then(&power(theirs, private).to_be_bytes())
    }
}
