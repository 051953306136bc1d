//! What is known of the other router.

use std::time::Duration;

use crate::action::Event;
use crate::moment::Moment;
use crate::packet::{Beat, Claim, GroupId, Kind};
use crate::session::Received;
use crate::timing::Timing;

/// Whether the partner is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Not heard since this router began to listen.
    #[default]
    Unheard,
    /// It is heard.
    Alive,
    /// Every path is silent.
    Lost,
    /// It said goodbye.
    Stopped,
}

/// The other router.
#[derive(Debug, Default)]
pub(crate) struct Partner {
    presence: Presence,
    last_heard: Option<Moment>,
    beat: Option<Beat>,
    differs: bool,
    /// Since when it has said that it hears nothing of us.
    deaf_since: Option<Moment>,
    deaf: bool,
    warned: bool,
    /// Number of its newest packet.
    sequence: u64,
    /// The last two silences of this session after which it was lost and came back without having said
    /// anything in between; zero for none.
    returned_after: [Duration; 2],
}

impl Partner {
    pub(crate) fn presence(&self) -> Presence {
        self.presence
    }

    pub(crate) fn last_heard(&self) -> Option<Moment> {
        self.last_heard
    }

    pub(crate) fn beat(&self) -> Option<&Beat> {
        self.beat.as_ref()
    }

    pub(crate) fn claim(&self, group: GroupId) -> Option<Claim> {
        self.beat.as_ref()?.claim(group)
    }

    /// Its configuration is another one.
    pub(crate) fn differs(&self) -> bool {
        self.differs
    }

    /// It is heard, but has said for a while that it hears nothing of us.
    pub(crate) fn is_deaf(&self) -> bool {
        self.deaf
    }

    /// Takes in the newest packet. A heartbeat has one on each of so many paths.
    pub(crate) fn hear(
        &mut self,
        packet: Received,
        my_config: u64,
        paths: usize,
        now: Moment,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let was = self.presence;
        let silent = self.last_heard.replace(now).map(|heard| now.since(heard));
        self.warned = false;
        let before = std::mem::replace(&mut self.sequence, packet.sequence);
        let step = packet.sequence.saturating_sub(before);
        let is_next = usize::try_from(step).is_ok_and(|step| step <= paths);
        if packet.new_session {
            self.returned_after = Default::default();
        } else if let (Presence::Lost, Some(silent), true) = (was, silent, is_next) {
            self.returned_after = [silent, self.returned_after[0]];
        }
        if packet.beat.kind == Kind::Goodbye {
            self.presence = Presence::Stopped;
            self.beat = None;
            self.hears_again();
            if was != Presence::Stopped {
                events.push(Event::PartnerStopped);
            }
            return events;
        }
        self.presence = Presence::Alive;
        if was != Presence::Alive {
            events.push(Event::PartnerFound);
        } else if packet.new_session {
            events.push(Event::PartnerRestarted);
        }
        if packet.beat.heard_paths == 0 {
            self.deaf_since.get_or_insert(now);
        } else if self.hears_again() {
            events.push(Event::PartnerHearsAgain);
        }
        self.beat = Some(packet.beat);
        events.extend(self.compare(my_config));
        events
    }

    /// Whether its configuration is ours; told once at each change.
    pub(crate) fn compare(&mut self, my_config: u64) -> Option<Event> {
        let differs = self.beat.as_ref()?.config_hash != my_config;
        let was = std::mem::replace(&mut self.differs, differs);
        (was != differs).then_some(if differs { Event::ConfigDiffers } else { Event::ConfigAgrees })
    }

    /// Late and lost.
    pub(crate) fn expire(&mut self, now: Moment, timing: &Timing) -> Vec<Event> {
        let mut events = Vec::new();
        let (Presence::Alive, Some(heard)) = (self.presence, self.last_heard) else {
            return events;
        };
        let silent = now.since(heard);
        if silent >= timing.dead_after() {
            self.presence = Presence::Lost;
            self.beat = None;
            self.hears_again();
            events.push(Event::PartnerLost { silent });
        } else if !self.warned && timing.warn_after().is_some_and(|warn| silent >= warn) {
            self.warned = true;
            events.push(Event::PartnerLate { silent });
        }
        // At first it cannot have heard us yet, so only what lasts counts.
        let lasting = |since: Moment| now.since(since) >= timing.dead_after();
        if !self.deaf && self.deaf_since.is_some_and(lasting) {
            self.deaf = true;
            events.push(Event::PartnerDeaf);
        }
        events
    }

    /// How often it speaks as far as can be seen: twice it was lost for a silence as long.
    pub(crate) fn seems_to_speak_each(&self) -> Option<Duration> {
        let [last, before] = self.returned_after;
        let (each, other) = (last.min(before), last.max(before));
        (!each.is_zero() && other - each <= each / 4).then_some(each)
    }

    /// We were away: nothing that we know of it holds any more.
    pub(crate) fn doubt(&mut self) {
        self.presence = Presence::Unheard;
        self.beat = None;
        self.hears_again();
    }

    /// It is not deaf, or nothing is known of it; whether it was called so before.
    fn hears_again(&mut self) -> bool {
        self.deaf_since = None;
        std::mem::take(&mut self.deaf)
    }

    /// When it will have been silent for so long that something must be done.
    pub(crate) fn silent_at(&self, dead_after: Duration) -> Option<Moment> {
        let alive = self.presence == Presence::Alive;
        self.last_heard.filter(|_| alive).map(|heard| heard + dead_after)
    }
}
