//! Rounds of pings to the witnesses, where the routers compare how many they reach.

use std::net::IpAddr;
use std::time::Duration;

use runtime::journal::{EventKind, Level};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::Driver;
use crate::clock;
use crate::notice::{Notice, Notices};
use crate::plan::Plan;
use crate::witness::{self, Round};

/// The rounds. Dropping them ends them.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    task: Option<JoinHandle<()>>,
    /// It was told that a witness cannot be asked.
    told: bool,
}

impl Rounds {
    /// One after the other, if the configuration wants them.
    pub(super) fn start(plan: &Plan, notices: &Notices) -> Self {
        let rounds = plan
            .yields
            .then(|| rounds(plan.witness.clone(), plan.timing.witness_round(), notices.clone()));
        Self { task: rounds.map(tokio::spawn), told: false }
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn rounds(witnesses: Vec<IpAddr>, lasts: Duration, notices: Notices) {
    let mut begins = tokio::time::interval(lasts);
    begins.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        begins.tick().await;
        let round = witness::ask_all(&witnesses, lasts).await;
        if notices.send(Notice::WitnessesAsked(round)).await.is_err() {
            return;
        }
    }
}

impl Driver {
    /// A round has ended.
    pub(super) fn witnesses_asked(&mut self, round: &Round) {
        // One of an earlier configuration may be on its way.
        if round.iter().map(|(ip, _)| ip).ne(&self.plan.witness) {
            return;
        }
        self.tell_witnesses(round);
        self.witness = round.iter().map(|(_, answer)| answer.as_ref().ok().copied()).collect();
        let reached = self.witness.iter().try_fold(0_u8, |count, answered| {
            answered.map(|answered| count.saturating_add(u8::from(answered)))
        });
        let actions = self.failover.handle_witnesses(reached, clock::now());
        self.carry_out(actions);
    }

    /// One line for each witness that answers no more, or again; a failure of ours is told once.
    fn tell_witnesses(&mut self, round: &Round) {
        let journal = &self.tools.journal;
        for ((ip, answer), before) in round.iter().zip(&self.witness) {
            let mut fields = vec![("witness", ip.to_string())];
            let (level, sentence) = match (answer, before) {
                (Ok(true), Some(false)) => (Level::Info, "witness answers again"),
                (Ok(false), Some(true) | None) => (Level::Warn, "witness does not answer"),
                (Err(error), _) if !self.rounds.told => {
                    self.rounds.told = true;
                    fields.push(("error", error.clone()));
                    (Level::Warn, "cannot ask a witness")
                }
                _ => continue,
            };
            journal.record(EventKind::Partner, level, sentence, &fields);
        }
        self.rounds.told &= round.iter().any(|(_, answer)| answer.is_err());
    }
}
