use super::Decision::{HandOver, StandBy, StandDown, Stay, TakeOver};
use super::Outlook::{Alive, Cut, Doubt, Gone, Listening};
use super::*;

const DEAD: Duration = Duration::from_millis(600);

/// Fit, first of the two, nothing known of the partner's claim.
fn view(role: Role, partner: Outlook) -> View {
    View {
        role,
        fit: true,
        holding: false,
        partner,
        theirs: None,
        partner_ready: true,
        partner_deaf: false,
        comes_first: true,
        lower_id: true,
        offered: false,
        crossed: false,
        wish: None,
        fewer_witnesses: false,
        worker_failed: false,
        probe: Answer::NotNeeded,
        fencing: Fencing::NotNeeded,
        vacant_for: Duration::ZERO,
        rival_for: Duration::ZERO,
        surely_two: false,
        dead_after: DEAD,
    }
}

fn theirs(role: Role) -> Option<Claim> {
    Some(Claim { role, fit: true, ..Claim::default() })
}

const LOST: Outlook = Gone(Reason::PartnerLost);
const STOPPED: Outlook = Gone(Reason::PartnerStopped);

#[test]
fn without_a_claim_of_the_partner_role_and_outlook_decide() {
    use Role::{Active, Standby, Starting};
    let table = [
        (Starting, Listening, Stay),
        (Starting, Alive, StandBy),
        (Starting, LOST, StandBy),
        (Starting, Doubt, StandBy),
        (Starting, Cut, StandBy),
        (Standby, Listening, Stay),
        (Standby, Alive, Stay),
        (Standby, LOST, TakeOver(Reason::PartnerLost)),
        (Standby, STOPPED, TakeOver(Reason::PartnerStopped)),
        (Standby, Doubt, Stay),
        (Standby, Cut, Stay),
        (Active, Listening, Stay),
        (Active, Alive, Stay),
        (Active, LOST, Stay),
        (Active, STOPPED, Stay),
        (Active, Doubt, Stay),
        (Active, Cut, StandDown(Reason::WitnessSilent)),
    ];
    for (role, partner, wanted) in table {
        assert_eq!(decide(&view(role, partner)), wanted, "{role:?} {partner:?}");
    }
}

#[test]
fn an_unfit_router_takes_nothing_and_serves_nobody_alone() {
    for (role, partner, wanted) in [
        (Role::Standby, LOST, Stay),
        (Role::Standby, STOPPED, Stay),
        (Role::Active, LOST, StandDown(Reason::Unfit)),
        (Role::Active, Alive, Stay),
    ] {
        let view = View { fit: false, ..view(role, partner) };
        assert_eq!(decide(&view), wanted, "{role:?} {partner:?}");
    }
    let active = View { fit: false, theirs: theirs(Role::Standby), ..view(Role::Active, Alive) };
    assert_eq!(decide(&active), HandOver(Reason::Unfit));
    let both =
        View { theirs: Some(Claim { fit: false, ..theirs(Role::Standby).unwrap() }), ..active };
    assert_eq!(decide(&both), Stay, "neither can carry it: it stays where it is");
}

#[test]
fn a_restarted_router_goes_on_unless_somebody_took_the_group() {
    let resumed = TakeOver(Reason::Resumed);
    let holding = |partner, theirs| View { holding: true, theirs, ..view(Role::Starting, partner) };
    assert_eq!(decide(&holding(Listening, None)), Stay);
    assert_eq!(decide(&holding(Doubt, None)), Stay);
    assert_eq!(decide(&holding(Alive, None)), resumed);
    assert_eq!(decide(&holding(Alive, theirs(Role::Standby))), resumed);
    assert_eq!(decide(&holding(LOST, None)), resumed);
    assert_eq!(decide(&holding(Cut, None)), StandDown(Reason::WitnessSilent));
    let active = holding(Alive, theirs(Role::Active));
    assert_eq!(decide(&active), StandDown(Reason::PartnerActive));
    let leaving = Some(Claim { leaving: true, ..theirs(Role::Active).unwrap() });
    assert_eq!(decide(&holding(Alive, leaving)), resumed);
}

#[test]
fn both_standing_by_the_one_that_comes_first_takes_it_and_the_other_waits() {
    let first = View { theirs: theirs(Role::Standby), ..view(Role::Standby, Alive) };
    assert_eq!(decide(&first), TakeOver(Reason::ComesFirst));
    let second = View { comes_first: false, ..first };
    assert_eq!(decide(&second), Stay);
    let waited = View { vacant_for: DEAD, ..second };
    assert_eq!(decide(&waited), TakeOver(Reason::NobodyTook));
    let higher = View { lower_id: false, ..waited };
    assert_eq!(decide(&higher), Stay, "the other one is first even in waiting");
    let longer = View { vacant_for: DEAD * 2, ..higher };
    assert_eq!(decide(&longer), TakeOver(Reason::NobodyTook));
    let unfit = Some(Claim { fit: false, ..theirs(Role::Standby).unwrap() });
    assert_eq!(decide(&View { theirs: unfit, ..second }), TakeOver(Reason::ComesFirst));
}

