//! The last seconds of motion, kept in memory, written down when the runtime dies.

use std::{collections::VecDeque, fs::File, io::Write as _};

use vola_abi::StateFrame;

/// Ticks that are kept: two seconds before the loss, the two and a half that an
/// orphaned robot is watched for at most, and some to spare.
const KEPT: usize = 4600;
/// Values of a frame that are kept.
const VALUES: usize = 16;

/// One tick.
#[derive(Clone, Copy, Debug)]
struct Moment {
    time_ns: u64,
    count: usize,
    position: [f64; VALUES],
    velocity: [f64; VALUES],
}

/// The newest moments.
#[derive(Debug)]
pub(super) struct MotionLog {
    moments: VecDeque<Moment>,
}

impl MotionLog {
    pub(super) fn new() -> Self {
        Self {
            moments: VecDeque::with_capacity(KEPT),
        }
    }

    /// Keeps a state, once a moment of the robot's clock.
    pub(super) fn keep(&mut self, frame: &StateFrame) {
        if self
            .moments
            .back()
            .is_some_and(|last| last.time_ns == frame.capture_time_ns)
        {
            return;
        }
        if self.moments.len() >= KEPT {
            self.moments.pop_front();
        }
        let mut moment = Moment {
            time_ns: frame.capture_time_ns,
            count: frame.positions().len().min(VALUES),
            position: [0.0; VALUES],
            velocity: [0.0; VALUES],
        };
        for (slot, value) in moment.position.iter_mut().zip(frame.positions()) {
            *slot = *value;
        }
        for (slot, value) in moment.velocity.iter_mut().zip(frame.velocities()) {
            *slot = *value;
        }
        self.moments.push_back(moment);
    }

    /// Writes everything as JSON lines: the cause with the time at which the
    /// runtime was lost, then a line a moment.
    pub(super) fn write(&self, file: &mut File, cause: &str, lost_ns: u64) -> std::io::Result<()> {
        let mut text = serde_json::json!({
            "event": "runtime_lost", "cause": cause, "time_ns": lost_ns,
        })
        .to_string();
        text.push('\n');
        for moment in &self.moments {
            let position = moment.position.get(..moment.count).unwrap_or_default();
            let velocity = moment.velocity.get(..moment.count).unwrap_or_default();
            let line = serde_json::json!({
                "time_ns": moment.time_ns, "position": position, "velocity": velocity,
            });
            text.push_str(&line.to_string());
            text.push('\n');
        }
        file.write_all(text.as_bytes())?;
        file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_moments_are_written() {
        let mut log = MotionLog::new();
        for tick in 0..KEPT as u64 + 10 {
            let mut frame = StateFrame {
                capture_time_ns: tick * 1_000_000,
                count: 2,
                ..StateFrame::default()
            };
            frame.position[1] = 0.5;
            log.keep(&frame);
            log.keep(&frame);
        }
        let mut file = tempfile::tempfile().unwrap();
        log.write(&mut file, "killed", 7).unwrap();
        use std::io::{Read as _, Seek as _};
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), KEPT + 1);
        assert_eq!(lines[0]["cause"], "killed");
        assert_eq!(lines[1]["time_ns"], 10_000_000);
        assert_eq!(lines[1]["position"], serde_json::json!([0.0, 0.5]));
    }
}
