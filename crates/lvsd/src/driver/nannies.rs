//! The nanny processes: one asks servers over the network, one runs other people's programs, one
//! sends packets as the director would pass them on.
//!
//! Each is told the whole set of its checks; what it has been told already is not told again. A
//! nanny that dies is started anew and told everything, with the last verdicts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use config::model::CheckKind;
use control::PROTOCOL_VERSION;
use control::nanny::{FromNanny, ToNanny, Watch, WatchId};
use runtime::child::{ChildSpec, Keeper, KeeperEvent, Signal};
use runtime::lines::{JsonLines, LineReader, LineWriter};
use runtime::{Context, ExitError, LogOptions, privilege, raw_sockets, users};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};

use super::Event;

/// Questions for results that may wait.
const WAITING_RECALLS: usize = 64;

/// How long an ending nanny may take.
const GRACE: Duration = Duration::from_secs(1);

/// nanny says each second that it lives. So many seconds without a word are a hang: it is killed and
/// started again, and its servers keep their last verdicts meanwhile. They are counted one by one, as
/// a machine that stood still has passed over more of them at once.
const SILENT: u32 = 10;

/// One of them.
const SECOND: Duration = Duration::from_secs(1);

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Asks servers over the network.
    Network,
    /// Runs programs.
    Programs,
    /// Sends frames of its own making; so it does nothing else.
    Paths,
}

impl Kind {
    fn of(watch: &Watch) -> Self {
        match watch.check.kind {
            CheckKind::External { .. } => Self::Programs,
            CheckKind::DataPath { .. } => Self::Paths,
            _ => Self::Network,
        }
    }

    /// The user that this one runs as, when the host has it.
    fn user(self) -> &'static str {
        match self {
            Self::Network | Self::Paths => users::CHECKS,
            Self::Programs => users::SCRIPTS,
        }
    }

    /// Tells nanny which sandbox is its own.
    fn argument(self) -> Option<OsString> {
        match self {
            Self::Network => None,
            Self::Programs => Some("--programs".into()),
            Self::Paths => Some("--paths".into()),
        }
    }

    /// In the log.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Network => "network checks",
            Self::Programs => "external programs",
            Self::Paths => "data-path checks",
        }
    }
}

/// What a nanny says, and what became of it.
#[derive(Debug)]
pub(super) enum News {
    /// It runs and waits to be told its checks.
    Started {
        /// Process number.
        pid: u32,
        /// How often it was started again.
        restarts: u64,
    },
    /// It ended and is started again.
    Ended {
        /// Why.
        why: String,
    },
    /// It said something.
    Said(FromNanny),
}

type Checks = Arc<BTreeMap<WatchId, Watch>>;

/// All of them.
pub(super) struct Nannies([Handle; 3]);

struct Handle {
    kind: Kind,
    checks: watch::Sender<Checks>,
    recalls: mpsc::Sender<WatchId>,
    task: tokio::task::JoinHandle<()>,
}

impl Nannies {
    /// None is started before it has something to do.
    pub(super) fn start(
        context: &Context,
        events: &mpsc::Sender<Event>,
    ) -> Result<Self, ExitError> {
        let program = runtime::child::sibling("nanny")
            .map_err(|error| ExitError::internal(format!("cannot find nanny: {error}")))?;
        // Its own user could not open our log files, so it hands its lines to us.
        let log = LogOptions { log_file: None, ..context.log.clone() };
        let may_choose = privilege::may_choose_users();
        let start = |kind: Kind| {
            let run_as = may_choose.then(|| users::first_of(&[kind.user(), "nobody"]));
            let mut arguments = log.as_arguments();
            arguments.extend(kind.argument());
            let errors = Some(context.output.clone());
            let spec = ChildSpec { program: program.clone(), arguments, run_as, errors };
            let (checks, wanted) = watch::channel(Checks::default());
            let (recalls, questions) = mpsc::channel(WAITING_RECALLS);
            let one = One { kind, wanted, questions, events: events.clone() };
            Handle { kind, checks, recalls, task: tokio::spawn(one.keep(spec)) }
        };
        Ok(Self([Kind::Network, Kind::Programs, Kind::Paths].map(start)))
    }

