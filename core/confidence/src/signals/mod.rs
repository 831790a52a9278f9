//! The signals: each a small meter of one thing, higher for less sure.
//!
//! A meter sees every decision of a primitive in order and says its value in
//! the signal's unit, or nothing where the policy does not give what it needs.
//! What is much and what is little is not its business: bands say that, from
//! episodes that went well.

mod attention;
mod chunk_consistency;
mod chunk_norm;
mod feature_distance;
mod jerk;
mod lost_grasp;
mod progress;
mod reversals;
mod sample_spread;
mod stall;
mod token_entropy;
mod velocity;

pub use feature_distance::FeatureStatistics;
pub use stall::{GRIPPED, MOVED_M, TURNED_RAD};

use std::sync::Arc;

use vola_types::Signal;

use crate::Evidence;

/// Signals that may hold unless a deployment says otherwise: the ones that every
/// policy has, and of the others those that a policy gives.
pub const USUAL_SIGNALS: [Signal; 10] = [
    Signal::DirectionReversals,
    Signal::Jerk,
    Signal::ChunkConsistency,
    Signal::ChunkNorm,
    Signal::Stall,
    Signal::NoProgress,
    Signal::LostGrasp,
    Signal::SampleSpread,
    Signal::Failing,
    Signal::FeatureDistance,
];

/// One signal of one primitive.
pub trait Meter: std::fmt::Debug + Send {
    /// Takes the next decision; none where it lacks what the signal needs.
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64>;
}

/// A meter of a signal for a new primitive; none for the feature distance
/// without statistics, and for the learnt risk, which is made of other signals.
#[must_use]
pub fn meter(signal: Signal, features: Option<&Arc<FeatureStatistics>>) -> Option<Box<dyn Meter>> {
    Some(match signal {
        Signal::DirectionReversals => Box::new(reversals::DirectionReversals::default()),
        Signal::Jerk => Box::new(jerk::Jerk),
        Signal::ChunkConsistency => Box::new(chunk_consistency::ChunkConsistency::default()),
        Signal::ChunkNorm => Box::new(chunk_norm::ChunkNorm),
        Signal::Stall => Box::new(stall::Stall::default()),
        Signal::NoProgress => Box::new(progress::NoProgress::default()),
        Signal::LostGrasp => Box::new(lost_grasp::LostGrasp::default()),
        Signal::Velocity => Box::new(velocity::Velocity::default()),
        Signal::SampleSpread => Box::new(sample_spread::SampleSpread),
        Signal::Failing => Box::new(progress::Failing),
        Signal::FeatureDistance => Box::new(feature_distance::FeatureDistance::new(Arc::clone(
            features?,
        ))),
        Signal::AttentionEntropy => Box::new(attention::AttentionEntropy),
        Signal::TokenEntropy => Box::new(token_entropy::TokenEntropy),
        Signal::LearnedRisk => return None,
    })
}
