//! What the filter decided about a command, and why it refused one.

/// What the control loop must do. There is no safe guess: whoever is in doubt
/// stops, which is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decision {
    /// Send the command and go on.
    Continue,
    /// Send the command, which brings the arm to rest; a good command may
    /// follow at any time.
    Hold,
    /// Send the command, which brings the arm to rest; nothing moves again
    /// before [`SafetyFilter::reset_to`](crate::SafetyFilter::reset_to).
    #[default]
    SafeStop,
}

/// Why a raw command was not followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rejection {
    /// The command has another number of values than the arm.
    Length {
        /// Joints and gripper.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// A value of the command is NaN or infinite.
    NotFinite {
        /// Which joint.
        joint: usize,
    },
    /// The first command is far from where the joint stands.
    FirstJump {
        /// Which joint.
        joint: usize,
        /// How far (rad, m).
        distance: f64,
    },
    /// The measured state is of the wrong length or not finite.
    BadMeasurement,
    /// A joint does not follow its commands.
    TrackingError {
        /// Which joint.
        joint: usize,
        /// How far it is from its command (rad, m).
        distance: f64,
    },
    /// A safe stop happened earlier and nobody has reset the filter.
    Stopped,
}
