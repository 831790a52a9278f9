//! A LeRobot data set as a [`FrameSource`]: everything read and checked before the first frame is used.

use std::ops::Range;
use std::path::Path;

use vola_bundle::Manifest;
use vola_recorder::Columns;

use super::chunk::{Motion, WIDTH, chunks};
use super::contract::{ACTION, Contract, DONE, STATE, WHO};
use super::episodes::{DataFile, read_episodes, read_tasks};
use super::info::Info;
use super::resize::Resizer;
use super::{DAMAGED, fault, picture};
use crate::{EpisodeMeta, Frame, FrameShape, FrameSource, Labels, Result, TrainError, parse_step};

/// Part of an episode that counts as done, where no column says so: one in this many frames.
const DONE_SHARE: usize = 10;
/// Who moves the arm without a policy to learn from: home, gripper, wait.
const GENERATED: &str = "planner";
/// Who moves the arm when a person took over, or leads it.
const PERSON: &str = "human";
/// Column that says whether the goal was reached, if there is one.
const SUCCESS: &str = "next.success";
/// Longest word for who was in control (bytes).
const MAX_WHO: usize = 32;
/// A time stamp may differ from its frame number's time by so much (s).
const TIME_SLACK_S: f32 = 1e-3;

/// All frames of one LeRobot data set (`LeRobotDataset` v3).
///
/// # What is read
/// `meta/info.json`, `meta/tasks.parquet`, `meta/episodes/chunk-*/file-*.parquet` and the data files
/// that the episodes name. Pictures must lie in the parquet files (dtype `image`, PNG or JPEG); video
/// is refused. Statistics are not read, since normalisation constants are fixed.
///
/// # What must fit
/// Columns are matched **by name**, never by position: `observation.state` and `action` must name
/// exactly the values that the policy file lists, in any order. `robot_type` picks the policy's
/// embodiment. `fps` is the policy's action rate or a whole multiple of it. Pictures of another size
/// are cut in the middle to the policy's ratio of sides, then scaled with an antialiased triangle
/// filter.
///
/// # What an action means
/// The policy's space is `tool_delta`: the stored action of frame t is the target for the next frame
/// (t + 1/fps), given as a displacement from the tool pose *measured in frame t*: `dx dy dz` (m) and
/// the rotation vector `rx ry rz` (rad), both in base axes, and the gripper's goal, 0 closed … 1 open.
/// Row i of a frame's chunk is the target that the later frame t + i holds, as a displacement from
/// the pose in frame t: `(p_k − p_t) + d_k` and `exp(r_k) · R_k · R_tᵀ` with k = t + i. Positions come
/// from the state. The turn `R_k · R_tᵀ` comes from the state where it also has `tool.r31` and
/// `tool.r32`, else from the actions between. The last frame's target is repeated beyond the end.
///
/// # What is left out
/// Frames whose column `who` says `planner`: nothing learned made that motion.
///
/// # What is not known
/// Objects, the point to look at and failure: those [`Labels`] are off, and no loss reads them. `done`
/// is the column `next.done` where there is one, else the last tenth of an episode; where the column
/// marks the last frame alone, as LeRobot's writer does, the last tenth too.
///
/// # Episodes and sentences
/// An *episode* here is one task in one hand: where the task changes within a recorded episode, or a
/// person takes over, a new one begins; the seed of both is the number of the recorded one.
/// A sentence that is a known step ([`parse_step`]) is varied like any other; another one is trained
/// on as it is, and its words join the vocabulary.
///
/// # Memory
/// Pictures are unpacked when the set is opened: `height · width · 3` bytes a frame at the policy's
/// size.
pub struct LerobotReader {
    shape: FrameShape,
    images: Vec<u8>,
    state: Vec<f32>,
    action: Vec<f32>,
    done: Vec<f32>,
    /// Whether a person was in control.
    by_person: Vec<bool>,
    /// Whether each episode is part of a recorded one that reached its goal.
    reached: Vec<bool>,
    /// Number of each frame's episode.
    episode: Vec<usize>,
    episodes: Vec<EpisodeMeta>,
    spans: Vec<Range<usize>>,
    summary: String,
}

