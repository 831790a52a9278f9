//! Checks of the `[[preprocess]]` and `[[postprocess]]` lists.

use std::collections::{BTreeMap, BTreeSet};

use vola_types::{ActionSpace, names};

use crate::graph::StageGraph;
use crate::nearest::suggestion;
use crate::problem::Reporter;
use crate::wording::quoted;

use super::contract::EmbodimentBinding;
use super::raw::RawStep;
use super::steps::{ImageSize, NormaliseMode, PostStep, PreStep};

/// Statistics entry and step feature that stand for both goal points.
pub(crate) const GOAL: &str = "goal";

const PRE_WORDS: [&str; 6] = ["rename", "history", "resize", "pad", "crop", "normalise"];
const POST_WORDS: [&str; 3] = ["denormalise", "to_absolute", "decide_gripper"];
/// What closes and what opens a gripper where the bundle says nothing else.
const GRIPPER_DECIDES: [f64; 2] = [0.5, 1.0];

pub(super) fn preprocess(
    raw: &[RawStep],
    sources: &BTreeSet<String>,
    reporter: &mut Reporter<'_>,
) -> Vec<PreStep> {
    let mut features: BTreeMap<String, Kind> = sources
        .iter()
        .map(|name| (name.clone(), Kind::of(name)))
        .collect();
    let mut steps = Vec::new();
    for (index, step) in raw.iter().enumerate() {
        let key = format!("preprocess[{index}]");
        if let Some(step) = read_pre(step, &key, reporter) {
            follow(&step, &mut features, &key, reporter);
            steps.push(step);
        }
    }
    steps
}

/// What steps may be done to a feature.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Picture,
    Vector,
    Other,
    Stacked,
}

impl Kind {
    fn of(name: &str) -> Self {
        if name.starts_with(names::IMAGES) {
            Self::Picture
        } else if [names::STATE, names::GOAL_OBJECT, names::GOAL_TARGET].contains(&name) {
            Self::Vector
        } else {
            Self::Other
        }
    }
}

/// Checks that the step's feature exists at this point and takes the step.
fn follow(
    step: &PreStep,
    features: &mut BTreeMap<String, Kind>,
    key: &str,
    reporter: &mut Reporter<'_>,
) {
    let name = step.feature();
    let is_goal = name == GOAL && matches!(step, PreStep::Normalise { .. });
    let kind = if is_goal {
        Some(Kind::Vector)
    } else {
        features.get(name).copied()
    };
    let field = if matches!(step, PreStep::Rename { .. }) {
        "from"
    } else {
        "feature"
    };
    let at = format!("{key}.{field}");
    let Some(kind) = kind else {
        let known: Vec<&str> = features.keys().map(String::as_str).collect();
        let expected = ("a feature that exists at this step", format!("\"{name}\""));
        reporter.report_with_help(at, expected, suggestion(name, &known));
        return;
    };
    let fits = match step {
        PreStep::Rename { .. } => true,
        PreStep::History { .. } => matches!(kind, Kind::Picture | Kind::Vector) && !is_goal,
        PreStep::Normalise { .. } => matches!(kind, Kind::Picture | Kind::Vector),
        _ => kind == Kind::Picture,
    };
    if !fits {
        let word = step.word();
        let got = if kind == Kind::Stacked {
            format!("`{name}` after `history`, which must be its last step")
        } else {
            format!("`{name}`")
        };
        reporter.report(at, format!("a feature that takes `{word}`"), got);
    }
    match step {
        PreStep::Rename { from, to } => {
            if features.contains_key(to) {
                reporter.report(format!("{key}.to"), "a new name", format!("\"{to}\" again"));
            }
            features.remove(from);
            features.insert(to.clone(), kind);
        }
        PreStep::History { feature, .. } => {
            features.insert(feature.clone(), Kind::Stacked);
        }
        _ => {}
    }
}

