//! `real_server`: a real server, and the checks that it has to pass.

use std::net::IpAddr;

use super::checks::{Made, checks};
use super::known::{REAL, is_read};
use super::notify::argv;
use super::report::Report;
use super::service::{Rhythm, place};
use super::text::At;
use super::tree::Node;
use super::way::{Way, way};
use crate::model::ServerNotify;

/// Largest weight that keepalived takes.
const MAX_WEIGHT: u32 = 65_535;

/// What a `real_server` says.
#[derive(Debug)]
pub(super) struct Real {
    pub(super) ip: IpAddr,
    pub(super) port: Option<u16>,
    pub(super) at: At,
    pub(super) name: Option<String>,
    pub(super) weight: u32,
    pub(super) way: Option<Way>,
    pub(super) upper: u32,
    pub(super) lower: u32,
    pub(super) inhibit: Option<(bool, At)>,
    pub(super) rhythm: Rhythm,
    /// The checks, all of which it has to pass.
    pub(super) checks: Vec<Made>,
    /// Programs run when it goes and returns.
    pub(super) notify: ServerNotify,
}

/// Reads a `real_server`.
pub(super) fn real(report: &mut Report, node: &Node) -> Option<Real> {
    let found = place(report, node);
    let mut real = Real {
        ip: found.as_ref().map_or(IpAddr::from([0, 0, 0, 0]), |found| found.ip),
        port: found.as_ref().and_then(|found| found.port),
        at: node.value_at().clone(),
        name: None,
        weight: 1,
        way: None,
        upper: 0,
        lower: 0,
        inhibit: None,
        rhythm: Rhythm::default(),
        checks: Vec::new(),
        notify: ServerNotify::default(),
    };
    for inner in &node.block {
        if !is_read(report, inner, &REAL) || real.rhythm.read(report, inner) {
            continue;
        }
        match inner.name.text.as_str() {
            "weight" => real.weight = report.number(inner, 0, MAX_WEIGHT).unwrap_or(1),
            "lvs_method" | "lb_kind" => real.way = way(report, inner),
            "uthreshold" => real.upper = report.number(inner, 0, u32::MAX).unwrap_or(0),
            "lthreshold" => real.lower = report.number(inner, 0, u32::MAX).unwrap_or(0),
            "snmp_name" => real.name = report.value(inner, "web4").map(|word| word.text.clone()),
            "inhibit_on_failure" => {
                real.inhibit = Some((report.switch(inner), inner.name.at.clone()))
            }
            "notify_up" => real.notify.up = argv(report, inner),
            "notify_down" => real.notify.down = argv(report, inner),
            _ => real.checks.extend(checks(report, inner, real.ip)),
        }
    }
    found.map(|_| real)
}
