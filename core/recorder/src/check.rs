//! Is a data set what it says it is? Every number is counted again.

use std::path::Path;

use serde::Serialize;

use crate::{
    Columns, EpisodeListing, Result,
    data_set::{file_hash, read_layout, stats_rows},
    folder::{self, stream_number},
    info::{Info, read_sentences, read_text},
    listing::{known_info, list},
    png_picture::decode_png,
    statistics::{FeatureStats, NAMES, Stats, add_stats, flat_numbers},
    stream_reader::stream_fault,
};

/// A time stamp may differ from its frame number's time by so much (s).
const TIME_SLACK_S: f32 = 1e-4;

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked, in a word or two.
    pub check: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// What was found.
    pub found: String,
}

/// Checks a data set: counts, contiguity, types, hashes, pictures, statistics,
/// and streams that are not part of it.
///
/// # Errors
/// When there is no data set, or the disk cannot be read; damage is a finding.
pub fn check(folder: &Path) -> Result<Vec<Finding>> {
    let info = known_info(folder)?;
    let mut findings = Vec::new();
    let mut tell = |check, result: Result<std::result::Result<String, String>>| {
        let (ok, found) = match result {
            Ok(Ok(found)) => (true, found),
            Ok(Err(found)) => (false, found),
            // Damage and a missing file are what is looked for.
            Err(error) => (false, error.to_string()),
        };
        findings.push(Finding { check, ok, found });
    };
    let listed = list(folder);
    let episodes = match &listed {
        Ok(episodes) => episodes.as_slice(),
        Err(_) => &[],
    };
    tell(
        "counts",
        listed.as_ref().map_or_else(
            |error| Ok(Err(error.to_string())),
            |all| Ok(counts(&info, all)),
        ),
    );
    tell("tasks", tasks(folder, &info));
    tell("frames", each(episodes, |episode| frames(episode, &info)));
    tell("numbers", each(episodes, |episode| numbers(episode, &info)));
    tell(
        "pictures",
        each(episodes, |episode| pictures(episode, &info)),
    );
    tell("hashes", each(episodes, hash));
    tell("statistics", statistics(folder, episodes, &info));
    tell("left-over files", left_over(folder, episodes));
    if read_layout(folder).is_ok_and(|layout| layout.is_some()) {
        tell("streams", streams(folder, episodes));
    }
    Ok(findings)
}

type Verdict = std::result::Result<String, String>;

/// One verdict for all episodes: the first faults, or a count.
fn each(
    episodes: &[EpisodeListing],
    one: impl Fn(&EpisodeListing) -> Result<Verdict>,
) -> Result<Verdict> {
    let mut faults = Vec::new();
    for episode in episodes {
        let verdict = one(episode).unwrap_or_else(|error| Err(error.to_string()));
        if let Err(fault) = verdict {
            faults.push(format!("episode {}: {fault}", episode.episode));
        }
    }
    if faults.is_empty() {
        return Ok(Ok(format!("right in {} episodes", episodes.len())));
    }
    let more = faults.len().saturating_sub(3);
    faults.truncate(3);
    let mut text = faults.join("; ");
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    Ok(Err(text))
}

fn counts(info: &Info, episodes: &[EpisodeListing]) -> Verdict {
    let mut frames = 0;
    for (number, episode) in episodes.iter().enumerate() {
        if episode.episode != number || episode.place.first_frame != frames {
            return Err(format!(
                "row {number}: expected episode {number} from frame {frames}, got {} from {}",
                episode.episode, episode.place.first_frame
            ));
        }
        frames += episode.frames;
    }
    let told = (info.total_episodes, info.total_frames);
    if (episodes.len(), frames) == told {
        return Ok(format!("{} episodes, {frames} frames", episodes.len()));
    }
    Err(format!(
        "info.json says {} episodes and {} frames, there are {} and {frames}",
        told.0,
        told.1,
        episodes.len()
    ))
}

