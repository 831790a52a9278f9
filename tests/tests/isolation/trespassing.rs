//! What a confined child cannot do: as much of it as can be tried.

use std::collections::BTreeMap;

use vola_abi::{TensorAbi, abi_stable::std_types::RStr};
use vola_isolation::{IsolatedEmbodiment, IsolatedStage};

use super::{Hosting, PATIENT, breaking::newest_child};
use crate::plugins::host::{call, floats, load, services};

/// Attempts that Landlock refuses; every other one is the filter's of calls.
const LANDLOCK: [&str; 11] = [
    "write_a_file",
    "write_into_the_home",
    "write_shared_memory",
    "make_a_folder",
    "make_a_link",
    "read_passwords",
    "read_the_home",
    "read_others_temporary_files",
    "read_the_parent_s_variables",
    "open_the_parent_s_memory",
    "open_the_system_log",
];
/// Attempts that any process can make of itself: what shows that they are real.
const ORDINARY: [&str; 12] = [
    "write_a_file",
    "make_a_folder",
    "make_a_link",
    "read_others_temporary_files",
    "udp_socket",
    "unix_socket",
    "start_a_program",
    "fork",
    "limits_of_the_parent",
    "change_the_program_s_mode",
    "own_priority",
    "personality",
];
const FOREIGN: &str = "foreign_descriptors";

/// Whether each attempt could be done.
fn attempts(tensors: &[TensorAbi]) -> BTreeMap<String, bool> {
    let could = |tensor: &TensorAbi| (tensor.name.to_string(), tensor.bytes[0] == 1);
    tensors.iter().map(could).collect()
}

/// Best effort: what the child says that it gave up, it cannot do.
#[test]
fn a_confined_child_can_do_no_more_than_it_says() {
    let hosting = Hosting::of("mock", PATIENT);
    let level = IsolatedStage::start(&hosting.spec, "break")
        .unwrap()
        .level()
        .to_owned();
    assert!(level.contains("limits on memory"), "{level}");
    let (mut stage, _) = hosting.stage("break", r#"{"way":"trespass","at":9}"#);
    let x = floats("x", &[1, 2], &[1.5, -2.0]);
    let tried = attempts(&call(&mut stage, 0, &[x.lend()]).unwrap());
    let is_needed = |name: &str| name.starts_with("may_");
    let (mut refused, mut allowed) = (0, Vec::new());
    for (name, could) in tried.iter().filter(|(name, _)| !is_needed(name)) {
        let by = if LANDLOCK.contains(&name.as_str()) {
            "Landlock"
        } else {
            "seccomp"
        };
        // No descriptor but its own is passed, whatever the kernel can.
        if level.contains(by) || name == FOREIGN {
            assert!(!could, "{name} in spite of {level}");
        }
        if *could {
            allowed.push(name.as_str());
        } else {
            refused += 1;
        }
    }
    for (name, could) in tried.iter().filter(|(name, _)| is_needed(name)) {
        assert!(could, "{name}: refused under {level}");
    }
    println!("confinement here: {level}: {refused} attempts refused, done: {allowed:?}");
    assert!(tried.len() > 50);
}

/// What `/proc` says of a thread under this name.
fn told(status: &str, name: &str) -> u64 {
    let mut lines = status.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| *key == name).unwrap();
    let radix = if name.starts_with("Cap") { 16 } else { 10 };
    u64::from_str_radix(value.trim(), radix).unwrap()
}

