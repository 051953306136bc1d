use std::path::Path;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const NOW: Duration = Duration::from_secs(1000);
const PATH: &str = "cluster.yaml";

/// A file with one virtual server on each of these ports, and what else is to be in it.
fn file_with(ports: &[u16], more: &str) -> Loaded {
    let services: String = ports
        .iter()
        .map(|port| {
            format!("  s{port}: {{ listen: '192.168.1.1:{port}/tcp', servers: [10.0.0.1] }}\n")
        })
        .collect();
    let services = if ports.is_empty() { "{}".into() } else { format!("\n{services}") };
    let text = format!("services: {services}\n{more}");
    let loaded = crate::load(Path::new(PATH), false, &|_| Ok(text.clone().into_bytes()));
    assert!(loaded.cluster.is_some(), "{:?}", loaded.diagnostics);
    loaded
}

fn file(ports: &[u16]) -> Loaded {
    file_with(ports, "")
}

fn pair(addresses: &str) -> String {
    format!(
        "routers: {{ a: {{ paths: [10.0.0.1] }}, b: {{ paths: [10.0.0.2] }} }}\n\
         groups: {{ web: {{ addresses: [192.168.1.1/24{addresses}] }} }}\n"
    )
}

fn running(ports: &[u16]) -> InForce {
    begin(None, &mut file(ports)).0
}

fn begin(remembered: Option<InForce>, loaded: &mut Loaded) -> (InForce, Beginning) {
    let remembered = remembered.map(Remembered::State);
    InForce::begin(remembered, PATH.into(), loaded, NOW).unwrap()
}

/// Written to disk and read by the next one.
fn remembered(state: &InForce) -> Option<InForce> {
    match Remembered::read(&Text(json(state))).unwrap() {
        Remembered::State(state) => Some(state),
        Remembered::Outline(outlined) => panic!("{outlined:?}"),
    }
}

fn json(state: &InForce) -> String {
    serde_json::to_string(&state.written()).unwrap()
}

struct Text(String);

impl Reader for Text {
    type Error = serde_json::Error;

    fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

fn why(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Refuse(reasons) => reasons[0].one_line(),
        other => panic!("{other:?}"),
    }
}

fn ports(state: &InForce) -> usize {
    state.running.cluster.services.len()
}

#[test]
fn up_to_half_of_the_services_may_go_without_a_word() {
    let state = running(&[1, 2, 3, 4]);
    assert_eq!(state.judge(&file(&[1, 2, 3, 4]), How::Unconfirmed), Judgement::Same);
    assert_eq!(state.judge(&file(&[1, 2]), How::Unconfirmed), Judgement::Take);
    assert_eq!(state.judge(&file(&[1, 2, 9]), How::Unconfirmed), Judgement::Take);
    let refused = why(&state.judge(&file(&[4, 5, 6, 7]), How::Unconfirmed));
    assert!(
        refused.contains("it removes 3 of 4 services (192.168.1.1:1/tcp, 192.168.1.1:2/tcp, "),
        "{refused}"
    );
    assert!(refused.contains("lvsctl apply --confirm"), "{refused}");
    assert_eq!(state.judge(&file(&[4]), How::Confirmed(None)), Judgement::Take);
}

#[test]
fn an_empty_file_wants_a_word_whatever_the_limit_is() {
    let more = format!("max_removed: 100%\n{}", pair(""));
    let (state, _) = begin(None, &mut file_with(&[1, 2], &more));
    assert_eq!(state.judge(&file_with(&[3], &more), How::Unconfirmed), Judgement::Take);
    let refused = why(&state.judge(&file_with(&[], &more), How::Unconfirmed));
    assert!(refused.contains("2 of 2 services"), "{refused}");
}

#[test]
fn the_limit_in_force_counts_and_not_that_of_the_edit() {
    let state = running(&[1, 2, 3, 4]);
    why(&state.judge(&file_with(&[1], "max_removed: 100%"), How::Unconfirmed));
}