    /// The checks, all of them.
    pub(super) fn tell(&self, checks: BTreeMap<WatchId, Watch>) {
        let mut of_kind = BTreeMap::<Kind, BTreeMap<WatchId, Watch>>::new();
        for (id, watch) in checks {
            of_kind.entry(Kind::of(&watch)).or_default().insert(id, watch);
        }
        for handle in &self.0 {
            handle.checks.send_replace(Arc::new(of_kind.remove(&handle.kind).unwrap_or_default()));
        }
    }

    /// Asks for the last results of a check. Whoever cannot answer now does not answer at all.
    pub(super) fn recall(&self, id: WatchId) {
        for handle in &self.0 {
            if handle.checks.borrow().contains_key(&id) && handle.recalls.try_send(id).is_err() {
                tracing::debug!(id = id.0, "too many questions for results at a time");
            }
        }
    }

    /// Ends all of them in order.
    pub(super) async fn stop(self) {
        for handle in self.0 {
            drop((handle.checks, handle.recalls));
            if let Err(error) = handle.task.await {
                tracing::debug!(%error, "a nanny's keeper ended early");
            }
        }
    }
}

struct One {
    kind: Kind,
    wanted: watch::Receiver<Checks>,
    questions: mpsc::Receiver<WatchId>,
    events: mpsc::Sender<Event>,
}

/// Why a conversation ended.
enum End {
    /// lvsd ends.
    Stop,
    /// The child ended, or has to.
    Child(String),
}

impl One {
    async fn keep(mut self, spec: ChildSpec) {
        while self.wanted.borrow_and_update().is_empty() {
            if self.wanted.changed().await.is_err() {
                return;
            }
        }
        let mut keeper = Keeper::new(spec);
        loop {
            let event = tokio::select! {
                event = keeper.event() => event,
                () = stopped(&mut self.wanted) => break,
            };
            let why = match event {
                KeeperEvent::Ended { why, .. } => why,
                KeeperEvent::Started { pid, stream } => {
                    if !self.report(News::Started { pid, restarts: keeper.restarts() }).await {
                        break;
                    }
                    match self.converse(&mut keeper, stream).await {
                        End::Stop => break,
                        End::Child(why) => why,
                    }
                }
            };
            if !self.report(News::Ended { why }).await {
                break;
            }
        }
        keeper.stop(GRACE).await;
    }

    async fn report(&self, news: News) -> bool {
        self.events.send(Event::Nanny(self.kind, news)).await.is_ok()
    }

    async fn converse(&mut self, keeper: &mut Keeper, stream: UnixStream) -> End {
        let pings = needs_raw_sockets(&self.wanted.borrow());
        pass_sockets(&stream, self.kind, pings);
        let (reader, mut writer) = JsonLines::<FromNanny, ToNanny>::new(stream).split();
        let mut listener = tokio::spawn(listen(reader, self.kind, self.events.clone()));
        let end = tokio::select! {
            why = &mut listener => {
                keeper.signal(Signal::KILL);
                let why = why.unwrap_or_else(|error| error.to_string());
                End::Child(format!("{why}; {}", wait_for_end(keeper).await))
            }
            event = keeper.event() => End::Child(match event {
                KeeperEvent::Ended { why, .. } => why,
                KeeperEvent::Started { .. } => "started twice".to_owned(),
            }),
            end = self.tell(&mut writer, pings) => end,
        };
        listener.abort();
        match end {
            End::Child(why) if keeper.pid().is_some() => {
                drop(writer);
                keeper.signal(Signal::KILL);
                End::Child(format!("{why}; {}", wait_for_end(keeper).await))
            }
            end => end,
        }
    }

