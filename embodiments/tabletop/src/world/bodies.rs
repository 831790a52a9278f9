//! The physics: bodies, shapes and joints.

use nalgebra::Isometry3;
use rapier3d::math::{Pose, Vector};
use rapier3d::prelude::*;

use crate::arm::{ArmModel, FINGER_HALF, FINGER_MIDDLE_Z, narrow, to_pose};

/// Finger slides: stiffness (N/m) and damping (N·s/m).
const FINGER_STIFFNESS: f32 = 2000.0;
const FINGER_DAMPING: f32 = 60.0;
/// A finger may press this many times the grasp force to bring an object to
/// the middle.
const COUPLING: f32 = 2.5;
/// Fingers this near to the middle are closed (m).
const CLOSED_BELOW: f64 = 1.5e-3;
/// Mass of a finger with its slide (kg).
const FINGER_MASS: f32 = 0.15;
/// Stiffness of contacts (Hz). A contact gives way like a spring whose force
/// follows from this and the masses: between things as light as these, the
/// default of 30 Hz would give way by millimetres under the grasp force.
const CONTACT_FREQUENCY: f32 = 80.0;
/// Size of typical things (m).
const LENGTH_UNIT: f32 = 0.1;

/// Who touches whom. Blocks, bowls and the cabinet are `THINGS` and touch all.
pub(super) const THINGS: Group = Group::GROUP_1;
pub(super) const ARM: Group = Group::GROUP_2;
pub(super) const FINGERS: Group = Group::GROUP_3;
const GROUND: Group = Group::GROUP_4;

pub(super) fn touching(own: Group, others: Group) -> InteractionGroups {
    InteractionGroups::new(own, others, InteractionTestMode::And)
}

/// All bodies of a scene.
pub(crate) struct Bodies {
    pub(super) physics: PhysicsWorld,
    pub(super) links: Vec<RigidBodyHandle>,
    pub(super) tool: RigidBodyHandle,
    fingers: [RigidBodyHandle; 2],
    pub(super) finger_shapes: [ColliderHandle; 2],
    slides: [ImpulseJointHandle; 2],
    pub(super) objects: Vec<RigidBodyHandle>,
    pub(super) tray: Option<RigidBodyHandle>,
    pub(super) clutter: Vec<RigidBodyHandle>,
    link_poses: Vec<Isometry3<f64>>,
    force: f32,
    plate: ColliderHandle,
}

impl Bodies {
    /// Builds a scene with the arm at `joints` and the fingers `width` apart.
    pub(crate) fn new(
        arm: &ArmModel,
        joints: &[f64],
        width: f64,
        force: f64,
        dt_secs: f64,
    ) -> Self {
        let mut physics = PhysicsWorld::new();
        physics.gravity = Vector::new(0.0, 0.0, -9.81);
        physics.integration_parameters.dt = narrow(dt_secs);
        let parameters = &mut physics.integration_parameters;
        parameters.contact_softness.natural_frequency = CONTACT_FREQUENCY;
        // Things here are centimetres across. Left at 1, tolerances suit people
        // and houses: contacts found 2 cm apart were kept while a pair moved
        // less than 5 cm, and fingers pressed on blocks that they did not touch.
        parameters.length_unit = LENGTH_UNIT;
        parameters.contact_recycling = false;
        let ground = physics.insert_body(RigidBodyBuilder::fixed());
        let slab = ColliderBuilder::cuboid(1.0, 1.0, 0.05)
            .translation(Vector::new(0.3, 0.0, -0.05))
            .friction(0.8);
        let slab = slab.collision_groups(touching(GROUND, THINGS | FINGERS));
        physics.insert_collider(slab, Some(ground));
        let count = arm.kinematics.joint_count();
        let mut link_poses = vec![Isometry3::identity(); count];
        // Cannot fail: lengths are the model's own and positions finite.
        let _ = arm.kinematics.link_poses(joints, &mut link_poses);
        let mut links: Vec<RigidBodyHandle> = Vec::with_capacity(count);
        for pose in &link_poses {
            links.push(
                physics
                    .insert_body(RigidBodyBuilder::kinematic_position_based().pose(to_pose(pose))),
            );
        }
        // The arm touches things, not itself and not the table.
        let arm_group = touching(ARM, THINGS);
        for capsule in &arm.capsules {
            let Some(link) = capsule.carrier.and_then(|carrier| links.get(carrier)) else {
                continue;
            };
            let shape = ColliderBuilder::capsule_from_endpoints(
                capsule.ends[0],
                capsule.ends[1],
                capsule.radius,
            );
            physics.insert_collider(shape.collision_groups(arm_group).friction(0.4), Some(*link));
        }
        let tool_pose = to_pose(
            &arm.kinematics
                .tool_in_base(joints)
                .unwrap_or_else(|_wrong| Isometry3::identity()),
        );
        let tool =
            physics.insert_body(RigidBodyBuilder::kinematic_position_based().pose(tool_pose));
        let plate = ColliderBuilder::cuboid(
            narrow(FINGER_HALF[0] + 5e-4),
            narrow(FINGER_HALF[1]),
            narrow(FINGER_HALF[2]),
        )
        .translation(Vector::new(0.0, 0.0, narrow(FINGER_MIDDLE_Z)))
        .collision_groups(arm_group)
        .friction(0.5)
        .enabled(false);
        let plate = physics.insert_collider(plate, Some(tool));
        let [
            (first, first_shape, first_slide),
            (second, second_shape, second_slide),
        ] = [1.0, -1.0].map(|side| {
            finger(
                &mut physics,
                tool,
                &tool_pose,
                side,
                narrow(width),
                arm,
                narrow(force),
            )
        });
        Self {
            physics,
            links,
            tool,
            fingers: [first, second],
            finger_shapes: [first_shape, second_shape],
            slides: [first_slide, second_slide],
            objects: Vec::new(),
            tray: None,
            clutter: Vec::new(),
            link_poses,
            force: narrow(force),
            plate,
        }
    }

