//! The state machine of one router.
//!
//! ```text
//!            partner heard, or listened long enough
//!  Starting ────────────────────────────────────────▶ Standby ◀──────────┐
//!      │                                                 │               │ addresses gone
//!      │ restarted with the addresses here,              │ TakeOver      │
//!      │ and nobody took them                            ▼               │
//!      └─────────────────────────────────────────────▶ Active ──▶ (leaving) StandDown
//! ```
//! Every `handle_*` may be called at any time with any event; late and repeated calls are
//! harmless. What it returns must be carried out in order before the next call.

use std::collections::VecDeque;
use std::time::Duration;

use crate::action::{Actions, Draft, Event, Reason};
use crate::decide::{Decision, Outlook, decide};
use crate::fence::{Fence, Fencing};
use crate::group::{Group, Leaving};
use crate::moment::Moment;
use crate::pace::Pace;
use crate::packet::{Beat, Claim, FEATURE_LETTERS, FEATURE_PINNED, GroupId, Kind, Role};
use crate::partner::{Partner, Presence};
use crate::paths::Paths;
use crate::reach::Reach;
use crate::session::Received;
use crate::setup::{PathId, Setup, SetupError, Side};
use crate::timing::{Timing, WORKER_LIMIT};
use crate::witness::Witness;

mod asked;
mod fenced;
mod renewed;
mod settled;
mod silence;
mod surroundings;
#[cfg(test)]
mod tests;
mod view;

use settled::{apply, observe};
pub use view::GroupState;

/// How many times a goodbye is said on each path: nobody repeats it later.
const GOODBYES: usize = 2;

/// So many configurations of before are remembered.
const EARLIER: usize = 8;

/// The state of lvsd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Worker {
    /// It does not run, or does not speak.
    #[default]
    Down,
    /// It runs.
    Up {
        /// The kernel's table equals the wanted one.
        table_in_place: bool,
        /// Every real server has been checked.
        checks_warm: bool,
    },
}

/// What concerns all groups at one moment.
pub(crate) struct Machine<'a> {
    pub(crate) now: Moment,
    pub(crate) timing: &'a Timing,
    pub(crate) me: Side,
    pub(crate) lower_id: bool,
    pub(crate) alive: bool,
    pub(crate) outlook: Outlook,
    pub(crate) ready: bool,
    pub(crate) partner_ready: bool,
    pub(crate) partner_deaf: bool,
    /// The partner reaches more witnesses, or it is not known yet how many this router reaches.
    pub(crate) is_fewer: bool,
    /// … and has for so long that what is here goes to it.
    pub(crate) stays_fewer: bool,
    pub(crate) worker_failed: bool,
    pub(crate) doubtful: bool,
    pub(crate) unproven: bool,
    /// How far fencing is; none where it is not configured.
    pub(crate) fencing: Option<Fencing>,
}

/// The state machine of one router.
#[derive(Debug)]
pub struct Failover {
    setup: Setup,
    pace: Pace,
    /// Hashes and times of configurations that this router had before: the partner may have one.
    earlier: VecDeque<(u64, Timing)>,
    /// The partner has a configuration that this router never had, and its release does not tell how
    /// often it speaks.
    times_unknown: bool,
    paths: Paths,
    partner: Partner,
    witness: Witness,
    reach: Reach,
    fence: Fence,
    groups: Vec<Group>,
    worker: Worker,
    worker_down_since: Option<Moment>,
    next_send: Moment,
    last_spoke: Option<Moment>,
    decided_at: Moment,
    /// When a packet last came of a boot that is not proven.
    unproven_at: Option<Moment>,
    /// When this router last went on after a pause.
    woke_at: Option<Moment>,
    /// It was told that heartbeats are held back.
    held_back: bool,
    /// After a pause: nothing is said before the addresses are gone.
    mute: bool,
    stopping: bool,
    stopped: bool,
}

impl Failover {
    /// A router that starts now. Its first deadline is now.
    ///
    /// # Errors
    /// [`SetupError`] when the setup is out of bounds.
    pub fn new(setup: Setup, now: Moment) -> Result<Self, SetupError> {
        setup.check()?;
        let timing = setup.timing;
        let group = |group: &crate::setup::GroupSetup| {
            let listen = if group.holding { timing.dead_after() } else { timing.listen_first() };
            Group::new(*group, Role::Starting, now + listen, now)
        };
        Ok(Self {
            pace: Pace::agreed(timing),
            earlier: VecDeque::new(),
            times_unknown: false,
            paths: Paths::new(&setup.paths),
            partner: Partner::default(),
            witness: Witness::default(),
            reach: Reach::default(),
            fence: Fence::default(),
            groups: setup.groups.iter().map(group).collect(),
            worker: Worker::Down,
            worker_down_since: Some(now),
            next_send: now,
            last_spoke: None,
            decided_at: now,
            unproven_at: None,
            woke_at: None,
            held_back: false,
            mute: false,
            stopping: false,
            stopped: false,
            setup,
        })
    }

