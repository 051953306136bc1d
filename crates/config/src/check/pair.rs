//! Rules over routers, heartbeats and groups.

use std::collections::HashMap;
use std::net::IpAddr;

use super::Rules;
use crate::model::{Failback, FloatingAddress, Group, Heartbeat, Pair, SharedPath};
use crate::nearest;
use crate::places::Part;

/// `IFNAMSIZ` without the closing NUL: the kernel cuts longer labels.
const MAX_LABEL: usize = 15;

pub(super) fn check(pair: &Pair, rules: &mut Rules<'_>) {
    routers(pair, rules);
    heartbeat(&pair.heartbeat, rules);
    if rules.whole && pair.groups.is_empty() {
        let help = "add the addresses that move between the routers";
        rules.error(Part::File, "there are two routers, but no floating address", help);
    }
    let mut floating: HashMap<IpAddr, &str> = HashMap::new();
    for (index, group) in pair.groups.iter().enumerate() {
        self::group(pair, index, group, rules);
        for (number, address) in group.addresses.iter().enumerate() {
            let part = Part::Address(index, number);
            floating_address(pair, address, part, rules);
            if let Some(other) = floating.insert(address.ip, &group.name) {
                let message = format!("{} is a floating address of {other} already", address.ip);
                rules.error(part, message, "remove it here or there: one group moves it");
            }
        }
    }
    if pair.heartbeat.yield_on_fewer_witnesses && pair.heartbeat.witness.is_empty() {
        let help = "name hosts that both routers reach: `witness: [192.168.1.254]`";
        let part = Part::Heartbeat("yield_on_fewer_witnesses");
        rules.error(part, "there is no witness to compare", help);
    }
    for witness in &pair.heartbeat.witness {
        let own = pair.routers.iter().any(|router| router.paths.contains(witness));
        if own || floating.contains_key(witness) {
            let message = format!("the witness {witness} is an address of the routers themselves");
            let help = "name a third host that both routers reach, such as the gateway";
            rules.error(Part::Heartbeat("witness"), message, help);
        }
    }
}

fn routers(pair: &Pair, rules: &mut Rules<'_>) {
    let [first, second] = &pair.routers;
    if first.name == second.name {
        let message = format!("both routers are called {}", first.name);
        rules.error(Part::Router(1), message, "write each as `uname -n` prints it there");
    }
    if rules.whole && first.paths.len() != second.paths.len() {
        let message = format!(
            "{} has {} and {} has {}",
            first.name,
            addresses(first.paths.len()),
            second.name,
            addresses(second.paths.len())
        );
        let help = "give both routers one address on each path: the n-th ones face each other";
        rules.error(Part::Router(1), message, help);
    }
    for (index, (one, other)) in first.paths.iter().zip(&second.paths).enumerate() {
        if one.is_ipv4() != other.is_ipv4() {
            let message = format!("{one} and {other} face each other, but are of two families");
            rules.error(Part::Path(1, index), message, "write both as IPv4 or both as IPv6");
        }
    }
    let mut seen = Vec::new();
    for (index, router) in pair.routers.iter().enumerate() {
        for (number, path) in router.paths.iter().enumerate() {
            if seen.contains(path) {
                let message = format!("{path} is given twice");
                let help = "each router has its own address on each path";
                rules.error(Part::Path(index, number), message, help);
            } else if path.is_unspecified() || path.is_multicast() {
                let help = "write the address that this router has on the path";
                rules.error(
                    Part::Path(index, number),
                    format!("{path} is no host's address"),
                    help,
                );
            }
            seen.push(*path);
        }
    }
    if rules.whole && seen.is_empty() && pair.heartbeat.shared_paths.is_empty() {
        let help = "give each router `paths`, or add broadcast or multicast to heartbeat";
        rules.error(Part::Router(0), "the routers have no path to hear of each other", help);
    }
}

fn addresses(count: usize) -> String {
    match count {
        0 => "no path".into(),
        1 => "1 path".into(),
        count => format!("{count} paths"),
    }
}

