//! `vola policy adapt`: heads learn from what people corrected.
//!
//! Encoders and fusion stay as they are; what they make of the recorded frames is computed once and
//! kept in the bundle's replay buffer. The heads are fine-tuned on corrections and on what the policy
//! did well before as the robot is now, half and half. Again and again they are judged on episodes of
//! both that they were not shown, and the best are kept. What does not help, or makes the policy
//! forget, is thrown away. Fine-tuning always begins with the bundle's own weights and has all
//! corrections, so that nothing drifts from version to version.

mod examples;
mod figures;
mod recorded_goal;
mod recordings;
mod simulated;
mod tuning;

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::{Value, json};
use vola_bundle::{BASE_VERSION, Bundle, HeadSnapshot, REPLAY, VersionRecord};
use vola_runtime::{OfflinePolicy, RuntimeError};
use vola_train::{ExampleKind, ExampleSet, ReplayBuffer};

use crate::{
    arguments::SharedArguments,
    commands::eval::condition_of,
    failure::{Failure, exit},
    measure::PRIMITIVE_TASKS,
    output::{Align, Console, Table, Tone},
    process_setup,
    workplace::{Workplace, plugin_options, program_folders},
};

use examples::Hands;
use figures::{Figures, Success};
use recordings::add;
use simulated::{Situation, record_old, successes};
use tuning::{Tuned, Tuning, tune};

/// One of so many episodes is held out.
const HELD_OUT: u64 = 5;
/// Fewest episodes of corrections.
const FEWEST: usize = 5;

/// `vola policy adapt`.
#[derive(Clone, Debug, Args)]
pub(crate) struct AdaptArguments {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// A recording (LeRobot data set) with corrections: frames in which a person moved the arm
    #[arg(long, value_name = "DIR")]
    from: Vec<PathBuf>,
    /// A recording of what the policy does well and is not to forget [default: made now, where the
    /// robot is simulated]
    #[arg(long, value_name = "DIR")]
    old: Vec<PathBuf>,
    /// Name of the new version
    #[arg(long, default_value = "adapted")]
    name: String,
    /// Most optimiser steps of a head
    #[arg(long, default_value_t = 800, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    steps: u64,
    /// Most time for all heads (minutes)
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Learning rate
    #[arg(long, default_value_t = 1e-3)]
    learning_rate: f64,
    /// How strongly weights are drawn back to the bundle's own
    #[arg(long, default_value_t = 0.0)]
    pull: f64,
    /// Seed of every draw
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Simulated robots: what is wrong with it now, the name of a perturbation
    #[arg(long, value_name = "NAME", default_value = "none")]
    perturb: String,
    /// Simulated robots: it is the same in every scene, drawn with this seed
    #[arg(long, value_name = "K")]
    perturb_seed: Option<u64>,
    /// Simulated robots: also try the corrected tasks and all others before and after, so many
    /// episodes each
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=1000))]
    episodes: u64,
    /// Give way to everything else on this machine, and end with the process that started this
    #[arg(long, hide = true, value_name = "PROCESS")]
    background: Option<u32>,
    /// The robot is another session's: it is not opened, so nothing is recorded or tried with it
    #[arg(long, hide = true, conflicts_with = "episodes")]
    robot_in_use: bool,
}

