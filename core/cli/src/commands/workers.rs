//! Work handed to several threads, with results in the order of the jobs.
//!
//! Each worker owns its own session; jobs are taken by number, so that what
//! comes out does not depend on how many workers there are.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::sync_channel,
    },
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::Failure;

/// Results that may wait for an earlier one.
const WAITING: usize = 8;

/// Does all jobs on `workers` threads. `open` is called once on each thread and
/// gives the function that does a job; `take` is called on this thread, in the
/// order of the jobs.
///
/// # Errors
/// The first failure of a worker or of `take`; the other workers then stop
/// after their current job.
pub(crate) fn run_in_order<J, R, W, O>(
    workers: usize,
    jobs: &[J],
    open: O,
    mut take: impl FnMut(usize, R) -> Result<(), Failure>,
) -> Result<(), Failure>
where
    J: Sync,
    R: Send,
    W: FnMut(&J) -> Result<R, Failure>,
    O: Fn() -> Result<W, Failure> + Sync,
{
    let next = AtomicUsize::new(0);
    let cancelled = AtomicBool::new(false);
    let (send, receive) = sync_channel(workers.max(1) * WAITING);
    std::thread::scope(|scope| {
        for index in 0..workers.clamp(1, jobs.len().max(1)) {
            let (send, next, cancelled, open) = (send.clone(), &next, &cancelled, &open);
            let work = move || {
                let mut worker = match open() {
                    Ok(worker) => worker,
                    Err(failure) => {
                        // Nobody listens when another worker failed before.
                        let _ = send.send((usize::MAX, Err(failure)));
                        return;
                    }
                };
                while !cancelled.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(number) else { return };
                    if send.send((number, worker(job))).is_err() {
                        return;
                    }
                }
            };
            std::thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn_scoped(scope, work)
                .map_err(|source| {
                    cancelled.store(true, Ordering::Relaxed);
                    Failure::System {
                        what: "a worker thread",
                        source,
                    }
                })?;
        }
        drop(send);
        let mut waiting: BTreeMap<usize, R> = BTreeMap::new();
        let mut expected = 0;
        let mut result = Ok(());
        for (number, outcome) in receive {
            match outcome {
                Ok(value) => {
                    waiting.insert(number, value);
                }
                Err(failure) => result = Err(failure),
            }
            while let (Ok(()), Some(value)) = (&result, waiting.remove(&expected)) {
                result = take(expected, value);
                expected += 1;
            }
            if result.is_err() {
                cancelled.store(true, Ordering::Relaxed);
                return result;
            }
        }
        if expected < jobs.len() {
            return Err(Failure::Worker { index: expected });
        }
        Ok(())
    })
}

/// A progress bar on standard error, where a person looks at it.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar of this length. Programs that read JSON get none.
    pub(crate) fn new(length: usize, what: &'static str, hidden: bool) -> Self {
        let target = if hidden {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(length as u64), target);
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {bar:32} {pos}/{len}  {per_sec}  {eta} left")
        {
            bar.set_style(style.progress_chars("━━╌"));
        }
        bar.set_message(what);
        Self { bar }
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_for_any_number_of_workers() {
        let jobs: Vec<u64> = (0..200).collect();
        for workers in [1, 2, 7] {
            let mut taken = Vec::new();
            let open = || Ok(|job: &u64| Ok(job * 3));
            run_in_order(workers, &jobs, open, |index, value: u64| {
                taken.push((index as u64, value));
                Ok(())
            })
            .unwrap();
            assert_eq!(
                taken,
                jobs.iter().map(|job| (*job, job * 3)).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_failure_ends_the_work() {
        let jobs: Vec<u64> = (0..1000).collect();
        let open = || {
            Ok(|job: &u64| {
                if *job == 13 {
                    Err(Failure::Worker { index: 13 })
                } else {
                    Ok(*job)
                }
            })
        };
        let mut taken = 0;
        let result = run_in_order(2, &jobs, open, |_, _: u64| {
            taken += 1;
            Ok(())
        });
        assert!(matches!(result, Err(Failure::Worker { index: 13 })));
        assert!(taken <= 13);
        let refused = run_in_order(
            2,
            &jobs,
            || Err::<fn(&u64) -> Result<u64, Failure>, _>(Failure::ReaderGone),
            |_, _| Ok(()),
        );
        assert!(matches!(refused, Err(Failure::ReaderGone)));
        let gone = run_in_order(
            2,
            &jobs,
            || Ok(|job: &u64| Ok(*job)),
            |_, _| Err(Failure::ReaderGone),
        );
        assert!(matches!(gone, Err(Failure::ReaderGone)));
    }
}
