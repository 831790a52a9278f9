//! Where a step happens: points in the base frame from the scene.
//!
//! The same function serves the verifier (is there room?), the executive (goal
//! points for the policy) and scene prediction. Targets are where the centre
//! of the *object* shall come to rest, except in a bowl, where they are the
//! bowl's own centre.

mod free_spot;
mod push_route;

use vola_types::{
    Direction, ON_TABLE, PrimitiveGoal, PushTo, Region, Relation, Scene, SceneObject, Step,
    step_sentence,
};

pub use free_spot::{clearance_m, footprint_radius_m};
use free_spot::{free_beside, free_in_region, free_on_table, freest_side, is_free};
pub use push_route::push_route;

/// Length of a push in a direction, in metres.
pub const PUSH_DISTANCE_M: f64 = 0.08;

/// A push into a region goes at least this far.
const LEAST_PUSH_M: f64 = 0.07;

/// A push into a region ends this far from its edges.
const PUSH_INSET_M: f64 = 0.022;

/// Distance between centres for left of, behind, … a small object, in metres.
pub const BESIDE_DISTANCE_M: f64 = 0.085;

/// The same beside a bowl: its rim has a radius of 6.4 cm, so that 8 cm would
/// put a block against it; 10.6 cm still lies in the measured 4–12 cm.
pub const BESIDE_BOWL_DISTANCE_M: f64 = 0.106;

/// Height of the tool over its target after `move_to`, in metres.
pub const HOVER_HEIGHT_M: f64 = 0.12;

/// Height of one block, the lift from one level of a tower to the next.
const LEVEL_M: f64 = vola_types::BLOCK_SIZE_M;

/// Height of a block's centre on the table.
const RESTING_Z_M: f64 = 0.5 * vola_types::BLOCK_SIZE_M;

/// From an open drawer's reported point, its bar, to the middle of what is out
/// of its tray, along x in metres.
const DRAWER_INSIDE_M: f64 = 0.106;

/// Height of a block's centre on the tray, in metres.
const ON_TRAY_Z_M: f64 = 0.026;

/// Where a block in an open drawer comes to lie: the middle of what is out of
/// the tray, in metres.
#[must_use]
pub fn drawer_inside(bar: [f64; 3]) -> [f64; 3] {
    [bar[0] + DRAWER_INSIDE_M, bar[1], ON_TRAY_Z_M]
}

/// Why a step has no geometry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The name is no object of the scene.
    #[error("no object {id:?} in the scene")]
    UnknownObject {
        /// The id.
        id: String,
    },
    /// The name is neither an object nor a region.
    #[error("no object or region {name:?} in the scene")]
    UnknownTarget {
        /// The name.
        name: String,
    },
    /// The object's position is not known.
    #[error("the position of {id:?} is not known")]
    NoPosition {
        /// The id.
        id: String,
    },
    /// Every spot that fits the relation is taken or off the table.
    #[error("no free spot {relation} {target:?}")]
    NoRoom {
        /// "on", "left of", …
        relation: &'static str,
        /// Object or region.
        target: String,
    },
}

/// The goal of a step: canonical sentence, object point and target point.
///
/// # Units
/// Metres, base frame.
///
/// # Errors
/// [`ResolveError`] when something named is missing, has no position, or the
/// target has no room.
pub fn resolve(step: &Step, scene: &Scene) -> Result<PrimitiveGoal, ResolveError> {
    let chosen = with_side(step, scene);
    let (object, target) = match &chosen {
        Step::MoveTo { target } => (None, Some(hover_point(target, scene)?)),
        Step::Pick { object } => (Some(position(object, scene)?), None),
        Step::Place {
            object,
            target,
            relation,
        } => (
            find(object, scene)?.position,
            place_point(object, target, *relation, scene)?,
        ),
        Step::Push { object, to } => {
            let from = position(object, scene)?;
            (Some(from), Some(push_point(object, from, to, scene)?))
        }
        // A drawer may be fixed furniture whose place the policy knows.
        Step::Open { object } | Step::Close { object } => (find(object, scene)?.position, None),
        Step::OpenGripper | Step::CloseGripper | Step::Home | Step::Wait { .. } => (None, None),
    };
    Ok(PrimitiveGoal {
        op: step.op(),
        task: step_sentence(&chosen, scene),
        object,
        target,
        seconds: match step {
            Step::Wait { seconds } => Some(*seconds),
            _ => None,
        },
    })
}

