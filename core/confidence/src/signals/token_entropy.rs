//! How undecided a head was about the tokens that it drew.

use super::Meter;
use crate::Evidence;

/// Mean entropy of the drawn tokens (nat).
///
/// # Meaning
/// For heads that decode actions as tokens and give a tensor `token_entropy`
/// with one entropy a token. The shipped bundle has no such head.
///
/// # Timing
/// One addition a token.
#[derive(Debug)]
pub(super) struct TokenEntropy;

impl Meter for TokenEntropy {
    fn measure(&mut self, evidence: &Evidence<'_>) -> Option<f64> {
        let tokens = evidence.token_entropy.filter(|tokens| !tokens.is_empty())?;
        let sum: f64 = tokens.iter().map(|entropy| f64::from(*entropy)).sum();
        Some(sum / tokens.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::{evidence, path};

    #[test]
    fn the_mean_of_what_the_head_tells() {
        let plan = path(0, &[0.0]);
        let mut one = evidence(0.0, 0.0, &plan);
        assert_eq!(TokenEntropy.measure(&one), None);
        one.token_entropy = Some(&[1.0, 3.0]);
        assert_eq!(TokenEntropy.measure(&one), Some(2.0));
    }
}
