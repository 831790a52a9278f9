//! How a served robot has been doing, against what its deployment demands.
//!
//! Figures look back: on the last runs, on the last decisions. Each has a bound,
//! and an alarm is raised when it is beyond; the log says so once, the page and
//! the metrics for as long as it lasts.

use std::collections::VecDeque;

use vola_bundle::Deployment;
use vola_confidence::{DRIFT_ALARM, ShiftWatch};
use vola_console::HealthFigure;
use vola_runtime::Session;
use vola_types::{Op, RunEvent, RunEventKind, RunOutcome};

/// Least share of the control loop's periods that have their tick.
const LEAST_IN_TIME: f64 = 0.99;
/// Runs below which nothing is said of them.
const LEAST_RUNS: usize = 5;
/// Decisions below which nothing is said of their time.
const LEAST_DECISIONS: u64 = 50;

/// Collects what happens.
pub(crate) struct Health {
    bounds: Bounds,
    runs: VecDeque<RunEnd>,
    shift: ShiftWatch,
    op: Option<Op>,
    was_asked: bool,
    alarms: Vec<&'static str>,
}

/// What a deployment demands.
struct Bounds {
    runs: usize,
    least_success: f64,
    most_handoffs: f64,
    decision_ms: f64,
    most_shift: f64,
}

#[derive(Clone, Copy)]
struct RunEnd {
    is_done: bool,
    was_asked: bool,
}

/// What the runtime's counters say.
pub(crate) struct Counters {
    /// Decisions so far, and the time that 95 of 100 of them take at most (ms).
    pub(crate) decisions: Option<(u64, f64)>,
    /// Share of all periods that had their tick; none before the first.
    pub(crate) in_time: Option<f64>,
    /// How much speaks against the confidence's calibration; none before the first
    /// primitive that went well.
    pub(crate) drift: Option<f64>,
}

impl Health {
    /// Nothing has happened yet.
    pub(crate) fn new(deployment: &Deployment, session: &Session) -> Self {
        let own = deployment.monitoring();
        let deadline = deployment.safety().deadlines().chunk;
        Self {
            bounds: Bounds {
                runs: own.runs(),
                least_success: own.least_success(),
                most_handoffs: own.most_handoffs(),
                decision_ms: own.decision_ms().unwrap_or(0.5e3 * deadline.as_secs_f64()),
                most_shift: own.most_shift(),
            },
            runs: VecDeque::with_capacity(own.runs()),
            shift: session
                .calibration()
                .map(|(robot, _)| ShiftWatch::new(robot))
                .unwrap_or_default(),
            op: None,
            was_asked: false,
            alarms: Vec::new(),
        }
    }

    /// Takes an event of a run.
    pub(crate) fn see(&mut self, event: &RunEvent) {
        match &event.kind {
            RunEventKind::StepStarted { step, .. } => self.op = Some(step.op()),
            RunEventKind::Confidence { signals, .. } => {
                if let Some(op) = self.op {
                    self.shift.observe(op, signals);
                }
            }
            RunEventKind::Handoff { .. } => self.was_asked = true,
            RunEventKind::Finished { outcome, .. } => self.finished(*outcome),
            _ => {}
        }
    }

    fn finished(&mut self, outcome: RunOutcome) {
        let was_asked = std::mem::take(&mut self.was_asked);
        if !says_how_well(outcome, was_asked) {
            return;
        }
        if self.runs.len() >= self.bounds.runs {
            self.runs.pop_front();
        }
        self.runs.push_back(RunEnd {
            is_done: outcome == RunOutcome::Done,
            was_asked,
        });
    }

    /// All figures, in the order in which they are shown. An alarm that begins
    /// is logged.
    pub(crate) fn figures(&mut self, counters: &Counters) -> Vec<HealthFigure> {
        let bounds = &self.bounds;
        let share = |is_so: fn(&RunEnd) -> bool| {
            let count = self.runs.iter().filter(|run| is_so(run)).count();
            (self.runs.len() >= LEAST_RUNS).then(|| count as f64 / self.runs.len() as f64)
        };
        let decision = counters
            .decisions
            .and_then(|(count, ms)| (count >= LEAST_DECISIONS).then_some(ms));
        let runs = self.runs.len();
        let (success, asked) = (share(|run| run.is_done), share(|run| run.was_asked));
        let shift = self.shift.greatest().map(|(_, by)| by);
        let figures = vec![
            HealthFigure {
                of: Some(runs),
                ..least("success", "runs done", success, bounds.least_success)
            },
            HealthFigure {
                of: Some(runs),
                ..most(
                    "handoffs",
                    "runs with a question",
                    asked,
                    bounds.most_handoffs,
                )
            },
            HealthFigure {
                unit: "ms",
                ..most(
                    "decision",
                    "95 of 100 decisions",
                    decision,
                    bounds.decision_ms,
                )
            },
            HealthFigure {
                unit: "",
                ..most("shift", "shift of the actions", shift, bounds.most_shift)
            },
            HealthFigure {
                unit: "",
                ..most(
                    "drift",
                    "drift of the doubt",
                    counters.drift,
                    // The alarm is raised at the bound, not beyond it.
                    DRIFT_ALARM.next_down(),
                )
            },
            least("control", "ticks in time", counters.in_time, LEAST_IN_TIME),
        ];
        self.raise(&figures);
        figures
    }

