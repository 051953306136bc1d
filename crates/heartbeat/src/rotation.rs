//! A new key while the pair runs: first believed, then preferred, then alone.
//!
//! ```text
//!  asked router          partner
//!  [1]         ──offer──▶ [1]
//!              ◀─answer── [1, 2 new]     it believes the new key
//!  [2, 1 old]  ─signs 2─▶ [2, 1 old]     each prefers it once the other one is sure to believe it
//!  [2]         ◀─signs 2─ [2]            each forgets the old one once the other one signs so
//! ```
//! What is kept on disk says at every moment where the keys stand, so that whoever is killed in
//! between goes on from there. It is on disk before a packet depends on it: a [`Order::Write`] is
//! carried out, and [`Rotation::written`] told, before anything else.

use std::time::Duration;

use crate::exchange::{Agreed, Exchange, HALF, Step, agree, proves};
use crate::key::{MAX_KEYS, SharedKey};
use crate::moment::Moment;
use crate::partner::Presence;
use crate::setup::Side;

#[cfg(test)]
mod tests;

/// How long the partner may take to answer an offer.
pub const OFFER: Duration = Duration::from_secs(5);
/// An offer that is not answered is repeated.
pub const AGAIN: Duration = Duration::from_millis(200);

/// Where a key stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// In no rotation.
    #[default]
    InUse,
    /// Believed, and not signed with before the partner does.
    New,
    /// Believed, until the partner signs with the first key.
    Old,
}

/// A key, and where it stands. The first of several signs.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The key.
    pub key: SharedKey,
    /// Where it stands.
    pub stage: Stage,
}

/// Where all keys of a router stand: the modes of the roll-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A new key is believed, and nobody signs with it yet.
    Observe,
    /// The new key signs here, and the old one is still believed.
    Prefer,
    /// Nothing is being rotated.
    Enforce,
}

impl Mode {
    /// Of these keys.
    pub fn of(mut stages: impl Iterator<Item = Stage> + Clone) -> Self {
        if stages.clone().any(|stage| stage == Stage::New) {
            Self::Observe
        } else if stages.any(|stage| stage == Stage::Old) {
            Self::Prefer
        } else {
            Self::Enforce
        }
    }

    /// The word for it in status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Prefer => "prefer",
            Self::Enforce => "enforce",
        }
    }
}

/// Key pairs for one time. They take randomness, so they are made outside.
pub trait Pairs {
    /// The half that is never sent.
    type Private;

    /// A new pair: the private half and the public one. None when there is no randomness.
    fn pair(&mut self) -> Option<(Self::Private, [u8; HALF])>;

    /// Gives what a private half and the partner's public one make together to `then`. None when the
    /// public half is no good.
    fn meet(
        private: Self::Private,
        theirs: &[u8; HALF],
        then: impl FnOnce(&[u8]) -> Option<Agreed>,
    ) -> Option<Agreed>;
}

/// What a rotation has to know at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The keys in force here.
    pub keys: &'a [Staged],
    /// Whether the partner is there.
    pub presence: Presence,
    /// [`crate::Session::partner_keys`].
    pub partner_keys: [u8; MAX_KEYS],
    /// [`crate::Session::partner_signs`].
    pub partner_signs: Option<u8>,
    /// Of two offers at one moment the one of the first router counts.
    pub me: Side,
    /// How long a packet with the old key may be on its way.
    pub dead_after: Duration,
}

/// Why no new key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// One is being made.
    #[error("the last one is not over: the partner has not signed with that key yet")]
    NotOver,
    /// Nobody is there to make it with.
    #[error(
        "the partner is not heard, and both routers make the key together: start pulse \
         there and try again, or make one with lvsctl keygen, copy it to both and start both"
    )]
    NoPartner,
    /// The two have no key in common.
    #[error("the partner does not hold the key that signs here: copy the key file")]
    NotShared,
    /// 1 to 255 are all taken.
    #[error("every key number is in use")]
    NoNumber,
    /// No key pair could be made.
    #[error("the system gives no random bits")]
    NoRandomness,
}

/// Why one that had begun has ended. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// In all the time that it had.
    #[error(
        "the partner does not answer: its version is older, or its log says why; \
         nothing was changed here"
    )]
    NoAnswer,
    /// Both were asked at one moment.
    #[error("the partner makes one at the same time, and that one counts")]
    Theirs,
    /// Somebody without the key, or another program.
    #[error("the partner's answer does not prove the same key")]
    NotProven,
}

