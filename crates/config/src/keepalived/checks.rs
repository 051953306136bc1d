//! The checkers of a real server, as our checks.

mod http;
mod packet;

use std::net::IpAddr;
use std::time::Duration;

use super::known::{CHECK, is_read};
use super::report::Report;
use super::service::Rhythm;
use super::tree::Node;
use super::words::command;
use crate::model::{Check, CheckKind, Dialogue, Exchange, Expect};

/// Default of `delay_loop`.
const LOOP: Duration = Duration::from_secs(60);
/// Shortest time before another attempt.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
/// Default of `connect_timeout`.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A checker that could be carried.
#[derive(Clone, Debug)]
pub(super) struct Made {
    kind: CheckKind,
    port: Option<u16>,
    rhythm: Rhythm,
    /// Attempts beyond the first, when nobody says how many.
    retry: u32,
    /// Time before such an attempt, when nobody says it; none is `delay_loop`.
    pause: Option<Duration>,
    /// A limit that only programs have.
    limit: Option<Duration>,
}

impl Made {
    /// Whether it asks a port at all.
    pub(super) fn asks_port(&self) -> bool {
        !matches!(self.kind, CheckKind::On | CheckKind::Off | CheckKind::Ping)
            && !matches!(self.kind, CheckKind::External { .. })
    }

    /// Whether it says which port it asks.
    pub(super) fn has_port(&self) -> bool {
        self.port.is_some()
    }

    /// The check, for a server that packets reach at `port`; `outer` is the server's rhythm.
    pub(super) fn check(&self, port: Option<u16>, outer: &Rhythm) -> Check {
        let rhythm = self.rhythm.or(outer);
        let interval = rhythm.delay_loop.unwrap_or(LOOP);
        let mut kind = self.kind.clone();
        if let CheckKind::Http(http) = &mut kind {
            http.host = http.host.clone().or_else(|| rhythm.host.clone());
        }
        let is_program = matches!(kind, CheckKind::External { .. });
        let timeout = match self.limit {
            None if is_program => interval,
            None => rhythm.connect_timeout.unwrap_or(TIMEOUT),
            Some(limit) => limit,
        };
        let fall = rhythm.retry.unwrap_or(self.retry) + 1;
        let pause = rhythm.pause.or(self.pause).map(|pause| pause.max(SHORTEST_PAUSE));
        Check {
            kind,
            port: self.port.filter(|_| !is_program).filter(|own| Some(*own) != port),
            interval,
            timeout: timeout.min(Duration::from_secs(3600)),
            fall,
            // keepalived takes a server back after one success.
            rise: 1,
            reentry: Duration::ZERO,
            retry: pause.filter(|pause| fall > 1 && *pause < interval),
            connects: 0,
        }
    }
}

/// The check of a server that has none: it is always up.
pub(super) fn none() -> Check {
    Check {
        kind: CheckKind::On,
        port: None,
        interval: LOOP,
        timeout: TIMEOUT,
        fall: 1,
        rise: 1,
        reentry: Duration::ZERO,
        retry: None,
        connects: 0,
    }
}

/// Reads a checker: mostly one check, and one for each page of several. What is not carried is
/// noted.
pub(super) fn checks(report: &mut Report, node: &Node, server: IpAddr) -> Vec<Made> {
    let Some((made, kinds)) = read(report, node, server) else { return Vec::new() };
    kinds.into_iter().map(|kind| Made { kind, ..made.clone() }).collect()
}

/// What all checks of a checker share, and what each of them does.
fn read(report: &mut Report, node: &Node, server: IpAddr) -> Option<(Made, Vec<CheckKind>)> {
    let name = node.name.text.as_str();
    let instead = match name {
        "BFD_CHECK" => "no BFD is spoken; `connect` or `ping` find a dead server",
        "FILE_CHECK" => "`lvsctl weight SERVER N` changes a weight while all runs",
        _ => "",
    };
    if !instead.is_empty() {
        report.dropped(name, &node.name.at, instead);
        return None;
    }
    let mut made = Made {
        kind: CheckKind::Connect,
        port: None,
        rhythm: Rhythm::default(),
        retry: match name {
            "DNS_CHECK" => 3,
            "MISC_CHECK" => 0,
            _ => 1,
        },
        pause: match name {
            "HTTP_GET" | "SSL_GET" => Some(Duration::from_secs(3)),
            "DNS_CHECK" => None,
            _ => Some(Duration::from_secs(1)),
        },
        limit: None,
    };
    let mut own = Vec::new();
    for inner in &node.block {
        // SMTP_CHECK may hold its connection in a block of its own.
        let inside = if inner.name.text == "host" { inner.block.as_slice() } else { &[] };
        for inner in std::iter::once(inner).chain(inside) {
            if is_read(report, inner, &CHECK) && !made.common(report, inner, server) {
                own.push(inner);
            }
        }
    }
    let kinds = match name {
        "HTTP_GET" | "SSL_GET" => http::kinds(report, node, &own, name == "SSL_GET"),
        "SMTP_CHECK" => vec![mail(report, &own)],
        "DNS_CHECK" => vec![packet::dns(report, &own)?],
        "UDP_CHECK" => vec![packet::udp(report, &own)?],
        "MISC_CHECK" => vec![made.program(report, node, &own)?],
        "PING_CHECK" => vec![CheckKind::Ping],
        _ => vec![CheckKind::Connect],
    };
    if name == "PING_CHECK" {
        made.port = None;
    }
    foreign(report, &own, name);
    if name == "DNS_CHECK" && made.port.is_none() {
        made.port = Some(53);
    }
    Some((made, kinds))
}

