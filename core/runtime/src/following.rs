//! Joint targets become the path that the control loop follows.

use vola_motion::{JointState, ReferencePath};

use crate::{
    RuntimeError, Session,
    chunk_targets::JointTarget,
    control_loop::{ControlOrder, TICK_NS},
    control_status::{ControlMode, StopCause},
};

/// Longest wait for the arm to come to rest (ns): far above any stop.
const REST_TIMEOUT_NS: u64 = 3_000_000_000;
/// How long the control loop may take to obey a stop before the caller goes on
/// with the switch still thrown.
const MOST_TICKS_TO_OBEY: u64 = 200;

/// Waypoints that are still to come.
pub(crate) fn due(targets: &[JointTarget], now_ns: u64) -> impl Iterator<Item = (u64, &[f64])> {
    let due = targets
        .iter()
        .filter(move |target| target.time_ns > now_ns + TICK_NS);
    due.map(|target| (target.time_ns, target.position.as_slice()))
}

impl Session {
    /// Splices targets onto the running path, or starts a path from rest. The
    /// arm holds unless the next ones have come by `fresh_by_ns`; `u64::MAX`
    /// for targets that are meant to be run to their end.
    pub(crate) fn follow(
        &mut self,
        targets: &[JointTarget],
        fresh_by_ns: u64,
    ) -> Result<(), RuntimeError> {
        let now_ns = self.body.now_ns();
        self.forget_left_path();
        let waypoints = || due(targets, now_ns);
        let path = match &mut self.path {
            Some(path) => {
                path.splice(now_ns, waypoints())?;
                path.clone()
            }
            None => {
                let status = self.body.status();
                let start = JointState::at_rest(status.command())?;
                let path = ReferencePath::through(now_ns, &start, waypoints())?;
                self.path = Some(path.clone());
                path
            }
        };
        self.body.order(ControlOrder::Follow {
            path,
            fresh_by_ns,
            mandate: self.handoff.mandate(),
        })
    }

    /// The loop may have left the path by itself: the arm is elsewhere then.
    pub(crate) fn forget_left_path(&mut self) {
        if self.body.status().mode == ControlMode::Holding {
            self.path = None;
        }
    }

    /// Brings the arm to rest within its limits and waits until it stands.
    ///
    /// # Errors
    /// When the safety layer stopped the robot, or it does not come to rest.
    pub fn settle(&mut self) -> Result<(), RuntimeError> {
        self.path = None;
        self.body.order(ControlOrder::Hold)?;
        let give_up_ns = self.body.now_ns() + REST_TIMEOUT_NS;
        loop {
            let now_ns = self.body.now_ns();
            self.body.advance_to(now_ns + 5 * TICK_NS)?;
            let status = self.body.status();
            if let ControlMode::Stopped(cause) = status.mode {
                return Err(RuntimeError::Stopped {
                    reason: self.why_stopped(cause),
                });
            }
            if status.at_rest && status.mode == ControlMode::Holding {
                return Ok(());
            }
            if now_ns >= give_up_ns {
                return Err(RuntimeError::Stopped {
                    reason: "the arm did not come to rest within 3 s".to_owned(),
                });
            }
        }
    }

    /// Lets time pass; an error when the safety layer stopped the robot.
    pub(crate) fn advance_to(&mut self, time_ns: u64) -> Result<(), RuntimeError> {
        self.body.advance_to(time_ns)?;
        match self.body.status().mode {
            ControlMode::Stopped(cause) => Err(RuntimeError::Stopped {
                reason: self.why_stopped(cause),
            }),
            ControlMode::Holding if self.path.is_some() => {
                // The filter refused a command and brakes; the path is gone.
                self.path = None;
                self.settle()
            }
            _ => Ok(()),
        }
    }

    /// The cause in words, with the camera's name where it is one.
    fn why_stopped(&self, cause: StopCause) -> String {
        let is_camera_s = matches!(cause, StopCause::CameraSilent | StopCause::CameraFrozen);
        match self.pulses.accused().filter(|_| is_camera_s) {
            Some(camera) => format!("camera `{camera}`: {}", cause.as_str()),
            None => cause.as_str().to_owned(),
        }
    }

    /// Releases the stop switch. A stop that shall be latched and that the
    /// control loop has not seen is waited for, so that what begins next finds
    /// the robot stopped, and not a switch that is still thrown.
    ///
    /// # Errors
    /// When time cannot pass.
    pub fn release_stop(&mut self) -> Result<(), RuntimeError> {
        for _ in 0..MOST_TICKS_TO_OBEY {
            if self.stop_switch.release() {
                break;
            }
            let now_ns = self.body.now_ns();
            self.body.advance_to(now_ns + TICK_NS)?;
        }
        Ok(())
    }

    /// Stops the robot for a reason found outside of the control loop; latched.
    pub(crate) fn stop_for(&mut self, cause: StopCause) -> Result<(), RuntimeError> {
        self.path = None;
        self.body.order(ControlOrder::Stop(cause))?;
        let now_ns = self.body.now_ns();
        self.advance_to(now_ns + 2 * TICK_NS)
    }

    /// Lets time pass, whatever the robot does meanwhile: to watch it.
    ///
    /// # Errors
    /// When the simulated world fails.
    pub fn idle(&mut self, seconds: f64) -> Result<(), RuntimeError> {
        let duration_ns = (seconds.max(0.0) * 1e9) as u64;
        let end_ns = self.body.now_ns().saturating_add(duration_ns);
        // A stop switch that is thrown meanwhile ends one call, not the time.
        while self.body.now_ns() < end_ns {
            self.body.advance_to(end_ns)?;
        }
        Ok(())
    }

    /// Leaves a latched stop: the arm holds where it stands. An arm that still
    /// brakes is waited for.
    ///
    /// # Errors
    /// When the arm does not come to rest, or the robot is not ready to move again.
    pub fn reset_stop(&mut self) -> Result<(), RuntimeError> {
        self.path = None;
        let give_up_ns = self.body.now_ns() + REST_TIMEOUT_NS;
        while !self.body.status().stands {
            let now_ns = self.body.now_ns();
            if now_ns >= give_up_ns {
                return Err(RuntimeError::Stopped {
                    reason: "the arm still moves; it must stand before a stop is left".to_owned(),
                });
            }
            self.body.advance_to(now_ns + TICK_NS)?;
        }
        self.eyes.restart();
        self.body.order(ControlOrder::Reset)?;
        let now_ns = self.body.now_ns();
        self.body.advance_to(now_ns + 2 * TICK_NS)?;
        self.settle()
    }
}
