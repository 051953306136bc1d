//! The directives of ha.cf.

/// Directives that are read.
pub(super) const DIRECTIVES: [&str; 20] = [
    "node",
    "stonith",
    "stonith_host",
    "keepalive",
    "deadtime",
    "warntime",
    "initdead",
    "udpport",
    "bcast",
    "udp",
    "ucast",
    "mcast",
    "mcast6",
    "ping",
    "ping_group",
    "auto_failback",
    "nice_failback",
    "crm",
    "pacemaker",
    "logfile",
];

/// Directives that do something which nothing of ours does, and what to do instead.
pub(super) const NOT_CARRIED: [(&str, &str); 12] = [
    ("serial", "heartbeats go over the network only; give the pair a second wire: `bcast eth1`"),
    (
        "respawn",
        "let systemd start the program; of what ipfail did, a group moves when its interface loses the carrier, and `ping ADDRESS` decides when the partner is not heard",
    ),
    ("failfast", "let systemd start the program, and act when it fails"),
    (
        "apiauth",
        "no other program talks to pulse; `lvsctl` asks for root or the group caribe-admin",
    ),
    ("watchdog", "systemd watches pulse; `WatchdogSec=` says how closely"),
    ("debugfile", "`logfile` names the file; `--log-level debug` asks for more lines"),
    ("logfacility", "the log goes to stderr, which journald keeps"),
    ("hbaping", "ping an address instead: `ping 192.168.1.254`"),
    ("deadping", "addresses are pinged when the partner is not heard, and have to answer then"),
    ("quorum_server", "write `ping ADDRESS`: who reaches it may act"),
    ("autojoin", "a pair has two routers, which `node` names"),
    ("cluster", "there is one pair in a folder"),
];

/// Directives that tune what works in another way here: nothing is lost without them.
pub(super) const SILENT: [&str; 24] = [
    "baud",
    "hopfudge",
    "use_logd",
    "conn_logd_time",
    "debug",
    "realtime",
    "rtprio",
    "memreserve",
    "hbgenmethod",
    "uuidfrom",
    "msgfmt",
    "compression",
    "compression_threshold",
    "traditional_compression",
    "max_rexmit_delay",
    "env",
    "coredumps",
    "coreroot",
    "syslogmsgfmt",
    "log_badpack",
    "use_apphbd",
    "record_config_changes",
    "record_pengine_inputs",
    "enable_config_writes",
];
