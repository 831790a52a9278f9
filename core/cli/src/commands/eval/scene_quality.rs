//! How well the scene that the camera shows fits the true one.

use serde_json::{Value, json};
use vola_runtime::{Detection, LabelTensor, Session};
use vola_train::ObjectColumns;
use vola_types::{COLORS, KINDS, Scene};

use super::{Conditions, EpisodeOutcome, Job, commands_suite::command_episode};
use crate::{
    conversation::Conversation,
    failure::Failure,
    measure::{EpisodeObject, median},
    output::percent,
    robot::SessionRobot,
};

/// Tasks whose scene is compared after a command.
pub(super) const AFTER: &str = "after_";

/// Share of an object that must be seen before a camera is expected to find it.
const SEEN: f32 = 0.25;

/// Farthest that a detection may lie from the object it shows (m).
const MATCH_M: f64 = 0.05;

/// What was found in one or more scenes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SceneCounts {
    /// Objects that are there.
    there: usize,
    /// Objects that were seen.
    seen: usize,
    /// Of these, ones that are there.
    right: usize,
    /// Distances of the right ones to their objects (m).
    errors_m: Vec<f64>,
}

impl SceneCounts {
    /// Compares what was seen with the truth: each detection belongs to at most
    /// one object of its kind and colour, nearest pairs first.
    fn compare(seen: &[Detection], truth: &[EpisodeObject]) -> Self {
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (at, detection) in seen.iter().enumerate() {
            for (index, object) in truth.iter().enumerate() {
                let alike = detection.kind == object.kind && detection.color == object.color;
                let [dx, dy, dz] =
                    [0, 1, 2].map(|axis| detection.position[axis] - object.position[axis]);
                let distance = dx.hypot(dy).hypot(dz);
                if alike && distance <= MATCH_M {
                    pairs.push((distance, at, index));
                }
            }
        }
        pairs.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
        let mut taken = (vec![false; seen.len()], vec![false; truth.len()]);
        let mut errors_m = Vec::new();
        for (distance, at, index) in pairs {
            if !taken.0[at] && !taken.1[index] {
                taken.0[at] = true;
                taken.1[index] = true;
                errors_m.push(distance);
            }
        }
        Self {
            there: truth.len(),
            seen: seen.len(),
            right: errors_m.len(),
            errors_m,
        }
    }

    /// Whether everything was seen and nothing else.
    fn is_perfect(&self) -> bool {
        self.right == self.there && self.right == self.seen
    }

    fn shares(&self) -> (f64, f64) {
        #[expect(clippy::cast_precision_loss, reason = "counts of objects")]
        let share = |part: usize, whole: usize| {
            if whole == 0 {
                1.0
            } else {
                part as f64 / whole as f64
            }
        };
        (share(self.right, self.there), share(self.right, self.seen))
    }

    /// Fields of the task's object.
    pub(super) fn json(&self) -> Value {
        let (recall, precision) = self.shares();
        json!({
            "recall": recall,
            "precision": precision,
            "median_error_m": median(&self.errors_m),
            "objects": self.there,
        })
    }

    /// One line for people.
    pub(super) fn words(&self) -> String {
        let (recall, precision) = self.shares();
        let error = median(&self.errors_m)
            .map_or("–".to_owned(), |error| format!("{:.1} mm", 1e3 * error));
        format!(
            "recall {} · precision {} · median position error {error} · {} objects",
            percent(recall),
            percent(precision),
            self.there
        )
    }
}

/// The counts of several episodes together; nothing when none has any.
pub(super) fn total<'a>(outcomes: impl Iterator<Item = &'a EpisodeOutcome>) -> Option<SceneCounts> {
    outcomes
        .filter_map(|outcome| outcome.scene.as_ref())
        .fold(None, |sum, counts| {
            let mut sum = sum.unwrap_or_default();
            sum.there += counts.there;
            sum.seen += counts.seen;
            sum.right += counts.right;
            sum.errors_m.extend(&counts.errors_m);
            Some(sum)
        })
}

/// Reads one scene and compares it; a success is a scene without a fault.
///
/// # Errors
/// When the world or the scene head fails.
pub(super) fn scene_episode(session: &mut Session, job: &Job) -> Result<EpisodeOutcome, Failure> {
    let contents = if job.task == "scene_filled" {
        "some"
    } else {
        "never"
    };
    let mut wish = json!({"task": "free", "contents": contents});
    job.disturb(&mut wish);
    session.reset_world(job.seed, &wish)?;
    let reading = session.read_scene()?;
    let truth = truth(session)?;
    // What the camera can hardly see it need not find, but may.
    let hidden: Vec<EpisodeObject> = of(&truth, |visible| visible < SEEN);
    let found = SceneCounts::compare(&reading.objects, &of(&truth, |visible| visible >= SEEN));
    let extra = SceneCounts::compare(&reading.objects, &hidden);
    let counts = SceneCounts {
        seen: found.seen - extra.right.min(found.seen - found.right),
        ..found
    };
    Ok(outcome(counts))
}

