//! The data set of a folder, to which episodes are added.
//!
//! Each episode has files of its own, each written beside its place and renamed.
//! `info.json` is renamed last and says how many episodes there are: what lies
//! beyond that number was not finished and does not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Columns, EpisodeEnd, Language, Layout, RecorderError, Result,
    episode_columns::{EpisodeColumns, Placement, episode_columns},
    error::{DAMAGED, fault},
    folder::{self, Force, Numbered, numbered, place},
    info::{
        Info, Totals, features, info_json, info_path, read_sentences, read_text, write_json,
        write_sentences,
    },
    parquet_file::{Column, Values, write_parquet},
    statistics::{FeatureStats, NAMES, Stats, add_stats},
    stream_reader::Episode,
};

/// What is known of an episode beside LeRobot's files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EpisodeFacts {
    /// Its number.
    pub episode: usize,
    /// Name of the stream that it was made from: no stream is taken twice.
    pub stream: String,
    /// What was asked for.
    pub task: String,
    /// Sentences of its frames.
    pub tasks: Vec<String>,
    /// Frames.
    pub frames: usize,
    /// Their length (s).
    pub seconds: f64,
    /// Whether the goal was reached, as measured.
    pub success: bool,
    /// How it ended; `cut off` when its process did.
    pub outcome: String,
    /// Frames by who was in control.
    pub who: BTreeMap<String, usize>,
    /// Frames by phase.
    pub phases: BTreeMap<String, usize>,
    /// What could not be recorded in time.
    pub lost: u64,
    /// Whether its stream was cut off when the episode was made from it, be it after
    /// the last word of it.
    pub stream_cut: bool,
    /// BLAKE3 of its data file.
    pub blake3: String,
    /// Hashes of bundle and plugins, versions: the session's header.
    pub header: Value,
}

/// The word for an episode that has no end.
pub(crate) const CUT_OFF: &str = "cut off";

/// A data set that is added to.
#[derive(Debug)]
pub(crate) struct DataSet {
    folder: PathBuf,
    layout: Layout,
    language: Language,
    tasks: Vec<String>,
    subtasks: Vec<String>,
    stats: Stats,
    episodes: usize,
    frames: usize,
    streams: BTreeSet<String>,
}

impl DataSet {
    /// Opens the data set of a folder, or begins one. What was not finished is
    /// removed: its stream is still there.
    ///
    /// # Errors
    /// When the folder holds another layout, or its files are damaged.
    pub(crate) fn open(folder: &Path, layout: &Layout, language: Language) -> Result<Self> {
        let mut set = Self {
            folder: folder.to_owned(),
            layout: layout.clone(),
            language,
            tasks: Vec::new(),
            subtasks: Vec::new(),
            stats: Stats::new(),
            episodes: 0,
            frames: 0,
            streams: BTreeSet::new(),
        };
        let Some(info) = Info::read(folder)? else {
            set.remove_unfinished()?;
            write_json(&layout_path(folder), &json!(layout), Force::No)?;
            return Ok(set);
        };
        set.check_layout(&info)?;
        set.episodes = info.total_episodes;
        set.frames = info.total_frames;
        set.remove_unfinished()?;
        set.tasks = read_sentences(&folder.join("meta/tasks.parquet"), "task")?;
        let is_ahead = set.tasks.len() > info.total_tasks;
        set.tasks.truncate(info.total_tasks);
        let subtasks = folder.join("meta/subtasks.parquet");
        set.subtasks = read_sentences(&subtasks, "subtask")?;
        for episode in 0..set.episodes {
            set.streams.insert(read_facts(folder, episode)?.stream);
        }
        let stats = read_stats(folder, set.frames)?;
        match stats.filter(|_| !is_ahead) {
            Some(stats) => set.stats = stats,
            // A process ended between these and `info.json`.
            None => {
                for episode in 0..set.episodes {
                    add_stats(&mut set.stats, &episode_stats(folder, episode)?);
                }
                set.write_summaries()?;
            }
        }
        Ok(set)
    }

    /// Episodes so far.
    pub(crate) fn episodes(&self) -> usize {
        self.episodes
    }

    /// The episode that was made from a stream.
    pub(crate) fn has_stream(&self, stem: &str) -> bool {
        self.streams.contains(stem)
    }

