//! The arm from the policy to a person's hand and back.

use serde_json::Value;
use vola_tests::workspace;

use super::{LIMIT, serving::serve_with, watchdogs::deployment};

/// A policy that is unsure as soon as it makes no progress for a moment.
pub(super) const UNSURE: &str =
    "[confidence]\nsignals = ['no_progress']\nthresholds = { no_progress = 0.5 }\n";

fn changes(events: &[Value]) -> Vec<(&str, &str, &str)> {
    let changes = events
        .iter()
        .filter(|event| event["event"] == "handoff_state");
    changes
        .map(|event| {
            let word = |key: &str| event[key].as_str().unwrap();
            (word("from"), word("to"), word("who"))
        })
        .collect()
}

#[test]
fn a_person_takes_over_moves_the_arm_and_gives_it_back_in_the_chat() {
    let (_folder, config) = deployment(UNSURE);
    let typed = [
        "pick up any block",
        "take over",
        "jog z 0.1",
        "jog z 0.1",
        "correct",
        "jog z -0.05 rz 0.2",
        "give back",
        // Numbers: "continue" is also something to say to a running plan.
        "1",
        "1",
        "1",
    ];
    let arguments = ["chat", "--fast", "--json", "--seed", "3", "--config"];
    let arguments: Vec<&str> = arguments.into_iter().chain([config.as_str()]).collect();
    let run = workspace().run_vola(&arguments, &(typed.join("\n") + "\n"), LIMIT);
    let events = run.json_lines();
    let end = events.iter().position(|event| event["event"] == "finished");
    let events = &events[..=end.unwrap()];
    assert_eq!(events.last().unwrap()["outcome"], "done", "{events:#?}");
    let changes = changes(events);
    assert_eq!(
        changes[..5],
        [
            ("auto", "hold", "nobody"),
            ("hold", "ask", "nobody"),
            ("ask", "take_over", "person"),
            ("take_over", "take_over", "person"),
            ("take_over", "auto", "policy"),
        ]
    );
    // Numbered without a gap: none is missing from the log.
    let numbers: Vec<u64> = events
        .iter()
        .filter_map(|event| event["number"].as_u64())
        .collect();
    assert!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{numbers:?}"
    );
    // The hand moved it: 10 cm/s upwards for twice the dead-man's deadline.
    let place = |from: &str, to: &str| {
        let at = events.iter().position(|event| {
            event["event"] == "handoff_state" && event["from"] == from && event["to"] == to
        });
        let told = events[at.unwrap()..]
            .iter()
            .find(|it| it["event"] == "state");
        told.unwrap()["tool"][2].as_f64().unwrap()
    };
    let rose = place("take_over", "take_over") - place("ask", "take_over");
    assert!((0.02..0.10).contains(&rose), "{rose}");
    let sank = place("take_over", "auto") - place("take_over", "take_over");
    assert!((-0.04..-0.005).contains(&sank), "{sank}");
    let handoff = events.iter().find(|event| event["event"] == "handoff");
    let choices = &handoff.unwrap()["choices"];
    assert_eq!(
        choices,
        &serde_json::json!(["continue", "retry", "skip", "take over", "abort"])
    );
}

#[test]
fn nobody_who_answers_is_the_safe_stop_that_the_deployment_names() {
    let (_folder, config) = deployment(&format!(
        "{UNSURE}[handoff]\nsafe_stop = 'controlled_stop'\n"
    ));
    // The next line is another sentence: nobody answers, nobody's arm moves.
    let typed = "pick up any block\ntake over\njog z 0.1\ngo home\n";
    let arguments = [
        "chat", "--fast", "--json", "--seed", "3", "--config", &config,
    ];
    let run = workspace().run_vola(&arguments, typed, LIMIT);
    let events = run.json_lines();
    let changes = changes(&events);
    let stopped = ("take_over", "safe_stop", "nobody");
    assert!(changes.contains(&stopped), "{changes:?}");
    let ends: Vec<&Value> = events
        .iter()
        .filter(|event| event["event"] == "finished")
        .collect();
    assert_eq!(ends[0]["outcome"], "needs_person", "{}", ends[0]);
    // The stop is latched: what is said next does not move.
    assert_eq!(ends[1]["outcome"], "safety_stop", "{}", ends[1]);

    let unnamed = deployment(&format!("{UNSURE}[handoff]\ntimeout_s = 5\n"));
    let run = workspace().run_vola(&["run", "go home", "--config", &unnamed.1], "", LIMIT);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("handoff.safe_stop"), "{}", run.stderr);
}

#[test]
fn the_arm_is_taken_over_jogged_and_given_back_over_http() {
    // A hand may be slow here: what is tested is not how busy this machine is.
    let settings = format!("{UNSURE}[handoff]\nsafe_stop = 'hold'\ndead_man_ms = 2000\n");
    let mut served = serve_with(&settings, &[]);
    let up = r#"{"linear_m_per_s":[0,0,0.1]}"#;
    assert_eq!(served.ask("POST", "/api/jog", up).0, 409, "nobody has it");
    let choose = |choice: &str| serde_json::json!({ "choice": choice }).to_string();
    assert_eq!(
        served.ask("POST", "/api/handoff", &choose("take_over")).0,
        409
    );
    served.say("pick up any block");
    served.event("handoff");
    assert_eq!(
        served.ask("POST", "/api/handoff", &choose("give_back")).0,
        409
    );
    for path in ["/api/handoff", "/api/jog"] {
        assert_eq!(served.ask("GET", path, "").0, 405, "{path}");
        assert_eq!(served.ask("POST", path, "{").0, 400, "{path}");
    }
    let taken = served.ask("POST", "/api/handoff", &choose("take_over"));
    assert_eq!(taken.0, 202, "{}", taken.1);
    let mut before = served.event("handoff_state");
    while before["to"] != "take_over" {
        assert_ne!(before["to"], "safe_stop", "{before}");
        before = served.event("handoff_state");
    }
    assert_eq!(
        (before["who"].as_str(), before["phase"].as_str()),
        (Some("person"), Some("recovery"))
    );
    let (_, state) = served.ask("GET", "/api/state", "");
    assert!(state.contains(r#""handoff":"take_over""#), "{state}");
    let low = served.event("state")["tool"][2].as_f64().unwrap();
    for _ in 0..20 {
        assert_eq!(served.ask("POST", "/api/jog", up).0, 202);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let back = served.ask("POST", "/api/handoff", &choose("give_back"));
    assert_eq!(back.0, 202, "{}", back.1);
    let high = served.event("state")["tool"][2].as_f64().unwrap();
    assert!(high > low + 0.02, "{low} {high}");
    // It goes on by itself; when it is unsure again it is told to.
    loop {
        let line = served.line();
        match line["event"].as_str() {
            Some("handoff") => {
                // It asks a moment before it takes an answer.
                let taken = (0..100).any(|_| {
                    let told = served.ask("POST", "/api/handoff", &choose("continue"));
                    assert!(matches!(told.0, 202 | 409), "{}", told.1);
                    std::thread::sleep(std::time::Duration::from_millis(50));
                    told.0 == 202
                });
                assert!(taken, "it asked and took no answer: {line}");
            }
            Some("finished") => {
                assert_eq!(line["outcome"], "done", "{line}");
                break;
            }
            _ => {}
        }
    }
}
