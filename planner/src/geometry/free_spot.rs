//! Free spots on the table.
//!
//! Discs in the plane: an object covers a disc of its footprint radius, and
//! two discs keep a gap for the fingers. A grid search is exact enough (1 cm)
//! and deterministic; a smarter packer would save nothing at this size.

use vola_types::{
    BLOCK_SIZE_M, BOWL_RIM_RADIUS_M, ON_TABLE, Region, Relation, Scene, SceneObject, TABLE_X,
    TABLE_Y,
};

use super::{BESIDE_BOWL_DISTANCE_M, BESIDE_DISTANCE_M};

/// Room for one finger beside an object, in metres.
const FINGER_GAP_M: f64 = 0.012;

/// Room that is looked for first: with it the gripper opens at ease.
const EASY_GAP_M: f64 = 0.025;

/// Grid of the search, in metres.
const GRID_M: f64 = 0.01;

/// Distance of a placed centre from the edge of its region, in metres.
const EDGE_MARGIN_M: f64 = 0.022;

/// How far off the usable table a placed centre may lie, in metres.
const TABLE_SLACK_M: f64 = 0.02;

/// Radius of the disc an object covers on the table, in metres.
#[must_use]
pub fn footprint_radius_m(kind: &str) -> f64 {
    match kind {
        "bowl" => BOWL_RIM_RADIUS_M,
        "drawer" => 0.085,
        _ => 0.5 * BLOCK_SIZE_M * std::f64::consts::SQRT_2,
    }
}

/// Gap between an object of `kind` centred at `point` and its nearest
/// neighbour, in metres; negative when they overlap. Objects in containers or
/// on others do not count, what they rest on does.
#[must_use]
pub fn clearance_m(point: [f64; 2], kind: &str, mover: &str, scene: &Scene) -> f64 {
    let own = footprint_radius_m(kind);
    obstacles(mover, scene)
        .map(|(center, radius)| (center[0] - point[0]).hypot(center[1] - point[1]) - own - radius)
        .fold(f64::INFINITY, f64::min)
}

/// Whether `mover` fits at `point` with room for the fingers.
pub(super) fn is_free(point: [f64; 2], mover: &str, scene: &Scene) -> bool {
    clearance_m(point, kind_of(mover, scene), mover, scene) >= FINGER_GAP_M
}

/// The free point of the region nearest to its centre; in a crowded region
/// one where at least nothing overlaps.
pub(super) fn free_in_region(region: Region, mover: &str, scene: &Scene) -> Option<[f64; 2]> {
    let (x, y) = region.bounds();
    let center = region.center();
    let middle = [center[0], center[1]];
    [EASY_GAP_M, FINGER_GAP_M, 0.0]
        .into_iter()
        .find_map(|gap| nearest_free((x, y), middle, gap, mover, scene))
}

/// The free point of the table nearest to `near` (its middle when unknown).
pub(super) fn free_on_table(
    near: Option<[f64; 3]>,
    mover: &str,
    scene: &Scene,
) -> Option<[f64; 2]> {
    let middle = Region::Middle.center();
    let near = near.unwrap_or(middle);
    nearest_free(
        (TABLE_X, TABLE_Y),
        [near[0], near[1]],
        FINGER_GAP_M,
        mover,
        scene,
    )
}

/// The point beside `target` that fits the relation and is free: at the usual
/// distance if possible, else nearer or farther within what still counts.
pub(super) fn free_beside(
    mover: &str,
    target: &SceneObject,
    relation: Relation,
    scene: &Scene,
) -> Option<[f64; 2]> {
    let [tx, ty, _] = target.position?;
    let usual = if target.kind == "bowl" {
        BESIDE_BOWL_DISTANCE_M
    } else {
        BESIDE_DISTANCE_M
    };
    let kind = kind_of(mover, scene);
    let sides: Vec<[f64; 2]> = match relation.direction() {
        Some(side) => vec![side],
        None => [0.0, 1.0, 2.0, 3.0]
            .iter()
            .map(|quarter| {
                let (sin, cos) = (quarter * std::f64::consts::FRAC_PI_2).sin_cos();
                [cos, sin]
            })
            .collect(),
    };
    // The target itself is kept clear of by the distance.
    let mut others = scene.clone();
    others.objects.retain(|object| object.id != target.id);
    let apart = footprint_radius_m(kind) + footprint_radius_m(&target.kind);
    let mut best: Option<([f64; 2], f64)> = None;
    for distance in [usual, 0.095, 0.105, 0.115, 0.07] {
        for across in [0.0, 0.02, -0.02] {
            for [dx, dy] in &sides {
                let point = [
                    tx + distance * dx - across * dy,
                    ty + distance * dy + across * dx,
                ];
                let gap = clearance_m(point, kind, mover, &others);
                let room = on_table(point) && gap >= 0.0 && distance >= apart;
                // The first (usual) spots win; among sides the freest does.
                if room && best.is_none_or(|(_, known)| gap > known + 1e-9) {
                    best = Some((point, gap));
                }
            }
            if best.is_some_and(|(_, gap)| gap >= FINGER_GAP_M) {
                return best.map(|(point, _)| point);
            }
        }
    }
    best.map(|(point, _)| point)
}

