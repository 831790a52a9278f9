//! The arm from the policy to a person's hand and back.

use serde_json::Value;
use vola_tests::workspace;

use super::{
    LIMIT,
    serving::{Served, serve_with},
    watchdogs::deployment,
};

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
        // Numbers: "take over" and "continue" are also said to a running plan.
        "4",
        "jog z 0.1",
        "jog z 0.1",
        "correct",
        "jog z -0.05 rz 0.2",
        "give back",
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
    let typed = "pick up any block\n4\njog z 0.1\ngo home\n";
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

/// How the step of an event was tried.
fn tries(events: &[Value]) -> Vec<&str> {
    let started = events
        .iter()
        .filter(|event| event["event"] == "step_started");
    started
        .map(|event| event["alternative"].as_str().unwrap_or("as usual"))
        .collect()
}

#[test]
fn a_person_takes_the_arm_unasked_and_the_plan_goes_on_from_where_it_is() {
    let (_folder, config) = deployment("");
    let typed = "pick up any block\ntake over\njog z 0.1\ngive back\n";
    let arguments = [
        "chat", "--fast", "--json", "--seed", "3", "--config", &config,
    ];
    let run = workspace().run_vola(&arguments, typed, LIMIT);
    let events = run.json_lines();
    assert_eq!(
        changes(&events),
        [
            ("auto", "hold", "nobody"),
            ("hold", "ask", "nobody"),
            ("ask", "take_over", "person"),
            ("take_over", "auto", "policy"),
        ],
        "{}",
        run.stderr
    );
    let first = events
        .iter()
        .find(|event| event["event"] == "handoff_state")
        .unwrap();
    assert_eq!(first["cause"], "demanded");
    let (at, told) = (first["at"].as_f64().unwrap(), first["t"].as_f64().unwrap());
    assert!(at <= told, "{first}");
    // Nobody was asked; the hand's part of the step is told as a try of its own.
    assert!(events.iter().all(|event| event["event"] != "handoff"));
    assert!(tries(&events).contains(&"by hand"), "{:?}", tries(&events));
    let end = events.last().unwrap();
    assert_eq!(
        (&end["outcome"], &end["success"]),
        (&Value::from("done"), &Value::from(true)),
        "{end}"
    );

    // Where nothing runs there is nothing to take.
    let run = workspace().run_vola(&arguments, "take over\n", LIMIT);
    let events = run.json_lines();
    assert_eq!(events.last().unwrap()["outcome"], "chat");
    assert!(changes(&events).is_empty());
}

#[test]
fn a_step_that_does_not_work_is_a_person_s_as_well() {
    let (_folder, config) = deployment(
        "[execution]\nexecute_rows = 2\nprimitive_timeout_s = 0.6\n[planner]\nrecovery = { attempts = 1, replans = 0 }\n",
    );
    // Taken, and given back as it was: asked again.
    let typed = "pick up any block\n3\njog z 0.1\ngive back\n2\n";
    let arguments = [
        "chat", "--fast", "--json", "--seed", "3", "--config", &config,
    ];
    let run = workspace().run_vola(&arguments, typed, LIMIT);
    let events = run.json_lines();
    let asked: Vec<&Value> = events
        .iter()
        .filter(|event| event["event"] == "handoff")
        .collect();
    assert_eq!(asked.len(), 2, "{events:#?}");
    for question in asked {
        assert_eq!(
            question["choices"],
            serde_json::json!(["try again", "skip this step", "take over", "abort"])
        );
    }
    assert_eq!(
        changes(&events)[..4],
        [
            ("auto", "hold", "nobody"),
            ("hold", "ask", "nobody"),
            ("ask", "take_over", "person"),
            ("take_over", "auto", "policy"),
        ]
    );
    assert_eq!(tries(&events), ["as usual", "by hand"]);
    // Left out, it is no success.
    let end = events.last().unwrap();
    assert_eq!(end["success"], false, "{end}");
}

