//! What the scene head shall say about a frame.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use vola_nn::heads::{COLORS, KINDS, SceneGrid};

use crate::units::normalise_point;
use crate::{FrameSource, ObjectRow, Result};

/// Objects seen less than this are neither wanted nor wrong.
pub(crate) const SEEN: f32 = 0.25;
/// Objects seen less than this count as absent.
const ABSENT: f32 = 0.05;
/// Higher than a block's centre on the table (m).
const RAISED_M: f32 = 0.04;
/// How much more the position of something raised counts. Almost everything lies on the table, and
/// the sum of absolute differences is smallest for a head that says so of everything.
const RAISED_WEIGHT: f32 = 3.0;
/// Width of the peak in fine cells.
const SIGMA: f32 = 1.0;
/// Cells around a centre that the peak reaches.
const REACH: usize = 3;

/// Targets of a batch of frames.
pub(crate) struct SceneTarget {
    /// Heat, `[batch, cells, KINDS]`: 1 at centres, less around them, -1 where nothing is asked.
    pub(crate) heat: Tensor,
    /// Centres in the batch.
    pub(crate) centres: usize,
    /// What cells near objects shall say, for each kind that is there.
    pub(crate) kinds: Vec<KindTarget>,
}

/// Targets of the cells near objects of one kind.
pub(crate) struct KindTarget {
    /// Number of the kind.
    pub(crate) kind: usize,
    /// Flat cells `image * cells + cell`, `[near]`.
    pub(crate) near: Tensor,
    /// Colour, one-hot, `[near, COLORS]`; zeros for none.
    pub(crate) color: Tensor,
    /// Normalised position, `[near, 3]`.
    pub(crate) position: Tensor,
    /// Openness, `[near, 1]`.
    pub(crate) openness: Tensor,
    /// How much a cell's position counts, `[near, 1]`.
    pub(crate) weight: Tensor,
}

/// The nearest object of a kind to a cell next to its centre.
type Nearest<'a> = BTreeMap<usize, (f32, ObjectRow<'a>)>;

/// The targets for `frames`; none when no object is visible in any.
///
/// # Errors
/// Never, unless memory runs out.
pub(crate) fn scene_target(
    source: &dyn FrameSource,
    frames: &[usize],
    grid: SceneGrid,
) -> Result<Option<SceneTarget>> {
    let mut heat = vec![0.0_f32; frames.len() * grid.cells() * KINDS];
    let mut nearest: [Nearest<'_>; KINDS] = Default::default();
    let mut centres = 0;
    for (image, index) in frames.iter().enumerate() {
        for object in ObjectRow::all(source.frame(*index).objects) {
            if object.kind() >= KINDS || object.visible() < ABSENT {
                continue;
            }
            let Some(place) = object.place() else {
                continue;
            };
            centres += usize::from(object.visible() >= SEEN);
            for (cell, square) in cells_around(place, grid) {
                let cell = image * grid.cells() + cell;
                let slot = &mut heat[cell * KINDS + object.kind()];
                if object.visible() < SEEN {
                    // Hardly seen: no opinion here, unless another object has one.
                    *slot = if *slot > 0.0 { *slot } else { -1.0 };
                    continue;
                }
                *slot = slot.max((-square / (2.0 * SIGMA * SIGMA)).exp());
                let entry = nearest[object.kind()].entry(cell);
                if square <= 2.0 {
                    entry
                        .and_modify(|e| {
                            if square < e.0 {
                                *e = (square, object)
                            }
                        })
                        .or_insert((square, object));
                }
            }
        }
    }
    if centres == 0 {
        return Ok(None);
    }
    let heat = Tensor::from_vec(heat, (frames.len(), grid.cells(), KINDS), &Device::Cpu)?;
    let kinds = nearest
        .iter()
        .enumerate()
        .filter(|(_, cells)| !cells.is_empty());
    let kinds = kinds
        .map(|(kind, cells)| kind_target(kind, cells))
        .collect::<Result<_>>()?;
    Ok(Some(SceneTarget {
        heat,
        centres,
        kinds,
    }))
}

/// Fine cells around an image point, with their squared distance from its cell.
fn cells_around([u, v]: [f32; 2], grid: SceneGrid) -> impl Iterator<Item = (usize, f32)> {
    let (height, width) = grid.fine();
    let (row, column) = ((v * height as f32) as usize, (u * width as f32) as usize);
    let rows = row.saturating_sub(REACH)..(row + REACH + 1).min(height);
    let columns = column.saturating_sub(REACH)..(column + REACH + 1).min(width);
    rows.flat_map(move |r| columns.clone().map(move |c| (r, c)))
        .map(move |(r, c)| {
            let square = r.abs_diff(row).pow(2) + c.abs_diff(column).pow(2);
            (grid.index(r, c), square as f32)
        })
}

fn kind_target(kind: usize, cells: &Nearest<'_>) -> Result<KindTarget> {
    let (count, device) = (cells.len(), &Device::Cpu);
    let objects = || cells.values().map(|(_, object)| object);
    let near: Vec<u32> = cells.keys().map(|cell| *cell as u32).collect();
    let color: Vec<f32> = objects()
        .flat_map(|o| (0..COLORS).map(move |i| f32::from(u8::from(o.color() == Some(i)))))
        .collect();
    let position: Vec<f32> = objects()
        .flat_map(|o| normalise_point(o.position()))
        .collect();
    let openness: Vec<f32> = objects().map(ObjectRow::openness).collect();
    let weight: Vec<f32> = objects()
        .map(|o| {
            if o.position()[2] > RAISED_M {
                RAISED_WEIGHT
            } else {
                1.0
            }
        })
        .collect();
    Ok(KindTarget {
        kind,
        near: Tensor::from_vec(near, count, device)?,
        color: Tensor::from_vec(color, (count, COLORS), device)?,
        position: Tensor::from_vec(position, (count, 3), device)?,
        openness: Tensor::from_vec(openness, (count, 1), device)?,
        weight: Tensor::from_vec(weight, (count, 1), device)?,
    })
}
