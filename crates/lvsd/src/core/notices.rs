//! Who is told of changes beside the log: programs and mails.
//!
//! Only the router that carries a virtual server tells of it. Lines for one mailbox are gathered
//! for a moment, and then wait until the last mail is a while ago: a broken rack is one mail.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use config::model::{Mail, VirtualServer};
use health::{Verdict, WantedService};

use super::verdicts::Turned;
use super::{Core, Now};

/// How long lines are gathered before a mail leaves.
const GATHER: Duration = Duration::from_secs(2);

/// Least time between two mails to the same people.
const PAUSE: Duration = Duration::from_secs(30);

/// Lines of one mail; the others are counted.
const LINES: usize = 100;

/// Somebody is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A program is to be run.
    Run {
        /// The virtual server that it is about.
        service: String,
        /// The real server that it is about, with whether it is up; none for the whole.
        server: Option<(String, &'static str)>,
        /// Program and arguments.
        argv: Vec<String>,
    },
    /// A mail is to be sent.
    Mail {
        /// To whom, from whom, and over which server.
        mail: Mail,
        /// What happened, one line each; at least one.
        lines: Vec<String>,
    },
}

/// What is to be told, and what was.
#[derive(Debug, Default)]
pub(super) struct Notices {
    /// Programs to be run, by virtual server: of several changes in one breath the last one counts.
    programs: BTreeMap<String, Vec<String>>,
    /// Programs of real servers, in the order of what happened.
    server_programs: Vec<Notice>,
    /// Virtual servers of which it was told that they have no real server left.
    empty: BTreeSet<String>,
    mails: BTreeMap<Mailbox, Pending>,
    /// Real servers that are down, by virtual server, with when that is told again.
    down: BTreeMap<(String, String), Instant>,
}

/// Mails to the same people over the same server are one.
type Mailbox = (Vec<String>, Option<String>, Option<String>);

#[derive(Debug)]
struct Pending {
    mail: Mail,
    lines: Vec<String>,
    more: usize,
    due: Instant,
}

impl Notices {
    fn add(&mut self, mail: &Mail, line: String, now: Instant) {
        let mailbox = (mail.to.clone(), mail.from.clone(), mail.server.clone());
        let pending = self.mails.entry(mailbox).or_insert_with(|| Pending {
            mail: mail.clone(),
            lines: Vec::new(),
            more: 0,
            due: now,
        });
        if pending.lines.is_empty() {
            pending.due = pending.due.max(now + GATHER);
        }
        if pending.lines.len() < LINES {
            pending.lines.push(line);
        } else {
            pending.more += 1;
        }
    }

    /// The program of one real server.
    fn run_for_server(&mut self, service: &VirtualServer, turned: &Turned, word: &'static str) {
        let Some(real) = service.servers.get(turned.index) else { return };
        let notify = &real.notify;
        let argv = if turned.now == Verdict::Up { &notify.up } else { &notify.down };
        if !argv.is_empty() {
            self.server_programs.push(Notice::Run {
                service: service.name.clone(),
                server: Some((turned.label.clone(), word)),
                argv: argv.clone(),
            });
        }
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Instant> {
        let mails = self.mails.values().filter(|pending| !pending.lines.is_empty());
        mails.map(|pending| pending.due).chain(self.down.values().copied()).min()
    }

    /// Mails whose time has come. A mailbox is remembered for as long as the next one has to wait.
    fn due(&mut self, now: Instant) -> Vec<Notice> {
        let mut due = Vec::new();
        for pending in self.mails.values_mut().filter(|pending| pending.due <= now) {
            let mut lines = std::mem::take(&mut pending.lines);
            if lines.is_empty() {
                continue;
            }
            if pending.more > 0 {
                lines.push(format!("and {} more changes", std::mem::take(&mut pending.more)));
            }
            pending.due = now + PAUSE;
            due.push(Notice::Mail { mail: pending.mail.clone(), lines });
        }
        self.mails.retain(|_, pending| pending.due > now || !pending.lines.is_empty());
        due
    }
}

impl Core {
    /// Who is to be told now.
    pub fn notices(&mut self, now: Now) -> Vec<Notice> {
        self.remind(now);
        let programs = std::mem::take(&mut self.notices.programs).into_iter();
        let mut all = std::mem::take(&mut self.notices.server_programs);
        all.extend(programs.map(|(service, argv)| Notice::Run { service, server: None, argv }));
        all.extend(self.notices.due(now.instant));
        all
    }

