//! The snapshot for `GET /v1/status`, the reasons for `explain`, and the answer to `plan`.

use std::time::Duration;

use config::Cluster;
use config::model::{Host, Listen, SorryServer, VirtualServer};
use control::nanny::WatchId;
use control::plan::{PlanAnswer, PlanRequest, PlannedChange};
use control::status::{
    CheckStatus, ConfigStatus, LvsdStatus, SCHEMA_VERSION, ServerStatus, ServiceStatus,
};
use health::wanted::Said;
use health::{Decided, Note, Verdict, WantedServer, WantedService};
use ipvs::{DestinationStats, Ports, Step, plan};

use super::needs_ftp_helper;
use super::operator::is_meant;
use super::watches::Watched;
use super::{Core, Now, live, report};

/// What the driver knows and the core does not.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The configuration's file.
    pub config: ConfigStatus,
    /// Hash of the configuration.
    pub config_hash: u64,
    /// Since the start.
    pub uptime: Duration,
    /// Process numbers of nanny.
    pub nanny_pids: Vec<u32>,
    /// How often nanny was restarted.
    pub nanny_restarts: u64,
    /// Checks that ended well, and those that failed.
    pub checks: (u64, u64),
    /// Why firewall marks are not set as wanted.
    pub marks_problem: Option<String>,
    /// Why FTP by NAT brings no files.
    pub ftp_problem: Option<String>,
}

impl Core {
    /// Everything, for people and scripts.
    pub fn status(&self, around: &Surroundings, now: Now) -> LvsdStatus {
        let (kernel_writes, kernel_refusals, drift_repairs) = self.reconciler.counters();
        let services = self.cluster.services.iter().zip(&self.services);
        LvsdStatus {
            schema: SCHEMA_VERSION,
            uptime_seconds: around.uptime.as_secs(),
            config: around.config.clone(),
            readiness: self.readiness(around.config_hash),
            services: services
                .map(|(of, wanted)| self.service_status(of, wanted, around, now))
                .collect(),
            foreign: self.reconciler.foreign().map(ToString::to_string).collect(),
            kernel_writes,
            kernel_refusals,
            drift_repairs,
            nanny_pids: around.nanny_pids.clone(),
            nanny_restarts: around.nanny_restarts,
            checks_passed: around.checks.0,
            checks_failed: around.checks.1,
        }
    }

    /// The real servers that a name or address means, each with its check.
    pub fn explain(&self, server: &str, now: Now) -> Vec<(String, ServerStatus, Option<WatchId>)> {
        let services = self.cluster.services.iter().zip(&self.services);
        let servers = services
            .flat_map(|(of, wanted)| wanted.servers.iter().map(move |known| (of, wanted, known)));
        servers
            .filter(|(_, _, known)| is_meant(known, server))
            .map(|(of, wanted, known)| {
                let decides = self.decides(known);
                let watch = decides.and_then(|watched| self.watches.id(&watched.probe));
                (wanted.name.clone(), self.server_status(of, known, now), watch)
            })
            .collect()
    }

    /// What a configuration would change now; nothing is changed by asking.
    pub fn foresee_changes(&self, request: &PlanRequest) -> PlanAnswer {
        let in_force: &Cluster = &self.cluster;
        let cluster = request.cluster.as_deref().unwrap_or(in_force);
        let (table, unchecked) = self.foresee_all(cluster);
        let steps = plan(&table, self.reconciler.believed(), self.reconciler.owned()).steps;
        let changes = steps.iter().map(|step| PlannedChange {
            line: step.to_string(),
            connections: self.connections_of(step),
            ends_connections: matches!(step, Step::RemoveDestination(..) | Step::RemoveService(_)),
        });
        PlanAnswer { changes: changes.collect(), marks: Vec::new(), unchecked }
    }

    /// How the packets of a virtual server come to be those of one service, where lvsd marks them.
    pub fn marked_in_words(&self, service: &str) -> Option<String> {
        let of = self.cluster.services.iter().find(|known| known.name == service)?;
        let Listen::Mark { mark, marked, .. } = &of.listen else { return None };
        let ports: Vec<String> = marked.iter().map(ToString::to_string).collect();
        (!ports.is_empty())
            .then(|| format!("{} is one service: lvsd marks it {mark}", ports.join(", ")))
    }

