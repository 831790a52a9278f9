//! From episodes to numbers, and to lines for people and programs.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vola_runtime::FilterUse;

use super::{EpisodeOutcome, Job, Perturb, name_of, scene_quality};
use crate::{
    failure::Failure,
    measure::{Rate, mean, wilson},
    output::{Align, Console, Table, Tone, percent, seconds},
};

/// A whole measurement.
pub(super) struct Measured {
    /// The arm's id.
    pub(super) arm: String,
    /// Tasks in order.
    pub(super) tasks: Vec<String>,
    /// Perturbations in order; none for scenes as they are.
    pub(super) perturbs: Vec<Option<Perturb>>,
    /// What was done.
    pub(super) jobs: Vec<Job>,
    /// What it came to, one a job.
    pub(super) outcomes: Vec<EpisodeOutcome>,
    /// Whether the safety filter's limits held.
    pub(super) filter: FilterUse,
    /// How long it all took on the wall clock (s).
    pub(super) wall_seconds: f64,
}

/// The numbers of some episodes.
struct Numbers {
    episodes: usize,
    success: Rate,
    seconds: Option<f64>,
    jerk: Option<f64>,
    held: usize,
    false_holds: usize,
    missed_failures: usize,
    ends: BTreeMap<String, usize>,
}

impl Numbers {
    fn of<'a>(outcomes: impl Iterator<Item = &'a EpisodeOutcome>) -> Self {
        let outcomes: Vec<&EpisodeOutcome> = outcomes.collect();
        let count = |test: &dyn Fn(&EpisodeOutcome) -> bool| {
            outcomes.iter().filter(|one| test(one)).count()
        };
        let list = |value: &dyn Fn(&EpisodeOutcome) -> f64| -> Vec<f64> {
            outcomes.iter().map(|one| value(one)).collect()
        };
        let mut ends = BTreeMap::new();
        for outcome in &outcomes {
            *ends.entry(outcome.end.clone()).or_default() += 1;
        }
        Self {
            episodes: outcomes.len(),
            success: wilson(count(&|one| one.success), outcomes.len()),
            seconds: mean(&list(&|one| one.seconds)),
            jerk: mean(&list(&|one| one.jerk)),
            held: count(&|one| one.held),
            // These scenes are clean: holding in them helps nobody.
            false_holds: count(&|one| one.held),
            missed_failures: count(&|one| one.claimed && !one.held && !one.success),
            ends,
        }
    }

    fn json(&self) -> Value {
        json!({
            "episodes": self.episodes,
            "success": self.success,
            "seconds": self.seconds,
            "handoffs": self.held,
            "jerk": self.jerk,
            "false_holds": self.false_holds,
            "missed_failures": self.missed_failures,
            "ends": self.ends,
        })
    }
}

impl Measured {
    fn of_task<'a>(
        &'a self,
        perturb: Option<Perturb>,
        task: &'a str,
    ) -> impl Iterator<Item = &'a EpisodeOutcome> {
        self.jobs
            .iter()
            .zip(&self.outcomes)
            .filter(move |(job, _)| job.task == task && job.perturb == perturb)
            .map(|(_, outcome)| outcome)
    }

    fn of_perturb(&self, perturb: Option<Perturb>) -> impl Iterator<Item = &EpisodeOutcome> {
        self.jobs
            .iter()
            .zip(&self.outcomes)
            .filter(move |(job, _)| job.perturb == perturb)
            .map(|(_, outcome)| outcome)
    }

    /// Every row: a task under a perturbation.
    fn rows(&self) -> impl Iterator<Item = (Option<Perturb>, &String)> {
        self.perturbs
            .iter()
            .flat_map(|perturb| self.tasks.iter().map(move |task| (*perturb, task)))
    }

    fn is_clean(&self) -> bool {
        self.perturbs == [None]
    }

    fn filter_word(&self) -> &'static str {
        match self.filter {
            FilterUse::On => "on",
            FilterUse::OffInSimulation => "off",
        }
    }

    /// The contract's objects: one a task, then the summary.
    fn objects(&self) -> Vec<Value> {
        let mut objects = Vec::new();
        let mut per_task = serde_json::Map::new();
        for (perturb, task) in self.rows() {
            let numbers = Numbers::of(self.of_task(perturb, task));
            per_task.insert(task.clone(), json!(numbers.success));
            let mut object = numbers.json();
            merge(&mut object, json!({"task": task, "arm": self.arm}));
            if !self.is_clean() {
                merge(&mut object, json!({"perturb": name_of(perturb)}));
            }
            if let Some(counts) = scene_quality::total(self.of_task(perturb, task)) {
                merge(&mut object, counts.json());
            }
            objects.push(object);
        }
        let mut summary = Numbers::of(self.outcomes.iter()).json();
        #[expect(clippy::cast_precision_loss, reason = "a count of episodes")]
        let per_second = self.outcomes.len() as f64 / self.wall_seconds.max(1e-9);
        merge(
            &mut summary,
            json!({"per_task": per_task, "arm": self.arm, "safety_filter": self.filter_word(), "wall_seconds": self.wall_seconds, "episodes_per_second": per_second}),
        );
        if !self.is_clean() {
            let all = |task: &String| {
                let own = self.jobs.iter().zip(&self.outcomes);
                Numbers::of(own.filter(|(job, _)| job.task == *task).map(|(_, one)| one)).success
            };
            let per_task: BTreeMap<&String, Rate> =
                self.tasks.iter().map(|task| (task, all(task))).collect();
            let per_perturb: BTreeMap<&str, Rate> = self
                .perturbs
                .iter()
                .map(|one| (name_of(*one), Numbers::of(self.of_perturb(*one)).success))
                .collect();
            merge(
                &mut summary,
                json!({"per_task": per_task, "per_perturb": per_perturb}),
            );
        }
        objects.push(json!({"summary": summary}));
        objects
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("task", Align::Left),
            ("episodes", Align::Right),
            ("success", Align::Right),
            ("95 % interval", Align::Right),
            ("time", Align::Right),
            ("held", Align::Right),
            ("said done, was not", Align::Right),
        ]);
        let mut row = |name: &str, numbers: &Numbers| {
            let tone = match numbers.success.rate {
                rate if rate >= 0.9 => Tone::Good,
                rate if rate >= 0.6 => Tone::Warning,
                _ => Tone::Bad,
            };
            table.toned_row([
                (name.to_owned(), Some(Tone::Strong)),
                (numbers.episodes.to_string(), None),
                (percent(numbers.success.rate), Some(tone)),
                (
                    format!(
                        "{} – {}",
                        percent(numbers.success.low),
                        percent(numbers.success.high)
                    ),
                    Some(Tone::Faint),
                ),
                (seconds(numbers.seconds.unwrap_or(f64::NAN)), None),
                (numbers.held.to_string(), None),
                (numbers.missed_failures.to_string(), None),
            ]);
        };
        for (perturb, task) in self.rows() {
            let name = match perturb {
                Some(perturb) => format!("{task}, {}", perturb.name()),
                None => task.clone(),
            };
            row(&name, &Numbers::of(self.of_task(perturb, task)));
        }
        if self.perturbs.len() > 1 && self.tasks.len() > 1 {
            for perturb in &self.perturbs {
                row(name_of(*perturb), &Numbers::of(self.of_perturb(*perturb)));
            }
        }
        if self.rows().count() > 1 {
            row("all", &Numbers::of(self.outcomes.iter()));
        }
        table
    }
}

