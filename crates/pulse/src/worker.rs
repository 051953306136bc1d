//! lvsd, our child: started, listened to, restarted.

use std::path::Path;
use std::time::Duration;

use control::PROTOCOL_VERSION;
use control::worker::{FromLvsd, ToLvsd};
use runtime::child::{ChildSpec, Keeper, KeeperEvent, Signal, sibling};
use runtime::lines::{JsonLines, LineReader, LineWriter};
use runtime::{ExitError, LogOptions, privilege};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::notice::{Notice, Notices};

/// lvsd speaks each second; after this long a silent one is not ready.
const SILENCE: Duration = Duration::from_secs(5);
/// After this long it is taken to hang, and started anew: the kernel's table stays.
const HANGS: Duration = Duration::from_secs(60);
/// How long lvsd may leave a message unread before it is given up.
const WRITE: Duration = Duration::from_secs(1);
/// Time for an orderly end.
const GRACE: Duration = Duration::from_secs(5);
/// Messages that wait for the task.
const MESSAGES: usize = 16;

/// What the driver asks for.
#[derive(Debug)]
enum Order {
    Say(ToLvsd),
    Signal(Signal),
    End,
}

/// The driver's end of it.
#[derive(Debug)]
pub(crate) struct Worker {
    orders: mpsc::Sender<Order>,
    roles: watch::Sender<Vec<String>>,
    task: JoinHandle<()>,
}

impl Worker {
    /// Starts lvsd, and the task that keeps it running.
    pub(crate) fn start(
        config: &Path,
        runtime_dir: &Path,
        router: &str,
        log: &LogOptions,
        notices: Notices,
    ) -> Result<Self, ExitError> {
        let program = sibling("lvsd")
            .map_err(|error| ExitError::internal(format!("cannot start lvsd: {error}")))?;
        let mut arguments = vec![
            "--control-stdin".into(),
            "--config".into(),
            config.into(),
            "--runtime-dir".into(),
            runtime_dir.into(),
        ];
        arguments.extend(log.as_arguments());
        let spec = ChildSpec {
            program,
            arguments,
            // It gives up what it does not need, as we do.
            run_as: privilege::root_if_allowed(),
            errors: None,
        };
        Ok(Self::keep(spec, router, notices))
    }

    /// The same with any program, which is then its child.
    pub(crate) fn keep(spec: ChildSpec, router: &str, notices: Notices) -> Self {
        let keeper = Keeper::new(spec);
        let (orders, inbox) = mpsc::channel(MESSAGES);
        let router = router.to_owned();
        let (roles, active) = watch::channel(Vec::new());
        let task = Task { keeper, inbox, notices, router, pipe: None, active };
        Self { orders, roles, task: tokio::spawn(task.run()) }
    }

    /// Tells lvsd for which groups this router is active. The newest word always arrives.
    pub(crate) fn roles(&self, active: Vec<String>) {
        self.roles.send_replace(active);
    }

    /// Tells lvsd something. A message that finds no room is dropped: letters are written again,
    /// and a reload is seen by lvsd itself.
    pub(crate) fn say(&self, message: ToLvsd) {
        if self.orders.try_send(Order::Say(message)).is_err() {
            tracing::warn!("lvsd does not take messages, one was dropped");
        }
    }

    /// The log was rotated.
    pub(crate) fn reopen_log(&self) {
        if self.orders.try_send(Order::Signal(Signal::USR1)).is_err() {
            tracing::warn!("lvsd could not be told to reopen its log");
        }
    }

    /// Ends lvsd in order.
    pub(crate) async fn end(self) {
        // The task takes its orders as long as it lives.
        let _sent = self.orders.send(Order::End).await;
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the keeper of lvsd ended early");
        }
    }
}

struct Pipe {
    reader: LineReader<FromLvsd>,
    writer: LineWriter<ToLvsd>,
    silent_at: Instant,
    /// Its silence was told.
    silent: bool,
}

struct Task {
    keeper: Keeper,
    inbox: mpsc::Receiver<Order>,
    notices: Notices,
    router: String,
    pipe: Option<Pipe>,
    /// The groups that this router is active for.
    active: watch::Receiver<Vec<String>>,
}

