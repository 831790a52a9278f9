//! One primitive, from its goal to its outcome.
//!
//! The policy's ops run the loop observe → decide → check → follow. Done needs
//! the progress head several times in a row and the op's own check on the
//! robot's state; the default of everything that goes wrong is an arm at rest.

mod doubt;

use std::time::Instant;

use vola_abi::FaultKind;
use vola_bundle::ActionChunk;
use vola_confidence::Monitor;
use vola_types::{Op, Outcome, PrimitiveGoal};

use crate::{
    ConfidenceReading, ConfidenceUse, DecisionGlance, DecisionReport, Driver, HandoffEvent,
    HandoffState, LabelTensor, PrimitiveObserver, PrimitiveReport, RuntimeError, SafetyNote,
    Session,
    camera_watch::CameraVerdict,
    chunk_targets::{ChunkOrigin, joint_targets},
    control_loop::{PROPRIOCEPTION_NS, TICK_NS},
    control_status::{ControlMode, StopCause},
    expert,
    policy::{InnerEvidence, Policy},
    proprioception::Proprioception,
    seeded_noise::SeededNoise,
    session::ClockMode,
    stall::StallWatch,
};

use doubt::observe;

/// Chunks refused in a row that end a primitive.
const MAX_REFUSALS: u32 = 5;
/// Period of decisions without a policy that says otherwise (ns).
const EXPERT_PERIOD_NS: u64 = 200_000_000;
/// Decisions in a row in which the expert must see its goal reached.
const EXPERT_DONE_COUNT: u32 = 2;
/// Time a recorded primitive may take (ns).
const EXPERT_TIMEOUT_NS: u64 = 12_000_000_000;

/// Time between two looks at a camera that gives nothing new (ns).
const BLIND_NS: u64 = 20 * TICK_NS;

/// Opening from which a gripper has let go of what it held: fingers around a
/// block of half the gripper's width stand at 0.5.
const LET_GO_OPENING: f64 = 0.62;

/// Why a primitive ends when an isolated plugin dies in it.
pub(crate) const PLUGIN_LOST: &str = "the process of a plugin was lost; it is replaced";

/// Why a primitive ends when its observer wants the arm to rest.
pub(crate) const CALLED_TO_REST: &str = "called to rest";

/// How a primitive ended, and why.
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<String>,
}

pub(crate) fn ended(outcome: Outcome, reason: &str) -> Ending {
    Ending {
        outcome,
        reason: Some(reason.to_owned()),
    }
}

/// One decision, whoever made it.
struct Decision {
    samples: Vec<ActionChunk>,
    executed: ActionChunk,
    progress: Option<(f64, f64)>,
    millis: f64,
    stage_millis: Vec<(String, f64)>,
    labels: Vec<LabelTensor>,
    inner: InnerEvidence,
}

/// What a policy primitive carries from decision to decision.
struct Run {
    monitor: Monitor,
    /// From when the confidence counts time (ns).
    begin_ns: u64,
    /// A person said to leave it.
    skipped: bool,
    stall: StallWatch,
    random: SeededNoise,
    decisions: u32,
    refusals: u32,
    done: u32,
    failing: u32,
    held: bool,
    /// It ended at rest to be gone on with when a person says so.
    deferred: bool,
    /// It is gone on with: a person was asked already.
    was_asked: bool,
    /// A picture was too old at the last decision.
    blind: bool,
    deadline_ns: u64,
}

/// What is kept of a primitive that waits for a person's word.
#[derive(Debug)]
pub(crate) struct LeftPrimitive {
    goal: PrimitiveGoal,
    monitor: Monitor,
    /// How long it had run (ns).
    spent_ns: u64,
}

impl Session {
    /// Runs one primitive to its end. The arm is at rest when it returns.
    ///
    /// # Errors
    /// When the safety layer stopped the robot, a plugin failed, or the goal is
    /// not understood. The arm is then held or stopped.
    pub fn run_primitive(
        &mut self,
        goal: &PrimitiveGoal,
        driver: Driver,
        observer: &mut dyn PrimitiveObserver,
    ) -> Result<PrimitiveReport, RuntimeError> {
        self.left = None;
        self.primitive(goal, driver, observer)
    }

    /// Goes on with the primitive whose observer answered with
    /// [`HandoffAnswer::Defer`](crate::HandoffAnswer::Defer). Its confidence and its
    /// budget of questions go on as well, so that a person who says "continue" is not
    /// asked without an end; its time to be done in begins anew.
    ///
    /// # Errors
    /// As [`run_primitive`](Self::run_primitive).
    pub fn continue_primitive(
        &mut self,
        goal: &PrimitiveGoal,
        driver: Driver,
        observer: &mut dyn PrimitiveObserver,
    ) -> Result<PrimitiveReport, RuntimeError> {
        self.primitive(goal, driver, observer)
    }

