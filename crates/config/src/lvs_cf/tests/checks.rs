//! Which check a virtual server gets.

use super::*;

#[test]
fn checks_are_asked_in_nannys_words() {
    let kind = |lines: &[&str]| web(lines).check.kind;
    let tcp = |send: Option<&[u8]>, expect| CheckKind::SendExpect {
        udp: false,
        send: send.map(<[u8]>::to_vec),
        expect,
    };
    assert_eq!(
        kind(&["send = \"a\\tb\\\\\\'\\x\"", "expect = \"*\""]),
        tcp(Some(b"a\tb\\'\\x"), Some(Expect::Anything))
    );
    assert_eq!(
        kind(&["expect = \"220\"", "port = 25"]),
        tcp(None, Some(Expect::Prefix(b"220".to_vec())))
    );
    let regex = kind(&["expect = \"^2[0-9]+\"", "use_regex = 1"]);
    assert_eq!(regex, tcp(None, Some(Expect::Regex("^2[0-9]+".into()))));
    refused(&[], &["expect = \"(\"", "use_regex = 1"], "the regular expression cannot be used");
    refused(&[], &["expect = \"x"], "a closing quote is missing");
    refused(&[], &["send = GET /"], "text with blanks stands between quotes: `send = \"GET /\"`");
    assert_eq!(warned(&["send = 'x'"], "the single quotes are not sent").name, "web");
}

#[test]
fn a_program_is_run_without_a_shell_and_must_print_what_is_expected() {
    let kind = web(&["send_program = \"/bin/check %h %p\"", "expect = \"O.K\""]).check.kind;
    let argv = ["/bin/check", "%h", "%p"].map(String::from).to_vec();
    assert_eq!(
        kind,
        CheckKind::External {
            argv,
            expect: Some(Expect::Regex("^O\\.K\\s*$".into())),
            sets_weight: false
        }
    );
    let regex = ["send_program = \"/bin/check\"", "expect = \"O.K\"", "use_regex = 1"];
    let CheckKind::External { expect, .. } = warned(&regex, "`use_regex` counts only").check.kind
    else {
        panic!("no program")
    };
    assert_eq!(expect, Some(Expect::Regex("^O\\.K\\s*$".into())));
    let both = ["send_program = \"/bin/check\"", "send = \"x\""];
    assert!(matches!(
        warned(&both, "`send` counts only without").check.kind,
        CheckKind::External { .. }
    ));
}

#[test]
fn udp_without_an_answer_is_not_believed() {
    let nothing = warned(&["protocol = udp", "port = 53"], "how a UDP service is checked");
    assert_eq!(nothing.check.kind, CheckKind::Ping);
    let send = warned(&["protocol = udp", "send = \"x\""], "says nothing unless it answers");
    assert_eq!(
        send.check.kind,
        CheckKind::SendExpect {
            udp: true,
            send: Some(b"x".to_vec()),
            expect: Some(Expect::Anything)
        }
    );
}

#[test]
fn servers_that_return_start_slowly_where_one_is_heavy() {
    let server = |name: &str, weight: &str| {
        format!("server {name} {{\naddress = 10.0.1.4\nactive = 1\n{weight}}}\n")
    };
    let of = |weights: [&str; 2]| {
        let [one, other] = weights;
        let lines = [server("one", one), server("two", other).replace("1.4", "1.5")];
        web(&[&lines.concat()]).slow_start
    };
    assert_eq!(of(["", "weight = 1\n"]), None);
    assert_eq!(of(["weight = 1\n", "weight = 20\n"]), Some(seconds(100)));
}

#[test]
fn a_reentry_of_0_is_nannys_own() {
    let service = warned(&["reentry = 0"], "`reentry = 0` is 180 seconds");
    assert_eq!(service.check.reentry, seconds(180));
    assert_eq!(web(&["reentry = 1"]).check.reentry, seconds(1));
}

#[test]
fn a_weight_of_0_is_1_as_nanny_has_it() {
    let server = "server one {\naddress = 10.0.1.4\nactive = 1\nweight = 0\n}";
    assert_eq!(warned(&[server], "the weight 0 is taken for 1").servers[0].weight, 1);
    let off = server.replace("active = 1", "active = 0");
    assert!(web(&[&off]).servers.is_empty());
}
