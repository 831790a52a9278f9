//! The robot as the planner sees it: a session, and what its camera shows.

mod handing_over;
mod pendant;
mod session_robot;
mod sight;
mod telling;

pub(crate) use pendant::Pendant;
pub(crate) use session_robot::SessionRobot;
pub(crate) use sight::Sight;
