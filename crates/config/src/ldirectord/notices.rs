//! Who ldirectord tells of changes: programs and mails.

use std::cell::Cell;
use std::ops::Range;
use std::time::Duration;

use super::lexer::Directive;
use super::values::{Report, unquoted};
use crate::diagnostic::nearest;
use crate::foreign::report::Reporter;
use crate::model::{Listen, Mail, Notify};

/// What may be set for the whole file and for one virtual server.
#[derive(Clone, Debug, Default)]
pub(super) struct Notices {
    command: Option<Vec<String>>,
    to: Option<Vec<String>>,
    /// Where they are told.
    to_span: Range<usize>,
    /// That no mail server is named has been said.
    told: Cell<bool>,
    from: Option<String>,
    server: Option<String>,
    repeat: Option<u32>,
    /// Whether mails are wanted while the daemon runs.
    wanted: Option<bool>,
    /// The file of `monitorfile`.
    results: Option<String>,
}

/// The states of the daemon that `emailalertstatus` names.
const STATES: [&str; 6] = ["all", "none", "starting", "running", "stopping", "reloading"];

/// What only a shell understands.
const SHELL: &[char] =
    &['"', '\'', '\\', '$', '`', ';', '|', '&', '<', '>', '*', '?', '(', ')', '~'];

impl Notices {
    /// Reads a directive, unless it is another one's.
    pub(super) fn read(&mut self, report: &mut Report<'_>, directive: &Directive) -> bool {
        let value = directive.value.text.as_str();
        match directive.name.text.as_str() {
            "fallbackcommand" => {
                self.command = program(report, directive, value.trim_matches('"'));
            }
            "emailalert" => {
                let addresses = unquoted(value).split(|c: char| c == ',' || c.is_whitespace());
                let addresses = addresses.filter(|address| !address.is_empty());
                self.to = Some(addresses.map(str::to_owned).collect());
                self.to_span = directive.value.span.clone();
            }
            "emailalertfrom" => self.from = Some(unquoted(value).trim().to_owned()),
            "emailalertfreq" => self.repeat = report.number(directive, 0).or(self.repeat),
            "emailalertstatus" => self.wanted = states(report, directive).or(self.wanted),
            "monitorfile" => {
                let file = report.full_path(directive, "file", "/var/log/checks.log");
                self.results = file.or(self.results.take());
            }
            "smtp" => self.server = Some(unquoted(value).trim().to_owned()),
            _ => return false,
        }
        true
    }

    /// Together with what holds for the whole file, for one virtual server.
    pub(super) fn notify(&self, report: &mut Report<'_>, whole: &Self, listen: &Listen) -> Notify {
        let command = self.command.as_ref().or(whole.command.as_ref());
        let run = |verb: &str| match command {
            Some(command) if !command.is_empty() => {
                let told = [verb.to_owned()].into_iter().chain(virtual_server(listen));
                command.iter().cloned().chain(told).collect()
            }
            _ => Vec::new(),
        };
        let (mail, results) = (self.mail(whole), self.results.clone());
        if mail.as_ref().is_some_and(|mail| mail.server.is_none()) {
            let told = if self.to.is_some() { self } else { whole };
            told.without_server(report);
        }
        Notify { empty: run("start"), filled: run("stop"), mail, results }
    }

    /// ldirectord runs sendmail, which cannot get at its queue from within the units' sandbox.
    fn without_server(&self, report: &mut Report<'_>) {
        if !self.told.replace(true) {
            let message = "the mails go to port 25 of this router itself: `smtp` names no server";
            let help = "write `smtp = mail.example.com` unless a mail server runs on both routers";
            report.warning(&self.to_span, message, help);
        }
    }

    fn mail(&self, whole: &Self) -> Option<Mail> {
        let to = self.to.as_ref().or(whole.to.as_ref()).filter(|to| !to.is_empty())?;
        let repeat = self.repeat.or(whole.repeat).filter(|seconds| *seconds > 0);
        self.wanted.or(whole.wanted).unwrap_or(true).then(|| Mail {
            to: to.clone(),
            from: self.from.clone().or_else(|| whole.from.clone()),
            server: self.server.clone().or_else(|| whole.server.clone()),
            repeat: repeat.map(|seconds| Duration::from_secs(u64::from(seconds))),
        })
    }
}

/// `192.168.1.1:80 tcp`, as the command gets it; the number of a mark instead of nothing.
fn virtual_server(listen: &Listen) -> [String; 2] {
    match listen {
        Listen::Mark { mark, .. } => [format!("{mark}:0"), "fwm".to_owned()],
        Listen::Addresses(endpoints) => match endpoints.first() {
            Some(endpoint) => [endpoint.address.to_string(), endpoint.protocol.to_string()],
            None => Default::default(),
        },
    }
}

/// A program and its arguments. What needs a shell is named, and not run: it would do something
/// else than is written.
pub(super) fn program(
    report: &mut Report<'_>,
    directive: &Directive,
    text: &str,
) -> Option<Vec<String>> {
    let name = &directive.name.text;
    let span = &directive.value.span;
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let program = words.first()?;
    if text.contains(SHELL) {
        let help = "put it into a file that is executable, and name that file by its full path";
        report.warning(
            span,
            format!("`{name}` needs a shell and is not run: none is run here"),
            help,
        );
        return None;
    }
    if !program.starts_with('/') {
        let message = format!("`{name}` is not run: `{program}` is not the full path of a program");
        report.warning(span, message, format!("write `{name} = /full/path/{program}`"));
        return None;
    }
    Some(words)
}

fn states(report: &mut Report<'_>, directive: &Directive) -> Option<bool> {
    let words = directive.value.split(|c| c == ',' || c == '"');
    for word in &words {
        if !STATES.contains(&word.text.as_str()) {
            let help = match nearest(&word.text, STATES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one or more of {}", STATES.join(", ")),
            };
            report.error(&word.span, format!("`{}` is no state of ldirectord", word.text), help);
            return None;
        }
    }
    let has = |state: &str| words.iter().any(|word| word.text == state);
    if has("none") && words.len() > 1 {
        let help = "write `none` alone, or leave it out";
        report.error(&directive.value.span, "`none` goes with no other state", help);
        return None;
    }
    let wanted = has("all") || has("running");
    if !wanted && !has("none") {
        let help = "add `running`: mails are about real servers that go and return meanwhile";
        report.warning(&directive.value.span, "no mail is ever sent in these states", help);
    }
    Some(wanted)
}
