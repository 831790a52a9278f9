//! The world as it moves: physics, the simulated drives, and where things are.
//!
//! The arm's links are kinematic bodies that follow the drives; only the two
//! fingers are dynamic, each on a force-limited slide, so that holding is
//! friction and a bad grasp fails as it would on a table.

mod bodies;
mod drive;
mod furnish;
mod goal_resolution;
mod goal_state;
mod reset;
mod touch;

pub(crate) use bodies::Bodies;
pub(crate) use drive::{COMMAND_TIMEOUT_NS, Drive, DriveLimits, DriveMode};
pub(crate) use goal_resolution::resolve_goal;
pub(crate) use goal_state::ActiveGoal;
pub(crate) use reset::reset;
pub(crate) use touch::Touch;

use std::sync::Arc;

use rapier3d::math::{Pose, Vector};

use crate::{
    arm::ArmModel,
    catalog::{BLOCK_HALF, BOWL_CENTER, Color, Kind},
    error::TabletopError,
    render::{SceneModel, Snapshot},
    scene::{DrawerSpec, FRONT_X, Moved, ObjectSpec, TRAVEL},
};

/// One tick of drives and commands (ns).
pub(crate) const TICK_NS: u64 = 1_000_000;

/// What may be set about the physics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PhysicsSettings {
    /// Ticks a physics step spans (1 to 4).
    pub(crate) ticks_per_step: u32,
    /// Force of each finger (N).
    pub(crate) gripper_force: f64,
}

impl Default for PhysicsSettings {
    /// 2 ms steps and 8 N: 8 N held blocks in every trial, 25 N squeezed
    /// the fingers through them.
    fn default() -> Self {
        Self {
            ticks_per_step: 2,
            gripper_force: 8.0,
        }
    }
}

/// A block, bowl or drawer as it is now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ObjectState {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its colour; none for the drawer.
    pub(crate) color: Option<Color>,
    /// Centre (m, base frame); of the drawer the middle of its bar.
    pub(crate) position: [f64; 3],
    /// Turn about z (rad); of a block the least turn of a side, within ±45°.
    pub(crate) yaw: f64,
    /// Drawer: opening, 0 closed … 1 open; else 0.
    pub(crate) open: f64,
    /// Speed (m/s).
    pub(crate) speed: f64,
}

/// The tool and gripper as they are now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ToolState {
    /// Pose of the tool.
    pub(crate) pose: nalgebra::Isometry3<f64>,
    /// Opening measured, 0 closed … 1 open.
    pub(crate) gripper: f64,
    /// Opening last commanded, 0 closed … 1 open.
    pub(crate) gripper_command: f64,
}

impl ToolState {
    /// Turn of the tool about base z (rad).
    pub(crate) fn yaw(&self) -> f64 {
        let x = self.pose.rotation * nalgebra::Vector3::x();
        libm::atan2(x.y, x.x)
    }

    /// Position (m).
    pub(crate) fn position(&self) -> [f64; 3] {
        let p = &self.pose.translation.vector;
        [p.x, p.y, p.z]
    }
}

/// The simulated world of one episode.
pub(crate) struct World {
    arm: Arc<ArmModel>,
    settings: PhysicsSettings,
    bodies: Bodies,
    /// The simulated joint drives.
    pub(crate) drive: Drive,
    objects: Vec<ObjectSpec>,
    drawer: Option<DrawerSpec>,
    model: Arc<SceneModel>,
    /// What somebody is still to move.
    moved: Option<Moved>,
    ticks: u64,
    touch: Touch,
}

impl World {
    /// The arm in this world.
    pub(crate) fn arm(&self) -> &Arc<ArmModel> {
        &self.arm
    }

    /// World time since the reset (ns).
    pub(crate) fn time_ns(&self) -> u64 {
        self.ticks * TICK_NS
    }

    /// Advances by one tick of 1 ms.
    pub(crate) fn tick(&mut self) {
        self.drive.advance(self.time_ns());
        self.ticks += 1;
        if let Some(moved) = self
            .moved
            .take_if(|moved| moved.at_ns <= self.ticks * TICK_NS)
        {
            self.displace(&moved);
        }
        if self
            .ticks
            .is_multiple_of(u64::from(self.settings.ticks_per_step.max(1)))
        {
            self.step_physics();
        }
    }

    /// Somebody takes an object and puts it elsewhere.
    fn displace(&mut self, moved: &Moved) {
        // A bowl's origin is its foot.
        let lift = match self.objects.get(moved.object).map(|spec| spec.kind) {
            Some(Kind::Bowl) => 0.0,
            _ => BLOCK_HALF,
        };
        self.bodies.put(moved.object, moved.to, lift + 2e-4);
    }

    fn step_physics(&mut self) {
        self.bodies.follow(&self.arm, self.drive.position());
        self.bodies
            .set_finger_target(0.5 * self.drive.gripper_target() * self.arm.spec.max_width);
        self.bodies.step();
        self.touch = self.touch.towards(self.bodies.touch());
    }

