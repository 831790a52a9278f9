//! The simulated joint drives: they follow the newest command within the
//! joints' speeds, and stand still when no command comes.
//!
//! # Time
//! A command says where the joints shall be one tick after its own time. In
//! virtual time each tick of the world has its command, and the joints are there
//! at its end. In real time world and control loop tick side by side: a tick may
//! find no new command or two. So the drives keep to the time of commands, not to
//! their number: they go on with the last command's velocity for a while, come to
//! a command that is ahead in as many ticks as it is ahead, and return from either
//! within the joints' accelerations.

/// The drives' own dead-man time (ns).
pub(crate) const COMMAND_TIMEOUT_NS: u64 = 100_000_000;
/// How long the last command's velocity is gone on with (ns).
const COAST_NS: u64 = 20_000_000;
/// How long commands may bring a stopping arm to rest, how long they may be
/// silent meanwhile, and how long a joint may still grow faster (a command's
/// acceleration falls at its jerk limit first), in ns.
const STOPPING_NS: u64 = 600_000_000;
const STOPPING_SILENCE_NS: u64 = 20_000_000;
const STOPPING_TURN_NS: u64 = 20_000_000;
/// Speed (rad/s) that is none, and distance (rad) that is none.
const REST: f64 = 1e-9;
const THERE: f64 = 1e-7;
const TICK_SECS: f64 = 1e-3;
const TICK_NS: u64 = 1_000_000;

