//! Recording a session: its pictures, measured instants and events on their way
//! to the recorder.

mod desk;
mod frame_layout;
mod observer;

pub(crate) use desk::RecordingDesk;
pub(crate) use observer::Recorded;

use vola_recorder::{EpisodeEnd, EpisodeStart, Feed, Phase, Who};
use vola_types::{Outcome, RunEvent, RunEventKind};

/// One session's way to the recorder; clones give to the same episode.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    feed: Feed,
    /// Zero of the times in run events (ns, on the runtime's clock).
    events_began_ns: u64,
    epoch_ns: u64,
    header: serde_json::Value,
}

impl Recording {
    /// An episode begins: a sentence, or a task of an evaluation.
    pub(crate) fn begin(&self, time_ns: u64, task: &str) {
        self.feed.begin(EpisodeStart {
            task: task.to_owned(),
            time_ns,
            epoch_ns: self.epoch_ns,
            header: self.header.clone(),
        });
    }

    /// The episode ends. Returns when its stream is safe, or after two seconds.
    pub(crate) fn end(&self, time_ns: u64, success: bool, outcome: &str) {
        let end = EpisodeEnd {
            success,
            outcome: outcome.to_owned(),
        };
        self.feed.end(time_ns, end);
    }

    /// A lesson that is kept ends, as [`end`](Self::end); false when it could not be
    /// recorded, so that nobody is told that it was.
    pub(crate) fn keep(&self, time_ns: u64, outcome: &str) -> bool {
        let end = EpisodeEnd {
            success: true,
            outcome: outcome.to_owned(),
        };
        self.feed.end(time_ns, end)
    }

    /// The episode is given up: nothing of it stays. Returns as [`end`](Self::end).
    pub(crate) fn discard(&self) {
        self.feed.discard();
    }

    /// Something happened. The last event of a sentence ends its episode: who
    /// hears of the end can rely on the recording.
    pub(crate) fn event(&self, event: &RunEvent) {
        let time_ns = self.time_ns(event.t);
        self.feed.event(time_ns, event);
        if let RunEventKind::HandoffState { who, phase, .. } = &event.kind {
            self.handed(time_ns, who, phase.as_deref());
        }
        if let RunEventKind::Finished {
            success, outcome, ..
        } = &event.kind
        {
            self.end(time_ns, *success, outcome.as_str());
        }
    }

    /// The arm passed from one to another.
    fn handed(&self, time_ns: u64, who: &str, phase: Option<&str>) {
        let (who, phase) = match (who, phase) {
            ("policy", _) => (Who::Policy, Phase::Auto),
            ("person", Some("correction")) => (Who::Human, Phase::Correction),
            ("person", _) => (Who::Human, Phase::Recovery),
            _ => (Who::Planner, Phase::Hold),
        };
        self.control(time_ns, who, phase);
    }

    /// A primitive begins.
    pub(crate) fn primitive_began(&self, time_ns: u64, task: &str, who: Who) {
        self.feed.primitive_began(time_ns, task, who);
    }

    /// It ended; the arm is at rest.
    pub(crate) fn primitive_ended(&self, time_ns: u64, outcome: Option<Outcome>) {
        let word = outcome.map_or("stopped", Outcome::as_str);
        self.feed.primitive_ended(time_ns, word);
    }

    /// Somebody else is in control, or in another phase.
    pub(crate) fn control(&self, time_ns: u64, who: Who, phase: Phase) {
        self.feed.control(time_ns, who, phase);
    }

    /// The same, for run events whose times count from here (ns).
    pub(crate) fn counting_from(self, events_began_ns: u64) -> Self {
        Self {
            events_began_ns,
            ..self
        }
    }

    fn time_ns(&self, t: f64) -> u64 {
        let run = std::time::Duration::try_from_secs_f64(t).unwrap_or_default();
        let run_ns = u64::try_from(run.as_nanos()).unwrap_or(u64::MAX);
        self.events_began_ns.saturating_add(run_ns)
    }
}
