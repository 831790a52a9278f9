//! One sentence from the words to the end of the motion: what run, chat and the
//! evaluation of commands share.

use std::sync::Arc;

use async_trait::async_trait;
use vola_bundle::{Deployment, Unanswered};
use vola_planner::{
    Actors, Backend, BackendError, Dialogue, EventSink, Executive, ExecutiveSettings, Ladder,
    Operator, PlanDraft, PlanRequest, RulesBackend, RunReport,
};
use vola_types::RunOutcome;

use crate::{failure::Failure, robot::SessionRobot};

/// The ladder of back ends that a deployment names.
fn ladder(deployment: &Deployment) -> Ladder {
    let rungs = deployment
        .planner()
        .backends()
        .iter()
        .map(|backend| rung(*backend))
        .collect();
    Ladder::new(rungs).with_deadline(deployment.planner().budget().answer)
}

fn rung(backend: vola_bundle::Backend) -> Arc<dyn Backend> {
    match backend {
        vola_bundle::Backend::Rules => Arc::new(RulesBackend::new()),
        vola_bundle::Backend::Claude => Arc::new(Absent { name: "claude" }),
        vola_bundle::Backend::Openai => Arc::new(Absent { name: "openai" }),
        vola_bundle::Backend::Local => Arc::new(Absent { name: "local" }),
    }
}

/// A back end that a deployment may name and this version does not have: it says
/// so, and the ladder goes on to the next.
struct Absent {
    name: &'static str,
}

#[async_trait]
impl Backend for Absent {
    fn name(&self) -> &str {
        self.name
    }

    async fn plan(&self, _: &PlanRequest) -> Result<PlanDraft, BackendError> {
        let detail = format!("the back end `{}` is not in this version", self.name);
        Err(BackendError::Unreachable { detail })
    }
}

/// Runs sentences, one after the other, on this thread.
pub(crate) struct Conversation {
    ladder: Ladder,
    dialogue: Dialogue,
    unanswered: Unanswered,
    runtime: tokio::runtime::Runtime,
}

impl Conversation {
    /// A conversation without a past.
    ///
    /// # Errors
    /// When the timer that bounds planning cannot be had.
    pub(crate) fn new(deployment: &Deployment) -> Result<Self, Failure> {
        Self::with(ladder(deployment), deployment.handoff().then())
    }

    /// A conversation with the built-in grammar, without a deployment.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn with_rules() -> Result<Self, Failure> {
        Self::with(Ladder::rules_only(), Unanswered::default())
    }

    fn with(ladder: Ladder, unanswered: Unanswered) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|source| Failure::System {
                what: "the planner's timer",
                source,
            })?;
        Ok(Self {
            ladder,
            dialogue: Dialogue::default(),
            unanswered,
            runtime,
        })
    }

    /// Forgets what was said.
    pub(crate) fn forget(&mut self) {
        self.dialogue = Dialogue::default();
    }

    /// Plans a sentence and does it. The arm is at rest when it returns.
    ///
    /// # Errors
    /// When the arm cannot be brought home after an unanswered question.
    pub(crate) fn say(
        &mut self,
        sentence: &str,
        robot: &mut SessionRobot,
        operator: &mut dyn Operator,
        events: &mut dyn EventSink,
    ) -> Result<RunReport, Failure> {
        robot.begin_run();
        let executive = Executive::new(
            &self.ladder,
            ExecutiveSettings::default(),
            robot.stop_flag(),
        );
        let mut actors = Actors {
            robot,
            operator,
            events,
        };
        let run = executive.run(sentence, &mut self.dialogue, &mut actors);
        let report = self.runtime.block_on(run);
        let held = report.outcome == RunOutcome::NeedsPerson && report.handoffs > 0;
        if held && self.unanswered == Unanswered::Home {
            robot.go_home()?;
        }
        Ok(report)
    }

    /// Plans a sentence over a scene; nothing moves.
    pub(crate) fn plan(&self, request: &PlanRequest) -> vola_types::Plan {
        self.runtime.block_on(self.ladder.plan(request))
    }
}
