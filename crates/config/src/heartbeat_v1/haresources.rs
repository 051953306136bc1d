//! haresources: which addresses and programs belong together, and to whom.

use std::net::Ipv4Addr;

use super::report::Report;
use crate::foreign::report::Reporter;
use crate::foreign::word::{Word, lines};

/// One logical line.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// The router that it belongs to.
    pub(super) node: Option<Word>,
    /// What is taken over, in this order.
    pub(super) resources: Vec<Resource>,
}

/// `script::argument::argument`, or an address.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// All of it.
    pub(super) word: Word,
    /// The script's name.
    pub(super) script: String,
    /// Its arguments.
    pub(super) arguments: Vec<String>,
}

/// Reads the file: lines that end with a backslash go on in the next one.
pub(super) fn read(report: &mut Report<'_>) -> Vec<Entry> {
    let source = report.source.clone();
    let mut entries = Vec::new();
    let mut open = Entry::default();
    let mut continues: Option<Word> = None;
    for line in lines(&source) {
        let end = line.text.find('#').unwrap_or(line.text.len());
        let mut text = line.word(0..end).trimmed();
        continues = text.text.strip_suffix('\\').map(|rest| text.part(rest.len()..text.text.len()));
        if let Some(backslash) = &continues {
            text = text.part(0..text.text.len() - 1);
            if !line.text.ends_with('\\') {
                let help = "the next line is joined all the same; heartbeat itself wants nothing behind the backslash";
                report.warning(&backslash.span, "this backslash does not end its line", help);
            }
        }
        for word in text.split(|_| false) {
            open.push(word);
        }
        if continues.is_none() {
            entries.push(std::mem::take(&mut open));
        }
    }
    if let Some(backslash) = continues {
        let help =
            "ignored; heartbeat itself takes it for a resource that it cannot start: remove it";
        report.warning(&backslash.span, "the last line ends with a backslash", help);
        entries.push(open);
    }
    entries.retain(|entry| entry.node.is_some());
    entries
}

impl Entry {
    fn push(&mut self, word: Word) {
        if self.node.is_none() {
            self.node = Some(word);
        } else {
            self.resources.push(Resource::new(word));
        }
    }
}

impl Resource {
    /// A word that begins with an IPv4 address stands for `IPaddr::` and itself.
    fn new(word: Word) -> Self {
        let first = word.text.split('/').next().unwrap_or_default();
        if first.parse::<Ipv4Addr>().is_ok() {
            let arguments = vec![word.text.clone()];
            return Self { script: "IPaddr".to_string(), arguments, word };
        }
        let mut parts = word.text.split("::").map(str::to_string);
        let script = parts.next().unwrap_or_default();
        // An IPv6 address holds the separator itself.
        let arguments = match word.text.strip_prefix("IPv6addr::") {
            Some(address) => vec![address.to_string()],
            None => parts.collect(),
        };
        Self { word, script, arguments }
    }

    /// Whether it is an address, by the scripts that set one up.
    pub(super) fn is_address(&self) -> bool {
        matches!(self.script.as_str(), "IPaddr" | "IPaddr2" | "IPv6addr")
    }
}
