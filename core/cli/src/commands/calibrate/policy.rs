//! `vola calibrate`: bands and thresholds of a policy's confidence, from
//! episodes that went well.

use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;
use vola_bundle::{BASE_VERSION, Bundle, CALIBRATION_FILE, CONFIDENCE_STATS};
use vola_confidence::{
    CALIBRATION_FORM, CalibrationFile, EpisodeCurves, FeatureFile, FeatureStatistics,
    RobotCalibration, USUAL_SIGNALS, WindowRule, groups, judged_signals,
};
use vola_runtime::ConfidenceUse;
use vola_types::{PluginId, Signal};

use super::{CalibrateArguments, curve_file, failures, risk};
use crate::{
    arguments::{Clock, SharedArguments},
    commands::{
        eval::{Job, Perturb, name_of},
        record::check_seeds,
        workers::{self, Progress},
    },
    confidence::{Judge, Surveyed, survey_episode},
    failure::{Failure, exit},
    film::{reliability_picture, write_png},
    measure::PRIMITIVE_TASKS,
    output::{Align, Console, Table, percent},
    workplace::{Instead, SessionWish, Workplace},
};

/// Windows without others in the deployment.
const WINDOW: u32 = 4;
const NEEDED: u32 = 3;
/// Of four good episodes one makes the statistics of features, one the bands,
/// and two the scores. The risk is learnt from the first two parts, so that the
/// scores are of episodes that it does not know.
const PARTS: usize = 4;

/// Runs the command.
pub(super) fn run(
    shared: &SharedArguments,
    own: &CalibrateArguments,
    console: Console,
) -> Result<u8, Failure> {
    check_seeds(own.seed, own.episodes.max(own.failures))?;
    let arm = own.arm.as_deref().map(PluginId::parse).transpose()?;
    // What is stored goes by the weights of the bundle, so those are what runs.
    let workplace = Workplace::open_to_measure(
        shared,
        &Instead {
            arm: arm.as_ref(),
            version: Some(BASE_VERSION),
            ..Instead::default()
        },
    )?;
    let Some(policy) = workplace.deployment().policy() else {
        return Err(Failure::Argument {
            argument: "calibrate".to_owned(),
            expected: "a deployment with a `[policy]`".to_owned(),
            got: "none".to_owned(),
            help: "only a policy is unsure; `--planner` calibrates the planner".to_owned(),
        });
    };
    let bundle = Bundle::open(policy.bundle())?;
    let (period_ms, tensor) = {
        let session = workplace.session(wish(own))?;
        let period_ns = session.decision_period_ns().unwrap_or(0);
        (
            period_ns / 1_000_000,
            session.features_tensor().map(str::to_owned),
        )
    };
    let mut episodes = match &own.from {
        Some(path) => curve_file::read(path)?,
        None => survey(&workplace, own, console)?,
    };
    let embodiment = workplace.deployment().robot().plugin().to_string();
    let features = match &own.from {
        // The distances are in the file; what they were measured by stays.
        Some(_) => known_features(&bundle, &embodiment)?,
        None => measure_features(&bundle, &embodiment, tensor, &mut episodes)?,
    };
    let (risk, risk_told) = risk::learn(&mut episodes).unzip();
    if let Some(path) = &own.curves {
        curve_file::write(path, &episodes)?;
    }
    let confidence = workplace.deployment().confidence();
    let window = confidence.window().unwrap_or(WINDOW);
    let rule = WindowRule::new(
        window as usize,
        confidence.needed().unwrap_or(NEEDED.min(window)) as usize,
    );
    let mut robot = RobotCalibration {
        embodiment,
        period_ms,
        first_seed: own.seed,
        features,
        risk,
        ..calibrated(&episodes, rule)?
    };
    let named = confidence.signals().unwrap_or(&USUAL_SIGNALS);
    let signals = &judged_signals(named, robot.risk.as_ref());
    let rate = confidence.false_hold_rate();
    let found = {
        let judge = Judge::new(&robot, signals, rate).map_err(Failure::calibration)?;
        let known = risk::taught(&episodes);
        let new = episodes.iter().zip(known).filter(|(_, known)| !known);
        let new: Vec<&Surveyed> = new.map(|(one, _)| one).collect();
        failures::calibrate(&judge, (signals, rate), &new)
    };
    let reliabilities = found.map(|(probability, reliabilities)| {
        robot.probability = Some(probability);
        reliabilities
    });
    if let (Some(path), Some(reliabilities)) = (&own.picture, &reliabilities) {
        write_png(
            path,
            &reliability_picture(&reliabilities.platt, &reliabilities.isotonic),
        )?;
    }
    let robot = rounded(robot);
    let file = store(&bundle, robot.clone())?;
    let told = Told {
        reliabilities: reliabilities.as_ref(),
        risk: risk_told,
    };
    report(&robot, signals, rate, told, &file, console)?;
    Ok(exit::DONE)
}

