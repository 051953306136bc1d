//! What the readers of other programs' files share.

pub(crate) mod host;
pub(crate) mod mask;
pub(crate) mod ports;
pub(crate) mod quotes;
pub(crate) mod regex;
pub(crate) mod report;
pub(crate) mod word;

use crate::{Cluster, Percent};

/// What a file says that says nothing. Its own programs took every edit, so an edit waits for
/// nobody unless it leaves nothing at all.
pub(crate) fn cluster() -> Cluster {
    Cluster { max_removed: Percent::ALL, ..Cluster::default() }
}
