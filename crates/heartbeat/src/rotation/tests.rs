use super::*;

/// A group in which everybody can find the private half: enough to see who talks to whom.
struct Toy(u8);

impl Pairs for Toy {
    type Private = u8;

    fn pair(&mut self) -> Option<(u8, [u8; HALF])> {
        self.0 += 1;
        Some((self.0, [self.0; HALF]))
    }

    fn meet(
        private: u8,
        theirs: &[u8; HALF],
        then: impl FnOnce(&[u8]) -> Option<Agreed>,
    ) -> Option<Agreed> {
        then(&[private ^ theirs.first()?])
    }
}

/// One router, whose disk is quick unless somebody looks at it.
struct Router {
    rotation: Rotation<Toy>,
    pairs: Toy,
    keys: Vec<Staged>,
    me: Side,
}

fn key(id: u8, stage: Stage) -> Staged {
    Staged { key: SharedKey { id, secret: vec![id; 32] }, stage }
}

fn router(me: Side) -> Router {
    let pairs = Toy(if me == Side::First { 10 } else { 100 });
    Router { rotation: Rotation::default(), pairs, keys: vec![key(1, Stage::InUse)], me }
}

fn standing(keys: &[Staged]) -> Vec<(u8, Stage)> {
    keys.iter().map(|one| (one.key.id, one.stage)).collect()
}

