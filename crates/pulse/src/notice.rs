//! What the tasks tell the driver.

use config::Loaded;
use config::in_force::How;
use control::worker::FromLvsd;
use heartbeat::{GroupId, Moment, QuestionId};
use runtime::control_server::Response;
use tokio::sync::{mpsc, oneshot};

use crate::host::Host;

/// How many notices may wait for the driver; whoever has one more waits.
pub(crate) const NOTICES: usize = 256;

/// The way to the driver.
pub(crate) type Notices = mpsc::Sender<Notice>;

/// One thing that happened.
#[derive(Debug)]
pub(crate) enum Notice {
    /// A group's addresses and programs are as wanted: it is taken over or stood down.
    Moved(Moved),
    /// The witness was asked.
    Witness(QuestionId, Vec<Option<bool>>),
    /// A round of pings to all witnesses has ended.
    WitnessesAsked(crate::witness::Round),
    /// It was asked whether somebody else answers for a group's addresses.
    Probed(GroupId, QuestionId, bool),
    /// The program that switches the partner off has ended.
    Fenced(QuestionId, runtime::hook::Ended),
    /// lvsd started; its process number.
    WorkerStarted(u32),
    /// lvsd spoke.
    WorkerSaid(FromLvsd),
    /// lvsd does not run or does not speak any more, and why.
    WorkerLost(String),
    /// An interface or an address changed: the host as it is now, and when its reading began.
    HostChanged(Box<Host>, Moment),
    /// A configuration was read, for whom; somebody may wait for what becomes of it.
    Loaded(Box<Loaded>, How, Option<oneshot::Sender<Response>>),
    /// Absent heartbeat paths are to be tried again.
    PathsAwaited,
    /// A trial of a configuration may have ended.
    TrialEnds,
    /// New heartbeat keys were written to their file, or could not be.
    KeysWritten(Box<crate::driver::rotation::Written>),
    /// Somebody asks on the control socket.
    Asked(Question, oneshot::Sender<Response>),
}

/// A group is where its role wants it.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    /// Which.
    pub(crate) group: GroupId,
    /// Taken over, or stood down.
    pub(crate) active: bool,
    /// Number of the order that was carried out.
    pub(crate) order: u64,
    /// What is wrong with single addresses.
    pub(crate) problems: Vec<(std::net::IpAddr, String)>,
}

/// A question on the control socket.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    /// `GET /v1/status`.
    Status,
    /// `GET /metrics`.
    Metrics,
    /// `POST /v1/failover`.
    Failover(control::action::MoveGroups),
    /// `POST /v1/takeover`.
    TakeOver(control::action::MoveGroups),
    /// `POST /v1/reload`: lvsd reads it too.
    Reload,
    /// `POST /v1/rotate-key`.
    RotateKey,
    /// `POST /v1/apply`: lvsd is asked by itself.
    Apply(control::action::Apply),
}
