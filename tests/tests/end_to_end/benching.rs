//! Times of policy steps count what was done in the step, and nothing else.

use std::{collections::BTreeSet, time::Duration};

use vola_tests::workspace;

use super::{vola, watchdogs::deployment};

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

#[test]
fn a_minute_at_full_rate_grows_nothing() {
    // Two hours are `cargo xtask prove soak`.
    // Generous deadlines: what is tested is not how busy this machine is.
    let (_folder, config) = deployment(
        "[safety]\nstate_deadline_ms = 1000\ncamera_deadline_ms = 5000\ncamera_stop_ms = 10000\n[control]\nmissed_ticks = 1000",
    );
    let arguments = [
        "bench",
        "soak",
        "--seconds",
        "60",
        "--json",
        "--config",
        &config,
    ];
    let soak = workspace().run_vola(&arguments, "", Duration::from_secs(240));
    assert_eq!(soak.code, Some(0), "{}\n{}", soak.stdout, soak.stderr);
    let soaked = &soak.json_lines()[0];
    // Every period is accounted for, those too that a busy machine missed.
    let count = |key: &str| soaked[key].as_u64().unwrap();
    assert!(
        count("ticks") + count("missed_ticks") >= 59_000,
        "{soaked:#}"
    );
    // How many of them had their tick is this test's matter only where the control
    // thread goes before all others: without that the system gives it what is left
    // beside other tests. Half is far below what it then gets, and above what a loop
    // that waits for something would.
    if has_first_in_first_out() {
        let of_due = soaked["ticks_of_due"].as_f64().unwrap();
        assert!(of_due >= 0.5, "{soaked:#}");
    }
    assert!(count("samples") >= 40, "{soaked:#}");
    assert!(soaked["ended"]["done"].as_u64() >= Some(1), "{soaked:#}");
    let growth = soaked["memory_growth_mb"].as_f64().unwrap();
    assert!(growth < 5.0, "{soaked:#}");
    assert!(soaked["thread_growth"].as_i64().unwrap() <= 0, "{soaked:#}");
    assert!(
        soaked["descriptor_growth"].as_i64().unwrap() <= 0,
        "{soaked:#}"
    );
}

/// Whether the system grants the control thread its priority here.
fn has_first_in_first_out() -> bool {
    let (_folder, config) = deployment("[control]\nmissed_ticks = 1000");
    let arguments = [
        "bench",
        "control",
        "--seconds",
        "1",
        "--json",
        "--config",
        &config,
    ];
    let bench = vola(&arguments);
    // A machine too busy to move the arm at all says nothing of the kind.
    let printed = bench.json_lines();
    let priority = printed.first().map(|it| &it["real_time"]["priority"]);
    priority.is_some_and(|priority| {
        let detail = priority["detail"].as_str().unwrap_or_default();
        priority["granted"] == true && detail.starts_with("first-in first-out")
    })
}
