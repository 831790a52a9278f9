//! The columns of one episode, made from its stream.

use std::{collections::BTreeMap, sync::Arc};

use nalgebra::{Quaternion, UnitQuaternion};

use crate::{
    ActionMeaning, Layout, Phase, Pose, Result, Who,
    info::{
        DONE, EVENTS, INTERVENTION, JOINT_COMMAND, JOINT_POSITION, Language, PERSISTENT, PHASE,
        SCORE, SUBTASK, SUCCESS, THRESHOLD, WHO, clean_sentence, image_feature,
    },
    parquet_file::{Column, LanguageRow, Values},
    png_picture::decode_png,
    statistics::{FeatureStats, Histogram, Stats, counted_pictures},
    stream_reader::{Episode, Picture},
    stream_writer::FrameMessage,
};

/// What a sentence is called that nobody said.
const NO_TASK: &str = "(no task)";
/// What was planned before the first frame belongs to it.
const LANGUAGE_ROLE: &str = "assistant";

/// Numbers of sentences, in the order of their first use.
pub(crate) struct Sentences<'a>(pub(crate) &'a mut Vec<String>);

impl Sentences<'_> {
    pub(crate) fn number(&mut self, text: &str) -> i64 {
        let found = self.0.iter().position(|known| known == text);
        let place = found.unwrap_or_else(|| {
            self.0.push(text.to_owned());
            self.0.len() - 1
        });
        i64::try_from(place).unwrap_or(i64::MAX)
    }
}

/// Where an episode stands in its data set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placement {
    pub(crate) episode: usize,
    pub(crate) first_frame: usize,
}

/// One episode, ready to be written.
pub(crate) struct EpisodeColumns<'a> {
    pub(crate) columns: Vec<Column<'a>>,
    pub(crate) stats: Stats,
    /// Its sentences, in the order of first use.
    pub(crate) tasks: Vec<String>,
    pub(crate) frames: usize,
    /// Frames by who was in control.
    pub(crate) who: BTreeMap<&'static str, usize>,
    /// Frames by phase.
    pub(crate) phases: BTreeMap<&'static str, usize>,
}

/// Makes the columns. The episode has at least one frame that counts.
///
/// # Errors
/// When a picture is damaged.
pub(crate) fn episode_columns<'a>(
    episode: &'a Episode,
    placement: Placement,
    language: Language,
    (tasks, subtasks): (&mut Vec<String>, &mut Vec<String>),
) -> Result<EpisodeColumns<'a>> {
    let kept = kept_frames(episode);
    let (layout, count) = (&episode.layout, kept.len());
    let spoken = clean_sentence(&episode.task, NO_TASK);
    let sentences: Vec<String> = kept
        .iter()
        .map(|(frame, _, _)| clean_sentence(&frame.task, &spoken))
        .collect();
    let mut numbers = Numbers::default();
    numbers.floats(
        "observation.state",
        layout.state.len(),
        kept.iter()
            .flat_map(|(frame, _, _)| frame.state.iter().copied()),
    );
    let actions = kept
        .iter()
        .flat_map(|(frame, _, next)| action(layout, frame, *next));
    numbers.floats("action", layout.action_names.len(), actions);
    numbers.pictures(layout, &kept)?;
    let joints = layout.joints.len();
    numbers.floats(
        JOINT_POSITION,
        joints,
        kept.iter()
            .flat_map(|(frame, _, _)| frame.position.iter().copied()),
    );
    numbers.floats(
        JOINT_COMMAND,
        joints,
        kept.iter()
            .flat_map(|(frame, _, _)| frame.command.iter().copied()),
    );
    let words = |word: fn(&FrameMessage) -> &'static str| {
        Values::Texts(
            kept.iter()
                .map(|(frame, _, _)| word(frame).to_owned())
                .collect(),
        )
    };
    numbers.column(WHO, words(|frame| frame.who.as_str()));
    numbers.column(PHASE, words(|frame| frame.phase.as_str()));
    numbers.flags(
        INTERVENTION,
        kept.iter()
            .map(|(frame, _, _)| frame.who == Who::Human)
            .collect(),
    );
    numbers.number(
        SCORE,
        kept.iter().map(|(frame, _, _)| frame.score).collect(),
    );
    numbers.number(
        THRESHOLD,
        kept.iter().map(|(frame, _, _)| frame.threshold).collect(),
    );
    let last = |i: usize| sentences.get(i + 1) != sentences.get(i);
    numbers.flags(DONE, (0..count).map(last).collect());
    let reached = episode.end.as_ref().is_some_and(|end| end.success);
    numbers.flags(
        SUCCESS,
        (0..count).map(|i| reached && i + 1 == count).collect(),
    );
    let mut known = Sentences(subtasks);
    numbers.integers(
        SUBTASK,
        sentences.iter().map(|text| known.number(text)).collect(),
    );
    if language == Language::Columns {
        let (lasting, moments) = language_rows(episode, &kept, &sentences);
        numbers.column(PERSISTENT, Values::Persistent(vec![lasting; count]));
        numbers.column(EVENTS, Values::Moments(moments));
    }
    let whole = |i: usize| i64::try_from(i).unwrap_or(i64::MAX);
    let fps = f64::from(layout.fps);
    numbers.number("timestamp", (0..count).map(|i| i as f64 / fps).collect());
    numbers.integers("frame_index", (0..count).map(whole).collect());
    numbers.integers("episode_index", vec![whole(placement.episode); count]);
    numbers.integers(
        "index",
        (0..count)
            .map(|i| whole(placement.first_frame + i))
            .collect(),
    );
    let mut known = Sentences(tasks);
    numbers.integers(
        "task_index",
        sentences.iter().map(|text| known.number(text)).collect(),
    );
    let mut own_tasks: Vec<String> = Vec::new();
    for text in &sentences {
        Sentences(&mut own_tasks).number(text);
    }
    Ok(EpisodeColumns {
        columns: numbers.columns,
        stats: numbers.stats,
        tasks: own_tasks,
        frames: count,
        who: counted(&kept, |frame| frame.who.as_str()),
        phases: counted(&kept, |frame| frame.phase.as_str()),
    })
}

