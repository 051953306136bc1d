//! Tells others: programs are run and mails are sent, one after the other for each virtual server
//! and each mailbox, side by side for different ones.

use std::collections::HashMap;
use std::time::Duration;

use runtime::journal::{EventKind, Level};
use runtime::{Journal, hook, users};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::mail;
use crate::core::Notice;

/// Notices that may wait for each of those who are told; what comes on top is dropped and named.
const WAITING: usize = 128;

/// Limit of one program, and of one mail.
const LIMIT: Duration = Duration::from_secs(30);

/// Those who are told.
pub(super) struct Tellers {
    journal: Journal,
    queues: HashMap<String, mpsc::Sender<Notice>>,
    tasks: JoinSet<()>,
}

impl Tellers {
    pub(super) fn new(journal: Journal) -> Self {
        Self { journal, queues: HashMap::new(), tasks: JoinSet::new() }
    }

    /// Hands a notice on, and never waits.
    pub(super) fn tell(&mut self, notice: Notice) {
        let who = match &notice {
            Notice::Run { service, .. } => format!("program {service}"),
            Notice::Mail { mail, .. } => format!("mail {}", mail.to.join(" ")),
        };
        let Self { journal, queues, tasks } = self;
        let queue = queues.entry(who.clone()).or_insert_with(|| {
            let (sender, notices) = mpsc::channel(WAITING);
            tasks.spawn(work(notices, journal.clone()));
            sender
        });
        if queue.try_send(notice).is_err() {
            let fields = [("who", who)];
            let sentence = "nobody is told, too many notices wait already";
            self.journal.record(EventKind::Verdict, Level::Error, sentence, &fields);
        }
    }
}

async fn work(mut notices: mpsc::Receiver<Notice>, journal: Journal) {
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Run { service, server, argv } => run(service, server, &argv, &journal).await,
            Notice::Mail { mail, lines } => {
                let sent = tokio::time::timeout(LIMIT, mail::send(&mail, &lines)).await;
                let problem = match sent {
                    Ok(Ok(())) => continue,
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => format!("not taken within {} s", LIMIT.as_secs()),
                };
                let fields = [("to", mail.to.join(",")), ("reason", problem)];
                let sentence = "mail cannot be sent";
                journal.record(EventKind::Daemon, Level::Warn, sentence, &fields);
            }
        }
    }
}

async fn run(
    service: String,
    server: Option<(String, &'static str)>,
    argv: &[String],
    journal: &Journal,
) {
    let mut told = vec![("CARIBE_SERVICE", service.as_str())];
    if let Some((server, state)) = &server {
        told.extend([("CARIBE_SERVER", server.as_str()), ("CARIBE_STATE", state)]);
    }
    // The user of nanny's programs: none of them is anything that only root can do.
    let user = users::first_of(&[users::SCRIPTS, "nobody"]);
    let ended = hook::run_as(user, argv, LIMIT, &told).await;
    let mut fields = vec![
        ("service", service),
        ("program", argv.join(" ")),
        ("result", ended.how),
        ("ms", ended.took.as_millis().to_string()),
    ];
    fields.extend(server.map(|(server, _)| ("server", server)));
    let (level, sentence) = match ended.good {
        true => (Level::Info, "program was run"),
        false => (Level::Warn, "program failed"),
    };
    journal.record(EventKind::Daemon, level, sentence, &fields);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(service: &str, words: &[&str]) -> Notice {
        let argv = words.iter().map(|word| (*word).to_owned()).collect();
        Notice::Run { service: service.to_owned(), server: None, argv }
    }

    /// The programs of the journal, in the order of their ends.
    async fn ended(journal: &Journal, count: usize) -> Vec<String> {
        loop {
            let events = journal.history().events;
            let programs = events.iter().filter_map(|event| event.fields.get("program"));
            let programs: Vec<String> = programs.cloned().collect();
            if programs.len() >= count {
                return programs;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn programs_of_one_virtual_server_run_in_turn_and_hold_up_no_other() {
        let journal = Journal::new();
        let mut tellers = Tellers::new(journal.clone());
        tellers.tell(run("slow", &["/bin/sleep", "0.3"]));
        tellers.tell(run("slow", &["/bin/true"]));
        tellers.tell(run("fast", &["/bin/false"]));
        assert_eq!(ended(&journal, 3).await, ["/bin/false", "/bin/sleep 0.3", "/bin/true"]);
    }

    #[tokio::test]
    async fn a_program_is_not_run_as_root() {
        let journal = Journal::new();
        let mut tellers = Tellers::new(journal.clone());
        tellers.tell(run("www", &["/bin/sh", "-c", "exit $(id -u)"]));
        ended(&journal, 1).await;
        let events = journal.history().events;
        let result = events.iter().find_map(|event| event.fields.get("result")).unwrap();
        let root = hook::run(&["/usr/bin/true".to_owned()], LIMIT, &[]).await.how;
        assert_ne!(*result, root, "its user is number 0");
    }

    #[tokio::test]
    async fn notices_that_are_too_many_are_dropped_and_named() {
        let journal = Journal::new();
        let mut tellers = Tellers::new(journal.clone());
        for _ in 0..WAITING + 1 {
            tellers.tell(run("www", &["/bin/true"]));
        }
        let told =
            journal.history().events.iter().filter(|e| e.message.contains("too many")).count();
        assert_eq!(told, 1);
    }
}
