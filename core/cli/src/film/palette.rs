//! One palette for a whole animation.
//!
//! GIF has 256 colours. A palette for each frame flickers and a fixed one turns
//! shadows into bands, so the colours of all frames are counted, a median cut
//! spreads the palette over them and a few rounds of k-means settle it. Counts
//! enter by their square root: else the table takes every entry and a small
//! bright block turns gray. Pixels are dithered by a fixed matrix, so that what
//! does not change keeps its index from frame to frame.

use super::canvas::Rgb;

/// Colours of the palette; the entry after them means "unchanged".
pub(super) const COLORS: usize = 255;
/// The index that means "as in the last frame".
pub(super) const UNCHANGED: u8 = 255;

/// Levels of the histogram in each channel.
const LEVELS: usize = 32;
/// Levels of the lookup table in each channel.
const LOOKUP_LEVELS: usize = 64;
/// Rounds of k-means after the median cut.
const ROUNDS: usize = 4;
/// Strongest change by dithering, in 1/255.
const DITHER: i32 = 5;

/// The 8 × 8 Bayer matrix.
const BAYER: [[i32; 8]; 8] = [
    [0, 32, 8, 40, 2, 34, 10, 42],
    [48, 16, 56, 24, 50, 18, 58, 26],
    [12, 44, 4, 36, 14, 46, 6, 38],
    [60, 28, 52, 20, 62, 30, 54, 22],
    [3, 35, 11, 43, 1, 33, 9, 41],
    [51, 19, 59, 27, 49, 17, 57, 25],
    [15, 47, 7, 39, 13, 45, 5, 37],
    [63, 31, 55, 23, 61, 29, 53, 21],
];

/// How often each colour occurs.
pub(super) struct Histogram {
    bins: Vec<Bin>,
}

#[derive(Clone, Copy, Default)]
struct Bin {
    count: u64,
    sums: [u64; 3],
}

/// A colour that occurs, with its weight.
#[derive(Clone, Copy)]
struct Sample {
    color: [f64; 3],
    weight: f64,
}

impl Histogram {
    /// An empty histogram.
    pub(super) fn new() -> Self {
        Self {
            bins: vec![Bin::default(); LEVELS * LEVELS * LEVELS],
        }
    }

    /// Counts pixels, three bytes each.
    pub(super) fn add(&mut self, rgb: &[u8]) {
        for pixel in rgb.chunks_exact(3) {
            let index = pixel
                .iter()
                .fold(0, |index, value| index * LEVELS + usize::from(*value >> 3));
            if let Some(bin) = self.bins.get_mut(index) {
                bin.count += 1;
                for (sum, value) in bin.sums.iter_mut().zip(pixel) {
                    *sum += u64::from(*value);
                }
            }
        }
    }

    fn samples(&self) -> Vec<Sample> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "pixel counts stay far below 2^53"
        )]
        self.bins
            .iter()
            .filter(|bin| bin.count > 0)
            .map(|bin| Sample {
                color: bin.sums.map(|sum| sum as f64 / bin.count as f64),
                weight: (bin.count as f64).sqrt(),
            })
            .collect()
    }
}

/// Up to [`COLORS`] colours and the way from any colour to the nearest.
pub(super) struct Palette {
    colors: Vec<Rgb>,
    lookup: Vec<Option<u8>>,
}

impl Palette {
    /// The palette that suits a histogram.
    pub(super) fn build(histogram: &Histogram) -> Self {
        let samples = histogram.samples();
        let mut centers = median_cut(samples.clone());
        for _ in 0..ROUNDS {
            settle(&samples, &mut centers);
        }
        let colors = centers.iter().map(|center| center.map(to_byte)).collect();
        Self {
            colors,
            lookup: vec![None; LOOKUP_LEVELS * LOOKUP_LEVELS * LOOKUP_LEVELS],
        }
    }

    /// The palette as bytes, padded to 256 entries.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.colors.concat();
        bytes.resize(256 * 3, 0);
        bytes
    }

    /// The index of a pixel at a place.
    pub(super) fn index(&mut self, color: Rgb, x: usize, y: usize) -> u8 {
        let lift = BAYER[y % 8][x % 8] * (2 * DITHER) / 63 - DITHER;
        let dithered = color.map(|value| (i32::from(value) + lift).clamp(0, 255));
        let slot = dithered.iter().fold(0, |slot, value| {
            slot * LOOKUP_LEVELS + usize::try_from(value >> 2).unwrap_or(0)
        });
        if let Some(Some(index)) = self.lookup.get(slot) {
            return *index;
        }
        let center = dithered.map(|value| f64::from((value & !3) + 2));
        let index = u8::try_from(nearest(
            center,
            self.colors.iter().map(|color| color.map(f64::from)),
        ))
        .unwrap_or(0);
        if let Some(entry) = self.lookup.get_mut(slot) {
            *entry = Some(index);
        }
        index
    }
}

