//! Counters of a running robot: what ticks and policy stages cost, how late
//! ticks were, what was missed.
//!
//! Written by the threads that do the work, without a lock; read by anybody.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde::Serialize;
use vola_confidence::DriftReport;

use crate::{
    ArmGlance, AttentionMap,
    arm_gauge::ArmGauge,
    control_status::{InterventionCounts, LIMIT_WORDS},
    latency::{LatencyHistogram, LatencyQuantiles},
    steal::hypervisor_steal_ns,
    thread_usage::ThreadUsage,
};

/// Lateness that a control tick should stay below (ns).
const IN_TIME_NS: u64 = 1_000_000;

/// What the control loop counts. Shared with its thread.
#[derive(Debug, Default)]
pub(crate) struct ControlTelemetry {
    /// The newest tick's arm.
    pub(crate) arm: ArmGauge,
    pub(crate) ticks: AtomicU64,
    pub(crate) missed_ticks: AtomicU64,
    pub(crate) lost_events: AtomicU64,
    /// Log lines of plugins on the control thread that did not fit.
    pub(crate) lost_lines: AtomicU64,
    /// Percent of the last 100 periods that had their tick.
    pub(crate) success_percent: AtomicU64,
    /// Thread CPU time of whole ticks.
    pub(crate) work: LatencyHistogram,
    /// Time from a tick's due time to its begin.
    pub(crate) lateness: LatencyHistogram,
    /// Wall time of the parts of a tick.
    pub(crate) state: LatencyHistogram,
    pub(crate) filter: LatencyHistogram,
    pub(crate) command: LatencyHistogram,
    /// Ticks in which the safety filter changed a command, since the start.
    interventions: [AtomicU64; LIMIT_WORDS],
    /// Pairs of shapes whose distance each tick holds.
    pub(crate) clearance_pairs: AtomicU64,
    /// The control thread has ended with its session.
    pub(crate) has_ended: AtomicBool,
    /// The control thread by the system's number; 0 while there is none.
    thread: AtomicU64,
    usage: Mutex<Usage>,
    steal_before_ns: AtomicU64,
}

/// What was counted for the thread when the counting began, and last.
#[derive(Debug, Default)]
struct Usage {
    before: ThreadUsage,
    last: ThreadUsage,
}

impl ControlTelemetry {
    /// Counts for this thread from now on. For the thread's own beginning.
    pub(crate) fn watch_thread(&self, thread: u64) {
        self.thread.store(thread, Ordering::Relaxed);
        self.clear_usage();
    }

    fn clear_usage(&self) {
        let now = ThreadUsage::of(self.thread.load(Ordering::Relaxed)).unwrap_or_default();
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = Usage {
            before: now,
            last: now,
        };
    }

    /// What the system counted for the thread; of one that is gone what was
    /// known last.
    fn usage(&self) -> ThreadUsage {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(now) = ThreadUsage::of(self.thread.load(Ordering::Relaxed)) {
            usage.last = now;
        }
        usage.last.since(usage.before)
    }

    /// The safety filter changed something; these are its counts now.
    pub(crate) fn intervened(&self, counts: &InterventionCounts) {
        for (counter, (_, ticks)) in self.interventions.iter().zip(counts.by_limit()) {
            counter.store(ticks, Ordering::Relaxed);
        }
    }

    /// Limits by which the safety filter changed commands, and in how many ticks.
    fn interventions(&self) -> Vec<(&'static str, u64)> {
        let words = InterventionCounts::default().by_limit();
        let counts = self.interventions.iter().zip(words);
        counts
            .map(|(counter, (word, _))| (word, counter.load(Ordering::Relaxed)))
            .filter(|(_, ticks)| *ticks > 0)
            .collect()
    }

    /// Begins to count anew.
    pub(crate) fn clear(&self) {
        self.clear_usage();
        for counter in [&self.ticks, &self.missed_ticks] {
            counter.store(0, Ordering::Relaxed);
        }
        for histogram in [
            &self.work,
            &self.lateness,
            &self.state,
            &self.filter,
            &self.command,
        ] {
            histogram.clear();
        }
        let steal_ns = hypervisor_steal_ns().unwrap_or(0);
        self.steal_before_ns.store(steal_ns, Ordering::Relaxed);
    }

    /// Everything, as numbers.
    pub(crate) fn report(&self) -> ControlReport {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
        let steal_ms = hypervisor_steal_ns()
            .map(|ns| ns.saturating_sub(load(&self.steal_before_ns)) as f64 * 1e-6);
        let usage = self.usage();
        ControlReport {
            ticks: load(&self.ticks),
            missed_ticks: load(&self.missed_ticks),
            clearance_pairs: load(&self.clearance_pairs),
            success_percent: load(&self.success_percent),
            work: self.work.quantiles(),
            lateness: self.lateness.quantiles(),
            in_time_share: self.lateness.share_below(IN_TIME_NS),
            state: self.state.quantiles(),
            filter: self.filter.quantiles(),
            command: self.command.quantiles(),
            page_faults: usage.page_faults,
            involuntary_switches: usage.involuntary_switches,
            lost_events: load(&self.lost_events),
            lost_lines: load(&self.lost_lines),
            steal_ms,
            interventions: self.interventions().into_iter().collect(),
        }
    }
}