/// Prints a measurement.
///
/// # Errors
/// When it cannot be written.
pub(super) fn print_results(measured: &Measured, console: Console) -> Result<(), Failure> {
    if console.is_json() {
        return measured
            .objects()
            .iter()
            .try_for_each(|object| console.object(object));
    }
    console.write(&measured.table().render(console.style()))?;
    if let Some(counts) = scene_quality::total(measured.outcomes.iter()) {
        console.line(&counts.words())?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of episodes")]
    let per_second = measured.outcomes.len() as f64 / measured.wall_seconds.max(1e-9);
    let filter = match measured.filter {
        FilterUse::On => "",
        FilterUse::OffInSimulation => ", safety filter off",
    };
    let text = format!(
        "{} in {}, {per_second:.2} episodes a second{filter}",
        measured.arm,
        seconds(measured.wall_seconds)
    );
    console.line(&console.style().paint(Tone::Faint, &text))
}

fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;

    fn measured() -> Measured {
        let outcome = |success, claimed, held, seconds| EpisodeOutcome {
            success,
            claimed,
            held,
            seconds,
            jerk: 2.0,
            end: if held { "held" } else { "done" }.to_owned(),
            scene: None,
        };
        let job = |task: &str, seed| Job {
            task: task.to_owned(),
            seed,
            through_planner: false,
            perturb: None,
            perturb_seed: None,
        };
        Measured {
            arm: "tabletop/franka".to_owned(),
            tasks: vec!["pick".to_owned(), "push".to_owned()],
            perturbs: vec![None],
            jobs: vec![
                job("pick", 1),
                job("pick", 2),
                job("push", 1),
                job("push", 2),
            ],
            outcomes: vec![
                outcome(true, true, false, 4.0),
                outcome(false, true, false, 6.0),
                outcome(false, false, true, 8.0),
                outcome(true, true, false, 6.0),
            ],
            filter: FilterUse::On,
            wall_seconds: 2.0,
        }
    }

    #[test]
    fn the_contract_s_objects_come_out() {
        let objects = measured().objects();
        assert_eq!(objects.len(), 3);
        let pick = &objects[0];
        assert_eq!(
            (pick["task"].as_str(), pick["arm"].as_str()),
            (Some("pick"), Some("tabletop/franka"))
        );
        assert_eq!(pick["success"]["rate"].as_f64(), Some(0.5));
        assert_eq!(
            (pick["seconds"].as_f64(), pick["handoffs"].as_u64()),
            (Some(5.0), Some(0))
        );
        let summary = &objects[2]["summary"];
        assert_eq!(summary["episodes"].as_u64(), Some(4));
        assert_eq!(summary["false_holds"].as_u64(), Some(1));
        assert_eq!(summary["missed_failures"].as_u64(), Some(1));
        assert!(summary["per_task"]["push"]["low"].is_number());
        assert_eq!(summary["episodes_per_second"].as_f64(), Some(2.0));
    }

    #[test]
    fn people_get_one_table() {
        let text = measured().table().render(Style::Plain);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(
            lines[1].starts_with("pick") && lines[1].contains("50.0 %"),
            "{text}"
        );
        assert!(lines[3].starts_with("all"));
    }
}
