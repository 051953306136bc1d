//! Words of other programs, and what they are called here.

/// Our word for one that other load balancers use.
pub(super) fn foreign_word(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "gate" | "dr" | "direct_routing" | "direct-routing" | "gatewaying" => "direct",
        "masq" | "masquerade" | "masquerading" => "nat",
        "tun" | "ipip" | "tunneling" | "tunnelling" => "tunnel",
        "real" | "reals" | "real_server" | "real_servers" | "backends" => "servers",
        "virtual" | "virtuals" | "virtual_server" | "virtual_servers" => "services",
        "vip" | "address" | "bind" | "virtual_address" => "listen",
        "fwmark" => "mark",
        "lb_algo" | "lvs_sched" | "algorithm" => "scheduler",
        "lb_kind" | "lvs_method" | "forwarding" | "network" => "forward",
        "persistent" | "persistence_timeout" => "persistence",
        "fallback" | "sorry_server" => "sorry",
        "quiescent" | "inhibit_on_failure" => "on_failure",
        "ops" => "one_packet",
        "deadtime" | "dead" => "dead_after",
        "keepalive" => "interval",
        "warntime" => "warn_after",
        "initdead" => "listen_first",
        "udpport" => "port",
        "bcast" => "broadcast",
        "mcast" => "multicast",
        "ping" | "ping_node" => "witness",
        "auto_failback" | "preempt" => "failback",
        "checkinterval" | "delay_loop" => "interval",
        "checktimeout" | "connect_timeout" => "timeout",
        "failurecount" | "failcount" | "retries" => "fall",
        "nodes" | "node" => "routers",
        "vips" | "floating_addresses" | "virtual_ipaddress" => "addresses",
        "request" => "send",
        "receive" | "contains" | "regex" => "expect",
        "virtualhost" => "host",
        "auto" => "automatic",
        _ => return None,
    })
}
