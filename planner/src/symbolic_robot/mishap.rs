//! What goes wrong with a step.

use fastrand::Rng;
use vola_types::{ON_TABLE, Scene, SceneObject, Step, TABLE_X, TABLE_Y};

use super::object_mut;
use crate::geometry::clearance_m;

/// Spots tried for something that falls.
const TRIES: u32 = 60;
/// How much farther each try looks (m).
const FARTHER_M: f64 = 0.004;
/// Height of a block's centre on the table (m).
const RESTING_Z_M: f64 = 0.02;

/// A way for a step to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing happens; a drawer stays half open.
    Nothing,
    /// The object slips and comes to lie near by.
    Slips,
    /// The object falls down somewhere on the table.
    DroppedElsewhere,
    /// A neighbour is moved, and nothing else happens.
    NeighbourMoved,
}

impl Mishap {
    /// One that can happen to this step.
    pub(super) fn draw(step: &Step, rng: &mut Rng) -> Self {
        let possible: &[Self] = match step {
            Step::Place { .. } => &[
                Self::Nothing,
                Self::Slips,
                Self::Slips,
                Self::DroppedElsewhere,
                Self::NeighbourMoved,
            ],
            Step::Pick { .. } | Step::Push { .. } => &[
                Self::Nothing,
                Self::Nothing,
                Self::Slips,
                Self::NeighbourMoved,
            ],
            _ => &[Self::Nothing],
        };
        possible[rng.usize(..possible.len())]
    }

    /// Why the step failed, as the robot would say.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing happened",
            Self::Slips => "it slipped",
            Self::DroppedElsewhere => "it fell down",
            Self::NeighbourMoved => "something else was in the way",
        }
    }

    /// Changes the world as the mishap does.
    pub(super) fn befall(self, step: &Step, scene: &mut Scene, rng: &mut Rng) {
        let Some(object) = step.object() else {
            return;
        };
        match self {
            Self::Nothing => {}
            Self::Slips => {
                // What is let go of lands beside where it was brought to.
                let target = step.target().filter(|_| matches!(step, Step::Place { .. }));
                match target.and_then(|target| scene.object(target)?.position) {
                    Some(place) => {
                        if let Some(held) = object_mut(scene, object) {
                            held.position = Some(place);
                        }
                        move_about(object, [0.08, 0.14], scene, rng);
                    }
                    None => move_about(object, [0.02, 0.05], scene, rng),
                }
            }
            Self::DroppedElsewhere => move_about(object, [0.05, 0.30], scene, rng),
            Self::NeighbourMoved => {
                if let Some(neighbour) = neighbour(object, scene) {
                    move_about(&neighbour, [0.02, 0.06], scene, rng);
                }
            }
        }
    }
}

/// The nearest block that lies free on the table.
fn neighbour(object: &str, scene: &Scene) -> Option<String> {
    let [x, y, _] = scene.object(object)?.position?;
    let is_free = |other: &&SceneObject| {
        other.id != object
            && other.kind == "block"
            && other.on.as_deref() == Some(ON_TABLE)
            && scene.resting_on(&other.id).next().is_none()
    };
    let distance = |other: &SceneObject| {
        let [ox, oy, _] = other.position.unwrap_or([f64::INFINITY; 3]);
        (x - ox).hypot(y - oy)
    };
    let free = scene.objects.iter().filter(is_free);
    free.min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .map(|other| other.id.clone())
}

/// Lets an object come to lie on the table, so far from where it is (m), or
/// farther where there is no room.
pub(super) fn move_about(id: &str, [least, most]: [f64; 2], scene: &mut Scene, rng: &mut Rng) {
    let Some([x, y, _]) = scene.object(id).and_then(|object| object.position) else {
        return;
    };
    let kind = scene.object(id).map_or("block", |it| it.kind.as_str());
    let mut place = None;
    for tried in 0..TRIES {
        let distance = least + (most - least) * rng.f64() + FARTHER_M * f64::from(tried);
        let (sin, cos) = (std::f64::consts::TAU * rng.f64()).sin_cos();
        let point = [x + distance * cos, y + distance * sin];
        let on_table = (TABLE_X[0]..=TABLE_X[1]).contains(&point[0])
            && (TABLE_Y[0]..=TABLE_Y[1]).contains(&point[1]);
        if on_table && clearance_m(point, kind, id, scene) >= 0.0 {
            place = Some(point);
            break;
        }
    }
    if scene.gripper.holding.as_deref() == Some(id) {
        // A full hand cannot be kept: it falls, at the worst onto the spot below.
        scene.gripper.holding = None;
        scene.gripper.open = true;
    } else if place.is_none() {
        return;
    }
    if let Some(object) = object_mut(scene, id) {
        let [x, y] = place.unwrap_or([x, y]);
        object.position = Some([x, y, RESTING_Z_M]);
        object.on = Some(ON_TABLE.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_falls_lies_free_on_the_table_and_is_held_no_more() {
        let mut scene = Scene::from_json(
            r#"{"objects":[{"id":"a","kind":"block","position":[0.4,0.0,0.2],"on":"gripper"},
                {"id":"b","kind":"block","position":[0.45,0.0,0.02],"on":"table"},
                {"id":"bowl","kind":"bowl","position":[0.5,0.2,0.03],"on":"table"}],
                "gripper":{"holding":"a","open":false}}"#,
        )
        .unwrap();
        let mut rng = Rng::with_seed(1);
        let place: Step =
            serde_json::from_str(r#"{"op":"place","object":"a","target":"bowl","relation":"in"}"#)
                .unwrap();
        Mishap::NeighbourMoved.befall(&place, &mut scene, &mut rng);
        assert_eq!(scene.gripper.holding.as_deref(), Some("a"));
        assert_ne!(scene.object("b").unwrap().position, Some([0.45, 0.0, 0.02]));
        Mishap::Slips.befall(&place, &mut scene, &mut rng);
        let fallen = scene.object("a").unwrap();
        assert_eq!(fallen.on.as_deref(), Some(ON_TABLE));
        assert!(scene.gripper.holding.is_none());
        let [x, y, _] = fallen.position.unwrap();
        assert!(clearance_m([x, y], "block", "a", &scene) >= 0.0);
    }
}
