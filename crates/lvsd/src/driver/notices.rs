//! Tells others: programs are run and mails are sent, one after the other for each virtual server
//! and each mailbox, side by side for different ones.

use std::collections::HashMap;
use std::time::Duration;

use runtime::journal::{EventKind, Level};
use runtime::{Journal, hook, users};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::mail::{self, MailError, Refused};
use crate::core::Notice;

/// Notices that may wait for each of those who are told; what comes on top is dropped and named.
const WAITING: usize = 128;

/// Limit of one program, and of one mail.
const LIMIT: Duration = Duration::from_secs(30);

/// Pauses before a mail is tried again. A server that was restarted, or that asks who does not know
/// it to come again, takes it then.
const AGAIN: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];

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
            Notice::Mail { mail, .. } => {
                let over = mail.server.as_ref().map(|server| format!(" over {server}"));
                format!("mail {}{}", mail.to.join(" "), over.unwrap_or_default())
            }
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
                let send = || {
                    let (mail, lines) = (mail.clone(), lines.clone());
                    async move { mail::send(&mail, &lines).await }
                };
                deliver(&mail.to, &journal, send).await;
            }
        }
    }
}

/// Sends a mail, and tries again what may succeed then. Later ones to the same people wait, as
/// they would fail in the same way; nobody else waits.
async fn deliver<Sending>(to: &[String], journal: &Journal, mut send: impl FnMut() -> Sending)
where
    Sending: Future<Output = Result<Refused, MailError>>,
{
    let tell = |level, sentence, reason| {
        let fields = [("to", to.join(",")), ("reason", reason)];
        journal.record(EventKind::Daemon, level, sentence, &fields);
    };
    let mut pauses = AGAIN.into_iter();
    loop {
        let (problem, passing) = match tokio::time::timeout(LIMIT, send()).await {
            Ok(Ok(refused)) if refused.is_empty() => return,
            Ok(Ok(refused)) => {
                let sentence = "mail is refused for some, the others have got it";
                return tell(Level::Warn, sentence, refused.join("; "));
            }
            Ok(Err(error)) => (error.to_string(), error.is_passing()),
            Err(_) => (format!("not taken within {} s", LIMIT.as_secs()), true),
        };
        let Some(pause) = pauses.next().filter(|_| passing) else {
            return tell(Level::Warn, "mail cannot be sent", problem);
        };
        tell(Level::Warn, "mail cannot be sent yet, it is tried again", problem);
        tokio::time::sleep(pause).await;
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

    fn gone() -> MailError {
        MailError::Network("mail server".into(), std::io::ErrorKind::ConnectionRefused.into())
    }

    /// A server with these answers, and one that hangs after them: how often it was asked, how long
    /// that took, and what was told.
    async fn delivered(answers: Vec<Result<Refused, MailError>>) -> (usize, Duration, Vec<String>) {
        let (journal, begun) = (Journal::new(), tokio::time::Instant::now());
        let (mut answers, mut asked) = (answers.into_iter(), 0);
        let send = || {
            asked += 1;
            let answer = answers.next();
            async {
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            }
        };
        deliver(&["a@x".to_owned(), "b@x".to_owned()], &journal, send).await;
        let told = journal.history().events.iter().map(|event| event.message.clone()).collect();
        (asked, begun.elapsed(), told)
    }

    #[tokio::test(start_paused = true)]
    async fn a_mail_that_may_be_taken_later_is_tried_three_times_and_no_more() {
        const YET: &str = "mail cannot be sent yet, it is tried again";
        let seconds = Duration::from_secs;
        let busy = || MailError::Refused("421 busy".into(), "the connection");
        let taken = || Ok(Refused::new());
        let never = || MailError::Refused("550 not you".into(), "MAIL");
        for (answers, wanted) in [
            (vec![taken()], (1, seconds(0), vec![])),
            (vec![Err(gone()), taken()], (2, seconds(10), vec![YET])),
            (vec![Err(busy()), Err(gone()), taken()], (3, seconds(40), vec![YET, YET])),
            (
                vec![Err(gone()), Err(gone()), Err(gone()), taken()],
                (3, seconds(40), vec![YET, YET, "mail cannot be sent"]),
            ),
            (vec![Err(never()), taken()], (1, seconds(0), vec!["mail cannot be sent"])),
            (vec![], (3, LIMIT * 3 + seconds(40), vec![YET, YET, "mail cannot be sent"])),
        ] {
            let (asked, took, told) = delivered(answers).await;
            let told: Vec<&str> = told.iter().map(String::as_str).collect();
            assert_eq!((asked, Duration::from_secs(took.as_secs()), told), wanted);
        }
    }

    #[tokio::test]
    async fn who_was_refused_is_named_and_the_mail_is_not_sent_again() {
        let (asked, _, told) = delivered(vec![Ok(vec!["a@x: 550 no such user".into()])]).await;
        assert_eq!((asked, told.len()), (1, 1));
        assert_eq!(told, ["mail is refused for some, the others have got it"]);
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
