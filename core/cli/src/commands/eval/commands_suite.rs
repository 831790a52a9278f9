//! An episode of one sentence: through the planner, the executive and the policy.

use serde_json::{Value, json};
use vola_planner::NoOperator;
use vola_types::{Direction, Op, Relation, RunEvent, RunOutcome, Step};

use super::{Conditions, EpisodeOutcome, Job, View};
use crate::{
    conversation::Conversation,
    failure::Failure,
    measure::{Episode, EpisodeGoal},
    robot::SessionRobot,
};

/// Says one sentence and measures what came of it.
///
/// # Errors
/// When the world or the runtime fails.
pub(super) fn command_episode(
    robot: &mut SessionRobot,
    conversation: &mut Conversation,
    job: &Job,
    conditions: &Conditions,
) -> Result<EpisodeOutcome, Failure> {
    robot.release_stop()?;
    robot.forget();
    conversation.forget();
    // The words must say which object is meant, so none looks like another.
    let mut wish = json!({"task": job.task, "combos": conditions.combos.word(), "duplicates": "never",
        "hand": "empty"});
    job.disturb(&mut wish);
    let answer = robot.session().reset_world(job.seed, &wish)?;
    let goals: Vec<Value> = answer
        .get("steps")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let episode = Episode::read(&robot.session().embodiment_id().to_string(), answer)?;
    let Some(sentence) = sentence(&episode.steps, job.seed) else {
        return Ok(EpisodeOutcome {
            end: "no goal".to_owned(),
            ..EpisodeOutcome::default()
        });
    };
    robot.seed_episode(job.seed);
    let mut ignore = |_: RunEvent| {};
    robot
        .session()
        .cover_cameras(conditions.view == View::Black);
    let report = conversation.say(&sentence, robot, &mut NoOperator, &mut ignore);
    let reached = report.success
        && understood(&episode.steps, &report.plan.steps)
        && all_hold(robot, &episode.steps, &goals)?;
    tracing::info!(seed = job.seed, sentence, outcome = report.outcome.as_str(), reached, reason = ?report.reason, "command");
    let held = report.outcome == RunOutcome::NeedsPerson && report.handoffs > 0;
    Ok(EpisodeOutcome {
        success: reached && report.handoffs == 0,
        claimed: report.outcome == RunOutcome::Done,
        held,
        seconds: report.seconds,
        jerk: robot.mean_jerk(),
        end: report.outcome.as_str().to_owned(),
        scene: None,
    })
}

/// Whether the plan does what was asked, as far as ops tell: a plan that did
/// something else well is no success.
fn understood(goals: &[EpisodeGoal], steps: &[Step]) -> bool {
    // What lies in a drawer goes through opening it.
    let into_drawer = goals.iter().any(|goal| {
        let target = goal.target.as_ref();
        goal.op == Op::Place && target.is_some_and(|t| t.kind.as_deref() == Some("drawer"))
    });
    let acts = |op: &Op| op.is_policy() && *op != Op::Pick && !(into_drawer && *op == Op::Open);
    let done: Vec<Op> = steps.iter().map(Step::op).filter(acts).collect();
    goals.iter().map(|goal| goal.op).filter(acts).eq(done)
}

