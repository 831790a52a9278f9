//! The course of a primitive, told as events of the run.

use vola_planner::Attention;
use vola_runtime::{
    ConfidenceReading, DecisionReport, HandoffAnswer, PrimitiveObserver, SafetyNote, Session,
};
use vola_types::{RunEvent, RunEventKind, Signal};

use super::handing_over::told;

/// Tells a primitive's course as events.
pub(super) struct Telling<'a> {
    pub(super) attention: &'a mut dyn Attention,
    began_ns: u64,
    pub(super) now_ns: u64,
    /// Until when an unsure policy goes on by itself (ns).
    trusted_until_ns: u64,
    /// What was read when it came to rest unsure.
    pub(super) unsure: Option<ConfidenceReading>,
}

impl<'a> Telling<'a> {
    pub(super) fn new(
        attention: &'a mut dyn Attention,
        began_ns: u64,
        trusted_until_ns: u64,
    ) -> Self {
        Self {
            attention,
            began_ns,
            now_ns: began_ns,
            trusted_until_ns,
            unsure: None,
        }
    }

    pub(super) fn emit(&mut self, kind: RunEventKind) {
        let t = self.seconds();
        self.attention.emit(RunEvent { t, kind });
    }

    pub(super) fn seconds(&self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "nanoseconds of a run stay far below 2^53"
        )]
        let seconds = self.now_ns.saturating_sub(self.began_ns) as f64 * 1e-9;
        seconds
    }
}

impl PrimitiveObserver for Telling<'_> {
    fn decision(&mut self, decision: &DecisionReport<'_>) {
        // What was told meanwhile may be newer than the observation.
        self.now_ns = self.now_ns.max(decision.time_ns);
        let reading = &decision.confidence;
        self.emit(RunEventKind::Confidence {
            score: reading.score,
            threshold: reading.threshold,
            signal: reading.signal,
            signals: reading.signals.clone(),
            failure_probability: reading.failure_probability,
        });
    }

    fn is_trusted(&mut self, now_ns: u64) -> bool {
        now_ns < self.trusted_until_ns
    }

    fn handed(&mut self, session: &mut Session) {
        self.now_ns = self.now_ns.max(session.now_ns());
        for change in session.handoff_transitions() {
            self.emit(told(&change, self.began_ns));
        }
    }

    fn low_confidence(&mut self, reading: &ConfidenceReading) -> HandoffAnswer {
        // The primitive ends at rest; the executive asks and may begin it again
        // from there.
        self.unsure = Some(reading.clone());
        HandoffAnswer::Defer
    }

    fn is_rest_wanted(&mut self, now_ns: u64) -> bool {
        self.now_ns = self.now_ns.max(now_ns);
        let seconds = self.seconds();
        self.attention.is_rest_wanted(seconds)
    }

    fn safety(&mut self, note: &SafetyNote<'_>) {
        self.now_ns = self.now_ns.max(note.time_ns);
        self.emit(RunEventKind::Safety {
            limit: note.limit.to_owned(),
            action: note.action.to_owned(),
        });
    }
}

/// Why the arm holds, with the signal's name.
pub(super) fn unsure_words(signal: Option<Signal>) -> String {
    let what = match signal {
        Some(Signal::DirectionReversals) => "I go back and forth",
        Some(Signal::Jerk) => "my plan is jerky",
        Some(Signal::ChunkConsistency) => "I keep changing my plan",
        Some(Signal::ChunkNorm) => "I want to go farther than usual",
        Some(Signal::Stall) => "I stand still",
        Some(Signal::NoProgress) => "I make no progress",
        Some(Signal::LostGrasp) => "my fingers hold nothing",
        Some(Signal::Velocity) => "I am faster than usual",
        Some(Signal::SampleSpread) => "I see several ways to go on",
        Some(Signal::Failing) => "I think that it fails",
        Some(Signal::FeatureDistance) => "this looks new to me",
        Some(Signal::AttentionEntropy) => "I do not know where to look",
        Some(Signal::TokenEntropy) => "I cannot decide what to do",
        Some(Signal::LearnedRisk) => "it goes as it went before it failed",
        None => return "I am not sure of what I am doing".to_owned(),
    };
    let name = signal.map_or("", Signal::as_str);
    format!("I am not sure of what I am doing: {what} ({name})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsure_policy_holds_until_a_person_said_to_go_on() {
        let mut events: Vec<RunEvent> = Vec::new();
        let mut push = |event: RunEvent| events.push(event);
        let mut sink = vola_planner::EventsOnly(&mut push);
        let reading = ConfidenceReading {
            score: 0.2,
            threshold: 0.5,
            low: true,
            signal: Some(Signal::Stall),
            ..ConfidenceReading::default()
        };
        let mut telling = Telling::new(&mut sink, 1_000_000_000, 0);
        assert_eq!(telling.low_confidence(&reading), HandoffAnswer::Defer);
        assert_eq!(
            telling.unsure.as_ref().map(|reading| reading.score),
            Some(0.2)
        );
        let mut telling = Telling::new(&mut sink, 1_000_000_000, 3_000_000_000);
        telling.now_ns = 2_500_000_000;
        assert!(telling.is_trusted(2_500_000_000) && !telling.is_trusted(3_000_000_000));
        telling.safety(&SafetyNote {
            time_ns: 2_600_000_000,
            limit: "speed",
            action: "slower",
        });
        telling.now_ns = 3_500_000_000;
        assert_eq!(telling.low_confidence(&reading), HandoffAnswer::Defer);
        assert_eq!(events.len(), 1);
        assert!((events[0].t - 1.6).abs() < 1e-9);
    }
}
