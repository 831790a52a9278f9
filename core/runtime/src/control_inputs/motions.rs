//! When commands move an arm.

use serde::Serialize;
use vola_abi::CommandFrame;

/// Speed of a joint (rad/s, m/s, 1/s) that is none.
const REST: f64 = 1e-9;

/// A time in which the commands moved the arm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Motion {
    /// From the first command on (s).
    pub from_s: f64,
    /// To the last that moved it.
    pub to_s: f64,
}

/// Reads from commands when they move.
#[derive(Debug, Default)]
pub(super) struct Motions {
    first_ns: Option<u64>,
    last_ns: u64,
    moves: bool,
    pub(super) list: Vec<Motion>,
}

impl Motions {
    /// Takes the next command.
    pub(super) fn add(&mut self, now_ns: u64, command: &CommandFrame) {
        let first_ns = *self.first_ns.get_or_insert(now_ns);
        self.last_ns = now_ns;
        let at_s = now_ns.saturating_sub(first_ns) as f64 * 1e-9;
        let moved = self.moves;
        self.moves = command.velocity.iter().any(|speed| !(speed.abs() <= REST));
        if self.moves && !moved {
            self.list.push(Motion {
                from_s: at_s,
                to_s: at_s,
            });
        } else if let Some(motion) = self.list.last_mut().filter(|_| self.moves) {
            motion.to_s = at_s;
        }
    }

    /// Time of the first command, on the runtime's clock (s).
    pub(super) fn begins_s(&self) -> f64 {
        self.first_ns.unwrap_or(self.last_ns) as f64 * 1e-9
    }

    /// From the first command to the last (s).
    pub(super) fn seconds(&self) -> f64 {
        let first_ns = self.first_ns.unwrap_or(self.last_ns);
        self.last_ns.saturating_sub(first_ns) as f64 * 1e-9
    }
}
