//! What is counted over the life of a robot that is served, as figures for
//! Prometheus.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vola_console::{Exposition, HealthFigure};
use vola_runtime::{ControlReport, ControlWatch, LatencyQuantiles, PolicyTelemetry};
use vola_types::{RunEvent, RunEventKind};

use crate::health::{Counters, Health};

/// Counts events and reads the runtime's counters; clones are the same.
#[derive(Clone)]
pub(crate) struct Monitor {
    counts: Arc<Mutex<Counts>>,
    health: Arc<Mutex<Health>>,
    control: ControlWatch,
    policy: PolicyTelemetry,
    embodiment: String,
}

#[derive(Default)]
struct Counts {
    runs: BTreeMap<String, u64>,
    steps: BTreeMap<(String, String), u64>,
    safety: BTreeMap<String, u64>,
    handoffs: u64,
    handoff: String,
    confidence: Option<(f64, f64)>,
    last_op: String,
}

impl Monitor {
    /// Nothing has happened yet.
    pub(crate) fn new(
        control: ControlWatch,
        policy: PolicyTelemetry,
        embodiment: String,
        health: Health,
    ) -> Self {
        Self {
            counts: Arc::default(),
            health: Arc::new(Mutex::new(health)),
            control,
            policy,
            embodiment,
        }
    }

    /// Counts an event.
    pub(crate) fn see(&self, event: &RunEvent) {
        self.health().see(event);
        let mut counts = self.counts();
        match &event.kind {
            RunEventKind::StepStarted { step, .. } => {
                counts.last_op = step.op().as_str().to_owned();
            }
            RunEventKind::StepFinished { outcome, .. } => {
                let key = (counts.last_op.clone(), outcome.as_str().to_owned());
                *counts.steps.entry(key).or_default() += 1;
            }
            RunEventKind::Confidence {
                score, threshold, ..
            } => {
                counts.confidence = Some((*score, *threshold));
            }
            RunEventKind::Handoff { .. } => counts.handoffs += 1,
            RunEventKind::HandoffState { to, .. } => counts.handoff.clone_from(to),
            RunEventKind::Safety { limit, .. } => {
                *counts.safety.entry(limit.clone()).or_default() += 1;
            }
            RunEventKind::Finished { outcome, .. } => {
                *counts.runs.entry(outcome.as_str().to_owned()).or_default() += 1;
            }
            _ => {}
        }
    }

    /// The state of the handoff, as in the event of that name.
    pub(crate) fn handoff(&self) -> String {
        let told = self.counts().handoff.clone();
        if told.is_empty() {
            "auto".to_owned()
        } else {
            told
        }
    }

    /// Everything, as text for Prometheus.
    pub(crate) fn exposition(&self) -> String {
        let mut page = Exposition::default();
        page.gauge("vola_info", "Which robot this is; always 1.")
            .value(
                "vola_info",
                &[
                    ("embodiment", self.embodiment.as_str()),
                    ("version", env!("CARGO_PKG_VERSION")),
                ],
                1.0,
            );
        control(&mut page, &self.control.report());
        let name = "vola_policy_seconds";
        page.gauge(name, "Wall time of a policy step, whole and by stage.");
        for (part, times) in self.policy.quantiles() {
            quantiles(&mut page, name, &[("part", &part)], &times);
        }
        self.counts().write(&mut page);
        health(&mut page, &self.figures());
        page.finish()
    }

