//! What the readers of other programs' files share.

pub(crate) mod flags;
pub(crate) mod host;
pub(crate) mod hosts;
pub(crate) mod mask;
pub(crate) mod path;
pub(crate) mod ports;
pub(crate) mod quotes;
pub(crate) mod regex;
pub(crate) mod report;
pub(crate) mod table;
pub(crate) mod word;

use ipvs::Family;

use crate::model::Listen;
use crate::{Cluster, Percent};

/// What a file says that says nothing. Its own programs took every edit, so an edit waits for
/// nobody unless it leaves nothing at all.
pub(crate) fn cluster() -> Cluster {
    Cluster { max_removed: Percent::ALL, ..Cluster::default() }
}

/// The name of a virtual server that has none: `tcp:192.168.1.1:80`, `fwm:7`.
pub(crate) fn default_name(listen: &Listen) -> String {
    match listen {
        Listen::Addresses(endpoints) => endpoints
            .first()
            .map(|endpoint| format!("{}:{}", endpoint.protocol, endpoint.address))
            .unwrap_or_default(),
        Listen::Mark { mark, family: Family::Inet, .. } => format!("fwm:{mark}"),
        Listen::Mark { mark, family: Family::Inet6, .. } => format!("fwm6:{mark}"),
    }
}
