//! The measured robot, with an operator beside it or without.

use std::{cell::RefCell, rc::Rc};

use async_trait::async_trait;
use serde_json::Value;
use vola_planner::{
    Attention, Capabilities, HandoffTurn, PrimitiveEnd, Robot, RobotError, TakenOver,
};
use vola_types::{PrimitiveGoal, RunEventKind, Scene, Step};

use super::{hand::SimulatedHand, mind::Mind};
use crate::robot::SessionRobot;

/// A robot whose questions a simulated operator hears, in the robot's own time.
pub(super) struct Attended<'a> {
    pub(super) robot: &'a mut SessionRobot,
    /// None: nobody is there.
    pub(super) mind: Option<Rc<RefCell<Mind>>>,
    /// What the world measures.
    pub(super) goal: Value,
    /// What the policy is told, where the instruction is wrong on purpose.
    pub(super) told: Option<PrimitiveGoal>,
}

#[async_trait(?Send)]
impl Robot for Attended<'_> {
    fn capabilities(&self) -> Capabilities {
        self.robot.capabilities()
    }

    fn seconds(&self) -> f64 {
        self.robot.seconds()
    }

    async fn scene(&mut self) -> Result<Scene, RobotError> {
        self.robot.scene().await
    }

    async fn run_primitive(
        &mut self,
        step: &Step,
        goal: &PrimitiveGoal,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        match &self.told {
            Some(told) if told.op == step.op() => self.robot.do_as_told(step, told, attention),
            _ => self.robot.run_primitive(step, goal, attention).await,
        }
    }

    async fn continue_primitive(
        &mut self,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        self.robot.continue_primitive(attention).await
    }

    async fn stop(&mut self) -> Result<(), RobotError> {
        self.robot.stop().await
    }

    /// A question is looked into as it is asked; before an answer time passes.
    fn hand_off(&mut self, turn: HandoffTurn) -> Vec<RunEventKind> {
        let Some(mind) = self.mind.clone() else {
            return self.robot.hand_off(turn);
        };
        if turn == HandoffTurn::Asked {
            let told = self.robot.hand_off(turn);
            mind.borrow_mut().consider(self.robot.session());
            return told;
        }
        let thought_ns = mind.borrow_mut().think();
        if let Err(error) = self.robot.session().let_pass(thought_ns) {
            // What comes next meets the same and says so.
            tracing::debug!(%error, "the robot stopped while the operator was thinking");
        }
        self.robot.hand_off(turn)
    }

    fn can_be_taken_over(&self) -> bool {
        self.mind.is_some()
    }

    async fn take_over(
        &mut self,
        step: &Step,
        attention: &mut dyn Attention,
    ) -> Result<TakenOver, RobotError> {
        let Some(mind) = &self.mind else {
            return Ok(TakenOver::Unanswered);
        };
        let began_ns = self.robot.session().now_ns();
        let mut hand = SimulatedHand::new(self.goal.clone());
        let end = self.robot.by_hand(step, &mut hand, attention);
        let session = self.robot.session();
        hand.leave(session);
        let took_ns = session.now_ns().saturating_sub(began_ns);
        mind.borrow_mut().worked(took_ns);
        end
    }

    fn is_stop_ordered(&self) -> bool {
        self.robot.is_stop_ordered()
    }
}
