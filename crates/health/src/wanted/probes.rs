//! The checks of one real server, and what they say together: it has to pass all of them.

use std::net::SocketAddr;

use config::model::{Check, CheckKind};
use ipvs::Forwarding;

use super::{Fitness, Knowledge};
use crate::{Probe, Verdict};

/// The checks that answer for a real server at `asked`; each place is asked once in one way.
pub(super) fn probes<'a>(
    checks: impl Iterator<Item = &'a Check>,
    asked: SocketAddr,
    virtual_server: Option<SocketAddr>,
    forwarding: Forwarding,
) -> Vec<Probe> {
    let mut probes = Vec::with_capacity(1);
    for probe in checks.filter_map(|check| Probe::new(asked, virtual_server, check, forwarding)) {
        if !probes.contains(&probe) {
            probes.push(probe);
        }
    }
    probes
}

/// What is known of a real server with these checks and probes.
pub(super) fn fitness<'a>(
    mut checks: impl Iterator<Item = &'a Check>,
    probes: &[Probe],
    knowledge: &Knowledge<'_>,
) -> Fitness {
    if checks.any(|check| check.kind == CheckKind::Off) {
        return Fitness::DOWN;
    }
    probes.iter().map(knowledge.fitness).reduce(Fitness::and).unwrap_or(Fitness::UP)
}

impl Fitness {
    /// That of a real server which has to pass both of two checks.
    ///
    /// It was last up when the first of those that fail now began to.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { asked: self.asked.and(other.asked), ..self.worse(other) }
    }

    fn worse(self, other: Self) -> Self {
        let (one, two) = (self.verdict, other.verdict);
        let worse = match (one, two) {
            (Verdict::Down, Verdict::Down) => {
                let provisional = self.provisional && other.provisional;
                return Self { provisional, last_up: self.last_up.min(other.last_up), ..self };
            }
            (Verdict::Down, _) | (Verdict::Unknown, Verdict::Up) => return self,
            (_, Verdict::Down) | (Verdict::Up, Verdict::Unknown) => return other,
            (Verdict::Up, Verdict::Up) | (Verdict::Unknown, Verdict::Unknown) => self,
        };
        Self { provisional: self.provisional || other.provisional, ..worse }
    }
}
