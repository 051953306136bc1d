//! What runs have met, so that a run without a violation says something.

use std::collections::BTreeMap;
use std::fmt;

use crate::fault::Fault;
use crate::invariants::Invariant;

/// Sums over many runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Runs.
    pub runs: u64,
    /// Simulated time in microseconds.
    pub simulated: u64,
    /// Packets sealed, and packets opened.
    pub packets: [u64; 2],
    /// Faults of each kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Changes of roles by their reasons.
    pub roles: BTreeMap<(&'static str, &'static str), u64>,
    /// What routers reported.
    pub events: BTreeMap<&'static str, u64>,
    /// Packets that were refused, by the reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// For how long each invariant was in force, in microseconds, or how often it was asked.
    pub armed: BTreeMap<Invariant, u64>,
}

impl Coverage {
    /// Adds what somebody else has met.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.simulated += other.simulated;
        for (sum, count) in self.packets.iter_mut().zip(other.packets) {
            *sum += count;
        }
        sum(&mut self.faults, &other.faults);
        sum(&mut self.roles, &other.roles);
        sum(&mut self.events, &other.events);
        sum(&mut self.refused, &other.refused);
        sum(&mut self.armed, &other.armed);
    }

    /// Kinds of faults that never happened.
    pub fn missing_faults(&self) -> Vec<&'static str> {
        let met = |name: &&str| self.faults.get(*name).is_some_and(|count| *count > 0);
        Fault::NAMES.into_iter().filter(|name| !met(name)).collect()
    }

    /// Invariants that were never in force.
    pub fn missing_invariants(&self) -> Vec<Invariant> {
        let met = |one: &Invariant| self.armed.get(one).is_some_and(|time| *time > 0);
        Invariant::ALL.into_iter().filter(|one| !met(one)).collect()
    }
}

fn sum<K: Ord + Copy>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *to.entry(*key).or_default() += count;
    }
}

/// One line for each kind of thing.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.simulated / 3_600_000_000;
        let [sealed, opened] = self.packets;
        writeln!(f, "{} runs, {hours} hours, {sealed} packets sent, {opened} read", self.runs)?;
        writeln!(f, "faults:")?;
        self.faults.iter().try_for_each(|(name, count)| writeln!(f, "  {count:>10} {name}"))?;
        writeln!(f, "changes of roles:")?;
        self.roles
            .iter()
            .try_for_each(|((what, why), count)| writeln!(f, "  {count:>10} {what}: {why}"))?;
        writeln!(f, "reports:")?;
        self.events.iter().try_for_each(|(name, count)| writeln!(f, "  {count:>10} {name}"))?;
        writeln!(f, "packets refused:")?;
        self.refused.iter().try_for_each(|(name, count)| writeln!(f, "  {count:>10} {name}"))?;
        writeln!(f, "invariants, and for how long each was in force, or how often it was asked:")?;
        self.armed.iter().try_for_each(|(one, sum)| {
            let (sum, unit) = if one.lasts() { (sum / 1_000_000, "s") } else { (*sum, "times") };
            writeln!(f, "  {sum:>12} {unit:<5} {}", one.name())
        })
    }
}
