//! What one run is made of: a pair, and what befalls it when. All of it follows from the seed.

use std::time::Duration;

use config::model::OnStop;

use crate::farm::SERVERS;
use crate::fault::{Fault, Micros};
use crate::random::Random;
use crate::words::Word;

/// So many runs of a thousand have lvsd: it takes longer than all the rest.
const LVSD: u64 = 250;
/// A change that was refused is tried again within this time.
const REFUSED: Micros = 8_000_000;

/// How a group is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupShape {
    /// Router that should hold it.
    pub preferred: Option<usize>,
    /// It returns by itself after this delay.
    pub failback: Option<Duration>,
}

/// How the routers switch each other off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FenceShape {
    /// The longest that it takes.
    pub takes: Micros,
    /// Groups are taken although it failed.
    pub take_over_on_failure: bool,
    /// A router that was switched off has power again after so long, if it has.
    pub reboots: Option<Micros>,
}

/// The pair of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Heartbeat paths, 1 to 3.
    pub paths: usize,
    /// Groups, 1 to 3.
    pub groups: Vec<GroupShape>,
    /// A witness is configured.
    pub witness: bool,
    /// Time between heartbeats.
    pub interval: Duration,
    /// Silence that makes a partner dead.
    pub dead_after: Duration,
    /// Every other edit of the configuration has times that are so many times shorter.
    pub quicker: u32,
    /// Longest time that adding or removing addresses takes.
    pub addresses: Micros,
    /// Addresses leave so long after the daemon that holds them stopped working, if they do.
    pub lease: Option<Micros>,
    /// Clock error of each router in parts per million.
    pub clocks: [i64; 2],
    /// The partner is switched off before its groups are taken.
    pub fence: Option<FenceShape>,
    /// Each start may be one of another release.
    pub mixed: bool,
    /// Whoever reaches fewer witnesses gives its groups away.
    pub yields: bool,
    /// The routers make a new key together; else an operator copies one.
    pub agrees_keys: bool,
    /// lvsd runs on both, with what it leaves behind; none leaves it out of the run.
    pub farm: Option<OnStop>,
}

/// A pair and its fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The seed it came from; it also rules the network's whims.
    pub seed: u64,
    /// The pair.
    pub shape: Shape,
    /// Faults and when they happen, in order.
    pub faults: Vec<(Micros, Fault)>,
    /// When everything is mended and started.
    pub heal_at: Micros,
    /// When the run ends; by then all must be in its place.
    pub end_at: Micros,
}

/// In thousandths of `dead_after`.
fn times(dead_after: Duration, per_mille: u64) -> Micros {
    micros(dead_after) * per_mille / 1000
}

/// A duration in microseconds.
pub(crate) fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Shape {
    /// Time between heartbeats and silence that makes a partner dead, in a configuration.
    pub(crate) fn times(&self, variant: u64) -> (Duration, Duration) {
        let quicker = if variant % 2 == 1 { self.quicker } else { 1 };
        (self.interval / quicker, self.dead_after / quicker)
    }

    /// The shortest of these in any configuration.
    pub(crate) fn shortest(&self) -> (Duration, Duration) {
        self.times(1)
    }
}

impl Schedule {
    /// The run of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let mut shape = shape(&mut random);
        let dead = shape.dead_after;
        let count = random.between(3, 13);
        let mut at = times(dead, random.between(0, 4000));
        let mut faults = Vec::with_capacity(16);
        for _ in 0..count {
            faults.push((at, fault(&mut random, &shape)));
            // Some at one moment, some while the last one is being dealt with, some after it.
            at += match random.below(8) {
                0 | 1 => random.below(2000),
                2 | 3 => times(dead, random.below(1200)),
                4..=6 => times(dead, random.between(500, 4000)),
                _ => times(dead, random.between(4000, 14_000)),
            };
        }
        befall_fence(&mut Random::new(seed, 3), &mut shape, &mut faults);
        let heal_at = at + times(dead, random.between(1000, 6000));
        befall_keys(&mut Random::new(seed, 5), &mut shape, &mut faults, heal_at);
        befall_lvsd(&mut Random::new(seed, 4), &mut shape, &mut faults, heal_at);
        if shape.farm.is_some() {
            befall_letters(&mut Random::new(seed, 6), &mut faults, dead, heal_at);
        }
        befall_witnesses(&mut Random::new(seed, 7), &mut shape, &mut faults, heal_at);
        befall_times(&mut Random::new(seed, 8), &mut shape, &mut faults, heal_at);
        if shape.quicker > 1 {
            befall_strangers(&mut Random::new(seed, 11), &mut faults, dead, heal_at);
        }
        faults.sort_by_key(|(at, _)| *at);
        // A router that is switched off at the very end has to come back.
        let fenced = if shape.fence.is_some() { times(dead, 10_000) } else { 0 };
        // Changes that a kernel refused are tried again after seconds.
        let refused = if shape.farm.is_some() { REFUSED } else { 0 };
        let end_at = heal_at + times(dead, 8000) + 2_000_000 + fenced + refused;
        Self { seed, shape, faults, heal_at, end_at }
    }
}

