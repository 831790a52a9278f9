//! A policy that is unsure: perturbations, calibration, and what is told of it.

use std::path::Path;

use vola_tests::workspace;

use super::vola;

/// A deployment with a bundle of its own, a copy of the shipped one.
fn own_bundle(more: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    copy(&workspace().root.join("configs/policies/tabletop"), &bundle);
    let text = format!(
        "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = 'bundle'\n[execution]\nexecute_rows = 2\n{more}"
    );
    let file = folder.path().join("d.toml");
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (folder, path)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn perturbations_have_names_and_rows() {
    let wrong = vola(&["eval", "--perturb", "ligth", "--json"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("did you mean `light`?"),
        "{}",
        wrong.stderr
    );

    let arguments = [
        "eval",
        "--task",
        "pick",
        "--episodes",
        "2",
        "--perturb",
        "light,wrong_object,none",
        "--json",
    ];
    let run = vola(&arguments);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let rows = run.json_lines();
    let named: Vec<_> = rows
        .iter()
        .filter_map(|row| row["perturb"].as_str())
        .collect();
    assert_eq!(named, ["light", "wrong_object", "none"]);
    let summary = &rows.last().unwrap()["summary"];
    assert_eq!(summary["episodes"], 6);
    assert!(
        summary["per_perturb"]["light"]["rate"].is_number(),
        "{summary}"
    );
}

#[test]
fn events_tell_every_signal_and_which_is_nearest_to_holding() {
    let run = vola(&[
        "run",
        "pick up any block",
        "--fast",
        "--seed",
        "3",
        "--json",
    ]);
    let events = run.json_lines();
    let confidence: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "confidence")
        .collect();
    assert!(!confidence.is_empty(), "{}", run.stderr);
    for event in &confidence {
        assert!(event["score"].is_number() && event["threshold"].is_number());
        let signals = event["signals"].as_array().unwrap();
        let stall = signals.iter().find(|signal| signal["name"] == "stall");
        assert!(stall.unwrap()["value"].is_number(), "{event}");
        assert!(event["signal"].is_string(), "{event}");
    }
}

#[test]
fn without_a_fitting_calibration_a_risk_is_replaced_by_what_can_hold() {
    // Calibrated for other windows: fixed thresholds hold, and the risk has none.
    let (_folder, config) = own_bundle("[confidence]\nsignals = ['learned_risk']\nwindow = 5\n");
    let run = pick(&config);
    assert!(
        run.stderr.contains("fixed thresholds hold"),
        "{}",
        run.stderr
    );
    let events = run.json_lines();
    let mut confidence = events
        .iter()
        .filter(|event| event["event"] == "confidence")
        .peekable();
    assert!(confidence.peek().is_some(), "{}", run.stderr);
    for event in confidence {
        let signals = event["signals"].as_array().unwrap();
        assert!(
            signals.iter().any(|signal| signal["ratio"].is_number()),
            "{event}"
        );
    }
}

/// Picks any block, by this deployment.
fn pick(config: &str) -> vola_tests::Finished {
    vola(&[
        "run",
        "pick up any block",
        "--fast",
        "--seed",
        "3",
        "--json",
        "--config",
        config,
    ])
}

#[test]
fn a_policy_that_must_hold_names_the_signal() {
    // Nothing stands still for less than this.
    let (_folder, config) =
        own_bundle("[confidence]\nsignals = ['no_progress']\nthresholds = { no_progress = 0.5 }\n");
    let run = pick(&config);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let events = run.json_lines();
    let handoff = events
        .iter()
        .find(|event| event["event"] == "handoff")
        .unwrap();
    assert!(
        handoff["reason"].as_str().unwrap().contains("no_progress"),
        "{handoff}"
    );
    assert!(handoff["score"].as_f64().unwrap() < handoff["threshold"].as_f64().unwrap());
    // With no question left the arm does not go on, and nobody is asked.
    let (_folder, config) = own_bundle(
        "[confidence]\nsignals = ['no_progress']\nthresholds = { no_progress = 0.5 }\nbudget = { per_hour = 0 }\n",
    );
    let run = pick(&config);
    let events = run.json_lines();
    let end = events
        .iter()
        .find(|event| event["event"] == "step_finished" && event["step"]["op"] == "pick")
        .unwrap();
    assert_eq!(end["outcome"], "interrupted", "{events:#?}");
    assert!(end["reason"].as_str().unwrap().contains("budget"), "{end}");
}

#[test]
fn a_bundle_is_calibrated_and_a_changed_one_is_refused() {
    let (folder, config) = own_bundle("");
    let picture = folder.path().join("reliability.png");
    let curves = folder.path().join("curves.jsonl");
    let (picture, curves) = (picture.to_str().unwrap(), curves.to_str().unwrap());
    let made = vola(&[
        "calibrate",
        "--episodes",
        "7",
        "--failures",
        "2",
        "--config",
        &config,
        "--json",
        "--picture",
        picture,
        "--curves",
        curves,
    ]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let told = &made.json_lines()[0];
    let pick = &told["ops"]["pick"];
    // Too few of its own: it is judged by all.
    assert_eq!(pick["group"], "all", "{told}");
    let (n, k) = (
        pick["threshold"]["n"].as_f64().unwrap(),
        pick["threshold"]["k"].as_f64().unwrap(),
    );
    assert!((k - ((n + 1.0) * 0.95).ceil()).abs() < 0.5, "{pick}");
    assert_eq!(&std::fs::read(picture).unwrap()[1..4], b"PNG");

    // The same episodes, read, give the same thresholds.
    let again = vola(&["calibrate", "--from", curves, "--config", &config, "--json"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(again.json_lines()[0]["ops"], told["ops"]);

    // A rate that so few episodes cannot hold is not promised.
    let strict = folder.path().join("strict.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &strict,
        format!("{text}[confidence]\nfalse_hold_rate = 0.001\n"),
    )
    .unwrap();
    let refused = vola(&[
        "eval",
        "--task",
        "pick",
        "--episodes",
        "1",
        "--config",
        strict.to_str().unwrap(),
    ]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("999"), "{}", refused.stderr);

    // Another policy beside the calibration.
    let policy = folder.path().join("bundle/policy.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, format!("# changed\n{text}")).unwrap();
    let refused = vola(&[
        "eval",
        "--task",
        "pick",
        "--episodes",
        "1",
        "--config",
        &config,
    ]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("vola calibrate"),
        "{}",
        refused.stderr
    );
}

#[test]
fn failures_are_measured_against_baselines() {
    let run = vola(&[
        "eval",
        "--suite",
        "handoff",
        "--task",
        "pick",
        "--perturb",
        "weak_gripper,none",
        "--episodes",
        "2",
        "--json",
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let rows = run.json_lines();
    let weak = rows
        .iter()
        .find(|row| row["perturb"] == "weak_gripper")
        .unwrap();
    assert_eq!(weak["episodes"], 2);
    assert!(weak["baselines"]["velocity_limit"].is_object(), "{weak}");
    let methods: Vec<_> = rows
        .iter()
        .filter_map(|row| row["method"].as_str())
        .collect();
    for method in ["confidence", "velocity_limit", "random", "stall"] {
        assert!(methods.contains(&method), "{methods:?}");
    }
    let summary = &rows.last().unwrap()["summary"];
    let holds = &summary["false_holds"];
    assert!(
        holds["of"].as_u64().unwrap() > 5 && holds["inside"].is_boolean(),
        "{summary}"
    );
}

#[test]
fn an_operator_who_is_asked_is_measured_against_nobody() {
    let run = |workers: &str| {
        let arguments = [
            "eval",
            "--suite",
            "handoff",
            "--operator",
            "simulated",
            "--task",
            "pick",
            "--perturb",
            "wrong_object",
            "--episodes",
            "2",
            // As shipped it asks too seldom to be sure of a question in two episodes.
            "--false-hold-rate",
            "0.05",
            "--workers",
            workers,
            "--json",
        ];
        let run = vola(&arguments);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let mut rows = run.json_lines();
        let summary = rows.last_mut().unwrap()["summary"].as_object_mut().unwrap();
        assert!(summary.remove("wall_seconds").is_some());
        rows
    };
    let rows = run("2");
    let [row, last] = rows.as_slice() else {
        panic!("{rows:#?}");
    };
    assert_eq!(row["perturb"], "wrong_object");
    assert_eq!(row["episodes"], 2, "{row}");
    for key in ["handoffs", "take_overs", "operator_s", "unasked"] {
        assert!(row[key].is_number(), "{key}: {row}");
    }
    for way in ["unanswered", "alone", "with"] {
        assert!(row[way]["rate"].is_number(), "{way}: {row}");
    }
    for way in ["alone", "with"] {
        assert!(row["seconds"][way].as_f64().unwrap() > 0.0, "{way}: {row}");
    }
    // An operator's time is that of handoffs.
    let is_asked = row["handoffs"].as_f64().unwrap() > 0.0;
    assert_eq!(is_asked, row["operator_s"].as_f64().unwrap() > 0.0, "{row}");
    let summary = &last["summary"];
    assert_eq!(summary["episodes"], 2, "{summary}");
    let gained = &summary["gained"]["over_alone"];
    let bound = |key: &str| gained[key].as_f64().unwrap();
    assert!(bound("low") <= bound("points") && bound("points") <= bound("high"));
    assert!(summary["operator"]["thinks_s"]["median"].is_number());
    // The words of another object: a person who sees the table helps.
    assert!(bound("points") > 0.0, "{summary}");
    // The same for any number of workers.
    assert_eq!(rows, run("1"));

    let wrong = vola(&["eval", "--operator", "simulated"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("--suite handoff"), "{}", wrong.stderr);
}
