//! Reads the serial chain from a URDF's root link to one tip link.
//!
//! Only what kinematics needs is taken: joint frames, axes and limits. Fixed
//! joints are folded into their neighbours, and branches that do not lead to
//! the tip (fingers, cameras) are ignored, except that links *fixed* to the
//! chain keep their offset, so that collision shapes and cameras can be hung
//! on them.

use std::collections::{HashMap, HashSet};

use nalgebra::{Isometry3, Translation3, Unit, UnitQuaternion, Vector3};
use urdf_rs::{Joint, JointType, Robot};

use crate::{MAX_JOINTS, MotionError};

/// How a joint moves, which fixes its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JointMotion {
    /// Turns between two stops; radians.
    Revolute,
    /// Turns without stops; radians.
    Continuous,
    /// Slides; metres.
    Prismatic,
}

/// Limits of one joint as the URDF states them.
///
/// A continuous joint has infinite positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UrdfLimits {
    /// Least position (rad, m).
    pub position_min: f64,
    /// Greatest position (rad, m).
    pub position_max: f64,
    /// Greatest speed (rad/s, m/s).
    pub velocity: f64,
    /// Greatest torque or force (N m, N).
    pub effort: f64,
}

/// One moving joint of the chain.
#[derive(Clone, Debug)]
pub(crate) struct ChainJoint {
    pub(crate) name: String,
    pub(crate) child_link: String,
    pub(crate) motion: JointMotion,
    /// Joint frame at zero in the previous moving link (fixed joints folded in).
    pub(crate) joint_in_parent: Isometry3<f64>,
    pub(crate) axis: Unit<Vector3<f64>>,
    pub(crate) limits: UrdfLimits,
}

/// A link that moves rigidly with one moving link of the chain.
#[derive(Clone, Debug)]
pub(crate) struct FixedLink {
    pub(crate) name: String,
    /// Index of the moving link that carries it; none means the base.
    pub(crate) carrier: Option<usize>,
    pub(crate) link_in_carrier: Isometry3<f64>,
}

/// The chain as read.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) root: String,
    pub(crate) joints: Vec<ChainJoint>,
    pub(crate) tip_in_last: Isometry3<f64>,
    pub(crate) links: Vec<FixedLink>,
    pub(crate) all_links: Vec<String>,
}

/// Reads the chain from the root to `tip`.
pub(crate) fn read(urdf: &str, tip: &str) -> Result<Chain, MotionError> {
    let robot = urdf_rs::read_from_string(urdf).map_err(|error| MotionError::UrdfUnreadable {
        reason: error.to_string(),
    })?;
    let all_links: Vec<String> = robot.links.iter().map(|link| link.name.clone()).collect();
    if !all_links.iter().any(|name| name == tip) {
        return Err(no_such_link(tip, &all_links));
    }
    let path = joints_to(&robot, tip)?;
    let root = path
        .first()
        .map_or(tip, |joint| joint.parent.link.as_str())
        .to_owned();

    let mut joints: Vec<ChainJoint> = Vec::new();
    let mut offset = Isometry3::identity();
    let mut links = vec![FixedLink {
        name: root.clone(),
        carrier: None,
        link_in_carrier: offset,
    }];
    for joint in path {
        offset *= origin(joint)?;
        if let Some(motion) = motion_of(joint)? {
            joints.push(ChainJoint {
                name: joint.name.clone(),
                child_link: joint.child.link.clone(),
                motion,
                joint_in_parent: offset,
                axis: axis(joint)?,
                limits: limits(joint, motion)?,
            });
            offset = Isometry3::identity();
        }
        let carrier = joints.len().checked_sub(1);
        links.push(FixedLink {
            name: joint.child.link.clone(),
            carrier,
            link_in_carrier: offset,
        });
    }
    if joints.is_empty() || joints.len() > MAX_JOINTS {
        return Err(MotionError::JointCount {
            what: "urdf chain",
            max: MAX_JOINTS,
            got: joints.len(),
        });
    }
    add_fixed_branches(&robot, &mut links)?;
    Ok(Chain {
        root,
        joints,
        tip_in_last: offset,
        links,
        all_links,
    })
}

pub(crate) fn no_such_link(link: &str, all_links: &[String]) -> MotionError {
    MotionError::NoSuchLink {
        link: link.to_owned(),
        known: all_links.join(", "),
    }
}

