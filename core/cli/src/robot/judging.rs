//! What a simulated world says of steps, and what an evaluator asks of a robot.

use vola_planner::{Attention, PrimitiveEnd, RobotError};
use vola_types::{Op, Outcome, PrimitiveGoal, Step};

use super::{SessionRobot, Sight};
use crate::measure::world_goal;

/// How long the world is given when it does not show the goal at once: what was
/// let go falls, what was lifted must stay up (s).
const AFTERWARDS_S: f64 = 0.7;

impl SessionRobot {
    /// An evaluator has named the world's goal: steps leave it as it is.
    pub(crate) fn measure_from_outside(&mut self) {
        self.is_measured_from_outside = true;
    }

    /// Goes on, in this run, however unsure the policy is; nobody is asked about it.
    pub(crate) fn trust_the_policy(&mut self) {
        self.trusted_until_ns = u64::MAX;
    }

    /// What is remembered of the scene; to tell it what a camera was never shown.
    pub(crate) fn sight(&mut self) -> &mut Sight {
        &mut self.sight
    }

    /// Runs a step in the words and to the points that it is told, whatever the plan
    /// says of it.
    ///
    /// # Errors
    /// When the machine cannot go on.
    pub(crate) fn do_as_told(
        &mut self,
        step: &Step,
        told: &PrimitiveGoal,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        self.name_goal(step);
        self.drive_judged(step, told, attention)
    }

    /// Names the step's goal to a simulated world, before the step.
    pub(super) fn name_goal(&mut self, step: &Step) {
        if self.is_measured_from_outside || !self.session.has_simulation() {
            return;
        }
        let Some(goal) = world_goal(step, &self.scene) else {
            return;
        };
        let named = serde_json::to_value(goal)
            .map_err(|error| error.to_string())
            .and_then(|goal| {
                self.session
                    .set_goal(&goal)
                    .map_err(|error| error.to_string())
            });
        if let Err(error) = named {
            // The world knows no such thing: it then says "not reached".
            tracing::debug!(error, "the world does not understand the goal");
        }
    }

    /// Judges a step that came to its end; what was interrupted is begun again,
    /// or is not wanted any more.
    pub(super) fn judge_end(&mut self, step: &Step, end: &PrimitiveEnd) {
        let is_over = matches!(
            end,
            PrimitiveEnd::Finished { outcome, .. } if *outcome != Outcome::Interrupted
        );
        if is_over {
            self.judge_step(step);
        }
    }

    pub(super) fn judge_step(&mut self, step: &Step) {
        if !step.op().is_policy() || !self.session.has_simulation() {
            return;
        }
        let mut reached = self.session.goal_reached().unwrap_or(false);
        if !reached && !self.stop_switch.is_thrown() {
            let waited = self.generated(Op::Wait, Some(AFTERWARDS_S)).is_ok();
            reached = waited && self.session.goal_reached().unwrap_or(false);
        }
        self.judge.judged(step, reached);
    }

    /// Whether the world saw each of these steps done, and sees the last one still.
    pub(super) fn says_the_world(&mut self, steps: &[Step]) -> Option<bool> {
        if !self.session.has_simulation() {
            return None;
        }
        let judged = steps.iter().filter(|step| step.op().is_policy());
        let all = judged
            .clone()
            .all(|step| self.judge.says(step) == Some(true));
        let lasting = judged.count() == 0 || self.session.goal_reached().unwrap_or(false);
        Some(all && lasting)
    }
}
