//! `meta/info.json`, `meta/tasks.parquet`: what a data set says of itself.

use std::{fs, io::Write, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Columns, Layout, RecorderError, Result,
    error::{DAMAGED, fault},
    folder::{FILES_A_CHUNK, Force, write_whole},
    parquet_file::{Values, write_parquet},
};

/// Version of the form.
const VERSION: &str = "v3.0";
/// Largest `info.json` (bytes).
const MAX_BYTES: u64 = 16 << 20;
/// Longest sentence (bytes).
pub(crate) const MAX_SENTENCE: usize = 1000;

/// The part of `info.json` that counts.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Info {
    pub(crate) codebase_version: String,
    #[serde(default)]
    pub(crate) robot_type: Option<String>,
    pub(crate) fps: f64,
    pub(crate) total_episodes: usize,
    pub(crate) total_frames: usize,
    pub(crate) total_tasks: usize,
    pub(crate) features: serde_json::Map<String, Value>,
}

impl Info {
    /// Reads it; none when there is none.
    ///
    /// # Errors
    /// When it cannot be read or is another version's.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = info_path(folder);
        let Some(text) = read_text(&path)? else {
            return Ok(None);
        };
        let info: Self = serde_json::from_str(&text)
            .map_err(|error| fault(&path, "(whole file)", error.to_string(), DAMAGED))?;
        if info.codebase_version.starts_with("v3.") && info.fps > 0.0 {
            return Ok(Some(info));
        }
        let reason = format!(
            "expected v3.* with fps above 0, got `{}` with {}",
            info.codebase_version, info.fps
        );
        let help = "convert the data set with LeRobot's converter to v3.0";
        Err(fault(&path, "codebase_version", reason, help))
    }

    /// Type and shape of a feature.
    pub(crate) fn feature(&self, name: &str) -> Option<(&str, Vec<usize>)> {
        let feature = self.features.get(name)?;
        let shape = feature["shape"].as_array()?;
        let shape = shape
            .iter()
            .map(|size| usize::try_from(size.as_u64()?).ok())
            .collect::<Option<_>>()?;
        Some((feature["dtype"].as_str()?, shape))
    }

    /// Names of the values of a feature; none where they are not given as a list of
    /// texts as long as its shape says.
    pub(crate) fn vector_names(&self, name: &str) -> Option<Vec<String>> {
        let (_, shape) = self.feature(name)?;
        let names = self.features.get(name)?["names"].as_array()?;
        let names: Vec<String> = names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect::<Option<_>>()?;
        (shape == [names.len()]).then_some(names)
    }

    /// Keys of the cameras whose pictures lie in the data files.
    pub(crate) fn cameras(&self) -> impl Iterator<Item = &str> {
        let names = self.of_type("image");
        names.filter_map(|name| name.strip_prefix(IMAGES))
    }

    /// Names of the features of a type.
    pub(crate) fn of_type<'a>(&'a self, dtype: &'a str) -> impl Iterator<Item = &'a str> {
        self.features
            .iter()
            .filter(move |(_, feature)| feature["dtype"] == dtype)
            .map(|(name, _)| name.as_str())
    }
}

/// A small text file; none when there is none.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>> {
    let size = match fs::metadata(path) {
        Ok(size) => size.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RecorderError::io(path)(error)),
    };
    if size > MAX_BYTES {
        let reason = format!("expected at most {MAX_BYTES} bytes, got {size}");
        return Err(fault(path, "(whole file)", reason, DAMAGED));
    }
    let text = fs::read_to_string(path).map_err(RecorderError::io(path))?;
    Ok(Some(text))
}

/// Writes JSON for people and programs, whole or not at all.
pub(crate) fn write_json(path: &Path, value: &Value, force: Force) -> Result<()> {
    write_whole(path, force, |file| {
        serde_json::to_writer_pretty(&mut *file, value)
            .map_err(|error| RecorderError::io(path)(error.into()))?;
        file.write_all(b"\n").map_err(RecorderError::io(path))
    })
}

/// The file's place.
pub(crate) fn info_path(folder: &Path) -> std::path::PathBuf {
    folder.join("meta/info.json")
}

/// What `info.json` counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    pub(crate) episodes: usize,
    pub(crate) frames: usize,
    pub(crate) tasks: usize,
}

/// The whole `info.json`.
pub(crate) fn info_json(
    robot: Option<&str>,
    fps: &Value,
    totals: Totals,
    features: &Value,
) -> Value {
    json!({
        "codebase_version": VERSION,
        "robot_type": robot,
        "total_episodes": totals.episodes,
        "total_frames": totals.frames,
        "total_tasks": totals.tasks,
        "chunks_size": FILES_A_CHUNK,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": fps,
        "splits": {"train": format!("0:{}", totals.episodes)},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": null,
        "features": features,
    })
}

/// The features that a recording with this layout has, in the order of columns.
pub(crate) fn features(layout: &Layout, language: Language) -> Value {
    let mut all = serde_json::Map::new();
    let mut add = |name: &str, dtype: &str, shape: Value, names: Value| {
        all.insert(
            name.to_owned(),
            json!({"dtype": dtype, "shape": shape, "names": names}),
        );
    };
    let vector = |names: &[String]| (json!([names.len()]), json!(names));
    for (name, names) in [
        ("observation.state", &layout.state),
        ("action", &layout.action_names),
    ] {
        let (shape, names) = vector(names);
        add(name, "float32", shape, names);
    }
    for camera in &layout.cameras {
        let shape = json!([camera.height, camera.width, 3]);
        let names = json!(["height", "width", "channels"]);
        add(&image_feature(&camera.key), "image", shape, names);
    }
    for name in [JOINT_POSITION, JOINT_COMMAND] {
        let (shape, names) = vector(&layout.joints);
        add(name, "float32", shape, names);
    }
    for (name, dtype) in [
        (WHO, "string"),
        (PHASE, "string"),
        (INTERVENTION, "bool"),
        (SCORE, "float32"),
        (THRESHOLD, "float32"),
        (DONE, "bool"),
        (SUCCESS, "bool"),
        (SUBTASK, "int64"),
    ] {
        add(name, dtype, json!([1]), Value::Null);
    }
    if language == Language::Columns {
        for name in [PERSISTENT, EVENTS] {
            add(name, "language", json!([1]), Value::Null);
        }
    }
    for (name, dtype) in DEFAULTS {
        add(name, dtype, json!([1]), Value::Null);
    }
    Value::Object(all)
}

