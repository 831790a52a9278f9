//! Choosing among the lines that a model thinks likely.
//!
//! The embedded model does not see the scene: it says what the words mean, and
//! grounding says whether that exists. A line about something that is not there
//! gives way to one that is nearly as likely and is there; words that are hard
//! to read are mended that way.

use vola_planner::{PlanDraft, PlanRequest, compact};
use vola_types::{Step, Verdict};

use crate::Completion;

/// How much less likely a line may be that makes sense in the scene.
const GIVES_WAY: f64 = 0.12;

/// What one reading of the sentence comes to.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) draft: PlanDraft,
    pub(crate) line: String,
    /// Probability of all lines that come to this, among those that were found.
    pub(crate) probability: f64,
}

/// The readings, the one to follow first; none when no line can be read.
pub(crate) fn readings(lines: &[Completion], request: &PlanRequest) -> Vec<Reading> {
    let mut all: Vec<Reading> = Vec::new();
    let whole = lines.iter().filter(|line| line.is_whole);
    let total: f64 = whole.clone().map(Completion::probability).sum();
    for line in whole {
        let Ok(draft) = compact::answer(&line.text, request) else {
            continue;
        };
        let share = line.probability() / total.max(f64::MIN_POSITIVE);
        match all.iter_mut().find(|known| is_same(&known.draft, &draft)) {
            Some(known) => known.probability += share,
            None => all.push(Reading {
                draft,
                line: line.text.clone(),
                probability: share,
            }),
        }
    }
    all.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let first = all.first();
    let is_absent = first.is_some_and(|first| {
        // Nothing to do, or nothing there to do it with.
        let is_idle = matches!(first.draft.verdict, Verdict::Infeasible | Verdict::Chat);
        is_idle && first.line.starts_with("do ")
    });
    if is_absent {
        let bar = first.map_or(0.0, |first| first.probability) * GIVES_WAY;
        let makes_sense = |reading: &Reading| {
            reading.probability >= bar && reading.draft.verdict == Verdict::Execute
        };
        if let Some(index) = all.iter().position(makes_sense) {
            all[..=index].rotate_right(1);
        }
    }
    all
}

/// Whether two answers come to the same.
fn is_same(a: &PlanDraft, b: &PlanDraft) -> bool {
    let options = |draft: &PlanDraft| -> Vec<Vec<Step>> {
        draft.options.iter().map(|it| it.steps.clone()).collect()
    };
    let is_same = a.verdict == b.verdict && a.steps == b.steps && options(a) == options(b);
    // Refusals and talk come to the same where they say the same.
    is_same && (!a.steps.is_empty() || !a.options.is_empty() || a.say == b.say)
}
