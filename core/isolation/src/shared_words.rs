//! Words of shared memory that hand values over without a lock: the newest value
//! of a few words, and a short list of orders.
//!
//! Where the words lie is the memory's matter, so that the model checker can give
//! its own (`tests/handover`).

use crate::sync::{AtomicU64, Ordering, READ_TRIES, fence};

/// Memory of words that more than one side reads and writes.
pub(crate) trait SharedWords {
    /// The word at a place.
    fn word(&self, index: usize) -> &AtomicU64;
}

/// Where the newest value of a few words lies: the number of whole writes, then
/// two halves that are written in turn, each a sequence lock with its sequence
/// word (twice the number of the write that it holds, one less while it is being
/// written).
///
/// While one half is written the other holds the value before, so that a writer
/// whom the system stops in the middle of a write stops no reader. A reader that
/// saw its lock change reads again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewestWords {
    /// Its first word.
    pub(crate) at: usize,
    /// Words of a value.
    pub(crate) words: usize,
}

impl NewestWords {
    /// The first word after it.
    pub(crate) const fn end(self) -> usize {
        self.at + 1 + 2 * (1 + self.words)
    }

    /// The sequence word of the half that holds a write.
    fn half(self, write: u64) -> usize {
        let second = usize::from(!write.is_multiple_of(2));
        self.at + 1 + second * (1 + self.words)
    }

    /// Writes a value; only its one writer calls this. What does not fit is left
    /// out.
    pub(crate) fn write(self, memory: &impl SharedWords, words: impl Iterator<Item = u64>) {
        let write = memory.word(self.at).load(Ordering::Relaxed).wrapping_add(1);
        let half = self.half(write);
        let sequence = write.wrapping_mul(2);
        memory
            .word(half)
            .store(sequence.wrapping_sub(1), Ordering::Relaxed);
        fence(Ordering::Release);
        for (index, word) in (half + 1..).zip(words.take(self.words)) {
            memory.word(index).store(word, Ordering::Relaxed);
        }
        memory.word(half).store(sequence, Ordering::Release);
        memory.word(self.at).store(write, Ordering::Release);
    }

    /// Reads the newest value; the number of writes, or none when it was
    /// overtaken again and again.
    pub(crate) fn read(self, memory: &impl SharedWords, words: &mut [u64]) -> Option<u64> {
        for _ in 0..READ_TRIES {
            let write = memory.word(self.at).load(Ordering::Acquire);
            let half = self.half(write);
            let whole = write.wrapping_mul(2);
            if memory.word(half).load(Ordering::Acquire) == whole {
                for (index, word) in (half + 1..).zip(words.iter_mut()) {
                    *word = memory.word(index).load(Ordering::Relaxed);
                }
                fence(Ordering::Acquire);
                if memory.word(half).load(Ordering::Relaxed) == whole {
                    return Some(write);
                }
            }
            std::hint::spin_loop();
        }
        None
    }
}

/// A list of orders: their number, then the newest ones in a ring. One side
/// appends, the other takes; when more came than there is room for, the oldest
/// are lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderList {
    /// Its first word.
    pub(crate) at: usize,
    /// Orders that may wait.
    pub(crate) room: usize,
}

impl OrderList {
    /// The first word after it.
    pub(crate) const fn end(self) -> usize {
        self.at + 1 + self.room
    }

    /// Orders that were given so far; for the side that gives them.
    pub(crate) fn given(self, memory: &impl SharedWords) -> u64 {
        memory.word(self.at).load(Ordering::Relaxed)
    }

    /// Appends an order.
    pub(crate) fn push(self, memory: &impl SharedWords, order: u64) {
        let count = self.given(memory);
        memory
            .word(self.slot(count))
            .store(order, Ordering::Relaxed);
        memory.word(self.at).store(count + 1, Ordering::Release);
    }

    /// The next order after the `taken` first; none when all were taken.
    pub(crate) fn next(self, memory: &impl SharedWords, taken: &mut u64) -> Option<u64> {
        let count = memory.word(self.at).load(Ordering::Acquire);
        if *taken >= count {
            return None;
        }
        *taken = (*taken).max(count.saturating_sub(self.room as u64));
        let order = memory.word(self.slot(*taken)).load(Ordering::Relaxed);
        *taken += 1;
        Some(order)
    }

    fn slot(self, number: u64) -> usize {
        self.at + 1 + usize::try_from(number).unwrap_or(0) % self.room.max(1)
    }
}
