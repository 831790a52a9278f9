//! What a policy reads and gives, for whoever records it.

use vola_types::ActionSpace;

/// What a policy reads and gives for the session's robot.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyContract {
    /// Names of the state values that it reads.
    pub state: Vec<String>,
    /// Meaning of its actions.
    pub space: ActionSpace,
    /// Rows of its chunks a second.
    pub rate_hz: f64,
}
