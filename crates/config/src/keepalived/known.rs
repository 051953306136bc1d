//! The keywords of keepalived.conf by block: which are read, and why the others are not carried.

mod lvs;
mod reasons;
mod router;
mod vrrp;

use super::report::Report;
use super::tree::Node;
use crate::diagnostic::nearest;
pub(super) use lvs::{CHECK, REAL, SERVER, URL};
pub(super) use reasons::INSTEAD_OF_TRACKING;
pub(super) use router::{GLOBAL, TOP};
pub(super) use vrrp::{GROUP, INSTANCE};

/// What becomes of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is read.
    Read,
    /// It says nothing that is lost: what it asks for is so anyway, or means nothing here.
    Nothing,
    /// It is not carried, and this is to be done instead.
    Dropped(&'static str),
}

use Use::{Dropped, Nothing, Read};

/// The keywords of one kind of block.
pub(super) struct Block {
    /// The block's name in messages.
    pub(super) name: &'static str,
    groups: &'static [(Use, &'static [&'static str])],
}

/// Whether a statement is to be read; what is not carried is noted, an unknown keyword reported.
pub(super) fn is_read(report: &mut Report, node: &Node, block: &Block) -> bool {
    let name = node.name.text.as_str();
    let groups = || block.groups.iter();
    let found = groups().find(|(_, names)| names.contains(&name)).map(|(of, _)| *of);
    match found {
        Some(Read) => true,
        Some(Nothing) => false,
        Some(Dropped(instead)) => {
            report.dropped(name, &node.name.at, instead);
            false
        }
        None => {
            if !report.is_news(&node.name.at, block.name) {
                return false;
            }
            let known = groups().flat_map(|(_, names)| names.iter().copied());
            let help = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it, or look for the `}` that is missing before it".to_string(),
            };
            report.error(&node.name.at, format!("`{name}` is not known {}", block.name), help);
            false
        }
    }
}
