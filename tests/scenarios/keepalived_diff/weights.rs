//! A program of `misc_dynamic` that asks for one weight after the other.

use lab::{Failure, Outcome, Run, Seed, ensure, wait_until};

use super::{LIMIT, lines, start};

const FILE: &str = include_str!("weights.conf");
const PROGRAM: &str = "/etc/keepalived/weigh";
/// The program ends with the number in it.
const STATUS: &str = "/etc/keepalived/status";
/// What the program ends with, and the line of its server then.
const STEPS: [(u8, Option<&str>); 6] = [
    (12, Some("-a -t 192.168.1.1:80 -r 192.168.1.4:80 -m -w 10")),
    (7, Some("-a -t 192.168.1.1:80 -r 192.168.1.4:80 -m -w 5")),
    (1, None),
    (0, Some("-a -t 192.168.1.1:80 -r 192.168.1.4:80 -m -w 3")),
    (2, Some("-a -t 192.168.1.1:80 -r 192.168.1.4:80 -m -w 0")),
    (255, Some("-a -t 192.168.1.1:80 -r 192.168.1.4:80 -m -w 253")),
];

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let ends_with = |status: u8| -> Outcome {
        [&net.ra, &net.rb]
            .into_iter()
            .try_for_each(|node| node.write(STATUS, &format!("{status}\n")))
    };
    for node in [&net.ra, &net.rb] {
        let text = format!("#!/bin/sh\nread -r status < {STATUS}\nexit $status\n");
        node.write_mode(PROGRAM, &text, 0o755)?;
    }
    ends_with(STEPS[0].0)?;
    let (mut ours, mut theirs) = start(&net, FILE)?;
    for (status, line) in STEPS {
        ends_with(status)?;
        let mut tables = Vec::new();
        let waited = wait_until(LIMIT, "both tables have the weight", || {
            tables = [&net.ra, &net.rb].into_iter().map(lines).collect::<Outcome<Vec<_>>>()?;
            let has = |table: &std::collections::BTreeSet<String>| match line {
                Some(line) => table.contains(line),
                None => {
                    table.len() == 2 && !table.iter().any(|row| row.contains(" -r 192.168.1.4:"))
                }
            };
            Ok(tables.iter().all(has) && tables.first() == tables.last())
        });
        waited
            .map_err(|failure| Failure::new(format!("status {status}: {failure}\n{tables:#?}")))?;
        run.step(format!("status {status}: the same, {}", line.unwrap_or("out of the table")));
    }
    ours.stop(LIMIT)?;
    theirs.stop(LIMIT)?;
    ensure!(net.rb.table()?.is_empty(), "keepalived left its table behind");
    Ok(())
}
