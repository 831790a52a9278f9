//! Episodes whose confidence is looked at: to calibrate it, and to see how well
//! it tells failures.

mod detection;
mod judging;
mod survey;

pub(crate) use detection::{Detection, Judged};
pub(crate) use judging::Judge;
pub(crate) use survey::{Surveyed, survey_episode};

/// Primitives one by one: what confidence is calibrated and measured on.
pub(crate) const TASKS: [&str; 9] = [
    "pick",
    "place_in",
    "place_on_region",
    "stack",
    "relation",
    "push",
    "push_to_region",
    "drawer",
    "place_in_drawer",
];
