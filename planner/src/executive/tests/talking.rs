//! What is said while a plan runs.

use super::*;

/// Says a line when this many times was listened for one, from 1.
struct Talker {
    lines: Vec<(u32, &'static str)>,
    paused: VecDeque<&'static str>,
    replies: VecDeque<Reply>,
    heard: u32,
}

#[async_trait(?Send)]
impl Operator for Talker {
    async fn ask(&mut self, _question: &Question) -> Option<Reply> {
        self.replies.pop_front()
    }

    fn overhear(&mut self, heed: Heed) -> Option<String> {
        if heed == Heed::Urgent {
            return None;
        }
        let due = self
            .lines
            .first()
            .is_some_and(|(at, _)| *at <= self.heard + 1);
        if due {
            return Some(self.lines.remove(0).1.to_owned());
        }
        self.heard += 1;
        None
    }

    async fn listen(&mut self) -> Option<String> {
        self.paused.pop_front().map(str::to_owned)
    }
}

/// Lines by the number of the look at which they are said: before the first
/// step there is one look, then one in it, one before the second step, …
fn talk(
    sentence: &str,
    lines: &[(u32, &'static str)],
    paused: &[&'static str],
    replies: &[Reply],
) -> Ran {
    talk_to(Fake::new(&[]), sentence, lines, paused, replies)
}

/// The same with a robot of one's own.
pub(super) fn talk_to(
    mut robot: Fake,
    sentence: &str,
    lines: &[(u32, &'static str)],
    paused: &[&'static str],
    replies: &[Reply],
) -> Ran {
    robot.scene.objects.push(
        serde_json::from_str(
            r#"{"id":"yellow_block","kind":"block","color":"yellow","position":[0.36,0.2,0.02],"on":"table"}"#,
        )
        .unwrap(),
    );
    robot.scene.objects.push(
        serde_json::from_str(
            r#"{"id":"pink_bowl","kind":"bowl","color":"pink","position":[0.52,-0.2,0.03],"on":"table"}"#,
        )
        .unwrap(),
    );
    let mut talker = Talker {
        lines: lines.to_vec(),
        paused: paused.to_vec().into(),
        replies: replies.to_vec().into(),
        heard: 0,
    };
    run_for(&Ladder::rules_only(), sentence, robot, &mut talker)
}

pub(super) fn kinds<'a>(ran: &'a Ran, word: &str) -> Vec<&'a RunEventKind> {
    let named = |kind: &&RunEventKind| serde_json::to_value(kind).unwrap()["event"] == word;
    ran.events
        .iter()
        .map(|event| &event.kind)
        .filter(named)
        .collect()
}

pub(super) fn on<'a>(ran: &'a Ran, id: &str) -> &'a str {
    ran.robot.scene.object(id).unwrap().on.as_deref().unwrap()
}

const TWO: &str = "put the red block in the blue bowl and the green block in the pink bowl";

#[test]
fn a_pause_in_a_step_holds_and_goes_on_with_it() {
    let ran = talk(PUT, &[(2, "pause")], &["what are you doing?", "go on"], &[]);
    assert!(ran.report.success, "{:?}", ran.report);
    assert_eq!(
        ran.words(),
        [
            "plan",
            "step_started",
            "step_finished",
            "paused",
            "answered",
            "resumed",
            "step_started",
            "step_finished",
            "step_started",
            "step_finished",
            "finished"
        ]
    );
    assert_eq!(ran.robot.ran, [Op::Pick, Op::Pick, Op::Place]);
    let RunEventKind::Answered { say, .. } = kinds(&ran, "answered")[0] else {
        panic!("an answer");
    };
    assert!(say.starts_with("I am paused at step 1 of 2"), "{say}");
}

#[test]
fn a_pause_that_nobody_ends_needs_a_person_and_a_stop_ends_it() {
    let ran = talk(PUT, &[(2, "pause")], &[], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::NeedsPerson);
    let ran = talk(PUT, &[(2, "pause")], &["stop"], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::Aborted);
    let ran = talk(PUT, &[(2, "stop")], &[], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::Aborted);
    assert_eq!(ran.robot.ran, [Op::Pick]);
}

#[test]
fn skipping_a_pick_skips_its_place_and_the_rest_is_done() {
    let ran = talk(TWO, &[(2, "skip")], &[], &[]);
    assert!(ran.report.success, "{:?}", ran.report);
    assert_eq!(ran.robot.ran, [Op::Pick, Op::Pick, Op::Place]);
    assert_eq!(
        (on(&ran, "red_block"), on(&ran, "green_block")),
        ("table", "pink_bowl")
    );
    assert_eq!(kinds(&ran, "skipped").len(), 1);
}

#[test]
fn a_skip_that_the_rest_cannot_do_without_is_asked_about() {
    let sentence = "open the drawer, then put the red block in it";
    let drawer = |reply: usize| {
        let mut robot = Fake::new(&[]);
        robot
            .scene
            .objects
            .push(serde_json::from_str(r#"{"id":"drawer","kind":"drawer","open":false}"#).unwrap());
        let mut talker = Talker {
            lines: vec![(2, "skip this step")],
            paused: VecDeque::new(),
            replies: vec![Reply::Choice(reply)].into(),
            heard: 0,
        };
        run_for(&Ladder::rules_only(), sentence, robot, &mut talker)
    };
    let ran = drawer(0);
    assert!(ran.report.success);
    assert_eq!(on(&ran, "red_block"), "drawer");
    let ran = drawer(1);
    assert_eq!(on(&ran, "red_block"), "table");
    assert_eq!(kinds(&ran, "skipped").len(), 1);
    assert_eq!(drawer(2).report.outcome, RunOutcome::Aborted);
}

#[test]
fn another_object_is_taken_when_it_is_said() {
    for line in [
        "no, the green one",
        "not that one, the green one",
        "the green one instead",
    ] {
        // In the second step: the red one is in the hand.
        let ran = talk(PUT, &[(4, line)], &[], &[]);
        assert!(ran.report.success, "{line}: {:?}", ran.report);
        assert_eq!(
            (on(&ran, "red_block"), on(&ran, "green_block")),
            ("table", "blue_bowl"),
            "{line}"
        );
        assert_eq!(kinds(&ran, "edited").len(), 1, "{line}");
        assert_eq!(ran.report.edits, 1);
    }
}

#[test]
fn another_place_is_taken_when_it_is_said() {
    for line in ["put it in the pink bowl instead", "no, in the pink bowl"] {
        let ran = talk(PUT, &[(4, line)], &[], &[]);
        assert!(ran.report.success, "{line}: {:?}", ran.report);
        assert_eq!(on(&ran, "red_block"), "pink_bowl", "{line}");
        // It was not put down in between.
        assert_eq!(ran.robot.ran, [Op::Pick, Op::Place, Op::Place], "{line}");
    }
}

#[test]
fn a_change_keeps_the_other_parts_of_the_plan() {
    let ran = talk(TWO, &[(2, "no, the yellow one")], &[], &[]);
    assert!(ran.report.success);
    assert_eq!(on(&ran, "red_block"), "table");
    assert_eq!(on(&ran, "yellow_block"), "blue_bowl");
    assert_eq!(on(&ran, "green_block"), "pink_bowl");
    let ran = talk(TWO, &[(2, "not the green one, the yellow one")], &[], &[]);
    assert_eq!(on(&ran, "red_block"), "blue_bowl");
    assert_eq!(on(&ran, "yellow_block"), "pink_bowl");
    assert_eq!(on(&ran, "green_block"), "table");
}

#[test]
fn a_correction_is_of_the_step_that_is_being_done() {
    // The third step takes the green one.
    let ran = talk(TWO, &[(6, "no, the yellow one")], &[], &[]);
    assert!(ran.report.success, "{:?}", ran.report);
    assert_eq!(on(&ran, "red_block"), "blue_bowl");
    assert_eq!(on(&ran, "yellow_block"), "pink_bowl");
    assert_eq!(on(&ran, "green_block"), "table");
}

#[test]
fn what_is_meant_already_changes_nothing_and_is_said() {
    for (look, line, reason) in [
        (2, "no, the red one", "The red block is the one I mean"),
        (6, "no, the green one", "The green block is the one I mean"),
        (2, "no, the green one", "That comes later anyway"),
    ] {
        let ran = talk(TWO, &[(look, line)], &[], &[]);
        assert!(ran.report.success, "{line}: {:?}", ran.report);
        assert_eq!(on(&ran, "red_block"), "blue_bowl", "{line}");
        assert_eq!(on(&ran, "green_block"), "pink_bowl", "{line}");
        let said = kinds(&ran, "edit_refused");
        let [RunEventKind::EditRefused { reason: got, .. }] = said.as_slice() else {
            panic!("{line}: {:?}", ran.words());
        };
        assert!(got.starts_with(reason), "{line}: {got}");
    }
    // A whole command stands in place of what was planned for the thing.
    let line = "put the green block in the blue bowl instead";
    let ran = talk(TWO, &[(2, line)], &[], &[]);
    assert_eq!(on(&ran, "green_block"), "blue_bowl");
}

#[test]
fn the_order_is_changed_and_things_are_added_and_left_out() {
    let objects = |ran: &Ran| -> Vec<String> {
        let picks = kinds(ran, "step_finished");
        picks
            .iter()
            .filter_map(|kind| match kind {
                RunEventKind::StepFinished {
                    step: Step::Place { object, target, .. },
                    outcome: Outcome::Done,
                    ..
                } => Some(format!("{object} {target}")),
                _ => None,
            })
            .collect()
    };
    let ran = talk(TWO, &[(2, "first the green one")], &[], &[]);
    assert_eq!(
        objects(&ran),
        ["green_block pink_bowl", "red_block blue_bowl"]
    );
    let ran = talk(PUT, &[(2, "also put the yellow one there")], &[], &[]);
    assert_eq!(
        objects(&ran),
        ["red_block blue_bowl", "yellow_block blue_bowl"]
    );
    for line in [
        "leave out the last step",
        "leave out the green block",
        "leave out step 4",
    ] {
        let ran = talk(TWO, &[(2, line)], &[], &[]);
        assert_eq!(objects(&ran), ["red_block blue_bowl"], "{line}");
        assert!(ran.report.success, "{line}");
    }
}

#[test]
fn what_cannot_be_is_refused_and_nothing_changes() {
    for (line, why) in [
        ("no, the purple one", "purple"),
        ("put it in the moon instead", ""),
        ("leave out step 9", "only 2 steps"),
        ("first the red one", "already"),
        ("leave out the yellow block", ""),
    ] {
        let ran = talk(PUT, &[(2, line)], &[], &[]);
        let refused = kinds(&ran, "edit_refused");
        let [RunEventKind::EditRefused { reason, .. }] = refused.as_slice() else {
            panic!("{line}: {:?}", ran.words());
        };
        assert!(
            !reason.is_empty() && reason.contains(why),
            "{line}: {reason}"
        );
        assert!(ran.report.success, "{line}");
        assert_eq!(on(&ran, "red_block"), "blue_bowl", "{line}");
    }
}

#[test]
fn a_change_that_may_mean_several_things_is_asked_about() {
    let ran = talk(PUT, &[(2, "no, the other one")], &[], &[Reply::Choice(1)]);
    assert!(ran.report.success, "{:?}", ran.words());
    assert_eq!(on(&ran, "red_block"), "table");
    let ran = talk(PUT, &[(2, "no, the other one")], &[], &[]);
    assert_eq!(kinds(&ran, "edit_refused").len(), 1);
    assert_eq!(on(&ran, "red_block"), "blue_bowl");
}

#[test]
fn a_pause_stays_a_pause_while_the_plan_is_changed() {
    let said = ["no, the yellow one", "skip", "go on"];
    let ran = talk(TWO, &[(2, "pause")], &said, &[]);
    let words = ran.words();
    let at = |word: &str| words.iter().position(|it| it == word).unwrap();
    assert!(at("paused") < at("edited") && at("edited") < at("resumed"));
    let between = &words[at("paused")..at("resumed")];
    assert!(!between.contains(&"step_started".to_owned()), "{words:?}");
    assert!(ran.report.success);
}

#[test]
fn a_question_in_a_step_stops_nothing() {
    let ran = talk(
        PUT,
        &[(4, "what have you done?"), (4, "are you sure?")],
        &[],
        &[],
    );
    assert_eq!(ran.robot.ran, [Op::Pick, Op::Place]);
    let said: Vec<String> = kinds(&ran, "answered")
        .iter()
        .map(|kind| {
            serde_json::to_value(kind).unwrap()["say"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(said[0], "Done so far, 1 of 2: pick up the red block.");
    assert!(said[1].starts_with("Of step 2 of 2"), "{said:?}");
}

#[test]
fn a_run_that_was_stopped_can_be_gone_on_with() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut robot = Fake::new(&[Script::Works, Script::Stopped]);
    let ladder = Ladder::rules_only();
    let executive = Executive::new(&ladder, ExecutiveSettings::default(), robot.flag.clone());
    let mut past = Past::default();
    let mut say = |sentence: &str, robot: &mut Fake| {
        robot.flag.clear();
        let mut actors = Actors {
            robot,
            operator: &mut NoOperator,
            events: &mut |_: RunEvent| {},
        };
        runtime.block_on(executive.run(sentence, &mut past, &mut actors))
    };
    assert_eq!(say(PUT, &mut robot).outcome, RunOutcome::Aborted);
    let why = say("why did you stop?", &mut robot);
    assert_eq!(why.outcome, RunOutcome::Chat);
    assert_eq!(why.plan.say, "Stopped by a person.");
    assert_eq!(why.plan.backend, "log");
    let on = say("go on", &mut robot);
    assert!(on.success, "{on:?}");
    assert_eq!(
        robot.scene.object("red_block").unwrap().on.as_deref(),
        Some("blue_bowl")
    );
    let nothing = say("go on", &mut robot);
    assert_eq!(nothing.outcome, RunOutcome::Chat);
}
