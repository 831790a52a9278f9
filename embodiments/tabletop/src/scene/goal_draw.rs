//! Drawing goals that a layout can fulfil.

use vola_types::{Direction, Op, Region, Relation};

use super::{
    Combos, DrawerSpec, Goal, ObjectSpec, Random, Target, TaskKind, beside_distance,
    goal::{on_table, push_point},
    is_free,
    layout::EDGE_GAP,
    next_to_point,
    plan::LEAST_REACH,
    region_point,
};
use crate::catalog::{BLOCK_HALF, Kind, is_held_out};

/// Gap left round a block that is put on the table (m).
const PLACE_GAP: f64 = 0.025;
/// Part of the longer sentences in which a push comes before a place.
const PUSH_BEFORE: f64 = 0.3;
/// Probability that a push goes in a direction, not into a region.
const TOWARDS: f64 = 0.75;

/// The layout that goals are drawn for.
pub(crate) struct Context<'a> {
    /// Blocks and bowls.
    pub(crate) objects: &'a [ObjectSpec],
    /// The drawer, where there is one.
    pub(crate) drawer: Option<DrawerSpec>,
    /// Which combinations the goals may name.
    pub(crate) combos: Combos,
}

impl Context<'_> {
    /// Draws the goals of a task; none when the layout lacks what it needs.
    pub(crate) fn goals(&self, random: &mut Random, task: TaskKind) -> Option<Vec<Goal>> {
        let goal = match task {
            TaskKind::Free => return Some(Vec::new()),
            TaskKind::Multi => return self.multi(random),
            TaskKind::Pick => Goal {
                op: Op::Pick,
                relation: None,
                object: self.acted_on(random, Kind::Block)?,
                target: Target::None,
            },
            TaskKind::PlaceIn => self.place_in(random, &[])?,
            TaskKind::PlaceOnRegion => self.place_on_region(random, &[])?,
            TaskKind::Stack => self.stack(random, &[])?,
            TaskKind::Relation => self.beside(random, &[])?,
            TaskKind::Push => self.push(random, &[], TOWARDS)?,
            TaskKind::PushToRegion => self.push(random, &[], 0.0)?,
            TaskKind::Drawer | TaskKind::PlaceInDrawer => self.drawer_goal(random, task)?,
        };
        Some(vec![goal])
    }

    fn drawer_goal(&self, random: &mut Random, task: TaskKind) -> Option<Goal> {
        let drawer = self.drawer?;
        let object = self.objects.len();
        Some(if task == TaskKind::PlaceInDrawer {
            Goal {
                op: Op::Place,
                relation: Some(Relation::In),
                object: self.acted_on(random, Kind::Block)?,
                target: Target::Object(object),
            }
        } else {
            let op = if drawer.opening > 0.0 {
                Op::Close
            } else {
                Op::Open
            };
            Goal {
                op,
                relation: None,
                object,
                target: Target::None,
            }
        })
    }

    /// A block for a carried object: never a held-out one where only the
    /// target carries the combination under test.
    fn carried(&self, random: &mut Random, taken: &[usize]) -> Option<usize> {
        let fitting: Vec<usize> = self
            .of_kind(Kind::Block)
            .filter(|(index, object)| {
                !taken.contains(index)
                    && (self.combos == Combos::All || !is_held_out(object.kind, object.color))
            })
            .map(|(index, _)| index)
            .collect();
        random.choose(&fitting).copied()
    }

    /// An object that fits the combinations asked for.
    fn acted_on(&self, random: &mut Random, kind: Kind) -> Option<usize> {
        let fitting: Vec<usize> = self
            .of_kind(kind)
            .filter(|(_, object)| self.allows(object))
            .map(|(index, _)| index)
            .collect();
        random.choose(&fitting).copied()
    }

    fn allows(&self, object: &ObjectSpec) -> bool {
        match self.combos {
            Combos::All => true,
            Combos::Train => !is_held_out(object.kind, object.color),
            Combos::HeldOut => is_held_out(object.kind, object.color),
        }
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (usize, &ObjectSpec)> {
        self.objects
            .iter()
            .enumerate()
            .filter(move |(_, object)| object.kind == kind)
    }

    fn place_in(&self, random: &mut Random, taken: &[usize]) -> Option<Goal> {
        let object = self.carried(random, taken)?;
        let bowl = self
            .acted_on(random, Kind::Bowl)
            .filter(|bowl| !taken.contains(bowl))?;
        Some(place(object, Relation::In, Target::Object(bowl)))
    }

    fn place_on_region(&self, random: &mut Random, taken: &[usize]) -> Option<Goal> {
        let object = self.carried(random, taken)?;
        let region = *random.choose(&Region::ALL)?;
        region_point(region, self.objects, Some(object), self.drawer, PLACE_GAP)?;
        // A block that already lies there would need no motion.
        let at = self.objects.get(object)?.at;
        (!region.contains(at[0], at[1])).then_some(place(
            object,
            Relation::On,
            Target::Region(region),
        ))
    }

    fn stack(&self, random: &mut Random, taken: &[usize]) -> Option<Goal> {
        let object = self.carried(random, taken)?;
        let under = self
            .acted_on(random, Kind::Block)
            .filter(|under| *under != object && !taken.contains(under))?;
        Some(place(object, Relation::On, Target::Object(under)))
    }

    fn beside(&self, random: &mut Random, taken: &[usize]) -> Option<Goal> {
        let object = self.carried(random, taken)?;
        let kind = if random.chance(0.7) {
            Kind::Block
        } else {
            Kind::Bowl
        };
        let reference = self
            .acted_on(random, kind)
            .filter(|reference| *reference != object && !taken.contains(reference))?;
        let relation = *random.choose(&[
            Relation::LeftOf,
            Relation::RightOf,
            Relation::InFrontOf,
            Relation::Behind,
            Relation::NextTo,
        ])?;
        let beside = self.objects.get(reference)?;
        let at = match relation.direction() {
            Some([dx, dy]) => {
                let distance = beside_distance(beside.kind);
                [beside.at[0] + distance * dx, beside.at[1] + distance * dy]
            }
            None => next_to_point(reference, self.objects, Some(object), self.drawer)?,
        };
        let others: Vec<ObjectSpec> = self
            .objects
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != object && *index != reference)
            .map(|(_, other)| *other)
            .collect();
        let radius = BLOCK_HALF * std::f64::consts::SQRT_2 + PLACE_GAP;
        let free = is_free(&others, None, self.drawer, at, radius) && on_table(at, 0.03);
        free.then_some(place(object, relation, Target::Object(reference)))
    }

    /// A push, with the given probability in a direction, else into a region.
    fn push(&self, random: &mut Random, taken: &[usize], towards: f64) -> Option<Goal> {
        let object = self
            .acted_on(random, Kind::Block)
            .filter(|object| !taken.contains(object))?;
        let target = if random.chance(towards) {
            Target::Direction(*random.choose(&Direction::ALL)?)
        } else {
            Target::Region(*random.choose(&Region::ALL)?)
        };
        let from = self.objects.get(object)?.at;
        if let Target::Region(region) = target
            && region.contains(from[0], from[1])
        {
            return None;
        }
        let to = push_point(target, from)?;
        self.push_is_clear(object, from, to).then_some(Goal {
            op: Op::Push,
            relation: None,
            object,
            target,
        })
    }

    /// Whether gripper and block find their way: from behind the block to
    /// where it is to end.
    fn push_is_clear(&self, object: usize, from: [f64; 2], to: [f64; 2]) -> bool {
        const BEHIND: f64 = 0.075;
        const BEYOND: f64 = 0.015;
        const TOOL_BEHIND: f64 = 0.03;
        const STEPS: i32 = 14;
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = libm::hypot(dx, dy);
        if !(length > 0.05 && length < 0.17) {
            return false;
        }
        let at = |along: f64| [from[0] + dx / length * along, from[1] + dy / length * along];
        let (behind, last) = (at(-BEHIND), at(length - TOOL_BEHIND));
        let far_enough = |point: [f64; 2]| libm::hypot(point[0], point[1]) > LEAST_REACH;
        let reachable =
            far_enough(behind) && far_enough(last) && on_table(to, 0.02) && behind[1].abs() < 0.36;
        reachable
            && (0..=STEPS).all(|step| {
                let along =
                    -BEHIND + (length + BEHIND + BEYOND) * f64::from(step) / f64::from(STEPS);
                is_free(
                    self.objects,
                    Some(object),
                    self.drawer,
                    at(along),
                    0.034 + 0.5 * EDGE_GAP,
                )
            })
    }

    /// One place, a push and a place, or two places, of different blocks: sentences
    /// whose plans have two, three or four steps.
    fn multi(&self, random: &mut Random) -> Option<Vec<Goal>> {
        let one = |context: &Self, random: &mut Random, taken: &[usize]| match random.below(4) {
            0 | 1 => context.place_in(random, taken),
            2 => context.place_on_region(random, taken),
            _ => context.stack(random, taken),
        };
        if random.chance(PUSH_BEFORE) {
            // First, since its way is clear in the scene as it is drawn.
            let push = self.push(random, &[], TOWARDS)?;
            let place = one(self, random, &[push.object])?;
            let crossing = match (push.target, place.target) {
                (Target::Region(a), Target::Region(b)) => a == b,
                _ => false,
            };
            return (!crossing).then_some(vec![push, place]);
        }
        let first = one(self, random, &[])?;
        if random.chance(0.5) {
            return Some(vec![first]);
        }
        let mut taken = vec![first.object];
        if let Target::Object(other) = first.target {
            taken.push(other);
        }
        let second = one(self, random, &taken)?;
        let crossing = match (first.target, second.target) {
            (Target::Region(a), Target::Region(b)) => a == b,
            _ => false,
        };
        (!crossing).then_some(vec![first, second])
    }
}

fn place(object: usize, relation: Relation, target: Target) -> Goal {
    Goal {
        op: Op::Place,
        relation: Some(relation),
        object,
        target,
    }
}
