//! How far heads are from what they should say, on examples that they were not taught.

use serde::Serialize;
use vola_bundle::FlatTensor;
use vola_runtime::OfflinePolicy;
use vola_train::ExampleSet;

use super::misfit;
use crate::failure::Failure;

/// Row of a chunk at which paths are compared: it is the last but a few that are executed before the
/// next decision.
const ROW: usize = 3;
/// Columns that say where the tool shall go.
const PLACE: usize = 3;
/// The error on corrections must fall to this part.
const BETTER: f64 = 0.9;
/// Most that old paths may move on average (m).
const STEADY_M: f64 = 0.006;
/// Most of the success in old tasks that may be lost.
const MOST_LOST: f64 = 0.02;

/// Errors on held-out episodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    /// Mean distance from where the person went (m).
    pub(super) correction_m: f64,
    /// Mean distance from where the bundle's own weights go in old tasks (m).
    pub(super) old_m: f64,
}

impl Figures {
    /// Measures the heads as they are.
    ///
    /// # Errors
    /// When a head fails.
    pub(super) fn measure(
        policy: &mut OfflinePolicy,
        corrections: &ExampleSet,
        old: &ExampleSet,
    ) -> Result<Self, Failure> {
        Ok(Self {
            correction_m: mean_distance(policy, corrections)?,
            old_m: mean_distance(policy, old)?,
        })
    }

    /// Whether heads with these figures are the better choice of two: what would be accepted comes
    /// first, then what is less off in corrections and old tasks together.
    pub(super) fn is_better_than(&self, other: &Self, before: &Self) -> bool {
        let key = |figures: &Self| {
            let off_m = figures.correction_m + figures.old_m;
            let off_m = if off_m.is_nan() { f64::INFINITY } else { off_m };
            (u8::from(figures.judged(before).is_err()), off_m)
        };
        let ((refused, off_m), (other_refused, other_off_m)) = (key(self), key(other));
        refused < other_refused || (refused == other_refused && off_m < other_off_m)
    }

    /// Whether heads with these figures are better than those with the figures `before`.
    ///
    /// # Errors
    /// Why not, in words.
    pub(super) fn judged(&self, before: &Self) -> Result<(), String> {
        if !(self.correction_m <= BETTER * before.correction_m) {
            return Err(format!(
                "on corrections that were held out the path is {:.1} mm off, {:.1} mm before: expected {:.0} % less at least",
                self.correction_m * 1e3,
                before.correction_m * 1e3,
                (1.0 - BETTER) * 100.0
            ));
        }
        if !(self.old_m <= STEADY_M) {
            return Err(format!(
                "in old tasks the path moved by {:.1} mm on average: expected {:.1} mm at most",
                self.old_m * 1e3,
                STEADY_M * 1e3
            ));
        }
        Ok(())
    }
}

/// Episodes that went well before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Success {
    /// Of the corrected tasks.
    pub(super) corrected: [usize; 2],
    /// Episodes of them.
    pub(super) corrected_episodes: usize,
    /// Of all other tasks.
    pub(super) old: [usize; 2],
    /// Episodes of them.
    pub(super) old_episodes: usize,
}

impl Success {
    /// Whether more of the corrected episodes and not fewer of the old ones went well.
    ///
    /// # Errors
    /// Why not, in words.
    pub(super) fn judged(&self) -> Result<(), String> {
        let [before, after] = self.corrected;
        if self.corrected_episodes > 0 && after <= before {
            return Err(format!(
                "of {} episodes of the corrected tasks {after} went well, {before} before",
                self.corrected_episodes
            ));
        }
        let [before, after] = self.old;
        let allowed = MOST_LOST * self.old_episodes as f64;
        if (before as f64) - (after as f64) > allowed {
            return Err(format!(
                "of {} episodes of old tasks {after} went well, {before} before",
                self.old_episodes
            ));
        }
        Ok(())
    }
}

