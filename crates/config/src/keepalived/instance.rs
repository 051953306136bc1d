//! `vrrp_instance` and `vrrp_sync_group`.

use std::net::IpAddr;
use std::time::Duration;

use super::addresses::addresses;
use super::global::{Global, multicast};
use super::hooks::{Notify, routes};
use super::known::{GROUP, INSTANCE, INSTEAD_OF_TRACKING, is_read};
use super::report::Report;
use super::text::At;
use super::tree::Node;
use super::words::Word;
use crate::model::{FloatingAddress, Hook};

/// Shortest interval between heartbeats.
const SHORTEST: Duration = Duration::from_millis(10);
/// Default of `advert_int`.
const ADVERT: Duration = Duration::from_secs(1);
/// The group of VRRP.
const MULTICAST: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(224, 0, 0, 18)),
    IpAddr::V6(std::net::Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
];

/// What a `vrrp_instance` says, as far as it is carried.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) name: Word,
    pub(super) is_master: bool,
    pub(super) interface: Option<String>,
    pub(super) router_number: Option<u32>,
    pub(super) priority: u32,
    pub(super) advert: Duration,
    pub(super) advert_at: At,
    version: Option<u32>,
    down_adverts: Option<u32>,
    /// This router's own address.
    pub(super) own: Option<(IpAddr, At)>,
    pub(super) peers: Vec<(IpAddr, At)>,
    group: Option<IpAddr>,
    nopreempt: Option<At>,
    pub(super) delay: Duration,
    pub(super) addresses: Vec<(FloatingAddress, At)>,
    pub(super) hooks: Vec<(Hook, At)>,
}

impl Instance {
    /// Reads a `vrrp_instance`.
    pub(super) fn read(report: &mut Report, node: &Node, global: &Global) -> Option<Self> {
        let name = report.value(node, "VI_1")?.clone();
        let mut found = Self {
            advert_at: name.at.clone(),
            name,
            is_master: false,
            interface: global.interface.clone(),
            router_number: None,
            priority: 100,
            advert: ADVERT,
            version: None,
            down_adverts: None,
            own: None,
            peers: Vec::new(),
            group: None,
            nopreempt: None,
            delay: Duration::ZERO,
            addresses: Vec::new(),
            hooks: Vec::new(),
        };
        let mut notify = Notify::default();
        // Addresses without `dev` are on the interface, wherever that is written.
        for inner in node.block.iter().filter(|inner| inner.name.text == "interface") {
            found.interface = report.value(inner, "eth0").map(|word| word.text.clone());
        }
        for inner in &node.block {
            if is_read(report, inner, &INSTANCE) {
                found.statement(report, inner, &mut notify);
            }
        }
        let hooks = notify.hooks(report, "INSTANCE", &found.name.text, found.priority);
        found.hooks.extend(hooks);
        if let Some(at) = found.nopreempt.clone().filter(|_| found.is_master) {
            let help =
                "write `state BACKUP`, or remove it; keepalived ignores it, and so it is here";
            report.warning(&at, "`nopreempt` does not go with `state MASTER`", help);
            found.nopreempt = None;
        }
        Some(found)
    }

    fn statement(&mut self, report: &mut Report, node: &Node, notify: &mut Notify) {
        match node.name.text.as_str() {
            "state" => self.state(report, node),
            "virtual_router_id" => self.router_number = report.number(node, 1, 255),
            "priority" => self.priority = report.number(node, 1, 255).unwrap_or(self.priority),
            "advert_int" => {
                self.advert = report.seconds(node, SHORTEST).unwrap_or(self.advert);
                self.advert_at = node.value_at().clone();
            }
            "version" => self.version = report.number(node, 2, 3),
            "down_timer_adverts" => self.down_adverts = report.number(node, 1, 100),
            "nopreempt" => self.nopreempt = Some(node.name.at.clone()),
            "preempt" => self.nopreempt = None,
            "preempt_delay" => {
                self.delay = report.seconds(node, Duration::ZERO).unwrap_or(self.delay);
            }
            "authentication" | "auth_hmac" => {
                let message = format!("`{}` is not carried", node.name.text);
                let help = "heartbeats are always authenticated, with keys of their own: make them with `lvsctl keygen`";
                report.secret(&node.name.at, &message, help);
            }
            name if name.starts_with("notify") => notify.read(report, node),
            _ => self.place(report, node),
        }
    }

