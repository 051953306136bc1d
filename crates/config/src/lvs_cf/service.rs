//! One `virtual` block.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use ipvs::{Family, Forwarding, Persistence, Protocol, Scheduler, Tunnel};

use super::blocks::Block;
use super::checks;
use super::floating;
use super::lexer::Setting;
use super::values::{Report, Settings};
use crate::Percent;
use crate::diagnostic::nearest;
use crate::foreign::report::Reporter;
use crate::model::{
    Check, Endpoint, FloatingAddress, Listen, LoadMonitor, Notify, OnFailure, Quorum, RealServer,
    ServerNotify, SorryServer, VirtualServer,
};
use crate::native::load::monitor;

/// A virtual server, its floating address, and the places of its parts.
pub(super) struct Built {
    pub(super) service: VirtualServer,
    pub(super) floating: FloatingAddress,
    /// The block's name.
    pub(super) name: Range<usize>,
    /// Its address.
    pub(super) address: Range<usize>,
    /// The address, or the mark.
    pub(super) listen: Range<usize>,
    /// The real servers' names.
    pub(super) servers: Vec<Range<usize>>,
    /// The sorry server.
    pub(super) sorry: Option<Range<usize>>,
}

/// Seconds between checks, and the time limit of each, when `timeout` is absent.
const TIMEOUT: u32 = 10;
/// Seconds that a server must look good before it returns, when `reentry` is absent.
const REENTRY: u32 = 180;
/// Five doublings of 20 seconds each.
const SLOW_START: Duration = Duration::from_secs(100);
/// The port, when `port` is absent.
const PORT: u16 = 80;
/// Largest weight that the kernel takes (a signed 32-bit number).
const MAX_WEIGHT: u32 = i32::MAX as u32;

/// Reads a block; `None` when it is not active, or has no address.
pub(super) fn build(
    report: &mut Report<'_>,
    block: &Block,
    forwarding: Forwarding,
    remote_shell: &'static str,
) -> Option<Built> {
    let settings = Settings(&block.settings);
    let active = report.switch(settings, "active", false);
    if settings.get("active").is_none() {
        let message = format!("virtual server {} is off", block.name.text);
        report.warning(&block.name.span, message, "write `active = 1` in it to have it balanced");
    }
    let Some(address) = settings.get("address") else {
        if active {
            let message = format!("virtual server {} has no address", block.name.text);
            let help = "write `address = 192.168.1.1 eth0:1`: the floating address and its device";
            report.error(&block.name.span, message, help);
        }
        return None;
    };
    let floating = floating::of_block(report, settings, address, active);
    let virtual_server =
        Virtual { remote_shell, ..Virtual::read(report, block, forwarding, floating.as_ref()?.ip) };
    let service = virtual_server.service(report);
    let names = virtual_server.servers(report);
    if !active {
        return None;
    }
    let mark = settings.get("fwmark").filter(|_| virtual_server.mark.is_some());
    let listen = mark.unwrap_or(address);
    Some(Built {
        service: VirtualServer {
            servers: names.iter().map(|(s, _)| s.clone()).collect(),
            ..service
        },
        floating: floating?,
        name: block.name.span.clone(),
        address: span_of(address),
        listen: span_of(listen),
        servers: names.into_iter().map(|(_, span)| span).collect(),
        sorry: settings.get("sorry_server").map(span_of),
    })
}

/// How long a server must look good before it returns. nanny takes 0 for no word about it.
fn reentry(report: &mut Report<'_>, settings: Settings<'_>) -> Duration {
    let time = report.seconds(settings, "reentry", REENTRY);
    let Some(setting) = settings.get("reentry").filter(|_| time.is_zero()) else { return time };
    let help = format!(
        "nanny itself takes its default for 0; write `reentry = {REENTRY}`, or `reentry = 1` to have a server back with its first good answers"
    );
    report.warning(&span_of(setting), format!("`reentry = 0` is {REENTRY} seconds"), help);
    Duration::from_secs(u64::from(REENTRY))
}

/// The weight of a real server. nanny begins with 1 at least and never goes below it.
fn weight(report: &mut Report<'_>, settings: Settings<'_>, active: bool) -> u32 {
    let weight = report.number(settings, "weight", 1);
    let Some(setting) = settings.get("weight") else { return weight };
    if weight > MAX_WEIGHT {
        let help = format!("weights go from 0 to {MAX_WEIGHT}");
        report.error(&span_of(setting), format!("the weight {weight} is too large"), help);
    }
    if weight > 0 || !active {
        return weight;
    }
    let help = "nanny itself makes 1 of it; write `weight = 1`, or `active = 0` for no connections";
    report.warning(&span_of(setting), "the weight 0 is taken for 1", help);
    1
}

