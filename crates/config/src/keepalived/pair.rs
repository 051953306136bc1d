//! Two routers out of what one file, or one file of each, tells.

use std::net::IpAddr;
use std::time::Duration;

use super::instance::Instance;
use super::report::Report;
use super::text::At;
use super::view::View;
use crate::foreign::host::is_name;
use crate::model::{Failback, Group, Heartbeat, KeySource, Pair, Router, SharedPath};

/// UDP port of heartbeats, of which VRRP has none.
const PORT: u16 = 539;
/// Names of routers that the files do not name.
const NAMES: [&str; 2] = ["master", "backup"];

/// Where the parts of the pair stand.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) interval: At,
    pub(super) routers: At,
    pub(super) groups: Vec<(At, Vec<At>, Vec<At>)>,
}

/// Reads the pair; `None` when the file has no instance, or does not tell enough.
pub(super) fn pair(report: &mut Report, views: &[View]) -> Option<(Pair, Places)> {
    let (mine, other) = (views.first()?, views.get(1));
    let first = mine.instances.first()?;
    let names = names(report, mine, other, first)?;
    let (paths, shared_paths) = paths(report, mine, other)?;
    if paths.is_empty() && views.iter().any(|view| own_name(view).is_none()) {
        let help = "write `router_id NAME` into `global_defs` of each file, each name as `uname -n` prints it there; or `unicast_src_ip` and `unicast_peer` into the instances";
        report.error(&first.name.at, "neither a name nor an address tells the routers apart", help);
        return None;
    }
    let fastest = mine.instances.iter().min_by_key(|instance| instance.advert)?;
    for slower in mine.instances.iter().filter(|instance| instance.advert != fastest.advert) {
        let help = "the shortest one is taken";
        report.noted("a pair has one interval of heartbeats", &slower.advert_at, help);
    }
    let lowest =
        partner(other, fastest).map_or(fastest.priority, |o| o.priority.min(fastest.priority));
    let mut dead_after = fastest.dead_after(&mine.global, lowest);
    if dead_after < fastest.advert * 2 {
        let help = "two intervals are taken: one lost packet must not be a failover";
        report.warning(
            &fastest.advert_at,
            "a partner is lost within less than two intervals",
            help,
        );
        dead_after = fastest.advert * 2;
    }
    let heartbeat = Heartbeat {
        interval: fastest.advert,
        dead_after,
        warn_after: None,
        // A starting instance waits for as long as a dead partner would take.
        listen_first: dead_after,
        port: PORT,
        shared_paths,
        keys: KeySource::Default,
        witness: Vec::new(),
        yield_on_fewer_witnesses: false,
    };
    let mut places = Places {
        interval: fastest.advert_at.clone(),
        routers: first.name.at.clone(),
        groups: Vec::new(),
    };
    let groups = groups(report, mine, other, &names, &mut places);
    let [name, other_name] = names;
    let (own, theirs) = paths.into_iter().unzip();
    let routers = [Router { name, paths: own }, Router { name: other_name, paths: theirs }];
    Some((Pair { routers, heartbeat, groups, fence: None }, places))
}

/// The same instance in the other router's view.
fn partner<'v>(other: Option<&'v View>, instance: &Instance) -> Option<&'v Instance> {
    let all = &other?.instances;
    let same_name = all.iter().find(|theirs| theirs.name.text == instance.name.text);
    same_name.or_else(|| {
        let number = instance.router_number;
        all.iter().find(|theirs| number.is_some() && theirs.router_number == number)
    })
}

/// A router's name: as its lines begin, or as its file calls it.
fn own_name(view: &View) -> Option<String> {
    let id = view.global.router_id.as_ref().map(|word| word.text.clone());
    id.filter(|id| is_name(id)).or_else(|| view.label.clone())
}

