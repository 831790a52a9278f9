//! `vola eval --suite handoff`: how well it is known that an episode fails.
//!
//! Every episode runs to its end with nothing held, and the curves of its
//! signals are judged afterwards as a session would judge them. So what is
//! measured is the same episode with and without the alarm, and other methods
//! are judged on the very same episodes.

use serde_json::{Value, json};
use vola_confidence::{
    DriftReport, DriftWatch, Reliability, RobotCalibration, Scored, USUAL_SIGNALS, held_interval,
    judged_signals, probability_score,
};
use vola_runtime::{ConfidenceUse, FilterUse};
use vola_types::{PluginId, Signal};

use super::{EvalArguments, Job, Perturb, name_of, perturb::conditions_or_all};
use crate::{
    arguments::{Clock, SharedArguments},
    commands::workers::{self, Progress},
    confidence::{Detection, Judge, Judged, Surveyed, survey_episode},
    failure::{Failure, exit},
    output::{Align, Console, Table, Tone, percent, seconds},
    workplace::{SessionWish, Workplace},
};

/// Clean episodes for each perturbed one of a perturbation.
const CLEAN: usize = 6;

/// Runs the suite.
///
/// # Errors
/// When the bundle is not calibrated, or the runtime fails.
pub(super) fn run(
    shared: &SharedArguments,
    own: &EvalArguments,
    console: Console,
) -> Result<u8, Failure> {
    let arm = own.arm.as_deref().map(PluginId::parse).transpose()?;
    let workplace = match &arm {
        Some(arm) => Workplace::open_for(shared, arm)?,
        None => Workplace::open(shared)?,
    };
    let wish = || {
        let mut wish = SessionWish::new(Clock::Virtual, own.seed);
        wish.confidence = ConfidenceUse::Watch;
        wish.filter = if own.no_filter {
            FilterUse::OffInSimulation
        } else {
            FilterUse::On
        };
        wish
    };
    let (robot, deployed_rate) = {
        let session = workplace.session(wish())?;
        let (robot, rate) = session.calibration().ok_or_else(uncalibrated)?;
        (robot.clone(), rate)
    };
    let rate = rate(own)?.unwrap_or(deployed_rate);
    let jobs = jobs(own)?;
    let progress = Progress::new(jobs.len(), "measuring", console.is_json());
    let started = std::time::Instant::now();
    let open = || {
        let mut session = workplace.session(wish())?;
        Ok(move |job: &Job| survey_episode(&mut session, job))
    };
    let mut episodes: Vec<Surveyed> = Vec::with_capacity(jobs.len());
    workers::run_in_order(usize::from(own.workers), &jobs, open, |_, episode| {
        episodes.push(episode);
        progress.step();
        Ok(())
    })?;
    progress.finish();
    let named = workplace.deployment().confidence().signals();
    let signals = judged_signals(named.unwrap_or(&USUAL_SIGNALS), robot.risk.as_ref());
    let measured = Measured {
        arm: workplace.deployment().robot().plugin().to_string(),
        episodes: &episodes,
        robot: &robot,
        signals,
        rate,
        deployed_rate,
        wall_seconds: started.elapsed().as_secs_f64(),
    };
    measured.print(console)?;
    Ok(exit::DONE)
}

/// The rate that was asked for.
pub(super) fn rate(own: &EvalArguments) -> Result<Option<f64>, Failure> {
    match own.false_hold_rate {
        Some(rate) if !(rate > 0.0 && rate < 1.0) => Err(Failure::Argument {
            argument: "--false-hold-rate".to_owned(),
            expected: "a share between 0 and 1".to_owned(),
            got: rate.to_string(),
            help: "0.05 holds one of twenty good episodes".to_owned(),
        }),
        rate => Ok(rate),
    }
}

pub(super) fn uncalibrated() -> Failure {
    Failure::Argument {
        argument: "--suite handoff".to_owned(),
        expected: "a bundle whose confidence is calibrated for this robot".to_owned(),
        got: "none".to_owned(),
        help: "run `vola calibrate`".to_owned(),
    }
}

