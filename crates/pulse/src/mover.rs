//! Moves one group: its addresses and its programs. One task for each group, all on a thread of their
//! own.
//!
//! The driver says what is wanted; the mover makes it so, in slices, and says when it is. A wish to
//! stand down is seen between two slices and while a program runs.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::model::{Hook, HookOrder};
use netlink::{AddressChange, Addresses, HostAddress};
use runtime::Journal;
use runtime::journal::{EventKind, Level};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::announce::Announce;
use crate::aside::Aside;
use crate::lease::Renewal;
use crate::notice::{Moved, Notice, Notices};
use crate::plan::{GroupPlan, Placed};

mod hand_over;
mod hooks;
mod left_over;

use left_over::Note;

/// Addresses that are changed before the driver has its turn again.
const SLICE: usize = 16;
/// How often the removal of an address that the kernel refuses to remove is tried.
const REMOVALS: u32 = 5;
/// Pause between two tries.
const RETRY: Duration = Duration::from_millis(100);
/// How long an answer to the question for a taken address is waited for.
const PROBE: Duration = Duration::from_millis(500);
/// Pause before an address that somebody else answered for is asked for again.
const PROBE_AGAIN: Duration = Duration::from_secs(30);

/// How much time there is for letting a group go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hurry {
    /// Its addresses are served until they go.
    Calm,
    /// It is of no use here.
    Prompt,
    /// Addresses first, programs later: somebody else may hold them already.
    Urgent,
}

/// What the driver wants.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Grows with each order.
    pub(crate) order: u64,
    /// Hold it, or not.
    pub(crate) active: bool,
    /// How much time there is.
    pub(crate) hurry: Hurry,
    /// The group.
    pub(crate) plan: Arc<GroupPlan>,
}

/// What every mover works with.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) aside: Aside,
    pub(crate) announce: Announce,
    pub(crate) journal: Journal,
    pub(crate) notices: Notices,
    /// Of the runtime directory, for what whoever comes after this pulse must know.
    pub(crate) folder: Arc<Path>,
}

/// The driver's end of a mover. Dropping it ends the task where it stands.
#[derive(Debug)]
pub(crate) struct Mover {
    targets: watch::Sender<Target>,
    task: JoinHandle<()>,
}

impl Mover {
    /// Starts the task. It does nothing before its first order. `held` says that the group was
    /// held before this program started.
    pub(crate) fn start(plan: Arc<GroupPlan>, held: bool, tools: Tools) -> Self {
        let note = Note::of(&tools.folder, plan.id);
        let target = Target { order: 0, active: held, hurry: Hurry::Calm, plan };
        let (targets, orders) = watch::channel(target);
        let aside = tools.aside.clone();
        let work = Work {
            orders,
            tools,
            started: Vec::new(),
            present: Vec::new(),
            problems: Vec::new(),
            renewal: None,
            held,
            note,
        };
        let task = aside.spawn(work.run());
        Self { targets, task }
    }

    /// Gives an order.
    pub(crate) fn order(&self, target: Target) {
        self.targets.send_replace(target);
    }