fn tasks(folder: &Path, info: &Info) -> Result<Verdict> {
    let tasks = read_sentences(&folder.join("meta/tasks.parquet"), "task")?;
    Ok(if tasks.len() == info.total_tasks {
        Ok(format!("{} sentences", tasks.len()))
    } else {
        let told = info.total_tasks;
        Err(format!("info.json says {told}, there are {}", tasks.len()))
    })
}

/// The five columns that place a frame.
fn frames(episode: &EpisodeListing, info: &Info) -> Result<Verdict> {
    let file = Columns::open(&episode.place.data)?;
    let rows = episode.place.first_row..episode.place.first_row + episode.frames;
    if file.rows() < rows.end {
        let (wanted, got) = (rows.end, file.rows());
        return Ok(Err(format!(
            "expected {wanted} rows in its file, got {got}"
        )));
    }
    for (name, first) in [("frame_index", 0), ("index", episode.place.first_frame)] {
        let values = file.integers(name)?;
        let right = |(i, value): (usize, &i64)| usize::try_from(*value) == Ok(first + i);
        if !values[rows.clone()].iter().enumerate().all(right) {
            return Ok(Err(format!("{name} does not count up from {first}")));
        }
    }
    let whole = |name: &str, right: &dyn Fn(usize) -> bool| -> Result<bool> {
        let values = file.integers(name)?;
        Ok(values[rows.clone()]
            .iter()
            .all(|value| usize::try_from(*value).is_ok_and(right)))
    };
    if !whole("episode_index", &|value| value == episode.episode)? {
        return Ok(Err("another episode_index".to_owned()));
    }
    if !whole("task_index", &|value| value < info.total_tasks)? {
        return Ok(Err(
            "a task_index that tasks.parquet does not have".to_owned()
        ));
    }
    let times = file.floats("timestamp", 1)?;
    let right = |(i, time): (usize, &f32)| {
        let expected = (i as f64 / info.fps) as f32;
        (time - expected).abs() <= TIME_SLACK_S.max(expected * 1e-6)
    };
    Ok(if times[rows].iter().enumerate().all(right) {
        Ok(String::new())
    } else {
        Err("timestamp is not frame_index / fps".to_owned())
    })
}

/// Every vector is there, finite and as long as info.json says.
fn numbers(episode: &EpisodeListing, info: &Info) -> Result<Verdict> {
    let file = Columns::open(&episode.place.data)?;
    for name in info.of_type("float32") {
        let width = info
            .feature(name)
            .map_or(0, |(_, shape)| shape.iter().product());
        file.floats(name, width)?;
    }
    for (name, _) in info
        .features
        .iter()
        .filter(|(_, it)| it["dtype"] != "video")
    {
        if !file.has(name) {
            return Ok(Err(format!("no column `{name}`")));
        }
    }
    Ok(Ok(String::new()))
}

fn pictures(episode: &EpisodeListing, info: &Info) -> Result<Verdict> {
    let file = Columns::open(&episode.place.data)?;
    let mut fault = None;
    for name in info.of_type("image") {
        let shape = info
            .feature(name)
            .map(|(_, shape)| shape)
            .unwrap_or_default();
        file.pictures(name, &mut |row, bytes| {
            // Other people's pictures may be JPEG: those are theirs to check.
            if fault.is_none() && bytes.starts_with(b"\x89PNG") {
                match decode_png(bytes) {
                    Ok(picture) => {
                        let got = [picture.height as usize, picture.width as usize, 3];
                        if got.as_slice() != shape {
                            fault = Some(format!(
                                "{name}, row {row}: expected {shape:?}, got {got:?}"
                            ));
                        }
                    }
                    Err(error) => fault = Some(format!("{name}, row {row}: {error}")),
                }
            }
            Ok(())
        })?;
    }
    Ok(fault.map_or(Ok(String::new()), Err))
}

fn hash(episode: &EpisodeListing) -> Result<Verdict> {
    let Some(facts) = &episode.facts else {
        return Ok(Ok(String::new()));
    };
    let found = file_hash(&episode.place.data)?;
    Ok(if found == facts.blake3 {
        Ok(found)
    } else {
        Err("its data file is not the one that was written".to_owned())
    })
}

