//! What is forgiven, and what is not.

use super::*;

#[test]
fn blanks_comments_carriage_returns_and_braces_are_forgiven() {
    let (cluster, problems) = read(&file(&["keepalive=1", "deadtime =3"], &[]));
    assert_eq!(cluster.unwrap().pair.unwrap().heartbeat.interval, seconds(1));
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(
        problems[0].contains("4:10: warning: blanks are missing around `=` (write `keepalive = 1`")
    );
    assert_eq!(warned(&["port = 81 # eighty-one"], "comment behind a value").check.port, None);
    let (cluster, problems) = read(&file(&[], &[]).replace('\n', "\r\n"));
    assert!(cluster.is_some());
    assert!(
        problems[0].contains("lvs.cf:1:22: warning: the lines end with a carriage return"),
        "{problems:#?}"
    );
    for text in [
        file(&[], &[]).replace("web {", "web{"),
        file(&[], &[]).replace("web {", "web\n{"),
        file(&[], &[]).trim_end().trim_end_matches('}').to_string(),
    ] {
        let (cluster, problems) = read(&text);
        assert_eq!((cluster.unwrap().services.len(), problems.len()), (1, 1), "{problems:#?}");
    }
}

#[test]
fn braces_that_do_not_fit_are_errors() {
    refused(&["}"], &[], "this `}` closes nothing");
    refused(&["{"], &[], "this `{` opens nothing");
    refused(&["server a {", "}"], &[], "a real server stands alone");
    refused(&["virtual x { port = 80 }"], &[], "`{` does not belong here");
    let (_, problems) = read("virtual a {\nactive = 0\nvirtual b {\nactive = 0\n}\n");
    assert!(
        problems.iter().any(|p| p.contains("1:1: error: virtual a is not closed")),
        "{problems:#?}"
    );
}

#[test]
fn numbers_are_read_as_c_reads_them() {
    assert_eq!(warned(&["reentry = 0x10"], "`0x10` is 16").check.reentry, seconds(16));
    assert_eq!(warned(&["reentry = 010"], "`010` is 8").check.reentry, seconds(8));
    refused(&[], &["reentry = 7s"], "write `reentry = 7`: times are whole seconds");
    refused(&[], &["reentry = -3"], "write 0 or more");
    refused(&[], &["reentry = \"\""], "is no number");
    refused(&[], &["timeout = 0"], "`timeout` cannot be 0");
    refused(&[], &["port = 70000"], "`70000` is no port");
    assert_eq!(web(&["port = http"]).check.port, None);
}

#[test]
fn words_and_switches_are_exact_but_capitals_are_forgiven() {
    refused(&["hard_shutdown = 1", "syncdaemon = 2"], &[], "`2` is neither 0 nor 1");
    refused(&["network = natt"], &[], "did you mean `nat`?");
    let (_, problems) = read(&file(&["service = fos"], &[]));
    assert!(problems.iter().any(|problem| problem.contains("no failover service is on")));
    assert!(matches!(
        warned(&["protocol = TCP"], "`TCP` is taken for `tcp`").listen,
        Listen::Addresses(_)
    ));
    refused(&[], &["scheduler = wlcc"], "did you mean `wlc`?");
    assert_eq!(web(&["scheduler = sed"]).scheduler.name(), "sed");
}

#[test]
fn unknown_keys_are_errors_with_the_nearest_known_one() {
    refused(&["PRIMARY = 1"], &[], "did you mean `primary`?");
    refused(&["debug = 1"], &[], "write `debug_level`");
    refused(&[], &["expect_program = \"x\""], "write `send_program` and `expect`");
    refused(&[], &["quiesce = 1"], "did you mean `quiesce_server`?");
    refused(&[], &["deadtime = 6"], "`deadtime` is a key of the whole file");
    refused(&["schedular = rr"], &[], "`scheduler` is a key of a virtual server");
    refused(&["primary"], &[], "`=` is missing after `primary`");
    refused(&["backup_private ="], &[], "`backup_private` has no value");
}

#[test]
fn a_key_that_is_set_twice_counts_the_second_time() {
    let service = warned(&["port = 81", "port = 82"], "is set in line 7 already");
    let Listen::Addresses(endpoints) = &service.listen else { panic!() };
    assert_eq!(endpoints[0].address.port(), 82);
}

#[test]
fn a_value_that_is_not_utf_8_is_refused_and_a_comment_is_free() {
    let latin1 = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
    let (cluster, problems) = read_bytes(&latin1(&file(&[], &["# caf\u{e9}", "expect = \"x\" "])));
    assert!(cluster.is_some() && problems.is_empty(), "{problems:#?}");
    let (cluster, problems) = read_bytes(&latin1(&file(&[], &["expect = \"caf\u{e9}\""])));
    assert!(cluster.is_none());
    assert!(problems[0].starts_with("lvs.cf:7:14: error: this byte is not UTF-8"), "{problems:#?}");
    let CheckKind::SendExpect { expect, .. } = web(&["expect = \"caf\u{e9}\""]).check.kind else {
        panic!("nothing is expected")
    };
    assert_eq!(expect, Some(Expect::Prefix("café".into())));
}
