//! From the lines of one virtual server to the model.

use std::net::SocketAddr;
use std::ops::Range;

use ipvs::{Family, Forwarding, Persistence, Protocol, Scheduler, Tunnel};

use super::checks::{CheckType, Plan, Text, port_of_service, service_of_port};
use super::lexer::Directive;
use super::server::Reals;
use super::service::{Raw, Shared, Target};
use super::values::Report;
use crate::Percent;
pub(super) use crate::foreign::default_name;
use crate::foreign::report::Reporter;
use crate::model::{
    Check, CheckKind, Endpoint, Listen, OnFailure, OnStop, Quorum, RealServer, ServerNotify,
    SorryServer, VirtualServer,
};

/// A virtual server with the places of its parts.
pub(super) struct Built {
    /// The virtual server.
    pub(super) service: VirtualServer,
    /// What it takes, in the file.
    pub(super) listen: Range<usize>,
    /// Each real server, in the file.
    pub(super) servers: Vec<Range<usize>>,
    /// Its sorry server, in the file.
    pub(super) sorry: Option<Range<usize>>,
}

/// Puts a virtual server together.
pub(super) fn build(
    report: &mut Report<'_>,
    head: &Directive,
    target: &Target,
    family: Family,
    raw: &Raw,
    globals: &Shared,
) -> Built {
    let protocol = protocol(report, target, raw);
    let (listen, port) = match (target, protocol) {
        (Target::Address { address, .. }, Some(protocol)) => {
            let endpoint = Endpoint { address: *address, protocol };
            (Listen::Addresses(vec![endpoint]), Some(address.port()))
        }
        (Target::Address { address, default_protocol }, None) => {
            let endpoint = Endpoint { address: *address, protocol: *default_protocol };
            (Listen::Addresses(vec![endpoint]), Some(address.port()))
        }
        (Target::Mark(mark), _) => (Listen::Mark { mark: *mark, family, marked: Vec::new() }, None),
    };
    let part = Part { raw, globals, target, head, family, protocol, port };
    let (check, servers) = part.servers(report);
    let spans = servers.iter().map(|(_, span)| span.clone()).collect();
    let sorry = part.sorry(report, family);
    let quiescent = raw.shared.quiescent.or(globals.quiescent).unwrap_or(false);
    let service = VirtualServer {
        name: raw.name.clone().unwrap_or_else(|| default_name(&listen)),
        notify: raw.shared.notices.notify(report, &globals.notices, &listen),
        listen,
        // ldirectord's default; ipvsadm's own is wlc.
        scheduler: raw
            .scheduler
            .clone()
            .unwrap_or_else(|| "wrr".parse().unwrap_or(Scheduler::wlc())),
        scheduler_flags: raw.flags,
        persistence: persistence(raw, family),
        one_packet: raw.one_packet && protocol == Some(Protocol::Udp),
        check,
        also: Vec::new(),
        quorum: Quorum::default(),
        on_failure: if quiescent { OnFailure::Quiesce } else { OnFailure::Remove },
        servers: servers.into_iter().map(|(server, _)| server).collect(),
        sorry: sorry.as_ref().map(|(sorry, _)| sorry.clone()),
        max_down: Percent::ALL,
        put_back: globals.put_back.unwrap_or(true),
        slow_start: None,
        load: None,
        on_stop: on_stop(&raw.shared).filter(|own| *own != on_stop(globals).unwrap_or_default()),
    };
    let sorry = sorry.map(|(_, span)| span);
    Built { service, listen: head.value.span.clone(), servers: spans, sorry }
}

/// What `cleanstop` asks for; none when it is not written.
pub(super) fn on_stop(shared: &Shared) -> Option<OnStop> {
    shared.cleanstop.map(|clean| if clean { OnStop::Remove } else { OnStop::Keep })
}

