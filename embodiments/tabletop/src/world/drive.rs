//! The simulated joint drives: they follow the newest command within the
//! joints' speeds, and stand still when no command comes.

/// The drives' own dead-man time (ns).
pub(crate) const COMMAND_TIMEOUT_NS: u64 = 100_000_000;
const TICK_SECS: f64 = 1e-3;

/// What the drives do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DriveMode {
    /// Follow commands; without one for [`COMMAND_TIMEOUT_NS`] they stand still.
    Follow,
    /// Stand still until the next command.
    Hold,
    /// Stand still, deaf to commands, until a reset.
    Stopped,
}

/// What the drives can do.
#[derive(Clone, Debug)]
pub(crate) struct DriveLimits {
    /// Of each joint (rad/s).
    pub(crate) max_velocity: Vec<f64>,
    /// Of each joint (rad/s²): how fast it comes to rest on its own.
    pub(crate) max_acceleration: Vec<f64>,
    /// Of the gripper, in opening values a second.
    pub(crate) gripper_speed: f64,
}

/// Drives of all joints and of the gripper.
#[derive(Clone, Debug)]
pub(crate) struct Drive {
    mode: DriveMode,
    position: Vec<f64>,
    velocity: Vec<f64>,
    command: Vec<f64>,
    max_velocity: Vec<f64>,
    max_acceleration: Vec<f64>,
    commanded_at_ns: u64,
    gripper_command: f64,
    gripper_target: f64,
    gripper_speed: f64,
}

impl Drive {
    /// Drives at rest at these joint positions (rad) and opening.
    pub(crate) fn new(position: &[f64], gripper: f64, limits: DriveLimits) -> Self {
        Self {
            mode: DriveMode::Hold,
            position: position.to_vec(),
            velocity: vec![0.0; position.len()],
            command: position.to_vec(),
            max_velocity: limits.max_velocity,
            max_acceleration: limits.max_acceleration,
            commanded_at_ns: 0,
            gripper_command: gripper,
            gripper_target: gripper,
            gripper_speed: limits.gripper_speed,
        }
    }

    /// Takes a command: joint positions (rad), then the gripper value.
    ///
    /// Values that are not finite leave their joint where it is.
    pub(crate) fn command(&mut self, values: &[f64], now_ns: u64) {
        if self.mode == DriveMode::Stopped {
            return;
        }
        self.mode = DriveMode::Follow;
        self.commanded_at_ns = now_ns;
        for (slot, value) in self.command.iter_mut().zip(values) {
            if value.is_finite() {
                *slot = *value;
            }
        }
        if let Some(gripper) = values
            .get(self.position.len())
            .filter(|value| value.is_finite())
        {
            self.gripper_command = gripper.clamp(0.0, 1.0);
        }
    }

    /// Stands still; see [`DriveMode`].
    pub(crate) fn stand(&mut self, mode: DriveMode) {
        if self.mode != DriveMode::Stopped {
            self.mode = mode;
        }
    }

    /// Stops at once, as brakes do, and stays stopped.
    pub(crate) fn cut(&mut self) {
        self.mode = DriveMode::Stopped;
        self.velocity.fill(0.0);
    }

    /// What the drives do.
    pub(crate) fn mode(&self) -> DriveMode {
        self.mode
    }

    /// Leaves a stop, standing still.
    pub(crate) fn restart(&mut self) {
        self.mode = DriveMode::Hold;
        self.command.clone_from(&self.position);
    }

    /// Moves by one tick of 1 ms; without commands it brakes to rest. The gripper's slide keeps its last command:
    /// a robot that stops does not drop what it holds.
    pub(crate) fn advance(&mut self, now_ns: u64) {
        let silent = now_ns.saturating_sub(self.commanded_at_ns) > COMMAND_TIMEOUT_NS;
        if self.mode == DriveMode::Follow && silent {
            self.mode = DriveMode::Hold;
        }
        let moves = self.mode == DriveMode::Follow;
        let limits = self.max_velocity.iter().zip(&self.max_acceleration);
        let joints = self
            .position
            .iter_mut()
            .zip(&mut self.velocity)
            .zip(self.command.iter().zip(limits));
        for ((position, velocity), (command, (max_velocity, max_acceleration))) in joints {
            *velocity = if moves {
                ((command - *position) / TICK_SECS).clamp(-max_velocity, *max_velocity)
            } else {
                // Brakes as hard as it may.
                let brake = max_acceleration * TICK_SECS;
                *velocity - velocity.clamp(-brake, brake)
            };
            *position += *velocity * TICK_SECS;
        }
        let most = self.gripper_speed * TICK_SECS;
        self.gripper_target += (self.gripper_command - self.gripper_target).clamp(-most, most);
    }

    /// Joint positions (rad).
    pub(crate) fn position(&self) -> &[f64] {
        &self.position
    }

    /// Joint velocities (rad/s).
    pub(crate) fn velocity(&self) -> &[f64] {
        &self.velocity
    }

    /// Opening last commanded, 0..1.
    pub(crate) fn gripper_command(&self) -> f64 {
        self.gripper_command
    }

    /// Opening that the slides are driven to now, 0..1.
    pub(crate) fn gripper_target(&self) -> f64 {
        self.gripper_target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(joints: usize) -> DriveLimits {
        DriveLimits {
            max_velocity: vec![2.0; joints],
            max_acceleration: vec![20.0; joints],
            gripper_speed: 1.25,
        }
    }

    #[test]
    fn follows_within_speed_and_stops_when_commands_cease() {
        let mut drive = Drive::new(&[0.0], 1.0, limits(1));
        drive.command(&[1.0, 0.0], 0);
        for tick in 0..300_u64 {
            drive.advance(tick * 1_000_000);
        }
        // 100 ms of motion at 2 rad/s, then 100 ms of braking.
        assert!(
            (drive.position()[0] - 0.302).abs() < 0.005,
            "{:?}",
            drive.position()
        );
        assert!(drive.velocity()[0].abs() < 1e-12);
        assert!((drive.gripper_target() - 0.625).abs() < 1e-6);
    }

    #[test]
    fn a_stop_is_latched_until_restart_and_nan_moves_nothing() {
        let mut drive = Drive::new(&[0.0, 0.5], 1.0, limits(2));
        drive.stand(DriveMode::Stopped);
        drive.command(&[1.0, 1.0, 0.0], 0);
        drive.advance(0);
        assert_eq!(drive.position(), &[0.0, 0.5]);
        drive.restart();
        drive.command(&[f64::NAN, 1.0, f64::NAN], 0);
        drive.advance(0);
        assert!(drive.position()[0].abs() < 1e-12 && drive.position()[1] > 0.5);
        assert!((drive.gripper_command() - 1.0).abs() < 1e-12);
    }
}
