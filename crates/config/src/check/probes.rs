//! Rules over checks.

use super::Rules;
use super::services::every_port_known;
use crate::model::{Check, CheckKind, Expect, LoginCheck, LoginService, VirtualServer};
use crate::places::Part;

pub(super) fn check(service: &VirtualServer, index: usize, rules: &mut Rules<'_>) {
    let shared = service.servers.iter().any(|server| server.check.is_none());
    let of_all = || std::iter::once(&service.check).chain(&service.also);
    of_all().for_each(|check| probe(check, Part::Check(index), rules));
    if shared && of_all().any(wants_port) && !every_port_known(service) {
        let mut blind = service.servers.iter().enumerate();
        let blind = blind.find(|(_, s)| s.check.is_none() && s.port.is_none());
        if let Some((number, _)) = blind {
            no_port(Part::Server(index, number), rules);
        }
    }
    for (number, server) in service.servers.iter().enumerate() {
        if server.check.is_none() {
            continue;
        }
        let part = Part::ServerCheck(index, number);
        service.checks_of(server).for_each(|check| probe(check, part, rules));
        if service.checks_of(server).any(wants_port)
            && server.port.is_none()
            && !every_port_known(service)
        {
            no_port(part, rules);
        }
    }
}

fn no_port(part: Part, rules: &mut Rules<'_>) {
    let message = "the check has no port to ask";
    rules.error(part, message, "write the real server's port, or add `port` to the check");
}

fn wants_port(check: &Check) -> bool {
    let asks = match &check.kind {
        CheckKind::Connect
        | CheckKind::SendExpect { .. }
        | CheckKind::Http(_)
        | CheckKind::Dialogue(_)
        | CheckKind::Dns(_)
        | CheckKind::Login(_) => true,
        CheckKind::On
        | CheckKind::Off
        | CheckKind::Ping
        | CheckKind::DataPath { .. }
        | CheckKind::External { .. } => false,
    };
    asks && check.port.is_none()
}

fn probe(check: &Check, part: Part, rules: &mut Rules<'_>) {
    if check.interval.is_zero() || check.timeout.is_zero() {
        rules.error(part, "a check needs an interval and a timeout above 0", "write 5s and 3s");
    }
    if check.fall == 0 || check.rise == 0 {
        rules.error(part, "fall and rise are 1 or more", "write fall: 3 and rise: 2");
    }
    if check.timeout > check.interval && rules.native {
        let text = crate::native::scalar::render_duration;
        let message = format!(
            "timeout {} is longer than the interval {}",
            text(check.timeout),
            text(check.interval)
        );
        rules.warning(part, message, "a slow server is then checked later than planned");
    }
    if check.retry.is_some_and(|retry| retry >= check.interval || check.fall == 1) && rules.native {
        let help = "retry is a time below the interval, and of use with fall: 2 or more";
        rules.warning(part, "retry changes nothing", help);
    }
    match &check.kind {
        CheckKind::Http(http) => {
            let named = http.host.is_some() || http.tls.as_ref().is_some_and(|t| t.name.is_some());
            if http.tls.as_ref().is_some_and(|tls| tls.verify) && !named {
                let message = "the certificate is checked against the real server's address";
                let help = "add `host: www.example.com`, the name that the certificate carries";
                rules.warning(part, message, help);
            }
            expect(http.expect.as_ref(), part, rules);
        }
        CheckKind::SendExpect { expect: wanted, .. } => expect(wanted.as_ref(), part, rules),
        CheckKind::Dialogue(dialogue) => {
            dialogue.steps.iter().for_each(|step| expect(step.expect.as_ref(), part, rules));
        }
        CheckKind::Login(login) => logged_in(login, part, rules),
        CheckKind::Dns(dns) => expect(dns.expect.as_ref(), part, rules),
        CheckKind::External { argv, expect: wanted, .. } => {
            if argv.is_empty() {
                rules.error(part, "the external check names no program", "write its full path");
            }
            expect(wanted.as_ref(), part, rules);
        }
        CheckKind::On
        | CheckKind::Off
        | CheckKind::Connect
        | CheckKind::DataPath { .. }
        | CheckKind::Ping => {}
    }
}

fn logged_in(check: &LoginCheck, part: Part, rules: &mut Rules<'_>) {
    let verified = check.tls.as_ref().is_some_and(|tls| tls.verify && tls.name.is_none());
    if verified {
        let message = "the certificate is checked against the real server's address";
        let help = "add `name: www.example.com`, the name that the certificate carries";
        rules.warning(part, message, help);
    }
    if let LoginService::Ftp { expect: wanted, .. } | LoginService::Ldap { expect: wanted, .. } =
        &check.service
    {
        expect(wanted.as_ref(), part, rules);
    }
}

fn expect(expect: Option<&Expect>, part: Part, rules: &mut Rules<'_>) {
    match expect {
        Some(Expect::Prefix(bytes) | Expect::Contains(bytes)) if bytes.is_empty() => {
            rules.warning(part, "every answer holds an empty text", "write `*` for any answer");
        }
        _ => {}
    }
}
