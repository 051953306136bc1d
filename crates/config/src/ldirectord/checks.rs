//! What ldirectord calls checktype and service, as our checks.

use std::ops::Range;
use std::time::Duration;

use ipvs::{Family, Protocol};

use super::values::Report;
use crate::foreign::path;
use crate::foreign::regex::{Dialect, expected};
use crate::foreign::report::Reporter;
use crate::model::{Check, CheckKind, Expect, HttpCheck, Tls};

/// Redirects that the library of ldirectord follows.
pub(super) const REDIRECTS: u8 = 7;

/// How a real server is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CheckType {
    Connect,
    #[default]
    Negotiate,
    Ping,
    Off,
    On,
    External,
}

/// Text with its place in the file.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// The text, without quotes.
    pub(super) text: String,
    /// The whole value.
    pub(super) span: Range<usize>,
}

/// Timeouts and counts that a virtual server sets, or the whole file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rhythm {
    pub(super) check_timeout: Option<u32>,
    pub(super) negotiate_timeout: Option<u32>,
    pub(super) interval: Option<u32>,
    pub(super) failures: Option<u32>,
    /// Pings of one check.
    pub(super) pings: Option<u32>,
    /// Connections between two checks that ask the service.
    pub(super) connects: Option<u32>,
}

/// Everything that decides how the real servers of one virtual server are checked.
#[derive(Clone, Debug)]
pub(super) struct Plan<'a> {
    pub(super) kind: CheckType,
    /// Name of the service, such as `http`.
    pub(super) service: &'a str,
    /// The line that the service comes from.
    pub(super) service_span: &'a Range<usize>,
    /// Transport protocol of the virtual server; none with a firewall mark.
    pub(super) protocol: Option<Protocol>,
    /// Family of the virtual server.
    pub(super) family: Family,
    pub(super) command: Option<&'a Text>,
    pub(super) login: Option<&'a Text>,
    pub(super) password: Option<&'a Text>,
    pub(super) database: Option<&'a Text>,
    pub(super) secret: Option<&'a Text>,
    /// Address and port of the virtual server, as an external check gets them.
    pub(super) virtual_server: (String, String),
    pub(super) method: &'a str,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<u16>,
    pub(super) own: Rhythm,
    pub(super) global: Rhythm,
}

/// The services of ldirectord and their usual ports (0: none).
pub(super) const SERVICES: [(&str, u16); 21] = [
    ("dns", 53),
    ("ftp", 21),
    ("http", 80),
    ("https", 443),
    ("http_proxy", 3128),
    ("imap", 143),
    ("imaps", 993),
    ("ldap", 389),
    ("ldaps", 636),
    ("mysql", 3306),
    ("nntp", 119),
    ("none", 0),
    ("oracle", 1521),
    ("pgsql", 5432),
    ("pop", 110),
    ("pops", 995),
    ("radius", 1812),
    ("simpletcp", 0),
    ("sip", 5060),
    ("smtp", 25),
    ("submission", 587),
];

/// The service that a virtual server on this port offers.
pub(super) fn service_of_port(port: u16) -> &'static str {
    let known = SERVICES.iter().find(|(_, usual)| *usual == port && port > 0);
    known.map_or("none", |(name, _)| *name)
}

/// The usual port of a service.
pub(super) fn port_of_service(service: &str) -> Option<u16> {
    SERVICES.iter().find(|(name, port)| *name == service && *port > 0).map(|(_, port)| *port)
}

