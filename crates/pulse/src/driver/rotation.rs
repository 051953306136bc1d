//! A new heartbeat key while the pair runs: first believed, then preferred, then alone.
//!
//! The key file of each router says at every moment where its keys stand, so that whoever is
//! killed in between goes on from there. It is on disk before a packet depends on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use config::keys::{KeyMaterial, Secret, Stage, write_key_file};
use config::model::KeySource;
use control::action::ActionResult;
use heartbeat::exchange::{Agreed, Exchange, HALF, Step, agree, proves};
use heartbeat::key::MAX_KEYS;
use heartbeat::{Moment, Presence, Side};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::{SecureRandom, SystemRandom};
use runtime::control_server::{Response, StatusCode};
use runtime::dirs::write_atomic;
use runtime::journal::{EventKind, Level};
use runtime::privilege::as_root;
use tokio::sync::oneshot;

use super::Driver;
use crate::notice::Notice;
use crate::{clock, keys};

/// How long the partner may take to answer an offer.
const OFFER: Duration = Duration::from_secs(5);
/// An offer that is not answered is repeated.
const AGAIN: Duration = Duration::from_millis(200);
/// How long whoever asked waits for the end.
const PATIENCE: Duration = Duration::from_secs(15);
/// Only the owner reads a key file.
const MODE: u32 = 0o600;

/// What is under way.
#[derive(Default)]
pub(crate) struct Rotation {
    /// Our own key file; none when the keys are in somebody else's format.
    file: Option<PathBuf>,
    offering: Option<Offering>,
    /// Our last answer, for a partner that has not heard it.
    answered: Option<Exchange>,
    writing: bool,
    /// Since when the partner signs with the first key.
    agreed_since: Option<Moment>,
    reply: Option<(oneshot::Sender<Response>, Moment)>,
}

struct Offering {
    offer: Exchange,
    private: EphemeralPrivateKey,
    until: Moment,
    again: Moment,
}

/// New contents of the key file, and what they are good for.
#[derive(Debug)]
pub(crate) struct Written {
    keys: Vec<KeyMaterial>,
    then: Then,
    failure: Option<String>,
}

#[derive(Debug)]
enum Then {
    Believed(Exchange),
    Signs,
    Alone,
}

/// Which of the roll-out's modes the keys are in.
pub(crate) fn mode(keys: &[KeyMaterial]) -> &'static str {
    if keys.iter().any(|key| key.stage == Stage::New) {
        "observe"
    } else if keys.iter().any(|key| key.stage == Stage::Old) {
        "prefer"
    } else {
        "enforce"
    }
}

impl Rotation {
    /// Keys are written only to a file of our own format.
    pub(crate) fn of(source: &KeySource, configuration: &Path) -> Self {
        let ours = !matches!(source, KeySource::Authkeys(_));
        let file = ours.then(|| keys::path_of(source, configuration));
        Self { file, ..Self::default() }
    }

    /// The configuration was read again.
    pub(crate) fn set_source(&mut self, source: &KeySource, configuration: &Path) {
        self.file = Self::of(source, configuration).file;
    }

    fn answer(&mut self, response: Response) {
        if let Some((reply, _)) = self.reply.take() {
            // Who asked may be gone.
            let _sent = reply.send(response);
        }
    }

    fn fail(&mut self, text: &str) {
        self.offering = None;
        tracing::warn!(reason = text, "no new heartbeat key");
        self.answer(Response::failure(StatusCode::CONFLICT, format!("no new key: {text}")));
    }
}

/// A key pair for one time: X25519.
fn halves() -> Option<(EphemeralPrivateKey, [u8; HALF])> {
    let private = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).ok()?;
    let public = private.compute_public_key().ok()?;
    let public = public.as_ref().try_into().ok()?;
    Some((private, public))
}

fn combine(
    private: EphemeralPrivateKey,
    theirs: &[u8; HALF],
    present: &[u8],
    offer: &Exchange,
    answer: &[u8; HALF],
) -> Option<Agreed> {
    let theirs = UnparsedPublicKey::new(&X25519, theirs);
    let agreed = agree_ephemeral(private, &theirs, |shared| agree(shared, present, offer, answer));
    agreed.ok()?.ok()
}