    fn primitive(
        &mut self,
        goal: &PrimitiveGoal,
        driver: Driver,
        observer: &mut dyn PrimitiveObserver,
    ) -> Result<PrimitiveReport, RuntimeError> {
        let left = self.left.take().filter(|left| left.goal == *goal);
        let begin_ns = self.body.now_ns();
        let before = self.body.status();
        if let ControlMode::Stopped(cause) = before.mode {
            // Also where nothing would have to move: a stop is left by a reset alone.
            self.pass_on_notes(observer);
            return Err(RuntimeError::Stopped {
                reason: format!("{}; it has not been reset", cause.as_str()),
            });
        }
        self.begin_by_handoff()?;
        let (mut run, seed) = self.begin(goal.op, driver, left)?;
        self.stop_switch.forget_lost_plugin();
        let ending = if self.stop_switch.is_thrown() {
            Ok(ended(Outcome::Interrupted, "stopped by a person"))
        } else if goal.op.is_policy() {
            self.run_policy(goal, driver, observer, &mut run, seed)
        } else {
            self.run_generated(goal, observer)
        };
        let ending = match ending {
            Ok(ending) => {
                if ending.reason.as_deref() == Some(PLUGIN_LOST) {
                    self.tell(observer, "plugin", PLUGIN_LOST);
                }
                ending
            }
            // The plugin gets a new process, so the step may be tried again.
            Err(RuntimeError::ChildLost { who, reason }) => {
                let text = format!("{who}: {reason}");
                self.tell(observer, "plugin", &text);
                ended(Outcome::Failed, &text)
            }
            Err(error) => {
                // Whatever failed, the arm comes to rest before the owner hears of it.
                let _ = self.settle();
                if self.handoff.state() != HandoffState::Auto {
                    self.hand(HandoffEvent::Stopped)?;
                }
                self.pass_on_notes(observer);
                return Err(error);
            }
        };
        let settled = self.settle();
        self.pass_on_notes(observer);
        settled?;
        if driver == Driver::Policy && goal.op.is_policy() {
            self.watch_drift(&ending, &run);
        }
        let seconds = (self.body.now_ns() - begin_ns) as f64 * 1e-9;
        let mean_confidence = run.monitor.mean();
        if run.deferred {
            self.left = Some(LeftPrimitive {
                goal: goal.clone(),
                spent_ns: self.body.now_ns().saturating_sub(run.begin_ns),
                monitor: run.monitor,
            });
        }
        let after = self.body.status();
        for (limit, ticks) in after.interventions.since(&before.interventions) {
            self.tell(
                observer,
                limit,
                &format!("commands changed in {ticks} ticks"),
            );
        }
        let ticks = (after.ticks - before.ticks).max(1) * self.model.arm_joints() as u64;
        let jerk = (after.jerk_squared_sum - before.jerk_squared_sum) / ticks as f64;
        Ok(PrimitiveReport {
            outcome: ending.outcome,
            reason: ending.reason,
            seconds,
            decisions: run.decisions,
            mean_confidence,
            held: run.held,
            rms_jerk_rad_per_s3: jerk.max(0.0).sqrt(),
        })
    }

    /// What a primitive begins with, and the seed of its draws.
    fn begin(
        &mut self,
        op: Op,
        driver: Driver,
        left: Option<LeftPrimitive>,
    ) -> Result<(Run, u64), RuntimeError> {
        let begin_ns = self.body.now_ns();
        self.primitives_run += 1;
        let was_asked = left.is_some();
        let (monitor, spent_ns) = match left {
            Some(mut left) => {
                // From now on, not from when it was asked: people take their time.
                left.monitor.answered(begin_ns);
                (left.monitor, left.spent_ns)
            }
            None => {
                self.confidence.budget.begin_primitive();
                (self.monitor(op)?, 0)
            }
        };
        if op.is_policy() {
            self.last_op = Some(op);
        }
        let seed = self
            .settings
            .seed
            .wrapping_mul(0x9E37_79B9)
            .wrapping_add(self.primitives_run);
        let run = Run {
            monitor,
            begin_ns: begin_ns.saturating_sub(spent_ns),
            skipped: false,
            stall: StallWatch::default(),
            random: SeededNoise::new(seed),
            decisions: 0,
            refusals: 0,
            done: 0,
            failing: 0,
            held: false,
            deferred: false,
            was_asked,
            blind: false,
            deadline_ns: begin_ns + self.timeout_ns(driver),
        };
        Ok((run, seed))
    }

