//! `virtual_server`: the statements, read one by one.

use std::net::IpAddr;
use std::time::Duration;

use ipvs::{Protocol, Scheduler, SchedulerFlags};

use super::known::{SERVER, is_read};
use super::notify::Told;
use super::report::Report;
use super::server::{Real, real};
use super::text::At;
use super::tree::Node;
use super::way::{Way, way};
use crate::foreign::flags;
use crate::foreign::mask::prefix_length;
use crate::model::Quorum;

/// Shortest time between two checks that is taken.
const SHORTEST_LOOP: Duration = Duration::from_millis(100);
/// Seconds that `persistence_timeout` alone means.
const PERSISTENCE: u32 = 360;

/// What a checker, a real server and a virtual server may all set; the innermost counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Rhythm {
    pub(super) delay_loop: Option<Duration>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) retry: Option<u32>,
    /// Time before another attempt.
    pub(super) pause: Option<Duration>,
    pub(super) host: Option<String>,
}

impl Rhythm {
    /// Reads a statement if it is one of these.
    pub(super) fn read(&mut self, report: &mut Report, node: &Node) -> bool {
        match node.name.text.as_str() {
            "delay_loop" => self.delay_loop = report.seconds(node, SHORTEST_LOOP),
            "connect_timeout" => {
                self.connect_timeout = report.seconds(node, Duration::from_millis(10))
            }
            "delay_before_retry" => self.pause = report.seconds(node, Duration::ZERO),
            "retry" | "nb_get_retry" => self.retry = report.number(node, 0, 999),
            "virtualhost" => {
                self.host = report.value(node, "www.example.com").map(|word| word.text.clone())
            }
            _ => return false,
        }
        true
    }

    /// What this one says, or else the outer one.
    pub(super) fn or(&self, outer: &Self) -> Self {
        Self {
            delay_loop: self.delay_loop.or(outer.delay_loop),
            connect_timeout: self.connect_timeout.or(outer.connect_timeout),
            retry: self.retry.or(outer.retry),
            pause: self.pause.or(outer.pause),
            host: self.host.clone().or_else(|| outer.host.clone()),
        }
    }
}

/// Where a sorry server is.
#[derive(Clone, Debug)]
pub(super) struct Sorry {
    pub(super) ip: IpAddr,
    pub(super) port: Option<u16>,
    pub(super) at: At,
}

/// What a `virtual_server` says.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) scheduler: Option<Scheduler>,
    pub(super) flags: SchedulerFlags,
    pub(super) way: Option<Way>,
    pub(super) one_packet: bool,
    pub(super) engine: Option<String>,
    pub(super) persistence: Option<u32>,
    pub(super) granularity: Option<u8>,
    pub(super) protocol: Option<Protocol>,
    pub(super) rhythm: Rhythm,
    pub(super) name: Option<String>,
    pub(super) is_v6: Option<bool>,
    pub(super) sorry: Option<Sorry>,
    pub(super) sorry_way: Option<Way>,
    pub(super) inhibit: Option<bool>,
    pub(super) quorum: Quorum,
    pub(super) reals: Vec<Real>,
    pub(super) told: Told,
}

impl Raw {
    /// Reads the block of a `virtual_server`.
    pub(super) fn read(report: &mut Report, block: &[Node]) -> Self {
        let mut raw = Self::default();
        for node in block {
            let known = is_read(report, node, &SERVER);
            if known && !raw.rhythm.read(report, node) && !raw.told.read(report, node) {
                raw.balancing(report, node);
            }
        }
        raw
    }

    fn balancing(&mut self, report: &mut Report, node: &Node) {
        match node.name.text.as_str() {
            "lvs_sched" | "lb_algo" => self.scheduler(report, node),
            flag if flags::set(&mut self.flags, flag) => {}
            "lvs_method" | "lb_kind" => self.way = way(report, node),
            "ops" => self.one_packet = true,
            "persistence_engine" => {
                self.engine = report.value(node, "sip").map(|word| word.text.clone())
            }
            "persistence_timeout" => {
                self.persistence = match node.word(0) {
                    Some(word) => report.number_in(word, 1, 31 * 86_400),
                    None => Some(PERSISTENCE),
                }
            }
            "persistence_granularity" => self.granularity(report, node),
            "protocol" => self.protocol(report, node),
            _ => self.pool(report, node),
        }
    }

