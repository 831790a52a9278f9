//! The ladder: order, repairs, time, and the guard around every rung.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use vola_planner::{
    Backend, BackendError, Capabilities, Ladder, PlanDraft, PlanRequest, RulesBackend,
};
use vola_types::{Op, Scene, Step, Verdict};

use crate::{plan_with, shorts};

const SCENE: &str = r#"{"objects":[
 {"id":"red_block","kind":"block","color":"red","position":[0.40,0.20,0.02],"on":"table"},
 {"id":"hand","kind":"human hand","position":[0.40,-0.20,0.02],"on":"table"}]}"#;

#[derive(Clone, Copy)]
enum Mood {
    Unreachable,
    Slow,
    /// Wrong this many times, then right.
    Wrong(u32),
    /// First step right, second wrong, for ever.
    HalfRight,
    Grabs,
}

struct Moody(Mood, AtomicU32);

impl Moody {
    fn rung(mood: Mood) -> Arc<dyn Backend> {
        Arc::new(Self(mood, AtomicU32::new(0)))
    }
}

fn pick(id: &str) -> Step {
    Step::Pick {
        object: id.to_owned(),
    }
}

fn draft(steps: Vec<Step>) -> PlanDraft {
    PlanDraft::execute("do it", vec![("do it".to_owned(), steps)])
}

#[async_trait]
impl Backend for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    async fn plan(&self, request: &PlanRequest) -> Result<PlanDraft, BackendError> {
        let asked = self.1.fetch_add(1, Ordering::SeqCst);
        assert_eq!(
            request.feedback.is_some(),
            asked > 0,
            "a repair brings the fault"
        );
        match self.0 {
            Mood::Unreachable => Err(BackendError::Unreachable {
                detail: "nobody there".to_owned(),
            }),
            Mood::Slow => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                Ok(PlanDraft::chat("late"))
            }
            Mood::Wrong(times) if asked < times => Ok(draft(vec![pick("ghost")])),
            Mood::Wrong(_) => Ok(draft(vec![pick("red_block")])),
            Mood::HalfRight => Ok(draft(vec![pick("red_block"), pick("ghost")])),
            Mood::Grabs => Ok(draft(vec![pick("hand")])),
        }
    }
}

fn request(sentence: &str) -> PlanRequest {
    PlanRequest::new(sentence, Scene::from_json(SCENE).unwrap())
}

fn with_rules(mood: Mood) -> Ladder {
    Ladder::new(vec![Moody::rung(mood), Arc::new(RulesBackend::new())])
        .with_deadline(Duration::from_millis(300))
}

#[test]
fn a_failing_rung_hands_over_and_is_named() {
    for mood in [Mood::Unreachable, Mood::Wrong(9)] {
        let plan = plan_with(&with_rules(mood), &request("pick up the red block"));
        assert_eq!(plan.backend, "rules");
        assert_eq!(plan.fallbacks.len(), 1);
        assert_eq!(plan.fallbacks[0].backend, "moody");
        assert_eq!(shorts(&plan.steps), ["pick red_block"]);
    }
}

#[test]
fn the_deadline_holds_over_all_rungs() {
    let started = std::time::Instant::now();
    let plan = plan_with(&with_rules(Mood::Slow), &request("pick up the red block"));
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(plan.fallbacks[0].reason.contains("no answer within"));
}

#[test]
fn wrong_plans_go_back_at_most_twice() {
    let ladder = |mood| Ladder::new(vec![Moody::rung(mood)]);
    for repairs in 0..=2 {
        let plan = plan_with(&ladder(Mood::Wrong(repairs)), &request("do it"));
        assert_eq!((plan.verdict, plan.repairs), (Verdict::Execute, repairs));
    }
    let plan = plan_with(&ladder(Mood::Wrong(3)), &request("do it"));
    assert_eq!(plan.verdict, Verdict::Ask);
    assert!(plan.options.len() >= 2 && plan.steps.is_empty());
    let plan = plan_with(&ladder(Mood::HalfRight), &request("do it"));
    assert_eq!(plan.verdict, Verdict::Ask);
    assert_eq!(shorts(&plan.options[0].steps), ["pick red_block"]);
}

#[test]
fn the_guard_stands_outside_every_rung() {
    let plan = plan_with(&with_rules(Mood::Grabs), &request("do it"));
    assert_eq!(plan.verdict, Verdict::Unsafe);
    assert!(plan.steps.is_empty());
    let plan = plan_with(&with_rules(Mood::Wrong(0)), &request("throw it at me"));
    assert_eq!(
        (plan.verdict, plan.backend.as_str()),
        (Verdict::Unsafe, "guard")
    );
}

#[test]
fn undeclared_ops_are_infeasible() {
    let mut asked = request("push the red block to the right");
    asked.capabilities = Capabilities::with_ops(&[Op::Pick, Op::Place, Op::Home]);
    let plan = plan_with(&Ladder::rules_only(), &asked);
    assert_eq!(plan.verdict, Verdict::Infeasible);
    assert!(plan.say.contains("cannot push"), "{}", plan.say);
    asked.sentence = "move the red block to the right".to_owned();
    let plan = plan_with(&Ladder::rules_only(), &asked);
    assert_eq!(
        shorts(&plan.steps),
        ["pick red_block", "place red_block on right side"]
    );
}

#[test]
fn the_same_question_has_the_same_id_and_a_plan_has_the_contract_form() {
    let ladder = Ladder::rules_only();
    let (a, b) = (
        plan_with(&ladder, &request("pick up the red block")),
        plan_with(&ladder, &request("pick up the red block")),
    );
    assert_eq!(a.id, b.id);
    assert!(a.millis.is_finite() && a.millis >= 0.0);
    let json = serde_json::to_value(&a).unwrap();
    for key in [
        "verdict",
        "say",
        "question",
        "options",
        "tree",
        "steps",
        "confidence",
        "backend",
        "model",
        "repairs",
        "tokens",
        "millis",
        "id",
    ] {
        assert!(json.get(key).is_some(), "{key}");
    }
    assert_eq!(ladder.starting_with("rules").names(), ["rules"]);
    assert_eq!(
        with_rules(Mood::Slow).starting_with("rules").names(),
        ["rules", "moody"]
    );
}

#[test]
fn a_plain_command_takes_the_fast_path_and_nothing_else_does() {
    let ladder = || {
        Ladder::new(vec![Moody::rung(Mood::Wrong(0))]).with_fast_path(Arc::new(RulesBackend::new()))
    };
    let scene = Scene::from_json(SCENE).unwrap();
    for (sentence, backend) in [
        ("pick up the red block", "rules"),
        // A refusal or words of the grammar are no plan.
        ("pick up the green block", "moody"),
        ("fetch me the crimson doodad", "moody"),
    ] {
        let plan = plan_with(&ladder(), &PlanRequest::new(sentence, scene.clone()));
        assert_eq!(plan.backend, backend, "{sentence}");
        assert!(plan.fallbacks.is_empty(), "{sentence}");
    }
}
