//! What an operator decides about real servers.

use std::collections::BTreeSet;
use std::time::Duration;

use control::action::{ActionResult, Decision, Failure, ServerAction};
use health::ledger::{Aspect, Stamp};
use health::{Drain, Item, Note, Ruling, Subject, WantedServer};
use runtime::journal::{EventKind, Level};

use super::letters::too_long;
use super::{Core, Entry, Now};

/// Most decisions that are kept: an operator's tool gone wild must not fill the memory.
pub(super) const MAX_DECISIONS: usize = 100_000;

/// The kernel takes weights up to 2^31-1.
pub(super) const MAX_WEIGHT: u32 = i32::MAX.unsigned_abs();

impl Core {
    /// Does what an operator asks, on every real server that matches.
    pub fn act(&mut self, action: &ServerAction, now: Now) -> Result<ActionResult, Failure> {
        action.decision.check()?;
        if let Decision::Weight { weight: Some(weight) } = action.decision
            && weight > MAX_WEIGHT
        {
            return Err(Failure { error: format!("weight {weight} is above {MAX_WEIGHT}") });
        }
        let mut matches = self.matching(&action.server, action.service.as_deref());
        matches.extend(self.matching_gone(action));
        if matches.is_empty() {
            return Err(no_match(action));
        }
        if self.ledger.len() + matches.len() > MAX_DECISIONS {
            let error = format!("{MAX_DECISIONS} decisions are kept already; take some back first");
            return Err(Failure { error });
        }
        let items = matches.iter().map(|place| self.item(action, place, now));
        let items: Vec<_> = items.collect();
        if let Some(over) = items.iter().find_map(|(subject, item)| too_long(subject, item, now)) {
            let error = format!(
                "the partner could not be told: shorten the reason, or whatever else is long, by {over} bytes"
            );
            return Err(Failure { error });
        }
        let done = items.into_iter().map(|(subject, item)| {
            let done =
                format!("{} {}: {}", subject.service, subject.server, in_words(action.decision));
            self.decide(action, subject, item, now);
            done
        });
        Ok(ActionResult { done: done.collect() })
    }

    /// Virtual servers and labels that an address, an address with port, or a name means.
    pub fn matching(&self, server: &str, service: Option<&str>) -> BTreeSet<(String, String)> {
        let services =
            self.services.iter().filter(|known| service.is_none_or(|name| name == known.name));
        services
            .flat_map(|known| known.servers.iter().map(move |real| (known, real)))
            .filter(|(_, real)| is_meant(real, server))
            .map(|(known, real)| (known.name.clone(), real.label.clone()))
            .collect()
    }

    /// Real servers that have a decision and are not in the configuration any more. It is kept
    /// until it is taken back: a server that returns must not serve because of an edit.
    fn matching_gone(&self, action: &ServerAction) -> BTreeSet<(String, String)> {
        let takes_back = matches!(
            action.decision,
            Decision::Undrain | Decision::Enable | Decision::Weight { weight: None }
        );
        let meant = |service: &str, label: &str| {
            label == action.server && action.service.as_deref().is_none_or(|name| name == service)
        };
        let decided = self.decisions.iter().filter(|_| takes_back);
        decided
            .filter(|(service, label, _)| meant(service, label))
            .map(|(service, label, _)| (service.to_owned(), label.to_owned()))
            .collect()
    }

    /// What an action says about one real server.
    fn item(&self, action: &ServerAction, place: &(String, String), now: Now) -> (Subject, Item) {
        let note = Note {
            who: action.who.clone(),
            reason: action.reason.clone(),
            router: self.router().map(str::to_owned),
            since_unix_ms: now.unix_ms,
        };
        let (aspect, ruling) = ruling(action.decision, note, now);
        let subject = Subject { service: place.0.clone(), server: place.1.clone(), aspect };
        let router = self.router().unwrap_or_default().to_owned();
        let stamp = Stamp { at: u64::MAX, router };
        (subject, Item { stamp, since: now.boot, ruling })
    }