fn wish(own: &CalibrateArguments) -> SessionWish {
    let mut wish = SessionWish::new(Clock::Virtual, own.seed);
    wish.confidence = ConfidenceUse::Survey;
    wish
}

/// Runs clean and perturbed episodes.
fn survey(
    workplace: &Workplace,
    own: &CalibrateArguments,
    console: Console,
) -> Result<Vec<Surveyed>, Failure> {
    let job = |task: &str, seed: u64, perturb| Job {
        task: task.to_owned(),
        seed,
        through_planner: false,
        perturb,
        perturb_seed: None,
    };
    let clean = (0..own.episodes)
        .flat_map(|index| PRIMITIVE_TASKS.map(|task| job(task, own.seed + index as u64, None)));
    let perturbed = Perturb::ALL.into_iter().flat_map(|perturb| {
        (0..own.failures).map(move |index| {
            let task = PRIMITIVE_TASKS[index % PRIMITIVE_TASKS.len()];
            job(task, own.seed + index as u64, Some(perturb))
        })
    });
    let jobs: Vec<Job> = clean.chain(perturbed).collect();
    let progress = Progress::new(jobs.len(), "episodes", console.is_json());
    let open = || {
        let mut session = workplace.session(wish(own))?;
        Ok(move |job: &Job| survey_episode(&mut session, job))
    };
    let mut episodes = Vec::with_capacity(jobs.len());
    workers::run_in_order(usize::from(own.workers), &jobs, open, |_, episode| {
        episodes.push(episode);
        progress.step();
        Ok(())
    })?;
    progress.finish();
    Ok(episodes)
}

/// Good clean episodes of a part; parts take turns.
pub(super) fn part(episodes: &[Surveyed], wanted: &[usize]) -> Vec<usize> {
    episodes
        .iter()
        .enumerate()
        .filter(|(_, one)| one.perturb == name_of(None) && one.success && one.has_run())
        .map(|(index, _)| index)
        .enumerate()
        .filter(|(turn, _)| wanted.contains(&(turn % PARTS)))
        .map(|(_, index)| index)
        .collect()
}

/// The statistics that the bundle's calibration names.
fn known_features(bundle: &Bundle, embodiment: &str) -> Result<Option<FeatureFile>, Failure> {
    let text = bundle.calibration()?;
    let file = text.and_then(|text| CalibrationFile::read(&text).ok());
    Ok(file.and_then(|file| file.robot(embodiment)?.features.clone()))
}

