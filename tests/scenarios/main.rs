//! The table of scenarios.
//!
//! A scenario is a function in a file of this folder that does what a person would do and says
//! what must be seen. Add it here, and `cargo xtask lab NAME` runs it.

mod addresses;
mod apply;
mod bench;
mod carry;
mod checks;
mod data_path;
mod decisions;
mod demo;
mod director;
mod faults;
mod fencing;
mod ftp;
mod ha_d;
mod includes;
mod ipvs_fill;
mod ipvs_table;
mod keepalived_diff;
mod ldirectord_diff;
mod load;
mod logins;
#[cfg(test)]
mod manual;
mod operator;
mod pair_moves;
mod pair_wires;
mod path_kinds;
mod privileges;
mod realserver;
mod rotate_key;
mod routing;
mod sample_table;
mod seeds;
mod serve;
mod smoke;
mod turns;
mod units;
mod wires;

use lab::Scenario;
use std::process::ExitCode;

const TABLE: &[Scenario] = &[
    Scenario::test("smoke", "pages come through a table made with ipvsadm", smoke::run),
    Scenario::test("cables", "cables are cut in silence, hosts lose power", wires::cables),
    Scenario::test("illness", "web servers fall ill and the client notices", wires::illness),
    Scenario::test("forwarding", "direct routing and tunnels, made by hand", wires::forwarding),
    Scenario::test("nat", "NAT through the inner floating address, made by hand", wires::nat),
    Scenario::test(
        "director",
        "lvsd alone: servers die and return, the sorry server stands in",
        director::death,
    ),
    Scenario::test(
        "checks",
        "every kind of check, and a server that falls ill in every way",
        checks::run,
    ),
    Scenario::test("operator", "plans, drains and weights, by whoever may", operator::run),
    Scenario::test("apply", "an edit that removes much waits, a trial goes back", apply::run),
    Scenario::test("decisions", "what is decided on one router holds on both", decisions::run),
    Scenario::test("carry", "ten hand-overs on demand lose no request, no download", carry::run),
    Scenario::test(
        "carry-full",
        "open connections are found among thousands that have ended",
        carry::full::run,
    ),
    Scenario::test("lvs-cf", "an lvs.cf with every routing method but NAT", routing::lvs_cf)
        .needs(&["nftables"]),
    Scenario::test("lvs-cf-nat", "an lvs.cf with NAT, through its nat_router", routing::nat),
    Scenario::test("ipv6", "direct routing and power loss with IPv6", routing::ipv6),
    Scenario::bench("bench-table", "1,000 services of 10 servers, and one weight", bench::table)
        .needs(&["keepalived"])
        .within_seconds(900),
    Scenario::bench(
        "bench-power-loss",
        "ten power losses each of Caribe and of keepalived, taking turns",
        bench::power_loss::run,
    )
    .needs(&["keepalived"]),
    Scenario::bench(
        "keepalived-diff",
        "keepalived and lvsd with the converted file make the same table at each step",
        keepalived_diff::run,
    )
    .needs(&["keepalived"])
    .within_seconds(900),
    Scenario::bench(
        "keepalived-weights",
        "a program of misc_dynamic asks for weights, and keepalived and lvsd set the same",
        keepalived_diff::weights::run,
    )
    .needs(&["keepalived"]),
    Scenario::bench(
        "ldirectord-diff",
        "ldirectord and lvsd with the same file make the same table at each step",
        ldirectord_diff::run,
    )
    .needs(&["ldirectord", "libnet-inet6glue-perl", "openssl"])
    .within_seconds(6000),
    Scenario::bench(
        "bench-addresses",
        "a thousand addresses after a power loss, beside keepalived",
        addresses::bench,
    )
    .needs(&["keepalived"]),
    Scenario::bench("bench-large", "40,000 real servers, filled and checked", bench::large::run)
        .within_seconds(900),
    Scenario::bench("bench-checks", "1,000 TCP checks a second", bench::checks)
        .needs(&["keepalived"]),
    Scenario::test(
        "director-no-refusal",
        "all servers fail and return, and no connection is refused",
        director::without_refusal,
    ),
    Scenario::test(
        "director-edits",
        "edits under load are in the kernel within a second, bad ones are refused",
        director::edits,
    ),
    Scenario::test(
        "director-operator",
        "a drain lets a download end, outlives a restart, and is explained",
        director::operator,
    ),
    Scenario::test(
        "director-restart",
        "lvsd is killed and returns without a change; drift is mended",
        director::restart,
    ),
    Scenario::test(
        "director-sysctls",
        "settings of the kernel are set, kept, and given back",
        director::sysctls,
    ),
    Scenario::test(
        "director-marks",
        "several ports are one service by marks that lvsd sets, mends and removes",
        director::marks,
    )
    .needs(&["nftables"]),
    Scenario::test(
        "ftp-direct",
        "FTP by marks and direct routing, passive and active, before and after a hand-over",
        ftp::direct,
    )
    .needs(&["nftables", "vsftpd"]),
    Scenario::test(
        "logins",
        "mailboxes and servers of files are out while they take no login",
        logins::run,
    )
    .needs(&["dovecot-imapd", "vsftpd"]),
    Scenario::test("load", "weights follow the load that a program tells", load::run),
    Scenario::test(
        "includes",
        "files of a folder add services, break, and go with them",
        includes::run,
    ),
    Scenario::test(
        "ftp-nat",
        "FTP by ip_vs_ftp and NAT, passive and active, before and after a hand-over",
        ftp::through_nat,
    )
    .needs(&["vsftpd"]),
    Scenario::test(
        "units",
        "the units under systemd: ready, killed, hung, replaced, stopped, in their sandbox",
        units::run,
    )
    .needs(&["systemd"])
    .within_seconds(300),
    Scenario::test(
        "data-path",
        "a real server that does not answer for the virtual server is seen, though it is well",
        data_path::run,
    )
    .needs(&["nftables"]),
    Scenario::test(
        "realserver",
        "real servers set up by lvsctl alone serve through the pair, and are put back",
        realserver::run,
    ),
    Scenario::test(
        "director-ldirectord",
        "the table is what ldirectord makes of the same file",
        director::like_ldirectord,
    )
    .needs(&["ldirectord"]),
    Scenario::test("ha-d", "a folder of heartbeat and ldirectord, run by the pair", ha_d::run)
        .needs(&["ldirectord"])
        .within_seconds(200),
    Scenario::test(
        "seed-heartbeat",
        "heartbeat and ldirectord from the files of a published text",
        seeds::heartbeat,
    )
    .within_seconds(240),
    Scenario::test(
        "seed-piranha",
        "Piranha with direct routing and a firewall mark, as in its handbook",
        seeds::piranha,
    )
    .needs(&["nftables"]),
    Scenario::test("seed-two-tier", "Piranha's two tiers with NAT", seeds::two_tier),
    Scenario::test(
        "seed-configure-lvs",
        "one director of configure-lvs, its lvs_dr.conf converted",
        seeds::configure_lvs,
    ),
    Scenario::test(
        "seed-daytime",
        "a table by ipvsadm on a director that serves, too",
        seeds::daytime,
    ),
    Scenario::test(
        "handover",
        "the operator hands over under load, and no request is lost",
        pair_moves::handover,
    ),
    Scenario::test("failback", "a group returns to its preferred router", pair_moves::failback),
    Scenario::test("two_groups", "two groups, each on its router", pair_moves::two_groups),
    Scenario::test("one_path", "one heartbeat path is cut, nothing moves", pair_wires::one_path),
    Scenario::test("witness", "cut off, the one with the witness is active", pair_wires::witness),
    Scenario::test(
        "fewer_witnesses",
        "a group goes to the router that reaches more witnesses",
        pair_wires::fewer_witnesses,
    ),
    Scenario::test(
        "fence",
        "a silent partner is switched off before its address is taken",
        fencing::retried,
    ),
    Scenario::test(
        "fence-forced",
        "an operator's word stands for a fencing that fails",
        fencing::forced,
    ),
    Scenario::test(
        "fence-stonith",
        "a device of an ha.cf is told its password, and nobody else",
        fencing::stonith,
    )
    .needs(&["cluster-glue"]),
    Scenario::test("path-ipv6", "heartbeats over IPv6 alone", path_kinds::ipv6),
    Scenario::test(
        "path-link-local",
        "heartbeats over link-local addresses alone",
        path_kinds::link_local,
    ),
    Scenario::test("path-multicast", "heartbeats over multicast alone", path_kinds::multicast),
    Scenario::test(
        "path-multicast6",
        "heartbeats over IPv6 multicast alone",
        path_kinds::multicast6,
    ),
    Scenario::test("path-broadcast", "heartbeats over broadcast alone", path_kinds::broadcast),
    Scenario::test(
        "addresses",
        "a thousand addresses move, and no path falls silent",
        addresses::run,
    ),
    Scenario::test("paused", "a paused router gives up before it speaks", pair_wires::paused),
    Scenario::test("restart", "a restarted daemon goes on as active", pair_wires::restart),
    Scenario::test("faults-kill", "kill -9 of each daemon on each router", faults::deaths::kill),
    Scenario::test(
        "faults-kill-again",
        "pulse is killed twice within dead_after",
        faults::deaths::kill_again,
    ),
    Scenario::test("faults-by-hand", "a hand in the active router", faults::network::by_hand),
    Scenario::test(
        "faults-interface",
        "interfaces of the active router are deleted and made anew",
        faults::interface::made_anew,
    ),
    Scenario::test("faults-noise", "bad wires, junk, wrong clocks", faults::network::noise),
    Scenario::test("faults-memory", "the kernel kills at the memory limit", faults::memory::run),
    Scenario::test("faults-resources", "no room, no descriptors", faults::resources::run),
    Scenario::test(
        "faults-pause",
        "a paused router wakes up, beside keepalived",
        faults::pause::run,
    )
    .needs(&["keepalived"])
    .within_seconds(200),
    Scenario::test("faults-upgrade", "a new binary of each daemon", faults::deaths::upgrade),
    Scenario::test(
        "faults-abandoned",
        "a router whose daemons are killed loses its addresses",
        faults::deaths::abandoned,
    ),
    Scenario::test("rotate-key", "a new heartbeat key while the pair works", rotate_key::run),
    Scenario::test("privileges", "what each daemon may do, as the kernel tells", privileges::run),
    Scenario::test("demo", "the pair of routers, told to a person", demo::run)
        .only_named()
        .within_seconds(600),
    Scenario::test("serve", "the pair of routers, to play with", serve::run)
        .only_named()
        .within_seconds(8 * 3600),
    Scenario::test(
        "ipvs_table",
        "every kind of entry is written and read as ipvsadm does; a model foresees each refusal",
        ipvs_table::run,
    ),
    Scenario::test(
        "counters",
        "what passes is counted, and a change in place keeps the count",
        ipvs_table::counters,
    ),
    Scenario::test("routes", "addresses, routes and neighbours are told right", ipvs_table::routes),
    Scenario::bench(
        "ipvs_fill",
        "a table of 1,000 services with 10 servers each is filled faster than by ipvsadm",
        ipvs_fill::run,
    ),
];

fn main() -> ExitCode {
    lab::runner::main(TABLE)
}
