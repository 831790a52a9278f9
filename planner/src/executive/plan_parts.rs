//! The rest of a plan as parts that a person thinks of as one thing: an object
//! taken and put somewhere, a drawer opened.

use vola_types::{Scene, Step};

use super::recovery::rebuild;
use crate::capabilities::Capabilities;
use crate::describe::capital;
use crate::verifier::{PlanFault, SymbolicWorld, verify_steps};

/// Steps in parts: a pick with the place that follows it, others alone.
pub(super) fn parts(steps: &[Step]) -> Vec<Vec<Step>> {
    let mut parts: Vec<Vec<Step>> = Vec::new();
    for step in steps {
        let belongs = match (parts.last().and_then(|part| part.last()), step) {
            (Some(Step::Pick { object: taken }), Step::Place { object, .. }) => taken == object,
            _ => false,
        };
        match parts.last_mut().filter(|_| belongs) {
            Some(part) => part.push(step.clone()),
            None => parts.push(vec![step.clone()]),
        }
    }
    parts
}

/// What a part acts on in the end.
pub(super) fn object_of(part: &[Step]) -> Option<&str> {
    part.iter().rev().find_map(Step::object)
}

/// Steps that reach what these parts are for, one after the other, from this
/// scene.
///
/// # Errors
/// Why they cannot be run, in words.
pub(super) fn joined(
    parts: &[Vec<Step>],
    scene: &Scene,
    capabilities: &Capabilities,
) -> Result<Vec<Step>, String> {
    let steps = parts.concat();
    match verify_steps(&steps, scene, capabilities) {
        Ok(_) => Ok(steps),
        Err(fault) => rebuild(&steps, scene, capabilities).ok_or_else(|| in_words(&fault, scene)),
    }
}

fn in_words(fault: &PlanFault, scene: &Scene) -> String {
    match fault {
        PlanFault::Step { error, .. } => error.say(scene),
        other => capital(&other.to_string()),
    }
}

/// The rest of a plan when a step before it is left out.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rest {
    /// These steps can be run.
    Possible(Vec<Step>),
    /// Some need the step; these do not.
    Needed(Vec<Step>),
}

/// What can be run of `rest` without `skipped`.
pub(super) fn without(
    skipped: &Step,
    rest: &[Step],
    scene: &Scene,
    capabilities: &Capabilities,
) -> Rest {
    if verify_steps(rest, scene, capabilities).is_ok() {
        return Rest::Possible(rest.to_vec());
    }
    let kept = without_dependent(skipped, rest);
    if verify_steps(&kept, scene, capabilities).is_ok() {
        return Rest::Possible(kept);
    }
    match rebuild(&kept, scene, capabilities) {
        Some(steps) if !steps.contains(skipped) => Rest::Possible(steps),
        _ => Rest::Needed(possible(&kept, scene, capabilities)),
    }
}

/// The rest without the place that a skipped pick was for.
fn without_dependent(skipped: &Step, rest: &[Step]) -> Vec<Step> {
    let mut kept = rest.to_vec();
    if let Step::Pick { object: taken } = skipped {
        let acts = |step: &Step| step.object() == Some(taken.as_str());
        if let Some(index) = kept.iter().position(acts)
            && matches!(kept[index], Step::Place { .. })
        {
            kept.remove(index);
        }
    }
    kept
}

/// The parts that can be run one after the other; the others are dropped.
fn possible(steps: &[Step], scene: &Scene, capabilities: &Capabilities) -> Vec<Step> {
    let mut now = scene.clone();
    let mut kept = Vec::new();
    for part in parts(steps) {
        let mut world = SymbolicWorld::new(now.clone(), capabilities);
        if part.iter().all(|step| world.apply(step).is_ok()) {
            now = world.into_scene();
            kept.extend(part);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENE: &str = r#"{"objects":[
        {"id":"red","kind":"block","position":[0.40,-0.10,0.02],"on":"table"},
        {"id":"green","kind":"block","position":[0.45,0.05,0.02],"on":"table"},
        {"id":"bowl","kind":"bowl","position":[0.52,0.20,0.03],"on":"table"},
        {"id":"drawer","kind":"drawer","open":false}]}"#;

    fn steps(text: &str) -> Vec<Step> {
        let word = |line: &str| match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["pick", object] => Step::Pick {
                object: (*object).to_owned(),
            },
            ["place", object, target] => Step::Place {
                object: (*object).to_owned(),
                target: (*target).to_owned(),
                relation: vola_types::Relation::In,
            },
            ["open", object] => Step::Open {
                object: (*object).to_owned(),
            },
            _ => Step::Home,
        };
        text.split(", ").map(word).collect()
    }

    #[test]
    fn a_plan_falls_into_the_parts_a_person_sees() {
        let all = steps("pick red, place red bowl, open drawer, pick green, home");
        let lengths: Vec<usize> = parts(&all).iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1, 1, 1]);
    }

    #[test]
    fn what_needs_a_skipped_step_is_found() {
        let scene = Scene::from_json(SCENE).unwrap();
        let can = Capabilities::default();
        let check = |skipped: &str, rest: &str, expected: Rest| {
            let got = without(&steps(skipped)[0], &steps(rest), &scene, &can);
            assert_eq!(got, expected, "{rest} without {skipped}");
        };
        check(
            "home",
            "pick red, place red bowl",
            Rest::Possible(steps("pick red, place red bowl")),
        );
        // The place goes with its pick.
        check(
            "pick red",
            "place red bowl, pick green, place green bowl",
            Rest::Possible(steps("pick green, place green bowl")),
        );
        // A drawer that stays shut takes nothing in.
        check(
            "open drawer",
            "pick red, place red drawer, pick green, place green bowl",
            Rest::Needed(steps("pick green, place green bowl")),
        );
    }

    #[test]
    fn a_full_hand_is_emptied_before_the_rest() {
        let mut scene = Scene::from_json(SCENE).unwrap();
        scene.gripper.holding = Some("red".to_owned());
        scene.objects[0].on = Some("gripper".to_owned());
        let can = Capabilities::default();
        let rest = steps("pick green, place green bowl");
        let Rest::Possible(got) = without(&steps("place red bowl")[0], &rest, &scene, &can) else {
            panic!("it can be put down");
        };
        assert_eq!(got.len(), 3);
        assert!(
            matches!(&got[0], Step::Place { object, target, .. } if object == "red" && target == "table")
        );
    }
}
