//! Writes down what a primitive tells, and passes it on.

use vola_recorder::{Gate, Phase, Who};
use vola_runtime::{
    ConfidenceReading, DecisionReport, HandoffAnswer, PrimitiveObserver, SafetyNote, Session,
};

use super::Recording;

/// An observer whose primitive is recorded, where anything is.
pub(crate) struct Recorded<'a> {
    inner: &'a mut dyn PrimitiveObserver,
    recording: Option<Recording>,
    who: Who,
    now_ns: u64,
}

impl<'a> Recorded<'a> {
    /// Passes everything on to `inner`; `who` drives.
    pub(crate) fn new(
        inner: &'a mut dyn PrimitiveObserver,
        recording: Option<Recording>,
        who: Who,
    ) -> Self {
        Self {
            inner,
            recording,
            who,
            now_ns: 0,
        }
    }
}

impl PrimitiveObserver for Recorded<'_> {
    fn decision(&mut self, decision: &DecisionReport<'_>) {
        self.now_ns = self.now_ns.max(decision.time_ns);
        if let Some(recording) = &self.recording {
            let reading = &decision.confidence;
            let signals = reading.signals.iter();
            let gate = Gate {
                score: reading.score,
                threshold: reading.threshold,
                low: reading.low,
                signals: signals
                    .map(|signal| (signal.name.as_str().to_owned(), signal.value))
                    .collect(),
                progress: decision.progress,
                millis: decision.millis,
            };
            recording.feed.gate(decision.time_ns, gate);
        }
        self.inner.decision(decision);
    }

    fn is_trusted(&mut self, now_ns: u64) -> bool {
        self.inner.is_trusted(now_ns)
    }

    fn handed(&mut self, session: &mut Session) {
        self.inner.handed(session);
    }

    fn low_confidence(&mut self, reading: &ConfidenceReading) -> HandoffAnswer {
        if let Some(recording) = &self.recording {
            recording.control(self.now_ns, Who::Planner, Phase::Hold);
        }
        let answer = self.inner.low_confidence(reading);
        let goes_on = matches!(answer, HandoffAnswer::Continue | HandoffAnswer::Retry);
        if let (Some(recording), true) = (&self.recording, goes_on) {
            recording.control(self.now_ns, self.who, Phase::Auto);
        }
        answer
    }

    fn is_rest_wanted(&mut self, now_ns: u64) -> bool {
        self.inner.is_rest_wanted(now_ns)
    }

    fn safety(&mut self, note: &SafetyNote<'_>) {
        self.now_ns = self.now_ns.max(note.time_ns);
        self.inner.safety(note);
    }
}