impl LerobotReader {
    /// Whether a folder is a LeRobot data set: it has `meta/info.json`.
    #[must_use]
    pub fn is_data_set(folder: &Path) -> bool {
        Info::path_in(folder).exists()
    }

    /// Reads a data set for the policy `manifest`.
    ///
    /// # Errors
    /// A damaged or unfinished data set, or one that does not fit the policy; the message names file,
    /// column, expected and got.
    pub fn open(folder: &Path, manifest: &Manifest) -> Result<Self> {
        let info = Info::open(folder)?;
        let contract = Contract::new(&info, manifest)?;
        let tasks = read_tasks(folder, &info)?;
        let files = read_episodes(folder, &info)?;
        let shape = contract.shape;
        let mut reader = Self {
            shape,
            images: Vec::new(),
            state: Vec::new(),
            action: Vec::new(),
            done: Vec::new(),
            by_person: Vec::new(),
            reached: Vec::new(),
            episode: Vec::new(),
            episodes: Vec::new(),
            spans: Vec::new(),
            summary: String::new(),
        };
        let bytes = info.frames.saturating_mul(shape.image_bytes());
        reader.images.try_reserve_exact(bytes).map_err(|e| {
            let help = "split the data set, or train where there is more memory";
            fault(
                &info.path,
                "total_frames",
                format!("{bytes} bytes of pictures: {e}"),
                help,
            )
        })?;
        for file in &files {
            reader.add_file(file, &info, &contract, &tasks)?;
        }
        reader.summary = reader.summarise(folder, &info, &contract);
        Ok(reader)
    }

    /// One line for people: what was read, and how it was understood.
    #[must_use]
    pub fn summary(&self) -> String {
        self.summary.clone()
    }

    /// Whether a person was in control in the frame at `index < len()`.
    #[must_use]
    pub fn is_by_person(&self, index: usize) -> bool {
        self.by_person.get(index) == Some(&true)
    }

    /// Whether the recorded episode that episode `index < episodes()` is part of reached its goal;
    /// also where no column `next.success` says so.
    #[must_use]
    pub fn has_reached(&self, index: usize) -> bool {
        self.reached.get(index) == Some(&true)
    }

    fn summarise(&self, folder: &Path, info: &Info, contract: &Contract) -> String {
        let [height, width] = contract.picture;
        let free = self.episodes.iter().filter(|e| e.step.is_none()).count();
        let done = if contract.has_done {
            DONE
        } else {
            "the last tenth"
        };
        format!(
            "{}: LeRobotDataset {}, {} episodes, {} frames at {} Hz, pictures {width}×{height} px as {}×{}, {free} with a sentence that is no known step, done from {done}; no labels for objects, targets and failing",
            folder.display(),
            info.version,
            info.episodes,
            info.frames,
            info.fps,
            self.shape.width,
            self.shape.height,
        )
    }

    /// Reads one data file.
    fn add_file(
        &mut self,
        file: &DataFile,
        info: &Info,
        contract: &Contract,
        tasks: &[String],
    ) -> Result<()> {
        let columns = Columns::open(&file.path)?;
        let rows: usize = file.episodes.iter().map(ExactSizeIterator::len).sum();
        if columns.rows() != rows {
            let reason = format!(
                "expected {rows} as in meta/episodes, got {}",
                columns.rows()
            );
            return Err(fault(&file.path, "rows", reason, DAMAGED));
        }
        check_numbers(&columns, file, info)?;
        let done = if contract.has_done {
            Some(columns.flags(DONE)?)
        } else {
            None
        };
        let who = if contract.has_who {
            columns.texts(WHO, MAX_WHO)?
        } else {
            vec![String::new(); rows]
        };
        let success = if columns.has(SUCCESS) {
            columns.flags(SUCCESS)?
        } else {
            vec![true; rows]
        };
        let numbers = Numbers {
            success,
            task: task_indices(&columns, tasks.len())?,
            state: columns.floats(STATE, contract.state_width)?,
            action: columns.floats(ACTION, contract.action.len())?,
            done,
            learned: who.iter().map(|who| who != GENERATED).collect(),
            by_person: who.iter().map(|who| who == PERSON).collect(),
        };
        let mut first = 0;
        for (i, episode) in file.episodes.iter().enumerate() {
            let rows = first..first + episode.len();
            first = rows.end;
            let number = file.first_episode + i;
            self.add_episode(number, rows, &numbers, contract, tasks, &file.path)?;
        }
        self.add_pictures(&columns, contract, &numbers.learned)
    }

