//! `vola dataset show`: a table of episodes, and a picture of them.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use vola_recorder::{EpisodeFacts, EpisodeListing, list};

use super::{contact_sheet::contact_sheet, episode_numbers::episode_numbers};
use crate::{
    failure::{Failure, exit},
    film::write_png,
    output::{Align, Console, Table, Tone},
};

/// Longest sentence in the table (characters).
const LONGEST: usize = 48;

/// `vola dataset show`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShowArguments {
    /// The folder of `--record`, or any LeRobot data set
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Only these, as in `1,3-5`
    #[arg(long, value_name = "NUMBERS")]
    episodes: Option<String>,
    /// Write a sheet with pictures of every episode
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// The sheet's camera [default: the data set's first]
    #[arg(long, value_name = "KEY")]
    camera: Option<String>,
}

/// Runs the command.
pub(super) fn run(own: &ShowArguments, console: Console) -> Result<u8, Failure> {
    let mut episodes = list(&own.folder)?;
    if let Some(numbers) = own.episodes.as_deref().map(episode_numbers).transpose()? {
        episodes.retain(|episode| numbers.contains(&episode.episode));
    }
    if console.is_json() {
        for episode in &episodes {
            console.object(episode)?;
        }
        let frames: usize = episodes.iter().map(|episode| episode.frames).sum();
        console.object(&json!({"summary": {"folder": own.folder, "episodes": episodes.len(), "frames": frames}}))?;
    } else {
        console.write(&table(&episodes).render(console.style()))?;
    }
    if let Some(path) = &own.picture {
        let sheet = contact_sheet(&own.folder, &episodes, own.camera.as_deref())?;
        write_png(path, &sheet)?;
    }
    Ok(exit::DONE)
}

fn table(episodes: &[EpisodeListing]) -> Table {
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("task", Align::Left),
        ("s", Align::Right),
        ("frames", Align::Right),
        ("in control", Align::Left),
        ("ended", Align::Left),
        ("goal", Align::Left),
    ]);
    for episode in episodes {
        let facts = episode.facts.as_ref();
        let (goal, tone) = match facts.map(|facts| facts.success) {
            Some(true) => ("reached", Some(Tone::Good)),
            Some(false) => ("not reached", Some(Tone::Warning)),
            None => ("", None),
        };
        table.toned_row([
            (episode.episode.to_string(), None),
            (task(episode), None),
            (format!("{:.1}", episode.seconds), None),
            (episode.frames.to_string(), None),
            (facts.map(shares).unwrap_or_default(), None),
            (
                facts.map(|facts| facts.outcome.clone()).unwrap_or_default(),
                None,
            ),
            (goal.to_owned(), tone),
        ]);
    }
    table
}

fn task(episode: &EpisodeListing) -> String {
    let asked = episode.facts.as_ref().map(|facts| facts.task.as_str());
    let text = match asked {
        Some(task) if !task.is_empty() => task.to_owned(),
        _ => episode.tasks.join("; "),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let mut short: String = text.chars().take(LONGEST - 1).collect();
    short.push('…');
    short
}

/// Who was in control, and for which share of the frames.
fn shares(facts: &EpisodeFacts) -> String {
    let parts = facts.who.iter().map(|(who, frames)| {
        #[expect(clippy::cast_precision_loss, reason = "counts of frames")]
        let share = 100.0 * *frames as f64 / facts.frames.max(1) as f64;
        format!("{who} {share:.0} %")
    });
    parts.collect::<Vec<_>>().join(", ")
}
