//! The checked model. Every file format ends here; daemons read nothing else.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::IpNet;
use ipvs::{Forwarding, Persistence, Scheduler, SchedulerFlags, Tunnel};
use serde::{Deserialize, Serialize};

use crate::Percent;

mod check;
mod dialogue;
mod digest;
mod fence;
mod kernel;
mod listen;
mod load;
mod login;
mod notify;
mod on_stop;
mod secret;

pub use check::{Check, CheckKind, Expect, HttpCheck, Tls};
pub use dialogue::{Dialogue, DnsCheck, Exchange};
pub use digest::{Digest, NoDigest};
pub use fence::{Fence, FenceFailure};
pub use kernel::{ConnectionSync, Kernel, Switch, Sysctls};
pub use listen::{Endpoint, Listen};
pub use load::LoadMonitor;
pub use login::{Login, LoginCheck, LoginService, Query, SecretUse};
pub use notify::{Mail, Notify, ServerNotify};
pub use on_stop::OnStop;
pub use secret::Secret;

/// Everything that one pair of routers (or a single director) is to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// The pair; none for a single director.
    pub pair: Option<Pair>,
    /// Virtual servers, in the order of the file, names unique.
    pub services: Vec<VirtualServer>,
    /// The kernel's IPVS settings.
    pub kernel: Kernel,
    /// Reload by itself when the file changes.
    pub autoreload: bool,
    /// What lvsd leaves behind when it is stopped in order, unless a virtual server says otherwise.
    pub on_stop: OnStop,
    /// The next configuration that removes more than this share of the virtual servers or of the
    /// floating addresses wants an operator's confirmation.
    pub max_removed: Percent,
    /// Folder in which a file, named as a real server, takes that one out (ldirectord's
    /// `maintenancedir`).
    pub maintenance: Option<String>,
    /// Full path of a file that gets the log, too, unless a daemon was told another one.
    pub log_file: Option<String>,
    /// Program run with the configuration's path behind it after an edit, whether it was taken or
    /// refused (ldirectord's `callback`).
    pub on_edit: Vec<String>,
}

/// Two routers and what moves between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The two routers. On a tie the first one wins.
    pub routers: [Router; 2],
    /// How they hear of each other.
    pub heartbeat: Heartbeat,
    /// What moves; at least one. The order is the order of taking over.
    pub groups: Vec<Group>,
    /// How a silent partner is switched off before its groups are taken; none takes them without.
    pub fence: Option<Fence>,
}

/// One router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Router {
    /// Its host name (`uname -n`), or a label when the file knows only addresses.
    pub name: String,
    /// Its own address on each unicast path: the two routers' n-th addresses face each other.
    pub paths: Vec<IpAddr>,
}

/// How the routers hear of each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Time between heartbeats.
    pub interval: Duration,
    /// Silence on every path after which the partner is lost.
    pub dead_after: Duration,
    /// Silence after which a warning is logged (ha.cf `warntime`).
    pub warn_after: Option<Duration>,
    /// How long a starting router listens before it may act (ha.cf `initdead`).
    pub listen_first: Duration,
    /// UDP port.
    pub port: u16,
    /// Broadcast and multicast paths beside the unicast ones.
    pub shared_paths: Vec<SharedPath>,
    /// Where the keys come from.
    pub keys: KeySource,
    /// Addresses that are pinged when all paths are silent: who reaches one may act.
    pub witness: Vec<IpAddr>,
    /// The routers ping them all the time, and who reaches fewer than its partner hands its groups
    /// over (heartbeat's ipfail).
    #[serde(default)]
    pub yield_on_fewer_witnesses: bool,
}

/// A heartbeat path that is not between two addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedPath {
    /// To addresses of which the file does not say whose they are (ha.cf `ucast`, where one file
    /// serves both routers): each router sends to those that are not its own.
    Unicast {
        /// Interface name.
        interface: String,
        /// The addresses; at least one.
        peers: Vec<IpAddr>,
    },
    /// To the broadcast address of an interface.
    Broadcast {
        /// Interface name.
        interface: String,
    },
    /// To a multicast group.
    Multicast {
        /// Interface name.
        interface: String,
        /// The group.
        group: IpAddr,
        /// UDP port of this path.
        port: u16,
        /// Time to live.
        ttl: u8,
    },
}

/// Where the heartbeat's keys come from. The keys themselves are never part of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// Our key file, as `lvsctl keygen` writes it. Relative to the configuration's folder.
    File(String),
    /// heartbeat's authkeys file.
    Authkeys(String),
    /// The format has no keys (lvs.cf): the default key file beside the configuration is used.
    Default,
}

/// Addresses and programs that move together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name; unique.
    pub name: String,
    /// Name of the router that should hold it when both are well.
    pub preferred: Option<String>,
    /// Whether it returns to the preferred router.
    pub failback: Failback,
    /// The addresses.
    pub addresses: Vec<FloatingAddress>,
    /// Programs run at role changes: in this order on taking over, in reverse on standing down.
    pub hooks: Vec<Hook>,
}

/// Whether a group returns to its preferred router once that is well again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failback {
    /// Only when an operator says so.
    Manual,
    /// By itself, once the preferred router has been well for this long.
    Automatic {
        /// How long it must have been well.
        delay: Duration,
    },
}

