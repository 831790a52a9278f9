//! From the deployment's words to checked limits.

use vola_bundle::Deployment;
use vola_motion::{JointLimits, Limits, ToolLimits};
use vola_types::EmbodimentDescription;

use crate::RuntimeError;

/// The robot's limits, narrowed by the deployment.
pub(crate) fn checked_limits(
    deployment: &Deployment,
    description: &EmbodimentDescription,
) -> Result<Limits, RuntimeError> {
    let safety = deployment.safety();
    let mut limits = Limits::from_description(description)?;
    for joint in &description.joints {
        let narrower = safety
            .joint_limits()
            .get(&joint.name)
            .copied()
            .unwrap_or_default();
        let (margin, scale) = (safety.position_margin(), safety.limit_scale());
        let by = JointLimits {
            position_min: narrower.position_min.unwrap_or(joint.position_min) + margin,
            position_max: narrower.position_max.unwrap_or(joint.position_max) - margin,
            velocity: narrower.max_velocity.unwrap_or(joint.max_velocity) * scale,
            acceleration: narrower.max_acceleration.unwrap_or(joint.max_acceleration) * scale,
            jerk: narrower.max_jerk.unwrap_or(joint.max_jerk) * scale,
        };
        limits.narrow(&joint.name, &by)?;
    }
    Ok(limits)
}

/// Workspace and tool speed: the deployment's, else the robot's.
pub(crate) fn tool_limits(
    deployment: &Deployment,
    description: &EmbodimentDescription,
) -> ToolLimits {
    let safety = deployment.safety();
    ToolLimits {
        workspace: safety.workspace().unwrap_or(description.workspace),
        max_speed_m_per_s: safety
            .max_tool_speed_m_per_s()
            .unwrap_or(description.max_tool_speed_m_per_s),
    }
}
