//! What rests on what: what a camera is sure of, and what bodies can do.
//!
//! A camera sees well in which direction an object lies and badly how high; so
//! the height is not asked where two blocks share their place on the table, for
//! one of them must then stand on the other, and what nothing carries lies on
//! the table.

use vola_types::{BLOCK_SIZE_M, BOWL_RIM_RADIUS_M, ON_TABLE};

use super::{IN_THE_AIR_M, Track, absorption::holds};

/// Farthest two stacked centres may be apart in the plane, metres.
const STACK_ACROSS_M: f64 = 0.03;
/// Height between two stacked centres that a camera tells apart, metres.
const SURELY_HIGHER_M: f64 = 0.012;
/// Farthest that a stacked centre is seen above the one below, metres.
const MOST_HIGHER_M: f64 = 0.065;

/// Sets `on` of everything that is not held, and the heights of blocks that
/// follow from it.
pub(super) fn settle(tracks: &mut [Track]) {
    let found: Vec<Option<String>> = tracks
        .iter()
        .map(|track| support_of(track, tracks))
        .collect();
    for (track, on) in tracks.iter_mut().zip(found) {
        if !track.object.is_held() {
            track.object.on = on;
        }
    }
    let heights: Vec<Option<f64>> = tracks
        .iter()
        .map(|track| resting_height(track, tracks))
        .collect();
    for (track, height) in tracks.iter_mut().zip(heights) {
        if let (Some(height), Some(position)) = (height, &mut track.object.position) {
            position[2] = height;
        }
    }
}

/// The height of a block's centre on the table or in a tower, metres.
fn resting_height(track: &Track, tracks: &[Track]) -> Option<f64> {
    let mut level = 0.5;
    let mut current = track;
    for _ in 0..tracks.len() {
        if current.object.kind != "block" || current.object.is_held() {
            return None;
        }
        let seen = current.object.position?[2];
        match current.object.on.as_deref() {
            // What seems to hang in the air may have just left the hand.
            Some(ON_TABLE) => return (seen < IN_THE_AIR_M).then_some(level * BLOCK_SIZE_M),
            Some(on) => current = tracks.iter().find(|t| t.object.id == on)?,
            None => return None,
        }
        level += 1.0;
    }
    None
}

/// Whether of two blocks at one place the first is the upper one.
fn is_upper(track: &Track, other: &Track) -> bool {
    let height = |track: &Track| track.object.position.map_or(0.0, |[_, _, z]| z);
    let higher = height(track) - height(other);
    let was_brought = |track: &Track| track.brought_up.is_some();
    if higher.abs() <= SURELY_HIGHER_M && was_brought(track) != was_brought(other) {
        return was_brought(track);
    }
    higher > 0.0 || (higher >= 0.0 && track.object.id > other.object.id)
}

fn support_of(track: &Track, tracks: &[Track]) -> Option<String> {
    let object = &track.object;
    if object.kind == "drawer" {
        return object.on.clone();
    }
    // Not seen since it lay in a drawer: a closed one shows nothing.
    if let Some(on) = &object.on
        && tracks
            .iter()
            .any(|t| t.object.id == *on && t.object.kind == "drawer")
    {
        return Some(on.clone());
    }
    let own = object.position?;
    let others = || {
        tracks
            .iter()
            .filter(|t| t.object.id != object.id && !t.object.is_held())
            .filter_map(|t| {
                let [x, y, z] = t.object.position?;
                let across = (own[0] - x).hypot(own[1] - y);
                Some((t, across, own[2] - z))
            })
    };
    let below = others()
        .filter(|(t, across, height)| {
            t.object.kind == "block"
                && object.kind == "block"
                && *across <= STACK_ACROSS_M
                && *height <= MOST_HIGHER_M
                && is_upper(track, t)
        })
        .min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((below, _, _)) = below {
        return Some(below.object.id.clone());
    }
    let around = others()
        .filter(|(t, across, _)| match t.object.kind.as_str() {
            "bowl" => object.kind != "bowl" && *across <= BOWL_RIM_RADIUS_M,
            "drawer" => object.kind == "block" && holds(t, own),
            _ => false,
        })
        .min_by(|a, b| a.1.total_cmp(&b.1));
    match around {
        Some((container, _, _)) => Some(container.object.id.clone()),
        None => Some(ON_TABLE.to_owned()),
    }
}
