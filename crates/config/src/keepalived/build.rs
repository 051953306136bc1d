//! From what a `virtual_server` says to virtual servers of the model.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ipvs::{Family, Forwarding, Persistence, Protocol, Scheduler, Tunnel};

use super::checks;
use super::listen::Taken;
use super::notify::Mails;
use super::report::Report;
use super::server::Real;
use super::service::{Raw, Sorry};
use super::text::At;
use super::way::Way;
use crate::Percent;
use crate::foreign::default_name;
use crate::model::{
    Check, Endpoint, Host, Listen, OnFailure, RealServer, SorryServer, VirtualServer,
};

/// Seconds of persistence when a port is left out, or only a granularity is written.
const PERSISTENCE: u32 = 360;

/// A virtual server, and where its parts stand.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) service: VirtualServer,
    /// The line of the `virtual_server`.
    pub(super) at: At,
    pub(super) servers: Vec<At>,
    pub(super) sorry: Option<At>,
}

/// Everything that one `virtual_server` says.
pub(super) struct Block<'a> {
    pub(super) at: &'a At,
    pub(super) taken: &'a [Taken],
    /// The name of its group.
    pub(super) group: Option<&'a str>,
    pub(super) raw: &'a Raw,
    pub(super) mails: &'a Mails,
}

impl Block<'_> {
    /// The virtual servers: one for all addresses of a family, and one for each mark.
    pub(super) fn build(&self, report: &mut Report) -> Vec<Built> {
        let protocol = self.raw.protocol.unwrap_or_else(|| self.default_protocol(report));
        let mut by_family: BTreeMap<Family, Vec<Endpoint>> = BTreeMap::new();
        let mut listens = Vec::new();
        for taken in self.taken {
            match taken {
                Taken::Address(address, _) => {
                    let list = by_family.entry(Family::of(address.ip())).or_default();
                    list.push(Endpoint { address: *address, protocol });
                }
                Taken::Mark(mark, is_v6, _) => {
                    let (mark, family) = (*mark, self.family(*is_v6));
                    listens.push(Listen::Mark { mark, family, marked: Vec::new() });
                }
            }
        }
        let addresses = by_family.into_values().map(Listen::Addresses);
        let listens: Vec<Listen> = addresses.chain(listens).collect();
        let alone = listens.len() == 1;
        listens.into_iter().map(|listen| self.one(report, listen, alone)).collect()
    }

    fn default_protocol(&self, report: &mut Report) -> Protocol {
        if self.taken.iter().any(|taken| matches!(taken, Taken::Address(..))) {
            let help = "keepalived takes it for UDP; write `protocol TCP` if that is meant";
            report.warning(self.at, "this virtual server has no protocol", help);
        }
        Protocol::Udp
    }

    /// The family of marked packets: as said, else that of the real servers.
    fn family(&self, is_v6: Option<bool>) -> Family {
        let servers = || self.raw.reals.iter().map(|real| real.ip);
        let all_v6 = servers().next().is_some() && servers().all(|ip| ip.is_ipv6());
        if is_v6.or(self.raw.is_v6).unwrap_or(all_v6) { Family::Inet6 } else { Family::Inet }
    }

    fn one(&self, report: &mut Report, listen: Listen, alone: bool) -> Built {
        let raw = self.raw;
        let way = raw.way.unwrap_or((Forwarding::Nat, Tunnel::Ipip));
        let (mut servers, places) = self.servers(report, &listen, way);
        let (check, also) = shared(&servers);
        for server in &mut servers {
            if server.check.as_ref() == Some(&check) && server.also == also {
                server.check = None;
                server.also.clear();
            }
        }
        let (sorry, sorry_at) = match &raw.sorry {
            Some(sorry) => {
                let way = raw.sorry_way.unwrap_or(way);
                (Some(self.sorry(report, sorry, way, &listen)), Some(sorry.at.clone()))
            }
            None => (None, None),
        };
        let service = VirtualServer {
            name: self.name(&listen, alone),
            persistence: self.persistence(report, &listen),
            listen,
            scheduler: raw.scheduler.clone().unwrap_or_else(Scheduler::wlc),
            scheduler_flags: raw.flags,
            one_packet: raw.one_packet,
            check,
            also,
            quorum: raw.quorum,
            on_failure: self.on_failure(report),
            servers,
            sorry,
            // keepalived takes all of them out.
            max_down: Percent::ALL,
            put_back: true,
            slow_start: None,
            load: None,
            on_stop: None,
            notify: raw.told.notify(self.mails),
        };
        Built { service, at: self.at.clone(), servers: places, sorry: sorry_at }
    }

    fn name(&self, listen: &Listen, alone: bool) -> String {
        let given = self.raw.name.as_deref().or(self.group);
        let own = default_name(listen);
        match given {
            Some(name) if alone => name.to_string(),
            Some(name) => format!("{name} {own}"),
            None => own,
        }
    }

    fn persistence(&self, report: &mut Report, listen: &Listen) -> Option<Persistence> {
        let raw = self.raw;
        let any_port =
            matches!(listen, Listen::Addresses(list) if list.iter().any(|e| e.address.port() == 0));
        if any_port && raw.persistence.is_none() {
            let help = "as keepalived does; write `persistence_timeout 360`, or a port";
            let message = "every port is taken, so clients are kept with their server for 360 s";
            report.warning(self.at, message, help);
        }
        let implied = any_port || raw.granularity.is_some() || raw.engine.is_some();
        let timeout_seconds = raw.persistence.or(implied.then_some(PERSISTENCE))?;
        let is_v6 = match listen {
            Listen::Addresses(list) => list.first().is_some_and(|e| e.address.is_ipv6()),
            Listen::Mark { family, .. } => *family == Family::Inet6,
        };
        let whole = if is_v6 { 128 } else { 32 };
        let prefix_length = raw.granularity.unwrap_or(whole);
        Some(Persistence { timeout_seconds, prefix_length, engine: raw.engine.clone() })
    }

    /// It is one setting of the virtual server here.
    fn on_failure(&self, report: &mut Report) -> OnFailure {
        let whole = self.raw.inhibit.unwrap_or(false);
        let of = |real: &Real| real.inhibit.as_ref().map_or(whole, |(inhibit, _)| *inhibit);
        let servers = &self.raw.reals;
        let count = servers.iter().filter(|real| of(real)).count();
        if count > 0 && count < servers.len() {
            let instead = "it holds for a whole virtual server: write it for all real servers, or for none; taken as none";
            let places = servers.iter().filter_map(|real| real.inhibit.as_ref());
            for (_, at) in places.filter(|(inhibit, _)| *inhibit) {
                report.dropped("inhibit_on_failure", at, instead);
            }
        }
        let all = count > 0 && count == servers.len();
        if all || (servers.is_empty() && whole) { OnFailure::Quiesce } else { OnFailure::Remove }
    }

    fn servers(
        &self,
        report: &mut Report,
        listen: &Listen,
        whole: Way,
    ) -> (Vec<RealServer>, Vec<At>) {
        let mut servers = Vec::new();
        let mut places = Vec::new();
        for real in &self.raw.reals {
            let (forwarding, tunnel) = real.way.unwrap_or(whole);
            let port = reached(report, listen, forwarding, real.port, &real.at);
            let asked = port.or(only_port(listen));
            let rhythm = real.rhythm.or(&self.raw.rhythm);
            let mut checks = real.checks.iter().map(|made| {
                let mut check = made.check(asked, &rhythm);
                // keepalived asks the port as it is written, wherever packets arrive.
                let written = real.port.filter(|written| Some(*written) != asked);
                if check.port.is_none() && made.asks_port() && !made.has_port() {
                    check.port = written;
                }
                check
            });
            servers.push(RealServer {
                name: real.name.clone(),
                host: Host::Address(real.ip),
                port,
                weight: real.weight,
                forwarding,
                tunnel: if forwarding == Forwarding::Tunnel { tunnel } else { Tunnel::Ipip },
                upper_threshold: real.upper,
                lower_threshold: real.lower,
                check: Some(checks.next().unwrap_or_else(checks::none)),
                also: checks.collect(),
                notify: real.notify.clone(),
            });
            places.push(real.at.clone());
        }
        (servers, places)
    }

    fn sorry(&self, report: &mut Report, sorry: &Sorry, way: Way, listen: &Listen) -> SorryServer {
        let (forwarding, tunnel) = way;
        if forwarding == Forwarding::Tunnel && tunnel != Tunnel::Ipip {
            let help = "it is IP in IP; other types are for real servers";
            report.noted("the tunnel to a sorry server has no type", &sorry.at, help);
        }
        let port = reached(report, listen, forwarding, sorry.port, &sorry.at);
        SorryServer { host: Host::Address(sorry.ip), port, forwarding }
    }
}

