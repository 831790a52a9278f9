//! The newest value of a few numbers, handed over without a lock.

use crate::sync::{AtomicU64, Ordering, READ_TRIES, fence};

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
