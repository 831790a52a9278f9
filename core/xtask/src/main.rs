//! Tasks of the workspace: `cargo demo` and `cargo xtask <task>`.
//!
//! Plain `cargo build` does not build another package's plugins, so the demo
//! builds the whole workspace first and starts the binary that lies beside them.

mod demo;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task>

tasks:
  demo [ARGS…]   build everything, then start `vola chat` (or `vola ARGS…`)";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("demo") => demo::run(&arguments.collect::<Vec<_>>()),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Some(other) => {
            eprintln!("unknown task `{other}`\n{USAGE}");
            ExitCode::from(2)
        }
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
