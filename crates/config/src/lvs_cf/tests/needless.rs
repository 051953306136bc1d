//! Keys that nothing is lost without.

use super::*;

/// The notes about a file.
fn notes(text: &str) -> Vec<String> {
    let loaded = crate::load(std::path::Path::new("lvs.cf"), false, &|_| Ok(text.into()));
    assert!(loaded.cluster.is_some(), "{:#?}", loaded.diagnostics);
    loaded.notes.iter().map(crate::Diagnostic::one_line).collect()
}

#[test]
fn each_key_that_is_not_needed_is_told_with_its_reason() {
    let keys = [
        ("serial_no", "12"),
        ("heartbeat", "1"),
        ("debug_level", "NONE"),
        ("hard_shutdown", "0"),
        ("ipvsadm", "/sbin/ipvsadm"),
        ("sync", "0"),
        ("primary_shared", "/dev/sda1"),
        ("backup_shared", "/dev/sda1"),
        ("reservation_conflict_action", "preempt"),
    ];
    let globals = keys.map(|(key, value)| format!("{key} = {value}"));
    let own = ["master", "dirs", "start_cmd", "stop_cmd"];
    let own_lines = own.map(|key| format!("{key} = x"));
    let lines = |lines: &[String]| lines.join("\n");
    let text = file(&[&lines(&globals)], &[&lines(&own_lines)]);
    let told = notes(&text);
    let all: Vec<&str> = keys.iter().map(|(key, _)| *key).chain(own).collect();
    assert_eq!(told.len(), all.len(), "{told:#?}");
    for (note, key) in told.iter().zip(all) {
        assert!(note.contains(&format!("note: `{key}` is not needed here (")), "{key}: {note}");
    }
}

#[test]
fn what_piranha_refuses_is_refused_although_it_is_not_needed() {
    refused(&["hard_shutdown = 2"], &[], "`2` is neither 0 nor 1");
    refused(&["sync = yes"], &[], "`yes` is neither 0 nor 1 (write `sync = 1`)");
    refused(&["heartbeat = maybe"], &[], "`maybe` is neither 0 nor 1");
    refused(&["serial_no = last"], &[], "`last` is no number for `serial_no`");
    refused(&["monitor_links = on"], &[], "`on` is no number for `monitor_links`");
    refused(&["reservation_conflict_action = fight"], &[], "one of nothing, preempt");
}

#[test]
fn a_disk_that_failover_services_share_is_a_warning_where_they_are_used() {
    let text = format!(
        "{PAIR}service = fos\nprimary_shared = /dev/sda1\n\
         failover web {{\nactive = 1\naddress = 192.168.1.1 eth0:1\nstart_cmd = \"/x start\"\n}}\n"
    );
    let (cluster, problems) = read(&text);
    assert!(cluster.is_some() && problems.len() == 1, "{problems:#?}");
    assert!(
        problems[0].contains("5:1: warning: `primary_shared` has no effect here"),
        "{problems:#?}"
    );
}
