//! Forward kinematics and Jacobian of a serial arm.
//!
//! Written here rather than taken from a kinematics crate: the chain is a
//! product of at most a few isometries, and the known crates allocate, lock or
//! draw in an older `nalgebra`. Sines come from `libm`, so a replay gives the
//! same bits on every machine.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3, Vector6};

use crate::joint_vec::check_finite;
use crate::urdf_chain::{self, Chain, ChainJoint};
use crate::{JointMotion, MAX_JOINTS, MotionError, UrdfLimits};

/// Kinematics of one arm from its base (the URDF's root link) to its tool.
///
/// # Units
/// Radians for turning joints, metres for sliding ones and for poses; poses are
/// in the base frame.
///
/// # Timing
/// Every method that takes joint positions is allocation-free, unless it
/// returns an error; sub-microsecond for seven joints.
///
/// # Examples
/// ```
/// use vola_motion::KinematicModel;
/// let urdf = r#"<robot name="r">
///   <link name="base"/><link name="arm"/><link name="tool"/>
///   <joint name="turn" type="continuous"><parent link="base"/><child link="arm"/><axis xyz="0 0 1"/></joint>
///   <joint name="reach" type="fixed"><parent link="arm"/><child link="tool"/><origin xyz="0.5 0 0"/></joint>
/// </robot>"#;
/// let arm = KinematicModel::from_urdf(urdf, "tool")?;
/// let tool = arm.tool_in_base(&[std::f64::consts::FRAC_PI_2])?;
/// assert!((tool.translation.y - 0.5).abs() < 1e-12);
/// # Ok::<(), vola_motion::MotionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct KinematicModel {
    chain: Chain,
    tip_link: String,
    reach: [f64; MAX_JOINTS],
}

/// Where a link sits on the chain: fixed to a moving link, or to the base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkFrame {
    /// Index of the moving link that carries it, as in
    /// [`KinematicModel::link_poses`]; none means the base.
    pub carrier: Option<usize>,
    /// Its pose in that link (or in the base).
    pub in_carrier: Isometry3<f64>,
}

/// Geometric Jacobian at the tool, in base axes.
///
/// # Shapes
/// `[6, joints]` by columns: tool velocity `(vx, vy, vz, wx, wy, wz)` (m/s,
/// rad/s) for one unit of speed of each joint.
#[derive(Clone, Copy, Debug)]
pub struct Jacobian {
    columns: [Vector6<f64>; MAX_JOINTS],
    joints: usize,
}

impl Jacobian {
    /// One column a joint, base to tip.
    #[must_use]
    pub fn columns(&self) -> &[Vector6<f64>] {
        self.columns.get(..self.joints).unwrap_or_default()
    }

    /// Tool velocity `(v, w)` for these joint velocities; missing ones count
    /// as zero.
    #[must_use]
    pub fn tool_velocity(&self, joint_velocity: &[f64]) -> Vector6<f64> {
        self.columns()
            .iter()
            .zip(joint_velocity)
            .map(|(column, speed)| column * *speed)
            .sum()
    }
}

impl KinematicModel {
    /// Reads the chain from the root link of a URDF to `tip_link`.
    ///
    /// Joints that do not lead to the tip are ignored.
    ///
    /// # Errors
    /// Text that is no URDF, an unknown tip, a joint type or number this crate
    /// cannot use, links with two parents, no or too many moving joints.
    pub fn from_urdf(urdf_text: &str, tip_link: &str) -> Result<Self, MotionError> {
        let chain = urdf_chain::read(urdf_text, tip_link)?;
        let mut model = Self {
            chain,
            tip_link: tip_link.to_owned(),
            reach: [0.0; MAX_JOINTS],
        };
        model.reach = model.tool_reach();
        Ok(model)
    }

    /// Moving joints of the chain.
    #[must_use]
    pub fn joint_count(&self) -> usize {
        self.chain.joints.len()
    }

