//! The part that moves.

use std::sync::Arc;

use vola_plugin::{Actuator, CommandFrame, Fault, StateFrame, StopCategory};

use super::exchange::{Exchange, Request, TOUCHED};

/// Most values of a state here: seven joints and the gripper, twice, and forces.
const MAX_VALUES: usize = 32;

/// Passes commands to the world and states back.
///
/// # Timing
/// A call copies a few dozen numbers; it neither locks nor allocates.
pub(crate) struct TabletopActuator {
    exchange: Arc<Exchange>,
    count: usize,
}

impl TabletopActuator {
    /// The actuator of an arm of this many joints.
    pub(crate) fn new(exchange: Arc<Exchange>, joints: usize) -> Self {
        Self {
            exchange,
            count: joints + 1,
        }
    }
}

impl Actuator for TabletopActuator {
    fn state(&mut self, frame: &mut StateFrame) -> Result<(), Fault> {
        let mut values = [0.0; MAX_VALUES];
        let used = values
            .get_mut(..2 * self.count + TOUCHED)
            .ok_or_else(|| Fault::failed("state: too many joints"))?;
        let mut time_ns = 0;
        self.exchange
            .state
            .read(&mut time_ns, used)
            .ok_or_else(|| {
                Fault::failed("state: the simulation writes faster than this can read")
            })?;
        let (position, rest) = used.split_at(self.count);
        let (velocity, touched) = rest.split_at(self.count);
        frame.capture_time_ns = time_ns;
        frame.count = u32::try_from(self.count).unwrap_or(0);
        frame.has_wrench = StateFrame::WRENCH;
        let (grip, wrench) = touched.split_at(1);
        for (slot, value) in frame.wrench.iter_mut().zip(wrench) {
            *slot = *value;
        }
        let gripper = frame.effort.iter_mut().skip(self.count.saturating_sub(1));
        for (slot, value) in gripper.zip(grip) {
            *slot = *value;
        }
        frame
            .position
            .iter_mut()
            .zip(position)
            .for_each(|(slot, value)| *slot = *value);
        frame
            .velocity
            .iter_mut()
            .zip(velocity)
            .for_each(|(slot, value)| *slot = *value);
        Ok(())
    }

    fn command(&mut self, frame: &CommandFrame) -> Result<(), Fault> {
        let values = frame.positions();
        if values.len() != self.count || values.iter().any(|value| !value.is_finite()) {
            return Err(Fault::input(format!(
                "command: expected {} finite values, got {values:?}",
                self.count
            )));
        }
        // A controlled stop still hears the commands that brake; the drives tell
        // them from others.
        let velocities = frame.velocity.iter().take(self.count);
        self.exchange
            .command
            .write(frame.time_ns, values.iter().chain(velocities).copied());
        if !self.exchange.request().is_stop() {
            self.exchange.ask(Request::Follow);
        }
        Ok(())
    }

    fn hold(&mut self) -> Result<(), Fault> {
        if !self.exchange.request().is_stop() {
            self.exchange.ask(Request::Hold);
        }
        Ok(())
    }

    fn stop(&mut self, category: StopCategory) -> Result<(), Fault> {
        self.exchange.ask(match category {
            StopCategory::Zero => Request::StopAtOnce,
            StopCategory::One | StopCategory::Two => Request::StopControlled,
        });
        Ok(())
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.exchange.ask(Request::Hold);
        Ok(())
    }
}
