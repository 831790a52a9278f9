//! What a trial showed, and whether that is what must follow its fault.

use serde::Serialize;

use crate::{Broken, Fault, Outcome, fault::TOLD_MS, motion::ArmMotion};

/// From the first braking command back to the cause (ticks).
const BRAKING_TICKS: usize = 2;
/// From the cause to an arm at rest (ms).
const REST_MS: f64 = 500.0;
/// Motion after rest (rad).
const DRIFT_RAD: f64 = 0.05;
/// Way that a motion which goes on has made after the fault (rad).
const GOES_ON_RAD: f64 = 0.02;

/// What the lab saw of one trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) began_ns: Option<u64>,
    /// What was told since then: when, under which name, in which words.
    pub(crate) told: Vec<Note>,
    /// How the primitive ended: the outcome's word, or `error`.
    pub(crate) ended: String,
    /// Its reason, or the error.
    pub(crate) reason: String,
    /// When it ended (ns).
    pub(crate) ended_ns: u64,
    /// After the fault was gone and before a reset: whether the arm refused to
    /// move. None where nothing is latched.
    pub(crate) stays_stopped: Option<bool>,
    /// Whether the robot did its work after the fault, and a reset where one is
    /// needed; why not. None where it cannot.
    pub(crate) works_again: Option<Result<(), String>>,
}

/// What the runtime told.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) time_ns: u64,
    pub(crate) limit: String,
    pub(crate) action: String,
}

/// Whether a trial went as it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Every demand is met.
    Passed,
    /// At least one is not.
    Failed,
}

/// The result of one trial.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// What was broken.
    pub fault: Fault,
    /// The part.
    pub broken: Broken,
    /// In words.
    pub injected: &'static str,
    /// Seed of the trial.
    pub seed: u64,
    /// Whether the fault could be known in this motion at all: a blocked joint that
    /// has nowhere to go cannot.
    pub knowable: bool,
    /// The name under which the cause was told.
    pub found_as: Option<String>,
    /// What was told.
    pub said: String,
    /// From the fault to the telling (ms); none where nothing had to be told, or
    /// where it depends on the machine.
    pub found_after_ms: Option<f64>,
    /// From the telling to the first braking command (ticks).
    pub braking_after_ticks: Option<usize>,
    /// From the telling to an arm at rest (ms).
    pub at_rest_after_ms: Option<f64>,
    /// Motion after rest (rad).
    pub drift_rad: Option<f64>,
    /// Commands that broke a limit of the robot.
    pub violations: usize,
    /// Whether a stop stayed until the reset.
    pub stays_stopped: Option<bool>,
    /// Whether the robot worked again afterwards.
    pub works_again: Option<bool>,
    /// Passed or failed.
    pub verdict: Judgement,
    /// What is wrong; empty when passed.
    pub problems: Vec<String>,
}

impl Verdict {
    /// Reads the verdict from what was seen and recorded. `knowable_ms` is the
    /// time from the fault to when it can first be known; none when it never
    /// could in this trial, so that nothing has to be told.
    pub(crate) fn judge(
        fault: Fault,
        seed: u64,
        seen: &Seen,
        motion: &ArmMotion<'_>,
        knowable_ms: Option<f64>,
    ) -> Self {
        let mut verdict = Self {
            fault,
            broken: fault.broken(),
            injected: fault.words(),
            seed,
            knowable: true,
            found_as: None,
            said: String::new(),
            found_after_ms: None,
            braking_after_ticks: None,
            at_rest_after_ms: None,
            drift_rad: None,
            violations: 0,
            stays_stopped: seen.stays_stopped,
            works_again: seen.works_again.as_ref().map(Result::is_ok),
            verdict: Judgement::Passed,
            problems: Vec::new(),
        };
        match seen.began_ns {
            Some(began_ns) => verdict.follow(began_ns, seen, motion, knowable_ms),
            None => verdict.problem(format!(
                "the arm never moved fast enough to be disturbed: {} ({})",
                seen.ended, seen.reason
            )),
        }
        let (violations, first) = motion.violations();
        verdict.violations = violations;
        if let Some(first) = first {
            verdict.problem(format!("{violations} commands over a limit: {first}"));
        }
        if !verdict.problems.is_empty() {
            verdict.verdict = Judgement::Failed;
        }
        verdict
    }

