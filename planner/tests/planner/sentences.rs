//! The table of sentences: what each must become over its scene.

use std::path::Path;

use serde::Deserialize;
use vola_planner::{Ladder, PlanRequest, verify_steps};
use vola_types::{Plan, Scene};

use crate::{plan_with, shorts};

#[derive(Deserialize)]
struct Table {
    scene: serde_json::Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    say: String,
    verdict: String,
    /// Steps of an `execute`.
    steps: Option<Vec<String>>,
    /// Number of options of an `ask`.
    options: Option<usize>,
    /// Steps of the options of an `ask`.
    plans: Option<Vec<Vec<String>>>,
    /// Words the answer must hold.
    answer: Option<String>,
}

/// What is wrong with the plan; empty when nothing is.
fn complaint(case: &Case, plan: &Plan) -> String {
    let got = shorts(&plan.steps);
    let options: Vec<Vec<String>> = plan.options.iter().map(|o| shorts(&o.steps)).collect();
    let wrong = plan.verdict.as_str() != case.verdict
        || case.steps.as_ref().is_some_and(|steps| *steps != got)
        || case.options.is_some_and(|n| n != plan.options.len())
        || case.plans.as_ref().is_some_and(|plans| *plans != options)
        || case
            .answer
            .as_ref()
            .is_some_and(|words| !plan.say.to_lowercase().contains(&words.to_lowercase()));
    if !wrong {
        return String::new();
    }
    format!(
        "{:?}\n   want {} {:?}\n   got  {} {got:?} {:?} {}",
        case.say,
        case.verdict,
        case.steps,
        plan.verdict.as_str(),
        plan.options
            .iter()
            .map(|o| format!("{}: {}", o.label, shorts(&o.steps).join("; ")))
            .collect::<Vec<_>>(),
        plan.say,
    )
}

#[test]
fn every_sentence_becomes_its_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let ladder = Ladder::rules_only();
    let (mut count, mut complaints) = (0, Vec::new());
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let table: Table = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let scene = Scene::from_json(&table.scene.to_string()).unwrap();
        for case in &table.cases {
            count += 1;
            let request = PlanRequest::new(case.say.clone(), scene.clone());
            let plan = plan_with(&ladder, &request);
            assert!(
                plan.fallbacks.is_empty(),
                "{name}: {:?} {:?}",
                case.say,
                plan.fallbacks
            );
            for option in &plan.options {
                verify_steps(&option.steps, &scene, &request.capabilities).unwrap();
            }
            let wrong = complaint(case, &plan);
            if !wrong.is_empty() {
                complaints.push(format!("{name}: {wrong}"));
            }
        }
    }
    assert!(count >= 250, "only {count} sentences");
    assert!(
        complaints.is_empty(),
        "{} of {count} sentences:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}