    #[cfg(test)]
    pub(crate) fn ordered(&self) -> (bool, Hurry) {
        let target = self.targets.borrow();
        (target.active, target.hurry)
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task.
struct Work {
    orders: watch::Receiver<Target>,
    tools: Tools,
    /// Programs that were started and not stopped.
    started: Vec<Hook>,
    /// Addresses that were added and not removed.
    present: Vec<Placed>,
    problems: Vec<(IpAddr, String)>,
    renewal: Option<Renewal>,
    held: bool,
    note: Note,
}

impl Work {
    async fn run(mut self) {
        let mut addresses = None;
        self.stop_left_over().await;
        while self.orders.changed().await.is_ok() {
            let target = self.orders.borrow_and_update().clone();
            if std::mem::take(&mut self.held) {
                self.started.clone_from(&target.plan.hooks);
            }
            let Some(socket) = self.socket(&mut addresses).await else { continue };
            let done = if target.active {
                self.take_over(&target, socket).await
            } else {
                self.stand_down(&target, socket).await;
                true
            };
            if !done {
                // Another order came; it is not marked as seen, so it is taken at once.
                continue;
            }
            self.tell(&target).await;
            if target.active {
                self.probe(&target).await;
            }
        }
    }

    /// Kept open, so that taking over has one thing less to wait for.
    async fn socket<'a>(&self, kept: &'a mut Option<Addresses>) -> Option<&'a mut Addresses> {
        while kept.is_none() {
            match Addresses::open() {
                Ok(socket) => *kept = Some(socket),
                Err(error) => {
                    tracing::error!(%error, "cannot ask the kernel to change addresses");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        kept.as_mut()
    }

    async fn tell(&self, target: &Target) {
        let moved = Moved {
            group: target.plan.id,
            active: target.active,
            order: target.order,
            problems: self.problems.clone(),
        };
        // The driver lives longer than its movers.
        let _sent = self.tools.notices.send(Notice::Moved(moved)).await;
    }

    /// Whether the driver wants something else by now.
    fn overtaken(&self) -> bool {
        self.orders.has_changed().unwrap_or(true) && !self.orders.borrow().active
    }

    /// Programs, addresses with their announcements, programs. False when it was overtaken.
    async fn take_over(&mut self, target: &Target, socket: &mut Addresses) -> bool {
        let plan = Arc::clone(&target.plan);
        if !self.start_hooks(&plan, HookOrder::BeforeAddresses).await {
            return false;
        }
        let gone = without(std::mem::take(&mut self.present), &plan.addresses);
        self.remove(&plan.name, &gone, socket).await;
        if !self.add(&plan, socket).await {
            return false;
        }
        self.start_hooks(&plan, HookOrder::AfterAddresses).await
    }

    /// Adds and announces, slice by slice.
    async fn add(&mut self, plan: &GroupPlan, socket: &mut Addresses) -> bool {
        let begun = Instant::now();
        let mut added = 0;
        self.problems.clear();
        for slice in plan.addresses.chunks(SLICE) {
            if self.overtaken() {
                return false;
            }
            let add = |placed: &Placed| {
                AddressChange::Add(placed.address.clone(), placed.lease(plan.lease_seconds))
            };
            let changes: Vec<AddressChange> = slice.iter().map(add).collect();
            let results = socket.change(&changes).await;
            for (placed, result) in slice.iter().zip(results) {
                match result {
                    Ok(new) => {
                        added += usize::from(new);
                        self.present.push(placed.clone());
                        if let Some(link) = placed.link {
                            self.tools.announce.announce(placed.address.ip, link).await;
                        }
                    }
                    Err(error) => {
                        self.problems.push((placed.address.ip, format!("not added: {error}")));
                    }
                }
            }
            let all: Vec<_> = slice.iter().map(|placed| placed.address.clone()).collect();
            if let Err(error) = socket.forget_neighbours(&all).await {
                tracing::debug!(%error, "cannot forget who had an address before");
            }
            tokio::task::yield_now().await;
        }
        self.renewal = Some(Renewal::start(plan, &self.present));
        if added > 0 {
            self.record_change("addresses added", plan, added, begun.elapsed());
        }
        self.record_problems(&plan.name);
        true
    }

    async fn stand_down(&mut self, target: &Target, socket: &mut Addresses) {
        let plan = Arc::clone(&target.plan);
        if target.hurry != Hurry::Urgent {
            self.stop_hooks(&plan.name, HookOrder::AfterAddresses).await;
        }
        let mut teller = self.teller(target);
        if target.hurry == Hurry::Calm {
            teller = self.tell_before(teller).await;
        }
        let mut all = std::mem::take(&mut self.present);
        all.extend(without(plan.addresses.clone(), &all));
        self.problems.clear();
        self.remove(&plan.name, &all, socket).await;
        self.record_problems(&plan.name);
        if let Some(teller) = teller {
            self.tell_after(teller, &plan.name).await;
        }
        self.stop_hooks(&plan.name, HookOrder::AfterAddresses).await;
        self.stop_hooks(&plan.name, HookOrder::BeforeAddresses).await;
    }

    /// Removes, and does not give up easily: somebody else is about to hold these.
    async fn remove(&mut self, group: &str, all: &[Placed], socket: &mut Addresses) {
        if all.is_empty() {
            return;
        }
        let begun = Instant::now();
        let mut removed = 0;
        if let Some(renewal) = self.renewal.take() {
            renewal.end().await;
        }
        for placed in all {
            self.tools.announce.cancel(placed.address.ip).await;
        }
        let mut left: Vec<Placed> = all.to_vec();
        for attempt in 1..=REMOVALS {
            let mut refused = Vec::new();
            for slice in left.chunks(SLICE) {
                let remove = |placed: &Placed| AddressChange::Remove(placed.address.clone());
                let changes: Vec<AddressChange> = slice.iter().map(remove).collect();
                let results = socket.change(&changes).await;
                for (placed, result) in slice.iter().zip(results) {
                    match result {
                        Ok(changed) => removed += usize::from(changed),
                        // Its interface is gone, and the address with it.
                        Err(error) if error.errno() == Some(libc::ENODEV) => {}
                        Err(error) => {
                            if attempt == REMOVALS {
                                let text = format!("not removed: {error}");
                                self.problems.push((placed.address.ip, text));
                            }
                            refused.push(placed.clone());
                        }
                    }
                }
                tokio::task::yield_now().await;
            }
            left = refused;
            left.extend(self.still_here(all, &left, socket).await);
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(RETRY).await;
        }
        if removed > 0 {
            let plan = all.first().map(Placed::shown).unwrap_or_default();
            let fields = fields(group, removed, plan, begun.elapsed());
            let journal = &self.tools.journal;
            journal.record(EventKind::Kernel, Level::Info, "addresses removed", &fields);
        }
    }

    /// Addresses that are on this host all the same: somebody has put them on another interface, or
    /// under another length. The partner is about to answer for them.
    async fn still_here(
        &self,
        all: &[Placed],
        left: &[Placed],
        socket: &mut Addresses,
    ) -> Vec<Placed> {
        let listed = match socket.list().await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(%error, "cannot see whether the addresses are gone");
                return Vec::new();
            }
        };
        let found = listed.into_iter().filter_map(|address| {
            let known = all.iter().find(|placed| placed.address.ip == address.ip)?;
            Some(Placed { address, ..known.clone() })
        });
        let is_left = |ip| left.iter().any(|placed| placed.address.ip == ip);
        found.filter(|placed| !is_left(placed.address.ip)).collect()
    }

    /// Asks whether somebody else still answers for an address that is ours now.
    async fn probe(&mut self, target: &Target) {
        loop {
            let mut orders = self.orders.clone();
            let found = tokio::select! {
                found = claims(&target.plan) => found,
                _ = orders.changed() => return,
            };
            let clash = "another host answers for it";
            let before = self.problems.len();
            self.problems.retain(|(_, problem)| !problem.starts_with(clash));
            for (ip, mac, link) in &found {
                self.problems.push((*ip, format!("{clash}: {mac}")));
                let fields = [("address", ip.to_string()), ("host", mac.to_string())];
                let sentence = "another host answers for a floating address";
                self.tools.journal.record(EventKind::Partner, Level::Error, sentence, &fields);
                self.tools.announce.announce(*ip, *link).await;
            }
            if before != self.problems.len() || !found.is_empty() {
                self.tell(target).await;
            }
            if found.is_empty() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(PROBE_AGAIN) => {}
                _ = orders.changed() => return,
            }
        }
    }