/// Whether language rows are columns of the data files. LeRobot from 0.5 on
/// reads such columns; 0.4 does not open a data set that has them, and reads
/// `subtask_index` instead, which is always there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// They are not.
    #[default]
    None,
    /// `language_persistent` and `language_events`.
    Columns,
}

pub(crate) const JOINT_POSITION: &str = "joint.position";
pub(crate) const JOINT_COMMAND: &str = "joint.command";
pub(crate) const WHO: &str = "who";
pub(crate) const PHASE: &str = "phase";
pub(crate) const INTERVENTION: &str = "intervention";
pub(crate) const SCORE: &str = "gate.score";
pub(crate) const THRESHOLD: &str = "gate.threshold";
pub(crate) const DONE: &str = "next.done";
pub(crate) const SUCCESS: &str = "next.success";
pub(crate) const SUBTASK: &str = "subtask_index";
pub(crate) const PERSISTENT: &str = "language_persistent";
pub(crate) const EVENTS: &str = "language_events";
/// The five features that every data set has.
pub(crate) const DEFAULTS: [(&str, &str); 5] = [
    ("timestamp", "float32"),
    ("frame_index", "int64"),
    ("episode_index", "int64"),
    ("index", "int64"),
    ("task_index", "int64"),
];

/// Features of cameras begin so.
const IMAGES: &str = "observation.images.";

/// The feature of a camera.
pub(crate) fn image_feature(key: &str) -> String {
    format!("{IMAGES}{key}")
}

/// Writes a list of sentences as the pandas frame that LeRobot reads: the
/// sentence is the index, its number a column.
pub(crate) fn write_sentences(path: &Path, kind: &str, sentences: &[String]) -> Result<()> {
    let number = format!("{kind}_index");
    let column = |name: &str, pandas: &str, numpy: &str| json!({"name": name, "field_name": name, "pandas_type": pandas, "numpy_type": numpy, "metadata": null});
    // Without this note pandas reads a numbered frame, and LeRobot finds no task.
    let note = json!({
        "index_columns": [kind],
        "column_indexes": [{"name": null, "field_name": null, "pandas_type": "unicode",
            "numpy_type": "object", "metadata": {"encoding": "UTF-8"}}],
        "columns": [column(&number, "int64", "int64"), column(kind, "unicode", "object")],
        "creator": {"library": "vola", "version": env!("CARGO_PKG_VERSION")},
        "pandas_version": "2.0.0",
    });
    let numbers = (0..sentences.len()).map(|i| i64::try_from(i).unwrap_or(i64::MAX));
    let columns = [
        (number.clone(), Values::Integers(numbers.collect())),
        (kind.to_owned(), Values::Texts(sentences.to_vec())),
    ];
    let notes = vec![("pandas".to_owned(), note.to_string())];
    write_parquet(path, &columns, notes, Force::No)
}

/// Reads such a list, in the order of its numbers.
pub(crate) fn read_sentences(path: &Path, kind: &str) -> Result<Vec<String>> {
    let file = Columns::open(path)?;
    let numbers = file.integers(&format!("{kind}_index"))?;
    let column = [kind, "__index_level_0__"]
        .into_iter()
        .find(|name| file.has(name))
        .unwrap_or(kind);
    let texts = file.texts(column, MAX_SENTENCE)?;
    let mut all = vec![None; texts.len()];
    for (number, text) in numbers.into_iter().zip(texts) {
        let slot = usize::try_from(number).ok().and_then(|i| all.get_mut(i));
        match slot {
            Some(slot @ None) => *slot = Some(text),
            _ => {
                let reason = format!("expected each number once from 0 on, got {number}");
                return Err(fault(path, format!("{kind}_index"), reason, DAMAGED));
            }
        }
    }
    Ok(all.into_iter().flatten().collect())
}

/// A sentence as data sets may hold it: one line, not too long, not empty.
pub(crate) fn clean_sentence(text: &str, otherwise: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    while line.len() > MAX_SENTENCE {
        line.pop();
    }
    let line = line.trim();
    if line.is_empty() {
        otherwise.to_owned()
    } else {
        line.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_round_trip_with_the_note_that_pandas_needs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tasks.parquet");
        let sentences = vec!["pick up the red block".to_owned(), "go home".to_owned()];
        write_sentences(&path, "task", &sentences).unwrap();
        assert_eq!(read_sentences(&path, "task").unwrap(), sentences);
        let bytes = fs::read(&path).unwrap();
        let note = br#""index_columns":["task"]"#;
        assert!(bytes.windows(note.len()).any(|part| part == note));
    }

    #[test]
    fn sentences_are_one_line() {
        assert_eq!(clean_sentence("a\nb\t", "x"), "a b");
        assert_eq!(clean_sentence(" \n", "x"), "x");
        assert!(clean_sentence(&"ä".repeat(900), "x").len() <= MAX_SENTENCE);
    }
}