/// Says "continue" to every question, until all is done.
fn go_on(served: &mut Served) {
    loop {
        let line = served.line();
        match line["event"].as_str() {
            Some("handoff") => {
                // It asks a moment before it takes an answer.
                let taken = (0..100).any(|_| {
                    let told = served.ask("POST", "/api/handoff", r#"{"choice":"continue"}"#);
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

#[test]
fn a_moving_arm_is_taken_over_http() {
    let mut served = serve_with("[handoff]\nsafe_stop = 'hold'\ndead_man_ms = 2000\n", &[]);
    let choose = |choice: &str| serde_json::json!({ "choice": choice }).to_string();
    let refused = served.ask("POST", "/api/handoff", &choose("take_over"));
    assert_eq!(refused.0, 409, "nothing runs: {}", refused.1);
    served.say("put the yellow block in the red bowl");
    served.event("confidence");
    let taken = served.ask("POST", "/api/handoff", &choose("take_over"));
    assert_eq!(taken.0, 202, "{}", taken.1);
    // The moving primitive comes to rest, and is not lost.
    assert_eq!(served.event("step_finished")["outcome"], "interrupted");
    while served.event("handoff_state")["to"] != "take_over" {}
    let low = served.event("state")["tool"][2].as_f64().unwrap();
    let again = served.ask("POST", "/api/handoff", &choose("take_over"));
    assert_eq!(again.0, 409, "it is taken: {}", again.1);
    for _ in 0..10 {
        let up = r#"{"linear_m_per_s":[0,0,0.1]}"#;
        assert_eq!(served.ask("POST", "/api/jog", up).0, 202);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let back = served.ask("POST", "/api/handoff", &choose("give_back"));
    assert_eq!(back.0, 202, "{}", back.1);
    let high = served.event("state")["tool"][2].as_f64().unwrap();
    assert!(high > low + 0.01, "{low} {high}");
    assert_eq!(served.event("finished")["outcome"], "done");
}

/// "Continue" goes on with the same primitive: its questions are counted on, and what
/// was asked about and then done counts against the calibration.
#[test]
fn what_is_gone_on_with_is_the_same_primitive() {
    let unsure = |most: u32| {
        format!(
            "[confidence]\nsignals = ['no_progress']\nthresholds = {{ no_progress = 0.05 }}\nbudget = {{ per_primitive = {most} }}\n"
        )
    };
    let said = |most: u32| {
        let (_folder, config) = deployment(&unsure(most));
        let typed = "put the yellow block in the red bowl\n1\n1\n1\n1\n";
        let arguments = ["chat", "--fast", "--json", "--seed", "2", "--config"];
        let arguments: Vec<&str> = arguments.into_iter().chain([config.as_str()]).collect();
        let run = workspace().run_vola(&arguments, typed, LIMIT);
        run.json_lines()
            .iter()
            .filter(|event| event["event"] == "step_finished")
            .filter_map(|event| event["reason"].as_str().map(str::to_owned))
            .any(|reason| reason.contains("questions of this primitive are used up"))
    };
    assert!(
        said(1),
        "the second doubt of a primitive is not asked about"
    );
    assert!(!said(5));

    let mut served = serve_with(&unsure(5), &[]);
    served.say("put the yellow block in the red bowl");
    go_on(&mut served);
    let drift = served.figure("vola_health{figure=\"drift\"}");
    assert!(drift.is_some_and(|sum| sum > 1.0), "{drift:?}");
}

/// Somebody's page lives on while the one that jogged is gone: that moves no arm.
#[test]
fn a_sign_of_life_is_no_wish() {
    let mut served = serve_with("[handoff]\nsafe_stop = 'hold'\ndead_man_ms = 300\n", &[]);
    let choose = |choice: &str| serde_json::json!({ "choice": choice }).to_string();
    served.say("put the yellow block in the red bowl");
    served.event("confidence");
    let taken = served.ask("POST", "/api/handoff", &choose("take_over"));
    assert_eq!(taken.0, 202, "{}", taken.1);
    while served.event("handoff_state")["to"] != "take_over" {}
    let before = served.event("state")["tool"][2].as_f64().unwrap();
    let up = r#"{"linear_m_per_s":[0,0,0.1]}"#;
    assert_eq!(served.ask("POST", "/api/jog", up).0, 202);
    for _ in 0..40 {
        assert_eq!(served.ask("POST", "/api/beat", "").0, 204);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let back = served.ask("POST", "/api/handoff", &choose("abort"));
    assert_eq!(back.0, 202, "{}", back.1);
    let after = served.event("state")["tool"][2].as_f64().unwrap();
    assert!(after - before < 0.1, "{before} {after}");
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
    go_on(&mut served);
}
