//! `--set` and `--start-daemon`: what the kernel is told beside the table.

use std::time::Duration;

use super::options::{Given, Options};
use super::service::number;
use crate::foreign::report::Reporter;
use crate::foreign::table::Report;
use crate::model::{ConnectionSync, Kernel};

/// The interface of ipvsadm when none is given.
const INTERFACE: &str = "eth0";
/// The kernel's limit for its timeouts, in seconds.
const LONGEST: u32 = 2_678_400;
/// The largest packet that UDP takes.
const MOST_BYTES: u16 = 65_507;

/// `--set TCP TCPFIN UDP`, where 0 leaves what is there.
pub(super) fn timeouts(report: &mut Report<'_>, what: &Given, kernel: &mut Kernel) {
    let places = [&mut kernel.tcp_timeout, &mut kernel.tcp_fin_timeout, &mut kernel.udp_timeout];
    for (word, place) in what.values.iter().zip(places) {
        if let Some(seconds) = number(report, word, 0, LONGEST).filter(|seconds| *seconds > 0) {
            *place = Some(Duration::from_secs(seconds.into()));
        }
    }
}

/// `--start-daemon master` and `backup` on the two routers are one setting here.
pub(super) fn sync(report: &mut Report<'_>, what: &Given, options: &Options, kernel: &mut Kernel) {
    let role = what.value();
    if !matches!(role.text.as_str(), "master" | "backup") {
        let help = "write master or backup";
        report.error(&role.span, format!("`{}` is no role of the sync daemon", role.text), help);
        return;
    }
    let value = |name| options.get(name).map(Given::value);
    let group = value("mcast-group").and_then(|word| match word.text.parse() {
        Ok(group) => Some(group),
        Err(_) => {
            let message = format!("`{}` is no multicast group", word.text);
            report.error(&word.span, message, "write an address as 224.0.0.81");
            None
        }
    });
    kernel.sync = Some(ConnectionSync {
        interface: value("mcast-interface").map_or(INTERFACE, |word| &word.text).to_owned(),
        id: value("syncid").and_then(|word| number(report, word, 0, u8::MAX)).unwrap_or(0),
        group,
        port: value("mcast-port").and_then(|word| number(report, word, 1, u16::MAX)),
        ttl: value("mcast-ttl").and_then(|word| number(report, word, 1, u8::MAX)),
        max_length: value("sync-maxlen").and_then(|word| number(report, word, 1, MOST_BYTES)),
    });
}
