//! Scene memory: from detections to scenes whose ids last for a run.
//!
//! A detector sees a table afresh each time. The memory keeps *tracks*: each
//! new reading is associated with them by kind, colour and distance
//! ([`association`]), what is left over is explained by what is known
//! ([`absorption`]) or must earn belief ([`admission`]), what rests on what is
//! worked out from positions ([`support`]), and an object nobody sees keeps its
//! last state with falling confidence until its place is seen empty.
//!
//! The order of detections never matters, and a reading never makes two
//! objects with one id.

mod absorption;
mod admission;
mod association;
mod detection;
mod support;

use vola_types::{BLOCK_SIZE_M, GripperScene, ON_GRIPPER, Region, Scene, SceneObject};

pub use detection::{Detection, Detections, Disc, GripperReading, View};

use absorption::{Meaning, explain, holds};
use admission::Admission;
use association::associate;

/// Settings of a [`SceneMemory`]; the default fits the tabletop.
#[derive(Debug, Clone, PartialEq)]
pub struct MemorySettings {
    /// Farthest an unmoved object's new reading may be from the last, metres.
    pub association_m: f64,
    /// Detections of one kind and colour nearer than this are one, metres.
    pub duplicate_m: f64,
    /// A new object must be detected with at least this confidence.
    pub least_new_confidence: f64,
    /// Factor on the confidence of an object at each reading without it.
    pub fade: f64,
    /// Confidence never fades below this.
    pub least_confidence: f64,
    /// Readings in a row that must see the place empty before an object is
    /// dropped; more than one rides out a missed detection.
    pub empty_readings_to_drop: u32,
    /// How near to the gripper a held object is expected, metres.
    pub grasp_m: f64,
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self {
            association_m: 0.05,
            duplicate_m: 0.02,
            least_new_confidence: 0.3,
            fade: 0.9,
            least_confidence: 0.05,
            empty_readings_to_drop: 4,
            grasp_m: 0.07,
        }
    }
}

/// One remembered object.
#[derive(Debug, Clone)]
struct Track {
    object: SceneObject,
    /// Where the robot is about to bring it.
    expected: Option<[f64; 3]>,
    /// Where the robot brought it, if that is above the table.
    brought_up: Option<[f64; 3]>,
    /// Where it was when the robot said that it grasped it.
    grasped_from: Option<[f64; 3]>,
    /// Readings in a row that saw its place empty.
    seen_empty: u32,
}

impl Track {
    fn position(&self) -> Option<[f64; 3]> {
        self.object.position
    }
}

/// Higher than any tower stands: an object whose centre is there hangs in the
/// hand, in metres.
const IN_THE_AIR_M: f64 = 0.085;

/// Confidence of a detection that contradicts the robot's own word.
const SURE: f64 = 0.6;

/// Farthest that something grasped by mistake was from what was meant, metres.
const GRASPED_INSTEAD_M: f64 = 0.06;

/// Height of a block's centre on the table, in metres.
const RESTING_Z_M: f64 = 0.5 * BLOCK_SIZE_M;

/// Remembers objects over readings. Not shared: one owner, who calls
/// [`SceneMemory::update`] once a reading.
#[derive(Debug, Clone, Default)]
pub struct SceneMemory {
    settings: MemorySettings,
    tracks: Vec<Track>,
    /// Ids ever given, so that none is given twice.
    used: Vec<String>,
    gripper: GripperScene,
    admission: Admission,
}

