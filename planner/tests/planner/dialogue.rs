//! Several sentences in a row: answers, corrections, pronouns.

use vola_planner::{Dialogue, Ladder, PlanRequest, verify_steps};
use vola_types::{Scene, Verdict};

use crate::{plan_with, shorts};

const SCENE: &str = r#"{"objects":[
 {"id":"red_block_1","kind":"block","color":"red","position":[0.40,0.20,0.02],"on":"table"},
 {"id":"red_block_2","kind":"block","color":"red","position":[0.42,-0.20,0.02],"on":"table"},
 {"id":"green_block","kind":"block","color":"green","position":[0.37,0.0,0.02],"on":"table"},
 {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.54,0.10,0.03],"on":"table"},
 {"id":"pink_bowl","kind":"bowl","color":"pink","position":[0.54,-0.10,0.03],"on":"table"}]}"#;

/// Says the turns one after the other; executed plans change the scene.
fn check(turns: &[(&str, Verdict, &str)]) {
    let ladder = Ladder::rules_only();
    let mut scene = Scene::from_json(SCENE).unwrap();
    let mut dialogue = Dialogue::default();
    for (sentence, verdict, steps) in turns {
        let mut request = PlanRequest::new(*sentence, scene.clone());
        request.dialogue = dialogue.clone();
        let plan = plan_with(&ladder, &request);
        let got = shorts(&plan.steps).join("; ");
        assert_eq!(
            (plan.verdict, got.as_str()),
            (*verdict, *steps),
            "{turns:?} at {sentence:?}: {} {:?}",
            plan.say,
            plan.options
        );
        scene = verify_steps(&plan.steps, &scene, &request.capabilities).unwrap();
        dialogue.note(sentence, &plan);
    }
}

#[test]
fn questions_are_answered_in_many_ways() {
    let ask = ("pick up the red block", Verdict::Ask, "");
    for (answer, steps) in [
        ("the left one", "pick red_block_1"),
        ("left", "pick red_block_1"),
        ("the one on the right", "pick red_block_2"),
        ("the second", "pick red_block_2"),
        ("the second one, please", "pick red_block_2"),
        ("2", "pick red_block_2"),
        ("option 1", "pick red_block_1"),
        ("number two", "pick red_block_2"),
        ("the first one", "pick red_block_1"),
        ("the last one", "pick red_block_2"),
        ("red_block_2", "pick red_block_2"),
        ("either", "pick red_block_1"),
        ("the rightmost", "pick red_block_2"),
        ("I mean the left one", "pick red_block_1"),
        ("the one closest to the blue bowl", "pick red_block_1"),
        ("pick up the green block", "pick green_block"),
    ] {
        check(&[ask, (answer, Verdict::Execute, steps)]);
    }
    // That something be done is not which.
    for answer in ["yes", "yes please", "ok", "yes, do it", "go ahead"] {
        check(&[
            ask,
            (answer, Verdict::Ask, ""),
            ("the right one", Verdict::Execute, "pick red_block_2"),
        ]);
    }
    for answer in ["neither", "never mind", "no", "cancel"] {
        check(&[ask, (answer, Verdict::Chat, "")]);
    }
    check(&[
        ("put the green block in the bowl", Verdict::Ask, ""),
        (
            "the pink one",
            Verdict::Execute,
            "pick green_block; place green_block in pink_bowl",
        ),
    ]);
    check(&[
        ("move the green block", Verdict::Ask, ""),
        (
            "in the middle",
            Verdict::Execute,
            "pick green_block; place green_block on middle",
        ),
    ]);
}

#[test]
fn corrections_refer_to_the_last_command() {
    let first = (
        "pick up the left red block",
        Verdict::Execute,
        "pick red_block_1",
    );
    for (correction, steps) in [
        (
            "no, the other one",
            "place red_block_1 on table; pick red_block_2",
        ),
        (
            "the other one",
            "place red_block_1 on table; pick red_block_2",
        ),
        (
            "no, the green one",
            "place red_block_1 on table; pick green_block",
        ),
        (
            "I meant the green block",
            "place red_block_1 on table; pick green_block",
        ),
        (
            "not that one, the green one",
            "place red_block_1 on table; pick green_block",
        ),
        (
            "actually the right one",
            "place red_block_1 on table; pick red_block_2",
        ),
    ] {
        check(&[first, (correction, Verdict::Execute, steps)]);
    }
    let put = (
        "put the green block in the blue bowl",
        Verdict::Execute,
        "pick green_block; place green_block in blue_bowl",
    );
    for (correction, steps) in [
        (
            "no, the pink bowl",
            "pick green_block; place green_block in pink_bowl",
        ),
        (
            "no, in the pink one",
            "pick green_block; place green_block in pink_bowl",
        ),
        (
            "put it on the left side instead",
            "pick green_block; place green_block on left side",
        ),
        (
            "no, put it in the pink bowl",
            "pick green_block; place green_block in pink_bowl",
        ),
        (
            "in the middle instead",
            "pick green_block; place green_block on middle",
        ),
    ] {
        check(&[put, (correction, Verdict::Execute, steps)]);
    }
    check(&[put, ("no", Verdict::Chat, "")]);
    check(&[("no, the other one", Verdict::Chat, "")]);
}