    /// Names of the moving joints, base to tip.
    pub fn joint_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.chain.joints.iter().map(|joint| joint.name.as_str())
    }

    /// Names of the links that the moving joints move, in the order of
    /// [`Self::link_poses`].
    pub fn link_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.chain
            .joints
            .iter()
            .map(|joint| joint.child_link.as_str())
    }

    /// How each joint moves, base to tip.
    pub fn joint_motions(&self) -> impl ExactSizeIterator<Item = JointMotion> {
        self.chain.joints.iter().map(|joint| joint.motion)
    }

    /// Limits of each joint as the URDF states them, base to tip.
    pub fn urdf_limits(&self) -> impl ExactSizeIterator<Item = UrdfLimits> {
        self.chain.joints.iter().map(|joint| joint.limits)
    }

    /// The tip link this model was built for.
    #[must_use]
    pub fn tip_link(&self) -> &str {
        &self.tip_link
    }

    /// The URDF's root link, whose frame is the base frame.
    #[must_use]
    pub fn base_link(&self) -> &str {
        &self.chain.root
    }

    /// Where a link is fixed: look it up once, then follow its carrier.
    ///
    /// # Errors
    /// No such link, or one that hangs on a joint outside the chain.
    pub fn link_frame(&self, link: &str) -> Result<LinkFrame, MotionError> {
        match self.chain.links.iter().find(|fixed| fixed.name == link) {
            Some(fixed) => Ok(LinkFrame {
                carrier: fixed.carrier,
                in_carrier: fixed.link_in_carrier,
            }),
            None if self.chain.all_links.iter().any(|name| name == link) => {
                Err(MotionError::LinkOutsideChain {
                    link: link.to_owned(),
                    tip: self.tip_link.clone(),
                })
            }
            None => Err(urdf_chain::no_such_link(link, &self.chain.all_links)),
        }
    }

    /// Pose of the tool for these joint positions.
    ///
    /// # Errors
    /// Wrong length, or a value that is not finite.
    pub fn tool_in_base(&self, q: &[f64]) -> Result<Isometry3<f64>, MotionError> {
        check_finite("q", q, self.joint_count())?;
        Ok(self.tool_unchecked(q))
    }

    /// Pose of every moving link, in the order of [`Self::link_names`].
    ///
    /// # Errors
    /// `q` or `out` of the wrong length, or a value that is not finite.
    pub fn link_poses(&self, q: &[f64], out: &mut [Isometry3<f64>]) -> Result<(), MotionError> {
        check_finite("q", q, self.joint_count())?;
        if out.len() != self.joint_count() {
            return Err(MotionError::Length {
                what: "link poses",
                expected: self.joint_count(),
                got: out.len(),
            });
        }
        self.link_poses_unchecked(q, out);
        Ok(())
    }

    /// Jacobian at the tool for these joint positions.
    ///
    /// # Errors
    /// Wrong length, or a value that is not finite.
    pub fn jacobian(&self, q: &[f64]) -> Result<Jacobian, MotionError> {
        self.tool_and_jacobian(q).map(|(_, jacobian)| jacobian)
    }

    /// Tool pose and Jacobian together; cheaper than one after the other.
    ///
    /// # Errors
    /// Wrong length, or a value that is not finite.
    pub fn tool_and_jacobian(&self, q: &[f64]) -> Result<(Isometry3<f64>, Jacobian), MotionError> {
        check_finite("q", q, self.joint_count())?;
        let mut pose = Isometry3::identity();
        let mut axes = [(Vector3::zeros(), Vector3::zeros()); MAX_JOINTS];
        for (((axis, origin), joint), position) in axes.iter_mut().zip(&self.chain.joints).zip(q) {
            pose = joint.child_pose(&pose, *position);
            // The joint's own motion turns about or slides along the axis, so
            // the axis is the same before and after it.
            *axis = pose.rotation * joint.axis.into_inner();
            *origin = pose.translation.vector;
        }
        let tool = pose * self.chain.tip_in_last;
        let mut jacobian = Jacobian {
            columns: [Vector6::zeros(); MAX_JOINTS],
            joints: self.joint_count(),
        };
        for ((column, (axis, origin)), joint) in jacobian
            .columns
            .iter_mut()
            .zip(&axes)
            .zip(&self.chain.joints)
        {
            let (linear, angular) = match joint.motion {
                JointMotion::Revolute | JointMotion::Continuous => {
                    (axis.cross(&(tool.translation.vector - origin)), *axis)
                }
                JointMotion::Prismatic => (*axis, Vector3::zeros()),
            };
            *column = Vector6::new(
                linear.x, linear.y, linear.z, angular.x, angular.y, angular.z,
            );
        }
        Ok((tool, jacobian))
    }

    /// Tool travel per unit of each joint, at most (m/rad, or 1 for sliding
    /// joints), over all positions; an upper bound for cheap checks.
    #[must_use]
    pub fn max_tool_travel_per_joint(&self) -> &[f64] {
        self.reach.get(..self.joint_count()).unwrap_or_default()
    }

    /// Tool pose without the checks; `q` must have been checked.
    pub(crate) fn tool_unchecked(&self, q: &[f64]) -> Isometry3<f64> {
        let mut pose = Isometry3::identity();
        for (joint, position) in self.chain.joints.iter().zip(q) {
            pose = joint.child_pose(&pose, *position);
        }
        pose * self.chain.tip_in_last
    }

    /// Link poses without the checks; `q` must have been checked.
    pub(crate) fn link_poses_unchecked(&self, q: &[f64], out: &mut [Isometry3<f64>]) {
        let mut pose = Isometry3::identity();
        for ((slot, joint), position) in out.iter_mut().zip(&self.chain.joints).zip(q) {
            pose = joint.child_pose(&pose, *position);
            *slot = pose;
        }
    }

    /// Upper bound of the distance from each joint's origin to the tool.
    fn tool_reach(&self) -> [f64; MAX_JOINTS] {
        let tip = self.chain.tip_in_last.translation.vector.norm();
        self.travel_bounds(self.joint_count().saturating_sub(1), tip)
    }

    /// Travel per unit of each joint, at most, of a point this far from the
    /// origin of a moving link: the links between laid end to end. Zero for
    /// joints that do not move the link.
    pub(crate) fn travel_bounds(&self, carrier: usize, from_origin_m: f64) -> [f64; MAX_JOINTS] {
        let mut reach = [0.0; MAX_JOINTS];
        let mut length = from_origin_m;
        let moving = self.chain.joints.iter().take(carrier + 1);
        let used = reach.get_mut(..moving.len()).unwrap_or_default();
        for (slot, joint) in used.iter_mut().zip(moving).rev() {
            *slot = match joint.motion {
                JointMotion::Revolute | JointMotion::Continuous => length,
                JointMotion::Prismatic => 1.0,
            };
            if joint.motion == JointMotion::Prismatic {
                length += joint
                    .limits
                    .position_min
                    .abs()
                    .max(joint.limits.position_max.abs());
            }
            length += joint.joint_in_parent.translation.vector.norm();
        }
        reach
    }
}

impl ChainJoint {
    /// Pose of the child link, given the pose of the previous moving link.
    fn child_pose(&self, parent: &Isometry3<f64>, position: f64) -> Isometry3<f64> {
        let joint = parent * self.joint_in_parent;
        match self.motion {
            JointMotion::Revolute | JointMotion::Continuous => {
                let (sin, cos) = libm::sincos(0.5 * position);
                let turn = UnitQuaternion::new_unchecked(nalgebra::Quaternion::from_parts(
                    cos,
                    self.axis.into_inner() * sin,
                ));
                Isometry3::from_parts(joint.translation, joint.rotation * turn)
            }
            JointMotion::Prismatic => {
                let slide = joint.rotation * (self.axis.into_inner() * position);
                Isometry3::from_parts(
                    Translation3::from(joint.translation.vector + slide),
                    joint.rotation,
                )
            }
        }
    }
}
