//! The kernel's IPVS: listing and changing its table.

use std::collections::BTreeMap;

use ipvs::wire::{self, Info, Request, SyncDaemon, SyncRole, Timeouts};
use ipvs::{Pool, PoolStats, ServiceKey, Step, Table, TableStats};

use crate::KernelError;
use crate::family::{self, Family};

/// What the kernel holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// Virtual and real servers.
    pub table: Table,
    /// What is counted for them.
    pub stats: TableStats,
    /// Entries of other programs that there are no words for, one sentence each. They are not in
    /// the table, and nothing here changes them.
    pub unreadable: Vec<String>,
}

/// A socket to the kernel's IPVS in the network namespace of its opening.
///
/// It needs `CAP_NET_ADMIN`, for listing too. A call that is cut off does no harm to the next one.
/// It works on after the kernel's module was unloaded and loaded again.
pub struct IpvsSocket {
    family: Family,
}

impl IpvsSocket {
    /// Opens the socket. A kernel that can load its `ip_vs` module by itself does so now.
    ///
    /// # Errors
    /// [`KernelError::NoIpvs`] and [`KernelError::NotPermitted`] say what to do.
    pub async fn open() -> Result<Self, KernelError> {
        let family = Family::open(wire::FAMILY, KernelError::NoIpvs).await?;
        let mut socket = Self { family };
        socket.info().await?;
        Ok(socket)
    }

    /// Version of IPVS and size of its connection table.
    ///
    /// # Errors
    /// [`KernelError::NoIpvs`] when the module was unloaded since and cannot be loaded.
    pub async fn info(&mut self) -> Result<Info, KernelError> {
        let answers = self.request(&wire::get_info()).await?;
        Ok(wire::decode_info(first(&answers)?)?)
    }

    /// Lists everything. The list is taken in pieces: what others change meanwhile may be half in
    /// it, and is seen whole the next time.
    ///
    /// # Errors
    /// [`KernelError::NoIpvs`] when the module was unloaded since and cannot be loaded.
    pub async fn dump(&mut self) -> Result<Dump, KernelError> {
        let mut dump = Dump::default();
        let services = self.list(&wire::list_services()).await?;
        for message in services {
            let (key, service, counters) = match wire::decode_service(&message) {
                Ok(decoded) => decoded,
                Err(error) => {
                    dump.unreadable.push(format!("a virtual server: {error}"));
                    continue;
                }
            };
            let mut pool = Pool { service, destinations: BTreeMap::new() };
            let mut stats = PoolStats { counters, destinations: BTreeMap::new() };
            for message in self.list(&wire::list_destinations(&key)).await? {
                match wire::decode_destination(&message, key.family()) {
                    Ok((real, destination, counted)) => {
                        pool.destinations.insert(real, destination);
                        stats.destinations.insert(real, counted);
                    }
                    Err(error) => {
                        dump.unreadable.push(format!("a real server of {key}: {error}"));
                    }
                }
            }
            dump.table.insert(key, pool);
            dump.stats.insert(key, stats);
        }
        Ok(dump)
    }

    /// Takes the steps in order and tells what became of each. A refused step does not stop the
    /// later ones. Many requests share a write.
    pub async fn apply(&mut self, steps: &[Step]) -> Vec<Result<(), KernelError>> {
        let requests = steps.iter().map(|step| with_header(&wire::step_request(step))).collect();
        let results = self.family.batch(requests).await;
        let explained = results.into_iter().zip(steps);
        explained.map(|(result, step)| result.map_err(|error| explain(error, step))).collect()
    }

    /// The timeouts of idle connections.
    ///
    /// # Errors
    /// As the kernel answers.
    pub async fn timeouts(&mut self) -> Result<Timeouts, KernelError> {
        let answers = self.request(&wire::get_timeouts()).await?;
        Ok(wire::decode_timeouts(first(&answers)?)?)
    }

    /// Sets those timeouts that are given.
    ///
    /// # Errors
    /// As the kernel answers.
    pub async fn set_timeouts(&mut self, timeouts: &Timeouts) -> Result<(), KernelError> {
        self.request(&wire::set_timeouts(timeouts)).await.map(drop)
    }

    /// The sync daemons that run.
    ///
    /// # Errors
    /// As the kernel answers.
    pub async fn daemons(&mut self) -> Result<Vec<SyncDaemon>, KernelError> {
        let answers = self.list(&wire::get_daemons()).await?;
        Ok(answers.iter().map(|one| wire::decode_daemon(one)).collect::<Result<_, _>>()?)
    }

    /// Starts a sync daemon.
    ///
    /// # Errors
    /// `EEXIST` when one of this role runs, `ENODEV` without such an interface, `EINVAL` while
    /// tunnels join IPv4 and IPv6.
    pub async fn start_daemon(&mut self, daemon: &SyncDaemon) -> Result<(), KernelError> {
        self.request(&wire::start_daemon(daemon)).await.map(drop)
    }

    /// Stops the sync daemon of a role.
    ///
    /// # Errors
    /// `ESRCH` when none of this role runs.
    pub async fn stop_daemon(&mut self, role: SyncRole) -> Result<(), KernelError> {
        self.request(&wire::stop_daemon(role)).await.map(drop)
    }

    /// Sets the counters of one virtual server, or of all, to 0.
    ///
    /// # Errors
    /// `ESRCH` without such a virtual server.
    pub async fn zero(&mut self, key: Option<&ServiceKey>) -> Result<(), KernelError> {
        self.request(&wire::zero(key)).await.map(drop)
    }

    async fn request(&mut self, request: &Request) -> Result<Vec<Vec<u8>>, KernelError> {
        self.family.request(&with_header(request)).await
    }

    async fn list(&mut self, request: &Request) -> Result<Vec<Vec<u8>>, KernelError> {
        self.family.list(&with_header(request)).await
    }
}

fn with_header(request: &Request) -> Vec<u8> {
    family::with_header(request.command as u8, wire::VERSION, &request.attributes)
}

fn first(answers: &[Vec<u8>]) -> Result<&[u8], KernelError> {
    answers.first().map(Vec::as_slice).ok_or(wire::WireError::Missing("content").into())
}

/// Gives the kernel's number the words that it has for this step, if the kernel itself gave none.
fn explain(error: KernelError, step: &Step) -> KernelError {
    let KernelError::Refused { errno, text: None } = error else { return error };
    let text = match (errno, step) {
        (libc::EEXIST, Step::AddService(..)) => "this virtual server exists already".into(),
        (libc::EEXIST, _) => "this real server exists already".into(),
        (libc::ESRCH, _) => "there is no such virtual server".into(),
        (libc::ENOENT, Step::AddService(_, service) | Step::EditService(_, service)) => {
            let engine = service.persistence.as_ref().and_then(|it| it.engine.as_ref());
            let or = engine.map(|engine| format!(", or ip_vs_pe_{engine}")).unwrap_or_default();
            format!("the kernel cannot load ip_vs_{}{or}", service.scheduler)
        }
        (libc::ENOENT, _) => "there is no such real server".into(),
        (libc::ERANGE, _) => "the weight or a threshold is out of range".into(),
        (libc::EINVAL, Step::AddDestination(..) | Step::EditDestination(..)) => {
            "the real server's address is not unicast, or of the other family without a tunnel, \
             or of the other family beside connection sync"
                .into()
        }
        _ => return KernelError::Refused { errno, text: None },
    };
    KernelError::Refused { errno, text: Some(text) }
}
