//! The arms under test: kinematics and limits.

use nalgebra::Point3;
use vola_motion::{
    Capsule, ClearanceLimits, FilterSettings, JointLimits, KinematicModel, Limits, SafetyFilter,
    ToolLimits,
};
use vola_types::{Gripper, WorkspaceBox};

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

/// An arm with everything that its safety filter holds.
pub(crate) struct ArmUnderTest {
    pub(crate) name: &'static str,
    pub(crate) limits: Limits,
    pub(crate) model: KinematicModel,
    pub(crate) tool: ToolLimits,
    pub(crate) clearance: ClearanceLimits,
    /// Where it starts; gripper last.
    pub(crate) start: Vec<f64>,
}

impl ArmUnderTest {
    /// The seven-joint arm with a gripper, between four forbidden boxes.
    pub(crate) fn franka() -> Self {
        let capsules = vec![
            capsule("panda_link0", [0.0, 0.0, 0.05], [0.0, 0.0, 0.11], 0.09),
            capsule("panda_link1", [0.0, 0.0, -0.18], [0.0, 0.0, 0.0], 0.07),
            capsule("panda_link2", [0.0, -0.18, 0.0], [0.0, 0.0, 0.0], 0.06),
            capsule("panda_link3", [0.03, 0.0, -0.1], [0.03, 0.0, 0.0], 0.07),
            capsule("panda_link4", [-0.05, 0.01, 0.0], [-0.05, 0.13, 0.0], 0.057),
            capsule("panda_link5", [0.0, 0.0, -0.25], [0.0, 0.0, -0.09], 0.055),
            capsule("panda_link6", [0.0, 0.0, 0.0], [0.088, 0.0, 0.0], 0.055),
            capsule("panda_link7", [0.0, 0.0, 0.02], [0.0, 0.0, 0.09], 0.048),
            capsule("panda_hand", [0.0, -0.06, 0.036], [0.0, 0.06, 0.036], 0.028),
        ];
        let start: Vec<f64> = READY.into_iter().chain([0.5]).collect();
        Self::new(
            "franka",
            PANDA,
            panda_limits_with_gripper(),
            capsules,
            start,
        )
    }

    /// The six-joint arm with a gripper, between the same boxes.
    pub(crate) fn ur5e() -> Self {
        let turn = std::f64::consts::TAU;
        let mut joints = vec![joint((-turn, turn), std::f64::consts::PI, 14.0, 1000.0); 6];
        joints[2] = joint(
            (-0.5 * turn, 0.5 * turn),
            std::f64::consts::PI,
            14.0,
            1000.0,
        );
        joints.push(joint((0.0, 1.0), 1.8, 70.0, 7000.0));
        let capsules = vec![
            capsule("base", [0.0, 0.0, 0.015], [0.0, 0.0, 0.065], 0.075),
            capsule("shoulder", [0.0, 0.0, -0.04], [0.0, 0.0, 0.04], 0.07),
            capsule("upper_arm", [-0.425, 0.0, 0.135], [0.0, 0.0, 0.135], 0.065),
            capsule("forearm", [-0.391, 0.0, 0.015], [-0.001, 0.0, 0.015], 0.055),
            capsule("wrist_1", [0.0, -0.0245, 0.0], [0.0, 0.0005, 0.0], 0.044),
            capsule("wrist_2", [0.0, -0.01, 0.0], [0.0, 0.05, 0.0], 0.05),
            capsule("wrist_3", [0.0, 0.0, -0.028], [0.0, 0.0, -0.008], 0.038),
            capsule("hand", [0.0, -0.05, 0.066], [0.0, 0.05, 0.066], 0.03),
        ];
        let start = vec![-0.4, -1.9, 2.3, -1.97, -1.571, -0.4, 0.5];
        let urdf = include_str!("../data/ur5e.urdf");
        Self::new("ur5e", urdf, named(joints), capsules, start)
    }

    fn new(
        name: &'static str,
        urdf: &str,
        limits: Limits,
        capsules: Vec<Capsule>,
        start: Vec<f64>,
    ) -> Self {
        let model = KinematicModel::from_urdf(urdf, "tool").unwrap();
        let home = start[..model.joint_count()].to_vec();
        let zone = |min: [f64; 3], max: [f64; 3]| WorkspaceBox { min, max };
        Self {
            name,
            limits,
            model,
            tool: ToolLimits {
                workspace: zone([-0.3, -0.6, 0.02], [0.8, 0.6, 0.9]),
                max_speed_m_per_s: 1.2,
            },
            clearance: ClearanceLimits {
                capsules,
                forbidden: vec![
                    zone([-1.0, -1.0, -0.5], [1.5, 1.0, 0.0]),
                    zone([0.55, 0.25, 0.0], [0.75, 0.45, 0.35]),
                    zone([0.2, -0.6, 0.0], [0.4, -0.45, 0.5]),
                    zone([-0.6, -0.1, 0.55], [-0.35, 0.1, 1.2]),
                    zone([0.65, -0.3, 0.45], [0.9, 0.0, 0.8]),
                ],
                margin_m: 0.02,
                home,
            },
            start,
        }
    }

    /// The same arm with room around it: every limit is there, and the joints
    /// still reach their full speed. Of what is forbidden one box is in reach.
    pub(crate) fn with_room(mut self) -> Self {
        self.tool = ToolLimits {
            workspace: WorkspaceBox {
                min: [-1.5, -1.5, -1.0],
                max: [1.5, 1.5, 1.8],
            },
            max_speed_m_per_s: 3.0,
        };
        self.clearance.forbidden = vec![
            WorkspaceBox {
                min: [-2.0, -2.0, -1.5],
                max: [2.0, 2.0, -1.0],
            },
            WorkspaceBox {
                min: [-0.8, -0.8, 0.2],
                max: [-0.6, -0.6, 0.4],
            },
        ];
        self
    }

    /// Settings whose checks of measurement and start never fire.
    pub(crate) fn settings() -> FilterSettings {
        FilterSettings {
            gripper: Gripper::Parallel,
            max_first_jump: f64::MAX,
            max_tracking_error: 0.2,
            ..FilterSettings::default()
        }
    }

    /// Joint limits alone.
    pub(crate) fn joints_only(&self) -> SafetyFilter {
        SafetyFilter::new(self.limits.clone(), Self::settings(), &self.start).unwrap()
    }

    /// Joint limits, tool limits and clearance.
    pub(crate) fn full(&self) -> SafetyFilter {
        self.joints_only()
            .with_tool_limits(self.model.clone(), &self.tool)
            .unwrap()
            .with_clearance(self.model.clone(), &self.clearance)
            .unwrap()
    }
}

fn capsule(link: &str, start: [f64; 3], end: [f64; 3], radius_m: f64) -> Capsule {
    Capsule {
        link: link.to_owned(),
        start: Point3::from(start),
        end: Point3::from(end),
        radius_m,
    }
}
