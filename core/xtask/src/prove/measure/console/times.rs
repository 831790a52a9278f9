//! From what was heard, and when, to latencies.

use std::time::Instant;

use serde_json::Value;

use super::page::Heard;
use crate::prove::measure::number;

/// A motion begins no sooner after a jog than this (s): clocks are compared only so
/// well.
const TOO_SOON_S: f64 = 0.003;
/// And no later.
const TOO_LATE_S: f64 = 0.5;

/// What was seen.
#[derive(Debug)]
pub(super) struct Times {
    start: Instant,
    /// Least time from a message's own clock to here (s): the run's, the runtime's.
    run_offset_s: f64,
    runtime_offset_s: f64,
    /// When it was decided to hold, on the run's clock (s), until it is asked about.
    held_at_s: Option<f64>,
    /// Holds: decided at (s, run's clock), the question shown at (s, here).
    questions: Vec<(f64, f64)>,
    /// When the page showed a hold last (s, here), until its own time is known.
    hold_shown_s: Option<f64>,
    /// Holds: decided at (s, run's clock), shown at (s, here).
    holds: Vec<(f64, f64)>,
    /// Jogs sent at (s, here).
    jogs: Vec<f64>,
    round_trip_ms: Vec<f64>,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            run_offset_s: f64::INFINITY,
            runtime_offset_s: f64::INFINITY,
            held_at_s: None,
            questions: Vec::new(),
            hold_shown_s: None,
            holds: Vec::new(),
            jogs: Vec::new(),
            round_trip_ms: Vec::new(),
        }
    }
}

/// What came out (ms).
#[derive(Debug, Default)]
pub(super) struct Latencies {
    pub(super) hold_to_page_ms: Vec<f64>,
    pub(super) rest_to_question_ms: Vec<f64>,
    pub(super) hold_to_question_ms: Vec<f64>,
    pub(super) jog_to_command_ms: Vec<f64>,
    pub(super) round_trip_ms: Vec<f64>,
}