impl Plan<'_> {
    /// The check with this request and this expected answer.
    pub(super) fn check(
        &self,
        report: &mut Report<'_>,
        request: Option<&Text>,
        receive: Option<&Text>,
    ) -> Check {
        let kind = match self.kind {
            CheckType::On => CheckKind::On,
            CheckType::Off => CheckKind::Off,
            CheckType::Ping => CheckKind::Ping,
            CheckType::Connect => self.connect(),
            CheckType::External => self.external(report),
            CheckType::Negotiate => self.negotiate(report, request, receive),
        };
        Check {
            kind,
            port: self.port,
            interval: seconds(self.own.interval.or(self.global.interval).unwrap_or(10)),
            timeout: seconds(self.timeout()),
            fall: self.fall(),
            // ldirectord takes a server back after one success.
            rise: 1,
            reentry: Duration::ZERO,
            retry: None,
            connects: self.connects(),
        }
    }

    /// Failures in a row that take a server out: of a check by ping each ping counts.
    fn fall(&self) -> u32 {
        let failures = self.own.failures.or(self.global.failures).unwrap_or(1);
        let pings = self.own.pings.or(self.global.pings).filter(|_| self.kind == CheckType::Ping);
        failures.saturating_mul(pings.unwrap_or(1))
    }

    /// Only TCP has connections to open instead of asking.
    fn connects(&self) -> u32 {
        let turns = self.kind == CheckType::Negotiate && self.protocol != Some(Protocol::Udp);
        self.own.connects.filter(|_| turns).unwrap_or(0)
    }

    /// The order in which ldirectord looks for a timeout, which depends on the kind of check.
    fn timeout(&self) -> u32 {
        let (own, global) = (self.own, self.global);
        if self.kind == CheckType::Negotiate {
            let own = own.negotiate_timeout.or(own.check_timeout);
            own.or(global.negotiate_timeout).or(global.check_timeout).unwrap_or(30)
        } else {
            let own = own.check_timeout.or(own.negotiate_timeout);
            own.or(global.check_timeout).or(global.negotiate_timeout).unwrap_or(5)
        }
    }

    /// Nothing answers to the opening of a UDP port, so ldirectord pings instead.
    pub(super) fn connect(&self) -> CheckKind {
        if self.protocol == Some(Protocol::Udp) { CheckKind::Ping } else { CheckKind::Connect }
    }

    fn external(&self, report: &mut Report<'_>) -> CheckKind {
        let program = self.command.map_or("/bin/true", |command| command.text.as_str());
        let mut argv: Vec<String> = program.split_whitespace().map(str::to_string).collect();
        if let Some(command) = self.command.filter(|_| argv.len() > 1) {
            let message = "`checkcommand` holds a program and arguments";
            let help = "the words are given as arguments before the four addresses and ports; ldirectord itself would look for a program of that whole name";
            report.warning(&command.span, message, help);
        }
        let (address, port) = self.virtual_server.clone();
        // ldirectord keeps the brackets of IPv6 wherever it shows an address.
        let server = if self.family == Family::Inet6 { "[%h]" } else { "%h" };
        argv.extend([address, port, server.to_string(), "%p".to_string()]);
        CheckKind::External { argv, expect: None, sets_weight: false }
    }

    fn negotiate(
        &self,
        report: &mut Report<'_>,
        request: Option<&Text>,
        receive: Option<&Text>,
    ) -> CheckKind {
        let of_lines = self.service == "simpletcp";
        let dialect = if of_lines { Dialect::PerlLine } else { Dialect::Perl };
        let expect =
            receive.and_then(|receive| expected(report, &receive.text, dialect, &receive.span));
        let text = request.map(|request| request.text.as_str());
        match self.service {
            "none" if self.connects() > 0 => CheckKind::Connect,
            "none" => CheckKind::On,
            "http" => self.http(text, expect, None),
            "https" => {
                let tls = self.no_verify(report);
                self.http(text, expect, Some(tls))
            }
            "http_proxy" => self.proxy(report, request, expect),
            "simpletcp" => CheckKind::SendExpect {
                udp: self.protocol == Some(Protocol::Udp),
                send: text.map(|text| {
                    let text = text.strip_prefix('/').unwrap_or(text);
                    text.replace("\\n", "\n").into_bytes()
                }),
                expect,
            },
            _ => self.service(report, request, receive, expect),
        }
    }

    fn http(&self, request: Option<&str>, expect: Option<Expect>, tls: Option<Tls>) -> CheckKind {
        let request = request.unwrap_or("/");
        let absolute = ["/http://", "/https://", "http://", "https://"]
            .iter()
            .find_map(|scheme| request.strip_prefix(scheme));
        let (named, path) = match absolute {
            Some(rest) => match rest.find('/') {
                Some(slash) => rest.split_at(slash),
                None => (rest, "/"),
            },
            None => ("", request),
        };
        let path = if path.starts_with('/') { path.to_string() } else { format!("/{path}") };
        let named = Some(named).filter(|name| !name.is_empty());
        CheckKind::Http(HttpCheck {
            tls,
            method: self.method.to_string(),
            path: path::encoded(&path),
            host: self.host.or(named).map(str::to_string),
            status: Vec::new(),
            follow_redirects: REDIRECTS,
            expect,
            digest: None,
        })
    }
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(u64::from(number))
}
