//! The robot's moving part, with a wire and a controller that can break.

use std::sync::Arc;

use vola_abi::{
    ActuatorAbi, ActuatorAbi_TO, ActuatorBox, CallResult, CommandFrame, FaultAbi, FaultKind,
    StateFrame, StopCategory,
    abi_stable::{sabi_trait::TD_Opaque, std_types::RResult},
};

use crate::{Fault, injection::Injection};

/// The joint that leaps or is missing.
const JOINT: usize = 1;
/// How far it leaps (rad).
const LEAP_RAD: f64 = 0.5;
/// A millisecond (ns).
const MS: u64 = 1_000_000;
/// Length of a gap that must be bridged, and how much shorter than the deadline it
/// is at least (ns).
const GAP_NS: u64 = 15 * MS;
const SHORTER_NS: u64 = 5 * MS;
/// The same for the longest that must be: a robot's deadline is 20 ms.
const LONGEST_NS: u64 = 19 * MS;
const LITTLE_SHORTER_NS: u64 = 2 * MS;
/// How much longer than the deadline a gap is that must not be bridged (ns).
const TOO_LONG_NS: u64 = 3 * MS;
/// How much later than the deadline states come (ticks).
const LATER_TICKS: usize = 10;
/// Length of a tick (ns).
const TICK_NS: u64 = 1_000_000;
/// Force of a contact (N).
const CONTACT_N: f64 = 100.0;
/// How far a clock leaps (ns).
const HOUR_NS: u64 = 3_600_000_000_000;

struct FaultyActuator {
    inner: ActuatorBox,
    injection: Arc<Injection>,
    /// The newest true states, oldest first.
    past: Past,
    late_ticks: usize,
    gap: Gap,
    /// Which joint is blocked, and where.
    blocked: Option<(usize, f64)>,
}

/// For how long nothing comes through.
struct Gap {
    /// Greatest age of a state (ns).
    deadline_ns: u64,
}

impl Gap {
    /// Whether no new state comes through, so long after the fault began (ns).
    fn hides_states(&self, broken: Fault, age_ns: u64) -> bool {
        let shorter = |by_ns: u64| self.deadline_ns.saturating_sub(by_ns);
        let length_ns = match broken {
            Fault::StateGap => GAP_NS.min(shorter(SHORTER_NS)),
            Fault::LinkGap1 => MS,
            Fault::LinkGap10 => 10 * MS,
            Fault::LinkGapLongest => LONGEST_NS.min(shorter(LITTLE_SHORTER_NS)),
            Fault::LinkGapTooLong => self.deadline_ns + TOO_LONG_NS,
            Fault::LinkGap300 => 300 * MS,
            Fault::LinkGap1000 => 1000 * MS,
            _ => 0,
        };
        age_ns < length_ns
    }

    /// Whether no command does either.
    fn hides_commands(&self, broken: Fault, age_ns: u64) -> bool {
        let is_whole_link = matches!(
            broken,
            Fault::LinkGap1 | Fault::LinkGap10 | Fault::LinkGapLongest
        );
        is_whole_link && self.hides_states(broken, age_ns)
    }
}

/// The last states, in a ring.
struct Past {
    frames: Vec<StateFrame>,
    next: usize,
    filled: usize,
}

impl Past {
    fn push(&mut self, frame: &StateFrame) {
        let length = self.frames.len();
        if let Some(slot) = self.frames.get_mut(self.next) {
            *slot = *frame;
        }
        self.next = (self.next + 1) % length.max(1);
        self.filled = (self.filled + 1).min(length);
    }

    /// The state of so many ticks ago, or the oldest; 0 is the newest.
    fn ago(&self, ticks: usize) -> Option<&StateFrame> {
        let length = self.frames.len();
        let ticks = ticks.min(self.filled.checked_sub(1)?);
        let index = (self.next + 2 * length).checked_sub(ticks + 1)? % length.max(1);
        self.frames.get(index)
    }
}

/// Wraps an actuator whose states may be `deadline_ns` old.
pub(crate) fn faulty_actuator(
    inner: ActuatorBox,
    deadline_ns: u64,
    injection: Arc<Injection>,
) -> ActuatorBox {
    let deadline_ticks = usize::try_from(deadline_ns / TICK_NS).unwrap_or(0);
    let late_ticks = deadline_ticks + LATER_TICKS;
    let faulty = FaultyActuator {
        inner,
        injection,
        past: Past {
            frames: vec![StateFrame::default(); late_ticks + 1],
            next: 0,
            filled: 0,
        },
        late_ticks,
        gap: Gap { deadline_ns },
        blocked: None,
    };
    ActuatorAbi_TO::from_value(faulty, TD_Opaque)
}