#[test]
fn floating_addresses_count_by_themselves() {
    let pair = |addresses: &str| file_with(&[1, 2], &pair(addresses));
    let (state, _) = begin(None, &mut pair(", 192.168.1.2/24, 192.168.1.3/24"));
    assert_eq!(state.judge(&pair(", 192.168.1.2/24"), How::Unconfirmed), Judgement::Take);
    let refused = why(&state.judge(&pair(""), How::Unconfirmed));
    assert!(refused.contains("it removes 2 of 3 floating addresses (192.168.1.2, "), "{refused}");
    assert!(why(&state.judge(&file(&[1, 2]), How::Unconfirmed)).contains("3 of 3 floating"));
}

#[test]
fn a_trial_goes_back_by_itself_and_its_edit_is_refused_from_then_on() {
    let mut state = running(&[1, 2, 3, 4]);
    state.take(&file(&[1]), How::Confirmed(Some(MINUTE)), NOW);
    assert_eq!((ports(&state), state.trial_left(NOW)), (1, Some(MINUTE)));
    assert!(state.go_back(NOW + MINUTE - Duration::from_millis(1)).is_none());
    assert_eq!(state.go_back(NOW + MINUTE).unwrap().cluster.services.len(), 4);
    assert_eq!(state.trial_left(NOW), None);
    assert!(why(&state.judge(&file(&[1]), How::Unconfirmed)).contains("was on trial"));
    assert!(state.outlives_a_stop());
    assert_eq!(state.judge(&file(&[1]), How::Confirmed(None)), Judgement::Take);
    assert_eq!(state.judge(&file(&[1, 2, 3, 4]), How::Unconfirmed), Judgement::Same);
    assert_eq!(state.judge(&file(&[1, 2, 3]), How::Unconfirmed), Judgement::Take);
}

#[test]
fn what_is_kept_or_confirmed_again_stays() {
    for keep in [true, false] {
        let mut state = running(&[1, 2, 3, 4]);
        state.take(&file(&[1]), How::Confirmed(Some(MINUTE)), NOW);
        if keep {
            assert!(state.keep());
        } else {
            state.take(&file(&[1]), How::Confirmed(None), NOW);
        }
        assert!(state.go_back(NOW + MINUTE).is_none() && !state.outlives_a_stop());
        assert_eq!(ports(&state), 1);
        assert!(!state.keep(), "nothing is on trial any more");
    }
}

#[test]
fn edits_within_a_trial_are_on_trial_too_and_going_back_by_hand_ends_it() {
    let mut state = running(&[1, 2, 3, 4]);
    state.take(&file(&[1, 2]), How::Confirmed(Some(MINUTE)), NOW);
    state.take(&file(&[1]), How::Unconfirmed, NOW + MINUTE / 2);
    assert_eq!(state.trial_left(NOW + MINUTE / 2), Some(MINUTE / 2));
    assert_eq!(state.judge(&file(&[1, 2, 3, 4]), How::Unconfirmed), Judgement::Take);
    let mut by_hand = state.clone();
    by_hand.take(&file(&[1, 2, 3, 4]), How::Unconfirmed, NOW);
    assert_eq!(by_hand.trial_left(NOW), None);
    assert_eq!(state.go_back(NOW + MINUTE).unwrap().cluster.services.len(), 4);
}

#[test]
fn a_trial_of_what_is_in_force_is_none() {
    let mut state = running(&[1, 2]);
    state.take(&file(&[1, 2]), How::Confirmed(Some(MINUTE)), NOW);
    assert_eq!(state.trial_left(NOW), None);
}

#[test]
fn a_restart_goes_on_with_the_trial_and_goes_back_when_its_time_has_passed() {
    let mut state = running(&[1, 2, 3, 4]);
    state.take(&file(&[1]), How::Confirmed(Some(MINUTE)), NOW - MINUTE / 2);
    let (again, began) = begin(remembered(&state), &mut file(&[1]));
    assert_eq!(again.trial_left(NOW), Some(MINUTE / 2));
    assert_eq!(began.loaded.cluster.unwrap().services.len(), 1);
    assert!(began.refused.is_empty());

    state.take(&file(&[1]), How::Confirmed(Some(MINUTE)), NOW - MINUTE);
    let (again, began) = begin(remembered(&state), &mut file(&[1]));
    assert_eq!(began.loaded.cluster.unwrap().services.len(), 4);
    assert!(began.refused[0].message.contains("was on trial"));
    let (_, began) = begin(remembered(&again), &mut file(&[1]));
    assert_eq!(began.loaded.cluster.unwrap().services.len(), 4, "and after one more restart");
}

