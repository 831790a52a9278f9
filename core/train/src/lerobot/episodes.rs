//! `meta/episodes` and `meta/tasks.parquet`: which frames belong together, and what they are about.

use std::ops::Range;
use std::path::{Path, PathBuf};

use vola_recorder::Columns;

use super::info::Info;
use super::{DAMAGED, fault};
use crate::{Result, TrainError};

/// Longest sentence (bytes).
const MAX_SENTENCE: usize = 1000;
/// Highest number of a chunk folder or a file.
const MAX_NUMBER: i64 = 99_999;

/// The episodes that one data file holds, one after the other.
#[derive(Debug)]
pub(super) struct DataFile {
    pub(super) path: PathBuf,
    /// Number of its first episode.
    pub(super) first_episode: usize,
    /// Frames of each episode, counted over the whole data set.
    pub(super) episodes: Vec<Range<usize>>,
}

/// Sentences by task index.
///
/// # Errors
/// A missing or damaged file, indices that are not 0, 1, … in some order, or an empty sentence.
pub(super) fn read_tasks(folder: &Path, info: &Info) -> Result<Vec<String>> {
    let file = Columns::open(&folder.join("meta").join("tasks.parquet"))?;
    let fail = |place: String, reason: String| Err(fault(file.path(), place, reason, DAMAGED));
    if file.rows() != info.tasks {
        let reason = format!(
            "expected {} as in info.json, got {}",
            info.tasks,
            file.rows()
        );
        return fail("rows".to_string(), reason);
    }
    let indices = file.integers("task_index")?;
    // pandas keeps the sentence in its index, which LeRobot's writer leaves without a name.
    let column = ["task", "__index_level_0__"]
        .into_iter()
        .find(|name| file.has(name))
        .unwrap_or("task");
    let sentences = file.texts(column, MAX_SENTENCE)?;
    let mut all = vec![None; info.tasks];
    for (row, (index, sentence)) in indices.into_iter().zip(sentences).enumerate() {
        let slot = usize::try_from(index).ok().and_then(|i| all.get_mut(i));
        match slot {
            Some(slot @ None) if !sentence.trim().is_empty() => *slot = Some(sentence),
            _ => {
                let reason = format!(
                    "expected a sentence and each index 0 to {} once, got index {index} and `{sentence}`",
                    info.tasks - 1
                );
                return fail(format!("row {row}"), reason);
            }
        }
    }
    Ok(all.into_iter().flatten().collect())
}

/// The data files with their episodes, in order.
///
/// # Errors
/// Missing or damaged files, or episodes that do not follow each other without a gap.
pub(super) fn read_episodes(folder: &Path, info: &Info) -> Result<Vec<DataFile>> {
    let mut files: Vec<DataFile> = Vec::new();
    let (mut episodes, mut frames) = (0_usize, 0_usize);
    let mut last_place = None;
    let listed = episode_files(&folder.join("meta").join("episodes"))?;
    for path in &listed {
        let file = Columns::open(path)?;
        let [index, length, chunk, number, from, to] = [
            "episode_index",
            "length",
            "data/chunk_index",
            "data/file_index",
            "dataset_from_index",
            "dataset_to_index",
        ]
        .map(|name| file.integers(name));
        let (index, length, chunk, number) = (index?, length?, chunk?, number?);
        let (from, to) = (from?, to?);
        for row in 0..file.rows() {
            let fail = |column: &str, expected: String, got: i64| {
                let reason = format!("expected {expected}, got {got}");
                Err(fault(path, format!("{column}, row {row}"), reason, DAMAGED))
            };
            if usize::try_from(index[row]) != Ok(episodes) {
                return fail("episode_index", episodes.to_string(), index[row]);
            }
            let rows = usize::try_from(length[row]).unwrap_or_default();
            if !(1..=info.frames - frames).contains(&rows) {
                let left = info.frames - frames;
                return fail(
                    "length",
                    format!("1 to {left} (as in info.json)"),
                    length[row],
                );
            }
            let span = frames..frames + rows;
            if usize::try_from(from[row]) != Ok(span.start) {
                return fail("dataset_from_index", span.start.to_string(), from[row]);
            }
            if usize::try_from(to[row]) != Ok(span.end) {
                return fail("dataset_to_index", span.end.to_string(), to[row]);
            }
            let place = (chunk[row], number[row]);
            for (column, got) in [("data/chunk_index", place.0), ("data/file_index", place.1)] {
                if !(0..=MAX_NUMBER).contains(&got) {
                    return fail(column, format!("0 to {MAX_NUMBER}"), got);
                }
            }
            if last_place.is_some_and(|last| place < last) {
                return fail("data/file_index", "files in order".to_string(), place.1);
            }
            match files.last_mut() {
                Some(open) if last_place == Some(place) => open.episodes.push(span.clone()),
                _ => files.push(DataFile {
                    path: folder
                        .join("data")
                        .join(format!("chunk-{:03}", place.0))
                        .join(format!("file-{:03}.parquet", place.1)),
                    first_episode: episodes,
                    episodes: vec![span.clone()],
                }),
            }
            last_place = Some(place);
            frames = span.end;
            episodes += 1;
        }
    }
    if (episodes, frames) != (info.episodes, info.frames) {
        return Err(fault(
            &info.path,
            "total_episodes, total_frames",
            format!(
                "expected {episodes} and {frames} as in meta/episodes, got {} and {}",
                info.episodes, info.frames
            ),
            DAMAGED,
        ));
    }
    Ok(files)
}

/// `chunk-*/file-*.parquet` below a folder, sorted by path.
fn episode_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for chunk in entries(folder, "chunk-")? {
        let found = entries(&chunk, "file-")?.into_iter();
        files.extend(found.filter(|file| file.extension().is_some_and(|e| e == "parquet")));
    }
    if files.is_empty() {
        let reason = "expected chunk-000/file-000.parquet and so on, got no such file".to_string();
        return Err(fault(folder, "episodes", reason, DAMAGED));
    }
    files.sort();
    Ok(files)
}

/// Entries of a folder whose names begin with `prefix`.
fn entries(folder: &Path, prefix: &str) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(TrainError::io(folder))? {
        let entry = entry.map_err(TrainError::io(folder))?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}
