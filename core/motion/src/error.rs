//! The one error type of this crate.

use thiserror::Error;

/// Why a motion computation was refused.
///
/// Building one allocates (it carries names), so the per-tick paths return an
/// error only for a caller's mistake, never in normal running.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum MotionError {
    /// The URDF text is not a robot description.
    #[error(
        "urdf: cannot be read: {reason}\nhelp: give the full XML text of a <robot>, not a path; expand xacro first"
    )]
    UrdfUnreadable {
        /// What the reader said.
        reason: String,
    },
    /// The URDF has no link of this name.
    #[error("urdf: no link `{link}`; links are: {known}\nhelp: use one of these names")]
    NoSuchLink {
        /// The name asked for.
        link: String,
        /// Every link name, separated by commas.
        known: String,
    },
    /// The link hangs on a joint outside the chain, so the chain's joint
    /// positions do not say where it is.
    #[error(
        "urdf: link `{link}` does not move with the chain to `{tip}` alone\nhelp: name a link of the chain, or one fixed to it"
    )]
    LinkOutsideChain {
        /// The link asked for.
        link: String,
        /// Tip of the chain.
        tip: String,
    },
    /// A link is reached by two joints, or the joints form a loop.
    #[error(
        "urdf: the chain to `{tip}` is not a tree: {reason}\nhelp: give each link exactly one parent joint"
    )]
    NotATree {
        /// Tip of the chain.
        tip: String,
        /// Which link or joint is at fault.
        reason: String,
    },
    /// A joint of the chain has a type that no single number describes.
    #[error(
        "urdf: joint `{joint}`: expected revolute, continuous, prismatic or fixed, got {kind}\nhelp: choose a tip link before this joint, or model it as several single joints"
    )]
    UnsupportedJoint {
        /// Joint name.
        joint: String,
        /// Its type in the URDF.
        kind: String,
    },
    /// A joint of the chain has a number that makes no sense.
    #[error("urdf: joint `{joint}`: {field}: expected {expected}, got {got}")]
    BadJoint {
        /// Joint name.
        joint: String,
        /// Field of the joint.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What was there.
        got: String,
    },
    /// Nothing in the chain moves, or too much does.
    #[error("{what}: expected 1 to {max} joints, got {got}")]
    JointCount {
        /// Where the count came from.
        what: &'static str,
        /// Most joints this crate handles.
        max: usize,
        /// The count.
        got: usize,
    },
    /// A vector has another length than the joints it is for.
    #[error("{what}: expected {expected} values, got {got}")]
    Length {
        /// Which vector.
        what: &'static str,
        /// Right length.
        expected: usize,
        /// Actual length.
        got: usize,
    },
    /// A vector holds NaN or an infinity.
    #[error("{what}[{index}]: expected a finite number, got {value}")]
    NotFinite {
        /// Which vector.
        what: &'static str,
        /// Place in it.
        index: usize,
        /// The value.
        value: f64,
    },
    /// No joint positions within the limits bring the tool to the target.
    #[error(
        "inverse kinematics: target not reached after {iterations} iterations: {position_error_m:.4} m and {rotation_error_rad:.4} rad away\nhelp: the target is outside the reach, against a joint limit, or far from the seed; take a nearer target or another seed"
    )]
    Unreachable {
        /// Distance left (m).
        position_error_m: f64,
        /// Angle left (rad).
        rotation_error_rad: f64,
        /// Iterations spent.
        iterations: u32,
    },
    /// A limit is not usable.
    #[error("limits of joint `{joint}`: {field}: expected {expected}, got {got}")]
    BadLimit {
        /// Joint name.
        joint: String,
        /// Which limit.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What was there.
        got: f64,
    },
    /// Someone tried to widen a limit.
    #[error(
        "limits of joint `{joint}`: {field}: {asked} is wider than the robot's {allowed}\nhelp: limits may only be narrowed; take a value within the robot's own"
    )]
    Widened {
        /// Joint name.
        joint: String,
        /// Which limit.
        field: &'static str,
        /// The robot's own.
        allowed: f64,
        /// What was asked for.
        asked: f64,
    },
    /// A setting is out of its range.
    #[error("{what}: expected {expected}, got {got}")]
    BadSetting {
        /// Name of the setting.
        what: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What was there.
        got: f64,
    },
    /// A path has no waypoint, too many, or times that do not grow.
    #[error("reference path: {what}: expected {expected}, got {got}")]
    BadPath {
        /// Which part.
        what: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What was there.
        got: u64,
    },
    /// The robot stands where the filter may not start.
    #[error(
        "joint `{joint}` stands at {position}, more than {tolerance} outside its limits {min} to {max}\nhelp: move the arm inside its limits by hand first"
    )]
    StartsOutsideLimits {
        /// Joint name.
        joint: String,
        /// Measured position.
        position: f64,
        /// Least position.
        min: f64,
        /// Greatest position.
        max: f64,
        /// How far outside is still accepted.
        tolerance: f64,
    },
    /// The arm could not come home.
    #[error(
        "forbidden box {index}: the home pose is {distance_m:.4} m from it, expected at least {margin_m:.4} m\nhelp: make the box smaller, or lower the collision margin"
    )]
    HomeTooNear {
        /// Index of the box in the list given.
        index: usize,
        /// Distance of the nearest link, or of the tool (m).
        distance_m: f64,
        /// Distance that is kept (m).
        margin_m: f64,
    },
    /// A collision shape is degenerate or cannot be compared.
    #[error("collision shape {index}: {field}: expected {expected}, got {got}")]
    BadShape {
        /// Index in the list given.
        index: usize,
        /// Which part.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What was there.
        got: f64,
    },
}
