//! From what the file says to what is true: names resolve, numbers are in
//! their ranges, the graph is sound.

use std::collections::BTreeSet;
use std::path::PathBuf;

use semver::VersionReq;
use vola_types::{ActionSpace, ColorOrder, PluginId, is_word, names};

use crate::error::BundleError;
use crate::files::stays_inside;
use crate::graph;
use crate::nearest::suggestion;
use crate::problem::{Problems, Reporter};
use crate::wording::quoted;

use super::Manifest;
use super::check_steps;
use super::contract::{
    ActionContract, CameraContract, EmbodimentBinding, ExecutionHints, Perception, ProgressRule,
    Stage, StateContract, Weights, is_gripper,
};
use super::features::{
    all_sources, features_of_robot, mark_resized, renamed, terminals, wanted_outputs,
};
use super::raw::{
    RawAction, RawEmbodiment, RawHints, RawManifest, RawPerception, RawProgress, RawStage,
};

/// The format this code reads.
const FORMAT: u32 = 1;

pub(super) fn check(
    raw: &RawManifest,
    file: &str,
    mut problems: Problems,
) -> Result<Manifest, BundleError> {
    let mut reporter = Reporter::new(file, &mut problems);
    let reporter = &mut reporter;
    if raw.format != Some(FORMAT) {
        let got = raw
            .format
            .map_or("nothing".to_owned(), |format| format.to_string());
        let help = "`format = 1` is the only format this version reads";
        reporter.report_with_help("format", ("1", got), help);
    }
    let stages: Vec<Stage> = raw
        .stage
        .iter()
        .enumerate()
        .filter_map(|(index, stage)| check_stage(stage, &format!("stage[{index}]"), reporter))
        .collect();
    if stages.is_empty() {
        reporter.report("stage", "at least one [[stage]]", "none");
    }
    unique(
        stages.iter().map(|stage| stage.name.as_str()),
        "stage",
        "name",
        reporter,
    );

    let mut embodiments: Vec<EmbodimentBinding> = raw
        .embodiment
        .iter()
        .enumerate()
        .filter_map(|(index, one)| {
            check_embodiment(one, &stages, &format!("embodiment[{index}]"), reporter)
        })
        .collect();
    if embodiments.is_empty() {
        reporter.report("embodiment", "at least one [[embodiment]]", "none");
    }
    let ids: Vec<String> = raw.embodiment.iter().map(|one| one.id.clone()).collect();
    unique(ids.iter().map(String::as_str), "embodiment", "id", reporter);

    let perception = raw
        .perception
        .as_ref()
        .map(|one| check_perception(one, &stages, reporter));
    let progress = raw
        .progress
        .as_ref()
        .map(|one| check_progress(one, &stages, reporter));
    let hints = raw
        .execution
        .as_ref()
        .map(|one| check_hints(one, reporter))
        .unwrap_or_default();

    let sources = all_sources(&embodiments);
    let preprocess = check_steps::preprocess(&raw.preprocess, &sources, reporter);
    let postprocess = check_steps::postprocess(&raw.postprocess, reporter);
    check_steps::against_actions(&postprocess, &embodiments, reporter);
    for embodiment in &mut embodiments {
        mark_resized(embodiment, &preprocess);
    }

    let terminals = terminals(raw, &embodiments, perception.as_ref(), progress.as_ref());
    let features = renamed(&sources, &preprocess);
    let graph = graph::build(stages, &features, &terminals, reporter);
    if let Some(graph) = &graph {
        check_steps::against_graph(&preprocess, graph, reporter);
        for (index, embodiment) in embodiments.iter().enumerate() {
            let wanted = wanted_outputs(embodiment, perception.as_ref(), progress.as_ref());
            let about = (preprocess.as_slice(), wanted.as_slice(), &features);
            features_of_robot(embodiment, graph, about, index, reporter);
        }
    }

    BundleError::check(problems)?;
    let graph = graph.unwrap_or_default();
    Ok(Manifest {
        file: file.to_owned(),
        name: raw.name.clone(),
        summary: raw.summary.clone(),
        graph,
        embodiments,
        preprocess,
        postprocess,
        perception,
        progress,
        hints,
        side_outputs: raw.side_outputs.clone(),
    })
}

fn check_stage(raw: &RawStage, key: &str, reporter: &mut Reporter<'_>) -> Option<Stage> {
    if !is_word(&raw.name) {
        let got = format!("\"{}\"", raw.name);
        reporter.report(format!("{key}.name"), "a name of a-z, 0-9 and `_`", got);
    }
    let plugin = plugin_id(&raw.plugin, &format!("{key}.plugin"), reporter)?;
    let version = match raw.version.as_deref() {
        None => VersionReq::STAR,
        Some(text) => VersionReq::parse(text).unwrap_or_else(|error| {
            let expected = "a version requirement such as \"^0.1\"";
            reporter.report(
                format!("{key}.version"),
                expected,
                format!("\"{text}\" ({error})"),
            );
            VersionReq::STAR
        }),
    };
    let weights = raw.weights.as_ref().map(|weights| Weights {
        file: path_inside(&weights.file, &format!("{key}.weights.file"), reporter),
        prefix: weights.prefix.clone(),
    });
    for (list, word) in [(&raw.inputs, "inputs"), (&raw.outputs, "outputs")] {
        if list.is_empty() {
            reporter.report(format!("{key}.{word}"), "at least one tensor name", "none");
        }
    }
    let settings = serde_json::to_value(&raw.settings).unwrap_or_else(|error| {
        let expected = "settings that JSON can hold";
        reporter.report(format!("{key}.settings"), expected, error.to_string());
        serde_json::Value::Null
    });
    Some(Stage {
        name: raw.name.clone(),
        plugin,
        version,
        weights,
        inputs: raw.inputs.clone(),
        outputs: raw.outputs.clone(),
        settings,
    })
}

