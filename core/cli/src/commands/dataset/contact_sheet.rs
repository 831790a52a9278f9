//! A sheet with pictures of episodes: a row each, from its first frame to its last.

use std::path::Path;

use vola_recorder::{EpisodeListing, episode_pictures};
use vola_runtime::Picture;

use crate::{failure::Failure, film::Sheet};

/// Pictures of an episode.
const PICTURES: usize = 8;
/// Most episodes of a sheet.
const ROWS: usize = 40;

/// Makes the sheet. Of many episodes the first ones are shown.
///
/// # Errors
/// When there are none, or their pictures cannot be read.
pub(super) fn contact_sheet(
    folder: &Path,
    episodes: &[EpisodeListing],
    camera: Option<&str>,
) -> Result<Picture, Failure> {
    let mut sheet = Sheet::new(PICTURES);
    for episode in episodes.iter().take(ROWS) {
        let shown = episode_pictures(folder, episode, camera, PICTURES)?;
        let pictures = shown.into_iter().map(|(time_s, pixels)| {
            let picture = Picture {
                width: pixels.width,
                height: pixels.height,
                rgb: pixels.rgb,
            };
            (format!("{time_s:.1} s"), picture)
        });
        let reached = match episode.facts.as_ref() {
            Some(facts) if facts.success => ", goal reached".to_owned(),
            Some(facts) => format!(", {}, goal not reached", facts.outcome),
            None => String::new(),
        };
        let title = format!(
            "{}  {}  {:.1} s{reached}",
            episode.episode,
            episode.tasks.join("; "),
            episode.seconds
        );
        sheet.row(&title, pictures.collect());
    }
    if episodes.is_empty() {
        return Err(Failure::Content {
            path: folder.to_owned(),
            reason: "no episode is selected".to_owned(),
            help: "`vola dataset show` lists what there is",
        });
    }
    Ok(sheet.picture())
}
