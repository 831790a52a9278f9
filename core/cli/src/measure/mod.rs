//! Measuring: intervals, quantiles, and what the world is asked.

mod episode;
mod interval;
mod quantiles;
mod world_goal;

pub(crate) use episode::{Episode, EpisodeGoal, EpisodeObject, EpisodeObjectRef, EpisodeTarget};
pub(crate) use interval::{Rate, wilson};
pub(crate) use quantiles::{Quantiles, mean, median};
pub(crate) use world_goal::{WorldJudge, world_goal};