/// The fastest arm joint, and where it is.
fn fastest(frame: &CommandFrame) -> (usize, f64) {
    // The gripper comes last.
    let arm = (frame.count as usize).saturating_sub(1);
    let speeds = frame.velocity.iter().take(arm).enumerate();
    let joint = speeds
        .max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))
        .map_or(0, |(joint, _)| joint);
    (
        joint,
        frame.position.get(joint).copied().unwrap_or_default(),
    )
}

fn fault<T>(message: &str) -> CallResult<T> {
    RResult::RErr(FaultAbi {
        kind: FaultKind::Failed,
        message: message.into(),
    })
}

impl FaultyActuator {
    /// The newest state as the broken robot tells it.
    fn spoil(&mut self, broken: Fault, frame: &mut StateFrame) -> CallResult<()> {
        let age_ns = self.injection.age_ns();
        let newest = *frame;
        let last = self.past.ago(0).copied().unwrap_or(newest);
        let is_gap = self.gap.hides_states(broken, age_ns);
        match broken {
            Fault::StateError | Fault::LinkLost => return fault("the wire is cut (fault lab)"),
            Fault::StateStale => *frame = last,
            _ if is_gap => *frame = last,
            Fault::StateDelayed => {
                self.past.push(&newest);
                *frame = self.past.ago(self.late_ticks).copied().unwrap_or(newest);
                return RResult::ROk(());
            }
            Fault::StateReordered => {
                self.past.push(&newest);
                // Of each pair the newer comes first; nothing new in between.
                let is_second = (age_ns / TICK_NS) % 2 == 1;
                *frame = self
                    .past
                    .ago(usize::from(is_second))
                    .copied()
                    .unwrap_or(newest);
                return RResult::ROk(());
            }
            Fault::StateDuplicated => {
                let is_second = (age_ns / TICK_NS) % 2 == 1;
                if is_second {
                    *frame = last;
                    return RResult::ROk(());
                }
            }
            Fault::StateFrozen => {
                *frame = last;
                frame.capture_time_ns = newest.capture_time_ns;
            }
            Fault::StateNan => frame.position[JOINT] = f64::NAN,
            Fault::StateInfinite => frame.velocity[JOINT] = f64::INFINITY,
            Fault::StateShort => frame.count = frame.count.saturating_sub(1),
            Fault::StateLeap => frame.position[JOINT] += LEAP_RAD,
            Fault::ClockBack => {
                frame.capture_time_ns = frame.capture_time_ns.saturating_sub(HOUR_NS);
            }
            Fault::EmergencyStop => frame.has_wrench |= StateFrame::EMERGENCY_STOP,
            Fault::Contact => {
                frame.has_wrench |= StateFrame::WRENCH;
                frame.wrench[2] += CONTACT_N;
            }
            Fault::ClockAhead => frame.capture_time_ns += HOUR_NS,
            _ => {}
        }
        if !matches!(broken, Fault::StateStale | Fault::StateFrozen) && !is_gap {
            self.past.push(&newest);
        }
        RResult::ROk(())
    }
}

impl ActuatorAbi for FaultyActuator {
    fn state(&mut self, frame: &mut StateFrame) -> CallResult<()> {
        if let RResult::RErr(own) = self.inner.state(frame) {
            return RResult::RErr(own);
        }
        self.injection.see_state(frame);
        match self.injection.active() {
            Some(broken) => self.spoil(broken, frame),
            None => {
                self.past.push(frame);
                RResult::ROk(())
            }
        }
    }

    fn command(&mut self, frame: &CommandFrame) -> CallResult<()> {
        let broken = self.injection.active();
        self.injection.see_command(frame);
        match broken {
            Some(Fault::CommandError | Fault::LinkLost) => fault("the wire is cut (fault lab)"),
            Some(broken) if self.gap.hides_commands(broken, self.injection.age_ns()) => {
                // Sent, and never arrived.
                RResult::ROk(())
            }
            Some(Fault::CommandDuplicated) => {
                if let RResult::RErr(own) = self.inner.command(frame) {
                    return RResult::RErr(own);
                }
                self.inner.command(frame)
            }
            Some(Fault::JointBlocked) => {
                let mut frame = *frame;
                let (joint, place) = *self.blocked.get_or_insert_with(|| fastest(&frame));
                if let Some(slot) = frame.position.get_mut(joint) {
                    *slot = place;
                }
                if let Some(slot) = frame.velocity.get_mut(joint) {
                    *slot = 0.0;
                }
                self.inner.command(&frame)
            }
            _ => {
                self.blocked = None;
                self.inner.command(frame)
            }
        }
    }

    fn hold(&mut self) -> CallResult<()> {
        self.inner.hold()
    }

    fn stop(&mut self, category: StopCategory) -> CallResult<()> {
        self.inner.stop(category)
    }

    fn reset(&mut self) -> CallResult<()> {
        self.inner.reset()
    }
}
