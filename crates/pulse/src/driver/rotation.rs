//! A new heartbeat key while the pair runs. What is done when is decided in
//! [`heartbeat::rotation`]; here it is done: key pairs, the file, packets, and whoever asked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use config::keys::{self as files, KeyMaterial, Secret, write_key_file};
use config::model::KeySource;
use control::action::ActionResult;
use heartbeat::exchange::{Agreed, Exchange, HALF, Step};
use heartbeat::rotation::{Mode, Order, Pairs, Seen, Stage, Staged, Then};
use heartbeat::{Moment, SharedKey};
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

/// How long whoever asked waits for the end.
const PATIENCE: Duration = Duration::from_secs(15);
/// Only the owner reads a key file.
const MODE: u32 = 0o600;

/// What is under way.
#[derive(Default)]
pub(crate) struct Rotation {
    /// Our own key file; none when the keys are in somebody else's format.
    file: Option<PathBuf>,
    core: heartbeat::rotation::Rotation<Ephemeral>,
    reply: Option<(oneshot::Sender<Response>, Moment)>,
}

/// New contents of the key file, and what they are good for.
#[derive(Debug)]
pub(crate) struct Written {
    keys: Vec<KeyMaterial>,
    then: Then,
    failure: Option<String>,
}

/// Key pairs for one time: X25519.
#[derive(Debug)]
struct Ephemeral;

impl Pairs for Ephemeral {
    type Private = EphemeralPrivateKey;

    fn pair(&mut self) -> Option<(EphemeralPrivateKey, [u8; HALF])> {
        let private = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).ok()?;
        let public = private.compute_public_key().ok()?;
        let public = public.as_ref().try_into().ok()?;
        Some((private, public))
    }

    fn meet(
        private: EphemeralPrivateKey,
        theirs: &[u8; HALF],
        then: impl FnOnce(&[u8]) -> Option<Agreed>,
    ) -> Option<Agreed> {
        let theirs = UnparsedPublicKey::new(&X25519, theirs);
        agree_ephemeral(private, &theirs, then).ok()?
    }
}

/// As the file has it.
fn stage_of(key: &KeyMaterial) -> Stage {
    match key.stage {
        files::Stage::InUse => Stage::InUse,
        files::Stage::New => Stage::New,
        files::Stage::Old => Stage::Old,
    }
}

fn staged(keys: &[KeyMaterial]) -> Vec<Staged> {
    let one = |key: &KeyMaterial| Staged {
        key: SharedKey { id: key.id, secret: key.secret.expose().to_vec() },
        stage: stage_of(key),
    };
    keys.iter().map(one).collect()
}

