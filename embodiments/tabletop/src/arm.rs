//! The two arms: their numbers, and the model read from their URDF.

use nalgebra::{Isometry3, Translation3, UnitQuaternion};
use rapier3d::math::{Pose, Rotation, Vector};
use urdf_rs::Geometry;
use vola_motion::{IkSettings, InverseKinematics, KinematicModel};
use vola_types::{CapsuleDescription, GripperLimits, JointDescription, JointKind};

use crate::error::TabletopError;

/// Link whose frame is the tool: origin at the pinch point, z out of the gripper.
pub(crate) const TOOL_LINK: &str = "tool";
/// Half extents of one finger's pad (m), tool axes.
pub(crate) const FINGER_HALF: [f64; 3] = [0.009, 0.005, 0.027];
/// Middle of the pads along the tool's z (m): the tips end 9 mm beyond the
/// pinch point.
pub(crate) const FINGER_MIDDLE_Z: f64 = -0.018;

/// The numbers of one arm that its URDF does not hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArmSpec {
    /// Name of the plugin.
    pub(crate) name: &'static str,
    /// URDF text.
    pub(crate) urdf: &'static str,
    /// Greatest acceleration of each joint (rad/s²).
    max_acceleration: &'static [f64],
    /// Greatest jerk of each joint (rad/s³).
    max_jerk: &'static [f64],
    /// Home pose (rad): tool straight down at about (0.32, 0, 0.35).
    pub(crate) home: &'static [f64],
    /// Opening at gripper value 1 (m).
    pub(crate) max_width: f64,
    /// Greatest change of the opening (m/s).
    pub(crate) gripper_speed: f64,
}

/// Franka Panda.
///
/// # Source
/// Accelerations and jerks: Franka Control Interface documentation, "Robot and
/// interface specifications", limits of the Panda. Hand: 80 mm stroke, each
/// finger 50 mm/s.
pub(crate) const FRANKA: ArmSpec = ArmSpec {
    name: "franka",
    urdf: include_str!("../arms/franka.urdf"),
    max_acceleration: &[15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0],
    max_jerk: &[7500.0, 3750.0, 5000.0, 6250.0, 7500.0, 10000.0, 10000.0],
    home: &[0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785],
    max_width: 0.08,
    gripper_speed: 0.1,
};

/// Universal Robots UR5e with a gripper of 85 mm stroke.
///
/// # Source
/// The maker publishes no limits of acceleration and jerk. Its controller
/// accepts joint accelerations up to 40 rad/s²; 800 °/s² (14 rad/s²) stays far
/// inside, and the jerk reaches it within 14 ms. The gripper's 150 mm/s is the
/// data sheet's value of common grippers of this stroke.
pub(crate) const UR5E: ArmSpec = ArmSpec {
    name: "ur5e",
    urdf: include_str!("../arms/ur5e.urdf"),
    max_acceleration: &[14.0; 6],
    max_jerk: &[1000.0; 6],
    home: &[-0.4, -1.9, 2.3, -1.97, -1.571, -0.4],
    max_width: 0.085,
    gripper_speed: 0.15,
};

/// A shape of a link, for the renderer.
#[derive(Clone, Debug)]
pub(crate) struct LinkVisual {
    /// Index of the moving link that carries it; none means the base.
    pub(crate) carrier: Option<usize>,
    /// Pose in that link.
    pub(crate) in_carrier: Pose,
    /// Its form.
    pub(crate) form: VisualForm,
    /// Linear RGB.
    pub(crate) color: [f32; 3],
}

/// The forms a link is drawn with (m).
#[derive(Clone, Copy, Debug)]
pub(crate) enum VisualForm {
    /// Half extents.
    Box([f32; 3]),
    /// Radius and half length along z.
    Cylinder(f32, f32),
    /// Radius and half length of the straight part along z.
    Capsule(f32, f32),
}

