//! Two cores that write to each other.

use super::*;

/// The pair: the first one carries the traffic. Their clocks are years apart.
struct Two {
    a: Bench,
    b: Bench,
    /// Letters arrive.
    connected: bool,
    letters: usize,
}

impl Two {
    fn running() -> Self {
        let (mut a, mut b) = (Bench::running(www()), Bench::running(www()));
        a.core.has_partner("master".into());
        b.core.has_partner("backup".into());
        a.core.active(vec!["web".into()]);
        b.core.active(Vec::new());
        b.now.unix_ms = 900_000_000_000;
        b.now.boot = Duration::from_secs(50);
        let mut two = Self { a, b, connected: true, letters: 0 };
        two.pass(Duration::from_secs(2));
        two
    }

    /// Time passes, in steps of 250 ms, and letters arrive.
    fn pass(&mut self, time: Duration) {
        let step = Duration::from_millis(250);
        for _ in 0..time.as_millis() / step.as_millis() {
            self.talk();
            self.a.pass(step);
            self.b.pass(step);
            self.a.now.unix_ms += 250;
            self.b.now.unix_ms += 250;
        }
        self.talk();
    }

    fn talk(&mut self) {
        let (from_a, from_b) = (self.a.core.letters(self.a.now), self.b.core.letters(self.b.now));
        self.letters += from_a.len() + from_b.len();
        if self.connected {
            from_a.iter().for_each(|letter| self.b.core.letter_came(letter, self.b.now));
            from_b.iter().for_each(|letter| self.a.core.letter_came(letter, self.a.now));
        }
        self.a.settle();
        self.b.settle();
    }

    fn agree(&self) {
        assert_eq!(self.a.table(), self.b.table());
        let (a, b) = (&self.a.core.ledger, &self.b.core.ledger);
        assert_eq!(a.digest(self.a.now.boot), b.digest(self.b.now.boot));
    }
}

fn drain(seconds: u64) -> Decision {
    Decision::Drain { deadline_seconds: Some(seconds) }
}

#[test]
fn a_decision_is_there_on_both_at_once_and_its_deadline_comes_for_both_together() {
    let mut two = Two::running();
    two.a.connections(A, 3);
    two.a.act(A, drain(60));
    two.talk();
    assert_eq!(two.b.table(), [format!("80: {A}=0 {B}=1")]);
    let status = two.b.core.status(&Surroundings::default(), two.b.now);
    assert_eq!(
        status.services[0].servers[0].decision.as_deref(),
        Some("draining by alice on master: new kernel, for 0 s, at most 60 s more")
    );
    assert_eq!(two.b.told("operator decided on the partner decision=drain"), 1, "{:?}", two.b.log);
    two.pass(Duration::from_secs(59));
    assert_eq!(two.b.table(), [format!("80: {A}=0 {B}=1")]);
    two.connected = false;
    two.pass(Duration::from_secs(1));
    assert_eq!(two.a.table(), [format!("80: {B}=1")]);
    assert_eq!(two.b.table(), [format!("80: {B}=1")]);
}

#[test]
fn the_standby_without_connections_does_not_end_a_drain_and_the_end_comes_over() {
    let mut two = Two::running();
    two.a.connections(A, 1);
    two.a.act(A, drain(600));
    two.pass(Duration::from_secs(10));
    assert_eq!(two.b.table(), [format!("80: {A}=0 {B}=1")]);
    two.a.connections(A, 0);
    two.pass(Duration::from_secs(3));
    assert_eq!(two.b.table(), [format!("80: {B}=1")]);
    two.agree();
}

#[test]
fn what_is_decided_while_the_other_is_off_is_there_when_it_is_back() {
    let mut two = Two::running();
    two.a.act(A, Decision::Disable);
    two.talk();
    two.connected = false;
    two.a.act(A, Decision::Enable);
    two.a.act(B, Decision::Weight { weight: Some(7) });
    two.pass(Duration::from_secs(3));
    two.b = two.b.restart();
    two.b.core.has_partner("backup".into());
    two.b.judge(A, Verdict::Up);
    assert_eq!(two.b.table(), [format!("80: {B}=1")], "a restart forgets nothing");
    two.connected = true;
    two.pass(Duration::from_secs(3));
    assert_eq!(two.b.table(), [format!("80: {A}=1 {B}=7")]);
    two.agree();
}

