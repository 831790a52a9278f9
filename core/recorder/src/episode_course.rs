//! One recorded episode, for people who look back: its course without pictures, and
//! single pictures as they lie in the file.
//!
//! Nothing is read but what is asked for, and nothing of a length that a file
//! chooses: a course has a bounded number of points, a picture a bounded size.

use std::path::Path;

use vola_types::{Band, EpisodeCourse};

use crate::{
    Columns, EpisodeListing, RecorderError, Result,
    error::{DAMAGED, fault},
    info::{JOINT_POSITION, PHASE, SCORE, THRESHOLD, WHO, image_feature, read_sentences},
    listing::known_info,
};

/// Most frames of an episode that is shown: an hour at 25 a second.
pub const MAX_SHOWN_FRAMES: usize = 100_000;
/// Most bands of one kind; more of them are no picture for people.
const MAX_BANDS: usize = 2_000;
/// Most joints that are shown.
const MAX_JOINTS: usize = 64;
/// Longest word for who was in control, or for a phase (bytes).
const MAX_WORD: usize = 32;
/// Largest picture as it lies in the file (bytes).
const MAX_PICTURE: usize = 16 << 20;

/// A picture as a file, as it lies in the data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedPicture {
    /// Its media type.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Reads the course of an episode, its curves at `most_points` frames at most.
///
/// # Errors
/// When its files are damaged, or it is too long to be shown.
pub fn episode_course(
    folder: &Path,
    episode: &EpisodeListing,
    most_points: usize,
) -> Result<EpisodeCourse> {
    let info = known_info(folder)?;
    let file = rows_of(episode)?;
    let stride = episode.frames.div_ceil(most_points.max(1)).max(1);
    let at: Vec<usize> = (0..episode.frames).step_by(stride).collect();
    let words = |name: &str| -> Result<Vec<Band>> {
        if !file.has(name) {
            return Ok(Vec::new());
        }
        let texts = file.texts(name, MAX_WORD)?;
        bands(&file, name, texts)
    };
    let curve = |name: &str| -> Result<Vec<f32>> {
        if !file.has(name) {
            return Ok(Vec::new());
        }
        Ok(thinned(&file.floats(name, 1)?, 1, 0, stride))
    };
    let joints = info
        .vector_names(JOINT_POSITION)
        .filter(|names| (1..=MAX_JOINTS).contains(&names.len()) && file.has(JOINT_POSITION))
        .unwrap_or_default();
    let positions = if joints.is_empty() {
        Vec::new()
    } else {
        let all = file.floats(JOINT_POSITION, joints.len())?;
        (0..joints.len())
            .map(|joint| thinned(&all, joints.len(), joint, stride))
            .collect()
    };
    Ok(EpisodeCourse {
        frames: episode.frames,
        fps: info.fps,
        cameras: info.cameras().map(str::to_owned).collect(),
        who: words(WHO)?,
        phases: words(PHASE)?,
        steps: steps(folder, &file)?,
        joints,
        at,
        positions,
        scores: curve(SCORE)?,
        thresholds: curve(THRESHOLD)?,
    })
}

/// Reads one picture of an episode; `frame` counts from its beginning.
///
/// # Errors
/// When there is no such camera or frame, or what lies there is no picture.
pub fn encoded_picture(
    folder: &Path,
    episode: &EpisodeListing,
    camera: &str,
    frame: usize,
) -> Result<EncodedPicture> {
    let info = known_info(folder)?;
    let nothing = |reason: String| RecorderError::Nothing {
        path: folder.to_owned(),
        reason,
        help: "`vola dataset show` lists what there is",
    };
    if !info.cameras().any(|known| known == camera) {
        let known: Vec<&str> = info.cameras().collect();
        return Err(nothing(format!(
            "expected one of the cameras {known:?}, got another"
        )));
    }
    if frame >= episode.frames {
        let frames = episode.frames;
        return Err(nothing(format!(
            "expected a frame below {frames}, got {frame}"
        )));
    }
    let row = episode.place.first_row + frame;
    let file = Columns::open(&episode.place.data)?.only(row..row + 1);
    let feature = image_feature(camera);
    let mut found = None;
    file.pictures(&feature, &mut |_, bytes| {
        let wrong = |reason: String| {
            fault(
                file.path(),
                format!("{feature}, row {row}"),
                reason,
                DAMAGED,
            )
        };
        if bytes.len() > MAX_PICTURE {
            let got = bytes.len();
            return Err(wrong(format!(
                "expected at most {MAX_PICTURE} bytes, got {got}"
            )));
        }
        let media_type = media_type(bytes)
            .ok_or_else(|| wrong("expected a PNG or JPEG file, got something else".to_owned()))?;
        found = Some(EncodedPicture {
            media_type,
            bytes: bytes.to_vec(),
        });
        Ok(())
    })?;
    found.ok_or_else(|| nothing(format!("frame {frame} has no picture")))
}

/// The rows of an episode, once its length is known to be one for people.
fn rows_of(episode: &EpisodeListing) -> Result<Columns> {
    let path = &episode.place.data;
    if episode.frames > MAX_SHOWN_FRAMES {
        let reason = format!(
            "expected at most {MAX_SHOWN_FRAMES} frames to show, got {}",
            episode.frames
        );
        let help = "look at it with another viewer";
        return Err(fault(path, "(whole file)", reason, help));
    }
    let first = episode.place.first_row;
    let file = Columns::open(path)?.only(first..first + episode.frames);
    let rows = file.rows();
    if rows < first + episode.frames {
        let expected = first + episode.frames;
        let reason = format!("expected {expected} rows as in meta/episodes, got {rows}");
        return Err(fault(path, "rows", reason, DAMAGED));
    }
    Ok(file)
}

/// Which sentence ran when.
fn steps(folder: &Path, file: &Columns) -> Result<Vec<Band>> {
    let tasks = read_sentences(&folder.join("meta/tasks.parquet"), "task")?;
    let texts = file.integers("task_index")?.into_iter().map(|index| {
        let known = usize::try_from(index)
            .ok()
            .and_then(|index| tasks.get(index));
        known.cloned().unwrap_or_default()
    });
    bands(file, "task_index", texts)
}

fn bands(
    file: &Columns,
    column: &str,
    words: impl IntoIterator<Item = String>,
) -> Result<Vec<Band>> {
    let mut all: Vec<Band> = Vec::new();
    for (from, word) in words.into_iter().enumerate() {
        if all.last().is_none_or(|last| last.word != word) {
            if all.len() == MAX_BANDS {
                let reason = format!("expected at most {MAX_BANDS} changes, got more");
                return Err(fault(file.path(), column, reason, DAMAGED));
            }
            all.push(Band { from, word });
        }
    }
    Ok(all)
}

/// Every `stride`th value of one column of rows of this width.
fn thinned(values: &[f32], width: usize, column: usize, stride: usize) -> Vec<f32> {
    let rows = values.chunks_exact(width).step_by(stride);
    rows.filter_map(|row| row.get(column).copied()).collect()
}

fn media_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        Some("image/jpeg")
    } else {
        None
    }
}
