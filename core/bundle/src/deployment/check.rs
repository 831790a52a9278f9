//! From what a deployment file says to what is true.

use std::path::Path;
use std::time::Duration;

use vola_types::{PluginId, Signal, WorkspaceBox};

use crate::error::BundleError;
use crate::files::beside;
use crate::manifest::ExecutionMode;
use crate::nearest::suggestion;
use crate::problem::{Problems, Reporter};
use crate::secrets;
use crate::versions::VersionShare;

use super::raw::{
    Backend, RawBox, RawConfidence, RawControl, RawDeployment, RawExecution, RawHandoff,
    RawJointLimits, RawLocalModel, RawModel, RawPlanner, RawPlugins, RawPolicy, RawRobot,
    RawSafety, SafeStop,
};
use super::sections::{
    Budget, ConfidenceSettings, ControlSettings, Deadlines, ExecutionSettings, HandoffSettings,
    JointLimits, LocalModelSettings, ModelSettings, PlannerSettings, PluginSettings,
    PolicySettings, RecordSettings, RecordSync, Recovery, RobotSettings, SafetySettings,
};
use super::{Deployment, adaptation, monitoring};

pub(super) fn check(
    raw: &RawDeployment,
    file: &Path,
    mut problems: Problems,
) -> Result<Deployment, BundleError> {
    let name = file.display().to_string();
    let mut reporter = Reporter::new(&name, &mut problems);
    let reporter = &mut reporter;
    let robot = check_robot(raw.robot.as_ref(), reporter);
    let policy = raw
        .policy
        .as_ref()
        .map(|policy| check_policy(policy, file, reporter));
    let execution = check_execution(&raw.execution, reporter);
    let safety = check_safety(&raw.safety, reporter);
    let control = check_control(&raw.control, reporter);
    let confidence = check_confidence(&raw.confidence, reporter);
    let handoff = check_handoff(&raw.handoff, reporter);
    let monitoring = monitoring::check(&raw.monitoring, reporter);
    let planner = check_planner(&raw.planner, file, reporter);
    let record = RecordSettings {
        folder: raw.record.folder.as_deref().map(|path| beside(file, path)),
        images: raw.record.images.unwrap_or(true),
        fps: check_record_fps(raw.record.fps, reporter),
        sync: check_record_sync(raw.record.sync.as_deref(), reporter),
        language: raw.record.language.unwrap_or(false),
    };
    let adaptation = adaptation::check(&raw.adaptation, policy.is_some(), reporter);
    let plugins = check_plugins(&raw.plugins, file, reporter);
    if let Some(folder) = &raw.record.folder {
        not_empty(folder, "record.folder", reporter);
    }
    match robot {
        Some(robot) if reporter.is_clean() => Ok(Deployment {
            file: file.to_owned(),
            robot,
            policy,
            execution,
            safety,
            control,
            confidence,
            handoff,
            monitoring,
            planner,
            record,
            adaptation,
            plugins,
            raw_safety: raw.safety.clone(),
            raw_control: raw.control.clone(),
        }),
        _ => Err(BundleError::Invalid(problems)),
    }
}

fn check_plugins(raw: &RawPlugins, file: &Path, reporter: &mut Reporter<'_>) -> PluginSettings {
    if let Some(lock) = &raw.lock {
        not_empty(lock, "plugins.lock", reporter);
    } else if !raw.keys.is_empty() {
        let pair = ("`plugins.lock` beside it", "keys alone");
        let help = "signatures stand in the lock file: `vola plugin lock` writes it";
        reporter.report_with_help("plugins.keys", pair, help);
    }
    for name in raw.isolation.keys() {
        if !vola_types::is_word(name) && PluginId::parse(name).is_err() {
            let expected = "a library or a plugin, as in `heads` or `heads/chunk`";
            reporter.report("plugins.isolation", expected, format!("\"{name}\""));
        }
    }
    let call_ms = raw.call_deadline_ms.unwrap_or(1000);
    reporter.count_in(call_ms.into(), "plugins.call_deadline_ms", (1, 600_000));
    let start_ms = raw.start_deadline_ms.unwrap_or(60_000);
    reporter.count_in(start_ms.into(), "plugins.start_deadline_ms", (1, 3_600_000));
    let memory_mb = raw.memory_mb.unwrap_or(8192);
    reporter.count_in(memory_mb.into(), "plugins.memory_mb", (256, 1 << 20));
    PluginSettings {
        paths: raw.paths.iter().map(|path| beside(file, path)).collect(),
        lock: raw.lock.as_deref().map(|path| beside(file, path)),
        keys: raw.keys.clone(),
        isolation: raw.isolation.clone(),
        call_deadline: Duration::from_millis(call_ms.into()),
        start_deadline: Duration::from_millis(start_ms.into()),
        memory_bytes: u64::from(memory_mb) << 20,
    }
}