    fn state(&mut self, report: &mut Report, node: &Node) {
        let Some(word) = report.value(node, "BACKUP") else { return };
        match word.text.as_str() {
            "MASTER" => self.is_master = true,
            "BACKUP" => self.is_master = false,
            other => {
                let help = "write MASTER or BACKUP";
                report.error(&word.at, format!("`{other}` is no state"), help);
            }
        }
    }

    fn place(&mut self, report: &mut Report, node: &Node) {
        match node.name.text.as_str() {
            "unicast_src_ip" | "mcast_src_ip" => {
                let word = report.value(node, "192.168.1.2").cloned();
                let found = word.and_then(|word| Some((report.address(&word)?, word.at)));
                if self.own.is_none() || node.name.text == "unicast_src_ip" {
                    self.own = found.or(self.own.take());
                }
            }
            "unicast_peer" => {
                for line in &node.block {
                    let found = report.address(&line.name);
                    self.peers.extend(found.map(|ip| (ip, line.name.at.clone())));
                    if let Some(limit) = line.word(0) {
                        let instead = "a packet counts by its authentication, not by its distance";
                        report.dropped(&limit.text.clone(), &limit.at, instead);
                    }
                }
            }
            "mcast_dst_ip" => self.group = multicast(report, node),
            "virtual_ipaddress" | "virtual_ipaddress_excluded" => {
                let found = addresses(report, &node.block, self.interface.as_deref());
                self.addresses.extend(found);
            }
            "virtual_routes" | "virtual_rules" => self.hooks.extend(routes(report, node)),
            "track_interface" => self.tracked(report, node),
            _ => {}
        }
    }

    /// An interface that carries addresses is watched anyway.
    fn tracked(&self, report: &mut Report, node: &Node) {
        for line in &node.block {
            let name = Some(line.name.text.as_str());
            if name != self.interface.as_deref() || !line.words.is_empty() {
                report.dropped("track_interface", &line.name.at, INSTEAD_OF_TRACKING);
            }
        }
    }

    /// Whether it stays where it is when its better router returns.
    pub(super) fn stays(&self) -> bool {
        self.nopreempt.is_some()
    }

    fn is_v6(&self) -> bool {
        let own = self.own.as_ref().map(|(ip, _)| ip.is_ipv6());
        let first = self.addresses.first().map(|(address, _)| address.ip.is_ipv6());
        own.or(first).unwrap_or(false)
    }

    /// The multicast group that it speaks to.
    pub(super) fn multicast(&self, global: &Global) -> IpAddr {
        let [v4, v6] = global.groups;
        let [default_v4, default_v6] = MULTICAST;
        let usual = if self.is_v6() { v6.unwrap_or(default_v6) } else { v4.unwrap_or(default_v4) };
        self.group.unwrap_or(usual)
    }

    /// Silence until a partner is lost: intervals, and a skew that is shorter for a better router.
    pub(super) fn dead_after(&self, global: &Global, priority: u32) -> Duration {
        let adverts = self.down_adverts.or(global.down_adverts).unwrap_or(3);
        let version = self.version.or(global.version).unwrap_or(2);
        let unit = if version == 3 || self.is_v6() { self.advert } else { Duration::from_secs(1) };
        let skew = unit * 256_u32.saturating_sub(priority) / 256;
        let whole = self.advert * adverts + skew;
        Duration::from_millis(u64::try_from(whole.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A `vrrp_sync_group`.
#[derive(Debug)]
pub(super) struct SyncGroup {
    pub(super) name: Word,
    pub(super) members: Vec<Word>,
    pub(super) hooks: Vec<(Hook, At)>,
}

impl SyncGroup {
    /// Reads a `vrrp_sync_group`.
    pub(super) fn read(report: &mut Report, node: &Node) -> Option<Self> {
        let name = report.value(node, "VG_1")?.clone();
        let (mut members, mut notify) = (Vec::new(), Notify::default());
        for inner in &node.block {
            if !is_read(report, inner, &GROUP) {
                continue;
            }
            if inner.name.text == "group" {
                members.extend(inner.block.iter().flat_map(Node::all).cloned());
            } else {
                notify.read(report, inner);
            }
        }
        let hooks = notify.hooks(report, "GROUP", &name.text, 0);
        Some(Self { name, members, hooks })
    }
}
