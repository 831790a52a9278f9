//! The conformance kit finds every flaw, and finds none in good libraries.

use vola_plugin::{Check, CheckOutcome, check_library};
use vola_tests::workspace;

/// Checks a copy: a library logs to the host that activated it first, and in
/// this process that may be another test.
fn check_copy(library: &str) -> Vec<Check> {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("library_under_test.so");
    std::fs::copy(workspace().library(library), &copy).unwrap();
    check_library(&copy)
}

fn failed<'a>(checks: &'a [Check], plugin: &str) -> Vec<&'a Check> {
    let prefix = format!("{plugin}: ");
    checks
        .iter()
        .filter(|check| check.failed() && check.name.starts_with(&prefix))
        .collect()
}

#[test]
fn a_good_library_passes_every_check() {
    let checks = check_copy("mock");
    for check in &checks {
        assert_eq!(check.outcome, CheckOutcome::Passed, "{check}");
    }
    assert!(checks.len() > 50, "{} checks", checks.len());
    assert!(
        checks
            .iter()
            .any(|check| check.name == "mock/arm: follows commands")
    );
}

#[test]
fn a_file_that_is_no_library_gives_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libtext.so");
    std::fs::write(&path, "text").unwrap();
    let checks = check_library(&path);
    assert_eq!(checks.len(), 1);
    assert!(checks[0].failed());
    assert!(
        checks[0]
            .detail
            .contains("cannot be loaded as a shared library"),
        "{}",
        checks[0]
    );
    assert!(checks[0].help.contains("cdylib"), "{}", checks[0]);
}

#[test]
fn every_flaw_is_found_under_its_own_name() {
    let checks = check_copy("wrong");
    for (plugin, row) in [
        ("library", "every plugin describes itself"),
        ("wrong/panic_in_configure", "wrong settings are refused"),
        ("wrong/panic_in_activate", "activates and resets"),
        ("wrong/panic_in_reset", "activates and resets"),
        ("wrong/panic_in_call", "outputs are whole and finite"),
        (
            "wrong/panic_in_deactivate",
            "deactivates; drops without deactivate",
        ),
        (
            "wrong/panic_in_drop",
            "deactivates; drops without deactivate",
        ),
        ("wrong/nan_output", "outputs are whole and finite"),
        ("wrong/error_in_call", "outputs are whole and finite"),
        ("wrong/takes_any_settings", "wrong settings are refused"),
        ("wrong/counts_in_a_static", "two instances do not mix"),
        (
            "wrong/ignores_the_seed",
            "same seed and inputs, same outputs",
        ),
        ("wrong/panic_in_open", "opens"),
        (
            "wrong/panic_in_state",
            "state is whole, finite, inside the limits",
        ),
        ("wrong/panic_in_command", "follows commands"),
        ("wrong/panic_in_hold", "holds still"),
        ("wrong/panic_in_stop", "a stop is latched until reset"),
        ("wrong/panic_in_grab", "cameras fill their pictures"),
        ("wrong/panic_in_world_reset", "takes a seed"),
        ("wrong/panic_in_step", "holds still"),
        ("wrong/panic_in_part_drop", "closes"),
        (
            "wrong/nan_state",
            "state is whole, finite, inside the limits",
        ),
        (
            "wrong/short_frame",
            "state is whole, finite, inside the limits",
        ),
        ("wrong/nan_limits", "describes itself"),
        ("wrong/home_outside", "describes itself"),
        (
            "wrong/no_tool_link",
            "the URDF has the tool link and the joints",
        ),
        (
            "wrong/error_in_state",
            "state is whole, finite, inside the limits",
        ),
        ("wrong/drifts", "holds still"),
        ("wrong/ignores_stop", "a stop is latched until reset"),
        ("wrong/stays_behind", "follows commands"),
        ("wrong/runs_on", "silence means rest"),
        ("wrong/takes_any_picture", "cameras refuse other sizes"),
        ("wrong/black_picture", "cameras fill their pictures"),
    ] {
        let failed = failed(&checks, plugin);
        let wanted = format!("{plugin}: {row}");
        assert!(
            failed.iter().any(|check| check.name == wanted),
            "{plugin}: failed {failed:#?}"
        );
        assert!(
            failed.iter().all(|check| !check.help.is_empty()),
            "{plugin}: {failed:#?}"
        );
    }
    // What only the rest of the chain can judge passes here.
    for plugin in ["wrong/wrong_name", "wrong/wrong_shape", "wrong/slow"] {
        let failed = failed(&checks, plugin);
        assert!(failed.is_empty(), "{plugin}: {failed:#?}");
    }
    // Without weights there is nothing to call: said, not failed.
    let weights: Vec<&Check> = checks
        .iter()
        .filter(|check| check.name == "wrong/error_in_activate: activates and resets")
        .collect();
    assert_eq!(weights[0].outcome, CheckOutcome::Skipped);
}
