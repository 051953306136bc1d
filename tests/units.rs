//! The service units keep the daemons in a sandbox, and the sandbox leaves them what they need.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be read fails the test")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Exposure that a unit may have at most, in tenths, as `systemd-analyze security` counts it.
const THRESHOLD: &str = "25";

fn unit(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("etc/systemd").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(unit(name)).unwrap()
}

/// Every value of a setting, as words.
fn words(name: &str, setting: &str) -> Vec<String> {
    let text = text(name);
    let values = text.lines().filter_map(|line| line.strip_prefix(setting)?.strip_prefix('='));
    values.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

const UNITS: [&str; 2] = ["pulse.service", "lvsd.service"];
/// Those that run a command and end.
const COMMANDS: [&str; 1] = ["caribe-realserver.service"];

fn all_units() -> impl Iterator<Item = &'static str> {
    UNITS.into_iter().chain(COMMANDS)
}

#[test]
fn each_unit_is_exposed_no_more_than_promised() {
    for name in all_units() {
        let output = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager"])
            .arg(format!("--threshold={THRESHOLD}"))
            .arg(unit(name))
            .output()
            .unwrap_or_else(|error| panic!("{error}: apt-get install systemd"));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {said}");
        assert!(said.contains("Overall exposure level"), "{name}: {said}");
    }
}

#[test]
fn a_unit_says_nothing_that_systemd_does_not_know() {
    for name in all_units() {
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg(unit(name))
            .output()
            .unwrap_or_else(|error| panic!("{error}: apt-get install systemd"));
        let said = String::from_utf8_lossy(&output.stderr);
        let about_it = format!("etc/systemd/{name}:");
        assert!(!said.lines().any(|line| line.contains(&about_it)), "{said}");
    }
}

/// Settings of pulse's unit that stay where resource scripts need all of root.
const NO_SANDBOX: [&str; 20] = [
    "Type",
    "ExecStart",
    "ExecReload",
    "KillMode",
    "Restart",
    "RestartSec",
    "TimeoutStopSec",
    "WatchdogSec",
    "TimeoutAbortSec",
    "LimitNOFILE",
    "OOMScoreAdjust",
    "OOMPolicy",
    "CPUSchedulingPolicy",
    "CPUSchedulingPriority",
    "CPUSchedulingResetOnFork",
    "RuntimeDirectory",
    "RuntimeDirectoryMode",
    "RuntimeDirectoryPreserve",
    "StateDirectory",
    "StateDirectoryMode",
];

/// Not beside the unit in a folder of its name: whoever installs the folder would install it too.
const RESOURCES: &str = "pulse-resources.conf";

/// The settings of a unit's section `Service`.
fn settings(name: &str) -> Vec<(String, String)> {
    let text = text(name);
    let section = text.lines().skip_while(|line| *line != "[Service]").skip(1);
    let section = section.take_while(|line| !line.starts_with('['));
    let lines = section.filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(a, b)| (a.into(), b.into())).collect()
}

/// One that is forgotten keeps a mount of a script from the rest of the host.
#[test]
fn the_drop_in_for_resources_takes_every_fence_away() {
    let taken = settings(RESOURCES);
    for (name, _) in settings("pulse.service") {
        let away = taken.iter().any(|(other, _)| *other == name);
        assert_eq!(away, !NO_SANDBOX.contains(&name.as_str()), "{name}");
    }
    for (name, value) in taken {
        let off = ["", "no", "~", "auto", "default", "root", "0022", "infinity"];
        assert!(off.contains(&value.as_str()), "{name}={value}");
    }
}

