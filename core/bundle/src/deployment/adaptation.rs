//! When a robot learns from corrections by itself.

use serde::{Deserialize, Serialize};

use crate::problem::Reporter;

/// `[adaptation]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawAdaptation {
    /// Recorded corrections that nothing was learned from, after which heads are
    /// fine-tuned by themselves, 5 to 10000. Default: never.
    pub after_corrections: Option<u32>,
    /// Most optimiser steps of a head, 1 to 100000. Default: 800.
    pub steps: Option<u32>,
    /// Simulated robots: episodes of each task before and after, 0 to 1000.
    /// Default: 0.
    pub episodes: Option<u32>,
}

/// `[adaptation]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptationSettings {
    after_corrections: Option<usize>,
    steps: u32,
    episodes: u32,
}

impl AdaptationSettings {
    /// Corrections after which it learns; none: it does not by itself.
    #[must_use]
    pub fn after_corrections(&self) -> Option<usize> {
        self.after_corrections
    }

    /// Most optimiser steps of a head.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Episodes of each task that a simulated robot tries before and after.
    #[must_use]
    pub fn episodes(&self) -> u32 {
        self.episodes
    }
}

pub(super) fn check(
    raw: &RawAdaptation,
    has_policy: bool,
    reporter: &mut Reporter<'_>,
) -> AdaptationSettings {
    let key = "adaptation.after_corrections";
    if let Some(count) = raw.after_corrections {
        // Fewer episodes are refused by the adaptation itself.
        reporter.count_in(count.into(), key, (5, 10_000));
        if !has_policy {
            let help = "heads of a policy are what learns; leave it out";
            reporter.report_with_help(key, ("a [policy] beside it", "none"), help);
        }
    }
    let steps = raw.steps.unwrap_or(800);
    reporter.count_in(steps.into(), "adaptation.steps", (1, 100_000));
    let episodes = raw.episodes.unwrap_or(0);
    reporter.count_in(episodes.into(), "adaptation.episodes", (0, 1000));
    AdaptationSettings {
        after_corrections: raw
            .after_corrections
            .map(|count| usize::try_from(count).unwrap_or(usize::MAX)),
        steps,
        episodes,
    }
}
