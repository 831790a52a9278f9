//! The manifest, statistics and robot that the tests of this crate share.

use std::collections::BTreeMap;

use vola_types::{
    ActionSpace, CameraDescription, ColorOrder, EmbodimentDescription, Gripper, GripperLimits,
    JointDescription, JointKind, Op, WorkspaceBox,
};

use crate::manifest::Manifest;
use crate::stats::{FeatureStats, Statistics};

/// The text of the good manifest.
pub(crate) const POLICY: &str = include_str!("../tests/good/policy.toml");

pub(crate) fn manifest() -> Manifest {
    manifest_with(&[])
}

/// The good manifest with replacements made in its text.
pub(crate) fn manifest_with(replacements: &[(&str, &str)]) -> Manifest {
    let mut text = POLICY.to_owned();
    for (from, to) in replacements {
        assert!(text.contains(from), "`{from}` is not in the good manifest");
        text = text.replacen(from, to, 1);
    }
    Manifest::parse(&text, "policy.toml").unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn stats_of(mean: &[f64], std: &[f64]) -> FeatureStats {
    FeatureStats {
        mean: Some(mean.to_vec()),
        std: Some(std.to_vec()),
        ..FeatureStats::default()
    }
}

/// State and goal as the shipped policy has them; actions of 0.045 m and 0.25
/// rad, the gripper from −1..1.
pub(crate) fn statistics() -> Statistics {
    let features = [
        (
            "observation.state",
            stats_of(&[0.45, 0.0, 0.15, 0.5], &[0.15, 0.15, 0.15, 0.5]),
        ),
        ("goal", stats_of(&[0.45, 0.0, 0.15], &[0.15; 3])),
        (
            "action",
            stats_of(
                &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5],
                &[0.045, 0.045, 0.045, 0.25, 0.25, 0.25, 0.5],
            ),
        ),
    ];
    let features: BTreeMap<String, FeatureStats> = features
        .into_iter()
        .map(|(name, stats)| (name.to_owned(), stats))
        .collect();
    Statistics::from_features(features, "stats.safetensors").unwrap()
}

pub(crate) fn robot() -> EmbodimentDescription {
    EmbodimentDescription {
        joints: (1..=2)
            .map(|index| JointDescription {
                name: format!("panda_joint{index}"),
                kind: JointKind::Revolute,
                position_min: -2.0,
                position_max: 2.0,
                max_velocity: 2.0,
                max_acceleration: 10.0,
                max_jerk: 100.0,
            })
            .collect(),
        gripper: Gripper::Parallel,
        gripper_limits: Some(GripperLimits {
            max_width_m: 0.08,
            max_velocity_per_s: 2.0,
            max_acceleration_per_s2: 20.0,
            max_jerk_per_s3: 200.0,
            max_force_n: 8.0,
        }),
        urdf: String::new(),
        tool_link: "tool".into(),
        home: vec![0.0, 0.0],
        workspace: WorkspaceBox {
            min: [0.0, -0.6, -0.1],
            max: [0.9, 0.6, 1.0],
        },
        max_tool_speed_m_per_s: 1.0,
        capsules: vec![],
        cameras: vec![CameraDescription {
            key: "front".into(),
            width: 4,
            height: 2,
            order: ColorOrder::Rgb,
            rate_hz: 25.0,
            intrinsics: None,
            mount: None,
        }],
        action_spaces: vec![ActionSpace::ToolDelta],
        ops: vec![Op::Home],
        command_timeout_ns: 100_000_000,
        stamp_clock: vola_types::StampClock::Runtime,
    }
}