/// A collision capsule fixed to a moving link.
#[derive(Clone, Debug)]
pub(crate) struct LinkCapsule {
    /// Index of the moving link that carries it; none means the base.
    pub(crate) carrier: Option<usize>,
    /// Ends of the axis in that link (m).
    pub(crate) ends: [Vector; 2],
    /// Radius (m).
    pub(crate) radius: f32,
}

/// An arm ready for use. Shared by all parts; nothing in it changes.
#[derive(Debug)]
pub(crate) struct ArmModel {
    /// Its numbers.
    pub(crate) spec: ArmSpec,
    /// Forward kinematics.
    pub(crate) kinematics: KinematicModel,
    /// Inverse kinematics, drawn to the home posture.
    pub(crate) inverse: InverseKinematics,
    /// Home joint positions (rad).
    pub(crate) home: Vec<f64>,
    /// Shapes to draw.
    pub(crate) visuals: Vec<LinkVisual>,
    /// Shapes to collide with.
    pub(crate) capsules: Vec<LinkCapsule>,
    described_capsules: Vec<CapsuleDescription>,
}

/// Greatest change of the *commanded* gripper value (1/s). The command is where
/// the fingers shall go; how fast they get there is the gripper's own matter
/// (its motor and `gripper_speed`), so a command may change within a row.
const GRIPPER_COMMAND_SPEED: f64 = 12.0;

impl ArmModel {
    /// Reads the arm's URDF.
    ///
    /// # Errors
    /// [`TabletopError::Arm`] when this crate's own URDF is at fault.
    pub(crate) fn new(spec: ArmSpec) -> Result<Self, TabletopError> {
        let fault = |reason: String| TabletopError::Arm {
            arm: spec.name,
            reason,
        };
        let kinematics = KinematicModel::from_urdf(spec.urdf, TOOL_LINK)
            .map_err(|error| fault(error.to_string()))?;
        let settings = IkSettings {
            max_iterations: 200,
            rest_gain: 0.02,
            ..IkSettings::default()
        };
        let inverse = InverseKinematics::new(&kinematics, settings)
            .and_then(|solver| solver.with_rest_posture(spec.home))
            .map_err(|error| fault(error.to_string()))?;
        let solution = inverse
            .solve(&kinematics, &tool_pose([0.32, 0.0, 0.35], 0.0), spec.home)
            .map_err(|error| fault(error.to_string()))?;
        let robot =
            urdf_rs::read_from_string(spec.urdf).map_err(|error| fault(error.to_string()))?;
        let mut model = Self {
            spec,
            kinematics,
            inverse,
            home: solution
                .q
                .iter()
                .map(|position| rounded(*position, 1e4))
                .collect(),
            visuals: Vec::new(),
            capsules: Vec::new(),
            described_capsules: Vec::new(),
        };
        for link in &robot.links {
            model.add_link(link, &robot).map_err(fault)?;
        }
        Ok(model)
    }

