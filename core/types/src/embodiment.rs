//! What an embodiment says of itself before anything moves.
//!
//! The description crosses the plugin boundary as JSON, so that fields can be
//! added without a new ABI. The runtime checks it (`EmbodimentDescription::check`)
//! and compares it with the policy bundle in the handshake.

use serde::{Deserialize, Serialize};

use crate::{ActionSpace, Gripper, Op};

/// Most joints (arm and gripper together) in one state or command frame.
pub const MAX_JOINTS: usize = 64;

/// Everything the runtime needs to know of a robot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbodimentDescription {
    /// Arm joints in command order, base to tip. The gripper is not among them.
    pub joints: Vec<JointDescription>,
    /// Whether one gripper value follows the joints in every frame.
    pub gripper: Gripper,
    /// Limits of the gripper value; required with a gripper.
    #[serde(default)]
    pub gripper_limits: Option<GripperLimits>,
    /// URDF text of the arm.
    pub urdf: String,
    /// Link of the URDF whose frame is the tool: origin at the pinch point,
    /// z out of the gripper.
    pub tool_link: String,
    /// Joint positions of the home pose (rad, m), one a joint.
    pub home: Vec<f64>,
    /// Volume that the tool may not leave, in the base frame.
    pub workspace: WorkspaceBox,
    /// Fastest permitted tool motion (m/s).
    pub max_tool_speed_m_per_s: f64,
    /// Collision shapes fixed to links of the URDF.
    #[serde(default)]
    pub capsules: Vec<CapsuleDescription>,
    /// Cameras by key.
    #[serde(default)]
    pub cameras: Vec<CameraDescription>,
    /// Meanings of commands the executor may send through this arm.
    pub action_spaces: Vec<ActionSpace>,
    /// Ops this robot has shown that it can do.
    pub ops: Vec<Op>,
    /// The embodiment's own dead-man time: without a command for this long the
    /// robot stops by itself (ns).
    pub command_timeout_ns: u64,
    /// Whose clock stamps states and pictures.
    #[serde(default)]
    pub stamp_clock: StampClock,
}

/// Whose clock stamps what is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StampClock {
    /// The runtime's, which commands and requests for pictures bring: what is
    /// older than its deadline is stale.
    #[default]
    Runtime,
    /// One of the robot's own. Only stamps that stand still are found then, not
    /// measurements that come with a constant delay.
    Own,
}

/// One arm joint with every limit. Limits are mandatory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JointDescription {
    /// Name as in the URDF.
    pub name: String,
    /// Kind, which fixes the unit.
    pub kind: JointKind,
    /// Least position (rad, m).
    pub position_min: f64,
    /// Greatest position (rad, m).
    pub position_max: f64,
    /// Greatest speed (rad/s, m/s).
    pub max_velocity: f64,
    /// Greatest acceleration (rad/s², m/s²).
    pub max_acceleration: f64,
    /// Greatest jerk (rad/s³, m/s³).
    pub max_jerk: f64,
}

/// How a joint moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JointKind {
    /// Turns; radians.
    Revolute,
    /// Slides; metres.
    Prismatic,
}

/// Limits of the gripper value (0 closed … 1 open).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GripperLimits {
    /// Opening at value 1 (m).
    pub max_width_m: f64,
    /// Greatest change of the value (1/s).
    pub max_velocity_per_s: f64,
    /// Greatest acceleration of the value (1/s²).
    pub max_acceleration_per_s2: f64,
    /// Greatest jerk of the value (1/s³).
    pub max_jerk_per_s3: f64,
    /// Grasp force at most (N).
    pub max_force_n: f64,
}

/// Axis-aligned box in the base frame (m).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceBox {
    /// Least x, y, z.
    pub min: [f64; 3],
    /// Greatest x, y, z.
    pub max: [f64; 3],
}

impl WorkspaceBox {
    /// Whether a point (m, base frame) lies inside; NaN never does.
    #[must_use]
    pub fn contains(&self, point: [f64; 3]) -> bool {
        point
            .iter()
            .zip(self.min.iter().zip(&self.max))
            .all(|(value, (min, max))| value >= min && value <= max)
    }
}

/// A capsule fixed to a link, for collision distance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapsuleDescription {
    /// Link of the URDF.
    pub link: String,
    /// One end of the axis, in the link frame (m).
    pub start: [f64; 3],
    /// Other end of the axis, in the link frame (m).
    pub end: [f64; 3],
    /// Radius (m).
    pub radius_m: f64,
}