#[test]
fn what_the_partner_occupies_is_not_taken() {
    let occupied = [
        theirs(Role::Active),
        Some(Claim { leaving: true, ..theirs(Role::Active).unwrap() }),
        Some(Claim { holding: true, ..theirs(Role::Starting).unwrap() }),
    ];
    for theirs in occupied {
        let view = View { theirs, vacant_for: DEAD * 9, ..view(Role::Standby, Alive) };
        assert_eq!(decide(&view), Stay, "{theirs:?}");
    }
}

#[test]
fn an_offer_is_taken_at_once_but_never_an_echo_of_our_own() {
    let yours = Some(Claim { yours: true, ..theirs(Role::Standby).unwrap() });
    let offered_to_us = View { theirs: yours, comes_first: false, ..view(Role::Standby, Alive) };
    assert_eq!(decide(&offered_to_us), TakeOver(Reason::HandedOver));
    let wished = View { wish: Some(Reason::Operator), ..offered_to_us };
    assert_eq!(decide(&wished), TakeOver(Reason::Operator));
    let offered = View { offered: true, ..offered_to_us };
    assert_eq!(decide(&offered), Stay);
    // Both gave it away: whoever is first in waiting takes it, as if nobody had offered it.
    let crossed = View { crossed: true, ..offered_to_us };
    assert_eq!(decide(&crossed), Stay);
    assert_eq!(decide(&View { comes_first: true, ..crossed }), Stay);
    let waited = View { vacant_for: DEAD, ..crossed };
    assert_eq!(decide(&waited), TakeOver(Reason::NobodyTook));
    assert_eq!(decide(&View { lower_id: false, ..waited }), Stay);
    let ours = View { offered: true, theirs: theirs(Role::Standby), ..view(Role::Standby, Alive) };
    assert_eq!(decide(&ours), Stay, "the partner has its time to take it");
}

#[test]
fn of_two_active_routers_exactly_one_gives_way() {
    let rival = theirs(Role::Active);
    let first = View { theirs: rival, ..view(Role::Active, Alive) };
    assert_eq!(decide(&first), Stay);
    let second = View { comes_first: false, ..first };
    assert_eq!(decide(&second), StandDown(Reason::TwoActive));
    let deaf = View { partner_deaf: true, rival_for: DEAD, ..first };
    assert_eq!(decide(&deaf), StandDown(Reason::PartnerDeaf));
    // Both believe that they come first: their configurations differ.
    let late = View { rival_for: DEAD * 2, ..first };
    assert_eq!(decide(&late), Stay);
    assert_eq!(decide(&View { lower_id: false, ..late }), StandDown(Reason::TwoActive));
    let leaving = Some(Claim { leaving: true, ..rival.unwrap() });
    assert_eq!(decide(&View { theirs: leaving, ..second }), Stay);
}

#[test]
fn a_group_is_given_only_to_a_partner_that_can_serve_it() {
    let wants = Claim { wants: true, ..theirs(Role::Standby).unwrap() };
    let asked = View { theirs: Some(wants), ..view(Role::Active, Alive) };
    assert_eq!(decide(&asked), HandOver(Reason::PartnerAsked));
    assert_eq!(decide(&View { partner_ready: false, ..asked }), Stay);
    let unfit = Some(Claim { fit: false, ..wants });
    assert_eq!(decide(&View { theirs: unfit, ..asked }), Stay);
    let failed =
        View { worker_failed: true, theirs: theirs(Role::Standby), ..view(Role::Active, Alive) };
    assert_eq!(decide(&failed), HandOver(Reason::WorkerFailed));
    assert_eq!(decide(&View { partner_ready: false, ..failed }), Stay);
    let starting = View { theirs: theirs(Role::Starting), ..failed };
    assert_eq!(decide(&starting), Stay);
}

/// Every state of one router against every state of the other: never does one decision round leave
/// both active, and never do both give up what one of them could keep.
#[test]
fn two_routers_that_see_each_other_never_both_take_it() {
    let roles = [Role::Starting, Role::Standby, Role::Active];
    let flags = [false, true];
    for mine in roles {
        for other in roles {
            for bits in 0..16u8 {
                let bit = |n: u8| flags[usize::from(bits >> n & 1)];
                let claim = |role, fit, yours| Claim { role, fit, yours, ..Claim::default() };
                let (a, b) = (claim(mine, bit(0), bit(1)), claim(other, bit(2), bit(3)));
                let see = |own: Claim, theirs: Claim, first: bool| {
                    decide(&View {
                        fit: own.fit,
                        offered: own.yours,
                        theirs: Some(theirs),
                        comes_first: first,
                        lower_id: first,
                        ..view(own.role, Alive)
                    })
                };
                let decisions = [see(a, b, true), see(b, a, false)];
                let takes = |decision: &Decision| matches!(decision, TakeOver(_));
                assert!(decisions.iter().filter(|d| takes(d)).count() < 2, "{a:?} {b:?}");
                let drops = |decision: &Decision| matches!(decision, StandDown(_));
                assert!(decisions.iter().filter(|d| drops(d)).count() < 2, "{a:?} {b:?}");
                let both = mine == Role::Active && other == Role::Active;
                assert_eq!(decisions.iter().any(drops), both, "{a:?} {b:?}");
            }
        }
    }
}
