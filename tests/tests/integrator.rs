//! The integrator's path: a crate from `vola plugin new` builds outside of the
//! workspace with the SDK alone, passes its own tests and every check, and moves
//! when a deployment names it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::Value;
use vola_abi::{LoadedModule, abi_stable::std_types::RStr};
use vola_plugin::check_library;
use vola_tests::{Finished, library_file, outside, run_limited, workspace};
use vola_types::{EmbodimentDescription, PluginKind};

use crate::plugin_new::{Sdk, generate};

/// A cold build may take this long, on a quiet machine.
const COLD_BUILD: Duration = Duration::from_secs(60);
/// Longest run of one command here.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn all_four_templates_build_and_pass() {
    let folder = tempfile::tempdir().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for kind in [
        PluginKind::Encoder,
        PluginKind::Fusion,
        PluginKind::Head,
        PluginKind::Embodiment,
    ] {
        let name = format!("my_{kind}");
        let sdk = Sdk::Path(sources.to_owned());
        let made = generate(&name, kind, &sdk, folder.path()).unwrap_or_else(|e| panic!("{e}"));
        let built = outside(&made.folder, &["build"]);
        let warned = format!("warning: `{name}`");
        assert!(!built.messages.contains(&warned), "{}", built.messages);
        println!("{name}: built in {:.1} s", built.took.as_secs_f64());
        assert!(
            built.took <= 3 * COLD_BUILD,
            "{name}: built in {:?}",
            built.took
        );

        let library = built.built.join(library_file(&name));
        assert_eq!(library_file(&name), made.library_file);
        let checks = check_library(&library);
        for check in &checks {
            assert_eq!(check.outcome, vola_plugin::CheckOutcome::Passed, "{check}");
        }
        let plugin = format!("{}: ", made.id);
        assert!(
            checks.iter().any(|check| check.name.starts_with(&plugin)),
            "{}",
            made.id
        );
        outside(&made.folder, &["test"]);
        outside(&made.folder, &["fmt", "--check"]);
    }
}

/// Generous deadlines: what is tested is not how busy this machine is.
const PATIENT: &str = "[safety]\nstate_deadline_ms = 1000\n[control]\nmissed_ticks = 1000\n";

/// The generated arm, built, in a folder with a deployment that names it.
struct MyArm {
    folder: tempfile::TempDir,
    library: PathBuf,
}

impl MyArm {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = workspace().root.display().to_string();
        let new = ["plugin", "new", "my_arm", "--kind", "embodiment", "--sdk"];
        let written = vola_in(folder.path(), &[&new[..], &[&root, "--json"]].concat());
        assert_eq!(written.code, Some(0), "{}", written.stderr);
        let id = written.json_lines()[0]["id"].clone();
        let built = outside(&folder.path().join("my_arm"), &["build"]);
        let file = library_file("my_arm");
        // A file under another name than usual, named itself.
        let library = folder
            .path()
            .join(format!("arm{}", std::env::consts::DLL_SUFFIX));
        fs::copy(built.built.join(&file), &library).unwrap();
        let deployment = format!(
            "[robot]\nplugin = {id}\n\n[plugins]\npaths = [{:?}]\n{PATIENT}",
            library.file_name().unwrap()
        );
        fs::write(folder.path().join("arm.toml"), deployment).unwrap();
        Self { folder, library }
    }

    fn vola(&self, arguments: &[&str]) -> Finished {
        let config = ["--config", "arm.toml", "--json"];
        vola_in(self.folder.path(), &[arguments, &config[..]].concat())
    }

    /// Joint positions with their limits, by the library's own description.
    fn limits(&self) -> BTreeMap<String, [f64; 2]> {
        let loaded = LoadedModule::load(&self.library).unwrap();
        let create = loaded.module().create_embodiment();
        let mut arm = create(RStr::from("arm")).into_result().unwrap();
        arm.configure(RStr::from("{}")).into_result().unwrap();
        let text = arm.describe().into_result().unwrap();
        let description: EmbodimentDescription = serde_json::from_str(&text).unwrap();
        let limits = |joint: vola_types::JointDescription| {
            (joint.name, [joint.position_min, joint.position_max])
        };
        description.joints.into_iter().map(limits).collect()
    }
}

