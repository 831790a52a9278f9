//! The deployment's recordings, for the page.
//!
//! Everything is read from the folder of `[record]` alone: an episode is a number, a
//! camera one of those that the data set names.

use std::path::PathBuf;

use vola_bundle::Deployment;
use vola_console::{EpisodePage, EpisodeRow, EpisodeShelf, EpisodeView, ShelfFault, StillPicture};
use vola_recorder::{
    EpisodeListing, RecorderError, count_episodes, encoded_picture, episode_course, list_some,
};

/// Points of a curve at most: more than a page is wide.
const MOST_POINTS: usize = 1_500;

/// The recordings of a deployment.
#[derive(Debug)]
pub(super) struct RecordedShelf {
    folder: PathBuf,
}

impl RecordedShelf {
    /// The shelf of a deployment; none where nothing is recorded.
    pub(super) fn of(deployment: &Deployment) -> Option<Self> {
        let folder = deployment.record().folder()?;
        Some(Self {
            folder: folder.to_owned(),
        })
    }

    /// How many episodes there are; none before the first one.
    fn total(&self) -> Result<usize, ShelfFault> {
        match count_episodes(&self.folder) {
            Ok(total) => Ok(total),
            Err(RecorderError::Nothing { .. }) => Ok(0),
            Err(error) => Err(fault(&error)),
        }
    }

    fn episode(&self, episode: usize) -> Result<EpisodeListing, ShelfFault> {
        let total = self.total()?;
        let missing =
            || ShelfFault::Missing(format!("expected an episode below {total}, got {episode}"));
        if episode >= total {
            return Err(missing());
        }
        let mut found = list_some(&self.folder, episode..episode + 1).map_err(|it| fault(&it))?;
        found.pop().ok_or_else(missing)
    }
}

impl EpisodeShelf for RecordedShelf {
    fn page(&self, before: Option<usize>, count: usize) -> Result<EpisodePage, ShelfFault> {
        let total = self.total()?;
        let end = before.unwrap_or(total).min(total);
        let start = end.saturating_sub(count);
        if start == end {
            return Ok(EpisodePage {
                total,
                ..EpisodePage::default()
            });
        }
        let listed = list_some(&self.folder, start..end).map_err(|error| fault(&error))?;
        Ok(EpisodePage {
            total,
            // Another writer's files may give one number to several episodes.
            episodes: listed.iter().rev().take(count).map(row).collect(),
        })
    }

    fn course(&self, episode: usize) -> Result<EpisodeView, ShelfFault> {
        let listed = self.episode(episode)?;
        let course = episode_course(&self.folder, &listed, MOST_POINTS).map_err(|it| fault(&it))?;
        Ok(EpisodeView {
            row: row(&listed),
            course,
        })
    }

    fn picture(
        &self,
        episode: usize,
        camera: &str,
        frame: usize,
    ) -> Result<StillPicture, ShelfFault> {
        let listed = self.episode(episode)?;
        let picture =
            encoded_picture(&self.folder, &listed, camera, frame).map_err(|it| fault(&it))?;
        Ok(StillPicture {
            media_type: picture.media_type,
            bytes: picture.bytes,
        })
    }
}

fn row(listed: &EpisodeListing) -> EpisodeRow {
    let facts = listed.facts.as_ref();
    let said = facts.map(|facts| facts.task.as_str()).unwrap_or_default();
    let by_person = facts.and_then(|facts| facts.who.get("human")).copied();
    #[expect(clippy::cast_precision_loss, reason = "counts of frames")]
    let by_person = by_person.unwrap_or(0) as f64 / listed.frames.max(1) as f64;
    EpisodeRow {
        episode: listed.episode,
        sentence: if said.is_empty() {
            listed.tasks.join("; ")
        } else {
            said.to_owned()
        },
        began_unix_s: facts.and_then(|facts| began_unix_s(&facts.stream)),
        outcome: facts.map(|facts| facts.outcome.clone()).unwrap_or_default(),
        success: facts.map(|facts| facts.success),
        seconds: listed.seconds,
        by_person,
    }
}

/// Streams are named by the time at which they began: `MILLISECONDS-PROCESS-NUMBER`.
fn began_unix_s(stream: &str) -> Option<f64> {
    let millis: u64 = stream.split('-').next()?.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
    let seconds = millis as f64 * 1e-3;
    Some(seconds)
}

fn fault(error: &RecorderError) -> ShelfFault {
    let words = error.to_string();
    match error {
        RecorderError::Nothing { .. } => ShelfFault::Missing(words),
        RecorderError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            ShelfFault::Missing(words)
        }
        _ => ShelfFault::Damaged(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_s_name_tells_when_it_began() {
        assert_eq!(
            began_unix_s("1764513600250-17-0003"),
            Some(1_764_513_600.25)
        );
        assert_eq!(began_unix_s(""), None);
        assert_eq!(began_unix_s("episode"), None);
    }

    #[test]
    fn an_empty_folder_is_an_empty_shelf() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = RecordedShelf {
            folder: folder.path().to_owned(),
        };
        assert_eq!(shelf.page(None, 30).unwrap(), EpisodePage::default());
        assert!(matches!(shelf.course(0), Err(ShelfFault::Missing(_))));
        std::fs::create_dir(folder.path().join("meta")).unwrap();
        std::fs::write(folder.path().join("meta/info.json"), "{").unwrap();
        let Err(ShelfFault::Damaged(reason)) = shelf.page(None, 30) else {
            panic!("a damaged file is told");
        };
        assert!(reason.contains("info.json"), "{reason}");
    }
}