    /// Fails when the physics has lost a body.
    ///
    /// # Errors
    /// [`TabletopError::Diverged`].
    pub(crate) fn check(&self) -> Result<(), TabletopError> {
        if self.bodies.is_finite() {
            Ok(())
        } else {
            Err(TabletopError::Diverged {
                time_ns: self.time_ns(),
            })
        }
    }

    /// Opening measured between the fingers, 0 closed … 1 open.
    pub(crate) fn gripper(&self) -> f64 {
        (self.bodies.finger_width() / self.arm.spec.max_width).clamp(0.0, 1.0)
    }

    /// Speed of the opening, in values a second.
    pub(crate) fn gripper_velocity(&self) -> f64 {
        self.bodies.finger_speed() / self.arm.spec.max_width
    }

    /// What a sensor at the wrist, and one in the gripper, measure.
    pub(crate) fn touch(&self) -> Touch {
        self.touch
    }

    /// The tool as the drives' joint positions say.
    pub(crate) fn tool(&self) -> ToolState {
        let pose = self
            .arm
            .kinematics
            .tool_in_base(self.drive.position())
            .unwrap_or_else(|_wrong| nalgebra::Isometry3::identity());
        ToolState {
            pose,
            gripper: self.gripper(),
            gripper_command: self.drive.gripper_command(),
        }
    }

    /// Objects in scene order, the drawer last.
    pub(crate) fn object_count(&self) -> usize {
        self.objects.len() + usize::from(self.drawer.is_some())
    }

    /// One object as it is now.
    pub(crate) fn object(&self, index: usize) -> Option<ObjectState> {
        if let Some(spec) = self.objects.get(index) {
            let (pose, speed) = self.bodies.object(index)?;
            let up = match spec.kind {
                Kind::Bowl => BOWL_CENTER,
                _ => 0.0,
            };
            let center = pose * Vector::new(0.0, 0.0, crate::arm::narrow(up));
            return Some(ObjectState {
                kind: spec.kind,
                color: Some(spec.color),
                position: wide(center),
                yaw: block_yaw(&pose),
                open: 0.0,
                speed,
            });
        }
        let drawer = self.drawer.filter(|_| index == self.objects.len())?;
        let opening = self.drawer_opening();
        Some(ObjectState {
            kind: Kind::Drawer,
            color: None,
            position: drawer.bar(opening),
            yaw: 0.0,
            open: (opening / TRAVEL).clamp(0.0, 1.0),
            speed: self.bodies.tray_speed(),
        })
    }

    /// All objects in scene order, the drawer last.
    pub(crate) fn object_states(&self) -> Vec<ObjectState> {
        (0..self.object_count())
            .filter_map(|index| self.object(index))
            .collect()
    }

    /// Objects as a layout, where they are now: what the goal geometry asks.
    pub(crate) fn layout(&self) -> Vec<ObjectSpec> {
        self.objects
            .iter()
            .enumerate()
            .map(|(index, spec)| match self.object(index) {
                Some(now) => ObjectSpec {
                    at: [now.position[0], now.position[1]],
                    yaw: now.yaw,
                    ..*spec
                },
                None => *spec,
            })
            .collect()
    }

    /// The drawer, where there is one.
    pub(crate) fn drawer(&self) -> Option<DrawerSpec> {
        self.drawer
    }

    /// How far the tray is out (m); 0 without a drawer.
    pub(crate) fn drawer_opening(&self) -> f64 {
        self.bodies
            .tray_x()
            .map_or(0.0, |x| (FRONT_X - x).clamp(0.0, TRAVEL + 0.01))
    }

    /// The object that both fingers touch.
    pub(crate) fn held_object(&self) -> Option<usize> {
        self.bodies.held()
    }

    /// What the cameras need, at this time on the runtime's clock.
    pub(crate) fn snapshot(&self, time_ns: u64) -> Snapshot {
        let mut snapshot = Snapshot {
            time_ns,
            age_ns: self.time_ns(),
            model: Arc::clone(&self.model),
            poses: [Pose::identity(); crate::render::MAX_BODIES],
            tool: self.arm.kinematics.joint_count(),
        };
        self.bodies.write_poses(&mut snapshot.poses);
        snapshot
    }
}

/// Turn of a cube's side about z, within ±45°, whichever way it has tumbled.
fn block_yaw(pose: &Pose) -> f64 {
    let axes = [Vector::X, Vector::Y].map(|axis| pose.rotation * axis);
    let level = if axes[0].z.abs() <= axes[1].z.abs() {
        axes[0]
    } else {
        axes[1]
    };
    quarter(libm::atan2(f64::from(level.y), f64::from(level.x)))
}

/// The angle within ±45° that differs by whole quarter turns.
pub(crate) fn quarter(angle: f64) -> f64 {
    use std::f64::consts::FRAC_PI_2;
    angle - FRAC_PI_2 * libm::round(angle / FRAC_PI_2)
}

fn wide(point: Vector) -> [f64; 3] {
    [f64::from(point.x), f64::from(point.y), f64::from(point.z)]
}
