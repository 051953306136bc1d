//! Programs and routes that move with the addresses, as hooks.

use std::time::Duration;

use super::notify::program;
use super::report::Report;
use super::text::At;
use super::tree::Node;
use crate::model::{Hook, HookOrder};

/// How long a program may run; keepalived never waited for them.
const TIME: Duration = Duration::from_secs(60);
/// The program that sets routes and rules.
const IP: &str = "/sbin/ip";

/// The notify scripts of an instance or of a sync group.
#[derive(Debug, Default)]
pub(super) struct Notify {
    master: Option<(Vec<String>, At)>,
    backup: Option<(Vec<String>, At)>,
    others: Vec<(String, Vec<String>, At)>,
    any: Option<(Vec<String>, At)>,
}

impl Notify {
    /// Reads a notify statement.
    pub(super) fn read(&mut self, report: &mut Report, node: &Node) {
        let Some((argv, at)) = program(report, node) else { return };
        match node.name.text.as_str() {
            "notify_master" => self.master = Some((argv, at)),
            "notify_backup" => self.backup = Some((argv, at)),
            "notify" => self.any = Some((argv, at)),
            other => self.others.push((other.to_string(), argv, at)),
        }
    }

    /// The hooks: `kind` and `name` are the first arguments that `notify` gets.
    pub(super) fn hooks(
        mut self,
        report: &mut Report,
        kind: &str,
        name: &str,
        priority: u32,
    ) -> Vec<(Hook, At)> {
        // A router that stops or fails stands down as any other does.
        for (key, argv, at) in std::mem::take(&mut self.others) {
            match &self.backup {
                None => self.backup = Some((argv, at)),
                Some((backup, _)) if *backup == argv => {}
                Some(_) => {
                    let instead = "standing down is one thing here: the program of `notify_backup` is run, whatever the cause";
                    report.dropped(&key, &at, instead);
                }
            }
        }
        let mut found = Vec::new();
        let place = self.master.as_ref().or(self.backup.as_ref()).map(|(_, at)| at.clone());
        if let Some(at) = place {
            let start = self.master.map(|(argv, _)| argv).unwrap_or_default();
            let stop = self.backup.map(|(argv, _)| argv).unwrap_or_default();
            let key = if start.is_empty() { "notify_backup" } else { "notify_master" };
            found.push((hook(format!("{name} {key}"), start, stop), at));
        }
        if let Some((argv, at)) = self.any {
            let with = |state: &str| {
                let more = [kind, name, state, &priority.to_string()].map(str::to_string);
                argv.iter().cloned().chain(more).collect::<Vec<String>>()
            };
            found.push((hook(format!("{name} notify"), with("MASTER"), with("BACKUP")), at));
        }
        found
    }
}

fn hook(name: String, start: Vec<String>, stop: Vec<String>) -> Hook {
    let (status, order) = (Vec::new(), HookOrder::AfterAddresses);
    Hook { name, start, stop, status, timeout: TIME, order }
}

/// Each line of `virtual_routes` or `virtual_rules`, set when the group is here.
pub(super) fn routes(report: &mut Report, node: &Node) -> Vec<(Hook, At)> {
    let (object, add) =
        if node.name.text == "virtual_rules" { ("rule", "add") } else { ("route", "replace") };
    let mut found = Vec::new();
    for line in &node.block {
        if let Some(or) = line.words.iter().find(|word| word.text == "or") {
            let instead = "a route goes one way: write it twice, with different metrics";
            report.dropped("or", &or.at, instead);
            continue;
        }
        let mut words: Vec<String> = Vec::new();
        let mut all = line.all();
        while let Some(word) = all.next() {
            match word.text.as_str() {
                "no_track" => {}
                "track_group" => drop(all.next()),
                "gw" => words.push("via".to_string()),
                other => words.push(other.to_string()),
            }
        }
        // `ip` wants the destination before everything else.
        if let Some(to) = words.iter().position(|word| word == "to").filter(|_| object == "route") {
            let target: Vec<String> = words.drain(to..(to + 2).min(words.len())).skip(1).collect();
            words.splice(0..0, target);
        }
        let argv = |verb: &str| {
            let fixed = [IP, object, verb].map(str::to_string);
            fixed.into_iter().chain(words.iter().cloned()).collect::<Vec<String>>()
        };
        let name = format!("{object} {}", words.first().cloned().unwrap_or_default());
        found.push((hook(name, argv(add), argv("del")), line.name.at.clone()));
    }
    found
}