impl SceneMemory {
    /// An empty memory.
    #[must_use]
    pub fn new(settings: MemorySettings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Forgets everything, ids included: a new run.
    pub fn clear(&mut self) {
        *self = Self::new(self.settings.clone());
    }

    /// Announces that the robot is about to bring an object to a place, so
    /// that it is recognised there although it is far from where it was. An
    /// unknown id is ignored.
    pub fn expect_at(&mut self, id: &str, place: [f64; 3]) {
        if let Some(track) = self.tracks.iter_mut().find(|t| t.object.id == id) {
            track.expected = Some(place);
        }
    }

    /// Takes in one reading and gives the scene as now believed.
    ///
    /// Detections with a position that is not finite are ignored.
    pub fn update(&mut self, reading: &Detections) -> Scene {
        let seen = reading.cleaned(self.settings.duplicate_m);
        let is_first = self.used.is_empty();
        self.update_held(&reading.gripper);
        self.doubt_grasp(&seen);
        self.follow_gripper(&reading.gripper);
        let pairs = associate(&self.tracks, &seen, &self.settings, &reading.view);
        let mut matched = vec![false; self.tracks.len()];
        for (detection, pair) in seen.iter().zip(&pairs) {
            if let Some(index) = pair {
                matched[*index] = true;
                self.refresh(*index, detection, &reading.gripper);
            }
        }
        let mut new: Vec<&Detection> = Vec::new();
        for (detection, _) in seen.iter().zip(&pairs).filter(|(_, pair)| pair.is_none()) {
            match explain(detection, &self.tracks, &matched, &reading.gripper) {
                Meaning::Shows(index) => {
                    matched[index] = true;
                    self.refresh(index, detection, &reading.gripper);
                }
                Meaning::Confirms(index) => {
                    matched[index] = true;
                    self.confirm(index, detection);
                }
                Meaning::New if detection.confidence >= self.settings.least_new_confidence => {
                    new.push(detection);
                }
                Meaning::New | Meaning::Nothing => {}
            }
        }
        self.believe_brought(&matched, &reading.view);
        self.fade(&matched, &reading.view);
        if !is_first {
            new = self
                .admission
                .believed(&new, &reading.view, &reading.gripper);
        }
        self.admit(&new);
        // What was in the hand before the first look.
        self.update_held(&reading.gripper);
        self.follow_gripper(&reading.gripper);
        support::settle(&mut self.tracks);
        self.scene()
    }

    /// The scene as last believed.
    #[must_use]
    pub fn scene(&self) -> Scene {
        let mut objects: Vec<SceneObject> = self.tracks.iter().map(|t| t.object.clone()).collect();
        objects.sort_by(|a, b| a.id.cmp(&b.id));
        Scene {
            objects,
            regions: Region::all_names(),
            gripper: self.gripper.clone(),
        }
    }

    /// Decides which object is held: the one already held, else the nearest
    /// to the closed fingers.
    fn update_held(&mut self, gripper: &GripperReading) {
        self.gripper.open = gripper.open;
        if !gripper.holding {
            self.gripper.holding = None;
            for track in &mut self.tracks {
                if track.object.is_held() {
                    track.object.on = None;
                    // Let go without a word: it falls.
                    let below = track.object.position.map(|[x, y, _]| [x, y, RESTING_Z_M]);
                    track.expected = track.expected.or(below);
                }
            }
            return;
        }
        if self.gripper.holding.is_some() {
            return;
        }
        let Some(tool) = gripper.position else {
            return;
        };
        let near = self
            .tracks
            .iter()
            .filter(|t| t.object.kind != "bowl" && t.object.kind != "drawer")
            .filter_map(|t| Some((distance(t.position()?, tool), t.object.id.clone())))
            .filter(|(d, _)| *d <= self.settings.grasp_m + 0.05)
            .min_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        if let Some((_, id)) = near {
            self.set_held(&id);
        }
    }

    /// What is seen where it was grasped is not in the hand, whatever the robot
    /// said: then it is the one beside or below it that has gone.
    fn doubt_grasp(&mut self, seen: &[Detection]) {
        let shows = |track: &Track, at: [f64; 3]| {
            seen.iter().any(|detection| {
                detection.kind == track.object.kind
                    && detection.color == track.object.color
                    && detection.confidence >= SURE
                    && (detection.position[0] - at[0]).hypot(detection.position[1] - at[1])
                        <= BLOCK_SIZE_M
                    // A ghost of the hand lies on the camera's ray: at that
                    // height it would be somewhere else.
                    && (detection.position[2] - at[2]).abs() <= BLOCK_SIZE_M
            })
        };
        let Some(held) = self.tracks.iter().position(|t| t.object.is_held()) else {
            return;
        };
        let Some(from) = self.tracks[held].grasped_from.take() else {
            return;
        };
        if !shows(&self.tracks[held], from) {
            return;
        }
        let other = (0..self.tracks.len())
            .filter(|index| *index != held && self.tracks[*index].object.kind == "block")
            .filter_map(|index| {
                let at = self.tracks[index].position()?;
                let far = (at[0] - from[0]).hypot(at[1] - from[1]);
                let is_gone = far <= GRASPED_INSTEAD_M && !shows(&self.tracks[index], at);
                is_gone.then_some((far, index))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, index)| self.tracks[index].object.id.clone());
        let track = &mut self.tracks[held];
        (track.object.on, track.object.position) = (None, Some(from));
        self.gripper.holding = None;
        if let Some(other) = other {
            self.set_held(&other);
        }
    }

    /// Says which object the robot has just grasped, when the caller knows
    /// better than the nearest-object rule. An unknown id is ignored.
    pub fn set_held(&mut self, id: &str) {
        if !self.tracks.iter().any(|t| t.object.id == id) {
            return;
        }
        for track in &mut self.tracks {
            if track.object.id == id {
                if !track.object.is_held() {
                    track.grasped_from = track.object.position;
                }
                track.object.on = Some(ON_GRIPPER.to_owned());
                (track.expected, track.brought_up) = (None, None);
            } else if track.object.is_held() {
                track.object.on = None;
            }
        }
        self.gripper.holding = Some(id.to_owned());
        self.gripper.open = false;
    }

    /// Says what is in the hand when the caller knows it and the camera may
    /// not see it: someone put it there. `tool` is where the hand is, in
    /// metres in the base frame. An object of that look near the hand or in
    /// the air is taken for it, else one is added.
    pub fn put_in_hand(&mut self, kind: &str, color: Option<&str>, tool: [f64; 3]) {
        let known = self
            .tracks
            .iter()
            .filter(|t| t.object.kind == kind && t.object.color.as_deref() == color)
            .filter_map(|t| {
                let at = t.position()?;
                let is_there = distance(at, tool) <= self.settings.grasp_m || at[2] >= IN_THE_AIR_M;
                is_there.then(|| (distance(at, tool), t.object.id.clone()))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, id)| id);
        let id = known.unwrap_or_else(|| {
            self.admit(&[&Detection {
                kind: kind.to_owned(),
                color: color.map(ToOwned::to_owned),
                position: tool,
                confidence: 1.0,
                openness: None,
            }]);
            self.tracks
                .last()
                .map_or_else(String::new, |track| track.object.id.clone())
        });
        self.set_held(&id);
        self.follow_gripper(&GripperReading {
            position: Some(tool),
            open: false,
            holding: true,
        });
        support::settle(&mut self.tracks);
    }

    fn refresh(&mut self, index: usize, detection: &Detection, gripper: &GripperReading) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        if track.object.is_held() && gripper.holding {
            track.seen_empty = 0;
            track.object.confidence = detection.confidence.clamp(0.0, 1.0);
            return;
        }
        let was = track.object.position.replace(detection.position);
        track.object.confidence = detection.confidence.clamp(0.0, 1.0);
        if detection.openness.is_some() {
            track.object.open = detection.is_open();
        }
        if let Some(place) = track.expected.take() {
            track.brought_up = Some(place).filter(|[_, _, z]| *z > BLOCK_SIZE_M);
        }
        track.seen_empty = 0;
        track.object.on = None;
        let id = track.object.id.clone();
        if let Some(was) = was {
            self.carry_along(&id, was, detection.position);
        }
    }

