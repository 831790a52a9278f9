//! CPU time of everything that a control tick computes: reference, tracker and
//! filter with joint limits, tool limits and distances.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};
use vola_motion::{JointVec, ReferencePath, SafetyFilter, Tracker};

use crate::arms::{ArmUnderTest, READY};
use crate::random::Random;

/// Times of the ticks of one kind of work.
pub(crate) struct Work {
    pub(crate) what: &'static str,
    pub(crate) ticks: u64,
    pub(crate) pairs: usize,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p99_9_us: f64,
    pub(crate) max_us: f64,
}

/// CPU time of this thread (ns); other programs and a busy host hardly change it.
pub(crate) fn thread_cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec);
    u64::try_from(nanos).unwrap_or(0)
}

/// Ticks in free space, and ticks among forbidden boxes and hostile rows.
pub(crate) fn measure(ticks: u64) -> Vec<Work> {
    vec![
        run("free", ticks, 0.12, 0.0),
        run("in the way", ticks, 1.2, 0.35),
    ]
}

/// Follows chunks of eight rows at 10 Hz around the ready pose, `spread` rad
/// wide; of the rows this share goes far off.
fn run(what: &'static str, ticks: u64, spread: f64, far: f64) -> Work {
    let arm = ArmUnderTest::franka();
    let start = &arm.start;
    let mut filter: SafetyFilter = arm.full();
    let mut tracker = Tracker::new(&arm.limits.scaled(0.98).unwrap(), 1_000_000, start).unwrap();
    let mut path = ReferencePath::resting(start).unwrap();
    let mut random = Random::new(11);
    let mut nanos = Vec::with_capacity(usize::try_from(ticks).unwrap_or(0));
    for tick in 0..ticks {
        let now_ns = tick * 1_000_000;
        if tick % 200 == 0 {
            let rows: Vec<JointVec> = (0..8)
                .map(|_| {
                    let wide = if random.unit() < far { 3.0 } else { 1.0 };
                    let offset = |_: &f64| wide * spread * (random.unit() - 0.5);
                    let offsets: Vec<f64> = READY.iter().map(offset).collect();
                    let arm = READY.iter().zip(&offsets).map(|(q, offset)| q + offset);
                    arm.chain([0.5]).collect()
                })
                .collect();
            let rows = rows.iter().enumerate();
            let timed = rows.map(|(i, row)| (now_ns + (i as u64 + 1) * 100_000_000, &row[..]));
            path.splice(now_ns, timed).unwrap();
        }
        let measured = filter.positions();
        let begin = thread_cpu_ns();
        let reference = path.sample(now_ns + 1_000_000);
        let raw = tracker.step(&reference);
        let verdict = filter.step(&raw.q, &measured);
        nanos.push(thread_cpu_ns() - begin);
        black_box(verdict);
    }
    nanos.sort_unstable();
    let at = |share: f64| {
        let index = ((nanos.len().max(1) - 1) as f64 * share) as usize;
        nanos.get(index).copied().unwrap_or_default() as f64 * 1e-3
    };
    Work {
        what,
        ticks,
        pairs: filter.clearance_pairs(),
        p50_us: at(0.5),
        p99_us: at(0.99),
        p99_9_us: at(0.999),
        max_us: at(1.0),
    }
}
