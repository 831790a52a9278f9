//! Bad input gets a clear message and the right exit code, and loses nothing.

use std::{fs, path::Path};

use vola_tests::workspace;

use super::vola;

/// A deployment with one thing changed.
fn deployment(folder: &Path, from: &str, to: &str) -> String {
    let root = &workspace().root;
    let text = fs::read_to_string(root.join("configs/tabletop.toml")).unwrap();
    let bundle = root.join("configs/policies/tabletop");
    let manual = root.join("configs/manual");
    let text = text
        .replace(
            "\"policies/tabletop\"",
            &format!("{:?}", bundle.display().to_string()),
        )
        .replace("\"manual\"", &format!("{:?}", manual.display().to_string()));
    assert!(
        text.contains(from),
        "{from:?} is not in the default deployment"
    );
    let path = folder.join("deployment.toml");
    fs::write(&path, text.replace(from, to)).unwrap();
    path.display().to_string()
}

/// A deployment with a copy of the bundle, to be spoiled.
fn copied_bundle(folder: &Path) -> (String, std::path::PathBuf) {
    let root = &workspace().root;
    let bundle = folder.join("bundle");
    copy(&root.join("configs/policies/tabletop"), &bundle);
    let text = fs::read_to_string(root.join("configs/tabletop.toml")).unwrap();
    let path = folder.join("deployment.toml");
    let manual = root.join("configs/manual").display().to_string();
    let text = text
        .replace("policies/tabletop", "bundle")
        .replace("\"manual\"", &format!("{manual:?}"));
    fs::write(&path, text).unwrap();
    (path.display().to_string(), bundle)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn refused(config: &str, expected: &[&str]) {
    let run = vola(&["run", "pick up the red block", "--fast", "--config", config]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for words in expected {
        assert!(
            run.stderr.contains(words),
            "`{words}` is not in:\n{}",
            run.stderr
        );
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn a_wrong_deployment_names_key_and_help() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, expected) in [
        (
            "latency_ms",
            "latencyms",
            &["policy.latencyms", "latency_ms"][..],
        ),
        ("threads = 2", "threads = -2", &["policy.threads"]),
        (
            "tabletop/franka",
            "tabletop/franca",
            &["tabletop/franca", "tabletop/franka"],
        ),
        (
            "tabletop/franka",
            "nothing/here",
            &["nothing/here", "found"],
        ),
        ("\"receding\"", "\"fast\"", &["execution.mode", "receding"]),
    ] {
        refused(&deployment(folder.path(), from, to), expected);
    }
    refused("no/such/file.toml", &["no/such/file.toml"]);
}

#[test]
fn limits_wider_than_the_robots_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let wider = "[safety]\nmax_tool_speed_m_per_s = 50.0\n";
    refused(
        &deployment(folder.path(), "[safety]\n", wider),
        &["max_tool_speed_m_per_s"],
    );
}

#[test]
fn safety_settings_that_the_robot_cannot_keep_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (setting, expected) in [
        ("force_stop_n = -30", &["safety.force_stop_n"][..]),
        ("gripper_force_n = -1", &["safety.gripper_force_n"]),
        (
            "collision_margin_m = 0.3",
            &["safety.forbidden: forbidden box 0", "the home pose is"],
        ),
    ] {
        let safety = format!("[safety]\n{setting}\n");
        refused(&deployment(folder.path(), "[safety]\n", &safety), expected);
    }
}

