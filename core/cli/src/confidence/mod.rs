//! Episodes whose confidence is looked at: to calibrate it, and to see how well
//! it tells failures.

mod detection;
mod judging;
mod survey;

pub(crate) use detection::{Detection, Judged};
pub(crate) use judging::Judge;
pub(crate) use survey::{Surveyed, survey_episode};
