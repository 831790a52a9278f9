//! Speed of a large local model, against llama.cpp in the same run. It only
//! reports: no bar is set for it.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Bench, Measured, number, typed};
use crate::prove::figure::{Figure, median};
use crate::prove::program::objects;
use crate::workspace::words;

/// Names the Python that has `numpy` and `llama-cpp-python`.
const PYTHON: &str = "VOLA_PYTHON";
/// Runs the model in llama.cpp.
const SCRIPT: &str = "planner/language-model/tests/reference/llama_cpp_speed.py";
/// What both read, and then write.
const TOKENS: &str = "64";
/// Exit code of the script where the package is missing.
const NO_PACKAGE: i32 = 3;

/// Speeds of both programs (tokens a second).
#[derive(Default)]
struct Speeds {
    here: Vec<f64>,
    there: Vec<f64>,
}

impl Bench<'_> {
    /// Both programs in turn, so that what else the machine does falls on both.
    /// Where llama.cpp is missing it is said, and this program is measured alone.
    pub(super) fn local_speed(&self) -> Result<Measured, String> {
        let folder = self.workspace.target.join("prove-local-speed");
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        let model = self.seen_from_root(&folder.join("random.q8_0.gguf"));
        let arguments = [
            "bench", "planner", "--random", "--model", &model, "--tokens", TOKENS,
        ];
        let (mut reading, mut writing) = (Speeds::default(), Speeds::default());
        let mut sentences = Vec::new();
        let rounds = if self.is_quick { 1 } else { 3 };
        for _ in 0..rounds {
            let printed = self.program.objects(&arguments)?;
            let here = printed.first().ok_or("bench planner printed nothing")?;
            let threads = here["threads"].as_str().unwrap_or_default();
            let there = llama_cpp(
                self,
                &["run", &model, "--tokens", TOKENS, "--threads", threads],
            )?;
            for (speeds, key) in [
                (&mut reading, "read_tokens_per_second"),
                (&mut writing, "written_tokens_per_second"),
            ] {
                speeds.here.push(number(here, key)?);
                if let Some(there) = &there {
                    speeds.there.push(number(there, key)?);
                }
            }
            sentences.push((
                number(&here["sentences"][0], "seconds")?,
                number(&here["sentences"][1], "seconds")?,
            ));
        }
        let mut figures = speed_figures("written", &writing);
        figures.extend(speed_figures("read", &reading));
        let first: Vec<f64> = sentences.iter().map(|it| it.0).collect();
        let second: Vec<f64> = sentences.iter().map(|it| it.1).collect();
        let name = "first sentence, instructions included";
        figures.push(Figure::new(name, median(&first), "s"));
        figures.push(Figure::new("second sentence", median(&second), "s"));
        let commands = vec![
            typed(&arguments),
            format!("python3 {SCRIPT} run {model} --tokens {TOKENS}"),
        ];
        Ok((commands, figures))
    }
}

fn speed_figures(name: &str, speeds: &Speeds) -> Vec<Figure> {
    let here = median(&speeds.here);
    let mut figures = vec![Figure::new(format!("{name} here"), here, "tokens/s")];
    if !speeds.there.is_empty() {
        let there = median(&speeds.there);
        figures.push(Figure::new(
            format!("{name} in llama.cpp"),
            there,
            "tokens/s",
        ));
        figures.push(Figure::new(format!("{name}, ratio"), here / there, ""));
    }
    figures
}

/// The object that the script prints; none where the package is missing, which
/// is said loudly.
fn llama_cpp(bench: &Bench<'_>, arguments: &[&str]) -> Result<Option<Value>, String> {
    let python = std::env::var(PYTHON).unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command
        .arg(SCRIPT)
        .args(arguments)
        .current_dir(&bench.workspace.root)
        .stderr(Stdio::inherit());
    let output = command
        .output()
        .map_err(|error| format!("cannot run {}: {error}", words(&command)))?;
    if output.status.code() == Some(NO_PACKAGE) {
        eprintln!(
            "SKIPPED: the comparison with llama.cpp\n  help: `pip install llama-cpp-python numpy`, and name that Python in {PYTHON}"
        );
        return Ok(None);
    }
    if !output.status.success() {
        return Err(format!("{}: {}", words(&command), output.status));
    }
    let printed = objects(&String::from_utf8_lossy(&output.stdout))?;
    let printed = printed.into_iter().next();
    printed
        .map(Some)
        .ok_or_else(|| format!("{} printed nothing", words(&command)))
}
