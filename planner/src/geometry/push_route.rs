//! The way of a push into a region: straight where that works, else in legs.
//!
//! One push goes some centimetres, straight, with room behind the object for
//! the hand and nothing in the way. A region across the table, or behind a
//! neighbour, takes several. The search is Dijkstra's over a grid of 3 cm; legs
//! are few and the table is small, so nothing cleverer is needed.

use vola_types::{BLOCK_SIZE_M, Region, Scene, TABLE_X, TABLE_Y};

use super::free_spot::{footprint_radius_m, obstacles_of};
use super::pushed_into;

/// Shortest and longest leg, metres: what one push does well.
const LEG_M: [f64; 2] = [0.055, 0.135];
/// Longest push that needs no legs, metres.
const ONE_PUSH_M: f64 = 0.165;
/// A leg more is worth this much of way, metres.
const LEG_COST_M: f64 = 0.12;
/// Room for the hand behind the object, and for its edge beyond the end, metres.
const BEHIND_M: f64 = 0.075;
const BEYOND_M: f64 = 0.015;
/// Half width of the free corridor: at ease, and at least, metres.
const HALF_WIDTHS_M: [f64; 2] = [0.044, 0.036];
/// Nearest that the hand reaches round the base, and farthest to the side, metres.
const LEAST_REACH_M: f64 = 0.30;
const MOST_SIDE_M: f64 = 0.36;
/// How far off the usable table a leg may end, metres.
const OFF_TABLE_M: f64 = 0.02;
/// A route ends this far inside its region, metres.
const INSET_M: f64 = 0.022;
const GRID_M: f64 = 0.03;
/// Cosine of the most that the whole way may differ from the straight one.
const WHOLE_WAY_COS: f64 = 0.90;

/// The points at which each push of `object` into `region` ends, in metres; the
/// last lies in the region. Empty when it already lies there; `None` when there
/// is no way.
#[must_use]
pub fn push_route(object: &str, region: Region, scene: &Scene) -> Option<Vec<[f64; 2]>> {
    let [x, y, _] = scene.object(object)?.position?;
    let from = [x, y];
    if region.contains(x, y) {
        return Some(Vec::new());
    }
    let straight = pushed_into([x, y, 0.0], region);
    HALF_WIDTHS_M.into_iter().find_map(|half_width| {
        let corridor = Corridor {
            object,
            scene,
            half_width,
        };
        let far = distance(from, straight);
        if far <= ONE_PUSH_M && corridor.is_clear(from, straight) {
            return Some(vec![straight]);
        }
        corridor.search(from, region, straight)
    })
}

/// What a push needs free.
struct Corridor<'a> {
    object: &'a str,
    scene: &'a Scene,
    half_width: f64,
}

impl Corridor<'_> {
    /// Whether hand and object find their way from one point to another.
    fn is_clear(&self, from: [f64; 2], to: [f64; 2]) -> bool {
        const TOOL_BEHIND_M: f64 = 0.03;
        const STEP_M: f64 = 0.015;
        let length = distance(from, to);
        if !(length > 0.05) {
            return false;
        }
        let (dx, dy) = ((to[0] - from[0]) / length, (to[1] - from[1]) / length);
        let at = |along: f64| [from[0] + along * dx, from[1] + along * dy];
        let (behind, last) = (at(-BEHIND_M), at(length - TOOL_BEHIND_M));
        let in_reach = |[x, y]: [f64; 2]| x.hypot(y) > LEAST_REACH_M && y.abs() < MOST_SIDE_M;
        if !(in_reach(behind) && in_reach(last) && on_table(to)) {
            return false;
        }
        let whole = length + BEHIND_M + BEYOND_M;
        let mut along = 0.0;
        while along <= whole {
            if !self.is_free(at(along - BEHIND_M)) {
                return false;
            }
            along += STEP_M;
        }
        true
    }

    fn is_free(&self, [x, y]: [f64; 2]) -> bool {
        obstacles_of(self.object, self.scene).all(|other| {
            let Some([ox, oy, _]) = other.position else {
                return true;
            };
            let radius = footprint_radius_m(&other.kind);
            if other.kind == "drawer" {
                // Furniture from its bar to the far edge.
                let beside = (y - oy).abs() >= radius + self.half_width;
                return beside || x + self.half_width <= ox - 0.5 * BLOCK_SIZE_M;
            }
            (x - ox).hypot(y - oy) >= radius + self.half_width
        })
    }

    /// The cheapest way over the grid into the region.
    fn search(&self, from: [f64; 2], region: Region, straight: [f64; 2]) -> Option<Vec<[f64; 2]>> {
        let mut points = vec![from, straight];
        points.extend(grid());
        let mut cost = vec![f64::INFINITY; points.len()];
        let mut before = vec![0_usize; points.len()];
        let mut settled = vec![false; points.len()];
        if let Some(first) = cost.first_mut() {
            *first = 0.0;
        }
        let mut best: Option<(f64, usize)> = None;
        while let Some(here) = cheapest(&cost, &settled) {
            if best.is_some_and(|(known, _)| cost[here] >= known) {
                break;
            }
            settled[here] = true;
            let ends =
                inside(region, points[here]) && keeps_direction(from, straight, points[here]);
            let whole = cost[here] + distance(points[here], straight);
            if here != 0 && ends && best.is_none_or(|(known, _)| whole < known) {
                best = Some((whole, here));
            }
            for next in 1..points.len() {
                let length = distance(points[here], points[next]);
                let total = cost[here] + length + LEG_COST_M;
                if !settled[next]
                    && total < cost[next]
                    && (LEG_M[0]..=LEG_M[1]).contains(&length)
                    && self.is_clear(points[here], points[next])
                {
                    cost[next] = total;
                    before[next] = here;
                }
            }
        }
        let (_, mut here) = best?;
        let mut route = Vec::new();
        while here != 0 {
            route.push(points[here]);
            here = before[here];
        }
        route.reverse();
        Some(route)
    }
}

