//! The table of netfilter that marks packets, as bytes: what is asked of nf_tables and what it
//! answers. Bytes here begin after the netlink header.
//!
//! Numbers are in network byte order. Source: `include/uapi/linux/netfilter/nf_tables.h`,
//! `nfnetlink.h`. One table of the family `inet` has two chains with the same rules: for packets
//! that arrive, and for those that this host sends itself.

use super::{Attributes, Payload, WireError};
use crate::{Family, MarkRule, Ports, Protocol};

mod rule;

pub use rule::decode_rule;

/// Our table.
pub const TABLE: &str = "caribe";
/// What tells our table from somebody else's of that name.
const COMMENT: &str = "made by lvsd, do not edit";

/// Both families in one table (`NFPROTO_INET`).
const INET: u8 = 1;
/// `NFNL_SUBSYS_NFTABLES`.
const SUBSYSTEM: u16 = 10;
/// Before the priority at which IPVS looks (`NF_IP_PRI_MANGLE`).
const PRIORITY: i32 = -150;

/// A chain, and the place of the packet's way where it stands.
const CHAINS: [(&str, u32); 2] = [("prerouting", 0), ("output", 3)];

/// The message makes what is not there (`NLM_F_CREATE`).
const CREATE: u16 = 0x400;
/// The rule goes to the end (`NLM_F_APPEND`).
const APPEND: u16 = 0x800;

/// Kinds of messages (`NFT_MSG_*`, `NFNL_MSG_BATCH_*`).
mod kind {
    use super::SUBSYSTEM;

    pub(super) const BEGIN: u16 = 0x10;
    pub(super) const END: u16 = 0x11;
    pub(super) const NEW_TABLE: u16 = SUBSYSTEM << 8;
    pub(super) const GET_TABLE: u16 = (SUBSYSTEM << 8) | 1;
    pub(super) const DELETE_TABLE: u16 = (SUBSYSTEM << 8) | 2;
    pub(super) const NEW_CHAIN: u16 = (SUBSYSTEM << 8) | 3;
    pub(super) const GET_CHAIN: u16 = (SUBSYSTEM << 8) | 4;
    pub(super) const NEW_RULE: u16 = (SUBSYSTEM << 8) | 6;
    pub(super) const GET_RULE: u16 = (SUBSYSTEM << 8) | 7;
}

/// Attributes of a table (`NFTA_TABLE_*`).
mod table {
    pub(super) const NAME: u16 = 1;
    pub(super) const FLAGS: u16 = 2;
    pub(super) const USER_DATA: u16 = 6;
}

/// Attributes of a chain (`NFTA_CHAIN_*`, `NFTA_HOOK_*`).
mod chain {
    pub(super) const TABLE: u16 = 1;
    pub(super) const NAME: u16 = 3;
    pub(super) const HOOK: u16 = 4;
    pub(super) const TYPE: u16 = 7;
    pub(super) const HOOK_NUMBER: u16 = 1;
    pub(super) const HOOK_PRIORITY: u16 = 2;
}

/// Attributes of a rule (`NFTA_RULE_*`).
mod rules {
    pub(super) const TABLE: u16 = 1;
    pub(super) const CHAIN: u16 = 2;
    pub(super) const EXPRESSIONS: u16 = 4;
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkRequest {
    /// Its kind in the netlink header.
    pub kind: u16,
    /// Its own flags there.
    pub flags: u16,
    /// What follows the header.
    pub payload: Vec<u8>,
}

impl MarkRequest {
    fn new(kind: u16, flags: u16, build: impl FnOnce(&mut Payload)) -> Self {
        Self { kind, flags, payload: with_header(INET, 0, build) }
    }

    fn border(kind: u16) -> Self {
        Self { kind, flags: 0, payload: with_header(0, SUBSYSTEM, |_| {}) }
    }
}

/// `struct nfgenmsg`: family, version, a number, which tells a batch its subsystem.
fn with_header(family: u8, number: u16, build: impl FnOnce(&mut Payload)) -> Vec<u8> {
    let mut attributes = Payload::default();
    build(&mut attributes);
    let [high, low] = number.to_be_bytes();
    let mut payload = vec![family, 0, high, low];
    payload.extend_from_slice(&attributes.into_bytes());
    payload
}

fn attributes(answer: &[u8]) -> Result<Attributes<'_>, WireError> {
    let (header, rest) = answer.split_first_chunk::<4>().ok_or(WireError::Truncated)?;
    match header {
        [INET, ..] => Ok(Attributes::new(rest)),
        [other, ..] => Err(WireError::Unknown { what: "family", value: (*other).into() }),
    }
}

/// Marks exactly so, in one step that the kernel takes whole or not at all. What the table held
/// before is gone; without rules the table itself is.
pub fn replace(rules: &[MarkRule]) -> Vec<MarkRequest> {
    let named = |payload: &mut Payload| payload.text(table::NAME, TABLE);
    // A table that is not there cannot be deleted, so it is made first.
    let mut batch = vec![
        MarkRequest::border(kind::BEGIN),
        MarkRequest::new(kind::NEW_TABLE, CREATE, named),
        MarkRequest::new(kind::DELETE_TABLE, 0, named),
    ];
    if !rules.is_empty() {
        batch.push(MarkRequest::new(kind::NEW_TABLE, CREATE, |payload| {
            named(payload);
            payload.bytes(table::USER_DATA, &comment());
        }));
        for (name, hook) in CHAINS {
            batch.push(new_chain(name, hook));
            batch.extend(rules.iter().map(|rule| new_rule(name, rule)));
        }
    }
    batch.push(MarkRequest::border(kind::END));
    batch
}