    fn decide(&mut self, action: &ServerAction, subject: Subject, item: Item, now: Now) {
        self.look_now |= matches!(action.decision, Decision::Drain { .. });
        let entry = Entry::new(EventKind::Operator, Level::Info, "operator decided")
            .with("decision", in_words(action.decision))
            .with("service", &subject.service)
            .with("server", &subject.server)
            .with_some("who", action.who.as_ref())
            .with_some("reason", action.reason.as_ref());
        self.entries.push(entry);
        self.rule(subject, item.ruling, now);
    }

    /// Decides here, for both routers.
    pub(super) fn rule(&mut self, subject: Subject, ruling: Option<Ruling>, now: Now) {
        let router = self.router().map(str::to_owned);
        match &router {
            // Nobody else knows of it.
            None if ruling.is_none() => self.ledger.remove(&subject),
            name => {
                let name = name.as_deref().unwrap_or_default();
                self.ledger.decide(subject.clone(), ruling, name, now.boot, now.unix_ms);
            }
        }
        self.decided(&subject);
        self.tell_partner(subject);
    }

    /// The ledger says something else about this.
    pub(super) fn decided(&mut self, subject: &Subject) {
        let Subject { service, server, .. } = subject;
        let decided = self.ledger.decided(service, server);
        self.decisions.change(service, server, |known| *known = decided);
        self.decisions_changed = true;
        self.stale.extend(self.services.iter().position(|known| known.name == *service));
    }
}

/// An address, an address with port, or a label.
pub(super) fn is_meant(real: &WantedServer, server: &str) -> bool {
    let by_address =
        |at: std::net::SocketAddr| at.to_string() == server || at.ip().to_string() == server;
    real.label == server || real.address.is_some_and(by_address)
}

fn ruling(decision: Decision, note: Note, now: Now) -> (Aspect, Option<Ruling>) {
    match decision {
        Decision::Drain { deadline_seconds } => {
            let left = deadline_seconds.map(Duration::from_secs);
            let deadline = left.map(|left| now.boot.saturating_add(left));
            (Aspect::Drain, Some(Ruling::Drain(Drain { note, deadline, done: false })))
        }
        Decision::Undrain => (Aspect::Drain, None),
        Decision::Disable => (Aspect::Disable, Some(Ruling::Disabled(note))),
        Decision::Enable => (Aspect::Disable, None),
        Decision::Weight { weight } => {
            (Aspect::Weight, weight.map(|weight| Ruling::Weight(weight, note)))
        }
    }
}

/// What holds, in short.
pub(super) fn ruling_in_words(ruling: &Ruling) -> String {
    match ruling {
        Ruling::Drain(Drain { done: true, .. }) => "drained".to_owned(),
        Ruling::Drain(_) => "drain".to_owned(),
        Ruling::Disabled(_) => "disable".to_owned(),
        Ruling::Weight(weight, _) => format!("weight {weight}"),
    }
}

fn in_words(decision: Decision) -> String {
    match decision {
        Decision::Drain { deadline_seconds: None } => "drain".to_owned(),
        Decision::Drain { deadline_seconds: Some(seconds) } => format!("drain within {seconds} s"),
        Decision::Undrain => "undrain".to_owned(),
        Decision::Disable => "disable".to_owned(),
        Decision::Enable => "enable".to_owned(),
        Decision::Weight { weight: Some(weight) } => format!("weight {weight}"),
        Decision::Weight { weight: None } => "weight as configured".to_owned(),
    }
}

fn no_match(action: &ServerAction) -> Failure {
    let place = match &action.service {
        Some(service) => format!("virtual server {service}"),
        None => "any virtual server".to_owned(),
    };
    let error = format!(
        "no real server {} in {place}; name one as lvsctl status shows it: ADDRESS, ADDRESS:PORT or its name",
        action.server
    );
    Failure { error }
}
