//! `vola doctor --faults`: breaks one part after the other in simulation and
//! judges what the runtime makes of it.

use std::collections::BTreeMap;

use serde::Serialize;
use vola_faults::{Broken, Fault, Judgement, Lab, Verdict};

use super::{
    doctor::DoctorArguments,
    workers::{self, Progress},
};
use crate::{
    arguments::{Clock, SharedArguments},
    failure::{Failure, exit},
    output::{Align, Console, Table, Tone},
    workplace::{SessionWish, Workplace},
};

/// What all trials of one fault showed.
#[derive(Debug, Serialize)]
struct Summary {
    fault: &'static str,
    broken: Broken,
    injected: &'static str,
    trials: usize,
    passed: usize,
    /// Trials in which the fault could not be known, so that nothing was found.
    unknowable: usize,
    found_as: Option<String>,
    /// Longest time from the fault to its telling (ms).
    found_after_ms: Option<f64>,
    /// Most ticks from the telling to braking.
    braking_after_ticks: Option<usize>,
    /// Longest time from the telling to rest (ms).
    at_rest_after_ms: Option<f64>,
    /// Greatest motion after rest (rad).
    drift_rad: Option<f64>,
    /// Commands over a limit, in all trials.
    violations: usize,
    /// The first trial that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<Verdict>,
}

/// Runs the command.
pub(super) fn run(
    shared: &SharedArguments,
    own: &DoctorArguments,
    console: Console,
) -> Result<u8, Failure> {
    let workplace = Workplace::open(shared)?;
    let options = workplace.options(SessionWish::new(Clock::Virtual, 0));
    let mut lab = Lab::new(workplace.deployment().file(), options)?;
    let mut faults = wanted(&own.fault)?;
    if own.usual_deadlines {
        lab = lab.at_usual_deadlines()?;
        if own.fault.is_empty() {
            faults.retain(|fault| fault.depends_on_deadlines());
        }
    }
    let seeds = || own.seed..own.seed.saturating_add(u64::from(own.times));
    let jobs: Vec<(Fault, u64)> = faults
        .iter()
        .flat_map(|fault| seeds().map(|seed| (*fault, seed)))
        .collect();
    let progress = Progress::new(jobs.len(), "trials", console.is_json());
    let mut verdicts: BTreeMap<usize, Vec<Verdict>> = BTreeMap::new();
    let times = own.times.max(1) as usize;
    let open = || Ok(|(fault, seed): &(Fault, u64)| Ok(lab.run(*fault, *seed)?));
    workers::run_in_order(2, &jobs, open, |index, verdict: Verdict| {
        verdicts.entry(index / times).or_default().push(verdict);
        progress.step();
        Ok(())
    })?;
    progress.finish();
    let summaries: Vec<Summary> = verdicts.into_values().filter_map(summary).collect();
    report(&summaries, console)
}

/// The faults named on the command line; all without a name.
fn wanted(names: &[String]) -> Result<Vec<Fault>, Failure> {
    if names.is_empty() {
        return Ok(Fault::ALL.to_vec());
    }
    names
        .iter()
        .map(|name| {
            Fault::from_name(name).ok_or_else(|| Failure::Argument {
                argument: "--fault".to_owned(),
                expected: "the name of a fault".to_owned(),
                got: format!("`{name}`"),
                help: format!("one of {}", Fault::ALL.map(Fault::name).join(", ")),
            })
        })
        .collect()
}

fn summary(verdicts: Vec<Verdict>) -> Option<Summary> {
    let first = verdicts.first()?;
    let most = |of: fn(&Verdict) -> Option<f64>| verdicts.iter().filter_map(of).reduce(f64::max);
    let is_passed = |verdict: &&Verdict| verdict.verdict == Judgement::Passed;
    Some(Summary {
        fault: first.fault.name(),
        broken: first.broken,
        injected: first.injected,
        trials: verdicts.len(),
        passed: verdicts.iter().filter(is_passed).count(),
        unknowable: verdicts.iter().filter(|verdict| !verdict.knowable).count(),
        found_as: verdicts.iter().find_map(|verdict| verdict.found_as.clone()),
        found_after_ms: most(|verdict| verdict.found_after_ms),
        braking_after_ticks: verdicts
            .iter()
            .filter_map(|verdict| verdict.braking_after_ticks)
            .max(),
        at_rest_after_ms: most(|verdict| verdict.at_rest_after_ms),
        drift_rad: most(|verdict| verdict.drift_rad),
        violations: verdicts.iter().map(|verdict| verdict.violations).sum(),
        failed: verdicts
            .into_iter()
            .find(|verdict| verdict.verdict == Judgement::Failed),
    })
}

/// Prints the rows; the exit code.
fn report(summaries: &[Summary], console: Console) -> Result<u8, Failure> {
    if console.is_json() {
        for summary in summaries {
            console.object(summary)?;
        }
    } else {
        print_table(summaries, console)?;
    }
    let failed = summaries.iter().filter(|row| row.failed.is_some()).count();
    if failed == 0 {
        let trials: usize = summaries.iter().map(|row| row.trials).sum();
        if !console.is_json() {
            console.line(&format!(
                "{} faults, {trials} trials: each ended as it must",
                summaries.len()
            ))?;
            for row in summaries.iter().filter(|row| row.unknowable > 0) {
                console.line(&format!(
                    "in {} of {} trials of {} there was nothing to be found: the motion did not need the part",
                    row.unknowable, row.trials, row.fault
                ))?;
            }
        }
        return Ok(exit::DONE);
    }
    Err(Failure::Checks {
        failed,
        all: summaries.len(),
        code: exit::ERROR,
    })
}

fn print_table(summaries: &[Summary], console: Console) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("fault", Align::Left),
        ("what is broken", Align::Left),
        ("found as", Align::Left),
        ("after", Align::Right),
        ("at rest", Align::Right),
        ("then moved", Align::Right),
    ]);
    for row in summaries {
        let (sign, tone) = match row.failed {
            None => ("✓", Tone::Good),
            Some(_) => ("✗", Tone::Bad),
        };
        table.toned_row([
            (sign.to_owned(), Some(tone)),
            (row.fault.to_owned(), None),
            (row.injected.to_owned(), None),
            (row.found_as.clone().unwrap_or_else(|| "–".to_owned()), None),
            (unit(row.found_after_ms, "ms", 0), None),
            (unit(row.at_rest_after_ms, "ms", 0), None),
            (unit(row.drift_rad.map(|rad| 1e3 * rad), "mrad", 1), None),
        ]);
    }
    console.write(&table.render(console.style()))?;
    for row in summaries {
        let Some(failed) = &row.failed else { continue };
        let (missed, trials) = (row.trials - row.passed, row.trials);
        console.line(&format!(
            "✗ {}, {missed} of {trials} trials, first with seed {}:",
            row.fault, failed.seed
        ))?;
        for problem in &failed.problems {
            console.line(&format!("    {problem}"))?;
        }
    }
    Ok(())
}

fn unit(value: Option<f64>, unit: &str, digits: usize) -> String {
    value.map_or_else(
        || "–".to_owned(),
        |value| format!("{value:.digits$} {unit}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_and_unknown_ones_refused() {
        assert_eq!(wanted(&[]).unwrap().len(), Fault::ALL.len());
        let named = wanted(&["camera_frozen".to_owned()]).unwrap();
        assert_eq!(named, [Fault::CameraFrozen]);
        let refused = wanted(&["sunshine".to_owned()]).unwrap_err();
        assert_eq!(refused.exit_code(), exit::USAGE);
        assert!(refused.to_string().contains("state_nan"), "{refused}");
    }
}