/// A comment as `nft` shows it: kind 0, length, text with its NUL.
fn comment() -> Vec<u8> {
    let length = u8::try_from(COMMENT.len() + 1).unwrap_or(u8::MAX);
    [&[0, length], COMMENT.as_bytes(), &[0]].concat()
}

fn new_chain(name: &str, hook: u32) -> MarkRequest {
    MarkRequest::new(kind::NEW_CHAIN, CREATE, |payload| {
        payload.text(chain::TABLE, TABLE);
        payload.text(chain::NAME, name);
        payload.nested(chain::HOOK, |inner| {
            inner.u32_be(chain::HOOK_NUMBER, hook);
            inner.bytes(chain::HOOK_PRIORITY, &PRIORITY.to_be_bytes());
        });
        payload.text(chain::TYPE, "filter");
    })
}

fn new_rule(chain: &str, rule: &MarkRule) -> MarkRequest {
    MarkRequest::new(kind::NEW_RULE, CREATE | APPEND, |payload| {
        payload.text(rules::TABLE, TABLE);
        payload.text(rules::CHAIN, chain);
        payload.nested(rules::EXPRESSIONS, |inner| rule::put(inner, rule));
    })
}

/// Lists all tables, all chains, and the rules of our table; each to be sent as a dump.
pub fn list() -> [MarkRequest; 3] {
    [
        MarkRequest::new(kind::GET_TABLE, 0, |_| {}),
        MarkRequest::new(kind::GET_CHAIN, 0, |_| {}),
        MarkRequest::new(kind::GET_RULE, 0, |payload| payload.text(rules::TABLE, TABLE)),
    ]
}

/// The answers to the three messages of [`list`].
pub type Answers = [Vec<Vec<u8>>; 3];

/// What the kernel holds under the name of our table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkTable {
    /// Nothing.
    Absent,
    /// A table that somebody else made.
    Foreign,
    /// Our table, and what it marks; nothing is said of one that somebody else has changed so that
    /// there are no words for it.
    Ours(Option<Vec<MarkRule>>),
}

impl MarkTable {
    /// Reads the answers to [`list`], in that order.
    ///
    /// # Errors
    /// When an answer breaks off.
    pub fn decode([tables, chains, rules]: &Answers) -> Result<Self, WireError> {
        let mut found = None;
        for answer in tables {
            let mut name = None;
            let (mut ours, mut awake) = (false, true);
            for attribute in attributes(answer)? {
                let attribute = attribute?;
                match attribute.kind {
                    table::NAME => name = Some(attribute.text()),
                    table::FLAGS => awake = attribute.u32_be()? == 0,
                    table::USER_DATA => ours = attribute.value == comment(),
                    _ => {}
                }
            }
            if name.as_deref() == Some(TABLE) {
                found = Some((ours, awake));
            }
        }
        Ok(match found {
            None => Self::Absent,
            Some((false, _)) => Self::Foreign,
            Some((true, false)) => Self::Ours(None),
            Some((true, true)) if !has_our_chains(chains)? => Self::Ours(None),
            Some((true, true)) => Self::Ours(marked(rules)?),
        })
    }

    /// Whether it marks exactly so.
    pub fn is(&self, rules: &[MarkRule]) -> bool {
        match self {
            // A foreign table is left alone when nothing is wanted of it.
            Self::Absent | Self::Foreign => rules.is_empty(),
            Self::Ours(found) => !rules.is_empty() && found.as_deref() == Some(rules),
        }
    }
}

/// Whether our table has exactly our chains.
fn has_our_chains(answers: &[Vec<u8>]) -> Result<bool, WireError> {
    let mut found = Vec::new();
    for answer in answers {
        let (mut table, mut name, mut hook, mut priority, mut kind) = Default::default();
        for attribute in attributes(answer)? {
            let attribute = attribute?;
            match attribute.kind {
                chain::TABLE => table = attribute.text(),
                chain::NAME => name = attribute.text(),
                chain::TYPE => kind = attribute.text(),
                chain::HOOK => {
                    let number = attribute.nested().find_kind(chain::HOOK_NUMBER)?;
                    hook = number.map(|number| number.u32_be()).transpose()?;
                    let at = attribute.nested().find_kind(chain::HOOK_PRIORITY)?;
                    priority = at.map(|at| at.u32_be()).transpose()?;
                }
                _ => {}
            }
        }
        if table == TABLE {
            found.push((name, hook, priority.map(u32::cast_signed), kind));
        }
    }
    let ours = CHAINS
        .map(|(name, hook)| (name.to_owned(), Some(hook), Some(PRIORITY), "filter".to_owned()));
    Ok(found.len() == ours.len() && ours.iter().all(|chain| found.contains(chain)))
}

/// What both chains mark, if they mark the same and nothing else.
fn marked(answers: &[Vec<u8>]) -> Result<Option<Vec<MarkRule>>, WireError> {
    let mut found = [const { Vec::new() }; CHAINS.len()];
    for answer in answers {
        let (mut table, mut chain, mut rule) = (String::new(), String::new(), None);
        for attribute in attributes(answer)? {
            let attribute = attribute?;
            match attribute.kind {
                rules::TABLE => table = attribute.text(),
                rules::CHAIN => chain = attribute.text(),
                rules::EXPRESSIONS => rule = decode_rule(attribute.nested())?,
                _ => {}
            }
        }
        let place = CHAINS.iter().position(|(name, _)| *name == chain);
        let Some(rules) = place.and_then(|at| found.get_mut(at)).filter(|_| table == TABLE) else {
            continue;
        };
        rules.push(rule);
    }
    let [arriving, sent] = found;
    if arriving != sent {
        return Ok(None);
    }
    Ok(arriving.into_iter().collect())
}

#[cfg(test)]
mod tests;