/// The side of `target` with the most room for `mover`.
pub(super) fn freest_side(mover: &str, target: &SceneObject, scene: &Scene) -> Option<Relation> {
    let [tx, ty, _] = target.position?;
    let [x, y] = free_beside(mover, target, Relation::NextTo, scene)?;
    let along = |side: &Relation| {
        side.direction()
            .map_or(f64::NEG_INFINITY, |[dx, dy]| (x - tx) * dx + (y - ty) * dy)
    };
    [
        Relation::RightOf,
        Relation::LeftOf,
        Relation::InFrontOf,
        Relation::Behind,
    ]
    .into_iter()
    .max_by(|a, b| along(a).total_cmp(&along(b)))
}

fn on_table([x, y]: [f64; 2]) -> bool {
    let within = |value: f64, span: [f64; 2]| {
        (span[0] - TABLE_SLACK_M..=span[1] + TABLE_SLACK_M).contains(&value)
    };
    within(x, TABLE_X) && within(y, TABLE_Y)
}

fn kind_of<'a>(id: &str, scene: &'a Scene) -> &'a str {
    scene.object(id).map_or("block", |o| o.kind.as_str())
}

fn obstacles<'a>(mover: &'a str, scene: &'a Scene) -> impl Iterator<Item = ([f64; 2], f64)> + 'a {
    obstacles_of(mover, scene).filter_map(|object| {
        let [x, y, _] = object.position?;
        Some(([x, y], footprint_radius_m(&object.kind)))
    })
}

/// What stands on the table beside `mover`.
pub(super) fn obstacles_of<'a>(
    mover: &'a str,
    scene: &'a Scene,
) -> impl Iterator<Item = &'a SceneObject> + 'a {
    scene
        .objects
        .iter()
        .filter(move |object| object.id != mover && !object.is_held())
        .filter(|object| stands_on_table(object, scene))
}

fn stands_on_table(object: &SceneObject, scene: &Scene) -> bool {
    match object.on.as_deref() {
        None | Some(ON_TABLE) => true,
        Some(on) => scene.has_region(on),
    }
}

/// The grid point nearest to `near` with at least `gap` to all neighbours.
fn nearest_free(
    (x, y): ([f64; 2], [f64; 2]),
    near: [f64; 2],
    gap: f64,
    mover: &str,
    scene: &Scene,
) -> Option<[f64; 2]> {
    let (x, y) = (shrunk(x), shrunk(y));
    let start = [near[0].clamp(x[0], x[1]), near[1].clamp(y[0], y[1])];
    let kind = kind_of(mover, scene);
    let mut best: Option<([f64; 2], f64)> = None;
    let consider = |point: [f64; 2], best: &mut Option<([f64; 2], f64)>| {
        let distance = (point[0] - start[0]).hypot(point[1] - start[1]);
        let nearer = best.is_none_or(|(_, known)| distance < known - 1e-9);
        if nearer && clearance_m(point, kind, mover, scene) >= gap {
            *best = Some((point, distance));
        }
    };
    consider(start, &mut best);
    let mut px = x[0];
    while best.is_none_or(|(_, d)| d > 0.0) && px <= x[1] + 1e-9 {
        let mut py = y[0];
        while py <= y[1] + 1e-9 {
            consider([px, py], &mut best);
            py += GRID_M;
        }
        px += GRID_M;
    }
    best.map(|(point, _)| point)
}

fn shrunk(span: [f64; 2]) -> [f64; 2] {
    [span[0] + EDGE_MARGIN_M, span[1] - EDGE_MARGIN_M]
}
