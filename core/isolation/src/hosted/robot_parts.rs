//! A robot's moving part and its world: what they are told, and the robot's
//! end without a parent.

use std::{
    fs::File,
    time::{Duration, Instant},
};

use vola_abi::{ActuatorBox, CallResult, CommandFrame, SimulationBox, StateFrame, StopCategory};

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
/// Below this speed (rad/s, m/s) nothing is left to be watched.
const STILL: f64 = 1e-4;
/// Speed (rad/s, m/s) that a real encoder may show of a joint that rests, and way
/// (rad, m) that it may go meanwhile: as the control loop has them.
const REST_SPEED: f64 = 0.1;
const REST_WAY: f64 = 0.05;
/// Ticks of rest that are rest, and after which the watch over a still arm ends.
pub(super) const REST_TICKS: u32 = 50;
/// A stop that a real robot did not take is repeated after so long.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// What an open robot has.
pub(super) struct Parts {
    pub(super) actuator: ActuatorBox,
    pub(super) simulation: Option<SimulationBox>,
    seen_command: u64,
    taken_orders: u64,
    /// When the last command came; none when the robot holds since.
    pub(super) commanded: Option<Instant>,
    /// A command or an order was refused since the last reset.
    pub(super) has_refused: bool,
    /// A stop that the robot did not take, and when it was last asked.
    unheard: Option<(StopCategory, Instant)>,
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
            has_refused: false,
            unheard: None,
            command: CommandFrame::default(),
            state: StateFrame::default(),
        }
    }

    /// Orders in their order, then the newest command if it came after them.
    pub(super) fn obey(&mut self, frames: &Frames, now: Instant) {
        while let Some(order) = frames.next_order(&mut self.taken_orders) {
            let result = match order {
                Order::Hold => self.actuator.hold(),
                Order::Stop(category) => self.stop(category, now),
                Order::Reset => {
                    self.has_refused = false;
                    self.unheard = None;
                    self.actuator.reset()
                }
            };
            self.has_refused |= result.is_err();
        }
        self.ask_again(now);
        let newest = frames.take_command(self.seen_command, self.taken_orders, &mut self.command);
        if let Some(number) = newest {
            self.seen_command = number;
            self.commanded = Some(now);
            self.has_refused |= self.actuator.command(&self.command).is_err();
        }
    }

    /// Asks the robot to stop; one that does not take it is asked again. A power cut
    /// that was not taken is not forgotten for a lesser stop.
    fn stop(&mut self, category: StopCategory, now: Instant) -> CallResult<()> {
        let result = self.actuator.stop(category);
        let has_cut_left =
            matches!(self.unheard, Some((StopCategory::Zero, _))) && category != StopCategory::Zero;
        if !has_cut_left {
            self.unheard = result.is_err().then_some((category, now));
        }
        result
    }

    /// Repeats a stop that the robot did not take: the runtime only puts orders down
    /// and cannot. Of a world that is stepped, at every step.
    fn ask_again(&mut self, now: Instant) {
        let Some((category, asked)) = self.unheard else {
            return;
        };
        let is_due = now.saturating_duration_since(asked) >= ASK_AGAIN;
        if is_due || self.simulation.is_some() {
            let is_taken = self.actuator.stop(category).is_ok();
            self.unheard = (!is_taken).then_some((category, now));
        }
    }

    /// Publishes the measured state; whether it could be measured.
    pub(super) fn tell(&mut self, frames: &Frames, log: &mut MotionLog) -> bool {
        let is_measured = self.actuator.state(&mut self.state).is_ok();
        let seen = Seen {
            has_refused: self.has_refused,
            is_unmeasured: !is_measured,
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
            // Told by what comes of it: it is asked again meanwhile.
            let _ = self.stop(StopCategory::Zero, Instant::now());
            let rests = self.comes_to_rest(CUT_WATCH, frames, log);
            match (self.unheard.is_none(), rests) {
                (true, true) => "the runtime is gone; a hold was not enough: power cut",
                (true, false) => "the runtime is gone; it moves after its power was cut",
                (false, _) => "the runtime is gone; the robot refuses to stop",
            }
        };
        // Nobody is left who could be told that it failed.
        let _ = log.write(file, cause, lost_ns);
    }

    /// Watches until it is still, for so long at most; whether it rests. A robot that
    /// cannot be measured does not rest as far as anybody knows; an encoder that says a
    /// little of an arm that stands is no motion.
    fn comes_to_rest(&mut self, patience: Duration, frames: &Frames, log: &mut MotionLog) -> bool {
        let mut due = Instant::now();
        let end = due + patience;
        let (mut still, mut rested) = (0, 0);
        let mut place = StateFrame::default();
        while still < REST_TICKS && Instant::now() < end {
            if let Some(world) = &mut self.simulation
                && world.step(TICK_NS).is_err()
            {
                return false;
            }
            self.ask_again(Instant::now());
            let is_measured = self.tell(frames, log);
            let within = |most: f64| {
                let mut speeds = self.state.velocities().iter();
                is_measured && speeds.all(|speed| speed.abs() <= most)
            };
            still = if within(STILL) { still + 1 } else { 0 };
            let stays = |from: &StateFrame| {
                let mut ways = self.state.positions().iter().zip(from.positions());
                ways.all(|(to, from)| (to - from).abs() <= REST_WAY)
            };
            if rested > 0 && within(REST_SPEED) && stays(&place) {
                rested += 1;
            } else {
                rested = u32::from(within(REST_SPEED));
                place = self.state;
            }
            due += TICK;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        still >= REST_TICKS || rested >= REST_TICKS
    }
}