fn names(
    report: &mut Report,
    mine: &View,
    other: Option<&View>,
    first: &Instance,
) -> Option<[String; 2]> {
    let [master, backup] = NAMES;
    let theirs = other.map(|other| (own_name(other), partner(Some(other), first)));
    let leads = match &theirs {
        Some((_, Some(partner))) if partner.priority != first.priority => {
            first.priority > partner.priority
        }
        _ => first.is_master,
    };
    let [default, default_other] = if leads { [master, backup] } else { [backup, master] };
    let one = own_name(mine).unwrap_or_else(|| default.to_string());
    let two = theirs.and_then(|(name, _)| name);
    let two = two.unwrap_or_else(|| {
        let free = if one == default_other { default } else { default_other };
        free.to_string()
    });
    if one == two {
        let at = mine.global.router_id.as_ref().map_or(&first.name.at, |word| &word.at);
        let help = "write `router_id NAME` in each file, each name as `uname -n` prints it there";
        report.error(at, format!("both routers are called {one}"), help);
        return None;
    }
    Some([one, two])
}

type Paths = (Vec<(IpAddr, IpAddr)>, Vec<SharedPath>);

/// The addresses that face each other, and multicast where none are known.
fn paths(report: &mut Report, mine: &View, other: Option<&View>) -> Option<Paths> {
    let mut found: Paths = (Vec::new(), Vec::new());
    let errors = report.errors();
    for instance in &mine.instances {
        let theirs = partner(other, instance);
        if let (Some(_), None) = (other, theirs) {
            let help = "write it in both files, with the same name or virtual_router_id";
            let message = format!("the other router has no instance {}", instance.name.text);
            report.error(&instance.name.at, message, help);
            continue;
        }
        if let Some((peer, at)) = instance.peers.get(1) {
            let help = "keep the one that is to be the partner; a third router cannot take over";
            report.error(at, format!("{peer} is a second peer, and a pair has two routers"), help);
            continue;
        }
        let address = |one: &Instance, facing: Option<&Instance>| {
            let told = facing.and_then(|facing| facing.peers.first());
            one.own.as_ref().or(told).map(|(ip, _)| *ip)
        };
        let own = address(instance, theirs);
        let facing = match theirs {
            Some(theirs) => address(theirs, Some(instance)),
            None => instance.peers.first().map(|(ip, _)| *ip),
        };
        match (own, facing) {
            (Some(own), Some(facing)) if own != facing => {
                if !found.0.contains(&(own, facing)) {
                    found.0.push((own, facing));
                }
            }
            (Some(same), Some(_)) => {
                let help = "write each router's own address as `unicast_src_ip`";
                report.error(&instance.name.at, format!("both routers are {same}"), help);
            }
            _ => multicast(report, mine, instance, theirs, &mut found.1),
        }
    }
    // A path that is known serves for the instances on its interface that tell of none.
    let known = |name: &str| {
        let mut all = mine.instances.iter();
        all.any(|i| i.own.is_some() && i.interface.as_deref() == Some(name))
    };
    let addressed = !found.0.is_empty();
    found.1.retain(|path| match path {
        SharedPath::Multicast { interface, .. } => !(addressed && known(interface)),
        _ => true,
    });
    if found.0.is_empty() && found.1.is_empty() && report.errors() == errors {
        untold(report, mine.instances.first()?);
    }
    (report.errors() == errors).then_some(found)
}

fn multicast(
    report: &mut Report,
    mine: &View,
    instance: &Instance,
    theirs: Option<&Instance>,
    found: &mut Vec<SharedPath>,
) {
    let (Some(theirs), Some(interface)) = (theirs, &instance.interface) else { return };
    if theirs.interface.as_ref() != Some(interface) {
        let help = "write `unicast_src_ip` and `unicast_peer` in both: a path by addresses needs no interface";
        let message = "the routers hear of each other on interfaces of different names";
        report.error(&instance.name.at, message, help);
        return;
    }
    let group = instance.multicast(&mine.global);
    let interface = interface.clone();
    let path = SharedPath::Multicast { interface, group, port: PORT, ttl: 1 };
    if !found.contains(&path) {
        found.push(path);
    }
}

