//! The robot as the planner sees it: a session, and what its camera shows.

mod hand_frames;
mod handing_over;
mod judging;
mod pendant;
mod session_robot;
mod sight;
mod teaching;
mod telling;

pub(crate) use handing_over::ArmHand;
pub(crate) use pendant::Pendant;
pub(crate) use session_robot::SessionRobot;
pub(crate) use sight::Sight;
pub(crate) use teaching::{Lesson, LessonEnd, LessonPlace};
