//! Whether a step did what it should, measured from the scene before and
//! after.
//!
//! The bars are the contract's "measured against the world", relations and
//! pushes with a little slack for what a camera-derived scene is off by; where
//! something must lie inside a bound there is none, for "done" must not be said
//! of what is not.

use vola_types::{
    BOWL_RIM_RADIUS_M, ON_TABLE, PushTo, Region, Relation, Scene, SceneObject, Step, object_phrase,
};

use crate::describe::capital;

/// What a camera-derived position may be off by, in metres.
const SLACK_M: f64 = 0.004;
/// Nearest and farthest centre distance of `left_of` and its like, metres.
const BESIDE_M: [f64; 2] = [0.04, 0.12];
/// Farthest centre off the axis of `left_of` and its like, metres.
const ACROSS_M: f64 = 0.04;
/// Least way of a push, in metres.
const PUSH_M: f64 = 0.05;
/// A push must stay within 30° of its direction (5° slack).
const PUSH_COS: f64 = 0.819;
/// Farthest centre of a stacked block from the one below, metres.
const STACK_ACROSS_M: f64 = 0.03;
/// Height between stacked centres, metres.
const STACK_HEIGHT_M: [f64; 2] = [0.025, 0.06];
/// Least height of a picked object's centre, metres.
const LIFTED_M: f64 = 0.08;

/// What is not as it should be after a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unmet {
    /// One sentence for a person.
    pub reason: String,
}

/// Tests the step's postcondition.
///
/// # Errors
/// [`Unmet`] with the reason.
pub fn check(step: &Step, before: &Scene, after: &Scene) -> Result<(), Unmet> {
    let the = |id: &str| object_phrase(id, after);
    let unless = |ok: bool, reason: String| {
        if ok {
            Ok(())
        } else {
            Err(Unmet {
                reason: capital(&reason),
            })
        }
    };
    match step {
        Step::Pick { object } => unless(
            is_held(object, after),
            format!("{} is not in the gripper.", the(object)),
        ),
        Step::Place {
            object,
            target,
            relation,
        } => unless(
            is_placed(object, target, *relation, after),
            format!(
                "{} is not {} {}.",
                the(object),
                relation.phrase(),
                the(target)
            ),
        ),
        Step::Push { object, to } => unless(
            is_pushed(object, to, before, after),
            format!("{} did not move as it should.", the(object)),
        ),
        Step::Open { object } => unless(
            after.object(object).is_some_and(|o| o.open != Some(false)),
            format!("{} is not open.", the(object)),
        ),
        Step::Close { object } => unless(
            after.object(object).is_some_and(|o| o.open != Some(true)),
            format!("{} is not closed.", the(object)),
        ),
        Step::OpenGripper => unless(after.gripper.open, "the gripper is not open.".to_owned()),
        Step::CloseGripper => unless(
            !after.gripper.open || after.gripper.holding.is_some(),
            "the gripper is not closed.".to_owned(),
        ),
        Step::MoveTo { .. } | Step::Home | Step::Wait { .. } => Ok(()),
    }
}

/// Whether the object is held, by the gripper's word or by its height.
#[must_use]
pub fn is_held(id: &str, scene: &Scene) -> bool {
    match &scene.gripper.holding {
        Some(holding) => holding == id,
        None => scene.object(id).is_some_and(|o| {
            o.is_held() || o.on.is_none() && o.position.is_some_and(|p| p[2] >= LIFTED_M - SLACK_M)
        }),
    }
}

/// Whether the object rests, released, where `place` should have put it, as
/// far as a camera can tell: relations with slack.
#[must_use]
pub fn is_placed(id: &str, target: &str, relation: Relation, scene: &Scene) -> bool {
    is_placed_within(id, target, relation, scene, SLACK_M)
}

/// The same beyond doubt, so that nothing needs to be moved: what a camera may
/// be off by counts against it.
#[must_use]
pub fn is_surely_placed(id: &str, target: &str, relation: Relation, scene: &Scene) -> bool {
    is_placed_within(id, target, relation, scene, -SLACK_M)
}

/// `slack` widens the bounds of relations (m); below zero it narrows those of
/// regions, too.
fn is_placed_within(id: &str, target: &str, relation: Relation, scene: &Scene, slack: f64) -> bool {
    let Some(object) = scene.object(id) else {
        return false;
    };
    if object.is_held() || scene.gripper.holding.as_deref() == Some(id) {
        return false;
    }
    let rests_on = object.on.as_deref() == Some(target);
    let Some(landmark) = scene.object(target) else {
        return match Region::from_name(target) {
            Some(region) if scene.has_region(target) => {
                let lies = rests_on || on_table(object, scene);
                let inside = in_region(object, region, slack.min(0.0));
                // Without a position the scene's word is all there is.
                lies && (inside || rests_on && (slack >= 0.0 || object.position.is_none()))
            }
            _ => target == ON_TABLE && on_table(object, scene),
        };
    };
    if matches!(relation, Relation::In | Relation::On) && rests_on {
        return true;
    }
    let (Some(own), Some(other)) = (object.position, landmark.position) else {
        return false;
    };
    let offset = [own[0] - other[0], own[1] - other[1]];
    let distance = offset[0].hypot(offset[1]);
    match relation {
        Relation::In => landmark.kind == "bowl" && distance <= BOWL_RIM_RADIUS_M,
        Relation::On => {
            let height = own[2] - other[2];
            distance <= STACK_ACROSS_M && (STACK_HEIGHT_M[0]..=STACK_HEIGHT_M[1]).contains(&height)
        }
        _ if !on_table(object, scene) => false,
        Relation::NextTo => distance <= BESIDE_M[1] + slack,
        _ => relation.direction().is_some_and(|[dx, dy]| {
            let along = offset[0] * dx + offset[1] * dy;
            let across = (offset[0] * dy - offset[1] * dx).abs();
            (BESIDE_M[0] - slack..=BESIDE_M[1] + slack).contains(&along)
                && across <= ACROSS_M + slack
        }),
    }
}

