//! The two routers: everything of the file that is not a virtual server.

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use super::floating;
use super::lexer::Setting;
use super::service::span_of;
use super::values::{Report, Settings};
use crate::foreign::report::Reporter;
use crate::model::{
    ConnectionSync, Failback, FloatingAddress, Group, Heartbeat, Hook, HookOrder, Kernel,
    KeySource, Pair, Router,
};

/// How long active_cmd and inactive_cmd may run; pulse itself never waited for them.
const HOOK_TIME: Duration = Duration::from_secs(30);
/// UDP port of heartbeats, when `heartbeat_port` is absent.
const HEARTBEAT_PORT: u16 = 539;
/// Seconds between heartbeats, when `keepalive` is absent.
const KEEPALIVE: u32 = 2;
/// Seconds of silence until the partner is lost, when `deadtime` is absent.
const DEADTIME: u32 = 5;

/// The routers' names: the file knows only their addresses.
pub(super) const NAMES: [&str; 2] = ["primary", "backup"];
/// The name of the one group.
pub(super) const GROUP: &str = "lvs";

/// Reads the pair; `None` when the file is for one router alone.
pub(super) fn pair(report: &mut Report<'_>, settings: Settings<'_>) -> Option<Pair> {
    let active = report.switch(settings, "backup_active", false);
    let public = [report.address(settings, "primary"), report.address(settings, "backup")];
    let private = private_addresses(report, settings);
    let heartbeat = heartbeat(report, settings);
    let hooks = hooks(report, settings);
    let [primary, backup] = public;
    if active && settings.get("primary").is_none() {
        let span = settings.get("backup_active").map(span_of).unwrap_or_default();
        let help = "write `primary = ADDRESS`, an address of the first router itself";
        report.error(&span, "the first router's address is missing", help);
    }
    if active && backup.is_none() {
        let named = settings.get("backup").or(settings.get("backup_active"));
        let span = named.map(span_of).unwrap_or_default();
        let help = "taken for one router alone; write `backup = ADDRESS` for a pair";
        report.warning(&span, "the second router has no address", help);
    }
    if let (Some(one), Some(other), Some(setting)) = (primary, backup, settings.get("backup"))
        && one == other
    {
        let help = "each router has an address of its own, besides the floating ones";
        report.error(&span_of(setting), "both routers have the same address", help);
        return None;
    }
    if !active {
        return None;
    }
    let paths = |public: IpAddr, private: Option<IpAddr>| {
        let private = private.filter(|private| *private != public);
        std::iter::once(public).chain(private).collect()
    };
    let [first, second] = NAMES.map(str::to_string);
    let routers = [
        Router { name: first, paths: paths(primary?, private.map(|[one, _]| one)) },
        Router { name: second, paths: paths(backup?, private.map(|[_, other]| other)) },
    ];
    let group = Group {
        name: GROUP.to_string(),
        preferred: NAMES.first().map(|name| (*name).to_string()),
        // pulse never gives an address back by itself.
        failback: Failback::Manual,
        addresses: Vec::new(),
        hooks,
    };
    Some(Pair { routers, heartbeat, groups: vec![group], fence: None })
}

/// The second path, when both routers have one.
fn private_addresses(report: &mut Report<'_>, settings: Settings<'_>) -> Option<[IpAddr; 2]> {
    let keys = ["primary_private", "backup_private"];
    let [one, other] = keys.map(|key| report.address(settings, key));
    let lonely = match (one, other) {
        (Some(one), Some(other)) => return Some([one, other]),
        (Some(_), None) => settings.get("primary_private").zip(Some("backup_private")),
        (None, Some(_)) => settings.get("backup_private").zip(Some("primary_private")),
        (None, None) => None,
    };
    if let Some((setting, missing)) = lonely {
        let message = format!("`{}` is not used without `{missing}`", setting.key.text);
        let help = format!("write `{missing} = ADDRESS` for a second path of heartbeats");
        report.warning(&span_of(setting), message, help);
    }
    None
}

