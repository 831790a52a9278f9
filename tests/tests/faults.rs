//! The fault lab end to end: `vola doctor --faults` with the shipped policy,
//! plugins and arms. What each fault must end as stands with the fault; here it
//! is demanded that every one of them was tried and ended so.
//!
//! Faults that no lab in the runtime can make have tests of their own:
//!
//! | fault | test |
//! |---|---|
//! | a plugin panics in load, call, drop, once and a hundred times | `plugins/stages.rs`, `plugins/robots.rs` |
//! | crash, exit, abort, stack overflow, memory, hang of an isolated plugin | `isolation/breaking.rs` |
//! | a library built so that a panic aborts | `isolation/aborting.rs` |
//! | a plugin in the runtime's process hangs | `end_to_end/watchdogs.rs` |
//! | the runtime is killed, with the robot isolated; what follows it | `isolation/robots.rs`, `control_loop/tests/resets.rs` |
//! | a stage is lost or hangs under a moving arm, in real time | `isolation/decelerating.rs` |
//! | inference slower than its deadline, told by a whole run, in virtual time | `end_to_end/watchdogs.rs` |
//! | wrong, old, truncated, foreign libraries; a library that changed after it was locked | `plugins/files.rs`, `trust.rs` |
//! | standard output and log lines that nobody reads, a log that is flooded | `end_to_end/slow_log.rs` |
//! | a disk that is full, fails or stalls under the run log | `core/cli/src/run_log.rs`, `end_to_end/failing_disk.rs` |
//! | malformed deployments, bundles, weights; files of 100 MB | `end_to_end/bad_input.rs`, `end_to_end/huge_files.rs`, `core/bundle`, `core/nn` |
//! | a link that is dead for 1 … 1000 ms, with states twice and out of order | `control_loop/tests/links.rs` |
//! | lateness of ticks, power cut after a stop that fails | `control_loop/tests/` |
//! | what a language model or its server does wrong; what the arm does meanwhile | `planner/tests`, `end_to_end/planner_faults.rs` |

use std::time::Duration;

use serde_json::Value;
use vola_tests::workspace;

/// Far above what all trials take on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

fn doctor(arguments: &[&str]) -> vola_tests::Finished {
    let words = ["doctor", "--faults", "--json"];
    workspace().run_vola(&[&words[..], arguments].concat(), "", LIMIT)
}

#[test]
fn every_fault_is_found_named_and_survived_by_both_arms() {
    for config in ["configs/tabletop.toml", "configs/tabletop_ur5e.toml"] {
        let done = doctor(&["--config", config, "--times", "2"]);
        let rows = done.json_lines();
        let failed: Vec<&Value> = rows.iter().filter(|row| !row["failed"].is_null()).collect();
        assert!(failed.is_empty(), "{config}: {failed:#?}");
        assert_eq!(done.code, Some(0), "{config}: {}", done.stderr);
        assert!(rows.len() >= 51, "{config}: only {} faults", rows.len());
        for row in rows {
            assert_eq!(row["passed"], 2, "{row}");
            assert_eq!(row["violations"], 0, "{row}");
        }
    }
}

/// The shipped deployments grant their simulated worlds more time than a robot gets.
#[test]
fn the_usual_deadlines_of_20_ms_hold_as_well() {
    for config in ["configs/tabletop.toml", "configs/tabletop_ur5e.toml"] {
        let done = doctor(&["--usual-deadlines", "--config", config, "--times", "1"]);
        let rows = done.json_lines();
        let failed: Vec<&Value> = rows.iter().filter(|row| !row["failed"].is_null()).collect();
        assert!(failed.is_empty(), "{config}: {failed:#?}");
        assert_eq!(done.code, Some(0), "{config}: {}", done.stderr);
        assert!(rows.len() >= 15, "{config}: only {} faults", rows.len());
        let stale = rows.iter().find(|row| row["fault"] == "state_stale");
        let after_ms = stale.unwrap()["found_after_ms"].as_f64().unwrap();
        assert!(after_ms <= 22.0, "{config}: {after_ms}");
    }
}

#[test]
fn a_trial_is_the_same_however_often_it_is_made() {
    let trial = || {
        let done = doctor(&[
            "--fault",
            "state_stale",
            "--fault",
            "action_nan",
            "--seed",
            "7",
        ]);
        assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
        done.stdout
    };
    assert_eq!(trial(), trial());
}

#[test]
fn an_unknown_fault_is_wrong_usage_and_the_known_are_named() {
    let done = doctor(&["--fault", "sunshine"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("camera_frozen"), "{}", done.stderr);
}
