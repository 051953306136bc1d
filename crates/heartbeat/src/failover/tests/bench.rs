//! A router whose partner, clock and worker are the test.

use super::*;

pub(super) const WEB: GroupId = GroupId(7);
pub(super) const READY: Worker = Worker::Up { table_in_place: true, checks_warm: true };

pub(super) fn at(millis: u64) -> Moment {
    Moment::from_millis(millis)
}

pub(super) fn setup() -> Setup {
    let ms = Duration::from_millis;
    Setup {
        me: Side::First,
        router: RouterId(1),
        partner: RouterId(2),
        timing: Timing::try_new(ms(200), ms(600), Some(ms(400)), ms(1000)).unwrap(),
        paths: vec![PathSetup { carrier: true, was: None }; 2],
        groups: vec![GroupSetup {
            id: WEB,
            preferred: Some(Side::First),
            failback: None,
            fit: true,
            holding: false,
        }],
        witness: false,
        yields: false,
        fence: None,
        config_hash: 5,
    }
}

pub(super) fn claim(role: Role) -> Claim {
    Claim { role, fit: true, ..Claim::default() }
}

pub(super) fn says(claim: Claim) -> Received {
    let beat = Beat {
        table_in_place: true,
        checks_warm: true,
        config_hash: 5,
        heard_paths: 3,
        groups: vec![(WEB, claim)],
        ..Beat::default()
    };
    Received { beat, newest: true, new_session: false, sequence: 0, made_after: at(u64::MAX / 2) }
}

/// A router, and the actions that are not reports or sends.
pub(super) struct Bench {
    pub(super) router: Failover,
    pub(super) now: u64,
    pub(super) reports: Vec<Event>,
    pub(super) sent: Vec<Beat>,
    /// Questions that nobody answers unless a test does.
    pub(super) probes: Vec<QuestionId>,
}

impl Bench {
    pub(super) fn new(setup: Setup) -> Self {
        let router = Failover::new(setup, at(0)).unwrap();
        Self { router, now: 0, reports: Vec::new(), sent: Vec::new(), probes: Vec::new() }
    }

    pub(super) fn note(&mut self, actions: Actions) -> Vec<Action> {
        let mut deeds = Vec::new();
        for action in actions {
            match action {
                Action::Report(event) => self.reports.push(event),
                Action::Send { beat, .. } => self.sent.push(beat),
                Action::Probe { question, .. } => self.probes.push(question),
                deed => deeds.push(deed),
            }
        }
        deeds
    }

    pub(super) fn hear(&mut self, claim: Claim) -> Vec<Action> {
        let actions = self.router.handle_heartbeat(PathId(0), says(claim), at(self.now));
        self.note(actions)
    }

    /// Time passes in steps of 50 ms; the partner, if given, speaks each 200 ms.
    pub(super) fn pass(&mut self, millis: u64, partner: Option<Claim>) -> Vec<Action> {
        let mut deeds = Vec::new();
        for _ in 0..millis / 50 {
            self.now += 50;
            let actions = self.router.handle_timeout(at(self.now));
            deeds.extend(self.note(actions));
            if let Some(claim) = partner.filter(|_| self.now.is_multiple_of(200)) {
                deeds.extend(self.hear(claim));
            }
        }
        deeds
    }

    pub(super) fn stood_down(&mut self) -> Vec<Action> {
        let actions = self.router.handle_stood_down(WEB, at(self.now));
        self.note(actions)
    }

    pub(super) fn role(&self) -> Role {
        self.router.groups().next().unwrap().role
    }

    pub(super) fn last_claim(&self) -> Claim {
        self.sent.last().unwrap().claim(WEB).unwrap()
    }

    pub(super) fn worker(&mut self, worker: Worker) {
        let actions = self.router.handle_worker(worker, at(self.now));
        assert_eq!(self.note(actions), []);
    }

    pub(super) fn active() -> Self {
        let mut bench = Self::new(setup());
        bench.worker(READY);
        assert_eq!(bench.hear(claim(Role::Standby)), [take_over(Reason::ComesFirst)]);
        bench
    }

    pub(super) fn standby(setup: Setup) -> Self {
        let mut bench = Self::new(setup);
        bench.worker(READY);
        assert_eq!(bench.hear(claim(Role::Active)), []);
        assert_eq!(bench.role(), Role::Standby);
        bench
    }
}

pub(super) fn take_over(reason: Reason) -> Action {
    Action::TakeOver { group: WEB, reason }
}

pub(super) fn stand_down(reason: Reason) -> Action {
    Action::StandDown { group: WEB, reason }
}