/// Clean episodes, then those of each perturbation; tasks in turn.
fn jobs(own: &EvalArguments) -> Result<Vec<Job>, Failure> {
    let perturbs = conditions_or_all(&own.perturb)?;
    let tasks = super::tasks(own)?;
    let of = |perturb: Option<Perturb>| {
        let count = own.episodes * if perturb.is_none() { CLEAN } else { 1 };
        let tasks = &tasks;
        (0..count).map(move |index| Job {
            task: tasks[index % tasks.len()].clone(),
            seed: own.seed + index as u64,
            through_planner: false,
            perturb,
            perturb_seed: None,
        })
    };
    Ok(perturbs.into_iter().flat_map(of).collect())
}

/// A whole measurement.
#[derive(Clone)]
struct Measured<'a> {
    arm: String,
    episodes: &'a [Surveyed],
    robot: &'a RobotCalibration,
    signals: Vec<Signal>,
    /// Share of good episodes that may be held.
    rate: f64,
    /// The same as the deployment has it.
    deployed_rate: f64,
    wall_seconds: f64,
}

/// False holds of a judge on clean episodes.
struct FalseHolds {
    good: usize,
    held: usize,
    interval: [usize; 2],
}

impl FalseHolds {
    fn json(&self) -> Value {
        #[expect(clippy::cast_precision_loss, reason = "counts of episodes")]
        let share = |count: usize| count as f64 / self.good.max(1) as f64;
        json!({
            "held": self.held, "of": self.good, "rate": share(self.held),
            "interval": self.interval.map(share),
            "inside": (self.interval[0]..=self.interval[1]).contains(&self.held),
        })
    }
}

/// Every figure of one method.
struct Method {
    name: String,
    all: Detection,
    /// Without the episodes that a watchdog stopped: every method is told of those.
    without_stops: Detection,
    by_perturb: Vec<(String, Detection)>,
}

impl Method {
    fn new(
        name: &str,
        measured: &Measured<'_>,
        judge: impl Fn(&Surveyed) -> Option<Judged>,
    ) -> Self {
        let of = |wanted: &dyn Fn(&Surveyed) -> bool| -> Vec<Judged> {
            let ran = measured.episodes.iter().filter(|one| one.has_run());
            ran.filter(|one| wanted(one)).filter_map(&judge).collect()
        };
        let clean_successes = of(&|one| one.perturb == name_of(None) && one.success);
        let by_perturb = measured
            .perturbs()
            .into_iter()
            .map(|perturb| {
                let own = of(&|one| one.perturb == perturb);
                let detection = Detection::of(&own, &clean_successes);
                (perturb, detection)
            })
            .collect();
        Self {
            name: name.to_owned(),
            all: Detection::of(&of(&|one| one.perturb != name_of(None)), &[]),
            without_stops: Detection::of(
                &of(&|one| one.perturb != name_of(None) && !one.is_stopped()),
                &[],
            ),
            by_perturb,
        }
    }
}

