//! Who waits for which answer.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, error::RecvError};

use super::segment::{Answer, Says};
use crate::failure::Failure;

/// Bounded by the number of watches, as each waits for one answer at most.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<HashMap<u32, Place>>);

/// Where one check is told.
#[derive(Debug)]
struct Place {
    virtual_server: SocketAddr,
    answered: oneshot::Sender<bool>,
    /// Used once: what somebody else sends in our name cannot keep a check busy.
    older: Option<oneshot::Sender<u32>>,
}

/// What a check is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The server accepts.
    Accepts,
    /// It refuses.
    Refuses,
    /// A server of the same virtual server, this one or another, holds an older connection half
    /// open, and waits for this sequence number.
    HoldsOlder(u32),
}

impl Waiting {
    /// A place to wait at, under a number that nobody can guess.
    pub(super) fn ticket(self: &Arc<Self>, virtual_server: SocketAddr) -> Ticket {
        let (answered, is_answered) = oneshot::channel();
        let (older, is_older) = oneshot::channel();
        let mut all = self.locked();
        let mut number = random();
        while all.contains_key(&number) {
            number = random();
        }
        all.insert(number, Place { virtual_server, answered, older: Some(older) });
        let waiting = Arc::clone(self);
        Ticket { waiting, number, answered: is_answered, older: Some(is_older) }
    }

    /// Hands an answer to whoever waits for it.
    pub(super) fn answer(&self, answer: Answer) {
        let accepts = match answer.says {
            Says::HoldsOlder => return self.holds_older(answer),
            says => says == Says::Accepts,
        };
        let number = answer.acknowledged.wrapping_sub(1);
        let mut all = self.locked();
        if all.get(&number).is_some_and(|place| place.virtual_server == answer.virtual_server)
            && let Some(place) = all.remove(&number)
        {
            // Whoever waited may have given up meanwhile.
            let _gone = place.answered.send(accepts);
        }
    }

    /// The answer names an older SYN: whose it was, and which real server holds it, nobody knows any
    /// more. So all that ask for the virtual server are told.
    fn holds_older(&self, answer: Answer) {
        for place in self.locked().values_mut() {
            if place.virtual_server == answer.virtual_server
                && let Some(older) = place.older.take()
            {
                let _gone = older.send(answer.acknowledged);
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<u32, Place>> {
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
    older: Option<oneshot::Receiver<u32>>,
}

impl Ticket {
    /// The sequence number of the SYN.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// What the server says; an older connection is told of once. May be dropped and called again.
    pub(super) async fn answer(&mut self) -> Result<Told, Failure> {
        if let Some(older) = &mut self.older {
            tokio::select! {
                biased;
                accepts = &mut self.answered => return told(accepts),
                number = older => {
                    self.older = None;
                    if let Ok(number) = number {
                        return Ok(Told::HoldsOlder(number));
                    }
                }
            }
        }
        told((&mut self.answered).await)
    }
}

fn told(accepts: Result<bool, RecvError>) -> Result<Told, Failure> {
    let lost = |_| Failure::Here(std::io::Error::other("the packet socket was lost"));
    accepts.map(|accepts| if accepts { Told::Accepts } else { Told::Refuses }).map_err(lost)
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.waiting.locked().remove(&self.number);
    }
}

#[cfg(test)]
mod tests;
