//! Pictures of any size to the size that a policy sees.
//!
//! # Rule
//! The largest part in the middle that has the policy's ratio of sides is taken; then it is scaled
//! with a triangle filter as wide as the reduction (`bilinear_antialias` of a bundle's `resize` step),
//! each side on its own. A picture of the right size stays as it is. A robot whose camera has another
//! size needs the same steps, `crop` and `resize`, in the policy file.

use std::ops::Range;

/// Scales pictures of one size to another one.
pub(super) struct Resizer {
    from: [usize; 2],
    /// For each row of the result, the rows it is made of and their weights.
    rows: Vec<Mix>,
    columns: Vec<Mix>,
    is_same: bool,
}

/// Consecutive pixels with weights that sum to 1.
struct Mix {
    first: usize,
    weights: Vec<f32>,
}

impl Resizer {
    /// A scaler from `[height, width]` to `[height, width]`, all above 0.
    pub(super) fn new(from: [usize; 2], to: [usize; 2]) -> Self {
        let [height, width] = kept(from, to);
        Self {
            from,
            rows: mixes(height, to[0]),
            columns: mixes(width, to[1]),
            is_same: from == to,
        }
    }

    /// Scales RGB pixels `[height, width, 3]` and appends the result to `out`.
    pub(super) fn run(&self, pixels: &[u8], out: &mut Vec<u8>) {
        if self.is_same {
            out.extend_from_slice(pixels);
            return;
        }
        let width = self.columns.len();
        let rows = self.from[0];
        // Rows first narrowed, `[rows, width, 3]`, then mixed.
        let mut narrow = vec![0.0_f32; rows * width * 3];
        let lines = pixels.chunks_exact(self.from[1] * 3);
        for (line, to) in lines.zip(narrow.chunks_exact_mut(width * 3)) {
            for (mix, to) in self.columns.iter().zip(to.chunks_exact_mut(3)) {
                for (pixel, weight) in line[mix.first * 3..].chunks_exact(3).zip(&mix.weights) {
                    for (to, value) in to.iter_mut().zip(pixel) {
                        *to += weight * f32::from(*value);
                    }
                }
            }
        }
        let mut line = vec![0.0_f32; width * 3];
        for mix in &self.rows {
            line.fill(0.0);
            let parts = narrow[mix.first * width * 3..].chunks_exact(width * 3);
            for (part, weight) in parts.zip(&mix.weights) {
                for (to, value) in line.iter_mut().zip(part) {
                    *to += weight * value;
                }
            }
            out.extend(
                line.iter()
                    .map(|value| value.round().clamp(0.0, 255.0) as u8),
            );
        }
    }
}

/// Rows and columns in the middle of a picture with the ratio of `to`.
fn kept(from: [usize; 2], to: [usize; 2]) -> [Range<usize>; 2] {
    let wide = from[1] * to[0] > from[0] * to[1];
    let (height, width) = if wide {
        (from[0], from[0] * to[1] / to[0])
    } else {
        (from[1] * to[0] / to[1], from[1])
    };
    let middle = |all: usize, part: usize| {
        let part = part.clamp(1, all);
        let first = (all - part) / 2;
        first..first + part
    };
    [middle(from[0], height), middle(from[1], width)]
}

/// How `to` pixels are made of those in `from`.
fn mixes(from: Range<usize>, to: usize) -> Vec<Mix> {
    let count = from.len() as f32;
    let scale = count / to as f32;
    let reach = scale.max(1.0);
    (0..to)
        .map(|i| {
            let centre = (i as f32 + 0.5) * scale;
            let low = (centre - reach).floor().max(0.0) as usize;
            let high = ((centre + reach).ceil() as usize).clamp(low + 1, from.len());
            let weights: Vec<f32> = (low..high)
                .map(|x| (1.0 - (x as f32 + 0.5 - centre).abs() / reach).max(0.0))
                .collect();
            let sum: f32 = weights.iter().sum();
            Mix {
                first: from.start + low,
                weights: weights.iter().map(|weight| weight / sum).collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_stays_a_ramp_and_the_middle_is_kept() {
        // Columns 10, 20, …; two columns too many on each side.
        let line: Vec<u8> = (0..12_u8).flat_map(|x| [x * 10; 3]).collect();
        let pixels = line.repeat(4);
        let mut out = Vec::new();
        Resizer::new([4, 12], [2, 4]).run(&pixels, &mut out);
        assert_eq!(out.len(), 2 * 4 * 3);
        let row: Vec<u8> = out.chunks(3).take(4).map(|pixel| pixel[0]).collect();
        // Columns 2 to 9 in pairs: 25, 45, 65, 85, the outer ones drawn inwards by the border.
        assert_eq!(row[1..3], [45, 65]);
        assert!(
            (25..30).contains(&row[0]) && (80..=85).contains(&row[3]),
            "{row:?}"
        );

        let mut same = Vec::new();
        Resizer::new([4, 12], [4, 12]).run(&pixels, &mut same);
        assert_eq!(same, pixels);
        let mut larger = Vec::new();
        Resizer::new([4, 12], [8, 24]).run(&pixels, &mut larger);
        assert_eq!(
            larger[3 * 11],
            53,
            "a quarter of the way from 50 to 60, rounded"
        );
    }
}
