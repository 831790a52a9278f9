//! `vola dataset`: checks, mends, shows and copies recorded data.

mod contact_sheet;
mod episode_numbers;
mod show;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use vola_recorder::{Language, Selection, check, export, export_streams, repair};

use crate::{
    failure::{Failure, exit},
    output::{Align, Console, Table, Tone},
};

use episode_numbers::episode_numbers;
use show::ShowArguments;

/// `vola dataset`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DatasetCommand {
    /// Count everything again; exit 1 where something is not as it should be
    Check(FolderArguments),
    /// Make episodes of recordings that were cut off, and damaged ones anew
    Repair(FolderArguments),
    /// List the episodes, or make a picture of them
    Show(ShowArguments),
    /// Copy episodes, or make a data set of streams
    Export(ExportArguments),
}

/// A folder of recordings.
#[derive(Clone, Debug, Args)]
pub(crate) struct FolderArguments {
    /// The folder of `--record`, or any LeRobot data set
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// `vola dataset export`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExportArguments {
    /// A data set, or .mcap files of recordings
    #[arg(value_name = "DIR|MCAP", required = true)]
    from: Vec<PathBuf>,
    /// The new data set's folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only these, as in `1,3-5`
    #[arg(long, value_name = "NUMBERS")]
    episodes: Option<String>,
    /// Only those in which this one was in control for a part
    #[arg(long, value_parser = ["policy", "human", "planner", "expert"])]
    who: Option<String>,
    /// Only those whose goal was reached
    #[arg(long)]
    successful: bool,
    /// From streams: with the planner's steps as language columns, for LeRobot from 0.5 on
    #[arg(long)]
    language: bool,
}

/// Runs the command.
pub(crate) fn run(command: &DatasetCommand, console: Console) -> Result<u8, Failure> {
    match command {
        DatasetCommand::Check(own) => run_check(&own.folder, console),
        DatasetCommand::Repair(own) => run_repair(&own.folder, console),
        DatasetCommand::Show(own) => show::run(own, console),
        DatasetCommand::Export(own) => run_export(own, console),
    }
}

fn run_check(folder: &Path, console: Console) -> Result<u8, Failure> {
    let findings = check(folder)?;
    let faults = findings.iter().filter(|finding| !finding.ok).count();
    if console.is_json() {
        for finding in &findings {
            console.object(finding)?;
        }
        console.object(
            &json!({"summary": {"folder": folder, "checks": findings.len(), "faults": faults}}),
        )?;
    } else {
        let mut table = Table::new(&[
            ("check", Align::Left),
            ("", Align::Left),
            ("found", Align::Left),
        ]);
        for finding in &findings {
            let (word, tone) = if finding.ok {
                ("right", Tone::Good)
            } else {
                ("wrong", Tone::Bad)
            };
            table.toned_row([
                (finding.check.to_owned(), None),
                (word.to_owned(), Some(tone)),
                (finding.found.clone(), None),
            ]);
        }
        console.write(&table.render(console.style()))?;
        if faults > 0 {
            console.line("`vola dataset repair` mends what has a stream")?;
        }
    }
    Ok(if faults == 0 { exit::DONE } else { exit::ERROR })
}

fn run_repair(folder: &Path, console: Console) -> Result<u8, Failure> {
    let report = repair(folder)?;
    if console.is_json() {
        console.object(&json!({"repaired": report}))?;
    } else {
        for one in &report.recovered {
            let end = if one.whole { "whole" } else { "cut off" };
            console.line(&format!(
                "episode {}: {} frames, {:.1} s, {end}",
                one.episode, one.frames, one.seconds
            ))?;
        }
        if !report.rebuilt.is_empty() {
            console.line(&format!(
                "made anew from its streams for episodes {:?}",
                report.rebuilt
            ))?;
        }
        for (path, reason) in &report.set_aside {
            console.line(&format!("set aside: {}: {reason}", path.display()))?;
        }
        let took = report.seconds;
        if report.is_clean() {
            console.line(&format!("nothing to mend ({took:.2} s)"))?;
        } else {
            console.line(&format!("mended in {took:.2} s"))?;
        }
    }
    Ok(exit::DONE)
}

fn run_export(own: &ExportArguments, console: Console) -> Result<u8, Failure> {
    let is_stream = |path: &PathBuf| path.extension().is_some_and(|end| end == "mcap");
    let report = match own.from.as_slice() {
        [folder] if !is_stream(folder) => {
            if own.language {
                return Err(wrong(
                    "--language",
                    "streams (.mcap) to export",
                    "a data set",
                ));
            }
            let selection = Selection {
                episodes: own.episodes.as_deref().map(episode_numbers).transpose()?,
                who: own.who.clone(),
                successful: own.successful,
            };
            export(folder, &own.out, &selection)?
        }
        streams if streams.iter().all(is_stream) => {
            if own.episodes.is_some() || own.who.is_some() || own.successful {
                let names = "--episodes, --who, --successful";
                return Err(wrong(names, "a data set to select from", "streams"));
            }
            let language = if own.language {
                Language::Columns
            } else {
                Language::None
            };
            export_streams(streams, &own.out, language)?
        }
        _ => {
            return Err(wrong(
                "DIR|MCAP",
                "one folder, or .mcap files",
                "both, or several folders",
            ));
        }
    };
    if console.is_json() {
        console.object(&json!({"exported": report, "folder": own.out}))?;
    } else {
        console.line(&format!(
            "{} episodes, {} frames in {}",
            report.episodes,
            report.frames,
            own.out.display()
        ))?;
    }
    Ok(exit::DONE)
}

fn wrong(argument: &str, expected: &str, got: &str) -> Failure {
    Failure::Argument {
        argument: argument.to_owned(),
        expected: expected.to_owned(),
        got: got.to_owned(),
        help: "`vola dataset export --help` shows both forms".to_owned(),
    }
}