    /// Moves the links to where the drives stand by the end of the next step.
    pub(crate) fn follow(&mut self, arm: &ArmModel, joints: &[f64]) {
        if arm
            .kinematics
            .link_poses(joints, &mut self.link_poses)
            .is_err()
        {
            return;
        }
        for (link, pose) in self.links.iter().zip(&self.link_poses) {
            if let Some(body) = self.physics.bodies.get_mut(*link) {
                body.set_next_kinematic_position(to_pose(pose));
            }
        }
        if let (Ok(tool), Some(body)) = (
            arm.kinematics.tool_in_base(joints),
            self.physics.bodies.get_mut(self.tool),
        ) {
            body.set_next_kinematic_position(to_pose(&tool));
        }
    }

    /// Sets where each finger's slide is driven: its distance from the middle (m).
    ///
    /// The fingers of a parallel gripper are coupled: both are driven relative
    /// to half the measured opening, so that their mean force is the grasp
    /// force and an object off the middle is pushed back to it. Fingers that
    /// have closed on nothing are one solid piece: a plate a little wider than
    /// they covers their seam, else a block pushed by its corner would wedge
    /// itself between them.
    pub(crate) fn set_finger_target(&mut self, distance: f64) {
        let half = narrow(0.5 * self.finger_width());
        let squeeze = self.force / FINGER_STIFFNESS;
        let target = narrow(distance).clamp(half - squeeze, half + squeeze);
        let closed = distance < CLOSED_BELOW && half < narrow(CLOSED_BELOW);
        if let Some(plate) = self.physics.colliders.get_mut(self.plate)
            && plate.is_enabled() != closed
        {
            plate.set_enabled(closed);
        }
        for slide in self.slides {
            if let Some(joint) = self.physics.impulse_joints.get_mut(slide, true) {
                joint.data.set_motor_position(
                    JointAxis::LinX,
                    target,
                    FINGER_STIFFNESS,
                    FINGER_DAMPING,
                );
            }
        }
    }

    /// One physics step.
    pub(crate) fn step(&mut self) {
        self.physics.step();
    }

    /// Distance between the fingers' pads (m).
    pub(crate) fn finger_width(&self) -> f64 {
        let Some(tool) = self.pose(self.tool) else {
            return 0.0;
        };
        self.fingers
            .iter()
            .filter_map(|finger| self.pose(*finger))
            .map(|pose| {
                let in_tool = tool.inverse_transform_point(pose.translation);
                f64::from(in_tool.y.abs()) - FINGER_HALF[1]
            })
            .sum::<f64>()
            .max(0.0)
    }

    /// Speed at which the pads part (m/s).
    pub(crate) fn finger_speed(&self) -> f64 {
        let body = |handle: RigidBodyHandle| self.physics.bodies.get(handle);
        let (Some(tool), Some(first), Some(second)) = (
            body(self.tool),
            body(self.fingers[0]),
            body(self.fingers[1]),
        ) else {
            return 0.0;
        };
        let apart = tool.position().rotation * Vector::Y;
        f64::from((first.linvel() - second.linvel()).dot(apart))
    }

    /// Pose and speed of an object.
    pub(crate) fn object(&self, index: usize) -> Option<(Pose, f64)> {
        let body = self.physics.bodies.get(*self.objects.get(index)?)?;
        Some((*body.position(), f64::from(body.linvel().length())))
    }

