//! How a run must end.

use heartbeat::{Presence, Role};

use super::Invariant;
use crate::fault::Index;
use crate::world::World;

impl World {
    /// At the end of a run, long after everything was mended.
    pub(crate) fn same_view(&mut self) {
        self.arm(Invariant::SameView, true, 1);
        for group in 0..self.configured_now().len() {
            let Some(id) = self.ids.get(group).copied() else { continue };
            let holds: Vec<Index> = [0, 1]
                .into_iter()
                .filter(|index| self.routers.get(*index).is_some_and(|r| r.holds(group)))
                .collect();
            let [holder] = holds[..] else {
                self.violate(Invariant::SameView, format!("group {group} is held by {holds:?}"));
                return;
            };
            for (index, router) in self.routers.iter().enumerate() {
                let state = router.node.as_ref().and_then(|node| {
                    let state = node.failover.groups().find(|state| state.id == id)?;
                    Some((state, node.failover.presence()))
                });
                let wanted = |of: Index| if of == holder { Role::Active } else { Role::Standby };
                let agrees = state.is_some_and(|(state, presence)| {
                    let theirs = state.theirs.map(|claim| claim.role);
                    presence == Presence::Alive
                        && state.role == wanted(index)
                        && theirs == Some(wanted(1 - index))
                });
                if !agrees {
                    let detail = format!("router {index} sees group {group} as {state:?}");
                    self.violate(Invariant::SameView, detail);
                    return;
                }
            }
            let moved = self.moved.get(group).copied().unwrap_or(false);
            if !moved && self.returns_to(1 - holder, group) {
                self.violate(Invariant::SameView, format!("group {group} did not fail back"));
                return;
            }
        }
    }
}