/// Splits the colours at weighted medians until there are enough boxes; their
/// means.
fn median_cut(samples: Vec<Sample>) -> Vec<[f64; 3]> {
    let mut boxes = vec![samples];
    while boxes.len() < COLORS {
        let widest = boxes
            .iter()
            .enumerate()
            .map(|(index, samples)| (index, spread(samples)))
            .filter(|(_, (_, spread))| *spread > 0.0)
            .max_by(|(_, (_, a)), (_, (_, b))| a.total_cmp(b));
        let Some((index, (axis, _))) = widest else {
            break;
        };
        let mut lower = boxes.swap_remove(index);
        lower.sort_by(|a, b| a.color[axis].total_cmp(&b.color[axis]));
        let half = 0.5 * lower.iter().map(|sample| sample.weight).sum::<f64>();
        let mut passed = 0.0;
        let split = lower.iter().take_while(|sample| {
            passed += sample.weight;
            passed < half
        });
        let split = split.count().clamp(1, lower.len() - 1);
        let upper = lower.split_off(split);
        boxes.extend([lower, upper]);
    }
    boxes
        .iter()
        .filter(|samples| !samples.is_empty())
        .map(|samples| mean(samples))
        .collect()
}

/// The axis of greatest weighted spread, and that spread; 0 for one colour.
fn spread(samples: &[Sample]) -> (usize, f64) {
    let center = mean(samples);
    let mut best = (0, 0.0);
    for (axis, middle) in center.into_iter().enumerate() {
        let spread: f64 = samples
            .iter()
            .map(|sample| sample.weight * (sample.color[axis] - middle).powi(2))
            .sum();
        if spread > best.1 + 1e-9 {
            best = (axis, spread);
        }
    }
    if samples.len() < 2 {
        (best.0, 0.0)
    } else {
        best
    }
}

fn mean(samples: &[Sample]) -> [f64; 3] {
    let total: f64 = samples.iter().map(|sample| sample.weight).sum();
    [0, 1, 2].map(|axis| {
        samples
            .iter()
            .map(|sample| sample.weight * sample.color[axis])
            .sum::<f64>()
            / total.max(1e-9)
    })
}

/// One round of k-means.
fn settle(samples: &[Sample], centers: &mut [[f64; 3]]) {
    let mut groups = vec![Vec::new(); centers.len()];
    for sample in samples {
        let index = nearest(sample.color, centers.iter().copied());
        if let Some(group) = groups.get_mut(index) {
            group.push(*sample);
        }
    }
    for (center, group) in centers.iter_mut().zip(&groups) {
        if !group.is_empty() {
            *center = mean(group);
        }
    }
}

fn nearest(color: [f64; 3], candidates: impl Iterator<Item = [f64; 3]>) -> usize {
    let distance = |other: [f64; 3]| -> f64 {
        color
            .iter()
            .zip(other)
            .map(|(a, b)| (a - b) * (a - b))
            .sum()
    };
    candidates
        .enumerate()
        .min_by(|(_, a), (_, b)| distance(*a).total_cmp(&distance(*b)))
        .map_or(0, |(index, _)| index)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=255"
)]
fn to_byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_bright_things_keep_their_colour_beside_a_large_gradient() {
        let mut histogram = Histogram::new();
        for level in 60..200_u8 {
            histogram.add(&[level, level, level.saturating_sub(10)].repeat(2000));
        }
        histogram.add(&[220, 30, 40].repeat(60));
        let mut palette = Palette::build(&histogram);
        assert!(palette.colors.len() <= COLORS);
        let bytes = palette.bytes();
        let index = usize::from(palette.index([220, 30, 40], 3, 3));
        let color = &bytes[index * 3..index * 3 + 3];
        assert!(color[0] > 210 && color[1] < 50, "{color:?}");
    }

    #[test]
    fn one_colour_gives_one_entry() {
        let mut histogram = Histogram::new();
        histogram.add(&[10, 20, 30].repeat(5));
        let mut palette = Palette::build(&histogram);
        assert_eq!(palette.colors, [[10, 20, 30]]);
        assert_eq!(palette.index([10, 20, 30], 0, 0), 0);
        assert_eq!(palette.bytes().len(), 768);
    }

    #[test]
    fn an_empty_film_has_a_palette_too() {
        assert!(Palette::build(&Histogram::new()).index([1, 2, 3], 0, 0) == 0);
    }
}
