//! An arm that is where it was sent, without a robot: what is left of a tick is
//! the control loop's own.

use vola_abi::{
    ActuatorAbi, ActuatorAbi_TO, ActuatorBox, CallResult, CommandFrame, StateFrame, StopCategory,
    abi_stable::{sabi_trait::TD_Opaque, std_types::RResult},
};

/// For measurements and tests only.
struct NullActuator {
    state: StateFrame,
}

/// An actuator without a robot that stands at `start`.
pub(crate) fn null_actuator(start: &[f64]) -> ActuatorBox {
    let mut state = StateFrame {
        count: u32::try_from(start.len()).unwrap_or(0),
        ..StateFrame::default()
    };
    for (slot, value) in state.position.iter_mut().zip(start) {
        *slot = *value;
    }
    ActuatorAbi_TO::from_value(NullActuator { state }, TD_Opaque)
}

impl ActuatorAbi for NullActuator {
    fn state(&mut self, frame: &mut StateFrame) -> CallResult<()> {
        *frame = self.state;
        RResult::ROk(())
    }

    fn command(&mut self, frame: &CommandFrame) -> CallResult<()> {
        self.state.capture_time_ns = frame.time_ns;
        self.state.position = frame.position;
        self.state.velocity = frame.velocity;
        RResult::ROk(())
    }

    fn hold(&mut self) -> CallResult<()> {
        RResult::ROk(())
    }

    fn stop(&mut self, _: StopCategory) -> CallResult<()> {
        RResult::ROk(())
    }

    fn reset(&mut self) -> CallResult<()> {
        RResult::ROk(())
    }
}