/// The port where packets arrive: only NAT can change it, and a mark keeps the client's.
fn reached(
    report: &mut Report,
    listen: &Listen,
    forwarding: Forwarding,
    port: Option<u16>,
    at: &At,
) -> Option<u16> {
    let port = port?;
    match listen {
        Listen::Mark { .. } if forwarding != Forwarding::Nat => None,
        Listen::Mark { .. } => Some(port),
        Listen::Addresses(list) => {
            let all =
                |wanted: &dyn Fn(&SocketAddr) -> bool| list.iter().all(|e| wanted(&e.address));
            if all(&|address| address.port() == port) {
                return None;
            }
            if forwarding == Forwarding::Nat {
                return Some(port);
            }
            let help = "direct routing and tunnels leave the port as it is: packets arrive at the virtual server's port, and the written one is only checked";
            report.warning(at, format!("port {port} is not the virtual server's port"), help);
            None
        }
    }
}

/// The only port of a virtual server.
fn only_port(listen: &Listen) -> Option<u16> {
    let Listen::Addresses(list) = listen else { return None };
    let port = list.first()?.address.port();
    (port > 0 && list.iter().all(|endpoint| endpoint.address.port() == port)).then_some(port)
}

/// The checks that most real servers have; the first ones of those.
fn shared(servers: &[RealServer]) -> (Check, Vec<Check>) {
    let same = |one: &RealServer, other: &RealServer| {
        (&one.check, &one.also) == (&other.check, &other.also)
    };
    let mut best: Option<(&RealServer, usize)> = None;
    for server in servers {
        let count = servers.iter().filter(|other| same(server, other)).count();
        if best.is_none_or(|(_, most)| count > most) {
            best = Some((server, count));
        }
        if count * 2 > servers.len() {
            break;
        }
    }
    let check = best.and_then(|(server, _)| Some((server.check.clone()?, server.also.clone())));
    check.unwrap_or_else(|| (checks::none(), Vec::new()))
}
