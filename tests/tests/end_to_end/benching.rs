//! Times of policy steps count what was done in the step, and nothing else.

use std::collections::BTreeSet;

use super::vola;

const BUNDLE: &str = "configs/policies/tabletop";

#[test]
fn a_stage_whose_outputs_are_kept_takes_no_time_in_later_steps() {
    let shown = vola(&["policy", "show", BUNDLE, "--json"]);
    let shown = &shown.json_lines()[0];
    // What reads the sentence alone runs once a primitive, which is within the
    // warm-up that is not counted.
    let stages = shown["stages"].as_array().unwrap().iter();
    let (once, always): (Vec<_>, Vec<_>) =
        stages.partition(|stage| stage["inputs"] == serde_json::json!(["task"]));
    assert!(!once.is_empty() && !always.is_empty(), "{shown:#}");

    let run = vola(&["policy", "bench", BUNDLE, "--runs", "8", "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let times = &run.json_lines()[0];
    let timed: BTreeSet<&String> = times["stages"].as_object().unwrap().keys().collect();
    for stage in once {
        let name = stage["name"].as_str().unwrap().to_owned();
        assert!(!timed.contains(&name), "`{name}` has a time in {times:#}");
    }
    assert!(!timed.is_empty(), "{times:#}");
}