/// What the drives do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DriveMode {
    /// Follow commands; without one for [`COMMAND_TIMEOUT_NS`] they stand still.
    Follow,
    /// Stand still until the next command.
    Hold,
    /// Follow commands that become slower until they rest, then [`Stopped`]; at
    /// once without such commands.
    ///
    /// [`Stopped`]: Self::Stopped
    Stopping,
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
    command_velocity: Vec<f64>,
    /// The command's own time (ns), on its sender's clock.
    command_ns: u64,
    /// The same clock at the tick that comes (ns).
    clock_ns: u64,
    /// The joints are where the commands were; no way back to them is needed.
    is_on_path: bool,
    max_velocity: Vec<f64>,
    max_acceleration: Vec<f64>,
    commanded_at_ns: u64,
    stopping_since_ns: u64,
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
            command_velocity: vec![0.0; position.len()],
            command_ns: 0,
            clock_ns: 0,
            is_on_path: true,
            max_velocity: limits.max_velocity,
            max_acceleration: limits.max_acceleration,
            commanded_at_ns: 0,
            stopping_since_ns: 0,
            gripper_command: gripper,
            gripper_target: gripper,
            gripper_speed: limits.gripper_speed,
        }
    }

    /// Takes a command for the tick that comes: joint positions (rad), then the
    /// gripper value.
    ///
    /// Values that are not finite leave their joint where it is.
    #[cfg(test)]
    pub(crate) fn command(&mut self, values: &[f64], now_ns: u64) {
        self.command_at(values, &[], self.clock_ns, now_ns);
    }

    /// Takes a command of a time (ns, on its sender's clock) with its velocities.
    /// `now_ns` is the world's time.
    pub(crate) fn command_at(
        &mut self,
        values: &[f64],
        velocities: &[f64],
        command_ns: u64,
        now_ns: u64,
    ) {
        let is_taken = match self.mode {
            DriveMode::Stopped => false,
            DriveMode::Stopping => self.brakes(velocities, now_ns),
            DriveMode::Follow | DriveMode::Hold => {
                self.mode = DriveMode::Follow;
                true
            }
        };
        if !is_taken {
            return;
        }
        self.commanded_at_ns = now_ns;
        self.command_ns = command_ns;
        put(&mut self.command, values);
        self.command_velocity.fill(0.0);
        put(&mut self.command_velocity, velocities);
        let gripper = values.get(self.position.len());
        if let Some(gripper) = gripper.filter(|value| value.is_finite())
            && self.mode == DriveMode::Follow
        {
            self.gripper_command = gripper.clamp(0.0, 1.0);
        }
    }

    /// Whether a command brings a stopping arm nearer to rest. One that does not
    /// ends the stopping: the drives brake on their own.
    fn brakes(&mut self, velocities: &[f64], now_ns: u64) -> bool {
        let age_ns = now_ns.saturating_sub(self.stopping_since_ns);
        let grows = velocities
            .iter()
            .zip(&self.command_velocity)
            .any(|(now, before)| !(now.abs() <= before.abs() + REST));
        if age_ns > STOPPING_NS || (age_ns > STOPPING_TURN_NS && grows) {
            self.mode = DriveMode::Stopped;
        }
        self.mode == DriveMode::Stopping
    }

    /// The sender's clock at the tick that comes (ns).
    pub(crate) fn set_clock(&mut self, clock_ns: u64) {
        self.clock_ns = clock_ns;
    }

    /// Stands still; see [`DriveMode`].
    pub(crate) fn stand(&mut self, mode: DriveMode) {
        if !matches!(self.mode, DriveMode::Stopped | DriveMode::Stopping) {
            self.mode = mode;
        }
    }

    /// Comes to rest as the commands brake, if they do, and stays stopped.
    pub(crate) fn stop(&mut self, now_ns: u64) {
        if matches!(self.mode, DriveMode::Stopped | DriveMode::Stopping) {
            return;
        }
        let moves = self.velocity.iter().any(|velocity| velocity.abs() > REST);
        self.mode = if self.mode == DriveMode::Follow && moves {
            DriveMode::Stopping
        } else {
            DriveMode::Stopped
        };
        self.stopping_since_ns = now_ns;
    }

    /// Stops at once, as brakes do, and stays stopped.
    pub(crate) fn cut(&mut self) {
        self.mode = DriveMode::Stopped;
        self.velocity.fill(0.0);
    }

    /// Whether only a reset leads out of what the drives do.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.mode, DriveMode::Stopped | DriveMode::Stopping)
    }

    /// Leaves a stop, standing still.
    pub(crate) fn restart(&mut self) {
        self.mode = DriveMode::Hold;
        self.command.clone_from(&self.position);
        self.is_on_path = true;
    }

    /// Moves by one tick of 1 ms; without commands it brakes to rest. The gripper's slide keeps its last command:
    /// a robot that stops does not drop what it holds.
    pub(crate) fn advance(&mut self, now_ns: u64) {
        let silent_ns = now_ns.saturating_sub(self.commanded_at_ns);
        match self.mode {
            DriveMode::Follow if silent_ns > COMMAND_TIMEOUT_NS => self.mode = DriveMode::Hold,
            DriveMode::Stopping if silent_ns > STOPPING_SILENCE_NS => {
                self.mode = DriveMode::Stopped;
            }
            _ => {}
        }
        let moves = matches!(self.mode, DriveMode::Follow | DriveMode::Stopping);
        let is_due = self.clock_ns == self.command_ns;
        if moves && is_due && self.is_on_path {
            self.go_to_command();
        } else if moves && self.clock_ns.saturating_sub(self.command_ns) <= COAST_NS {
            self.return_to_path();
        } else {
            self.brake();
            self.is_on_path &= !moves;
        }
        for (position, velocity) in self.position.iter_mut().zip(&self.velocity) {
            *position += *velocity * TICK_SECS;
        }
        if self.mode == DriveMode::Stopping {
            let rests = |values: &[f64]| values.iter().all(|value| value.abs() <= REST);
            if rests(&self.velocity) && rests(&self.command_velocity) {
                self.mode = DriveMode::Stopped;
            }
        }
        self.clock_ns += TICK_NS;
        let most = self.gripper_speed * TICK_SECS;
        self.gripper_target += (self.gripper_command - self.gripper_target).clamp(-most, most);
    }

    /// The command is for this very tick.
    fn go_to_command(&mut self) {
        let joints = self.position.iter().zip(&mut self.velocity);
        let commands = self.command.iter().zip(&self.max_velocity);
        for ((position, velocity), (command, max_velocity)) in joints.zip(commands) {
            *velocity = ((command - *position) / TICK_SECS).clamp(-max_velocity, *max_velocity);
        }
    }

    /// The newest command is for another tick, or the joints were left behind.
    fn return_to_path(&mut self) {
        let late_secs = self.clock_ns.saturating_sub(self.command_ns) as f64 * 1e-9;
        let ahead = self.command_ns.saturating_sub(self.clock_ns) as f64 / TICK_NS as f64 + 1.0;
        let mut is_there = true;
        let joints = self.position.iter().zip(&mut self.velocity);
        let commands = self.command.iter().zip(&self.command_velocity);
        let limits = self.max_velocity.iter().zip(&self.max_acceleration);
        for ((joint, command), (max_velocity, max_acceleration)) in joints.zip(commands).zip(limits)
        {
            let ((position, velocity), (command, command_velocity)) = (joint, command);
            // Where the path is at the end of this tick, and how fast it goes there.
            let (target, along) = if ahead > 1.0 {
                let step = (command - position) / ahead;
                (position + step, step / TICK_SECS)
            } else {
                (command + command_velocity * late_secs, *command_velocity)
            };
            let gap = target - (position + along * TICK_SECS);
            // No faster than can be taken back on the way.
            let back = (gap / TICK_SECS)
                .abs()
                .min((max_acceleration * gap.abs()).sqrt());
            let wanted = along + back.copysign(gap);
            let change = 2.0 * max_acceleration * TICK_SECS;
            let reached = wanted.clamp(*velocity - change, *velocity + change);
            *velocity = reached.clamp(-max_velocity, *max_velocity);
            is_there &= (target - (position + *velocity * TICK_SECS)).abs() <= THERE;
        }
        // Where a command was foreseen is not yet where one was.
        self.is_on_path = is_there && self.clock_ns == self.command_ns;
    }

    /// Brakes as hard as it may.
    fn brake(&mut self) {
        for (velocity, max_acceleration) in self.velocity.iter_mut().zip(&self.max_acceleration) {
            let brake = max_acceleration * TICK_SECS;
            *velocity -= velocity.clamp(-brake, brake);
        }
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

/// Puts the finite ones of the values.
fn put(slots: &mut [f64], values: &[f64]) {
    for (slot, value) in slots.iter_mut().zip(values) {
        if value.is_finite() {
            *slot = *value;
        }
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
        // 20 ms at 2 rad/s, then 100 ms of braking.
        assert!(
            (drive.position()[0] - 0.142).abs() < 0.005,
            "{:?}",
            drive.position()
        );
        assert!(drive.velocity()[0].abs() < 1e-12);
        assert!((drive.gripper_target() - 0.625).abs() < 1e-6);
    }

    #[test]
    fn a_stop_is_latched_until_restart_and_nan_moves_nothing() {
        let mut drive = Drive::new(&[0.0, 0.5], 1.0, limits(2));
        drive.stop(0);
        drive.command(&[1.0, 1.0, 0.0], 0);
        drive.advance(0);
        assert_eq!(drive.position(), &[0.0, 0.5]);
        drive.restart();
        drive.command(&[f64::NAN, 1.0, f64::NAN], 0);
        drive.advance(0);
        assert!(drive.position()[0].abs() < 1e-12 && drive.position()[1] > 0.5);
        assert!((drive.gripper_command() - 1.0).abs() < 1e-12);
    }

    /// A reference that turns twice a second, as a command of a tick's time.
    fn reference(tick: u64) -> ([f64; 2], [f64; 2]) {
        let t = tick as f64 * TICK_SECS;
        let (sin, cos) = (4.0 * t).sin_cos();
        ([0.3 * (1.0 - cos), 1.0], [1.2 * sin, 0.0])
    }

    /// Greatest speed and change of speed from tick to tick (rad/s²), and the
    /// greatest distance from the path, when commands come with the world's ticks
    /// as `arrives` says: how many new ones each finds.
    fn follow(arrives: impl Fn(u64) -> u64) -> (f64, f64, f64) {
        let mut drive = Drive::new(&[0.0], 1.0, limits(1));
        let (mut newest, mut last) = (0, 0.0);
        let (mut speed, mut change, mut error) = (0.0_f64, 0.0_f64, 0.0_f64);
        for tick in 1..3000_u64 {
            let new = arrives(tick);
            newest += new;
            if new > 0 {
                let (values, velocities) = reference(newest);
                drive.command_at(&values, &velocities, newest * TICK_NS, tick * TICK_NS);
            }
            drive.set_clock(drive.clock_ns.max(newest * TICK_NS));
            let clock = drive.clock_ns / TICK_NS;
            drive.advance(tick * TICK_NS);
            let now = drive.velocity()[0];
            speed = speed.max(now.abs());
            // The first command finds an arm that rests, and is late in some.
            if tick > 10 {
                change = change.max((now - last).abs() / TICK_SECS);
            }
            error = error.max((drive.position()[0] - reference(clock).0[0]).abs());
            last = now;
        }
        (speed, change, error)
    }

    #[test]
    fn one_command_a_tick_is_reached_in_its_tick() {
        let (speed, change, error) = follow(|_| 1);
        assert!(speed < 1.21 && change < 4.9, "{speed} {change}");
        assert!(error < 1e-12, "{error}");
    }

    #[test]
    fn commands_that_come_unevenly_make_no_jumps_of_speed() {
        // None and two in turn; a gap of 5 ticks and all at once; one behind.
        let uneven: [fn(u64) -> u64; 3] = [
            |tick| 2 * (tick % 2),
            |tick| if tick % 6 == 0 { 6 } else { 0 },
            |tick| u64::from(tick > 1 && tick % 500 != 0),
        ];
        for arrives in uneven {
            let (speed, change, error) = follow(arrives);
            // The joint's own limits; without the commands' times it were 2.4 rad/s
            // and 2400 rad/s².
            assert!(speed < 1.5, "{speed}");
            assert!(change <= 40.0 + 1e-6, "{change}");
            assert!(error < 0.01, "{error}");
        }
    }

    #[test]
    fn a_controlled_stop_follows_braking_commands_and_nothing_else() {
        let moving = |from: u64| {
            let mut drive = Drive::new(&[0.0], 1.0, limits(1));
            let mut at = 0.0;
            for tick in 0..from {
                at += 0.001;
                drive.command_at(&[at, 1.0], &[1.0, 0.0], tick * TICK_NS, tick * TICK_NS);
                drive.set_clock(tick * TICK_NS);
                drive.advance(tick * TICK_NS);
            }
            drive.stop(from * TICK_NS);
            (drive, at)
        };
        // Commands that brake at 5 rad/s², a quarter of what the joint can.
        let (mut drive, mut at) = moving(100);
        for tick in 100..400_u64 {
            let speed = (1.0 - 0.005 * (tick - 99) as f64).max(0.0);
            at += speed * TICK_SECS;
            drive.command_at(&[at, 0.0], &[speed, 0.0], tick * TICK_NS, tick * TICK_NS);
            drive.set_clock(tick * TICK_NS);
            drive.advance(tick * TICK_NS);
            assert!((drive.velocity()[0] - speed).abs() < 1e-6, "{tick}");
        }
        assert_eq!(drive.mode, DriveMode::Stopped);
        assert!((drive.gripper_command() - 1.0).abs() < 1e-12);
        // Commands that go on as if nothing were, or faster: braked against.
        for speed in [1.0, 1.5] {
            let (mut drive, mut at) = moving(100);
            for tick in 100..900_u64 {
                at += speed * TICK_SECS;
                drive.command_at(&[at, 0.0], &[speed, 0.0], tick * TICK_NS, tick * TICK_NS);
                drive.set_clock(tick * TICK_NS);
                drive.advance(tick * TICK_NS);
            }
            assert_eq!(drive.mode, DriveMode::Stopped);
            assert!(drive.velocity()[0].abs() < 1e-12);
        }
    }
}
