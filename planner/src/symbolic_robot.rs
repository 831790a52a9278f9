//! A robot of symbols: steps that fail, objects that slip or are moved, and no
//! physics. It measures the executive alone, thousands of runs in a second.
//!
//! The rules of what a step needs and does are the verifier's
//! ([`SymbolicWorld`]); what goes wrong is drawn from a seed. There is no clock
//! but the one that primitives advance.

mod goal;
mod mishap;

use async_trait::async_trait;
use fastrand::Rng;
use vola_types::{
    Outcome, PrimitiveGoal, Relation, RunEvent, RunEventKind, Scene, SceneObject, Step,
};

use crate::capabilities::Capabilities;
use crate::executive::{Attention, PrimitiveEnd, Robot, RobotError, StopFlag};
use crate::verifier::SymbolicWorld;

pub use goal::is_reached;
pub use mishap::Mishap;

/// Parts of a primitive; between them it looks whether it is to come to rest.
const SLICES: u32 = 10;
/// The part after which what it does is done.
const EFFECT: u32 = 7;
/// Length of a primitive that has none of its own (s).
const USUAL_S: f64 = 4.0;
/// How far off an object may be from where it was seen (m).
const REACH_M: f64 = 0.03;

/// How often what goes wrong. Probabilities are 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hazards {
    /// A step fails.
    pub failure: f64,
    /// Somebody moves an object before a step.
    pub meddling: f64,
    /// The robot holds, unsure, in the middle of a step.
    pub doubt: f64,
    /// Standard deviation of positions in a reading of the scene (m).
    pub noise_m: f64,
}

impl Hazards {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        failure: 0.0,
        meddling: 0.0,
        doubt: 0.0,
        noise_m: 0.0,
    };
}

/// A robot in a symbolic world.
#[derive(Debug)]
pub struct SymbolicRobot {
    scene: Scene,
    capabilities: Capabilities,
    hazards: Hazards,
    rng: Rng,
    seconds: f64,
    stop: StopFlag,
    held: Option<(Step, PrimitiveGoal)>,
    started: u32,
}

impl SymbolicRobot {
    /// A robot before this scene; equal seeds give equal runs.
    #[must_use]
    pub fn new(scene: Scene, hazards: Hazards, seed: u64) -> Self {
        Self {
            scene,
            capabilities: Capabilities::default(),
            hazards,
            rng: Rng::with_seed(seed),
            seconds: 0.0,
            stop: StopFlag::new(),
            held: None,
            started: 0,
        }
    }

    /// The world as it is, without noise.
    #[must_use]
    pub fn world(&self) -> &Scene {
        &self.scene
    }

    /// The flag that stops it.
    #[must_use]
    pub fn stop_flag(&self) -> StopFlag {
        self.stop.clone()
    }

    /// How many primitives were begun.
    #[must_use]
    pub fn started(&self) -> u32 {
        self.started
    }

    /// A person's hand does a step, where it can be done at all.
    pub fn help(&mut self, step: &Step) {
        let mut world = SymbolicWorld::new(self.scene.clone(), &self.capabilities);
        if world.apply(step).is_ok() {
            self.scene = world.into_scene();
        }
    }

    /// Runs the parts of a primitive, to its end or until it is called to rest.
    fn pass(
        &mut self,
        step: &Step,
        goal: &PrimitiveGoal,
        attention: &mut dyn Attention,
    ) -> PrimitiveEnd {
        let length = goal.seconds.unwrap_or(USUAL_S);
        let mut end = None;
        for slice in 0..SLICES {
            let called = attention.is_rest_wanted(self.seconds);
            if self.stop.is_set() || called {
                return PrimitiveEnd::Finished {
                    outcome: Outcome::Interrupted,
                    reason: Some("called to rest".to_owned()),
                };
            }
            self.seconds += length / f64::from(SLICES);
            if slice == EFFECT {
                end = Some(self.act(step, goal));
            }
        }
        let (outcome, reason) = end.unwrap_or((Outcome::Done, None));
        PrimitiveEnd::Finished { outcome, reason }
    }