    /// Tells what has changed since it was last told. Ends when the child no longer listens.
    async fn tell(&mut self, writer: &mut LineWriter<ToNanny>, pings: bool) -> End {
        if let Err(error) = writer.send(&ToNanny::Hello { version: PROTOCOL_VERSION }).await {
            return End::Child(error.to_string());
        }
        // The checks as they were known before the start would tell old verdicts: lvsd says them
        // anew when it hears of the start.
        let mut told = Checks::default();
        loop {
            tokio::select! {
                changed = self.wanted.changed() => {
                    if changed.is_err() {
                        return End::Stop;
                    }
                    let wanted = Arc::clone(&self.wanted.borrow_and_update());
                    if !pings && needs_raw_sockets(&wanted) {
                        return End::Child("it needs sockets for ping".to_owned());
                    }
                    if let Err(error) = tell_difference(writer, &told, &wanted).await {
                        return End::Child(error.to_string());
                    }
                    told = wanted;
                }
                Some(id) = self.questions.recv() => {
                    if let Err(error) = writer.send(&ToNanny::Recall { id }).await {
                        return End::Child(error.to_string());
                    }
                }
            }
        }
    }
}

/// Returns when lvsd ends.
async fn stopped(wanted: &mut watch::Receiver<Checks>) {
    while wanted.changed().await.is_ok() {}
}

async fn wait_for_end(keeper: &mut Keeper) -> String {
    match keeper.event().await {
        KeeperEvent::Ended { why, .. } => why,
        KeeperEvent::Started { pid, .. } => format!("started again as {pid}"),
    }
}

/// Passes what nanny says on. Returns why it can no longer be understood, or that it hangs.
async fn listen(
    mut reader: LineReader<FromNanny>,
    kind: Kind,
    events: mpsc::Sender<Event>,
) -> String {
    let mut silent = 0;
    loop {
        let Ok(said) = tokio::time::timeout(SECOND, reader.next()).await else {
            silent += 1;
            if silent >= SILENT {
                return format!("it hangs: it said nothing for {SILENT} s");
            }
            continue;
        };
        silent = 0;
        match said {
            Ok(Some(FromNanny::Hello { version })) if version != PROTOCOL_VERSION => {
                return format!(
                    "it speaks version {version} and lvsd {PROTOCOL_VERSION}: install both from one package"
                );
            }
            Ok(Some(said)) => {
                if events.send(Event::Nanny(kind, News::Said(said))).await.is_err() {
                    return "lvsd ends".to_owned();
                }
            }
            Ok(None) => return "it closed its socket".to_owned(),
            Err(error) => return error.to_string(),
        }
    }
}

async fn tell_difference(
    writer: &mut LineWriter<ToNanny>,
    told: &BTreeMap<WatchId, Watch>,
    wanted: &BTreeMap<WatchId, Watch>,
) -> Result<(), runtime::lines::LineError> {
    for id in told.keys().filter(|id| !wanted.contains_key(id)) {
        writer.feed(&ToNanny::Unwatch { id: *id }).await?;
    }
    // A number stands for one probe for ever, so what has been told once stays right; only whether
    // it is followed may change.
    let known =
        |id, watch: &Watch| told.get(id).is_some_and(|told: &Watch| told.follow == watch.follow);
    for (_, watch) in wanted.iter().filter(|(id, watch)| !known(*id, watch)) {
        writer.feed(&ToNanny::Watch(Box::new(watch.clone()))).await?;
    }
    writer.flush().await
}

fn needs_raw_sockets(checks: &BTreeMap<WatchId, Watch>) -> bool {
    checks.values().any(|watch| watch.check.kind == CheckKind::Ping)
}

/// Opens what nanny may not open itself. Where that fails, its checks fail with their reason.
fn pass_sockets(stream: &UnixStream, kind: Kind, pings: bool) {
    let opened = match kind {
        Kind::Paths => match raw_sockets::packet() {
            Ok(sockets) => sockets.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        },
        Kind::Network if pings => raw_sockets::icmp(),
        Kind::Network | Kind::Programs => return,
    };
    let mut sockets = Vec::with_capacity(opened.len());
    for socket in opened {
        match socket {
            Ok(socket) => sockets.push(socket),
            Err(error) => tracing::warn!(%error, kind = kind.name(), "cannot open a raw socket"),
        }
    }
    let descriptors: Vec<_> = sockets.iter().map(AsFd::as_fd).collect();
    if let Err(error) = runtime::fdpass::send_first(stream, &descriptors) {
        tracing::warn!(%error, kind = kind.name(), "cannot pass the sockets");
    }
}

#[cfg(test)]
mod tests;
