//! `check`: of a virtual server, or of one real server.

use std::sync::OnceLock;
use std::time::Duration;

use super::dialogue::{dialogue, dns, tls};
use super::key::{Key, Kind, children};
use super::listen::speaks_tcp;
use super::login::login;
use super::pair::arguments;
use super::scalar::{self, Parsed, Problem};
use super::section::{Reading, Section, not_empty, word};
use super::tree::{Node, Span, Value};
use crate::model::{Check, CheckKind, Digest, Expect, HttpCheck, Listen};

/// The table's path of every check, whoever has it.
const PATH: &str = "services.*.check";
/// Keys of which a check has at most one.
const KINDS: [&str; 15] = [
    "type",
    "tcp",
    "udp",
    "http",
    "https",
    "dialogue",
    "dns",
    "pop",
    "imap",
    "ftp",
    "ldap",
    "radius",
    "mysql",
    "postgresql",
    "external",
];

/// What a check does when the file does not say: a TCP connection where there is a TCP port.
pub(super) fn default_kind(listen: &Listen) -> CheckKind {
    if speaks_tcp(listen) { CheckKind::Connect } else { CheckKind::Ping }
}

/// A check with the table's defaults.
pub(crate) fn standard(kind: CheckKind) -> Check {
    static STANDARD: OnceLock<Check> = OnceLock::new();
    Check { kind, ..STANDARD.get_or_init(from_table).clone() }
}

fn from_table() -> Check {
    let of = |name: &str| match children(PATH).iter().find(|key| key.name() == name) {
        Some(Key { default: super::Default::Value(text), .. }) => text,
        _ => "",
    };
    let time = |name| scalar::duration(of(name)).unwrap_or(Duration::ZERO);
    let count = |name| of(name).parse().unwrap_or(1);
    Check {
        kind: CheckKind::Connect,
        port: None,
        interval: time("interval"),
        timeout: time("timeout"),
        fall: count("fall"),
        rise: count("rise"),
        reentry: time("reentry"),
        retry: None,
        connects: of("connects").parse().unwrap_or(0),
    }
}

/// One check, or a list of them: the first one, and the others.
pub(super) fn checks<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    node: Node<'n>,
    at: Span,
    default: &CheckKind,
) -> (Check, Vec<Check>) {
    let Value::List(nodes) = node.value else {
        return (check(reading, node, at, default), Vec::new());
    };
    let mut all = nodes.into_iter().map(|node| {
        let at = node.span.clone();
        check(reading, node, at, default)
    });
    let first = all.next();
    let also = all.collect();
    if first.is_none() {
        let help = "remove the line for the default, or write `check: on`";
        reading.error(at, "check is an empty list", help);
    }
    (first.unwrap_or_else(|| standard(default.clone())), also)
}

/// A check as a word or a map.
pub(super) fn check<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    node: Node<'n>,
    at: Span,
    default: &CheckKind,
) -> Check {
    let mut check = standard(default.clone());
    if !matches!(node.value, Value::Map(_)) {
        if let Some(kind) = reading.parse_node("check", &node, plain_kind) {
            check.kind = kind;
        }
        return check;
    }
    let Some(mut section) = reading.section(PATH, node, at) else { return check };
    if let Some(kind) = kind(reading, &mut section) {
        check.kind = kind;
    }
    check.port = reading.integer(&mut section, "port");
    check.interval = reading.duration(&mut section, "interval").unwrap_or(check.interval);
    check.timeout = reading.duration(&mut section, "timeout").unwrap_or(check.timeout);
    check.fall = reading.integer(&mut section, "fall").unwrap_or(check.fall);
    check.rise = reading.integer(&mut section, "rise").unwrap_or(check.rise);
    check.reentry = reading.duration(&mut section, "reentry").unwrap_or(check.reentry);
    check.retry = reading.duration(&mut section, "retry");
    check.connects = reading.integer(&mut section, "connects").unwrap_or(check.connects);
    reading.finish(section);
    check
}

