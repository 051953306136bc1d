//! Questions to the network that the state machine asks while the partner is silent.

use std::sync::Arc;

use heartbeat::{GroupId, QuestionId};

use super::Driver;
use crate::notice::Notice;
use crate::{probe, witness};

impl Driver {
    /// The answer comes as a notice.
    pub(super) fn ask_witness(&self, question: QuestionId) {
        let witnesses = self.plan.witness.clone();
        let patience = self.failover.timing().dead_after();
        let notices = self.tools.notices.clone();
        tokio::spawn(async move {
            let answers = witness::ask(witnesses, patience).await;
            // The driver may have ended.
            let _sent = notices.send(Notice::Witness(question, answers)).await;
        });
    }

    /// Without an answer from here the state machine takes it that nobody is there.
    pub(super) fn probe(&self, id: GroupId, question: QuestionId) {
        let Some(group) = self.groups.get(&id.0) else { return };
        let plan = Arc::clone(&group.plan);
        let patience = self.failover.timing().probe_patience();
        let notices = self.tools.notices.clone();
        tokio::spawn(async move {
            let somebody = probe::somebody_answers(&plan, patience).await;
            // The driver may have ended.
            let _sent = notices.send(Notice::Probed(id, question, somebody)).await;
        });
    }
}
