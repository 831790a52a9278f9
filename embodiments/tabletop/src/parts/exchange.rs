//! What crosses between the threads of the parts.

use std::sync::Mutex;

use super::newest_slot::NewestSlot;
use crate::{
    render::Snapshot,
    sync::{AtomicU8, Ordering},
};

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
