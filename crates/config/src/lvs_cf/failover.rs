//! `failover` blocks: services that run on one of the two routers, with an address each.

use std::time::Duration;

use super::Reading;
use super::blocks::{Block, File};
use super::floating;
use super::service::span_of;
use super::values::{Report, Settings};
use crate::foreign::report::Reporter;
use crate::model::{Hook, HookOrder};

/// How long `start_cmd` and `stop_cmd` may run; Piranha waits for them for ever.
const HOOK_TIME: Duration = Duration::from_secs(60);

/// The programs of the failover services; their addresses join the others. What is not used,
/// because the file does the other thing, is named.
pub(super) fn read(reading: &mut Reading<'_>, file: &File, fos: bool) -> Vec<Hook> {
    if !fos {
        for (word, _) in &file.failovers {
            let help = "failover services are used with `service = fos`, and virtual servers without; make it a virtual server, or write a file for each";
            reading.report.warning(&word.span, "this failover service is not used", help);
        }
        return Vec::new();
    }
    for block in &file.virtuals {
        let help = "virtual servers are used with `service = lvs`, failover services with `fos`";
        reading.report.warning(&block.name.span, "this virtual server is not used", help);
    }
    let settings = Settings(&file.settings);
    let hooks: Vec<Hook> =
        file.failovers.iter().filter_map(|(_, block)| one(reading, block)).collect();
    if hooks.is_empty() && !reading.report.is_refused() {
        let span = settings.get("service").map(span_of).unwrap_or_default();
        let help = "write `active = 1` and `start_cmd` in a `failover` block that has an address";
        reading.report.error(&span, "no failover service is on", help);
    }
    if reading.cluster.pair.is_none() && !reading.report.is_refused() {
        let span = settings.get("service").map(span_of).unwrap_or_default();
        let help =
            "write `backup_active = 1` and `backup = ADDRESS`, or let systemd run the service";
        reading.report.error(&span, "failover services need two routers", help);
    }
    hooks
}

fn one(reading: &mut Reading<'_>, block: &Block) -> Option<Hook> {
    let settings = Settings(&block.settings);
    let report = &mut reading.report;
    let active = report.switch(settings, "active", false);
    if settings.get("active").is_none() {
        let message = format!("failover service {} is off", block.name.text);
        report.warning(&block.name.span, message, "write `active = 1` in it to have it used");
    }
    let address = settings.get("address");
    let place = address.and_then(|address| floating::of_block(report, settings, address, active));
    let hook = Hook {
        name: block.name.text.clone(),
        start: command(report, settings, "start_cmd"),
        stop: command(report, settings, "stop_cmd"),
        status: Vec::new(),
        timeout: HOOK_TIME,
        order: HookOrder::AfterAddresses,
    };
    if !active {
        return None;
    }
    let Some(address) = address else {
        let message = format!("failover service {} has no address", block.name.text);
        let help = "write `address = 192.168.1.1 eth0:1`: the floating address and its device";
        report.error(&block.name.span, message, help);
        return None;
    };
    if hook.start.is_empty() && hook.stop.is_empty() {
        let message = format!("failover service {} starts nothing", block.name.text);
        let help = "write `start_cmd = \"/etc/init.d/httpd start\"`, and `stop_cmd`";
        report.error(&block.name.span, message, help);
    }
    for key in ["send", "expect", "send_program"] {
        let Some(setting) = settings.get(key) else { continue };
        let message = "a failover service is not asked whether it is well";
        let help = "a router that is lost is replaced; let systemd watch the service itself (`Restart=on-failure`), or make it a virtual server";
        report.warning(&setting.key.span, message, help);
        break;
    }
    reading.add_address(place?, span_of(address));
    Some(hook)
}

fn command(report: &mut Report<'_>, settings: Settings<'_>, key: &str) -> Vec<String> {
    settings.get(key).and_then(|setting| report.program(setting)).unwrap_or_default()
}
