//! A small motion of every joint, again and again: what the control loop is
//! measured and tested with.

use crate::{RuntimeError, Session, chunk_targets::JointTarget};

/// Farthest that a joint goes from home (rad, m), if its limits allow.
const REACH: f64 = 0.05;
/// Period of the motion (s).
const PERIOD_S: f64 = 4.0;
/// Time between two rows of a chunk, and rows of a chunk.
const ROW_NS: u64 = 100_000_000;
const ROWS: u64 = 10;
/// Time between two chunks.
const CHUNK_NS: u64 = 200_000_000;

impl Session {
    /// Swings every joint about its home position for some seconds, with chunks
    /// as a policy sends them, then comes to rest. The gripper stays.
    ///
    /// # Errors
    /// When the safety layer stopped the robot.
    pub fn sweep(&mut self, seconds: f64) -> Result<(), RuntimeError> {
        let begin_ns = self.body.now_ns();
        let end_ns = begin_ns + (seconds.clamp(0.0, 1e6) * 1e9) as u64;
        let home = self.model.home().to_vec();
        let gripper = self.body.status().command().get(home.len()).copied();
        while self.body.now_ns() < end_ns && !self.stop_switch.is_thrown() {
            let now_ns = self.body.now_ns();
            let targets: Vec<JointTarget> = (1..=ROWS)
                .map(|row| {
                    let time_ns = now_ns + row * ROW_NS;
                    let phase = (time_ns - begin_ns) as f64 * 1e-9 / PERIOD_S;
                    let swing = REACH * (std::f64::consts::TAU * phase).sin();
                    // Neighbours swing against each other, so that the tool stays near.
                    let joints = home.iter().enumerate().map(|(joint, home)| {
                        if joint % 2 == 0 {
                            home + swing
                        } else {
                            home - swing
                        }
                    });
                    JointTarget {
                        time_ns,
                        position: joints.chain(gripper).collect(),
                    }
                })
                .collect();
            let fresh_by_ns = now_ns + CHUNK_NS + self.settings.chunk_deadline_ns;
            self.follow(&targets, fresh_by_ns)?;
            self.advance_to(now_ns + CHUNK_NS)?;
        }
        self.settle()
    }
}