/// A frame, its pictures, and the next frame where none is missing between.
type Kept<'a> = (&'a FrameMessage, &'a [Picture], Option<&'a FrameMessage>);

fn kept_frames(episode: &Episode) -> Vec<Kept<'_>> {
    let frames = episode.frames.iter().enumerate();
    frames
        .filter(|(_, (frame, _))| Episode::counts(frame))
        .map(|(i, (frame, pictures))| {
            let next = episode.frames.get(i + 1).map(|(next, _)| next);
            let next = next.filter(|next| next.frame == frame.frame + 1);
            (frame, pictures.as_slice(), next)
        })
        .collect()
}

fn counted(
    kept: &[Kept<'_>],
    word: fn(&FrameMessage) -> &'static str,
) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for (frame, _, _) in kept {
        *counts.entry(word(frame)).or_default() += 1;
    }
    counts
}

/// Columns with their statistics.
#[derive(Default)]
struct Numbers<'a> {
    columns: Vec<Column<'a>>,
    stats: Stats,
}

impl<'a> Numbers<'a> {
    fn column(&mut self, name: &str, values: Values<'a>) {
        self.columns.push((name.to_owned(), values));
    }

    fn count(&mut self, name: &str, values: &[f64], width: usize) {
        if let Some(stats) = FeatureStats::of_rows(values, width) {
            self.stats.insert(name.to_owned(), stats);
        }
    }

    /// Statistics are those of the numbers as they are written.
    fn floats(&mut self, name: &str, width: usize, values: impl Iterator<Item = f64>) {
        let values: Vec<f32> = values.map(|value| value as f32).collect();
        let wide: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        self.count(name, &wide, width);
        // A vector of one is a plain number.
        let values = if width == 1 {
            Values::Float(values)
        } else {
            Values::Floats(width, values)
        };
        self.column(name, values);
    }

    fn number(&mut self, name: &str, values: Vec<f64>) {
        self.floats(name, 1, values.into_iter());
    }

    fn flags(&mut self, name: &str, values: Vec<bool>) {
        let wide: Vec<f64> = values
            .iter()
            .map(|value| f64::from(u8::from(*value)))
            .collect();
        self.count(name, &wide, 1);
        self.column(name, Values::Flags(values));
    }

    fn integers(&mut self, name: &str, values: Vec<i64>) {
        let wide: Vec<f64> = values.iter().map(|value| *value as f64).collect();
        self.count(name, &wide, 1);
        self.column(name, Values::Integers(values));
    }

