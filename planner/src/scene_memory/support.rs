//! What rests on what, from positions alone.

use vola_types::{BOWL_RIM_RADIUS_M, ON_TABLE};

use super::Track;

/// Farthest two stacked centres may be apart in the plane, metres.
const STACK_ACROSS_M: f64 = 0.03;
/// Height between two stacked centres, metres.
const STACK_HEIGHT_M: [f64; 2] = [0.025, 0.055];
/// Half extent of a drawer's inside, metres.
const DRAWER_INSIDE_M: f64 = 0.08;

/// Sets `on` of everything that is not held.
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
}

fn support_of(track: &Track, tracks: &[Track]) -> Option<String> {
    let object = &track.object;
    if object.kind == "drawer" {
        return object.on.clone();
    }
    // Said by the robot: inside a drawer no camera can tell.
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
                && object.kind != "bowl"
                && *across <= STACK_ACROSS_M
                && *height >= STACK_HEIGHT_M[0]
                && *height <= STACK_HEIGHT_M[1]
        })
        .min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((below, _, _)) = below {
        return Some(below.object.id.clone());
    }
    let around = others()
        .filter(|(t, across, _)| match t.object.kind.as_str() {
            "bowl" => object.kind != "bowl" && *across <= BOWL_RIM_RADIUS_M,
            "drawer" => t.object.open == Some(true) && *across <= DRAWER_INSIDE_M,
            _ => false,
        })
        .min_by(|a, b| a.1.total_cmp(&b.1));
    match around {
        Some((container, _, _)) => Some(container.object.id.clone()),
        None => Some(ON_TABLE.to_owned()),
    }
}