fn check_robot(raw: Option<&RawRobot>, reporter: &mut Reporter<'_>) -> Option<RobotSettings> {
    let raw = reporter.require(raw, "robot", "a [robot] table with the plugin")?;
    for key in secrets::secret_keys(&raw.settings, "robot.settings") {
        let pair = ("no secret in this file", "a secret's key");
        reporter.report_with_help(key, pair, secrets::HELP);
    }
    let plugin = match PluginId::parse(&raw.plugin) {
        Ok(plugin) => plugin,
        Err(error) => {
            let got = format!("\"{}\"", error.text);
            reporter.report(
                "robot.plugin",
                "`library/plugin`, as in `tabletop/franka`",
                got,
            );
            return None;
        }
    };
    match serde_json::to_value(&raw.settings) {
        Ok(settings) => Some(RobotSettings {
            plugin,
            settings,
            action_space: raw.action_space,
        }),
        Err(error) => {
            reporter.report(
                "robot.settings",
                "settings that JSON can hold",
                error.to_string(),
            );
            None
        }
    }
}

fn check_policy(raw: &RawPolicy, file: &Path, reporter: &mut Reporter<'_>) -> PolicySettings {
    not_empty(&raw.bundle, "policy.bundle", reporter);
    let threads = raw.threads.unwrap_or(2);
    reporter.count_in(threads.into(), "policy.threads", (1, 256));
    let latency_ms = raw.latency_ms.unwrap_or(20);
    reporter.count_in(latency_ms.into(), "policy.latency_ms", (0, 10_000));
    PolicySettings {
        bundle: beside(file, &raw.bundle),
        device: raw.device.unwrap_or_default(),
        precision: raw.precision.unwrap_or_default(),
        threads,
        latency_ms,
        version: check_version(raw, reporter),
    }
}

fn check_version(raw: &RawPolicy, reporter: &mut Reporter<'_>) -> Option<VersionShare> {
    let Some(version) = &raw.version else {
        if raw.version_share.is_some() {
            let got = ("a `policy.version` that the share is of", "none".to_owned());
            reporter.report_with_help(
                "policy.version_share",
                got,
                "name a version, or leave it out",
            );
        }
        return None;
    };
    let share = VersionShare {
        version: version.clone(),
        share: raw.version_share.unwrap_or(1.0),
    };
    if let Err(reason) = share.check() {
        let got = ("a version's name and a share of 0 to 1", reason);
        reporter.report_with_help("policy.version", got, "`vola policy versions` lists them");
    }
    Some(share)
}

fn check_execution(raw: &RawExecution, reporter: &mut Reporter<'_>) -> ExecutionSettings {
    const KNOWN: [&str; 3] = ["sync", "receding", "ensemble"];
    let mode = match raw.mode.as_deref() {
        None => None,
        Some("sync") => Some(ExecutionMode::Sync),
        Some("receding") => Some(ExecutionMode::Receding),
        Some("ensemble") => Some(ExecutionMode::Ensemble),
        Some(later @ ("async" | "rtc")) => {
            reporter.report_with_help(
                "execution.mode",
                (
                    "a mode that this version can run",
                    format!("\"{later}\", which is not available yet"),
                ),
                "use `receding`: it asks for the next chunk while the last one runs",
            );
            None
        }
        Some(other) => {
            let pair = ("a known mode", format!("\"{other}\""));
            reporter.report_with_help("execution.mode", pair, suggestion(other, &KNOWN));
            None
        }
    };
    if let Some(period) = raw.period_ms {
        reporter.count_in(period.into(), "execution.period_ms", (1, 60_000));
    }
    if let Some(rows) = raw.execute_rows {
        reporter.count_in(rows.into(), "execution.execute_rows", (1, 1024));
        if raw.period_ms.is_some() {
            let expected = "`period_ms` or `execute_rows`, since one follows from the other";
            reporter.report("execution.execute_rows", expected, "both");
        }
    }
    if let Some(decay) = raw.ensemble_decay {
        reporter.in_range(decay, "execution.ensemble_decay", (-10.0, 10.0));
    }
    let timeout = raw.primitive_timeout_s.unwrap_or(20.0);
    ExecutionSettings {
        mode,
        period_ms: raw.period_ms,
        execute_rows: raw.execute_rows,
        ensemble_decay: raw.ensemble_decay,
        primitive_timeout: seconds(timeout, "execution.primitive_timeout_s", 3600.0, reporter),
    }
}

