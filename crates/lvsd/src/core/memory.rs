//! What outlives a restart, in the runtime directory.

use std::collections::{BTreeMap, BTreeSet};

use health::{Fitness, Ledger, Names, Probe, Verdict};
use ipvs::{DestinationKey, ServiceKey};
use serde::{Deserialize, Serialize};

/// Everything that is remembered; each part is a file of its own.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Services in the kernel that are ours.
    pub owned: BTreeSet<ServiceKey>,
    /// The operator's decisions.
    pub ledger: Ledger,
    /// Checks and names.
    pub seen: Seen,
}

/// What was seen of the world; it is taken for true until it is seen anew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// [Fingerprints](fingerprint) of the checks that failed. Who is up is read from the kernel's
    /// table: a memory of it may be older than a death.
    pub down: BTreeSet<u64>,
    /// When each of them was last up, by the rising number of [`health::Fitness::last_up`]; those
    /// that never were are left out.
    #[serde(default)]
    pub last_up: BTreeMap<u64, u64>,
    /// The weights that checks asked for.
    #[serde(default)]
    pub weights: BTreeMap<u64, u32>,
    /// Virtual servers that were below their quorum.
    #[serde(default)]
    pub below_quorum: BTreeSet<String>,
    /// Failed real servers that somebody removed, and that are not put back.
    #[serde(default)]
    pub left_out: Vec<(ServiceKey, DestinationKey)>,
    /// Resolved names.
    pub names: Names,
}

/// What is remembered of checks until they answer anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    /// Those that failed, each with when its server was last up (0: never).
    pub(super) down: BTreeMap<u64, u64>,
    /// The weights that they asked for.
    pub(super) weights: BTreeMap<u64, u32>,
}

impl Seen {
    /// What is remembered of checks.
    pub(super) fn remembered(&self) -> Remembered {
        let last_up = |print: &u64| self.last_up.get(print).copied().unwrap_or_default();
        Remembered {
            down: self.down.iter().map(|print| (*print, last_up(print))).collect(),
            weights: self.weights.clone(),
        }
    }

    /// Takes down what is known of a check now.
    pub(super) fn note(&mut self, probe: &Probe, fitness: Fitness) {
        let weight = fitness.asked.alone();
        if fitness.verdict != Verdict::Down && weight.is_none() {
            return;
        }
        let print = fingerprint(probe);
        self.weights.extend(weight.map(|weight| (print, weight)));
        if fitness.verdict == Verdict::Down {
            self.down.insert(print);
            if fitness.last_up > 0 {
                self.last_up.insert(print, fitness.last_up);
            }
        }
    }
}

/// A probe in 64 bits (FNV-1a over its `Debug` form), the same in every run of one build. Another
/// build may write it otherwise and then remembers nothing, which costs one first check.
pub fn fingerprint(probe: &Probe) -> u64 {
    use std::fmt::Write;
    struct Fnv(u64);
    impl Write for Fnv {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            for byte in text.bytes() {
                self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            Ok(())
        }
    }
    let mut fnv = Fnv(0xcbf2_9ce4_8422_2325);
    // Writing to the hash cannot fail.
    let _ = write!(fnv, "{probe:?}");
    fnv.0
}
