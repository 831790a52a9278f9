//! What the arm measured and was told, a hundred times a second, for whoever
//! records it.
//!
//! In virtual time the sink is called by the tick that took the measurement, after
//! the pictures of that time. In real time the control thread puts each instant
//! into a queue of its own and never waits; the thread that logs takes it out.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use rtrb::{Consumer, Producer, RingBuffer};
use vola_abi::StateFrame;
use vola_motion::MAX_JOINTS;

use crate::{Proprioception, RuntimeError, arm_model::ArmModel, control_status::ControlStatus};

/// Instants that may wait to be taken out: more than a second of them.
const QUEUE: usize = 128;

/// One measured instant.
#[derive(Clone, Debug)]
pub struct MotionReport {
    /// What was measured.
    pub measured: Proprioception,
    /// The same under the names of [`Session::state_names`](crate::Session::state_names).
    pub state: Vec<f64>,
    /// The last commanded positions: joints, then gripper.
    pub command: Vec<f64>,
    /// Where the commanded joints put the tool: position (m), then quaternion
    /// x, y, z, w, base frame.
    pub commanded_tool: ([f64; 3], [f64; 4]),
}

/// Receives every instant. Called on the thread that steps the world (virtual
/// time) or on one that nobody real-time waits for.
pub type MotionSink = Box<dyn FnMut(&MotionReport) + Send>;

/// One instant as the control loop has it; fixed size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MotionInstant {
    time_ns: u64,
    state: StateFrame,
    command: [f64; MAX_JOINTS],
    count: usize,
}

impl MotionInstant {
    pub(crate) fn of(status: &ControlStatus) -> Self {
        Self {
            time_ns: status.proprioception_ns,
            state: status.proprioception,
            command: status.command,
            count: status.command_count,
        }
    }

    /// With everything that is derived from it.
    pub(crate) fn report(&self, model: &ArmModel) -> Result<MotionReport, RuntimeError> {
        let command = self.command.get(..self.count).unwrap_or(&self.command);
        let gripper_command = command.last().copied().unwrap_or(0.0);
        let mut measured = Proprioception::new(model, &self.state, gripper_command)?;
        measured.time_ns = self.time_ns;
        let tool = model.tool_in_base(command)?;
        let commanded = Proprioception {
            tool_in_base: tool,
            ..measured.clone()
        };
        Ok(MotionReport {
            state: measured.values(model),
            command: command.to_vec(),
            commanded_tool: (commanded.tool_position(), commanded.tool_orientation()),
            measured,
        })
    }
}

/// The control thread's end: puts instants in when somebody wants them.
pub(crate) struct MotionTap {
    queue: Producer<MotionInstant>,
    shared: Arc<TapState>,
    told_ns: u64,
}

/// Who hears of every instant, with the arm that it is told by; none yet.
type SharedSink = Arc<Mutex<Option<(Arc<ArmModel>, MotionSink)>>>;

/// The other end.
pub(crate) struct MotionOutlet {
    queue: Consumer<MotionInstant>,
    sink: SharedSink,
}

/// What both ends and the session share.
#[derive(Default)]
pub(crate) struct TapState {
    is_wanted: AtomicBool,
    lost: AtomicU64,
}

/// The session's handle.
#[derive(Clone)]
pub(crate) struct TapHandle {
    shared: Arc<TapState>,
    sink: SharedSink,
}

impl TapHandle {
    /// Hands every instant from now on to a sink.
    pub(crate) fn open(&self, model: Arc<ArmModel>, sink: MotionSink) {
        *self.sink.lock().unwrap_or_else(PoisonError::into_inner) = Some((model, sink));
        self.shared.is_wanted.store(true, Ordering::Release);
    }
}

/// A queue for instants: both ends, and the session's handle.
pub(crate) fn motion_queue() -> (MotionTap, MotionOutlet, TapHandle) {
    let (queue, taken) = RingBuffer::new(QUEUE);
    let shared = Arc::new(TapState::default());
    let handle = TapHandle {
        shared: Arc::clone(&shared),
        sink: Arc::default(),
    };
    let outlet = MotionOutlet {
        queue: taken,
        sink: Arc::clone(&handle.sink),
    };
    let tap = MotionTap {
        queue,
        shared,
        told_ns: 0,
    };
    (tap, outlet, handle)
}

impl MotionTap {
    /// Puts a new instant in. Called by the control thread after every tick;
    /// allocates nothing and waits for nobody. A full queue drops it.
    pub(crate) fn tell(&mut self, status: &ControlStatus) {
        if status.proprioception_ns == self.told_ns
            || !self.shared.is_wanted.load(Ordering::Acquire)
        {
            return;
        }
        self.told_ns = status.proprioception_ns;
        if self.queue.push(MotionInstant::of(status)).is_err() {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The queue, to lock it in memory before it is used.
    pub(crate) fn queue(&mut self) -> &mut Producer<MotionInstant> {
        &mut self.queue
    }
}

impl MotionOutlet {
    /// Hands on what waits.
    pub(crate) fn drain(&mut self) {
        while let Ok(instant) = self.queue.pop() {
            let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((model, sink)) = sink.as_mut() {
                // An invalid state stops the arm, which is told elsewhere.
                if let Ok(report) = instant.report(model) {
                    sink(&report);
                }
            }
        }
    }
}