#[test]
fn hundreds_of_decisions_come_over_in_seconds_and_then_there_is_silence() {
    let mut two = Two::running();
    let addresses: Vec<String> =
        (0..400).map(|n| format!("10.0.{}.{}:80", n / 200, n % 200 + 1)).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let many = of(vec![service("www", 80, &addresses)]);
    two.a.configure(many.clone());
    two.b.configure(many);
    two.connected = false;
    for address in &addresses {
        two.a.act(address, Decision::Weight { weight: Some(9) });
    }
    two.pass(Duration::from_secs(60));
    two.connected = true;
    two.pass(Duration::from_secs(30));
    assert_eq!(two.b.core.decisions.len(), 400);
    two.agree();
    two.letters = 0;
    two.pass(Duration::from_secs(10));
    assert!(two.letters <= 22, "{} letters in ten quiet seconds", two.letters);
}

#[test]
fn no_letter_is_longer_than_a_packet_and_a_reason_that_would_be_is_refused() {
    let mut two = Two::running();
    let mut action = ServerAction {
        server: A.into(),
        service: None,
        decision: drain(60),
        reason: Some("\u{1}".repeat(1000)),
        who: None,
    };
    let refused = two.a.core.act(&action, two.a.now).unwrap_err();
    assert!(refused.error.contains("shorten the reason"), "{refused:?}");
    action.reason = Some("x".repeat(700));
    two.a.core.act(&action, two.a.now).unwrap();
    action.server = B.into();
    two.a.core.act(&action, two.a.now).unwrap();
    let letters = two.a.core.letters(two.a.now);
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|letter| letter.len() <= control::letter::MAX_LETTER));
}

#[test]
fn junk_is_told_once_and_changes_nothing() {
    let mut two = Two::running();
    for junk in ["", "{", "{\"digest\":-1}", "{\"digest\":1,\"entries\":[{}]}"] {
        two.a.core.letter_came(junk, two.a.now);
    }
    two.a.settle();
    assert_eq!(two.a.told("decisions of the partner cannot be understood"), 1);
    let heavy = r#"{"digest":1,"entries":[{"service":"www","server":"192.168.1.4:80","aspect":"weight","at":1,"router":"x","age_ms":0,"ruling":{"type":"weight","weight":4294967295,"since_ms":0}}]}"#;
    two.a.core.letter_came(heavy, two.a.now);
    two.pass(Duration::from_secs(2));
    assert_eq!(two.a.table(), [format!("80: {A}=1 {B}=1")]);
}

#[test]
fn a_decision_about_a_server_that_is_gone_waits_for_its_return_or_is_taken_back() {
    let mut bench = Bench::running(www());
    bench.act(A, Decision::Disable);
    bench.configure(of(vec![service("www", 80, &[B])]));
    bench.configure(www());
    assert_eq!(bench.table(), [format!("80: {B}=1")], "it returns as it went");
    bench.configure(of(vec![service("www", 80, &[B])]));
    bench.act(A, Decision::Enable);
    assert!(bench.core.decisions.is_empty());
}

#[test]
fn who_has_just_taken_over_ends_no_drain_before_connections_have_come() {
    let mut two = Two::running();
    two.a.connections(A, 1);
    two.a.act(A, Decision::Drain { deadline_seconds: None });
    two.pass(Duration::from_secs(3));
    // Nothing has come to it yet.
    two.b.core.active(vec!["web".into()]);
    two.pass(Duration::from_millis(1500));
    assert!(two.b.table().contains(&format!("80: {A}=0 {B}=1")), "{:?}", two.b.table());
    two.b.connections(A, 1);
    two.pass(Duration::from_secs(5));
    assert!(two.b.table().contains(&format!("80: {A}=0 {B}=1")), "{:?}", two.b.table());
    two.b.connections(A, 0);
    two.pass(Duration::from_secs(2));
    assert_eq!(two.b.table(), [format!("80: {B}=1")]);
}
