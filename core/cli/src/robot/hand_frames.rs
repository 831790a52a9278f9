//! Which frames of a recording a person's hand made.
//!
//! People look and think between two motions. A policy that learned from frames in
//! which the arm stands would learn to stand, so such times are no part of what is
//! recorded as done by the person: the motions before and after follow each other,
//! since the arm is where it was.

use vola_recorder::{Phase, Who};
use vola_types::Outcome;

use crate::recording::Recording;

/// The arm stands for so long before its time no longer counts (ns): long enough
/// for fingers to close.
const STILL_NS: u64 = 800_000_000;

/// Tells the recording when a person's motion counts.
pub(super) struct HandFrames {
    recording: Option<Recording>,
    task: String,
    phase: Phase,
    is_counting: bool,
    still_since_ns: Option<u64>,
}

impl HandFrames {
    /// Nothing has moved yet; `task` is the sentence of what is done.
    pub(super) fn new(recording: Option<Recording>, task: &str, phase: Phase) -> Self {
        Self {
            recording,
            task: task.to_owned(),
            phase,
            is_counting: false,
            still_since_ns: None,
        }
    }

    /// Whether the arm moves, or is told to, at this moment.
    pub(super) fn see(&mut self, now_ns: u64, is_moving: bool) {
        if is_moving {
            self.still_since_ns = None;
            self.count(now_ns);
            return;
        }
        let since_ns = *self.still_since_ns.get_or_insert(now_ns);
        if now_ns.saturating_sub(since_ns) >= STILL_NS {
            self.rest(now_ns);
        }
    }

    /// The person is in another phase from now on.
    pub(super) fn enter(&mut self, now_ns: u64, phase: Phase) {
        self.phase = phase;
        self.tell(now_ns);
    }

    /// Another sentence is done from now on.
    pub(super) fn turn_to(&mut self, now_ns: u64, task: &str) {
        self.rest(now_ns);
        task.clone_into(&mut self.task);
    }

    /// Nothing more follows.
    pub(super) fn end(&mut self, now_ns: u64) {
        self.rest(now_ns);
    }

    fn count(&mut self, now_ns: u64) {
        if std::mem::replace(&mut self.is_counting, true) {
            return;
        }
        if let Some(recording) = &self.recording {
            recording.primitive_began(now_ns, &self.task, Who::Human);
        }
        self.tell(now_ns);
    }

    fn rest(&mut self, now_ns: u64) {
        if !std::mem::replace(&mut self.is_counting, false) {
            return;
        }
        if let Some(recording) = &self.recording {
            recording.primitive_ended(now_ns, Some(Outcome::Done));
        }
    }

    /// Who is in control now; a time that does not count is nobody's.
    fn tell(&self, now_ns: u64) {
        if let Some(recording) = &self.recording {
            let (who, phase) = if self.is_counting {
                (Who::Human, self.phase)
            } else {
                (Who::Planner, Phase::Hold)
            };
            recording.control(now_ns, who, phase);
        }
    }
}
