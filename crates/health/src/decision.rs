//! What an operator decided about real servers; it outlives reloads and restarts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Who decided, why and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Who.
    pub who: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// On which router.
    #[serde(default)]
    pub router: Option<String>,
    /// Milliseconds since the Unix epoch, for people; no decision reads it.
    pub since_unix_ms: u64,
}

/// A drain: no new connections, and out when the old ones have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// Who, why, since when.
    pub note: Note,
    /// When it leaves the table with whatever connections are left, on the clock that counts from
    /// the machine's start (`CLOCK_BOOTTIME`): it survives a restart and no clock step moves it.
    pub deadline: Option<Duration>,
    /// Its connections have ended or the deadline has passed: it is out of the table.
    pub done: bool,
}

/// Everything that is decided about one real server of one virtual server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// It is being drained, or is drained.
    pub drain: Option<Drain>,
    /// It is out of the table.
    pub disabled: Option<Note>,
    /// It has another weight than the configuration's.
    pub weight: Option<(u32, Note)>,
}

impl Decided {
    /// Nothing is decided.
    pub fn is_empty(&self) -> bool {
        self.drain.is_none() && self.disabled.is_none() && self.weight.is_none()
    }
}

/// All decisions, by virtual server and real server (its [label](crate::wanted::label)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decisions(BTreeMap<String, BTreeMap<String, Decided>>);

impl Decisions {
    /// What is decided about one real server.
    pub fn of(&self, service: &str, server: &str) -> Option<&Decided> {
        self.0.get(service)?.get(server)
    }

    /// Changes what is decided about one real server; what becomes empty is forgotten.
    pub fn change(&mut self, service: &str, server: &str, change: impl FnOnce(&mut Decided)) {
        let servers = self.0.entry(service.to_owned()).or_default();
        let decided = servers.entry(server.to_owned()).or_default();
        change(decided);
        if decided.is_empty() {
            servers.remove(server);
        }
        if servers.is_empty() {
            self.0.remove(service);
        }
    }

    /// Every decision, with its virtual server and real server.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Decided)> {
        self.0.iter().flat_map(|(service, servers)| {
            servers
                .iter()
                .map(move |(server, decided)| (service.as_str(), server.as_str(), decided))
        })
    }

    /// How many real servers have a decision.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// Nothing is decided about anybody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next moment at which a drain ends by its deadline.
    pub fn next_deadline(&self) -> Option<Duration> {
        let open = self.iter().filter_map(|(_, _, decided)| decided.drain.as_ref());
        open.filter(|drain| !drain.done).filter_map(|drain| drain.deadline).min()
    }
}

/// Goes after a verb: ` by alice on master: new kernel`, or as much of it as is known.
impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(who) = &self.who {
            write!(f, " by {who}")?;
        }
        if let Some(router) = &self.router {
            write!(f, " on {router}")?;
        }
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}