/// Estimates the statistics of the head's input, stores them in the bundle, and
/// measures the distance at every decision.
fn measure_features(
    bundle: &Bundle,
    embodiment: &str,
    tensor: Option<String>,
    episodes: &mut [Surveyed],
) -> Result<Option<FeatureFile>, Failure> {
    let rows: Vec<&[f32]> = part(episodes, &[0])
        .into_iter()
        .filter_map(|index| episodes.get(index))
        .flat_map(Surveyed::feature_rows)
        .collect();
    let count = rows.len();
    let (Some(statistics), Some(tensor)) = (FeatureStatistics::fit(&rows), tensor) else {
        return Ok(None);
    };
    for episode in episodes.iter_mut() {
        let distances: Vec<Option<f64>> = episode
            .feature_rows()
            .map(|row| statistics.distance(row))
            .collect();
        if distances.len() == episode.curves.times_s.len() {
            episode.put(Signal::FeatureDistance, distances);
        }
    }
    let file = format!(
        "{CONFIDENCE_STATS}-{}.safetensors",
        embodiment.replace('/', "-")
    );
    write_statistics(&bundle.folder().join(&file), &statistics)?;
    Ok(Some(FeatureFile {
        file,
        tensor,
        width: statistics.width(),
        rows: count,
        shrinkage: statistics.shrinkage(),
    }))
}

fn write_statistics(path: &Path, statistics: &FeatureStatistics) -> Result<(), Failure> {
    let bytes = |values: &[f32]| -> Vec<u8> {
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect()
    };
    let (mean, whitening) = (bytes(statistics.mean()), bytes(statistics.whitening()));
    let unwritten = |reason: String| Failure::Content {
        path: path.to_owned(),
        reason,
        help: "this is a fault of Vola",
    };
    let view = |bytes, length| {
        TensorView::new(Dtype::F32, vec![length], bytes)
            .map_err(|error| unwritten(error.to_string()))
    };
    let tensors = [
        ("mean", view(&mean, statistics.mean().len())?),
        ("whitening", view(&whitening, statistics.whitening().len())?),
    ];
    let file =
        safetensors::serialize(tensors, None).map_err(|error| unwritten(error.to_string()))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Failure::file(folder, "make"))?;
    }
    std::fs::write(path, file).map_err(Failure::file(path, "write"))
}

/// Bands and scores.
fn calibrated(episodes: &[Surveyed], rule: WindowRule) -> Result<RobotCalibration, Failure> {
    let clean: Vec<&Surveyed> = episodes
        .iter()
        .filter(|one| one.perturb == name_of(None))
        .collect();
    let curves = |wanted: &[usize]| -> Vec<&EpisodeCurves> {
        let indices = part(episodes, wanted).into_iter();
        indices
            .filter_map(|index| episodes.get(index))
            .map(|one| &one.curves)
            .collect()
    };
    let (curve, score) = (curves(&[1]), curves(&[2, 3]));
    let signals: Vec<Signal> = Signal::ALL
        .into_iter()
        .filter(|signal| {
            let mut rows = curve.iter().filter_map(|one| one.values.get(signal));
            rows.any(|row| row.iter().any(Option::is_some))
        })
        .collect();
    let mut hasher = blake3::Hasher::new();
    for one in curve.iter().chain(&score) {
        let line = serde_json::to_vec(one).map_err(Failure::Encoding)?;
        hasher.update(&line);
    }
    Ok(RobotCalibration {
        window: rule.window,
        needed: rule.needed,
        data: hasher.finalize().to_hex().to_string(),
        episodes: clean.len(),
        good: clean.iter().filter(|one| one.success).count(),
        groups: groups(&signals, rule, &curve, &score),
        signals,
        ..RobotCalibration::default()
    })
}

/// Puts a robot's calibration into the bundle; those of other robots stay when
/// they are of the same policy.
fn store(bundle: &Bundle, robot: RobotCalibration) -> Result<std::path::PathBuf, Failure> {
    let hash = bundle.policy_hash()?;
    let old = bundle.calibration()?;
    let mut file = old
        .and_then(|text| CalibrationFile::read(&text).ok())
        .filter(|file| file.bundle == hash)
        .unwrap_or_default();
    file.form = CALIBRATION_FORM;
    file.bundle = hash;
    file.robots
        .retain(|other| other.embodiment != robot.embodiment);
    file.robots.push(robot);
    file.robots.sort_by(|a, b| a.embodiment.cmp(&b.embodiment));
    let path = bundle.folder().join(CALIBRATION_FILE);
    let text = serde_json::to_string(&file).map_err(Failure::Encoding)? + "\n";
    std::fs::write(&path, text).map_err(Failure::file(&path, "write"))?;
    Ok(path)
}

