use std::path::Path;

use vola_types::{ActionSpace, ColorOrder, EmbodimentDescription, Gripper};

use super::*;
use crate::fixtures::{POLICY, manifest, robot, statistics};
use crate::manifest::Manifest;

fn gaps(spoil: fn(&mut EmbodimentDescription)) -> Vec<String> {
    let mut robot = robot();
    spoil(&mut robot);
    let manifest = manifest();
    let binding = manifest.embodiment("tabletop/franka").unwrap();
    contract_gaps(binding, &robot)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_fitting_robot_has_no_gaps() {
    assert_eq!(gaps(|_| {}), Vec::<String>::new());
}

#[test]
fn every_difference_names_both_sides() {
    type Spoil = fn(&mut EmbodimentDescription);
    let cases: [(Spoil, &str); 7] = [
        (
            |robot| robot.gripper = Gripper::None,
            "state.gripper.position: the policy reads this value; but the robot gives `panda_joint1.position`",
        ),
        (
            |robot| robot.action_spaces = vec![ActionSpace::JointPosition],
            "action.space: the policy gives `tool_delta`; but the robot takes `joint_position`",
        ),
        (
            |robot| robot.gripper = Gripper::None,
            "action.names: the policy gives a gripper column; but the robot takes no gripper column",
        ),
        (
            |robot| robot.cameras[0].key = "wrist".into(),
            "cameras.front: the policy needs this camera; but the robot has `wrist`",
        ),
        (
            |robot| robot.cameras[0].width = 640,
            "cameras.front size: the policy needs 4×2 pixels and has no `resize` step; but the robot gives 640×2",
        ),
        (
            |robot| robot.cameras[0].order = ColorOrder::Bgr,
            "cameras.front order: the policy needs `rgb`; but the robot gives `bgr`",
        ),
        (
            |robot| robot.cameras[0].rate_hz = f64::NAN,
            "cameras.front rate: the policy needs 10 frames a second; but the robot gives NaN",
        ),
    ];
    for (spoil, expected) in cases {
        let gaps = gaps(spoil);
        assert!(
            gaps.iter().any(|gap| gap.starts_with(expected)),
            "no `{expected}` in {gaps:#?}"
        );
    }
}

fn parse(text: &str) -> Manifest {
    Manifest::parse(text, "policy.toml").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn units_rates_and_joint_names_are_compared() {
    let text = POLICY
        .replace(
            r#"units = ["m", "m", "m", "1"]"#,
            r#"units = ["m", "m", "mm", "1"]"#,
        )
        .replace("rate_hz = 10, horizon", "rate_hz = 30, horizon")
        .replace(r#"space = "tool_delta""#, r#"space = "joint_position""#);
    let manifest = parse(&text);
    let gaps: Vec<String> = contract_gaps(&manifest.embodiments()[0], &robot())
        .iter()
        .map(ToString::to_string)
        .collect();
    for expected in [
        "state.tool.z unit: the policy was trained with `mm`; but the robot gives `m`",
        "action.space: the policy gives `joint_position`",
        "action.names: the policy gives `dx`, `dy`",
        "action.rate_hz: the policy gives 30 rows a second",
    ] {
        assert!(
            gaps.iter().any(|gap| gap.starts_with(expected)),
            "no `{expected}` in {gaps:#?}"
        );
    }
}

/// Writes the good bundle into a folder, without the files named.
fn bundle_folder(without: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("stats")).unwrap();
    std::fs::write(at("policy.toml"), POLICY).unwrap();
    for (name, bytes) in [
        ("model.safetensors", vec![]),
        ("stats/franka.safetensors", statistics().to_bytes().unwrap()),
    ] {
        if name != without {
            std::fs::write(at(name), bytes).unwrap();
        }
    }
    folder
}

#[test]
fn a_bundle_is_compared_with_its_statistics() {
    let folder = bundle_folder("");
    let bundle = Bundle::open(folder.path()).unwrap();
    let binding = bundle.manifest().embodiment("tabletop/franka").unwrap();
    compare(&bundle, binding, &robot()).unwrap();
    assert_eq!(bundle.hash().unwrap().len(), 64);
    let all = statistics();
    let features = all.features().filter(|(name, _)| *name != "goal");
    let features = features
        .map(|(name, stats)| (name.to_owned(), stats.clone()))
        .collect();
    let few = crate::Statistics::from_features(features, "x").unwrap();
    std::fs::write(
        folder.path().join("stats/franka.safetensors"),
        few.to_bytes().unwrap(),
    )
    .unwrap();
    let text = compare(&bundle, binding, &robot()).unwrap_err().to_string();
    assert!(
        text.contains("statistics goal: a step of the bundle needs them"),
        "{text}"
    );
    let unknown = bundle
        .manifest()
        .embodiment("tabletop/ur5e")
        .unwrap_err()
        .to_string();
    assert!(unknown.contains("expected a table with id `tabletop/ur5e`, got `tabletop/franka`"));
}

#[test]
fn a_bundle_without_its_files_is_refused() {
    for (without, expected) in [
        (
            "stats/franka.safetensors",
            "the bundle is without statistics",
        ),
        ("model.safetensors", "the bundle is without weights"),
    ] {
        let text = Bundle::open(bundle_folder(without).path())
            .unwrap_err()
            .to_string();
        assert!(text.contains(expected) && text.contains(without), "{text}");
    }
}

#[test]
fn limits_may_only_be_narrower() {
    let text = include_str!("../../tests/good/deployment.toml");
    let check = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let deployment = Deployment::parse(&text.replace(from, to), Path::new("d.toml")).unwrap();
        compare_deployment(&deployment, &robot()).map_err(|error| error.to_string())
    };
    check("threads = 2", "threads = 2").unwrap();
    for (from, to, expected) in [
        (
            "min = [0.2, -0.4, 0.0]",
            "min = [-0.2, -0.4, 0.0]",
            "safety.workspace x: the deployment asks for -0.2 to 0.8 m; but the robot's own limit is 0 to 0.9 m",
        ),
        (
            "max_tool_speed_m_per_s = 0.5",
            "max_tool_speed_m_per_s = 1.5",
            "safety.max_tool_speed_m_per_s",
        ),
        (
            "max_velocity = 1.0",
            "max_velocity = 3.0",
            "safety.joints.panda_joint1.max_velocity: the deployment asks for 3; but the robot's own limit is 2",
        ),
        (
            "position_max = 1.0",
            "position_max = 2.5",
            "safety.joints.panda_joint1.position_max",
        ),
        (
            "joints.panda_joint1",
            "joints.joint1",
            "safety.joints.joint1: the deployment limits this joint; but the robot has `panda_joint1`, `panda_joint2`",
        ),
        (
            "action_space = \"tool_delta\"",
            "action_space = \"tool_pose\"",
            "robot.action_space: the deployment asks for `tool_pose`",
        ),
    ] {
        let text = check(from, to).unwrap_err();
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
        assert!(
            text.starts_with("deployment d.toml and robot tabletop/franka do not fit together")
        );
    }
}

#[test]
fn a_deployment_asks_for_what_the_policy_gives() {
    let text = include_str!("../../tests/good/deployment.toml");
    let manifest = manifest();
    let check = |text: &str| {
        let deployment = Deployment::parse(text, Path::new("d.toml")).unwrap();
        compare_policy(&deployment, &manifest.embodiments()[0]).map_err(|error| error.to_string())
    };
    check(text).unwrap();
    let other = text
        .replace("\"tool_delta\"", "\"tool_pose\"")
        .replace("_rows = 2", "_rows = 9");
    let text = check(&other).unwrap_err();
    for expected in [
        "robot.action_space: the deployment asks for `tool_pose`; but the policy gives `tool_delta`",
        "execution.execute_rows: the deployment executes 9 rows of a chunk; but the policy gives 8",
    ] {
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
}
