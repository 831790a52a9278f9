//! What tells that a policy is unsure: the names of the signals.

use serde::{Deserialize, Serialize};

/// A signal, higher for less sure. The word in TOML and in events is the
/// variant's in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Share of the last steps of the tool that turn back.
    DirectionReversals,
    /// Root mean square jerk of the planned path of the tool (m/s³).
    Jerk,
    /// How far a chunk lies from the one before it where both plan (m).
    ChunkConsistency,
    /// Length of the planned path (m).
    ChunkNorm,
    /// Time in which neither tool nor gripper moved (s).
    Stall,
    /// Time since the progress head last told of progress; without such a head,
    /// since the primitive began (s).
    NoProgress,
    /// Time in which closed fingers hold nothing (s).
    LostGrasp,
    /// Speed of the tool (m/s). A baseline; says little.
    Velocity,
    /// How far the samples of one chunk lie apart (m).
    SampleSpread,
    /// The failing output of the progress head, 0..1.
    Failing,
    /// Distance of the head's input from that of known episodes, in standard
    /// deviations of a feature.
    FeatureDistance,
    /// Entropy of the attention maps (nat).
    AttentionEntropy,
    /// Entropy of the tokens that the head drew (nat).
    TokenEntropy,
    /// Log odds that the primitive fails, as the course of the other signals was
    /// learnt to tell from episodes that did and did not.
    LearnedRisk,
}

impl Signal {
    /// All signals, those that every policy has first.
    pub const ALL: [Self; 14] = [
        Self::DirectionReversals,
        Self::Jerk,
        Self::ChunkConsistency,
        Self::ChunkNorm,
        Self::Stall,
        Self::NoProgress,
        Self::LostGrasp,
        Self::Velocity,
        Self::SampleSpread,
        Self::Failing,
        Self::FeatureDistance,
        Self::AttentionEntropy,
        Self::TokenEntropy,
        Self::LearnedRisk,
    ];

    /// Those that need nothing but chunks and proprioception and are watched
    /// unless a deployment says otherwise.
    pub const BLACK_BOX: [Self; 7] = [
        Self::DirectionReversals,
        Self::Jerk,
        Self::ChunkConsistency,
        Self::ChunkNorm,
        Self::Stall,
        Self::NoProgress,
        Self::LostGrasp,
    ];

    /// The word in TOML and in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DirectionReversals => "direction_reversals",
            Self::Jerk => "jerk",
            Self::ChunkConsistency => "chunk_consistency",
            Self::ChunkNorm => "chunk_norm",
            Self::Stall => "stall",
            Self::NoProgress => "no_progress",
            Self::LostGrasp => "lost_grasp",
            Self::Velocity => "velocity",
            Self::SampleSpread => "sample_spread",
            Self::Failing => "failing",
            Self::FeatureDistance => "feature_distance",
            Self::AttentionEntropy => "attention_entropy",
            Self::TokenEntropy => "token_entropy",
            Self::LearnedRisk => "learned_risk",
        }
    }

    /// The signal with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == word)
    }

    /// The unit of its values; empty for plain numbers.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::DirectionReversals
            | Self::Failing
            | Self::FeatureDistance
            | Self::LearnedRisk => "",
            Self::Jerk => "m/s³",
            Self::ChunkConsistency | Self::ChunkNorm | Self::SampleSpread => "m",
            Self::Stall | Self::NoProgress | Self::LostGrasp => "s",
            Self::Velocity => "m/s",
            Self::AttentionEntropy | Self::TokenEntropy => "nat",
        }
    }

    /// The least difference that means anything, in its unit: a narrower band
    /// would hold for noise.
    #[must_use]
    pub const fn resolution(self) -> f64 {
        match self {
            Self::DirectionReversals => 0.05,
            Self::Jerk => 0.2,
            Self::ChunkConsistency | Self::SampleSpread => 0.001,
            Self::ChunkNorm => 0.005,
            Self::Stall | Self::NoProgress | Self::LostGrasp => 0.2,
            Self::Velocity | Self::Failing | Self::AttentionEntropy | Self::TokenEntropy => 0.02,
            Self::FeatureDistance | Self::LearnedRisk => 0.05,
        }
    }
}

/// A signal at one decision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalReading {
    /// Which.
    pub name: Signal,
    /// Its value, in its unit.
    pub value: f64,
    /// Its part in the score: above 1 it would hold by itself. None where it is
    /// told but not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_json() {
        for signal in Signal::ALL {
            assert_eq!(serde_json::to_value(signal).unwrap(), signal.as_str());
            assert_eq!(Signal::from_word(signal.as_str()), Some(signal));
            assert!(signal.resolution() > 0.0);
        }
        assert_eq!(Signal::from_word("hunch"), None);
        assert!(!Signal::BLACK_BOX.contains(&Signal::Velocity));
    }
}
