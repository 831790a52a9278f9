//! One hash over every command that was sent: two runs are the same run when
//! theirs are equal.
//!
//! In virtual time a seed must give the same commands whatever the machine is
//! doing. In real time the instants differ from run to run; there it is what a
//! replay of the recorded inputs must give again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vola_abi::CommandFrame;

/// The hash of the commands so far. A clone reads the same.
#[derive(Clone, Debug, Default)]
pub struct CommandDigest {
    shared: Arc<Mutex<Sum>>,
}

#[derive(Debug, Default)]
struct Sum {
    hasher: blake3::Hasher,
    frames: u64,
    is_spoilt: bool,
}

impl CommandDigest {
    /// Whether every command is in it: in real time, where the commands are
    /// hashed by a thread of their own, some may have been lost.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.sum_of().is_spoilt
    }

    /// Number of commands sent so far, and the BLAKE3 hash (hexadecimal) over
    /// time, number of values, positions and velocities of each.
    #[must_use]
    pub fn read(&self) -> (u64, String) {
        let sum = self.sum_of();
        (sum.frames, sum.hasher.finalize().to_hex().to_string())
    }

    /// The same, where every command is in it.
    pub(crate) fn sum(&self) -> Option<(u64, blake3::Hash)> {
        let sum = self.sum_of();
        (!sum.is_spoilt).then(|| (sum.frames, sum.hasher.finalize()))
    }

    /// Commands were lost: the hash is worth nothing.
    pub(crate) fn spoil(&self) {
        self.sum_of().is_spoilt = true;
    }

    fn sum_of(&self) -> MutexGuard<'_, Sum> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the next command.
    pub(crate) fn add(&self, frame: &CommandFrame) {
        let mut sum = self.sum_of();
        sum.frames += 1;
        sum.hasher.update(&frame.time_ns.to_le_bytes());
        sum.hasher.update(&frame.count.to_le_bytes());
        let count = frame.positions().len();
        let velocities = frame.velocity.get(..count).unwrap_or_default();
        for value in frame.positions().iter().chain(velocities) {
            sum.hasher.update(&value.to_bits().to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_a_command_counts_and_nothing_else() {
        let digest_of = |change: &dyn Fn(&mut CommandFrame)| {
            let mut frame = CommandFrame {
                time_ns: 5,
                count: 2,
                ..CommandFrame::default()
            };
            change(&mut frame);
            let digest = CommandDigest::default();
            digest.add(&frame);
            digest.read()
        };
        let (frames, plain) = digest_of(&|_| ());
        assert_eq!((frames, plain.len()), (1, 64));
        assert_eq!(digest_of(&|frame| frame.position[2] = 1.0).1, plain);
        for change in [
            (&|frame: &mut CommandFrame| frame.time_ns = 6) as &dyn Fn(&mut CommandFrame),
            &|frame| frame.position[1] = -0.0,
            &|frame| frame.velocity[0] = f64::MIN_POSITIVE,
            &|frame| frame.count = 3,
        ] {
            assert_ne!(digest_of(change).1, plain);
        }
    }
}