    /// A real server of a virtual server went or returned.
    pub(super) fn tell_verdict(&mut self, turned: &Turned, reason: &str, now: Now) {
        let cluster = std::sync::Arc::clone(&self.cluster);
        let Some(service) = cluster.services.get(turned.user) else { return };
        let carries = self.carries(&service.name);
        let word = if turned.now == Verdict::Up { "up" } else { "down" };
        if carries {
            self.notices.run_for_server(service, turned, word);
        }
        let Some(mail) = &service.notify.mail else { return };
        let key = (service.name.clone(), turned.label.clone());
        self.notices.down.remove(&key);
        if let (Verdict::Down, Some(repeat)) = (turned.now, mail.repeat) {
            self.notices.down.insert(key, now.instant + repeat);
        }
        if carries {
            let (service, label) = (&service.name, &turned.label);
            let line = format!("[{service}] real server {label} is {word}: {reason}");
            self.notices.add(mail, line, now.instant);
        }
    }

    /// Tells again of real servers that stay down.
    fn remind(&mut self, now: Now) {
        let due =
            |(key, at): (&(String, String), &Instant)| (*at <= now.instant).then(|| key.clone());
        let due: Vec<_> = self.notices.down.iter().filter_map(due).collect();
        for (service, label) in due {
            let mail = self.cluster.services.iter().find(|known| known.name == service);
            let mail = mail.and_then(|known| known.notify.mail.clone());
            let still =
                self.services.iter().find(|known| known.name == service).is_some_and(|known| {
                    let here = |server: &health::WantedServer| server.label == label;
                    known.servers.iter().any(|s| here(s) && s.fitness.verdict == Verdict::Down)
                });
            let key = (service, label);
            let Some((mail, repeat)) = mail.and_then(|m| m.repeat.map(|repeat| (m, repeat))) else {
                self.notices.down.remove(&key);
                continue;
            };
            if !still {
                self.notices.down.remove(&key);
                continue;
            }
            self.notices.down.insert(key.clone(), now.instant + repeat);
            if self.carries(&key.0) {
                let line = format!("[{}] real server {} is still down", key.0, key.1);
                self.notices.add(&mail, line, now.instant);
            }
        }
    }

    /// This router carries other virtual servers than before.
    pub(super) fn compare_all_empty(&mut self) {
        let cluster = std::sync::Arc::clone(&self.cluster);
        for (index, service) in cluster.services.iter().enumerate() {
            if service.notify.empty.is_empty() && service.notify.filled.is_empty() {
                continue;
            }
            if let Some(wanted) = self.services.get(index).cloned() {
                self.compare_empty(service, &wanted);
            }
        }
    }

    /// Tells when a virtual server has no real server left, and when it has one again. Nothing is
    /// said before the checks have answered.
    pub(super) fn compare_empty(&mut self, service: &VirtualServer, wanted: &WantedService) {
        let notify = &service.notify;
        if notify.empty.is_empty() && notify.filled.is_empty() {
            return;
        }
        let serves =
            |s: &health::WantedServer| s.placement.weight().is_some_and(|weight| weight > 0);
        let too_few = wanted.below_quorum && service.quorum.weight > 1;
        let serving = wanted.servers.iter().any(serves) && !too_few;
        let unknown = |s: &health::WantedServer| {
            s.fitness.verdict == Verdict::Unknown && !s.probes.is_empty()
        };
        if !serving && wanted.servers.iter().any(unknown) {
            return;
        }
        let empty = !serving && self.carries(&wanted.name);
        if empty == self.notices.empty.contains(&wanted.name) {
            return;
        }
        let argv = if empty { &notify.empty } else { &notify.filled };
        if empty {
            self.notices.empty.insert(wanted.name.clone());
        } else {
            self.notices.empty.remove(&wanted.name);
        }
        if !argv.is_empty() {
            self.notices.programs.insert(wanted.name.clone(), argv.clone());
        }
    }

    /// Virtual servers that are gone are told of no more.
    pub(super) fn forget_notices(&mut self) {
        let known: BTreeSet<&str> =
            self.cluster.services.iter().map(|service| service.name.as_str()).collect();
        self.notices.empty.retain(|name| known.contains(name.as_str()));
        self.notices.down.retain(|(name, _), _| known.contains(name.as_str()));
    }
}
