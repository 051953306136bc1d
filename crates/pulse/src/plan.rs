//! From the checked configuration to what this router does with it. Pure.

use std::net::IpAddr;

use config::model::{ConnectionSync, Failback, FloatingAddress, Group, Hook, Pair};
use heartbeat::{GroupId, GroupSetup, PathId, PathSetup, RouterId, Setup, Side, Timing};
use netlink::{HostAddress, Lease};
use send_arp::{Link, Mac};

use crate::host::{Host, Places};
use crate::lease;
use crate::path::PathPlan;

mod fence;

pub(crate) use fence::FencePlan;

/// Everything about one group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GroupPlan {
    pub(crate) id: GroupId,
    pub(crate) name: String,
    pub(crate) preferred: Option<String>,
    pub(crate) failback: Failback,
    pub(crate) addresses: Vec<Placed>,
    /// How long the kernel keeps an address that is not renewed.
    pub(crate) lease_seconds: u32,
    pub(crate) hooks: Vec<Hook>,
    /// How open connections reach the partner.
    pub(crate) sync: Option<ConnectionSync>,
}

/// A floating address at its place on this host.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed {
    pub(crate) address: HostAddress,
    pub(crate) interface: String,
    pub(crate) link: Option<Link>,
    /// An address that stays here has the route of its network.
    pub(crate) shares_route: bool,
}

/// Everything that this router does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) me: Side,
    /// Names of this router and the other one.
    pub(crate) names: [String; 2],
    pub(crate) paths: Vec<PathPlan>,
    pub(crate) groups: Vec<GroupPlan>,
    pub(crate) witness: Vec<IpAddr>,
    pub(crate) fence: Option<FencePlan>,
    pub(crate) timing: Timing,
    pub(crate) hash: u64,
}

impl Plan {
    /// Places everything on this host; the error is one line for each thing that has no place.
    pub(crate) fn new(
        pair: &Pair,
        sync: Option<&ConnectionSync>,
        me: Side,
        hash: u64,
        host: &Host,
    ) -> Result<Self, Vec<String>> {
        let [first, second] = &pair.routers;
        let (own, other) = match me {
            Side::First => (first, second),
            Side::Second => (second, first),
        };
        let mut problems = Vec::new();
        let beat = &pair.heartbeat;
        let paths = PathPlan::all(own, other, beat, host).unwrap_or_else(|found| {
            problems.extend(found);
            Vec::new()
        });
        let timing =
            Timing::try_new(beat.interval, beat.dead_after, beat.warn_after, beat.listen_first);
        let floating: Vec<IpAddr> = pair.groups.iter().flat_map(ips).collect();
        let mut groups = Vec::with_capacity(pair.groups.len());
        for group in &pair.groups {
            let place = |address| place(address, &group.name, host, &floating);
            let (placed, lost): (Vec<_>, Vec<_>) =
                group.addresses.iter().map(place).partition(Result::is_ok);
            problems.extend(lost.into_iter().filter_map(Result::err));
            groups.push(GroupPlan {
                id: GroupId::of(&group.name),
                name: group.name.clone(),
                preferred: group.preferred.clone(),
                failback: group.failback,
                lease_seconds: lease::seconds(beat.dead_after, placed.len()),
                addresses: placed.into_iter().flatten().collect(),
                hooks: group.hooks.clone(),
                sync: sync.cloned(),
            });
        }
        let names = [own.name.clone(), other.name.clone()];
        match timing {
            Ok(timing) if problems.is_empty() => {
                let witness = beat.witness.clone();
                let fence = pair.fence.as_ref();
                let fence = fence.map(|fence| FencePlan::new(fence, &pair.routers, me));
                Ok(Self { me, names, paths, groups, witness, fence, timing, hash })
            }
            Ok(_) => Err(problems),
            Err(error) => {
                problems.push(error.to_string());
                Err(problems)
            }
        }
    }

    /// What the state machine is told. `before` are the paths of the plan in force, if any.
    pub(crate) fn setup(&self, host: &Host, before: &[PathPlan]) -> Setup {
        let path = |path: &PathPlan| PathSetup {
            carrier: path.carrier(host),
            was: before.iter().position(|old| old == path).map(PathId),
        };
        let side = |name: &String| {
            let mine = self.names.first() == Some(name);
            if mine { self.me } else { self.me.other() }
        };
        let places = host.places();
        let group = |group: &GroupPlan| GroupSetup {
            id: group.id,
            preferred: group.preferred.as_ref().map(side),
            failback: match group.failback {
                Failback::Manual => None,
                Failback::Automatic { delay } => Some(delay),
            },
            fit: group.fit(host),
            holding: group.addresses.iter().any(|placed| placed.present(&places)),
        };
        let [me, partner] = &self.names;
        Setup {
            me: self.me,
            router: RouterId::of(me),
            partner: RouterId::of(partner),
            timing: self.timing,
            paths: self.paths.iter().map(path).collect(),
            groups: self.groups.iter().map(group).collect(),
            witness: !self.witness.is_empty(),
            fence: self.fence.as_ref().map(|fence| fence.setup),
            config_hash: self.hash,
        }
    }

