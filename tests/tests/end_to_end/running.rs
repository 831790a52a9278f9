//! A sentence in, a robot moves.

use serde_json::Value;

use super::vola;

const SENTENCE: &str = "put the yellow block in the red bowl";
/// A scene with one yellow block and one red bowl.
const SEED: &str = "2";

fn events(seed: &str, sentence: &str) -> (Option<i32>, Vec<Value>) {
    let run = vola(&["run", sentence, "--fast", "--seed", seed, "--json"]);
    assert!(!run.timed_out, "{}", run.stderr);
    (run.code, run.json_lines())
}

fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["event"] == name)
        .collect()
}

#[test]
fn a_sentence_runs_from_scene_to_finished() {
    let (code, events) = events(SEED, SENTENCE);
    assert_eq!(code, Some(0), "{events:#?}");
    let order: Vec<&str> = events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect();
    for name in [
        "scene",
        "plan",
        "step_started",
        "confidence",
        "step_finished",
        "finished",
    ] {
        assert!(order.contains(&name), "no `{name}` in {order:?}");
    }
    assert_eq!(order.last(), Some(&"finished"));
    let times: Vec<f64> = events
        .iter()
        .filter_map(|event| event["t"].as_f64())
        .collect();
    assert_eq!(times.len(), events.len(), "every event has its time");
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{times:?}");
    let finished = named(&events, "finished")[0];
    assert_eq!(finished["success"], true, "{finished}");
    assert_eq!(finished["outcome"], "done");
    let step = named(&events, "step_started")[0];
    assert_eq!(step["step"]["op"], "pick");
}

#[test]
fn virtual_time_repeats_byte_for_byte() {
    let (_, first) = events("3", "push the first block you see to the left");
    let (_, again) = events("3", "push the first block you see to the left");
    let strip = |events: &[Value]| {
        let mut events = events.to_vec();
        for event in &mut events {
            // How long the planner needed is the machine's, not the run's.
            if let Some(plan) = event.get_mut("plan").and_then(Value::as_object_mut) {
                plan.remove("millis");
                plan.remove("id");
            }
        }
        serde_json::to_string(&events).unwrap()
    };
    assert_eq!(strip(&first), strip(&again));
}

#[test]
fn a_picture_and_a_film_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let gif = folder.path().join("run.gif");
    let png = folder.path().join("run.png");
    let run = vola(&[
        "run",
        SENTENCE,
        "--fast",
        "--seed",
        SEED,
        "--gif",
        gif.to_str().unwrap(),
        "--picture",
        png.to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let film = std::fs::read(&gif).unwrap();
    assert!(
        film.starts_with(b"GIF89a") && film.len() > 20_000,
        "{} bytes",
        film.len()
    );
    let picture = std::fs::read(&png).unwrap();
    assert!(picture.starts_with(&[0x89, b'P', b'N', b'G']), "no PNG");
    let width = u32::from_be_bytes(picture[16..20].try_into().unwrap());
    assert_eq!(width, 640);
}
