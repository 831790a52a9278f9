//! `vola replay`: the commands of a recorded run, made again, with the settings
//! they were made with or, with `--config`, with those of a deployment.

use std::path::PathBuf;

use clap::Args;
use vola_bundle::Deployment;
use vola_runtime::{ControlReplay, ReplayWish, replay_control};

use crate::{
    arguments::SharedArguments,
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
pub(crate) fn run(
    shared: &SharedArguments,
    own: &ReplayArguments,
    console: Console,
) -> Result<u8, Failure> {
    let deployment = shared.config.as_deref().map(Deployment::load).transpose()?;
    let wish = ReplayWish {
        most: own.commands,
        deployment: deployment.as_ref(),
    };
    let replay = replay_control(&own.file, wish)?;
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
        motions,
        ..
    } = replay;
    for changed in &replay.changed {
        console.line(&console.style().paint(Tone::Warning, changed))?;
    }
    console.line(&format!(
        "{embodiment}: {commands} commands over {seconds:.3} s, hash {blake3}"
    ))?;
    let moved: f64 = motions.iter().map(|it| it.to_s - it.from_s).sum();
    let times = motions.len();
    console.line(&format!("motions: {times}, {moved:.3} s in all"))?;
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
