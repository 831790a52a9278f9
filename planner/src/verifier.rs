//! The verifier: a plan is run symbolically before anything moves.
//!
//! Every answer of every back end passes here. The world is the scene itself
//! ([`SymbolicWorld`]): a step's preconditions are tested against it and its
//! effects change it, so that the second step is judged in the world the first
//! one leaves. Errors are typed; [`PlanError::say`] puts them into words for a
//! person, their `Display` is for logs and for a model's repair prompt.

mod error;
mod world;

use vola_types::{Scene, Step, Verdict};

use crate::capabilities::Capabilities;
use crate::draft::PlanDraft;

pub use error::{PlanError, PlanFault};
pub use world::SymbolicWorld;

/// Most steps in a plan or an option.
pub const MAX_STEPS: usize = 64;

/// Most options of a question.
pub const MAX_OPTIONS: usize = 16;

/// Longest text in an answer, in bytes.
pub const MAX_TEXT_BYTES: usize = 4000;

/// Runs `steps` symbolically; gives the scene they should leave behind.
///
/// # Errors
/// The first step that cannot be run, with its index.
pub fn verify_steps(
    steps: &[Step],
    scene: &Scene,
    capabilities: &Capabilities,
) -> Result<Scene, PlanFault> {
    if steps.len() > MAX_STEPS {
        return Err(PlanFault::TooLong {
            part: "steps",
            found: steps.len(),
            limit: MAX_STEPS,
        });
    }
    let mut world = SymbolicWorld::new(scene.clone(), capabilities);
    for (index, step) in steps.iter().enumerate() {
        world.apply(step).map_err(|error| PlanFault::Step {
            index,
            step: step.clone(),
            error,
        })?;
    }
    Ok(world.into_scene())
}

/// Tests a whole answer: its form, its steps, and the steps of its options.
///
/// # Errors
/// The first [`PlanFault`].
pub fn verify_draft(
    draft: &PlanDraft,
    scene: &Scene,
    capabilities: &Capabilities,
) -> Result<(), PlanFault> {
    check_form(draft)?;
    verify_steps(&draft.steps, scene, capabilities)?;
    for (option, choice) in draft.options.iter().enumerate() {
        verify_steps(&choice.steps, scene, capabilities).map_err(|fault| PlanFault::Option {
            option,
            fault: Box::new(fault),
        })?;
    }
    Ok(())
}

fn check_form(draft: &PlanDraft) -> Result<(), PlanFault> {
    let form = |ok: bool, expected: &'static str| {
        if ok {
            Ok(())
        } else {
            Err(PlanFault::Form { expected })
        }
    };
    let texts = [
        Some(&draft.say),
        draft.question.as_ref(),
        draft.answer.as_ref(),
    ];
    for text in texts.into_iter().flatten() {
        if text.len() > MAX_TEXT_BYTES {
            return Err(PlanFault::TooLong {
                part: "say",
                found: text.len(),
                limit: MAX_TEXT_BYTES,
            });
        }
    }
    if draft.options.len() > MAX_OPTIONS {
        return Err(PlanFault::TooLong {
            part: "options",
            found: draft.options.len(),
            limit: MAX_OPTIONS,
        });
    }
    form(!draft.say.trim().is_empty(), "a sentence in \"say\"")?;
    form(
        (0.0..=1.0).contains(&draft.confidence),
        "a confidence from 0 to 1",
    )?;
    let asks = draft.verdict == Verdict::Ask;
    form(
        draft.question.is_some() == asks && (draft.options.len() >= 2) == asks,
        "a question with at least two options exactly when the verdict is \"ask\"",
    )?;
    form(
        draft.steps.is_empty() == (draft.verdict != Verdict::Execute),
        "steps exactly when the verdict is \"execute\"",
    )?;
    let labelled = |label: &str| !label.trim().is_empty() && label.len() <= MAX_TEXT_BYTES;
    form(
        draft.options.iter().all(|o| labelled(&o.label)),
        "a label on every option",
    )?;
    let mut indices = draft.tree.subtasks.iter().flat_map(|part| &part.steps);
    form(
        indices.all(|index| *index < draft.steps.len()),
        "subtasks that name existing steps",
    )
}

#[cfg(test)]
mod tests;
