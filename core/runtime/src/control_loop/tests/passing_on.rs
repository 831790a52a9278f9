//! The authority over the arm passes on: what is held, and what is not heard.

use proptest::prelude::*;

use super::*;
use crate::authority::Authority;

#[test]
fn a_mandate_ends_with_its_term_also_for_the_same_authority() {
    let word = AuthorityWord::default();
    let first = word.mandate();
    assert!(word.confirms(first) && first.authority() == Authority::Policy);
    let nobody = word.pass_to(Authority::Nobody);
    assert!(!word.confirms(first) && !word.confirms(nobody));
    let operator = word.pass_to(Authority::Operator);
    assert!(word.confirms(operator) && operator == word.mandate());
    let again = word.pass_to(Authority::Policy);
    assert!(word.confirms(again) && !word.confirms(first) && !word.confirms(operator));
}

#[test]
fn of_many_threads_that_pass_it_on_one_has_it() {
    let word = AuthorityWord::default();
    let mandates: Vec<Mandate> = std::thread::scope(|scope| {
        let pass = |who: Authority| {
            let word = word.clone();
            move || {
                (0..500)
                    .map(|_| word.pass_to(who))
                    .collect::<Vec<Mandate>>()
            }
        };
        let threads = [Authority::Policy, Authority::Operator, Authority::Policy]
            .map(|who| scope.spawn(pass(who)));
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let valid = mandates.iter().filter(|it| word.confirms(**it)).count();
    assert_eq!((mandates.len(), valid), (1500, 1));
}

#[test]
fn who_loses_the_authority_is_held_in_the_same_tick_and_not_heard_any_more() {
    let mut rig = Rig::moving();
    let policy = rig.authority.mandate();
    rig.authority.pass_to(Authority::Nobody);
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Holding);
    assert_eq!(rig.told()[0].1, "authority");
    // Nothing that is ordered in the name of before, or of nobody, moves it.
    rig.run(300);
    assert!(rig.control.status().at_rest);
    rig.swing_as(policy, u64::MAX);
    rig.swing(u64::MAX);
    rig.run(50);
    assert!(rig.mode() == ControlMode::Holding && rig.control.status().at_rest);
    // The person's motion begins at rest, and ends with the person's term.
    let person = rig.authority.pass_to(Authority::Operator);
    rig.swing_as(policy, u64::MAX);
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Holding);
    rig.swing_as(person, u64::MAX);
    rig.run(300);
    assert_eq!(rig.mode(), ControlMode::Following);
    let again = rig.authority.pass_to(Authority::Policy);
    rig.swing_as(again, u64::MAX);
    rig.tick();
    assert_eq!(rig.mode(), ControlMode::Holding, "not spliced onto it");
    rig.swing_as(again, u64::MAX);
    assert_eq!(rig.mode(), ControlMode::Holding, "nor while it brakes");
}

#[test]
fn a_hand_that_lets_go_of_the_arm_holds_it_and_may_take_it_again() {
    let mut rig = Rig::moving();
    let person = rig.authority.pass_to(Authority::Operator);
    rig.run(300);
    rig.told();
    let key = rig.heartbeats.expect(HeartbeatKind::Jog, 100 * MS);
    rig.swing_as(person, u64::MAX);
    for _ in 0..5 {
        rig.run(80);
        key.beat();
    }
    let ticks = rig.ticks_in(ControlMode::Following, 500);
    assert!((100..=103).contains(&ticks), "{ticks}");
    assert_eq!(rig.mode(), ControlMode::Holding);
    assert_eq!(rig.told()[0].1, "jog_heartbeat");
    rig.run(300);
    key.beat();
    rig.swing_as(person, u64::MAX);
    rig.run(50);
    assert_eq!(rig.mode(), ControlMode::Following);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whoever orders whatever in the name of whomever: within one tick of the
    /// authority's end the arm brakes, and it stands until a new term's order.
    #[test]
    fn no_order_moves_an_arm_that_nobody_has(codes in prop::collection::vec(any::<u8>(), 20..60)) {
        let mut rig = Rig::new();
        rig.run(5);
        let mut known = vec![rig.authority.mandate()];
        for code in codes {
            match code % 6 {
                0 | 1 => known.push(rig.authority.pass_to(Authority::Nobody)),
                2 => known.push(rig.authority.pass_to(Authority::Operator)),
                3 => known.push(rig.authority.pass_to(Authority::Policy)),
                _ => {
                    let mandate = known[usize::from(code) % known.len()];
                    rig.swing_as(mandate, u64::MAX);
                }
            }
            rig.tick();
            let who = rig.authority.mandate();
            if who.authority() == Authority::Nobody {
                prop_assert_eq!(rig.mode(), ControlMode::Holding);
                rig.run(300);
                prop_assert!(rig.control.status().at_rest);
            } else if rig.mode() == ControlMode::Following {
                prop_assert_eq!(rig.control.mandate, who);
                rig.run(u64::from(code % 40));
            }
        }
    }
}
