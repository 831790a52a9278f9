//! `vola replay`: the commands of a recorded run, made again.

use std::path::PathBuf;

use clap::Args;
use vola_runtime::{ControlReplay, replay_control};

use crate::{
    failure::{Failure, exit},
    output::{Console, Tone},
};

/// `vola replay`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReplayArguments {
    /// What `--record-control FILE` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// End after so many commands, to compare with what a run printed
    #[arg(long, value_name = "N")]
    commands: Option<u64>,
}

/// Runs the command: 1 where the commands differ from those of the recording.
pub(crate) fn run(own: &ReplayArguments, console: Console) -> Result<u8, Failure> {
    let replay = replay_control(&own.file, own.commands)?;
    if console.is_json() {
        console.object(&replay)?;
    } else {
        show(&replay, console)?;
    }
    Ok(if replay.same == Some(false) {
        exit::ERROR
    } else {
        exit::DONE
    })
}

fn show(replay: &ControlReplay, console: Console) -> Result<(), Failure> {
    let ControlReplay {
        embodiment,
        commands,
        seconds,
        blake3,
        ..
    } = replay;
    console.line(&format!(
        "{embodiment}: {commands} commands over {seconds:.3} s, hash {blake3}"
    ))?;
    if let Some(cause) = replay.stopped {
        console.line(&format!("stopped at the end: {cause}"))?;
    }
    let (sign, tone) = match replay.same {
        Some(true) => ("the same as recorded", Tone::Good),
        Some(false) => ("not the same as recorded", Tone::Bad),
        None => (
            "nothing to compare with: the recording has no end",
            Tone::Warning,
        ),
    };
    console.line(&console.style().paint(tone, sign))
}
