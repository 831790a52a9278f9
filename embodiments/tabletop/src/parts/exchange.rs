//! What crosses between the threads of the parts.

use std::sync::{
    Mutex,
    atomic::{AtomicU8, AtomicU64, Ordering, fence},
};

use crate::render::Snapshot;

/// Tries of a reader before it gives up: it would have to be overtaken by two
/// whole writes each time.
const READ_TRIES: usize = 1000;

/// The newest value of a few numbers: one writer, any readers, nobody waits.
///
/// Two sequence locks made of atomics, written in turn: while one is written the
/// other holds the value before, so that a writer whom the system stops in the
/// middle of a write stops no reader. A reader that saw its lock change reads
/// again.
#[derive(Debug)]
pub(crate) struct NewestSlot {
    /// Whole writes so far; the newest lies in the half of its parity.
    writes: AtomicU64,
    halves: [Half; 2],
}

/// One sequence lock: twice the number of the write that it holds, or one less
/// while that is being written.
#[derive(Debug)]
struct Half {
    sequence: AtomicU64,
    words: Box<[AtomicU64]>,
}

impl Half {
    fn new(length: usize) -> Self {
        Self {
            sequence: AtomicU64::new(0),
            words: (0..length).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl NewestSlot {
    /// A slot of zeros for this many numbers.
    pub(crate) fn new(length: usize) -> Self {
        Self {
            writes: AtomicU64::new(0),
            halves: [Half::new(length), Half::new(length)],
        }
    }

    fn half(&self, write: u64) -> &Half {
        let [even, odd] = &self.halves;
        if write.is_multiple_of(2) { even } else { odd }
    }

    /// Puts a time and numbers; what does not fit is left out.
    pub(crate) fn write(&self, time_ns: u64, values: impl Iterator<Item = f64>) {
        let write = self.writes.load(Ordering::Relaxed).wrapping_add(1);
        let half = self.half(write);
        let sequence = write.wrapping_mul(2);
        half.sequence
            .store(sequence.wrapping_sub(1), Ordering::Relaxed);
        fence(Ordering::Release);
        for (word, value) in half
            .words
            .iter()
            .zip(std::iter::once(time_ns).chain(values.map(f64::to_bits)))
        {
            word.store(value, Ordering::Relaxed);
        }
        half.sequence.store(sequence, Ordering::Release);
        self.writes.store(write, Ordering::Release);
    }

    /// Gives the time to `time_ns`, the numbers to `values`, and the number of
    /// writes so far; `None` when it was overtaken again and again.
    pub(crate) fn read(&self, time_ns: &mut u64, values: &mut [f64]) -> Option<u64> {
        for _ in 0..READ_TRIES {
            let write = self.writes.load(Ordering::Acquire);
            let half = self.half(write);
            let whole = write.wrapping_mul(2);
            if half.sequence.load(Ordering::Acquire) == whole {
                let mut words = half.words.iter();
                if let Some(first) = words.next() {
                    *time_ns = first.load(Ordering::Relaxed);
                }
                for (value, word) in values.iter_mut().zip(words) {
                    *value = f64::from_bits(word.load(Ordering::Relaxed));
                }
                fence(Ordering::Acquire);
                if half.sequence.load(Ordering::Relaxed) == whole {
                    return Some(write);
                }
            }
            std::hint::spin_loop();
        }
        None
    }

    /// Number of writes so far.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }
}

/// What the actuator asks of the drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Follow the newest command.
    Follow,
    /// Come to rest and hold.
    Hold,
    /// Stop at once and stay stopped.
    StopAtOnce,
    /// Come to rest as the commands brake, and stay stopped.
    StopControlled,
}

impl Request {
    fn code(self) -> u8 {
        match self {
            Self::Follow => 0,
            Self::Hold => 1,
            Self::StopAtOnce => 2,
            Self::StopControlled => 3,
        }
    }

    fn of_code(code: u8) -> Self {
        match code {
            0 => Self::Follow,
            2 => Self::StopAtOnce,
            3 => Self::StopControlled,
            _ => Self::Hold,
        }
    }

    /// Whether only a reset leads out of it.
    pub(crate) fn is_stop(self) -> bool {
        matches!(self, Self::StopAtOnce | Self::StopControlled)
    }
}

/// Values of a state beside positions and velocities.
pub(crate) const TOUCHED: usize = 7;

/// Everything that the parts share.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Newest command: positions of joints and gripper, then their velocities.
    pub(crate) command: NewestSlot,
    /// Newest state: positions of joints and gripper, then their velocities, the
    /// gripper's force, force and torque at the tool.
    pub(crate) state: NewestSlot,
    request: AtomicU8,
    snapshot: Mutex<Snapshot>,
}

impl Exchange {
    /// An exchange for an arm of this many joints.
    pub(crate) fn new(joints: usize, snapshot: Snapshot) -> Self {
        Self {
            command: NewestSlot::new(2 * joints + 3),
            state: NewestSlot::new(2 * joints + 3 + TOUCHED),
            request: AtomicU8::new(Request::Hold.code()),
            snapshot: Mutex::new(snapshot),
        }
    }

    /// What is asked of the drives.
    pub(crate) fn request(&self) -> Request {
        Request::of_code(self.request.load(Ordering::Acquire))
    }

    /// Asks something of the drives.
    pub(crate) fn ask(&self, request: Request) {
        self.request.store(request.code(), Ordering::Release);
    }

    /// Puts the newest poses, unless a camera is copying the last ones just
    /// now: then the next tick's will do. Never waits.
    pub(crate) fn publish(&self, snapshot: Snapshot) {
        match self.snapshot.try_lock() {
            Ok(mut slot) => *slot = snapshot,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => *poisoned.into_inner() = snapshot,
            Err(std::sync::TryLockError::WouldBlock) => {}
        }
    }

    /// A copy of the newest poses.
    pub(crate) fn snapshot(&self) -> Snapshot {
        match self.snapshot.lock() {
            Ok(slot) => slot.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn readers_never_see_half_a_write() {
        let slot = Arc::new(NewestSlot::new(9));
        let writer = Arc::clone(&slot);
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || {
                for round in 0..100_000_u64 {
                    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
                    writer.write(round, std::iter::repeat_n(round as f64, 8));
                }
            })
            .unwrap();
        let (mut time, mut values, mut last) = (0, [0.0; 8], 0);
        while last < 99_999 {
            assert!(slot.read(&mut time, &mut values).is_some());
            assert!(values.iter().all(|value| (value - values[0]).abs() < 0.5));
            assert!((values[0] - time as f64).abs() < 0.5 && time >= last);
            last = time;
        }
        thread.join().unwrap();
        assert_eq!(slot.writes(), 100_000);
    }

    #[test]
    fn a_writer_that_is_stopped_in_the_middle_stops_no_reader() {
        let slot = NewestSlot::new(3);
        slot.write(1, [1.0, 1.0].into_iter());
        let (mut time, mut values) = (0, [0.0; 2]);
        // The values are asked for one by one: after the first, half is written.
        let torn = [2.0, 2.0].into_iter().inspect(|_| {
            assert_eq!(slot.read(&mut time, &mut values), Some(1));
            assert_eq!((time, values[0] as u64), (1, 1));
        });
        slot.write(2, torn);
        assert_eq!(slot.read(&mut time, &mut values), Some(2));
        assert_eq!((time, values[1] as u64), (2, 2));
    }
}