    /// When [`Self::handle_timeout`] must be called at the latest.
    pub fn next_deadline(&self) -> Moment {
        let dead_after = self.pace.timing().dead_after();
        let listening = self.groups.iter().filter(|group| group.role != Role::Active);
        let listened = listening.map(|group| group.listen_until);
        let listened = listened.filter(|until| *until > self.decided_at);
        let silence = self.partner.silent_at(dead_after);
        let path = self.paths.next_expiry(dead_after);
        let probe = self.next_probe();
        let earliest = listened.chain(silence).chain(path).chain(probe).min();
        earliest.map_or(self.next_send, |moment| moment.min(self.next_send))
    }

    /// A deadline passed, or may have.
    pub fn handle_timeout(&mut self, now: Moment) -> Actions {
        let draft = self.wake(now);
        self.finish(draft, now)
    }

    /// A good packet arrived. Of one that is not the newest only its path counts.
    pub fn handle_heartbeat(&mut self, path: PathId, packet: Received, now: Moment) -> Actions {
        let mut draft = self.wake(now);
        // A letter says nothing about who lives and who holds what.
        if packet.beat.kind == Kind::Letter {
            return self.finish(draft, now);
        }
        let age = now.since(packet.made_after);
        // One that does not hear us cannot show how fresh its packets are.
        if age > self.pace.timing().max_age() && packet.beat.heard_paths != 0 {
            if !std::mem::replace(&mut self.held_back, true) {
                draft.report(Event::HeldBack { age });
            }
            return self.finish(draft, now);
        }
        if self.slept_through(&packet, now) {
            return self.finish(draft, now);
        }
        draft.reports.extend(self.paths.heard(path, now));
        if packet.newest {
            self.held_back = false;
            self.witness.forget();
            self.fence.forget();
            let goodbye = packet.beat.kind == Kind::Goodbye;
            draft.speak |= packet.new_session;
            let hash = self.setup.config_hash;
            let paths = self.paths.as_slice().len();
            draft.reports.extend(self.partner.hear(packet, hash, paths, now));
            draft.speak |= self.agree(now);
            if goodbye {
                self.paths.rest();
            }
            // Whoever was heard is lost by its silence, not by our having just begun to listen.
            for group in &mut self.groups {
                group.listen_until = group.listen_until.min(now);
                group.probe.forget();
                group.vouched = false;
            }
        }
        self.finish(draft, now)
    }

    /// Whether a letter still counts: what it tells is told by its age, so one that was held back on
    /// its way would put everything later than it was. It is sent again until it has come.
    pub fn letter_counts(&self, letter: &Received, now: Moment) -> bool {
        now.since(letter.made_after) <= self.pace.timing().max_age()
    }

    /// The addresses of a group that was to be stood down are gone.
    pub fn handle_stood_down(&mut self, id: GroupId, now: Moment) -> Actions {
        let mut draft = self.wake(now);
        if let Some(group) = self.groups.iter_mut().find(|group| group.setup.id == id)
            && let Some(leaving) = group.leaving
        {
            group.enter(Role::Standby, leaving.reason, now);
            group.offered_at = leaving.hand_over.then_some(now);
            draft.speak = true;
        }
        self.groups.retain(|group| !group.removed || group.leaving.is_some());
        if self.groups.iter().all(|group| group.leaving.is_none()) {
            self.mute = false;
        }
        self.finish(draft, now)
    }

    /// The program is to end: everything is handed over, said goodbye, and then `Stopped`.
    pub fn handle_stop(&mut self, now: Moment) -> Actions {
        let draft = self.wake(now);
        self.stopping = true;
        self.finish(draft, now)
    }

    /// Begins every call. Whoever was silent for so long that the partner may have taken over
    /// gives up what it holds, says nothing before it is gone, and listens anew.
    fn wake(&mut self, now: Moment) -> Draft {
        let mut draft = Draft::default();
        let lasted = self.last_spoke.map_or(Duration::ZERO, |spoke| now.since(spoke));
        if lasted < self.pace.forgotten_after() || self.stopped {
            return draft;
        }
        let dead_after = self.pace.timing().dead_after();
        draft.report(Event::Paused { lasted });
        self.woke_at = Some(now);
        self.last_spoke = Some(now);
        self.next_send = now;
        self.partner.doubt();
        self.witness.forget();
        self.reach.counted(None);
        self.fence.forget();
        for group in &mut self.groups {
            group.listen_until = group.listen_until.max(now + dead_after);
            group.probe.forget();
            group.vouched = false;
            group.fence_wanted = false;
            if group.leaving.is_none() && (group.role == Role::Active || group.holding) {
                group.leaving = Some(Leaving { reason: Reason::Paused, hand_over: false });
                draft.stand_down.push((group.setup.id, Reason::Paused));
            }
        }
        self.mute = self.groups.iter().any(|group| group.leaving.is_some());
        draft
    }