#[test]
fn a_clock_that_begins_anew_makes_a_trial_no_longer() {
    let mut state = running(&[1, 2]);
    state.take(&file(&[1]), How::Confirmed(Some(MINUTE)), 100 * NOW);
    assert_eq!(state.trial_left(Duration::ZERO), Some(MINUTE));
}

#[test]
fn a_restart_does_not_take_the_edit_that_was_refused() {
    let mut state = running(&[1, 2, 3, 4]);
    let mut broken = crate::load(Path::new(PATH), false, &|_| Ok(b"servces: {}\n".to_vec()));
    for edit in [&mut file(&[1]), &mut broken] {
        assert!(matches!(state.judge(edit, How::Unconfirmed), Judgement::Refuse(_)));
        state.refused();
        assert!(state.outlives_a_stop());
        let (_, began) = begin(remembered(&state), edit);
        assert_eq!(began.loaded.cluster.unwrap().services.len(), 4);
        assert!(!began.refused.is_empty());
    }
    let (mended, began) = begin(remembered(&state), &mut file(&[1, 2]));
    assert_eq!(began.loaded.cluster.unwrap().services.len(), 2);
    assert!(!mended.outlives_a_stop());
}

#[test]
fn a_first_start_and_another_path_remember_nothing() {
    let mut broken = crate::load(Path::new(PATH), false, &|_| Ok(b"servces: {}\n".to_vec()));
    assert!(InForce::begin(None, PATH.into(), &mut broken, NOW).is_none());
    let state = running(&[1, 2, 3, 4]);
    let other = "other.yaml".into();
    let (_, began) =
        InForce::begin(remembered(&state).map(Remembered::State), other, &mut file(&[1]), NOW)
            .unwrap();
    assert_eq!(began.loaded.cluster.unwrap().services.len(), 1);
}

/// Written by the first release that has versions. When this is red a field of the model is new and
/// has no `#[serde(default)]`: give it one, and leave the file as it is.
#[test]
fn what_an_older_release_remembered_is_read() {
    let written = Text(include_str!("first_version.json").to_owned());
    let Remembered::State(state) = Remembered::read(&written).unwrap() else {
        panic!("{:?}", written.read::<serde_json::Value>().unwrap()["state"]);
    };
    assert_eq!(ports(&state), 5);
    // Before there were versions the state stood alone.
    let bare = written.read::<serde_json::Value>().unwrap()["state"].to_string();
    assert_eq!(Remembered::read(&Text(bare)).unwrap(), Remembered::State(state));
}

#[test]
fn of_a_model_that_cannot_be_read_what_an_edit_takes_away_is_known_all_the_same() {
    let before = json(&begin(None, &mut file_with(&[1, 2, 3, 4], &pair(", 10.1.1.1"))).0);
    let strange = |text: &str| Text(text.replacen("\"services\":[{", "\"services\":[7,{", 1));
    let later = strange(&before.replacen("\"version\":1", "\"version\":2", 1));
    for written in [strange(&before), later] {
        let outlined = Remembered::read(&written).unwrap();
        assert!(matches!(outlined, Remembered::Outline(_)), "{outlined:?}");
        let begin = |loaded: &mut Loaded| {
            InForce::begin(Some(outlined.clone()), PATH.into(), loaded, NOW).is_some()
        };
        let more = pair(", 10.1.1.1");
        assert!(begin(&mut file_with(&[1, 2, 3, 4], &more)), "the file that was in force");
        assert!(begin(&mut file_with(&[1, 2, 9], &more)), "half of them");
        let mut edit = file_with(&[1], &more);
        assert!(!begin(&mut edit));
        let told = edit.diagnostics.last().unwrap().one_line();
        assert!(
            told.contains("it removes 3 of 4 services") && told.contains("in_force.json"),
            "{told}"
        );
        let other = InForce::begin(Some(outlined.clone()), "other".into(), &mut edit, NOW);
        assert!(other.is_some(), "that was another file");
    }
    assert!(Remembered::read(&Text("{}".to_owned())).is_err());
}
