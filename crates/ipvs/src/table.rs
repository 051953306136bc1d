//! A whole table: what is wanted, or what the kernel holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Destination, DestinationKey, Service, ServiceKey};

/// A virtual server with its real servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The virtual server.
    pub service: Service,
    /// Its real servers.
    pub destinations: BTreeMap<DestinationKey, Destination>,
}

/// All virtual servers, in a fixed order, so that equal tables print equally.
pub type Table = BTreeMap<ServiceKey, Pool>;