    fn run_policy(
        &mut self,
        goal: &PrimitiveGoal,
        driver: Driver,
        observer: &mut dyn PrimitiveObserver,
        run: &mut Run,
        seed: u64,
    ) -> Result<Ending, RuntimeError> {
        self.begin_policy(seed)?;
        loop {
            self.pass_on_notes(observer);
            self.meet_proprioception()?;
            if self.stop_switch.has_lost_plugin() {
                return Ok(ended(Outcome::Failed, PLUGIN_LOST));
            }
            if self.stop_switch.is_thrown() {
                return Ok(ended(Outcome::Interrupted, "stopped by a person"));
            }
            let observed_ns = self.body.now_ns();
            if observer.is_rest_wanted(observed_ns) {
                return Ok(ended(Outcome::Interrupted, CALLED_TO_REST));
            }
            if observed_ns >= run.deadline_ns {
                return Ok(ended(Outcome::TimedOut, "its time ran out"));
            }
            let started = Instant::now();
            let measured = self.measured()?;
            if !self.look(&measured, observer, run)? {
                continue;
            }
            let decision = match self.decide(goal, driver, &measured, run) {
                Ok(decision) => decision,
                Err(error) => match self.without_decision(error, driver, observer, run)? {
                    Some(ending) => return Ok(ending),
                    None => {
                        self.advance_to(observed_ns + self.period_ns())?;
                        continue;
                    }
                },
            };
            self.policy_telemetry
                .record("decision", elapsed_ns(started));
            let reading = observe(run, &decision, &measured);
            run.decisions += 1;
            self.report(&decision, &measured, &reading, observer);
            if let Some(ending) = self.progress(goal.op, driver, &decision, &measured, run) {
                return Ok(ending);
            }
            if run.stall.observe(&measured) && driver == Driver::Policy {
                return Ok(ended(Outcome::Failed, "the policy stands still"));
            }
            let is_unsure = reading.low && driver == Driver::Policy && self.confidence.holds();
            if is_unsure && observer.is_trusted(measured.time_ns) {
                run.monitor.answered(measured.time_ns);
            } else if is_unsure {
                match self.hand_off(goal.op, &reading, observer, run, seed)? {
                    Some(ending) => return Ok(ending),
                    None => continue,
                }
            }
            if let Some(ending) = self.follow_chunk(&decision, driver, &measured, observer, run)? {
                return Ok(ending);
            }
            self.advance_to(observed_ns + self.period_ns())?;
        }
    }

    fn begin_policy(&mut self, seed: u64) -> Result<(), RuntimeError> {
        self.path = None;
        self.policy
            .as_mut()
            .map_or(Ok(()), |policy| policy.reset(seed))
    }

    /// In virtual time, decisions are made when a new state is due, as often as
    /// not at once. In real time the newest one is taken.
    fn meet_proprioception(&mut self) -> Result<(), RuntimeError> {
        let now_ns = self.body.now_ns();
        let due_ns = now_ns.next_multiple_of(PROPRIOCEPTION_NS);
        if self.settings.clock == ClockMode::Virtual && due_ns > now_ns {
            self.advance_to(due_ns)?;
        }
        Ok(())
    }

    /// Takes the pictures of a decision. False when one is too old to decide by:
    /// a little time has then passed, and the path of the last chunk runs out.
    fn look(
        &mut self,
        measured: &Proprioception,
        observer: &mut dyn PrimitiveObserver,
        run: &mut Run,
    ) -> Result<bool, RuntimeError> {
        let cameras = self.eyes.cameras();
        let tool = measured.tool_position();
        let sighting = self.eyes.look(self.body.as_mut(), &cameras, tool)?;
        let Some((camera, verdict)) = sighting else {
            run.blind = false;
            return Ok(true);
        };
        let cause = match verdict {
            CameraVerdict::Silent(_) => Some(StopCause::CameraSilent),
            CameraVerdict::Frozen => Some(StopCause::CameraFrozen),
            CameraVerdict::Late(_) | CameraVerdict::Fine => None,
        };
        let text = format!("camera `{camera}`: {}", verdict.words());
        if let Some(cause) = cause {
            tracing::error!(target: "control", camera, "{text}");
            self.tell(observer, cause.word(), &format!("{text}: controlled stop"));
            self.stop_for(cause)?;
            return Err(RuntimeError::Stopped { reason: text });
        }
        if !run.blind {
            run.blind = true;
            tracing::warn!(target: "control", camera, "{text}");
            self.tell(observer, "camera", &format!("{text}: no decision by it"));
        }
        let now_ns = self.body.now_ns();
        self.advance_to(now_ns + BLIND_NS)?;
        Ok(false)
    }