/// What the control loop did and cost, in real time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ControlReport {
    /// Ticks that ran.
    pub ticks: u64,
    /// Periods of 1 ms without a tick.
    pub missed_ticks: u64,
    /// Pairs of shapes whose distance each tick holds.
    pub clearance_pairs: u64,
    /// Percent of the last 100 periods that had their tick.
    pub success_percent: u64,
    /// Thread CPU time of a whole tick.
    pub work: LatencyQuantiles,
    /// Time from a tick's due time to its begin.
    pub lateness: LatencyQuantiles,
    /// Share of ticks less than 1 ms late (0 … 1).
    pub in_time_share: f64,
    /// Wall time of `Actuator::state` and the checks of it.
    pub state: LatencyQuantiles,
    /// Wall time of reference, tracker and safety filter.
    pub filter: LatencyQuantiles,
    /// Wall time of `Actuator::command`.
    pub command: LatencyQuantiles,
    /// Pages that the control thread had to wait for.
    pub page_faults: u64,
    /// Times the processor was taken from the control thread.
    pub involuntary_switches: u64,
    /// Events for the log that did not fit into the ring.
    pub lost_events: u64,
    /// Log lines of plugins on the control thread that did not fit into theirs.
    pub lost_lines: u64,
    /// Processor time that the hypervisor took meanwhile, over all processors
    /// (ms); none where the system does not tell.
    pub steal_ms: Option<f64>,
    /// Ticks in which the safety filter changed a command, by limit.
    pub interventions: BTreeMap<&'static str, u64>,
}

/// Reads a running control loop's counters from any thread; clones read the same.
#[derive(Clone, Debug)]
pub struct ControlWatch {
    telemetry: Arc<ControlTelemetry>,
}

impl ControlWatch {
    pub(crate) fn new(telemetry: Arc<ControlTelemetry>) -> Self {
        Self { telemetry }
    }

    /// Ticks since the session began, or since it began to count anew.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.telemetry.ticks.load(Ordering::Relaxed)
    }

    /// Whether the loop has ended with its session: then no tick is late.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.telemetry.has_ended.load(Ordering::Relaxed)
    }

    /// What the loop did and cost since the session began, or since it began to
    /// count anew.
    #[must_use]
    pub fn report(&self) -> ControlReport {
        self.telemetry.report()
    }

    /// Where the arm is and what the loop does, at its newest tick. Waits for
    /// nobody.
    #[must_use]
    pub fn arm(&self) -> ArmGlance {
        self.telemetry.arm.glance()
    }
}

/// What policy steps cost, by part. Written by the policy thread.
#[derive(Clone, Debug, Default)]
pub struct PolicyTelemetry {
    shared: Arc<Mutex<BTreeMap<String, Arc<LatencyHistogram>>>>,
    last: Arc<Mutex<Option<DecisionGlance>>>,
    drift: Arc<Mutex<Option<DriftReport>>>,
}

/// The policy's last decision, for people who look on.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionGlance {
    /// Time of its observation (ns, on the runtime's clock).
    pub time_ns: u64,
    /// Duration, pictures to checked chunk (ms).
    pub millis: f64,
    /// Where it looked; none when the policy does not tell.
    pub attention: Option<AttentionMap>,
}

impl PolicyTelemetry {
    /// Records how long a part took (ns).
    pub(crate) fn record(&self, part: &str, duration_ns: u64) {
        let mut parts = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(histogram) = parts.get(part) {
            histogram.record(duration_ns);
            return;
        }
        let histogram = Arc::new(LatencyHistogram::default());
        histogram.record(duration_ns);
        parts.insert(part.to_owned(), histogram);
    }

    /// Shows a decision to who looks on.
    pub(crate) fn show(&self, decision: DecisionGlance) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(decision);
    }

    /// The last decision; none before the first.
    #[must_use]
    pub fn last_decision(&self) -> Option<DecisionGlance> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }

    /// Shows whether the confidence's calibration still fits.
    pub(crate) fn show_drift(&self, report: DriftReport) {
        *self.drift.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    }

    /// Whether the confidence's calibration still fits; none without one, or before
    /// the first primitive that went well.
    #[must_use]
    pub fn drift(&self) -> Option<DriftReport> {
        *self.drift.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Quantiles by part.
    #[must_use]
    pub fn quantiles(&self) -> BTreeMap<String, LatencyQuantiles> {
        let parts = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        parts
            .iter()
            .map(|(part, histogram)| (part.clone(), histogram.quantiles()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_from_the_last_clear() {
        let telemetry = ControlTelemetry::default();
        telemetry.ticks.fetch_add(5, Ordering::Relaxed);
        telemetry.lateness.record(10);
        telemetry.clear();
        telemetry.ticks.fetch_add(2, Ordering::Relaxed);
        telemetry.lateness.record(30_000);
        telemetry.lateness.record(3_000_000);
        let mut counts = InterventionCounts::default();
        let mut left = vola_motion::Interventions::default();
        left.workspace = true;
        (0..4).for_each(|_| counts.add(&left));
        telemetry.intervened(&counts);
        let report = telemetry.report();
        assert_eq!((report.ticks, report.page_faults), (2, 0));
        assert!((report.in_time_share - 0.5).abs() < 1e-9);
        assert_eq!(report.interventions["workspace"], 4);
        assert_eq!(report.interventions.len(), 1);
    }

    #[test]
    fn policy_parts_are_kept_by_name() {
        let telemetry = PolicyTelemetry::default();
        for millis in 1..=3 {
            telemetry.record("vision", millis * 1_000_000);
        }
        telemetry.clone().record("decision", 7);
        let parts = telemetry.quantiles();
        assert_eq!(parts["vision"].count, 3);
        assert!((parts["vision"].max_us - 3000.0).abs() < 1e-9);
        assert_eq!(parts.len(), 2);
    }
}
