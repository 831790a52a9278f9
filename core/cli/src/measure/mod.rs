//! Measuring: intervals, quantiles, and what the world is asked.

mod episode;
mod interval;
mod quantiles;
mod world_goal;

pub(crate) use episode::{Episode, EpisodeGoal, EpisodeObject, EpisodeObjectRef, EpisodeTarget};
pub(crate) use interval::{Difference, Pairs, Rate, paired, unpaired, wilson};
pub(crate) use quantiles::{Quantiles, mean, median};
pub(crate) use world_goal::{WorldJudge, world_goal};

/// The tabletop's tasks of one primitive: what is recorded, trained, calibrated and
/// measured.
pub(crate) const PRIMITIVE_TASKS: [&str; 9] = [
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