/// `heartbeat` itself was never looked at: `backup_active` is what counts.
fn heartbeat(report: &mut Report<'_>, settings: Settings<'_>) -> Heartbeat {
    let interval = report.some_seconds(settings, "keepalive", KEEPALIVE);
    let mut dead_after = report.some_seconds(settings, "deadtime", DEADTIME);
    if dead_after < interval * 2 {
        let named = settings.get("deadtime").or(settings.get("keepalive"));
        let message = format!(
            "a router is dead after {} s, but speaks only each {} s",
            dead_after.as_secs(),
            interval.as_secs()
        );
        let help = format!("write `deadtime = {}` or more", interval.as_secs() * 3);
        report.error(&named.map(span_of).unwrap_or_default(), message, help);
        // Once is enough.
        dead_after = interval * 3;
    }
    let port = match report.port(settings, "heartbeat_port") {
        Some((0, span)) => {
            report.error(&span, "heartbeats need a port", "write `heartbeat_port = 539`");
            HEARTBEAT_PORT
        }
        Some((port, _)) => port,
        None => HEARTBEAT_PORT,
    };
    Heartbeat {
        interval,
        dead_after,
        warn_after: None,
        // A starting pulse waits for as long as a dead partner would take.
        listen_first: dead_after,
        port,
        shared_paths: Vec::new(),
        keys: KeySource::Default,
        witness: Vec::new(),
        yield_on_fewer_witnesses: false,
    }
}

/// active_cmd runs behind the addresses, so that it delays nobody: pulse does not wait for it
/// either. inactive_cmd runs while they are still here, as with pulse.
fn hooks(report: &mut Report<'_>, settings: Settings<'_>) -> Vec<Hook> {
    let keys = ["active_cmd", "inactive_cmd"];
    let [start, stop] = keys.map(|key| {
        settings.get(key).and_then(|setting| report.program(setting)).unwrap_or_default()
    });
    if start.is_empty() && stop.is_empty() {
        return Vec::new();
    }
    let name = if start.is_empty() { "inactive_cmd" } else { "active_cmd" }.to_string();
    let (status, order) = (Vec::new(), HookOrder::AfterAddresses);
    vec![Hook { name, start, stop, status, timeout: HOOK_TIME, order }]
}

/// The kernel's settings.
pub(super) fn kernel(report: &mut Report<'_>, settings: Settings<'_>) -> Kernel {
    let keys = ["tcp_timeout", "tcpfin_timeout", "udp_timeout"];
    let [tcp_timeout, tcp_fin_timeout, udp_timeout] = keys.map(|key| {
        // 0 leaves the kernel's own.
        Some(report.seconds(settings, key, 0)).filter(|time| !time.is_zero())
    });
    let sync = sync(report, settings);
    Kernel { tcp_timeout, tcp_fin_timeout, udp_timeout, sync, ..Kernel::default() }
}

fn sync(report: &mut Report<'_>, settings: Settings<'_>) -> Option<ConnectionSync> {
    let on = report.switch(settings, "syncdaemon", false);
    let number = report.number(settings, "syncd_id", 0);
    let id = u8::try_from(number).unwrap_or_else(|_| {
        if let Some(setting) = settings.get("syncd_id") {
            let help = "write a number from 0 to 255, the same on both routers";
            report.error(&span_of(setting), format!("`syncd_id` cannot be {number}"), help);
        }
        0
    });
    let interface = settings.get("syncd_iface").and_then(|setting| report.one(setting));
    let interface = interface.map_or("eth0", |value| value.text.as_str()).to_string();
    on.then_some(ConnectionSync {
        interface,
        id,
        group: None,
        port: None,
        ttl: None,
        max_length: None,
    })
}

/// The inner floating address that NAT's real servers answer through.
pub(super) fn nat_router(
    report: &mut Report<'_>,
    settings: Settings<'_>,
) -> Option<(FloatingAddress, Range<usize>)> {
    let setting: &Setting = settings.get("nat_router")?;
    let address = floating::address(report, settings, setting, "nat_nmask")?;
    Some((address, span_of(setting)))
}
