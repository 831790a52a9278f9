//! Reading shards: whole files in memory, everything checked before the first frame is used.

use std::ops::Range;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use vola_bundle::read_safetensors;

use crate::shard_writer::{FORMAT, ShardInfo, shard_paths};
use crate::{
    EpisodeMeta, Frame, FrameShape, FrameSource, Labels, ObjectColumns, Result, TrainError,
};

/// All frames of one or more folders of shards.
///
/// Images stay the bytes of their file; a hundred thousand frames of the default size are 3.7 GB.
pub struct ShardReader {
    shape: FrameShape,
    shards: Vec<Shard>,
    /// First frame of each shard.
    starts: Vec<usize>,
    frames: usize,
    episodes: Vec<EpisodeMeta>,
    spans: Vec<Range<usize>>,
}

/// Numbers of one shard, `[frames, …]` flat.
struct Shard {
    frames: usize,
    images: Vec<u8>,
    state: Vec<f32>,
    action: Vec<f32>,
    done: Vec<f32>,
    failing: Vec<f32>,
    object_xyz: Vec<f32>,
    goal_object: Vec<f32>,
    goal_target: Vec<f32>,
    target_xyz: Vec<f32>,
    target_uv: Vec<f32>,
    target_visible: Vec<f32>,
    objects: Vec<f32>,
    /// Number of the episode within the reader.
    episode: Vec<usize>,
}

impl ShardReader {
    /// Reads every shard of the folders.
    ///
    /// # Errors
    /// A folder without finished shards, a damaged file, or shards of different sizes.
    pub fn open(folders: &[PathBuf]) -> Result<Self> {
        let mut reader: Option<Self> = None;
        for folder in folders {
            for path in shard_paths(folder)? {
                let (info, shard) =
                    read_shard(&path, reader.as_ref().map_or(0, |r| r.episodes.len()))?;
                let all = reader.get_or_insert_with(|| Self::empty(info.shape));
                if all.shape != info.shape {
                    let reason = format!(
                        "shape: expected {:?} as in the shards before, got {:?}",
                        all.shape, info.shape
                    );
                    return Err(TrainError::Shard { path, reason });
                }
                all.add(info.episodes, shard);
            }
        }
        reader.ok_or_else(|| TrainError::NoFrames {
            purpose: "training",
            folders: folders.to_vec(),
        })
    }

    fn empty(shape: FrameShape) -> Self {
        Self {
            shape,
            shards: Vec::new(),
            starts: Vec::new(),
            frames: 0,
            episodes: Vec::new(),
            spans: Vec::new(),
        }
    }

    fn add(&mut self, episodes: Vec<EpisodeMeta>, shard: Shard) {
        let mut start = self.frames;
        for run in shard.episode.chunk_by(|a, b| a == b) {
            self.spans.push(start..start + run.len());
            start += run.len();
        }
        self.starts.push(self.frames);
        self.frames += shard.frames;
        self.shards.push(shard);
        self.episodes.extend(episodes);
    }
}

impl FrameSource for ShardReader {
    fn shape(&self) -> FrameShape {
        self.shape
    }

    fn len(&self) -> usize {
        self.frames
    }