fn shape(random: &mut Random) -> Shape {
    let (interval, dead_after) = match random.below(4) {
        0 => (100, 500),
        1 => (1000, 3000),
        _ => (200, 600),
    };
    let group = |random: &mut Random| GroupShape {
        preferred: [None, Some(0), Some(1)].get(random.index(3)).copied().flatten(),
        failback: random.chance(400).then(|| Duration::from_millis(random.below(1500))),
    };
    let clock = |random: &mut Random| match random.below(3) {
        0 => 0,
        1 => i64::try_from(random.below(200)).unwrap_or(0) - 100,
        _ => i64::try_from(random.below(40_000)).unwrap_or(0) - 20_000,
    };
    let dead = dead_after * 1000;
    Shape {
        paths: random.index(3) + 1,
        groups: (0..=random.index(3)).map(|_| group(random)).collect(),
        witness: random.chance(400),
        interval: Duration::from_millis(interval),
        dead_after: Duration::from_millis(dead_after),
        quicker: 1,
        addresses: random.between(1000, 20_000),
        lease: random.chance(500).then(|| random.between(dead, dead * 2)),
        clocks: [clock(random), clock(random)],
        mixed: random.chance(500),
        fence: None,
        farm: None,
        yields: false,
        agrees_keys: false,
    }
}

/// Some pairs fence, and then some of their faults have to do with it. From numbers of its own, so
/// that the seeds of pairs that do not fence tell what they always told.
fn befall_fence(random: &mut Random, shape: &mut Shape, faults: &mut [(Micros, Fault)]) {
    if !random.chance(250) {
        return;
    }
    let dead = shape.dead_after;
    shape.fence = Some(FenceShape {
        takes: times(dead, random.between(100, 3000)),
        take_over_on_failure: random.chance(250),
        reboots: random.chance(700).then(|| times(dead, random.between(500, 10_000))),
    });
    for (_, fault) in faults {
        if !random.chance(150) {
            continue;
        }
        *fault = match random.below(2) {
            0 => Fault::CutFence(random.index(2)),
            _ => Fault::Force(random.index(2), random.index(shape.groups.len())),
        };
    }
}

/// Some pairs run lvsd with its real servers, and some faults more. From numbers of its own, too.
fn befall_lvsd(
    random: &mut Random,
    shape: &mut Shape,
    faults: &mut Vec<(Micros, Fault)>,
    heal_at: Micros,
) {
    if !random.chance(LVSD) {
        return;
    }
    shape.farm = Some(if random.chance(500) { OnStop::Remove } else { OnStop::Keep });
    for _ in 0..random.between(4, 14) {
        faults.push((random.below(heal_at), lvsd_fault(random)));
    }
}

/// Some pairs make their new keys together, and do it more often.
fn befall_keys(
    random: &mut Random,
    shape: &mut Shape,
    faults: &mut Vec<(Micros, Fault)>,
    heal_at: Micros,
) {
    if !random.chance(300) {
        return;
    }
    shape.agrees_keys = true;
    for _ in 0..random.between(1, 5) {
        faults.push((random.below(heal_at), Fault::RotateKeys));
    }
}

/// In some runs something is decided while letters do not arrive: the other router sleeps, or they are
/// held back.
fn befall_letters(
    random: &mut Random,
    faults: &mut Vec<(Micros, Fault)>,
    dead: Duration,
    heal_at: Micros,
) {
    if !random.chance(200) {
        return;
    }
    let (at, router) = (random.below(heal_at), random.index(2));
    let lasts = times(dead, random.between(3000, 12_000));
    faults.push(match random.below(3) {
        0 => (at, Fault::HoldBack(1 - router, lasts)),
        1 => (at, Fault::Suspend(router, lasts)),
        _ => (at, Fault::Pause(router, lasts)),
    });
    let decided_at = at + times(dead, random.below(900));
    let decided = Fault::Decide(1 - router, random.index(2 * SERVERS), word(random));
    faults.push((decided_at, decided));
}

/// Some pairs compare how many witnesses they reach.
fn befall_witnesses(
    random: &mut Random,
    shape: &mut Shape,
    faults: &mut Vec<(Micros, Fault)>,
    heal_at: Micros,
) {
    if !random.chance(200) {
        return;
    }
    shape.yields = true;
    for _ in 0..random.between(1, 6) {
        let one = random.index(4);
        // Often a witness itself fails, for both.
        let other = if random.chance(500) { one } else { random.index(4) };
        faults.push((random.below(heal_at), Fault::Reach(one, other)));
    }
}

