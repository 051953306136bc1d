//! What can befall a pair, besides time.

use std::fmt;

use crate::words::Word;

/// Times in a schedule and in a world, in microseconds.
pub type Micros = u64;

/// One of the two routers: 0 or 1.
pub type Index = usize;

/// One misfortune, or one wish of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A path carries nothing more from one router.
    CutOneWay(Index, usize),
    /// A path carries nothing more, and one router's interface says so.
    CutPath(usize, Index),
    /// No path carries anything from one router.
    CutAllFrom(Index),
    /// No path carries anything.
    Partition,
    /// The network of the addresses joins the routers no more.
    CutAddresses,
    /// One router reaches the witness no more.
    CutWitness(Index),
    /// So many packets in a thousand are lost.
    Lose(u64),
    /// So many packets in a thousand come twice.
    Duplicate(u64),
    /// So many packets in a thousand are altered.
    Corrupt(u64),
    /// Packets take up to this long, so that they overtake each other.
    Delay(Micros),
    /// What a router sends from now on arrives only so much later.
    HoldBack(Index, Micros),
    /// The network, the witness and the interfaces are well again.
    Mend,
    /// A daemon dies; the kernel keeps its addresses.
    Crash(Index),
    /// A machine loses its power.
    PowerLoss(Index),
    /// A daemon is started, on a machine that has power again.
    Start(Index),
    /// Both are started at one moment.
    StartBoth,
    /// A daemon ends in order.
    Stop(Index),
    /// A daemon stands still for so long.
    Pause(Index, Micros),
    /// A machine sleeps for so long.
    Suspend(Index, Micros),
    /// A clock runs so many parts in a million faster or slower.
    Clock(Index, i64),
    /// An operator hands a group to the partner.
    Failover(Index, usize),
    /// An operator fetches a group from the partner.
    TakeOver(Index, usize),
    /// An operator says that the partner of a router is off, and fetches a group.
    Force(Index, usize),
    /// A router does not reach what switches its partner off.
    CutFence(Index),
    /// The pair gets a new key, one router after the other, without a break.
    RotateKeys,
    /// A router reads another configuration, its partner does not.
    Reconfigure(Index, u64),
    /// An interface of a group's addresses goes down on a router.
    Unfit(Index, usize),
    /// lvsd dies on a router, and comes back after so long.
    LoseWorker(Index, Micros),
    /// So many witnesses are reached by one router, and by the other.
    Reach(usize, usize),
    /// A real server fails.
    ServerFails(usize),
    /// A real server is well again.
    ServerReturns(usize),
    /// A real server has so many connections open.
    Connections(usize, u32),
    /// Somebody clears a router's table by hand, or takes a real server out of each pool.
    EditTable(Index, bool),
    /// A kernel refuses every change for so long.
    KernelRefuses(Index, Micros),
    /// A router's file is edited so that nothing is left.
    EmptyEdit(Index),
    /// An operator says something about a real server.
    Decide(Index, usize, Word),
    /// Somebody sends so many recorded packets to a router.
    Replay(Index, usize),
    /// Somebody sends a router's own packets back to it.
    Reflect(Index, usize),
    /// Somebody sends recorded packets with bits turned.
    Forge(Index, usize),
}

impl Fault {
    /// All kinds, by name.
    pub const NAMES: [&'static str; 39] = [
        "one-way cut",
        "path cut",
        "one-way silence",
        "partition",
        "address network cut",
        "witness cut",
        "loss",
        "duplication",
        "corruption",
        "delay and reordering",
        "held-back packets",
        "mend",
        "daemon crash",
        "power loss",
        "start",
        "both start",
        "orderly stop",
        "daemon pause",
        "machine sleep",
        "clock drift",
        "operator failover",
        "operator takeover",
        "key rotation",
        "configuration change",
        "interface down",
        "lvsd death",
        "replay",
        "reflection",
        "forgery",
        "forced takeover",
        "fence out of reach",
        "real server fails",
        "real server returns",
        "open connections",
        "table edited by hand",
        "kernel refuses changes",
        "edit that leaves nothing",
        "operator's decision",
        "witnesses out of reach",
    ];

    /// It is about lvsd, its kernel or its real servers.
    pub(crate) fn is_of_lvsd(&self) -> bool {
        (31..38).contains(&self.kind())
    }

    /// Its place in [`Self::NAMES`].
    pub fn kind(&self) -> usize {
        match self {
            Self::CutOneWay(..) => 0,
            Self::CutPath(..) => 1,
            Self::CutAllFrom(_) => 2,
            Self::Partition => 3,
            Self::CutAddresses => 4,
            Self::CutWitness(_) => 5,
            Self::Lose(_) => 6,
            Self::Duplicate(_) => 7,
            Self::Corrupt(_) => 8,
            Self::Delay(_) => 9,
            Self::HoldBack(..) => 10,
            Self::Mend => 11,
            Self::Crash(_) => 12,
            Self::PowerLoss(_) => 13,
            Self::Start(_) => 14,
            Self::StartBoth => 15,
            Self::Stop(_) => 16,
            Self::Pause(..) => 17,
            Self::Suspend(..) => 18,
            Self::Clock(..) => 19,
            Self::Failover(..) => 20,
            Self::TakeOver(..) => 21,
            Self::RotateKeys => 22,
            Self::Reconfigure(..) => 23,
            Self::Unfit(..) => 24,
            Self::LoseWorker(..) => 25,
            Self::Replay(..) => 26,
            Self::Reflect(..) => 27,
            Self::Forge(..) => 28,
            Self::Force(..) => 29,
            Self::CutFence(_) => 30,
            Self::ServerFails(_) => 31,
            Self::ServerReturns(_) => 32,
            Self::Connections(..) => 33,
            Self::EditTable(..) => 34,
            Self::KernelRefuses(..) => 35,
            Self::EmptyEdit(_) => 36,
            Self::Decide(..) => 37,
            Self::Reach(..) => 38,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.get(self.kind()).copied().unwrap_or_default();
        write!(f, "{name}: {self:?}")
    }
}
