//! From a goal's JSON to the objects it names.

use vola_types::{Op, Region, Relation};

use super::{ObjectState, World};
use crate::{
    catalog::Kind,
    error::TabletopError,
    scene::{Goal, GoalJson, ObjectRef, Target, TargetRef},
};

/// Finds the objects that a goal's JSON names; also gives its point.
///
/// # Errors
/// [`TabletopError::NoSuchObject`] or [`TabletopError::BadGoal`].
pub(crate) fn resolve_goal(
    json: &GoalJson,
    world: &World,
) -> Result<(Goal, Option<[f64; 3]>), TabletopError> {
    let object = match (&json.object, json.op) {
        (Some(object), _) => find(object, "object", world)?,
        (None, Op::Place) => world
            .held_object()
            .ok_or_else(|| no_such("object", "the held object", world))?,
        (None, Op::Open | Op::Close) if world.drawer().is_some() => world.object_count() - 1,
        (None, _) => return Err(no_such("object", "nothing", world)),
    };
    let target = match &json.target {
        Some(target) => resolve_target(target, world)?,
        None => Target::None,
    };
    let relation = match (json.op, json.relation, target) {
        (Op::Place, Some(relation), _) => Some(relation),
        (Op::Place, None, Target::Object(index)) => {
            match world.object(index).map(|object| object.kind) {
                Some(Kind::Block) => Some(Relation::On),
                _ => Some(Relation::In),
            }
        }
        (Op::Place, None, _) => Some(Relation::On),
        _ => None,
    };
    let point = json
        .target
        .as_ref()
        .and_then(|target| target.point)
        .filter(|point| point.iter().all(|v| v.is_finite()));
    Ok((
        Goal {
            op: json.op,
            relation,
            object,
            target,
        },
        point,
    ))
}

fn resolve_target(target: &TargetRef, world: &World) -> Result<Target, TabletopError> {
    if let Some(direction) = target.direction {
        return Ok(Target::Direction(direction));
    }
    if let Some(name) = &target.region {
        if name == vola_types::ON_TABLE {
            return Ok(Target::Table);
        }
        return Region::from_name(name)
            .map(Target::Region)
            .ok_or_else(|| TabletopError::BadGoal {
                field: "target.region",
                expected: "one of the nine regions or `table`",
                got: name.clone(),
            });
    }
    match target.kind {
        Some(kind) => {
            let object = ObjectRef {
                kind,
                color: target.color,
                position: target.position,
            };
            find(&object, "target", world).map(Target::Object)
        }
        None => Ok(Target::None),
    }
}

fn find(wanted: &ObjectRef, field: &'static str, world: &World) -> Result<usize, TabletopError> {
    let distance = |object: &ObjectState| match wanted.position {
        Some(seen) => libm::hypot(object.position[0] - seen[0], object.position[1] - seen[1]),
        None => 0.0,
    };
    world
        .object_states()
        .iter()
        .enumerate()
        .filter(|(_, object)| {
            object.kind == wanted.kind && (wanted.color.is_none() || object.color == wanted.color)
        })
        .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)))
        .map(|(index, _)| index)
        .ok_or_else(|| {
            let color = wanted.color.map_or("any", |color| color.word());
            no_such(field, &format!("a {color} {}", wanted.kind.word()), world)
        })
}

fn no_such(field: &'static str, got: &str, world: &World) -> TabletopError {
    let known: Vec<String> = world
        .object_states()
        .iter()
        .map(|object| match object.color {
            Some(color) => format!("{} {}", color.word(), object.kind.word()),
            None => object.kind.word().to_owned(),
        })
        .collect();
    TabletopError::NoSuchObject {
        field,
        got: got.to_owned(),
        known: known.join(", "),
    }
}
