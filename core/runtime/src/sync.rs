//! The atomics of what threads share without a lock.
//!
//! One place, so that the tests can put the model checker's in their stead.

pub(crate) use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
};
