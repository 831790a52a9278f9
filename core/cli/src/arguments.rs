//! What may be typed after `vola`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    bench::BenchArguments, calibrate::CalibrateArguments, chat::ChatArguments,
    config::ConfigCommand, dataset::DatasetCommand, doctor::DoctorArguments, eval::EvalArguments,
    plan::PlanArguments, plugin::PluginCommand, policy::PolicyCommand, record::RecordArguments,
    replay::ReplayArguments, run::RunArguments, serve::ServeArguments, train::TrainArguments,
};

/// Vola: say what a robot should do; a learned policy does it.
#[derive(Debug, Parser)]
#[command(
    name = "vola",
    version,
    about,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) shared: SharedArguments,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct SharedArguments {
    /// The deployment: which robot runs which policy, and how [default: configs/tabletop.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print one JSON object a line, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How much is logged on standard error [default: warn]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log: Option<LogLevel>,
    /// A plugin library, or a folder with some, searched first (may be repeated)
    #[arg(long = "plugins", global = true, value_name = "PATH")]
    pub(crate) plugin_folders: Vec<PathBuf>,
    /// Load also libraries that the lock file does not list, isolated; the run log says so
    #[arg(long, global = true)]
    pub(crate) allow_unlocked: bool,
}

/// Seed of the simulated scene where none is named: a table with what the README and the
/// help speak of.
pub(crate) const USUAL_SEED: u64 = 39;

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What a person should look at.
    Warn,
    /// What happens.
    Info,
    /// Why it happens.
    Debug,
    /// Everything.
    Trace,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Talk with the robot
    Chat(ChatArguments),
    /// Say one sentence and watch it done
    Run(RunArguments),
    /// Show what a sentence would lead to; nothing moves
    Plan(PlanArguments),
    /// Measure how often tasks succeed
    Eval(EvalArguments),
    /// Record demonstrations for training
    Record(RecordArguments),
    /// Train a policy
    Train(TrainArguments),
    /// Look at and measure policy bundles
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// List, check and write plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Check a deployment
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Measure the time of control ticks and policy steps
    Bench(BenchArguments),
    /// Make the commands of a recorded run again, and compare
    Replay(ReplayArguments),
    /// Check this machine, the deployment and what it names
    Doctor(DoctorArguments),
    /// Check, repair, show or export recorded data
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// Calibrate when an unsure policy holds, or when an unsure planner asks
    Calibrate(CalibrateArguments),
    /// Serve the operator's web page, metrics and stops
    Serve(ServeArguments),
    /// Host one isolated plugin; started by Vola itself
    #[command(hide = true)]
    PluginHost,
}

/// Whatever follows a command that later versions have.
#[derive(Debug, Args)]
pub(crate) struct LaterArguments {
    /// Not read.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) rest: Vec<String>,
}

/// Who drives the arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The machine's.
    Real,
    /// As fast as it can be computed, and repeatable.
    Virtual,
}

impl Clock {
    /// The clock that `--fast` asks for.
    pub(crate) fn from_fast(fast: bool) -> Self {
        if fast { Self::Virtual } else { Self::Real }
    }
}

impl From<Clock> for vola_runtime::ClockMode {
    fn from(clock: Clock) -> Self {
        match clock {
            Clock::Real => Self::Real,
            Clock::Virtual => Self::Virtual,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_contract_s_calls_parse() {
        for line in [
            "chat",
            "chat --json --fast --seed 3",
            "run \"put it there\" --seed 7 --fast --answer 2 --gif a.gif --picture a.png --json",
            "plan \"pick it up\" --scene scene.json --backend rules --json",
            "plan --replay 0123456789abcdef --json",
            "eval --suite tabletop --episodes 200 --seed 1000000 --workers 2 --json",
            "eval --task pick --task push --words-only --phrases held-out --combos held_out --arm tabletop/ur5e",
            "eval --suite scene --black-images --shuffle-target --expert",
            "record --expert --episodes 10 --seed 1 --out data --tasks pick,place_in --workers 2 --arms tabletop/franka",
            "train configs/train/tabletop.toml --minutes 20 --resume",
            "policy show bundle --json",
            "policy infer bundle --inputs a.safetensors --out b.safetensors",
            "policy bench bundle --runs 10 --json",
            "policy import dir --out bundle",
            "policy adapt bundle --from a --from b --old c --name v2 --steps 300 --minutes 0.5 --episodes 10",
            "policy adapt bundle --from a --perturb camera_moved --perturb-seed 1 --json",
            "policy versions bundle --use v2 --share 0.5 --json",
            "record --expert --takeovers --perturb camera_moved --perturb-seed 1 --tasks pick --out a",
            "eval --perturb camera_moved --perturb-seed 1 --version v2",
            "plugin list --json",
            "plugin check libx.so --json",
            "plugin lock --out plugins.lock libx.so folder --allow-unlocked",
            "plugin new my_arm --kind embodiment --sdk ../plugin",
            "config check --config configs/tabletop.toml",
            "bench control",
            "bench pipeline --json",
            "doctor --json",
            "doctor --faults --fault state_nan --times 3 --seed 9 --json",
            "bench soak --seconds 60 --json",
            "serve --listen 127.0.0.1:80 --dead-man-ms 500 --token-file token",
            "dataset check folder --json",
            "dataset repair folder",
            "dataset show folder --episodes 1,3-5 --picture sheet.png --camera front",
            "dataset export folder --out other --episodes 2 --who human --successful",
            "dataset export a.mcap b.mcap --out other --language",
            "record --out folder --seed 3 --fast",
            "run \"go home\" --record folder",
            "run \"go home\" --record-control a.control",
            "replay a.control --commands 100 --json",
        ] {
            let mut words = vec!["vola".to_owned()];
            let mut quoted = false;
            for part in line.split('"') {
                if quoted {
                    words.push(part.to_owned());
                } else {
                    words.extend(part.split_whitespace().map(str::to_owned));
                }
                quoted = !quoted;
            }
            if let Err(error) = Arguments::try_parse_from(&words) {
                panic!("{line}: {error}");
            }
        }
    }
}