    fn pool(&mut self, report: &mut Report, node: &Node) {
        match node.name.text.as_str() {
            "snmp_name" => self.name = report.value(node, "web").map(|word| word.text.clone()),
            "ip_family" => {
                let word = report.value(node, "inet").map(|word| word.text.as_str());
                self.is_v6 = word.map(|word| word == "inet6");
            }
            "quorum" => {
                // 0 means what 1 does: with nobody up the sorry server has to serve.
                self.quorum.weight = report.number(node, 0, u32::MAX).unwrap_or(1).max(1);
            }
            "hysteresis" => self.quorum.hysteresis = report.number(node, 0, u32::MAX).unwrap_or(0),
            "sorry_server" => self.sorry = place(report, node),
            "sorry_server_lvs_method" => self.sorry_way = way(report, node),
            "inhibit_on_failure" => self.inhibit = Some(report.switch(node)),
            _ => self.reals.extend(real(report, node)),
        }
    }

    fn scheduler(&mut self, report: &mut Report, node: &Node) {
        let Some(word) = report.value(node, "wlc") else { return };
        match word.text.parse::<Scheduler>() {
            Ok(scheduler) if Scheduler::KNOWN.contains(&scheduler.name()) => {
                self.scheduler = Some(scheduler)
            }
            _ => {
                let help = match crate::nearest(&word.text, Scheduler::KNOWN) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("write one of {}", Scheduler::KNOWN.join(", ")),
                };
                report.error(&word.at, format!("`{}` is no scheduler", word.text), help);
            }
        }
        // Old files write the flags behind the scheduler.
        for flag in node.words.iter().skip(1) {
            if !flags::set(&mut self.flags, &flag.text) {
                let help =
                    "write flag-1, flag-2, flag-3, sh-port, sh-fallback, mh-port or mh-fallback";
                let message = format!("`{}` is no flag of a scheduler", flag.text);
                report.error(&flag.at, message, help);
            }
        }
    }

    fn granularity(&mut self, report: &mut Report, node: &Node) {
        let Some(word) = report.value(node, "255.255.255.0") else { return };
        let bits = if word.text.contains('.') { 32 } else { 128 };
        match prefix_length(&word.text, bits) {
            Ok(length) if length > 0 => self.granularity = Some(length),
            Ok(_) => {
                let message = "a granularity of 0 bits takes all clients for one";
                report.error(&word.at, message, "write 255.255.255.0, or 64 for IPv6");
            }
            Err(bad) => report.error(
                &word.at,
                bad.message(&word.text),
                "write 255.255.255.0, or 64 for IPv6",
            ),
        }
    }

    fn protocol(&mut self, report: &mut Report, node: &Node) {
        let Some(word) = report.value(node, "TCP") else { return };
        self.protocol = match word.text.to_ascii_uppercase().as_str() {
            "TCP" => Some(Protocol::Tcp),
            "UDP" => Some(Protocol::Udp),
            "SCTP" => Some(Protocol::Sctp),
            other => {
                report.error(
                    &word.at,
                    format!("`{other}` is no protocol"),
                    "write TCP, UDP or SCTP",
                );
                Some(Protocol::Tcp)
            }
        };
    }
}

/// `ADDRESS [PORT]` behind a keyword.
pub(super) fn place(report: &mut Report, node: &Node) -> Option<Sorry> {
    let word = report.value(node, "192.168.1.4 80")?;
    let ip = report.address(word)?;
    let port = node.word(1).and_then(|word| report.port(word));
    Some(Sorry { ip, port, at: word.at.clone() })
}