/// Why the partner's offer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// There is no room for it.
    #[error("its number is in use, or too many keys are held")]
    NoRoom,
    /// It makes no key.
    #[error("the partner's half is no good")]
    BadHalf,
}

/// What new keys are good for, once they are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The new key is believed: this answers the partner's offer.
    Believed(Exchange),
    /// The new key signs.
    Signs,
    /// The old key is gone.
    Alone,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Order {
    /// Sent on every path.
    Send(Exchange),
    /// Put on disk, then in force; [`Rotation::written`] is told.
    Write(Vec<Staged>, Then),
    /// Whoever asked is told.
    Failed(Failed),
    /// Told in the log.
    Ignored(Ignored),
}

struct Offering<P> {
    offer: Exchange,
    private: P,
    until: Moment,
    again: Moment,
}

/// What is under way at one router.
pub struct Rotation<P: Pairs> {
    offering: Option<Offering<P::Private>>,
    /// Our last answer, for a partner that has not heard it.
    answered: Option<Exchange>,
    writing: bool,
    /// Since when the partner signs with the first key.
    agreed_since: Option<Moment>,
}

impl<P: Pairs> Default for Rotation<P> {
    fn default() -> Self {
        Self { offering: None, answered: None, writing: false, agreed_since: None }
    }
}

impl<P: Pairs> std::fmt::Debug for Rotation<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let offers = self.offering.as_ref().map(|offering| offering.offer.key_id);
        f.debug_struct("Rotation").field("offers", &offers).field("writing", &self.writing).finish()
    }
}

/// `first` signs, and of the others those that were in use leave soon.
fn preferred(first: Staged, others: &[Staged]) -> Vec<Staged> {
    let id = first.key.id;
    let others = others.iter().filter(|one| one.key.id != id && one.stage != Stage::New);
    let others = others.map(|one| Staged { stage: Stage::Old, ..one.clone() });
    std::iter::once(Staged { stage: Stage::InUse, ..first }).chain(others).collect()
}

impl<P: Pairs> Rotation<P> {
    /// An operator wants a new key. `number` is fresh random bits. What is returned is to be sent.
    ///
    /// # Errors
    /// [`Refused`]; nothing has begun then.
    pub fn begin(
        &mut self,
        seen: &Seen<'_>,
        number: u64,
        pairs: &mut P,
        now: Moment,
    ) -> Result<Exchange, Refused> {
        let mode = Mode::of(seen.keys.iter().map(|one| one.stage));
        if self.offering.is_some() || self.writing || mode != Mode::Enforce {
            return Err(Refused::NotOver);
        }
        if seen.presence != Presence::Alive {
            return Err(Refused::NoPartner);
        }
        let held = seen.partner_keys;
        let present = seen.keys.first().map(|one| one.key.id).filter(|id| held.contains(id));
        let present = present.ok_or(Refused::NotShared)?;
        let taken = |id: u8| held.contains(&id) || seen.keys.iter().any(|one| one.key.id == id);
        let mut next = (1..=u8::MAX).map(|step| present.checked_add(step).unwrap_or(step));
        let key_id = next.find(|id| !taken(*id)).ok_or(Refused::NoNumber)?;
        let (private, public) = pairs.pair().ok_or(Refused::NoRandomness)?;
        let offer = Exchange { step: Step::Offer, number, key_id, public, proof: [0; HALF] };
        self.offering = Some(Offering { offer, private, until: now + OFFER, again: now + AGAIN });
        Ok(offer)
    }

    /// The partner has said something about keys.
    pub fn heard(&mut self, said: &Exchange, seen: &Seen<'_>, pairs: &mut P) -> Vec<Order> {
        match said.step {
            Step::Offer => self.offered(said, seen, pairs),
            Step::Answer => self.answered(said, seen).into_iter().collect(),
        }
    }

    /// What has become due: an offer that is repeated or given up, or keys that move on.
    pub fn due(&mut self, seen: &Seen<'_>, now: Moment) -> Vec<Order> {
        let mut orders = Vec::new();
        if let Some(offering) = &mut self.offering {
            if now >= offering.until {
                self.offering = None;
                orders.push(Order::Failed(Failed::NoAnswer));
            } else if now >= offering.again {
                offering.again = now + AGAIN;
                orders.push(Order::Send(offering.offer));
            }
        }
        if !self.writing {
            orders.extend(self.advance(seen, now));
        }
        orders
    }