/// Most forbidden boxes: each is compared with every link.
const MAX_FORBIDDEN: usize = 32;

fn check_safety(raw: &RawSafety, reporter: &mut Reporter<'_>) -> SafetySettings {
    let corners = raw.workspace.as_ref();
    let workspace = corners.and_then(|corners| check_box(corners, "safety.workspace", reporter));
    if raw.forbidden.len() > MAX_FORBIDDEN {
        let expected = format!("at most {MAX_FORBIDDEN} boxes");
        reporter.report(
            "safety.forbidden",
            expected,
            raw.forbidden.len().to_string(),
        );
    }
    let forbidden = raw.forbidden.iter().take(MAX_FORBIDDEN).enumerate();
    let forbidden = forbidden
        .filter_map(|(index, corners)| {
            check_box(corners, &format!("safety.forbidden[{index}]"), reporter)
        })
        .collect();
    let joints = raw.joints.iter().map(|(name, raw)| {
        let key = format!("safety.joints.{name}");
        (name.clone(), check_joint(raw, &key, reporter))
    });
    let joints = joints.collect();
    let mut optional = |value: Option<f64>, key: &str, high: f64| {
        if let Some(value) = value
            && !(value.is_finite() && value > 0.0 && value <= high)
        {
            reporter.report(
                key,
                format!("a number above 0 up to {high}"),
                value.to_string(),
            );
        }
        value
    };
    let max_tool_speed_m_per_s = optional(
        raw.max_tool_speed_m_per_s,
        "safety.max_tool_speed_m_per_s",
        10.0,
    );
    let force_stop_n = optional(raw.force_stop_n, "safety.force_stop_n", 1000.0);
    let torque_stop_nm = optional(raw.torque_stop_nm, "safety.torque_stop_nm", 1000.0);
    let gripper_force_n = optional(raw.gripper_force_n, "safety.gripper_force_n", 1000.0);
    let limit_scale = optional(
        Some(raw.limit_scale.unwrap_or(1.0)),
        "safety.limit_scale",
        1.0,
    )
    .unwrap_or(1.0);
    let position_margin = reporter.in_range(
        raw.position_margin.unwrap_or(0.02),
        "safety.position_margin",
        (0.0, 1.0),
    );
    let collision_margin_m = reporter.in_range(
        raw.collision_margin_m.unwrap_or(0.01),
        "safety.collision_margin_m",
        (0.0, 1.0),
    );
    let deadlines = check_deadlines(raw, reporter);
    SafetySettings {
        workspace,
        joints,
        max_tool_speed_m_per_s,
        position_margin,
        limit_scale,
        forbidden,
        collision_margin_m,
        force_stop_n,
        torque_stop_nm,
        gripper_force_n,
        deadlines,
    }
}

fn check_deadlines(raw: &RawSafety, reporter: &mut Reporter<'_>) -> Deadlines {
    let mut deadline = |value: Option<u32>, usual: u64, key: &str, range: (u64, u64)| {
        let millis = value.map_or(usual, u64::from);
        Duration::from_millis(reporter.count_in(millis, key, range))
    };
    let state = deadline(
        raw.state_deadline_ms,
        20,
        "safety.state_deadline_ms",
        (1, 1000),
    );
    let camera = deadline(
        raw.camera_deadline_ms,
        200,
        "safety.camera_deadline_ms",
        (1, 10_000),
    );
    let least = u64::from(raw.camera_deadline_ms.unwrap_or(200));
    Deadlines {
        state,
        camera,
        camera_stop: deadline(
            raw.camera_stop_ms,
            least.max(500),
            "safety.camera_stop_ms",
            (least, 60_000),
        ),
        chunk: deadline(
            raw.chunk_deadline_ms,
            500,
            "safety.chunk_deadline_ms",
            (1, 60_000),
        ),
    }
}

