//! Drawing where objects stand.

use vola_types::{TABLE_X, TABLE_Y};

use super::{DrawerSpec, Random};
use crate::catalog::{Color, Kind};

/// Least distance between the edges of two objects (m).
pub(crate) const EDGE_GAP: f64 = 0.02;
/// Tries for one object before the whole layout is drawn again.
const TRIES: usize = 60;

/// One block or bowl of a scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ObjectSpec {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its colour.
    pub(crate) color: Color,
    /// Centre on the table (m).
    pub(crate) at: [f64; 2],
    /// Turn about z (rad).
    pub(crate) yaw: f64,
    /// Height of its foot above the table at the start (m): it falls from there.
    pub(crate) lift: f64,
}

/// How many objects to draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Blocks.
    pub(crate) blocks: usize,
    /// Bowls.
    pub(crate) bowls: usize,
}

/// Draws objects uniformly over the table, edges at least [`EDGE_GAP`] apart.
///
/// Colours are drawn without repetition within a kind. `None` when the last
/// objects found no room.
pub(crate) fn draw(
    random: &mut Random,
    counts: Counts,
    drawer: Option<DrawerSpec>,
) -> Option<Vec<ObjectSpec>> {
    let mut objects: Vec<ObjectSpec> = Vec::with_capacity(counts.blocks + counts.bowls);
    // Bowls first: they need the most room.
    for (kind, count) in [(Kind::Bowl, counts.bowls), (Kind::Block, counts.blocks)] {
        let mut colors = Color::all();
        random.shuffle(&mut colors);
        for color in colors.into_iter().take(count) {
            let at = (0..TRIES).find_map(|_| {
                let at = [
                    random.range(TABLE_X[0], TABLE_X[1]),
                    random.range(TABLE_Y[0], TABLE_Y[1]),
                ];
                is_free(
                    &objects,
                    None,
                    drawer,
                    at,
                    kind.footprint_radius() + EDGE_GAP,
                )
                .then_some(at)
            })?;
            let yaw = match kind {
                Kind::Block => {
                    random.range(-std::f64::consts::FRAC_PI_4, std::f64::consts::FRAC_PI_4)
                }
                _ => 0.0,
            };
            objects.push(ObjectSpec {
                kind,
                color,
                at,
                yaw,
                lift: 0.0,
            });
        }
    }
    objects.reverse();
    Some(objects)
}

/// Whether a circle (radius with its gap) at a table point touches no object
/// but the one at index `except`, nor the sweep of the drawer.
pub(crate) fn is_free(
    objects: &[ObjectSpec],
    except: Option<usize>,
    drawer: Option<DrawerSpec>,
    at: [f64; 2],
    radius: f64,
) -> bool {
    let clear = objects.iter().enumerate().all(|(index, object)| {
        Some(index) == except || {
            let (dx, dy) = (object.at[0] - at[0], object.at[1] - at[1]);
            libm::hypot(dx, dy) >= object.kind.footprint_radius() + radius
        }
    });
    clear && drawer.is_none_or(|drawer| !drawer.sweeps(at, radius))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_keep_their_gap() {
        let mut drawn = 0;
        for seed in 0..200 {
            let mut random = Random::new(seed, 1);
            let counts = Counts {
                blocks: 6,
                bowls: 3,
            };
            let drawer = (seed % 2 == 0).then_some(DrawerSpec {
                y: 0.05,
                opening: 0.0,
            });
            let Some(objects) = draw(&mut random, counts, drawer) else {
                continue;
            };
            drawn += 1;
            for (index, a) in objects.iter().enumerate() {
                assert!((0.3..=0.6).contains(&a.at[0]) && a.at[1].abs() <= 0.3);
                for b in &objects[..index] {
                    let apart = (a.at[0] - b.at[0]).hypot(a.at[1] - b.at[1]);
                    let gap = apart - a.kind.footprint_radius() - b.kind.footprint_radius();
                    assert!(gap >= EDGE_GAP - 1e-12, "seed {seed}: {gap}");
                }
            }
        }
        assert!(
            drawn > 100,
            "only {drawn} of 200 crowded layouts found room"
        );
    }
}