    /// What the control loop told goes into the run's log.
    fn pass_on_notes(&mut self, observer: &mut dyn PrimitiveObserver) {
        for note in self.body.notes() {
            observer.safety(&SafetyNote {
                time_ns: note.time_ns,
                limit: note.limit,
                action: &note.action,
            });
        }
    }

    /// Tells what this thread found by itself.
    fn tell(&self, observer: &mut dyn PrimitiveObserver, limit: &str, action: &str) {
        observer.safety(&SafetyNote {
            time_ns: self.body.now_ns(),
            limit,
            action,
        });
    }

    /// The policy gave no chunk that could be followed. What it gave wrongly is
    /// refused, and the arm keeps its old path; a stage that could not do it
    /// ends the primitive. Everything else is passed on.
    fn without_decision(
        &mut self,
        error: RuntimeError,
        driver: Driver,
        observer: &mut dyn PrimitiveObserver,
        run: &mut Run,
    ) -> Result<Option<Ending>, RuntimeError> {
        match error {
            _ if matches!(driver, Driver::Expert { .. }) => Err(error),
            RuntimeError::Bundle(_) | RuntimeError::StageOutput { .. } => {
                Ok(self.refuse(&error.to_string(), observer, run))
            }
            RuntimeError::Plugin { kind, .. } if kind != FaultKind::Panic => {
                let text = error.to_string();
                tracing::error!("{text}");
                self.tell(observer, "policy", &text);
                Ok(Some(ended(Outcome::Failed, &text)))
            }
            _ => Err(error),
        }
    }

    /// A chunk is refused; several in a row end the primitive.
    fn refuse(
        &self,
        refusal: &str,
        observer: &mut dyn PrimitiveObserver,
        run: &mut Run,
    ) -> Option<Ending> {
        run.refusals += 1;
        self.tell(observer, "action chunk", &format!("refused: {refusal}"));
        let give_up = run.refusals >= MAX_REFUSALS;
        give_up.then(|| {
            let text = format!("{MAX_REFUSALS} chunks in a row were refused: {refusal}");
            ended(Outcome::Failed, &text)
        })
    }

    fn decide(
        &mut self,
        goal: &PrimitiveGoal,
        driver: Driver,
        measured: &Proprioception,
        run: &mut Run,
    ) -> Result<Decision, RuntimeError> {
        let decision = match driver {
            Driver::Expert { noise } => {
                let now_ns = self.body.now_ns();
                let made = expert::decide(self.world()?, now_ns, &noise, &mut run.random)?;
                Decision {
                    samples: vec![made.executed.clone()],
                    executed: made.executed,
                    progress: Some(made.progress),
                    millis: 0.0,
                    stage_millis: Vec::new(),
                    labels: made.labels,
                    inner: InnerEvidence::default(),
                }
            }
            Driver::Policy | Driver::Corrected => {
                let labels = match driver {
                    Driver::Corrected => expert::labels(self.world()?)?,
                    _ => Vec::new(),
                };
                let values = measured.values(&self.model);
                let names = self.state_names().to_vec();
                let Some(policy) = self.policy.as_mut() else {
                    return Err(RuntimeError::Primitive {
                        op: goal.op.as_str(),
                        reason: "needs a policy, and this session was opened without one"
                            .to_owned(),
                    });
                };
                let seen = self.eyes.observation(measured, &names, &values, Some(goal));
                let made = seen.with(|seen| policy.decide(seen, measured))?;
                for (stage, millis) in &made.stage_millis {
                    // A stage that a decision does not need takes no time.
                    if *millis > 0.0 {
                        self.policy_telemetry.record(stage, (millis * 1e6) as u64);
                    }
                }
                Decision {
                    samples: made.samples,
                    executed: made.executed,
                    progress: made.progress,
                    millis: made.millis,
                    stage_millis: made.stage_millis,
                    labels,
                    inner: made.inner,
                }
            }
        };
        Ok(decision)
    }

