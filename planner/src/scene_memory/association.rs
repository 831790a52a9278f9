//! Which detection is which remembered object.
//!
//! Greedy by ascending distance within one kind and colour; an optimal
//! assignment would differ only when objects of one look stand nearer than
//! the gate, which two 4 cm blocks hardly can. What is left over after the
//! gate is matched when it is unambiguous: one object of a look vanished and
//! one of that look appeared, so it was moved. A drawer is furniture: it keeps
//! its place across, however far its handle has come out.

use super::{Detection, MemorySettings, Track, View, absorption::holds, distance};

/// Farthest that one drawer is read to the side of where it stands, metres.
const DRAWER_ACROSS_M: f64 = 0.08;

impl Track {
    fn looks_like(&self, detection: &Detection) -> bool {
        self.object.kind == detection.kind && self.object.color == detection.color
    }

    /// Distance to the nearer of the last and the expected place.
    fn distance(&self, detection: &Detection) -> Option<f64> {
        self.position()
            .into_iter()
            .chain(self.expected)
            .map(|place| distance(place, detection.position))
            .min_by(f64::total_cmp)
    }

    /// How far a detection is from what this track would show, if it may be it.
    fn gap(&self, detection: &Detection, settings: &MemorySettings) -> Option<f64> {
        if !self.looks_like(detection) {
            return None;
        }
        if detection.openness.is_some() {
            let across = (self.position()?[1] - detection.position[1]).abs();
            return (across <= DRAWER_ACROSS_M).then_some(across);
        }
        let gate = if self.object.is_held() {
            settings.grasp_m
        } else {
            settings.association_m
        };
        self.distance(detection).filter(|far| *far <= gate)
    }
}

/// For each detection the index of its track, if any.
pub(super) fn associate(
    tracks: &[Track],
    seen: &[Detection],
    settings: &MemorySettings,
    view: &View,
) -> Vec<Option<usize>> {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (d, detection) in seen.iter().enumerate() {
        for (t, track) in tracks.iter().enumerate() {
            if let Some(far) = track.gap(detection, settings) {
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
    tracks: &[Track],
    seen: &[Detection],
    view: &View,
    taken: &mut [bool],
    of_detection: &mut [Option<usize>],
) {
    let may_have_moved = |track: &Track| {
        let in_bowl = track.object.on.as_deref().is_some_and(|on| {
            tracks
                .iter()
                .any(|other| other.object.id == on && other.object.kind == "bowl")
        });
        // Hidden ones may still be where they were.
        in_bowl || track.expected.is_some() || track.position().is_none_or(|p| view.sees(p))
    };
    for d in 0..seen.len() {
        // What hangs in the air or lies in a container was brought there, and
        // whoever brought it said so.
        if of_detection[d].is_some() || !seen[d].may_stand() || is_contained(&seen[d], tracks) {
            continue;
        }
        let new_alike = (0..seen.len())
            .filter(|o| of_detection[*o].is_none())
            .filter(|o| seen[*o].kind == seen[d].kind && seen[*o].color == seen[d].color)
            .count();
        let vanished: Vec<usize> = (0..tracks.len())
            .filter(|t| {
                let track = &tracks[*t];
                !taken[*t]
                    && !track.object.is_held()
                    && track.looks_like(&seen[d])
                    && may_have_moved(track)
            })
            .collect();
        if let ([only], 1) = (vanished.as_slice(), new_alike) {
            taken[*only] = true;
            of_detection[d] = Some(*only);
        }
    }
}

/// Whether a block is seen inside a container that has something else in it.
fn is_contained(detection: &Detection, tracks: &[Track]) -> bool {
    detection.kind == "block"
        && tracks.iter().any(|container| {
            holds(container, detection.position)
                && tracks
                    .iter()
                    .any(|t| t.object.on.as_deref() == Some(container.object.id.as_str()))
        })
}
