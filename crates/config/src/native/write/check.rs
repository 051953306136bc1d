//! Checks, written as `check:` of a virtual server or of one real server.

use super::super::check::{default_kind, standard};
use super::super::scalar::{escape, render_duration};
use super::super::yaml::Yaml;
use super::login::login;
use super::{Map, texts};
use crate::model::{
    Check, CheckKind, Dialogue, DnsCheck, Exchange, Expect, HttpCheck, Listen, Tls,
};

/// One check, or a list of several.
pub(super) fn checks(first: &Check, also: &[Check], listen: &Listen) -> Yaml {
    let mut all: Vec<Yaml> =
        std::iter::once(first).chain(also).map(|one| check(one, listen)).collect();
    if also.is_empty() { all.remove(0) } else { Yaml::List(all) }
}

fn check(check: &Check, listen: &Listen) -> Yaml {
    let mut map = Map::new("services.*.check");
    let word = match &check.kind {
        CheckKind::On => Some("on"),
        CheckKind::Off => Some("off"),
        CheckKind::Connect => Some("connect"),
        CheckKind::Ping => Some("ping"),
        CheckKind::DataPath { .. } => Some("data-path"),
        _ => None,
    };
    match (&check.kind, word) {
        (kind, Some(word)) if *check == standard(kind.clone()) => return Yaml::scalar(word),
        (kind, Some(word)) if *kind != default_kind(listen) => map.put_text("type", word),
        (CheckKind::SendExpect { udp, send, expect }, _) => {
            let mut inner = Map::new("");
            inner.put_text_if("send", send.as_ref().map(|bytes| escape(bytes)));
            inner.put_some("expect", expect.as_ref().map(self::expect));
            map.put(if *udp { "udp" } else { "tcp" }, inner.done());
        }
        (CheckKind::Http(http), _) => {
            map.put(if http.tls.is_some() { "https" } else { "http" }, self::http(http));
        }
        (CheckKind::Dialogue(dialogue), _) => map.put("dialogue", self::dialogue(dialogue)),
        (CheckKind::Dns(dns), _) => map.put("dns", self::dns(dns)),
        (CheckKind::Login(check), _) => map.put(check.service.name(), login(check)),
        (CheckKind::External { argv, expect: None, sets_weight: false }, _) => {
            map.put("external", Yaml::List(texts(argv)));
        }
        (CheckKind::External { argv, expect, sets_weight }, _) => {
            let mut inner = Map::new("services.*.check.external");
            inner.put("argv", Yaml::List(texts(argv)));
            inner.put_some("expect", expect.as_ref().map(self::expect));
            inner.put_boolean("sets_weight", *sets_weight);
            map.put("external", inner.done());
        }
        _ => {}
    }
    map.put_text_if("port", check.port);
    map.put_unless_default("interval", render_duration(check.interval));
    map.put_unless_default("timeout", render_duration(check.timeout));
    map.put_unless_default("fall", check.fall.to_string());
    map.put_unless_default("rise", check.rise.to_string());
    map.put_unless_default("reentry", render_duration(check.reentry));
    map.put_text_if("retry", check.retry.map(render_duration));
    map.put_unless_default("connects", check.connects.to_string());
    map.done()
}

fn http(http: &HttpCheck) -> Yaml {
    let mut map = Map::new("services.*.check.https");
    map.put_unless_default("method", http.method.clone());
    map.put_unless_default("path", http.path.clone());
    map.put_text_if("host", http.host.as_ref());
    let range = |(from, to): &(u16, u16)| match from == to {
        true => Yaml::Scalar(from.to_string()),
        false => Yaml::Scalar(format!("{from}-{to}")),
    };
    map.put_list("status", http.status.iter().map(range).collect());
    map.put_unless_default("follow_redirects", http.follow_redirects.to_string());
    map.put_some("expect", http.expect.as_ref().map(expect));
    map.put_text_if("digest", http.digest);
    if let Some(tls) = &http.tls {
        self::tls(tls, &mut map);
    }
    map.done()
}

pub(super) fn tls(tls: &Tls, map: &mut Map) {
    map.put_boolean("verify", tls.verify);
    map.put_text_if("ca_file", tls.ca_file.as_ref());
    map.put_text_if("name", tls.name.as_ref());
}

fn dialogue(dialogue: &Dialogue) -> Yaml {
    let step = |step: &Exchange| {
        let mut map = Map::new("services.*.check.dialogue.steps[]");
        map.put_text_if("send", step.send.as_ref().map(|bytes| escape(bytes)));
        map.put_some("expect", step.expect.as_ref().map(expect));
        map.done()
    };
    let mut map = Map::new("services.*.check.dialogue");
    map.put_list("steps", dialogue.steps.iter().map(step).collect());
    if let Some(tls) = &dialogue.tls {
        map.put_boolean("tls", true);
        self::tls(tls, &mut map);
    }
    map.done()
}

fn dns(dns: &DnsCheck) -> Yaml {
    let mut map = Map::new("services.*.check.dns");
    map.put_text("name", &dns.name);
    map.put_boolean("tcp", dns.tcp);
    map.put_some("expect", dns.expect.as_ref().map(expect));
    map.done()
}

pub(super) fn expect(expect: &Expect) -> Yaml {
    let (name, text) = match expect {
        Expect::Anything => return Yaml::scalar("*"),
        Expect::Prefix(bytes) => ("prefix", escape(bytes)),
        Expect::Contains(bytes) => {
            let text = escape(bytes);
            if text != "*" && !text.trim().is_empty() {
                return Yaml::Scalar(text);
            }
            ("contains", text)
        }
        Expect::Regex(text) => ("regex", text.clone()),
    };
    Yaml::Map(vec![(name.to_owned(), Yaml::Scalar(text))])
}
