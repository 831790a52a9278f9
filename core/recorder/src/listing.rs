//! What a data set holds, for people: episodes, and pictures of them.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    Columns, EpisodeFacts, MAX_FRAMES, Pixels, RecorderError, Result,
    data_set::{layout_path, read_facts},
    error::{DAMAGED, fault},
    folder::{self, Numbered},
    info::{Info, image_feature},
    png_picture::decode_png,
};

/// One episode of a data set.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EpisodeListing {
    /// Its number.
    pub episode: usize,
    /// Sentences of its frames.
    pub tasks: Vec<String>,
    /// Frames.
    pub frames: usize,
    /// Their length (s).
    pub seconds: f64,
    /// What vola knows beside; none for other data sets.
    pub facts: Option<EpisodeFacts>,
    /// Where its frames lie.
    #[serde(skip)]
    pub(crate) place: FramePlace,
}

/// Rows of a data file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FramePlace {
    pub(crate) data: PathBuf,
    /// The row of `meta/episodes`: file and number in it.
    pub(crate) meta: (PathBuf, usize),
    /// First row of the episode in its data file.
    pub(crate) first_row: usize,
    /// First frame, over the whole data set.
    pub(crate) first_frame: usize,
}

/// The episodes of a data set, in order.
///
/// # Errors
/// When there is no data set, or its `meta` is damaged.
pub fn list(folder: &Path) -> Result<Vec<EpisodeListing>> {
    let info = known_info(folder)?;
    let mut all: Vec<EpisodeListing> = Vec::new();
    for path in folder::chunk_files(&folder.join("meta/episodes"))? {
        list_file(folder, &info, &path, &mut all)?;
    }
    Ok(all)
}

/// How many episodes a data set has.
///
/// # Errors
/// When there is no data set.
pub fn count_episodes(folder: &Path) -> Result<usize> {
    Ok(known_info(folder)?.total_episodes)
}

/// Some episodes of a data set, in order; numbers that it does not have are left
/// out. Of own recordings nothing else is read.
///
/// # Errors
/// As [`list`].
pub fn list_some(folder: &Path, numbers: Range<usize>) -> Result<Vec<EpisodeListing>> {
    let info = known_info(folder)?;
    if !layout_path(folder).is_file() {
        let mut all = list(folder)?;
        all.retain(|episode| numbers.contains(&episode.episode));
        return Ok(all);
    }
    let mut some = Vec::new();
    for number in numbers.start..numbers.end.min(info.total_episodes) {
        let path = folder::numbered(folder, Numbered::Episodes, number);
        list_file(folder, &info, &path, &mut some)?;
    }
    Ok(some)
}

/// The episodes of one file of `meta/episodes`.
fn list_file(folder: &Path, info: &Info, path: &Path, all: &mut Vec<EpisodeListing>) -> Result<()> {
    let file = Columns::open(path)?;
    let integers = |name: &str| file.integers(name);
    let (index, length) = (integers("episode_index")?, integers("length")?);
    let (chunk, number) = (integers("data/chunk_index")?, integers("data/file_index")?);
    let from = integers("dataset_from_index")?;
    let tasks = file.text_lists("tasks")?;
    for (row, tasks) in tasks.into_iter().enumerate() {
        let whole = |column: &str, value: i64| {
            usize::try_from(value).ok().ok_or_else(|| {
                let reason = format!("expected a number from 0, got {value}");
                fault(path, format!("{column}, row {row}"), reason, DAMAGED)
            })
        };
        let frames = whole("length", length[row])?;
        if frames > MAX_FRAMES {
            let reason = format!("expected at most {MAX_FRAMES}, got {frames}");
            return Err(fault(path, format!("length, row {row}"), reason, DAMAGED));
        }
        let episode = whole("episode_index", index[row])?;
        let data = folder
            .join("data")
            .join(format!(
                "chunk-{:03}",
                whole("data/chunk_index", chunk[row])?
            ))
            .join(format!(
                "file-{:03}.parquet",
                whole("data/file_index", number[row])?
            ));
        let first_row = all
            .iter()
            .filter(|before| before.place.data == data)
            .map(|before| before.frames)
            .sum();
        let facts = read_facts(folder, episode)?;
        all.push(EpisodeListing {
            episode,
            tasks,
            frames,
            seconds: frames as f64 / info.fps,
            facts: (!facts.stream.is_empty()).then_some(facts),
            place: FramePlace {
                data,
                meta: (path.to_owned(), row),
                first_row,
                first_frame: whole("dataset_from_index", from[row])?,
            },
        });
    }
    Ok(())
}

/// `info.json`, which must be there.
pub(crate) fn known_info(folder: &Path) -> Result<Info> {
    Info::read(folder)?.ok_or_else(|| RecorderError::Nothing {
        path: folder.to_owned(),
        reason: "there is no data set here: `meta/info.json` is missing".to_owned(),
        help: "name a folder of `--record`, or a LeRobot data set; `vola dataset repair` makes one of streams",
    })
}

/// Pictures of an episode, evenly over its length: at most `count` of the first
/// camera that the data set has, with their times (s).
///
/// # Errors
/// When its file is damaged, or has no pictures.
pub fn episode_pictures(
    folder: &Path,
    episode: &EpisodeListing,
    camera: Option<&str>,
    count: usize,
) -> Result<Vec<(f64, Pixels)>> {
    let info = known_info(folder)?;
    let feature = match camera {
        Some(key) => image_feature(key),
        None => match info.of_type("image").next() {
            Some(name) => name.to_owned(),
            None => {
                return Err(RecorderError::Nothing {
                    path: folder.to_owned(),
                    reason: "the data set has no pictures in its parquet files".to_owned(),
                    help: "data sets with video are not shown",
                });
            }
        },
    };
    let wanted: Vec<usize> = (0..count.min(episode.frames))
        .map(|i| match count.min(episode.frames) {
            1 => 0,
            several => i * (episode.frames - 1) / (several - 1),
        })
        .collect();
    let file = Columns::open(&episode.place.data)?;
    let mut pictures = Vec::with_capacity(wanted.len());
    file.pictures(&feature, &mut |row, bytes| {
        let frame = row.checked_sub(episode.place.first_row);
        if let Some(frame) = frame.filter(|frame| wanted.contains(frame)) {
            pictures.push((frame as f64 / info.fps, decode_png(bytes)?));
        }
        Ok(())
    })?;
    Ok(pictures)
}