#[test]
fn pronouns_reach_back_over_sentences() {
    check(&[
        (
            "pick up the green block",
            Verdict::Execute,
            "pick green_block",
        ),
        (
            "put it in the pink bowl",
            Verdict::Execute,
            "place green_block in pink_bowl",
        ),
        (
            "take it out",
            Verdict::Execute,
            "pick green_block; place green_block on table",
        ),
        (
            "push it to the left",
            Verdict::Execute,
            "push green_block left",
        ),
        ("do it again", Verdict::Execute, "push green_block left"),
    ]);
    check(&[
        (
            "put both red blocks in the pink bowl",
            Verdict::Execute,
            "pick red_block_1; place red_block_1 in pink_bowl; pick red_block_2; place red_block_2 in pink_bowl",
        ),
        (
            "now put them in the blue bowl",
            Verdict::Execute,
            "pick red_block_1; place red_block_1 in blue_bowl; pick red_block_2; place red_block_2 in blue_bowl",
        ),
        ("what are you doing?", Verdict::Chat, ""),
    ]);
}

#[test]
fn what_was_answered_in_words_is_spoken_of() {
    let done = (
        "put the green block in the pink bowl",
        Verdict::Execute,
        "pick green_block; place green_block in pink_bowl",
    );
    check(&[
        ("where is the green block?", Verdict::Chat, ""),
        (
            "put it in the pink bowl",
            Verdict::Execute,
            "pick green_block; place green_block in pink_bowl",
        ),
    ]);
    check(&[
        ("put the green block on the table", Verdict::Chat, ""),
        (
            "push it to the left",
            Verdict::Execute,
            "push green_block left",
        ),
    ]);
    // What was to be left alone is not meant, nor one of several.
    for sentence in [
        "don't touch the green block",
        "is the green block left of the left red block?",
        "hello",
    ] {
        check(&[
            (sentence, Verdict::Chat, ""),
            ("put it in the pink bowl", Verdict::Ask, ""),
        ]);
    }
    check(&[
        done,
        ("put the green block in the pink bowl", Verdict::Chat, ""),
        (
            "now take it back out and put it on the left side",
            Verdict::Execute,
            "pick green_block; place green_block on left side",
        ),
    ]);
}

/// A sentence after one that needed no doing, with nothing before.
fn after_words(before: &str, sentence: &str) -> (Verdict, String) {
    let scene = SCENE.replace(
        r#""position":[0.37,0.0,0.02],"on":"table""#,
        r#""position":[0.54,-0.1,0.04],"on":"pink_bowl""#,
    );
    let mut request = PlanRequest::new(before, Scene::from_json(&scene).unwrap());
    let ladder = Ladder::rules_only();
    let plan = plan_with(&ladder, &request);
    assert_eq!(plan.verdict, Verdict::Chat, "{before}: {}", plan.say);
    request.dialogue.note(before, &plan);
    request.sentence = sentence.to_owned();
    let plan = plan_with(&ladder, &request);
    (plan.verdict, shorts(&plan.steps).join("; "))
}

#[test]
fn one_more_goes_where_the_one_before_is_already() {
    let before = "put the green block in the pink bowl";
    let placed = "pick red_block_1; place red_block_1 in pink_bowl";
    for sentence in [
        "and now the left red block as well",
        "the left red block too",
    ] {
        assert_eq!(
            after_words(before, sentence),
            (Verdict::Execute, placed.to_owned()),
            "{sentence}"
        );
    }
    for sentence in ["and now the left red block", "thank you as well"] {
        let (verdict, _) = after_words(before, sentence);
        assert_ne!(verdict, Verdict::Execute, "{sentence}");
    }
}
