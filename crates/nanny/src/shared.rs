//! What all checks of one process share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use config::model::Expect;
use health::expect::Pattern;
use rustix::net::sockopt::{socket_domain, socket_type};
use rustix::net::{AddressFamily, SocketType};
use rustls::ClientConfig;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::data_path::DataPath;
use crate::failure::Failure;
use crate::pinger::Pinger;
use crate::probe::{TlsConfigs, TlsSide};

/// External programs that run at the same time; the others wait for their turn.
const PROGRAMS: usize = 32;

/// What all checks share.
#[derive(Debug)]
pub struct Shared {
    patterns: Mutex<HashMap<String, Weak<Pattern>>>,
    programs: Semaphore,
    pinger: Pinger,
    data_path: DataPath,
    tls: TlsConfigs,
}

impl Shared {
    /// With the sockets of `runtime::raw_sockets` that a parent has passed.
    pub fn new(passed: Vec<OwnedFd>) -> Self {
        let (icmp, packet) = passed.into_iter().partition(is_icmp);
        Self {
            patterns: Mutex::default(),
            programs: Semaphore::new(PROGRAMS),
            pinger: Pinger::new(icmp),
            data_path: DataPath::new(packet),
            tls: TlsConfigs::default(),
        }
    }

    /// What an answer must hold. A regular expression takes far more memory than its text, so
    /// checks with the same one share it.
    ///
    /// # Errors
    /// A regular expression that cannot be used.
    pub fn pattern(&self, expect: &Expect) -> Result<Arc<Pattern>, Failure> {
        let make = || {
            Pattern::new(expect).map(Arc::new).map_err(|error| Failure::Other(error.to_string()))
        };
        let Expect::Regex(text) = expect else {
            return make();
        };
        let mut patterns = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pattern) = patterns.get(text).and_then(Weak::upgrade) {
            return Ok(pattern);
        }
        let pattern = make()?;
        patterns.retain(|_, pattern| pattern.strong_count() > 0);
        patterns.insert(text.clone(), Arc::downgrade(&pattern));
        Ok(pattern)
    }

    /// Waits until one more program may run, and keeps the place until it is dropped.
    pub(crate) async fn program_turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed, so there always is one.
        self.programs.acquire().await.ok()
    }

    pub(crate) async fn ping(&self, server: IpAddr) -> Result<(), Failure> {
        self.pinger.ping(server).await
    }

    pub(crate) fn data_path(&self) -> &DataPath {
        &self.data_path
    }

    pub(crate) async fn tls(&self, side: &TlsSide) -> Result<Arc<ClientConfig>, Failure> {
        self.tls.get(side).await
    }
}

fn is_icmp(descriptor: &OwnedFd) -> bool {
    let is_internet =
        matches!(socket_domain(descriptor), Ok(AddressFamily::INET | AddressFamily::INET6));
    is_internet && socket_type(descriptor) != Ok(SocketType::STREAM)
}
