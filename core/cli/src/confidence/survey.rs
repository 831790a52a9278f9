//! One episode with the signals of all its decisions.

use serde::{Deserialize, Serialize};
use vola_confidence::EpisodeCurves;
use vola_runtime::{DecisionReport, Driver, PrimitiveObserver, Session};
use vola_types::Signal;

use crate::{
    commands::eval::{
        Combos, Conditions, EpisodeOutcome, Job, NOT_SEEN, NamedTarget, Phrases, Points, STOPPED,
        View, name_of, primitive_episode,
    },
    failure::Failure,
};

/// An episode and what was seen in it. Nothing held: the curves go on to the end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Surveyed {
    /// The task.
    pub(crate) task: String,
    /// Seed of its scene.
    pub(crate) seed: u64,
    /// What was wrong with it on purpose, or `none`.
    pub(crate) perturb: String,
    /// Whether the world shows the goal at the end.
    pub(crate) success: bool,
    /// How it ended, in a word.
    pub(crate) end: String,
    /// Signals of all decisions.
    pub(crate) curves: EpisodeCurves,
    /// The head's input at all decisions, one after the other.
    #[serde(skip)]
    pub(crate) features: Vec<f32>,
}

impl Surveyed {
    /// Whether there was anything to judge: the camera had found what the
    /// instruction names, and the policy decided at least once.
    pub(crate) fn has_run(&self) -> bool {
        self.end != NOT_SEEN && !self.curves.times_s.is_empty()
    }

    /// Whether a watchdog stopped it.
    pub(crate) fn is_stopped(&self) -> bool {
        self.end == STOPPED
    }

    /// Rows of the head's input, each `width` long.
    pub(crate) fn feature_rows(&self) -> impl Iterator<Item = &[f32]> {
        let width = self.features.len() / self.curves.times_s.len().max(1);
        self.features.chunks_exact(width.max(1))
    }

    /// Puts a signal that was measured afterwards beside the others.
    pub(crate) fn put(&mut self, signal: Signal, values: Vec<Option<f64>>) {
        self.curves.values.insert(signal, values);
    }
}

/// Does one episode with the policy as it is run, goal points from the camera.
/// Every second scene is asked for in another way than a run asks: words that
/// are new to the policy make it no less able, and so must not make it hold.
///
/// # Errors
/// When the world or the runtime fails.
pub(crate) fn survey_episode(session: &mut Session, job: &Job) -> Result<Surveyed, Failure> {
    let mut recorder = Recorder::default();
    let conditions = Conditions {
        driver: Driver::Policy,
        points: Points::FromScene,
        phrases: if job.seed.is_multiple_of(2) {
            Phrases::Canonical
        } else {
            Phrases::Training
        },
        combos: Combos::All,
        target: NamedTarget::True,
        view: View::Scene,
    };
    let EpisodeOutcome { success, end, .. } =
        primitive_episode(session, job, &conditions, (None, &mut recorder))?;
    let mut curves = recorder.curves;
    curves.op = session.last_op();
    Ok(Surveyed {
        task: job.task.clone(),
        seed: job.seed,
        perturb: name_of(job.perturb).to_owned(),
        success,
        end,
        curves,
        features: recorder.features,
    })
}

/// Writes down every decision.
#[derive(Default)]
struct Recorder {
    curves: EpisodeCurves,
    features: Vec<f32>,
}

impl PrimitiveObserver for Recorder {
    fn decision(&mut self, decision: &DecisionReport<'_>) {
        let values = decision.confidence.signals.iter();
        self.curves.push(
            decision.confidence.seconds,
            values.map(|reading| (reading.name, reading.value)),
        );
        self.features
            .extend_from_slice(decision.features.unwrap_or_default());
    }
}
