//! `vola calibrate --planner`: the threshold from which on a doubt of the local
//! model is asked about.

use serde_json::json;
use vola_language_model::{LocalSettings, Reader, calibration_file, weights_hash};
use vola_phrasebook::{Sampler, Split, exercise};
use vola_planner::asking::{AskingCalibration, coverage_interval, threshold};
use vola_planner::readings::is_same;

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
            help: "0.85 keeps the right reading in 85 of 100 sentences".to_owned(),
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
    let (scores, data) = scores(&settings, own.sentences, console)?;
    let half = scores.len() / 2;
    let mut rng = fastrand::Rng::with_seed(SEED);
    let interval = coverage_interval(half, scores.len() - half, own.target);
    let (mut sum, mut inside) = (0.0, 0_usize);
    for _ in 0..SPLITS {
        let mut order = scores.clone();
        rng.shuffle(&mut order);
        let coverage = coverage(&order[half..], threshold(&order[..half], own.target));
        sum += coverage;
        inside += usize::from((interval[0]..=interval[1]).contains(&coverage));
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of splits")]
    let mean = sum / SPLITS as f64;
    let calibration = AskingCalibration {
        target: own.target,
        threshold: threshold(&scores[..half], own.target),
        sentences: half,
        coverage: mean,
        interval,
        data,
        model: weights_hash(model)?,
    };
    let file = calibration_file(model);
    let text = serde_json::to_string_pretty(&calibration).map_err(Failure::Encoding)? + "\n";
    std::fs::write(&file, text).map_err(Failure::file(&file, "write"))?;
    if console.is_json() {
        console.object(&json!({
            "calibration": calibration, "splits": SPLITS, "inside": inside, "file": file,
        }))?;
    } else {
        let from = calibration.threshold.map_or_else(
            || "too few sentences: every doubt is asked about".to_owned(),
            |bar| format!("readings are asked about from a probability of {bar:.3} on"),
        );
        console.line(&format!(
            "{from}\ncoverage {} wanted, {} over {SPLITS} random splits of {} sentences; {inside} of them inside {} – {}\nwritten to {}",
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

/// The probabilities that the right readings had, and a hash of the sentences.
fn scores(
    settings: &LocalSettings,
    sentences: usize,
    console: Console,
) -> Result<(Vec<f64>, String), Failure> {
    let mut reader = Reader::open(settings)?;
    let sampler = Sampler::new(Split::HeldOut).map_err(Failure::phrases)?;
    let mut rng = fastrand::Rng::with_seed(SEED);
    let mut hasher = blake3::Hasher::new();
    let progress = Progress::new(sentences, "reading", console.is_json());
    let mut scores = Vec::with_capacity(sentences);
    for _ in 0..sentences {
        let one = exercise(&sampler, &mut rng);
        hasher.update(one.sample.sentence.as_bytes());
        hasher.update(one.sample.meaning.as_bytes());
        let readings = reader.readings(&one.request)?;
        let right = readings.iter().find(|it| is_same(&it.draft, &one.expected));
        scores.push(right.map_or(0.0, |reading| reading.probability));
        progress.step();
    }
    progress.finish();
    Ok((scores, hasher.finalize().to_hex().to_string()))
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