    /// Adds a recorded episode, cut where its task changes.
    fn add_episode(
        &mut self,
        number: usize,
        rows: Range<usize>,
        numbers: &Numbers,
        contract: &Contract,
        tasks: &[String],
        path: &Path,
    ) -> Result<()> {
        // Where a person takes over or gives back, other hands would finish the chunks.
        let keys: Vec<(usize, bool, bool)> = rows
            .clone()
            .map(|row| {
                let by_person = numbers.by_person[row];
                (numbers.task[row], numbers.learned[row], by_person)
            })
            .collect();
        let has_reached = numbers.success[rows.clone()].iter().any(|reached| *reached);
        let mut start = rows.start;
        for run in keys.chunk_by(|a, b| a == b) {
            let piece = start..start + run.len();
            start = piece.end;
            let Some((task, true, _)) = run.first().copied() else {
                continue;
            };
            let mut motions = Vec::with_capacity(piece.len());
            for row in piece.clone() {
                let motion = self.add_numbers(row, numbers, contract).map_err(|reason| {
                    let help = "state and action must mean what the documentation of `LerobotReader` (core/train) says";
                    fault(
                        path,
                        format!("{STATE} and {ACTION}, row {row}"),
                        reason,
                        help,
                    )
                })?;
                motions.push(motion);
            }
            let (horizon, stride) = (contract.shape.horizon, contract.stride);
            self.action.extend(chunks(&motions, horizon, stride));
            let done_from = piece.len() - piece.len().div_ceil(DONE_SHARE);
            for (i, row) in piece.clone().enumerate() {
                let is_done = match &numbers.done {
                    Some(done) if !marks_last_alone(&done[piece.clone()]) => done[row],
                    _ => i >= done_from,
                };
                self.done.push(f32::from(u8::from(is_done)));
                self.by_person.push(numbers.by_person[row]);
                self.episode.push(self.episodes.len());
            }
            let task = tasks.get(task).cloned().unwrap_or_default();
            self.reached.push(has_reached);
            self.spans
                .push(self.episode.len() - piece.len()..self.episode.len());
            self.episodes.push(EpisodeMeta {
                seed: number as u64,
                step: parse_step(&task),
                task,
                embodiment: contract.embodiment,
            });
        }
        Ok(())
    }

    /// Adds a row's state in the policy's order, and returns what its chunk is made of.
    fn add_numbers(
        &mut self,
        row: usize,
        numbers: &Numbers,
        contract: &Contract,
    ) -> std::result::Result<Motion, String> {
        let state = &numbers.state[row * contract.state_width..][..contract.state_width];
        let action = &numbers.action[row * WIDTH..][..WIDTH];
        let first = self.state.len();
        self.state.extend(contract.state.iter().map(|i| state[*i]));
        let action: Vec<f32> = contract.action.iter().map(|i| action[*i]).collect();
        let bottom = contract.tilt.map(|tilt| tilt.map(|i| state[i]));
        Motion::new(&self.state[first..], bottom, &action)
    }

    /// Adds the pictures of a file.
    fn add_pictures(
        &mut self,
        columns: &Columns,
        contract: &Contract,
        learned: &[bool],
    ) -> Result<()> {
        let (from, shape) = (contract.picture, contract.shape);
        let resizer = Resizer::new(from, [shape.height, shape.width]);
        let images = &mut self.images;
        let mut wrong = None;
        columns.pictures(&contract.camera, &mut |row, bytes| {
            if wrong.is_none() && learned.get(row) == Some(&true) {
                match picture::decode(bytes, from) {
                    Ok(pixels) => resizer.run(&pixels, images),
                    Err(reason) => {
                        let place = format!("{}, row {row}", contract.camera);
                        wrong = Some(fault(columns.path(), place, reason, DAMAGED));
                    }
                }
            }
            Ok(())
        })?;
        wrong.map_or(Ok(()), Err)
    }
}

