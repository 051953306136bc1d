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
pub(super) const NOT_CARRIED: [(&str, &str); 13] = [
    ("serial", "heartbeats go over the network only; give the pair a second wire: `bcast eth1`"),
    ("respawn", "let systemd start the program"),
    ("failfast", "let systemd start the program, and act when it fails"),
    (
        "apiauth",
        "no other program talks to pulse; `lvsctl` asks for root or the group caribe-admin",
    ),
    ("watchdog", "systemd watches pulse; `WatchdogSec=` says how closely"),
    ("debugfile", "`logfile` names the file; `--log-level debug` asks for more lines"),
    ("logfacility", "the log goes to stderr, which journald keeps"),
    ("hbaping", "ping an address instead: `ping 192.168.1.254`"),
    ("deadping", "a host that is pinged has to answer within the dead time"),
    ("quorum_server", "write `ping ADDRESS`: who reaches it may act"),
    ("autojoin", "a pair has two routers, which `node` names"),
    ("cluster", "there is one pair in a folder"),
    (
        "env",
        "a program of haresources gets a short environment: let it set what it needs by itself",
    ),
];

/// Directives that nothing is lost without, and why.
pub(super) const NEEDLESS: [(&str, &str); 23] = [
    ("baud", "it is the speed of `serial`, and heartbeats go over the network only"),
    (
        "hopfudge",
        "it counts hops of a ring of serial lines, and heartbeats go over the network only",
    ),
    ("use_logd", "no other daemon writes the log: it goes to stderr, which journald keeps"),
    ("conn_logd_time", "no other daemon writes the log: it goes to stderr, which journald keeps"),
    (
        "debug",
        "`--log-level debug` asks for more lines, and can be added to the unit of one router",
    ),
    ("realtime", "pulse runs ahead of other programs where the kernel lets it"),
    (
        "rtprio",
        "pulse runs ahead of other programs where the kernel lets it; the least priority of that kind is enough",
    ),
    (
        "memreserve",
        "no memory is set aside; the units see to it that the daemons are not the first to go when it runs out",
    ),
    (
        "hbgenmethod",
        "each start of pulse has a random number of its own, which needs no file and no clock",
    ),
    ("uuidfrom", "routers are told apart by their names"),
    ("msgfmt", "heartbeats have one form, which is our own"),
    ("compression", "a heartbeat is one small packet"),
    ("compression_threshold", "a heartbeat is one small packet"),
    ("traditional_compression", "a heartbeat is one small packet"),
    ("max_rexmit_delay", "nothing is sent twice: each heartbeat says all that counts"),
    ("coredumps", "`LimitCORE=` of the unit says whether a crash leaves a core file"),
    ("coreroot", "the kernel's `core_pattern` says where core files go"),
    ("syslogmsgfmt", "each event is one line of one form"),
    (
        "log_badpack",
        "packets that are refused are always counted, and `lvsctl status` shows how many",
    ),
    ("use_apphbd", "systemd watches the daemons"),
    ("record_config_changes", "it belongs to a cluster resource manager, and there is none"),
    ("record_pengine_inputs", "it belongs to a cluster resource manager, and there is none"),
    ("enable_config_writes", "it belongs to a cluster resource manager, and there is none"),
];
