//! What the state machine noticed, as lines of the log.

use heartbeat::{Event, GroupId, PathId, Reason};
use runtime::Journal;
use runtime::journal::{EventKind, Level};

use crate::plan::Plan;

/// Writes events with the names that people know.
pub(crate) struct Reporter<'a> {
    pub(crate) journal: &'a Journal,
    pub(crate) plan: &'a Plan,
}

type Field = (&'static str, String);

const DIFFERS: &str = "partner has another configuration";
const AGREES: &str = "partner has the same configuration";
const WITNESSED: &str = "witness answers";
const CUT_OFF: &str = "no witness answers";

fn not_fenced(take_over: bool) -> &'static str {
    if take_over {
        "partner could not be switched off, its groups are taken all the same"
    } else {
        "partner could not be switched off, its groups are not taken"
    }
}

impl Reporter<'_> {
    /// One line for one event.
    pub(crate) fn event(&self, event: Event) {
        use EventKind::{Partner, Role};
        let partner = || vec![("partner", self.partner())];
        let silent = |lasted: std::time::Duration| {
            vec![("partner", self.partner()), ("silent_ms", lasted.as_millis().to_string())]
        };
        let (kind, level, sentence, fields) = match event {
            Event::PartnerFound => (Partner, Level::Info, "partner found", partner()),
            Event::PartnerRestarted => (Partner, Level::Info, "partner restarted", partner()),
            Event::PartnerLost { silent: lasted } => {
                (Partner, Level::Error, "partner lost", silent(lasted))
            }
            Event::PartnerStopped => (Partner, Level::Warn, "partner stopped", partner()),
            Event::PartnerLate { silent: lasted } => {
                (Partner, Level::Warn, "partner is late", silent(lasted))
            }
            Event::ConfigDiffers => (Partner, Level::Warn, DIFFERS, partner()),
            Event::ConfigAgrees => (Partner, Level::Info, AGREES, partner()),
            Event::PartnerDeaf => {
                (Partner, Level::Warn, "partner does not hear this router", partner())
            }
            Event::PartnerHearsAgain => {
                (Partner, Level::Info, "partner hears this router again", partner())
            }
            Event::PathUp(id) => (Partner, Level::Info, "path up", self.path(id)),
            Event::PathSilent(id) => (Partner, Level::Warn, "path silent", self.path(id)),
            Event::PathNoCarrier(id) => {
                (Partner, Level::Warn, "path lost its carrier", self.path(id))
            }
            Event::Paused { lasted } => {
                let fields = vec![("paused_ms", lasted.as_millis().to_string())];
                (Role, Level::Error, "this router was paused, it listens before it acts", fields)
            }
            Event::Witness { reachable: true } => (Partner, Level::Info, WITNESSED, Vec::new()),
            Event::Witness { reachable: false } => (Partner, Level::Error, CUT_OFF, Vec::new()),
            Event::Fenced => (Partner, Level::Warn, "partner is switched off", partner()),
            Event::NotFenced { take_over } => {
                (Role, Level::Error, not_fenced(take_over), partner())
            }
            Event::Answered(id) => {
                let sentence = "somebody else answers for the addresses of a group";
                (Role, Level::Warn, sentence, self.group(id))
            }
            Event::HeldBack { age } => {
                let age = ("age_ms", age.as_millis().to_string());
                let fields = partner().into_iter().chain([age]).collect();
                (Partner, Level::Warn, "heartbeats are held back, they do not count", fields)
            }
            Event::TwoActive(id) => {
                (Role, Level::Error, "both routers hold a group", self.group(id))
            }
            Event::NotGranted(id) => {
                (Role, Level::Warn, "the partner did not hand a group over", self.group(id))
            }
            Event::StandingBy(id) => (Role, Level::Info, "standing by", self.group(id)),
        };
        self.journal.record(kind, level, sentence, &fields);
    }

    /// A role changed.
    pub(crate) fn role(&self, active: bool, id: GroupId, reason: Reason) {
        let mut fields = self.group(id);
        fields.push(("reason", reason.as_str().to_owned()));
        let sentence = if active { "taking over" } else { "standing down" };
        self.journal.record(EventKind::Role, Level::Warn, sentence, &fields);
    }

    fn partner(&self) -> String {
        let [_, partner] = &self.plan.names;
        partner.clone()
    }

    fn path(&self, id: PathId) -> Vec<Field> {
        let name = self.plan.paths.get(id.0).map(|path| path.name.clone());
        vec![("path", name.unwrap_or_else(|| id.0.to_string()))]
    }

    fn group(&self, id: GroupId) -> Vec<Field> {
        let name = self.plan.group(id).map(|group| group.name.clone());
        vec![("group", name.unwrap_or_else(|| format!("{:08x}", id.0)))]
    }
}