    fn connections_of(&self, step: &Step) -> u64 {
        let Some(pool) = self.statistics.get(step.service()) else { return 0 };
        let servers = pool.destinations.iter();
        let meant = servers.filter(|(at, _)| step.destination().is_none_or(|only| only == *at));
        meant.map(|(_, counted)| live(counted.connections)).sum()
    }

    fn service_status(
        &self,
        of: &VirtualServer,
        wanted: &WantedService,
        around: &Surroundings,
        now: Now,
    ) -> ServiceStatus {
        let marked = marked(of);
        let unmarked = around.marks_problem.as_ref().filter(|_| !marked.is_empty());
        let servers = wanted.servers.iter().map(|server| self.server_status(of, server, now));
        ServiceStatus {
            name: of.name.clone(),
            keys: wanted.pools.keys().copied().collect(),
            marked: marked.to_vec(),
            scheduler: of.scheduler.to_string(),
            persistence_seconds: of.persistence.as_ref().map(|kept| kept.timeout_seconds),
            on_sorry_server: wanted.on_sorry,
            failing_open: wanted.failing_open,
            max_down_percent: of.max_down.into(),
            sorry: of.sorry.as_ref().map(sorry_in_words),
            problem: wanted
                .pools
                .keys()
                .find_map(|key| self.reconciler.problem(key))
                .map(|reason| format!("the kernel refuses it: {reason}"))
                .or_else(|| Some(format!("its packets are not marked: {}", unmarked?)))
                .or_else(|| around.ftp_problem.clone().filter(|_| needs_ftp_helper(of))),
            servers: servers.collect(),
        }
    }

    fn server_status(&self, of: &VirtualServer, server: &WantedServer, now: Now) -> ServerStatus {
        let real = of.servers.get(server.index);
        let configured_weight = real.map_or(0, |real| real.weight);
        let watched = self.decides(server);
        let reason = match (watched, server.address) {
            (Some(watched), _) => watched.reason.clone(),
            (None, None) => self.unresolved_in_words(real.map(|real| &real.host)),
            (None, Some(_)) => String::new(),
        };
        let decided = self.decisions.of(&of.name, &server.label);
        let counted = || server.places.iter().filter_map(|(key, at)| self.counted(key, at));
        let sum = |of: fn(&DestinationStats) -> u32| {
            counted().fold(0, |sum: u32, one| sum.saturating_add(of(one)))
        };
        let long_sum = |of: fn(&DestinationStats) -> u64| {
            counted().fold(0, |sum: u64, one| sum.saturating_add(of(one)))
        };
        ServerStatus {
            name: server.label.clone(),
            address: server.address,
            forwarding: real.map(|real| real.forwarding).unwrap_or_default(),
            verdict: server.fitness.verdict,
            weight_because: self.because(of, server, configured_weight, &reason),
            checks: self.watched(server).map(check_status).collect(),
            reason,
            since_unix_ms: watched.map(|watched| watched.since_unix_ms).unwrap_or_default(),
            configured_weight,
            kernel_weight: self.kernel_weight(server),
            decision: decided.map(|decided| decision_in_words(decided, now)),
            active_connections: sum(|one| one.connections.active),
            inactive_connections: sum(|one| one.connections.inactive),
            connections: long_sum(|one| one.counters.connections),
            bytes_in: long_sum(|one| one.counters.bytes_in),
        }
    }

    /// The checks of a real server.
    fn watched<'a>(&'a self, server: &'a WantedServer) -> impl Iterator<Item = &'a Watched> {
        server.probes.iter().filter_map(|probe| self.watches.of(probe))
    }

    /// The check that decides about a real server: the first one of those that are as it is.
    fn decides<'a>(&'a self, server: &'a WantedServer) -> Option<&'a Watched> {
        let decides = |watched: &&Watched| watched.fitness.verdict == server.fitness.verdict;
        self.watched(server).find(decides).or_else(|| self.watched(server).next())
    }