    fn raise(&mut self, figures: &[HealthFigure]) {
        let now: Vec<&'static str> = figures
            .iter()
            .filter(|figure| figure.is_alarm)
            .map(|figure| figure.name)
            .collect();
        for figure in figures {
            if figure.is_alarm && !self.alarms.contains(&figure.name) {
                tracing::warn!(
                    alarm = figure.name,
                    value = figure.value,
                    bound = figure.bound,
                    "health: {} beyond its bound",
                    figure.words
                );
            }
        }
        self.alarms = now;
    }
}

/// Whether a run that ended so says how well the robot does: what is asked back,
/// refused, chatted about or ended by a person unasked does not.
pub(crate) fn says_how_well(outcome: RunOutcome, was_asked: bool) -> bool {
    match outcome {
        RunOutcome::Done | RunOutcome::Failed | RunOutcome::SafetyStop => true,
        RunOutcome::NeedsPerson | RunOutcome::Aborted => was_asked,
        RunOutcome::Chat | RunOutcome::Infeasible | RunOutcome::Unsafe => false,
    }
}

fn least(name: &'static str, words: &'static str, value: Option<f64>, bound: f64) -> HealthFigure {
    HealthFigure {
        name,
        words,
        value,
        bound,
        is_least: true,
        unit: "share",
        of: None,
        // What is not a number is beyond every bound.
        is_alarm: value.is_some_and(|value| !(value >= bound)),
    }
}

fn most(name: &'static str, words: &'static str, value: Option<f64>, bound: f64) -> HealthFigure {
    HealthFigure {
        is_least: false,
        is_alarm: value.is_some_and(|value| !(value <= bound)),
        ..least(name, words, value, bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> Health {
        Health {
            bounds: Bounds {
                runs: 10,
                least_success: 0.7,
                most_handoffs: 0.3,
                decision_ms: 100.0,
                most_shift: 0.5,
            },
            runs: VecDeque::new(),
            shift: ShiftWatch::default(),
            op: None,
            was_asked: false,
            alarms: Vec::new(),
        }
    }

    fn event(kind: RunEventKind) -> RunEvent {
        RunEvent { t: 0.0, kind }
    }

    fn ends(health: &mut Health, outcome: RunOutcome, is_asked: bool) {
        if is_asked {
            health.see(&event(RunEventKind::Handoff {
                reason: "unsure".to_owned(),
                score: None,
                threshold: None,
                choices: Vec::new(),
            }));
        }
        health.see(&event(RunEventKind::Finished {
            success: outcome == RunOutcome::Done,
            outcome,
            seconds: 1.0,
            question: None,
            reason: None,
        }));
    }

    fn alarms(health: &mut Health, counters: &Counters) -> Vec<&'static str> {
        let figures = health.figures(counters);
        let alarms = figures.iter().filter(|figure| figure.is_alarm);
        alarms.map(|figure| figure.name).collect()
    }

    const QUIET: Counters = Counters {
        decisions: None,
        in_time: None,
        drift: None,
    };

    #[test]
    fn alarms_begin_with_what_is_beyond_and_end_with_it() {
        let mut health = health();
        for _ in 0..4 {
            ends(&mut health, RunOutcome::Failed, true);
        }
        assert!(alarms(&mut health, &QUIET).is_empty(), "too few to tell");
        ends(&mut health, RunOutcome::Done, false);
        assert_eq!(alarms(&mut health, &QUIET), ["success", "handoffs"]);
        for _ in 0..10 {
            ends(&mut health, RunOutcome::Done, false);
        }
        assert!(alarms(&mut health, &QUIET).is_empty());
    }

    #[test]
    fn what_was_not_tried_counts_for_nothing() {
        let mut health = health();
        for outcome in [
            RunOutcome::Chat,
            RunOutcome::Infeasible,
            RunOutcome::Unsafe,
            RunOutcome::Aborted,
            RunOutcome::NeedsPerson,
        ] {
            for _ in 0..10 {
                ends(&mut health, outcome, false);
            }
        }
        assert!(health.runs.is_empty());
        ends(&mut health, RunOutcome::Aborted, true);
        assert_eq!(health.runs.len(), 1, "a person gave a held arm up");
    }

    #[test]
    fn counters_are_compared_with_their_bounds() {
        let mut health = health();
        let of = |count, ms, in_time| Counters {
            decisions: Some((count, ms)),
            in_time: Some(in_time),
            drift: None,
        };
        assert!(alarms(&mut health, &of(49, 900.0, 1.0)).is_empty());
        assert_eq!(alarms(&mut health, &of(50, 101.0, 1.0)), ["decision"]);
        assert_eq!(alarms(&mut health, &of(50, 100.0, 0.98)), ["control"]);
        assert_eq!(
            alarms(&mut health, &of(50, f64::NAN, f64::NAN)),
            ["decision", "control"]
        );
        for (drift, alarm) in [(3.9, &[][..]), (4.0, &["drift"]), (f64::NAN, &["drift"])] {
            let counters = Counters {
                drift: Some(drift),
                ..QUIET
            };
            assert_eq!(alarms(&mut health, &counters), alarm, "{drift}");
        }
    }
}