    /// How the robot has been doing.
    pub(crate) fn figures(&self) -> Vec<HealthFigure> {
        let parts = self.policy.quantiles();
        let decisions = parts.get("decision");
        let report = self.control.report();
        let counters = Counters {
            decisions: decisions.map(|times| (times.count, times.p95_us * 1e-3)),
            in_time: (report.ticks > 0).then_some(
                report.ticks as f64 / report.ticks.saturating_add(report.missed_ticks) as f64,
            ),
            drift: self.policy.drift().map(|drift| drift.sum),
        };
        self.health().figures(&counters)
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn write(&self, page: &mut Exposition) {
        let name = "vola_runs_total";
        page.counter(name, "Sentences, by how they ended.");
        for (outcome, count) in &self.runs {
            page.value(name, &[("outcome", outcome)], *count as f64);
        }
        let name = "vola_steps_total";
        page.counter(name, "Primitives, by op and outcome.");
        for ((op, outcome), count) in &self.steps {
            page.value(name, &[("op", op), ("outcome", outcome)], *count as f64);
        }
        let name = "vola_safety_events_total";
        page.counter(name, "What the safety layer told, by limit or watchdog.");
        for (limit, count) in &self.safety {
            page.value(name, &[("limit", limit)], *count as f64);
        }
        let name = "vola_handoffs_total";
        page.counter(name, "Times a person was asked.")
            .value(name, &[], self.handoffs as f64);
        if let Some((score, threshold)) = self.confidence {
            let name = "vola_confidence";
            page.gauge(name, "The policy's confidence at its last decision.")
                .value(name, &[], score);
            let name = "vola_confidence_threshold";
            page.gauge(name, "Confidence below which the arm holds.")
                .value(name, &[], threshold);
        }
    }
}

/// How the robot has been doing, and what is beyond its bound.
fn health(page: &mut Exposition, figures: &[HealthFigure]) {
    let name = "vola_health";
    page.gauge(name, "How the robot has been doing lately, by figure.");
    for figure in figures {
        if let Some(value) = figure.value {
            page.value(name, &[("figure", figure.name)], value);
        }
    }
    let name = "vola_health_bound";
    page.gauge(name, "What a figure shall keep to.");
    for figure in figures {
        page.value(name, &[("figure", figure.name)], figure.bound);
    }
    let name = "vola_alarm";
    page.gauge(name, "1 while a figure is beyond its bound.");
    for figure in figures {
        let is_on = f64::from(u8::from(figure.is_alarm));
        page.value(name, &[("figure", figure.name)], is_on);
    }
}

/// What the control loop did and cost.
fn control(page: &mut Exposition, report: &ControlReport) {
    for (name, help, value) in [
        (
            "vola_control_ticks_total",
            "Control ticks that ran.",
            report.ticks,
        ),
        (
            "vola_control_missed_ticks_total",
            "Periods of 1 ms without a tick.",
            report.missed_ticks,
        ),
        (
            "vola_control_page_faults_total",
            "Pages that the control thread waited for.",
            report.page_faults,
        ),
        (
            "vola_control_preemptions_total",
            "Times the processor was taken from the control thread.",
            report.involuntary_switches,
        ),
        (
            "vola_control_lost_events_total",
            "Events that the control loop could not tell.",
            report.lost_events,
        ),
        (
            "vola_control_lost_lines_total",
            "Log lines of plugins on the control thread that found no room.",
            report.lost_lines,
        ),
    ] {
        page.counter(name, help).value(name, &[], value as f64);
    }
    let name = "vola_control_success_ratio";
    page.gauge(name, "Share of the last 100 periods that had their tick.")
        .value(name, &[], report.success_percent as f64 / 100.0);
    let name = "vola_control_in_time_ratio";
    page.gauge(name, "Share of ticks less than 1 ms late.")
        .value(name, &[], report.in_time_share);
    if let Some(steal_ms) = report.steal_ms {
        let name = "vola_hypervisor_steal_seconds_total";
        page.counter(name, "Processor time that the hypervisor took.")
            .value(name, &[], steal_ms * 1e-3);
    }
    for (name, help, times) in [
        (
            "vola_control_work_seconds",
            "Processor time of a tick.",
            &report.work,
        ),
        (
            "vola_control_lateness_seconds",
            "From a tick's due time to its begin.",
            &report.lateness,
        ),
    ] {
        page.gauge(name, help);
        quantiles(page, name, &[], times);
    }
    let name = "vola_control_stage_seconds";
    page.gauge(name, "Wall time of the parts of a tick.");
    for (stage, times) in [
        ("state", &report.state),
        ("filter", &report.filter),
        ("command", &report.command),
    ] {
        quantiles(page, name, &[("stage", stage)], times);
    }
    let name = "vola_filter_interventions_total";
    page.counter(name, "Ticks in which the safety filter changed a command.");
    for (limit, ticks) in &report.interventions {
        page.value(name, &[("limit", limit)], *ticks as f64);
    }
}

fn quantiles(page: &mut Exposition, name: &str, labels: &[(&str, &str)], times: &LatencyQuantiles) {
    for (quantile, micros) in [
        ("0.5", times.p50_us),
        ("0.95", times.p95_us),
        ("0.99", times.p99_us),
        ("0.999", times.p999_us),
        ("1", times.max_us),
    ] {
        let mut all = labels.to_vec();
        all.push(("quantile", quantile));
        page.value(name, &all, micros * 1e-6);
    }
}
