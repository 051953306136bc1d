//! New keys: files that an operator copies, or a key that the routers make together.

use heartbeat::packet::DecodeError;
use heartbeat::rotation::{Mode, Order, Seen, Stage, Staged, Then};
use heartbeat::{Beat, Exchange, PathId, Rejected, SharedKey, Side};

use super::{Coming, Index, Micros, Rc, World, micros};
use crate::bug::Bug;
use crate::invariants::Invariant;
use crate::node::{Node, key};
use crate::router::Router;

/// Time between two steps of a rotation by hand.
const KEY_STEP: Micros = 300_000;
/// The longest that a key file takes to be written.
const DISK: Micros = 20_000;

impl World {
    /// An operator wants a new key.
    pub(super) fn new_key(&mut self) {
        if !self.shape.agrees_keys {
            return self.begin_rotation();
        }
        let at = self.random.index(2);
        let (now, number) = (self.now, self.random.next());
        let Some(router) = self.routers.get_mut(at).filter(|router| router.awake()) else { return };
        let moment = router.clock.at(now);
        let (side, dead_after) = (side(at), self.shape.dead_after);
        let Some(node) = router.node.as_mut() else { return };
        let Node { rotation, pairs, staged, .. } = node;
        let seen = Seen {
            keys: staged,
            presence: node.failover.presence(),
            partner_keys: node.session.partner_keys(),
            partner_signs: node.session.partner_signs(),
            me: side,
            dead_after,
        };
        let offer = rotation.begin(&seen, number, pairs, moment);
        let what = if offer.is_ok() { "new key offered" } else { "new key refused" };
        *self.coverage.events.entry(what).or_default() += 1;
        self.story.tell(now, || format!("router {at}: new key: {offer:?}"));
        if let Ok(offer) = offer {
            self.send_exchange(at, &offer);
        }
    }

    /// After each round: what the partner said about keys, and what has become due.
    pub(super) fn rotation_step(&mut self, at: Index) {
        if !self.shape.agrees_keys {
            return;
        }
        let (now, dead_after) = (self.now, self.shape.dead_after);
        let Some(router) = self.routers.get_mut(at).filter(|router| router.awake()) else { return };
        let (moment, life) = (router.clock.at(now), router.life);
        let Some(node) = router.node.as_mut() else { return };
        let said = node.session.take_exchange();
        let Node { rotation, pairs, staged, .. } = node;
        let seen = Seen {
            keys: staged,
            presence: node.failover.presence(),
            partner_keys: node.session.partner_keys(),
            partner_signs: node.session.partner_signs(),
            me: side(at),
            dead_after,
        };
        let mut orders = Vec::new();
        if let Some(said) = said {
            orders = rotation.heard(&said, &seen, pairs);
        }
        orders.extend(rotation.due(&seen, moment));
        for order in orders {
            match order {
                Order::Send(exchange) => self.send_exchange(at, &exchange),
                Order::Write(mut keys, then) => {
                    if self.bug == Some(Bug::ForgetsTheOldKey) {
                        keys.retain(|one| one.stage != Stage::Old);
                    }
                    let after = 1 + self.random.below(DISK);
                    self.plan(after, Coming::KeysOnDisk { at, life, keys, then });
                }
                Order::Failed(why) => {
                    self.story.tell(now, || format!("router {at}: no new key: {why}"));
                }
                Order::Ignored(why) => {
                    self.story.tell(now, || format!("router {at}: not taken: {why}"));
                }
            }
        }
    }

    fn send_exchange(&mut self, from: Index, exchange: &Exchange) {
        for path in 0..self.shape.paths {
            let now = self.now;
            let Some(router) = self.routers.get_mut(from) else { return };
            let moment = router.clock.at(now);
            let Some(node) = router.node.as_mut() else { return };
            let bytes: Rc<[u8]> = node.session.seal_exchange(exchange, moment).into();
            // It says nothing that a heartbeat says, as a letter does.
            self.post(from, PathId(path), bytes, &Beat::letter(Vec::new()));
        }
    }

    /// A key file is written, unless its writer was killed before.
    pub(super) fn keys_on_disk(&mut self, at: Index, life: u64, keys: Vec<Staged>, then: Then) {
        if !self.lives(at, life) {
            return;
        }
        if let Some(router) = self.routers.get_mut(at) {
            router.staged.clone_from(&keys);
            router.keys = shared(&keys);
        }
        let after = 1 + self.random.below(DISK / 4);
        self.plan(after, Coming::KeysInForce { at, life, keys, then });
    }