/// Rights of the superuser that no thread of a process may have beyond these.
fn assert_rights(process: &str, level: &str, most: u64) {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    for thread in threads.map(Result::unwrap) {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap();
        assert_eq!(told(&status, "NoNewPrivs"), 1, "{level}");
        let left = ["CapInh", "CapPrm", "CapEff", "CapAmb"].map(|name| told(&status, name));
        assert_eq!(left.map(|rights| rights & !most), [0; 4], "{level}");
        assert_eq!(left[0] | left[3], 0, "nothing is handed on");
        let own = std::fs::read_to_string("/proc/self/status").unwrap();
        // Who has no right to give up the others for programs keeps them unused.
        const SETPCAP: u64 = 1 << 8;
        if told(&own, "CapEff") & SETPCAP != 0 {
            assert_eq!(told(&status, "CapBnd") & !most, 0, "{level}");
        } else {
            println!("SKIPPED in part: not the superuser, so there was nothing to give up");
        }
        if level.contains("seccomp") {
            assert_eq!(told(&status, "Seccomp"), 2);
        }
    }
}

/// A child of the superuser does not stay one: a stage may read what it is shown,
/// a robot also has what drivers hang on.
#[test]
fn a_child_keeps_no_rights_of_the_superuser_that_it_does_not_need() {
    const READ: u64 = 1 << 2;
    const OF_DRIVERS: u64 = 1 << 13 | 1 << 14 | 1 << 23;
    let hosting = Hosting::of("mock", PATIENT);
    let stage = IsolatedStage::start(&hosting.spec, "break").unwrap();
    assert_rights(&newest_child(), stage.level(), READ);
    let folder = tempfile::tempdir().unwrap();
    let robot = IsolatedEmbodiment::start(&hosting.spec, "arm", folder.path()).unwrap();
    let level = robot.level().to_owned();
    assert_rights(&robot.process_id().to_string(), &level, READ | OF_DRIVERS);
    assert!(level.contains("privileges"), "{level}");
    println!("a robot's process: {level}");
}

/// The same attempts without bounds: those that need no rights succeed, so that
/// their refusal above is the bounds'.
#[test]
fn the_attempts_are_real() {
    let create = load("mock").module().create_stage();
    let mut stage = create(RStr::from("break")).into_result().unwrap();
    let settings = RStr::from(r#"{"way":"trespass","at":9}"#);
    stage.configure(settings).into_result().unwrap();
    stage.activate(services()).into_result().unwrap();
    stage.reset(1).into_result().unwrap();
    let x = floats("x", &[1, 2], &[1.5, -2.0]);
    let tried = attempts(&call(&mut stage, 0, &[x.lend()]).unwrap());
    for name in ORDINARY {
        assert!(tried[name], "{name}: refused without bounds: {tried:?}");
    }
    let done = tried.values().filter(|could| **could).count();
    println!("without bounds: {done} of {} attempts done", tried.len());
}

/// A stage reads the folder of its bundle, and no other one beside.
#[test]
fn a_stage_reads_its_bundle_and_nothing_beside_it() {
    let hosting = Hosting::of("mock", PATIENT);
    let folder = tempfile::tempdir().unwrap();
    let (bundle, beside) = (folder.path().join("bundle"), folder.path().join("beside"));
    for place in [&bundle, &beside] {
        std::fs::create_dir(place).unwrap();
        std::fs::write(place.join("weights"), "x").unwrap();
    }
    let reading = hosting.spec.reading(&bundle);
    let stage = IsolatedStage::start(&reading, "break").unwrap();
    let level = stage.level().to_owned();
    let mut stage = stage.into_box();
    let reads = |stage: &mut vola_abi::StageBox, place: &std::path::Path| {
        let settings = serde_json::json!({"file": place.join("weights")});
        let settings = settings.to_string();
        let text = RStr::from(settings.as_str());
        stage.configure(text).into_result().unwrap();
        stage.activate(services()).into_result().unwrap();
        stage.reset(1).into_result().unwrap();
        let x = floats("x", &[1, 2], &[1.5, -2.0]);
        call(stage, 0, &[x.lend()]).is_ok()
    };
    assert!(reads(&mut stage, &bundle), "{level}");
    if level.contains("Landlock") {
        assert!(!reads(&mut stage, &beside), "{level}");
    }
}
