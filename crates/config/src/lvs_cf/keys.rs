//! The keys of lvs.cf: where each may stand.

use crate::diagnostic::nearest;

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In no block.
    File,
    /// In a `virtual` or `failover` block.
    Virtual,
    /// In a `server` block.
    Server,
}

const FILE: &[&str] = &[
    "serial_no",
    "primary",
    "primary_private",
    "primary_shared",
    "backup",
    "backup_private",
    "backup_shared",
    "backup_active",
    "heartbeat",
    "heartbeat_port",
    "keepalive",
    "deadtime",
    "service",
    "network",
    "nat_router",
    "nat_nmask",
    "reservation_conflict_action",
    "debug_level",
    "rsh_command",
    "monitor_links",
    "syncdaemon",
    "syncd_iface",
    "syncd_id",
    "tcp_timeout",
    "tcpfin_timeout",
    "udp_timeout",
    "hard_shutdown",
    "active_cmd",
    "inactive_cmd",
    "ipvsadm",
    "sync",
];

const VIRTUAL: &[&str] = &[
    "active",
    "address",
    "vip_nmask",
    "port",
    "protocol",
    "fwmark",
    "scheduler",
    "persistent",
    "pmask",
    "sorry_server",
    "client_monitor",
    "send",
    "expect",
    "send_program",
    "use_regex",
    "timeout",
    "reentry",
    "load_monitor",
    "quiesce_server",
    "start_cmd",
    "stop_cmd",
    "master",
    "dirs",
];

const SERVER: &[&str] = &["address", "active", "weight", "port"];

impl Place {
    /// The keys that may stand here.
    pub(super) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::File => FILE,
            Self::Virtual => VIRTUAL,
            Self::Server => SERVER,
        }
    }

    /// The place in words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::File => "of the whole file",
            Self::Virtual => "of a virtual server",
            Self::Server => "of a real server",
        }
    }
}

/// What to say about a key that is not known at its place.
pub(super) fn unknown(key: &str, place: Place) -> String {
    match key {
        "expect_program" => return "write `send_program` and `expect`".to_string(),
        "nmask" => {
            return "remove it: a real server has no netmask, and a floating address `vip_nmask`"
                .into();
        }
        "debug" => return "write `debug_level`".to_string(),
        _ => {}
    }
    if let Some(near) = near(key, place) {
        return format!("did you mean `{near}`?");
    }
    let others = [Place::File, Place::Virtual, Place::Server].into_iter().filter(|o| *o != place);
    let mut found = others.filter_map(|other| near(key, other).map(|near| (other, near)));
    match found.next() {
        Some((other, near)) => format!("`{near}` is a key {}: move it there", other.name()),
        None => "the manual page lvs.cf(5) lists the keys".to_string(),
    }
}

/// The key that was most likely meant: a near one, or one that begins the same way.
fn near(key: &str, place: Place) -> Option<&'static str> {
    let begins = |known: &&&str| key.len() > 3 && known.starts_with(key);
    let keys = || place.keys().iter();
    let same = keys().find(|known| **known == key);
    let found = same.or_else(|| keys().find(begins)).copied();
    // Short words are near to many.
    found.or_else(|| nearest(key, keys().copied()).filter(|_| key.len() > 4))
}
