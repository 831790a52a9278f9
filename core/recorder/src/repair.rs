//! Mends a folder: unfinished streams become episodes, damaged episodes are made
//! anew from their streams, what cannot be mended is set aside.
//!
//! Doing it twice changes nothing more.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use serde::Serialize;

use crate::{
    Language, Layout, RecorderError, Result,
    data_set::{DataSet, file_hash, read_facts, read_layout},
    error::{DAMAGED, fault},
    folder::{self, Numbered, numbered},
    info::Info,
    recorder::lock_folder,
    stream_reader::read_stream,
};

/// What was mended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RepairReport {
    /// Episodes made from streams that an earlier process left.
    pub recovered: Vec<Recovered>,
    /// Episodes whose data file was made anew from their stream.
    pub rebuilt: Vec<usize>,
    /// Streams without anything to keep.
    pub removed: usize,
    /// Files that could not be mended, and why.
    pub set_aside: Vec<(PathBuf, String)>,
    /// How long it took (s).
    pub seconds: f64,
}

/// An episode that was made from what a killed process left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recovered {
    /// Its number.
    pub episode: usize,
    /// Its frames.
    pub frames: usize,
    /// Whether its end is there too.
    pub whole: bool,
    /// Time of the last thing recorded, since the episode began (s).
    pub seconds: f64,
}

impl RepairReport {
    /// Whether there was nothing to mend.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.recovered.is_empty() && self.rebuilt.is_empty() && self.set_aside.is_empty()
    }
}

/// Mends a folder that nobody records into.
///
/// # Errors
/// When somebody does, nothing of vola's is there, or files cannot be written.
pub fn repair(folder: &Path) -> Result<RepairReport> {
    let started = Instant::now();
    let layout = known_layout(folder)?;
    let _lock = lock_folder(folder)?;
    let rebuilt = rebuild(folder, &layout)?;
    let mut set = DataSet::open(folder, &layout, Language::None)?;
    let mut report = mend(folder, &mut set)?;
    report.rebuilt = rebuilt;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// The layout of the data set, or of any stream.
fn known_layout(folder: &Path) -> Result<Layout> {
    if let Some(layout) = read_layout(folder)? {
        return Ok(layout);
    }
    for path in folder::files(&folder::streams(folder))? {
        if let Ok(episode) = read_stream(&path) {
            return Ok(episode.layout);
        }
    }
    Err(RecorderError::Nothing {
        path: folder.to_owned(),
        reason: "there is no recording by vola here".to_owned(),
        help: "name the folder of `--record` or of `[record] folder`",
    })
}

/// Takes up what an earlier process left.
pub(crate) fn mend(folder: &Path, set: &mut DataSet) -> Result<RepairReport> {
    let started = Instant::now();
    let mut report = RepairReport::default();
    let all = folder::files(&folder::streams(folder))?;
    // Named streams first: their numbers may be free again only for themselves.
    let is_named = |path: &PathBuf| folder::stream_number(path).is_some();
    let (named, open): (Vec<PathBuf>, Vec<PathBuf>) = all.into_iter().partition(is_named);
    let left = named
        .into_iter()
        .filter(|path| folder::stream_number(path).is_some_and(|it| it >= set.episodes()))
        .collect::<Vec<_>>();
    let open = open
        .into_iter()
        .filter(|it| folder::open_stem(it).is_some());
    for path in left.into_iter().chain(open) {
        match mend_stream(folder, set, &path) {
            Ok(Some(recovered)) => report.recovered.push(recovered),
            Ok(None) => report.removed += 1,
            // Of a full disk nothing is set aside: it is tried again later.
            Err(error @ RecorderError::Io { .. }) => return Err(error),
            Err(error) => {
                set_aside(folder, &path)?;
                report.set_aside.push((path, error.to_string()));
            }
        }
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Makes an episode of a stream and gives it the episode's name. None when it
/// has nothing to keep, or was taken before.
pub(crate) fn mend_stream(
    folder: &Path,
    set: &mut DataSet,
    path: &Path,
) -> Result<Option<Recovered>> {
    let episode = read_stream(path)?;
    if set.has_stream(&episode.stream) {
        // The process ended between data set and name.
        let is_its = |number: &usize| {
            read_facts(folder, *number).is_ok_and(|facts| facts.stream == episode.stream)
        };
        let number = (0..set.episodes()).rev().find(is_its);
        rename_stream(folder, path, number.unwrap_or(0))?;
        return Ok(None);
    }
    let Some(number) = set.append(&episode)? else {
        fs::remove_file(path).map_err(RecorderError::io(path))?;
        return Ok(None);
    };
    rename_stream(folder, path, number)?;
    let length_ns = episode.last_ns.saturating_sub(episode.began_ns);
    Ok(Some(Recovered {
        episode: number,
        frames: episode.kept(),
        whole: episode.end.is_some(),
        seconds: length_ns as f64 * 1e-9,
    }))
}

fn rename_stream(folder: &Path, path: &Path, number: usize) -> Result<()> {
    let named = folder::episode_stream(folder, number);
    fs::rename(path, &named).map_err(RecorderError::io(&named))
}

fn set_aside(folder: &Path, path: &Path) -> Result<()> {
    let aside = folder::aside(folder);
    fs::create_dir_all(&aside).map_err(RecorderError::io(&aside))?;
    let to = aside.join(path.file_name().unwrap_or_default());
    fs::rename(path, &to).map_err(RecorderError::io(&to))
}

/// Where an episode's data file is missing or damaged, the whole data set is
/// made anew from its streams: episodes are numbered without gaps.
fn rebuild(folder: &Path, layout: &Layout) -> Result<Vec<usize>> {
    let Some(info) = Info::read(folder)? else {
        return Ok(Vec::new());
    };
    let damaged: Vec<usize> = (0..info.total_episodes)
        .filter(|episode| !is_whole(folder, *episode))
        .collect();
    let has_sentences = folder.join("meta/tasks.parquet").exists();
    if damaged.is_empty() && has_sentences {
        return Ok(damaged);
    }
    let mut episodes = Vec::new();
    for number in 0..info.total_episodes {
        let path = folder::episode_stream(folder, number);
        let episode = read_stream(&path).map_err(|error| {
            let reason = format!("episode {number} cannot be made anew: {error}");
            fault(folder, format!("episode {number}"), reason, DAMAGED)
        })?;
        episodes.push(episode);
    }
    let language = if info.features.contains_key(crate::info::PERSISTENT) {
        Language::Columns
    } else {
        Language::None
    };
    // Beside the old one until it is whole.
    let fresh = folder.join("rebuilding");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(RecorderError::io(&fresh))?;
    }
    let mut set = DataSet::open(&fresh, layout, language)?;
    for episode in &episodes {
        set.append(episode)?;
    }
    for part in ["data", "meta"] {
        let (old, new) = (folder.join(part), fresh.join(part));
        if old.exists() {
            fs::remove_dir_all(&old).map_err(RecorderError::io(&old))?;
        }
        fs::rename(&new, &old).map_err(RecorderError::io(&old))?;
    }
    fs::remove_dir_all(&fresh).map_err(RecorderError::io(&fresh))?;
    Ok(damaged)
}

/// Whether an episode's data file is what was written.
fn is_whole(folder: &Path, episode: usize) -> bool {
    let facts = read_facts(folder, episode).unwrap_or_default();
    let data = numbered(folder, Numbered::Data, episode);
    let row = numbered(folder, Numbered::Episodes, episode);
    file_hash(&data).is_ok_and(|hash| hash == facts.blake3)
        && crate::Columns::open(&row).is_ok_and(|row| row.rows() == 1)
}
