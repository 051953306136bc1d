//! `HTTP_GET` and `SSL_GET`.

use super::super::known::{URL, is_read};
use super::super::report::Report;
use super::super::text::At;
use super::super::tree::Node;
use super::super::words::Word;
use crate::foreign::path;
use crate::foreign::regex::{Dialect, translated};
use crate::model::{CheckKind, Digest, Expect, HttpCheck, Tls};

/// The checks that an HTTP_GET or SSL_GET asks for: one for each `url`.
pub(super) fn kinds(
    report: &mut Report,
    node: &Node,
    own: &[&Node],
    is_tls: bool,
) -> Vec<CheckKind> {
    let mut all = HttpCheck {
        tls: is_tls.then_some(Tls { verify: false, ca_file: None, name: None }),
        method: "GET".to_string(),
        path: "/".to_string(),
        host: None,
        status: Vec::new(),
        follow_redirects: 0,
        expect: None,
        digest: None,
    };
    if is_tls {
        let help = "remove `verify: false` from the converted file to have them verified";
        report.noted("certificates are not verified, as in keepalived", &node.name.at, help);
    }
    for inner in own {
        match inner.name.text.as_str() {
            "http_protocol" if inner.word(0).is_none_or(|word| word.text != "1.1") => {
                report.dropped("http_protocol", &inner.name.at, "checks speak HTTP/1.1");
            }
            "sni_name" => {
                let name = report.value(inner, "www.example.com").map(|word| word.text.clone());
                if let Some(tls) = &mut all.tls {
                    tls.name = name;
                }
            }
            // The name of the `Host` header is always sent.
            _ => {}
        }
    }
    let mut kinds = Vec::new();
    for inner in own.iter().filter(|inner| inner.name.text == "url") {
        let mut check = all.clone();
        url(report, inner, &mut check);
        kinds.push(CheckKind::Http(check));
    }
    if kinds.is_empty() {
        let help = "write `url { path / }` in it";
        report.error(&node.name.at, format!("this {} asks for no page", node.name.text), help);
    }
    kinds
}

fn url(report: &mut Report, node: &Node, check: &mut HttpCheck) {
    let mut search: Option<(String, At)> = None;
    let (mut options, mut not) = (String::new(), None);
    for inner in &node.block {
        if !is_read(report, inner, &URL) {
            continue;
        }
        match inner.name.text.as_str() {
            "path" => {
                if let Some(word) = report.value(inner, "/") {
                    let slash = if word.text.starts_with('/') { "" } else { "/" };
                    check.path = path::encoded(&format!("{slash}{}", word.text));
                }
            }
            "virtualhost" => {
                check.host = report.value(inner, "www.example.com").map(|word| word.text.clone());
            }
            "digest" => {
                let word = report.value(inner, "9b3a0c85a887a256d6939da88aabd8cd");
                check.digest = word.and_then(|word| digest(report, word));
            }
            "status_code" => check.status = status(report, inner),
            "regex" => {
                let word = report.value(inner, "text");
                search = word.map(|word| (word.text.clone(), word.at.clone()));
            }
            "regex_no_match" => not = Some(inner.name.at.clone()),
            _ => options = flags(report, inner),
        }
    }
    let Some((pattern, at)) = search else { return };
    if let Some(not) = not {
        let instead = "a text that must not be there cannot be asked for: nothing is asked of the body; `external` runs a program of yours";
        report.dropped("regex_no_match", &not, instead);
        return;
    }
    match translated(&pattern, &options, Dialect::Pcre) {
        Ok(ours) => check.expect = Some(Expect::Regex(ours)),
        Err((message, help)) => report.error(&at, message, help),
    }
}

fn digest(report: &mut Report, word: &Word) -> Option<Digest> {
    let digest = word.text.parse().ok();
    if digest.is_none() {
        let help = "write the 32 hexadecimal digits that `genhash` prints";
        report.error(&word.at, format!("`{}` is no digest", word.text), help);
    }
    digest
}

/// `200-299 400 503`.
fn status(report: &mut Report, node: &Node) -> Vec<(u16, u16)> {
    let mut found = Vec::new();
    for word in &node.words {
        let (first, last) = word.text.split_once('-').unwrap_or((&word.text, &word.text));
        match (first.parse::<u16>(), last.parse::<u16>()) {
            (Ok(first), Ok(last))
                if (100..=599).contains(&first) && first <= last && last < 600 =>
            {
                found.push((first, last));
            }
            _ => {
                let help = "write codes from 100 to 599, as `200`, or ranges, as `200-299`";
                report.error(&word.at, format!("`{}` is no status code", word.text), help);
            }
        }
    }
    if node.words.is_empty() {
        report.error(&node.name.at, "`status_code` has no value", "write `status_code 200-299`");
    }
    found
}

/// Options of PCRE as flags of our regular expressions.
fn flags(report: &mut Report, node: &Node) -> String {
    let mut flags = String::new();
    for word in &node.words {
        let flag = match word.text.as_str() {
            "caseless" => 'i',
            "dotall" => 's',
            "multiline" => 'm',
            "extended" => 'x',
            "ungreedy" => 'U',
            // Characters are looked at, not bytes.
            "utf" | "ucp" => 'u',
            // Both say how the search is done, not what is found.
            "no_start_optimize" | "no_auto_possess" | "no_dotstar_anchor" | "auto_callout" => {
                continue;
            }
            _ => {
                let instead = "i, s, m, x, U and u are the flags that there are: write `(?i)` into the expression";
                report.dropped("regex_options", &word.at, instead);
                continue;
            }
        };
        if !flags.contains(flag) {
            flags.push(flag);
        }
    }
    flags
}
