//! Scenes in which something was already done: blocks in bowls, on blocks, in
//! the open drawer.
//!
//! They are the end states of put, stack and the drawer. What never appears in
//! training is misread when it appears on the table: a scene reader that knows
//! empty bowls only takes the block inside for the bowl's colour.

use super::{DrawerSpec, Goal, ObjectSpec, Random, Target};
use crate::catalog::{BLOCK_HALF, Kind};

/// Most blocks that are put somewhere.
const MOST: usize = 3;
/// Farthest from a bowl's middle that a block is let go (m).
const IN_BOWL: f64 = 0.018;
/// Farthest off that a block stands on another (m).
const ON_BLOCK: f64 = 0.008;
/// Height from which a block falls into a container (m).
const DROP: f64 = 0.012;

/// Where a block is put.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Bowl(usize),
    Block(usize),
    Drawer,
}

/// Puts up to three blocks that no goal leads to into bowls, on blocks or in
/// the open drawer.
///
/// The object of a pick may be one of them; every other goal keeps its objects
/// where they were drawn for it.
pub(crate) fn put_away(
    random: &mut Random,
    objects: &mut [ObjectSpec],
    drawer: Option<DrawerSpec>,
    goals: &[Goal],
) {
    let fixed: Vec<usize> = goals.iter().flat_map(involved).collect();
    let mut movable: Vec<usize> = (0..objects.len())
        .filter(|index| objects[*index].kind == Kind::Block && !fixed.contains(index))
        .collect();
    random.shuffle(&mut movable);
    let count = 1 + random.below(MOST.min(movable.len()).max(1));
    let mut used: Vec<Place> = Vec::new();
    let mut moved: Vec<usize> = Vec::new();
    for index in movable.into_iter().take(count) {
        let Some(place) = draw_place(random, objects, drawer, index, (&fixed, &moved)) else {
            continue;
        };
        // One above another in a bowl: rarely, and never three.
        let level = used.iter().filter(|other| **other == place).count();
        if level > 1 || (level == 1 && !(matches!(place, Place::Bowl(_)) && random.chance(0.4))) {
            continue;
        }
        used.push(place);
        moved.push(index);
        let next = at_place(random, objects, drawer, place, level);
        if let (Some(object), Some((at, lift))) = (objects.get_mut(index), next) {
            object.at = at;
            object.lift = lift;
            object.yaw = random.range(-std::f64::consts::FRAC_PI_4, std::f64::consts::FRAC_PI_4);
        }
    }
}

/// Objects that must stay where they are for a goal.
fn involved(goal: &Goal) -> Vec<usize> {
    let mut fixed = Vec::new();
    if goal.op != vola_types::Op::Pick {
        fixed.push(goal.object);
    }
    if let Target::Object(target) = goal.target {
        fixed.push(target);
    }
    fixed
}

fn draw_place(
    random: &mut Random,
    objects: &[ObjectSpec],
    drawer: Option<DrawerSpec>,
    mover: usize,
    (fixed, moved): (&[usize], &[usize]),
) -> Option<Place> {
    let of_kind = |kind: Kind| -> Vec<usize> {
        (0..objects.len())
            .filter(|index| *index != mover && objects[*index].kind == kind)
            .collect()
    };
    let kind = random.unit();
    if kind < 0.25 && drawer.is_some_and(|drawer| drawer.opening > 0.0) {
        return Some(Place::Drawer);
    }
    if kind < 0.65 {
        let bowls = of_kind(Kind::Bowl);
        return random.choose(&bowls).map(|bowl| Place::Bowl(*bowl));
    }
    let free: Vec<usize> = of_kind(Kind::Block)
        .into_iter()
        .filter(|index| !fixed.contains(index) && !moved.contains(index))
        .collect();
    random.choose(&free).map(|below| Place::Block(*below))
}

fn at_place(
    random: &mut Random,
    objects: &[ObjectSpec],
    drawer: Option<DrawerSpec>,
    place: Place,
    level: usize,
) -> Option<([f64; 2], f64)> {
    let mut near = |at: [f64; 2], radius: f64| {
        [
            at[0] + random.range(-radius, radius),
            at[1] + random.range(-radius, radius),
        ]
    };
    Some(match place {
        Place::Bowl(bowl) => {
            let above = if level > 0 { 2.2 * BLOCK_HALF } else { 0.0 };
            (near(objects.get(bowl)?.at, IN_BOWL), DROP + above)
        }
        Place::Block(below) => (
            near(objects.get(below)?.at, ON_BLOCK),
            2.0 * BLOCK_HALF + 4e-4,
        ),
        Place::Drawer => {
            let drawer = drawer?;
            let [x, y, z] = drawer.inside(drawer.opening);
            ([near([x, y], 0.014)[0], near([x, y], 0.04)[1]], z + DROP)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{DrawerChoice, Start, TaskKind, TaskSpec, plan};

    #[test]
    fn blocks_come_into_bowls_on_blocks_and_into_the_drawer() {
        let (mut in_bowl, mut on_block, mut in_drawer) = (0, 0, 0);
        for seed in 0..300 {
            let spec = TaskSpec {
                task: TaskKind::Free,
                start: Start::Varied,
                ..TaskSpec::default()
            };
            let scene = plan(seed, &spec, DrawerChoice::Default).unwrap();
            for object in scene.objects.iter().filter(|object| object.lift > 0.0) {
                assert_eq!(object.kind, Kind::Block);
                let near = |kind: Kind, reach: f64| {
                    scene.objects.iter().any(|other| {
                        other != object
                            && other.kind == kind
                            && (other.at[0] - object.at[0]).hypot(other.at[1] - object.at[1])
                                < reach
                    })
                };
                if near(Kind::Bowl, 0.03) {
                    in_bowl += 1;
                } else if near(Kind::Block, 0.015) {
                    on_block += 1;
                } else {
                    in_drawer += 1;
                }
            }
        }
        assert!(
            in_bowl > 40 && on_block > 20 && in_drawer > 5,
            "{in_bowl} {on_block} {in_drawer}"
        );
    }

    #[test]
    fn goals_keep_their_objects() {
        for seed in 0..200 {
            let spec = TaskSpec {
                task: TaskKind::Push,
                start: Start::Varied,
                ..TaskSpec::default()
            };
            let scene = plan(seed, &spec, DrawerChoice::Default).unwrap();
            let pushed = &scene.objects[scene.goals[0].object];
            assert!(pushed.lift.abs() < 1e-12);
        }
    }
}