    /// What lies in a container or on a block moves with it.
    fn carry_along(&mut self, id: &str, from: [f64; 3], to: [f64; 3]) {
        for track in &mut self.tracks {
            if track.object.on.as_deref() == Some(id)
                && let Some(position) = &mut track.object.position
            {
                position[0] += to[0] - from[0];
                position[1] += to[1] - from[1];
            }
        }
    }

    /// It is there, but where exactly is misread: it is where it was brought,
    /// or where it was.
    fn confirm(&mut self, index: usize, detection: &Detection) {
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        track.seen_empty = 0;
        track.object.confidence = track.object.confidence.max(0.5 * detection.confidence);
        if let Some(place) = track.expected.take() {
            track.object.position = Some(place);
            track.brought_up = Some(place).filter(|[_, _, z]| *z > BLOCK_SIZE_M);
        }
    }

    /// Objects that were let go somewhere and are not seen now. They are
    /// believed to be there when that place cannot be seen, when it lies in a
    /// container, and upon another block if the camera sees a block at that
    /// place, for it hardly tells two of a tower apart. Whatever else is not
    /// seen is not believed.
    fn believe_brought(&mut self, matched: &[bool], view: &View) {
        let seen: Vec<[f64; 3]> = self
            .tracks
            .iter()
            .zip(matched)
            .filter(|(_, matched)| **matched)
            .filter_map(|(track, _)| track.position())
            .collect();
        let in_container: Vec<bool> = self
            .tracks
            .iter()
            .map(|track| {
                let place = track.expected.filter(|_| track.object.kind == "block");
                place.is_some_and(|place| self.tracks.iter().any(|t| holds(t, place)))
            })
            .collect();
        let all = self.tracks.iter_mut().zip(matched).zip(in_container);
        for ((track, matched), in_container) in all {
            let Some(place) = track.expected.filter(|_| !matched) else {
                continue;
            };
            if track.object.is_held() {
                continue;
            }
            let is_up = place[2] > BLOCK_SIZE_M;
            let joins = |at: &[f64; 3]| (at[0] - place[0]).hypot(at[1] - place[1]) <= BLOCK_SIZE_M;
            let on_tower = is_up && seen.iter().any(joins);
            if on_tower || in_container || (!is_up && !view.sees(place)) {
                track.object.position = Some(place);
                track.brought_up = Some(place).filter(|_| is_up);
                track.expected = None;
            }
        }
    }

