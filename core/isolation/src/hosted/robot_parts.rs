//! A robot's moving part and its world: what they are told, and the robot's
//! end without a parent.

use std::{
    fs::File,
    time::{Duration, Instant},
};

use vola_abi::{ActuatorBox, CommandFrame, SimulationBox, StateFrame, StopCategory};

use super::{
    embodiment_host::{TICK, TICK_NS},
    motion_log::MotionLog,
};
use crate::frames::{Frames, Order, Seen};

/// A robot without a parent may take so long to come to rest by a hold; the
/// motion log keeps as much before the loss.
const LAST_WATCH: Duration = Duration::from_secs(2);
/// It is watched so long after its power was cut.
const CUT_WATCH: Duration = Duration::from_millis(500);
/// Below this speed (rad/s, m/s) a joint rests.
const AT_REST: f64 = 1e-4;
/// Ticks of rest after which the watch ends.
pub(super) const REST_TICKS: u32 = 50;

/// What an open robot has.
pub(super) struct Parts {
    pub(super) actuator: ActuatorBox,
    pub(super) simulation: Option<SimulationBox>,
    seen_command: u64,
    taken_orders: u64,
    /// When the last command came; none when the robot holds since.
    pub(super) commanded: Option<Instant>,
    pub(super) has_fault: bool,
    command: CommandFrame,
    state: StateFrame,
}

impl Parts {
    pub(super) fn new(actuator: ActuatorBox, simulation: Option<SimulationBox>) -> Self {
        Self {
            actuator,
            simulation,
            seen_command: 0,
            taken_orders: 0,
            commanded: None,
            has_fault: false,
            command: CommandFrame::default(),
            state: StateFrame::default(),
        }
    }

    /// Orders in their order, then the newest command if it came after them.
    pub(super) fn obey(&mut self, frames: &Frames, now: Instant) {
        while let Some(order) = frames.next_order(&mut self.taken_orders) {
            let result = match order {
                Order::Hold => self.actuator.hold(),
                Order::Stop(category) => self.actuator.stop(category),
                Order::Reset => {
                    self.has_fault = false;
                    self.actuator.reset()
                }
            };
            self.has_fault |= result.is_err();
        }
        let newest = frames.take_command(self.seen_command, self.taken_orders, &mut self.command);
        if let Some(number) = newest {
            self.seen_command = number;
            self.commanded = Some(now);
            self.has_fault |= self.actuator.command(&self.command).is_err();
        }
    }

    /// Publishes the measured state; whether it could be measured.
    pub(super) fn tell(&mut self, frames: &Frames, log: &mut MotionLog) -> bool {
        let is_measured = self.actuator.state(&mut self.state).is_ok();
        let seen = Seen {
            has_fault: self.has_fault || !is_measured,
            obeyed: self.taken_orders,
        };
        frames.put_state(&self.state, seen);
        log.keep(&self.state);
        is_measured
    }

    /// The parent is gone: holds and watches the robot until it rests. One that
    /// cannot hold, or does not come to rest, has its power cut. Then its last
    /// motion is written down.
    pub(super) fn end_alone(&mut self, frames: &Frames, log: &mut MotionLog, file: &mut File) {
        // What was commanded last is not carried out any more.
        let is_held = self.actuator.hold().is_ok();
        self.tell(frames, log);
        let lost_ns = self.state.capture_time_ns;
        let rests = is_held && self.comes_to_rest(LAST_WATCH, frames, log);
        let cause = if rests {
            "the runtime is gone"
        } else {
            let is_cut = self.actuator.stop(StopCategory::Zero).is_ok();
            match (is_cut, self.comes_to_rest(CUT_WATCH, frames, log)) {
                (true, true) => "the runtime is gone; a hold was not enough: power cut",
                (true, false) => "the runtime is gone; it moves after its power was cut",
                (false, _) => "the runtime is gone; the robot refuses to stop",
            }
        };
        // Nobody is left who could be told that it failed.
        let _ = log.write(file, cause, lost_ns);
    }

    /// Watches for so long at most; whether it rests. A robot that cannot be
    /// measured does not rest as far as anybody knows.
    fn comes_to_rest(&mut self, patience: Duration, frames: &Frames, log: &mut MotionLog) -> bool {
        let mut due = Instant::now();
        let end = due + patience;
        let mut rested = 0;
        while rested < REST_TICKS && Instant::now() < end {
            if let Some(world) = &mut self.simulation
                && world.step(TICK_NS).is_err()
            {
                return false;
            }
            let is_measured = self.tell(frames, log);
            let mut speeds = self.state.velocities().iter();
            rested = if is_measured && speeds.all(|speed| speed.abs() <= AT_REST) {
                rested + 1
            } else {
                0
            };
            due += TICK;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        rested >= REST_TICKS
    }
}
