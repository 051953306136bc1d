//! Which check a virtual server gets.

use super::*;
use crate::model::{Login, LoginCheck, LoginService, Secret};

#[test]
fn the_kinds_of_checks() {
    let kind = |lines: &[&str]| web(lines).check.kind;
    assert_eq!(kind(&["checktype=connect"]), CheckKind::Connect);
    assert_eq!(kind(&["checktype=\"connect\""]), CheckKind::Connect);
    assert_eq!(kind(&["checktype=ping"]), CheckKind::Ping);
    assert_eq!(kind(&["checktype=on"]), CheckKind::On);
    assert_eq!(kind(&["checktype=off"]), CheckKind::Off);
    assert_eq!(service("1.1.1.1:53", &["checktype=connect"]).check.kind, CheckKind::Ping);
    let argv = ["/bin/check", "192.168.1.1", "80", "%h", "%p"].map(String::from).to_vec();
    let external = kind(&["checktype=external", "checkcommand=/bin/check"]);
    assert_eq!(external, CheckKind::External { argv, expect: None, sets_weight: false });
    assert!(problem("1.1.1.1:80", &["checktype=CONNECT"]).contains("did you mean `connect`?"));
    let simple = kind(&["service=simpletcp", "request=\"/hello\\n\"", "receive=\"^ok\""]);
    let expect = Some(Expect::Regex("(?m)^ok".into()));
    assert_eq!(
        simple,
        CheckKind::SendExpect { udp: false, send: Some(b"hello\n".to_vec()), expect }
    );
}

#[test]
fn a_service_without_a_check_of_ours_is_named_and_still_watched() {
    let (cluster, problems) = read(&file("1.1.1.1:1521", &["service=oracle", "login=\"x\""]));
    assert_eq!(cluster.unwrap().services[0].check.kind, CheckKind::Connect);
    assert!(problems[0].starts_with("l.cf:2:10: warning: the protocol of oracle is closed"));
    assert!(problems[1].starts_with("l.cf:3:8: warning: no login is tried with oracle"));
}

#[test]
fn https_is_not_verified_and_says_so() {
    let (cluster, problems) = read(&file("1.1.1.1:443", &["virtualhost=www.example.com"]));
    let check = http(&cluster.unwrap().services[0].check).clone();
    assert!(!check.tls.unwrap().verify);
    assert_eq!(check.host.as_deref(), Some("www.example.com"));
    assert!(problems[0].contains("certificates are not verified"));
}

#[test]
fn a_mailbox_is_logged_in_at() {
    let lines = ["login=\"anna\"", "passwd=\"ge heim\""];
    for (port, service) in [(110, LoginService::Pop), (143, LoginService::Imap)] {
        let CheckKind::Login(check) = self::service(&format!("1.1.1.1:{port}"), &lines).check.kind
        else {
            panic!("no login")
        };
        let login = Login { name: "anna".into(), password: Secret::inline("ge heim") };
        assert_eq!(*check, LoginCheck { login: Some(login), tls: None, service });
    }
    let (cluster, problems) = read(&file("1.1.1.1:993", &lines));
    let CheckKind::Login(check) = &cluster.unwrap().services[0].check.kind else { panic!() };
    assert!(!check.tls.as_ref().unwrap().verify);
    assert!(problems[0].contains("certificates are not verified"), "{problems:?}");
}

#[test]
fn what_no_path_may_hold_is_percent_encoded_as_ldirectord_does() {
    let path = |lines: &[&str]| http(&web(lines).check).path.clone();
    assert_eq!(path(&["request=\"/my page.html \""]), "/my%20page.html");
    assert_eq!(path(&["request=\"/a<b>|{c}^\\`\""]), "/a%3Cb%3E%7C%7Bc%7D%5E%5C%60");
    assert_eq!(path(&["request=\"/\tcafé\""]), "/%09caf%C3%A9");
    let plain = "/a%20b;c/?d=e&f=[1]~+,:@!$'()*-._";
    assert_eq!(path(&[&format!("request=\"{plain}\"")]), plain);
    let proxy = ["service=http_proxy", "request=\"http://www.example.com/my page\""];
    assert_eq!(path(&proxy), "http://www.example.com/my%20page");
}
