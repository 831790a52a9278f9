use serde_json::{Value, json};

use super::*;

fn see(board: &Board, event: &Value) {
    let mut event = event.clone();
    event["t"] = json!(1.0);
    board.see(&serde_json::from_value(event).unwrap());
}

fn plan() -> Value {
    json!({"event":"plan","plan":{
        "verdict":"execute","say":"I will do it.",
        "tree":{"goal":"put it there","subtasks":[{"goal":"move it","steps":[0,1]}]},
        "steps":[{"op":"pick","object":"red_block"},
                 {"op":"place","object":"red_block","target":"blue_bowl","relation":"in"}]}})
}

fn started(index: usize, attempt: u32) -> Value {
    json!({"event":"step_started","index":index,"step":{"op":"home"},"task":"do it","attempt":attempt})
}

fn finished(index: usize, outcome: &str) -> Value {
    json!({"event":"step_finished","index":index,"step":{"op":"home"},"outcome":outcome,"reason":"why"})
}

fn states(board: &Board) -> Vec<StepState> {
    let view = board.since(None).unwrap().0;
    view.steps.iter().map(|step| step.state).collect()
}

#[test]
fn steps_take_their_outcomes_and_a_new_plan_of_the_rest() {
    use StepState::{Done, Failed, Running, Skipped, Waiting};
    let board = Board::default();
    board.said("put the red block in the blue bowl");
    let scene = json!({"event":"scene","scene":{"objects":[{"id":"red_block","kind":"block","color":"red"}]}});
    see(&board, &scene);
    see(&board, &plan());
    let (view, revision) = board.since(None).unwrap();
    assert_eq!(view.sentence, "put the red block in the blue bowl");
    assert_eq!(view.steps[0].text, "pick up the red block");
    assert_eq!(view.parts[0].steps, [0, 1]);
    assert!(board.since(Some(revision)).is_none());
    see(&board, &started(0, 1));
    assert!(board.since(Some(revision)).is_some());
    assert_eq!(states(&board), [Running, Waiting]);
    see(&board, &finished(0, "failed"));
    assert_eq!(states(&board), [Failed, Waiting]);
    see(&board, &started(0, 2));
    see(&board, &finished(0, "done"));
    assert_eq!(board.since(None).unwrap().0.steps[0].attempts, 2);
    let rest = json!([{"op":"home"},{"op":"wait","seconds":1.0}]);
    see(
        &board,
        &json!({"event":"replanned","reason":"it slipped","steps":rest}),
    );
    assert_eq!(states(&board), [Done, Waiting, Waiting]);
    assert!(board.since(None).unwrap().0.parts.is_empty());
    see(
        &board,
        &json!({"event":"skipped","index":1,"step":{"op":"home"},"steps":[{"op":"open_gripper"}]}),
    );
    assert_eq!(states(&board), [Done, Skipped, Waiting]);
    see(
        &board,
        &json!({"event":"finished","success":false,"outcome":"failed","seconds":3.5}),
    );
    let ended = board.since(None).unwrap().0.ended.unwrap();
    assert_eq!(ended.outcome, RunOutcome::Failed);
    board.said("/resume");
    assert!(board.since(None).unwrap().0.ended.is_some(), "no sentence");
    board.said("go home");
    assert!(states(&board).is_empty());
}

#[test]
fn a_question_is_open_until_something_goes_on() {
    let board = Board::default();
    see(&board, &plan());
    let hold =
        json!({"event":"handoff","reason":"unsure","choices":["continue","retry","skip","abort"]});
    see(&board, &hold);
    let chosen = board.answer(1, 2).unwrap();
    assert_eq!(
        (chosen.typed.as_str(), chosen.words.as_str()),
        ("3", "skip")
    );
    assert_eq!(board.meaning("3.").as_deref(), Some("skip"));
    for other in ["0", "5", "skip", ""] {
        assert_eq!(board.meaning(other), None, "{other}");
    }
    assert!(board.answer(1, 4).unwrap_err().contains("below 4"));
    assert!(board.answer(2, 0).is_err());
    // Said to the question, not to begin another run.
    board.said("3");
    assert!(board.answer(1, 0).is_ok());
    see(&board, &started(0, 1));
    assert!(board.answer(1, 0).unwrap_err().contains("not open"));
    see(
        &board,
        &json!({"event":"paused","index":0,"reason":"you said so"}),
    );
    assert_eq!(board.answer(2, 0).unwrap().typed, "go on");
    see(&board, &json!({"event":"resumed","index":0}));
    assert!(board.answer(2, 0).is_err());
    let ask = json!({"event":"plan","plan":{"verdict":"ask","say":"Which?","question":"Which one?",
        "options":[{"label":"the left one","steps":[]},{"label":"the right one","steps":[]}]}});
    see(&board, &ask);
    assert_eq!(board.answer(3, 1).unwrap().typed, "2");
    let question = board.since(None).unwrap().0.question.unwrap();
    assert_eq!(
        (question.text.as_str(), question.choices.len()),
        ("Which one?", 2)
    );
}

#[test]
fn a_hold_is_shown_before_its_question_and_every_change_is_heard_of() {
    let board = Board::default();
    let mut changes = board.follow();
    let passes = |number: u64, from: &str, to: &str| json!({"event":"handoff_state","number":number,"from":from,"to":to,"who":"nobody","cause":"stall","at":0.9});
    see(&board, &plan());
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    see(&board, &passes(1, "auto", "hold"));
    assert!(changes.has_changed().unwrap());
    let view = board.since(None).unwrap().0;
    assert!(view.holds && view.question.is_none());
    see(&board, &passes(2, "hold", "ask"));
    see(
        &board,
        &json!({"event":"handoff","reason":"unsure","choices":["continue","abort"]}),
    );
    let view = board.since(None).unwrap().0;
    assert!(!view.holds && view.question.is_some());
    see(&board, &passes(3, "ask", "take_over"));
    let view = board.since(None).unwrap().0;
    assert!(!view.holds && view.question.is_none());
    // What is measured ten times a second is no change of the run.
    changes.mark_unchanged();
    see(
        &board,
        &json!({"event":"confidence","score":0.5,"threshold":0.2}),
    );
    assert!(!changes.has_changed().unwrap());
}

#[test]
fn points_are_numbered_and_the_oldest_are_dropped() {
    let board = Board::default();
    for _ in 0..MOST_POINTS + 5 {
        see(
            &board,
            &json!({"event":"confidence","score":0.5,"threshold":0.2}),
        );
    }
    let (all, next) = board.points(0);
    assert_eq!((all.len(), next), (MOST_POINTS, MOST_POINTS as u64 + 5));
    assert_eq!(board.points(next).0.len(), 0);
    assert_eq!(board.points(next - 2).0, [[1.0, 0.5, 0.2]; 2]);
}
