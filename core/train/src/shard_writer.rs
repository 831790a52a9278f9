//! Writing demonstrations to shards: a safetensors file and a JSON file of the same name.
//!
//! The JSON file is written last and carries the hash of the other one, so a shard without it, or
//! with another hash, was not finished.

use std::path::{Path, PathBuf};

use safetensors::{Dtype, tensor::TensorView};
use serde::{Deserialize, Serialize};

use crate::{EpisodeMeta, FrameShape, ObjectColumns, Result, TrainError};

/// Version of the shard format.
pub(crate) const FORMAT: u32 = 2;
/// Frames after which a shard is written: about 150 MB of images.
const FRAMES_PER_SHARD: usize = 4096;

/// The JSON file beside a shard.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShardInfo {
    pub(crate) format: u32,
    pub(crate) shape: FrameShape,
    pub(crate) frames: usize,
    pub(crate) blake3: String,
    pub(crate) episodes: Vec<EpisodeMeta>,
}

/// One moment of an episode, owned; meanings as in [`Frame`](crate::Frame).
#[derive(Clone, Debug, Default)]
pub struct FrameRecord {
    /// RGB image, `[height, width, 3]`.
    pub image: Vec<u8>,
    /// State.
    pub state: Vec<f32>,
    /// Action chunk `[horizon, action]`.
    pub action: Vec<f32>,
    /// 1 when the step is done.
    pub done: f32,
    /// 1 when the step can no longer succeed.
    pub failing: f32,
    /// Where the object is now.
    pub object_xyz: [f32; 3],
    /// Object at the start of the step, and a mask.
    pub goal_object: [f32; 4],
    /// Target at the start of the step, and a mask.
    pub goal_target: [f32; 4],
    /// The point to look at now.
    pub target_xyz: [f32; 3],
    /// That point in the image, 0..1.
    pub target_uv: [f32; 2],
    /// Whether it is visible, 0 or 1.
    pub target_visible: f32,
    /// Rows by [`ObjectColumns`]; at most as many as the shape says, unused ones may be left out.
    pub objects: Vec<[f32; ObjectColumns::COUNT]>,
}

/// One episode.
#[derive(Clone, Debug)]
pub struct EpisodeRecord {
    /// What it is about.
    pub meta: EpisodeMeta,
    /// Its moments, in order of time; at least one.
    pub frames: Vec<FrameRecord>,
}

/// Streams episodes to `shard-00000.safetensors`, `shard-00001.safetensors`, … in one folder.
pub struct ShardWriter {
    folder: PathBuf,
    shape: FrameShape,
    next: usize,
    written: usize,
    pending: Vec<EpisodeRecord>,
    pending_frames: usize,
}

impl ShardWriter {
    /// A writer into `folder`, which is made if needed; numbering goes on after existing shards.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn create(folder: &Path, shape: FrameShape) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
        let next = shard_paths(folder)?
            .iter()
            .filter_map(|path| number_of(path))
            .max()
            .map_or(0, |n| n + 1);
        Ok(Self {
            folder: folder.to_path_buf(),
            shape,
            next,
            written: 0,
            pending: Vec::new(),
            pending_frames: 0,
        })
    }

    /// Takes one episode; writes a shard when enough have come.
    ///
    /// # Errors
    /// A field of the wrong size or with a number that is not finite (nothing is taken then), or a
    /// failing write.
    pub fn push(&mut self, episode: EpisodeRecord) -> Result<()> {
        check_episode(self.written, &episode, self.shape)?;
        self.written += 1;
        self.pending_frames += episode.frames.len();
        self.pending.push(episode);
        if self.pending_frames >= FRAMES_PER_SHARD {
            self.write()
        } else {
            Ok(())
        }
    }

    /// Writes what is left and returns the number of episodes taken.
    ///
    /// # Errors
    /// A failing write.
    pub fn finish(mut self) -> Result<usize> {
        if !self.pending.is_empty() {
            self.write()?;
        }
        Ok(self.written)
    }

    fn write(&mut self) -> Result<()> {
        let episodes = std::mem::take(&mut self.pending);
        let frames = std::mem::take(&mut self.pending_frames);
        let path = self
            .folder
            .join(format!("shard-{:05}.safetensors", self.next));
        self.next += 1;
        let columns = columns(&episodes, self.shape);
        let bytes = serialise(&path, &columns, frames)?;
        let info = ShardInfo {
            format: FORMAT,
            shape: self.shape,
            frames,
            blake3: blake3::hash(&bytes).to_hex().to_string(),
            episodes: episodes.into_iter().map(|e| e.meta).collect(),
        };
        write_whole(&path, &bytes)?;
        let text = serde_json::to_string(&info).map_err(|e| TrainError::Shard {
            path: path.clone(),
            reason: e.to_string(),
        })?;
        write_whole(&path.with_extension("json"), text.as_bytes())
    }
}

/// Writes a file under another name and renames it, so that nobody reads half of it.
///
/// # Errors
/// A failing write.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.as_os_str().to_os_string();
    name.push(".partial");
    let temporary = PathBuf::from(name);
    std::fs::write(&temporary, bytes).map_err(TrainError::io(&temporary))?;
    std::fs::rename(&temporary, path).map_err(TrainError::io(path))
}