    fn frame(&self, index: usize) -> Frame<'_> {
        let which = self.starts.partition_point(|start| *start <= index) - 1;
        let (shard, i) = (&self.shards[which], index - self.starts[which]);
        let shape = self.shape;
        let slice = |list: &'_ [f32], width: usize| -> Range<usize> {
            debug_assert!(list.len() >= (i + 1) * width);
            i * width..(i + 1) * width
        };
        let three = |list: &[f32]| [list[i * 3], list[i * 3 + 1], list[i * 3 + 2]];
        let four = |list: &[f32]| {
            [
                list[i * 4],
                list[i * 4 + 1],
                list[i * 4 + 2],
                list[i * 4 + 3],
            ]
        };
        Frame {
            image: &shard.images[i * shape.image_bytes()..(i + 1) * shape.image_bytes()],
            state: &shard.state[slice(&shard.state, shape.state)],
            action: &shard.action[slice(&shard.action, shape.horizon * shape.action)],
            labels: Labels::ALL,
            done: shard.done[i],
            failing: shard.failing[i],
            object_xyz: three(&shard.object_xyz),
            goal_object: four(&shard.goal_object),
            goal_target: four(&shard.goal_target),
            target_xyz: three(&shard.target_xyz),
            target_uv: [shard.target_uv[i * 2], shard.target_uv[i * 2 + 1]],
            target_visible: shard.target_visible[i],
            objects: &shard.objects[slice(&shard.objects, shape.objects * ObjectColumns::COUNT)],
            episode: shard.episode[i],
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

/// Reads one shard; its episodes are numbered from `first_episode`.
fn read_shard(path: &Path, first_episode: usize) -> Result<(ShardInfo, Shard)> {
    let fail = |reason: String| TrainError::Shard {
        path: path.to_path_buf(),
        reason,
    };
    let json = path.with_extension("json");
    let text = std::fs::read_to_string(&json).map_err(TrainError::io(&json))?;
    let info: ShardInfo = serde_json::from_str(&text).map_err(|e| TrainError::Shard {
        path: json.clone(),
        reason: e.to_string(),
    })?;
    if info.format != FORMAT {
        return Err(fail(format!(
            "format: expected {FORMAT}, got {}",
            info.format
        )));
    }
    let bytes = std::fs::read(path).map_err(TrainError::io(path))?;
    let hash = blake3::hash(&bytes).to_hex().to_string();
    if hash != info.blake3 {
        return Err(fail(format!(
            "blake3: expected {} as in the .json file, got {hash}",
            info.blake3
        )));
    }
    let file = read_safetensors(&bytes).map_err(|e| fail(e.to_string()))?;
    let (shape, n) = (info.shape, info.frames);
    let data = |name: &str, dtype: Dtype, dims: &[usize]| -> Result<Vec<u8>> {
        let view = file
            .tensor(name)
            .map_err(|e| fail(format!("{name}: {e}")))?;
        let expected: Vec<usize> = std::iter::once(n).chain(dims.iter().copied()).collect();
        if view.dtype() != dtype || view.shape() != expected {
            return Err(fail(format!(
                "{name}: expected {dtype:?} {expected:?}, got {:?} {:?}",
                view.dtype(),
                view.shape()
            )));
        }
        Ok(view.data().to_vec())
    };
    let floats = |name: &str, dims: &[usize]| -> Result<Vec<f32>> {
        let values: Vec<f32> = data(name, Dtype::F32, dims)?
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        match values.iter().find(|x| !x.is_finite()) {
            Some(bad) => Err(fail(format!("{name}: expected finite numbers, got {bad}"))),
            None => Ok(values),
        }
    };
    let shard = Shard {
        frames: n,
        images: data("image", Dtype::U8, &[shape.height, shape.width, 3])?,
        state: floats("state", &[shape.state])?,
        action: floats("action", &[shape.horizon, shape.action])?,
        done: floats("done", &[])?,
        failing: floats("failing", &[])?,
        object_xyz: floats("object_xyz", &[3])?,
        goal_object: floats("goal_object", &[4])?,
        goal_target: floats("goal_target", &[4])?,
        target_xyz: floats("target_xyz", &[3])?,
        target_uv: floats("target_uv", &[2])?,
        target_visible: floats("target_visible", &[])?,
        objects: floats("objects", &[shape.objects, ObjectColumns::COUNT])?,
        episode: episode_numbers(
            &data("episode", Dtype::I64, &[])?,
            info.episodes.len(),
            first_episode,
        )
        .map_err(fail)?,
    };
    for (i, meta) in info.episodes.iter().enumerate() {
        meta.check().map_err(|reason| TrainError::Shard {
            path: json.clone(),
            reason: format!("episodes[{i}].step: {reason}"),
        })?;
    }
    Ok((info, shard))
}

/// Episode numbers of the frames, shifted by `first`; they must count up from 0 without a gap.
fn episode_numbers(
    bytes: &[u8],
    episodes: usize,
    first: usize,
) -> std::result::Result<Vec<usize>, String> {
    let mut numbers = Vec::with_capacity(bytes.len() / 8);
    let mut last = -1_i64;
    for b in bytes.chunks_exact(8) {
        let number = i64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
        if number != last && number != last + 1 {
            return Err(format!(
                "episode: expected {last} or {}, got {number}",
                last + 1
            ));
        }
        last = number;
        let number = usize::try_from(number).map_err(|e| format!("episode: got {number}: {e}"))?;
        numbers.push(first + number);
    }
    if usize::try_from(last + 1) != Ok(episodes) {
        return Err(format!(
            "episode: expected {episodes} episodes as in the .json file, got {}",
            last + 1
        ));
    }
    Ok(numbers)
}
