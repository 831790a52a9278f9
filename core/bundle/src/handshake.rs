//! The handshake of meaning: do bundle, robot and deployment agree?
//!
//! Layout checks of the ABI see types, not units, orders or frames. Here the
//! bundle's contract is compared with what the robot says of itself, number by
//! number and name by name. Everything that differs is collected, with both
//! sides named, and the start is refused. The functions are pure: who loads
//! what is the runtime's matter.

mod limits;

use std::fmt;

use vola_types::{ActionSpace, ColorOrder, EmbodimentDescription, Gripper};

use crate::bundle::Bundle;
use crate::deployment::Deployment;
use crate::error::BundleError;
use crate::manifest::{CameraContract, EmbodimentBinding};
use crate::state_names::available_state;
use crate::wording::quoted;

pub use limits::limit_gaps;

/// One disagreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What is compared, as in `cameras.front.size`.
    pub what: String,
    /// What the first side needs or says.
    pub left: String,
    /// What the second side has.
    pub right: String,
}

impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {}; but {}",
            self.what, self.left, self.right
        )
    }
}

/// Compares a bundle's contract with a robot.
///
/// # Errors
/// [`BundleError::Handshake`] with all gaps.
pub fn compare(
    bundle: &Bundle,
    binding: &EmbodimentBinding,
    robot: &EmbodimentDescription,
) -> Result<(), BundleError> {
    let mut gaps = contract_gaps(binding, robot);
    gaps.extend(statistics_gaps(bundle, binding));
    refuse(
        format!("bundle {}", bundle.folder().display()),
        format!("robot {}", binding.id()),
        gaps,
    )
}

/// Compares a deployment with a robot: safety limits may only be narrower.
///
/// # Errors
/// [`BundleError::Handshake`] with all gaps.
pub fn compare_deployment(
    deployment: &Deployment,
    robot: &EmbodimentDescription,
) -> Result<(), BundleError> {
    refuse(
        format!("deployment {}", deployment.file().display()),
        format!("robot {}", deployment.robot().plugin()),
        limit_gaps(deployment, robot),
    )
}

/// Compares a deployment with what the bundle says of its robot: the action
/// space that is asked for, and rows that a chunk has.
///
/// # Errors
/// [`BundleError::Handshake`] with all gaps.
pub fn compare_policy(
    deployment: &Deployment,
    binding: &EmbodimentBinding,
) -> Result<(), BundleError> {
    let mut gaps = Vec::new();
    let action = binding.action();
    if let Some(space) = deployment.robot().action_space()
        && space != action.space()
    {
        gaps.push(gap(
            "robot.action_space",
            format!("the deployment asks for `{space}`"),
            format!("the policy gives `{}`", action.space()),
        ));
    }
    if let Some(rows) = deployment.execution().execute_rows()
        && usize::try_from(rows).is_ok_and(|rows| rows > action.horizon())
    {
        gaps.push(gap(
            "execution.execute_rows",
            format!("the deployment executes {rows} rows of a chunk"),
            format!("the policy gives {}", action.horizon()),
        ));
    }
    let bundle = deployment
        .policy()
        .map_or_else(String::new, |policy| policy.bundle().display().to_string());
    refuse(
        format!("deployment {}", deployment.file().display()),
        format!("bundle {bundle}"),
        gaps,
    )
}

fn refuse(left: String, right: String, gaps: Vec<Gap>) -> Result<(), BundleError> {
    if gaps.is_empty() {
        Ok(())
    } else {
        Err(BundleError::Handshake { left, right, gaps })
    }
}

fn gap(what: impl Into<String>, left: impl Into<String>, right: impl Into<String>) -> Gap {
    Gap {
        what: what.into(),
        left: left.into(),
        right: right.into(),
    }
}

/// Gaps between the contract of one `[[embodiment]]` and the robot.
#[must_use]
pub fn contract_gaps(binding: &EmbodimentBinding, robot: &EmbodimentDescription) -> Vec<Gap> {
    let mut gaps = Vec::new();
    state_gaps(binding, robot, &mut gaps);
    action_gaps(binding, robot, &mut gaps);
    for camera in binding.cameras() {
        camera_gaps(camera, robot, &mut gaps);
    }
    gaps
}

fn state_gaps(binding: &EmbodimentBinding, robot: &EmbodimentDescription, gaps: &mut Vec<Gap>) {
    let available = available_state(robot);
    for (index, name) in binding.state().names().iter().enumerate() {
        let Some(found) = available.iter().find(|entry| entry.name == *name) else {
            let has = quoted(available.iter().map(|entry| &entry.name));
            gaps.push(gap(
                format!("state.{name}"),
                "the policy reads this value",
                format!("the robot gives {has}"),
            ));
            continue;
        };
        if let Some(unit) = binding.state().units().get(index)
            && unit != found.unit
        {
            gaps.push(gap(
                format!("state.{name} unit"),
                format!("the policy was trained with `{unit}`"),
                format!("the robot gives `{}`", found.unit),
            ));
        }
    }
}