/// Shards of a folder, sorted by name.
pub(crate) fn shard_paths(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(TrainError::io(folder))? {
        let path = entry.map_err(TrainError::io(folder))?.path();
        if number_of(&path).is_some() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn number_of(path: &Path) -> Option<usize> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix("shard-")?
        .strip_suffix(".safetensors")?
        .parse()
        .ok()
}

/// A tensor of the shard: name, dtype, sizes after the frame dimension, little-endian bytes.
type Column = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn columns(episodes: &[EpisodeRecord], shape: FrameShape) -> Vec<Column> {
    let frames = || episodes.iter().flat_map(|e| e.frames.iter());
    let floats = |values: &mut dyn Iterator<Item = f32>| {
        values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>()
    };
    let numbers = |value: &dyn Fn(usize, &EpisodeRecord) -> i64| -> Vec<u8> {
        let each = episodes
            .iter()
            .enumerate()
            .flat_map(|(i, e)| std::iter::repeat_n(value(i, e), e.frames.len()));
        each.flat_map(i64::to_le_bytes).collect()
    };
    let objects = |frame: &FrameRecord| {
        let mut empty = [0.0; ObjectColumns::COUNT];
        empty[ObjectColumns::KIND] = -1.0;
        empty[ObjectColumns::COLOR] = -1.0;
        let mut rows = frame.objects.clone();
        rows.resize(shape.objects, empty);
        rows.into_iter().flatten()
    };
    let f32s = |name, dims: &[usize], mut values: Box<dyn Iterator<Item = f32> + '_>| -> Column {
        (name, Dtype::F32, dims.to_vec(), floats(&mut values))
    };
    vec![
        (
            "image",
            Dtype::U8,
            vec![shape.height, shape.width, 3],
            frames()
                .map(|f| f.image.as_slice())
                .collect::<Vec<_>>()
                .concat(),
        ),
        f32s(
            "state",
            &[shape.state],
            Box::new(frames().flat_map(|f| f.state.iter().copied())),
        ),
        f32s(
            "action",
            &[shape.horizon, shape.action],
            Box::new(frames().flat_map(|f| f.action.iter().copied())),
        ),
        f32s("done", &[], Box::new(frames().map(|f| f.done))),
        f32s("failing", &[], Box::new(frames().map(|f| f.failing))),
        f32s(
            "object_xyz",
            &[3],
            Box::new(frames().flat_map(|f| f.object_xyz)),
        ),
        f32s(
            "goal_object",
            &[4],
            Box::new(frames().flat_map(|f| f.goal_object)),
        ),
        f32s(
            "goal_target",
            &[4],
            Box::new(frames().flat_map(|f| f.goal_target)),
        ),
        f32s(
            "target_xyz",
            &[3],
            Box::new(frames().flat_map(|f| f.target_xyz)),
        ),
        f32s(
            "target_uv",
            &[2],
            Box::new(frames().flat_map(|f| f.target_uv)),
        ),
        f32s(
            "target_visible",
            &[],
            Box::new(frames().map(|f| f.target_visible)),
        ),
        f32s(
            "objects",
            &[shape.objects, ObjectColumns::COUNT],
            Box::new(frames().flat_map(objects)),
        ),
        ("episode", Dtype::I64, vec![], numbers(&|i, _| i as i64)),
        (
            "op",
            Dtype::I64,
            vec![],
            numbers(&|_, e| {
                e.meta
                    .step
                    .as_ref()
                    .and_then(|s| s.op_index())
                    .unwrap_or(-1)
            }),
        ),
        (
            "embodiment",
            Dtype::I64,
            vec![],
            numbers(&|_, e| e.meta.embodiment),
        ),
    ]
}

fn serialise(path: &Path, columns: &[Column], frames: usize) -> Result<Vec<u8>> {
    let fail = |e: safetensors::SafeTensorError| TrainError::Shard {
        path: path.to_path_buf(),
        reason: e.to_string(),
    };
    let views = columns
        .iter()
        .map(|(name, dtype, dims, bytes)| {
            let shape = std::iter::once(frames)
                .chain(dims.iter().copied())
                .collect();
            Ok((*name, TensorView::new(*dtype, shape, bytes)?))
        })
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(fail)?;
    safetensors::serialize(views, None).map_err(fail)
}

fn check_episode(index: usize, episode: &EpisodeRecord, shape: FrameShape) -> Result<()> {
    let fail = |field, reason| {
        Err(TrainError::Episode {
            index,
            field,
            reason,
        })
    };
    if let Err(reason) = episode.meta.check() {
        return fail("step", reason);
    }
    if episode.meta.embodiment < 0 {
        return fail(
            "embodiment",
            format!("expected 0 or more, got {}", episode.meta.embodiment),
        );
    }
    if episode.frames.is_empty() {
        return fail("frames", "expected at least one, got none".to_string());
    }
    for frame in &episode.frames {
        let sizes = [
            ("image", shape.image_bytes(), frame.image.len()),
            ("state", shape.state, frame.state.len()),
            ("action", shape.horizon * shape.action, frame.action.len()),
        ];
        for (field, expected, got) in sizes {
            if expected != got {
                return fail(field, format!("expected {expected} numbers, got {got}"));
            }
        }
        if frame.objects.len() > shape.objects {
            return fail(
                "objects",
                format!(
                    "expected at most {}, got {}",
                    shape.objects,
                    frame.objects.len()
                ),
            );
        }
        let lists: [(&'static str, &[f32]); 9] = [
            ("state", &frame.state),
            ("action", &frame.action),
            (
                "done, failing, target_visible",
                &[frame.done, frame.failing, frame.target_visible],
            ),
            ("object_xyz", &frame.object_xyz),
            ("goal_object", &frame.goal_object),
            ("goal_target", &frame.goal_target),
            ("target_xyz", &frame.target_xyz),
            ("target_uv", &frame.target_uv),
            ("objects", frame.objects.as_flattened()),
        ];
        for (field, values) in lists {
            if let Some(bad) = values.iter().find(|x| !x.is_finite()) {
                return fail(field, format!("expected finite numbers, got {bad}"));
            }
        }
    }
    Ok(())
}
