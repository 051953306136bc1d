//! What silence means: of paths, of the partner, of the witness, of the addresses themselves.

use super::Failover;
use crate::action::{Actions, Draft, Event, Reason};
use crate::decide::Outlook;
use crate::moment::Moment;
use crate::packet::{GroupId, Role};
use crate::partner::Presence;
use crate::question::QuestionId;
use crate::session::Received;

impl Failover {
    /// A packet came from a boot of the partner that is not proven yet: answer it soon, so that
    /// it can be. Between two packets there is at least a tenth of the interval. It may be an old
    /// one that somebody has recorded, so it decides nothing: it counts from the next deadline on,
    /// as a reason to ask who answers for the addresses.
    pub fn handle_unproven(&mut self, now: Moment) -> Actions {
        let draft = self.wake(now);
        let pause = self.pace.timing().interval() / 10;
        let soon = self.last_spoke.map_or(now, |spoke| spoke + pause);
        self.next_send = self.next_send.min(soon);
        let actions = self.finish(draft, now);
        self.unproven_at = Some(now);
        actions
    }

    /// After a pause old packets wait in the sockets: only those count that were made since. One that
    /// does not hear us cannot show that, so what it says counts once the sockets are empty.
    pub(super) fn slept_through(&self, packet: &Received, now: Moment) -> bool {
        self.woke_at.is_some_and(|woke| {
            let emptying = now.since(woke) < self.pace.timing().interval();
            packet.made_after < woke && (packet.beat.heard_paths != 0 || emptying)
        })
    }

    /// The answer to [`crate::Action::AskWitness`].
    pub fn handle_witness(&mut self, id: QuestionId, reachable: bool, now: Moment) -> Actions {
        let mut draft = self.wake(now);
        let cut_off = self.witness.answer() == Some(false);
        draft.reports.extend(self.witness.answered(id, reachable));
        if cut_off && self.witness.answer() == Some(true) {
            // Nobody could answer for the addresses either until now: that told nothing.
            self.groups.iter_mut().for_each(|group| group.probe.forget());
        }
        self.finish(draft, now)
    }

    /// The answer to [`crate::Action::Probe`]: whether somebody else answers for the addresses.
    pub fn handle_probe(
        &mut self,
        group: GroupId,
        id: QuestionId,
        somebody: bool,
        now: Moment,
    ) -> Actions {
        let mut draft = self.wake(now);
        let asked = self.groups.iter_mut().find(|asked| asked.setup.id == group);
        if asked.is_some_and(|asked| asked.probe.answered(id, somebody, now)) {
            draft.report(Event::Answered(group));
        }
        self.finish(draft, now)
    }

    /// Silence of paths, partner and witness.
    pub(super) fn expire(&mut self, draft: &mut Draft, now: Moment) {
        let timing = *self.pace.timing();
        draft.reports.extend(self.paths.expire(now, timing.dead_after()));
        draft.reports.extend(self.partner.expire(now, &timing));
        if self.setup.witness && self.listened(now) {
            let (question, event) = self.witness.expire(now, timing.dead_after());
            draft.ask_witness = question;
            draft.reports.extend(event);
        }
    }

    /// Asks who answers for the addresses of groups that may have to be taken soon.
    pub(super) fn probe(&mut self, draft: &mut Draft, now: Moment) {
        if self.stopping {
            return;
        }
        if !self.doubtful(now) {
            self.groups.iter_mut().for_each(|group| group.probe.rest());
            return;
        }
        let timing = *self.pace.timing();
        let presence = self.partner.presence();
        let silent_at = self.partner.silent_at(timing.dead_after());
        let unproven = self.hears_unproven(now);
        for group in &mut self.groups {
            let begins = group.probes_from(presence, silent_at, &timing);
            if begins.is_some_and(|begins| now >= begins) {
                let calm = group.role == Role::Active && !unproven;
                let question = group.probe.ask(now, calm, &timing);
                draft.probes.extend(question.map(|question| (group.setup.id, question)));
                group.probe.settle(group.since, &timing);
            }
        }
    }

    /// When it is time to ask who answers for some group's addresses, if that lies ahead.
    pub(super) fn next_probe(&self) -> Option<Moment> {
        let timing = self.pace.timing();
        let presence = self.partner.presence();
        let silent_at = self.partner.silent_at(timing.dead_after());
        let begins =
            self.groups.iter().filter_map(|group| group.probes_from(presence, silent_at, timing));
        begins.filter(|at| *at > self.decided_at).min()
    }

    /// A partner that is not heard may be there all the same: it was not heard ever, it speaks more
    /// seldom than this router knows, or without being able to prove that it is of now, or somebody
    /// is to be asked before anything is believed.
    pub(super) fn doubtful(&self, now: Moment) -> bool {
        self.setup.witness
            || self.partner.presence() == Presence::Unheard
            || self.times_unknown
            || self.hears_unproven(now)
    }

    /// The partner speaks, and does not hear us: it would have proven itself else.
    pub(super) fn hears_unproven(&self, now: Moment) -> bool {
        self.unproven_at.is_some_and(|at| now.since(at) < self.pace.timing().dead_after())
    }

    /// All paths are silent, and not only because we have just begun to listen.
    fn listened(&self, now: Moment) -> bool {
        let begun = self.groups.iter().any(|group| now >= group.listen_until);
        match self.partner.presence() {
            Presence::Alive | Presence::Stopped => false,
            Presence::Unheard => begun,
            Presence::Lost => true,
        }
    }

    pub(super) fn outlook(&self) -> Outlook {
        let silent = |reason| match (self.setup.witness, self.witness.answer()) {
            (false, _) | (true, Some(true)) => Outlook::Gone(reason),
            (true, Some(false)) => Outlook::Cut,
            (true, None) => Outlook::Doubt,
        };
        match self.partner.presence() {
            Presence::Alive => Outlook::Alive,
            Presence::Stopped => Outlook::Gone(Reason::PartnerStopped),
            Presence::Lost => silent(Reason::PartnerLost),
            Presence::Unheard => silent(Reason::NobodyHeard),
        }
    }
}
