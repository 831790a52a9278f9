//! Where things lie in a folder of recordings.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use crate::{RecorderError, Result};

/// How streams end that are not part of the data set yet.
const OPEN: &str = ".open.mcap";

/// The folder of the streams.
pub(crate) fn streams(folder: &Path) -> PathBuf {
    folder.join("mcap")
}

/// The folder for what could not be mended.
pub(crate) fn aside(folder: &Path) -> PathBuf {
    folder.join("aside")
}

/// A stream that is being written.
pub(crate) fn open_stream(folder: &Path, stem: &str) -> PathBuf {
    streams(folder).join(format!("{stem}{OPEN}"))
}

/// The stream of an episode of the data set.
pub(crate) fn episode_stream(folder: &Path, episode: usize) -> PathBuf {
    streams(folder).join(format!("episode-{episode:06}.mcap"))
}

/// The number in the name of an episode's stream.
pub(crate) fn stream_number(path: &Path) -> Option<usize> {
    let name = path.file_name()?.to_str()?;
    let digits = name.strip_prefix("episode-")?.strip_suffix(".mcap")?;
    digits.parse().ok()
}

/// The name of a stream that is not part of the data set yet.
pub(crate) fn open_stem(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.strip_suffix(OPEN)
}

/// Data, `meta/episodes` and own facts of an episode: each has a file of its own.
pub(crate) fn numbered(folder: &Path, kind: Numbered, episode: usize) -> PathBuf {
    let (chunk, file) = place(episode);
    let name = format!("file-{file:03}.parquet");
    match kind {
        Numbered::Data => folder
            .join("data")
            .join(format!("chunk-{chunk:03}"))
            .join(name),
        Numbered::Episodes => folder
            .join("meta/episodes")
            .join(format!("chunk-{chunk:03}"))
            .join(name),
        Numbered::Facts => folder
            .join("meta/vola")
            .join(format!("episode-{episode:06}.json")),
    }
}

/// Files that every episode has one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbered {
    Data,
    Episodes,
    Facts,
}

/// Number of the folder and of the file in it.
pub(crate) fn place(episode: usize) -> (usize, usize) {
    (episode / FILES_A_CHUNK, episode % FILES_A_CHUNK)
}

/// Files in one folder, as LeRobot's `chunks_size`.
pub(crate) const FILES_A_CHUNK: usize = 1000;

/// Whether a file is forced to the disk before it gets its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    /// It is.
    Yes,
    /// The system writes it when it does: it can be made anew.
    No,
}

/// Writes a file so that it is either there as a whole or not at all: beside its
/// place, then renamed.
pub(crate) fn write_whole(
    path: &Path,
    force: Force,
    write: impl FnOnce(&mut File) -> Result<()>,
) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(RecorderError::io(parent))?;
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = File::create(&part).map_err(RecorderError::io(&part))?;
    let written = write(&mut file).and_then(|()| {
        file.flush().map_err(RecorderError::io(&part))?;
        if force == Force::Yes {
            file.sync_data().map_err(RecorderError::io(&part))?;
        }
        fs::rename(&part, path).map_err(RecorderError::io(path))
    });
    if written.is_err() {
        // Half a file is of no use to anybody.
        let _ = fs::remove_file(&part);
    }
    written
}

/// The files of a folder, sorted by name; none when it is not there.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RecorderError::io(folder)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(RecorderError::io(folder))?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The parquet files below a folder's `chunk-*` folders, sorted by path.
pub(crate) fn chunk_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RecorderError::io(folder)(error)),
    };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry.map_err(RecorderError::io(folder))?.path();
        let is_chunk = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("chunk-"));
        if path.is_dir() && is_chunk {
            all.extend(files(&path)?);
        }
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are() {
        let folder = Path::new("f");
        let open = open_stream(folder, "17-3-0000");
        assert_eq!(open_stem(&open), Some("17-3-0000"));
        assert_eq!(stream_number(&open), None);
        let done = episode_stream(folder, 12);
        assert_eq!((open_stem(&done), stream_number(&done)), (None, Some(12)));
        let data = numbered(folder, Numbered::Data, 2003);
        assert!(data.ends_with("data/chunk-002/file-003.parquet"));
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.json");
        write_whole(&path, Force::Yes, |file| {
            file.write_all(b"1").map_err(RecorderError::io(&path))
        })
        .unwrap();
        let refused = write_whole(&path, Force::Yes, |file| {
            file.write_all(b"2").map_err(RecorderError::io(&path))?;
            Err(RecorderError::Busy { path: path.clone() })
        });
        assert!(refused.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"1");
        assert_eq!(files(path.parent().unwrap()).unwrap().len(), 1);
    }
}
