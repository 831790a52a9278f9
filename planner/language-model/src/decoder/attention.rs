//! Attention of new positions to all that was read.

use vola_nn::kernels::{Into, Mat, matmul_strided};

use super::architecture::Architecture;
use super::cache::Cache;

/// So many rows at most are multiplied here, one number after the other: what
/// a line writes is one row, and its own memory is short.
const MOST_DIRECT_ROWS: usize = 2;
/// Products of a head up to which that is faster than a call of the library,
/// which copies its operands first.
const MOST_DIRECT_PRODUCTS: usize = 1 << 14;
/// Sums that run side by side, so that they become one instruction.
const LANES: usize = 8;

/// What the new positions, whose keys are in the cache already, take from all
/// positions they see: `[new, heads * head]`, like the queries.
pub(super) fn attend(
    architecture: &Architecture,
    layer: usize,
    queries: &[f32],
    cache: &Cache,
) -> Vec<f32> {
    let Architecture {
        head,
        heads,
        key_heads,
        ..
    } = *architecture;
    let (width, key_width) = (heads * head, architecture.key_width());
    let new = queries.len() / width;
    let all = cache.len() + new;
    let mut scores = vec![0.0; new * all];
    let mut mixed = vec![0.0; queries.len()];
    for index in 0..heads {
        let key_begin = index / (heads / key_heads) * head;
        let queries = &queries[index * head..];
        let mut first = 0;
        for (keys, _) in cache.segments(layer) {
            let of = Segment::new(keys, key_begin, key_width);
            if of.count > 0 {
                let sizes = Sizes {
                    new,
                    head,
                    width,
                    all,
                };
                compare(&mut scores[first..], queries, &of, sizes);
            }
            first += of.count;
        }
        for (row, scores) in scores.chunks_exact_mut(all).enumerate() {
            weigh(architecture, layer, scores, cache.len() + row);
        }
        let mut first = 0;
        for (_, values) in cache.segments(layer) {
            let of = Segment::new(values, key_begin, key_width);
            if of.count > 0 {
                let sizes = Sizes {
                    new,
                    head,
                    width,
                    all,
                };
                mix(&mut mixed[index * head..], &scores[first..], &of, sizes);
            }
            first += of.count;
        }
    }
    mixed
}

/// One head's keys or values of some positions.
struct Segment<'a> {
    numbers: &'a [f32],
    count: usize,
    /// From one position to the next.
    stride: usize,
}

impl<'a> Segment<'a> {
    fn new(numbers: &'a [f32], begin: usize, stride: usize) -> Self {
        let count = numbers.len() / stride;
        Self {
            numbers: numbers.get(begin..).unwrap_or_default(),
            count,
            stride,
        }
    }

    fn rows(&self, head: usize) -> impl Iterator<Item = &[f32]> {
        let rows = self.numbers.chunks(self.stride);
        rows.take(self.count).map(move |row| &row[..head])
    }

    fn is_small(&self, new: usize, head: usize) -> bool {
        new <= MOST_DIRECT_ROWS && new * self.count * head <= MOST_DIRECT_PRODUCTS
    }
}

#[derive(Clone, Copy)]
struct Sizes {
    /// New positions.
    new: usize,
    head: usize,
    /// Of all heads: from one query to the next.
    width: usize,
    /// Positions: from one row of scores to the next.
    all: usize,
}

/// Scores `[new, count]` in rows of `all`.
fn compare(
    scores: &mut [f32],
    queries: &[f32],
    keys: &Segment<'_>,
    Sizes {
        new,
        head,
        width,
        all,
    }: Sizes,
) {
    if keys.is_small(new, head) {
        for (scores, query) in scores.chunks_mut(all).zip(queries.chunks(width)) {
            for (score, key) in scores.iter_mut().zip(keys.rows(head)) {
                *score = dot(&query[..head], key);
            }
        }
        return;
    }
    let query = Mat::strided(queries, new, head, width);
    let keys = Mat::strided(keys.numbers, keys.count, head, keys.stride);
    matmul_strided(scores, all, Into::Replace, query, keys.t());
}

/// Adds the values, weighted, to `[new, head]` in rows of `width`.
fn mix(
    mixed: &mut [f32],
    weights: &[f32],
    values: &Segment<'_>,
    Sizes {
        new,
        head,
        width,
        all,
    }: Sizes,
) {
    if values.is_small(new, head) {
        for (mixed, weights) in mixed.chunks_mut(width).zip(weights.chunks(all)) {
            for (weight, value) in weights.iter().zip(values.rows(head)) {
                let pairs = mixed[..head].iter_mut().zip(value);
                pairs.for_each(|(x, value)| *x += weight * value);
            }
        }
        return;
    }
    let weights = Mat::strided(weights, new, values.count, all);
    let values = Mat::strided(values.numbers, values.count, head, values.stride);
    matmul_strided(mixed, width, Into::Add, weights, values);
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a.remainder().iter().zip(b.remainder());
    let rest: f32 = rest.map(|(x, y)| x * y).sum();
    let mut sums = [0.0; LANES];
    for (a, b) in a.zip(b) {
        for ((sum, x), y) in sums.iter_mut().zip(a).zip(b) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Scores of one position become shares that sum to 1; what lies behind it, or
/// outside of its window, gets none.
fn weigh(architecture: &Architecture, layer: usize, scores: &mut [f32], position: usize) {
    let first = architecture
        .window(layer)
        .map_or(0, |window| (position + 1).saturating_sub(window));
    scores[..first].fill(0.0);
    scores[position + 1..].fill(0.0);
    let seen = &mut scores[first..=position];
    let mut top = f32::NEG_INFINITY;
    for score in seen.iter_mut() {
        *score *= architecture.query_scale;
        if let Some(cap) = architecture.attention_cap {
            *score = cap * (*score / cap).tanh();
        }
        top = top.max(*score);
    }
    let mut sum = 0.0;
    for score in seen.iter_mut() {
        *score = (*score - top).exp();
        sum += *score;
    }
    seen.iter_mut().for_each(|score| *score /= sum);
}
