//! When something that was never seen before is believed.
//!
//! At the first look everything is. Later, things do not come from nowhere: with
//! the arm well out of the way a sure detection is believed at once, for a person
//! may have put something there; near the arm, or when it is not sure, only what
//! is read again after the arm has moved.

use super::{Detection, GripperReading, View, distance};

/// The arm is out of the way of what is farther from the tool, metres.
const CLEAR_M: f64 = 0.22;
/// Confidence of a detection that is believed at once.
const SURE: f64 = 0.7;
/// Farthest that two readings of one thing lie apart, metres.
const SAME_M: f64 = 0.03;
/// The arm has moved when the tool is this far from where it was, metres.
const MOVED_M: f64 = 0.03;

/// A detection that is not believed yet.
#[derive(Debug, Clone)]
struct Pending {
    detection: Detection,
    tool: Option<[f64; 3]>,
}

/// Remembers what is not believed yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Admission {
    pending: Vec<Pending>,
}

impl Admission {
    /// Of the unexplained detections of one reading, those to believe.
    pub(super) fn believed<'a>(
        &mut self,
        new: &[&'a Detection],
        view: &View,
        gripper: &GripperReading,
    ) -> Vec<&'a Detection> {
        let before = std::mem::take(&mut self.pending);
        let mut believed = Vec::new();
        for detection in new {
            let place = detection.position;
            let is_clear = gripper
                .position
                .is_none_or(|tool| distance(tool, place) > CLEAR_M);
            let known = before.iter().find(|old| {
                old.detection.kind == detection.kind
                    && old.detection.color == detection.color
                    && distance(old.detection.position, place) <= SAME_M
            });
            let seen_again = known.is_some_and(|old| match (old.tool, gripper.position) {
                (Some(then), Some(now)) => distance(then, now) > MOVED_M,
                _ => true,
            });
            let is_seen = view.sees(place);
            if is_seen && ((is_clear && detection.confidence >= SURE) || seen_again) {
                believed.push(*detection);
            } else {
                self.pending.push(Pending {
                    detection: (*detection).clone(),
                    tool: known.map_or(gripper.position, |old| old.tool),
                });
            }
        }
        believed
    }
}