    /// Packets depend on them from now on.
    pub(super) fn keys_in_force(&mut self, at: Index, life: u64, keys: Vec<Staged>, then: Then) {
        if !self.lives(at, life) {
            return;
        }
        let Some(node) = self.routers.get_mut(at).and_then(|router| router.node.as_mut()) else {
            return;
        };
        let done = node.session.replace_keys(&shared(&keys)).is_ok();
        if done {
            node.staged = keys;
        }
        let answer = node.rotation.written(then, done);
        let what = match then {
            Then::Believed(_) => "new key is believed",
            Then::Signs => "new key signs",
            Then::Alone => "old key is gone",
        };
        *self.coverage.events.entry(what).or_default() += 1;
        self.story.tell(self.now, || format!("router {at}: {what}"));
        if let Some(answer) = answer {
            self.send_exchange(at, &answer);
        }
    }

    /// A packet that was not altered, and is not older than a packet may be on its way, is under a key
    /// that its receiver holds.
    pub(super) fn read_by_key(&mut self, to: Index, record: usize, rejected: Rejected) {
        if !self.shape.agrees_keys {
            return;
        }
        self.arm(Invariant::Keys, true, 1);
        let limit = micros(self.shape.shortest().1) * 9 / 10;
        // Whoever hears nobody does not know which key is held on the other side.
        let Some(recorded) = self.recorded.get(record).filter(|one| one.hears) else { return };
        let young = self.now.saturating_sub(recorded.made) < limit;
        let unreadable =
            matches!(rejected, Rejected::Decode(DecodeError::UnknownKey(_) | DecodeError::Tag));
        if young && unreadable {
            self.violate(Invariant::Keys, format!("router {to} cannot read: {rejected}"));
        }
    }

    /// In the end both sign with one key, and none is on its way out.
    pub(super) fn same_keys(&mut self) {
        if !self.shape.agrees_keys || self.violation.is_some() {
            return;
        }
        self.arm(Invariant::Keys, true, 1);
        let first =
            |router: &Router| router.staged.first().map(|one| (one.key.id, one.key.secret.clone()));
        let [one, other] = self.routers.each_ref().map(first);
        let leaving = self
            .routers
            .iter()
            .any(|router| Mode::of(router.staged.iter().map(|one| one.stage)) == Mode::Prefer);
        if one != other || leaving {
            let keys = self.routers.each_ref().map(|router| {
                let keys = router.staged.iter();
                keys.map(|one| (one.key.id, one.stage)).collect::<Vec<_>>()
            });
            self.violate(Invariant::Keys, format!("they end with {keys:?}"));
        }
    }

    /// Each router accepts the new key, then each signs with it, then each forgets the old one.
    fn begin_rotation(&mut self) {
        if std::mem::replace(&mut self.rotating, true) {
            return;
        }
        self.newest_key = if self.newest_key == u8::MAX { 1 } else { self.newest_key + 1 };
        let id = self.newest_key;
        self.plan(0, Coming::Keys { step: 0, id });
    }

    pub(super) fn rotate(&mut self, step: usize, id: u8) {
        let (old, new) = (key(id.wrapping_sub(1).max(1)), key(id));
        let keys = match step / 2 {
            0 => vec![old, new],
            1 => vec![new, old],
            _ => vec![new],
        };
        if let Some(router) = self.routers.get_mut(step % 2) {
            router.keys.clone_from(&keys);
            // A program that does not run reads them when it starts.
            if let Some(node) = router.node.as_mut()
                && node.session.replace_keys(&keys).is_err()
            {
                self.story.tell(self.now, || "new keys are refused".to_owned());
            }
        }
        self.story.tell(self.now, || format!("key rotation, step {step}"));
        if step < 5 {
            self.plan(KEY_STEP, Coming::Keys { step: step + 1, id });
        } else {
            self.rotating = false;
        }
    }
}

fn shared(keys: &[Staged]) -> Vec<SharedKey> {
    keys.iter().map(|one| one.key.clone()).collect()
}

fn side(router: Index) -> Side {
    if router == 0 { Side::First } else { Side::Second }
}
