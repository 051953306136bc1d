//! What the formats that know nothing but the kernel's table share.

use ipvs::{Forwarding, Scheduler, SchedulerFlags, Tunnel};

use crate::diagnostic::Diagnostics;
use crate::foreign::hosts::Lookup;
use crate::foreign::report::Reporter;
use crate::foreign::word::Word;
use crate::model::{
    CheckKind, Host, Listen, Notify, OnFailure, Quorum, RealServer, ServerNotify, VirtualServer,
};
use crate::native::standard_check;
use crate::places::{Part, Places};
use crate::source::Source;
use crate::{Cluster, Percent, nearest};

/// Where problems go, and names are found.
pub(crate) struct Report<'a> {
    pub(crate) source: &'a Source,
    pub(crate) out: &'a mut Diagnostics,
    pub(crate) lookup: &'a mut Lookup<'a>,
}

impl Reporter for Report<'_> {
    fn at(&mut self) -> (&Source, &mut Diagnostics) {
        (self.source, self.out)
    }
}

/// A virtual server that nobody checks.
pub(crate) fn unchecked_service(listen: Listen, scheduler: Scheduler) -> VirtualServer {
    VirtualServer {
        name: super::default_name(&listen),
        listen,
        scheduler,
        scheduler_flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
        check: standard_check(CheckKind::On),
        also: Vec::new(),
        quorum: Quorum::default(),
        on_failure: OnFailure::default(),
        servers: Vec::new(),
        sorry: None,
        max_down: Percent::ALL,
        put_back: true,
        slow_start: None,
        load: None,
        on_stop: None,
        notify: Notify::default(),
    }
}

/// Says once, at the first service, that no real server is checked; whether there is a service.
pub(crate) fn tell_unchecked(
    report: &mut Report<'_>,
    cluster: &Cluster,
    places: &Places,
    message: &str,
) -> bool {
    let first = places.find(Part::Service(0)).filter(|_| !cluster.services.is_empty());
    let Some((_, first)) = first else { return false };
    let help = "leave out `check: on` in what it is converted to, and a connection is tried";
    report.warning(&first, message, help);
    true
}

/// A real server of it.
pub(crate) fn unchecked_server(
    host: Host,
    port: Option<u16>,
    forwarding: Forwarding,
) -> RealServer {
    RealServer {
        name: None,
        host,
        port,
        weight: 1,
        forwarding,
        tunnel: Tunnel::default(),
        upper_threshold: 0,
        lower_threshold: 0,
        check: None,
        also: Vec::new(),
        notify: ServerNotify::default(),
    }
}

/// A real server's host: with the address that /etc/hosts has for its name.
pub(crate) fn host(report: &mut Report<'_>, word: &Word) -> Option<Host> {
    let found = super::host::host(&word.text);
    if found.is_none() {
        let message = format!("`{}` is no host", word.text);
        report.error(&word.span, message, super::host::help(&word.text));
    }
    match found? {
        Host::Name(name) => {
            let address = (report.lookup)(&name).first().copied();
            Some(address.map_or(Host::Name(name), Host::Address))
        }
        address => Some(address),
    }
}

/// A scheduler, with a word about one that no kernel has.
pub(crate) fn scheduler(report: &mut Report<'_>, word: &Word) -> Scheduler {
    let parsed = word.text.parse::<Scheduler>();
    if !parsed.as_ref().is_ok_and(|s| Scheduler::KNOWN.contains(&s.name())) {
        let help = did_you_mean(&word.text, &Scheduler::KNOWN);
        report.error(&word.span, format!("`{}` is no scheduler", word.text), help);
    }
    parsed.unwrap_or_else(|_| Scheduler::wlc())
}

/// The nearest word, else all of them.
pub(crate) fn did_you_mean(word: &str, known: &[&'static str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known: {}", known.join(", ")),
    }
}