fn check_control(raw: &RawControl, reporter: &mut Reporter<'_>) -> ControlSettings {
    let mut count = |value: Option<u32>, usual: u64, key: &str, range: (u64, u64)| {
        reporter.count_in(value.map_or(usual, u64::from), key, range)
    };
    let priority = count(raw.priority, 80, "control.priority", (0, 99));
    let spin_us = count(raw.spin_us, 0, "control.spin_us", (0, 500));
    let missed_ticks = count(raw.missed_ticks, 20, "control.missed_ticks", (1, 1000));
    count(raw.core, 0, "control.core", (0, 1023));
    ControlSettings {
        priority: u8::try_from(priority).unwrap_or(0),
        core: raw.core,
        spin: Duration::from_micros(spin_us),
        lock_memory: raw.lock_memory.unwrap_or(true),
        missed_ticks,
    }
}

/// A box of two finite corners.
fn check_box(corners: &RawBox, key: &str, reporter: &mut Reporter<'_>) -> Option<WorkspaceBox> {
    let expected = "three numbers (m)";
    let min = reporter.require(corners.min, &format!("{key}.min"), expected);
    let max = reporter.require(corners.max, &format!("{key}.max"), expected);
    let (min, max) = min.zip(max)?;
    let ordered = min
        .iter()
        .zip(&max)
        .all(|(a, b)| a.is_finite() && b.is_finite() && a < b);
    if !ordered {
        let got = format!("{min:?} and {max:?}");
        reporter.report(key, "finite corners with min < max", got);
    }
    Some(WorkspaceBox { min, max })
}

fn check_joint(raw: &RawJointLimits, key: &str, reporter: &mut Reporter<'_>) -> JointLimits {
    for (word, value) in [
        ("position_min", raw.position_min),
        ("position_max", raw.position_max),
    ] {
        if let Some(value) = value
            && !value.is_finite()
        {
            reporter.report(
                format!("{key}.{word}"),
                "a finite number",
                value.to_string(),
            );
        }
    }
    if let (Some(low), Some(high)) = (raw.position_min, raw.position_max)
        && low.partial_cmp(&high) != Some(std::cmp::Ordering::Less)
    {
        reporter.report(
            key,
            "position_min < position_max",
            format!("{low} and {high}"),
        );
    }
    for (word, value) in [
        ("max_velocity", raw.max_velocity),
        ("max_acceleration", raw.max_acceleration),
        ("max_jerk", raw.max_jerk),
    ] {
        if let Some(value) = value {
            reporter.positive(value, &format!("{key}.{word}"));
        }
    }
    JointLimits {
        position_min: raw.position_min,
        position_max: raw.position_max,
        max_velocity: raw.max_velocity,
        max_acceleration: raw.max_acceleration,
        max_jerk: raw.max_jerk,
    }
}

fn check_confidence(raw: &RawConfidence, reporter: &mut Reporter<'_>) -> ConfidenceSettings {
    for (value, key) in [(raw.window, "window"), (raw.needed, "needed")] {
        if let Some(value) = value {
            reporter.count_in(value.into(), &format!("confidence.{key}"), (1, 1000));
        }
    }
    if let (Some(needed), Some(window)) = (raw.needed, raw.window)
        && needed > window
    {
        let got = needed.to_string();
        reporter.report("confidence.needed", "at most confidence.window", got);
    }
    let false_hold_rate = raw.false_hold_rate.unwrap_or(0.05);
    if !(false_hold_rate > 0.0 && false_hold_rate <= 0.5) {
        let got = false_hold_rate.to_string();
        reporter.report(
            "confidence.false_hold_rate",
            "a number above 0 up to 0.5",
            got,
        );
    }
    let release = raw.release.unwrap_or(0.8);
    if !(0.0..=1.0).contains(&release) {
        reporter.report("confidence.release", "a number 0 to 1", release.to_string());
    }
    let again_s = raw.again_s.unwrap_or(3.0);
    let (per_primitive, per_hour) = (
        raw.budget.per_primitive.unwrap_or(5),
        raw.budget.per_hour.unwrap_or(60),
    );
    let key = "confidence.budget.per_primitive";
    reporter.count_in(per_primitive.into(), key, (0, 1000));
    reporter.count_in(per_hour.into(), "confidence.budget.per_hour", (0, 10_000));
    ConfidenceSettings {
        signals: raw.signals.clone(),
        window: raw.window,
        needed: raw.needed,
        thresholds: check_thresholds(&raw.thresholds, reporter),
        false_hold_rate,
        release,
        again: seconds(again_s, "confidence.again_s", 3600.0, reporter),
        per_primitive,
        per_hour,
    }
}

