//! A policy's doubt in a primitive: what the confidence is shown, and what follows
//! when it is low. The arm comes to rest first, then a person is asked.

use vola_bundle::ActionChunk;
use vola_confidence::{Asking, AttentionMaps, Evidence, Monitor, PlannedPath, ToolPose};
use vola_types::{ActionSpace, Op, Outcome, Signal};

use super::{Decision, Ending, Run, ended};
use crate::{
    ConfidenceReading, HandoffAnswer, HandoffChoice, HandoffEvent, HoldReason, Options,
    PrimitiveObserver, RuntimeError, Session, confidence::unjudged, proprioception::Proprioception,
};

impl Session {
    /// The policy is unsure: the arm comes to rest, a person decides.
    pub(super) fn hand_off(
        &mut self,
        op: Op,
        reading: &ConfidenceReading,
        observer: &mut dyn PrimitiveObserver,
        run: &mut Run,
        seed: u64,
    ) -> Result<Option<Ending>, RuntimeError> {
        run.held = true;
        // Before the order to hold is on its way: the next tick holds.
        self.hand(HandoffEvent::Held(HoldReason::Unsure(reading.signal)))?;
        observer.handed(self);
        self.settle()?;
        let asked_ns = self.body.now_ns();
        if let Some(ending) = spent(self.confidence.budget.ask(asked_ns), reading) {
            self.hand(HandoffEvent::Dropped)?;
            return Ok(Some(ending));
        }
        let answer = observer.low_confidence(reading);
        self.note_answer(answer)?;
        let now_ns = self.body.now_ns();
        run.monitor.answered(now_ns);
        run.stall.forgive();
        run.deadline_ns += now_ns - asked_ns;
        run.begin_ns += now_ns - asked_ns;
        Ok(match answer {
            HandoffAnswer::Continue => None,
            HandoffAnswer::Retry => {
                run.done = 0;
                run.failing = 0;
                run.deadline_ns = now_ns + self.settings.timeout_ns;
                run.begin_ns = now_ns;
                run.monitor = self.monitor(op)?;
                self.begin_policy(seed.wrapping_add(u64::from(run.decisions)))?;
                None
            }
            HandoffAnswer::Skip => {
                run.skipped = true;
                Some(Ending {
                    outcome: Outcome::Done,
                    reason: Some("a person said to skip it".to_owned()),
                })
            }
            HandoffAnswer::Abort | HandoffAnswer::Defer => {
                run.deferred = answer == HandoffAnswer::Defer;
                Some(ended(
                    Outcome::Interrupted,
                    "the policy was unsure and nobody said to go on",
                ))
            }
        })
    }

    /// What an observer answers on the spot.
    fn note_answer(&mut self, answer: HandoffAnswer) -> Result<(), RuntimeError> {
        let choice = match answer {
            HandoffAnswer::Continue => HandoffChoice::Continue,
            HandoffAnswer::Retry => HandoffChoice::Retry,
            HandoffAnswer::Skip => HandoffChoice::Skip,
            HandoffAnswer::Abort => HandoffChoice::Abort,
            HandoffAnswer::Defer => return Ok(()),
        };
        self.hand(HandoffEvent::Asked {
            options: Options::offered(false),
            timeout_ns: 0,
        })?;
        self.hand(HandoffEvent::Answered(choice))
    }

    /// A watch over a primitive that begins.
    pub(super) fn monitor(&self, op: Op) -> Result<Monitor, RuntimeError> {
        Monitor::new(&self.confidence.plan, op).map_err(|error| unjudged(&error))
    }

    /// A primitive that went well tells whether the calibration still fits.
    pub(super) fn watch_drift(&mut self, ending: &Ending, run: &Run) {
        let went_well = ending.outcome == Outcome::Done && !run.skipped;
        let Some(drift) = self.confidence.drift.as_mut().filter(|_| went_well) else {
            return;
        };
        // A question, answered or not, stands for the doubt that a new watch over the
        // same primitive has not seen.
        let was_low = run.was_asked || run.held || run.monitor.was_low();
        let is_told = drift.observe(was_low);
        let report = drift.report();
        self.policy_telemetry.show_drift(report);
        if is_told {
            tracing::warn!(
                seen = report.seen,
                held = report.held,
                stated = report.rate,
                "confidence: good primitives are held more often than was stated; the calibration no longer fits: run `vola calibrate`"
            );
        }
    }
}

/// Ends a primitive whose questions are used up: the arm is at rest, and does
/// not go on unasked.
fn spent(asking: Asking, reading: &ConfidenceReading) -> Option<Ending> {
    let whose = match asking {
        Asking::Allowed => return None,
        Asking::PrimitiveSpent => "this primitive",
        Asking::HourSpent => "this hour",
    };
    let signal = reading.signal.map_or("confidence", Signal::as_str);
    let text = format!(
        "the policy was unsure ({signal}), and the questions of {whose} are used up (`[confidence] budget`)"
    );
    Some(ended(Outcome::Interrupted, &text))
}

/// Shows the decision to the confidence.
pub(super) fn observe(
    run: &mut Run,
    decision: &Decision,
    measured: &Proprioception,
) -> ConfidenceReading {
    let samples: Vec<PlannedPath> = decision
        .samples
        .iter()
        .map(|chunk| planned(chunk, measured))
        .collect();
    let executed = planned(&decision.executed, measured);
    run.monitor.observe(&Evidence {
        time_ns: measured.time_ns,
        since_start_ns: measured.time_ns.saturating_sub(run.begin_ns),
        tool: ToolPose {
            position: measured.tool_position(),
            orientation: measured.tool_orientation(),
            gripper: measured.gripper,
            gripper_command: measured.gripper_command,
        },
        samples: &samples,
        executed: &executed,
        progress: decision.progress,
        features: decision.inner.features.as_deref(),
        attention: decision
            .inner
            .attention
            .as_ref()
            .map(|(maps, weights)| AttentionMaps {
                maps: *maps,
                weights,
            }),
        token_entropy: decision.inner.token_entropy.as_deref(),
    })
}

/// Tool positions of a chunk; for joint spaces the first three joints stand in.
fn planned(chunk: &ActionChunk, measured: &Proprioception) -> PlannedPath {
    let from = match chunk.space() {
        ActionSpace::ToolDelta => measured.tool_position(),
        _ => [0.0; 3],
    };
    let point = |row: &[f64]| {
        let mut point = from;
        for (value, delta) in point.iter_mut().zip(row) {
            *value += delta;
        }
        point
    };
    PlannedPath {
        first_ns: chunk.row_time_ns(0),
        period_ns: chunk.period_ns(),
        rows: chunk.rows().map(point).collect(),
    }
}