/// One camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraDescription {
    /// Key, as in `observation.images.<key>`.
    pub key: String,
    /// Columns (px).
    pub width: u32,
    /// Rows (px).
    pub height: u32,
    /// Channel order of its pixels.
    pub order: ColorOrder,
    /// Frames a second.
    pub rate_hz: f64,
    /// Pinhole model, when known.
    #[serde(default)]
    pub intrinsics: Option<Intrinsics>,
    /// Where it sits, when known.
    #[serde(default)]
    pub mount: Option<CameraMount>,
}

/// Channel order of 8-bit pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// Pinhole intrinsics (px).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intrinsics {
    /// Focal length along columns.
    pub fx: f64,
    /// Focal length along rows.
    pub fy: f64,
    /// Principal point, column.
    pub cx: f64,
    /// Principal point, row.
    pub cy: f64,
}

/// Where a camera is fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraMount {
    /// Link of the URDF it moves with; none means the base frame.
    #[serde(default)]
    pub link: Option<String>,
    /// Position in that frame (m).
    pub position: [f64; 3],
    /// Orientation x y z w in that frame; camera z looks forward, x right, y down.
    pub orientation: [f64; 4],
}

/// One fault of a description.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}, got {got}")]
pub struct DescriptionFault {
    /// Path of the field, as in `joints[3].max_velocity`.
    pub path: String,
    /// What would be right.
    pub expected: &'static str,
    /// What was there.
    pub got: String,
}

impl EmbodimentDescription {
    /// Joints and gripper together: the length of a state or command frame.
    #[must_use]
    pub fn frame_length(&self) -> usize {
        self.joints.len() + self.gripper.values()
    }

    /// The camera with this key.
    #[must_use]
    pub fn camera(&self, key: &str) -> Option<&CameraDescription> {
        self.cameras.iter().find(|camera| camera.key == key)
    }