/// Runs `vola` in a folder.
fn vola_in(folder: &Path, arguments: &[&str]) -> Finished {
    let mut command = Command::new(workspace().vola());
    command.args(arguments).current_dir(folder);
    run_limited(&mut command, "", LIMIT)
}

/// The arm at one instant: joints by name, and the gripper.
#[derive(Debug, PartialEq)]
struct Posture {
    joints: BTreeMap<String, f64>,
    gripper: f64,
}

impl Posture {
    fn read(state: &Value) -> Self {
        let names = state["names"].as_array().unwrap().iter();
        let positions = state["positions"].as_array().unwrap().iter();
        Self {
            joints: names
                .map(|name| name.as_str().unwrap().to_owned())
                .zip(positions.map(|position| position.as_f64().unwrap()))
                .collect(),
            gripper: state["gripper"].as_f64().unwrap(),
        }
    }

    /// The largest difference of a joint's positions (rad).
    fn distance(&self, other: &Self) -> f64 {
        let differences = self
            .joints
            .iter()
            .map(|(name, at)| (at - other.joints[name]).abs());
        differences.fold(0.0, f64::max)
    }
}

/// Runs a sentence that must be done; the arm before and after each step.
fn postures(arm: &MyArm, sentence: &str, clock: &[&str]) -> Vec<Posture> {
    let run = arm.vola(&[&["run", sentence][..], clock].concat());
    assert_eq!(
        run.code,
        Some(0),
        "{sentence}: {}\n{}",
        run.stdout,
        run.stderr
    );
    let events = run.json_lines();
    let finished = events.last().unwrap();
    assert_eq!(finished["event"], "finished", "{sentence}");
    assert_eq!(finished["outcome"], "done", "{sentence}: {finished}");
    let states = events.iter().filter(|event| event["event"] == "state");
    states.map(Posture::read).collect()
}

#[test]
fn a_generated_arm_moves_when_a_deployment_names_it() {
    let arm = MyArm::make();
    let library = arm.library.display().to_string();
    let checked = arm.vola(&["plugin", "check", &library]);
    assert_eq!(checked.code, Some(0), "{}", checked.stdout);
    for command in [["config", "check"].as_slice(), &["doctor"]] {
        let sound = arm.vola(command);
        assert_eq!(
            sound.code,
            Some(0),
            "{command:?}: {}{}",
            sound.stdout,
            sound.stderr
        );
    }

    let limits = arm.limits();
    assert_eq!(limits.len(), 6);
    // In virtual time, and by the machine's clock.
    for clock in [["--fast"].as_slice(), &[]] {
        let there = postures(&arm, "move to the top left corner", clock);
        let [start, end] = there.as_slice() else {
            panic!("expected the arm before and after one step, got {there:#?}");
        };
        assert!(start.distance(end) > 0.1, "it stayed: {start:?}, {end:?}");

        let back = postures(
            &arm,
            "move to the right side, then close the gripper, then go home",
            clock,
        );
        assert_eq!(back.len(), 6, "{back:#?}");
        let (away, closed, home) = (&back[1], &back[3], &back[5]);
        assert!(
            away.distance(&back[0]) > 0.1 && away.distance(home) > 0.1,
            "{back:#?}"
        );
        assert!(closed.gripper < 0.1 && away.gripper > 0.9, "{back:#?}");
        // A run begins at home.
        assert!(home.distance(&back[0]) < 0.01, "{back:#?}");

        for posture in there.iter().chain(&back) {
            assert_eq!(posture.joints.len(), limits.len());
            for (name, position) in &posture.joints {
                let [low, high] = limits[name];
                assert!((low..=high).contains(position), "{name}: {position}");
            }
        }
    }
}

#[test]
fn what_needs_a_policy_is_said_and_not_done() {
    let arm = MyArm::make();
    let pick = arm.vola(&["run", "pick up the red block", "--fast"]);
    assert_eq!(pick.code, Some(1), "{}", pick.stderr);
    let events = pick.json_lines();
    assert_eq!(
        events.last().unwrap()["outcome"],
        "infeasible",
        "{}",
        pick.stderr
    );
    assert!(events.iter().all(|event| event["event"] != "state"));
    let measured = arm.vola(&["eval", "--episodes", "1"]);
    assert_eq!(measured.code, Some(2), "{}", measured.stderr);
    assert!(measured.stderr.contains("[policy]"), "{}", measured.stderr);
}