fn read_pre(raw: &RawStep, key: &str, reporter: &mut Reporter<'_>) -> Option<PreStep> {
    let allowed: &[&str] = match raw.step.as_str() {
        "rename" => &["from", "to"],
        "history" => &["feature", "length"],
        "resize" => &["feature", "width", "height", "method", "fit"],
        "pad" => &["feature", "width", "height", "value", "anchor"],
        "crop" => &["feature", "width", "height", "anchor"],
        "normalise" => &["feature", "mode", "stats"],
        other => {
            unknown_step(other, &PRE_WORDS, key, reporter);
            return None;
        }
    };
    only(raw, allowed, key, reporter);
    if raw.step == "rename" {
        let from = reporter.require(raw.from.clone(), &format!("{key}.from"), "the old name");
        let to = reporter.require(raw.to.clone(), &format!("{key}.to"), "the new name");
        return Some(PreStep::Rename {
            from: from?,
            to: to?,
        });
    }
    let feature = reporter.require(
        raw.feature.clone(),
        &format!("{key}.feature"),
        "a feature's name",
    )?;
    match raw.step.as_str() {
        "history" => {
            let at = format!("{key}.length");
            let length = reporter.require(raw.length, &at, "how many observations to keep")?;
            reporter.count_in(length.into(), &at, (2, 64));
            Some(PreStep::History { feature, length })
        }
        "normalise" => {
            let mode = read_mode(raw, key, reporter)?;
            let stats = raw.stats.clone().unwrap_or_else(|| feature.clone());
            Some(PreStep::Normalise {
                feature,
                mode,
                stats,
            })
        }
        word => {
            let size = read_size(raw, key, reporter)?;
            let anchor = raw.anchor.unwrap_or_default();
            Some(match word {
                "resize" => PreStep::Resize {
                    feature,
                    size,
                    method: raw.method.unwrap_or_default(),
                    fit: raw.fit.unwrap_or_default(),
                },
                "pad" => {
                    let value = raw.value.unwrap_or(0.0);
                    reporter.in_range(value, &format!("{key}.value"), (-10.0, 10.0));
                    PreStep::Pad {
                        feature,
                        size,
                        value,
                        anchor,
                    }
                }
                _ => PreStep::Crop {
                    feature,
                    size,
                    anchor,
                },
            })
        }
    }
}

pub(super) fn postprocess(raw: &[RawStep], reporter: &mut Reporter<'_>) -> Vec<PostStep> {
    let mut steps = Vec::new();
    for (index, step) in raw.iter().enumerate() {
        let key = format!("postprocess[{index}]");
        steps.extend(read_post(step, &key, reporter));
    }
    let count = steps
        .iter()
        .filter(|step| matches!(step, PostStep::Denormalise { .. }))
        .count();
    if count != 1 {
        reporter.report_with_help(
            "postprocess",
            ("exactly one `denormalise` step for `action`", count.to_string()),
            "if the head returns physical numbers, say so: { step = \"denormalise\", mode = \"identity\" }",
        );
    }
    let denormalise = steps
        .iter()
        .position(|step| matches!(step, PostStep::Denormalise { .. }));
    for (index, step) in steps.iter().enumerate() {
        let word = match step {
            PostStep::Denormalise { .. } => continue,
            PostStep::ToAbsolute { .. } => "to_absolute",
            PostStep::DecideGripper { .. } => "decide_gripper",
        };
        if denormalise.is_some_and(|denormalise| index < denormalise) {
            let key = format!("postprocess[{index}]");
            let expected = format!("`{word}` after `denormalise`");
            reporter.report(key, expected, "it before");
        }
    }
    steps
}

fn read_post(raw: &RawStep, key: &str, reporter: &mut Reporter<'_>) -> Option<PostStep> {
    match raw.step.as_str() {
        "denormalise" => {
            only(raw, &["feature", "mode", "stats"], key, reporter);
            let feature = raw
                .feature
                .clone()
                .unwrap_or_else(|| names::ACTION.to_owned());
            if feature != names::ACTION {
                reporter.report(
                    format!("{key}.feature"),
                    "\"action\"",
                    format!("\"{feature}\""),
                );
            }
            let mode = read_mode(raw, key, reporter)?;
            let stats = raw.stats.clone().unwrap_or(feature);
            Some(PostStep::Denormalise { mode, stats })
        }
        "to_absolute" => {
            only(raw, &["names", "state"], key, reporter);
            let at = format!("{key}.names");
            let names = reporter.require(raw.names.clone(), &at, "the action columns")?;
            let state = raw.state.clone().unwrap_or_else(|| names.clone());
            if state.len() != names.len() {
                let expected = format!("{} state names, one a column", names.len());
                reporter.report(format!("{key}.state"), expected, state.len().to_string());
            }
            Some(PostStep::ToAbsolute { names, state })
        }
        "decide_gripper" => {
            only(raw, &["close_below", "open_above"], key, reporter);
            let [close, open] = GRIPPER_DECIDES;
            let close_below = raw.close_below.unwrap_or(close);
            let open_above = raw.open_above.unwrap_or(open);
            if !(close_below >= 0.0 && close_below <= open_above && open_above <= 1.0) {
                let expected = "0 ≤ close_below ≤ open_above ≤ 1";
                reporter.report(key, expected, format!("{close_below} and {open_above}"));
            }
            Some(PostStep::DecideGripper {
                close_below,
                open_above,
            })
        }
        other => {
            unknown_step(other, &POST_WORDS, key, reporter);
            None
        }
    }
}

