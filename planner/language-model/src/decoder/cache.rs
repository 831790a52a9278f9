//! What a sequence has left behind: keys and values of every layer.

use std::sync::Arc;

/// Shared segments of a cache at most; more are joined into one, because every
/// segment costs a product of its own.
const MOST_SEGMENTS: usize = 8;

/// Keys and values of one layer, each `[positions, key width]`.
#[derive(Clone, Debug, Default)]
struct Memory {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// The first positions of something that was read and does not change any more.
#[derive(Clone, Debug)]
struct Segment {
    layers: Arc<Vec<Memory>>,
    positions: usize,
}

/// Keys and values of what was read. A clone shares the segments that were
/// [frozen](Self::freeze) and copies the rest, so that a snapshot of the
/// instructions costs a pointer and a beam costs its own line.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    width: usize,
    /// The older first.
    segments: Vec<Segment>,
    frozen: usize,
    own: Vec<Memory>,
    len: usize,
}

impl Cache {
    pub(super) fn new(layers: usize, width: usize) -> Self {
        Self {
            width,
            segments: Vec::new(),
            frozen: 0,
            own: vec![Memory::default(); layers],
            len: 0,
        }
    }

    /// Positions that were read.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that only this cache holds.
    #[cfg(test)]
    pub(crate) fn own_bytes(&self) -> usize {
        let numbers = |it: &Memory| it.keys.len() + it.values.len();
        self.own.iter().map(numbers).sum::<usize>() * size_of::<f32>()
    }

    /// Makes all that was read a segment that clones share. Nothing is copied
    /// while there are few segments.
    pub(crate) fn freeze(&mut self) {
        let positions = self.len - self.frozen;
        let empty = vec![Memory::default(); self.own.len()];
        let mut layers = std::mem::replace(&mut self.own, empty);
        if positions == 0 {
            return;
        }
        for memory in &mut layers {
            // What an interrupted step has left is not kept.
            memory.keys.truncate(positions * self.width);
            memory.values.truncate(positions * self.width);
        }
        let layers = Arc::new(layers);
        self.segments.push(Segment { layers, positions });
        self.frozen = self.len;
        if self.segments.len() > MOST_SEGMENTS {
            self.join();
        }
    }

    fn join(&mut self) {
        let layers = (0..self.own.len()).map(|layer| {
            let (mut keys, mut values) = (Vec::new(), Vec::new());
            for (some, others) in self.segments(layer) {
                keys.extend_from_slice(some);
                values.extend_from_slice(others);
            }
            Memory { keys, values }
        });
        let layers = Arc::new(layers.collect());
        let positions = self.frozen;
        self.segments = vec![Segment { layers, positions }];
    }

    /// A cache with the first positions of this one, at most what it holds, all
    /// of them frozen and shared.
    pub(crate) fn beginning(&self, positions: usize) -> Self {
        let mut whole = self.clone();
        whole.freeze();
        let mut left = positions;
        for segment in &mut whole.segments {
            segment.positions = segment.positions.min(left);
            left -= segment.positions;
        }
        whole.segments.retain(|segment| segment.positions > 0);
        whole.len = positions - left;
        whole.frozen = whole.len;
        whole
    }

    /// Writes keys and values of new positions of a layer; they count once
    /// [`advance`](Self::advance) is called.
    pub(super) fn write(&mut self, layer: usize, keys: &[f32], values: &[f32]) {
        let kept = (self.len - self.frozen) * self.width;
        let own = &mut self.own[layer];
        // What an interrupted step has left is written over.
        own.keys.truncate(kept);
        own.values.truncate(kept);
        own.keys.extend_from_slice(keys);
        own.values.extend_from_slice(values);
    }

    pub(super) fn advance(&mut self, positions: usize) {
        self.len += positions;
    }

    /// Keys and values of a layer, segment by segment, the older first.
    pub(super) fn segments(&self, layer: usize) -> impl Iterator<Item = (&[f32], &[f32])> {
        let shared = self.segments.iter().map(move |segment| {
            let memory = &segment.layers[layer];
            let numbers = segment.positions * self.width;
            (&memory.keys[..numbers], &memory.values[..numbers])
        });
        let own = &self.own[layer];
        shared.chain(std::iter::once((&own.keys[..], &own.values[..])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(cache: &Cache) -> Vec<f32> {
        cache.segments(0).flat_map(|it| it.0).copied().collect()
    }

    #[test]
    fn what_is_frozen_is_shared_and_an_unfinished_step_is_forgotten() {
        let mut cache = Cache::new(1, 2);
        cache.write(0, &[1.0, 2.0], &[3.0, 4.0]);
        cache.advance(1);
        cache.freeze();
        let mut other = cache.clone();
        assert!(Arc::ptr_eq(
            &cache.segments[0].layers,
            &other.segments[0].layers
        ));
        assert_eq!(other.own_bytes(), 0);
        other.write(0, &[9.0, 9.0], &[9.0, 9.0]);
        // Not advanced: given up.
        other.write(0, &[5.0, 6.0], &[7.0, 8.0]);
        other.advance(1);
        assert_eq!((cache.len(), other.len()), (1, 2));
        assert_eq!(keys(&other), [1.0, 2.0, 5.0, 6.0]);
        assert_eq!(other.own_bytes(), 16);
        other.write(0, &[9.0, 9.0], &[9.0, 9.0]);
        other.freeze();
        assert_eq!(keys(&other), [1.0, 2.0, 5.0, 6.0]);
        assert_eq!(keys(&cache), [1.0, 2.0]);
    }

    #[test]
    fn a_beginning_is_a_view_and_many_segments_become_one() {
        let mut cache = Cache::new(1, 1);
        for position in 0..3 * MOST_SEGMENTS {
            let key = [position as f32];
            cache.write(0, &key, &key);
            cache.advance(1);
            cache.freeze();
            assert!(cache.segments.len() <= MOST_SEGMENTS);
        }
        let all: Vec<f32> = (0..3 * MOST_SEGMENTS).map(|it| it as f32).collect();
        assert_eq!(keys(&cache), all);
        for positions in [0, 1, 5, 3 * MOST_SEGMENTS, 100] {
            let first = cache.beginning(positions);
            let held = positions.min(all.len());
            assert_eq!((first.len(), keys(&first)), (held, all[..held].to_vec()));
        }
        let mut other = cache.beginning(2);
        other.write(0, &[7.0], &[7.0]);
        other.advance(1);
        assert_eq!(keys(&other), [0.0, 1.0, 7.0]);
        assert_eq!(keys(&cache), all);
    }
}