    /// What the primitive does to the world, and what it says of it.
    fn act(&mut self, step: &Step, goal: &PrimitiveGoal) -> (Outcome, Option<String>) {
        let nothing = |why: &str| (Outcome::Failed, Some(why.to_owned()));
        if !self.is_where_seen(step, goal) {
            return nothing("nothing was there");
        }
        let mut world = SymbolicWorld::new(self.scene.clone(), &self.capabilities);
        if let Err(error) = world.apply(step) {
            return nothing(&error.to_string());
        }
        if self.rng.f64() < self.hazards.failure {
            let mishap = Mishap::draw(step, &mut self.rng);
            mishap.befall(step, &mut self.scene, &mut self.rng);
            // It does not always notice.
            return if self.rng.bool() {
                (Outcome::Done, None)
            } else {
                nothing(mishap.words())
            };
        }
        self.scene = world.into_scene();
        if let (Some(id), Some(place)) = (step.object(), goal.target)
            && ends_on_table(step, &self.scene)
            && let Some(object) = object_mut(&mut self.scene, id)
        {
            object.position = Some(place);
        }
        (Outcome::Done, None)
    }

    /// Whether what the step is about is near to where the goal says.
    fn is_where_seen(&self, step: &Step, goal: &PrimitiveGoal) -> bool {
        let near = |id: &str, point: Option<[f64; 3]>| match (
            self.scene.object(id).and_then(|object| object.position),
            point,
        ) {
            (Some([x, y, _]), Some([px, py, _])) => (x - px).hypot(y - py) <= REACH_M,
            // A drawer's place is the policy's matter.
            _ => true,
        };
        match step {
            Step::Pick { object } | Step::Push { object, .. } => near(object, goal.object),
            Step::Place {
                target,
                relation: Relation::In | Relation::On,
                ..
            } => near(target, goal.target) || self.scene.object(target).is_none(),
            _ => true,
        }
    }

    /// Somebody moves something.
    fn meddle(&mut self) {
        if self.rng.f64() >= self.hazards.meddling {
            return;
        }
        let is_free = |object: &&SceneObject| {
            object.kind == "block"
                && !object.is_held()
                && self.scene.resting_on(&object.id).next().is_none()
        };
        let free: Vec<String> = self
            .scene
            .objects
            .iter()
            .filter(is_free)
            .map(|object| object.id.clone())
            .collect();
        if !free.is_empty() {
            let id = &free[self.rng.usize(..free.len())];
            mishap::move_about(id, [0.05, 0.12], &mut self.scene, &mut self.rng);
        }
    }
}

#[async_trait(?Send)]
impl Robot for SymbolicRobot {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn seconds(&self) -> f64 {
        self.seconds
    }

    async fn scene(&mut self) -> Result<Scene, RobotError> {
        let mut seen = self.scene.clone();
        if self.hazards.noise_m > 0.0 {
            for place in seen
                .objects
                .iter_mut()
                .filter_map(|it| it.position.as_mut())
            {
                place[0] += self.hazards.noise_m * gauss(&mut self.rng);
                place[1] += self.hazards.noise_m * gauss(&mut self.rng);
            }
        }
        Ok(seen)
    }

    async fn run_primitive(
        &mut self,
        step: &Step,
        goal: &PrimitiveGoal,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        self.started += 1;
        self.meddle();
        let doubts = self.rng.f64() < self.hazards.doubt;
        let score = if doubts { 0.2 } else { 0.9 };
        attention.emit(RunEvent {
            t: self.seconds,
            kind: RunEventKind::Confidence {
                score,
                threshold: 0.5,
                signal: None,
                signals: Vec::new(),
                failure_probability: None,
            },
        });
        if doubts {
            self.held = Some((step.clone(), goal.clone()));
            return Ok(PrimitiveEnd::Held {
                reason: "I am not sure of what I am doing.".to_owned(),
                score: Some(score),
                threshold: Some(0.5),
            });
        }
        Ok(self.pass(step, goal, attention))
    }

    async fn continue_primitive(
        &mut self,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        let Some((step, goal)) = self.held.take() else {
            let detail = "there is no primitive to go on with".to_owned();
            return Err(RobotError::Machine { detail });
        };
        Ok(self.pass(&step, &goal, attention))
    }

    async fn stop(&mut self) -> Result<(), RobotError> {
        self.held = None;
        Ok(())
    }
}