/// Statistics of every episode by its numbers, and of all by the episodes'.
fn statistics(folder: &Path, episodes: &[EpisodeListing], info: &Info) -> Result<Verdict> {
    let mut all = Stats::new();
    for episode in episodes {
        let file = Columns::open(&episode.place.meta.0)?;
        let stats = stats_rows(&file)?
            .into_iter()
            .nth(episode.place.meta.1)
            .unwrap_or_default();
        if let Err(fault) = counted_again(episode, &stats, info)? {
            return Ok(Err(format!("episode {}: {fault}", episode.episode)));
        }
        add_stats(&mut all, &stats);
    }
    let path = folder.join("meta/stats.json");
    let Some(text) = read_text(&path)? else {
        return Ok(Err("meta/stats.json is missing".to_owned()));
    };
    let told: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    for (feature, stats) in &all {
        for name in NAMES {
            let flat = flat_numbers(&told[feature][name]);
            if !near(&flat, &stats.values(name)) {
                return Ok(Err(format!(
                    "stats.json: {feature}.{name} is not that of the episodes"
                )));
            }
        }
    }
    Ok(Ok(format!("{} features", all.len())))
}

fn counted_again(episode: &EpisodeListing, stats: &Stats, info: &Info) -> Result<Verdict> {
    let file = Columns::open(&episode.place.data)?;
    for name in info.of_type("float32") {
        let width = info
            .feature(name)
            .map_or(0, |(_, shape)| shape.iter().product());
        let values = file.floats(name, width)?;
        let first = episode.place.first_row * width;
        let own = &values[first..(first + episode.frames * width).min(values.len())];
        let wide: Vec<f64> = own.iter().map(|value| f64::from(*value)).collect();
        let (Some(counted), Some(told)) = (FeatureStats::of_rows(&wide, width), stats.get(name))
        else {
            return Ok(Err(format!("no statistics of {name}")));
        };
        // Quantiles depend on who computed them.
        for part in ["min", "max", "mean", "std", "count"] {
            if !near(&counted.values(part), &told.values(part)) {
                return Ok(Err(format!("{part} of {name} is not that of its frames")));
            }
        }
    }
    Ok(Ok(String::new()))
}

fn near(a: &[f64], b: &[f64]) -> bool {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5 + 1e-4 * a.abs().max(b.abs());
    a.len() == b.len() && a.iter().zip(b).all(close)
}

/// Files that no episode names.
fn left_over(folder: &Path, episodes: &[EpisodeListing]) -> Result<Verdict> {
    let data = folder::chunk_files(&folder.join("data"))?;
    let unknown = data
        .iter()
        .find(|path| !episodes.iter().any(|episode| episode.place.data == **path));
    Ok(match unknown {
        None => Ok("none".to_owned()),
        Some(path) => Err(format!("{} belongs to no episode", path.display())),
    })
}

/// Streams: each is whole, and each is an episode's.
fn streams(folder: &Path, episodes: &[EpisodeListing]) -> Result<Verdict> {
    let paths = folder::files(&folder::streams(folder))?;
    let mut cut = 0;
    for path in &paths {
        let number = stream_number(path);
        let Some(number) = number.filter(|number| *number < episodes.len()) else {
            let path = path.display();
            return Ok(Err(format!(
                "{path} is not part of the data set; `vola dataset repair` takes it up"
            )));
        };
        let was_cut = episodes
            .get(number)
            .and_then(|episode| episode.facts.as_ref())
            .is_some_and(|facts| facts.stream_cut || facts.outcome == crate::data_set::CUT_OFF);
        match stream_fault(path)? {
            None => {}
            // It was told when it was taken up.
            Some(_) if was_cut => cut += 1,
            Some(fault) => return Ok(Err(format!("{}: {fault}", path.display()))),
        }
    }
    Ok(Ok(match cut {
        0 => format!("{} streams", paths.len()),
        cut => format!("{} streams, {cut} of them cut off", paths.len()),
    }))
}
