//! `cargo xtask prove`: reports that say everything that is needed to measure
//! the same again.

use std::fs;

use serde_json::Value;
use vola_tests::{run_limited, workspace};

use super::LIMIT;

#[test]
fn a_quick_proof_writes_whole_reports() {
    let folder = tempfile::tempdir().unwrap();
    let mut xtask = workspace().xtask();
    xtask
        .args(["prove", "scene", "words-only", "run-fast"])
        .args(["--quick", "--no-build", "--out"])
        .arg(folder.path());
    let proved = run_limited(&mut xtask, "", 5 * LIMIT);
    // Small counts prove nothing, so a bar that is missed is no failure.
    assert_eq!(proved.code, Some(0), "{}\n{}", proved.stdout, proved.stderr);

    let page = fs::read_to_string(folder.path().join("README.md")).unwrap();
    for (name, figures) in [
        (
            "scene",
            &["scene", "recall", "precision", "median_error_m"][..],
        ),
        ("words-only", &["pick", "held", "episodes_per_second"]),
        (
            "run-fast",
            &[
                "pick-and-place, whole process (median)",
                "chat, start to first answer (median)",
            ],
        ),
    ] {
        let text = fs::read_to_string(folder.path().join(format!("{name}.json"))).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["name"], name);
        assert_eq!(report["quick"], true);
        for key in ["what", "date"] {
            assert!(report[key].is_string(), "{name}: no `{key}` in {report:#}");
        }
        assert!(report["seconds"].as_f64().unwrap() > 0.0);
        assert!(!report["commands"].as_array().unwrap().is_empty());
        assert!(report["machine"]["cores"].as_u64().unwrap() >= 1);
        assert!(report["bundle"]["blake3"].as_str().unwrap().len() >= 32);
        for library in ["encoders", "fusion", "heads", "tabletop"] {
            let hash = report["plugins"][library].as_str();
            assert_eq!(hash.unwrap().len(), 64, "{library}");
        }
        let written = report["figures"].as_array().unwrap();
        for figure in figures {
            let found = written.iter().find(|one| one["name"] == *figure);
            let found = found.unwrap_or_else(|| panic!("no `{figure}` in {report:#}"));
            assert!(found["value"].is_number(), "{found}");
            assert_eq!(found["bar"].is_null(), found["met"].is_null(), "{found}");
            assert!(
                page.contains(&format!("| {name} (quick) | {figure} |")),
                "{page}"
            );
        }
    }
}

#[test]
fn what_cannot_be_proved_is_named() {
    let mut xtask = workspace().xtask();
    let listed = run_limited(xtask.args(["prove", "--list"]), "", LIMIT);
    assert_eq!(listed.code, Some(0));
    assert!(listed.stdout.lines().count() >= 12, "{}", listed.stdout);
    let mut xtask = workspace().xtask();
    let wrong = run_limited(xtask.args(["prove", "everything"]), "", LIMIT);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("policy-franka"), "{}", wrong.stderr);
}
