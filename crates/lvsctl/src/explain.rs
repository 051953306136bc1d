//! `lvsctl explain`: why a real server has the weight that it has.

use control::explain::{ExplainedServer, Explanation};
use control::nanny::ProbeResult;
use runtime::{ExitError, timestamp};

use crate::ago;
use crate::client::Daemons;
use crate::output::{self, BAD, BOLD, DIM, GOOD, styled};
use crate::status::{server_name, server_state};

/// So many of the last results are shown one by one; of the others only how they ended.
const SHOWN: usize = 10;

pub(crate) async fn run(daemons: &Daemons, server: &str, json: bool) -> Result<(), ExitError> {
    let explanation: Explanation = daemons.lvsd.get("/v1/explain", &[("server", server)]).await?;
    if json {
        return output::print(&output::json(&explanation)?);
    }
    if explanation.servers.is_empty() {
        return Err(ExitError::usage(format!(
            "no real server is called {}: lvsctl status lists them",
            runtime::logging::sentence(server)
        )));
    }
    output::print(&render(&explanation, timestamp::unix_ms()))
}

fn render(explanation: &Explanation, now: u64) -> String {
    let parts: Vec<String> =
        explanation.servers.iter().map(|server| render_server(server, now)).collect();
    parts.join("\n")
}

fn render_server(explained: &ExplainedServer, now: u64) -> String {
    let server = &explained.server;
    let (state, style) = server_state(server);
    let weight = match server.kernel_weight {
        Some(weight) => format!("weight {weight} in the kernel"),
        None => "not in the kernel".to_owned(),
    };
    let mut text = format!(
        "{} in {}: {} for {}, {weight}\n",
        styled(&server_name(server), BOLD),
        styled(&explained.service, BOLD),
        styled(state, style),
        ago::since(server.since_unix_ms, now),
    );
    if let Some(marked) = &explained.marked {
        text.push_str(&format!("  {}\n", styled(marked, output::PLAIN)));
    }
    for because in &server.weight_because {
        text.push_str(&format!("  {}\n", styled(because, output::PLAIN)));
    }
    let (active, closing) = (server.active_connections, server.inactive_connections);
    let total = server.connections;
    text.push_str(&format!(
        "  connections: {active} active, {closing} closing, {total} since it joined\n"
    ));
    results(&explained.results, &mut text);
    text
}

/// How all of them ended in one row, and the newest in full.
fn results(results: &[ProbeResult], text: &mut String) {
    if results.is_empty() {
        text.push_str("  no check results\n");
        return;
    }
    let passed = results.iter().filter(|result| result.passed).count();
    let row: String = results.iter().map(|result| if result.passed { '.' } else { 'X' }).collect();
    text.push_str(&format!("  last {} checks, the newest last, {passed} passed:\n", results.len()));
    for part in crate::table::wrap(&row, 76) {
        text.push_str(&format!("    {part}\n"));
    }
    for result in results.iter().skip(results.len().saturating_sub(SHOWN)) {
        let time = timestamp::utc(result.at_unix_ms);
        let (word, style) = if result.passed { ("passed", GOOD) } else { ("failed", BAD) };
        let took = format!("{}.{:03} ms", result.took.as_millis(), result.took.as_micros() % 1000);
        text.push_str(&format!(
            "    {} {} after {took}  {}\n",
            styled(&time, DIM),
            styled(word, style),
            styled(&result.reason, output::PLAIN),
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use control::nanny::Verdict;
    use control::status::ServerStatus;

    use super::*;
    use crate::output::without_colour;

    fn result(at_unix_ms: u64, passed: bool, reason: &str) -> ProbeResult {
        ProbeResult { at_unix_ms, passed, took: Duration::from_micros(3042), reason: reason.into() }
    }

    #[test]
    fn every_step_from_the_configuration_to_the_kernel_is_told_with_the_checks() {
        let server = ServerStatus {
            name: "192.168.1.5:80".into(),
            address: "192.168.1.5:80".parse().ok(),
            forwarding: ipvs::Forwarding::Direct,
            verdict: Verdict::Down,
            reason: "connection refused".into(),
            since_unix_ms: 1000,
            checks: Vec::new(),
            configured_weight: 5,
            kernel_weight: None,
            weight_because: vec![
                "the configuration says 5".into(),
                "down, so it is out: connection refused".into(),
            ],
            decision: None,
            active_connections: 0,
            inactive_connections: 4,
            connections: 4711,
            bytes_in: 0,
        };
        let results = vec![
            result(0, true, "status 200"),
            result(500, false, "connection refused"),
            result(1000, false, "refused\nagain"),
        ];
        let explained = ExplainedServer { service: "www".into(), marked: None, server, results };
        let text = without_colour(&render(&Explanation { servers: vec![explained] }, 61_000));
        insta::assert_snapshot!(text);
    }
}