/// Examples of both kinds, each parted into those that are learned from and those held out.
struct Lessons {
    corrections: [ExampleSet; 2],
    old: [ExampleSet; 2],
    data: String,
    /// Tasks that the recordings of this call correct.
    tasks: Vec<&'static str>,
    /// How long recording the old tasks took.
    recorded: Duration,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &AdaptArguments,
    console: Console,
) -> Result<u8, Failure> {
    let began = Instant::now();
    if let Some(parent) = own.background
        && !process_setup::give_way(parent)
    {
        return Ok(exit::ERROR);
    }
    let budget = budget(own)?;
    let situation = Situation {
        perturb: condition_of(&own.perturb)?,
        seed: own.perturb_seed,
    };
    let workplace = Workplace::open_version(shared, &own.bundle, BASE_VERSION)?;
    let mut policy = open(shared, own, &workplace)?;
    check_name(policy.bundle(), &own.name)?;
    let _alone = alone(own)?;
    let lessons = lessons(&mut policy, own, (&workplace, situation), console)?;
    let heads: Vec<String> = policy
        .adaptable()
        .into_iter()
        .map(|head| head.stage)
        .collect();
    let before = Figures::measure(&mut policy, &lessons.corrections[1], &lessons.old[1])?;
    let base = policy.snapshots(&heads)?;
    let all = began.elapsed();
    let prepared = all.saturating_sub(lessons.recorded);
    let settings = Tuning {
        steps: own.steps,
        learning_rate: own.learning_rate,
        pull: own.pull,
        seed: own.seed,
        until: Instant::now() + budget,
    };
    let Tuned {
        best: after,
        steps,
        reports,
    } = tune(&mut policy, &lessons, &before, &settings, console)?;
    let tuned = began.elapsed().saturating_sub(all);
    let mut verdict = after.judged(&before);
    let mut figures = json!({
        "held_out": {"before": before, "after": after},
        "corrections": {"episodes": episodes(&lessons.corrections), "examples": examples(&lessons.corrections)},
        "old": {"episodes": episodes(&lessons.old), "examples": examples(&lessons.old)},
        "heads": reports,
        "steps": steps,
        "seconds": {
            "old_recorded": lessons.recorded.as_secs_f64(),
            "prepared": prepared.as_secs_f64(),
            "tuned": tuned.as_secs_f64(),
        },
    });
    if verdict.is_ok() && own.episodes > 0 {
        // Sessions open versions from the disk: a trial version is written for the time of the check.
        let trial = format!("{}-trial", own.name);
        // Of a check that was killed.
        if policy
            .bundle()
            .versions()?
            .iter()
            .any(|known| known.name == trial)
        {
            policy.bundle().remove_version(&trial)?;
        }
        save(&mut policy, own, (&trial, &heads), &lessons.data, &figures)?;
        let checked = check(shared, own, (&trial, &lessons.tasks), (situation, console));
        policy.bundle().remove_version(&trial)?;
        let success = checked?;
        figures["success"] = json!(success);
        verdict = success.judged();
    }
    let saved = match &verdict {
        Ok(()) => Some(save(
            &mut policy,
            own,
            (&own.name, &heads),
            &lessons.data,
            &figures,
        )?),
        Err(_) => {
            policy.restore(&base)?;
            None
        }
    };
    report(own, &figures, (&verdict, saved.as_deref()), console)?;
    Ok(if verdict.is_ok() {
        exit::DONE
    } else {
        exit::ERROR
    })
}

