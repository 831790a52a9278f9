//! Goals with their objects resolved, and the points they lead to.

use vola_types::{Direction, Op, Region, Relation, TABLE_X, TABLE_Y};

use super::{DrawerSpec, ObjectSpec, is_free};
use crate::catalog::{BLOCK_HALF, Kind};

/// What is asked, by index into the scene's objects (the drawer comes last).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Goal {
    /// What is done.
    pub(crate) op: Op,
    /// For place: how the object comes to stand to the target.
    pub(crate) relation: Option<Relation>,
    /// The object acted on.
    pub(crate) object: usize,
    /// Where to.
    pub(crate) target: Target,
}

/// Where a goal leads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// Nowhere in particular (pick, open, close).
    None,
    /// To, in, on or beside another object.
    Object(usize),
    /// Into a region.
    Region(Region),
    /// Anywhere free on the table.
    Table,
    /// Some centimetres in a direction.
    Direction(Direction),
}

/// How far from a reference object's centre the placed block's centre comes
/// to stand (m). The contract accepts 4 to 12 cm; the gripper needs room.
pub(crate) fn beside_distance(kind: Kind) -> f64 {
    match kind {
        Kind::Bowl => 0.106,
        Kind::Block | Kind::Drawer => 0.085,
    }
}

/// The free point of a region that is nearest to its centre; the block's edge
/// stays `gap` metres away from others.
pub(crate) fn region_point(
    region: Region,
    objects: &[ObjectSpec],
    except: Option<usize>,
    drawer: Option<DrawerSpec>,
    gap: f64,
) -> Option<[f64; 2]> {
    const STEP: f64 = 0.01;
    const MARGIN: f64 = 0.016;
    let ([near, far], [right, left]) = region.bounds();
    let center = region.center();
    let radius = BLOCK_HALF * std::f64::consts::SQRT_2 + gap;
    let mut best: Option<(f64, [f64; 2])> = None;
    for row in -10_i32..=10 {
        for column in -10_i32..=10 {
            let at = [
                center[0] + STEP * f64::from(row),
                center[1] + STEP * f64::from(column),
            ];
            let inside = at[0] >= near + MARGIN
                && at[0] <= far - MARGIN
                && at[1] >= right + MARGIN
                && at[1] <= left - MARGIN;
            let distance = libm::hypot(at[0] - center[0], at[1] - center[1]);
            if inside
                && best.is_none_or(|(least, _)| distance < least - 1e-9)
                && is_free(objects, except, drawer, at, radius)
            {
                best = Some((distance, at));
            }
        }
    }
    best.map(|(_, at)| at)
}

/// The side of a reference object with the most room, for `next_to`.
pub(crate) fn next_to_point(
    reference: usize,
    objects: &[ObjectSpec],
    except: Option<usize>,
    drawer: Option<DrawerSpec>,
) -> Option<[f64; 2]> {
    let beside = objects.get(reference)?;
    let distance = beside_distance(beside.kind);
    let room = |at: [f64; 2]| {
        objects
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != reference && Some(*index) != except)
            .map(|(_, other)| {
                libm::hypot(other.at[0] - at[0], other.at[1] - at[1])
                    - other.kind.footprint_radius()
            })
            .fold(f64::INFINITY, f64::min)
            .min(0.12)
    };
    let mut best: Option<(f64, [f64; 2])> = None;
    for relation in [
        Relation::RightOf,
        Relation::LeftOf,
        Relation::InFrontOf,
        Relation::Behind,
    ] {
        let [dx, dy] = relation.direction().unwrap_or([0.0, 0.0]);
        let at = [beside.at[0] + distance * dx, beside.at[1] + distance * dy];
        let allowed = on_table(at, 0.03) && drawer.is_none_or(|drawer| !drawer.sweeps(at, 0.03));
        if allowed && best.is_none_or(|(most, _)| room(at) > most + 1e-6) {
            best = Some((room(at), at));
        }
    }
    best.map(|(_, at)| at)
}

/// Whether a point lies on the usable table, widened by `margin` metres.
pub(crate) fn on_table(at: [f64; 2], margin: f64) -> bool {
    at[0] >= TABLE_X[0] - margin
        && at[0] <= TABLE_X[1] + margin
        && at[1] >= TABLE_Y[0] - margin
        && at[1] <= TABLE_Y[1] + margin
}

/// How far a push in a direction goes (m). The contract asks for 5 cm.
pub(crate) const PUSH_LENGTH: f64 = 0.08;
/// A push into a region ends this far inside it (m).
const PUSH_INTO: f64 = 0.022;

/// Where a push of an object at `from` is to end.
pub(crate) fn push_point(target: Target, from: [f64; 2]) -> Option<[f64; 2]> {
    match target {
        Target::Direction(direction) => {
            let [dx, dy] = direction.vector();
            Some([from[0] + PUSH_LENGTH * dx, from[1] + PUSH_LENGTH * dy])
        }
        Target::Region(region) => {
            let center = region.center();
            let (dx, dy) = (center[0] - from[0], center[1] - from[1]);
            let distance = libm::hypot(dx, dy);
            if !(distance > 0.01) {
                return None;
            }
            let unit = [dx / distance, dy / distance];
            let ([near, far], [right, left]) = region.bounds();
            let inside = |length: f64| {
                let at = [from[0] + length * unit[0], from[1] + length * unit[1]];
                at[0] >= near + PUSH_INTO
                    && at[0] <= far - PUSH_INTO
                    && at[1] >= right + PUSH_INTO
                    && at[1] <= left - PUSH_INTO
            };
            let mut length: f64 = 0.07;
            while length < distance && !inside(length) {
                length += 0.005;
            }
            let length = length.min(distance.max(0.06));
            Some([from[0] + length * unit[0], from[1] + length * unit[1]])
        }
        Target::None | Target::Object(_) | Target::Table => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Color;

    #[test]
    fn region_points_are_free_and_inside() {
        let block = |at| ObjectSpec {
            kind: Kind::Bowl,
            color: Color::all()[0],
            at,
            yaw: 0.0,
            lift: 0.0,
        };
        for region in Region::ALL {
            let center = region.center();
            let objects = [block([center[0], center[1] + 0.03])];
            let at = region_point(region, &objects, None, None, 0.02).unwrap();
            assert!(region.contains(at[0], at[1]));
            assert!((at[1] - objects[0].at[1]).hypot(at[0] - center[0]) > 0.11);
        }
    }

    #[test]
    fn pushes_into_a_region_end_inside_it() {
        let from = [0.38, 0.02];
        let at = push_point(Target::Region(Region::Top), from).unwrap();
        assert!(Region::Top.contains(at[0], at[1]) && at[0] < 0.55, "{at:?}");
        let at = push_point(Target::Direction(Direction::Left), from).unwrap();
        assert!((at[1] - 0.10).abs() < 1e-9 && (at[0] - 0.38).abs() < 1e-9);
    }
}
