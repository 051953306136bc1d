//! Firewall marks: looked at with each audit, as the table is.

use config::Cluster;
use ipvs::MarkRule;
use ipvs::wire::marks::{MarkTable, TABLE};
use netlink::{KernelError, MarksSocket};
use runtime::ExitError;
use runtime::journal::{EventKind, Level};

use super::Driver;
use super::kernel::Job;

/// So many rules are named in one line of the log.
const NAMED: usize = 8;

/// What is known of our table in netfilter.
#[derive(Debug)]
pub(super) struct Marks {
    due: bool,
    busy: bool,
    /// What it held when it was last seen to be right; none before.
    set: Option<Vec<MarkRule>>,
    /// Why it is not as wanted.
    pub(super) problem: Option<String>,
}

/// What became of a look at it.
#[derive(Debug)]
pub(super) struct Marked {
    wanted: Vec<MarkRule>,
    /// What was found, and whether it had to be changed; or why that failed.
    outcome: Result<(MarkTable, bool), String>,
}

/// Reads our table, and replaces it where it differs.
pub(super) async fn work(socket: &mut Option<MarksSocket>, wanted: Vec<MarkRule>) -> Marked {
    let outcome = settle(socket, &wanted).await;
    Marked { wanted, outcome }
}

async fn settle(
    socket: &mut Option<MarksSocket>,
    wanted: &[MarkRule],
) -> Result<(MarkTable, bool), String> {
    let words = |error: KernelError| error.to_string();
    let open = match socket.take() {
        Some(open) => open,
        None => MarksSocket::open().map_err(words)?,
    };
    let socket = socket.insert(open);
    let found = match socket.read().await {
        // Where there is no netfilter, nothing is marked.
        Err(KernelError::NoNetfilter) if wanted.is_empty() => MarkTable::Absent,
        found => found.map_err(words)?,
    };
    if found.is(wanted) {
        return Ok((found, false));
    }
    if found == MarkTable::Foreign {
        return Err(format!(
            "the table inet {TABLE} is not of lvsd's making: give it another name"
        ));
    }
    socket.replace(wanted).await.map_err(words)?;
    Ok((found, true))
}

/// Nothing is known, so a look is due.
impl Default for Marks {
    fn default() -> Self {
        Self { due: true, busy: false, set: None, problem: None }
    }
}

impl Marks {
    /// Another look is wanted after each look at the table, unless nothing is marked and it was
    /// seen that nothing is.
    fn audit(&mut self, cluster: &Cluster) {
        self.due |= !cluster.mark_rules().is_empty() || self.set.as_deref() != Some(&[]);
    }

    /// A look or a change is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Whether our table has to be changed so that these alone are left of it, with none the table
    /// itself. Then that is under way from here on.
    pub(super) fn leave(&mut self, rest: &[MarkRule]) -> bool {
        self.busy = self.set.as_deref() != Some(rest);
        self.busy
    }

    /// What a configuration would change, in words.
    pub(super) fn foresee(&self, cluster: &Cluster) -> Vec<String> {
        let (wanted, found) = (cluster.mark_rules(), self.set.as_deref().unwrap_or_default());
        let new = wanted.iter().filter(|rule| !found.contains(rule));
        let old = found.iter().filter(|rule| !wanted.contains(rule));
        let new = new.map(|rule| format!("set by lvsd: {rule}"));
        new.chain(old.map(|rule| format!("set no more: {rule}"))).collect()
    }
}

impl Driver {
    /// The table was looked at.
    pub(super) fn audit_marks(&mut self) {
        self.settings.marks.audit(self.core.cluster());
    }

    /// Has the kernel's task look, if that is due.
    pub(super) fn look_at_marks(&mut self) -> Result<(), ExitError> {
        if !self.settings.marks.due || self.settings.marks.busy {
            return Ok(());
        }
        self.settings.marks.due = false;
        self.settings.marks.busy = true;
        self.hand_to_kernel(Job::Marks(self.core.cluster().mark_rules()))
    }

    /// What came of it.
    pub(super) fn marked(&mut self, Marked { wanted, outcome }: Marked) {
        self.settings.marks.busy = false;
        let (found, changed) = match outcome {
            Ok(seen) => seen,
            Err(reason) => {
                self.complain_of_marks(reason);
                return;
            }
        };
        self.settings.marks.problem = None;
        if changed {
            let before = self.settings.marks.set.as_deref();
            let drifted = before.is_some_and(|before| !found.is(before));
            let (level, sentence) = match (drifted, wanted.is_empty()) {
                (true, _) => (Level::Warn, "firewall marks were changed by somebody else, mended"),
                (false, true) => (Level::Info, "firewall marks removed"),
                (false, false) => (Level::Info, "firewall marks set"),
            };
            let fields = [("marks", in_words(&wanted))];
            self.journal.record(EventKind::Kernel, level, sentence, &fields);
        }
        self.settings.marks.set = Some(wanted);
    }

    fn complain_of_marks(&mut self, reason: String) {
        if self.settings.marks.problem.as_ref() != Some(&reason) {
            let fields = [("reason", reason.clone())];
            let sentence = "cannot set firewall marks, it is tried again";
            self.journal.record(EventKind::Kernel, Level::Error, sentence, &fields);
        }
        self.settings.marks.problem = Some(reason);
    }
}

fn in_words(rules: &[MarkRule]) -> String {
    let mut words: Vec<String> = rules.iter().take(NAMED).map(ToString::to_string).collect();
    match rules.len().checked_sub(NAMED) {
        Some(more @ 1..) => words.push(format!("and {more} more")),
        _ if rules.is_empty() => words.push("none".to_owned()),
        _ => {}
    }
    words.join(", ")
}