/// A check that is one word.
fn plain_kind(text: &str) -> Parsed<CheckKind> {
    let settings = KINDS.get(1..).unwrap_or(&[]);
    if settings.contains(&text) {
        let help = format!(
            "write `check: {{ {text}: {{ … }} }}`; `lvsctl explain-key services.www.check.{text}` lists the keys"
        );
        return Err(Problem::new(format!("{text} has settings of its own"), help));
    }
    if let "true" | "false" = text {
        let help = if text == "true" { "write `check: on`" } else { "write `check: off`" };
        return Err(Problem::new(format!("{text} is not known"), help));
    }
    let kind = Kind::Choice(&["on", "off", "connect", "ping", "data-path"]);
    word(text, kind, |word| match word {
        "on" => Some(CheckKind::On),
        "off" => Some(CheckKind::Off),
        "connect" => Some(CheckKind::Connect),
        "ping" => Some(CheckKind::Ping),
        "data-path" => Some(CheckKind::DataPath { tunnel: false }),
        _ => None,
    })
}

fn kind<'n, 'a: 'n>(reading: &mut Reading<'a>, section: &mut Section<'n>) -> Option<CheckKind> {
    let given: Vec<&str> = KINDS.into_iter().filter(|name| section.has(name)).collect();
    let mut kind = None;
    for (index, name) in given.iter().enumerate() {
        let at = section.span_of(name).unwrap_or_else(|| section.at.clone());
        if let (true, Some(first)) = (index > 0, given.first()) {
            let help = format!("keep {first} or {name}: a check does one thing");
            reading.error(at.clone(), format!("{name} is given beside {first}"), help);
        }
        let this = match *name {
            "type" => reading.parsed(section, "type", plain_kind).map(|given| given.value),
            "external" => external(reading, section),
            name => settings(reading, section, name, at),
        };
        kind = kind.or(this);
    }
    kind
}

/// The kinds whose settings are a map; `http:` alone is a map without keys.
fn settings<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
    name: &str,
    at: Span,
) -> Option<CheckKind> {
    let mut node = section.take(name)?;
    if matches!(node.value, Value::Null) {
        node.value = Value::Map(Vec::new());
    }
    match name {
        "tcp" => send_expect(reading, "services.*.check.tcp", node, at),
        "udp" => send_expect(reading, "services.*.check.udp", node, at),
        "http" => http(reading, "services.*.check.http", node, at),
        "dialogue" => dialogue(reading, node, at),
        "dns" => dns(reading, node, at),
        "pop" => login(reading, "services.*.check.pop", node, at),
        "imap" => login(reading, "services.*.check.imap", node, at),
        "ftp" => login(reading, "services.*.check.ftp", node, at),
        "ldap" => login(reading, "services.*.check.ldap", node, at),
        "radius" => login(reading, "services.*.check.radius", node, at),
        "mysql" => login(reading, "services.*.check.mysql", node, at),
        "postgresql" => login(reading, "services.*.check.postgresql", node, at),
        _ => http(reading, "services.*.check.https", node, at),
    }
}

fn send_expect<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    path: &'static str,
    node: Node<'n>,
    at: Span,
) -> Option<CheckKind> {
    let mut map = reading.section(path, node, at)?;
    let send = reading.parsed(&mut map, "send", scalar::unescape).map(|given| given.value);
    let expect = expect(reading, &mut map);
    reading.finish(map);
    Some(CheckKind::SendExpect { udp: path.ends_with("udp"), send, expect })
}

fn http<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    path: &'static str,
    node: Node<'n>,
    at: Span,
) -> Option<CheckKind> {
    let mut map = reading.section(path, node, at)?;
    let method = reading.choice(&mut map, "method", |word| {
        ["GET", "HEAD", "POST", "OPTIONS"].contains(&word).then(|| word.to_owned())
    });
    let target = reading.parsed(&mut map, "path", request_path).map(|given| given.value);
    let host = reading.text(&mut map, "host");
    let mut status = Vec::new();
    for node in reading.list(&mut map, "status") {
        status.extend(reading.parse_node("status", &node, status_range));
    }
    let follow_redirects = reading.integer(&mut map, "follow_redirects");
    let expect = expect(reading, &mut map);
    let digest = reading.parsed(&mut map, "digest", digest).map(|given| given.value);
    let tls = path.ends_with("https").then(|| tls(reading, &mut map));
    reading.finish(map);
    Some(CheckKind::Http(HttpCheck {
        tls,
        method: method.unwrap_or_else(|| "GET".into()),
        path: target.unwrap_or_else(|| "/".into()),
        host,
        status,
        follow_redirects: follow_redirects.unwrap_or(0),
        expect,
        digest,
    }))
}

