//! What an orderly stop leaves behind.

use runtime::ExitError;

use super::kernel::{Answer, Job};
use super::{Driver, Event, now};
use crate::core::Entry;

/// How much of the table stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// All of it.
    All,
    /// Some virtual servers.
    Some,
    /// Nothing, not even settings of the kernel.
    None,
}

impl Driver {
    /// Removes what is not to stay.
    pub(super) async fn leave_rest(&mut self) -> Result<Rest, ExitError> {
        let cluster = self.core.cluster();
        let rest = cluster.after_stop();
        if rest.as_ref().is_some_and(|rest| rest == &**cluster) {
            return Ok(Rest::All);
        }
        self.remove_services().await?;
        self.leave_marks(rest.as_ref().map(config::Cluster::mark_rules).unwrap_or_default())
            .await?;
        if rest.is_none() {
            self.give_back_sysctls();
        }
        Ok(if rest.is_some() { Rest::Some } else { Rest::None })
    }

    /// Removes services, after what is under way.
    async fn remove_services(&mut self) -> Result<(), ExitError> {
        let steps = self.core.removal();
        let count = steps.len();
        self.kernel
            .send(Job::Apply(steps))
            .await
            .map_err(|_| ExitError::internal("the task that talks to the kernel has ended"))?;
        while let Some(event) = self.events.recv().await {
            if let Event::Kernel(Answer::Applied(steps, results)) = event {
                let last = steps == self.core.removal() && steps.len() == count;
                self.core.applied(&steps, &results, now());
                if last {
                    break;
                }
            }
        }
        for Entry { kind, level, message, fields } in self.core.entries() {
            self.journal.record(kind, level, message, &fields);
        }
        self.save_owned();
        Ok(())
    }
}
