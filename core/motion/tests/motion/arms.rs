//! The arms under test: kinematics and limits.

use vola_motion::{JointLimits, KinematicModel, Limits};

/// URDF text of the seven-joint arm.
pub(crate) const PANDA: &str = include_str!("../data/panda.urdf");

/// A posture in the middle of its workspace, tool straight down.
pub(crate) const READY: [f64; 7] = [
    0.0,
    -std::f64::consts::FRAC_PI_4,
    0.0,
    -3.0 * std::f64::consts::FRAC_PI_4,
    0.0,
    std::f64::consts::FRAC_PI_2,
    std::f64::consts::FRAC_PI_4,
];

/// Kinematics of the seven-joint arm.
pub(crate) fn panda() -> KinematicModel {
    KinematicModel::from_urdf(PANDA, "tool").unwrap()
}

fn joint(position: (f64, f64), velocity: f64, acceleration: f64, jerk: f64) -> JointLimits {
    JointLimits {
        position_min: position.0,
        position_max: position.1,
        velocity,
        acceleration,
        jerk,
    }
}

fn named(limits: Vec<JointLimits>) -> Limits {
    let names: Vec<String> = (1..=limits.len())
        .map(|index| format!("joint{index}"))
        .collect();
    Limits::new(names.iter().map(String::as_str).zip(limits)).unwrap()
}

/// The maker's limits of the seven-joint arm.
pub(crate) fn panda_limits() -> Limits {
    named(panda_joints())
}

/// The same with a gripper value last.
pub(crate) fn panda_limits_with_gripper() -> Limits {
    let mut joints = panda_joints();
    joints.push(joint((0.0, 1.0), 2.5, 20.0, 400.0));
    named(joints)
}

fn panda_joints() -> Vec<JointLimits> {
    vec![
        joint((-2.8973, 2.8973), 2.175, 15.0, 7500.0),
        joint((-1.7628, 1.7628), 2.175, 7.5, 3750.0),
        joint((-2.8973, 2.8973), 2.175, 10.0, 5000.0),
        joint((-3.0718, -0.0698), 2.175, 12.5, 6250.0),
        joint((-2.8973, 2.8973), 2.61, 15.0, 7500.0),
        joint((-0.0175, 3.7525), 2.61, 20.0, 10000.0),
        joint((-2.8973, 2.8973), 2.61, 20.0, 10000.0),
    ]
}

/// A six-joint arm with a low jerk limit, so that the jerk ramps are long, and
/// one joint whose range is shorter than its braking distance from full speed.
pub(crate) fn six_joint_limits() -> Limits {
    let turn = std::f64::consts::TAU;
    named(vec![
        joint((-turn, turn), 3.1, 8.0, 120.0),
        joint((-turn, turn), 3.1, 8.0, 120.0),
        joint(
            (-std::f64::consts::PI, std::f64::consts::PI),
            3.1,
            8.0,
            120.0,
        ),
        joint((-turn, turn), 3.1, 13.0, 500.0),
        joint((-0.2, 0.25), 3.1, 5.0, 40.0),
        joint((-turn, turn), 3.1, 13.0, 500.0),
    ])
}