    /// Ends every call: decides, and says what there is to say.
    fn finish(&mut self, mut draft: Draft, now: Moment) -> Actions {
        self.expire(&mut draft, now);
        self.probe(&mut draft, now);
        if self.stopping {
            self.stop(&mut draft, now);
        } else {
            self.settle(&mut draft, now);
        }
        self.decided_at = now;
        let due = now >= self.next_send;
        let mut beats = Vec::new();
        if due || draft.speak {
            self.last_spoke = Some(now);
            self.next_send = now + self.pace.timing().interval();
            if !self.mute && !self.stopped {
                let times = if draft.stopped { GOODBYES } else { 1 };
                let beat = self.beat(draft.stopped);
                let paths = std::iter::repeat_n(self.paths.ids(), times).flatten();
                beats.extend(paths.map(|path| (path, beat.clone())));
            }
        }
        self.stopped |= draft.stopped;
        draft.into_actions(beats)
    }

    /// Decides about every group until nothing changes any more.
    fn settle(&mut self, draft: &mut Draft, now: Moment) {
        let alive = self.partner.presence() == Presence::Alive;
        let comparable = self.partner.beat().filter(|_| !self.partner.differs());
        self.reach.compare(comparable, now);
        let down = self.worker_down_since.map_or(Duration::ZERO, |since| now.since(since));
        let seen = Machine {
            now,
            timing: self.pace.timing(),
            me: self.setup.me,
            lower_id: self.setup.router < self.setup.partner,
            alive,
            outlook: self.outlook(),
            ready: self.ready(),
            partner_ready: self.partner.beat().is_some_and(Beat::ready),
            partner_deaf: self.partner.is_deaf(),
            is_fewer: self.setup.yields && self.reach.mine().is_none() || self.reach.is_fewer(),
            stays_fewer: self.reach.stays_fewer(self.pace.timing(), now),
            worker_failed: down >= WORKER_LIMIT,
            doubtful: self.doubtful(now),
            unproven: self.hears_unproven(now),
            fencing: self.fencing(),
        };
        // What cannot be said cannot be begun.
        let free = |group: &&mut Group| group.leaving.is_none() && !self.mute;
        for group in self.groups.iter_mut().filter(free) {
            let theirs = self.partner.claim(group.setup.id);
            // Starting, then standing by or taking over: no chain of decisions is longer.
            for _ in 0..2 {
                observe(group, &seen, theirs, draft);
                let decision = decide(&group.view(&seen, theirs));
                group.fence_wanted = decision == Decision::Fence;
                let alone =
                    !matches!(seen.outlook, Outlook::Alive | Outlook::Gone(Reason::PartnerStopped));
                if matches!(decision, Decision::TakeOver(_)) && alone && seen.doubtful {
                    group.probe.taken_alone();
                }
                // A partner asks for what belongs here only because an operator told it.
                let ours = group.setup.preferred == Some(seen.me);
                if decision == Decision::HandOver(Reason::PartnerAsked) && ours {
                    group.moved_away = true;
                }
                if !apply(group, decision, draft, now) {
                    break;
                }
            }
        }
        self.want_fence(draft, now);
    }

    /// Lets everything go, and says goodbye once it is gone.
    fn stop(&mut self, draft: &mut Draft, now: Moment) {
        for group in self.groups.iter_mut().filter(|group| group.leaving.is_none()) {
            if group.occupied() {
                apply(group, Decision::HandOver(Reason::Stopping), draft, now);
            }
        }
        let gone = self.groups.iter().all(|group| group.leaving.is_none());
        draft.stopped = gone && !self.stopped;
    }

    fn beat(&self, goodbye: bool) -> Beat {
        let partner = self.partner.beat().map_or(0, |beat| beat.features);
        let told = |group: &Group| {
            let claim = group.claim();
            Claim { pinned: claim.pinned && partner & FEATURE_PINNED != 0, ..claim }
        };
        let (table_in_place, checks_warm) = match self.worker {
            Worker::Up { table_in_place, checks_warm } => (table_in_place, checks_warm),
            Worker::Down => (false, false),
        };
        Beat {
            kind: if goodbye { Kind::Goodbye } else { Kind::Beat },
            table_in_place,
            checks_warm,
            features: FEATURE_PINNED
                | FEATURE_LETTERS
                | Beat::tell_interval(self.setup.timing.interval())
                | Beat::tell_witnesses(self.reach.mine()),
            config_hash: self.setup.config_hash,
            heard_paths: self.paths.bits(),
            groups: self.groups.iter().map(|group| (group.setup.id, told(group))).collect(),
            letter: Vec::new(),
        }
    }
}
