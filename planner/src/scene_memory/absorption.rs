//! Detections that are no new object: misread colours, ghosts of the hand,
//! what lies in a container.
//!
//! Bodies exclude each other. A second bowl where a bowl stands is that bowl
//! with its colour misread; a block within a bowl's rim is what was put there;
//! a block in the air is in the hand or was misread. So what is left over after
//! association is first explained by what is known, and only what nothing known
//! explains may be new ([`super::admission`]).

use vola_types::{BLOCK_SIZE_M, BOWL_RIM_RADIUS_M};

use super::{Detection, GripperReading, IN_THE_AIR_M, Track, distance};

/// How far off a block in a container is read, metres.
const SLACK_M: f64 = 0.012;
/// Bowls whose centres are nearer than this would stand in each other, metres.
const BOWLS_APART_M: f64 = 2.0 * BOWL_RIM_RADIUS_M - 0.02;
/// A bowl is read at most this far from where it stands, metres.
const SAME_BOWL_M: f64 = 0.055;
/// Blocks whose centres are nearer than this, at one height, are one, metres.
const SAME_BLOCK_M: f64 = 0.03;
/// How far from the tool the held object is misread, metres: a camera tells
/// badly how high it hangs.
const HAND_M: f64 = 0.13;
/// Extent of an open tray in x, from the drawer's reported point, metres.
const TRAY_X_M: [f64; 2] = [0.045, 0.19];
/// Half extent of the tray in y, metres.
const TRAY_HALF_Y_M: f64 = 0.083;

/// What a left-over detection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This track, whose place it shows.
    Shows(usize),
    /// This track is there; where exactly is misread.
    Confirms(usize),
    /// Something known that was read twice, or nothing.
    Nothing,
    /// Nothing known explains it.
    New,
}

/// Whether a point lies in the container of a track.
pub(super) fn holds(container: &Track, [x, y, _]: [f64; 3]) -> bool {
    let Some([cx, cy, _]) = container.position() else {
        return false;
    };
    match container.object.kind.as_str() {
        "bowl" => (x - cx).hypot(y - cy) <= BOWL_RIM_RADIUS_M + SLACK_M,
        "drawer" => {
            container.object.open == Some(true)
                && (TRAY_X_M[0]..=TRAY_X_M[1]).contains(&(x - cx))
                && (y - cy).abs() <= TRAY_HALF_Y_M
        }
        _ => false,
    }
}

impl Detection {
    /// Whether it stands on something, as far as its height tells.
    pub(super) fn may_stand(&self) -> bool {
        self.kind != "block" || self.position[2] < IN_THE_AIR_M
    }
}

/// Explains a detection that belongs to no track by kind, colour and place.
pub(super) fn explain(
    detection: &Detection,
    tracks: &[Track],
    matched: &[bool],
    gripper: &GripperReading,
) -> Meaning {
    match detection.kind.as_str() {
        "bowl" => bowl(detection, tracks, matched),
        "block" => block(detection, tracks, matched, gripper),
        _ => Meaning::New,
    }
}

fn bowl(detection: &Detection, tracks: &[Track], matched: &[bool]) -> Meaning {
    let near = nearest(tracks, |track| {
        (track.object.kind == "bowl")
            .then(|| across(track, detection))
            .flatten()
    });
    match near {
        Some((far, index)) if far <= SAME_BOWL_M && !matched[index] => Meaning::Shows(index),
        Some((far, _)) if far <= BOWLS_APART_M => Meaning::Nothing,
        _ => Meaning::New,
    }
}

fn block(
    detection: &Detection,
    tracks: &[Track],
    matched: &[bool],
    gripper: &GripperReading,
) -> Meaning {
    let place = detection.position;
    let missing = |index: usize| !matched[index] && !tracks[index].object.is_held();
    let alike = |track: &Track| track.object.color == detection.color;
    if gripper.holding
        && let Some(tool) = gripper.position
    {
        let is_held = tracks.iter().any(|t| t.object.is_held() && alike(t));
        let is_up = place[2] > BLOCK_SIZE_M;
        if is_up && distance(place, tool) <= HAND_M && (is_held || place[2] >= IN_THE_AIR_M) {
            return Meaning::Nothing;
        }
    }
    if let Some(container) = tracks.iter().find(|track| holds(track, place)) {
        let id = container.object.id.as_str();
        let is_content = |track: &Track| {
            track.object.kind == "block"
                && (track.object.on.as_deref() == Some(id)
                    || track.expected.is_some_and(|at| holds(container, at)))
        };
        let best = nearest(tracks, |track| {
            let strange = if alike(track) { 0.0 } else { 1.0 };
            is_content(track)
                .then(|| Some(strange + across(track, detection)?))
                .flatten()
        });
        let first = (0..tracks.len())
            .filter(|index| missing(*index) && is_content(&tracks[*index]))
            .min_by_key(|index| !alike(&tracks[*index]));
        return match (first, best) {
            (Some(index), _) if alike(&tracks[index]) => Meaning::Shows(index),
            (Some(index), _) => Meaning::Confirms(index),
            (None, Some(_)) => Meaning::Nothing,
            (None, None) if detection.may_stand() => Meaning::New,
            (None, None) => Meaning::Nothing,
        };
    }
    let together = nearest(tracks, |track| {
        let at = track.position()?;
        let level = (at[2] - place[2]).abs() < 0.7 * BLOCK_SIZE_M;
        (track.object.kind == "block" && level && !track.object.is_held())
            .then(|| across(track, detection))
            .flatten()
    });
    if let Some((far, index)) = together.filter(|(far, _)| *far <= SAME_BLOCK_M) {
        let is_same = missing(index) && far <= SAME_BLOCK_M;
        return if is_same {
            Meaning::Confirms(index)
        } else {
            Meaning::Nothing
        };
    }
    if detection.may_stand() {
        return Meaning::New;
    }
    // In the air, and not in the hand: its height is misread.
    let lost = (0..tracks.len()).find(|index| missing(*index) && alike(&tracks[*index]));
    lost.map_or(Meaning::Nothing, Meaning::Confirms)
}

fn across(track: &Track, detection: &Detection) -> Option<f64> {
    let [x, y, _] = track.position()?;
    Some((x - detection.position[0]).hypot(y - detection.position[1]))
}

fn nearest(tracks: &[Track], far: impl Fn(&Track) -> Option<f64>) -> Option<(f64, usize)> {
    tracks
        .iter()
        .enumerate()
        .filter_map(|(index, track)| Some((far(track)?, index)))
        .min_by(|a, b| a.0.total_cmp(&b.0))
}