    /// The tray's front along x (m).
    pub(crate) fn tray_x(&self) -> Option<f64> {
        self.tray
            .and_then(|tray| self.pose(tray))
            .map(|pose| f64::from(pose.translation.x))
    }

    /// The tray's speed (m/s).
    pub(crate) fn tray_speed(&self) -> f64 {
        let body = self.tray.and_then(|tray| self.physics.bodies.get(tray));
        body.map_or(0.0, |body| f64::from(body.linvel().length()))
    }

    /// The block or bowl that both fingers press on.
    pub(crate) fn held(&self) -> Option<usize> {
        let touched = |finger: ColliderHandle, object: RigidBodyHandle| {
            self.physics
                .narrow_phase
                .contact_pairs_with(finger)
                .any(|pair| {
                    let other = if pair.collider1 == finger {
                        pair.collider2
                    } else {
                        pair.collider1
                    };
                    let owner = self.physics.colliders.get(other).and_then(Collider::parent);
                    owner == Some(object) && pair.has_any_active_contact()
                })
        };
        self.objects.iter().position(|object| {
            self.finger_shapes
                .iter()
                .all(|finger| touched(*finger, *object))
        })
    }

    /// Whether every body's place is a number.
    pub(crate) fn is_finite(&self) -> bool {
        self.physics
            .bodies
            .iter()
            .all(|(_, body)| body.position().is_finite())
    }

    /// Poses in the order of [`crate::render::SceneModel`].
    pub(crate) fn write_poses(&self, out: &mut [Pose]) {
        let order = self
            .links
            .iter()
            .chain([&self.tool])
            .chain(&self.fingers)
            .chain(&self.objects)
            .chain(self.tray.iter())
            .chain(&self.clutter);
        for (slot, body) in out.iter_mut().zip(order) {
            if let Some(pose) = self.pose(*body) {
                *slot = pose;
            }
        }
    }

    /// Oil on the fingers and on everything they may hold: the lesser of two
    /// friction coefficients counts, and the fingers' is this one.
    pub(crate) fn make_slippery(&mut self, friction: f64) {
        for finger in self.finger_shapes {
            if let Some(shape) = self.physics.colliders.get_mut(finger) {
                shape.set_friction(narrow(friction));
                shape.set_friction_combine_rule(CoefficientCombineRule::Min);
            }
        }
    }

    /// Puts an object elsewhere on the table, at rest; `lift` is the height of
    /// its origin when it stands (m).
    pub(crate) fn put(&mut self, index: usize, at: [f64; 2], lift: f64) {
        let body = self.objects.get(index).copied();
        if let Some(body) = body.and_then(|body| self.physics.bodies.get_mut(body)) {
            let place = Vector::new(narrow(at[0]), narrow(at[1]), narrow(lift));
            body.set_position(Pose::from_translation(place), true);
            body.set_linvel(Vector::ZERO, true);
            body.set_angvel(Vector::ZERO, true);
        }
    }

    pub(super) fn pose(&self, body: RigidBodyHandle) -> Option<Pose> {
        self.physics.bodies.get(body).map(|body| *body.position())
    }
}

/// One finger: a pad on a force-limited slide along the tool's y.
fn finger(
    physics: &mut PhysicsWorld,
    tool: RigidBodyHandle,
    tool_pose: &Pose,
    side: f32,
    width: f32,
    arm: &ArmModel,
    force: f32,
) -> (RigidBodyHandle, ColliderHandle, ImpulseJointHandle) {
    let half = FINGER_HALF.map(narrow);
    let middle = Vector::new(0.0, side * half[1], narrow(FINGER_MIDDLE_Z));
    let place =
        *tool_pose * Pose::from_translation(middle + Vector::new(0.0, 0.5 * side * width, 0.0));
    let body = physics.insert_body(
        RigidBodyBuilder::dynamic()
            .pose(place)
            .can_sleep(false)
            .gravity_scale(0.0),
    );
    let pad = ColliderBuilder::cuboid(half[0], half[1], half[2])
        .mass(FINGER_MASS)
        .friction(1.6)
        .collision_groups(touching(FINGERS, THINGS | GROUND))
        .friction_combine_rule(CoefficientCombineRule::Max);
    let shape = physics.insert_collider(pad, Some(body));
    let slide = PrismaticJointBuilder::new(Vector::new(0.0, side, 0.0))
        .local_anchor1(middle)
        .local_anchor2(Vector::ZERO)
        .limits([0.0, narrow(0.5 * arm.spec.max_width) + 5e-4])
        .motor_model(MotorModel::ForceBased)
        .motor_position(0.5 * width, FINGER_STIFFNESS, FINGER_DAMPING)
        .motor_max_force(COUPLING * force)
        .contacts_enabled(false);
    let slide = physics.insert_impulse_joint(tool, body, slide);
    (body, shape, slide)
}