    /// The keys of [`Order::Write`] are on disk and in force, or could not be written; then those of
    /// before go on. What is returned is to be sent.
    pub fn written(&mut self, then: Then, done: bool) -> Option<Exchange> {
        self.writing = false;
        match then {
            Then::Believed(answer) if done => {
                self.answered = Some(answer);
                Some(answer)
            }
            _ => None,
        }
    }

    /// The partner makes a new key: it is believed from now on.
    fn offered(&mut self, offer: &Exchange, seen: &Seen<'_>, pairs: &mut P) -> Vec<Order> {
        if let Some(answer) = self.answered.filter(|last| last.number == offer.number) {
            return vec![Order::Send(answer)];
        }
        if self.writing || (self.offering.is_some() && seen.me == Side::First) {
            return Vec::new();
        }
        let mut orders = Vec::new();
        if self.offering.take().is_some() {
            orders.push(Order::Failed(Failed::Theirs));
        }
        let present = seen.keys.iter().find(|one| Some(one.key.id) == seen.partner_signs);
        let mut keys: Vec<_> =
            seen.keys.iter().filter(|one| one.stage != Stage::New).cloned().collect();
        if keys.iter().any(|one| one.key.id == offer.key_id) || keys.len() >= MAX_KEYS {
            orders.push(Order::Ignored(Ignored::NoRoom));
            return orders;
        }
        let (Some(present), Some((private, public))) = (present, pairs.pair()) else {
            return orders;
        };
        let present = &present.key.secret;
        let agreed =
            P::meet(private, &offer.public, |shared| agree(shared, present, offer, &public).ok());
        let Some(agreed) = agreed else {
            orders.push(Order::Ignored(Ignored::BadHalf));
            return orders;
        };
        let key = SharedKey { id: offer.key_id, secret: agreed.secret };
        keys.push(Staged { key, stage: Stage::New });
        let answer = Exchange { step: Step::Answer, public, proof: agreed.proof, ..*offer };
        orders.push(self.write(keys, Then::Believed(answer)));
        orders
    }

    /// The partner believes the new key: it signs from now on.
    fn answered(&mut self, answer: &Exchange, seen: &Seen<'_>) -> Option<Order> {
        let fits = |offering: &Offering<P::Private>| {
            offering.offer.number == answer.number && offering.offer.key_id == answer.key_id
        };
        if self.writing || !self.offering.as_ref().is_some_and(fits) {
            return None;
        }
        let (Offering { offer, private, .. }, present) =
            (self.offering.take()?, seen.keys.first()?);
        let present = &present.key.secret;
        let agreed = P::meet(private, &answer.public, |shared| {
            agree(shared, present, &offer, &answer.public).ok()
        });
        let Some(agreed) = agreed.filter(|agreed| proves(&agreed.secret, answer)) else {
            return Some(Order::Failed(Failed::NotProven));
        };
        let key = SharedKey { id: offer.key_id, secret: agreed.secret };
        let first = Staged { key, stage: Stage::InUse };
        Some(self.write(preferred(first, seen.keys), Then::Signs))
    }

    /// What the partner signs with moves the keys on.
    fn advance(&mut self, seen: &Seen<'_>, now: Moment) -> Option<Order> {
        let signs = seen.partner_signs;
        let is_new = |one: &&Staged| one.stage == Stage::New && Some(one.key.id) == signs;
        if let Some(new) = seen.keys.iter().find(is_new) {
            return Some(self.write(preferred(new.clone(), seen.keys), Then::Signs));
        }
        let agrees = seen.keys.first().map(|one| one.key.id) == signs;
        let mode = Mode::of(seen.keys.iter().map(|one| one.stage));
        if mode != Mode::Prefer || !agrees {
            self.agreed_since = None;
            return None;
        }
        // What the partner signed with the old key may still be on its way.
        let since = *self.agreed_since.get_or_insert(now);
        if now.since(since) < seen.dead_after {
            return None;
        }
        let keys = seen.keys.iter().filter(|one| one.stage != Stage::Old).cloned().collect();
        Some(self.write(keys, Then::Alone))
    }

    fn write(&mut self, keys: Vec<Staged>, then: Then) -> Order {
        self.writing = true;
        Order::Write(keys, then)
    }
}