/// Joints from the root to the tip, in that order.
fn joints_to<'a>(robot: &'a Robot, tip: &str) -> Result<Vec<&'a Joint>, MotionError> {
    let not_a_tree = |reason: String| MotionError::NotATree {
        tip: tip.to_owned(),
        reason,
    };
    let mut parent_joint: HashMap<&str, &Joint> = HashMap::new();
    for joint in &robot.joints {
        if let Some(other) = parent_joint.insert(&joint.child.link, joint) {
            return Err(not_a_tree(format!(
                "joints `{}` and `{}` both lead to link `{}`",
                other.name, joint.name, joint.child.link
            )));
        }
    }
    let mut path = Vec::new();
    let mut seen = HashSet::from([tip]);
    let mut link = tip;
    while let Some(&joint) = parent_joint.get(link) {
        path.push(joint);
        link = &joint.parent.link;
        if !seen.insert(link) {
            return Err(not_a_tree(format!("link `{link}` is its own ancestor")));
        }
    }
    path.reverse();
    Ok(path)
}

/// Adds links that hang on the chain by fixed joints alone.
fn add_fixed_branches(robot: &Robot, links: &mut Vec<FixedLink>) -> Result<(), MotionError> {
    let mut grown = true;
    while grown {
        grown = false;
        for joint in robot
            .joints
            .iter()
            .filter(|joint| joint.joint_type == JointType::Fixed)
        {
            if links.iter().any(|link| link.name == joint.child.link) {
                continue;
            }
            let Some(parent) = links.iter().find(|link| link.name == joint.parent.link) else {
                continue;
            };
            let child = FixedLink {
                name: joint.child.link.clone(),
                carrier: parent.carrier,
                link_in_carrier: parent.link_in_carrier * origin(joint)?,
            };
            links.push(child);
            grown = true;
        }
    }
    Ok(())
}

fn motion_of(joint: &Joint) -> Result<Option<JointMotion>, MotionError> {
    match joint.joint_type {
        JointType::Fixed => Ok(None),
        JointType::Revolute => Ok(Some(JointMotion::Revolute)),
        JointType::Continuous => Ok(Some(JointMotion::Continuous)),
        JointType::Prismatic => Ok(Some(JointMotion::Prismatic)),
        JointType::Floating | JointType::Planar | JointType::Spherical => {
            Err(MotionError::UnsupportedJoint {
                joint: joint.name.clone(),
                kind: format!("{:?}", joint.joint_type).to_lowercase(),
            })
        }
    }
}

fn origin(joint: &Joint) -> Result<Isometry3<f64>, MotionError> {
    let ([x, y, z], [roll, pitch, yaw]) = (joint.origin.xyz.0, joint.origin.rpy.0);
    if ![x, y, z, roll, pitch, yaw]
        .iter()
        .all(|value| value.is_finite())
    {
        return Err(bad(
            joint,
            "origin",
            "six finite numbers",
            format!("{:?}", joint.origin),
        ));
    }
    Ok(Isometry3::from_parts(
        Translation3::new(x, y, z),
        UnitQuaternion::from_euler_angles(roll, pitch, yaw),
    ))
}

fn axis(joint: &Joint) -> Result<Unit<Vector3<f64>>, MotionError> {
    let [x, y, z] = joint.axis.xyz.0;
    let vector = Vector3::new(x, y, z);
    if !(vector.norm() > 1e-6 && vector.norm().is_finite()) {
        return Err(bad(
            joint,
            "axis",
            "a finite vector that is not zero",
            format!("{x} {y} {z}"),
        ));
    }
    Ok(Unit::new_normalize(vector))
}

fn limits(joint: &Joint, motion: JointMotion) -> Result<UrdfLimits, MotionError> {
    let limit = &joint.limit;
    let (position_min, position_max) = match motion {
        JointMotion::Continuous => (f64::NEG_INFINITY, f64::INFINITY),
        JointMotion::Revolute | JointMotion::Prismatic => (limit.lower, limit.upper),
    };
    let has_room = position_min < position_max;
    if !has_room {
        let got = format!("lower {position_min}, upper {position_max}");
        return Err(bad(joint, "limit", "lower less than upper", got));
    }
    // Zero stands for "not given"; a chain without velocity limits still has
    // kinematics, and `JointLimits` refuses it where a limit is needed.
    if !(limit.velocity >= 0.0 && limit.effort >= 0.0) {
        let got = format!("velocity {}, effort {}", limit.velocity, limit.effort);
        return Err(bad(
            joint,
            "limit",
            "velocity and effort of at least 0",
            got,
        ));
    }
    Ok(UrdfLimits {
        position_min,
        position_max,
        velocity: limit.velocity,
        effort: limit.effort,
    })
}

fn bad(joint: &Joint, field: &'static str, expected: &'static str, got: String) -> MotionError {
    MotionError::BadJoint {
        joint: joint.name.clone(),
        field,
        expected,
        got,
    }
}
