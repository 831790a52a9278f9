//! A person moves the arm by hand, on the session's thread.
//!
//! Wishes become short paths through the same reference, tracker and safety
//! filter as a policy's. The person's signs of life are awaited by the control
//! loop itself: when they end, it holds within the dead-man's deadline, whatever
//! this thread does.

use crate::{
    Heartbeat, HeartbeatKind, RuntimeError, Session,
    control_loop::TICK_NS,
    control_status::ControlMode,
    handoff::{HandoffEvent, HandoffState, RefusedEvent},
    jog::{Jog, JogCommand, JogLimits},
};

/// Time between two looks at what the person wishes (ns).
const LOOK_NS: u64 = 20 * TICK_NS;
/// Things said between two looks at most.
const MOST_SAID: usize = 16;

/// The person's side. Called on the session's thread; must not wait.
pub trait Teleoperator {
    /// A glance at the robot, before what was said since the last one is asked for:
    /// where a person would look up. Lets no time pass.
    ///
    /// # Errors
    /// When the robot cannot be looked at; it comes to rest, and the person's time
    /// with the arm is over.
    fn look(&mut self, session: &mut Session) -> Result<(), RuntimeError> {
        let _ = session;
        Ok(())
    }

    /// The next thing that was said since the last call, [`HandInput::Silent`]
    /// when there is nothing. `is_still`: the arm neither moves nor shall.
    ///
    /// # Units
    /// `now_ns` is the runtime's clock (ns).
    fn poll(&mut self, now_ns: u64, is_still: bool) -> HandInput;

    /// What was wished cannot be done; the arm comes to rest.
    fn refused(&mut self, reason: &str) {
        let _ = reason;
    }

    /// The session's handoff has changed; its transitions can be told.
    fn changed(&mut self, session: &mut Session) {
        let _ = session;
    }
}

/// What a person who moves the arm may say.
#[derive(Clone, Debug, PartialEq)]
pub enum HandInput {
    /// Nothing.
    Silent,
    /// Somebody is there. It moves nothing: only a wish keeps the arm in motion, since
    /// whoever is there need not be who wished.
    Alive,
    /// A motion, or the same one still.
    Jog(JogCommand),
    /// The arm is where the policy knows its way; what follows is the correction.
    Recovered,
    /// The arm is given back.
    GiveBack,
    /// The run is to end.
    GiveUp,
    /// Nobody will say anything more.
    Gone,
}

/// How a person's time with the arm ended; the arm is at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOverEnd {
    /// The arm was given back.
    GivenBack,
    /// The person ended the run.
    GivenUp,
    /// Nobody was there any more: the deployment's safe stop followed.
    Unanswered,
    /// The stop switch was thrown.
    Stopped,
}

/// What the deployment says of people's hands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HandSettings {
    pub(crate) limits: JogLimits,
    pub(crate) dead_man_ns: u64,
    pub(crate) timeout_ns: u64,
}

/// What is remembered from look to look.
struct Hand {
    jog: Jog,
    heartbeat: Option<Heartbeat>,
    /// When anything was said.
    heard_ns: u64,
    /// When a motion was wished.
    wished_ns: u64,
    looked_ns: u64,
}

impl Hand {
    /// A wish.
    fn wished(&mut self, now_ns: u64) {
        self.heard_ns = now_ns;
        self.wished_ns = now_ns;
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.beat();
        }
    }

    /// No sign of life is awaited: nothing moves.
    fn rest(&mut self) {
        if let Some(heartbeat) = self.heartbeat.take() {
            heartbeat.end();
        }
    }
}

impl Session {
    /// Lets a person move the arm, in the state `take_over`, until it is given
    /// back. The arm is at rest when it returns, and the handoff has passed on.
    ///
    /// # Errors
    /// In another state, or when the safety layer stopped the robot.
    pub fn take_over(
        &mut self,
        person: &mut dyn Teleoperator,
    ) -> Result<TakeOverEnd, RuntimeError> {
        let state = self.handoff.state();
        if !matches!(state, HandoffState::TakeOver { .. }) {
            let event = HandoffEvent::Recovered;
            return Err(RefusedEvent { state, event }.into());
        }
        self.path = None;
        person.changed(self);
        let now_ns = self.body.now_ns();
        let mut hand = Hand {
            jog: Jog::new(self.settings.hand.limits),
            heartbeat: None,
            heard_ns: now_ns,
            wished_ns: now_ns,
            looked_ns: now_ns,
        };
        let end = self.follow_hand(person, &mut hand);
        if end.is_err() {
            // Whatever failed, the arm comes to rest before the owner hears of it.
            let _ = self.settle();
        }
        hand.rest();
        // At rest before the authority passes on, so that nothing jumps.
        let end = end.and_then(|end| self.settle().map(|()| end));
        let event = match &end {
            Ok(TakeOverEnd::GivenBack) => HandoffEvent::GivenBack,
            Ok(TakeOverEnd::GivenUp) => HandoffEvent::GivenUp,
            Ok(TakeOverEnd::Unanswered) => HandoffEvent::TimedOut,
            Ok(TakeOverEnd::Stopped) | Err(_) => HandoffEvent::Stopped,
        };
        self.hand(event)?;
        person.changed(self);
        end
    }