/// Whether the places that were asked for still hold at the end. Pushes and
/// drawers were judged when they were done: their start is over.
fn all_hold(
    robot: &mut SessionRobot,
    goals: &[EpisodeGoal],
    raw: &[Value],
) -> Result<bool, Failure> {
    for (goal, raw) in goals.iter().zip(raw) {
        if goal.op != Op::Place {
            continue;
        }
        robot.session().set_goal(&without_places(raw))?;
        if !robot.session().goal_reached()? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A goal by the looks of its objects alone: they have been moved since.
fn without_places(goal: &Value) -> Value {
    let mut goal = goal.clone();
    for part in ["object", "target"] {
        if let Some(part) = goal.get_mut(part).and_then(Value::as_object_mut) {
            part.remove("position");
            part.remove("point");
        }
    }
    goal
}

/// An everyday sentence for the goals; which one follows from the seed.
fn sentence(goals: &[EpisodeGoal], seed: u64) -> Option<String> {
    const JOINTS: [&str; 3] = [" and then ", ", then ", " and "];
    let parts: Vec<String> = goals
        .iter()
        .enumerate()
        .map(|(index, goal)| clause(goal, seed.wrapping_add(index as u64)))
        .collect::<Option<_>>()?;
    (!parts.is_empty()).then(|| parts.join(pick(&JOINTS, seed / 7)))
}

fn clause(goal: &EpisodeGoal, seed: u64) -> Option<String> {
    let noun = |kind: &str, color: Option<&str>| {
        color.map_or_else(|| kind.to_owned(), |color| format!("{color} {kind}"))
    };
    let object = goal.object.as_ref()?;
    let object = noun(&object.kind, object.color.as_deref());
    let target = goal.target.as_ref();
    let thing = target
        .and_then(|target| Some(noun(target.kind.as_deref()?, target.color.as_deref())))
        .unwrap_or_default();
    let region = target.and_then(|target| target.region.as_deref());
    let direction = target.and_then(|target| target.direction);
    let template = match (goal.op, goal.relation, region) {
        (Op::Pick, ..) => pick(
            &[
                "pick up the {o}",
                "take the {o}",
                "grab the {o}",
                "lift the {o}",
            ],
            seed,
        ),
        (Op::Open, ..) => pick(&["open the {o}", "please open the {o}"], seed),
        (Op::Close, ..) => pick(&["close the {o}", "shut the {o}"], seed),
        (Op::Push, _, Some(_)) => pick(
            &["push the {o} to the {r}", "slide the {o} to the {r}"],
            seed,
        ),
        (Op::Push, ..) => pick(&["push the {o} {d}", "slide the {o} {d}"], seed),
        (_, _, Some(region)) if region.ends_with("side") => {
            pick(&["put the {o} on the {r}", "move the {o} to the {r}"], seed)
        }
        (_, _, Some(_)) => pick(&["put the {o} in the {r}", "move the {o} to the {r}"], seed),
        (_, Some(Relation::In), _) => pick(
            &[
                "put the {o} in the {t}",
                "place the {o} into the {t}",
                "drop the {o} in the {t}",
            ],
            seed,
        ),
        (_, Some(Relation::On), _) => pick(
            &[
                "stack the {o} on the {t}",
                "put the {o} on top of the {t}",
                "place the {o} on the {t}",
            ],
            seed,
        ),
        (_, Some(_), _) => pick(
            &["put the {o} {rel} the {t}", "place the {o} {rel} the {t}"],
            seed,
        ),
        (_, None, None) => return None,
    };
    Some(
        template
            .replace("{o}", &object)
            .replace("{t}", &thing)
            .replace("{r}", region.unwrap_or_default())
            .replace("{d}", direction.map_or("", Direction::phrase))
            .replace("{rel}", goal.relation.map_or("", Relation::phrase)),
    )
}

fn pick<'a>(list: &[&'a str], seed: u64) -> &'a str {
    let length = list.len().max(1) as u64;
    usize::try_from(seed % length)
        .ok()
        .and_then(|index| list.get(index))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use vola_planner::{PlanRequest, RulesBackend};
    use vola_types::{Scene, Verdict};

    use super::*;

    fn goals(json: Value) -> Vec<EpisodeGoal> {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_grammar_understands_every_sentence() {
        let scene = Scene::from_json(
            r#"{"objects":[
            {"id":"red_block","kind":"block","color":"red","position":[0.42,0.10,0.02],"on":"table"},
            {"id":"green_block","kind":"block","color":"green","position":[0.36,-0.14,0.02],"on":"table"},
            {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.5,0.2,0.03],"on":"table"},
            {"id":"drawer","kind":"drawer","position":[0.6,-0.05,0.05],"open":false}]}"#,
        )
        .unwrap();
        let red = json!({"kind":"block","color":"red"});
        let green = json!({"kind":"block","color":"green"});
        for (goals, ops) in [
            (goals(json!([{"op":"pick","object":red}])), vec![Op::Pick]),
            (
                goals(json!([{"op":"push","object":red,"target":{"direction":"right"}}])),
                vec![Op::Push],
            ),
            (
                goals(json!([{"op":"open","object":{"kind":"drawer"}}])),
                vec![Op::Open],
            ),
            (
                goals(
                    json!([{"op":"place","relation":"in","object":red,"target":{"kind":"bowl","color":"blue"}}]),
                ),
                vec![Op::Pick, Op::Place],
            ),
            (
                goals(
                    json!([{"op":"place","relation":"on","object":red,"target":{"region":"bottom side"}},
                    {"op":"place","relation":"in","object":green,"target":{"kind":"bowl","color":"blue"}}]),
                ),
                vec![Op::Pick, Op::Place, Op::Pick, Op::Place],
            ),
            (
                goals(json!([{"op":"place","relation":"on","object":green,"target":red}])),
                vec![Op::Pick, Op::Place],
            ),
            (
                goals(
                    json!([{"op":"place","relation":"on","object":green,"target":{"region":"top right corner"}}]),
                ),
                vec![Op::Pick, Op::Place],
            ),
        ] {
            for seed in 0..12 {
                let sentence = sentence(&goals, seed).unwrap();
                let draft =
                    RulesBackend::new().answer(&PlanRequest::new(sentence.clone(), scene.clone()));
                assert_eq!(draft.verdict, Verdict::Execute, "{sentence}: {}", draft.say);
                let made: Vec<Op> = draft.steps.iter().map(Step::op).collect();
                assert_eq!(made, ops, "{sentence}");
                assert!(understood(&goals, &draft.steps), "{sentence}");
            }
        }
    }

    #[test]
    fn a_goal_is_named_by_looks_alone() {
        let goal = json!({"op":"place","relation":"in","object":{"kind":"block","color":"red","position":[0,0,0]},
            "target":{"kind":"bowl","color":"blue","position":[0,0,0],"point":[0,0,0]}});
        assert_eq!(
            without_places(&goal),
            json!({"op":"place","relation":"in","object":{"kind":"block","color":"red"},"target":{"kind":"bowl","color":"blue"}})
        );
    }
}