/// Some pairs are given other times while they run: on one router first, and often on the other one a
/// while later.
fn befall_times(
    random: &mut Random,
    shape: &mut Shape,
    faults: &mut Vec<(Micros, Fault)>,
    heal_at: Micros,
) {
    if !random.chance(150) {
        return;
    }
    // Never below a fifth of a second, in which a packet may take its way and addresses move.
    let most = (micros(shape.dead_after) / 200_000).min(6);
    shape.quicker = u32::try_from(random.between(2, most + 1)).unwrap_or(1);
    let longest = times(shape.shortest().1, 300);
    for (_, fault) in faults.iter_mut() {
        if let Fault::Delay(delay) = fault {
            *delay = longest.min(*delay);
        }
    }
    for _ in 0..random.between(1, 5) {
        let (router, variant) = (random.index(2), random.below(4));
        let at = random.below(heal_at);
        faults.push((at, Fault::Reconfigure(router, variant)));
        if random.chance(700) {
            let later = at + times(shape.dead_after, random.below(6000));
            faults.push((later.min(heal_at), Fault::Reconfigure(1 - router, variant)));
        }
    }
}

/// In some of those runs a router starts beside one that goes by times which it never had, and both are
/// left alone with that for a while.
fn befall_strangers(
    random: &mut Random,
    faults: &mut Vec<(Micros, Fault)>,
    dead: Duration,
    heal_at: Micros,
) {
    if !random.chance(300) {
        return;
    }
    let (at, router) = (random.below(heal_at), random.index(2));
    let quick = random.below(2);
    faults.retain(|(when, _)| *when < at);
    faults.push((at, Fault::Reconfigure(router, quick)));
    faults.push((at + times(dead, random.below(1000)), Fault::PowerLoss(router)));
    faults.push((at + times(dead, 1000), Fault::Reconfigure(1 - router, 3 - quick)));
    faults.push((at + times(dead, random.between(1000, 3000)), Fault::Start(router)));
}

fn lvsd_fault(random: &mut Random) -> Fault {
    let (router, server) = (random.index(2), random.index(SERVERS));
    match random.below(20) {
        0..=4 => Fault::ServerFails(server),
        5..=7 => Fault::ServerReturns(server),
        8 | 9 => Fault::Connections(server, u32::from(random.chance(600))),
        10 => Fault::EditTable(router, random.chance(500)),
        11 => Fault::KernelRefuses(router, random.below(1_500_000)),
        12 => Fault::EmptyEdit(router),
        13 => Fault::LoseWorker(router, random.below(4_000_000)),
        14 => Fault::Reconfigure(router, random.below(4)),
        _ => Fault::Decide(router, random.index(2 * SERVERS), word(random)),
    }
}

fn word(random: &mut Random) -> Word {
    let few = |random: &mut Random| random.between(1, 9);
    match random.below(8) {
        0 => Word::Drain(None),
        1 | 2 => Word::Drain(Some(random.between(1, 60))),
        3 => Word::Undrain,
        4 => Word::Disable,
        5 => Word::Enable,
        6 => Word::Weight(u32::try_from(few(random)).ok()),
        _ => Word::Weight(None),
    }
}

fn fault(random: &mut Random, shape: &Shape) -> Fault {
    let router = random.index(2);
    let path = random.index(shape.paths);
    let group = random.index(shape.groups.len());
    let dead = shape.dead_after;
    match random.below(38) {
        0 => Fault::CutOneWay(router, path),
        1 => Fault::CutPath(path, router),
        2 | 3 => Fault::CutAllFrom(router),
        4 | 5 => Fault::Partition,
        6 => Fault::CutAddresses,
        7 => Fault::CutWitness(router),
        8 => Fault::Lose(random.between(10, 500)),
        9 => Fault::Duplicate(random.between(10, 500)),
        10 => Fault::Corrupt(random.between(10, 500)),
        11 => Fault::Delay(times(dead, random.below(300))),
        12 => Fault::HoldBack(router, times(dead, random.between(100, 8000))),
        13..=16 => Fault::Mend,
        17 => Fault::Crash(router),
        18 => Fault::PowerLoss(router),
        19..=21 => Fault::Start(router),
        22 => Fault::StartBoth,
        23 => Fault::Stop(router),
        24 | 25 => Fault::Pause(router, times(dead, random.between(100, 4000))),
        26 => Fault::Suspend(router, times(dead, random.between(100, 4000))),
        27 => Fault::Clock(router, i64::try_from(random.below(60_000)).unwrap_or(0) - 30_000),
        28 | 29 => Fault::Failover(router, group),
        30 | 31 => Fault::TakeOver(router, group),
        32 => Fault::RotateKeys,
        33 => Fault::Reconfigure(router, random.below(4)),
        34 => Fault::Unfit(router, group),
        35 => Fault::LoseWorker(router, times(dead, random.below(3000))),
        36 => Fault::Replay(router, random.index(20) + 1),
        _ if random.chance(500) => Fault::Reflect(router, random.index(20) + 1),
        _ => Fault::Forge(router, random.index(20) + 1),
    }
}
