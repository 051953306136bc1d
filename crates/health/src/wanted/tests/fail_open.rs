use config::Percent;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

const C: &str = "192.168.1.6:80";
const D: &str = "192.168.1.7:80";
const REFUSED: Said<'_> = Said { check: "connect", fitness: Fitness::DOWN, reason: "refused" };

/// Four servers, half of which may leave, and no sorry server.
fn four() -> VirtualServer {
    VirtualServer { sorry: None, ..www(&[A, B, C, D]) }
}

/// The pool when these failed, in this order, and the others are up.
fn after(service: &VirtualServer, failed: &[&str]) -> (Vec<String>, WantedService) {
    let wanted = judged(service, &Decisions::default(), |at| {
        match failed.iter().position(|failed| *failed == at) {
            Some(order) => Fitness { last_up: order as u64 + 1, ..Fitness::DOWN },
            None => Fitness::UP,
        }
    });
    (rows(wanted.pools.values().next().unwrap()), wanted)
}

fn judged(
    service: &VirtualServer,
    decisions: &Decisions,
    judge: impl Fn(&str) -> Fitness,
) -> WantedService {
    let fitness = |probe: &Probe| judge(&probe.server.to_string());
    let (names, none) = (&Names::new(), &BTreeSet::new());
    let knowledge = Knowledge {
        names,
        fitness: &fitness,
        load: &|_| None,
        risen: &|_| None,
        decisions,
        resting: none,
        below_quorum: none,
    };
    wanted_service(service, &knowledge)
}

fn full(servers: &[&str]) -> Vec<String> {
    servers.iter().map(|at| format!("{at}=1")).collect()
}

#[test]
fn up_to_the_share_the_failed_leave_and_then_the_latest_to_fail_stay() {
    assert_eq!(after(&four(), &[B, A]).0, full(&[C, D]));
    let (pool, wanted) = after(&four(), &[B, A, D]);
    assert_eq!(pool, full(&[C, D]), "D failed last");
    assert!(wanted.failing_open);
    assert_eq!(wanted.servers[3].placement, Placement::Held(1));
    assert_eq!(after(&four(), &[B, A, D, C]).0, full(&[C, D]));
    assert!(!after(&four(), &[B, A]).1.failing_open);
}

#[test]
fn without_a_sorry_server_the_only_server_stays() {
    let service = VirtualServer { sorry: None, ..www(&[A]) };
    assert_eq!(after(&service, &[A]).0, full(&[A]));
    let all_may_leave = VirtualServer { max_down: Percent::ALL, ..service };
    assert!(after(&all_may_leave, &[A]).0.is_empty());
}

#[test]
fn when_none_is_up_the_sorry_server_serves_alone() {
    let service = www(&[A, B, C, D]);
    assert_eq!(after(&service, &[A, B, C]).0, full(&[C, D]));
    let (pool, wanted) = after(&service, &[A, B, C, D]);
    assert_eq!(pool, full(&[SORRY]));
    assert!(wanted.on_sorry && !wanted.failing_open);
}

#[test]
fn a_server_that_was_never_up_neither_stays_nor_counts() {
    let judge = |at: &str| match at {
        A => Fitness::UP,
        B => Fitness { last_up: 3, ..Fitness::DOWN },
        _ => Fitness::DOWN,
    };
    let wanted = judged(&four(), &Decisions::default(), judge);
    assert_eq!(rows(wanted.pools.values().next().unwrap()), full(&[A]), "one of two may leave");
}

#[test]
fn who_is_kept_has_the_operators_weight_and_says_why() {
    let service = VirtualServer { sorry: None, ..www(&[A]) };
    let mut decisions = Decisions::default();
    decisions.change("www", A, |now| now.weight = Some((7, Note::default())));
    let judge = |_: &str| Fitness { last_up: 1, ..Fitness::DOWN };
    let wanted = judged(&service, &decisions, judge);
    let server = &wanted.servers[0];
    assert_eq!(server.placement, Placement::Held(7));
    let because = server.because(1, &[REFUSED], &decisions, "www");
    assert!(
        because.contains(&"kept: max_down lets no more servers leave".to_owned()),
        "{because:?}"
    );
}

