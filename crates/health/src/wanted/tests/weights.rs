//! Weights that a program or the load asks for.

use config::model::LoadMonitor;

use super::*;
use crate::load::Meter;
use crate::tests::clock::origin;

#[test]
fn the_weight_follows_the_load_but_not_over_the_operators_word() {
    let mut meter = Meter::default();
    meter.measured(3.2, origin());
    let mut service = www(&[A, B]);
    service.servers[0].weight = 100;
    let run = vec!["rup".into(), "%h".into()];
    let (interval, timeout) = (Duration::from_secs(20), Duration::from_secs(5));
    service.load = Some(LoadMonitor { run, interval, timeout });
    let mut world = World { load: meter.reading(), ..World::up(&[A, B]) };
    let server = world.wanted(&service).servers.remove(0);
    assert_eq!(server.placement, Placement::Serving(35));
    let because = server.because(100, &[CONNECTED], &world.decisions, "www");
    assert!(because.contains(&"load 3.2: weight 35 of 100".to_owned()), "{because:?}");
    world.decisions.change("www", A, |now| now.weight = Some((7, Note::default())));
    assert_eq!(world.wanted(&service).servers[0].placement, Placement::Serving(7));
    let unknown = World::up(&[A, B]).wanted(&service).servers.remove(0);
    assert_eq!(unknown.placement, Placement::Serving(100));
    let because = unknown.because(100, &[CONNECTED], &Decisions::default(), "www");
    assert!(because.contains(&"load not known: the configured weight".to_owned()), "{because:?}");
}

#[test]
fn the_weight_is_what_a_program_asks_for_and_the_load_is_on_top_of_it() {
    let mut meter = Meter::default();
    meter.measured(2.0, origin());
    let mut service = www(&[A, B]);
    let (interval, timeout) = (Duration::from_secs(20), Duration::from_secs(5));
    let mut world = World { asked: Asked::of(Some(10)), ..World::up(&[A, B]) };
    assert_eq!(world.pool(&service), [format!("{A}=10"), format!("{B}=10")]);
    service.load = Some(LoadMonitor { run: vec!["rup".into()], interval, timeout });
    world.load = meter.reading();
    let server = world.wanted(&service).servers.remove(0);
    let because = server.because(1, &[CONNECTED], &world.decisions, "www");
    let lines = ["weight 10 asked for by its check", "load 2.0: weight 5 of 10"];
    assert_eq!(because[1..3], lines, "{because:?}");
    assert_eq!(server.placement, Placement::Serving(5));
    world.decisions.change("www", A, |now| now.weight = Some((7, Note::default())));
    assert_eq!(world.pool(&service)[0], format!("{A}=7"));
}

#[test]
fn a_server_that_is_held_has_the_weight_that_it_asked_for() {
    let asked = Asked::of(Some(10));
    let down = Fitness { last_up: 1, asked, ..Fitness::DOWN };
    let mut service = www(&[A, B]);
    service.sorry = None;
    let wanted = World::default().wanted_with(&service, |_| down);
    assert_eq!(wanted.servers.iter().filter(|s| s.placement == Placement::Held(10)).count(), 1);
}