    /// Checks every number; an embodiment is refused on any fault.
    ///
    /// # Errors
    /// All faults found, in the order of the fields.
    pub fn check(&self) -> Result<(), Vec<DescriptionFault>> {
        let mut faults = Vec::new();
        if self.joints.is_empty() || self.frame_length() > MAX_JOINTS {
            faults.push(fault(
                "joints",
                "1 to 64 joints with the gripper",
                self.frame_length(),
            ));
        }
        for (index, joint) in self.joints.iter().enumerate() {
            joint.check(index, &mut faults);
        }
        if self.home.len() != self.joints.len() {
            faults.push(fault("home", "one position a joint", self.home.len()));
        }
        for (index, (position, joint)) in self.home.iter().zip(&self.joints).enumerate() {
            if !(*position >= joint.position_min && *position <= joint.position_max) {
                let path = format!("home[{index}] ({})", joint.name);
                faults.push(fault(
                    path,
                    "a position inside the joint's limits",
                    position,
                ));
            }
        }
        match (self.gripper, &self.gripper_limits) {
            (Gripper::Parallel, None) => {
                faults.push(fault(
                    "gripper_limits",
                    "limits, since there is a gripper",
                    "none",
                ));
            }
            (_, Some(limits)) => limits.check(&mut faults),
            (Gripper::None, None) => {}
        }
        let ordered = self
            .workspace
            .min
            .iter()
            .zip(&self.workspace.max)
            .all(|(min, max)| min.is_finite() && max.is_finite() && min < max);
        if !ordered {
            faults.push(fault(
                "workspace",
                "finite corners with min < max",
                format!("{:?}", self.workspace),
            ));
        }
        positive(
            "max_tool_speed_m_per_s",
            self.max_tool_speed_m_per_s,
            &mut faults,
        );
        if self.action_spaces.is_empty() {
            faults.push(fault("action_spaces", "at least one action space", "none"));
        }
        if self.command_timeout_ns == 0 {
            faults.push(fault("command_timeout_ns", "a time above 0", 0));
        }
        for (index, camera) in self.cameras.iter().enumerate() {
            camera.check(index, &mut faults);
            if self
                .cameras
                .iter()
                .take(index)
                .any(|other| other.key == camera.key)
            {
                faults.push(fault(
                    format!("cameras[{index}].key"),
                    "a key used once",
                    &camera.key,
                ));
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }
}

impl JointDescription {
    fn check(&self, index: usize, faults: &mut Vec<DescriptionFault>) {
        let at = |field: &str| format!("joints[{index}].{field} ({})", self.name);
        if !(self.position_min.is_finite()
            && self.position_max.is_finite()
            && self.position_min < self.position_max)
        {
            let got = format!("{} to {}", self.position_min, self.position_max);
            faults.push(fault(at("position"), "finite limits with min < max", got));
        }
        positive(at("max_velocity"), self.max_velocity, faults);
        positive(at("max_acceleration"), self.max_acceleration, faults);
        positive(at("max_jerk"), self.max_jerk, faults);
    }
}

impl GripperLimits {
    fn check(&self, faults: &mut Vec<DescriptionFault>) {
        positive("gripper_limits.max_width_m", self.max_width_m, faults);
        positive(
            "gripper_limits.max_velocity_per_s",
            self.max_velocity_per_s,
            faults,
        );
        positive(
            "gripper_limits.max_acceleration_per_s2",
            self.max_acceleration_per_s2,
            faults,
        );
        positive(
            "gripper_limits.max_jerk_per_s3",
            self.max_jerk_per_s3,
            faults,
        );
        positive("gripper_limits.max_force_n", self.max_force_n, faults);
    }
}

impl CameraDescription {
    fn check(&self, index: usize, faults: &mut Vec<DescriptionFault>) {
        let sized = (1..=8192).contains(&self.width) && (1..=8192).contains(&self.height);
        if !sized {
            let got = format!("{} × {}", self.width, self.height);
            faults.push(fault(
                format!("cameras[{index}] ({})", self.key),
                "1 to 8192 pixels a side",
                got,
            ));
        }
        positive(
            format!("cameras[{index}].rate_hz ({})", self.key),
            self.rate_hz,
            faults,
        );
    }
}

fn fault(path: impl Into<String>, expected: &'static str, got: impl ToString) -> DescriptionFault {
    DescriptionFault {
        path: path.into(),
        expected,
        got: got.to_string(),
    }
}

fn positive(path: impl Into<String>, value: f64, faults: &mut Vec<DescriptionFault>) {
    if !(value.is_finite() && value > 0.0) {
        faults.push(fault(path, "a finite number > 0", value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_joint() -> EmbodimentDescription {
        EmbodimentDescription {
            joints: vec![JointDescription {
                name: "j1".into(),
                kind: JointKind::Revolute,
                position_min: -1.0,
                position_max: 1.0,
                max_velocity: 1.0,
                max_acceleration: 5.0,
                max_jerk: 50.0,
            }],
            gripper: Gripper::None,
            gripper_limits: None,
            urdf: String::new(),
            tool_link: "tool".into(),
            home: vec![0.0],
            workspace: WorkspaceBox {
                min: [-1.0; 3],
                max: [1.0; 3],
            },
            max_tool_speed_m_per_s: 1.0,
            capsules: vec![],
            cameras: vec![],
            action_spaces: vec![ActionSpace::JointPosition],
            ops: vec![Op::Home],
            command_timeout_ns: 100_000_000,
            stamp_clock: StampClock::Runtime,
        }
    }

    #[test]
    fn a_sound_description_passes_and_round_trips() {
        let description = one_joint();
        description.check().unwrap();
        let json = serde_json::to_string(&description).unwrap();
        assert_eq!(
            serde_json::from_str::<EmbodimentDescription>(&json).unwrap(),
            description
        );
    }

    #[test]
    fn every_bad_number_is_named() {
        type Spoil = fn(&mut EmbodimentDescription);
        let cases: [(&str, Spoil); 7] = [
            ("joints[0].max_velocity", |d| {
                d.joints[0].max_velocity = f64::NAN
            }),
            ("joints[0].max_jerk", |d| d.joints[0].max_jerk = -1.0),
            ("joints[0].position", |d| d.joints[0].position_min = 2.0),
            ("home[0]", |d| d.home[0] = f64::NAN),
            ("workspace", |d| d.workspace.max[2] = f64::NEG_INFINITY),
            ("gripper_limits", |d| d.gripper = Gripper::Parallel),
            ("command_timeout_ns", |d| d.command_timeout_ns = 0),
        ];
        for (path, spoil) in cases {
            let mut description = one_joint();
            spoil(&mut description);
            let faults = description.check().unwrap_err();
            assert!(
                faults.iter().any(|f| f.path.starts_with(path)),
                "{path}: {faults:?}"
            );
        }
    }

    #[test]
    fn nan_is_never_inside_the_workspace() {
        assert!(!one_joint().workspace.contains([0.0, f64::NAN, 0.0]));
    }
}