    fn add_link(&mut self, link: &urdf_rs::Link, robot: &urdf_rs::Robot) -> Result<(), String> {
        let frame = self
            .kinematics
            .link_frame(&link.name)
            .map_err(|error| error.to_string())?;
        for visual in &link.visual {
            let form = match &visual.geometry {
                Geometry::Box { size } => VisualForm::Box(size.0.map(|edge| narrow(0.5 * edge))),
                Geometry::Cylinder { radius, length } => {
                    VisualForm::Cylinder(narrow(*radius), narrow(0.5 * length))
                }
                Geometry::Capsule { radius, length } => {
                    VisualForm::Capsule(narrow(*radius), narrow(0.5 * length))
                }
                other => return Err(format!("link `{}`: cannot draw {other:?}", link.name)),
            };
            let name = visual
                .material
                .as_ref()
                .map(|material| material.name.as_str());
            let rgba = robot
                .materials
                .iter()
                .find(|material| Some(material.name.as_str()) == name)
                .and_then(|material| material.color.as_ref())
                .map_or([0.8; 4], |color| color.rgba.0);
            self.visuals.push(LinkVisual {
                carrier: frame.carrier,
                in_carrier: to_pose(&(frame.in_carrier * origin(&visual.origin))),
                form,
                color: [narrow(rgba[0]), narrow(rgba[1]), narrow(rgba[2])],
            });
        }
        for collision in &link.collision {
            let Geometry::Cylinder { radius, length } = &collision.geometry else {
                return Err(format!(
                    "link `{}`: a collision shape must be a cylinder",
                    link.name
                ));
            };
            let in_link = origin(&collision.origin);
            let ends =
                [-0.5, 0.5].map(|share| in_link * nalgebra::Point3::new(0.0, 0.0, share * length));
            let capsule = CapsuleDescription {
                link: link.name.clone(),
                start: [ends[0].x, ends[0].y, ends[0].z].map(|value| rounded(value, 1e9)),
                end: [ends[1].x, ends[1].y, ends[1].z].map(|value| rounded(value, 1e9)),
                radius_m: *radius,
            };
            self.described_capsules.push(capsule);
            let ends = ends.map(|end| {
                let point = frame.in_carrier * end;
                Vector::new(narrow(point.x), narrow(point.y), narrow(point.z))
            });
            self.capsules.push(LinkCapsule {
                carrier: frame.carrier,
                ends,
                radius: narrow(*radius),
            });
        }
        Ok(())
    }

    /// Joints with every limit.
    pub(crate) fn joints(&self) -> Vec<JointDescription> {
        let own = self.spec.max_acceleration.iter().zip(self.spec.max_jerk);
        self.kinematics
            .joint_names()
            .zip(self.kinematics.urdf_limits())
            .zip(own)
            .map(|((name, limits), (acceleration, jerk))| JointDescription {
                name: name.to_owned(),
                kind: JointKind::Revolute,
                position_min: limits.position_min,
                position_max: limits.position_max,
                max_velocity: limits.velocity,
                max_acceleration: *acceleration,
                max_jerk: *jerk,
            })
            .collect()
    }

    /// Limits of the gripper value, for a grasp force of `force` newtons.
    pub(crate) fn gripper_limits(&self, force: f64) -> GripperLimits {
        GripperLimits {
            max_width_m: self.spec.max_width,
            max_velocity_per_s: GRIPPER_COMMAND_SPEED,
            max_acceleration_per_s2: 40.0 * GRIPPER_COMMAND_SPEED,
            max_jerk_per_s3: 4000.0 * GRIPPER_COMMAND_SPEED,
            max_force_n: force,
        }
    }

    /// Collision capsules in the frames of their links.
    pub(crate) fn described_capsules(&self) -> Vec<CapsuleDescription> {
        self.described_capsules.clone()
    }

    /// Joint positions for a tool pose straight down, nearest to `seed`.
    ///
    /// # Errors
    /// [`TabletopError::OutOfReach`].
    pub(crate) fn reach(
        &self,
        at: [f64; 3],
        yaw: f64,
        seed: &[f64],
    ) -> Result<Vec<f64>, TabletopError> {
        self.inverse
            .solve(&self.kinematics, &tool_pose(at, yaw), seed)
            .map(|solution| solution.q.to_vec())
            .map_err(|_unreachable| TabletopError::OutOfReach {
                arm: self.spec.name,
                pose: [at[0], at[1], at[2], yaw],
            })
    }
}

/// Tool pose with the gripper straight down, turned by `yaw` about base z.
pub(crate) fn tool_pose(at: [f64; 3], yaw: f64) -> Isometry3<f64> {
    // Half a turn about x, then yaw about z, as one quaternion: sines from
    // `libm`, so that every machine starts in the same place.
    let (sin, cos) = (libm::sin(0.5 * yaw), libm::cos(0.5 * yaw));
    let rotation = UnitQuaternion::new_unchecked(nalgebra::Quaternion::new(0.0, cos, sin, 0.0));
    Isometry3::from_parts(Translation3::new(at[0], at[1], at[2]), rotation)
}

