//! The status in Prometheus' text form (version 0.0.4).

use std::fmt::{Display, Write};

use control::status::{KeyUse, PulseStatus};

use crate::driver::Driver;

/// Writes families of metrics.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _written = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(key, text)| format!("{key}=\"{}\"", escape(text))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _written = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The whole page.
pub(crate) fn of(status: &PulseStatus, driver: &Driver) -> String {
    let mut page = Exposition::default();
    page.family("caribe_pulse_uptime_seconds", "gauge", "Time since pulse started.");
    page.value("caribe_pulse_uptime_seconds", &[], status.uptime_seconds);
    page.family("caribe_pulse_ready", "gauge", "This router could serve at once.");
    page.value("caribe_pulse_ready", &[], u8::from(driver.failover.ready()));
    page.family("caribe_partner_alive", "gauge", "The partner is heard.");
    let alive = matches!(status.partner.state.as_str(), "alive" | "silent");
    page.value("caribe_partner_alive", &[("partner", &status.partner.name)], u8::from(alive));
    page.family("caribe_config_differs", "gauge", "The partner has another configuration.");
    page.value("caribe_config_differs", &[], u8::from(status.partner.config_differs));
    page.family("caribe_config_refused", "gauge", "The newest configuration was refused.");
    page.value("caribe_config_refused", &[], u8::from(!status.config.refused.is_empty()));
    page.family("caribe_role_changes_total", "counter", "Groups taken over or stood down.");
    page.value("caribe_role_changes_total", &[], driver.role_changes);
    page.family("caribe_lvsd_restarts_total", "counter", "Times that lvsd was started again.");
    page.value("caribe_lvsd_restarts_total", &[], status.lvsd_restarts);
    keys(&mut page, status);
    groups(&mut page, status);
    paths(&mut page, status);
    page.0
}

fn keys(page: &mut Exposition, status: &PulseStatus) {
    page.family("caribe_key_mode", "gauge", "Where the heartbeat keys stand in a rotation.");
    for mode in ["observe", "prefer", "enforce"] {
        page.value("caribe_key_mode", &[("mode", mode)], u8::from(status.key_mode == mode));
    }
    let name = "caribe_heartbeat_tags_total";
    page.family(name, "counter", "Packets by the key that signed them.");
    let KeyUse { first, other, unknown, wrong } = status.key_use;
    for (key, count) in [("first", first), ("other", other), ("unknown", unknown), ("wrong", wrong)]
    {
        page.value(name, &[("key", key)], count);
    }
}

fn groups(page: &mut Exposition, status: &PulseStatus) {
    page.family("caribe_group_active", "gauge", "This router holds the group.");
    for group in &status.groups {
        let active = u8::from(group.role == "active");
        page.value("caribe_group_active", &[("group", &group.name)], active);
    }
    page.family("caribe_group_addresses", "gauge", "Addresses of the group, by presence here.");
    for group in &status.groups {
        let present = group.addresses.iter().filter(|address| address.present).count();
        for (state, count) in [("present", present), ("absent", group.addresses.len() - present)] {
            let labels = [("group", group.name.as_str()), ("state", state)];
            page.value("caribe_group_addresses", &labels, count);
        }
    }
    page.family("caribe_address_problems", "gauge", "Addresses with a problem.");
    for group in &status.groups {
        let wrong = group.addresses.iter().filter(|address| address.problem.is_some()).count();
        page.value("caribe_address_problems", &[("group", &group.name)], wrong);
    }
}

fn paths(page: &mut Exposition, status: &PulseStatus) {
    page.family("caribe_path_alive", "gauge", "Heartbeats arrive on the path.");
    for path in &status.paths {
        page.value("caribe_path_alive", &[("path", &path.name)], u8::from(path.alive));
    }
    page.family("caribe_witness_reachable", "gauge", "The witness answered when last asked.");
    for witness in &status.witness {
        if let Some(reachable) = witness.reachable {
            let labels = [("witness", witness.address.as_str())];
            page.value("caribe_witness_reachable", &labels, u8::from(reachable));
        }
    }
    page.family("caribe_heartbeats_sent_total", "counter", "Heartbeats sent.");
    for path in &status.paths {
        page.value("caribe_heartbeats_sent_total", &[("path", &path.name)], path.sent);
    }
    page.family("caribe_heartbeats_received_total", "counter", "Packets received, by outcome.");
    for path in &status.paths {
        let outcomes = [
            ("good", path.received),
            ("tag", path.rejected_tag),
            ("replay", path.rejected_replay),
            ("malformed", path.rejected_malformed),
        ];
        for (outcome, count) in outcomes {
            let labels = [("path", path.name.as_str()), ("outcome", outcome)];
            page.value("caribe_heartbeats_received_total", &labels, count);
        }
    }
}
