//! What a router's surroundings tell: its interfaces, its lvsd, its witnesses.

use super::{Failover, Worker};
use crate::action::Actions;
use crate::moment::Moment;
use crate::packet::GroupId;
use crate::setup::PathId;

impl Failover {
    /// A path's interface gained or lost its carrier.
    pub fn handle_carrier(&mut self, path: PathId, up: bool, now: Moment) -> Actions {
        let mut draft = self.wake(now);
        let heard_nothing = !self.paths.any_carrier();
        draft.reports.extend(self.paths.carrier(path, up));
        self.begin_to_listen(heard_nothing, now);
        self.finish(draft, now)
    }

    /// The interfaces of a group's addresses can carry them, or cannot.
    pub fn handle_fitness(&mut self, id: GroupId, fit: bool, now: Moment) -> Actions {
        let draft = self.wake(now);
        let listen_until = now + self.pace.timing().dead_after();
        if let Some(group) = self.groups.iter_mut().find(|group| group.setup.id == id) {
            if fit && !group.fit {
                // The partner may have been behind the dead interface: listen before acting.
                group.listen_until = group.listen_until.max(listen_until);
            }
            group.fit = fit;
        }
        self.finish(draft, now)
    }

    /// A round of pings has ended: so many witnesses were reached, or it is not known how many. The
    /// partner is told at once.
    pub fn handle_witnesses(&mut self, reached: Option<u8>, now: Moment) -> Actions {
        let mut draft = self.wake(now);
        draft.speak |= self.reach.counted(reached.filter(|_| self.setup.yields));
        self.finish(draft, now)
    }

    /// lvsd came, went, or changed its readiness.
    pub fn handle_worker(&mut self, worker: Worker, now: Moment) -> Actions {
        let draft = self.wake(now);
        self.worker = worker;
        match worker {
            Worker::Up { .. } => self.worker_down_since = None,
            Worker::Down => {
                self.worker_down_since.get_or_insert(now);
            }
        }
        self.finish(draft, now)
    }
}
