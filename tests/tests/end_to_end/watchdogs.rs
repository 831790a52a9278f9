//! Watchdogs, seen from outside.

use std::path::Path;

use serde_json::Value;
use vola_tests::workspace;

use super::vola;

/// A deployment of the tabletop with more to say.
pub(super) fn deployment(more: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let bundle = workspace().root.join("configs/policies/tabletop");
    let text = format!(
        "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = '{}'\n{more}",
        bundle.display()
    );
    let file = folder.path().join("d.toml");
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn a_policy_that_is_too_slow_holds_and_says_why() {
    // Each chunk comes 750 ms after its request, 50 ms later than it may, and
    // before its last row is past.
    let (_folder, config) = deployment(
        "latency_ms = 750\n[execution]\nexecute_rows = 2\nprimitive_timeout_s = 5\n[safety]\nchunk_deadline_ms = 500",
    );
    let sentence = "push any block to the left";
    let run = vola(&[
        "run", sentence, "--fast", "--seed", "3", "--json", "--config", &config,
    ]);
    let events = run.json_lines();
    let held: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "safety" && event["limit"] == "inference_deadline")
        .collect();
    assert!(!held.is_empty(), "{events:#?}");
    assert!(
        held[0]["action"]
            .as_str()
            .unwrap()
            .contains("hold (category 2)"),
        "{}",
        held[0]
    );
    // A hold is no stop: the run goes on to its own end.
    assert_ne!(events.last().unwrap()["outcome"], "safety_stop");
    assert_eq!(events.last().unwrap()["event"], "finished");
    // The log says it as well.
    assert!(run.stderr.contains("inference_deadline"), "{}", run.stderr);
}

/// Copies a folder with those in it.
fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_files(&path, &copy);
        } else {
            std::fs::copy(path, copy).unwrap();
        }
    }
}

/// A stage in the program's own process that never returns ends the program, with
/// its name, after ten times the deadline of a call.
#[test]
fn a_stage_that_hangs_in_this_process_ends_the_program_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = workspace().root.join("configs/policies/tabletop");
    copy_files(&shipped, folder.path());
    // It was made for the head that is exchanged here.
    std::fs::remove_file(folder.path().join("calibration.json")).unwrap();
    let file = folder.path().join("policy.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    // The head of the actions: called when the first primitive decides.
    let begin = text.find("plugin = \"heads/chunk\"").unwrap();
    let end = begin + text[begin..].find("[[stage]]").unwrap();
    let hanging = "plugin = \"mock/break\"\nversion = \"*\"\ninputs = [\"context\"]\noutputs = [\"action\"]\nsettings = { way = \"hang\" }\n\n";
    std::fs::write(&file, [&text[..begin], hanging, &text[end..]].concat()).unwrap();
    let config = folder.path().join("d.toml");
    // Generous deadlines but the one that is tested.
    let text = format!(
        "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = '{}'\n[plugins]\ncall_deadline_ms = 500\n[plugins.isolation]\nmock = 'none'\n[safety]\nstate_deadline_ms = 1000\ncamera_deadline_ms = 5000\ncamera_stop_ms = 10000\n[control]\nmissed_ticks = 1000",
        folder.path().display()
    );
    std::fs::write(&config, text).unwrap();
    let mock = workspace().library("mock");
    let run = vola(&[
        "run",
        "put the yellow block in the red bowl",
        "--seed",
        "2",
        "--json",
        "--config",
        config.to_str().unwrap(),
        "--plugins",
        mock.to_str().unwrap(),
    ]);
    assert!(!run.timed_out, "{}", run.stderr);
    assert_eq!(run.code, Some(4), "{}\n{}", run.stdout, run.stderr);
    for word in ["mock/break", "has not returned from `call`", "isolation"] {
        assert!(run.stderr.contains(word), "{}", run.stderr);
    }
    let last = run.json_lines().pop().unwrap();
    assert_eq!(last["error"]["exit"], 4, "{last}");
}

#[test]
fn a_session_in_real_time_starts_moves_and_ends() {
    // Generous deadlines: what is tested is not how busy this machine is.
    let (_folder, config) =
        deployment("[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000");
    let arguments = [
        "bench",
        "control",
        "--seconds",
        "1",
        "--json",
        "--config",
        &config,
    ];
    // A machine too busy for real time stops the arm, and says so; nor does it run
    // half of the thousand ticks that are due. It is not so five times in a row.
    let is_full = |run: &vola_tests::Finished| {
        let ticks = |row: &Value| row["report"]["ticks"].as_u64() >= Some(500);
        run.json_lines()
            .first()
            .and_then(|report| Some(report["actuators"].as_array()?.iter().all(ticks)))
            == Some(true)
    };
    let mut run = vola(&arguments);
    for _ in 1..5 {
        if run.code == Some(4) {
            assert!(run.stderr.contains("stopped"), "{}", run.stderr);
        } else if is_full(&run) {
            break;
        }
        run = vola(&arguments);
    }
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report = &run.json_lines()[0];
    let actuators = report["actuators"].as_array().unwrap();
    assert_eq!(actuators.len(), 2);
    for row in actuators {
        assert!(row["report"]["ticks"].as_u64() >= Some(500), "{row}");
        assert!(
            row["report"]["work"]["p50_us"].as_f64() > Some(0.0),
            "{row}"
        );
    }
    for name in ["priority", "processor", "memory"] {
        let grant = &report["real_time"][name];
        let is_said = grant["granted"] == true || grant["help"].is_string();
        assert!(is_said, "{grant}");
    }
}