    /// The groups that an operator means: by name, or `all`, `local` and `foreign` as heartbeat has
    /// them, unless a group is called so. No word at all means all. Whether only such a word was
    /// given comes with it.
    pub(crate) fn chosen(&self, words: &[String]) -> (Vec<String>, bool) {
        let [me, _] = &self.names;
        let of = |fits: &dyn Fn(&GroupPlan) -> bool| {
            let groups = self.groups.iter().filter(|group| fits(group));
            groups.map(|group| group.name.clone()).collect::<Vec<String>>()
        };
        let mine = |group: &GroupPlan| group.preferred.as_ref() == Some(me);
        if words.is_empty() {
            return (of(&|_| true), true);
        }
        let (mut names, mut swept) = (Vec::new(), true);
        for word in words {
            let known = self.groups.iter().any(|group| group.name == *word);
            match word.as_str() {
                "all" if !known => names.extend(of(&|_| true)),
                "local" if !known => names.extend(of(&mine)),
                // heartbeat's `failback` gives back what belongs to the partner.
                "foreign" | "failback" if !known => names.extend(of(&|group| !mine(group))),
                name => {
                    names.push(name.to_owned());
                    swept = false;
                }
            }
        }
        names.dedup();
        (names, swept)
    }

    pub(crate) fn group(&self, id: GroupId) -> Option<&GroupPlan> {
        self.groups.iter().find(|group| group.id == id)
    }
}

impl GroupPlan {
    /// Every interface of its addresses has a carrier.
    pub(crate) fn fit(&self, host: &Host) -> bool {
        let carries = |placed: &Placed| {
            host.named(&placed.interface).is_some_and(|link| link.carrier || link.loopback)
        };
        self.addresses.iter().all(carries)
    }

    /// Interfaces can be made anew with another number or address: look them up again.
    pub(crate) fn placed_again(&self, host: &Host) -> Self {
        let mut group = self.clone();
        for placed in &mut group.addresses {
            if let Some(link) = host.named(&placed.interface) {
                placed.address.interface = link.index;
                placed.link = announced_on(link);
            }
        }
        group
    }
}

impl Placed {
    pub(crate) fn present(&self, places: &Places) -> bool {
        places.contains(&(self.address.ip, self.address.interface))
    }

    pub(crate) fn lease(&self, seconds: u32) -> Lease {
        Lease { seconds, shares_route: self.shares_route }
    }

    /// `192.168.1.1/24`.
    pub(crate) fn shown(&self) -> String {
        format!("{}/{}", self.address.ip, self.address.prefix_length)
    }
}

fn ips(group: &Group) -> impl Iterator<Item = IpAddr> {
    group.addresses.iter().map(|address| address.ip)
}

/// Where an address goes: the interface it names, or the one whose network holds it. `moving` are
/// the floating addresses of all groups.
fn place(
    floating: &FloatingAddress,
    group: &str,
    host: &Host,
    moving: &[IpAddr],
) -> Result<Placed, String> {
    let ip = floating.ip;
    let near = host.network_holding(ip);
    let link = match &floating.interface {
        Some(name) => host.named(name).ok_or_else(|| {
            let known: Vec<&str> = host.links.iter().map(|link| link.name.as_str()).collect();
            format!(
                "floating address {ip} of group {group} wants interface {name}, which this host \
                 does not have (it has {}): name another one",
                known.join(", ")
            )
        })?,
        None => near.and_then(|near| host.numbered(near.interface)).ok_or_else(|| {
            format!(
                "floating address {ip} of group {group} lies in no network of this host: name \
                 its interface"
            )
        })?,
    };
    let whole = if ip.is_ipv4() { 32 } else { 128 };
    let near_length = near.filter(|near| near.interface == link.index);
    let near_length = near_length.map_or(whole, |near| near.prefix_length);
    let label = floating.label.clone();
    let prefix_length = floating.prefix_length.unwrap_or(near_length);
    Ok(Placed {
        shares_route: host.shares_route(ip, prefix_length, link.index, moving),
        address: HostAddress {
            ip,
            prefix_length,
            interface: link.index,
            // Without a label of its own an address bears the interface's name, as the kernel
            // does it for `ip addr add`.
            label: label.or_else(|| ip.is_ipv4().then(|| link.name.clone())),
            broadcast: floating.broadcast,
        },
        interface: link.name.clone(),
        link: announced_on(link),
    })
}

/// How it is announced there; not at all on an interface without link-layer addresses.
fn announced_on(link: &netlink::HostLink) -> Option<Link> {
    let mac = link.mac.filter(|_| !link.loopback)?;
    // A router of a pair routes: neighbours may go on using it as one.
    Some(Link { index: link.index, mac: Mac(mac), router: true })
}

#[cfg(test)]
mod tests;