#[test]
fn a_spoiled_bundle_is_refused() {
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil, &[&str]); 8] = [
        (
            "truncated weights",
            |bundle| {
                let path = bundle.join("model.safetensors");
                let bytes = fs::read(&path).unwrap();
                fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
            },
            &["model.safetensors"],
        ),
        (
            "a header that is no header",
            |bundle| spoil_weights(bundle, |bytes| bytes[8..40].fill(b'?')),
            &["model.safetensors"],
        ),
        (
            "a weight that is not a number",
            |bundle| {
                spoil_weights(bundle, |bytes| {
                    let end = bytes.len();
                    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
                });
            },
            &["model.safetensors", "NaN"],
        ),
        (
            "state names in another order",
            |bundle| change(bundle, "\"tool.x\", \"tool.y\"", "\"tool.y\", \"tool.x\""),
            &["tool.y", "tool.x"],
        ),
        (
            "no statistics",
            |bundle| fs::remove_dir_all(bundle.join("stats")).unwrap(),
            &["stats"],
        ),
        (
            "a cycle",
            |bundle| change(bundle, "inputs = [\"task\"]", "inputs = [\"context\"]"),
            &["stage"],
        ),
        (
            "a missing producer",
            |bundle| change(bundle, "inputs = [\"context\"]", "inputs = [\"contex\"]"),
            &["contex", "context"],
        ),
        (
            "a camera of another size",
            |bundle| change(bundle, "width = 128", "width = 160"),
            &["160", "128"],
        ),
    ];
    for (name, spoil, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let (config, bundle) = copied_bundle(folder.path());
        spoil(&bundle);
        let run = vola(&[
            "run",
            "pick up the red block",
            "--fast",
            "--config",
            &config,
        ]);
        assert_eq!(run.code, Some(2), "{name}: {}", run.stderr);
        for words in expected {
            assert!(
                run.stderr.contains(words),
                "{name}: `{words}` is not in:\n{}",
                run.stderr
            );
        }
        assert!(!run.stderr.contains("panicked"), "{name}: {}", run.stderr);
    }
}

fn spoil_weights(bundle: &Path, how: fn(&mut [u8])) {
    let path = bundle.join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    how(&mut bytes);
    fs::write(&path, bytes).unwrap();
}

fn change(bundle: &Path, from: &str, to: &str) {
    let path = bundle.join("policy.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(&path, text.replace(from, to)).unwrap();
}

#[test]
fn sentences_that_cannot_be_done_end_with_their_code() {
    for (sentence, code, outcome) in [
        ("pick up the purple bowl", 1, "infeasible"),
        ("throw the red block at the dog", 1, "unsafe"),
    ] {
        let run = vola(&["run", sentence, "--fast", "--seed", "1", "--json"]);
        assert_eq!(
            run.code,
            Some(code),
            "{sentence}: {}\n{}",
            run.stdout,
            run.stderr
        );
        let finished = run.json_lines().pop().unwrap();
        assert_eq!(finished["event"], "finished");
        assert_eq!(finished["outcome"], outcome, "{sentence}");
        assert_eq!(finished["success"], false);
    }
    let empty = vola(&["run", "", "--fast"]);
    assert_eq!(empty.code, Some(2), "{}", empty.stderr);
    assert!(empty.stderr.contains("SENTENCE"), "{}", empty.stderr);
    assert!(!empty.stderr.contains("panicked"), "{}", empty.stderr);
}

#[test]
fn every_shipped_deployment_is_sound() {
    let configs = workspace().root.join("configs");
    let mut checked = 0;
    for entry in fs::read_dir(configs).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let run = vola(&["config", "check", "--config", path.to_str().unwrap()]);
            assert_eq!(
                run.code,
                Some(0),
                "{}: {}{}",
                path.display(),
                run.stdout,
                run.stderr
            );
            checked += 1;
        }
    }
    assert!(checked >= 2);
}

#[test]
fn a_named_file_that_is_no_plugin_is_not_passed_over() {
    let readme = "README.md";
    for arguments in [
        &["run", "go home", "--fast", "--plugins", readme][..],
        &["plugin", "check", readme],
    ] {
        let run = vola(&[arguments, &["--json"]].concat());
        assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.stderr);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains(readme), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_program_is_told_of_wrong_usage_too() {
    let run = vola(&["run", "pick", "--json", "--bogus"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    let told = run.json_lines().pop().unwrap();
    assert_eq!(told["error"]["exit"], 2, "{told}");
    let message = told["error"]["message"].as_str().unwrap();
    assert!(message.contains("--bogus"), "{message}");
}

#[test]
fn a_back_end_is_asked_for_only_where_the_planner_is_asked() {
    let run = vola(&[
        "eval",
        "--task",
        "pick",
        "--backend",
        "rules",
        "--episodes",
        "1",
    ]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("--backend"), "{}", run.stderr);
}
