//! `vola calibrate --planner`: the threshold from which on a doubt of the local
//! model is asked about.

use serde::Serialize;
use serde_json::json;
use vola_language_model::{LocalSettings, Reader, calibration_file, weights_hash};
use vola_phrasebook::{Sampler, Split, exercise};
use vola_planner::PlanDraft;
use vola_planner::asking::{AskingCalibration, coverage_interval, threshold};
use vola_planner::readings::{Asking, Reading, answer, is_same};
use vola_types::Verdict;

use super::CalibrateArguments;
use crate::{
    arguments::SharedArguments,
    commands::workers::Progress,
    failure::{Failure, exit},
    output::{Console, percent},
    workplace::Workplace,
};

/// Random splits into a part to calibrate on and a part to count on.
const SPLITS: usize = 100;
/// A target at which coverage is counted as well, whatever is asked for.
const BAR: f64 = 0.85;
/// First seed of the sentences: not those of the examination.
const SEED: u64 = 5_000_000;

/// Runs the command.
pub(super) fn run(
    shared: &SharedArguments,
    own: &CalibrateArguments,
    console: Console,
) -> Result<u8, Failure> {
    if !(own.target > 0.0 && own.target < 1.0) {
        return Err(Failure::Argument {
            argument: "--target".to_owned(),
            expected: "a number between 0 and 1".to_owned(),
            got: own.target.to_string(),
            help: "0.88 keeps the right reading in 88 of 100 sentences".to_owned(),
        });
    }
    let workplace = Workplace::open(shared)?;
    let local = workplace.deployment().planner().local();
    let Some(model) = local.model() else {
        return Err(Failure::Argument {
            argument: "--planner".to_owned(),
            expected: "a deployment with `[planner.local] model`".to_owned(),
            got: "none".to_owned(),
            help: "only a local model gives its readings probabilities".to_owned(),
        });
    };
    let settings = LocalSettings {
        model: model.to_owned(),
        max_tokens: None,
        lines: local.lines(),
    };
    let (read, data) = read(&settings, own.sentences, console)?;
    let scores: Vec<f64> = read.iter().map(|it| it.score).collect();
    let half = scores.len() / 2;
    let Coverage {
        mean,
        interval,
        inside,
        ..
    } = Coverage::over_splits(&scores, own.target);
    let calibration = AskingCalibration {
        target: own.target,
        threshold: threshold(&scores[..half], own.target),
        sentences: half,
        coverage: mean,
        interval,
        data,
        model: weights_hash(model)?,
    };
    let worth = worth(&read[half..], calibration.asking());
    let file = calibration_file(model);
    let text = serde_json::to_string_pretty(&calibration).map_err(Failure::Encoding)? + "\n";
    std::fs::write(&file, text).map_err(Failure::file(&file, "write"))?;
    if console.is_json() {
        console.object(&json!({
            "calibration": calibration, "splits": SPLITS, "inside": inside, "file": file,
            "asking": worth, "at_bar": Coverage::over_splits(&scores, BAR),
        }))?;
    } else {
        let from = calibration.threshold.map_or_else(
            || "too few sentences: every doubt is asked about".to_owned(),
            |bar| {
                format!(
                    "a plan is asked about unless it alone has a probability of {bar:.3} or more"
                )
            },
        );
        console.line(&format!(
            "{from}\n{worth}\ncoverage {} wanted, {} over {SPLITS} random splits of {} sentences; {inside} of them inside {} – {}\nwritten to {}",
            percent(own.target),
            percent(mean),
            scores.len(),
            percent(interval[0]),
            percent(interval[1]),
            file.display()
        ))?;
    }
    Ok(exit::DONE)
}

/// How often the right reading is kept, over random splits of the sentences.
#[derive(Debug, Serialize)]
struct Coverage {
    target: f64,
    mean: f64,
    /// 95 % interval of one split's coverage.
    interval: [f64; 2],
    /// Splits whose coverage lies inside.
    inside: usize,
}

