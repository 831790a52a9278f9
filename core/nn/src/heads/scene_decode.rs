//! From the scene head's raw numbers to a list of objects.

use super::scene::SceneSettings;
use super::scene_grid::{COLORS, KINDS, SceneChannels, SceneGrid};

/// Values of one row of `scene.objects`.
pub(super) const ROW: usize = 8;
/// Normalised positions are (p - CENTRE) / SCALE.
const CENTRE: [f32; 3] = [0.45, 0.0, 0.15];
const SCALE: f32 = 0.15;
/// Neighbouring cells that differ by more (m) speak of another object.
const AGREEING_M: f32 = 0.02;

/// One local maximum of a heat map.
struct Peak {
    kind: usize,
    cell: usize,
    confidence: f32,
    position: [f32; 3],
}

/// Objects of one image, `[max_objects * 8]`: kind, colour, x, y, z (m), confidence, extra, 0;
/// most confident first, the rest zeros.
///
/// `raw` is `[cells, SceneChannels::COUNT]` of one image.
pub(super) fn decode(raw: &[f32], grid: SceneGrid, settings: &SceneSettings) -> Vec<f32> {
    let mut peaks: Vec<Peak> = (0..KINDS)
        .flat_map(|kind| peaks(raw, grid, kind, settings.threshold))
        .collect();
    peaks.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then(a.cell.cmp(&b.cell))
    });
    let mut kept: Vec<Peak> = Vec::new();
    for peak in peaks {
        let limit = settings.separation[peak.kind];
        let near = |other: &Peak| {
            other.kind == peak.kind && distance(other.position, peak.position) < limit
        };
        if kept.len() < settings.max_objects && !kept.iter().any(near) {
            kept.push(peak);
        }
    }
    let mut rows = vec![0.0; settings.max_objects * ROW];
    for (row, peak) in rows.chunks_exact_mut(ROW).zip(&kept) {
        let numbers =
            &raw[peak.cell * SceneChannels::COUNT..(peak.cell + 1) * SceneChannels::COUNT];
        row[0] = peak.kind as f32;
        row[1] = SceneChannels::color(peak.kind)
            .map_or(0.0, |color| best(&numbers[color..color + COLORS]) as f32);
        row[2..5].copy_from_slice(&peak.position);
        row[5] = peak.confidence;
        row[6] = sigmoid(numbers[SceneChannels::EXTRA]);
    }
    rows
}

/// Cells of a kind that are above the threshold and not below any neighbour.
fn peaks(raw: &[f32], grid: SceneGrid, kind: usize, threshold: f32) -> Vec<Peak> {
    let (height, width) = grid.fine();
    let heat = |cell: usize| raw[cell * SceneChannels::COUNT + SceneChannels::HEAT + kind];
    let mut found = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let cell = grid.index(row, column);
            let confidence = sigmoid(heat(cell));
            if confidence.is_nan() || confidence < threshold {
                continue;
            }
            let rows = row.saturating_sub(1)..(row + 2).min(height);
            let columns = column.saturating_sub(1)..(column + 2).min(width);
            let around: Vec<usize> = rows
                .flat_map(|r| columns.clone().map(move |c| grid.index(r, c)))
                .collect();
            if !around.iter().any(|other| heat(*other) > heat(cell)) {
                let position = mean_position(raw, kind, cell, &around);
                found.push(Peak {
                    kind,
                    cell,
                    confidence,
                    position,
                });
            }
        }
    }
    found
}

/// Where (m) a peak and its neighbours say the object is: all of them are taught the same place, so
/// their mean is steadier than any; those that speak of another object are left out.
fn mean_position(raw: &[f32], kind: usize, peak: usize, around: &[usize]) -> [f32; 3] {
    let numbers =
        |cell: usize| &raw[cell * SceneChannels::COUNT..(cell + 1) * SceneChannels::COUNT];
    let position = |cell: usize| {
        let at = SceneChannels::position(kind);
        [0, 1, 2].map(|axis| numbers(cell)[at + axis] * SCALE + CENTRE[axis])
    };
    let own = position(peak);
    let (mut sum, mut total) = ([0.0; 3], 0.0);
    for cell in around
        .iter()
        .filter(|cell| distance(position(**cell), own) < AGREEING_M)
    {
        let weight = sigmoid(numbers(*cell)[SceneChannels::HEAT + kind]);
        let place = position(*cell);
        sum = [0, 1, 2].map(|axis| sum[axis] + weight * place[axis]);
        total += weight;
    }
    if total > 0.0 {
        sum.map(|x| x / total)
    } else {
        own
    }
}

fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f32>()
        .sqrt()
}

fn best(logits: &[f32]) -> usize {
    logits
        .iter()
        .enumerate()
        .fold((0, f32::NEG_INFINITY), |top, (i, x)| {
            if *x > top.1 { (i, *x) } else { top }
        })
        .0
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(
        raw: &mut [f32],
        grid: SceneGrid,
        (row, column): (usize, usize),
        kind: usize,
        heat: f32,
        x: f32,
    ) {
        let at = grid.index(row, column) * SceneChannels::COUNT;
        raw[at + SceneChannels::HEAT + kind] = heat;
        raw[at + SceneChannels::position(kind)] = x;
        if let Some(color) = SceneChannels::color(kind) {
            raw[at + color + 4] = 3.0;
        }
    }

    #[test]
    fn peaks_are_kept_and_doubles_are_not() {
        let grid = SceneGrid {
            rows: 6,
            columns: 8,
            sub: 2,
        };
        let settings = SceneSettings {
            grid: [6, 8],
            max_objects: 4,
            ..SceneSettings::default()
        };
        let mut raw = vec![0.0; grid.cells() * SceneChannels::COUNT];
        for cell in raw.chunks_exact_mut(SceneChannels::COUNT) {
            cell[..KINDS].fill(-6.0);
        }
        put(&mut raw, grid, (2, 3), 0, 3.0, 0.2);
        put(&mut raw, grid, (2, 4), 0, 2.0, 0.2); // beside the peak
        put(&mut raw, grid, (2, 6), 0, 1.0, 0.21); // its own peak, the same place in the world
        put(&mut raw, grid, (2, 9), 0, 2.0, 0.6); // another block
        put(&mut raw, grid, (2, 3), 1, 4.0, 0.2); // a bowl under the block
        put(&mut raw, grid, (9, 9), 1, -1.5, 0.9); // below the threshold
        let rows = decode(&raw, grid, &settings);
        let found: Vec<(f32, f32)> = rows
            .chunks_exact(ROW)
            .filter(|r| r[5] > 0.0)
            .map(|r| (r[0], r[2]))
            .collect();
        let x = |normalised: f32| normalised * SCALE + CENTRE[0];
        assert_eq!(found, [(1.0, x(0.2)), (0.0, x(0.2)), (0.0, x(0.6))]);
        assert_eq!(rows[1].to_bits(), 4.0_f32.to_bits());
        assert_eq!(rows[3 * ROW..], [0.0; ROW]);
    }
}