fn check_embodiment(
    raw: &RawEmbodiment,
    stages: &[Stage],
    key: &str,
    reporter: &mut Reporter<'_>,
) -> Option<EmbodimentBinding> {
    let id = plugin_id(&raw.id, &format!("{key}.id"), reporter)?;
    if raw.index < 0 {
        reporter.report(
            format!("{key}.index"),
            "a whole number from 0",
            raw.index.to_string(),
        );
    }
    let action_tensor = stage_output(
        stages,
        &raw.head,
        (None, names::ACTION),
        &format!("{key}.head"),
        reporter,
    );
    let action = check_action(raw.action.as_ref(), &format!("{key}.action"), reporter);
    let state = raw.state.clone().unwrap_or_default();
    unique(
        state.names.iter().map(String::as_str),
        &format!("{key}.state.names"),
        "",
        reporter,
    );
    if raw.state.is_some() && state.names.is_empty() {
        reporter.report(format!("{key}.state.names"), "at least one name", "none");
    }
    if !state.units.is_empty() && state.units.len() != state.names.len() {
        let expected = format!("{} units, one a name", state.names.len());
        reporter.report(
            format!("{key}.state.units"),
            expected,
            state.units.len().to_string(),
        );
    }
    let cameras = raw.cameras.iter().map(|(camera, raw)| {
        let at = format!("{key}.cameras.{camera}");
        for (word, value) in [("width", raw.width), ("height", raw.height)] {
            reporter.count_in(u64::from(value), &format!("{at}.{word}"), (1, 8192));
        }
        if let Some(rate) = raw.rate_hz {
            reporter.positive(rate, &format!("{at}.rate_hz"));
        }
        CameraContract {
            key: camera.clone(),
            width: raw.width,
            height: raw.height,
            order: raw.order.unwrap_or(ColorOrder::Rgb),
            rate_hz: raw.rate_hz,
            resized: false,
        }
    });
    let cameras = cameras.collect();
    let stats = raw
        .stats
        .as_deref()
        .map(|path| path_inside(path, &format!("{key}.stats"), reporter));
    let (index, head) = (raw.index, raw.head.clone());
    let state = StateContract {
        names: state.names,
        units: state.units,
    };
    Some(EmbodimentBinding {
        id,
        index,
        head,
        action_tensor,
        action,
        state,
        cameras,
        stats,
    })
}

fn check_action(raw: Option<&RawAction>, key: &str, reporter: &mut Reporter<'_>) -> ActionContract {
    let empty = RawAction::default();
    let raw = match raw {
        Some(raw) => raw,
        None => {
            reporter.report(
                key,
                "a table with space, names, rate_hz and horizon",
                "nothing",
            );
            &empty
        }
    };
    let space = reporter.require(raw.space, &format!("{key}.space"), "an action space");
    let space = space.unwrap_or(ActionSpace::JointPosition);
    let at = format!("{key}.names");
    unique(raw.names.iter().map(String::as_str), &at, "", reporter);
    if let Some(index) = raw
        .names
        .iter()
        .rev()
        .skip(1)
        .rev()
        .position(|name| is_gripper(name))
    {
        reporter.report(
            format!("{at}[{index}]"),
            "the gripper as the last name",
            "it before others",
        );
    }
    let gripper = usize::from(raw.names.last().is_some_and(|name| is_gripper(name)));
    let body = raw.names.len().saturating_sub(gripper);
    let needed = match space {
        ActionSpace::ToolPose => 7..=7,
        ActionSpace::ToolDelta => 6..=6,
        ActionSpace::BaseVelocity => 3..=3,
        ActionSpace::JointPosition | ActionSpace::JointVelocity | ActionSpace::JointDelta => 1..=64,
    };
    if !needed.contains(&body) {
        let count = if needed.start() == needed.end() {
            needed.start().to_string()
        } else {
            format!("{} to {}", needed.start(), needed.end())
        };
        let expected = format!("{count} names for `{space}`, then `gripper` if there is one");
        reporter.report(&at, expected, quoted(&raw.names));
    }
    let rate_hz = reporter.in_range(raw.rate_hz, &format!("{key}.rate_hz"), (0.1, 1000.0));
    let horizon = reporter.count_in(raw.horizon.into(), &format!("{key}.horizon"), (1, 1024));
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the rate is checked to lie in 0.1..1000, so the period fits"
    )]
    let period_ns = (1e9 / rate_hz).round() as u64;
    let (names, horizon) = (
        raw.names.clone(),
        usize::try_from(horizon).unwrap_or(usize::MAX),
    );
    ActionContract {
        space,
        names,
        period_ns,
        rate_hz,
        horizon,
    }
}

