//! The lines of one virtual server, read one by one.

use std::net::SocketAddr;
use std::ops::Range;

use ipvs::{Family, Protocol, Scheduler, SchedulerFlags};

use super::checks::{CheckType, Rhythm, SERVICES, Text};
use super::known;
use super::lexer::Directive;
use super::notices::Notices;
use super::server::{self, Fallback, Reals, target_port};
use super::values::{Report, digits, first_word, unquoted};
use crate::diagnostic::nearest;
use crate::foreign::flags;
use crate::foreign::host::{help, host};
use crate::foreign::mask::prefix_length;
use crate::foreign::report::Reporter;
use crate::model::Host;

/// What a `virtual=` line names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Address { address: SocketAddr, default_protocol: Protocol },
    Mark(u32),
}

/// What may be set for the whole file and for one virtual server.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    pub(super) rhythm: Rhythm,
    pub(super) quiescent: Option<bool>,
    pub(super) put_back: Option<bool>,
    pub(super) cleanstop: Option<bool>,
    pub(super) fallback: Option<Fallback>,
    pub(super) fallback6: Option<Fallback>,
    pub(super) notices: Notices,
}

/// What one virtual server sets, before it is put together.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw {
    pub(super) shared: Shared,
    pub(super) reals: Vec<Reals>,
    pub(super) kind: CheckType,
    pub(super) service: Option<(&'static str, Range<usize>)>,
    pub(super) command: Option<Text>,
    pub(super) login: Option<Text>,
    pub(super) password: Option<Text>,
    pub(super) database: Option<Text>,
    pub(super) secret: Option<Text>,
    pub(super) check_port: Option<u16>,
    pub(super) request: Option<Text>,
    pub(super) receive: Option<Text>,
    pub(super) head: bool,
    pub(super) host: Option<String>,
    pub(super) scheduler: Option<Scheduler>,
    pub(super) flags: SchedulerFlags,
    pub(super) persistent: Option<u32>,
    pub(super) netmask: Option<u8>,
    pub(super) protocol: Option<(Protocol, Range<usize>)>,
    /// The line that says `protocol = fwm`.
    pub(super) mark_wanted: Option<Range<usize>>,
    pub(super) one_packet: bool,
    pub(super) name: Option<String>,
    /// The line that remarks something for readers of mails.
    pub(super) comment: Option<Range<usize>>,
}

/// Reads what may stand at the margin and below a virtual server.
pub(super) fn shared(report: &mut Report<'_>, directive: &Directive, shared: &mut Shared) {
    let rhythm = &mut shared.rhythm;
    match directive.name.text.as_str() {
        "checktimeout" => {
            rhythm.check_timeout = report.number(directive, 1).or(rhythm.check_timeout)
        }
        "negotiatetimeout" => {
            rhythm.negotiate_timeout = report.number(directive, 1).or(rhythm.negotiate_timeout);
        }
        "checkinterval" => rhythm.interval = report.number(directive, 1).or(rhythm.interval),
        "failurecount" => rhythm.failures = report.number(directive, 1).or(rhythm.failures),
        "checkcount" => {
            rhythm.pings = report.number(directive, 1).or(rhythm.pings);
            let count = rhythm.pings.unwrap_or(3);
            let help = format!(
                "{count} pings in a row have to fail; for all other checks write `failurecount = {count}`"
            );
            report.once(
                "checkcount",
                &directive.name.span,
                "`checkcount` counts pings only",
                &help,
            );
        }
        "quiescent" => shared.quiescent = report.yes_no(directive).or(shared.quiescent),
        "cleanstop" => shared.cleanstop = report.yes_no(directive).or(shared.cleanstop),
        "fallback" => {
            let read = server::fallback(report, directive, Family::Inet);
            shared.fallback = read.or(shared.fallback.take());
        }
        "fallback6" => {
            let read = server::fallback(report, directive, Family::Inet6);
            shared.fallback6 = read.or(shared.fallback6.take());
        }
        _ => drop(shared.notices.read(report, directive)),
    }
}