fn cheapest(cost: &[f64], settled: &[bool]) -> Option<usize> {
    (0..cost.len())
        .filter(|index| !settled[*index] && cost[*index].is_finite())
        .min_by(|a, b| cost[*a].total_cmp(&cost[*b]))
}

fn grid() -> impl Iterator<Item = [f64; 2]> {
    let steps = |span: [f64; 2]| {
        std::iter::successors(Some(span[0]), |value| Some(value + GRID_M))
            .take_while(move |value| *value <= span[1] + 1e-9)
    };
    steps(TABLE_X).flat_map(move |x| steps(TABLE_Y).map(move |y| [x, y]))
}

fn inside(region: Region, [x, y]: [f64; 2]) -> bool {
    let ([near, far], [right, left]) = region.bounds();
    (near + INSET_M..=far - INSET_M).contains(&x) && (right + INSET_M..=left - INSET_M).contains(&y)
}

/// Whether a way that ends at `to` leads where the straight one does.
fn keeps_direction(from: [f64; 2], straight: [f64; 2], to: [f64; 2]) -> bool {
    let (wanted, got) = (
        [straight[0] - from[0], straight[1] - from[1]],
        [to[0] - from[0], to[1] - from[1]],
    );
    let lengths = wanted[0].hypot(wanted[1]) * got[0].hypot(got[1]);
    wanted[0] * got[0] + wanted[1] * got[1] >= WHOLE_WAY_COS * lengths
}

fn on_table([x, y]: [f64; 2]) -> bool {
    let within = |value: f64, span: [f64; 2]| {
        (span[0] - OFF_TABLE_M..=span[1] + OFF_TABLE_M).contains(&value)
    };
    within(x, TABLE_X) && within(y, TABLE_Y)
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(others: &str) -> Scene {
        Scene::from_json(&format!(
            r#"{{"objects":[{{"id":"a","kind":"block","color":"red","position":[0.45,-0.02,0.02],"on":"table"}}{others}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn near_is_one_push_and_far_is_several() {
        let scene = scene("");
        let near = push_route("a", Region::Left, &scene).unwrap();
        assert_eq!(near.len(), 1, "{near:?}");
        let far_off = r#"{"objects":[{"id":"a","kind":"block","color":"red","position":[0.36,0.08,0.02],"on":"table"}]}"#;
        let far_off = Scene::from_json(far_off).unwrap();
        let far = push_route("a", Region::TopRight, &far_off).unwrap();
        assert!(far.len() >= 2, "{far:?}");
        let mut from = [0.36, 0.08];
        for leg in &far {
            let length = distance(from, *leg);
            assert!((LEG_M[0]..=LEG_M[1] + 1e-9).contains(&length), "{far:?}");
            from = *leg;
        }
        assert!(Region::TopRight.contains(from[0], from[1]));
        assert_eq!(push_route("a", Region::Middle, &scene), Some(Vec::new()));
    }

    #[test]
    fn it_goes_round_what_is_in_the_way_or_not_at_all() {
        let in_the_way =
            r#",{"id":"b","kind":"block","color":"blue","position":[0.45,0.09,0.02],"on":"table"}"#;
        let scene_around = scene(in_the_way);
        let route = push_route("a", Region::Left, &scene_around).unwrap();
        assert!(route.len() >= 2, "{route:?}");
        let walled: String = (0..9)
            .map(|n| {
                format!(
                    r#",{{"id":"w{n}","kind":"block","color":"blue","position":[{},0.06,0.02],"on":"table"}}"#,
                    0.26 + 0.05 * f64::from(n)
                )
            })
            .collect();
        assert_eq!(push_route("a", Region::Left, &scene(&walled)), None);
    }
}
