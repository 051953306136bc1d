//! `global_defs`: what holds for the whole router.

use std::net::IpAddr;
use std::time::Duration;

use super::known::{GLOBAL, is_read};
use super::notify::Mails;
use super::report::Report;
use super::tree::Node;
use super::words::Word;
use crate::model::{ConnectionSync, Kernel, OnStop};

/// What the whole file says.
#[derive(Debug, Default)]
pub(super) struct Global {
    /// The router's name.
    pub(super) router_id: Option<Word>,
    /// Version of VRRP, which decides the skew of its timer.
    pub(super) version: Option<u32>,
    /// Intervals of silence until a partner is lost.
    pub(super) down_adverts: Option<u32>,
    /// Multicast groups, IPv4 and IPv6.
    pub(super) groups: [Option<IpAddr>; 2],
    /// Interface of addresses that name none.
    pub(super) interface: Option<String>,
    /// Who gets mails.
    pub(super) mails: Mails,
    /// The kernel's settings.
    pub(super) kernel: Kernel,
    /// What is left behind.
    pub(super) on_stop: OnStop,
}

impl Global {
    /// Reads a `global_defs` block.
    pub(super) fn read(&mut self, report: &mut Report, block: &[Node]) {
        for node in block {
            if is_read(report, node, &GLOBAL) && !self.mails.read(report, node) {
                self.statement(report, node);
            }
        }
    }

    fn statement(&mut self, report: &mut Report, node: &Node) {
        match node.name.text.as_str() {
            "router_id" => self.router_id = report.value(node, "lvs-a").cloned(),
            "lvs_sync_daemon" => self.kernel.sync = sync(report, node),
            "lvs_timeouts" => timeouts(report, node, &mut self.kernel),
            "lvs_flush_on_stop" => self.on_stop = OnStop::Remove,
            "vrrp_version" => self.version = report.number(node, 2, 3),
            "vrrp_down_timer_adverts" => self.down_adverts = report.number(node, 1, 100),
            "vrrp_mcast_group4" => self.groups[0] = multicast(report, node),
            "vrrp_mcast_group6" => self.groups[1] = multicast(report, node),
            _ => self.interface = report.value(node, "eth0").map(|word| word.text.clone()),
        }
    }
}

/// The multicast group behind a keyword.
pub(super) fn multicast(report: &mut Report, node: &Node) -> Option<IpAddr> {
    let word = report.value(node, "224.0.0.18")?;
    let found = report.address(word)?;
    if !found.is_multicast() {
        let help = "write a group such as 224.0.0.18 or ff02::12";
        report.error(&word.at, format!("{found} is no multicast group"), help);
        return None;
    }
    Some(found)
}

/// `lvs_timeouts tcp 900 tcpfin 120 udp 300`.
fn timeouts(report: &mut Report, node: &Node, kernel: &mut Kernel) {
    for pair in node.words.chunks(2) {
        let (Some(what), value) = (pair.first(), pair.get(1)) else { continue };
        let place = match what.text.as_str() {
            "tcp" => &mut kernel.tcp_timeout,
            "tcpfin" => &mut kernel.tcp_fin_timeout,
            "udp" => &mut kernel.udp_timeout,
            other => {
                let help = "write `lvs_timeouts tcp 900 tcpfin 120 udp 300`";
                report.error(&what.at, format!("`{other}` is none of the timeouts"), help);
                return;
            }
        };
        let Some(value) = value else {
            let help = format!("write seconds behind it: `{} 300`", what.text);
            report.error(&what.at, format!("`{}` has no value", what.text), help);
            return;
        };
        let seconds = report.number_in(value, 1, 31 * 86_400);
        *place = seconds.map(|seconds| Duration::from_secs(seconds.into()));
    }
}

/// `lvs_sync_daemon eth1 [inst] VI_1 id 1 maxlen 1400 port 8848 ttl 2 group 224.0.0.81`.
fn sync(report: &mut Report, node: &Node) -> Option<ConnectionSync> {
    let interface = report.value(node, "eth1")?.text.clone();
    let mut sync =
        ConnectionSync { interface, id: 0, group: None, port: None, ttl: None, max_length: None };
    let mut words = node.words.iter().skip(1);
    while let Some(word) = words.next() {
        let key = word.text.as_str();
        if key == "inst" {
            words.next();
            continue;
        }
        let most = match key {
            "id" | "syncid" | "ttl" => 255,
            "maxlen" => 65_507,
            "port" => 65_535,
            "group" => 0,
            // The name of an instance: connections are copied both ways all the time.
            _ => continue,
        };
        let Some(value) = words.next() else {
            report.error(&word.at, format!("`{key}` has no value"), format!("write `{key} 1`"));
            return None;
        };
        if key == "group" {
            sync.group = report.address(value);
            continue;
        }
        let least = u32::from(key != "id" && key != "syncid");
        let number = report.number_in(value, least, most)?;
        let small = u8::try_from(number).unwrap_or(u8::MAX);
        let large = u16::try_from(number).unwrap_or(u16::MAX);
        match key {
            "ttl" => sync.ttl = Some(small),
            "maxlen" => sync.max_length = Some(large),
            "port" => sync.port = Some(large),
            _ => sync.id = small,
        }
    }
    Some(sync)
}