impl Router {
    fn see<T>(
        &mut self,
        partner: &[Staged],
        look: impl FnOnce(&mut Rotation<Toy>, &Seen<'_>, &mut Toy) -> T,
    ) -> T {
        let mut partner_keys = [0; MAX_KEYS];
        for (slot, one) in partner_keys.iter_mut().zip(partner) {
            *slot = one.key.id;
        }
        // The partner signs with the first of its keys that is held here.
        let held = |one: &&Staged| self.keys.iter().any(|own| own.key.id == one.key.id);
        let seen = Seen {
            keys: &self.keys,
            presence: Presence::Alive,
            partner_keys,
            partner_signs: partner.iter().find(held).map(|one| one.key.id),
            me: self.me,
            dead_after: Duration::from_millis(600),
        };
        look(&mut self.rotation, &seen, &mut self.pairs)
    }

    /// Does what is ordered; what is to be sent.
    fn obey(&mut self, orders: Vec<Order>) -> Vec<Exchange> {
        let mut sent = Vec::new();
        for order in orders {
            match order {
                Order::Send(exchange) => sent.push(exchange),
                Order::Write(keys, then) => {
                    self.keys = keys;
                    sent.extend(self.rotation.written(then, true));
                }
                Order::Failed(_) | Order::Ignored(_) => {}
            }
        }
        sent
    }

    fn hear(&mut self, said: &Exchange, partner: &[Staged]) -> Vec<Exchange> {
        let orders = self.see(partner, |rotation, seen, pairs| rotation.heard(said, seen, pairs));
        self.obey(orders)
    }

    fn wait(&mut self, partner: &[Staged], now: Moment) -> Vec<Exchange> {
        let orders = self.see(partner, |rotation, seen, _| rotation.due(seen, now));
        self.obey(orders)
    }

    fn begin(&mut self, partner: &[Staged], now: Moment) -> Result<Exchange, Refused> {
        self.see(partner, |rotation, seen, pairs| rotation.begin(seen, 7, pairs, now))
    }
}

fn at(millis: u64) -> Moment {
    Moment(Duration::from_millis(millis))
}

#[test]
fn two_routers_come_to_a_new_key_and_can_read_each_other_at_every_step() {
    let (mut a, mut b) = (router(Side::First), router(Side::Second));
    let offer = a.begin(&b.keys, at(0)).unwrap();
    assert_eq!(a.begin(&b.keys, at(0)), Err(Refused::NotOver));
    let answers = b.hear(&offer, &a.keys);
    assert_eq!(standing(&b.keys), [(1, Stage::InUse), (2, Stage::New)]);
    assert_eq!(b.hear(&offer, &a.keys), answers, "the answer was lost");
    assert_eq!(a.hear(&answers[0], &b.keys), []);
    assert_eq!(standing(&a.keys), [(2, Stage::InUse), (1, Stage::Old)]);
    assert_eq!(a.wait(&b.keys, at(100)), []);
    assert_eq!(standing(&a.keys).len(), 2, "the partner signs with the old one");
    b.wait(&a.keys, at(200));
    assert_eq!(standing(&b.keys), [(2, Stage::InUse), (1, Stage::Old)]);
    for (now, held) in [(300, 2), (899, 2), (900, 1)] {
        a.wait(&b.keys, at(now));
        b.wait(&a.keys, at(now));
        assert_eq!((a.keys.len(), b.keys.len()), (held, held), "at {now} ms");
    }
    assert_eq!(a.keys[0].key.secret, b.keys[0].key.secret);
    assert_ne!(a.keys[0].key.secret, [1; 32]);
    assert_eq!(Mode::of(a.keys.iter().map(|one| one.stage)), Mode::Enforce);
}

#[test]
fn an_offer_that_nobody_answers_is_repeated_and_given_up_and_changes_nothing() {
    let (mut a, b) = (router(Side::First), router(Side::Second));
    let offer = a.begin(&b.keys, at(0)).unwrap();
    assert_eq!(a.wait(&b.keys, at(100)), []);
    assert_eq!(a.wait(&b.keys, at(200)), [offer]);
    let orders = a.see(&b.keys, |rotation, seen, _| rotation.due(seen, at(5000)));
    assert!(matches!(orders[..], [Order::Failed(Failed::NoAnswer)]), "{orders:?}");
    assert_eq!(standing(&a.keys), [(1, Stage::InUse)]);
    assert!(a.begin(&b.keys, at(6000)).is_ok());
}

#[test]
fn of_two_that_are_asked_at_one_moment_the_first_router_counts() {
    let (mut a, mut b) = (router(Side::First), router(Side::Second));
    let (ours, theirs) = (a.begin(&b.keys, at(0)).unwrap(), b.begin(&a.keys, at(0)).unwrap());
    assert_eq!(a.hear(&theirs, &b.keys), []);
    let answers = b.hear(&ours, &a.keys);
    a.hear(&answers[0], &b.keys);
    assert_eq!(standing(&a.keys), [(2, Stage::InUse), (1, Stage::Old)]);
}

#[test]
fn an_answer_without_the_key_or_to_another_offer_counts_for_nothing() {
    let (mut a, mut b) = (router(Side::First), router(Side::Second));
    let offer = a.begin(&b.keys, at(0)).unwrap();
    let answer = b.hear(&offer, &a.keys)[0];
    a.hear(&Exchange { number: 8, ..answer }, &b.keys);
    assert_eq!(standing(&a.keys), [(1, Stage::InUse)]);
    let wrong = Exchange { proof: [9; HALF], ..answer };
    let orders = a.see(&b.keys, |rotation, seen, pairs| rotation.heard(&wrong, seen, pairs));
    assert!(matches!(orders[..], [Order::Failed(Failed::NotProven)]), "{orders:?}");
    assert_eq!(a.hear(&answer, &b.keys), []);
    assert_eq!(standing(&a.keys), [(1, Stage::InUse)], "it has ended");
}

#[test]
fn whoever_was_killed_goes_on_from_what_is_on_disk() {
    let (mut a, mut b) = (router(Side::First), router(Side::Second));
    let offer = a.begin(&b.keys, at(0)).unwrap();
    let answer = b.hear(&offer, &a.keys)[0];
    a.hear(&answer, &b.keys);
    // Both are killed here.
    for router in [&mut a, &mut b] {
        router.rotation = Rotation::default();
    }
    for now in [10_000, 10_100, 10_200, 10_900, 11_600] {
        a.wait(&b.keys, at(now));
        b.wait(&a.keys, at(now));
    }
    assert_eq!(
        (standing(&a.keys), standing(&b.keys)),
        (vec![(2, Stage::InUse)], vec![(2, Stage::InUse)])
    );
}

#[test]
fn the_keys_say_which_mode_they_are_in() {
    let (first, new) = (key(1, Stage::InUse), key(2, Stage::New));
    let mode = |keys: &[Staged]| Mode::of(keys.iter().map(|one| one.stage));
    assert_eq!(mode(&[first.clone(), new.clone()]).as_str(), "observe");
    let keys = preferred(new, &[first, key(2, Stage::New), key(9, Stage::New)]);
    assert_eq!(standing(&keys), [(2, Stage::InUse), (1, Stage::Old)]);
    assert_eq!(mode(&keys).as_str(), "prefer");
    assert_eq!(mode(&keys[..1]).as_str(), "enforce");
}
