//! Who is told: mails of `global_defs`, and the programs of `quorum_down` and `quorum_up`.

use super::report::Report;
use super::text::At;
use super::tree::Node;
use super::words::command;
use crate::model::{Mail, Notify};

/// What the whole file says of mails.
#[derive(Clone, Debug, Default)]
pub(super) struct Mails {
    to: Vec<String>,
    from: Option<String>,
    server: Option<String>,
    all: Option<bool>,
    checkers: Option<bool>,
}

impl Mails {
    /// Reads a statement of `global_defs`, unless it is about something else.
    pub(super) fn read(&mut self, report: &mut Report, node: &Node) -> bool {
        match node.name.text.as_str() {
            "notification_email" => {
                let words = node.block.iter().flat_map(Node::all);
                self.to.extend(words.map(|word| word.text.clone()));
            }
            "notification_email_from" => {
                self.from = report.value(node, "lvs@example.com").map(|word| word.text.clone());
            }
            "smtp_server" => self.server = server(report, node),
            "smtp_alert" => self.all = Some(report.switch(node)),
            "smtp_alert_checker" => self.checkers = Some(report.switch(node)),
            "no_checker_emails" => self.checkers = Some(!report.switch(node)),
            _ => return false,
        }
        true
    }

    /// The mails of a virtual server that says `own` of them.
    fn of(&self, own: Option<bool>) -> Option<Mail> {
        let wanted = own.or(self.checkers).or(self.all).unwrap_or(true);
        (wanted && !self.to.is_empty()).then(|| Mail {
            to: self.to.clone(),
            from: self.from.clone(),
            server: self.server.clone(),
            repeat: None,
        })
    }
}

/// `HOST [PORT]`.
fn server(report: &mut Report, node: &Node) -> Option<String> {
    let host = &report.value(node, "127.0.0.1")?.text;
    let port = match node.word(1) {
        Some(word) => Some(report.port(word)?),
        None => None,
    };
    let is_v6 = host.contains(':');
    Some(match port {
        Some(port) if is_v6 => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.clone(),
    })
}

/// What a virtual server says of who is told.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    empty: Vec<String>,
    filled: Vec<String>,
    mails: Option<bool>,
}

impl Told {
    /// Reads a statement of a `virtual_server`, unless it is about something else.
    pub(super) fn read(&mut self, report: &mut Report, node: &Node) -> bool {
        match node.name.text.as_str() {
            "quorum_down" => self.empty = argv(report, node),
            "quorum_up" => self.filled = argv(report, node),
            "smtp_alert" => self.mails = Some(report.switch(node)),
            _ => return false,
        }
        true
    }

    /// With what holds for the whole file.
    pub(super) fn notify(&self, mails: &Mails) -> Notify {
        let mail = mails.of(self.mails);
        Notify { empty: self.empty.clone(), filled: self.filled.clone(), mail, results: None }
    }
}

/// The program behind a keyword; none where it is wrong.
pub(super) fn argv(report: &mut Report, node: &Node) -> Vec<String> {
    program(report, node).map(|(argv, _)| argv).unwrap_or_default()
}

/// The program behind a keyword, and where the keyword stands. Behind it there may be a user.
pub(super) fn program(report: &mut Report, node: &Node) -> Option<(Vec<String>, At)> {
    let first = report.value(node, "/usr/local/bin/moved")?;
    let argv = command(&first.text);
    if let Some(user) = node.word(1) {
        let help = "the daemons choose the user that programs run as";
        report.noted("the user of a program is not carried", &user.at, help);
    }
    if !argv.first().is_some_and(|program| program.starts_with('/')) {
        let help = "write `\"/usr/local/bin/moved argument\"`, the full path first";
        report.error(&first.at, "the program has no full path", help);
        return None;
    }
    Some((argv, node.name.at.clone()))
}
