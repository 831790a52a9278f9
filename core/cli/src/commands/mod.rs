//! One file a command. Each takes what was typed and returns the exit code.

mod adapt;
pub(crate) mod bench;
mod bench_planner;
pub(crate) mod calibrate;
pub(crate) mod chat;
pub(crate) mod config;
pub(crate) mod dataset;
pub(crate) mod doctor;
mod doctor_faults;
pub(crate) mod eval;
mod later;
pub(crate) mod plan;
pub(crate) mod plugin;
mod plugin_lock;
pub(crate) mod policy;
mod policy_bench;
mod policy_infer;
mod policy_versions;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod serve;
mod soak;
mod step_times;
pub(crate) mod train;
mod version_runs;
mod workers;

use crate::{
    arguments::{Arguments, Command},
    failure::{Failure, exit},
    output::{Console, Format},
};

/// Calls the command; its exit code.
///
/// # Errors
/// Whatever kept it from being carried out.
pub(crate) fn dispatch(arguments: &Arguments) -> Result<u8, Failure> {
    let shared = &arguments.shared;
    let console = Console::stdout(if shared.json {
        Format::Json
    } else {
        Format::Text
    });
    match &arguments.command {
        Command::Chat(own) => chat::run(shared, own, console),
        Command::Run(own) => run::run(shared, own, console),
        Command::Plan(own) => plan::run(shared, own, console),
        Command::Eval(own) => eval::run(shared, own, console),
        Command::Record(own) => record::run(shared, own, console),
        Command::Train(own) => train::run(shared, own, console),
        Command::Policy(own) => policy::run(shared, own, console),
        Command::Plugin(own) => plugin::run(shared, own, console),
        Command::Config(own) => config::run(shared, own, console),
        Command::Bench(own) => bench::run(shared, own, console),
        Command::Replay(own) => replay::run(shared, own, console),
        Command::Doctor(own) => doctor::run(shared, own, console),
        Command::Dataset(own) => dataset::run(own, console),
        Command::Calibrate(own) => calibrate::run(shared, own, console),
        Command::Serve(own) => serve::run(shared, own, console),
        Command::PluginHost => plugin_host(),
    }
}

/// Hosts an isolated plugin until the process that started this one is gone.
fn plugin_host() -> Result<u8, Failure> {
    vola_isolation::serve_plugin_host()
        .map(|()| exit::DONE)
        .map_err(|source| Failure::System {
            what: "a plugin host; Vola starts it by itself",
            source,
        })
}
