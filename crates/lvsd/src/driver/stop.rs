//! What an orderly stop leaves behind.

use std::time::Duration;

use ipvs::{MarkRule, Step};
use runtime::ExitError;
use runtime::journal::{EventKind, Level};

use super::kernel::{Answer, Job};
use super::{Driver, Event};
use crate::core::Entry;

/// How long the kernel may take for one answer. Some thousand services take a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of the table stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// All of it.
    All,
    /// Some virtual servers.
    Some,
    /// Nothing, not even settings of the kernel.
    None,
    /// Nobody knows: the kernel does not answer, or refuses.
    Unknown,
}

/// Who leaves the kernel, as far as the order of it goes.
trait Leaver {
    /// The kernel was asked something and has not answered yet.
    fn is_waiting(&self) -> bool;
    /// Takes an answer.
    fn take(&mut self, answer: Answer);
    /// The next event; none when there will be no more.
    async fn next(&mut self) -> Option<Event>;
    /// What removes the services that are not to stay; an answer to it is waited for from here on.
    fn last_steps(&mut self) -> Vec<Step>;
    /// How many services are still there that are not to stay.
    fn remaining(&self) -> usize;
    /// What sets the marks that stay alone, if it is to be set; as above.
    fn last_marks(&mut self) -> Option<Vec<MarkRule>>;
    /// Asks the kernel.
    async fn ask(&mut self, job: Job) -> Result<(), ExitError>;
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// It is as it should be.
    Done,
    /// So many services could not be removed.
    Refused(usize),
    /// The kernel does not answer.
    Silent,
}

/// Removes what is not to stay, in order.
async fn leave(leaver: &mut impl Leaver) -> Result<Left, ExitError> {
    // What is still under way may make a service, so what is to go is known only after it.
    if !settle(leaver).await {
        return Ok(Left::Silent);
    }
    let steps = leaver.last_steps();
    leaver.ask(Job::Apply(steps)).await?;
    if !settle(leaver).await {
        return Ok(Left::Silent);
    }
    let remaining = leaver.remaining();
    if let Some(marks) = leaver.last_marks() {
        leaver.ask(Job::Marks(marks)).await?;
    }
    Ok(match (settle(leaver).await, remaining) {
        (false, _) => Left::Silent,
        (true, 0) => Left::Done,
        (true, services) => Left::Refused(services),
    })
}

/// Takes answers until none is waited for; whether they came.
async fn settle(leaver: &mut impl Leaver) -> bool {
    while leaver.is_waiting() {
        // Nanny's words and names, which change nothing any more, do not put off the end.
        let answer = async {
            loop {
                match leaver.next().await {
                    Some(Event::Kernel(answer)) => return Some(answer),
                    Some(_) => {}
                    None => return None,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Some(answer)) => leaver.take(answer),
            Ok(None) | Err(_) => return false,
        }
    }
    true
}

impl Driver {
    /// Removes what is not to stay.
    pub(super) async fn leave_rest(&mut self) -> Result<Rest, ExitError> {
        let cluster = self.core.cluster();
        let rest = cluster.after_stop();
        if rest.as_ref().is_some_and(|rest| rest == &**cluster) {
            return Ok(Rest::All);
        }
        let left = leave(self).await?;
        for Entry { kind, level, message, fields } in self.core.entries() {
            self.journal.record(kind, level, message, &fields);
        }
        self.save_owned();
        if left == Left::Done {
            if rest.is_none() {
                self.give_back_sysctls();
            }
            return Ok(if rest.is_some() { Rest::Some } else { Rest::None });
        }
        let (sentence, field) = match left {
            Left::Refused(services) => (
                "some services of ours could not be removed: look with ipvsadm -L -n",
                ("services", services.to_string()),
            ),
            _ => (
                "kernel does not answer, our services may stay: look with ipvsadm -L -n",
                ("waited_seconds", PATIENCE.as_secs().to_string()),
            ),
        };
        self.journal.record(EventKind::Kernel, Level::Error, sentence, &[field]);
        Ok(Rest::Unknown)
    }
}

impl Leaver for Driver {
    fn is_waiting(&self) -> bool {
        self.core.is_busy() || self.settings.busy || self.settings.marks.is_busy()
    }

    fn take(&mut self, answer: Answer) {
        self.kernel_answered(answer);
    }

    async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    fn last_steps(&mut self) -> Vec<Step> {
        self.core.leave()
    }

    fn remaining(&self) -> usize {
        self.core.removal().len()
    }

    fn last_marks(&mut self) -> Option<Vec<MarkRule>> {
        let rest = self.core.cluster().after_stop();
        let rest = rest.as_ref().map(config::Cluster::mark_rules).unwrap_or_default();
        self.settings.marks.leave(&rest).then_some(rest)
    }

    async fn ask(&mut self, job: Job) -> Result<(), ExitError> {
        let gone = |_| ExitError::internal("the task that talks to the kernel has ended");
        self.kernel.send(job).await.map_err(gone)
    }
}

#[cfg(test)]
mod tests;
