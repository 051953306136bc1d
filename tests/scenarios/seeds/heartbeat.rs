//! heartbeat and ldirectord, with direct routing: Master and Backup before Real1 and Real2.

use super::LONG;
use crate::director::{has_table, sorted};
use crate::ha_d::power_loss;
use crate::turns::take_turns;
use lab::pair::{self, Pair, wait_for_address};
use lab::seed::{VIP, web_address};
use lab::{Outcome, Run, Seed, WebServer, ensure};

const FOLDER: &str = "/etc/ha.d";

/// A file of the text as it is printed, and what its reader has to put right: where the text
/// explains (`node`), and where its page was set in type (quotes, indentation).
struct Printed {
    name: &'static str,
    text: &'static str,
    mode: u32,
    mend: fn(&str) -> String,
}

const FILES: [Printed; 4] = [
    Printed {
        name: "ha.cf",
        text: include_str!("../../../crates/config/tests/data/as-printed/ha.cf"),
        mode: 0o644,
        mend: |text| {
            let others = text.lines().filter(|line| !line.starts_with("node"));
            others.chain(["node Master Backup"]).map(|line| format!("{line}\n")).collect()
        },
    },
    Printed {
        name: "authkeys",
        text: include_str!("../../../crates/config/tests/data/as-printed/authkeys"),
        mode: 0o600,
        mend: str::to_owned,
    },
    Printed {
        name: "haresources",
        text: include_str!("../../../crates/config/tests/data/as-printed/haresources"),
        mode: 0o644,
        mend: str::to_owned,
    },
    Printed {
        name: "ldirectord.cf",
        text: include_str!("../../../crates/config/tests/data/as-printed/ldirectord.cf"),
        mode: 0o644,
        mend: |text| {
            let plain = text.replace('”', "\"");
            let (whole, section) = plain.split_once("virtual=").unwrap_or((&plain, ""));
            format!("{whole}virtual={}", section.replace('\n', "\n    ").trim_end())
        },
    },
];

const TABLE: &str = "-A -t 192.168.1.1:80 -s rr
-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 5
-a -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 5
";

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (mut real1, _real2) = net.web()?;
    as_printed(run, &net)?;
    for file in FILES {
        for router in net.routers() {
            let path = format!("{FOLDER}/{}", file.name);
            router.write_mode(&path, &(file.mend)(file.text), file.mode)?;
        }
    }
    let mut pair = Pair::launch(&net)?;
    pair::wait_until_warm(&net, VIP, 2)?;
    wait_for_address(&net.ra, VIP, LONG)?;
    let table = net.ra.table()?;
    ensure!(sorted(&table) == sorted(TABLE), "wanted:\n{TABLE}found:\n{table}");
    take_turns(run, &net, &net.ra, "direct routing")?;
    a_server_dies(run, &net, &mut real1)?;
    power_loss(run, &net, &mut pair)
}

/// The page as it was set in type: each mistake is named with its line, and nothing runs.
fn as_printed(run: &Run, net: &Seed) -> Outcome {
    for file in FILES {
        net.ra.write_mode(&format!("{FOLDER}/{}", file.name), file.text, file.mode)?;
    }
    let check = net.ra.try_execute(&["lvsctl", "check", FOLDER])?;
    ensure!(check.code == 78, "lvsctl check ended with {}:\n{}", check.code, check.stderr);
    let said = format!("{}{}", check.stdout, check.stderr);
    for place in
        ["ha.cf:7", "haresources:1", "ldirectord.cf:5", "ldirectord.cf:8", "ldirectord.cf:10"]
    {
        ensure!(said.contains(place), "{place} is not named:\n{said}");
    }
    run.step("as printed: each mistake is named with its line and what to write");
    Ok(())
}

/// Real1 dies and returns, and the others' requests are answered all the while.
fn a_server_dies(run: &Run, net: &Seed, real1: &mut WebServer) -> Outcome {
    real1.close()?;
    let alone: String = TABLE
        .lines()
        .filter(|line| !line.contains("1.4:"))
        .fold(String::new(), |lines, line| lines + line + "\n");
    has_table(&net.ra, &alone, LONG)?;
    let counts = super::answers(run, net, web_address(), "without Real1")?;
    ensure!(counts == [20], "Real2 did not answer alone: {counts:?}");
    real1.open()?;
    has_table(&net.ra, TABLE, LONG)?;
    take_turns(run, net, &net.ra, "Real1 is back")
}
