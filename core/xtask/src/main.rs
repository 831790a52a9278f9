//! Tasks of the workspace: `cargo demo` and `cargo xtask <task>`.
//!
//! Plain `cargo build` does not build another package's plugins, so every task
//! builds the whole workspace first and uses the binary that lies beside them.

mod demo;
mod dist;
mod prove;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task>

tasks:
  demo [ARGS…]     build everything, then start `vola chat --page` (or `vola ARGS…`)
  dist [OPTIONS]   pack binary, plugins, bundle and licences into one archive
      --profile dev|release   what is packed [default: release]
      --no-build              pack what was built before
      --out DIR               where the archive goes [default: target/dist]
  prove [NAME…]    measure what the README claims and write reports/*.json
      --list                  say what can be measured
      --quick                 small counts, to see that it works; nothing is proved
      --no-build              measure what was built before
      --out DIR               where reports go [default: reports; quick: target/reports]";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let (name, result) = match task.as_deref() {
        Some("demo") => ("demo", demo::run(&rest)),
        Some("dist") => ("xtask dist", dist::run(&rest)),
        Some("prove") => ("xtask prove", prove::run(&rest)),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!("unknown task `{other}`\n{USAGE}");
            return ExitCode::from(2);
        }
        None => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|message| {
        eprintln!("cargo {name}: {message}");
        ExitCode::FAILURE
    })
}