/// Scores need no more than six digits; ties may only move the threshold by
/// what they are rounded by.
fn rounded(mut robot: RobotCalibration) -> RobotCalibration {
    for group in robot.groups.values_mut() {
        for score in group.scores.iter_mut().flatten() {
            *score = (*score * 1e4).round() * 1e-4;
        }
        for shares in group.actions.values_mut() {
            for number in shares.borders.iter_mut().chain(&mut shares.shares) {
                *number = (*number * 1e5).round() * 1e-5;
            }
        }
    }
    robot
}

/// How well failures are told.
struct Told<'a> {
    reliabilities: Option<&'a failures::Reliabilities>,
    risk: Option<risk::RiskTold>,
}

fn report(
    robot: &RobotCalibration,
    signals: &[Signal],
    rate: f64,
    told: Told<'_>,
    file: &Path,
    console: Console,
) -> Result<(), Failure> {
    let judge = Judge::new(robot, signals, rate).map_err(Failure::calibration)?;
    if console.is_json() {
        let ops: serde_json::Map<String, serde_json::Value> = judge
            .judgements()
            .map(|(op, judgement)| {
                let told = json!({"group": judgement.group, "threshold": judgement.threshold});
                (op.as_str().to_owned(), told)
            })
            .collect();
        return console.object(&json!({
            "embodiment": robot.embodiment, "episodes": robot.episodes, "good": robot.good,
            "false_hold_rate": rate, "signals": signals, "window": robot.window,
            "needed": robot.needed, "data": robot.data, "ops": ops, "features": robot.features,
            "probability": robot.probability.as_ref().map(|curves| curves.platt),
            "reliability": told.reliabilities, "risk": told.risk, "file": file,
        }));
    }
    let mut table = Table::new(&[
        ("primitive", Align::Left),
        ("judged by", Align::Left),
        ("good episodes", Align::Right),
        ("rank", Align::Right),
        ("threshold", Align::Right),
        ("good ones below it, 95 % interval", Align::Right),
    ]);
    for (op, judgement) in judge.judgements() {
        let threshold = &judgement.threshold;
        table.row([
            op.as_str().to_owned(),
            judgement.group.clone(),
            threshold.n.to_string(),
            threshold.k.to_string(),
            format!("{:.2}", threshold.value),
            format!(
                "{} – {}",
                percent(threshold.coverage[0]),
                percent(threshold.coverage[1])
            ),
        ]);
    }
    console.write(&table.render(console.style()))?;
    if let Some(risk) = told.risk {
        let area = |area: Option<f64>| area.map_or("-".to_owned(), |area| format!("{area:.2}"));
        console.line(&format!(
            "learnt risk, {} other episodes: AUROC {}; learnt without their perturbation: {}",
            risk.episodes,
            area(risk.auroc),
            area(risk.auroc_of_other_kinds)
        ))?;
    } else {
        console.line("too few episodes failed to learn a risk from")?;
    }
    if let Some(reliabilities) = told.reliabilities {
        let of = |name: &str, one: &vola_confidence::Reliability| {
            format!(
                "{name}: calibration error {:.3} (equal widths), {:.3} (equal numbers), Brier score {:.3}",
                one.ece_equal_width, one.ece_equal_mass, one.brier
            )
        };
        console.line(&format!(
            "probability of failure on {} other episodes\n{}\n{}",
            reliabilities.episodes,
            of("  logistic", &reliabilities.platt),
            of("  isotonic", &reliabilities.isotonic)
        ))?;
    }
    console.line(&format!(
        "{} of {} episodes went well; at most {} of such are held\nwritten to {}",
        robot.good,
        robot.episodes,
        percent(rate),
        file.display()
    ))
}