fn check_perception(
    raw: &RawPerception,
    stages: &[Stage],
    reporter: &mut Reporter<'_>,
) -> Perception {
    let asked = (raw.tensor.as_deref(), names::SCENE_OBJECTS);
    let tensor = stage_output(stages, &raw.stage, asked, "perception.stage", reporter);
    for (list, word) in [(&raw.kinds, "kinds"), (&raw.colors, "colors")] {
        let key = format!("perception.{word}");
        if list.is_empty() {
            reporter.report(&key, "at least one word", "none");
        }
        unique(list.iter().map(String::as_str), &key, "", reporter);
    }
    let threshold = reporter.in_range(
        raw.threshold.unwrap_or(0.5),
        "perception.threshold",
        (0.0, 1.0),
    );
    let (kinds, colors) = (raw.kinds.clone(), raw.colors.clone());
    Perception {
        stage: raw.stage.clone(),
        tensor,
        kinds,
        colors,
        threshold,
    }
}

fn check_progress(
    raw: &RawProgress,
    stages: &[Stage],
    reporter: &mut Reporter<'_>,
) -> ProgressRule {
    let asked = (raw.tensor.as_deref(), names::PROGRESS);
    let tensor = stage_output(stages, &raw.stage, asked, "progress.stage", reporter);
    let threshold = |value: Option<f64>, key: &str, reporter: &mut Reporter<'_>| {
        reporter.in_range(value.unwrap_or(0.5), key, (0.0, 1.0))
    };
    let count = raw.count.unwrap_or(2);
    reporter.count_in(count.into(), "progress.count", (1, 100));
    ProgressRule {
        stage: raw.stage.clone(),
        tensor,
        done_threshold: threshold(raw.done_threshold, "progress.done_threshold", reporter),
        failing_threshold: threshold(
            raw.failing_threshold,
            "progress.failing_threshold",
            reporter,
        ),
        count,
    }
}

fn check_hints(raw: &RawHints, reporter: &mut Reporter<'_>) -> ExecutionHints {
    if let Some(rows) = raw.execute_rows {
        reporter.count_in(rows.into(), "execution.execute_rows", (1, 1024));
    }
    if let Some(decay) = raw.ensemble_decay {
        reporter.in_range(decay, "execution.ensemble_decay", (-10.0, 10.0));
    }
    ExecutionHints {
        mode: raw.mode,
        execute_rows: raw.execute_rows,
        ensemble_decay: raw.ensemble_decay,
    }
}

/// The tensor of a stage that a table names: the one asked for, else the only
/// one, else the one with the usual name.
fn stage_output(
    stages: &[Stage],
    stage: &str,
    (asked, usual): (Option<&str>, &str),
    key: &str,
    reporter: &mut Reporter<'_>,
) -> String {
    let wanted = asked.unwrap_or(usual).to_owned();
    let Some(found) = stages.iter().find(|one| one.name == stage) else {
        let known: Vec<&str> = stages.iter().map(|one| one.name.as_str()).collect();
        let got = format!("\"{stage}\"");
        reporter.report_with_help(key, ("the name of a stage", got), suggestion(stage, &known));
        return wanted;
    };
    match (asked, found.outputs.as_slice()) {
        (_, outputs) if outputs.contains(&wanted) => wanted,
        (None, [only]) => only.clone(),
        (_, outputs) => {
            let expected = format!("a stage with an output `{wanted}`");
            reporter.report(
                key,
                expected,
                format!("`{stage}` with outputs {}", quoted(outputs)),
            );
            wanted
        }
    }
}

/// The id, or a stand-in after a report, so that later checks can go on.
fn plugin_id(text: &str, key: &str, reporter: &mut Reporter<'_>) -> Option<PluginId> {
    if let Err(error) = PluginId::parse(text) {
        let expected = "`library/plugin`, as in `encoders/conv`";
        reporter.report(key, expected, format!("\"{}\"", error.text));
    }
    PluginId::parse(text)
        .or_else(|_| PluginId::parse("unnamed/unnamed"))
        .ok()
}

fn path_inside(text: &str, key: &str, reporter: &mut Reporter<'_>) -> PathBuf {
    let path = PathBuf::from(text);
    if !stays_inside(&path) {
        reporter.report(
            key,
            "a file inside the bundle folder",
            format!("\"{text}\""),
        );
    }
    path
}

fn unique<'a>(
    items: impl Iterator<Item = &'a str>,
    key: &str,
    field: &str,
    reporter: &mut Reporter<'_>,
) {
    let mut seen = BTreeSet::new();
    for (index, item) in items.enumerate() {
        if !seen.insert(item) {
            let dot = if field.is_empty() { "" } else { "." };
            let at = format!("{key}[{index}]{dot}{field}");
            reporter.report(at, "a name used once", format!("\"{item}\" again"));
        }
    }
}
