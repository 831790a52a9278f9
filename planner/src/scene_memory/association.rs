//! Which detection is which remembered object.
//!
//! Greedy by ascending distance within one kind and colour; an optimal
//! assignment would differ only when objects of one look stand nearer than
//! the gate, which two 4 cm blocks hardly can. What is left over after the
//! gate is matched when it is unambiguous: one object of a look vanished and
//! one of that look appeared, so it was moved.

use super::{Detection, MemorySettings, View, distance};

/// What association looks at of a track.
pub(super) struct Key {
    pub(super) kind: String,
    pub(super) color: Option<String>,
    pub(super) position: Option<[f64; 3]>,
    pub(super) expected: Option<[f64; 3]>,
    pub(super) held: bool,
}

impl Key {
    fn looks_like(&self, detection: &Detection) -> bool {
        self.kind == detection.kind && self.color == detection.color
    }

    /// Distance to the nearer of the last and the expected place.
    fn distance(&self, detection: &Detection) -> Option<f64> {
        self.position
            .into_iter()
            .chain(self.expected)
            .map(|place| distance(place, detection.position))
            .min_by(f64::total_cmp)
    }
}

/// For each detection the index of its track, if any.
pub(super) fn associate(
    tracks: &[Key],
    seen: &[Detection],
    settings: &MemorySettings,
    view: &View,
) -> Vec<Option<usize>> {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (d, detection) in seen.iter().enumerate() {
        for (t, track) in tracks.iter().enumerate() {
            let gate = if track.held {
                settings.grasp_m
            } else {
                settings.association_m
            };
            if track.looks_like(detection)
                && let Some(far) = track.distance(detection).filter(|far| *far <= gate)
            {
                pairs.push((far, t, d));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut of_detection: Vec<Option<usize>> = vec![None; seen.len()];
    let mut taken = vec![false; tracks.len()];
    for (_, t, d) in pairs {
        if !taken[t] && of_detection[d].is_none() {
            taken[t] = true;
            of_detection[d] = Some(t);
        }
    }
    match_moved(tracks, seen, view, &mut taken, &mut of_detection);
    of_detection
}

/// Matches the only vanished object of a look with the only new one.
fn match_moved(
    tracks: &[Key],
    seen: &[Detection],
    view: &View,
    taken: &mut [bool],
    of_detection: &mut [Option<usize>],
) {
    for d in 0..seen.len() {
        if of_detection[d].is_some() {
            continue;
        }
        let new_alike = (0..seen.len())
            .filter(|o| of_detection[*o].is_none())
            .filter(|o| seen[*o].kind == seen[d].kind && seen[*o].color == seen[d].color)
            .count();
        let vanished: Vec<usize> = (0..tracks.len())
            .filter(|t| !taken[*t] && !tracks[*t].held && tracks[*t].looks_like(&seen[d]))
            .filter(|t| {
                // Hidden ones may still be where they were.
                tracks[*t].expected.is_some() || tracks[*t].position.is_none_or(|p| view.sees(p))
            })
            .collect();
        if let ([only], 1) = (vanished.as_slice(), new_alike) {
            taken[*only] = true;
            of_detection[d] = Some(*only);
        }
    }
}