fn heartbeat(heartbeat: &Heartbeat, rules: &mut Rules<'_>) {
    let text = crate::native::scalar::render_duration;
    let (interval, dead_after) = (heartbeat.interval, heartbeat.dead_after);
    if interval.is_zero() {
        rules.error(Part::Heartbeat("interval"), "interval is 0", "write 200ms");
    }
    if dead_after < interval * 2 {
        let message = format!(
            "dead_after is {}, less than two intervals of {}",
            text(dead_after),
            text(interval)
        );
        let help = format!(
            "write {} (three intervals) or more, or one lost packet is a failover",
            text(interval * 3)
        );
        rules.error(Part::Heartbeat("dead_after"), message, help);
    }
    if let Some(warn_after) = heartbeat.warn_after
        && rules.whole
        && (warn_after >= dead_after || warn_after <= interval)
    {
        let when = if warn_after >= dead_after { "never" } else { "always" };
        let message = format!("warn_after is {}, so it warns {when}", text(warn_after));
        let help = format!("choose it between {} and {}", text(interval), text(dead_after));
        rules.warning(Part::Heartbeat("warn_after"), message, help);
    }
    if rules.whole && heartbeat.listen_first < dead_after {
        let message = format!(
            "listen_first is {}, shorter than dead_after: a starting router may act before it can hear its partner",
            text(heartbeat.listen_first)
        );
        let help = format!("write {} or more", text(dead_after));
        rules.warning(Part::Heartbeat("listen_first"), message, help);
    }
    if heartbeat.port == 0 {
        rules.error(Part::Heartbeat("port"), "port is 0", "write 539, or another free UDP port");
    }
    for path in &heartbeat.shared_paths {
        if let SharedPath::Multicast { group, .. } = path
            && !group.is_multicast()
        {
            let help = "write a group such as 239.0.0.42 or ff02::4242";
            rules.error(
                Part::Heartbeat("multicast"),
                format!("{group} is no multicast group"),
                help,
            );
        }
    }
}

fn group(pair: &Pair, index: usize, group: &Group, rules: &mut Rules<'_>) {
    let before = pair.groups.iter().take(index);
    if before.into_iter().any(|other| other.name == group.name) {
        let message = format!("two groups are called {}", group.name);
        rules.error(Part::Group(index), message, "give each its own name");
    }
    let names = || pair.routers.iter().map(|router| router.name.as_str());
    if let Some(preferred) = &group.preferred
        && !names().any(|name| name == preferred)
    {
        let help = match nearest(preferred, names()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("write {}", names().collect::<Vec<_>>().join(" or ")),
        };
        rules.error(Part::Preferred(index), format!("no router is called {preferred}"), help);
    }
    if rules.whole
        && group.preferred.is_none()
        && matches!(group.failback, Failback::Automatic { .. })
    {
        let help = "add `preferred` with the router's name";
        let message = format!("{} fails back automatically, but to no router", group.name);
        rules.warning(Part::Group(index), message, help);
    }
    if rules.whole && group.addresses.is_empty() && group.hooks.is_empty() {
        let message = format!("{} has nothing that moves", group.name);
        rules.error(Part::Group(index), message, "add addresses, or remove the group");
    }
    for (number, hook) in group.hooks.iter().enumerate() {
        if hook.timeout.is_zero() {
            let message = format!("the time limit of {} is 0", hook.name);
            rules.error(Part::Hook(index, number), message, "write 30s");
        }
    }
}

fn floating_address(pair: &Pair, address: &FloatingAddress, part: Part, rules: &mut Rules<'_>) {
    let ip = address.ip;
    if let Some(router) = pair.routers.iter().find(|router| router.paths.contains(&ip)) {
        let message = format!("{ip} is an own address of {}, and cannot move", router.name);
        rules.error(part, message, "choose an address that neither router has");
    }
    if ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() {
        let help = "write an address of the network that clients reach";
        rules.error(part, format!("{ip} cannot be a floating address"), help);
    }
    let most = if ip.is_ipv4() { 32 } else { 128 };
    if let Some(length) = address.prefix_length.filter(|length| *length == 0 || *length > most) {
        let message = format!("/{length} is no network of {ip}");
        rules.error(part, message, format!("write /1 to /{most}"));
    }
    if address.broadcast.is_some() && ip.is_ipv6() {
        rules.error(part, format!("{ip} has a broadcast address"), "remove it: IPv6 has none");
    }
    if let Some(label) = address.label.as_ref().filter(|label| label.len() > MAX_LABEL) {
        let message = format!("the label {label} is longer than {MAX_LABEL} characters");
        rules.error(part, message, "shorten it, or leave it out");
    }
}