/// Reads a `virtual=` line.
pub(super) fn target(report: &mut Report<'_>, head: &Directive, family: Family) -> Option<Target> {
    let words = head.value.split(|_| false);
    let Some(value) = words.first() else {
        let help =
            format!("write `{} = ADDRESS:PORT`, or the number of a firewall mark", head.name.text);
        report.error(&head.name.span, "the virtual server has no address", help);
        return None;
    };
    if let Some(extra) = words.get(1) {
        report.warning(&extra.span, format!("`{}` says nothing", extra.text), "remove it");
    }
    if value.text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match value.text.parse::<u32>() {
            Ok(mark) if mark > 0 => Some(Target::Mark(mark)),
            _ => {
                let help = "firewall marks go from 1 to 4294967295";
                report.error(&value.span, format!("`{}` is no firewall mark", value.text), help);
                None
            }
        };
    }
    let (name, port) = target_port(report, value)?;
    let inner = name.text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match host(inner.unwrap_or(&name.text)) {
        Some(Host::Address(address)) => address,
        Some(Host::Name(_)) => report.looked_up(&name, family)?,
        None => {
            report.error(&name.span, format!("`{}` is no address", name.text), help(&name.text));
            return None;
        }
    };
    if Family::of(address) != family {
        let (is, right) = match family {
            Family::Inet => ("IPv6", "virtual6"),
            Family::Inet6 => ("IPv4", "virtual"),
        };
        let help = format!("write `{right} = {}`", value.text);
        report.error(&value.span, format!("`{}` is {is}", name.text), help);
        return None;
    }
    let Some(port) = port.filter(|port| *port > 0) else {
        let help = format!(
            "write `{} = {}:80`, with the port that clients ask; a number alone would be a firewall mark",
            head.name.text, name.text
        );
        report.error(&value.span, "the virtual server has no port", help);
        return None;
    };
    let default_protocol = if port == DOMAIN { Protocol::Udp } else { Protocol::Tcp };
    Some(Target::Address { address: SocketAddr::new(address, port), default_protocol })
}

/// The port that ldirectord takes for UDP.
const DOMAIN: u16 = 53;

impl Raw {
    /// Reads a line below `virtual=`.
    pub(super) fn read(&mut self, report: &mut Report<'_>, directive: &Directive, family: Family) {
        let span = &directive.value.span;
        let text = |text: String| Text { text, span: span.clone() };
        match directive.name.text.as_str() {
            name @ ("real" | "real6") => {
                let right = if family == Family::Inet6 { "real6" } else { "real" };
                if name != right {
                    let message = format!("`{name}` does not go with this virtual server");
                    report.error(&directive.name.span, message, format!("write `{right}`"));
                    return;
                }
                self.reals.extend(server::real(report, directive, family));
            }
            "service" => self.read_service(report, directive),
            "checktype" => self.read_checktype(report, directive),
            "checkcommand" => {
                self.command = Some(text(unquoted(&directive.value.text).to_string()))
            }
            "checkport" => self.check_port = self.read_checkport(report, directive),
            "request" => self.request = report.quoted(directive).map(text),
            "receive" => self.receive = report.quoted(directive).map(text),
            "login" => self.login = report.quoted(directive).map(text),
            "passwd" => self.password = report.quoted(directive).map(text),
            "database" => self.database = report.quoted(directive).map(text),
            "secret" => self.secret = report.quoted(directive).map(text),
            "httpmethod" => match directive.value.text.trim_matches('"').to_uppercase().as_str() {
                "GET" => self.head = false,
                "HEAD" => self.head = true,
                other => {
                    report.error(span, format!("`{other}` is no method here"), "write GET or HEAD");
                }
            },
            "virtualhost" => {
                let name = unquoted(&directive.value.text).trim();
                self.host = Some(name.to_string()).filter(|name| !name.is_empty());
            }
            "scheduler" => self.read_scheduler(report, directive),
            "schedflags" => self.read_flags(report, directive),
            "persistent" => self.persistent = report.number(directive, 0).or(self.persistent),
            "netmask" => self.read_netmask(report, directive, family),
            "protocol" => self.read_protocol(report, directive),
            "ops" => self.one_packet = report.yes_no(directive).unwrap_or(self.one_packet),
            "servicename" => self.name = Some(unquoted(&directive.value.text).to_string()),
            "comment" => self.comment = Some(directive.name.span.clone()),
            "load" => known::name_needless(report, directive),
            _ => shared(report, directive, &mut self.shared),
        }
    }

    /// ldirectord writes it into its mails, and nowhere else.
    pub(super) fn name_comment(&self, report: &mut Report<'_>, is_mailed: bool) {
        let Some(span) = &self.comment else { return };
        if is_mailed {
            let help = "mails say `servicename`: put what matters there; and `#` before a remark for who reads the file";
            report.warning(span, "`comment` is not carried into mails", help);
        } else {
            let why = "it stands in mails alone, and none is sent about this virtual server";
            report.not_needed("comment", span, why);
        }
    }

