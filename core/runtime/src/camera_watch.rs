//! Watchdogs over the pictures that a policy is about to use. Between decisions the
//! control loop watches over the cameras (`camera_pulse`).
//!
//! An old picture makes no decision: the arm runs out its path and stands. A
//! camera that stays silent, or shows the same picture while the arm moves,
//! stops the robot. Whether a picture is the same is judged by its bytes, and
//! only over a way that no fixed camera over the table could miss.

use vola_types::StampClock;

use crate::watchdog::AgeWatch;

/// Way of the tool (m) over which the picture must have changed.
pub(crate) const FROZEN_TRAVEL_M: f64 = 0.05;
/// Same pictures in a row that are needed beside the way.
pub(crate) const FROZEN_PICTURES: u32 = 3;

/// What is wrong with a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CameraVerdict {
    /// Nothing.
    Fine,
    /// Its newest picture is too old to decide by; silent for so long (ns).
    Late(u64),
    /// It has been silent for longer than a robot may move by (ns).
    Silent(u64),
    /// It shows the same picture although the arm has moved.
    Frozen,
}

impl CameraVerdict {
    /// How bad it is; 0 for fine.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Late(_) => 1,
            Self::Frozen => 2,
            Self::Silent(_) => 3,
        }
    }

    /// In words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Fine => "fine".to_owned(),
            Self::Late(silent_ns) => {
                format!("nothing new for {} ms", silent_ns / 1_000_000)
            }
            Self::Silent(silent_ns) => {
                format!("silent for {} ms", silent_ns / 1_000_000)
            }
            Self::Frozen => "the same picture while the arm moves".to_owned(),
        }
    }
}

/// How long a camera may be silent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CameraDeadlines {
    /// No decision by an older picture (ns).
    pub(crate) decision_ns: u64,
    /// A controlled stop (ns).
    pub(crate) stop_ns: u64,
    /// Whose clock stamps the pictures.
    pub(crate) clock: StampClock,
}

/// The watch over one camera.
#[derive(Debug)]
pub(crate) struct CameraWatch {
    deadlines: CameraDeadlines,
    age: AgeWatch,
    hash: Option<blake3::Hash>,
    tool: [f64; 3],
    travel_m: f64,
    same: u32,
}

impl CameraWatch {
    pub(crate) fn new(deadlines: CameraDeadlines) -> Self {
        Self {
            deadlines,
            age: AgeWatch::new(deadlines.decision_ns, deadlines.clock),
            hash: None,
            tool: [0.0; 3],
            travel_m: 0.0,
            same: 0,
        }
    }

    /// Begins anew: the scene is another, or the arm was reset.
    pub(crate) fn restart(&mut self) {
        *self = Self::new(self.deadlines);
    }

    /// The newest picture at `now_ns`, and where the tool is (m).
    pub(crate) fn look(
        &mut self,
        now_ns: u64,
        stamp_ns: u64,
        pixels: &[u8],
        tool: [f64; 3],
    ) -> CameraVerdict {
        let silent_ns = self.age.look(now_ns, stamp_ns);
        let hash = blake3::hash(pixels);
        if self.hash == Some(hash) {
            self.same += 1;
            self.travel_m += distance(self.tool, tool);
        } else {
            (self.same, self.travel_m) = (0, 0.0);
        }
        self.hash = Some(hash);
        self.tool = tool;
        if silent_ns > self.deadlines.stop_ns {
            CameraVerdict::Silent(silent_ns)
        } else if self.same >= FROZEN_PICTURES && self.travel_m > FROZEN_TRAVEL_M {
            CameraVerdict::Frozen
        } else if self.age.is_stale(silent_ns) {
            CameraVerdict::Late(silent_ns)
        } else {
            CameraVerdict::Fine
        }
    }
}

impl CameraWatch {
    /// No picture could be taken at `now_ns`: none to decide by, and a silence
    /// that may be too long. None before the first picture.
    pub(crate) fn miss(&mut self, now_ns: u64) -> Option<CameraVerdict> {
        let silent_ns = self.age.silent_ns(now_ns)?;
        Some(if silent_ns > self.deadlines.stop_ns {
            CameraVerdict::Silent(silent_ns)
        } else {
            CameraVerdict::Late(silent_ns)
        })
    }
}

pub(crate) fn distance(from: [f64; 3], to: [f64; 3]) -> f64 {
    let squares = from.iter().zip(to).map(|(from, to)| (to - from).powi(2));
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn watch() -> CameraWatch {
        CameraWatch::new(CameraDeadlines {
            decision_ns: 200 * MS,
            stop_ns: 500 * MS,
            clock: StampClock::Runtime,
        })
    }

    #[test]
    fn an_old_picture_makes_no_decision_and_a_silent_camera_stops() {
        let mut watch = watch();
        let mut look =
            |now: u64, stamp: u64| watch.look(now * MS, stamp * MS, &[now as u8; 12], [0.0; 3]);
        assert_eq!(look(1000, 990), CameraVerdict::Fine);
        for (now, expected) in [
            (1200, CameraVerdict::Fine),
            (1201, CameraVerdict::Late(201 * MS)),
            (1500, CameraVerdict::Late(500 * MS)),
            (1501, CameraVerdict::Silent(501 * MS)),
        ] {
            assert_eq!(look(now, 990), expected, "{now}");
        }
        assert_eq!(look(1600, 1590), CameraVerdict::Fine);
    }

    #[test]
    fn a_picture_that_cannot_be_taken_is_one_that_does_not_come() {
        let mut watch = watch();
        assert_eq!(watch.miss(0), None);
        watch.look(1000 * MS, 1000 * MS, &[1; 12], [0.0; 3]);
        assert_eq!(watch.miss(1001 * MS), Some(CameraVerdict::Late(MS)));
        assert_eq!(watch.miss(1501 * MS), Some(CameraVerdict::Silent(501 * MS)));
        let back = watch.look(1600 * MS, 1600 * MS, &[2; 12], [0.0; 3]);
        assert_eq!(back, CameraVerdict::Fine);
    }

    #[test]
    fn the_same_picture_is_a_fault_only_while_the_arm_moves() {
        let mut watch = watch();
        let pixels = [9; 12];
        for now in 0..50_u64 {
            let at = watch.look(now * 40 * MS, now * 40 * MS, &pixels, [0.3, 0.0, 0.2]);
            assert_eq!(at, CameraVerdict::Fine);
        }
        let mut moving = |step: u64, pixels: &[u8]| {
            let now = (50 + step) * 40 * MS;
            watch.look(now, now, pixels, [0.3 + 0.02 * step as f64, 0.0, 0.2])
        };
        // What changes is fine however far the arm goes.
        for step in 0..20 {
            assert_eq!(moving(step, &[step as u8; 12]), CameraVerdict::Fine);
        }
        let found = (20..30).find(|step| moving(*step, &pixels) == CameraVerdict::Frozen);
        // The first of them is new, the next three are 2 cm further each.
        assert_eq!(found, Some(23));
        watch.restart();
        let at = watch.look(2000 * MS, 2000 * MS, &pixels, [0.9; 3]);
        assert_eq!(at, CameraVerdict::Fine);
    }
}