    /// Adds an episode, whole or not at all; its number. None without frames
    /// that count.
    ///
    /// # Errors
    /// When it was recorded otherwise, or files cannot be written.
    pub(crate) fn append(&mut self, episode: &Episode) -> Result<Option<usize>> {
        if let Some((key, here, there)) = difference(&episode.layout, &self.layout) {
            let path = self.folder.clone();
            return Err(RecorderError::Layout {
                path,
                key,
                there,
                here,
            });
        }
        if episode.kept() == 0 {
            return Ok(None);
        }
        let number = self.episodes;
        let placement = Placement {
            episode: number,
            first_frame: self.frames,
        };
        let sentences = (&mut self.tasks, &mut self.subtasks);
        let made = episode_columns(episode, placement, self.language, sentences)?;
        let data = numbered(&self.folder, Numbered::Data, number);
        write_parquet(&data, &made.columns, Vec::new(), Force::Yes)?;
        let row = episode_row(placement, &made);
        let path = numbered(&self.folder, Numbered::Episodes, number);
        write_parquet(&path, &row, Vec::new(), Force::No)?;
        let facts = facts(episode, &made, number, file_hash(&data)?);
        let path = numbered(&self.folder, Numbered::Facts, number);
        write_json(&path, &json!(facts), Force::No)?;
        add_stats(&mut self.stats, &made.stats);
        self.frames += made.frames;
        self.episodes += 1;
        self.streams.insert(episode.stream.clone());
        self.write_summaries()?;
        Ok(Some(number))
    }

    /// Sentences, statistics, and last `info.json`.
    fn write_summaries(&self) -> Result<()> {
        let meta = self.folder.join("meta");
        write_sentences(&meta.join("tasks.parquet"), "task", &self.tasks)?;
        write_sentences(&meta.join("subtasks.parquet"), "subtask", &self.subtasks)?;
        write_stats(&self.folder, &self.stats)?;
        let totals = Totals {
            episodes: self.episodes,
            frames: self.frames,
            tasks: self.tasks.len(),
        };
        let features = features(&self.layout, self.language);
        let info = info_json(
            Some(&self.layout.robot),
            &json!(self.layout.fps),
            totals,
            &features,
        );
        write_json(&info_path(&self.folder), &info, Force::Yes)
    }

    fn check_layout(&mut self, info: &Info) -> Result<()> {
        let path = layout_path(&self.folder);
        let Some(text) = read_text(&path)? else {
            return Err(RecorderError::Nothing {
                path: self.folder.clone(),
                reason: "the data set here was not recorded by vola, and is not added to"
                    .to_owned(),
                help: "record into another folder",
            });
        };
        let there: Layout = serde_json::from_str(&text)
            .map_err(|error| fault(&path, "(whole file)", error.to_string(), DAMAGED))?;
        let has_language = info.features.contains_key(crate::info::PERSISTENT);
        self.language = if has_language {
            Language::Columns
        } else {
            Language::None
        };
        match difference(&self.layout, &there) {
            None => Ok(()),
            Some((key, here, there)) => Err(RecorderError::Layout {
                path: self.folder.clone(),
                key,
                there,
                here,
            }),
        }
    }

    /// Files of episodes that `info.json` does not count, and halves of files.
    fn remove_unfinished(&self) -> Result<()> {
        for kind in ["data", "meta/episodes"] {
            let numbered_kind = if kind == "data" {
                Numbered::Data
            } else {
                Numbered::Episodes
            };
            for path in folder::chunk_files(&self.folder.join(kind))? {
                let counts = (0..self.episodes)
                    .any(|episode| numbered(&self.folder, numbered_kind, episode) == path);
                if !counts {
                    fs::remove_file(&path).map_err(RecorderError::io(&path))?;
                }
            }
        }
        for path in folder::files(&self.folder.join("meta/vola"))? {
            let number = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .and_then(|stem| stem.strip_prefix("episode-"))
                .and_then(|digits| digits.parse::<usize>().ok());
            let is_part = path.extension().is_some_and(|end| end == "part");
            if is_part || number.is_some_and(|number| number >= self.episodes) {
                fs::remove_file(&path).map_err(RecorderError::io(&path))?;
            }
        }
        for path in folder::files(&self.folder.join("meta"))? {
            if path.extension().is_some_and(|end| end == "part") {
                fs::remove_file(&path).map_err(RecorderError::io(&path))?;
            }
        }
        Ok(())
    }
}

/// Where the layout lies.
pub(crate) fn layout_path(folder: &Path) -> PathBuf {
    folder.join("meta/vola/layout.json")
}

/// The layout that a folder was recorded with; none for other data sets.
pub(crate) fn read_layout(folder: &Path) -> Result<Option<Layout>> {
    let path = layout_path(folder);
    let Some(text) = read_text(&path)? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| fault(&path, "(whole file)", error.to_string(), DAMAGED))
}

/// What is known of an episode; empty where nothing is.
pub(crate) fn read_facts(folder: &Path, episode: usize) -> Result<EpisodeFacts> {
    let path = numbered(folder, Numbered::Facts, episode);
    let Some(text) = read_text(&path)? else {
        return Ok(EpisodeFacts::default());
    };
    serde_json::from_str(&text)
        .map_err(|error| fault(&path, "(whole file)", error.to_string(), DAMAGED))
}

