//! Whether a path can be followed, before it is.
//!
//! The tracker leaves a path that asks for more than the limits and comes back
//! to it later, each joint at its own time: the tool then moves where nobody
//! sent it. So a chunk whose path asks for much more is refused as a whole. Peaks
//! of a few milliseconds are not: where a chunk is spliced onto the running path
//! a row is often only milliseconds away. Measured on a policy and
//! two arms (2400 chunks), as multiples of the limits: joint speed 1.3 at most,
//! acceleration 19 at most (6.7 in 99 of 100), tool speed 0.95 at most. Close to
//! the base, where the joints turn fast for a small motion, joint speed 2.1 was
//! seen at rest, again with every new chunk.

use vola_motion::{JointState, KinematicModel, Limits, ReferencePath};

use crate::{
    RuntimeError, Session,
    arm_model::ArmModel,
    chunk_targets::{ChunkRefusal, JointTarget},
    following::due,
};

/// Joint speed that a path may ask for, as a multiple of the limit.
const MOST_VELOCITY: f64 = 3.0;
/// Joint acceleration that a path may ask for, as a multiple of the limit.
const MOST_ACCELERATION: f64 = 25.0;
/// Tool speed that a path may ask for, as a multiple of the limit.
const MOST_TOOL_SPEED: f64 = 1.2;

/// What a path may ask for: the arm's joints, without the gripper, whose
/// command is a goal and no path.
#[derive(Clone, Debug)]
pub(crate) struct PathCheck {
    arm: Limits,
    max_tool_speed_m_per_s: f64,
}

impl PathCheck {
    /// From the limits of all joints, the gripper last if there is one.
    pub(crate) fn new(
        limits: &Limits,
        model: &ArmModel,
        max_tool_speed_m_per_s: f64,
    ) -> Result<Self, RuntimeError> {
        let joints = limits.names().iter().zip(limits.joints());
        let arm = joints
            .take(model.arm_joints())
            .map(|(name, joint)| (name.as_str(), *joint));
        Ok(Self {
            arm: Limits::new(arm)?,
            max_tool_speed_m_per_s,
        })
    }

    /// Refuses a path that asks too much from `from_ns` on.
    pub(crate) fn check(
        &self,
        path: &ReferencePath,
        from_ns: u64,
        model: &KinematicModel,
    ) -> Result<(), ChunkRefusal> {
        let joints = path.demand(from_ns, &self.arm);
        let tool = path.tool_speed(from_ns, model) / self.max_tool_speed_m_per_s;
        tracing::debug!(
            velocity = joints.velocity,
            acceleration = joints.acceleration,
            tool,
            "path demand"
        );
        for (what, asked, most) in [
            ("speed of a joint", joints.velocity, MOST_VELOCITY),
            (
                "acceleration of a joint",
                joints.acceleration,
                MOST_ACCELERATION,
            ),
            ("speed of the tool", tool, MOST_TOOL_SPEED),
        ] {
            if !(asked <= most) {
                return Err(ChunkRefusal::Demand { what, asked, most });
            }
        }
        Ok(())
    }
}

impl Session {
    /// Whether the path through these targets can be followed from now on.
    pub(crate) fn check_path(&mut self, targets: &[JointTarget]) -> Result<(), ChunkRefusal> {
        let now_ns = self.body.now_ns();
        let path = match &self.path {
            Some(running) => {
                let mut path = running.clone();
                path.splice(now_ns, due(targets, now_ns)).map(|()| path)
            }
            None => {
                let status = self.body.status();
                JointState::at_rest(status.command())
                    .and_then(|start| ReferencePath::through(now_ns, &start, due(targets, now_ns)))
            }
        };
        match path {
            Ok(path) => self
                .path_check
                .check(&path, now_ns, self.model.kinematics()),
            Err(reason) => Err(ChunkRefusal::Path(reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vola_motion::JointLimits;

    #[test]
    fn a_path_that_asks_too_much_names_the_limit() {
        let urdf = r#"<robot name="arm"><link name="base"/><link name="arm"/><link name="tool"/>
            <joint name="turn" type="revolute"><parent link="base"/><child link="arm"/>
            <axis xyz="0 0 1"/><limit lower="-3" upper="3" velocity="2" effort="1"/></joint>
            <joint name="reach" type="fixed"><parent link="arm"/><child link="tool"/>
            <origin xyz="0.5 0 0"/></joint></robot>"#;
        let model = KinematicModel::from_urdf(urdf, "tool").unwrap();
        let joint = JointLimits {
            position_min: -3.0,
            position_max: 3.0,
            velocity: 2.0,
            acceleration: 20.0,
            jerk: 1e4,
        };
        // From rest to rest a quintic has 1.875 times its mean speed in its
        // middle, and 5.77 times its length over its time squared.
        let check = |acceleration: f64, tool: f64, way: f64, time_ns: u64, from_ns: u64| {
            let check = PathCheck {
                arm: Limits::new([(
                    "turn",
                    JointLimits {
                        acceleration,
                        ..joint
                    },
                )])
                .unwrap(),
                max_tool_speed_m_per_s: tool,
            };
            // The second value is a gripper, which may jump.
            let start = JointState::at_rest(&[0.0, 0.0]).unwrap();
            let goal = [way, 1.0];
            let path = ReferencePath::through(0, &start, [(time_ns, &goal[..])]).unwrap();
            check
                .check(&path, from_ns, &model)
                .map_err(|why| why.to_string())
        };
        const SECOND: u64 = 1_000_000_000;
        assert_eq!(check(20.0, 1.0, 1.0, SECOND, 0), Ok(()));
        let fast = check(20.0, 9.0, 3.4, SECOND, 0).unwrap_err();
        assert!(
            fast.contains("3.2 times the greatest speed of a joint"),
            "{fast}"
        );
        assert_eq!(check(20.0, 9.0, 3.4, SECOND, 2 * SECOND), Ok(()));
        let hard = check(0.2, 9.0, 1.0, SECOND, 0).unwrap_err();
        assert!(
            hard.contains("times the greatest acceleration of a joint"),
            "{hard}"
        );
        let tool = check(20.0, 0.7, 1.0, SECOND, 0).unwrap_err();
        assert!(
            tool.contains("1.3 times the greatest speed of the tool"),
            "{tool}"
        );
    }
}