impl Measured<'_> {
    /// Perturbations in the order of the episodes.
    fn perturbs(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for episode in self.episodes {
            if episode.perturb != name_of(None) && !names.contains(&episode.perturb) {
                names.push(episode.perturb.clone());
            }
        }
        names
    }

    fn judge(&self, signals: &[Signal]) -> Result<Judge<'_>, Failure> {
        Judge::new(self.robot, signals, self.rate).map_err(Failure::calibration)
    }

    fn false_holds(&self, judge: &Judge<'_>) -> FalseHolds {
        let good: Vec<&Surveyed> = self
            .episodes
            .iter()
            .filter(|one| one.perturb == name_of(None) && one.success && one.has_run())
            .collect();
        let is_held = |one: &&&Surveyed| {
            let verdict = judge.verdict(one);
            verdict.is_some_and(|verdict| verdict.held_at_s.is_some())
        };
        FalseHolds {
            good: good.len(),
            held: good.iter().filter(is_held).count(),
            interval: held_interval(&judge.trials(good.iter().copied())),
        }
    }

    /// The deployment's signals, the baselines, then each signal alone.
    fn methods(&self) -> Result<Vec<Method>, Failure> {
        let judge = self.judge(&self.signals)?;
        let mut methods = vec![Method::new("confidence", self, |one| {
            Judged::by(&judge, one)
        })];
        let velocity = self.judge(&[Signal::Velocity])?;
        methods.push(Method::new("velocity_limit", self, |one| {
            Judged::by(&velocity, one)
        }));
        let by_chance = |one: &Surveyed| Some(Judged::by_chance(one, self.rate));
        methods.push(Method::new("random", self, by_chance));
        for signal in &self.robot.signals {
            let alone = self.judge(std::slice::from_ref(signal))?;
            methods.push(Method::new(signal.as_str(), self, |one| {
                Judged::by(&alone, one)
            }));
        }
        Ok(methods)
    }

    fn print(&self, console: Console) -> Result<(), Failure> {
        let methods = self.methods()?;
        let Some((confidence, others)) = methods.split_first() else {
            return Ok(());
        };
        let holds = self.false_holds(&self.judge(&self.signals)?);
        if console.is_json() {
            return self
                .objects(confidence, others, &holds)
                .iter()
                .try_for_each(|object| console.object(object));
        }
        console.write(&self.table(confidence, others).render(console.style()))?;
        console.line("")?;
        console.write(&methods_table(&methods).render(console.style()))?;
        let [low, high] = holds.interval;
        console.line(&format!(
            "false holds on clean episodes: {} of {}, {low} to {high} expected at {}",
            holds.held,
            holds.good,
            percent(self.rate)
        ))?;
        let text = format!("{} in {}", self.arm, seconds(self.wall_seconds));
        console.line(&console.style().paint(Tone::Faint, &text))
    }

    /// One object a perturbation, one a method, then the summary.
    fn objects(&self, confidence: &Method, others: &[Method], holds: &FalseHolds) -> Vec<Value> {
        let mut objects = Vec::new();
        for (perturb, detection) in &confidence.by_perturb {
            let baselines: serde_json::Map<String, Value> = others
                .iter()
                .take(2)
                .filter_map(|method| {
                    let own = method.by_perturb.iter().find(|(name, _)| name == perturb)?;
                    Some((method.name.clone(), json!(own.1)))
                })
                .collect();
            let mut object = json!(detection);
            let (not_seen, stopped) = self.ends(perturb);
            let extra = json!({
                "perturb": perturb, "arm": self.arm, "not_seen": not_seen, "stopped": stopped,
                "baselines": baselines, "found_by": self.found_by(perturb),
            });
            if let (Some(object), Value::Object(extra)) = (object.as_object_mut(), extra) {
                object.extend(extra);
            }
            objects.push(object);
        }
        for method in std::iter::once(confidence).chain(others) {
            objects.push(json!({
                "method": method.name, "all": method.all, "without_stops": method.without_stops,
            }));
        }
        if let Some(deployed) = self.deployed() {
            objects.push(deployed);
        }
        objects.push(json!({"summary": {
            "arm": self.arm, "episodes": self.episodes.len(), "signals": self.signals,
            "false_hold_rate": self.rate, "false_holds": holds.json(),
            "auroc": confidence.all.auroc, "balanced_accuracy": confidence.all.balanced_accuracy,
            "detection_time": confidence.all.detection_time, "found": confidence.all.found,
            "drift": self.drift(), "reliability": self.reliability(),
            "wall_seconds": self.wall_seconds,
        }}));
        objects
    }

    /// The same episodes at the deployment's own rate, where another was asked for.
    fn deployed(&self) -> Option<Value> {
        if (self.rate - self.deployed_rate).abs() < f64::EPSILON {
            return None;
        }
        let own = Measured {
            rate: self.deployed_rate,
            ..self.clone()
        };
        let judge = own.judge(&own.signals).ok()?;
        let method = Method::new("confidence", &own, |one| Judged::by(&judge, one));
        Some(json!({
            "deployed": {"false_hold_rate": own.rate, "false_holds": own.false_holds(&judge).json(), "all": method.all},
        }))
    }

    /// How good the probabilities of failure are that a session of this deployment
    /// tells, on these episodes; none where it tells none.
    fn reliability(&self) -> Option<Value> {
        let curves = self.robot.probability.as_ref();
        let curves = curves.filter(|curves| curves.fits(&self.signals, self.deployed_rate))?;
        let judge = Judge::new(self.robot, &self.signals, self.deployed_rate).ok()?;
        let told: Vec<Scored> = self
            .episodes
            .iter()
            .filter(|one| one.has_run() && !one.is_stopped())
            .filter_map(|one| {
                let score = probability_score(judge.verdict(one)?.ratio);
                Some((curves.platt.probability(score), !one.success))
            })
            .collect();
        let mut told_of = json!(Reliability::of(&told));
        if let Some(object) = told_of.as_object_mut() {
            object.insert("episodes".to_owned(), json!(told.len()));
        }
        Some(told_of)
    }

    /// What the drift watch says of the clean episodes: nothing has drifted.
    fn drift(&self) -> Option<DriftReport> {
        let judge = self.judge(&self.signals).ok()?;
        let mut drift = DriftWatch::new(self.rate);
        for one in self.episodes {
            let is_clean = one.perturb == name_of(None) && one.success;
            if let Some(verdict) = judge.verdict(one).filter(|_| is_clean && one.has_run()) {
                drift.observe(verdict.held_at_s.is_some());
            }
        }
        Some(drift.report())
    }

    /// Episodes whose object was not found, and those that a watchdog stopped.
    fn ends(&self, perturb: &str) -> (usize, usize) {
        let own = || self.episodes.iter().filter(|one| one.perturb == perturb);
        (
            own().filter(|one| !one.has_run()).count(),
            own().filter(|one| one.is_stopped()).count(),
        )
    }

    /// How many failures each signal was the first to find.
    fn found_by(&self, perturb: &str) -> Value {
        let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        let Ok(judge) = self.judge(&self.signals) else {
            return Value::Null;
        };
        for one in self.episodes {
            if one.perturb != perturb || one.success || !one.has_run() {
                continue;
            }
            let verdict = judge
                .verdict(one)
                .filter(|verdict| verdict.held_at_s.is_some());
            let name = match verdict.and_then(|verdict| verdict.signal) {
                Some(signal) => signal.as_str(),
                None => one.end.as_str(),
            };
            *counts.entry(name).or_default() += 1;
        }
        json!(counts)
    }

    fn table(&self, confidence: &Method, others: &[Method]) -> Table {
        let mut table = Table::new(&[
            ("perturbation", Align::Left),
            ("episodes", Align::Right),
            ("failed", Align::Right),
            ("AUROC", Align::Right),
            ("balanced", Align::Right),
            ("found", Align::Right),
            ("false alarms", Align::Right),
            ("found at", Align::Right),
            ("velocity", Align::Right),
            ("random", Align::Right),
        ]);
        let mut row = |name: &str, own: &Detection, beside: [Option<f64>; 2]| {
            let [velocity, random] = beside;
            table.row([
                name.to_owned(),
                own.episodes.to_string(),
                own.failed.to_string(),
                share(own.auroc),
                share(own.balanced_accuracy),
                percent(own.found.rate),
                percent(own.false_alarms.rate),
                share(own.detection_time),
                share(velocity),
                share(random),
            ]);
        };
        for (perturb, detection) in &confidence.by_perturb {
            let beside = |index: usize| {
                let method: &Method = others.get(index)?;
                let own = method.by_perturb.iter().find(|(name, _)| name == perturb)?;
                own.1.auroc
            };
            row(perturb, detection, [beside(0), beside(1)]);
        }
        let beside = |index: usize| others.get(index).and_then(|method| method.all.auroc);
        row("all", &confidence.all, [beside(0), beside(1)]);
        let beside = |index: usize| others.get(index).and_then(|one| one.without_stops.auroc);
        let without = &confidence.without_stops;
        row(
            "all, without watchdog stops",
            without,
            [beside(0), beside(1)],
        );
        table
    }
}

fn methods_table(methods: &[Method]) -> Table {
    let mut table = Table::new(&[
        ("method, all perturbations", Align::Left),
        ("AUROC", Align::Right),
        ("balanced", Align::Right),
        ("found", Align::Right),
        ("false alarms", Align::Right),
        ("found at", Align::Right),
    ]);
    for method in methods {
        table.row([
            method.name.clone(),
            share(method.all.auroc),
            share(method.all.balanced_accuracy),
            percent(method.all.found.rate),
            percent(method.all.false_alarms.rate),
            share(method.all.detection_time),
        ]);
    }
    table
}

fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
}
