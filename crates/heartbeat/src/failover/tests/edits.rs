//! Other times in the configuration, which one router has first.

use super::*;

const EDIT: u64 = 6;

fn timing(interval: u64, dead_after: u64) -> Timing {
    let ms = Duration::from_millis;
    Timing::try_new(ms(interval), ms(dead_after), None, ms(dead_after)).unwrap()
}

fn edit(bench: &mut Bench, timing: Timing) {
    let was = |path| PathSetup { carrier: true, was: Some(PathId(path)) };
    let new = Setup { timing, paths: vec![was(0), was(1)], config_hash: EDIT, ..setup() };
    let actions = bench.router.handle_setup(new, at(bench.now)).unwrap();
    assert_eq!(bench.note(actions), []);
}

/// The partner says on both paths that it has the edit as well.
fn agree(bench: &mut Bench, claim: Claim) {
    for path in [PathId(0), PathId(1)] {
        let mut packet = says(claim);
        packet.beat.config_hash = EDIT;
        let actions = bench.router.handle_heartbeat(path, packet, at(bench.now));
        assert_eq!(bench.note(actions), []);
    }
}

/// The partner speaks each 200 ms, more seldom than the new times would bear.
#[test]
fn shorter_times_move_nothing_while_the_partner_goes_by_the_old_ones() {
    for (mut bench, theirs) in
        [(Bench::active(), Role::Standby), (Bench::standby(setup()), Role::Active)]
    {
        let partner = claim(theirs);
        bench.pass(1050, Some(partner));
        edit(&mut bench, timing(50, 150));
        assert_eq!(bench.pass(5000, Some(partner)), [], "{theirs:?}");
        let wrong = |event: &Event| {
            matches!(event, Event::Paused { .. } | Event::PartnerLost { .. } | Event::PathSilent(_))
        };
        assert!(!bench.reports.iter().any(wrong), "{:?}", bench.reports);
        agree(&mut bench, partner);
        let deeds = bench.pass(150, None);
        let lost = Event::PartnerLost { silent: Duration::from_millis(150) };
        assert!(bench.reports.contains(&lost), "the new times count");
        assert_eq!(deeds.is_empty(), theirs == Role::Standby);
    }
}

/// A path on which nothing has come yet since the partner agreed is not silent for that.
#[test]
fn the_shorter_times_begin_anew_for_each_path() {
    let mut bench = Bench::active();
    bench.pass(1000, Some(claim(Role::Standby)));
    let actions = bench.router.handle_heartbeat(PathId(1), says(claim(Role::Standby)), at(1000));
    bench.note(actions);
    edit(&mut bench, timing(50, 150));
    bench.pass(190, None);
    bench.reports.clear();
    let mut packet = says(claim(Role::Standby));
    packet.beat.config_hash = EDIT;
    let actions = bench.router.handle_heartbeat(PathId(0), packet, at(bench.now));
    bench.note(actions);
    assert_eq!(bench.reports, [Event::ConfigAgrees]);
}

/// The partner would lose this router after 600 ms.
#[test]
fn a_router_with_longer_times_speaks_as_often_as_before_until_its_partner_has_them() {
    let mut bench = Bench::active();
    bench.pass(1000, Some(claim(Role::Standby)));
    edit(&mut bench, timing(2000, 6000));
    let beats = |bench: &mut Bench| {
        bench.sent.clear();
        bench.pass(4000, Some(claim(Role::Standby)));
        // On two paths.
        bench.sent.len() / 2
    };
    assert_eq!(beats(&mut bench), 20);
    // It was away for longer than the partner may have waited.
    bench.now += 700;
    assert_eq!(bench.pass(50, None), [stand_down(Reason::Paused)]);
    bench.stood_down();
    agree(&mut bench, claim(Role::Active));
    bench.sent.clear();
    let mut heard = says(claim(Role::Active));
    heard.beat.config_hash = EDIT;
    for _ in 0..40 {
        bench.now += 100;
        let actions = bench.router.handle_heartbeat(PathId(0), heard.clone(), at(bench.now));
        assert_eq!(bench.note(actions), []);
    }
    assert_eq!(bench.sent.len() / 2, 2, "each two seconds");
}

