//! Whether a plan's goal is reached in a symbolic world.

use vola_types::{Scene, Step};

use crate::postcondition;

/// Whether what `plan` should leave behind is so at the `end`: for every object
/// what is done with it last counts.
#[must_use]
pub fn is_reached(plan: &[Step], start: &Scene, end: &Scene) -> bool {
    plan.iter().enumerate().all(|(index, step)| {
        let later = plan.get(index + 1..).unwrap_or_default();
        let is_last = later.iter().all(|next| next.object() != step.object());
        match step {
            // It ended with the run.
            Step::MoveTo { .. }
            | Step::Home
            | Step::Wait { .. }
            | Step::OpenGripper
            | Step::CloseGripper => true,
            // A push is judged by where it began.
            Step::Push { object, .. } => {
                let moved = plan[..index].iter().any(|it| it.object() == Some(object));
                !is_last || moved || postcondition::check(step, start, end).is_ok()
            }
            // What it lies beside was moved since, by the plan itself.
            Step::Place { target, .. } => {
                let shifted = later.iter().any(|next| next.object() == Some(target));
                !is_last || shifted || postcondition::check(step, start, end).is_ok()
            }
            _ => !is_last || postcondition::check(step, start, end).is_ok(),
        }
    })
}
