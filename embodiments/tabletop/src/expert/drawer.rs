//! Open and close: closed fingers go down behind the drawer's bar and pull, or
//! before it and push.

use super::{
    Move, Situation,
    approach::{END_HEIGHT, Funnel},
};
use crate::{
    arm::FINGER_HALF,
    scene::{BAR_OFFSET, BAR_THICKNESS, BAR_Z, DrawerSpec},
};

/// Distance between the tool and the bar's middle when they touch (m).
pub(crate) const CONTACT: f64 = 0.5 * BAR_THICKNESS + FINGER_HALF[0];
/// Height of the tool at work, and on the way over the bar (m).
const LOW: f64 = 0.028;
const WAY_HEIGHT: f64 = 0.115;
/// Where the fingers go down: in the middle of the gap behind the bar, or this
/// far before it (m).
const BEHIND: f64 = 0.5 * (0.5 * BAR_THICKNESS + BAR_OFFSET);
const BEFORE: f64 = 0.042;
/// Greatest displacement of a row while sliding (m).
const SLIDE_STEP: f64 = 0.03;
/// Openings at which the work is finished, and that are aimed at (m).
const OPENED: f64 = 0.098;
const OPEN_TO: f64 = 0.108;
const CLOSED: f64 = 0.007;
/// Depth below the bar's top from which fingers slide at full speed (m).
const DEEP: f64 = 0.012;

impl Situation {
    /// One step of opening the drawer.
    pub(crate) fn open_drawer(&self, drawer: DrawerSpec) -> Move {
        let bar = drawer.bar(self.opening);
        if self.opening >= OPENED {
            return self.leave(0.012);
        }
        if self.hooks_bar(drawer) {
            let end = drawer.bar(OPEN_TO)[0] + CONTACT;
            return self.slide((end - self.tool[0]).clamp(-SLIDE_STEP, 0.0), drawer.y);
        }
        self.go_down([bar[0] + BEHIND, drawer.y])
    }

    /// One step of closing the drawer.
    pub(crate) fn close_drawer(&self, drawer: DrawerSpec) -> Move {
        let bar = drawer.bar(self.opening);
        if self.opening <= CLOSED {
            return self.leave(-0.012);
        }
        if self.faces_bar(drawer) {
            let end = drawer.bar(0.0)[0] - CONTACT + 0.004;
            return self.slide((end - self.tool[0]).clamp(0.0, SLIDE_STEP), drawer.y);
        }
        self.go_down([bar[0] - BEFORE, drawer.y])
    }

    /// Whether the fingers stand in the gap behind the bar.
    pub(crate) fn hooks_bar(&self, drawer: DrawerSpec) -> bool {
        let behind = self.tool[0] - drawer.bar(self.opening)[0];
        self.depth() > 0.0
            && behind > 0.006
            && behind < BAR_OFFSET
            && (self.tool[1] - drawer.y).abs() < 0.035
    }

    /// Whether the fingers stand low before the bar.
    pub(crate) fn faces_bar(&self, drawer: DrawerSpec) -> bool {
        let before = drawer.bar(self.opening)[0] - self.tool[0];
        self.depth() > 0.0
            && before > 0.004
            && before < 0.07
            && (self.tool[1] - drawer.y).abs() < 0.035
    }

    fn go_down(&self, at: [f64; 2]) -> Move {
        let funnel = Funnel {
            at,
            low: LOW,
            high: WAY_HEIGHT,
            slope: 5.0,
            middle: 0.008,
        };
        let raised = (0.15 * (self.width - 0.12)).clamp(0.0, 0.08)
            + (0.3 * (self.yaw.abs() - 0.15)).clamp(0.0, 0.05);
        self.enter(&funnel, raised.min(END_HEIGHT - LOW), 0.0, 0.0)
    }

    /// How far the fingers reach below the bar's top (m).
    fn depth(&self) -> f64 {
        BAR_Z[1] - self.tool[2]
    }

    /// Slower while the fingers still go down: a slide that begins at full
    /// speed lifts an arm that lags, and what lets go of the bar starts anew.
    fn slide(&self, by: f64, y: f64) -> Move {
        let sideways = (0.5 * (y - self.tool[1])).clamp(-0.01, 0.01);
        let by = by * (self.depth() / DEEP).clamp(0.0, 1.0);
        Move {
            by: [by, sideways, self.toward_height(LOW)],
            turn: self.toward_yaw(0.0),
            gripper: 0.0,
            ..Move::default()
        }
    }

    /// Off the bar first, then up.
    fn leave(&self, off: f64) -> Move {
        let mut up = self.retreat(0.0);
        up.by[0] += if self.tool[2] < 0.05 { off } else { 0.0 };
        up
    }
}
