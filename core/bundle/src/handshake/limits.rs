//! A deployment may narrow the robot's limits, never widen them.

use vola_types::{EmbodimentDescription, JointDescription};

use crate::deployment::{Deployment, JointLimits};
use crate::wording::quoted;

use super::{Gap, gap};

/// Gaps between a deployment and the robot.
#[must_use]
pub fn limit_gaps(deployment: &Deployment, robot: &EmbodimentDescription) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let robot_says = |text: String| format!("the robot's own limit is {text}");
    if let Some(space) = deployment.robot().action_space()
        && !robot.action_spaces.contains(&space)
    {
        gaps.push(gap(
            "robot.action_space",
            format!("the deployment asks for `{space}`"),
            format!("the robot takes {}", quoted(&robot.action_spaces)),
        ));
    }
    let safety = deployment.safety();
    if let Some(workspace) = safety.workspace() {
        let sides = workspace.min.iter().zip(&workspace.max);
        let robot_sides = robot.workspace.min.iter().zip(&robot.workspace.max);
        for (axis, ((low, high), (robot_low, robot_high))) in
            ["x", "y", "z"].iter().zip(sides.zip(robot_sides))
        {
            if !(low >= robot_low && high <= robot_high) {
                gaps.push(gap(
                    format!("safety.workspace {axis}"),
                    format!("the deployment asks for {low} to {high} m"),
                    robot_says(format!("{robot_low} to {robot_high} m")),
                ));
            }
        }
    }
    if let Some(speed) = safety.max_tool_speed_m_per_s()
        && !is_within(speed, robot.max_tool_speed_m_per_s)
    {
        gaps.push(gap(
            "safety.max_tool_speed_m_per_s",
            format!("the deployment asks for {speed}"),
            robot_says(robot.max_tool_speed_m_per_s.to_string()),
        ));
    }
    if let (Some(force), Some(gripper)) = (safety.gripper_force_n(), &robot.gripper_limits)
        && !is_within(gripper.max_force_n, force)
    {
        gaps.push(gap(
            "safety.gripper_force_n",
            format!("the deployment allows {force} N"),
            format!(
                "the robot says that it grips with up to {} N: lower it in the settings of [robot]",
                gripper.max_force_n
            ),
        ));
    }
    for (name, limits) in safety.joint_limits() {
        match robot.joints.iter().find(|joint| joint.name == *name) {
            Some(joint) => joint_gaps(limits, joint, &mut gaps),
            None => gaps.push(gap(
                format!("safety.joints.{name}"),
                "the deployment limits this joint",
                format!(
                    "the robot has {}",
                    quoted(robot.joints.iter().map(|one| &one.name))
                ),
            )),
        }
    }
    gaps
}

fn joint_gaps(limits: &JointLimits, joint: &JointDescription, gaps: &mut Vec<Gap>) {
    let mut wider = |word: &str, asked: f64, own: f64| {
        gaps.push(gap(
            format!("safety.joints.{}.{word}", joint.name),
            format!("the deployment asks for {asked}"),
            format!("the robot's own limit is {own}"),
        ));
    };
    if let Some(asked) = limits.position_min
        && !(asked >= joint.position_min && asked < joint.position_max)
    {
        wider("position_min", asked, joint.position_min);
    }
    if let Some(asked) = limits.position_max
        && !(asked <= joint.position_max && asked > joint.position_min)
    {
        wider("position_max", asked, joint.position_max);
    }
    for (word, asked, own) in [
        ("max_velocity", limits.max_velocity, joint.max_velocity),
        (
            "max_acceleration",
            limits.max_acceleration,
            joint.max_acceleration,
        ),
        ("max_jerk", limits.max_jerk, joint.max_jerk),
    ] {
        if let Some(asked) = asked
            && !is_within(asked, own)
        {
            wider(word, asked, own);
        }
    }
}

/// Whether a value is at most a limit; NaN never is.
fn is_within(value: f64, limit: f64) -> bool {
    value <= limit
}