/// The transport protocol; none with a firewall mark.
fn protocol(report: &mut Report<'_>, target: &Target, raw: &Raw) -> Option<Protocol> {
    match target {
        Target::Address { default_protocol, .. } => {
            if let Some(span) = &raw.mark_wanted {
                let help = "write tcp or udp, or a mark alone: `virtual = 7`";
                report.error(span, "`fwm` goes with a firewall mark, not with an address", help);
            }
            Some(raw.protocol.as_ref().map_or(*default_protocol, |(protocol, _)| *protocol))
        }
        Target::Mark(_) => {
            if let Some((protocol, span)) = &raw.protocol {
                let message = format!("`{protocol}` does not go with a firewall mark");
                report.error(span, message, "remove the line, or write `protocol = fwm`");
            }
            None
        }
    }
}

/// The mask counts only with persistence; without one each client counts alone.
fn persistence(raw: &Raw, family: Family) -> Option<Persistence> {
    let timeout_seconds = raw.persistent.filter(|seconds| *seconds > 0)?;
    let whole = if family == Family::Inet { 32 } else { 128 };
    Some(Persistence { timeout_seconds, prefix_length: raw.netmask.unwrap_or(whole), engine: None })
}

/// What is needed to read the servers of one virtual server.
struct Part<'a> {
    raw: &'a Raw,
    globals: &'a Shared,
    target: &'a Target,
    head: &'a Directive,
    family: Family,
    protocol: Option<Protocol>,
    /// Port of the virtual server; none with a firewall mark.
    port: Option<u16>,
}

