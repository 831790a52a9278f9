//! How far a chunk wants to go.

use super::Meter;
use crate::Evidence;

/// Length of the planned path (m).
///
/// # Meaning
/// For every policy. Longer than in any good episode at this stage is a policy
/// that runs somewhere; one that wants nowhere is seen by the stall.
///
/// # Timing
/// A few multiplications a row.
#[derive(Debug)]
pub(super) struct ChunkNorm;

impl Meter for ChunkNorm {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        Some(evidence.executed.length_m())
    }
}