/// `to_absolute` must name columns and state values that exist, `decide_gripper`
/// needs a gripper.
pub(super) fn against_actions(
    steps: &[PostStep],
    embodiments: &[EmbodimentBinding],
    reporter: &mut Reporter<'_>,
) {
    for (index, step) in steps.iter().enumerate() {
        let key = format!("postprocess[{index}]");
        if matches!(step, PostStep::DecideGripper { .. }) {
            for one in embodiments.iter().filter(|e| !e.action.has_gripper()) {
                let expected = "a last action column that is the gripper's";
                reporter.report(&key, expected, format!("none of {}", one.id));
            }
        }
        let PostStep::ToAbsolute { names, state } = step else {
            continue;
        };
        for one in embodiments {
            if one.action.space != ActionSpace::JointPosition {
                let expected = "the action space `joint_position`";
                reporter.report(
                    &key,
                    expected,
                    format!("`{}` of {}", one.action.space, one.id),
                );
            }
            let lists = [
                (names, &one.action.names, "names"),
                (state, &one.state.names, "state"),
            ];
            for (list, has, field) in lists {
                for name in list.iter().filter(|name| !has.contains(name)) {
                    let expected = format!("one of {} of {}", quoted(has), one.id);
                    reporter.report(format!("{key}.{field}"), expected, format!("\"{name}\""));
                }
            }
        }
    }
}

/// Vectors that a stage reads must be normalised explicitly, so that a
/// forgotten step is not taken for numbers that need none.
pub(super) fn against_graph(steps: &[PreStep], graph: &StageGraph, reporter: &mut Reporter<'_>) {
    for source in [names::STATE, names::GOAL_OBJECT, names::GOAL_TARGET] {
        let mut name = source;
        let mut normalised = false;
        for step in steps {
            match step {
                PreStep::Rename { from, to } if from == name => name = to,
                PreStep::Normalise { feature, .. } => {
                    let by_goal = feature == GOAL && source != names::STATE;
                    normalised |= feature == name || by_goal;
                }
                _ => {}
            }
        }
        if !normalised && graph.readers(name).next().is_some() {
            reporter.report_with_help(
                "preprocess",
                (
                    format!("a `normalise` step for `{name}`, which a stage reads"),
                    "none",
                ),
                "if the stage wants physical numbers, say so with mode = \"identity\"",
            );
        }
    }
}

fn unknown_step(word: &str, known: &[&str], key: &str, reporter: &mut Reporter<'_>) {
    let got = format!("\"{word}\"");
    reporter.report_with_help(
        format!("{key}.step"),
        ("a known step", got),
        suggestion(word, known),
    );
}

fn read_mode(raw: &RawStep, key: &str, reporter: &mut Reporter<'_>) -> Option<NormaliseMode> {
    reporter.require(
        raw.mode,
        &format!("{key}.mode"),
        "one of `mean_std`, `min_max`, `quantile`, `identity`",
    )
}

fn read_size(raw: &RawStep, key: &str, reporter: &mut Reporter<'_>) -> Option<ImageSize> {
    let mut side = |value: Option<u32>, word: &str| {
        let at = format!("{key}.{word}");
        let value = reporter.require(value, &at, "pixels")?;
        reporter.count_in(value.into(), &at, (1, 8192));
        Some(value)
    };
    let (width, height) = (side(raw.width, "width"), side(raw.height, "height"));
    Some(ImageSize {
        width: width?,
        height: height?,
    })
}

/// Reports keys that the step does not take.
fn only(raw: &RawStep, allowed: &[&str], key: &str, reporter: &mut Reporter<'_>) {
    let given = [
        ("feature", raw.feature.is_some()),
        ("from", raw.from.is_some()),
        ("to", raw.to.is_some()),
        ("length", raw.length.is_some()),
        ("width", raw.width.is_some()),
        ("height", raw.height.is_some()),
        ("method", raw.method.is_some()),
        ("fit", raw.fit.is_some()),
        ("value", raw.value.is_some()),
        ("anchor", raw.anchor.is_some()),
        ("mode", raw.mode.is_some()),
        ("stats", raw.stats.is_some()),
        ("names", raw.names.is_some()),
        ("state", raw.state.is_some()),
    ];
    for (name, is_given) in given {
        if is_given && !allowed.contains(&name) {
            let expected = format!("a key that `{}` takes: {}", raw.step, quoted(allowed));
            reporter.report(format!("{key}.{name}"), expected, format!("`{name}`"));
        }
    }
}