/// The partner has gone back to what both had before, while nothing was heard of it.
#[test]
fn the_times_of_a_configuration_that_both_had_are_known_again() {
    let mut bench = Bench::standby(setup());
    edit(&mut bench, timing(50, 150));
    agree(&mut bench, claim(Role::Active));
    // Paths that come and go are no other configuration.
    for _ in 0..EARLIER {
        edit(&mut bench, timing(50, 150));
    }
    let deeds = bench.pass(1000, None);
    assert_eq!(deeds, [take_over(Reason::PartnerLost)]);
    // It speaks each 200 ms, and has the first configuration.
    bench.reports.clear();
    assert_eq!(bench.pass(5000, Some(claim(Role::Standby))), []);
    let lost = |event: &&Event| matches!(event, Event::PartnerLost { .. });
    assert_eq!(bench.reports.iter().filter(lost).count(), 0);
}

#[test]
fn whoever_learns_of_shorter_times_speaks_at_once_and_was_not_paused() {
    let mut bench = Bench::active();
    edit(&mut bench, timing(50, 150));
    agree(&mut bench, claim(Role::Standby));
    let actions = bench.router.handle_setup(Setup { config_hash: 7, ..setup() }, at(bench.now));
    bench.note(actions.unwrap());
    let heard = |bench: &mut Bench, config_hash| {
        let mut packet = says(claim(Role::Standby));
        packet.beat.config_hash = config_hash;
        let actions = bench.router.handle_heartbeat(PathId(0), packet, at(bench.now));
        assert_eq!(bench.note(actions), []);
    };
    heard(&mut bench, 7);
    // It speaks, and by the longer times not for another 200 ms.
    bench.pass(50, None);
    bench.now += 190;
    bench.sent.clear();
    heard(&mut bench, EDIT);
    assert!(!bench.sent.is_empty());
    bench.now += 20;
    heard(&mut bench, EDIT);
    let paused = |event: &Event| matches!(event, Event::Paused { .. });
    assert!(!bench.reports.iter().any(paused), "{:?}", bench.reports);
}

/// It was started with times of its own: it speaks each two seconds, and loses us after 6 s.
#[test]
fn a_partner_whose_times_were_never_known_is_lost_after_three_of_its_own_intervals() {
    let mut bench = Bench::standby(setup());
    let mut heard = says(claim(Role::Active));
    heard.beat.config_hash = EDIT;
    heard.beat.features = Beat::tell_interval(Duration::from_secs(2));
    for _ in 0..10 {
        let actions = bench.router.handle_heartbeat(PathId(0), heard.clone(), at(bench.now));
        assert_eq!(bench.note(actions), []);
        assert_eq!(bench.pass(2000, None), []);
    }
    // A power of two times 32 ms.
    let silent = heard.beat.interval().unwrap() * 3;
    assert_eq!(silent, Duration::from_millis(6144));
    assert_eq!(bench.pass(5000, None), [take_over(Reason::PartnerLost)]);
    assert!(bench.reports.contains(&Event::PartnerLost { silent: Duration::from_millis(6150) }));
}

/// It may lose us after three of the intervals that we tell it.
#[test]
fn beside_unknown_times_three_silent_intervals_are_a_pause() {
    let slow = Setup { timing: timing(200, 1000), ..setup() };
    for (told, paused) in [(Some(Duration::from_millis(50)), true), (None, false)] {
        let mut bench = Bench::new(slow.clone());
        bench.worker(READY);
        let mut heard = says(claim(Role::Standby));
        heard.beat.config_hash = EDIT;
        heard.beat.features = told.map_or(0, Beat::tell_interval);
        let actions = bench.router.handle_heartbeat(PathId(0), heard.clone(), at(bench.now));
        assert_eq!(bench.note(actions), [take_over(Reason::ComesFirst)]);
        assert_eq!(bench.sent.last().unwrap().interval(), Some(Duration::from_millis(256)));
        bench.now += 700;
        let deeds = bench.pass(50, None);
        let expected = if paused { vec![stand_down(Reason::Paused)] } else { vec![] };
        assert_eq!(deeds, expected, "{told:?}");
    }
}