/// Which of the roll-out's modes the keys are in.
pub(crate) fn mode(keys: &[KeyMaterial]) -> &'static str {
    Mode::of(keys.iter().map(stage_of)).as_str()
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
        tracing::warn!(reason = text, "no new heartbeat key");
        self.answer(Response::failure(StatusCode::CONFLICT, format!("no new key: {text}")));
    }

    fn material(&self, one: Staged) -> KeyMaterial {
        let origin = self.file.as_deref().map(|file| file.display().to_string());
        KeyMaterial {
            id: one.key.id,
            secret: Secret::new(one.key.secret),
            origin: origin.unwrap_or_default(),
            stage: match one.stage {
                Stage::InUse => files::Stage::InUse,
                Stage::New => files::Stage::New,
                Stage::Old => files::Stage::Old,
            },
        }
    }
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
        if self.rotation.file.is_none() {
            return Err("the keys are in heartbeat's authkeys, which is left as it is: put a new \
                        secret there on both routers, and `lvsctl reload` on both"
                .to_owned());
        }
        let mut number = [0; 8];
        SystemRandom::new()
            .fill(&mut number)
            .map_err(|_| heartbeat::rotation::Refused::NoRandomness.to_string())?;
        let number = u64::from_be_bytes(number);
        let keys = staged(&self.keys);
        let seen = self.seen(&keys);
        let offer = self.rotation.core.begin(&seen, number, &mut Ephemeral, now);
        let offer = offer.map_err(|refused| refused.to_string())?;
        self.send_exchange(&offer);
        let fields = [("key", offer.key_id.to_string())];
        self.tools.journal.record(EventKind::Operator, Level::Info, "new key offered", &fields);
        Ok(())
    }

    fn seen<'a>(&self, keys: &'a [Staged]) -> Seen<'a> {
        Seen {
            keys,
            presence: self.failover.presence(),
            partner_keys: self.session.partner_keys(),
            partner_signs: self.session.partner_signs(),
            me: self.plan.me,
            dead_after: self.plan.timing.dead_after(),
        }
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
        let keys = staged(&self.keys);
        let seen = self.seen(&keys);
        let mut orders = Vec::new();
        match self.session.take_exchange() {
            Some(said) if said.step == Step::Offer && self.rotation.file.is_none() => {
                let reason = "the keys here are in heartbeat's authkeys";
                tracing::warn!(reason, "the partner's new key is not taken");
            }
            Some(said) => orders = self.rotation.core.heard(&said, &seen, &mut Ephemeral),
            None => {}
        }
        if self.rotation.file.is_some() {
            orders.extend(self.rotation.core.due(&seen, now));
        }
        for order in orders {
            match order {
                Order::Send(exchange) => self.send_exchange(&exchange),
                Order::Write(keys, then) => self.write_keys(keys, then),
                Order::Failed(failed) => self.rotation.fail(&failed.to_string()),
                Order::Ignored(reason) => {
                    tracing::warn!(%reason, "the partner's new key is not taken");
                }
            }
        }
        if self.rotation.reply.as_ref().is_some_and(|(_, until)| now >= *until) {
            let text = "the new key signs here, and the partner has not signed with it yet: the \
                        old one stays until it does, and leaves by itself";
            self.rotation.answer(Response::json(&ActionResult { done: vec![text.to_owned()] }));
        }
    }

    /// Beside everything else: a slow disk must not delay a heartbeat.
    fn write_keys(&mut self, keys: Vec<Staged>, then: Then) {
        let Some(file) = self.rotation.file.clone() else { return };
        let keys: Vec<_> = keys.into_iter().map(|one| self.rotation.material(one)).collect();
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
        let Written { keys, then, failure } = written;
        let refused = self.session.replace_keys(&keys::shared(&keys)).err();
        let failure = failure.or_else(|| refused.map(|error| error.to_string()));
        if let Some(reason) = failure {
            self.rotation.core.written(then, false);
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
        let (subject, sentence) = match then {
            Then::Believed(_) => (self.keys.last(), "new key is believed"),
            Then::Signs => (self.keys.first(), "new key signs"),
            Then::Alone => (self.keys.first(), "old key is gone"),
        };
        let fingerprint = subject.map(keys::fingerprint).unwrap_or_default();
        let fields = [("key", fingerprint.clone())];
        self.tools.journal.record(EventKind::Operator, Level::Info, sentence, &fields);
        if let Some(answer) = self.rotation.core.written(then, true) {
            self.send_exchange(&answer);
        }
        if then == Then::Alone {
            let text = format!(
                "key {fingerprint} signs on both routers, {} is gone; its file is {}",
                gone.join(", "),
                self.rotation.file.as_deref().unwrap_or(Path::new("")).display()
            );
            self.rotation.answer(Response::json(&ActionResult { done: vec![text] }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heartbeat::exchange::{agree, proves};

    fn combine(
        private: EphemeralPrivateKey,
        theirs: &[u8; HALF],
        offer: &Exchange,
        answer: &[u8; HALF],
    ) -> Option<Agreed> {
        Ephemeral::meet(private, theirs, |shared| agree(shared, b"present", offer, answer).ok())
    }

    #[test]
    fn both_routers_come_to_one_key_and_a_third_one_does_not() {
        let [(a, a_public), (b, b_public), (third, _)] = [0; 3].map(|_| Ephemeral.pair().unwrap());
        let offer = Exchange {
            step: Step::Offer,
            number: 1,
            key_id: 2,
            public: a_public,
            proof: [0; HALF],
        };
        let theirs = combine(b, &a_public, &offer, &b_public).unwrap();
        let ours = combine(a, &b_public, &offer, &b_public).unwrap();
        assert_eq!(ours.secret, theirs.secret);
        let answer =
            Exchange { step: Step::Answer, public: b_public, proof: theirs.proof, ..offer };
        assert!(proves(&ours.secret, &answer));
        let other = combine(third, &b_public, &offer, &b_public).unwrap();
        assert!(!proves(&other.secret, &answer));
    }

    #[test]
    fn a_half_that_makes_everything_zero_is_refused() {
        let (private, public) = Ephemeral.pair().unwrap();
        let offer = Exchange { step: Step::Offer, number: 1, key_id: 2, public, proof: [0; HALF] };
        assert!(combine(private, &[0; HALF], &offer, &public).is_none());
    }

    #[test]
    fn the_stages_of_the_file_are_those_of_the_rotation() {
        let rotation = Rotation::default();
        for stage in [files::Stage::InUse, files::Stage::New, files::Stage::Old] {
            let secret = Secret::new(vec![7; 32]);
            let key = KeyMaterial { id: 7, secret, origin: String::new(), stage };
            let again = staged(std::slice::from_ref(&key)).remove(0);
            assert_eq!(rotation.material(again), key);
        }
    }
}