    /// Objects without a detection: they fade, and go when their place is
    /// seen empty.
    fn fade(&mut self, matched: &[bool], view: &View) {
        let settings = self.settings.clone();
        let hides: Vec<bool> = self
            .tracks
            .iter()
            .map(|t| self.is_out_of_sight(t))
            .collect();
        let mut index = 0;
        self.tracks.retain_mut(|track| {
            let (found, hidden) = (matched[index], hides[index]);
            index += 1;
            if found || track.object.is_held() {
                return true;
            }
            let faded = track.object.confidence * settings.fade;
            track.object.confidence = faded.max(settings.least_confidence);
            let seen = !hidden && track.position().is_some_and(|p| view.sees(p));
            track.seen_empty = if seen { track.seen_empty + 1 } else { 0 };
            track.seen_empty < settings.empty_readings_to_drop
        });
    }

    /// In a container, or under another object: a camera does not see it well.
    fn is_out_of_sight(&self, track: &Track) -> bool {
        let inside = track.object.on.as_deref().and_then(|on| {
            self.tracks
                .iter()
                .find(|t| t.object.id == on && matches!(t.object.kind.as_str(), "drawer" | "bowl"))
        });
        let covered = self
            .tracks
            .iter()
            .any(|t| t.object.on.as_deref() == Some(track.object.id.as_str()));
        inside.is_some() || covered
    }

    /// New objects get ids from left to right.
    fn admit(&mut self, new: &[&Detection]) {
        let mut new = new.to_vec();
        new.sort_by(|a, b| a.left_to_right(b));
        for (index, detection) in new.iter().enumerate() {
            let base = detection.base_name();
            let rivals = new.iter().filter(|d| d.base_name() == base).count();
            let earlier = new[..index].iter().any(|d| d.base_name() == base);
            let id = self.free_id(&base, rivals > 1 || earlier);
            self.used.push(id.clone());
            self.tracks.push(Track {
                object: SceneObject {
                    id,
                    kind: detection.kind.clone(),
                    color: detection.color.clone(),
                    position: Some(detection.position),
                    on: None,
                    open: detection.is_open(),
                    confidence: detection.confidence.clamp(0.0, 1.0),
                    label: None,
                },
                expected: None,
                brought_up: None,
                grasped_from: None,
                seen_empty: 0,
            });
        }
    }

    fn free_id(&self, base: &str, numbered: bool) -> String {
        let free = |id: &String| !self.used.contains(id);
        if !numbered && free(&base.to_owned()) {
            return base.to_owned();
        }
        // A plain name in use counts as number one.
        let first = if self.used.iter().any(|id| id == base) {
            2
        } else {
            1
        };
        (first..)
            .map(|n| format!("{base}_{n}"))
            .find(free)
            .unwrap_or_else(|| base.to_owned())
    }

    fn follow_gripper(&mut self, gripper: &GripperReading) {
        if let (Some(tool), Some(id)) = (gripper.position, &self.gripper.holding)
            && let Some(track) = self.tracks.iter_mut().find(|t| t.object.id == *id)
        {
            track.object.position = Some(tool);
            track.object.on = Some(ON_GRIPPER.to_owned());
            track.seen_empty = 0;
        }
        if !gripper.holding {
            self.gripper.open = gripper.open;
        }
    }
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1]).hypot(a[2] - b[2])
}

#[cfg(test)]
mod long_runs;
#[cfg(test)]
mod tests;