/// To a fraction of this many parts, for numbers that people read.
fn rounded(value: f64, parts: f64) -> f64 {
    libm::round(value * parts) / parts
}

/// To the single precision of physics and pictures.
#[allow(
    clippy::cast_possible_truncation,
    reason = "physics and pictures are f32"
)]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}

/// A pose for the physics.
pub(crate) fn to_pose(isometry: &Isometry3<f64>) -> Pose {
    let (p, q) = (&isometry.translation.vector, &isometry.rotation.coords);
    Pose::from_parts(
        Vector::new(narrow(p.x), narrow(p.y), narrow(p.z)),
        Rotation::from_xyzw(narrow(q.x), narrow(q.y), narrow(q.z), narrow(q.w)),
    )
}

fn origin(pose: &urdf_rs::Pose) -> Isometry3<f64> {
    let ([x, y, z], [roll, pitch, yaw]) = (pose.xyz.0, pose.rpy.0);
    Isometry3::from_parts(
        Translation3::new(x, y, z),
        UnitQuaternion::from_euler_angles(roll, pitch, yaw),
    )
}

#[cfg(test)]
mod tests {
    use vola_motion::{Capsule, CollisionModel};

    use super::*;

    #[test]
    fn both_arms_reach_the_whole_table() {
        for spec in [FRANKA, UR5E] {
            let arm = ArmModel::new(spec).unwrap();
            println!("{} home {:.4?}", spec.name, arm.home);
            let mut far = Vec::new();
            for x in [0.30, 0.37, 0.45, 0.60, 0.66] {
                for y in [-0.33, -0.15, 0.0, 0.15, 0.33] {
                    for z in [0.02, 0.10, 0.25] {
                        for yaw in [-1.2, 0.0, 1.2] {
                            if arm.reach([x, y, z], yaw, &arm.home).is_err() {
                                far.push(([x, y, z], yaw));
                            }
                        }
                    }
                }
            }
            assert!(
                far.is_empty(),
                "{}: {} poses, {:?}",
                spec.name,
                far.len(),
                &far[..far.len().min(12)]
            );
        }
    }

    #[test]
    fn the_arm_keeps_clear_of_itself_over_the_whole_table() {
        for spec in [FRANKA, UR5E] {
            let arm = ArmModel::new(spec).unwrap();
            let capsules: Vec<Capsule> = arm
                .described_capsules()
                .iter()
                .map(Capsule::from_description)
                .collect();
            let mut model =
                CollisionModel::new(arm.kinematics.clone(), &capsules, &arm.home).unwrap();
            let mut least = f64::INFINITY;
            for x in [0.30, 0.37, 0.45, 0.60, 0.66] {
                for y in [-0.33, -0.15, 0.0, 0.15, 0.33] {
                    for z in [0.016, 0.10, 0.20, 0.35] {
                        for yaw in [-1.2, 0.0, 1.2] {
                            let q = arm.reach([x, y, z], yaw, &arm.home).unwrap();
                            let nearest = model.nearest(&q, 0.2).unwrap();
                            least = least.min(nearest.map_or(0.2, |pair| pair.distance_m));
                            if let Some(pair) = nearest.filter(|pair| pair.distance_m < 0.02) {
                                println!("{} {x} {y} {z} {yaw}: {pair:?}", spec.name);
                            }
                        }
                    }
                }
            }
            println!("{}: least clearance {least:.3} m", spec.name);
            assert!(least > 0.02, "{}: {least}", spec.name);
        }
    }

    #[test]
    fn tool_points_down() {
        let pose = tool_pose([0.4, 0.1, 0.2], 0.3);
        let z = pose.rotation * nalgebra::Vector3::z();
        assert!((z.z + 1.0).abs() < 1e-12);
        let x = pose.rotation * nalgebra::Vector3::x();
        assert!((x.y.atan2(x.x) - 0.3).abs() < 1e-12);
    }
}