    fn record_change(
        &self,
        sentence: &'static str,
        plan: &GroupPlan,
        count: usize,
        took: Duration,
    ) {
        let first = plan.addresses.first().map(Placed::shown).unwrap_or_default();
        let fields = fields(&plan.name, count, first, took);
        self.tools.journal.record(EventKind::Kernel, Level::Info, sentence, &fields);
    }

    /// One line, however many addresses are wrong: the status shows each.
    fn record_problems(&self, group: &str) {
        if let Some((ip, problem)) = self.problems.first() {
            let fields = [
                ("group", group.to_owned()),
                ("count", self.problems.len().to_string()),
                ("first", ip.to_string()),
                ("reason", problem.clone()),
            ];
            let sentence = "the kernel refused addresses";
            self.tools.journal.record(EventKind::Kernel, Level::Error, sentence, &fields);
        }
    }
}

/// Those whose addresses are none of the others'. A group can have thousands.
fn without(mut some: Vec<Placed>, others: &[Placed]) -> Vec<Placed> {
    let others: HashSet<&HostAddress> = others.iter().map(|placed| &placed.address).collect();
    some.retain(|placed| !others.contains(&placed.address));
    some
}

fn fields(group: &str, count: usize, first: String, took: Duration) -> [(&'static str, String); 4] {
    [
        ("group", group.to_owned()),
        ("count", count.to_string()),
        ("first", first),
        ("took_ms", took.as_millis().to_string()),
    ]
}

/// Who else claims addresses of the group.
async fn claims(plan: &GroupPlan) -> Vec<(IpAddr, send_arp::Mac, send_arp::Link)> {
    let mut found = Vec::new();
    let mut links: Vec<send_arp::Link> = Vec::new();
    for link in plan.addresses.iter().filter_map(|placed| placed.link) {
        if !links.contains(&link) {
            links.push(link);
        }
    }
    for link in links {
        let on_link = plan.addresses.iter().filter(|placed| placed.link == Some(link));
        let ips: Vec<IpAddr> = on_link.map(|placed| placed.address.ip).collect();
        match send_arp::who_has(&link, &ips, PROBE).await {
            Ok(claims) => {
                found.extend(claims.into_iter().map(|claim| (claim.ip, claim.mac, link)));
            }
            Err(error) => tracing::debug!(%error, "cannot ask for addresses"),
        }
    }
    found
}