/// BLAKE3 of a file, hexadecimal.
pub(crate) fn file_hash(path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut file = fs::File::open(path).map_err(RecorderError::io(path))?;
    std::io::copy(&mut file, &mut hasher).map_err(RecorderError::io(path))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Writes `meta/stats.json`.
pub(crate) fn write_stats(folder: &Path, stats: &Stats) -> Result<()> {
    let all: serde_json::Map<String, Value> = stats
        .iter()
        .map(|(name, stats)| (name.clone(), stats.to_json()))
        .collect();
    write_json(
        &folder.join("meta/stats.json"),
        &Value::Object(all),
        Force::No,
    )
}

/// What `meta/stats.json` says, when it counts so many frames.
fn read_stats(folder: &Path, frames: usize) -> Result<Option<Stats>> {
    let Some(text) = read_text(&folder.join("meta/stats.json"))? else {
        return Ok(None);
    };
    let told: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let stats: Stats = told
        .iter()
        .map(|(feature, value)| (feature.clone(), FeatureStats::from_json(feature, value)))
        .collect();
    let counted = stats.get("frame_index").map(|it| it.count);
    Ok((counted == u64::try_from(frames).ok()).then_some(stats))
}

/// The statistics in an episode's own file.
fn episode_stats(folder: &Path, episode: usize) -> Result<Stats> {
    let file = Columns::open(&numbered(folder, Numbered::Episodes, episode))?;
    let mut rows = stats_rows(&file)?;
    Ok(rows.pop().unwrap_or_default())
}

/// The statistics of every row of a file of `meta/episodes`.
pub(crate) fn stats_rows(file: &Columns) -> Result<Vec<Stats>> {
    let mut rows = vec![Stats::new(); file.rows()];
    for column in file.names() {
        let Some((feature, name)) = column
            .strip_prefix("stats/")
            .and_then(|rest| rest.rsplit_once('/'))
        else {
            continue;
        };
        let values = file.number_lists(&column)?;
        for (row, values) in rows.iter_mut().zip(values) {
            let stats = row
                .entry(feature.to_owned())
                .or_insert_with(|| FeatureStats::of_feature(feature));
            stats.set(name, values);
        }
    }
    Ok(rows)
}

/// The row of `meta/episodes`.
fn episode_row<'a>(placement: Placement, made: &EpisodeColumns<'_>) -> Vec<Column<'a>> {
    let whole = |value: usize| Values::Integers(vec![i64::try_from(value).unwrap_or(i64::MAX)]);
    let (chunk, file) = place(placement.episode);
    let mut row: Vec<Column<'a>> = vec![
        ("episode_index".to_owned(), whole(placement.episode)),
        (
            "tasks".to_owned(),
            Values::TextLists(vec![made.tasks.clone()]),
        ),
        ("length".to_owned(), whole(made.frames)),
        ("data/chunk_index".to_owned(), whole(chunk)),
        ("data/file_index".to_owned(), whole(file)),
        (
            "dataset_from_index".to_owned(),
            whole(placement.first_frame),
        ),
        (
            "dataset_to_index".to_owned(),
            whole(placement.first_frame + made.frames),
        ),
    ];
    for (feature, stats) in &made.stats {
        for name in NAMES {
            let values = stats.values(name);
            let values = match name {
                "count" => {
                    Values::IntegerLists(vec![vec![i64::try_from(stats.count).unwrap_or(i64::MAX)]])
                }
                _ if stats.is_picture => Values::ChannelDoubles(vec![values]),
                _ => Values::Doubles(vec![values]),
            };
            row.push((format!("stats/{feature}/{name}"), values));
        }
    }
    row.push(("meta/episodes/chunk_index".to_owned(), whole(chunk)));
    row.push(("meta/episodes/file_index".to_owned(), whole(file)));
    row
}

fn facts(
    episode: &Episode,
    made: &EpisodeColumns<'_>,
    number: usize,
    blake3: String,
) -> EpisodeFacts {
    let words = |counts: &BTreeMap<&'static str, usize>| {
        counts
            .iter()
            .map(|(word, count)| ((*word).to_owned(), *count))
            .collect()
    };
    let end = episode.end.clone().unwrap_or_else(|| EpisodeEnd {
        success: false,
        outcome: CUT_OFF.to_owned(),
    });
    EpisodeFacts {
        stream_cut: episode.is_cut,
        episode: number,
        stream: episode.stream.clone(),
        task: episode.task.clone(),
        tasks: made.tasks.clone(),
        frames: made.frames,
        seconds: made.frames as f64 / f64::from(episode.layout.fps),
        success: end.success,
        outcome: end.outcome,
        who: words(&made.who),
        phases: words(&made.phases),
        lost: episode.lost,
        blake3,
        header: episode.header.clone(),
    }
}

/// What differs between two layouts: key, here, there.
fn difference(here: &Layout, there: &Layout) -> Option<(String, String, String)> {
    let (here, there) = (json!(here), json!(there));
    let keys = here.as_object()?.keys();
    for key in keys {
        if here[key] != there[key] {
            return Some((key.clone(), here[key].to_string(), there[key].to_string()));
        }
    }
    None
}