/// Mean distance between the points that the head says and should say.
fn mean_distance(policy: &mut OfflinePolicy, set: &ExampleSet) -> Result<f64, Failure> {
    let tensor = policy.binding().action_tensor().to_owned();
    let heads = policy.adaptable();
    let Some(head) = heads
        .into_iter()
        .find(|head| head.outputs.contains(&tensor))
    else {
        return Err(misfit(
            policy,
            "its action head cannot be fine-tuned".to_owned(),
        ));
    };
    let mut inputs = Vec::new();
    for name in &head.inputs {
        inputs.push(flat(policy, set, name)?);
    }
    let outputs = policy.head_outputs(&head.stage, &inputs)?;
    let said = outputs.into_iter().find(|output| output.name() == tensor);
    let wanted = flat(policy, set, &tensor)?;
    let Some(said) = said.filter(|said| said.shape() == wanted.shape()) else {
        return Err(misfit(
            policy,
            format!("`{tensor}` has another shape for many examples"),
        ));
    };
    let action = policy.binding().action();
    let (dim, horizon) = (action.dim(), action.horizon());
    let example = said.shape().iter().skip(1).product::<usize>().max(1);
    let row = ROW.min(horizon.saturating_sub(1)) * dim;
    let mut sum = 0.0;
    let (said, wanted) = (said.to_f32(), wanted.to_f32());
    let pairs = said.chunks(example).zip(wanted.chunks(example));
    for (said, wanted) in pairs {
        let mean = |values: &[f32], column: usize| {
            let samples = values.chunks(dim * horizon);
            let count = samples.len().max(1) as f64;
            let at = |sample: &[f32]| f64::from(sample.get(row + column).copied().unwrap_or(0.0));
            policy.physical_action(column, samples.map(at).sum::<f64>() / count)
        };
        let square: f64 = (0..PLACE.min(dim))
            .map(|column| (mean(said, column) - mean(wanted, column)).powi(2))
            .sum();
        sum += square.sqrt();
    }
    Ok(sum / set.len().max(1) as f64)
}

/// A tensor of the examples, as heads take it.
pub(super) fn flat(
    policy: &OfflinePolicy,
    set: &ExampleSet,
    name: &str,
) -> Result<FlatTensor, Failure> {
    let Some((sizes, values)) = set.tensor(name) else {
        return Err(misfit(policy, format!("the examples have no `{name}`")));
    };
    let shape: Vec<usize> = std::iter::once(set.len())
        .chain(sizes.iter().copied())
        .collect();
    Ok(FlatTensor::from_f32(name, &shape, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_accepted_is_chosen_then_what_is_least_off() {
        let figures = |correction_m, old_m| Figures {
            correction_m,
            old_m,
        };
        let before = figures(0.07, 0.0);
        let steady = figures(0.035, 0.003);
        for worse in [
            figures(0.036, 0.003),
            figures(0.03, 0.0055 + 0.004),
            figures(0.01, 0.015),
            figures(f64::NAN, 0.001),
            figures(0.069, 0.0),
        ] {
            assert!(steady.is_better_than(&worse, &before), "{worse:?}");
            assert!(!worse.is_better_than(&steady, &before), "{worse:?}");
        }
    }

    #[test]
    fn better_on_corrections_and_steady_in_old_tasks_is_accepted() {
        let figures = |correction_m, old_m| Figures {
            correction_m,
            old_m,
        };
        let before = figures(0.03, 0.0);
        assert_eq!(figures(0.01, 0.002).judged(&before), Ok(()));
        for (worse, word) in [
            (figures(0.029, 0.0), "corrections"),
            (figures(f64::NAN, 0.0), "corrections"),
            (figures(0.01, 0.02), "old tasks"),
            (figures(0.01, f64::NAN), "old tasks"),
        ] {
            let reason = worse.judged(&before).unwrap_err();
            assert!(reason.contains(word), "{reason}");
        }
    }

    #[test]
    fn episodes_decide_where_there_are_any() {
        let success = |corrected, old| Success {
            corrected,
            corrected_episodes: 20,
            old,
            old_episodes: 100,
        };
        assert_eq!(success([2, 18], [90, 88]).judged(), Ok(()));
        assert!(success([2, 2], [90, 90]).judged().is_err());
        assert!(success([2, 18], [90, 87]).judged().is_err());
    }
}