#[test]
fn systemd_takes_the_drop_in_for_resources() {
    let folder = std::env::temp_dir().join(format!("caribe-units-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("pulse.service.d")).unwrap();
    for (name, to) in
        [("pulse.service", "pulse.service"), (RESOURCES, "pulse.service.d/resources.conf")]
    {
        std::fs::copy(unit(name), folder.join(to)).unwrap();
    }
    let run = |verb: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        command.args(verb).arg(folder.join("pulse.service")).env("SYSTEMD_UNIT_PATH", &folder);
        let output = command.output();
        let output = output.unwrap_or_else(|error| panic!("{error}: apt-get install systemd"));
        let (out, errors) = (output.stdout, output.stderr);
        (String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
    };
    let (_, said) = run(&["verify", "--man=no", "--recursive-errors=no"]);
    assert!(!said.contains("resources.conf:"), "{said}");
    let (table, _) = run(&["security", "--offline=true", "--no-pager", "--threshold=100"]);
    std::fs::remove_dir_all(&folder).unwrap();
    let line = table.lines().find(|line| line.contains("PrivateMounts=")).unwrap_or(&table);
    assert!(line.contains('✗'), "the drop-in is not read: {line}");
}

#[test]
fn the_daemons_are_given_what_they_need_and_no_more() {
    let all = |name, wanted: &[&str]| {
        for setting in ["AmbientCapabilities", "CapabilityBoundingSet"] {
            assert_eq!(words(name, setting), wanted, "{name}: {setting}");
        }
    };
    let children = ["CAP_SETUID", "CAP_SETGID", "CAP_KILL"];
    let pulse = ["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_NET_BIND_SERVICE"];
    all("pulse.service", &[&pulse[..], &children].concat());
    let lvsd = ["CAP_NET_ADMIN", "CAP_NET_RAW"];
    all("lvsd.service", &[&lvsd[..], &children].concat());
    for name in UNITS {
        let families = words(name, "RestrictAddressFamilies");
        let wanted = ["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"];
        assert_eq!(families, wanted, "{name}: packet sockets are for checks of data paths");
        assert_eq!(words(name, "RuntimeDirectory"), ["caribe"], "{name}");
        assert_eq!(words(name, "StateDirectory"), ["caribe"], "{name}");
        assert_eq!(words(name, "User"), ["caribe"], "{name}");
    }
}

#[test]
fn a_real_server_is_set_up_at_each_start_and_put_back() {
    let name = "caribe-realserver.service";
    for verb in ["ExecStart", "ExecReload"] {
        assert_eq!(words(name, verb), ["/usr/sbin/lvsctl", "realserver", "up", "$ADDRESSES"]);
    }
    assert_eq!(words(name, "ExecStop"), ["/usr/sbin/lvsctl", "realserver", "down"]);
    assert_eq!(words(name, "CapabilityBoundingSet"), ["CAP_NET_ADMIN"]);
    assert_eq!(words(name, "RuntimeDirectoryPreserve"), ["yes"], "what was there before is kept");
    assert_eq!(words(name, "RemainAfterExit"), ["yes"]);
    assert!(!text(name).contains("ConditionPath"), "addresses may be named without a file");
    assert_eq!(words(name, "WantedBy"), ["multi-user.target"]);
}

#[test]
fn the_death_of_one_daemon_stops_no_other() {
    for name in UNITS {
        assert_eq!(words(name, "Restart"), ["always"], "{name}");
        assert_eq!(words(name, "StartLimitIntervalSec"), ["0"], "{name} may try for ever");
        assert_eq!(words(name, "WatchdogSec"), ["30s"], "{name} may not hang");
        assert_eq!(words(name, "TimeoutAbortSec"), ["5s"], "{name} may not stand still either");
        assert_eq!(words(name, "KillMode"), ["process"], "children of {name} end in order");
        assert_eq!(words(name, "OOMPolicy"), ["continue"], "{name}");
    }
}

#[test]
fn every_user_that_a_unit_names_is_made_by_sysusers() {
    let users = std::fs::read_to_string(unit("../sysusers.d/caribe.conf")).unwrap();
    let made: Vec<&str> = users
        .lines()
        .filter_map(|line| line.strip_prefix("u ")?.split_whitespace().next())
        .collect();
    assert_eq!(made, ["caribe", "caribe-nanny", "caribe-script", "caribe-fence"]);
}
