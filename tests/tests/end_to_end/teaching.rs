//! A person shows a robot what a sentence means; what is kept can be looked back on
//! and learned from.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{adapting::copy, serving::Served, serving::serve, vola};

const UP: &str = r#"{"linear_m_per_s":[0,0,0.1]}"#;

fn choose(served: &Served, choice: &str) -> u16 {
    let body = json!({ "choice": choice }).to_string();
    served.ask("POST", "/api/handoff", &body).0
}

/// Begins a lesson; the arm is the person's when this returns.
fn teach(served: &mut Served, sentence: &str) {
    let body = json!({ "sentence": sentence }).to_string();
    let taken = served.ask("POST", "/api/teach", &body);
    assert_eq!(taken.0, 202, "{}", taken.1);
    loop {
        let change = served.event("handoff_state");
        if change["phase"] == "correction" {
            assert_eq!(change["who"], "person", "{change}");
            return;
        }
    }
}

/// Holds a key for so many twentieths of a second.
fn jog(served: &Served, times: u32) {
    for _ in 0..times {
        assert_eq!(served.ask("POST", "/api/jog", UP).0, 202);
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn taught(served: &mut Served) -> Value {
    loop {
        let line = served.line();
        if line["taught"].is_object() {
            return line["taught"].clone();
        }
        assert!(line["error"].is_null(), "{line}");
    }
}

fn get(served: &Served, path: &str) -> Value {
    let (code, body) = served.ask("GET", path, "");
    assert_eq!(code, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
}

#[test]
fn what_a_person_shows_over_http_is_an_episode_to_learn_from() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    let runs = runs.to_str().unwrap();
    let mut served = serve(&["--record", runs]);
    assert_eq!(get(&served, "/api/episodes")["total"], 0);
    assert_eq!(served.ask("GET", "/api/teach", "").0, 405);
    assert_eq!(choose(&served, "keep"), 409, "nobody teaches");

    // What is thrown away leaves nothing.
    teach(&mut served, "pick up the yellow block");
    jog(&served, 5);
    assert_eq!(choose(&served, "discard"), 202);
    assert_eq!(taught(&mut served)["kept"], false);

    teach(&mut served, "put the yellow block in the red bowl");
    let again = json!({"sentence": "pick up the yellow block"}).to_string();
    assert_eq!(
        served.ask("POST", "/api/teach", &again).0,
        409,
        "one at a time"
    );
    assert_eq!(
        choose(&served, "give_back"),
        409,
        "a lesson is kept or discarded"
    );
    let began = Instant::now();
    jog(&served, 12);
    // Thinking is no part of what is shown.
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(choose(&served, "next"), 202);
    jog(&served, 8);
    assert_eq!(choose(&served, "keep"), 202);
    let kept = taught(&mut served);
    let took = began.elapsed().as_secs_f64();
    let steps = json!([
        "pick up the yellow block",
        "place the yellow block in the red bowl"
    ]);
    assert_eq!(
        (&kept["kept"], &kept["steps"]),
        (&json!(true), &steps),
        "{kept}"
    );

    // It can be looked back on.
    let end = Instant::now() + Duration::from_secs(20);
    while get(&served, "/api/episodes")["total"] == 0 {
        assert!(Instant::now() < end, "the episode is not there");
        std::thread::sleep(Duration::from_millis(100));
    }
    let row = &get(&served, "/api/episodes")["episodes"][0];
    assert_eq!(
        (&row["outcome"], &row["success"]),
        (&json!("taught"), &json!(true)),
        "{row}"
    );
    assert_eq!(row["by_person"], 1.0, "{row}");
    let course = get(&served, "/api/episodes/0");
    let words = |bands: &Value| -> Value {
        let all = bands.as_array().unwrap().iter();
        all.map(|band| band["word"].clone()).collect()
    };
    assert_eq!(words(&course["who"]), json!(["human"]), "{course}");
    assert_eq!(words(&course["steps"]), steps, "{course}");
    assert_eq!(words(&course["phases"]), json!(["correction"]), "{course}");
    let seconds = row["seconds"].as_f64().unwrap();
    assert!(
        (0.5..took - 0.7).contains(&seconds),
        "{seconds} of {took} s"
    );
    let last = course["frames"].as_u64().unwrap() - 1;
    let picture = format!("/api/episodes/0/pictures/front/{last}");
    let (code, _) = served.ask_bytes(&picture);
    assert_eq!(code, 200);
    for (path, expected) in [
        (format!("/api/episodes/0/pictures/front/{}", last + 1), 404),
        ("/api/episodes/0/pictures/..%2Ffront/0".to_owned(), 404),
        ("/api/episodes/1".to_owned(), 404),
    ] {
        assert_eq!(served.ask("GET", &path, "").0, expected, "{path}");
    }
    served.interrupt();

    // It is a data set, and the reader of corrections finds it.
    let checked = vola(&["dataset", "check", runs]);
    assert_eq!(
        checked.code,
        Some(0),
        "{}{}",
        checked.stdout,
        checked.stderr
    );
    let bundle = folder.path().join("bundle");
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    copy(&configs.join("policies/tabletop"), &bundle);
    let adapted = vola(&["policy", "adapt", bundle.to_str().unwrap(), "--from", runs]);
    assert!(
        adapted
            .stderr
            .contains("corrections: expected at least 5 episodes, got 1"),
        "{}",
        adapted.stderr
    );
}
