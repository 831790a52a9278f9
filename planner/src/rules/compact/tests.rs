use vola_types::{Scene, Step, Verdict};

use super::meaning::Meaning;
use super::{answer, check, grammar};
use crate::capabilities::Capabilities;
use crate::request::{Dialogue, PlanRequest};

fn scene() -> Scene {
    Scene::from_json(
        r#"{"objects":[
        {"id":"red_block","kind":"block","color":"red","position":[0.42,-0.10,0.02],"on":"table"},
        {"id":"green_block_1","kind":"block","color":"green","position":[0.35,0.20,0.02],"on":"table"},
        {"id":"green_block_2","kind":"block","color":"green","position":[0.55,-0.20,0.02],"on":"table"},
        {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.50,0.10,0.03],"on":"table"},
        {"id":"red_bowl","kind":"bowl","color":"red","position":[0.35,0.0,0.03],"on":"table"},
        {"id":"drawer","kind":"drawer","open":false}]}"#,
    )
    .unwrap()
}

fn plan(line: &str) -> crate::PlanDraft {
    answer(line, &PlanRequest::new("", scene())).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Steps in few letters: "place red_block in blue_bowl".
fn steps(line: &str) -> Vec<String> {
    let words = |step: &Step| match step {
        Step::Pick { object } => format!("pick {object}"),
        Step::Place {
            object,
            target,
            relation,
        } => format!("place {object} {} {target}", relation.as_str()),
        other => serde_json::to_string(other).unwrap(),
    };
    plan(line).steps.iter().map(words).collect()
}

#[test]
fn lines_become_steps_over_the_scene() {
    assert_eq!(
        steps("do put red block in blue bowl"),
        ["pick red_block", "place red_block in blue_bowl"]
    );
    assert_eq!(
        steps("do take leftmost green block"),
        ["pick green_block_1"]
    );
    assert_eq!(
        steps("do put nearest-to (red block) green block by blue bowl").len(),
        2
    );
    assert_eq!(
        steps("do put red block in matching bowl"),
        ["pick red_block", "place red_block in red_bowl"]
    );
    assert_eq!(
        steps("do put all green block in blue bowl; home").len(),
        5,
        "two blocks and the way home"
    );
    assert_eq!(
        steps("do put all block except red one in blue bowl").len(),
        4
    );
    // The drawer is opened first.
    assert_eq!(steps("do put red block in drawer").len(), 3);
    assert_eq!(
        steps("do put all green block in blue bowl; keep leftmost green block"),
        ["pick green_block_2", "place green_block_2 in blue_bowl"]
    );
}

#[test]
fn each_kind_of_line_has_its_verdict() {
    for (line, verdict) in [
        ("do take green block", Verdict::Ask),
        ("do put red block", Verdict::Ask),
        ("do put red block at corner", Verdict::Ask),
        ("do put red block in red bowl | blue bowl", Verdict::Ask),
        ("do take yellow block", Verdict::Infeasible),
        ("ask", Verdict::Ask),
        ("ask red block", Verdict::Ask),
        ("ask yellow block", Verdict::Infeasible),
        ("cannot skill", Verdict::Infeasible),
        ("unsafe person", Verdict::Unsafe),
        ("chat greet", Verdict::Chat),
        ("chat nothing", Verdict::Chat),
        ("again", Verdict::Chat),
        ("answer no", Verdict::Chat),
    ] {
        let draft = plan(line);
        assert_eq!(draft.verdict, verdict, "{line}: {}", draft.say);
        let is_question = verdict == Verdict::Ask;
        assert_eq!(draft.options.len() >= 2, is_question, "{line}");
    }
}

#[test]
fn ways_and_places_are_corrected() {
    let corrected = |first: &str, fix: &str| {
        let mut request = PlanRequest::new("", scene());
        request.dialogue.note("", &plan(first).into_plan());
        let draft = answer(fix, &request).unwrap();
        assert_eq!(
            draft.verdict,
            Verdict::Execute,
            "{first}; {fix}: {}",
            draft.say
        );
        serde_json::to_string(draft.steps.last().unwrap()).unwrap()
    };
    for (first, fix, word) in [
        ("do push red block left", "fix opposite", "right"),
        ("do push red block left", "fix forward", "forward"),
        (
            "do put red block left-of blue bowl",
            "fix right",
            "right_of",
        ),
        (
            "do put red block behind blue bowl",
            "fix opposite",
            "in_front_of",
        ),
        ("do put red block by blue bowl", "fix in it", "\"in\""),
        (
            "do put red block in blue bowl",
            "fix in other bowl",
            "red_bowl",
        ),
        ("do put red block in blue bowl", "fix by it", "blue_bowl"),
    ] {
        let last = corrected(first, fix);
        assert!(last.contains(word), "{first}; {fix}: {last}");
    }
    assert_eq!(plan("fix opposite").verdict, Verdict::Chat);
    assert_eq!(plan("fix left").verdict, Verdict::Chat);
    // A side before a noun still is an adjective.
    assert!(check("fix left block", &[]).is_ok());
}

#[test]
fn in_a_block_that_is_not_named_as_one_is_on_it() {
    assert_eq!(
        steps("do put leftmost green block in red one"),
        ["pick green_block_1", "place green_block_1 in red_bowl"]
    );
    let mut request = PlanRequest::new("", scene());
    request.scene.objects.retain(|object| object.kind != "bowl");
    let draft = answer("do put leftmost green block in red one", &request).unwrap();
    assert_eq!(draft.verdict, Verdict::Execute, "{}", draft.say);
    let named = answer("do put leftmost green block in red block", &request).unwrap();
    assert_eq!(named.verdict, Verdict::Infeasible);
}

#[test]
fn what_came_before_is_corrected_repeated_and_answered() {
    let mut request = PlanRequest::new("", scene());
    let first = plan("do put leftmost green block in blue bowl");
    request.dialogue.note("put it in", &first.into_plan());
    let say = |line: &str, request: &PlanRequest| answer(line, request).unwrap();
    assert_eq!(
        say("fix other one", &request).steps[0],
        Step::Pick {
            object: "green_block_2".to_owned()
        }
    );
    assert_eq!(
        say("fix in red bowl", &request).steps[1].target(),
        Some("red_bowl")
    );
    assert_eq!(
        say("same red block", &request).steps[0].object(),
        Some("red_block")
    );
    assert_eq!(say("again", &request).steps.len(), 2);

    request.dialogue = Dialogue::default();
    let question = plan("do take green block");
    request.dialogue.note("take it", &question.into_plan());
    assert_eq!(say("answer 2", &request).verdict, Verdict::Execute);
    assert_eq!(
        say("answer left one", &request).steps[0].object(),
        Some("green_block_1")
    );
    assert_eq!(say("answer 9", &request).verdict, Verdict::Ask);
    assert_eq!(say("answer no", &request).verdict, Verdict::Chat);
}

#[test]
fn other_lines_are_named_by_their_first_wrong_word() {
    for (line, word) in [
        ("", 0),
        ("take red block", 0),
        ("do", 1),
        ("do fly", 1),
        ("do take", 2),
        ("do take red", 3),
        ("do take red apple", 3),
        ("do put red block under bowl", 4),
        ("do wait -1", 2),
        ("do wait nan", 2),
        ("do wait 1e9", 2),
        ("do take block [in bowl", 6),
        ("do take nearest-to red block", 3),
        ("do take 2nd block", 3),
        ("unsafe", 1),
        ("answer 0", 1),
        ("again please", 1),
    ] {
        let error = check(line, &[]).unwrap_err();
        assert_eq!(error.word, word, "{line}: {error}");
    }
    let deep = format!("do take {}block", "nearest-to (".repeat(20_000));
    assert!(check(&deep, &[]).is_err());
    let long = format!("do {}", "home; ".repeat(20_000));
    assert!(check(&long, &[]).is_err());
}

#[test]
fn kinds_of_the_scene_are_nouns() {
    assert!(check("do take red mug", &[]).is_err());
    assert!(check("do take red mug", &["mug".to_owned()]).is_ok());
}

#[test]
fn the_grammar_has_what_the_robot_can_do_and_the_scene_holds() {
    let mut scene = scene();
    scene.objects[0].kind = "mug".to_owned();
    let text = grammar(&scene, &Capabilities::default());
    assert!(text.contains("\"mug\"") && text.contains("\"push \""));
    let only_pick = Capabilities::with_ops(&[vola_types::Op::Pick]);
    let text = grammar(&scene, &only_pick);
    assert!(
        !text.contains("\"push \"") && !text.contains("\"put \"") && text.contains("\"take \"")
    );
    // A kind that is no plain word cannot break out of the grammar.
    scene.objects[0].kind = "x\" | /.*/".to_owned();
    assert!(!grammar(&scene, &Capabilities::default()).contains(".*"));
}

#[test]
fn any_text_is_read_without_a_panic() {
    let pieces = [
        "do", "put", "take", "red", "block", "in", "bowl", "(", ")", "[", "]", ";", "+", "|", "at",
        "left", "all", "=2", "#3", "not", "except", "wait", "7", "ask", "fix", "answer", "other",
    ];
    let mut state = 7_u64;
    for _ in 0..20_000 {
        let mut line = String::new();
        for _ in 0..(state >> 60) + 1 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            line.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            line.push(' ');
        }
        if let Ok(meaning) = Meaning::read(&line, &[]) {
            drop(meaning);
            let draft = plan(&line);
            let verified = crate::verify_draft(&draft, &scene(), &Capabilities::default());
            assert!(verified.is_ok(), "{line}: {verified:?}");
        }
    }
}
