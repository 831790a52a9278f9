//! What crosses between the threads of the parts.

use std::sync::{
    Mutex,
    atomic::{AtomicU8, AtomicU64, Ordering, fence},
};

use crate::render::Snapshot;

/// Tries of a reader before it gives up; a writer needs less than a
/// microsecond.
const READ_TRIES: usize = 1000;

/// The newest value of a few numbers: one writer, any readers, nobody waits.
///
/// A sequence lock made of atomics: the count is odd while the writer is at
/// work, and a reader that saw it change reads again.
#[derive(Debug)]
pub(crate) struct NewestSlot {
    count: AtomicU64,
    words: Box<[AtomicU64]>,
}

impl NewestSlot {
    /// A slot of zeros for this many numbers.
    pub(crate) fn new(length: usize) -> Self {
        Self {
            count: AtomicU64::new(0),
            words: (0..length).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Puts a time and numbers; what does not fit is left out.
    pub(crate) fn write(&self, time_ns: u64, values: impl Iterator<Item = f64>) {
        let count = self.count.load(Ordering::Relaxed);
        self.count.store(count.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        for (word, value) in self
            .words
            .iter()
            .zip(std::iter::once(time_ns).chain(values.map(f64::to_bits)))
        {
            word.store(value, Ordering::Relaxed);
        }
        self.count.store(count.wrapping_add(2), Ordering::Release);
    }

    /// Gives the time to `time_ns`, the numbers to `values`, and the number of
    /// writes so far; `None` when a writer never finished.
    pub(crate) fn read(&self, time_ns: &mut u64, values: &mut [f64]) -> Option<u64> {
        for _ in 0..READ_TRIES {
            let before = self.count.load(Ordering::Acquire);
            let mut words = self.words.iter();
            if let Some(first) = words.next() {
                *time_ns = first.load(Ordering::Relaxed);
            }
            for (value, word) in values.iter_mut().zip(words) {
                *value = f64::from_bits(word.load(Ordering::Relaxed));
            }
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.count.load(Ordering::Relaxed) == before {
                return Some(before / 2);
            }
            std::hint::spin_loop();
        }
        None
    }

    /// Number of writes so far.
    pub(crate) fn writes(&self) -> u64 {
        self.count.load(Ordering::Acquire) / 2
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
    /// Come to rest and stay stopped.
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

/// Everything that the parts share.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Newest command: joints, then the gripper.
    pub(crate) command: NewestSlot,
    /// Newest state: positions of joints and gripper, then their velocities.
    pub(crate) state: NewestSlot,
    request: AtomicU8,
    snapshot: Mutex<Snapshot>,
}

impl Exchange {
    /// An exchange for an arm of this many joints.
    pub(crate) fn new(joints: usize, snapshot: Snapshot) -> Self {
        Self {
            command: NewestSlot::new(joints + 2),
            state: NewestSlot::new(2 * joints + 3),
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
            // A reader gives up rather than wait for a writer that was stopped
            // in the middle; what it does read is whole.
            if slot.read(&mut time, &mut values).is_none() {
                std::thread::yield_now();
                continue;
            }
            assert!(values.iter().all(|value| (value - values[0]).abs() < 0.5));
            assert!((values[0] - time as f64).abs() < 0.5 && time >= last);
            last = time;
        }
        thread.join().unwrap();
        assert_eq!(slot.writes(), 100_000);
    }
}
