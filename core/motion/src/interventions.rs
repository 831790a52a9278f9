//! What the safety filter changed, and why, as bits: no allocation a tick.

use crate::MAX_JOINTS;

/// A limit that can keep a joint from meeting its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Limit {
    /// The command lies outside the position limits.
    Position = 0,
    /// Meeting the command in one tick would be too fast.
    Velocity = 1,
    /// Meeting the command needs too much acceleration.
    Acceleration = 2,
    /// Meeting the command needs too much jerk.
    Jerk = 3,
    /// After meeting the command no stop within the limits would be left.
    StoppingDistance = 4,
    /// The speed was scaled down, by a collision monitor for instance.
    SpeedScale = 5,
}

impl Limit {
    /// Every limit, in order.
    pub const ALL: [Self; 6] = [
        Self::Position,
        Self::Velocity,
        Self::Acceleration,
        Self::Jerk,
        Self::StoppingDistance,
        Self::SpeedScale,
    ];
}

/// A set of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitSet(u8);

impl LimitSet {
    pub(crate) fn insert(&mut self, limit: Limit) {
        self.0 |= 1 << limit as u8;
    }

    pub(crate) fn set(&mut self, limit: Limit, present: bool) {
        if present {
            self.insert(limit);
        }
    }

    /// Whether this limit is in the set.
    #[must_use]
    pub fn contains(self, limit: Limit) -> bool {
        self.0 & (1 << limit as u8) != 0
    }

    /// Whether nothing was changed.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The limits in the set.
    pub fn iter(self) -> impl Iterator<Item = Limit> {
        Limit::ALL
            .into_iter()
            .filter(move |limit| self.contains(*limit))
    }
}

/// Everything the filter changed in one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interventions {
    pub(crate) joints: [LimitSet; MAX_JOINTS],
    /// The tool would have left its workspace; all joints were slowed.
    pub workspace: bool,
    /// The tool would have been too fast; all joints were slowed.
    pub tool_speed: bool,
    /// Links would have come too near to each other or to a forbidden box; all
    /// joints were slowed.
    pub clearance: bool,
}

impl Interventions {
    /// Limits that changed the command of one joint (gripper last).
    #[must_use]
    pub fn joint(&self, joint: usize) -> LimitSet {
        self.joints.get(joint).copied().unwrap_or_default()
    }

    /// Whether the command passed unchanged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.workspace
            && !self.tool_speed
            && !self.clearance
            && self.joints.iter().all(|set| set.is_empty())
    }
}
