//! Building a world from a plan, with the arm where the episode begins.

use std::sync::Arc;

use rapier3d::math::{Pose, Rotation, Vector};

use super::{Bodies, Drive, DriveLimits, PhysicsSettings, Touch, World};
use crate::{
    arm::{ArmModel, narrow, to_pose, tool_pose},
    catalog::BLOCK_HALF,
    error::TabletopError,
    render::SceneModel,
    scene::{Random, ScenePlan, StartPose},
};

/// Physics steps until everything rests.
const SETTLE_STEPS: u32 = 40;
/// The same where something falls first.
const FALL_STEPS: u32 = 250;

/// Builds the world of a plan and lets it come to rest.
///
/// # Errors
/// [`TabletopError::OutOfReach`] when the start lies outside the arm's reach.
pub(crate) fn reset(
    arm: &Arc<ArmModel>,
    settings: PhysicsSettings,
    seed: u64,
    plan: &ScenePlan,
) -> Result<World, TabletopError> {
    let mut random = Random::new(seed, 2);
    let (joints, tool, gripper) = match plan.start {
        StartPose::Home => {
            let tool = arm
                .kinematics
                .tool_in_base(&arm.home)
                .unwrap_or_else(|_wrong| tool_pose([0.32, 0.0, 0.35], 0.0));
            (arm.home.clone(), to_pose(&tool), 1.0)
        }
        StartPose::Tool { at, yaw, gripper } => (
            arm.reach(at, yaw, &arm.home)?,
            to_pose(&tool_pose(at, yaw)),
            gripper,
        ),
    };
    let width = match plan.holding {
        Some(_) => 2.0 * BLOCK_HALF + 4e-4,
        None => gripper * arm.spec.max_width,
    };
    let dt_secs = 1e-3 * f64::from(settings.ticks_per_step);
    let disturbance = &plan.disturbance;
    let force = disturbance.grasp_force_n.unwrap_or(settings.gripper_force);
    let mut bodies = Bodies::new(arm, &joints, width, force, dt_secs);
    for (index, object) in plan.objects.iter().enumerate() {
        // As a real grasp leaves it: a few millimetres off along the fingers.
        let in_hand = (plan.holding == Some(index)).then(|| {
            let offset = Vector::new(
                narrow(random.range(-0.004, 0.004)),
                0.0,
                narrow(random.range(-0.004, 0.003)),
            );
            tool * Pose::from_parts(offset, Rotation::IDENTITY)
        });
        let shape = disturbance.shape.filter(|(changed, _)| *changed == index);
        bodies.add_object(object, shape.map(|(_, shape)| shape), in_hand);
    }
    if let Some(drawer) = plan.drawer {
        bodies.add_drawer(drawer);
    }
    for thing in &disturbance.clutter {
        bodies.add_clutter(thing);
    }
    let command = if plan.holding.is_some() { 0.0 } else { gripper };
    let described = arm.joints();
    let limits = DriveLimits {
        max_velocity: described.iter().map(|joint| joint.max_velocity).collect(),
        max_acceleration: described
            .iter()
            .map(|joint| joint.max_acceleration)
            .collect(),
        gripper_speed: arm.spec.gripper_speed / arm.spec.max_width,
    };
    let mut world = World {
        arm: Arc::clone(arm),
        settings,
        bodies,
        drive: Drive::new(&joints, command, limits),
        objects: plan.objects.clone(),
        drawer: plan.drawer,
        model: Arc::new(SceneModel::new(arm, plan)),
        moved: disturbance.moved,
        ticks: 0,
        touch: Touch::default(),
    };
    let falls = plan.objects.iter().any(|object| object.lift > 0.0);
    for _ in 0..if falls { FALL_STEPS } else { SETTLE_STEPS } {
        world.step_physics();
    }
    world.check()?;
    // Only now: what begins in the hand is held until the episode starts.
    if let Some(friction) = disturbance.friction {
        world.bodies.make_slippery(friction);
    }
    Ok(world)
}