    fn pictures(&mut self, layout: &Layout, kept: &[Kept<'a>]) -> Result<()> {
        for (place, camera) in layout.cameras.iter().enumerate() {
            let name = image_feature(&camera.key);
            let pictures: Vec<&'a Picture> = kept
                .iter()
                .filter_map(|(_, pictures, _)| pictures.get(place))
                .collect();
            let mut histogram = Histogram::default();
            for number in counted_pictures(pictures.len()) {
                if let Some(picture) = pictures.get(number) {
                    histogram.add(&decode_png(picture)?.rgb);
                }
            }
            if let Some(stats) = histogram.stats() {
                self.stats.insert(name.clone(), stats);
            }
            self.column(&name, Values::Pictures(pictures));
        }
        Ok(())
    }
}

/// The action of a frame: what was commanded for the next one.
fn action(layout: &Layout, frame: &FrameMessage, next: Option<&FrameMessage>) -> Vec<f64> {
    let target = next.unwrap_or(frame);
    match layout.action {
        ActionMeaning::JointPosition => target.command.clone(),
        ActionMeaning::ToolDelta => {
            let (position, turn) = delta(&frame.tool, &target.tool_command);
            let mut values = Vec::with_capacity(7);
            values.extend(position);
            values.extend(turn);
            if layout.action_names.len() > values.len() {
                let gripper = target.command.last().copied().unwrap_or(0.0);
                values.push(gripper.clamp(0.0, 1.0));
            }
            values
        }
    }
}

/// Displacement (m) and rotation vector (rad, base axes) from one pose to another.
fn delta(from: &Pose, to: &Pose) -> ([f64; 3], [f64; 3]) {
    let rotation = |pose: &Pose| {
        let [x, y, z, w] = pose.orientation;
        UnitQuaternion::from_quaternion(Quaternion::new(w, x, y, z))
    };
    let turn = (rotation(to) * rotation(from).inverse()).scaled_axis();
    let way = [0, 1, 2].map(|axis| to.position[axis] - from.position[axis]);
    (way, [turn.x, turn.y, turn.z])
}

/// The planner's primitives as LeRobot's language rows: plans and subtasks that
/// last, and moments in which a person took over or gave back.
fn language_rows(
    episode: &Episode,
    kept: &[Kept<'_>],
    sentences: &[String],
) -> (Arc<Vec<LanguageRow>>, Vec<Vec<LanguageRow>>) {
    let time = |i: usize| (i as f64 / f64::from(episode.layout.fps)) as f32;
    let frame_at = |t_ns: u64| {
        let found = kept.iter().position(|(frame, _, _)| frame.t_ns >= t_ns);
        found.unwrap_or(kept.len().saturating_sub(1))
    };
    let row = |content: &str, style, time_s| LanguageRow {
        role: LANGUAGE_ROLE,
        content: content.to_owned(),
        style: Some(style),
        time_s,
    };
    let mut lasting: Vec<LanguageRow> = episode
        .plans
        .iter()
        .map(|(t_ns, plan)| row(plan, "plan", time(frame_at(*t_ns))))
        .collect();
    for (i, text) in sentences.iter().enumerate() {
        if i == 0 || sentences.get(i - 1) != Some(text) {
            lasting.push(row(text, "subtask", time(i)));
        }
    }
    lasting.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    let mut moments = vec![Vec::new(); kept.len()];
    for (i, pair) in kept.windows(2).enumerate() {
        let [(before, ..), (after, ..)] = pair else {
            continue;
        };
        let told = match (
            before.who == Who::Human,
            after.who == Who::Human,
            after.phase,
        ) {
            (false, true, Phase::Correction) => "a person corrects",
            (false, true, _) => "a person takes over",
            (true, false, _) => "a person gives back",
            _ => continue,
        };
        if let Some(slot) = moments.get_mut(i + 1) {
            slot.push(LanguageRow {
                role: "user",
                ..row(told, "interjection", time(i + 1))
            });
        }
    }
    (Arc::new(lasting), moments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_leads_from_the_measured_pose_to_the_next_command() {
        let half = std::f64::consts::FRAC_PI_4;
        let from = Pose {
            position: [0.4, 0.0, 0.2],
            // A quarter turn about z.
            orientation: [0.0, 0.0, half.sin(), half.cos()],
        };
        let to = Pose {
            position: [0.41, -0.02, 0.2],
            orientation: [half.sin(), 0.0, 0.0, half.cos()],
        };
        let (way, turn) = delta(&from, &to);
        assert!((way[0] - 0.01).abs() < 1e-12 && (way[1] + 0.02).abs() < 1e-12);
        let quaternion = |pose: &Pose| {
            let [x, y, z, w] = pose.orientation;
            UnitQuaternion::from_quaternion(Quaternion::new(w, x, y, z))
        };
        let turned = UnitQuaternion::from_scaled_axis(turn.into()) * quaternion(&from);
        assert!(turned.angle_to(&quaternion(&to)) < 1e-9);
    }
}
