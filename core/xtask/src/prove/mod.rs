//! `cargo xtask prove`: measures what the README claims.
//!
//! Each claim has a name, a way of measuring it and bars that its figures must
//! reach. What comes out is written to `reports/NAME.json` with the commands, the
//! commit, the machine and the hashes of bundle and plugins, so that a figure can
//! be had again; `reports/README.md` is made from these files.

mod catalogue;
mod circumstances;
mod figure;
mod measure;
mod program;
mod report;
mod summary;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use catalogue::{PROOFS, Proof, SOAK};
use circumstances::Circumstances;
use measure::Bench;
use program::Program;
use report::Report;

use crate::workspace::{Profile, Workspace};

/// The bundle that is measured: the default deployment's.
const BUNDLE: &str = "configs/policies/tabletop";

/// What was asked for.
#[derive(Debug, Default)]
struct Options {
    proofs: Vec<&'static Proof>,
    is_list: bool,
    is_quick: bool,
    is_built: bool,
    out: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--list" => options.is_list = true,
                "--quick" => options.is_quick = true,
                "--no-build" => options.is_built = true,
                "--out" => {
                    let folder = words.next().ok_or("--out: expected a folder after it")?;
                    options.out = Some(PathBuf::from(folder));
                }
                name => {
                    let proof = PROOFS.iter().find(|proof| proof.name == name);
                    options.proofs.push(proof.ok_or_else(|| {
                        format!("`{name}`: expected one of {}", names().join(", "))
                    })?);
                }
            }
        }
        if options.proofs.is_empty() {
            // Hours are spent only on demand.
            let is_cheap = options.is_list || options.is_quick;
            let is_wanted = |proof: &&Proof| is_cheap || proof.name != SOAK;
            options.proofs = PROOFS.iter().filter(is_wanted).collect();
        }
        Ok(options)
    }

    /// Where reports go. Small counts prove nothing, so they never come to lie
    /// among the reports by themselves.
    fn folder(&self, workspace: &Workspace) -> PathBuf {
        match (&self.out, self.is_quick) {
            (Some(folder), _) => folder.clone(),
            (None, true) => workspace.target.join("reports"),
            (None, false) => workspace.root.join("reports"),
        }
    }
}

fn names() -> Vec<&'static str> {
    PROOFS.iter().map(|proof| proof.name).collect()
}

/// Measures, writes reports, prints which bars are met. Fails when a bar is
/// missed, unless counts were small.
///
/// # Errors
/// When the workspace does not build, a measurement fails, or a report cannot be
/// written.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let options = Options::parse(arguments)?;
    if options.is_list {
        for proof in options.proofs {
            println!("{:14} {}", proof.name, proof.what);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::here();
    if !options.is_built {
        workspace.build(Profile::Dev, &[])?;
    }
    let program = Program {
        path: workspace.vola(Profile::Dev),
        folder: workspace.root.clone(),
    };
    let circumstances = Circumstances::find(&workspace, &program)?;
    let bench = Bench {
        workspace: &workspace,
        program: &program,
        is_quick: options.is_quick,
    };
    let folder = options.folder(&workspace);
    let (mut failed, mut missed) = (Vec::new(), 0);
    for proof in &options.proofs {
        println!("{}: {}", proof.name, proof.what);
        match prove(proof, &bench) {
            Ok(report) => {
                missed += print(&report);
                write(&folder, &report, &circumstances)?;
                // After each, so that what was measured is not lost with a later one.
                summary::write(&folder)?;
            }
            Err(error) => {
                eprintln!("  not measured: {error}");
                failed.push(proof.name);
            }
        }
    }
    println!("reports: {}", folder.display());
    if !failed.is_empty() {
        return Err(format!("not measured: {}", failed.join(", ")));
    }
    if missed > 0 && !options.is_quick {
        return Err(format!(
            "{missed} bars are missed; see {}",
            folder.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn prove(proof: &Proof, bench: &Bench<'_>) -> Result<Report, String> {
    let date = circumstances::now();
    let started = Instant::now();
    let (commands, figures) = bench.measure(&proof.way)?;
    Ok(Report {
        name: proof.name,
        what: proof.what,
        commands,
        figures,
        is_quick: bench.is_quick,
        date,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Prints the figures; how many bars are missed.
fn print(report: &Report) -> usize {
    for figure in &report.figures {
        let sign = match figure.is_met() {
            Some(true) => "✓",
            Some(false) => "!",
            None => " ",
        };
        println!("  {sign} {}: {}", figure.name, summary::measured(figure));
    }
    let missed = |figure: &&figure::Figure| figure.is_met() == Some(false);
    report.figures.iter().filter(missed).count()
}

fn write(folder: &Path, report: &Report, circumstances: &Circumstances) -> Result<(), String> {
    let path = folder.join(format!("{}.json", report.name));
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(folder).map_err(failed)?;
    let text = serde_json::to_string_pretty(&report.json(circumstances))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    fs::write(&path, text + "\n").map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn proofs_are_chosen_by_name() {
        assert_eq!(Options::parse(&[]).unwrap().proofs.len(), PROOFS.len() - 1);
        let some = Options::parse(&words("scene --quick run-fast --out x")).unwrap();
        let names: Vec<&str> = some.proofs.iter().map(|proof| proof.name).collect();
        assert_eq!(names, ["scene", "run-fast"]);
        assert!(some.is_quick && !some.is_list);
        let workspace = Workspace::here();
        assert_eq!(some.folder(&workspace), PathBuf::from("x"));
        let quick = Options::parse(&words("--quick")).unwrap();
        assert!(quick.folder(&workspace).starts_with(&workspace.target));
        for wrong in ["scenes", "--out", "--fast"] {
            assert!(Options::parse(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
