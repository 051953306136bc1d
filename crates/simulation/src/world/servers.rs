//! What befalls lvsd, its kernel and its real servers, and what operators say about them.

use std::sync::Arc;

use control::action::{Decision, ServerAction};
use health::ledger::Aspect;

use super::directors::CHECK;
use super::{Coming, Fault, Index, World};
use crate::farm::{self, EMPTY, SERVERS};
use crate::invariants::Invariant;
use crate::words::Word;

impl World {
    /// Something befalls lvsd, its kernel or its real servers.
    pub(super) fn befall_lvsd(&mut self, fault: &Fault) {
        match *fault {
            Fault::ServerFails(number) => self.server(number, false),
            Fault::ServerReturns(number) => self.server(number, true),
            Fault::Connections(number, open) => {
                let now = self.now;
                if let Some(farm) = self.farm.as_mut()
                    && let Some(slot) = farm.open.get_mut(number)
                    && let Some(changed_at) = farm.changed_at.get_mut(number)
                {
                    (*slot, *changed_at) = (open, now);
                }
            }
            Fault::EditTable(index, whole) => self.edit_table(index, whole),
            Fault::KernelRefuses(index, lasts) => {
                let until = self.now + lasts;
                let router = self.routers.get_mut(index);
                if let Some(director) = router.and_then(|router| router.director.as_mut()) {
                    director.refuses_until = until;
                    director.disturbed_at = until;
                }
            }
            Fault::EmptyEdit(index) => self.read_file(index, EMPTY),
            Fault::Decide(index, number, word) => self.decide(index, number, word),
            _ => {}
        }
    }

    /// The kernel takes changes, the file is as it should be, and all real servers but one are well.
    pub(super) fn heal_lvsd(&mut self, index: Index, variant: u64) {
        let Some(director) = self.routers.get_mut(index).and_then(|one| one.director.as_mut())
        else {
            return;
        };
        director.refuses_until = 0;
        if director.disk.file != variant {
            self.read_file(index, variant);
        }
        if let Some(farm) = self.farm.as_mut() {
            farm.open = [0; SERVERS];
        }
        for number in (0..SERVERS).filter(|number| *number != 2) {
            if self.farm.as_ref().is_some_and(|farm| farm.up.get(number) == Some(&false)) {
                self.server(number, true);
            }
        }
    }

    /// A real server fails or returns, and both nannies notice.
    pub(super) fn server(&mut self, number: usize, up: bool) {
        let Some(slot) = self.farm.as_mut().and_then(|farm| farm.up.get_mut(number)) else {
            return;
        };
        *slot = up;
        for at in [0, 1] {
            let Some(director) = self.routers.get(at).and_then(|one| one.director.as_ref()) else {
                continue;
            };
            let life = director.life;
            let Some(running) = director.running.as_ref() else { continue };
            let watches = running.watches.values();
            let ids = watches.filter(|one| farm::number(one.server.ip()) == Some(number));
            for id in ids.map(|one| one.id).collect::<Vec<_>>() {
                let after = 1000 + self.random.below(CHECK);
                self.plan(after, Coming::Checked { at, life, id });
            }
        }
    }

    /// Somebody clears the table by hand, or takes one real server out of it.
    fn edit_table(&mut self, index: Index, whole: bool) {
        let world = self.now;
        let Some(director) = self.routers.get_mut(index).and_then(|one| one.director.as_mut())
        else {
            return;
        };
        director.edited = true;
        director.disturbed_at = world;
        if whole {
            director.kernel.table = farm::fresh();
        } else {
            director.kernel.table.values_mut().for_each(|pool| _ = pool.destinations.pop_first());
        }
    }

    /// A router's file has another configuration, and lvsd reads it.
    pub(super) fn read_file(&mut self, index: Index, variant: u64) {
        let now = self.lvsd_now(index);
        let Some(farm) = self.farm.as_ref() else { return };
        let Some(director) = self.routers.get_mut(index).and_then(|one| one.director.as_mut())
        else {
            return;
        };
        director.disk.file = variant;
        let before = director.running.as_ref().map(|running| running.variant);
        let taken = director.reload(farm, now);
        if let Some(before) = before {
            self.arm(Invariant::Edit, true, 1);
            if taken == (variant == EMPTY && before != EMPTY) {
                let detail = format!("router {index} took {variant} after {before}: {taken}");
                self.violate(Invariant::Edit, detail);
            }
            self.work(index);
        }
    }

    /// An operator decides about a real server.
    fn decide(&mut self, index: Index, number: usize, word: Word) {
        let (now, world) = (self.lvsd_now(index), self.now);
        let Some(router) = self.routers.get_mut(index) else { return };
        if !router.answers() {
            return;
        }
        let Some(running) = router.running_mut() else { return };
        let cluster = Arc::clone(running.core.cluster());
        let service = cluster.services.get(number / SERVERS % 2);
        let Some(service) = service else { return };
        let Some(server) = service.servers.get(number % service.servers.len().max(1)) else {
            return;
        };
        let label = health::wanted::label(server);
        let action = ServerAction {
            server: label.clone(),
            service: Some(service.name.clone()),
            decision: word.decision(),
            reason: Some(format!("at {world}")),
            who: Some("alice".to_owned()),
        };
        if running.core.act(&action, now).is_ok() {
            let aspect = match action.decision {
                Decision::Drain { .. } | Decision::Undrain => Aspect::Drain,
                Decision::Disable | Decision::Enable => Aspect::Disable,
                Decision::Weight { .. } => Aspect::Weight,
            };
            self.words.say((service.name.clone(), label, aspect), word, world);
            self.work(index);
        }
    }
}