impl Times {
    fn here_s(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.start).as_secs_f64()
    }

    /// A jog is sent now.
    pub(super) fn jog_sent(&mut self) {
        self.jogs.push(self.here_s(Instant::now()));
    }

    /// Takes a message.
    pub(super) fn see(&mut self, heard: &Heard) {
        let (message, here_s) = (&heard.message, self.here_s(heard.at));
        if let Some(took) = heard.round_trip {
            self.round_trip_ms.push(took.as_secs_f64() * 1e3);
        }
        if let Some(t) = message["t"].as_f64() {
            let offset = match message["type"].as_str() {
                Some("state") => &mut self.runtime_offset_s,
                _ => &mut self.run_offset_s,
            };
            *offset = offset.min(here_s - t);
        }
        if message["event"] == "handoff_state" && message["to"] == "hold" {
            self.held_at_s = message["at"].as_f64();
        }
        // A hold that led to no question is none of the next one's.
        if message["event"] == "handoff_state" && message["to"] == "auto" {
            self.hold_shown_s = None;
        }
        // The two connections may bring them in either order.
        if message["type"] == "run" && message["holds"] == true {
            self.hold_shown_s.get_or_insert(here_s);
        }
        if heard.is_of_a_hold()
            && let Some(held_at_s) = self.held_at_s.take()
        {
            self.questions.push((held_at_s, here_s));
            // What was put together with the question was shown no sooner.
            let shown_s = self.hold_shown_s.take().unwrap_or(here_s);
            self.holds.push((held_at_s, shown_s));
        }
    }

    /// What they come to, with what the control loop did.
    ///
    /// # Errors
    /// When the replay does not tell it, or too little was seen.
    pub(super) fn latencies(&self, replayed: &Value) -> Result<Latencies, String> {
        let begins_s = number(replayed, "begins_s")?;
        let motions = replayed["motions"].as_array().ok_or("replay: no motions")?;
        // On the clock here.
        let here = |motion: &Value, key: &str| {
            Ok::<f64, String>(number(motion, key)? + begins_s + self.runtime_offset_s)
        };
        let motions = motions
            .iter()
            .map(|motion| Ok((here(motion, "from_s")?, here(motion, "to_s")?)))
            .collect::<Result<Vec<(f64, f64)>, String>>()?;
        let mut latencies = Latencies {
            round_trip_ms: self.round_trip_ms.clone(),
            ..Latencies::default()
        };
        for (held_at_s, shown_s) in &self.holds {
            let held_s = held_at_s + self.run_offset_s;
            latencies.hold_to_page_ms.push((shown_s - held_s) * 1e3);
        }
        for (held_at_s, shown_s) in &self.questions {
            let held_s = held_at_s + self.run_offset_s;
            latencies.hold_to_question_ms.push((shown_s - held_s) * 1e3);
            // Where it stood already it holds from then on.
            let braked = motions
                .iter()
                .find(|(from, to)| *from <= held_s && *to >= held_s);
            let rest_s = braked.map_or(held_s, |(_, to)| *to);
            latencies.rest_to_question_ms.push((shown_s - rest_s) * 1e3);
        }
        let mut seen = 0;
        for sent_s in &self.jogs {
            let follows =
                |(from, _): &&(f64, f64)| (-TOO_SOON_S..TOO_LATE_S).contains(&(from - sent_s));
            let moved = motions.iter().find(follows);
            seen += usize::from(moved.is_some());
            let took_s = moved.map_or(TOO_LATE_S, |(from, _)| from - sent_s);
            latencies.jog_to_command_ms.push(took_s * 1e3);
        }
        if seen == 0 || 10 * seen < 9 * self.jogs.len() {
            return Err(format!(
                "of {} jogs only {seen} were seen to move the arm",
                self.jogs.len(),
            ));
        }
        if latencies.rest_to_question_ms.is_empty() || latencies.round_trip_ms.is_empty() {
            return Err("no question was seen".to_owned());
        }
        Ok(latencies)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn two_clocks_are_compared_by_their_soonest_messages() {
        let mut times = Times::default();
        let start = times.start;
        let heard = |ms: u64, message: Value| Heard {
            at: start + Duration::from_millis(ms),
            message,
            round_trip: None,
        };
        // The runtime's clock is 10 s ahead, the run's 9 s.
        times.see(&heard(5, json!({"type": "state", "t": 10.001})));
        times.see(&heard(101, json!({"type": "state", "t": 10.1})));
        times.see(&heard(100, json!({"event": "state", "t": 9.1})));
        // Held at 200 ms, at rest at 300 ms, asked at 320 ms.
        times.see(&heard(
            310,
            json!({"event": "handoff_state", "to": "hold", "at": 9.2, "t": 9.3}),
        ));
        times.see(&heard(
            205,
            json!({"type": "run", "holds": true, "question": null}),
        ));
        times.see(&heard(
            320,
            json!({"type": "run", "holds": false, "question": {"id": 1, "choices": ["continue", "abort"]}}),
        ));
        times.see(&Heard {
            round_trip: Some(Duration::from_micros(400)),
            ..heard(330, json!({"type": "pong"}))
        });
        times.jogs.push(0.5);
        let replayed = json!({"begins_s": 10.0, "motions": [
            {"from_s": 0.05, "to_s": 0.299}, {"from_s": 0.519, "to_s": 0.6}]});
        let latencies = times.latencies(&replayed).unwrap();
        for (got, expected) in [
            (latencies.hold_to_page_ms[0], 5.0),
            (latencies.hold_to_question_ms[0], 120.0),
            (latencies.rest_to_question_ms[0], 20.0),
            (latencies.jog_to_command_ms[0], 20.0),
            (latencies.round_trip_ms[0], 0.4),
        ] {
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
        let nothing = json!({"begins_s": 10.0, "motions": []});
        assert!(times.latencies(&nothing).is_err());
    }
}
