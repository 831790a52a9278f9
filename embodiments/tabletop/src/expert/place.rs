//! Place: over the target, down, let go, up.

use super::{
    Move, Situation,
    approach::{END_HEIGHT, Funnel},
    situation::CLOSE_BELOW,
};

/// Opening at which a block is let go, beyond its own width (m): wide enough
/// to be free, narrow enough not to push neighbours.
const LET_GO: f64 = 0.018;
/// The block counts as free this much before (m).
const FREE: f64 = 0.004;
/// Distance and height within which the fingers open (m).
const OPEN_WITHIN: f64 = 0.009;
const OPEN_ABOVE: f64 = 0.006;

impl Situation {
    /// One step of a place; see [`super::situation::Work::Place`].
    pub(crate) fn place(&self, target: [f64; 3], release: f64, within: f64, yaw: f64) -> Move {
        let let_go = self.block_width + LET_GO / self.max_width;
        let free = let_go - FREE / self.max_width;
        if self.is_held() {
            // The block's middle is brought to the target, not the tool's.
            let offset = [0, 1, 2].map(|axis| self.object[axis] - self.tool[axis]);
            let low = (release - offset[2]).max(0.016);
            let funnel = Funnel {
                at: [target[0] - offset[0], target[1] - offset[1]],
                low,
                high: END_HEIGHT.max(low),
                slope: 3.0,
                middle: 0.010,
            };
            let there = funnel.distance(self.tool) < OPEN_WITHIN && self.tool[2] < low + OPEN_ABOVE;
            if there {
                return self.stay(let_go);
            }
            let astray = (yaw - self.yaw).abs();
            return self.enter(&funnel, (0.2 * (astray - 0.15)).clamp(0.0, 0.04), yaw, 0.0);
        }
        let off = libm::hypot(self.object[0] - target[0], self.object[1] - target[1]);
        let placed = off < within && self.object[2] < release.max(target[2]) + 0.02;
        if !placed {
            // Dropped on the way, or never held.
            return Move {
                failing: true,
                done: false,
                ..self.retreat(1.0)
            };
        }
        let clear = self.tool[2] > self.object[2] + 0.045 || !self.is_near();
        if !clear && (self.width < free || self.command < CLOSE_BELOW) {
            return self.stay(let_go);
        }
        self.retreat(if clear { 1.0 } else { let_go })
    }

    /// Whether the block stands where opening fingers could touch it.
    fn is_near(&self) -> bool {
        self.distance() < 0.05
    }
}