impl Coverage {
    fn over_splits(scores: &[f64], target: f64) -> Self {
        let half = scores.len() / 2;
        let mut rng = fastrand::Rng::with_seed(SEED);
        let interval = coverage_interval(half, scores.len() - half, target);
        let (mut sum, mut inside) = (0.0, 0_usize);
        for _ in 0..SPLITS {
            let mut order = scores.to_vec();
            rng.shuffle(&mut order);
            let coverage = coverage(&order[half..], threshold(&order[..half], target));
            sum += coverage;
            inside += usize::from((interval[0]..=interval[1]).contains(&coverage));
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of splits")]
        let mean = sum / SPLITS as f64;
        Self {
            target,
            mean,
            interval,
            inside,
        }
    }
}

/// What one sentence came to.
struct Read {
    /// The probability of the right reading; 0 where it was not found.
    score: f64,
    readings: Vec<Reading>,
    expected: PlanDraft,
}

/// What asking is worth on sentences that were not calibrated on.
#[derive(Debug, Serialize)]
struct Worth {
    /// Sentences whose likeliest reading is a plan.
    plans: usize,
    /// Of these, those that are asked about.
    ask_rate: f64,
    /// Of those that are carried out unasked, the right ones.
    success_when_acting: f64,
    /// Right ones if nothing were asked.
    success_without_asking: f64,
    /// Of the questions, those that offer the right plan.
    questions_with_the_right_plan: f64,
}

impl std::fmt::Display for Worth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "of {} plans {} are asked about; {} of the others are right, {} would be without asking; {} of the questions offer the right plan",
            self.plans,
            percent(self.ask_rate),
            percent(self.success_when_acting),
            percent(self.success_without_asking),
            percent(self.questions_with_the_right_plan)
        )
    }
}

fn worth(read: &[Read], asking: Asking) -> Worth {
    let (mut plans, mut asked, mut right, mut right_unasked, mut offered) = (0, 0, 0, 0, 0);
    for one in read {
        let Some(first) = one.readings.first() else {
            continue;
        };
        if first.draft.verdict != Verdict::Execute {
            continue;
        }
        plans += 1;
        let is_right = is_same(&first.draft, &one.expected);
        right += usize::from(is_right);
        match answer(one.readings.clone(), asking) {
            Some(draft) if draft.verdict == Verdict::Ask => {
                asked += 1;
                let wanted = &one.expected.steps;
                let is_offered = draft.options.iter().any(|option| option.steps == *wanted);
                offered += usize::from(is_offered);
            }
            _ => right_unasked += usize::from(is_right),
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of sentences")]
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    Worth {
        plans,
        ask_rate: share(asked, plans),
        success_when_acting: share(right_unasked, plans - asked),
        success_without_asking: share(right, plans),
        questions_with_the_right_plan: share(offered, asked),
    }
}

/// The readings of generated sentences, and a hash of the sentences.
fn read(
    settings: &LocalSettings,
    sentences: usize,
    console: Console,
) -> Result<(Vec<Read>, String), Failure> {
    let mut reader = Reader::open(settings)?;
    let sampler = Sampler::new(Split::Calibration).map_err(Failure::phrases)?;
    let mut rng = fastrand::Rng::with_seed(SEED);
    let mut hasher = blake3::Hasher::new();
    let progress = Progress::new(sentences, "reading", console.is_json());
    let mut all = Vec::with_capacity(sentences);
    for _ in 0..sentences {
        let one = exercise(&sampler, &mut rng);
        hasher.update(one.sample.sentence.as_bytes());
        hasher.update(one.sample.meaning.as_bytes());
        let readings = reader.readings(&one.request)?;
        let right = readings.iter().find(|it| is_same(&it.draft, &one.expected));
        all.push(Read {
            score: right.map_or(0.0, |reading| reading.probability),
            readings,
            expected: one.expected,
        });
        progress.step();
    }
    progress.finish();
    Ok((all, hasher.finalize().to_hex().to_string()))
}

/// How often the right reading is kept.
fn coverage(scores: &[f64], bar: Option<f64>) -> f64 {
    let kept = scores
        .iter()
        .filter(|score| **score > 0.0 && **score >= bar.unwrap_or(0.0));
    #[expect(clippy::cast_precision_loss, reason = "counts of sentences")]
    let share = kept.count() as f64 / scores.len().max(1) as f64;
    share
}
