//! From the wanted table and the kernel's to the smallest list of changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ipvsadm::{DestinationLine, ServiceName, ServiceRule};
use crate::{Destination, DestinationKey, Pool, Service, ServiceKey, Table};

#[cfg(test)]
mod tests;

/// One change of the kernel's table, which the kernel does whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Adds a virtual server without real servers (`IPVS_CMD_NEW_SERVICE`).
    AddService(ServiceKey, Service),
    /// Changes a virtual server in place; its connections stay (`IPVS_CMD_SET_SERVICE`).
    EditService(ServiceKey, Service),
    /// Adds a real server (`IPVS_CMD_NEW_DEST`).
    AddDestination(ServiceKey, DestinationKey, Destination),
    /// Changes a real server in place; its connections stay (`IPVS_CMD_SET_DEST`).
    EditDestination(ServiceKey, DestinationKey, Destination),
    /// Removes a real server (`IPVS_CMD_DEL_DEST`).
    RemoveDestination(ServiceKey, DestinationKey),
    /// Removes a virtual server with its real servers (`IPVS_CMD_DEL_SERVICE`).
    RemoveService(ServiceKey),
}

impl Step {
    /// The virtual server that the step is about.
    pub fn service(&self) -> &ServiceKey {
        match self {
            Self::AddService(key, _)
            | Self::EditService(key, _)
            | Self::AddDestination(key, ..)
            | Self::EditDestination(key, ..)
            | Self::RemoveDestination(key, _)
            | Self::RemoveService(key) => key,
        }
    }

    /// The real server that the step is about, if it is about one.
    pub fn destination(&self) -> Option<&DestinationKey> {
        match self {
            Self::AddDestination(_, key, _)
            | Self::EditDestination(_, key, _)
            | Self::RemoveDestination(_, key) => Some(key),
            Self::AddService(..) | Self::EditService(..) | Self::RemoveService(_) => None,
        }
    }
}

/// The step as an ipvsadm command line without the program's name. Thresholds are written too,
/// which `ipvsadm -S` leaves out.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line =
            |key, real, destination| DestinationLine { key, real, destination, thresholds: true };
        match self {
            Self::AddService(key, service) => write!(f, "-A {}", ServiceRule { key, service }),
            Self::EditService(key, service) => write!(f, "-E {}", ServiceRule { key, service }),
            Self::AddDestination(key, real, destination) => {
                write!(f, "-a {}", line(key, real, destination))
            }
            Self::EditDestination(key, real, destination) => {
                write!(f, "-e {}", line(key, real, destination))
            }
            Self::RemoveDestination(key, real) => write!(f, "-d {} -r {real}", ServiceName(key)),
            Self::RemoveService(key) => write!(f, "-D {}", ServiceName(key)),
        }
    }
}

/// Steps in the order in which they are to be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Whether the kernel holds what is wanted already.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// One ipvsadm command line per step.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

/// The changes that turn the `actual` table into the `desired` one.
///
/// A virtual server that is not desired is removed only if it is in `owned`; others belong to
/// somebody else and stay as they are. One that is desired is made as desired, whoever added it.
/// Each step is legal after those before it, so that the list may be cut anywhere and planned again.
/// A pool that has real servers before and after has one all the time, and one that has a real
/// server with a weight above 0 before and after has such a one all the time.
pub fn plan(desired: &Table, actual: &Table, owned: &BTreeSet<ServiceKey>) -> Plan {
    let nothing = BTreeMap::new();
    let mut steps = Vec::new();
    for (key, pool) in desired {
        let present = match actual.get(key) {
            None => {
                steps.push(Step::AddService(*key, pool.service.clone()));
                &nothing
            }
            Some(present) => {
                if present.service != pool.service {
                    steps.push(Step::EditService(*key, pool.service.clone()));
                }
                &present.destinations
            }
        };
        destination_steps(key, pool, present, &mut steps);
    }
    let abandoned = |key: &&ServiceKey| owned.contains(key) && !desired.contains_key(key);
    steps.extend(actual.keys().filter(abandoned).map(|key| Step::RemoveService(*key)));
    Plan { steps }
}

/// When a change is made, within one pool. Whatever takes new connections comes first and whatever
/// stops taking them last, so that there is always one that does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// A real server begins to take connections.
    Opens,
    /// A real server takes as many kinds of connections as before.
    Stays,
    /// A real server stops taking new connections.
    Closes,
    /// A real server goes.
    Leaves,
}

fn destination_steps(
    key: &ServiceKey,
    pool: &Pool,
    present: &BTreeMap<DestinationKey, Destination>,
    steps: &mut Vec<Step>,
) {
    let mut phased = Vec::new();
    for (real, wanted) in &pool.destinations {
        match present.get(real) {
            None => {
                let phase = if wanted.weight > 0 { Phase::Opens } else { Phase::Stays };
                phased.push((phase, Step::AddDestination(*key, *real, wanted.clone())));
            }
            Some(found) if found.same_in_kernel(wanted) => {}
            Some(found) => {
                let phase = match (found.weight, wanted.weight) {
                    (0, 1..) => Phase::Opens,
                    (1.., 0) => Phase::Closes,
                    _ => Phase::Stays,
                };
                phased.push((phase, Step::EditDestination(*key, *real, wanted.clone())));
            }
        }
    }
    let gone = present.keys().filter(|real| !pool.destinations.contains_key(real));
    phased.extend(gone.map(|real| (Phase::Leaves, Step::RemoveDestination(*key, *real))));
    phased.sort_by_key(|(phase, _)| *phase);
    steps.extend(phased.into_iter().map(|(_, step)| step));
}
