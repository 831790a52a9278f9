//! Losses averaged over a stretch of steps, so that a curve can be read.

use std::collections::BTreeMap;

use crate::worker::WorkerGrads;
use crate::{HistoryPoint, ResumeState};

/// Losses since the last report.
#[derive(Default)]
pub(crate) struct Window {
    count: u64,
    loss: f64,
    parts: BTreeMap<&'static str, (f64, u64)>,
}

impl Window {
    /// Adds one step.
    pub(crate) fn add(&mut self, grads: &WorkerGrads) {
        self.count += 1;
        self.loss += grads.loss;
        for (name, value) in &grads.parts {
            let (sum, count) = self.parts.entry(name).or_default();
            *sum += value;
            *count += 1;
        }
    }

    /// The means, and an empty window.
    pub(crate) fn take(&mut self, state: &ResumeState, rate: f64) -> HistoryPoint {
        let Self { count, loss, parts } = std::mem::take(self);
        HistoryPoint {
            step: state.step,
            seconds: state.seconds,
            rate,
            loss: loss / count.max(1) as f64,
            parts: parts
                .into_iter()
                .map(|(name, (sum, count))| (name.to_string(), sum / count.max(1) as f64))
                .collect(),
        }
    }
}
