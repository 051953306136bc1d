use super::*;
use crate::native::tests::read;
use crate::{Loaded, render};

fn services(text: &str) -> Vec<VirtualServer> {
    let loaded = read(&format!("services:\n{text}"));
    assert_eq!(problems(&loaded), "");
    loaded.cluster.unwrap().services
}

fn problems(loaded: &Loaded) -> String {
    let errors = loaded.diagnostics.iter().filter(|one| one.severity == crate::Severity::Error);
    render(&errors.cloned().collect::<Vec<_>>(), false)
}

fn broken(text: &str) -> String {
    problems(&read(&format!("services:\n{text}")))
}

const FTP: &str = "  ftp: { listen: ['192.168.1.1:21', '192.168.1.1:20/tcp', '192.168.1.1:10000-10100'], mark: 21, servers: [192.168.1.4] }\n";

#[test]
fn several_ports_with_a_mark_are_one_service_and_the_first_port_is_checked() {
    let service = services(FTP).remove(0);
    let ports = |first, last| {
        let ip = [192, 168, 1, 1].into();
        Ports { ip, protocol: Protocol::Tcp, first, last }
    };
    let marked = vec![ports(21, 21), ports(20, 20), ports(10_000, 10_100)];
    assert_eq!(service.listen, Listen::Mark { mark: 21, family: Family::Inet, marked });
    assert_eq!(service.check.kind, crate::model::CheckKind::Connect);
}

#[test]
fn a_range_alone_has_a_mark_chosen_and_so_has_auto() {
    let text = "  ftp: { listen: ['[2001:db8::1]:20-21/tcp'], servers: ['2001:db8::4'] }\n  web: { listen: 192.168.1.1:80, mark: auto, servers: [192.168.1.4] }\n";
    let [ftp, web] = services(text).try_into().unwrap();
    let (Listen::Mark { mark: one, family, .. }, Listen::Mark { mark: two, .. }) =
        (ftp.listen, web.listen)
    else {
        panic!("no marks")
    };
    assert_eq!(family, Family::Inet6);
    assert_eq!((one, two), (chosen("ftp"), chosen("web")));
    assert_ne!(one, two);
}

#[test]
fn a_chosen_mark_stays_whatever_else_the_file_says_and_avoids_those_that_are_written() {
    let taken = chosen("web");
    let text = format!(
        "  a: {{ mark: {taken}, check: ping, servers: [192.168.1.4] }}\n  web: {{ listen: 192.168.1.1:80, mark: auto, servers: [192.168.1.4] }}\n"
    );
    let marks: Vec<_> = services(&text).into_iter().map(|service| service.listen).collect();
    let [Listen::Mark { mark: first, .. }, Listen::Mark { mark: second, .. }] = marks.as_slice()
    else {
        panic!("no marks")
    };
    assert_eq!(*first, taken);
    assert_eq!(*second, FIRST_CHOSEN | ((taken + 1) % CHOSEN));
}

#[test]
fn what_cannot_be_marked_is_told() {
    let cases = [
        "  a: { mark: auto, servers: [192.168.1.4] }\n",
        "  a: { listen: 192.168.1.1:80, mark: 0, servers: [192.168.1.4] }\n",
        "  a: { listen: '192.168.1.1:30-20', servers: [192.168.1.4] }\n",
        "  a: { listen: '192.168.1.1:20-x', servers: [192.168.1.4] }\n",
        "  a: { listen: '192.168.1.1:20-30', family: inet, servers: [192.168.1.4] }\n",
        "  a: { listen: ['192.168.1.1:20-30', '[2001:db8::1]:20'], servers: [192.168.1.4] }\n",
        "  a: { listen: '192.168.1.1:20-30', servers: [192.168.1.4] }\n  b: { listen: 192.168.1.1:25, servers: [192.168.1.5] }\n",
        "  a: { listen: 192.168.1.1:25, servers: [192.168.1.4] }\n  b: { listen: '192.168.1.1:20-30', servers: [192.168.1.5] }\n",
    ];
    let told: Vec<String> = cases.iter().map(|text| broken(text)).collect();
    assert!(told.iter().all(|text| !text.is_empty()), "{told:?}");
    insta::assert_snapshot!(told.join("\n"));
}