fn object_mut<'a>(scene: &'a mut Scene, id: &str) -> Option<&'a mut SceneObject> {
    scene.objects.iter_mut().find(|object| object.id == id)
}

/// Whether the step leaves its object on the table, where the goal said.
fn ends_on_table(step: &Step, scene: &Scene) -> bool {
    match step {
        Step::Push { .. } => true,
        Step::Place {
            target, relation, ..
        } => !matches!(relation, Relation::In | Relation::On) || scene.object(target).is_none(),
        _ => false,
    }
}

/// A draw from the standard normal distribution.
fn gauss(rng: &mut Rng) -> f64 {
    let radius: f64 = (-2.0 * f64::ln(1.0 - rng.f64())).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executive::{Actors, Executive, ExecutiveSettings, NoOperator, Past, RunReport};
    use crate::ladder::Ladder;
    use crate::{PlanDraft, PlanRequest, RulesBackend};

    const SCENE: &str = r#"{"objects":[
        {"id":"red_block","kind":"block","color":"red","position":[0.40,-0.10,0.02],"on":"table"},
        {"id":"green_block","kind":"block","color":"green","position":[0.45,0.05,0.02],"on":"table"},
        {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.52,0.20,0.03],"on":"table"},
        {"id":"drawer","kind":"drawer","open":false}]}"#;

    const SENTENCE: &str = "put the red block in the drawer and the green block in the blue bowl";

    fn planned(scene: &Scene) -> PlanDraft {
        RulesBackend::new().answer(&PlanRequest::new(SENTENCE, scene.clone()))
    }

    fn run(hazards: Hazards, seed: u64, settings: ExecutiveSettings) -> (RunReport, bool, Scene) {
        let scene = Scene::from_json(SCENE).unwrap();
        let mut robot = SymbolicRobot::new(scene.clone(), hazards, seed);
        let ladder = Ladder::rules_only();
        let executive = Executive::new(&ladder, settings, robot.stop_flag());
        let plan = planned(&scene).into_plan();
        let steps = plan.steps.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let mut actors = Actors {
            robot: &mut robot,
            operator: &mut NoOperator,
            events: &mut |_: RunEvent| {},
        };
        let mut past = Past::default();
        let report = runtime.block_on(executive.run_plan(plan, &mut past, &mut actors));
        let reached = is_reached(&steps, &scene, robot.world());
        (report, reached, robot.world().clone())
    }

    #[test]
    fn where_nothing_goes_wrong_everything_is_reached_at_the_first_try() {
        let once = ExecutiveSettings {
            attempts_per_step: 1,
            max_replans: 0,
            ..ExecutiveSettings::default()
        };
        let (report, reached, world) = run(Hazards::NONE, 1, once);
        assert!(report.success && reached, "{report:?}");
        assert_eq!(
            world.object("green_block").unwrap().on.as_deref(),
            Some("blue_bowl")
        );
        assert_eq!(report.replans, 0);
    }

    #[test]
    fn success_that_is_claimed_is_true_and_replanning_brings_much_more_of_it() {
        let hazards = Hazards {
            failure: 0.2,
            meddling: 0.05,
            doubt: 0.0,
            noise_m: 0.003,
        };
        let count = |settings: &ExecutiveSettings| {
            let runs = (0..300).map(|seed| run(hazards, seed, settings.clone()));
            let reached = runs.filter(|(report, reached, _)| {
                // The end of a run is looked at as well.
                assert!(!report.success || *reached, "{report:?}");
                *reached
            });
            reached.count()
        };
        let once = ExecutiveSettings {
            attempts_per_step: 1,
            max_replans: 0,
            ..ExecutiveSettings::default()
        };
        let (without, with) = (count(&once), count(&ExecutiveSettings::default()));
        assert!(without < 150 && with > 270, "{without} {with} of 300");
    }

    #[test]
    fn equal_seeds_are_equal_runs() {
        let hazards = Hazards {
            failure: 0.4,
            meddling: 0.3,
            doubt: 0.1,
            noise_m: 0.002,
        };
        let settings = ExecutiveSettings::default();
        let (first, _, world) = run(hazards, 7, settings.clone());
        let (again, _, same) = run(hazards, 7, settings);
        assert_eq!(
            (first.outcome, first.replans),
            (again.outcome, again.replans)
        );
        assert_eq!(world, same);
    }
}