impl Made {
    /// What all checkers share.
    fn common(&mut self, report: &mut Report, node: &Node, server: IpAddr) -> bool {
        match node.name.text.as_str() {
            "connect_port" => self.port = node.word(0).and_then(|word| report.port(word)),
            "connect_ip" => {
                let asked = report.value(node, "192.168.1.4").and_then(|word| report.address(word));
                if asked.is_some_and(|asked| asked != server) {
                    let instead = "a check asks the real server itself; `external` runs a program of yours that asks another host";
                    report.dropped("connect_ip", &node.name.at, instead);
                }
            }
            _ => return self.rhythm.read(report, node),
        }
        true
    }

    fn program(&mut self, report: &mut Report, node: &Node, own: &[&Node]) -> Option<CheckKind> {
        let (mut argv, mut sets_weight) = (Vec::new(), false);
        for inner in own {
            match inner.name.text.as_str() {
                "misc_path" => argv = words(inner),
                "misc_timeout" => self.limit = report.seconds(inner, Duration::from_millis(10)),
                "misc_dynamic" => sets_weight = true,
                _ => {}
            }
        }
        if !argv.first().is_some_and(|program| program.starts_with('/')) {
            let help = "write `misc_path \"/usr/local/bin/check 192.168.1.4\"`";
            report.error(&node.name.at, "the program has no full path", help);
            return None;
        }
        // A percent sign begins a placeholder here.
        let argv = argv.into_iter().map(|word| word.replace('%', "%%")).collect();
        Some(CheckKind::External { argv, expect: None, sets_weight })
    }
}

/// The words of a program: one in quotes holds blanks that separate.
fn words(node: &Node) -> Vec<String> {
    match node.words.as_slice() {
        [only] => command(&only.text),
        several => several.iter().map(|word| word.text.clone()).collect(),
    }
}

/// The greeting of a mail server, a word of ours, and goodbye.
fn mail(report: &mut Report, own: &[&Node]) -> CheckKind {
    let helo = own.iter().find(|inner| inner.name.text == "helo_name");
    let helo = helo.and_then(|node| report.value(node, "lvs.example.com"));
    let name = helo.map_or("localhost", |word| word.text.as_str());
    let turn = |send: Option<String>, code: &str| Exchange {
        send: send.map(String::into_bytes),
        expect: Some(Expect::Prefix(code.as_bytes().to_vec())),
    };
    let hello = turn(Some(format!("HELO {name}\r\n")), "250");
    let steps = vec![turn(None, "220"), hello, turn(Some("QUIT\r\n".to_string()), "221")];
    CheckKind::Dialogue(Dialogue { tls: None, steps })
}

/// Reports what belongs to another checker.
fn foreign(report: &mut Report, own: &[&Node], name: &str) {
    let mine: &[&str] = match name {
        "HTTP_GET" | "SSL_GET" => &["url", "http_protocol", "enable_sni", "sni_name"],
        "SMTP_CHECK" => &["helo_name", "host"],
        "DNS_CHECK" => &["type", "name"],
        "UDP_CHECK" => &["payload", "require_reply", "min_reply_length", "max_reply_length"],
        "MISC_CHECK" => &["misc_path", "misc_timeout", "misc_dynamic"],
        _ => &[],
    };
    for inner in own.iter().filter(|inner| !mine.contains(&inner.name.text.as_str())) {
        let message = format!("`{}` means nothing in a {name}", inner.name.text);
        report.error(&inner.name.at, message, "remove it, or move it to the check it is for");
    }
}
