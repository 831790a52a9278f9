//! The atomics of what is shared without a lock, and how often a reader tries.
//!
//! One place, so that the tests can put the model checker's in their stead.

pub(crate) use std::sync::atomic::{AtomicU8, AtomicU64, Ordering, fence};

/// Tries of a reader before it gives up: it would have to be overtaken by two
/// whole writes each time, and one takes less than a microsecond.
pub(crate) const READ_TRIES: usize = 1000;