/// Like [`resolve`], with the target elsewhere than at the `tried` points where
/// there is another spot that fits; the same as before where there is none.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_elsewhere(
    step: &Step,
    scene: &Scene,
    tried: &[[f64; 3]],
) -> Result<PrimitiveGoal, ResolveError> {
    let mut crowded = scene.clone();
    for (index, point) in tried.iter().enumerate() {
        crowded.objects.push(SceneObject {
            id: format!("tried spot {index}"),
            kind: "block".to_owned(),
            color: None,
            position: Some(*point),
            on: Some(ON_TABLE.to_owned()),
            open: None,
            confidence: 1.0,
            label: None,
        });
    }
    let mut goal = resolve(step, &crowded).or_else(|_| resolve(step, scene))?;
    // The words are those of the scene as it is.
    goal.task = step_sentence(&with_side(step, &crowded), scene);
    Ok(goal)
}

/// The step with its side chosen: `next_to` names none, and the policy is asked
/// for the one with the most room, in words and as a point alike. Other steps
/// come back as they are.
#[must_use]
pub fn with_side(step: &Step, scene: &Scene) -> Step {
    let mut chosen = step.clone();
    if let Step::Place {
        object,
        target,
        relation: relation @ Relation::NextTo,
    } = &mut chosen
        && let Some(beside) = scene.object(target)
        && let Some(side) = freest_side(object, beside, scene)
    {
        *relation = side;
    }
    chosen
}

fn find<'a>(id: &str, scene: &'a Scene) -> Result<&'a SceneObject, ResolveError> {
    scene
        .object(id)
        .ok_or_else(|| ResolveError::UnknownObject { id: id.to_owned() })
}

fn position(id: &str, scene: &Scene) -> Result<[f64; 3], ResolveError> {
    find(id, scene)?
        .position
        .ok_or_else(|| ResolveError::NoPosition { id: id.to_owned() })
}

fn region(name: &str, scene: &Scene) -> Result<Region, ResolveError> {
    Region::from_name(name)
        .filter(|_| scene.has_region(name))
        .ok_or_else(|| ResolveError::UnknownTarget {
            name: name.to_owned(),
        })
}

fn hover_point(target: &str, scene: &Scene) -> Result<[f64; 3], ResolveError> {
    let below = match scene.object(target) {
        Some(_) => position(target, scene)?,
        None => region(target, scene)?.center(),
    };
    Ok([below[0], below[1], below[2] + HOVER_HEIGHT_M])
}

fn push_point(
    object: &str,
    from: [f64; 3],
    to: &PushTo,
    scene: &Scene,
) -> Result<[f64; 3], ResolveError> {
    match to {
        PushTo::Direction(direction) => Ok(pushed(from, *direction)),
        PushTo::Region(name) => {
            let wanted = region(name, scene)?;
            let just_inside = pushed_into(from, wanted);
            let point = if is_free(just_inside, object, scene) {
                just_inside
            } else {
                free_in_region(wanted, object, scene).unwrap_or(just_inside)
            };
            Ok([point[0], point[1], from[2]])
        }
    }
}

/// The point [`PUSH_DISTANCE_M`] from `from` in a direction.
#[must_use]
pub fn pushed(from: [f64; 3], direction: Direction) -> [f64; 3] {
    let [dx, dy] = direction.vector();
    [
        from[0] + PUSH_DISTANCE_M * dx,
        from[1] + PUSH_DISTANCE_M * dy,
        from[2],
    ]
}

/// Where a push towards a region's centre ends: as soon as the object lies well
/// inside it, for a short push errs less than a long one.
fn pushed_into(from: [f64; 3], region: Region) -> [f64; 2] {
    let center = region.center();
    let (dx, dy) = (center[0] - from[0], center[1] - from[1]);
    let distance = dx.hypot(dy);
    if !(distance > LEAST_PUSH_M) {
        return [center[0], center[1]];
    }
    let ([near, far], [right, left]) = region.bounds();
    let is_inside = |length: &f64| {
        let (x, y) = (
            from[0] + dx / distance * length,
            from[1] + dy / distance * length,
        );
        (near + PUSH_INSET_M..=far - PUSH_INSET_M).contains(&x)
            && (right + PUSH_INSET_M..=left - PUSH_INSET_M).contains(&y)
    };
    let length = std::iter::successors(Some(LEAST_PUSH_M), |length| Some(length + 0.005))
        .take_while(|length| *length < distance)
        .find(is_inside)
        .unwrap_or(distance);
    [
        from[0] + dx / distance * length,
        from[1] + dy / distance * length,
    ]
}

