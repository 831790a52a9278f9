//! What the control loop takes in, so that its commands can be made again.
//!
//! A tick follows from its time, from the state that was read, from the stops and
//! signs of life that were there, and from the orders before it; nothing else
//! changes a command. All of that goes into a ring as records of fixed size: the
//! control thread copies, and never waits; what does not fit is counted, and the
//! recording then says that it is not whole. Another thread hashes the commands,
//! and writes the records to a file where one is wanted ([`InputLog`]).
//!
//! [`replay`](crate::replay_control) gives them to the same loop and compares.

mod changed_settings;
mod encoding;
mod log;
mod motions;
mod replay;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rtrb::{Consumer, Producer, RingBuffer};
use vola_abi::{CommandFrame, StateFrame};
use vola_motion::{MAX_JOINTS, ReferencePath};

use crate::{
    control_loop::ControlOrder, control_status::StopCause, control_thread::lock_queue,
    heartbeat::HeartbeatKind, stop_switch::StopLevel,
};

pub(crate) use log::{InputLog, RecordedSetup};
pub use motions::Motion;
pub use replay::{ControlReplay, ReplayWish, replay_control};

/// Records that may wait: two a tick, so about two seconds of a reader that does
/// not come.
const RECORDS: usize = 4096;
/// Paths that may wait.
const PATHS: usize = 16;

/// What is demanded from outside in one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signals {
    pub(crate) level: StopLevel,
    pub(crate) has_lost_plugin: bool,
    pub(crate) silent: Option<HeartbeatKind>,
    /// The authority that ordered the running path has passed on.
    pub(crate) is_revoked: bool,
}

/// What the loop takes in, in the order in which it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum InputRecord {
    /// A state was read; none: the robot gave a fault.
    State(Option<ReadState>),
    /// An order; the path of [`OrderRecord::Follow`] has a ring of its own.
    Order(OrderRecord),
    /// A tick is over. The state that it read comes before it.
    Tick(TickRecord),
}

/// An order without its path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OrderRecord {
    Follow {
        fresh_by_ns: u64,
    },
    Hold,
    Stop(StopCause),
    NewWorld,
    /// What it read of the robot comes before it, and whether the robot took it.
    Reset {
        is_taken: bool,
    },
}

/// A tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TickRecord {
    pub(crate) now_ns: u64,
    pub(crate) signals: Signals,
    /// Whether the robot took the command.
    pub(crate) is_taken: bool,
    pub(crate) sent: Sent,
}

/// A state as far as the loop looks at it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ReadState {
    pub(crate) capture_time_ns: u64,
    pub(crate) count: u32,
    pub(crate) flags: u32,
    pub(crate) position: [f64; MAX_JOINTS],
    pub(crate) velocity: [f64; MAX_JOINTS],
    pub(crate) effort: [f64; MAX_JOINTS],
    pub(crate) wrench: [f64; 6],
}

/// A command without the places that hold nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sent {
    pub(crate) count: u32,
    pub(crate) position: [f64; MAX_JOINTS],
    pub(crate) velocity: [f64; MAX_JOINTS],
}

impl ReadState {
    fn of(frame: &StateFrame) -> Self {
        let mut read = Self {
            capture_time_ns: frame.capture_time_ns,
            count: frame.count,
            flags: frame.has_wrench,
            wrench: frame.wrench,
            ..Self::default()
        };
        copy(&mut read.position, &frame.position);
        copy(&mut read.velocity, &frame.velocity);
        copy(&mut read.effort, &frame.effort);
        read
    }

    fn put(&self, frame: &mut StateFrame) {
        *frame = StateFrame {
            capture_time_ns: self.capture_time_ns,
            count: self.count,
            has_wrench: self.flags,
            wrench: self.wrench,
            ..StateFrame::default()
        };
        copy(&mut frame.position, &self.position);
        copy(&mut frame.velocity, &self.velocity);
        copy(&mut frame.effort, &self.effort);
    }
}

impl Sent {
    pub(crate) fn of(frame: &CommandFrame) -> Self {
        let mut sent = Self {
            count: frame.count,
            ..Self::default()
        };
        copy(&mut sent.position, &frame.position);
        copy(&mut sent.velocity, &frame.velocity);
        sent
    }

    fn frame(&self, time_ns: u64) -> CommandFrame {
        let mut frame = CommandFrame {
            time_ns,
            count: self.count,
            ..CommandFrame::default()
        };
        copy(&mut frame.position, &self.position);
        copy(&mut frame.velocity, &self.velocity);
        frame
    }
}

/// As many values as both sides have places for.
fn copy(into: &mut [f64], from: &[f64]) {
    for (slot, value) in into.iter_mut().zip(from) {
        *slot = *value;
    }
}

/// The control loop's end.
pub(crate) struct InputTap {
    records: Producer<InputRecord>,
    paths: Producer<ReferencePath>,
    lost: Arc<AtomicU64>,
}

/// The reader's end.
pub(crate) struct InputReader {
    records: Consumer<InputRecord>,
    paths: Consumer<ReferencePath>,
    lost: Arc<AtomicU64>,
}

/// The two ends of a ring of inputs.
pub(crate) fn input_ring() -> (InputTap, InputReader) {
    let (records, read) = RingBuffer::new(RECORDS);
    let (paths, read_paths) = RingBuffer::new(PATHS);
    let lost = Arc::new(AtomicU64::new(0));
    let tap = InputTap {
        records,
        paths,
        lost: Arc::clone(&lost),
    };
    let reader = InputReader {
        records: read,
        paths: read_paths,
        lost,
    };
    (tap, reader)
}

impl InputTap {
    /// Locks the rings in memory, while they are empty; the bytes locked.
    pub(crate) fn lock_memory(&mut self) -> std::io::Result<usize> {
        Ok(lock_queue(&mut self.records)? + lock_queue(&mut self.paths)?)
    }

    /// A state was read, or could not be.
    pub(crate) fn state(&mut self, read: Option<&StateFrame>) {
        self.put(InputRecord::State(read.map(ReadState::of)));
    }

    /// An order was given. A reset is told by [`reset`](Self::reset), after it.
    pub(crate) fn order(&mut self, order: &ControlOrder) {
        let record = match order {
            ControlOrder::Follow {
                path, fresh_by_ns, ..
            } => {
                if self.paths.push(path.clone()).is_err() {
                    self.lost.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                OrderRecord::Follow {
                    fresh_by_ns: *fresh_by_ns,
                }
            }
            ControlOrder::Hold => OrderRecord::Hold,
            ControlOrder::Stop(cause) => OrderRecord::Stop(*cause),
            ControlOrder::NewWorld => OrderRecord::NewWorld,
            ControlOrder::Reset => return,
        };
        self.put(InputRecord::Order(record));
    }

    /// A reset was tried; whether the robot took it, where it was asked.
    pub(crate) fn reset(&mut self, is_taken: bool) {
        self.put(InputRecord::Order(OrderRecord::Reset { is_taken }));
    }

    /// A tick is over.
    pub(crate) fn tick(&mut self, tick: TickRecord) {
        self.put(InputRecord::Tick(tick));
    }

    fn put(&mut self, record: InputRecord) {
        if self.records.push(record).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl InputReader {
    /// The next record, with its path.
    fn next(&mut self) -> Option<(InputRecord, Option<ReferencePath>)> {
        let record = self.records.pop().ok()?;
        let is_path = matches!(record, InputRecord::Order(OrderRecord::Follow { .. }));
        let path = is_path.then(|| self.paths.pop().ok()).flatten();
        Some((record, path))
    }

    /// Records that did not fit.
    fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}
