//! Which features the robots' observations hold, and which stages read them.

use std::collections::BTreeSet;

use vola_types::names;

use crate::graph::{StageGraph, Terminals};
use crate::problem::Reporter;
use crate::wording::quoted;

use super::PreStep;
use super::contract::{EmbodimentBinding, Perception, ProgressRule};
use super::raw::RawManifest;

/// What an observation of any of the robots can hold, before the first step.
pub(super) fn all_sources(embodiments: &[EmbodimentBinding]) -> BTreeSet<String> {
    embodiments.iter().flat_map(sources_of).collect()
}

/// What an observation of one robot holds, before the first step.
fn sources_of(embodiment: &EmbodimentBinding) -> BTreeSet<String> {
    let fixed = [
        names::TASK,
        names::GOAL_OBJECT,
        names::GOAL_OBJECT_MASK,
        names::GOAL_TARGET,
        names::GOAL_TARGET_MASK,
        names::EMBODIMENT,
    ];
    let mut sources: BTreeSet<String> = fixed.iter().map(ToString::to_string).collect();
    if !embodiment.state.names.is_empty() {
        sources.insert(names::STATE.to_owned());
    }
    sources.extend(
        embodiment
            .cameras
            .iter()
            .map(|camera| format!("{}{}", names::IMAGES, camera.key)),
    );
    sources
}

/// Names after all `rename` steps.
pub(super) fn renamed(sources: &BTreeSet<String>, steps: &[PreStep]) -> BTreeSet<String> {
    let mut features = sources.clone();
    for step in steps {
        if let PreStep::Rename { from, to } = step
            && features.remove(from)
        {
            features.insert(to.clone());
        }
    }
    features
}

pub(super) fn mark_resized(embodiment: &mut EmbodimentBinding, steps: &[PreStep]) {
    for camera in &mut embodiment.cameras {
        let mut name = format!("{}{}", names::IMAGES, camera.key);
        for step in steps {
            match step {
                PreStep::Rename { from, to } if *from == name => name.clone_from(to),
                PreStep::Resize { feature, .. } if *feature == name => camera.resized = true,
                // A crop or border made before the resize fixes the size again.
                PreStep::Crop { feature, .. } | PreStep::Pad { feature, .. }
                    if *feature == name =>
                {
                    break;
                }
                _ => {}
            }
        }
    }
}

pub(super) fn terminals(
    raw: &RawManifest,
    embodiments: &[EmbodimentBinding],
    perception: Option<&Perception>,
    progress: Option<&ProgressRule>,
) -> Terminals {
    let mut outputs: BTreeSet<String> = embodiments
        .iter()
        .map(|one| one.action_tensor.clone())
        .collect();
    outputs.extend(perception.map(|one| one.tensor.clone()));
    outputs.extend(progress.map(|one| one.tensor.clone()));
    Terminals {
        outputs,
        side_outputs: raw.side_outputs.clone(),
    }
}

pub(super) fn wanted_outputs(
    embodiment: &EmbodimentBinding,
    perception: Option<&Perception>,
    progress: Option<&ProgressRule>,
) -> Vec<String> {
    let mut wanted = vec![embodiment.action_tensor.clone()];
    wanted.extend(perception.map(|one| one.tensor.clone()));
    wanted.extend(progress.map(|one| one.tensor.clone()));
    wanted
}

/// Every feature that the robot's stages read must be in its observations.
pub(super) fn features_of_robot(
    embodiment: &EmbodimentBinding,
    graph: &StageGraph,
    (steps, wanted, bundle_has): (&[PreStep], &[String], &BTreeSet<String>),
    index: usize,
    reporter: &mut Reporter<'_>,
) {
    let has = renamed(&sources_of(embodiment), steps);
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let Ok(plan) = graph.needed_for(&wanted) else {
        return;
    };
    for &stage in &plan {
        let Some(stage) = graph.stages().get(stage) else {
            continue;
        };
        for input in &stage.inputs {
            // What no robot has was reported with the graph.
            if bundle_has.contains(input) && !has.contains(input) {
                reporter.report(
                    format!("embodiment[{index}] ({})", embodiment.id),
                    format!("`{input}`, which stage `{}` reads", stage.name),
                    format!("only {}", quoted(&has)),
                );
            }
        }
    }
}
