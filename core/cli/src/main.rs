//! The `vola` program: parses what was typed, calls the command, reports.
//!
//! Every command is one file in `commands`. Only this crate prints and exits;
//! all others return values. What is printed goes through `output`, errors end
//! here, and the exit code says what kind of end it was.

mod arguments;
mod chat;
mod commands;
mod confidence;
mod conversation;
mod documents;
mod failure;
mod film;
mod hang_watch;
mod health;
mod interrupt;
mod learning;
mod live_view;
mod log_writer;
mod measure;
mod monitor;
mod output;
#[allow(unreachable_pub, reason = "written as a small library of its own")]
mod plugin_new;
mod process_setup;
mod recorded_observation;
mod recording;
mod robot;
mod run_log;
mod rungs;
mod shipped_libraries;
mod workplace;

use std::{io::Write, num::NonZeroUsize, process::ExitCode, time::Duration};

use clap::Parser;
use tracing_subscriber::filter::LevelFilter;

use crate::{
    arguments::{Arguments, Command, LogLevel},
    failure::{Failure, exit},
    log_writer::LogWriter,
    output::{Console, Format, Style, Tone},
};

/// How long the end waits for log lines that nobody has read yet.
const LAST_LINES: Duration = Duration::from_millis(500);

#[expect(
    unsafe_code,
    reason = "the process is prepared before any thread exists"
)]
fn main() -> ExitCode {
    // Reading the arguments starts no thread, and tells how many are wanted.
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return report_usage(&error),
    };
    // SAFETY: the first act of the process; no thread was started before.
    unsafe { process_setup::prepare(threads(&arguments.command)) };
    if !matches!(arguments.command, Command::PluginHost) {
        // Not in a plugin's process: a thread from before its confinement were free of it.
        log_writer::start();
    }
    start_log(log_level(&arguments));
    process_setup::remember_terminal();
    let result = commands::dispatch(&arguments);
    process_setup::restore_terminal();
    log_writer::flush(LAST_LINES);
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => report(&failure, arguments.shared.json),
    }
}

/// Threads of each numeric library. Where several workers go side by side
/// each has one, for barriers between more threads than cores cost far more
/// than they bring.
fn threads(command: &Command) -> NonZeroUsize {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    match command {
        Command::Train(_) | Command::Eval(_) | Command::Record(_) => NonZeroUsize::MIN,
        Command::Calibrate(own) if own.runs_episodes() => NonZeroUsize::MIN,
        Command::Doctor(own) if own.makes_faults() => NonZeroUsize::MIN,
        _ => cores.min(NonZeroUsize::MIN.saturating_add(1)),
    }
}

/// As asked for. What the runtime says of faults that are made on purpose is
/// read by who made them.
fn log_level(arguments: &Arguments) -> LogLevel {
    let usual = match &arguments.command {
        Command::Doctor(own) if own.makes_faults() => LogLevel::Off,
        Command::Eval(own) if own.perturbs() => LogLevel::Off,
        Command::Calibrate(own) if own.runs_episodes() => LogLevel::Off,
        _ => LogLevel::Warn,
    };
    arguments.shared.log.unwrap_or(usual)
}

/// Sends log lines to standard error.
fn start_log(level: LogLevel) {
    let filter = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(filter)
        .with_writer(|| LogWriter)
        .with_ansi(Style::for_stderr() == Style::Colored)
        .without_time()
        .init();
}

/// Help and version are no errors; everything else that does not parse is.
fn report_usage(error: &clap::Error) -> ExitCode {
    // A closed pipe leaves nobody to tell.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::from(exit::DONE);
    }
    // What was typed does not parse, so that it is looked for by its letters.
    if std::env::args_os().any(|word| word == "--json") {
        let text = error.render().to_string();
        let message = text.trim().trim_start_matches("error: ");
        tell_program(message, exit::USAGE);
    }
    ExitCode::from(exit::USAGE)
}

/// The object that a program gets for an error.
fn tell_program(message: &str, code: u8) {
    let object = serde_json::json!({"error": {"message": message, "exit": code}});
    let _ = Console::stdout(Format::Json).object(&object);
}

/// Tells what went wrong, on standard error; a program gets an object as well.
fn report(failure: &Failure, json: bool) -> ExitCode {
    let code = failure.exit_code();
    if matches!(failure, Failure::ReaderGone) {
        return ExitCode::from(code);
    }
    let style = Style::for_stderr();
    let mut text = failure.to_string();
    if let Some(help) = failure.help() {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    let mut lines = text.lines();
    let mut report = format!(
        "{} {}\n",
        style.paint(Tone::Bad, "error:"),
        lines.next().unwrap_or_default()
    );
    for line in lines {
        let help = line.trim_start().strip_prefix("help:");
        match help {
            Some(help) => {
                report.push_str(&format!("{}{help}\n", style.paint(Tone::Typed, "help:")))
            }
            None => report.push_str(&format!("{line}\n")),
        }
    }
    let _ = std::io::stderr().lock().write_all(report.as_bytes());
    if json {
        tell_program(&text, code);
    }
    ExitCode::from(code)
}