/// `first` signs, and of the others those that were in use leave soon.
fn preferred(first: KeyMaterial, others: &[KeyMaterial]) -> Vec<KeyMaterial> {
    let others = others.iter().filter(|key| key.id != first.id && key.stage != Stage::New);
    let others = others.map(|key| KeyMaterial { stage: Stage::Old, ..key.clone() });
    let first = KeyMaterial { stage: Stage::InUse, ..first };
    std::iter::once(first).chain(others).collect()
}

impl Driver {
    /// An operator wants a new key.
    pub(super) fn rotate(&mut self, reply: oneshot::Sender<Response>) {
        let now = clock::now();
        if self.rotation.reply.is_some() {
            let text = "no new key: somebody makes one right now, look at lvsctl status";
            // Who asked may be gone.
            let _sent = reply.send(Response::failure(StatusCode::CONFLICT, text));
            return;
        }
        self.rotation.reply = Some((reply, now + PATIENCE));
        if let Err(text) = self.begin_rotation(now) {
            self.rotation
                .answer(Response::failure(StatusCode::CONFLICT, format!("no new key: {text}")));
        }
    }

    fn begin_rotation(&mut self, now: Moment) -> Result<(), String> {
        let refuse = |text: &str| Err(text.to_owned());
        if self.rotation.file.is_none() {
            return refuse(
                "the keys are in heartbeat's authkeys, which is left as it is: put a new secret \
                 there on both routers, and `lvsctl reload` on both",
            );
        }
        if self.rotation.offering.is_some() || mode(&self.keys) != "enforce" {
            return refuse(
                "the last one is not over: the partner has not signed with that key yet",
            );
        }
        if self.failover.presence() != Presence::Alive {
            return refuse(
                "the partner is not heard, and both routers make the key together: start pulse \
                 there and try again, or make one with lvsctl keygen, copy it to both and start both",
            );
        }
        let held = self.session.partner_keys();
        let Some(present) = self.keys.first().filter(|key| held.contains(&key.id)) else {
            return refuse("the partner does not hold the key that signs here: copy the key file");
        };
        let taken = |id: u8| held.contains(&id) || self.keys.iter().any(|key| key.id == id);
        let next = (1..=u8::MAX).map(|step| present.id.checked_add(step).unwrap_or(step));
        let Some(key_id) = next.into_iter().find(|id| !taken(*id)) else {
            return refuse("every key number is in use");
        };
        let mut number = [0; 8];
        let random = SystemRandom::new().fill(&mut number);
        let (Ok(()), Some((private, public))) = (random, halves()) else {
            return refuse("the system gives no random bits");
        };
        let number = u64::from_be_bytes(number);
        let offer = Exchange { step: Step::Offer, number, key_id, public, proof: [0; HALF] };
        self.rotation.offering =
            Some(Offering { offer, private, until: now + OFFER, again: now + AGAIN });
        self.send_exchange(&offer);
        let fields = [("key", key_id.to_string())];
        self.tools.journal.record(EventKind::Operator, Level::Info, "new key offered", &fields);
        Ok(())
    }

    fn send_exchange(&mut self, exchange: &Exchange) {
        for path in self.sockets.ids() {
            let packet = self.session.seal_exchange(exchange, clock::now());
            // A path that fails is told about by the heartbeats on it.
            let _failing = self.sockets.send(path, &packet);
        }
    }

    /// After each round: what the partner said about keys, and what has become due.
    pub(super) fn rotation_step(&mut self) {
        let now = clock::now();
        match self.session.take_exchange() {
            Some(offer) if offer.step == Step::Offer => self.offered(&offer),
            Some(answer) => self.answered(&answer),
            None => {}
        }
        if let Some(offering) = &mut self.rotation.offering {
            let offer = offering.offer;
            if now >= offering.until {
                self.rotation.fail(
                    "the partner does not answer: its version is older, or its log says why; \
                     nothing was changed here",
                );
            } else if now >= offering.again {
                offering.again = now + AGAIN;
                self.send_exchange(&offer);
            }
        }
        if !self.rotation.writing {
            self.advance(now);
        }
        if self.rotation.reply.as_ref().is_some_and(|(_, until)| now >= *until) {
            let text = "the new key signs here, and the partner has not signed with it yet: the \
                        old one stays until it does, and leaves by itself";
            self.rotation.answer(Response::json(&ActionResult { done: vec![text.to_owned()] }));
        }
    }