/// Episodes of the corrected tasks and of all others, before and after.
fn check(
    shared: &SharedArguments,
    own: &AdaptArguments,
    (trial, corrected): (&str, &[&'static str]),
    told: (Situation, Console),
) -> Result<Success, Failure> {
    let others = PRIMITIVE_TASKS
        .iter()
        .filter(|task| !corrected.contains(task));
    let others: Vec<&str> = others.copied().collect();
    let count = usize::try_from(own.episodes).unwrap_or(0);
    let run = |version: &str, tasks: &[&str]| {
        successes(shared, (&own.bundle, version), (tasks, count), told)
    };
    Ok(Success {
        corrected: [run(BASE_VERSION, corrected)?, run(trial, corrected)?],
        corrected_episodes: corrected.len() * count,
        old: [run(BASE_VERSION, &others)?, run(trial, &others)?],
        old_episodes: others.len() * count,
    })
}

fn budget(own: &AdaptArguments) -> Result<Duration, Failure> {
    let wrong = |argument: &str, expected: &str, got: f64| Failure::Argument {
        argument: argument.to_owned(),
        expected: expected.to_owned(),
        got: got.to_string(),
        help: "leave it out for the default".to_owned(),
    };
    if !(own.minutes > 0.0 && own.minutes <= 600.0) {
        return Err(wrong(
            "--minutes",
            "a number above 0, 600 at most",
            own.minutes,
        ));
    }
    if !(own.learning_rate > 0.0 && own.learning_rate <= 1.0) {
        return Err(wrong(
            "--learning-rate",
            "a number above 0, 1 at most",
            own.learning_rate,
        ));
    }
    Ok(Duration::try_from_secs_f64(own.minutes * 60.0).unwrap_or_default())
}

fn open(
    shared: &SharedArguments,
    own: &AdaptArguments,
    workplace: &Workplace,
) -> Result<OfflinePolicy, Failure> {
    let mut folders = shared.plugin_folders.clone();
    folders.extend(program_folders());
    let deployment = workplace.deployment();
    let threads = deployment.policy().map_or(1, |policy| policy.threads());
    let id = deployment.robot().plugin();
    Ok(OfflinePolicy::open(
        &own.bundle,
        Some(id),
        &folders,
        &plugin_options(shared),
        threads,
    )?)
}

/// Keeps other adaptations away from the bundle's replay buffer, for as long as it lives.
fn alone(own: &AdaptArguments) -> Result<File, Failure> {
    let folder = own.bundle.join(REPLAY);
    let path = folder.join("lock");
    let failed = |source| Failure::File {
        path: path.clone(),
        action: "lock",
        source,
    };
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::Content {
            path,
            reason: "another adaptation of this bundle runs".to_owned(),
            help: "wait until it has ended; a robot that is served may learn by itself",
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// A name that is taken would be found out after a minute of work.
fn check_name(bundle: &Bundle, name: &str) -> Result<(), Failure> {
    if bundle.versions()?.iter().any(|known| known.name == name) {
        return Err(Failure::Argument {
            argument: "--name".to_owned(),
            expected: "a name that no version has".to_owned(),
            got: name.to_owned(),
            help: "`vola policy versions BUNDLE` lists them".to_owned(),
        });
    }
    Ok(())
}

/// Brings the recordings into the replay buffer, and reads all of it.
fn lessons(
    policy: &mut OfflinePolicy,
    own: &AdaptArguments,
    (workplace, situation): (&Workplace, Situation),
    console: Console,
) -> Result<Lessons, Failure> {
    let mut tasks = Vec::new();
    let frozen = policy.bundle().policy_hash()?;
    let mut buffer = ReplayBuffer::open(&own.bundle.join(REPLAY))?;
    for folder in &own.from {
        tasks.extend(add(policy, &mut buffer, folder, Hands::Person, &frozen)?);
    }
    tasks.sort_unstable();
    tasks.dedup();
    let corrections = parted(&buffer.read(ExampleKind::Correction, &frozen)?);
    // Before the old tasks are recorded, which takes longer than all else.
    check_enough(own, "corrections", &corrections)?;
    for folder in &own.old {
        add(policy, &mut buffer, folder, Hands::Policy, &frozen)?;
    }
    let mut recorded = Duration::ZERO;
    if !own.robot_in_use && buffer.read(ExampleKind::Old, &frozen)?.is_empty() {
        let scratch = own.bundle.join(REPLAY).join("old.partial");
        let others: Vec<&str> = PRIMITIVE_TASKS
            .into_iter()
            .filter(|task| !tasks.contains(task))
            .collect();
        let began = Instant::now();
        let made = record_old(workplace, (situation, &others), &scratch, console);
        recorded = began.elapsed();
        let made = made
            .and_then(|()| add(policy, &mut buffer, &scratch, Hands::Policy, &frozen).map(|_| ()));
        let _ = std::fs::remove_dir_all(&scratch);
        made?;
    }
    let old = parted(&buffer.read(ExampleKind::Old, &frozen)?);
    check_enough(own, "old", &old)?;
    let mut hasher = blake3::Hasher::new();
    for shard in buffer.shards().iter().filter(|s| s.source.frozen == frozen) {
        hasher.update(shard.blake3.as_bytes());
    }
    Ok(Lessons {
        corrections,
        old,
        data: hasher.finalize().to_hex().to_string(),
        tasks,
        recorded,
    })
}

/// Some to learn from, and some to be held out.
fn check_enough(own: &AdaptArguments, what: &str, parts: &[ExampleSet; 2]) -> Result<(), Failure> {
    let got = episodes(parts);
    if got >= FEWEST && !parts[1].is_empty() {
        return Ok(());
    }
    Err(Failure::Content {
        path: own.bundle.join(REPLAY),
        reason: format!("{what}: expected at least {FEWEST} episodes, got {got}"),
        help: "record more: `vola chat --record DIR`, take over and correct, then adapt `--from DIR`",
    })
}

/// Those that are learned from, and every fifth episode, which is held out.
fn parted(set: &ExampleSet) -> [ExampleSet; 2] {
    let is_held_out = |episode: u64| episode % HELD_OUT == HELD_OUT - 1;
    [
        set.of_episodes(|episode| !is_held_out(episode)),
        set.of_episodes(is_held_out),
    ]
}

fn episodes(parts: &[ExampleSet; 2]) -> usize {
    let all = parts.iter().flat_map(ExampleSet::episodes);
    all.collect::<std::collections::BTreeSet<_>>().len()
}

fn examples(parts: &[ExampleSet; 2]) -> usize {
    parts.iter().map(ExampleSet::len).sum()
}

fn save(
    policy: &mut OfflinePolicy,
    own: &AdaptArguments,
    (name, heads): (&str, &[String]),
    data: &str,
    figures: &Value,
) -> Result<String, Failure> {
    let snapshots: Vec<HeadSnapshot> = policy.snapshots(heads)?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let record = VersionRecord {
        format: 0,
        name: name.to_owned(),
        bundle: String::new(),
        parent: BASE_VERSION.to_owned(),
        data: data.to_owned(),
        made_unix_s: now.as_secs(),
        heads: Vec::new(),
        figures: figures.clone(),
    };
    let bundle = Bundle::open(&own.bundle)?;
    Ok(bundle.save_version(record, &snapshots)?)
}

fn report(
    own: &AdaptArguments,
    figures: &Value,
    (verdict, hash): (&Result<(), String>, Option<&str>),
    console: Console,
) -> Result<(), Failure> {
    if console.is_json() {
        return console.object(&json!({
            "version": own.name, "accepted": verdict.is_ok(), "reason": verdict.as_ref().err(),
            "blake3": hash, "figures": figures,
        }));
    }
    let mut table = Table::new(&[
        ("held out", Align::Left),
        ("before", Align::Right),
        ("after", Align::Right),
    ]);
    for (words, key) in [
        ("off a person's path (mm)", "correction_m"),
        ("off its own old path (mm)", "old_m"),
    ] {
        let cell = |side: &str| {
            let value = figures["held_out"][side][key].as_f64().unwrap_or(f64::NAN);
            format!("{:.1}", value * 1e3)
        };
        table.row([words.to_owned(), cell("before"), cell("after")]);
    }
    if let Some(success) = figures.get("success") {
        for (words, key) in [
            ("corrected tasks done", "corrected"),
            ("old tasks done", "old"),
        ] {
            let of = &success[format!("{key}_episodes")];
            let cell = |side: usize| format!("{} of {of}", success[key][side]);
            table.row([words.to_owned(), cell(0), cell(1)]);
        }
    }
    console.write(&table.render(console.style()))?;
    let seconds = |part: &str| figures["seconds"][part].as_f64().unwrap_or(f64::NAN);
    console.line(&format!(
        "{:.0} s for the examples, {:.0} s for the heads",
        seconds("prepared"),
        seconds("tuned")
    ))?;
    match verdict {
        Ok(()) => console.line(&format!(
            "version {} written; `vola policy versions {} --use {}` lets it run",
            console.style().paint(Tone::Strong, &own.name),
            own.bundle.display(),
            own.name
        )),
        Err(reason) => console.line(&format!("rolled back: {reason}")),
    }
}

/// An example that does not fit the others comes from the chain, not from a file.
fn misfit(policy: &OfflinePolicy, reason: String) -> Failure {
    Failure::Runtime(Box::new(RuntimeError::StageOutput {
        stage: policy.binding().head().to_owned(),
        id: policy.binding().id().clone(),
        reason,
    }))
}
