//! The arm in a person's hand, asked for or not.

use super::talking::{kinds, on, talk_to};
use super::*;

/// Fails as often as it may before a person is asked.
fn hopeless() -> Vec<Script> {
    let settings = ExecutiveSettings::default();
    let tries = settings.attempts_per_step * (1 + settings.max_replans);
    // Before every other try it goes home, which works.
    (0..tries)
        .flat_map(|number| match number % settings.attempts_per_step {
            0 => vec![Script::Fails],
            _ => vec![Script::Works, Script::Fails],
        })
        .collect()
}

fn tries_by_hand(ran: &Ran) -> usize {
    let by_hand = |kind: &&&RunEventKind| matches!(kind, RunEventKind::StepStarted { alternative: Some(way), .. } if way == "by hand");
    kinds(ran, "step_started").iter().filter(by_hand).count()
}

#[test]
fn a_person_does_the_step_that_does_not_work() {
    let robot = Fake::with_hands(&hopeless(), &[(true, TakenOver::GivenBack)]);
    let take_over = Reply::Choice(2);
    let ran = run_with(&Ladder::rules_only(), PUT, robot, &[take_over]);
    assert!(ran.report.success, "{:?}", ran.report);
    assert_eq!(ran.report.handoffs, 1);
    assert_eq!(tries_by_hand(&ran), 1);
    assert_eq!(on(&ran, "red_block"), "blue_bowl");
    assert_eq!(
        ran.robot.turns,
        [HandoffTurn::Asked, HandoffTurn::TakenOver]
    );
    let RunEventKind::Handoff { choices, .. } = kinds(&ran, "handoff")[0] else {
        panic!("a question");
    };
    assert_eq!(
        choices,
        &["try again", "skip this step", "take over", "abort"]
    );
}

#[test]
fn a_step_that_a_hand_did_not_do_is_asked_about_again() {
    let hands = [(false, TakenOver::GivenBack), (false, TakenOver::GivenUp)];
    let robot = Fake::with_hands(&hopeless(), &hands);
    let replies = [Reply::Choice(2), Reply::Text("take over".to_owned())];
    let ran = run_with(&Ladder::rules_only(), PUT, robot, &replies);
    assert_eq!(ran.report.outcome, RunOutcome::Aborted);
    assert_eq!((ran.report.handoffs, tries_by_hand(&ran)), (2, 2));
    for (end, outcome) in [
        (TakenOver::Unanswered, RunOutcome::NeedsPerson),
        (
            TakenOver::SafetyStopped {
                limit: "force".to_owned(),
            },
            RunOutcome::SafetyStop,
        ),
    ] {
        let robot = Fake::with_hands(&hopeless(), &[(false, end)]);
        let ran = run_with(&Ladder::rules_only(), PUT, robot, &[Reply::Choice(2)]);
        assert_eq!(ran.report.outcome, outcome);
    }
}

#[test]
fn the_arm_is_taken_in_the_middle_of_a_step_and_the_plan_goes_on_from_there() {
    // The person picks; the robot places.
    let robot = Fake::with_hands(&[], &[(true, TakenOver::GivenBack)]);
    let ran = talk_to(robot, PUT, &[(2, "take over")], &[], &[]);
    assert!(ran.report.success, "{:?}", ran.report);
    assert_eq!(ran.robot.ran, [Op::Pick, Op::Place]);
    assert_eq!(ran.robot.turns, [HandoffTurn::Demanded]);
    assert_eq!((ran.report.handoffs, tries_by_hand(&ran)), (1, 1));
    // Nobody was asked.
    assert!(kinds(&ran, "handoff").is_empty());

    // Given back as it was: the robot does it.
    let robot = Fake::with_hands(&[], &[(false, TakenOver::GivenBack)]);
    let ran = talk_to(robot, PUT, &[(2, "let me do it")], &[], &[]);
    assert!(ran.report.success, "{:?}", ran.report);
    assert_eq!(ran.robot.ran, [Op::Pick, Op::Pick, Op::Place]);

    let robot = Fake::with_hands(&[], &[(false, TakenOver::GivenUp)]);
    let ran = talk_to(robot, PUT, &[(2, "take over")], &[], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::Aborted);
}

#[test]
fn a_paused_arm_is_taken_too_and_one_without_a_hand_says_so() {
    let robot = Fake::with_hands(&[], &[(true, TakenOver::GivenBack)]);
    let ran = talk_to(robot, PUT, &[(2, "pause")], &["take over"], &[]);
    assert!(ran.report.success, "{:?}", ran.report);
    assert_eq!(ran.robot.ran, [Op::Pick, Op::Place]);

    let ran = talk_to(Fake::new(&[]), PUT, &[(2, "take over")], &[], &[]);
    assert!(ran.report.success, "{:?}", ran.report);
    let RunEventKind::EditRefused { reason, .. } = kinds(&ran, "edit_refused")[0] else {
        panic!("a refusal");
    };
    assert!(reason.contains("by hand"), "{reason}");
    // Nor does it leave a pause.
    let ran = talk_to(Fake::new(&[]), PUT, &[(2, "pause")], &["take over"], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::NeedsPerson);
}

#[test]
fn a_pause_after_the_last_step_is_not_left_by_a_hand_that_finds_nothing_to_do() {
    // When the pause is heard depends on how long the steps are.
    let after_the_last = (2..12).find_map(|heard| {
        let robot = Fake::with_hands(&[], &[(true, TakenOver::GivenBack)]);
        let ran = talk_to(robot, PUT, &[(heard, "pause")], &["skip", "take over"], &[]);
        let is_last =
            |kind: &&&RunEventKind| matches!(kind, RunEventKind::Skipped { index: 1, .. });
        (kinds(&ran, "skipped").iter().filter(is_last).count() == 1).then_some(ran)
    });
    let ran = after_the_last.expect("a pause in the last step");
    let RunEventKind::EditRefused { reason, .. } = kinds(&ran, "edit_refused")[0] else {
        panic!("a refusal");
    };
    assert!(reason.contains("Nothing is left"), "{reason}");
    assert!(kinds(&ran, "resumed").is_empty() && ran.robot.turns.is_empty());
    assert_eq!(ran.report.outcome, RunOutcome::NeedsPerson);
}

#[test]
fn where_nothing_runs_there_is_nothing_to_take() {
    let ran = run("take over", &[], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::Chat);
    assert!(ran.robot.ran.is_empty() && ran.robot.turns.is_empty());
}