/// A floating address (VIP).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloatingAddress {
    /// The address.
    pub ip: IpAddr,
    /// Prefix length; none takes that of the interface's network, or 32 and 128.
    pub prefix_length: Option<u8>,
    /// Interface; none takes the one whose network holds the address.
    pub interface: Option<String>,
    /// Label of an old alias (`eth0:1`), shown by ifconfig.
    pub label: Option<String>,
    /// Broadcast address, when it is not the network's own.
    pub broadcast: Option<Ipv4Addr>,
}

/// A program run when a group is taken over or stood down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Name in logs.
    pub name: String,
    /// Program and arguments on taking over.
    pub start: Vec<String>,
    /// Program and arguments on standing down.
    pub stop: Vec<String>,
    /// Program and arguments that tell, in words, whether it runs already; then it is not started.
    /// Empty starts it always.
    pub status: Vec<String>,
    /// Killed after this long.
    pub timeout: Duration,
    /// Runs before the addresses are taken, or after.
    pub order: HookOrder,
}

/// Where a hook stands in the order of taking over; standing down is the reverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookOrder {
    /// Before the addresses are there.
    BeforeAddresses,
    /// After the addresses are announced.
    AfterAddresses,
}

/// A virtual server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VirtualServer {
    /// Its name; unique.
    pub name: String,
    /// What it takes.
    pub listen: Listen,
    /// How a real server is chosen.
    pub scheduler: Scheduler,
    /// Options of the scheduler.
    pub scheduler_flags: SchedulerFlags,
    /// Keeping a client with its real server.
    pub persistence: Option<Persistence>,
    /// Every UDP packet is scheduled anew.
    pub one_packet: bool,
    /// The check for real servers that have none of their own.
    pub check: Check,
    /// Further checks that those have to pass too.
    pub also: Vec<Check>,
    /// What has to be up for the virtual server to be up.
    pub quorum: Quorum,
    /// What happens to a real server that fails.
    pub on_failure: OnFailure,
    /// One that failed, and stays with weight 0, is put back when somebody removes it from the
    /// table; else it stays out until it is up again.
    pub put_back: bool,
    /// How long a real server that returns takes to its whole weight; none is at once.
    #[serde(default)]
    pub slow_start: Option<Duration>,
    /// The real servers, in the order of the file.
    pub servers: Vec<RealServer>,
    /// Takes the traffic while no real server is up.
    pub sorry: Option<SorryServer>,
    /// At most this share of the real servers is taken out by checks. Beyond it those that failed
    /// last stay; but when none is up and there is a sorry server, that one serves. The formats of
    /// other programs know no such limit: all of them may leave.
    pub max_down: Percent,
    /// What measures the load that weights follow; they stay as they are without.
    pub load: Option<LoadMonitor>,
    /// Who is told of changes.
    pub notify: Notify,
    /// What becomes of it when lvsd is stopped in order; none as the whole file says.
    pub on_stop: Option<OnStop>,
}

/// What happens to a real server that fails its checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// It leaves the table; its connections end.
    #[default]
    Remove,
    /// It stays with weight 0: no new connections, the open ones go on.
    Quiesce,
}

/// A host: an address, or a name that is resolved late and again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name; a failure to resolve it leaves the server out, and is reported.
    Name(String),
}

/// A real server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RealServer {
    /// Its name in logs and commands; none shows the address.
    pub name: Option<String>,
    /// Where it is.
    pub host: Host,
    /// Its port; none is the virtual server's.
    pub port: Option<u16>,
    /// Its share.
    pub weight: u32,
    /// How packets reach it.
    pub forwarding: Forwarding,
    /// The wrapping, with tunnelling.
    pub tunnel: Tunnel,
    /// No new connections above this many; 0 is no limit.
    pub upper_threshold: u32,
    /// New connections again below this many.
    pub lower_threshold: u32,
    /// Its own check instead of the virtual server's.
    pub check: Option<Check>,
    /// Further checks that it has to pass too, beside one of its own.
    pub also: Vec<Check>,
    /// Programs run when it goes and returns.
    pub notify: ServerNotify,
}

/// How much has to be up: the sum of the weights of the real servers that are up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// Below this the sorry server takes the traffic; 1 is any real server.
    pub weight: u32,
    /// The sum has to fall this much lower before it does, and to rise this much higher before
    /// the real servers take it again.
    pub hysteresis: u32,
}

impl Default for Quorum {
    fn default() -> Self {
        Self { weight: 1, hysteresis: 0 }
    }
}

/// The server that takes the traffic while no real server is up. It is not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SorryServer {
    /// Where it is.
    pub host: Host,
    /// Its port; none is the virtual server's.
    pub port: Option<u16>,
    /// How packets reach it.
    pub forwarding: Forwarding,
}

impl VirtualServer {
    /// Every check that a real server of it has to pass; at least one.
    pub fn checks_of<'a>(&'a self, server: &'a RealServer) -> impl Iterator<Item = &'a Check> {
        let (first, also) = match &server.check {
            Some(own) => (own, &server.also),
            None => (&self.check, &self.also),
        };
        std::iter::once(first).chain(also)
    }
}

impl Cluster {
    /// The network of an address as the file gave it, when it gave one.
    pub fn network_of(address: &FloatingAddress) -> Option<IpNet> {
        address.prefix_length.and_then(|length| IpNet::new(address.ip, length).ok())
    }
}