/// Does a command, then compares what is remembered of all objects, seen or
/// not, with what is there.
///
/// # Errors
/// When the world, the runtime or the scene head fails.
pub(super) fn scene_after(
    robot: &mut SessionRobot,
    conversation: &mut Conversation,
    job: &Job,
    conditions: &Conditions,
) -> Result<EpisodeOutcome, Failure> {
    let command = Job {
        task: job.task.trim_start_matches(AFTER).to_owned(),
        through_planner: true,
        ..job.clone()
    };
    let done = command_episode(robot, conversation, &command, conditions)?;
    // Whatever was held for want of an answer, the scene is looked at.
    robot.session().begin_anew()?;
    robot.go_home()?;
    let remembered = robot.look()?;
    let truth = of(&truth(robot.session())?, |_| true);
    let counts = SceneCounts::compare(&as_detections(&remembered), &truth);
    tracing::info!(seed = job.seed, ?counts, "remembered");
    Ok(EpisodeOutcome {
        seconds: done.seconds,
        jerk: done.jerk,
        ..outcome(counts)
    })
}

fn outcome(counts: SceneCounts) -> EpisodeOutcome {
    let success = counts.is_perfect();
    EpisodeOutcome {
        success,
        claimed: success,
        end: if success { "perfect" } else { "faulty" }.to_owned(),
        scene: Some(counts),
        ..EpisodeOutcome::default()
    }
}

/// The world's objects as they are now, each with the share of it that the
/// camera sees.
fn truth(session: &mut Session) -> Result<Vec<(EpisodeObject, f32)>, Failure> {
    let labels = session.world_labels()?;
    let rows = labels
        .iter()
        .find(|label| label.name == "scene.objects")
        .map(LabelTensor::f32s)
        .unwrap_or_default();
    Ok(rows
        .as_chunks::<{ ObjectColumns::COUNT }>()
        .0
        .iter()
        .filter_map(object)
        .collect())
}

fn object(row: &[f32; ObjectColumns::COUNT]) -> Option<(EpisodeObject, f32)> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "small numbers of kinds and colours"
    )]
    let word = |words: &[&str], value: f32| {
        words
            .iter()
            .enumerate()
            .find(|(index, _)| (value - *index as f32).abs() < 0.5)
            .map(|(_, word)| (*word).to_owned())
    };
    let kind = word(&KINDS, row[ObjectColumns::KIND])?;
    let color = word(&COLORS, row[ObjectColumns::COLOR]).filter(|_| kind != "drawer");
    let position = [0, 1, 2].map(|axis| f64::from(row[ObjectColumns::POSITION + axis]));
    let object = EpisodeObject {
        kind,
        color,
        position,
        open: None,
    };
    Some((object, row[ObjectColumns::VISIBLE]))
}

fn of(truth: &[(EpisodeObject, f32)], wanted: impl Fn(f32) -> bool) -> Vec<EpisodeObject> {
    truth
        .iter()
        .filter(|(_, visible)| wanted(*visible))
        .map(|(object, _)| object.clone())
        .collect()
}

fn as_detections(scene: &Scene) -> Vec<Detection> {
    let detection = |object: &vola_types::SceneObject| {
        Some(Detection {
            kind: object.kind.clone(),
            color: object.color.clone(),
            position: object.position?,
            confidence: object.confidence,
            openness: None,
        })
    };
    scene.objects.iter().filter_map(detection).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(kind: &str, color: Option<&str>, position: [f64; 3]) -> Detection {
        Detection {
            kind: kind.to_owned(),
            color: color.map(str::to_owned),
            position,
            confidence: 0.9,
            openness: None,
        }
    }

    fn there(kind: &str, color: Option<&str>, position: [f64; 3]) -> EpisodeObject {
        EpisodeObject {
            kind: kind.to_owned(),
            color: color.map(str::to_owned),
            position,
            open: None,
        }
    }

    #[test]
    fn each_object_is_seen_once() {
        let truth = [
            there("block", Some("red"), [0.4, 0.0, 0.02]),
            there("block", Some("red"), [0.4, 0.04, 0.02]),
            there("drawer", None, [0.6, 0.0, 0.05]),
        ];
        let counts = SceneCounts::compare(
            &[
                seen("block", Some("red"), [0.4, 0.01, 0.02]),
                seen("block", Some("red"), [0.4, 0.012, 0.02]),
                seen("block", Some("blue"), [0.5, 0.0, 0.02]),
            ],
            &truth,
        );
        assert_eq!((counts.there, counts.seen, counts.right), (3, 3, 2));
        assert!(
            (counts.errors_m[0] - 0.01).abs() < 1e-9 && (counts.errors_m[1] - 0.028).abs() < 1e-9
        );
        assert!(!counts.is_perfect());
        let all: Vec<Detection> = truth
            .iter()
            .map(|object| seen(&object.kind, object.color.as_deref(), object.position))
            .collect();
        assert!(SceneCounts::compare(&all, &truth).is_perfect());
        assert!(
            SceneCounts::compare(&[], &[])
                .words()
                .starts_with("recall 100.0 %")
        );
    }
}
