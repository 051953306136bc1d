//! Counters on the wire (`IPVS_STATS_ATTR_*`).

use super::{Attribute, WireError};
use crate::Counters;

const CONNS: u16 = 1;
const INPKTS: u16 = 2;
const OUTPKTS: u16 = 3;
const INBYTES: u16 = 4;
const OUTBYTES: u16 = 5;
const CPS: u16 = 6;
const INPPS: u16 = 7;
const OUTPPS: u16 = 8;
const INBPS: u16 = 9;
const OUTBPS: u16 = 10;

/// Reads the 64-bit form when it is there (since Linux 4.1), else the old one, where only the bytes
/// have 64 bits. With neither, all is 0.
pub(super) fn decode(
    old: Option<Attribute<'_>>,
    wide: Option<Attribute<'_>>,
) -> Result<Counters, WireError> {
    let mut counters = Counters::default();
    let Some(outer) = wide.or(old) else { return Ok(counters) };
    for attribute in outer.nested() {
        let attribute = attribute?;
        let field = match attribute.kind {
            CONNS => &mut counters.connections,
            INPKTS => &mut counters.packets_in,
            OUTPKTS => &mut counters.packets_out,
            INBYTES => &mut counters.bytes_in,
            OUTBYTES => &mut counters.bytes_out,
            CPS => &mut counters.connections_per_second,
            INPPS => &mut counters.packets_in_per_second,
            OUTPPS => &mut counters.packets_out_per_second,
            INBPS => &mut counters.bytes_in_per_second,
            OUTBPS => &mut counters.bytes_out_per_second,
            _ => continue,
        };
        *field = attribute.u64().or_else(|_| attribute.u32().map(u64::from))?;
    }
    Ok(counters)
}
