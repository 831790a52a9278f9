//! Times of policy steps, measured in a running session.

use std::collections::BTreeMap;

use vola_runtime::{DecisionReport, Driver, PrimitiveObserver, Session};
use vola_types::PrimitiveGoal;

use crate::{failure::Failure, measure::Quantiles};

/// What the policy is given in each step.
const SENTENCE: &str = "push the red block to the left";

/// Milliseconds of every policy step, in all and by stage.
#[derive(Debug, Default)]
pub(crate) struct StepTimes {
    /// Whole steps.
    pub(crate) total: Vec<f64>,
    /// Stages by name.
    pub(crate) stages: BTreeMap<String, Vec<f64>>,
}

impl PrimitiveObserver for StepTimes {
    fn decision(&mut self, decision: &DecisionReport<'_>) {
        self.total.push(decision.millis);
        // Stages that a decision does not need took no time.
        for (stage, millis) in decision
            .stage_millis
            .iter()
            .filter(|(_, millis)| *millis > 0.0)
        {
            self.stages.entry(stage.clone()).or_default().push(*millis);
        }
    }

    fn low_confidence(
        &mut self,
        _: &vola_runtime::ConfidenceReading,
    ) -> vola_runtime::HandoffAnswer {
        vola_runtime::HandoffAnswer::Continue
    }
}

impl StepTimes {
    /// Runs the policy in fresh scenes until so many steps were taken. The first
    /// few are warm-up and not counted.
    ///
    /// # Errors
    /// When the runtime fails.
    pub(crate) fn measure(session: &mut Session, steps: usize) -> Result<Self, Failure> {
        const WARM_UP: usize = 3;
        let mut times = Self::default();
        let goal = PrimitiveGoal {
            op: vola_types::Op::Push,
            task: SENTENCE.to_owned(),
            object: Some([0.42, 0.0, 0.02]),
            target: Some([0.42, 0.08, 0.02]),
            seconds: None,
        };
        let mut seed = 0;
        while times.total.len() < steps + WARM_UP {
            let before = times.total.len();
            if session.has_simulation() {
                session.reset_world(seed, &serde_json::Value::Null)?;
            }
            session.run_primitive(&goal, Driver::Policy, &mut times)?;
            seed += 1;
            if times.total.len() == before {
                break;
            }
        }
        let trim = |list: &mut Vec<f64>| {
            list.truncate(steps + WARM_UP);
            list.drain(..WARM_UP.min(list.len()));
        };
        trim(&mut times.total);
        times.stages.values_mut().for_each(trim);
        times.stages.retain(|_, list| !list.is_empty());
        Ok(times)
    }

    /// Quantiles of whole steps (ms).
    pub(crate) fn total(&self) -> Option<Quantiles> {
        Quantiles::of(&self.total)
    }

    /// Quantiles of each stage (ms).
    pub(crate) fn by_stage(&self) -> BTreeMap<&str, Quantiles> {
        self.stages
            .iter()
            .filter_map(|(stage, list)| Some((stage.as_str(), Quantiles::of(list)?)))
            .collect()
    }
}

/// Most memory the process has held so far (MiB), where the system tells.
pub(crate) fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}
