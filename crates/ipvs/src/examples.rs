//! Values that tests share.

use crate::{Destination, Forwarding, Tunnel};

/// A real server of weight 1 by direct routing.
pub(crate) fn direct() -> Destination {
    Destination {
        forwarding: Forwarding::Direct,
        tunnel: Tunnel::Ipip,
        weight: 1,
        upper_threshold: 0,
        lower_threshold: 0,
    }
}
