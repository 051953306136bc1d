//! From the checked configuration to what this router does with it. Pure.

use std::collections::HashSet;
use std::net::IpAddr;

use config::model::{ConnectionSync, Failback, FloatingAddress, Group, Hook, Pair};
use heartbeat::timing::TimingError;
use heartbeat::{GroupId, GroupSetup, PathId, PathSetup, RouterId, Setup, Side, Timing};
use netlink::{HostAddress, Lease};
use send_arp::{Link, Mac};

use crate::host::{Host, Places};
use crate::lease;
use crate::path::{PathPlan, Sources};

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
    /// What the configuration says of each of them.
    sources: Vec<FloatingAddress>,
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
    /// Empty while it is not known.
    pub(crate) interface: String,
    pub(crate) link: Option<Link>,
    /// An address that stays here has the route of its network.
    pub(crate) shares_route: bool,
    /// Why it has no place on this host at the moment. Its group cannot be held here then.
    pub(crate) absent: Option<String>,
}

/// Everything that this router does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) me: Side,
    /// Names of this router and the other one.
    pub(crate) names: [String; 2],
    pub(crate) sources: Sources,
    pub(crate) paths: Vec<PathPlan>,
    pub(crate) groups: Vec<GroupPlan>,
    pub(crate) witness: Vec<IpAddr>,
    /// Who reaches fewer witnesses than the partner gives its groups away.
    pub(crate) yields: bool,
    pub(crate) fence: Option<FencePlan>,
    pub(crate) timing: Timing,
    pub(crate) hash: u64,
}

impl Plan {
    /// Places everything on this host. What has no place says why, and waits for it.
    ///
    /// # Errors
    /// The times do not fit each other.
    pub(crate) fn new(
        pair: &Pair,
        sync: Option<&ConnectionSync>,
        me: Side,
        hash: u64,
        host: &Host,
    ) -> Result<Self, TimingError> {
        let [first, second] = &pair.routers;
        let (own, other) = match me {
            Side::First => (first, second),
            Side::Second => (second, first),
        };
        let beat = &pair.heartbeat;
        let sources = Sources::new(own, other, beat);
        let timing =
            Timing::try_new(beat.interval, beat.dead_after, beat.warn_after, beat.listen_first)?;
        let floating: HashSet<IpAddr> = pair.groups.iter().flat_map(ips).collect();
        let group = |group: &Group| GroupPlan {
            id: GroupId::of(&group.name),
            name: group.name.clone(),
            preferred: group.preferred.clone(),
            failback: group.failback,
            lease_seconds: lease::seconds(beat.dead_after, group.addresses.len()),
            addresses: group.addresses.iter().map(|one| place(one, host, &floating)).collect(),
            sources: group.addresses.clone(),
            hooks: group.hooks.clone(),
            sync: sync.cloned(),
        };
        let fence = pair.fence.as_ref();
        Ok(Self {
            me,
            names: [own.name.clone(), other.name.clone()],
            paths: sources.paths(host),
            sources,
            groups: pair.groups.iter().map(group).collect(),
            witness: beat.witness.clone(),
            yields: beat.yield_on_fewer_witnesses && !beat.witness.is_empty(),
            fence: fence.map(|fence| FencePlan::new(fence, &pair.routers, me)),
            timing,
            hash,
        })
    }

    /// What an edit must not bring: paths and addresses without a place here that `before` does not
    /// have, and the loss of the last path that has one.
    pub(crate) fn misplaced(&self, before: &Self) -> Vec<String> {
        let new = |path: &&PathPlan| !before.paths.iter().any(|old| path.is(old));
        let mut problems: Vec<String> =
            self.paths.iter().filter(new).filter_map(PathPlan::problem).collect();
        let there = |plan: &Self| plan.paths.iter().any(|path| path.absent.is_none());
        if problems.is_empty() && there(before) && !there(self) {
            problems.extend(self.paths.iter().filter_map(PathPlan::problem));
        }
        let known: Vec<&FloatingAddress> =
            before.groups.iter().flat_map(|group| &group.sources).collect();
        for group in &self.groups {
            // There may be thousands, and nearly all have their place.
            let absent = group.addresses.iter().zip(&group.sources);
            let absent = absent.filter(|(placed, _)| placed.absent.is_some());
            let new = absent.filter(|(_, source)| !known.contains(source));
            problems.extend(new.filter_map(|(placed, _)| placed.problem(&group.name)));
        }
        problems
    }

