//! `meta/info.json`: what a data set says of itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::{MAX_FRAMES, fault};
use crate::{Result, TrainError};

/// Largest `info.json` (bytes).
const MAX_BYTES: u64 = 16 << 20;
/// Where LeRobot puts data files; another place is refused, so that a file cannot point outside.
const DATA_PATH: &str = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet";
/// Widest picture side (px).
const MAX_SIDE: usize = 8192;

/// The checked content of `meta/info.json`.
#[derive(Debug)]
pub(super) struct Info {
    /// The file, for messages.
    pub(super) path: PathBuf,
    /// For example `v3.0`.
    pub(super) version: String,
    /// The robot that recorded, if it is named.
    pub(super) robot_type: Option<String>,
    /// Frames a second.
    pub(super) fps: f64,
    pub(super) episodes: usize,
    pub(super) frames: usize,
    pub(super) tasks: usize,
    features: BTreeMap<String, Feature>,
}

/// One column as `info.json` describes it.
#[derive(Debug, Deserialize)]
pub(super) struct Feature {
    pub(super) dtype: String,
    pub(super) shape: Vec<usize>,
    #[serde(default)]
    names: Value,
}

/// The file's own form; keys that are not known are ignored, as LeRobot does.
#[derive(Deserialize)]
struct Raw {
    codebase_version: String,
    #[serde(default)]
    robot_type: Option<String>,
    fps: f64,
    total_episodes: usize,
    total_frames: usize,
    total_tasks: usize,
    data_path: String,
    features: BTreeMap<String, Feature>,
}

impl Info {
    /// The file's place in a data set.
    pub(super) fn path_in(folder: &Path) -> PathBuf {
        folder.join("meta").join("info.json")
    }

    /// Reads and checks `meta/info.json` of a folder.
    ///
    /// # Errors
    /// An unreadable file, another version, or numbers out of range; the message names the key.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = Self::path_in(folder);
        let size = std::fs::metadata(&path).map_err(TrainError::io(&path))?;
        let fail = |key: &str, reason: String, help| Err(fault(&path, key, reason, help));
        if size.len() > MAX_BYTES {
            let reason = format!("expected at most {MAX_BYTES} bytes, got {}", size.len());
            return fail("(whole file)", reason, super::DAMAGED);
        }
        let text = std::fs::read_to_string(&path).map_err(TrainError::io(&path))?;
        // The version first: other versions have other keys.
        let version = serde_json::from_str::<Value>(&text)
            .map_err(|e| fault(&path, "(whole file)", e.to_string(), super::DAMAGED))?;
        let version = version["codebase_version"].as_str().unwrap_or_default();
        if !version.starts_with("v3.") {
            return fail(
                "codebase_version",
                format!("expected v3.*, got `{version}`"),
                "convert the data set with LeRobot's converter to v3.0",
            );
        }
        let raw: Raw = serde_json::from_str(&text)
            .map_err(|e| fault(&path, "(whole file)", e.to_string(), super::DAMAGED))?;
        if !(raw.fps > 0.0 && raw.fps <= 1000.0) {
            let reason = format!("expected above 0 to 1000 frames a second, got {}", raw.fps);
            return fail("fps", reason, super::DAMAGED);
        }
        if raw.data_path != DATA_PATH {
            let reason = format!("expected `{DATA_PATH}`, got `{}`", raw.data_path);
            return fail("data_path", reason, "LeRobot v3 writes this path");
        }
        let counts = [
            ("total_frames", raw.total_frames, MAX_FRAMES),
            ("total_episodes", raw.total_episodes, raw.total_frames),
            ("total_tasks", raw.total_tasks, raw.total_frames),
        ];
        for (key, got, most) in counts {
            if !(1..=most).contains(&got) {
                let reason = format!("expected 1 to {most}, got {got}");
                return fail(key, reason, "split a larger data set into several folders");
            }
        }
        Ok(Self {
            version: raw.codebase_version,
            robot_type: raw.robot_type,
            fps: raw.fps,
            episodes: raw.total_episodes,
            frames: raw.total_frames,
            tasks: raw.total_tasks,
            features: raw.features,
            path,
        })
    }

    /// A feature that may be missing.
    pub(super) fn find(&self, name: &str) -> Option<&Feature> {
        self.features.get(name)
    }

    /// The names of all features that hold pictures, as words for a message.
    fn pictures(&self) -> String {
        let names: Vec<&str> = self
            .features
            .iter()
            .filter(|(_, f)| f.dtype == "image" || f.dtype == "video")
            .map(|(name, _)| name.as_str())
            .collect();
        format!("{names:?}")
    }

    /// The names of the values of a numeric vector.
    ///
    /// # Errors
    /// No such feature, another dtype or shape, or no list of names.
    pub(super) fn vector(&self, feature: &str) -> Result<Vec<String>> {
        let key = format!("features.{feature}");
        let fail = |part: &str, reason: String, help| {
            Err(fault(&self.path, format!("{key}{part}"), reason, help))
        };
        let Some(found) = self.features.get(feature) else {
            let names: Vec<&String> = self.features.keys().collect();
            let reason = format!("expected this feature, got only {names:?}");
            return fail("", reason, "training needs the state and the action");
        };
        if !["float32", "float64"].contains(&found.dtype.as_str()) {
            let reason = format!("expected float32 or float64, got `{}`", found.dtype);
            return fail(".dtype", reason, super::DAMAGED);
        }
        let Some(names) = list_of_names(&found.names) else {
            let reason = format!("expected one name a value, got {}", found.names);
            return fail(
                ".names",
                reason,
                "write the names of the values, for example [\"dx\", \"dy\"], into the file",
            );
        };
        if found.shape != [names.len()] || names.is_empty() || names.len() > 256 {
            let reason = format!(
                "expected [{}] as there are names (1 to 256), got {:?}",
                names.len(),
                found.shape
            );
            return fail(".shape", reason, super::DAMAGED);
        }
        Ok(names)
    }

    /// Rows and columns (px) of a camera's pictures.
    ///
    /// # Errors
    /// No such feature, a video, or a shape that is no RGB picture.
    pub(super) fn picture(&self, feature: &str) -> Result<[usize; 2]> {
        let key = format!("features.{feature}");
        let Some(found) = self.features.get(feature) else {
            let reason = format!("expected this camera, got only {}", self.pictures());
            let help = "rename the camera to the policy's, or name it so in the policy file";
            return Err(fault(&self.path, key, reason, help));
        };
        if found.dtype != "image" {
            return Err(fault(
                &self.path,
                format!("{key}.dtype"),
                format!("expected `image`, got `{}`", found.dtype),
                "video is not read; record or convert the data set without video (`use_videos=False`)",
            ));
        }
        match found.shape.as_slice() {
            [height @ 1..=MAX_SIDE, width @ 1..=MAX_SIDE, 3] => Ok([*height, *width]),
            shape => Err(fault(
                &self.path,
                format!("{key}.shape"),
                format!("expected [height, width, 3], sides 1 to {MAX_SIDE}, got {shape:?}"),
                super::DAMAGED,
            )),
        }
    }
}

/// A list of strings, or the only list of strings in a table (`{"motors": […]}`).
fn list_of_names(names: &Value) -> Option<Vec<String>> {
    let list = match names {
        Value::Object(table) if table.len() == 1 => table.values().next()?,
        other => other,
    };
    list.as_array()?
        .iter()
        .map(|name| name.as_str().map(str::to_string))
        .collect()
}
