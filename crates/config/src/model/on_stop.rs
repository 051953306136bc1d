//! What an orderly stop leaves behind.

use serde::{Deserialize, Serialize};

use super::{Cluster, VirtualServer};

/// What happens to the table when lvsd stops in order. A crash never touches it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnStop {
    /// The table stays and goes on balancing.
    #[default]
    Keep,
    /// The services that we own are removed (ldirectord's `cleanstop`).
    Remove,
}

impl OnStop {
    /// Its word in the native format.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Remove => "remove",
        }
    }

    /// What a word means.
    pub(crate) fn of(word: &str) -> Option<Self> {
        [Self::Keep, Self::Remove].into_iter().find(|known| known.as_str() == word)
    }
}

impl Cluster {
    /// Whether a virtual server stays in the kernel when lvsd stops in order.
    pub fn stays(&self, service: &VirtualServer) -> bool {
        service.on_stop.unwrap_or(self.on_stop) == OnStop::Keep
    }

    /// What is left of the configuration after lvsd was stopped in order; none when that is
    /// nothing at all, not even the kernel's settings.
    pub fn after_stop(&self) -> Option<Self> {
        let stay = self.services.iter().filter(|service| self.stays(service));
        let rest = Self { services: stay.cloned().collect(), ..self.clone() };
        (self.on_stop == OnStop::Keep || !rest.services.is_empty()).then_some(rest)
    }
}
