//! How long what is wrong may last.

use std::time::Duration;

use crate::fault::Micros;
use crate::schedule::micros;

/// Bounds, from the times of a pair. Each says what it is made of.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Two active with a path both ways: three heartbeats to prove a session and be heard, and the
    /// removal; with different configurations the patience of twice `dead_after`.
    pub two: [Micros; 2],
    /// Both know: the removal; with different configurations the patience again.
    pub know: [Micros; 2],
    /// Nobody active: listening or losing, a hand-over that fails and is taken back, and patience.
    pub none: Micros,
    /// Partition, held without a witness: losing, the question and its repetition.
    pub lone: Micros,
    /// Partition, two or nobody: losing, both questions, their repetition, and a second look.
    pub partition: Micros,
    /// One direction: losing, deafness, a restart that listens, the question about addresses.
    pub one_way: Micros,
}

impl Bounds {
    /// Of these times: interval, `dead_after`, the longest move of addresses, delay of packets.
    pub fn new(interval: Duration, dead_after: Duration, addresses: Micros, delay: Micros) -> Self {
        let (interval, dead) = (micros(interval), micros(dead_after));
        let moved = addresses + delay + 20_000;
        // Clocks may be slow by 7 % at worst.
        let slow = |time: Micros| time + time * 7 / 100;
        let two = slow(interval * 3 + moved + delay * 3);
        let know = slow(moved + interval);
        let patience = slow(dead * 2 + interval * 2);
        Self {
            two: [two, two + patience],
            know: [know, know + patience],
            none: slow(dead * 5 + interval * 3 + moved + 50_000),
            lone: slow(dead * 2 + dead.max(1_000_000) + interval + moved),
            partition: slow(dead * 5 + dead.max(1_000_000) + interval * 3 + moved),
            one_way: slow(dead * 5 + interval * 3 + moved),
        }
    }
}