fn check_thresholds(
    raw: &std::collections::BTreeMap<String, f64>,
    reporter: &mut Reporter<'_>,
) -> std::collections::BTreeMap<Signal, f64> {
    let mut thresholds = std::collections::BTreeMap::new();
    for (word, &value) in raw {
        let key = format!("confidence.thresholds.{word}");
        reporter.positive(value, &key);
        if let Some(signal) = Signal::from_word(word) {
            thresholds.insert(signal, value);
        } else {
            let known = Signal::ALL.map(Signal::as_str);
            let pair = ("a known signal", format!("`{word}`"));
            reporter.report_with_help(key, pair, suggestion(word, &known));
        }
    }
    thresholds
}

fn check_handoff(raw: &RawHandoff, reporter: &mut Reporter<'_>) -> HandoffSettings {
    let timeout = raw.timeout_s.unwrap_or(120.0);
    let dead_man_ms = raw.dead_man_ms.unwrap_or(300);
    reporter.count_in(dead_man_ms.into(), "handoff.dead_man_ms", (20, 2000));
    let jog_m_per_s = raw.jog_m_per_s.unwrap_or(0.15);
    let jog_rad_per_s = raw.jog_rad_per_s.unwrap_or(0.6);
    HandoffSettings {
        ask: raw.ask.unwrap_or_default(),
        timeout: seconds(timeout, "handoff.timeout_s", 86_400.0, reporter),
        safe_stop: named_safe_stop(raw, reporter),
        dead_man: Duration::from_millis(dead_man_ms.into()),
        jog_m_per_s: at_most(jog_m_per_s, "handoff.jog_m_per_s", 0.25, reporter),
        jog_rad_per_s: at_most(jog_rad_per_s, "handoff.jog_rad_per_s", 1.0, reporter),
    }
}

/// A section that says who is asked also says what follows when nobody answers:
/// no default is right for every robot.
fn named_safe_stop(raw: &RawHandoff, reporter: &mut Reporter<'_>) -> SafeStop {
    let is_named = raw.safe_stop.is_some() || *raw == RawHandoff::default();
    if !is_named {
        reporter.report_with_help(
            "handoff.safe_stop",
            (
                "one of `hold`, `controlled_stop`, `power_off`",
                "nothing".to_owned(),
            ),
            "name the stop that follows when nobody answers",
        );
    }
    raw.safe_stop.unwrap_or_default()
}

/// A speed above 0 and not above `most`.
fn at_most(value: f64, key: &str, most: f64, reporter: &mut Reporter<'_>) -> f64 {
    if !(value > 0.0 && value <= most) {
        let expected = format!("a number above 0 up to {most}");
        reporter.report(key, expected, value.to_string());
    }
    value
}

fn check_planner(raw: &RawPlanner, file: &Path, reporter: &mut Reporter<'_>) -> PlannerSettings {
    let backends = raw.backends.clone().unwrap_or_else(|| vec![Backend::Rules]);
    if backends.is_empty() {
        let expected = "at least one of `claude`, `openai`, `local`, `rules`";
        reporter.report("planner.backends", expected, "none");
    }
    for (index, backend) in backends.iter().enumerate() {
        if backends.iter().take(index).any(|other| other == backend) {
            let key = format!("planner.backends[{index}]");
            reporter.report(key, "a back end named once", "the same again");
        }
    }
    let tokens = raw.budget.tokens.unwrap_or(100_000);
    reporter.count_in(tokens, "planner.budget.tokens", (1, 10_000_000));
    let repairs = raw.budget.repairs.unwrap_or(2);
    reporter.count_in(repairs.into(), "planner.budget.repairs", (0, 2));
    let answer = raw.budget.seconds.unwrap_or(20.0);
    let budget = Budget {
        tokens,
        answer: seconds(answer, "planner.budget.seconds", 600.0, reporter),
        repairs,
    };
    let attempts = raw.recovery.attempts.unwrap_or(2);
    reporter.count_in(attempts.into(), "planner.recovery.attempts", (1, 10));
    let replans = raw.recovery.replans.unwrap_or(2);
    reporter.count_in(replans.into(), "planner.recovery.replans", (0, 10));
    for (index, path) in raw.documents.iter().enumerate() {
        not_empty(path, &format!("planner.documents[{index}]"), reporter);
    }
    let documents = raw
        .documents
        .iter()
        .map(|path| beside(file, path))
        .collect();
    let samples = raw.samples.unwrap_or(1);
    reporter.count_in(samples.into(), "planner.samples", (1, 9));
    if let Some(folder) = &raw.decisions {
        not_empty(folder, "planner.decisions", reporter);
    }
    PlannerSettings {
        backends,
        fast_path: raw.fast_path.unwrap_or(true),
        samples: samples as usize,
        model: raw.model.clone(),
        documents,
        send_image: raw.send_image.unwrap_or(false),
        decisions: raw.decisions.as_ref().map(|path| beside(file, path)),
        seed: raw.seed.unwrap_or(0),
        claude: check_model(&raw.claude, ("planner.claude", file), reporter),
        openai: check_model(&raw.openai, ("planner.openai", file), reporter),
        local: check_local(&raw.local, file, reporter),
        budget,
        recovery: Recovery { attempts, replans },
    }
}