/// A partner of an older release, with times of its own.
fn of_unknown_times() -> Received {
    let mut heard = says(claim(Role::Active));
    heard.beat.config_hash = EDIT;
    heard
}

impl Bench {
    /// It speaks, and is silent for so long then. How often it is lost.
    fn lost_in(&mut self, heard: &Received, silent: u64) -> usize {
        self.reports.clear();
        let actions = self.router.handle_heartbeat(PathId(0), heard.clone(), at(self.now));
        assert_eq!(self.note(actions), []);
        for _ in 0..silent / 50 {
            let asked = self.probes.len();
            assert_eq!(self.pass(50, None), []);
            if self.probes.len() > asked {
                assert_eq!(self.probed(true), []);
            }
        }
        let lost = |event: &&Event| matches!(event, Event::PartnerLost { .. });
        self.reports.iter().filter(lost).count()
    }
}

#[test]
fn whoever_loses_a_partner_of_unknown_times_asks_who_has_the_addresses() {
    for (somebody, deeds) in [(true, vec![]), (false, vec![take_over(Reason::PartnerLost)])] {
        let mut bench = Bench::standby(setup());
        let actions = bench.router.handle_heartbeat(PathId(0), of_unknown_times(), at(0));
        bench.note(actions);
        assert_eq!(bench.pass(650, None), []);
        assert_eq!(bench.probed(somebody), deeds);
    }
}

#[test]
fn an_interval_that_nobody_tells_is_seen_in_two_silences() {
    let mut bench = Bench::standby(setup());
    let mut heard = of_unknown_times();
    let lost: Vec<_> = (0..6).map(|_| bench.lost_in(&heard, 2000)).collect();
    assert_eq!(lost, [1, 1, 0, 0, 0, 0]);
    // Three of its intervals.
    assert_eq!([bench.lost_in(&heard, 5950), bench.lost_in(&heard, 6050)], [0, 1]);
    heard.new_session = true;
    assert_eq!(bench.lost_in(&heard, 2000), 0, "a restart is no reason to lose patience");
}

#[test]
fn long_silences_are_no_interval_and_neither_are_two_that_differ() {
    let mut bench = Bench::standby(setup());
    let mut lost = |silent| bench.lost_in(&of_unknown_times(), silent);
    assert_eq!([5000; 5].map(&mut lost), [1; 5]);
    assert_eq!([1000, 2000, 1000, 2000].map(&mut lost), [1; 4]);
    assert_eq!(
        [2200, 2000, 5950].map(&mut lost),
        [1, 0, 0],
        "of two that are alike the shorter counts"
    );
}

/// On each of two paths a packet; the heartbeat in between was lost on both.
#[test]
fn a_heartbeat_that_did_not_arrive_makes_no_interval() {
    for (each, lost_last) in [(2, 0), (3, 1)] {
        let mut bench = Bench::standby(setup());
        let mut lost = 0;
        for n in 1..6 {
            let heard = Received { sequence: n * each, ..of_unknown_times() };
            lost = bench.lost_in(&heard, 2000);
        }
        assert_eq!(lost, lost_last, "{each} packets on");
    }
}

#[test]
fn a_restart_is_no_silence() {
    let mut bench = Bench::standby(setup());
    let heard = Received { new_session: true, ..of_unknown_times() };
    let lost: Vec<_> = (0..4).map(|_| bench.lost_in(&heard, 2000)).collect();
    assert_eq!(lost, [1; 4]);
}