impl Part<'_> {
    fn servers(&self, report: &mut Report<'_>) -> (Check, Vec<(RealServer, Range<usize>)>) {
        let plan = self.plan();
        if self.raw.head
            && let Some(receive) = &self.raw.receive
        {
            let help = "write `httpmethod = GET`, or remove `receive`";
            report.warning(&receive.span, "the answer to HEAD holds no text to look for", help);
        }
        let check = plan.check(report, self.raw.request.as_ref(), self.raw.receive.as_ref());
        let mut servers = Vec::new();
        for reals in &self.raw.reals {
            let checked = Some(", and that one is checked");
            let way = (reals.forwarding, reals.port);
            let port = self.real_port(report, way, &reals.target.span, checked);
            let own = self.own_check(report, &plan, &check, reals, port);
            let port = self.some_port(report, own.as_ref().unwrap_or(&check), reals, port);
            for host in &reals.hosts {
                let server = RealServer {
                    name: None,
                    host: host.clone(),
                    port,
                    weight: reals.weight,
                    forwarding: reals.forwarding,
                    tunnel: Tunnel::default(),
                    upper_threshold: reals.upper,
                    lower_threshold: reals.lower,
                    check: own.clone(),
                    also: Vec::new(),
                    notify: ServerNotify::default(),
                };
                servers.push((server, reals.span.clone()));
            }
        }
        (check, servers)
    }

    fn plan(&self) -> Plan<'_> {
        let (service, service_span) = match &self.raw.service {
            Some((service, span)) => (*service, span),
            None => (service_of_port(self.port.unwrap_or(0)), &self.head.value.span),
        };
        let virtual_server = match self.target {
            Target::Address { address: SocketAddr::V4(address), .. } => {
                (address.ip().to_string(), address.port().to_string())
            }
            Target::Address { address: SocketAddr::V6(address), .. } => {
                (format!("[{}]", address.ip()), address.port().to_string())
            }
            Target::Mark(mark) => (mark.to_string(), "0".to_string()),
        };
        // Marked traffic has no port of its own: the service's usual one is asked.
        let usual = if self.port.is_none() { port_of_service(service) } else { None };
        Plan {
            kind: self.raw.kind,
            service,
            service_span,
            protocol: self.protocol,
            family: self.family,
            command: self.raw.command.as_ref(),
            login: self.raw.login.as_ref(),
            password: self.raw.password.as_ref(),
            database: self.raw.database.as_ref(),
            secret: self.raw.secret.as_ref(),
            virtual_server,
            method: if self.raw.head { "HEAD" } else { "GET" },
            host: self.raw.host.as_deref(),
            port: self.raw.check_port.or(usual),
            own: self.raw.shared.rhythm,
            global: self.globals.rhythm,
        }
    }

    /// A real server's own check, when it differs from the virtual server's.
    fn own_check(
        &self,
        report: &mut Report<'_>,
        plan: &Plan<'_>,
        check: &Check,
        reals: &Reals,
        port: Option<u16>,
    ) -> Option<Check> {
        let mut own = match &reals.exchange {
            Some((request, receive)) => {
                let span = reals.span.clone();
                let request = Text { text: request.clone(), span };
                let receive = Text { text: receive.text.clone(), span: receive.span.clone() };
                let receive = Some(receive).filter(|receive| !receive.text.is_empty());
                plan.check(report, Some(&request), receive.as_ref())
            }
            None => check.clone(),
        };
        if self.raw.check_port.is_none() && port.is_some() {
            own.port = None;
        }
        Some(own).filter(|own| own != check)
    }

    /// Only NAT can change the port; ipvsadm, too, puts the virtual server's port into the table.
    fn real_port(
        &self,
        report: &mut Report<'_>,
        (forwarding, port): (Forwarding, Option<u16>),
        span: &Range<usize>,
        checked: Option<&str>,
    ) -> Option<u16> {
        let (Some(real), Some(asked)) = (port, self.port) else { return port };
        if real == asked {
            return None;
        }
        if forwarding == Forwarding::Nat {
            return port;
        }
        let word = if forwarding == Forwarding::Direct { "gate" } else { "ipip" };
        let message = format!("port {real} is not the virtual server's port {asked}");
        let help = format!(
            "`{word}` leaves the port as it is: packets arrive at port {asked}{}; write {asked} here, or `masq` to have it changed to {real}",
            checked.unwrap_or_default()
        );
        report.warning(span, message, help);
        None
    }

    /// Reports a check that has no port, and answers with one, so that this is said once.
    fn some_port(
        &self,
        report: &mut Report<'_>,
        check: &Check,
        reals: &Reals,
        port: Option<u16>,
    ) -> Option<u16> {
        let asks = !matches!(
            check.kind,
            CheckKind::On | CheckKind::Off | CheckKind::Ping | CheckKind::External { .. }
        );
        if asks && self.port.is_none() && check.port.is_none() && reals.port.is_none() {
            let help = "write `checkport = 80`, or the port behind the real server's address";
            report.error(&reals.target.span, "there is no port that could be checked", help);
            return Some(80);
        }
        port
    }

    /// One that a virtual server cannot use, as in ldirectord, would be missed when it is needed.
    fn warn_of_the_other_family(&self, report: &mut Report<'_>, family: Family) {
        let shared = &self.raw.shared;
        let (other, name, right, kind) = match family {
            Family::Inet => (&shared.fallback6, "fallback6", "fallback", "IPv4"),
            Family::Inet6 => (&shared.fallback, "fallback", "fallback6", "IPv6"),
        };
        if let Some(other) = other {
            let message = format!("`{name}` is not used by a virtual server of {kind}");
            let help = format!("write `{right}`, with an {kind} address, or remove the line");
            report.warning(&other.span, message, help);
        }
    }

    fn sorry(
        &self,
        report: &mut Report<'_>,
        family: Family,
    ) -> Option<(SorryServer, Range<usize>)> {
        let of = |shared: &'_ Shared| match family {
            Family::Inet => shared.fallback.clone(),
            Family::Inet6 => shared.fallback6.clone(),
        };
        self.warn_of_the_other_family(report, family);
        let own = of(&self.raw.shared);
        let found = own.clone().or_else(|| of(self.globals))?;
        let port = match own {
            Some(_) => self.real_port(report, (found.forwarding, found.port), &found.span, None),
            // The whole file's sorry server serves several ports: only NAT changes them.
            None if found.forwarding == Forwarding::Nat => found.port,
            None => None,
        };
        let sorry = SorryServer { host: found.host, port, forwarding: found.forwarding };
        Some((sorry, found.span))
    }
}

/// Whether a virtual server is asked whether it is there at all.
pub(super) fn is_always_up(check: &Check, kind: CheckType) -> bool {
    kind == CheckType::Negotiate && check.kind == CheckKind::On
}