fn on_table(object: &SceneObject, scene: &Scene) -> bool {
    match object.on.as_deref() {
        None | Some(ON_TABLE) => true,
        Some(on) => scene.has_region(on),
    }
}

/// Whether the object's centre lies in the region, widened by `slack` (m).
fn in_region(object: &SceneObject, region: Region, slack: f64) -> bool {
    let ([near, far], [right, left]) = region.bounds();
    object.position.is_some_and(|[x, y, _]| {
        (near - slack..=far + slack).contains(&x) && (right - slack..=left + slack).contains(&y)
    })
}

fn is_pushed(id: &str, to: &PushTo, before: &Scene, after: &Scene) -> bool {
    let position = |scene: &Scene| scene.object(id).and_then(|o| o.position);
    let (Some(from), Some(now)) = (position(before), position(after)) else {
        return false;
    };
    let Some(object) = after.object(id).filter(|o| on_table(o, after)) else {
        return false;
    };
    let wanted = match to {
        PushTo::Direction(direction) => direction.vector(),
        PushTo::Region(name) => {
            return Region::from_name(name).is_some_and(|region| in_region(object, region, 0.0));
        }
    };
    let moved = [now[0] - from[0], now[1] - from[1]];
    let length = moved[0].hypot(moved[1]);
    let along = moved[0] * wanted[0] + moved[1] * wanted[1];
    length >= PUSH_M - SLACK_M && along >= PUSH_COS * length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(objects: &str, holding: &str) -> Scene {
        Scene::from_json(&format!(
            r#"{{"objects":[{objects},
              {{"id":"bowl","kind":"bowl","position":[0.5,0.1,0.03],"on":"table"}}],
              "gripper":{{"holding":{holding},"open":true}}}}"#
        ))
        .unwrap()
    }

    fn block(x: f64, y: f64, z: f64, on: &str) -> String {
        format!(r#"{{"id":"a","kind":"block","position":[{x},{y},{z}],"on":"{on}"}}"#)
    }

    #[test]
    fn what_needs_no_motion_is_so_beyond_doubt() {
        let beside = |y: f64| scene(&block(0.5, y, 0.02, "table"), "null");
        let judge = |scene: &Scene, target: &str, relation: Relation| {
            (
                is_placed("a", target, relation, scene),
                is_surely_placed("a", target, relation, scene),
            )
        };
        for (y, expected) in [
            (0.215, (true, true)),
            (0.219, (true, false)),
            (0.222, (true, false)),
            (0.226, (false, false)),
        ] {
            assert_eq!(
                judge(&beside(y), "bowl", Relation::LeftOf),
                expected,
                "left_of {y}"
            );
            assert_eq!(
                judge(&beside(y), "bowl", Relation::NextTo),
                expected,
                "next_to {y}"
            );
        }
        let region = Region::from_name("left side").unwrap();
        let ([near, far], [right, _]) = region.bounds();
        let at = |y: f64, on: &str| scene(&block(0.5 * (near + far), y, 0.02, on), "null");
        for (inside_m, on, expected) in [
            (0.02, "table", (true, true)),
            (0.002, "table", (true, false)),
            (0.002, "left side", (true, false)),
            (-0.002, "table", (false, false)),
        ] {
            assert_eq!(
                judge(&at(right + inside_m, on), "left side", Relation::On),
                expected,
                "{inside_m} {on}"
            );
        }
    }

    #[test]
    fn steps_are_measured_like_the_world_does() {
        let start = scene(&block(0.4, 0.0, 0.02, "table"), "null");
        for (step, x, y, on, expected) in [
            ("bowl in", 0.52, 0.12, "bowl", true),
            ("bowl in", 0.40, 0.12, "table", false),
            ("bowl left_of", 0.51, 0.20, "table", true),
            ("bowl left_of", 0.51, 0.00, "table", false),
            ("bowl behind", 0.60, 0.10, "table", true),
            ("bowl in_front_of", 0.41, 0.16, "table", false),
            ("bowl next_to", 0.50, 0.00, "table", true),
            ("middle on", 0.45, 0.05, "table", true),
            ("middle on", 0.45, 0.25, "table", false),
            ("push left", 0.41, 0.07, "table", true),
            ("push left", 0.40, 0.03, "table", false),
            ("push left", 0.46, 0.05, "table", false),
            ("push left side", 0.45, 0.15, "table", true),
            // On its way there is not there.
            ("push left side", 0.42, 0.08, "table", false),
        ] {
            let json = match step.split_once(' ') {
                Some(("push", "left")) => {
                    r#"{"op":"push","object":"a","direction":"left"}"#.to_owned()
                }
                Some(("push", region)) => {
                    format!(r#"{{"op":"push","object":"a","target":"{region}"}}"#)
                }
                Some((target, relation)) => format!(
                    r#"{{"op":"place","object":"a","target":"{target}","relation":"{relation}"}}"#
                ),
                None => unreachable!(),
            };
            let parsed: Step = serde_json::from_str(&json).unwrap();
            let after = scene(&block(x, y, 0.02, on), "null");
            assert_eq!(
                check(&parsed, &start, &after).is_ok(),
                expected,
                "{step} {x} {y}"
            );
        }
        let pick = Step::Pick {
            object: "a".to_owned(),
        };
        let held = scene(&block(0.4, 0.0, 0.2, "gripper"), "\"a\"");
        assert!(check(&pick, &start, &held).is_ok());
        assert!(check(&pick, &start, &start).is_err());
    }
}
