//! How the executive gets through failing steps, without physics: the true plans
//! of generated commands on a symbolic robot whose steps fail, whose objects
//! slip, and before which somebody moves things. Nobody is there to help.

use std::collections::BTreeMap;

use serde_json::json;
use vola_phrasebook::{Exercise, Sampler, Split, exercise};
use vola_planner::{ExecutiveSettings, Hazards, SymbolicRobot, is_reached};
use vola_types::Verdict;

use crate::{
    conversation::Conversation,
    failure::Failure,
    measure::{Rate, wilson},
    output::{Align, Console, Table, percent},
};

/// What goes wrong.
const HAZARDS: Hazards = Hazards {
    failure: 0.20,
    meddling: 0.05,
    doubt: 0.0,
    noise_m: 0.003,
};

/// Ways to go on after a failure, from none to all.
const WAYS: [(&str, u32, u32); 3] = [("without", 1, 0), ("retries alone", 2, 0), ("with", 2, 2)];

/// One way over all commands.
#[derive(Default)]
struct Course {
    /// Goals reached and runs, by class.
    classes: BTreeMap<&'static str, (usize, usize)>,
    replans: u32,
    /// Runs that claim a success that the world does not show.
    false_successes: usize,
}

/// Runs the plans of so many generated commands that have one; prints and
/// returns the figures.
///
/// # Errors
/// When the phrase book cannot be read, or the result not be written.
pub(super) fn run(
    conversation: &Conversation,
    (count, seed): (usize, u64),
    console: Console,
) -> Result<serde_json::Value, Failure> {
    let exercises = exercises(count, seed)?;
    let mut table = Table::new(&[
        ("steps fail 20 %", Align::Left),
        ("number", Align::Right),
        ("reached", Align::Right),
        ("95 % interval", Align::Right),
    ]);
    let mut summary = json!({"step_failure": HAZARDS.failure, "meddling": HAZARDS.meddling});
    for (way, attempts, replans) in WAYS {
        let settings = ExecutiveSettings {
            attempts_per_step: attempts,
            max_replans: replans,
            ..ExecutiveSettings::default()
        };
        let course = course(conversation, &settings, &exercises, seed);
        let mut rows: Vec<(String, Rate, usize)> = course
            .classes
            .iter()
            .map(|(class, (reached, all))| ((*class).to_owned(), wilson(*reached, *all), *all))
            .collect();
        let (reached, all) = course
            .classes
            .values()
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        rows.push(("all".to_owned(), wilson(reached, all), all));
        for (class, success, episodes) in &rows {
            if console.is_json() {
                console.object(
                    &json!({"examiner": "executive", "recovery": way, "task": class,
                    "episodes": episodes, "success": success}),
                )?;
            }
            table.row([
                format!("{way} replanning, {class}").replace("alone replanning", "alone"),
                episodes.to_string(),
                percent(success.rate),
                format!("{} – {}", percent(success.low), percent(success.high)),
            ]);
        }
        summary[way.replace(' ', "_")] = json!({"episodes": all, "success": wilson(reached, all),
            "replans": course.replans, "false_successes": course.false_successes});
    }
    if !console.is_json() {
        console.write(&table.render(console.style()))?;
    }
    Ok(summary)
}

/// Generated commands with a plan.
fn exercises(count: usize, seed: u64) -> Result<Vec<Exercise>, Failure> {
    let sampler = Sampler::new(Split::HeldOut).map_err(Failure::phrases)?;
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let one = exercise(&sampler, &mut rng);
        let moves = one.expected.verdict == Verdict::Execute
            && one.expected.steps.iter().any(|step| step.op().is_policy());
        if moves {
            found.push(one);
        }
    }
    Ok(found)
}

/// Runs all plans in one way.
fn course(
    conversation: &Conversation,
    settings: &ExecutiveSettings,
    exercises: &[Exercise],
    seed: u64,
) -> Course {
    let mut course = Course::default();
    for (index, one) in exercises.iter().enumerate() {
        let scene = &one.request.scene;
        let mut robot = SymbolicRobot::new(scene.clone(), HAZARDS, seed + index as u64);
        let plan = one.expected.clone().into_plan();
        let steps = plan.steps.clone();
        let report = conversation.execute(plan, settings, &mut robot);
        let reached = is_reached(&steps, scene, robot.world());
        // Several steps are what there is to lose.
        let class = if steps.len() > 2 {
            "several steps"
        } else {
            "one or two steps"
        };
        let counted = course.classes.entry(class).or_default();
        counted.0 += usize::from(reached);
        counted.1 += 1;
        course.replans += report.replans;
        course.false_successes += usize::from(report.success && !reached);
    }
    course
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replanning_reaches_most_goals_and_claims_none_that_is_not() {
        let conversation = Conversation::starting_with(None, None).unwrap();
        let exercises = exercises(150, 1_000_000).unwrap();
        let reached = |(_, attempts, replans): (&str, u32, u32)| {
            let settings = ExecutiveSettings {
                attempts_per_step: attempts,
                max_replans: replans,
                ..ExecutiveSettings::default()
            };
            let course = course(&conversation, &settings, &exercises, 1_000_000);
            course
                .classes
                .values()
                .map(|(reached, _)| reached)
                .sum::<usize>()
        };
        let [without, alone, with] = WAYS.map(reached);
        assert!(without < alone && alone < with, "{without} {alone} {with}");
        assert!(with * 100 >= 150 * 90, "{with} of 150");
    }
}