fn request_path(text: &str) -> Parsed<String> {
    // A proxy is asked for a whole address.
    if !text.starts_with('/') && !text.starts_with("http://") {
        let help = format!("write /{}; the host goes under `host`", text.trim_start_matches('/'));
        return Err(Problem::new(format!("{text} does not begin with /"), help));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Problem::new("a path holds no blanks", "write %20 for a blank"));
    }
    Ok(text.to_owned())
}

/// `200` or `200-299`.
fn status_range(text: &str) -> Parsed<(u16, u16)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    match (from.trim().parse(), to.trim().parse()) {
        (Ok(from), Ok(to)) if (100..=599).contains(&from) && from <= to && to <= 599 => {
            Ok((from, to))
        }
        _ => Err(Problem::new(
            format!("{text} is not a status code or a range of them"),
            "write 200 or 200-299; codes go from 100 to 599",
        )),
    }
}

fn digest(text: &str) -> Parsed<Digest> {
    text.trim().parse().map_err(|_| {
        let help = "write what `md5sum` or `genhash` says of the body: 32 hexadecimal digits";
        Problem::new(format!("{text} is not an MD5"), help)
    })
}

fn external<'n, 'a: 'n>(reading: &mut Reading<'a>, section: &mut Section<'n>) -> Option<CheckKind> {
    let at = section.span_of("external")?;
    let node = reading.given(section, "external")?;
    let (argv, expect, sets_weight) = match node.value {
        Value::Map(_) => {
            let mut map = reading.section("services.*.check.external", node, at.clone())?;
            let nodes = reading.list(&mut map, "argv");
            let given = (!nodes.is_empty()).then_some(nodes);
            let nodes = reading.require(&map, "argv", given).unwrap_or_default();
            let argv = arguments(reading, "argv", nodes);
            let expect = expect(reading, &mut map);
            let sets_weight = reading.boolean(&mut map, "sets_weight");
            reading.finish(map);
            (argv, expect, sets_weight)
        }
        Value::List(nodes) => (arguments(reading, "external", nodes), None, false),
        _ => (arguments(reading, "external", vec![node]), None, false),
    };
    (!argv.is_empty()).then_some(CheckKind::External { argv, expect, sets_weight })
}

/// `*`, text, or a map with one of prefix, contains and regex.
pub(super) fn expect<'n, 'a: 'n>(
    reading: &mut Reading<'a>,
    section: &mut Section<'n>,
) -> Option<Expect> {
    let node = reading.given(section, "expect")?;
    let at = node.span.clone();
    if !matches!(node.value, Value::Map(_)) {
        return reading.parse_node("expect", &node, |text| match text {
            "*" => Ok(Expect::Anything),
            text => not_empty(text).and_then(|text| scalar::unescape(&text)).map(Expect::Contains),
        });
    }
    let mut map = reading.section("services.*.check.tcp.expect", node, at.clone())?;
    let given = ["prefix", "contains", "regex"].into_iter().filter(|name| map.has(name)).count();
    let prefix = reading.parsed(&mut map, "prefix", scalar::unescape);
    let contains = reading.parsed(&mut map, "contains", scalar::unescape);
    let regex = reading.parsed(&mut map, "regex", compiled);
    let is_known = reading.finish(map);
    if given != 1 && (given > 1 || is_known) {
        reading.error(at, "expect wants one key", "write prefix, contains or regex");
    }
    let prefix = prefix.map(|given| Expect::Prefix(given.value));
    let contains = contains.map(|given| Expect::Contains(given.value));
    prefix.or(contains).or(regex.map(|given| Expect::Regex(given.value)))
}

/// A regular expression that compiles, over bytes as the checks use it.
fn compiled(text: &str) -> Parsed<String> {
    match crate::foreign::regex::problem(text) {
        None => Ok(text.to_owned()),
        Some((message, help)) => Err(Problem { message, help }),
    }
}