    /// The partner makes a new key: it is believed from now on.
    fn offered(&mut self, offer: &Exchange) {
        if let Some(answer) = self.rotation.answered.filter(|last| last.number == offer.number) {
            return self.send_exchange(&answer);
        }
        let ignored = |reason: &str| tracing::warn!(reason, "the partner's new key is not taken");
        if self.rotation.writing {
            return;
        }
        if self.rotation.offering.is_some() {
            if self.plan.me == Side::First {
                return;
            }
            self.rotation.fail("the partner makes one at the same time, and that one counts");
        }
        if self.rotation.file.is_none() {
            return ignored("the keys here are in heartbeat's authkeys");
        }
        let signs = self.session.partner_signs();
        let present = self.keys.iter().find(|key| Some(key.id) == signs);
        let mut keys: Vec<_> =
            self.keys.iter().filter(|key| key.stage != Stage::New).cloned().collect();
        if keys.iter().any(|key| key.id == offer.key_id) || keys.len() >= MAX_KEYS {
            return ignored("its number is in use, or too many keys are held");
        }
        let (Some(present), Some((private, public))) = (present, halves()) else { return };
        let present = present.secret.expose();
        let Some(agreed) = combine(private, &offer.public, present, offer, &public) else {
            return ignored("the partner's half is no good");
        };
        keys.push(self.material(offer.key_id, agreed.secret, Stage::New));
        let answer = Exchange { step: Step::Answer, public, proof: agreed.proof, ..*offer };
        self.write_keys(keys, Then::Believed(answer));
    }

    /// The partner believes the new key: it signs from now on.
    fn answered(&mut self, answer: &Exchange) {
        let fits = |offering: &Offering| {
            offering.offer.number == answer.number && offering.offer.key_id == answer.key_id
        };
        if self.rotation.writing || !self.rotation.offering.as_ref().is_some_and(fits) {
            return;
        }
        let (Some(Offering { offer, private, .. }), Some(present)) =
            (self.rotation.offering.take(), self.keys.first())
        else {
            return;
        };
        let present = present.secret.expose();
        let agreed = combine(private, &answer.public, present, &offer, &answer.public);
        let Some(agreed) = agreed.filter(|agreed| proves(&agreed.secret, answer)) else {
            return self.rotation.fail("the partner's answer does not prove the same key");
        };
        let first = self.material(offer.key_id, agreed.secret, Stage::InUse);
        self.write_keys(preferred(first, &self.keys), Then::Signs);
    }

    fn material(&self, id: u8, secret: Vec<u8>, stage: Stage) -> KeyMaterial {
        let origin = self.rotation.file.as_deref().map(|file| file.display().to_string());
        let origin = origin.unwrap_or_default();
        KeyMaterial { id, secret: Secret::new(secret), origin, stage }
    }

    /// What the partner signs with moves the keys on.
    fn advance(&mut self, now: Moment) {
        let signs = self.session.partner_signs();
        let is_new = |key: &&KeyMaterial| key.stage == Stage::New && Some(key.id) == signs;
        if let Some(new) = self.keys.iter().find(is_new) {
            let keys = preferred(new.clone(), &self.keys);
            return self.write_keys(keys, Then::Signs);
        }
        let agrees = self.keys.first().map(|key| key.id) == signs;
        if mode(&self.keys) != "prefer" || !agrees {
            self.rotation.agreed_since = None;
            return;
        }
        // What the partner signed with the old key may still be on its way.
        let since = *self.rotation.agreed_since.get_or_insert(now);
        if now.since(since) >= self.plan.timing.dead_after() {
            let keys = self.keys.iter().filter(|key| key.stage != Stage::Old).cloned().collect();
            self.write_keys(keys, Then::Alone);
        }
    }

    /// Beside everything else: a slow disk must not delay a heartbeat.
    fn write_keys(&mut self, keys: Vec<KeyMaterial>, then: Then) {
        let Some(file) = self.rotation.file.clone() else { return };
        self.rotation.writing = true;
        let notices = self.tools.notices.clone();
        let text = write_key_file(&keys);
        tokio::spawn(async move {
            let write = move || as_root(|| write_atomic(&file, text.as_bytes(), MODE));
            let failure = match tokio::task::spawn_blocking(write).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            let written = Box::new(Written { keys, then, failure });
            // The driver may have ended.
            let _sent = notices.send(Notice::KeysWritten(written)).await;
        });
    }