    fn because(
        &self,
        of: &VirtualServer,
        server: &WantedServer,
        configured_weight: u32,
        reason: &str,
    ) -> Vec<String> {
        let names: Vec<String> = self.watched(server).map(name_of).collect();
        let said = self.watched(server).zip(&names).map(|(watched, check)| Said {
            check,
            fitness: watched.fitness,
            reason: &watched.reason,
        });
        let mut said: Vec<Said<'_>> = said.collect();
        if server.address.is_none() {
            said.push(Said { check: "", fitness: server.fitness, reason });
        }
        // A load that changes no weight is none of the wanted table's business, but of people's.
        let measured = server.load.as_ref().map(|(probe, _)| {
            let load = Some((probe.clone(), self.loads.reading(probe)));
            WantedServer { load, ..server.clone() }
        });
        let server = measured.as_ref().unwrap_or(server);
        let mut lines = server.because(configured_weight, &said, &self.decisions, &of.name);
        if server.places.iter().any(|place| self.left_out.contains(place)) {
            lines.pop();
            lines.push("out of the table: somebody removed it, and it is not put back".to_owned());
        }
        lines
    }

    fn kernel_weight(&self, server: &WantedServer) -> Option<u32> {
        let found = server.places.iter().filter_map(|(key, at)| {
            Some(self.reconciler.believed().get(key)?.destinations.get(at)?.weight)
        });
        found.max()
    }

    fn unresolved_in_words(&self, host: Option<&Host>) -> String {
        match host {
            Some(Host::Name(name)) if self.names.contains_key(name) => {
                format!("{name} has no address of the virtual server's family")
            }
            Some(Host::Name(name)) => format!("{name} does not resolve"),
            Some(Host::Address(ip)) => format!("{ip} is not of the virtual server's family"),
            None => String::new(),
        }
    }
}

fn name_of(watched: &Watched) -> String {
    report::check_label(&watched.probe.check, watched.probe.server.port())
}

fn check_status(watched: &Watched) -> CheckStatus {
    CheckStatus {
        check: name_of(watched),
        verdict: watched.fitness.verdict,
        reason: watched.reason.clone(),
        since_unix_ms: watched.since_unix_ms,
    }
}

fn marked(service: &VirtualServer) -> &[Ports] {
    match &service.listen {
        Listen::Mark { marked, .. } => marked,
        Listen::Addresses(_) => &[],
    }
}

fn sorry_in_words(sorry: &SorryServer) -> String {
    let host = match &sorry.host {
        Host::Address(ip) => ip.to_string(),
        Host::Name(name) => name.clone(),
    };
    match sorry.port {
        Some(port) if host.contains(':') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

fn decision_in_words(decided: &Decided, now: Now) -> String {
    let mut words = Vec::new();
    let since = |note: &Note| {
        let seconds = now.unix_ms.saturating_sub(note.since_unix_ms) / 1000;
        match seconds {
            0..120 => format!(", for {seconds} s"),
            120..7200 => format!(", for {} min", seconds / 60),
            _ => format!(", for {} h", seconds / 3600),
        }
    };
    if let Some(drain) = &decided.drain {
        let until = match drain.deadline {
            _ if drain.done => String::new(),
            None => ", until no connection is left".to_owned(),
            Some(at) => format!(", at most {} s more", at.saturating_sub(now.boot).as_secs()),
        };
        let state = if drain.done { "drained" } else { "draining" };
        words.push(format!("{state}{}{}{until}", drain.note, since(&drain.note)));
    }
    if let Some(note) = &decided.disabled {
        words.push(format!("disabled{note}{}", since(note)));
    }
    if let Some((weight, note)) = &decided.weight {
        words.push(format!("weight {weight}{note}{}", since(note)));
    }
    words.join("; ")
}

/// How we are, in one line for `systemctl status`.
pub fn sum_up(core: &Core, config: &ConfigStatus) -> String {
    let servers = core.services.iter().flat_map(|service| &service.servers);
    let up = servers.clone().filter(|server| server.fitness.verdict == Verdict::Up).count();
    let (services, all) = (core.services.len(), servers.count());
    let refused = if config.refused.is_empty() { "" } else { "; the newest edit is refused" };
    format!("{services} virtual servers, {up} of {all} real servers up{refused}")
}