fn action_gaps(binding: &EmbodimentBinding, robot: &EmbodimentDescription, gaps: &mut Vec<Gap>) {
    let action = binding.action();
    let space = action.space();
    if !robot.action_spaces.contains(&space) {
        gaps.push(gap(
            "action.space",
            format!("the policy gives `{space}`"),
            format!("the robot takes {}", quoted(&robot.action_spaces)),
        ));
    }
    let robot_gripper = robot.gripper == Gripper::Parallel;
    if action.has_gripper() != robot_gripper {
        let word = |has: bool| {
            if has {
                "a gripper column"
            } else {
                "no gripper column"
            }
        };
        gaps.push(gap(
            "action.names",
            format!("the policy gives {}", word(action.has_gripper())),
            format!("the robot takes {}", word(robot_gripper)),
        ));
    }
    let is_joint_space = matches!(
        space,
        ActionSpace::JointPosition | ActionSpace::JointVelocity | ActionSpace::JointDelta
    );
    let body = action.dim() - usize::from(action.has_gripper());
    if is_joint_space {
        let joints: Vec<&str> = robot
            .joints
            .iter()
            .map(|joint| joint.name.as_str())
            .collect();
        let same = body == joints.len()
            && action
                .names()
                .iter()
                .zip(&joints)
                .all(|(name, joint)| is_of_joint(name, joint));
        if !same {
            gaps.push(gap(
                "action.names",
                format!(
                    "the policy gives {}",
                    quoted(action.names().iter().take(body))
                ),
                format!("the robot's joints are, in this order, {}", quoted(joints)),
            ));
        }
    }
    // The executor works in whole ticks of 1 ms.
    if !action.period_ns().is_multiple_of(1_000_000) {
        gaps.push(gap(
            "action.rate_hz",
            format!("the policy gives {} rows a second", action.rate_hz()),
            "the executor needs a period of whole milliseconds",
        ));
    }
}

/// Whether an action column (`panda_joint1` or `panda_joint1.position`) means a
/// joint.
fn is_of_joint(name: &str, joint: &str) -> bool {
    name.strip_prefix(joint)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn camera_gaps(camera: &CameraContract, robot: &EmbodimentDescription, gaps: &mut Vec<Gap>) {
    let what = format!("cameras.{}", camera.key());
    let Some(found) = robot.camera(camera.key()) else {
        gaps.push(gap(
            what,
            "the policy needs this camera",
            format!(
                "the robot has {}",
                quoted(robot.cameras.iter().map(|one| &one.key))
            ),
        ));
        return;
    };
    let (width, height) = (camera.width(), camera.height());
    if !camera.accepts_any_size() && (found.width, found.height) != (width, height) {
        gaps.push(gap(
            format!("{what} size"),
            format!("the policy needs {width}×{height} pixels and has no `resize` step"),
            format!("the robot gives {}×{}", found.width, found.height),
        ));
    }
    if camera.order() != found.order {
        // Bytes are swapped on the way in, but a camera that says another
        // order than the contract is more often a wrong contract.
        let word = |order: ColorOrder| match order {
            ColorOrder::Rgb => "rgb",
            ColorOrder::Bgr => "bgr",
        };
        gaps.push(gap(
            format!("{what} order"),
            format!("the policy needs `{}`", word(camera.order())),
            format!("the robot gives `{}`", word(found.order)),
        ));
    }
    let is_fast_enough = |rate: f64| found.rate_hz >= rate;
    if let Some(rate) = camera.rate_hz()
        && !is_fast_enough(rate)
    {
        gaps.push(gap(
            format!("{what} rate"),
            format!("the policy needs {rate} frames a second"),
            format!("the robot gives {}", found.rate_hz),
        ));
    }
}

/// Every step that needs statistics must find them, named as the contract is.
fn statistics_gaps(bundle: &Bundle, binding: &EmbodimentBinding) -> Vec<Gap> {
    let faults = match bundle.check_statistics(binding) {
        Ok(()) => return Vec::new(),
        Err(BundleError::Invalid(problems)) => problems
            .as_slice()
            .iter()
            .map(|problem| (problem.key.clone(), problem.to_string()))
            .collect(),
        Err(other) => vec![(String::new(), other.to_string())],
    };
    let to_gap = |(key, text): (String, String)| {
        gap(
            format!("statistics {key}").trim_end(),
            "a step of the bundle needs them",
            text,
        )
    };
    faults.into_iter().map(to_gap).collect()
}

#[cfg(test)]
mod tests;
