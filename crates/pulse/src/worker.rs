//! lvsd, our child: started, listened to, restarted.

use std::path::Path;
use std::time::Duration;

use control::PROTOCOL_VERSION;
use control::worker::{FromLvsd, ToLvsd};
use runtime::child::{ChildSpec, Keeper, KeeperEvent, Signal, sibling};
use runtime::lines::{JsonLines, LineReader, LineWriter};
use runtime::{ExitError, LogOptions, privilege};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::notice::{Notice, Notices};

/// lvsd speaks each second; after this long a silent one is not ready.
const SILENCE: Duration = Duration::from_secs(5);
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
        let keeper = Keeper::new(ChildSpec {
            program,
            arguments,
            // It gives up what it does not need, as we do.
            run_as: privilege::root_if_allowed(),
            errors: None,
        });
        let (orders, inbox) = mpsc::channel(MESSAGES);
        let router = router.to_owned();
        let task = Task { keeper, inbox, notices, router, pipe: None, roles: Vec::new() };
        Ok(Self { orders, task: tokio::spawn(task.run()) })
    }

    /// Tells lvsd something. A message that finds no room is dropped: roles are told again, and a
    /// reload is seen by lvsd itself.
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
    roles: Vec<String>,
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
                event = self.keeper.event() => match event {
                    KeeperEvent::Started { pid, stream } => self.started(pid, stream).await,
                    KeeperEvent::Ended { why, .. } => self.lost(why).await,
                },
                heard = listen(&mut self.pipe) => match heard {
                    Heard::Message(message) => self.heard(message).await,
                    Heard::Silence => self.tell(Notice::WorkerLost("silent".to_owned())).await,
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
        let active = self.roles.clone();
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
        if let ToLvsd::Roles { active } = &message {
            self.roles.clone_from(active);
        }
        let Some(pipe) = &mut self.pipe else { return };
        match tokio::time::timeout(WRITE, pipe.writer.send(&message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "cannot tell lvsd something"),
            Err(_) => tracing::warn!("lvsd does not read what it is told"),
        }
    }

    async fn end(mut self) {
        self.say(ToLvsd::Stop).await;
        self.pipe = None;
        self.keeper.stop(GRACE).await;
    }
}

enum Heard {
    Message(FromLvsd),
    Silence,
    End(Option<String>),
}

async fn listen(pipe: &mut Option<Pipe>) -> Heard {
    let Some(pipe) = pipe else { return std::future::pending().await };
    let silent = pipe.silent;
    let silence = async {
        if silent {
            std::future::pending().await
        } else {
            tokio::time::sleep_until(pipe.silent_at).await
        }
    };
    tokio::select! {
        message = pipe.reader.next() => match message {
            Ok(Some(message)) => Heard::Message(message),
            Ok(None) => Heard::End(None),
            Err(error) => Heard::End(Some(error.to_string())),
        },
        () = silence => {
            pipe.silent = true;
            Heard::Silence
        }
    }
}
