//! Which configurations the routers have.

use super::World;
use crate::fault::Index;
use crate::router::{Router, configured};
use crate::schedule::GroupShape;

impl World {
    pub(crate) fn variants_agree(&self) -> bool {
        let [one, other] = &self.routers;
        one.variant == other.variant
    }

    pub(crate) fn known_to_both(&self, group: usize) -> bool {
        let known = |router: &Router| configured(&self.shape.groups, router.variant).len() > group;
        self.routers.iter().all(known)
    }

    /// The groups that both end with.
    pub(crate) fn configured_now(&self) -> Vec<GroupShape> {
        let [first, _] = &self.routers;
        configured(&self.shape.groups, first.variant)
    }

    /// The configuration of a router lets a group return to it.
    pub(crate) fn returns_to(&self, index: Index, group: usize) -> bool {
        let Some(router) = self.routers.get(index) else { return false };
        let groups = configured(&self.shape.groups, router.variant);
        groups
            .get(group)
            .is_some_and(|shape| shape.failback.is_some() && shape.preferred == Some(index))
    }
}