/// The point of a `place`; `None` in a container whose place only the policy
/// knows.
fn place_point(
    object: &str,
    target: &str,
    relation: Relation,
    scene: &Scene,
) -> Result<Option<[f64; 3]>, ResolveError> {
    let no_room = || ResolveError::NoRoom {
        relation: relation.phrase(),
        target: target.to_owned(),
    };
    let on_table = |spot: Option<[f64; 2]>| {
        let [x, y] = spot.ok_or_else(no_room)?;
        Ok(Some([x, y, RESTING_Z_M]))
    };
    if target == ON_TABLE {
        let near = find(object, scene)?.position;
        return on_table(free_on_table(near, object, scene));
    }
    if scene.object(target).is_none() {
        return on_table(free_in_region(region(target, scene)?, object, scene));
    }
    match relation {
        Relation::In => {
            let container = find(target, scene)?;
            Ok(match container.kind.as_str() {
                "drawer" => container.position.map(drawer_inside),
                _ => container.position,
            })
        }
        Relation::On => {
            let below = position(target, scene)?;
            Ok(Some([below[0], below[1], below[2] + LEVEL_M]))
        }
        _ => {
            position(target, scene)?;
            on_table(free_beside(object, find(target, scene)?, relation, scene))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENE: &str = r#"{"objects":[
     {"id":"a","kind":"block","color":"red","position":[0.35,-0.20,0.02],"on":"table"},
     {"id":"b","kind":"block","color":"green","position":[0.45,0.0,0.02],"on":"table"},
     {"id":"bowl","kind":"bowl","color":"blue","position":[0.45,0.18,0.03],"on":"table"},
     {"id":"drawer","kind":"drawer","open":true}]}"#;

    fn target(step: &str) -> Option<[f64; 3]> {
        let scene = Scene::from_json(SCENE).unwrap();
        let step: Step = serde_json::from_str(step).unwrap();
        resolve(&step, &scene).unwrap().target
    }

    fn place(target_name: &str, relation: &str) -> Option<[f64; 3]> {
        target(&format!(
            r#"{{"op":"place","object":"a","target":"{target_name}","relation":"{relation}"}}"#
        ))
    }

    fn near(point: Option<[f64; 3]>, expected: [f64; 3]) {
        let point = point.unwrap();
        let off = point.iter().zip(expected).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f64::max) < 1e-9, "{point:?} {expected:?}");
    }

    #[test]
    fn targets_follow_the_contract() {
        near(place("bowl", "in"), [0.45, 0.18, 0.03]);
        near(place("b", "on"), [0.45, 0.0, 0.06]);
        near(place("b", "right_of"), [0.45, -0.085, 0.02]);
        near(place("b", "in_front_of"), [0.365, 0.0, 0.02]);
        near(place("b", "behind"), [0.535, 0.0, 0.02]);
        near(place("bowl", "in_front_of"), [0.344, 0.18, 0.02]);
        near(place("top right corner", "on"), [0.55, -0.20, 0.02]);
        assert_eq!(place("drawer", "in"), None);
        near(
            target(r#"{"op":"push","object":"b","direction":"left"}"#),
            [0.45, 0.08, 0.02],
        );
        near(
            target(r#"{"op":"move_to","target":"b"}"#),
            [0.45, 0.0, 0.14],
        );
    }

    #[test]
    fn an_occupied_region_gives_a_free_spot_inside_it() {
        let [x, y, _] = place("middle", "on").unwrap();
        assert!(Region::Middle.contains(x, y));
        assert!(
            (x - 0.45).hypot(y) > 0.06,
            "{x} {y} overlaps the green block"
        );
    }

    #[test]
    fn beside_keeps_clear_of_neighbours() {
        let scene = Scene::from_json(SCENE).unwrap();
        let [x, y, _] = place("b", "next_to").unwrap();
        assert!(clearance_m([x, y], "block", "a", &scene) > 0.0);
        assert!((x - 0.45).hypot(y) <= 0.12);
    }
}
