//! What a data set holds, for people: episodes, and pictures of them.

use std::{
    collections::HashMap,
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
    let mut rows = Rows::default();
    for path in folder::chunk_files(&folder.join("meta/episodes"))? {
        list_file(folder, &info, &Columns::open(&path)?, &mut rows)?;
    }
    Ok(rows.listed)
}

/// How many episodes a data set has.
///
/// # Errors
/// When there is no data set.
pub fn count_episodes(folder: &Path) -> Result<usize> {
    Ok(known_info(folder)?.total_episodes)
}

/// Some episodes of a data set, in order; numbers that it does not have are left
/// out. Of own recordings nothing else is read: each has a file of its own.
///
/// # Errors
/// As [`list`], and when the file of an own recording holds anything but that one.
pub fn list_some(folder: &Path, numbers: Range<usize>) -> Result<Vec<EpisodeListing>> {
    let info = known_info(folder)?;
    if !layout_path(folder).is_file() {
        let mut all = list(folder)?;
        all.retain(|episode| numbers.contains(&episode.episode));
        return Ok(all);
    }
    let mut rows = Rows::default();
    for number in numbers.start..numbers.end.min(info.total_episodes) {
        let path = folder::numbered(folder, Numbered::Episodes, number);
        let file = Columns::open(&path)?;
        // Before anything of them is read: whoever asks for one gets one.
        if file.rows() != 1 {
            let reason = format!("expected 1 row, episode {number}, got {}", file.rows());
            return Err(fault(&path, "rows", reason, DAMAGED));
        }
        list_file(folder, &info, &file, &mut rows)?;
        let got = rows.listed.last().map(|episode| episode.episode);
        if let Some(got) = got.filter(|got| *got != number) {
            let reason = format!("expected {number}, got {got}");
            return Err(fault(&path, "episode_index, row 0", reason, DAMAGED));
        }
    }
    Ok(rows.listed)
}

/// The episodes of the files so far.
#[derive(Default)]
struct Rows {
    listed: Vec<EpisodeListing>,
    /// Rows that they take of each data file.
    taken: HashMap<PathBuf, usize>,
}

/// The episodes of one file of `meta/episodes`, behind those of the files before.
fn list_file(folder: &Path, info: &Info, file: &Columns, all: &mut Rows) -> Result<()> {
    let path = file.path();
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
        let taken = all.taken.entry(data.clone()).or_default();
        let first_row = *taken;
        *taken += frames;
        let facts = read_facts(folder, episode)?;
        all.listed.push(EpisodeListing {
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

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::{
        folder::Force,
        info::{info_path, write_json},
        parquet_file::{Column, Values, write_parquet},
    };

    /// Writes a file of `meta/episodes`: number and frames of each of its episodes, all
    /// of them in the first data file.
    fn write_rows(folder: &Path, file: usize, rows: &[(i64, i64)]) {
        let of = |pick: fn(&(i64, i64)) -> i64| Values::Integers(rows.iter().map(pick).collect());
        let columns: Vec<Column<'_>> = vec![
            ("episode_index".to_owned(), of(|row| row.0)),
            (
                "tasks".to_owned(),
                Values::TextLists(vec![vec!["go home".to_owned()]; rows.len()]),
            ),
            ("length".to_owned(), of(|row| row.1)),
            ("data/chunk_index".to_owned(), of(|_| 0)),
            ("data/file_index".to_owned(), of(|_| 0)),
            ("dataset_from_index".to_owned(), of(|_| 0)),
        ];
        let path = folder::numbered(folder, Numbered::Episodes, file);
        write_parquet(&path, &columns, Vec::new(), Force::No).unwrap();
    }

    fn write_info(folder: &Path, episodes: usize) {
        let info = json!({"codebase_version": "v3.0", "fps": 10.0, "total_episodes": episodes,
            "total_frames": 10, "total_tasks": 1, "features": {}});
        write_json(&info_path(folder), &info, Force::No).unwrap();
    }

    #[test]
    fn a_file_of_an_own_recording_holds_that_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write_info(folder, 3);
        write_json(&layout_path(folder), &json!({}), Force::No).unwrap();
        write_rows(folder, 0, &[(0, 4)]);
        write_rows(folder, 1, &[(1, 4), (1, 4), (7, 4)]);
        write_rows(folder, 2, &[(0, 4)]);
        assert_eq!(list_some(folder, 0..1).unwrap().len(), 1);
        for (number, word) in [(1, "expected 1 row"), (2, "expected 2, got 0")] {
            let error = list_some(folder, number..number + 1).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn a_file_of_another_writer_holds_many() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write_info(folder, 4);
        write_rows(folder, 0, &[(0, 4), (1, 2), (2, 3)]);
        write_rows(folder, 1, &[(3, 1)]);
        let some = list_some(folder, 1..9).unwrap();
        let places: Vec<(usize, usize)> = some
            .iter()
            .map(|episode| (episode.episode, episode.place.first_row))
            .collect();
        assert_eq!(places, [(1, 4), (2, 6), (3, 9)]);
        assert!(
            fs::read_dir(folder.join("data")).is_err(),
            "no data is read"
        );
    }
}
