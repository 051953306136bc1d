//! A configuration that changes, and paths that come.

use super::{EARLIER, Failover};
use crate::action::{Actions, Reason};
use crate::group::{Group, Leaving};
use crate::moment::Moment;
use crate::pace::Pace;
use crate::packet::Role;
use crate::partner::Presence;
use crate::setup::{Setup, SetupError};

/// A silence of more than so many of our dead times is a partition, and tells nothing of an interval.
const PARTITION: u32 = 8;

impl Failover {
    /// A new configuration. What goes on goes on without a change of role.
    ///
    /// # Errors
    /// [`SetupError`]; the old setup stays then.
    pub fn handle_setup(&mut self, setup: Setup, now: Moment) -> Result<Actions, SetupError> {
        setup.check()?;
        let mut draft = self.wake(now);
        // The partner goes by the earlier times until it says that it has the same configuration.
        self.pace = self.pace.beside(setup.timing);
        // Paths that come are no other configuration.
        if self.setup.config_hash != setup.config_hash {
            self.earlier.push_front((self.setup.config_hash, self.setup.timing));
            self.earlier.truncate(EARLIER);
        }
        let heard_nothing = !self.paths.any_carrier();
        self.paths = self.paths.renewed(&setup.paths);
        self.begin_to_listen(heard_nothing, now);
        let mut old = std::mem::take(&mut self.groups);
        for new in &setup.groups {
            let known = old.iter().position(|group| group.setup.id == new.id);
            let mut group = match known {
                Some(index) => old.remove(index),
                None => {
                    let listen_until = now + self.pace.timing().dead_after();
                    Group::new(*new, Role::Standby, listen_until, now)
                }
            };
            group.setup = *new;
            group.fit = new.fit;
            group.removed = false;
            self.groups.push(group);
        }
        for mut group in old.into_iter().filter(Group::occupied) {
            group.removed = true;
            if group.leaving.is_none() {
                let leaving = Leaving { reason: Reason::Removed, hand_over: false };
                group.leaving = Some(leaving);
                draft.stand_down.push((group.setup.id, Reason::Removed));
            }
            self.groups.push(group);
        }
        // What was counted may have been other witnesses.
        self.reach.counted(None);
        self.setup = setup;
        draft.reports.extend(self.partner.compare(self.setup.config_hash));
        // Whoever goes by shorter times now would believe that it had paused.
        draft.speak = true;
        self.agree(now);
        Ok(self.finish(draft, now))
    }

    /// Where the partner has the same configuration, its times alone count; where it has one that this
    /// router had before, the times of both. Of those of a third one the interval is known, if the
    /// partner's release tells it; if it does not, the interval is seen in how the partner is lost and
    /// comes back. Whether that is a change: whoever goes by shorter times then has to speak at once.
    pub(super) fn agree(&mut self, now: Moment) -> bool {
        let Some(beat) = self.partner.beat() else { return false };
        let hash = beat.config_hash;
        let own = Pace::agreed(self.setup.timing);
        self.times_unknown = false;
        let pace = if hash == self.setup.config_hash {
            own
        } else if let Some((_, theirs)) = self.earlier.iter().find(|(known, _)| *known == hash) {
            own.beside(*theirs)
        } else if let Some(interval) = beat.interval() {
            own.beside_stranger(interval)
        } else {
            self.times_unknown = true;
            let most = self.setup.timing.dead_after().saturating_mul(PARTITION);
            let seen = self.partner.seems_to_speak_each().filter(|each| *each <= most);
            let Some(each) = seen else { return false };
            own.beside_stranger(each)
        };
        let changed = pace != std::mem::replace(&mut self.pace, pace);
        if changed {
            // The heartbeat that tells it comes on one path first.
            self.paths.begin_anew(now);
        }
        changed
    }

    /// A router that starts has listened only once it had a path to listen on.
    pub(super) fn begin_to_listen(&mut self, heard_nothing: bool, now: Moment) {
        let unheard = self.partner.presence() == Presence::Unheard;
        if !(heard_nothing && unheard && self.paths.any_carrier()) {
            return;
        }
        let until = now + self.pace.timing().dead_after();
        // One that has addresses goes on before their lease ends.
        let starting = |group: &&mut Group| group.role == Role::Starting && !group.holding;
        for group in self.groups.iter_mut().filter(starting) {
            group.listen_until = group.listen_until.max(until);
        }
    }
}