    fn read_service(&mut self, report: &mut Report<'_>, directive: &Directive) {
        let names: Vec<&'static str> = SERVICES.iter().map(|(name, _)| *name).collect();
        if let Some(found) = report.choice(&directive.value, "service of ldirectord", &names) {
            let known = names.iter().find(|name| **name == found);
            self.service = known.map(|name| (*name, directive.value.span.clone()));
        }
    }

    fn read_checktype(&mut self, report: &mut Report<'_>, directive: &Directive) {
        let value = &directive.value;
        // ldirectord takes any digits, wherever they are, for its mixed mode.
        if digits(&value.text).is_some() {
            self.shared.rhythm.connects = report.number(directive, 1);
            self.kind = CheckType::Negotiate;
            return;
        }
        const TYPES: [&str; 7] =
            ["connect", "negotiate", "ping", "off", "on", "external", "external-perl"];
        self.kind = match report.choice(value, "kind of check", &TYPES) {
            Some("connect") => CheckType::Connect,
            Some("ping") => CheckType::Ping,
            Some("off") => CheckType::Off,
            Some("on") => CheckType::On,
            Some("external") => CheckType::External,
            Some("external-perl") => {
                let help = "it has to be executable and to name its interpreter in its first line";
                report.warning(&value.span, "the Perl file is run as a program of its own", help);
                CheckType::External
            }
            _ => CheckType::Negotiate,
        };
    }

    fn read_checkport(&self, report: &mut Report<'_>, directive: &Directive) -> Option<u16> {
        let number = report.number(directive, 1)?;
        let port = u16::try_from(number).ok();
        if port.is_none() {
            let message = format!("`{number}` is no port");
            report.error(&directive.value.span, message, "ports go from 1 to 65535");
        }
        port
    }

    fn read_scheduler(&mut self, report: &mut Report<'_>, directive: &Directive) {
        let value = &directive.value;
        let name = first_word(&value.text);
        let plain = value.text.trim_matches('"');
        let near = nearest(plain, Scheduler::KNOWN);
        match name.parse::<Scheduler>() {
            Ok(scheduler) if Scheduler::KNOWN.contains(&name) => self.scheduler = Some(scheduler),
            Ok(scheduler) if near.is_none() && name == plain => {
                let help = format!("taken as it is: the kernel needs the module ip_vs_{name}");
                report.warning(&value.span, format!("`{name}` is no scheduler that we know"), help);
                self.scheduler = Some(scheduler);
            }
            _ => {
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("one of {}", Scheduler::KNOWN.join(", ")),
                };
                report.error(&value.span, format!("`{plain}` is no scheduler"), help);
            }
        }
    }

    fn read_flags(&mut self, report: &mut Report<'_>, directive: &Directive) {
        for flag in directive.value.split(|c| c == ',' || c == '"') {
            if flags::set(&mut self.flags, &flag.text) {
                continue;
            }
            let help = match nearest(&flag.text, flags::KNOWN) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one of {}", flags::KNOWN.join(", ")),
            };
            let message = format!("`{}` is no flag of a scheduler", flag.text);
            report.error(&flag.span, message, help);
        }
    }

    fn read_netmask(&mut self, report: &mut Report<'_>, directive: &Directive, family: Family) {
        let value = &directive.value;
        let (bits, example) = match family {
            Family::Inet => (32, "255.255.255.0"),
            Family::Inet6 => (128, "64"),
        };
        match prefix_length(&value.text, bits) {
            Ok(length) if length > 0 => self.netmask = Some(length),
            Ok(_) => {
                let help = format!("leave it out, or write `netmask = {example}`");
                report.error(&value.span, "this netmask makes all clients one", help);
            }
            Err(bad) => {
                let help = format!("write `netmask = {example}`");
                report.error(&value.span, bad.message(&value.text), help);
            }
        }
    }

    fn read_protocol(&mut self, report: &mut Report<'_>, directive: &Directive) {
        let span = directive.value.span.clone();
        match report.choice(&directive.value, "protocol", &["tcp", "udp", "fwm"]) {
            Some("tcp") => self.protocol = Some((Protocol::Tcp, span)),
            Some("udp") => self.protocol = Some((Protocol::Udp, span)),
            Some(_) => self.mark_wanted = Some(span),
            None => {}
        }
    }
}