    /// What came after the fault.
    fn follow(
        &mut self,
        began_ns: u64,
        seen: &Seen,
        motion: &ArmMotion<'_>,
        knowable_ms: Option<f64>,
    ) {
        let Some(knowable_ms) = knowable_ms else {
            self.knowable = false;
            self.said = "it could not be known in this motion".to_owned();
            self.lives_on(seen);
            return;
        };
        let outcome = self.fault.outcome();
        let told = match outcome {
            Outcome::Bridged => {
                self.goes_on(began_ns, seen, motion);
                self.lives_on(seen);
                return;
            }
            Outcome::Stop(names) => self.cause(names, "stop", seen),
            Outcome::Hold(name) => self.cause(&[name], "hold", seen),
            Outcome::Failure(name) => self.cause(&[name], "", seen),
        };
        let Some(told) = told else {
            return;
        };
        let is_timed = self.broken != Broken::Process;
        let after_ms = ms(told.time_ns.saturating_sub(began_ns));
        if is_timed {
            self.found_after_ms = Some(after_ms);
            let most = knowable_ms + TOLD_MS;
            if !(after_ms <= most) {
                self.problem(format!("told after {after_ms:.0} ms, at most {most:.0}"));
            }
        }
        if self.fault != Fault::RobotKilled {
            self.stops(told.time_ns, outcome, seen, motion);
        }
        if matches!(outcome, Outcome::Stop(_)) && seen.stays_stopped == Some(false) {
            self.problem("the arm moved again without a reset".to_owned());
        }
        let failed = seen.ended == "failed";
        if matches!(outcome, Outcome::Failure(_)) && !failed {
            self.problem(format!(
                "the primitive ended as {}: {}",
                seen.ended, seen.reason
            ));
        }
        self.lives_on(seen);
    }

    /// The first note under a wanted name that says what is done. A stop of
    /// either kind has the word in it, a cut of power as well.
    fn cause<'a>(&mut self, names: &[&str], word: &str, seen: &'a Seen) -> Option<&'a Note> {
        let says = |note: &Note| note.action.contains(word) || note.action.contains("power");
        let is_wanted = |note: &&Note| names.contains(&note.limit.as_str()) && says(note);
        let note = seen.told.iter().find(is_wanted);
        let shown = note.or(seen.told.first());
        self.found_as = shown.map(|note| note.limit.clone());
        self.said = shown.map_or_else(
            || format!("{}: {}", seen.ended, seen.reason),
            |note| note.action.clone(),
        );
        if note.is_none() {
            let got: Vec<&str> = seen.told.iter().map(|note| note.limit.as_str()).collect();
            self.problem(format!(
                "expected to be told of `{}`, got [{}] and {}: {}",
                names.join("` or `"),
                got.join(", "),
                seen.ended,
                seen.reason
            ));
        }
        note
    }

    /// Braking, rest and what moved after it.
    fn stops(&mut self, told_ns: u64, outcome: Outcome, seen: &Seen, motion: &ArmMotion<'_>) {
        // A refused chunk leaves the arm on its old path; with a lost process
        // nobody makes the next one, and the arm is held.
        let is_held = self.broken == Broken::Process;
        let is_stop = is_held || !matches!(outcome, Outcome::Failure(_));
        let Some(rest_ns) = motion.rest_ns(told_ns) else {
            self.problem("the arm did not come to rest".to_owned());
            return;
        };
        let drift = motion.drift(rest_ns);
        self.drift_rad = Some(drift);
        if !(drift <= DRIFT_RAD) {
            self.problem(format!("moved {drift:.3} rad after it stood"));
        }
        let rest_ms = ms(rest_ns.saturating_sub(told_ns));
        self.at_rest_after_ms = Some(rest_ms);
        if !is_stop {
            return;
        }
        if !(rest_ms <= REST_MS) {
            self.problem(format!(
                "at rest after {rest_ms:.0} ms, at most {REST_MS:.0}"
            ));
        }
        self.braking_after_ticks = motion.ticks_to_braking(told_ns);
        if self
            .braking_after_ticks
            .is_none_or(|ticks| ticks > BRAKING_TICKS)
        {
            self.problem(format!("braked after {:?} ticks", self.braking_after_ticks));
        }
        // After a hold for want of a chunk the next one may end the work.
        if seen.ended == "done" && self.broken != Broken::Policy {
            self.problem("the primitive counts as done".to_owned());
        }
    }

    /// A fault that is bridged leaves no trace but, at most, a warning.
    fn goes_on(&mut self, began_ns: u64, seen: &Seen, motion: &ArmMotion<'_>) {
        let stopped = seen.ended == "error" || seen.ended == "failed";
        if stopped {
            self.problem(format!("the motion ended: {}: {}", seen.ended, seen.reason));
        }
        let way = motion.way(began_ns, seen.ended_ns);
        if !(way >= GOES_ON_RAD) {
            self.problem(format!("the arm moved only {way:.3} rad afterwards"));
        }
        self.said = "the motion goes on".to_owned();
    }

    fn lives_on(&mut self, seen: &Seen) {
        if let Some(Err(why)) = &seen.works_again {
            self.problem(format!("afterwards it did not work again: {why}"));
        }
    }

    fn problem(&mut self, what: String) {
        self.problems.push(what);
    }
}

fn ms(duration_ns: u64) -> f64 {
    duration_ns as f64 * 1e-6
}