fn check_model(
    raw: &RawModel,
    (key, file): (&str, &Path),
    reporter: &mut Reporter<'_>,
) -> ModelSettings {
    if let Some(path) = &raw.key_file {
        not_empty(path, &format!("{key}.key_file"), reporter);
    }
    if let Some(address) = &raw.base_url
        && !(address.starts_with("http://") || address.starts_with("https://"))
    {
        let expected = "an address that begins with http:// or https://";
        // It is not repeated: it may hold a secret.
        reporter.report(format!("{key}.base_url"), expected, "something else");
    }
    if let Some(tokens) = raw.max_tokens {
        reporter.count_in(tokens.into(), &format!("{key}.max_tokens"), (64, 100_000));
    }
    ModelSettings {
        model: raw.model.clone(),
        base_url: raw.base_url.clone(),
        key_file: raw.key_file.as_ref().map(|path| beside(file, path)),
        max_tokens: raw.max_tokens,
    }
}

fn check_local(
    raw: &RawLocalModel,
    file: &Path,
    reporter: &mut Reporter<'_>,
) -> LocalModelSettings {
    if let Some(path) = &raw.model {
        not_empty(path, "planner.local.model", reporter);
    }
    if let Some(tokens) = raw.max_tokens {
        reporter.count_in(tokens.into(), "planner.local.max_tokens", (16, 100_000));
    }
    let lines = raw.lines.unwrap_or(4);
    reporter.count_in(lines.into(), "planner.local.lines", (1, 16));
    LocalModelSettings {
        model: raw.model.as_ref().map(|path| beside(file, path)),
        max_tokens: raw.max_tokens,
        lines: lines as usize,
    }
}

/// A time above 0 up to `high` seconds.
fn seconds(value: f64, key: &str, high: f64, reporter: &mut Reporter<'_>) -> Duration {
    if !(value > 0.0 && value <= high) {
        reporter.report(
            key,
            format!("seconds above 0 up to {high}"),
            value.to_string(),
        );
    }
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

/// Frames meet measured states, which come a hundred times a second.
fn check_record_fps(fps: Option<u32>, reporter: &mut Reporter<'_>) -> Option<u32> {
    let fps = fps?;
    if (1..=100).contains(&fps) && 100 % fps == 0 {
        return Some(fps);
    }
    let expected = "1, 2, 4, 5, 10, 20, 25, 50 or 100";
    reporter.report("record.fps", expected, fps.to_string());
    None
}

fn check_record_sync(word: Option<&str>, reporter: &mut Reporter<'_>) -> RecordSync {
    match word {
        None | Some("second") => RecordSync::Second,
        Some("episode") => RecordSync::Episode,
        Some("system") => RecordSync::System,
        Some(other) => {
            let pair = ("a known word", format!("\"{other}\""));
            let help = suggestion(other, &["second", "episode", "system"]);
            reporter.report_with_help("record.sync", pair, help);
            RecordSync::default()
        }
    }
}

fn not_empty(text: &str, key: &str, reporter: &mut Reporter<'_>) {
    if text.is_empty() {
        reporter.report(key, "a path", "nothing");
    }
}