    /// They are on disk: now packets may depend on them.
    pub(super) fn keys_written(&mut self, written: Written) {
        self.rotation.writing = false;
        let Written { keys, then, failure } = written;
        let refused = self.session.replace_keys(&keys::shared(&keys)).err();
        let failure = failure.or_else(|| refused.map(|error| error.to_string()));
        if let Some(reason) = failure {
            // What is in memory stays as the file was.
            let _kept = self.session.replace_keys(&keys::shared(&self.keys));
            let fields = [("reason", reason.clone())];
            let journal = &self.tools.journal;
            journal.record(EventKind::Operator, Level::Error, "cannot write the keys", &fields);
            return self.rotation.fail(&format!("the key file cannot be written: {reason}"));
        }
        let gone: Vec<String> = {
            let gone = self.keys.iter().filter(|old| keys.iter().all(|key| key.id != old.id));
            gone.map(keys::fingerprint).collect()
        };
        self.keys = keys;
        let subject = match then {
            Then::Believed(_) => self.keys.last(),
            Then::Signs | Then::Alone => self.keys.first(),
        };
        let fingerprint = subject.map(keys::fingerprint).unwrap_or_default();
        let sentence = match &then {
            Then::Believed(_) => "new key is believed",
            Then::Signs => "new key signs",
            Then::Alone => "old key is gone",
        };
        let fields = [("key", fingerprint.clone())];
        self.tools.journal.record(EventKind::Operator, Level::Info, sentence, &fields);
        match then {
            Then::Believed(answer) => {
                self.rotation.answered = Some(answer);
                self.send_exchange(&answer);
            }
            Then::Signs => {}
            Then::Alone => {
                let text = format!(
                    "key {fingerprint} signs on both routers, {} is gone; its file is {}",
                    gone.join(", "),
                    self.rotation.file.as_deref().unwrap_or(Path::new("")).display()
                );
                self.rotation.answer(Response::json(&ActionResult { done: vec![text] }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u8, stage: Stage) -> KeyMaterial {
        KeyMaterial { id, secret: Secret::new(vec![id; 32]), origin: String::new(), stage }
    }

    #[test]
    fn both_routers_come_to_one_key_and_a_third_one_does_not() {
        let ((a, a_public), (b, b_public)) = (halves().unwrap(), halves().unwrap());
        let offer = Exchange {
            step: Step::Offer,
            number: 1,
            key_id: 2,
            public: a_public,
            proof: [0; HALF],
        };
        let theirs = combine(b, &a_public, b"present", &offer, &b_public).unwrap();
        let ours = combine(a, &b_public, b"present", &offer, &b_public).unwrap();
        assert_eq!(ours.secret, theirs.secret);
        let answer =
            Exchange { step: Step::Answer, public: b_public, proof: theirs.proof, ..offer };
        assert!(proves(&ours.secret, &answer));
        let (third, _) = halves().unwrap();
        let other = combine(third, &b_public, b"present", &offer, &b_public).unwrap();
        assert!(!proves(&other.secret, &answer));
    }

    #[test]
    fn a_half_that_makes_everything_zero_is_refused() {
        let (private, public) = halves().unwrap();
        let offer = Exchange { step: Step::Offer, number: 1, key_id: 2, public, proof: [0; HALF] };
        assert!(combine(private, &[0; HALF], b"present", &offer, &public).is_none());
    }

    #[test]
    fn the_keys_say_which_mode_they_are_in() {
        let (first, new) = (key(1, Stage::InUse), key(2, Stage::New));
        assert_eq!(mode(&[first.clone(), new.clone()]), "observe");
        let keys = preferred(new, &[first, key(2, Stage::New), key(9, Stage::New)]);
        assert_eq!(
            keys.iter().map(|key| (key.id, key.stage)).collect::<Vec<_>>(),
            [(2, Stage::InUse), (1, Stage::Old)]
        );
        assert_eq!(mode(&keys), "prefer");
        assert_eq!(mode(&keys[..1]), "enforce");
    }
}