/// What is known and decided about one server.
#[derive(Clone, Debug)]
struct Case {
    fitness: Fitness,
    decided: Decided,
}

fn case() -> impl Strategy<Value = Case> {
    let fitness = prop_oneof![
        3 => Just(Fitness::UP),
        4 => (1_u64..5).prop_map(|last_up| Fitness { last_up, ..Fitness::DOWN }),
        1 => Just(Fitness::DOWN),
        1 => Just(Fitness::default()),
    ];
    let drain = option::weighted(0.1, any::<bool>());
    let weight = option::weighted(0.2, 0_u32..3);
    (fitness, drain, option::weighted(0.1, Just(())), weight).prop_map(
        |(fitness, drain, disabled, weight)| {
            let drain = drain.map(|done| Drain { note: Note::default(), deadline: None, done });
            let disabled = disabled.map(|()| Note::default());
            let weight = weight.map(|weight| (weight, Note::default()));
            Case { fitness, decided: Decided { drain, disabled, weight } }
        },
    )
}

impl Case {
    /// Nobody but its check keeps it out, and it has been in before.
    fn counts(&self) -> bool {
        let decided = &self.decided;
        let wanted = decided.drain.is_none()
            && decided.disabled.is_none()
            && decided.weight.as_ref().is_none_or(|(weight, _)| *weight > 0);
        let down = self.fitness.verdict == Verdict::Down && self.fitness.last_up > 0;
        wanted && (self.fitness.verdict == Verdict::Up || down)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn checks_never_take_out_more_than_their_share_nor_keep_more_than_they_must(
        cases in vec(case(), 1..9),
        share in 0_u8..=100,
        sorry in any::<bool>(),
        quiesce in any::<bool>(),
    ) {
        let at: Vec<String> = (0..cases.len()).map(|n| format!("192.168.1.{}:80", 10 + n)).collect();
        let names: Vec<&str> = at.iter().map(String::as_str).collect();
        let mut service = www(&names);
        service.max_down = Percent::new(share).unwrap();
        service.on_failure = if quiesce { OnFailure::Quiesce } else { OnFailure::Remove };
        if !sorry {
            service.sorry = None;
        }
        let mut decisions = Decisions::default();
        for (name, case) in at.iter().zip(&cases) {
            decisions.change("www", name, |now| *now = case.decided.clone());
        }
        let fitness = |name: &str| cases[at.iter().position(|at| at == name).unwrap()].fitness;
        let wanted = judged(&service, &decisions, fitness);
        let pool = wanted.pools.values().next().unwrap();
        let serves = |name: &String| {
            let at: SocketAddr = name.parse().unwrap();
            pool.destinations.get(&at).is_some_and(|destination| destination.weight > 0)
        };
        let counted: Vec<_> = at.iter().zip(&cases).filter(|(_, case)| case.counts()).collect();
        let (up, down): (Vec<_>, Vec<_>) =
            counted.iter().partition(|(_, case)| case.fitness.verdict == Verdict::Up);
        prop_assert!(up.iter().all(|(name, _)| serves(name)));
        let outsiders = at.iter().zip(&cases).filter(|(_, case)| !case.counts());
        prop_assert_eq!(outsiders.filter(|(name, _)| serves(name)).count(), 0);
        let (kept, left): (Vec<_>, Vec<_>) = down.iter().partition(|(name, _)| serves(name));
        prop_assert_eq!(wanted.failing_open, !kept.is_empty());
        if up.is_empty() && sorry {
            prop_assert!(kept.is_empty() && wanted.on_sorry);
        } else {
            let may_leave = counted.len() * usize::from(share) / 100;
            prop_assert_eq!(left.len(), down.len().min(may_leave));
        }
        let latest_gone = left.iter().map(|(_, case)| case.fitness.last_up).max();
        let earliest_kept = kept.iter().map(|(_, case)| case.fitness.last_up).min();
        prop_assert!(latest_gone.zip(earliest_kept).is_none_or(|(gone, kept)| gone <= kept));
    }
}
