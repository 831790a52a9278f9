//! The stage graph: who makes each tensor, who reads it, and in which order
//! stages run.
//!
//! Stages are wired by tensor name alone. An input comes from exactly one
//! place, a feature of the observation or an output of a stage; an output that
//! nobody reads is a mistake in the file, unless it is declared. Explicit edges
//! between stages would say the same twice.

use std::collections::{BTreeMap, BTreeSet};

use vola_types::names;

use crate::error::BundleError;
use crate::manifest::Stage;
use crate::nearest::suggestion;
use crate::problem::Reporter;
use crate::wording::quoted;

/// The stages of a bundle and how they are wired. Free of cycles.
#[derive(Clone, Debug, Default)]
pub struct StageGraph {
    stages: Vec<Stage>,
    producers: BTreeMap<String, usize>,
    order: Vec<usize>,
    sources: Vec<BTreeSet<String>>,
}

/// Outputs that may stay unread.
pub(crate) struct Terminals {
    /// Outputs of the action, scene and progress heads.
    pub(crate) outputs: BTreeSet<String>,
    /// Outputs declared in `side_outputs`, in the order of the file.
    pub(crate) side_outputs: Vec<String>,
}

impl StageGraph {
    /// The stages, in the order of the file. Indices of this list are used by
    /// all other methods.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// All stages in an order in which every input is made before it is read.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The stage that makes a tensor; none for a feature of the observation.
    #[must_use]
    pub fn producer(&self, tensor: &str) -> Option<usize> {
        self.producers.get(tensor).copied()
    }

    /// The stages that read a tensor.
    pub fn readers<'a>(&'a self, tensor: &'a str) -> impl Iterator<Item = usize> + 'a {
        let reads = move |stage: &Stage| stage.inputs().iter().any(|input| input == tensor);
        self.stages
            .iter()
            .enumerate()
            .filter(move |(_, stage)| reads(stage))
            .map(|(index, _)| index)
    }

    /// The features on which a stage's outputs depend, through all stages
    /// before it. While these are unchanged, its outputs may be kept.
    #[must_use]
    pub fn sources(&self, stage: usize) -> Option<&BTreeSet<String>> {
        self.sources.get(stage)
    }

    /// Whether a stage's outputs only change with the primitive: it depends on
    /// the task, the goal points and the embodiment, on no camera or state.
    #[must_use]
    pub fn is_static(&self, stage: usize) -> bool {
        let fixed = |name: &String| {
            name == names::TASK || name == names::EMBODIMENT || name.starts_with("goal.")
        };
        self.sources
            .get(stage)
            .is_some_and(|sources| sources.iter().all(fixed))
    }

    /// The fewest stages that must run to make these tensors, in running order.
    ///
    /// # Errors
    /// When no stage makes one of them.
    pub fn needed_for(&self, outputs: &[&str]) -> Result<Vec<usize>, BundleError> {
        let mut needed = BTreeSet::new();
        let mut pending = Vec::new();
        for output in outputs {
            pending.push(
                self.producer(output)
                    .ok_or_else(|| BundleError::UnknownTensor {
                        name: (*output).to_owned(),
                        known: quoted(self.producers.keys()),
                    })?,
            );
        }
        while let Some(index) = pending.pop() {
            if needed.insert(index)
                && let Some(stage) = self.stages.get(index)
            {
                pending.extend(
                    stage
                        .inputs()
                        .iter()
                        .filter_map(|input| self.producer(input)),
                );
            }
        }
        Ok(self
            .order
            .iter()
            .copied()
            .filter(|index| needed.contains(index))
            .collect())
    }

    /// The features that these stages read from the observation, sorted.
    #[must_use]
    pub fn features_of(&self, stages: &[usize]) -> BTreeSet<&str> {
        let read = stages.iter().filter_map(|&index| self.stages.get(index));
        read.flat_map(Stage::inputs)
            .map(String::as_str)
            .filter(|input| !self.producers.contains_key(*input))
            .collect()
    }
}

/// Wires the stages. Nothing is returned when there is a cycle, since then no
/// order exists; all other faults are reported and leave a graph.
pub(crate) fn build(
    stages: Vec<Stage>,
    features: &BTreeSet<String>,
    terminals: &Terminals,
    reporter: &mut Reporter<'_>,
) -> Option<StageGraph> {
    let producers = find_producers(&stages, features, reporter);
    missing_producers(&stages, features, &producers, reporter);
    unread_outputs(&stages, terminals, &producers, reporter);
    let order = match running_order(&stages, &producers) {
        Ok(order) => order,
        Err(cycle) => {
            let help = "a stage must not read what is made from its own output";
            let got = cycle.join(" → ");
            reporter.report_with_help("stage", ("stages without a cycle", got), help);
            return None;
        }
    };
    let mut sources = vec![BTreeSet::new(); stages.len()];
    for &index in &order {
        let mut all = BTreeSet::new();
        for input in stages[index].inputs() {
            match producers.get(input) {
                Some(&before) => all.extend(sources[before].iter().cloned()),
                None => {
                    all.insert(input.clone());
                }
            }
        }
        sources[index] = all;
    }
    Some(StageGraph {
        stages,
        producers,
        order,
        sources,
    })
}

