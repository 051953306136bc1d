//! `GET /metrics`: the status in the text form of Prometheus.

use std::fmt::Write;

use control::nanny::Verdict;
use control::status::LvsdStatus;

/// The whole page.
pub fn render(status: &LvsdStatus) -> String {
    let mut page = Page::default();
    page.one("uptime_seconds", "gauge", "Seconds since lvsd started.", status.uptime_seconds);
    page.one(
        "kernel_writes_total",
        "counter",
        "Changes of the kernel's table.",
        status.kernel_writes,
    );
    page.one(
        "kernel_refusals_total",
        "counter",
        "Changes that the kernel refused.",
        status.kernel_refusals,
    );
    page.one(
        "drift_repairs_total",
        "counter",
        "Services found changed by somebody else.",
        status.drift_repairs,
    );
    page.one("nanny_restarts_total", "counter", "Restarts of nanny.", status.nanny_restarts);
    page.one("checks_passed_total", "counter", "Checks that ended well.", status.checks_passed);
    page.one("checks_failed_total", "counter", "Checks that failed.", status.checks_failed);
    let refused = u64::from(!status.config.refused.is_empty());
    page.one(
        "config_refused",
        "gauge",
        "The newest edit of the configuration is refused.",
        refused,
    );
    let in_place = u64::from(status.readiness.table_in_place);
    page.one("table_in_place", "gauge", "The kernel's table is as wanted.", in_place);
    let warm = u64::from(status.readiness.checks_warm);
    page.one("checks_warm", "gauge", "Every real server has been checked.", warm);
    services(&mut page, status);
    servers(&mut page, status);
    page.text
}

fn services(page: &mut Page, status: &LvsdStatus) {
    page.head("on_sorry_server", "gauge", "The sorry server carries the traffic.");
    for service in &status.services {
        page.sample(
            "on_sorry_server",
            &[("service", &service.name)],
            u64::from(service.on_sorry_server),
        );
    }
    page.head("failing_open", "gauge", "Real servers stay in although their checks fail.");
    for service in &status.services {
        let failing_open = u64::from(service.failing_open);
        page.sample("failing_open", &[("service", &service.name)], failing_open);
    }
}

fn servers(page: &mut Page, status: &LvsdStatus) {
    type Value = fn(&control::status::ServerStatus) -> u64;
    let families: [(&str, &str, &str, Value); 6] = [
        ("server_up", "gauge", "The real server's check passes.", |server| {
            u64::from(server.verdict == Verdict::Up)
        }),
        ("server_weight", "gauge", "Weight in the kernel; 0 when it is out.", |server| {
            u64::from(server.kernel_weight.unwrap_or_default())
        }),
        ("server_active_connections", "gauge", "Open connections.", |server| {
            u64::from(server.active_connections)
        }),
        ("server_inactive_connections", "gauge", "Connections that are closing.", |server| {
            u64::from(server.inactive_connections)
        }),
        ("server_connections_total", "counter", "Connections since it joined.", |server| {
            server.connections
        }),
        ("server_bytes_in_total", "counter", "Bytes towards it since it joined.", |server| {
            server.bytes_in
        }),
    ];
    for (name, kind, help, value) in families {
        page.head(name, kind, help);
        for service in &status.services {
            for server in &service.servers {
                let address = server.address.map(|address| address.to_string()).unwrap_or_default();
                let labels = [
                    ("service", service.name.as_str()),
                    ("server", &server.name),
                    ("address", &address),
                ];
                page.sample(name, &labels, value(server));
            }
        }
    }
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.sample(name, &[], value);
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.write(format_args!(
            "# HELP caribe_lvsd_{name} {help}\n# TYPE caribe_lvsd_{name} {kind}\n"
        ));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.write(format_args!("caribe_lvsd_{name}"));
        for (at, (label, text)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            self.write(format_args!("{before}{label}=\"{}\"", escape(text)));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        self.write(format_args!("{after} {value}\n"));
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(text);
    }
}

/// As label values are written: backslash, quote and line feed escaped.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_labels_are_written_as_prometheus_reads_them() {
        let server = control::status::ServerStatus {
            name: "web\"1\\".into(),
            address: "192.168.1.4:80".parse().ok(),
            forwarding: ipvs::Forwarding::Direct,
            verdict: Verdict::Up,
            reason: String::new(),
            since_unix_ms: 0,
            checks: Vec::new(),
            configured_weight: 1,
            kernel_weight: Some(5),
            weight_because: Vec::new(),
            decision: None,
            active_connections: 3,
            inactive_connections: 0,
            connections: 9,
            bytes_in: 10,
        };
        let service = control::status::ServiceStatus {
            name: "www".into(),
            keys: Vec::new(),
            marked: Vec::new(),
            scheduler: "wlc".into(),
            persistence_seconds: None,
            on_sorry_server: false,
            failing_open: true,
            max_down_percent: 50,
            sorry: None,
            problem: None,
            servers: vec![server],
        };
        let status =
            LvsdStatus { kernel_writes: 7, services: vec![service], ..LvsdStatus::default() };
        let page = render(&status);
        assert!(page.contains(
            "# TYPE caribe_lvsd_kernel_writes_total counter\ncaribe_lvsd_kernel_writes_total 7\n"
        ));
        assert!(page.contains("caribe_lvsd_failing_open{service=\"www\"} 1\n"), "{page}");
        let labels = r#"{service="www",server="web\"1\\",address="192.168.1.4:80"}"#;
        assert!(page.contains(&format!("caribe_lvsd_server_weight{labels} 5\n")), "{page}");
        assert!(page.contains(&format!("caribe_lvsd_server_connections_total{labels} 9\n")));
    }
}