/// Says what has to be filled in, as keepalived and as we would write it.
fn untold(report: &mut Report, instance: &Instance) {
    let own = instance.own.as_ref().map_or("OWN_ADDRESS".to_string(), |(ip, _)| ip.to_string());
    let help = format!(
        "give both routers' files: `lvsctl convert FILE OTHER_FILE`\nor write here `unicast_src_ip {own}` and `unicast_peer {{ PARTNER_ADDRESS }}`, the own addresses of this router and of its partner\nwhich becomes `routers: {{ NAME: {{ paths: [{own}] }}, PARTNER: {{ paths: [PARTNER_ADDRESS] }} }}`, each name as `uname -n` prints it there"
    );
    let message = "this file tells of one router, and not where its partner is";
    report.error(&instance.name.at, message, help);
}

fn groups(
    report: &mut Report,
    mine: &View,
    other: Option<&View>,
    names: &[String; 2],
    places: &mut Places,
) -> Vec<Group> {
    let mut free: Vec<&Instance> = mine.instances.iter().collect();
    let mut found = Vec::new();
    for group in &mine.groups {
        let mut members = Vec::new();
        for member in &group.members {
            match free.iter().position(|instance| instance.name.text == member.text) {
                Some(at) => members.push(free.remove(at)),
                None => {
                    let help = "write the name of a `vrrp_instance` that is in no other group";
                    let message = format!("no instance is called `{}`", member.text);
                    report.error(&member.at, message, help);
                }
            }
        }
        if !members.is_empty() {
            let hooks = group.hooks.clone();
            let start = (group.name.text.clone(), group.name.at.clone());
            found.push(one_group(report, start, &members, hooks, other, names, places));
        }
    }
    for instance in free {
        let start = (instance.name.text.clone(), instance.name.at.clone());
        found.push(one_group(report, start, &[instance], Vec::new(), other, names, places));
    }
    found
}

fn one_group(
    report: &mut Report,
    (name, at): (String, At),
    members: &[&Instance],
    more: Vec<(crate::model::Hook, At)>,
    other: Option<&View>,
    names: &[String; 2],
    places: &mut Places,
) -> Group {
    let addresses = members.iter().flat_map(|member| member.addresses.clone());
    let hooks = members.iter().flat_map(|member| member.hooks.clone()).chain(more);
    let (addresses, address_places) = addresses.unzip();
    let (hooks, hook_places) = hooks.unzip();
    places.groups.push((at.clone(), address_places, hook_places));
    let (preferred, failback) = preferred(report, &at, members, other, names);
    Group { name, preferred, failback, addresses, hooks }
}

/// The router of the higher priority, and whether it takes the group back.
fn preferred(
    report: &mut Report,
    at: &At,
    members: &[&Instance],
    other: Option<&View>,
    names: &[String; 2],
) -> (Option<String>, Failback) {
    let Some(first) = members.first() else { return (None, Failback::Manual) };
    let theirs = partner(other, first);
    let [mine, other_name] = names;
    let (better, name) = match theirs {
        Some(theirs) if theirs.priority > first.priority => (theirs, Some(other_name)),
        Some(theirs) if theirs.priority == first.priority && theirs.is_master => {
            (theirs, Some(other_name))
        }
        Some(theirs) if theirs.priority == first.priority && !first.is_master => (*first, None),
        Some(_) => (*first, Some(mine)),
        None if first.is_master => (*first, Some(mine)),
        None if first.stays() => (*first, None),
        None => (*first, Some(other_name)),
    };
    if name.is_none() {
        let help = format!(
            "it stays where it is; write `preferred: {mine}` or `preferred: {other_name}` in the converted file"
        );
        report.warning(at, "nothing says which router should hold this when both are well", help);
        return (None, Failback::Manual);
    }
    let stays = members.iter().any(|member| member.stays()) && theirs.is_none() || better.stays();
    let delay: Duration = better.delay;
    let failback = if stays { Failback::Manual } else { Failback::Automatic { delay } };
    (name.cloned(), failback)
}