/// The values of a setting.
pub(super) fn span_of(setting: &Setting) -> Range<usize> {
    let first = setting.values.first().map_or(&setting.key.span, |value| &value.span);
    let last = setting.values.last().map_or(&setting.key.span, |value| &value.span);
    first.start..last.end
}

/// A block, half read.
struct Virtual<'a> {
    block: &'a Block,
    settings: Settings<'a>,
    forwarding: Forwarding,
    /// What runs a command on a real server.
    remote_shell: &'static str,
    address: IpAddr,
    port: u16,
    protocol: Protocol,
    mark: Option<u32>,
    check: Check,
}

impl<'a> Virtual<'a> {
    fn read(
        report: &mut Report<'_>,
        block: &'a Block,
        forwarding: Forwarding,
        address: IpAddr,
    ) -> Self {
        let settings = Settings(&block.settings);
        let port = report.port(settings, "port").map_or(PORT, |(port, _)| port);
        let protocol = match report.word(settings, "protocol", &["tcp", "udp"]) {
            Some("udp") => Protocol::Udp,
            _ => Protocol::Tcp,
        };
        let mark = Some(report.number(settings, "fwmark", 0)).filter(|mark| *mark > 0);
        let timeout = report.some_seconds(settings, "timeout", TIMEOUT);
        let check = Check {
            kind: checks::kind(report, settings, port, protocol),
            // Marked traffic has no port of its own: the block's is asked.
            port: mark.map(|_| port),
            // nanny sleeps this long between checks, and gives each step of one as long.
            interval: timeout,
            timeout,
            // One failure takes a server out, the first success brings it in.
            fall: 1,
            rise: 1,
            reentry: reentry(report, settings),
            retry: None,
            connects: 0,
        };
        Self {
            block,
            settings,
            forwarding,
            remote_shell: "rsh",
            address,
            port,
            protocol,
            mark,
            check,
        }
    }

    fn service(&self, report: &mut Report<'_>) -> VirtualServer {
        self.name_what_is_not_carried(report);
        let family = Family::of(self.address);
        let listen = match self.mark {
            Some(mark) => Listen::Mark { mark, family, marked: Vec::new() },
            None => Listen::Addresses(vec![Endpoint {
                address: SocketAddr::new(self.address, self.port),
                protocol: self.protocol,
            }]),
        };
        let quiesce = report.switch(self.settings, "quiesce_server", false);
        let sorry = self.settings.get("sorry_server").and_then(|setting| report.host(setting));
        VirtualServer {
            name: self.block.name.text.clone(),
            listen,
            scheduler: self.scheduler(report),
            scheduler_flags: ipvs::SchedulerFlags::default(),
            persistence: self.persistence(report, family),
            one_packet: false,
            check: self.check.clone(),
            also: Vec::new(),
            quorum: Quorum::default(),
            on_failure: if quiesce { OnFailure::Quiesce } else { OnFailure::Remove },
            servers: Vec::new(),
            sorry: sorry.map(|host| SorryServer { host, port: None, forwarding: self.forwarding }),
            max_down: Percent::ALL,
            put_back: true,
            slow_start: self.slow_start(),
            on_stop: None,
            load: self.load(report),
            notify: Notify::default(),
        }
    }

    fn name_what_is_not_carried(&self, report: &mut Report<'_>) {
        if let Some(setting) = self.settings.get("client_monitor") {
            let help = "use `send_program` to check with a program of your own";
            report.warning(&setting.key.span, "`client_monitor` has no effect here", help);
        }
    }

    /// nanny begins with a 32nd of the weight, and doubles it about each 20 seconds. Nobody notices
    /// where all weights are 1.
    fn slow_start(&self) -> Option<Duration> {
        let heavy = |block: &Block| {
            let weight = Settings(&block.settings).get("weight");
            let weight = weight.and_then(|setting| setting.values.first());
            weight.is_some_and(|weight| !matches!(weight.text.as_str(), "0" | "1"))
        };
        self.block.servers.iter().any(heavy).then_some(SLOW_START)
    }