fn find_producers(
    stages: &[Stage],
    features: &BTreeSet<String>,
    reporter: &mut Reporter<'_>,
) -> BTreeMap<String, usize> {
    let mut producers: BTreeMap<String, usize> = BTreeMap::new();
    for (index, stage) in stages.iter().enumerate() {
        for (place, output) in stage.outputs().iter().enumerate() {
            let key = format!("stage[{index}].outputs[{place}]");
            let expected = "a tensor that only one stage makes";
            if let Some(&other) = producers.get(output) {
                let got = format!(
                    "`{output}` of `{}`, which `{}` makes too",
                    stage.name(),
                    stages[other].name()
                );
                reporter.report(key, expected, got);
            } else if features.contains(output) {
                let got = format!(
                    "`{output}` of `{}`, a feature of the observation",
                    stage.name()
                );
                reporter.report(key, expected, got);
            } else {
                producers.insert(output.clone(), index);
            }
        }
    }
    producers
}

fn missing_producers(
    stages: &[Stage],
    features: &BTreeSet<String>,
    producers: &BTreeMap<String, usize>,
    reporter: &mut Reporter<'_>,
) {
    for (index, stage) in stages.iter().enumerate() {
        for (place, input) in stage.inputs().iter().enumerate() {
            if producers.contains_key(input) || features.contains(input) {
                continue;
            }
            let mut known: Vec<&str> = producers.keys().map(String::as_str).collect();
            known.extend(features.iter().map(String::as_str));
            reporter.report_with_help(
                format!("stage[{index}].inputs[{place}]"),
                (
                    "a feature of the observation or an output of another stage",
                    format!("`{input}` of stage `{}`, which nobody makes", stage.name()),
                ),
                suggestion(input, &known),
            );
        }
    }
}

fn unread_outputs(
    stages: &[Stage],
    terminals: &Terminals,
    producers: &BTreeMap<String, usize>,
    reporter: &mut Reporter<'_>,
) {
    let read: BTreeSet<&String> = stages.iter().flat_map(Stage::inputs).collect();
    for (index, stage) in stages.iter().enumerate() {
        for (place, output) in stage.outputs().iter().enumerate() {
            let kept =
                terminals.outputs.contains(output) || terminals.side_outputs.contains(output);
            if !kept && !read.contains(output) {
                reporter.report_with_help(
                    format!("stage[{index}].outputs[{place}]"),
                    (
                        "an output that a stage reads",
                        format!("`{output}` of stage `{}`, which nobody reads", stage.name()),
                    ),
                    "remove it, or list it in `side_outputs` if people look at it",
                );
            }
        }
    }
    for (index, output) in terminals.side_outputs.iter().enumerate() {
        if !producers.contains_key(output) {
            let known: Vec<&str> = producers.keys().map(String::as_str).collect();
            let got = ("an output of a stage", format!("\"{output}\""));
            let help = suggestion(output, &known);
            reporter.report_with_help(format!("side_outputs[{index}]"), got, help);
        }
    }
}

/// A running order that keeps the order of the file where it can, or the names
/// around a cycle.
fn running_order(
    stages: &[Stage],
    producers: &BTreeMap<String, usize>,
) -> Result<Vec<usize>, Vec<String>> {
    let before: Vec<BTreeSet<usize>> = stages
        .iter()
        .map(|stage| {
            stage
                .inputs()
                .iter()
                .filter_map(|i| producers.get(i).copied())
                .collect()
        })
        .collect();
    let mut order: Vec<usize> = Vec::with_capacity(stages.len());
    let mut done = vec![false; stages.len()];
    while order.len() < stages.len() {
        let ready =
            (0..stages.len()).find(|&index| !done[index] && before[index].iter().all(|&i| done[i]));
        match ready {
            Some(index) => {
                done[index] = true;
                order.push(index);
            }
            None => return Err(cycle(stages, &before, &done)),
        }
    }
    Ok(order)
}

/// Follows unmet inputs backwards until a stage comes again.
fn cycle(stages: &[Stage], before: &[BTreeSet<usize>], done: &[bool]) -> Vec<String> {
    let mut path: Vec<usize> = Vec::new();
    let mut at = done.iter().position(|done| !done);
    while let Some(index) = at {
        if let Some(start) = path.iter().position(|&seen| seen == index) {
            let mut around = path.split_off(start);
            around.push(index);
            around.reverse();
            return around
                .iter()
                .map(|&i| format!("`{}`", stages[i].name()))
                .collect();
        }
        path.push(index);
        at = before[index].iter().copied().find(|&i| !done[i]);
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