impl Task {
    async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                order = self.inbox.recv() => match order {
                    Some(Order::Say(message)) => self.say(message).await,
                    Some(Order::Signal(signal)) => self.keeper.signal(signal),
                    Some(Order::End) | None => return self.end().await,
                },
                Ok(()) = self.active.changed() => self.tell_roles().await,
                event = self.keeper.event() => match event {
                    KeeperEvent::Started { pid, stream } => self.started(pid, stream).await,
                    KeeperEvent::Ended { why, .. } => self.lost(why).await,
                },
                heard = listen(&mut self.pipe) => match heard {
                    Heard::Message(message) => self.heard(message).await,
                    Heard::Silence => self.tell(Notice::WorkerLost("silent".to_owned())).await,
                    Heard::Hang => {
                        self.pipe = None;
                        tracing::error!(silent = ?HANGS, "lvsd hangs, it is started anew");
                        self.keeper.signal(Signal::KILL);
                    }
                    // Its end follows as an event of the keeper; a broken one is ended.
                    Heard::End(why) => {
                        self.pipe = None;
                        if let Some(why) = why {
                            tracing::error!(reason = why, "lvsd is not understood, it is ended");
                            self.keeper.signal(Signal::KILL);
                        }
                    }
                },
            }
        }
    }

    async fn tell(&self, notice: Notice) {
        // The driver lives longer than this task.
        let _sent = self.notices.send(notice).await;
    }

    async fn started(&mut self, pid: u32, stream: tokio::net::UnixStream) {
        let (reader, writer) = JsonLines::new(stream).split();
        let silent_at = Instant::now() + SILENCE;
        self.pipe = Some(Pipe { reader, writer, silent_at, silent: false });
        self.tell(Notice::WorkerStarted(pid)).await;
        let router = Some(self.router.clone());
        self.say(ToLvsd::Hello { version: PROTOCOL_VERSION, router }).await;
        self.tell_roles().await;
    }

    async fn tell_roles(&mut self) {
        let active = self.active.borrow_and_update().clone();
        self.say(ToLvsd::Roles { active }).await;
    }

    async fn lost(&mut self, why: String) {
        self.pipe = None;
        self.tell(Notice::WorkerLost(why)).await;
    }

    async fn heard(&mut self, message: FromLvsd) {
        if let Some(pipe) = &mut self.pipe {
            pipe.silent_at = Instant::now() + SILENCE;
            pipe.silent = false;
        }
        match message {
            FromLvsd::Hello { version, .. } if version != PROTOCOL_VERSION => {
                tracing::error!(version, "lvsd is of another version, install both together");
            }
            message => self.tell(Notice::WorkerSaid(message)).await,
        }
    }

    async fn say(&mut self, message: ToLvsd) {
        let Some(pipe) = &mut self.pipe else { return };
        match tokio::time::timeout(WRITE, pipe.writer.send(&message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "cannot tell lvsd something"),
            Err(_) => tracing::warn!("lvsd does not read what it is told"),
        }
    }

    async fn end(mut self) {
        if self.active.has_changed().is_ok_and(|changed| changed) {
            self.tell_roles().await;
        }
        self.say(ToLvsd::Stop).await;
        self.pipe = None;
        self.keeper.stop(GRACE).await;
    }
}

enum Heard {
    Message(FromLvsd),
    /// For the first time since it spoke.
    Silence,
    Hang,
    End(Option<String>),
}

async fn listen(pipe: &mut Option<Pipe>) -> Heard {
    let Some(pipe) = pipe else { return std::future::pending().await };
    let silent = pipe.silent;
    let until = if silent { pipe.silent_at - SILENCE + HANGS } else { pipe.silent_at };
    tokio::select! {
        message = pipe.reader.next() => match message {
            Ok(Some(message)) => Heard::Message(message),
            Ok(None) => Heard::End(None),
            Err(error) => Heard::End(Some(error.to_string())),
        },
        () = tokio::time::sleep_until(until) => {
            pipe.silent = true;
            if silent { Heard::Hang } else { Heard::Silence }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::Receiver;

    use super::*;

    /// The next notice of a start or a loss.
    async fn next(inbox: &mut Receiver<Notice>) -> String {
        match inbox.recv().await.unwrap() {
            Notice::WorkerStarted(_) => "started".to_owned(),
            Notice::WorkerLost(why) => why,
            other => panic!("{other:?}"),
        }
    }

    /// Time is told to pass wherever everybody waits, so a minute takes no time.
    #[tokio::test(start_paused = true)]
    async fn one_that_is_silent_is_not_ready_and_one_that_stays_silent_is_started_anew() {
        let (notices, mut inbox) = mpsc::channel(16);
        let spec = ChildSpec {
            program: "/bin/sh".into(),
            // It stands still as by SIGSTOP, and would read and answer nothing.
            arguments: ["-c", "kill -STOP $$"].map(Into::into).to_vec(),
            run_as: None,
            errors: None,
        };
        let begun = Instant::now();
        let _worker = Worker::keep(spec, "master", notices);
        assert_eq!(next(&mut inbox).await, "started");
        assert_eq!(next(&mut inbox).await, "silent");
        assert!(begun.elapsed() >= SILENCE && begun.elapsed() < HANGS);
        assert_eq!(next(&mut inbox).await, "killed by signal 9");
        assert!(begun.elapsed() >= HANGS);
        assert_eq!(next(&mut inbox).await, "started");
    }
}