    /// What Piranha's nanny runs for the load: `rup` and `ruptime` are asked about the real server,
    /// `uptime` is run there, and any other command gets its address as one more argument.
    fn load(&self, report: &mut Report<'_>) -> Option<LoadMonitor> {
        let setting = self.settings.get("load_monitor")?;
        let value = setting.values.first()?;
        let run: Vec<&str> = match value.text.as_str() {
            "none" | "" => {
                report.one(setting);
                return None;
            }
            "uptime" => {
                if self.remote_shell == "rsh" {
                    let help = "write `rsh_command = ssh`, and give the user caribe-script a key";
                    let message = "rsh wants the rights of root, which no program has here";
                    report.warning(&value.span, message, help);
                }
                vec![self.remote_shell, "%h", "uptime"]
            }
            _ => {
                let words = setting.values.iter().flat_map(|word| word.text.split_whitespace());
                words.chain(["%h"]).collect()
            }
        };
        let mut run: Vec<String> = run.into_iter().map(str::to_owned).collect();
        // Programs have full paths here; Piranha left it to the search path.
        if let Some(program) = run.first_mut().filter(|program| !program.starts_with('/')) {
            program.insert_str(0, "/usr/bin/");
        }
        Some(monitor(run))
    }

    /// Piranha takes eight; the kernel has more since, which do no harm.
    fn scheduler(&self, report: &mut Report<'_>) -> Scheduler {
        let Some(setting) = self.settings.get("scheduler") else { return Scheduler::wlc() };
        let Some(value) = report.one(setting) else { return Scheduler::wlc() };
        if Scheduler::KNOWN.contains(&value.text.as_str())
            && let Ok(scheduler) = value.text.parse()
        {
            return scheduler;
        }
        let help = match nearest(&value.text, Scheduler::KNOWN) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", Scheduler::KNOWN.join(", ")),
        };
        report.error(&value.span, format!("`{}` is no scheduler", value.text), help);
        Scheduler::wlc()
    }

    fn persistence(&self, report: &mut Report<'_>, family: Family) -> Option<Persistence> {
        let whole = if family == Family::Inet { 32 } else { 128 };
        let prefix_length = report.mask(self.settings, "pmask", whole).unwrap_or(whole);
        let timeout_seconds = report.number(self.settings, "persistent", 0);
        (timeout_seconds > 0).then_some(Persistence {
            timeout_seconds,
            prefix_length,
            engine: None,
        })
    }

    fn servers(&self, report: &mut Report<'_>) -> Vec<(RealServer, Range<usize>)> {
        let servers = self.block.servers.iter();
        servers
            .filter_map(|block| Some((self.server(report, block)?, block.name.span.clone())))
            .collect()
    }

    /// A real server; `None` when it is not active, as Piranha has it.
    fn server(&self, report: &mut Report<'_>, block: &Block) -> Option<RealServer> {
        let settings = Settings(&block.settings);
        let active = report.switch(settings, "active", false);
        if settings.get("active").is_none() {
            let message = format!("real server {} is off", block.name.text);
            report.warning(&block.name.span, message, "write `active = 1` in it to have it used");
        }
        let weight = weight(report, settings, active);
        let port = report.port(settings, "port");
        let Some(address) = settings.get("address") else {
            if active {
                let message = format!("real server {} has no address", block.name.text);
                report.error(&block.name.span, message, "write `address = 192.168.1.4` in it");
            }
            return None;
        };
        let host = report.host(address)?;
        let port = self.real_port(report, port);
        // With a mark, the virtual server's check names a port that this one has not.
        let own = port.filter(|_| self.mark.is_some());
        active.then(|| RealServer {
            name: Some(block.name.text.clone()),
            host,
            port,
            weight,
            forwarding: self.forwarding,
            tunnel: Tunnel::default(),
            upper_threshold: 0,
            lower_threshold: 0,
            check: own.map(|_| Check { port: None, ..self.check.clone() }),
            also: Vec::new(),
            notify: ServerNotify::default(),
        })
    }

    /// Only NAT can change the port. With a mark, the block's own port means the client's, so that
    /// one mark can carry several ports.
    fn real_port(&self, report: &mut Report<'_>, port: Option<(u16, Range<usize>)>) -> Option<u16> {
        let (port, span) = port?;
        if port == self.port || port == 0 {
            return None;
        }
        if self.forwarding == Forwarding::Nat || self.mark.is_some() {
            return Some(port);
        }
        let word = if self.forwarding == Forwarding::Direct { "direct" } else { "tunnel" };
        let message = format!("port {port} is not the virtual server's port {}", self.port);
        let help = format!(
            "`network = {word}` leaves the port as it is: packets arrive at port {}, and that one is checked; write {} here, or `network = nat` to have it changed to {port}",
            self.port, self.port
        );
        report.warning(&span, message, help);
        None
    }
}
