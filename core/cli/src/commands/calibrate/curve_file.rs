//! Recorded episodes as lines of JSON.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use crate::{confidence::Surveyed, failure::Failure};

/// Writes episodes.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(path: &Path, episodes: &[Surveyed]) -> Result<(), Failure> {
    let file = File::create(path).map_err(Failure::file(path, "write"))?;
    let mut out = BufWriter::new(file);
    for episode in episodes {
        let line = serde_json::to_string(episode).map_err(Failure::Encoding)?;
        writeln!(out, "{line}").map_err(Failure::file(path, "write"))?;
    }
    out.flush().map_err(Failure::file(path, "write"))
}

/// Reads episodes.
///
/// # Errors
/// When the file cannot be read, or a line is no episode.
pub(super) fn read(path: &Path) -> Result<Vec<Surveyed>, Failure> {
    let file = File::open(path).map_err(Failure::file(path, "read"))?;
    let mut episodes = Vec::new();
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(Failure::file(path, "read"))?;
        let episode = serde_json::from_str(&line).map_err(|error| Failure::Content {
            path: path.to_owned(),
            reason: format!("line {}: expected an episode, got {error}", index + 1),
            help: "`vola calibrate --curves FILE` writes such files",
        })?;
        episodes.push(episode);
    }
    Ok(episodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn episodes_round_trip_and_a_bad_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.jsonl");
        let episode = Surveyed {
            task: "pick".to_owned(),
            seed: 7,
            ..Surveyed::default()
        };
        write(&path, &[episode.clone(), episode]).unwrap();
        let back = read(&path).unwrap();
        assert_eq!((back.len(), back[1].seed), (2, 7));
        std::fs::write(&path, "{}\n").unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
