//! Who waits for which answer.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::segment::Answer;
use crate::failure::Failure;

/// Bounded by the number of watches, as each waits for one answer at most.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<HashMap<u32, (SocketAddr, oneshot::Sender<bool>)>>);

impl Waiting {
    /// A place to wait at, under a number that nobody can guess.
    pub(super) fn ticket(self: &Arc<Self>, virtual_server: SocketAddr) -> Ticket {
        let (sender, answered) = oneshot::channel();
        let mut all = self.locked();
        let mut number = random();
        while all.contains_key(&number) {
            number = random();
        }
        all.insert(number, (virtual_server, sender));
        Ticket { waiting: Arc::clone(self), number, answered }
    }

    /// Hands an answer to whoever waits for it.
    pub(super) fn answer(&self, answer: Answer) {
        let number = answer.acknowledged.wrapping_sub(1);
        let mut all = self.locked();
        if all.get(&number).is_some_and(|(expected, _)| *expected == answer.virtual_server)
            && let Some((_, sender)) = all.remove(&number)
        {
            // Whoever waited may have given up meanwhile.
            let _gone = sender.send(answer.accepts);
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<u32, (SocketAddr, oneshot::Sender<bool>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys of a new hash map are the standard library's random numbers.
fn random() -> u32 {
    let [a, b, c, d, ..] = RandomState::new().build_hasher().finish().to_ne_bytes();
    u32::from_ne_bytes([a, b, c, d])
}

/// A place in the queue, given up when it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    waiting: Arc<Waiting>,
    number: u32,
    answered: oneshot::Receiver<bool>,
}

impl Ticket {
    /// The sequence number of the SYN.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Whether the server accepts. May be dropped and called again.
    pub(super) async fn answer(&mut self) -> Result<bool, Failure> {
        let lost = |_| Failure::Here(std::io::Error::other("the packet socket was lost"));
        (&mut self.answered).await.map_err(lost)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.waiting.locked().remove(&self.number);
    }
}