    fn follow_hand(
        &mut self,
        person: &mut dyn Teleoperator,
        hand: &mut Hand,
    ) -> Result<TakeOverEnd, RuntimeError> {
        loop {
            if self.stop_switch.is_thrown() {
                return Ok(TakeOverEnd::Stopped);
            }
            person.look(self)?;
            let now_ns = self.body.now_ns();
            if let Some(end) = self.listen_to(person, hand, now_ns)? {
                return Ok(end);
            }
            let silent_ns = now_ns.saturating_sub(hand.heard_ns);
            if silent_ns > self.settings.hand.timeout_ns {
                return Ok(TakeOverEnd::Unanswered);
            }
            if now_ns.saturating_sub(hand.wished_ns) > self.settings.hand.dead_man_ns {
                hand.jog.let_go();
            }
            self.move_by(hand, person, now_ns)?;
            self.advance_to(now_ns + LOOK_NS)?;
        }
    }

    /// Takes what was said since the last look.
    fn listen_to(
        &mut self,
        person: &mut dyn Teleoperator,
        hand: &mut Hand,
        now_ns: u64,
    ) -> Result<Option<TakeOverEnd>, RuntimeError> {
        for _ in 0..MOST_SAID {
            let is_still = hand.jog.is_still() && self.body.status().at_rest;
            match person.poll(now_ns, is_still) {
                HandInput::Silent => return Ok(None),
                HandInput::Alive => hand.heard_ns = now_ns,
                HandInput::Jog(command) => {
                    hand.wished(now_ns);
                    if let Err(refusal) = hand.jog.wish(&command, self.model.arm_joints()) {
                        hand.jog.let_go();
                        person.refused(&refusal.to_string());
                    }
                }
                HandInput::Recovered => {
                    hand.heard_ns = now_ns;
                    match self.hand(HandoffEvent::Recovered) {
                        Ok(()) => person.changed(self),
                        Err(error) => person.refused(&error.to_string()),
                    }
                }
                HandInput::GiveBack => return Ok(Some(TakeOverEnd::GivenBack)),
                HandInput::GiveUp => return Ok(Some(TakeOverEnd::GivenUp)),
                HandInput::Gone => return Ok(Some(TakeOverEnd::Unanswered)),
            }
        }
        Ok(None)
    }

    /// Sends the next moments of the motion.
    fn move_by(
        &mut self,
        hand: &mut Hand,
        person: &mut dyn Teleoperator,
        now_ns: u64,
    ) -> Result<(), RuntimeError> {
        let elapsed_s = now_ns.saturating_sub(hand.looked_ns) as f64 * 1e-9;
        hand.looked_ns = now_ns;
        self.forget_left_path();
        if self.path.is_none() {
            // Whatever ended the motion: the next one begins at rest.
            hand.jog.begins();
        }
        let status = self.body.status();
        if status.mode == ControlMode::Holding && !status.at_rest {
            // It brakes, whoever said so; a motion begins at rest.
            hand.jog.stopped();
            return Ok(());
        }
        let gripper = status.command().last().copied();
        if hand.jog.is_still() && !hand.jog.moves_gripper(gripper) {
            if status.at_rest {
                hand.rest();
            }
            return Ok(());
        }
        let reference = match &self.path {
            Some(path) => path.sample(now_ns).q.to_vec(),
            None => status.command().to_vec(),
        };
        let targets = hand
            .jog
            .targets(&self.model, &reference, (now_ns, elapsed_s));
        let refusal = match targets {
            Ok(targets) => match self.check_path(&targets) {
                Ok(()) => {
                    self.await_life(hand);
                    return self.follow(&targets, u64::MAX);
                }
                Err(refusal) => refusal.to_string(),
            },
            Err(refusal) => refusal.to_string(),
        };
        hand.jog.stopped();
        person.refused(&refusal);
        self.settle()
    }

    fn await_life(&mut self, hand: &mut Hand) {
        if hand.heartbeat.is_none() {
            let deadline = std::time::Duration::from_nanos(self.settings.hand.dead_man_ns);
            hand.heartbeat = Some(self.expect_heartbeat(HeartbeatKind::Jog, deadline));
        }
    }
}