/// Numbers of one data file, row after row.
struct Numbers {
    task: Vec<usize>,
    state: Vec<f32>,
    action: Vec<f32>,
    done: Option<Vec<bool>>,
    /// Whether a row is learned from.
    learned: Vec<bool>,
    /// Whether a person was in control.
    by_person: Vec<bool>,
    /// Whether the goal was reached.
    success: Vec<bool>,
}

/// Whether the last of some frames is marked, and no other.
fn marks_last_alone(done: &[bool]) -> bool {
    done.iter().rposition(|done| *done) == Some(done.len().saturating_sub(1))
        && done.iter().filter(|done| **done).count() == 1
}

/// The index of each row's task.
fn task_indices(columns: &Columns, tasks: usize) -> Result<Vec<usize>> {
    let mut all = Vec::with_capacity(columns.rows());
    for (row, index) in columns.integers("task_index")?.into_iter().enumerate() {
        match usize::try_from(index).ok().filter(|index| *index < tasks) {
            Some(index) => all.push(index),
            None => {
                let reason = format!(
                    "expected 0 to {} as in tasks.parquet, got {index}",
                    tasks - 1
                );
                let place = format!("task_index, row {row}");
                return Err(fault(columns.path(), place, reason, DAMAGED));
            }
        }
    }
    Ok(all)
}

/// The numbers that place a frame must say what `meta/episodes` says, row by row.
fn check_numbers(columns: &Columns, file: &DataFile, info: &Info) -> Result<()> {
    let fail = |column: &str, row: usize, expected: String, got: String| -> TrainError {
        let place = format!("{column}, row {row}");
        fault(
            columns.path(),
            place,
            format!("expected {expected}, got {got}"),
            DAMAGED,
        )
    };
    let whole = ["index", "episode_index", "frame_index"].map(|name| columns.integers(name));
    let [index, episode_index, frame_index] = whole;
    let (index, episode_index, frame_index) = (index?, episode_index?, frame_index?);
    let time_s = columns.floats("timestamp", 1)?;
    let mut row = 0;
    for (i, episode) in file.episodes.iter().enumerate() {
        for (frame, all) in episode.clone().enumerate() {
            let checks = [
                ("index", index[row], all),
                ("episode_index", episode_index[row], file.first_episode + i),
                ("frame_index", frame_index[row], frame),
            ];
            for (column, got, expected) in checks {
                if usize::try_from(got) != Ok(expected) {
                    return Err(fail(column, row, expected.to_string(), got.to_string()));
                }
            }
            let expected = (frame as f64 / info.fps) as f32;
            // f32 itself rounds more than the slack after some hours.
            let slack = TIME_SLACK_S.max(expected * 1e-6);
            if !((time_s[row] - expected).abs() <= slack) {
                let got = time_s[row].to_string();
                return Err(fail(
                    "timestamp",
                    row,
                    format!("{expected} s (frame / fps)"),
                    got,
                ));
            }
            row += 1;
        }
    }
    Ok(())
}

impl FrameSource for LerobotReader {
    fn shape(&self) -> FrameShape {
        self.shape
    }

    fn len(&self) -> usize {
        self.episode.len()
    }

    fn frame(&self, index: usize) -> Frame<'_> {
        let shape = self.shape;
        let part = |width: usize| index * width..(index + 1) * width;
        Frame {
            image: &self.images[part(shape.image_bytes())],
            state: &self.state[part(shape.state)],
            action: &self.action[part(shape.horizon * shape.action)],
            labels: Labels {
                done: true,
                failing: false,
                target: false,
                objects: false,
            },
            done: self.done[index],
            failing: 0.0,
            object_xyz: [0.0; 3],
            goal_object: [0.0; 4],
            goal_target: [0.0; 4],
            target_xyz: [0.0; 3],
            target_uv: [0.0; 2],
            target_visible: 0.0,
            objects: &[],
            episode: self.episode[index],
        }
    }

    fn episodes(&self) -> usize {
        self.episodes.len()
    }

    fn episode(&self, index: usize) -> &EpisodeMeta {
        &self.episodes[index]
    }

    fn frames_of(&self, index: usize) -> Range<usize> {
        self.spans[index].clone()
    }
}
