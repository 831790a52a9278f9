//! The robot, as the executive sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use vola_types::{Outcome, PrimitiveGoal, RunEventKind, Scene, Step};

use super::attention::Attention;
use crate::capabilities::Capabilities;
use crate::request::EncodedImage;

/// A machine that reads scenes and runs primitives.
///
/// All methods are called by one executive, one at a time, on its thread. The
/// implementation is the runtime's: policy, safety layer and control loop are
/// behind [`Robot::run_primitive`]. An error means the machine cannot go on; a
/// primitive that merely did not work is a [`PrimitiveEnd`]. After an error
/// the machine holds.
#[async_trait(?Send)]
pub trait Robot {
    /// What it can do; constant for a run.
    fn capabilities(&self) -> Capabilities;

    /// The run's clock, in seconds; never goes back.
    fn seconds(&self) -> f64;

    /// Reads the scene. Moves nothing.
    ///
    /// # Errors
    /// [`RobotError`] when no scene can be had.
    async fn scene(&mut self) -> Result<Scene, RobotError>;

    /// Runs one primitive until it ends or the robot holds for help. Emits
    /// `confidence` and `safety` events with its own clock. Polls the run's
    /// [`StopFlag`] at least every control period, and
    /// [`Attention::is_rest_wanted`] before every decision; when either says so,
    /// it comes to rest within limits, keeps what it holds, and ends as
    /// interrupted. The executive never runs primitives in parallel.
    ///
    /// # Errors
    /// [`RobotError`] when the machine cannot go on.
    async fn run_primitive(
        &mut self,
        step: &Step,
        goal: &PrimitiveGoal,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError>;

    /// Goes on with the primitive that ended as [`PrimitiveEnd::Held`].
    ///
    /// # Errors
    /// [`RobotError`] when the machine cannot go on.
    async fn continue_primitive(
        &mut self,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError>;

    /// Comes to rest within limits and forgets the current primitive.
    ///
    /// # Errors
    /// [`RobotError`] when the machine does not obey; its own time-out then
    /// stops it.
    async fn stop(&mut self) -> Result<(), RobotError>;

    /// What became of a hold: asked, decided, or not answered. The robot passes the
    /// authority over the arm on and gives what there is to log.
    fn hand_off(&mut self, _turn: HandoffTurn) -> Vec<RunEventKind> {
        Vec::new()
    }

    /// Whether a person could move the arm by hand.
    fn can_be_taken_over(&self) -> bool {
        false
    }

    /// Lets a person move the arm, after [`HandoffTurn::TakenOver`] or
    /// [`HandoffTurn::Demanded`], to do this step; at rest when it returns. Emits
    /// what happens meanwhile.
    ///
    /// # Errors
    /// [`RobotError`] when the machine cannot go on.
    async fn take_over(
        &mut self,
        _step: &Step,
        _attention: &mut dyn Attention,
    ) -> Result<TakenOver, RobotError> {
        Ok(TakenOver::Unanswered)
    }

    /// What the camera shows, for planners that look at pictures; `None` when
    /// they are not to see any. Moves nothing.
    fn picture(&mut self) -> Option<EncodedImage> {
        None
    }

    /// The executive begins (or ends) to plan: from now on a word that stops
    /// must act although nothing moves yet.
    fn set_planning(&mut self, _is_planning: bool) {}

    /// Whether somebody ordered a stop past the [`StopFlag`]. Polled while a
    /// plan is made.
    fn is_stop_ordered(&self) -> bool {
        false
    }

    /// What a simulated world says of the goal of these finished steps; `None`
    /// where no world can tell (the executive then trusts its own scene
    /// checks).
    fn world_success(&mut self, _steps: &[Step]) -> Option<bool> {
        None
    }
}

/// How a primitive came to rest.
#[derive(Debug, Clone, PartialEq)]
pub enum PrimitiveEnd {
    /// It is over.
    Finished {
        /// How it ended, by the robot's own judgement.
        outcome: Outcome,
        /// Why, when it is not done.
        reason: Option<String>,
    },
    /// The robot is unsure; it holds where it is and waits.
    Held {
        /// Why.
        reason: String,
        /// Confidence score, when one was the reason.
        score: Option<f64>,
        /// Its threshold.
        threshold: Option<f64>,
    },
    /// The safety layer stopped it; nothing more may move in this run.
    SafetyStopped {
        /// Which limit.
        limit: String,
    },
}

/// What the executive tells of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandoffTurn {
    /// A person is asked now.
    Asked,
    /// Go on as if sure.
    Continued,
    /// The step once more, or the plan was changed.
    Retried,
    /// Without the step.
    LeftOut,
    /// The person moves the arm.
    TakenOver,
    /// The person moves the arm without having been asked.
    Demanded,
    /// The run ends by a person's word.
    Aborted,
    /// Nobody answered.
    Unanswered,
}

/// How a person's time with the arm ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenOver {
    /// It was given back; what is there now is for a look to say.
    GivenBack,
    /// The person ended the run.
    GivenUp,
    /// Nobody was there any more.
    Unanswered,
    /// A stop was ordered.
    Stopped,
    /// The safety layer stopped it; nothing more may move in this run.
    SafetyStopped {
        /// Which limit.
        limit: String,
    },
}

/// Why the machine cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RobotError {
    /// No scene can be read.
    #[error("the scene cannot be read: {detail}")]
    NoScene {
        /// What failed.
        detail: String,
    },
    /// The machine does not answer or refuses to move.
    #[error("the robot cannot go on: {detail}")]
    Machine {
        /// What failed.
        detail: String,
    },
}

/// A shared order to stop. Setting it is wait-free and may be done on any
/// thread.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// A flag that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Orders the stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Clears the order, before a new run.
    pub fn clear(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// Whether the stop is ordered.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