    fn report(
        &self,
        decision: &Decision,
        measured: &Proprioception,
        reading: &ConfidenceReading,
        observer: &mut dyn PrimitiveObserver,
    ) {
        let policy = self.policy.as_ref().filter(|_| decision.millis > 0.0);
        self.policy_telemetry.show(DecisionGlance {
            time_ns: measured.time_ns,
            millis: decision.millis,
            // An expert's decision takes no time and looks nowhere.
            attention: policy.and_then(Policy::attention),
        });
        observer.decision(&DecisionReport {
            time_ns: measured.time_ns,
            confidence: reading.clone(),
            progress: decision.progress,
            millis: decision.millis,
            stage_millis: decision.stage_millis.clone(),
            pictures: self.eyes.pictures(),
            state: &measured.values(&self.model),
            state_names: self.state_names(),
            labels: &decision.labels,
            chunk: &decision.executed,
            features: decision
                .inner
                .features
                .as_deref()
                .filter(|_| self.confidence.usage == ConfidenceUse::Survey),
        });
    }

    /// Whether the primitive has ended by itself.
    fn progress(
        &self,
        op: Op,
        driver: Driver,
        decision: &Decision,
        measured: &Proprioception,
        run: &mut Run,
    ) -> Option<Ending> {
        let (done, failing) = decision.progress?;
        let rule = self
            .policy
            .as_ref()
            .and_then(|policy| policy.bundle().manifest().progress());
        let (done_at, failing_at, count) = match (driver, rule) {
            (Driver::Policy | Driver::Corrected, Some(rule)) => (
                rule.done_threshold(),
                rule.failing_threshold(),
                rule.count(),
            ),
            _ => (0.5, 0.5, EXPERT_DONE_COUNT),
        };
        run.done = if done >= done_at { run.done + 1 } else { 0 };
        run.failing = if failing >= failing_at {
            run.failing + 1
        } else {
            0
        };
        if run.done >= count && is_plausible(op, measured) {
            return Some(Ending {
                outcome: Outcome::Done,
                reason: None,
            });
        }
        (run.failing > count).then(|| ended(Outcome::Failed, "the policy sees that it is failing"))
    }

    /// Follows a chunk when it becomes visible; refused chunks leave the old path.
    fn follow_chunk(
        &mut self,
        decision: &Decision,
        driver: Driver,
        measured: &Proprioception,
        observer: &mut dyn PrimitiveObserver,
        run: &mut Run,
    ) -> Result<Option<Ending>, RuntimeError> {
        // An expert decides in no time.
        let takes_time = !matches!(driver, Driver::Expert { .. });
        if self.settings.clock == ClockMode::Virtual && takes_time {
            self.advance_to(measured.time_ns + self.latency_ns())?;
        }
        self.forget_left_path();
        let status = self.body.status();
        let now_ns = self.body.now_ns();
        let origin = ChunkOrigin {
            observed: measured,
            command: status.command(),
            now_ns: now_ns + TICK_NS,
            delay_ns: if self.path.is_none() && status.at_rest {
                now_ns.saturating_sub(measured.time_ns)
            } else {
                0
            },
            max_velocity: &self.max_velocity,
        };
        let targets = joint_targets(&self.model, &decision.executed, &origin);
        let checked = targets.and_then(|targets| self.check_path(&targets).map(|()| targets));
        match checked {
            Ok(targets) => {
                run.refusals = 0;
                let fresh_by_ns =
                    self.body.now_ns() + self.period_ns() + self.settings.chunk_deadline_ns;
                self.follow(&targets, fresh_by_ns)?;
                Ok(None)
            }
            Err(refusal) => Ok(self.refuse(&refusal.to_string(), observer, run)),
        }
    }

    /// How long a decision takes in virtual time (ns).
    fn latency_ns(&self) -> u64 {
        let usual_ns = self.settings.latency_ns;
        let interposer = self.settings.interposer.as_ref();
        interposer.map_or(usual_ns, |it| it.latency_ns(usual_ns))
    }

    fn period_ns(&self) -> u64 {
        self.settings
            .execution
            .map_or(EXPERT_PERIOD_NS, |execution| execution.period_ns)
    }

    fn timeout_ns(&self, driver: Driver) -> u64 {
        match driver {
            Driver::Policy => self.settings.timeout_ns,
            Driver::Expert { .. } | Driver::Corrected => EXPERT_TIMEOUT_NS,
        }
    }
}

fn elapsed_ns(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// What the robot's own state must say before an op counts as done.
fn is_plausible(op: Op, measured: &Proprioception) -> bool {
    match op {
        Op::Pick => measured.is_holding(),
        Op::Place => measured
            .gripper
            .is_none_or(|gripper| gripper > LET_GO_OPENING),
        _ => true,
    }
}