    /// Every floating address.
    pub(crate) fn floating(&self) -> HashSet<IpAddr> {
        let sources = self.groups.iter().flat_map(|group| &group.sources);
        sources.map(|address| address.ip).collect()
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
            yields: self.yields,
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
    /// An address of it has no place on this host.
    pub(crate) fn absent(&self) -> bool {
        self.addresses.iter().any(|placed| placed.absent.is_some())
    }

    /// Every interface of its addresses is there and has a carrier.
    pub(crate) fn fit(&self, host: &Host) -> bool {
        let carries = |placed: &Placed| {
            placed.absent.is_none()
                && host.named(&placed.interface).is_some_and(|link| link.carrier || link.loopback)
        };
        self.addresses.iter().all(carries)
    }

    /// Interfaces can be made anew with another number or address: look them up again. What had no
    /// place may have one now. `moving` are the floating addresses of all groups.
    pub(crate) fn placed_again(&self, host: &Host, moving: &HashSet<IpAddr>) -> Self {
        let mut group = self.clone();
        for (placed, source) in group.addresses.iter_mut().zip(&self.sources) {
            if placed.absent.is_some() {
                *placed = place(source, host, moving);
            } else if let Some(link) = host.named(&placed.interface) {
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

    /// Why it has no place, if so.
    pub(crate) fn problem(&self, group: &str) -> Option<String> {
        let absent = self.absent.as_ref()?;
        Some(format!("floating address {} of group {group} {absent}", self.address.ip))
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
fn place(floating: &FloatingAddress, host: &Host, moving: &HashSet<IpAddr>) -> Placed {
    let ip = floating.ip;
    let near = host.network_holding(ip);
    let (link, absent) = match &floating.interface {
        Some(name) => (host.named(name), wants(name, host)),
        None => {
            let absent = "lies in no network of this host: name its interface".to_owned();
            (near.and_then(|near| host.numbered(near.interface)), absent)
        }
    };
    let index = link.map_or(0, |link| link.index);
    let name = link.map(|link| link.name.clone()).or_else(|| floating.interface.clone());
    let whole = if ip.is_ipv4() { 32 } else { 128 };
    let near_length = near.filter(|near| near.interface == index);
    let near_length = near_length.map_or(whole, |near| near.prefix_length);
    let label = floating.label.clone();
    let prefix_length = floating.prefix_length.unwrap_or(near_length);
    Placed {
        shares_route: host.shares_route(ip, prefix_length, index, moving),
        address: HostAddress {
            ip,
            prefix_length,
            interface: index,
            // Without a label of its own an address bears the interface's name, as the kernel
            // does it for `ip addr add`.
            label: label.or_else(|| name.clone().filter(|_| ip.is_ipv4())),
            broadcast: floating.broadcast,
        },
        interface: name.unwrap_or_default(),
        link: link.and_then(announced_on),
        absent: link.is_none().then_some(absent),
    }
}

fn wants(name: &str, host: &Host) -> String {
    let known: Vec<&str> = host.links.iter().map(|link| link.name.as_str()).collect();
    format!(
        "wants interface {name}, which this host does not have (it has {}): name another one",
        known.join(", ")
    )
}

/// How it is announced there; not at all on an interface without link-layer addresses.
fn announced_on(link: &netlink::HostLink) -> Option<Link> {
    let mac = link.mac.filter(|_| !link.loopback)?;
    // A router of a pair routes: neighbours may go on using it as one.
    Some(Link { index: link.index, mac: Mac(mac), router: true })
}

#[cfg(test)]
mod tests;
