//! Under what circumstances figures were measured: sources, machine, time, and
//! the hashes of bundle and plugins.

use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use super::program::Program;
use crate::workspace::{Workspace, output_of};

/// What all reports of one call share.
#[derive(Clone, Debug)]
pub(crate) struct Circumstances {
    commit: Option<String>,
    is_dirty: Option<bool>,
    machine: Value,
    bundle: Value,
    plugins: Value,
}

impl Circumstances {
    /// Looks at everything once.
    ///
    /// # Errors
    /// When the program cannot be asked.
    pub(crate) fn find(workspace: &Workspace, program: &Program) -> Result<Self, String> {
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.args(arguments).current_dir(&workspace.root);
            output_of(&mut git).ok()
        };
        let commit = git(&["rev-parse", "HEAD"]).map(|said| said.trim().to_owned());
        // Reports of this very call are not a change of what is measured.
        let changes = git(&["status", "--porcelain", "--", ".", ":(exclude)reports"]);
        Ok(Self {
            commit,
            is_dirty: changes.map(|said| !said.trim().is_empty()),
            machine: machine(),
            bundle: bundle(program)?,
            plugins: plugins(program)?,
        })
    }

    /// Some circumstances, for tests of what holds them.
    #[cfg(test)]
    pub(crate) fn example() -> Self {
        Self {
            commit: Some("0123456789abcdef".to_owned()),
            is_dirty: Some(false),
            machine: machine(),
            bundle: json!({"folder": super::BUNDLE, "blake3": "fedcba9876543210"}),
            plugins: json!({"heads": "abcdef"}),
        }
    }

    /// Their fields in a report.
    pub(crate) fn fields(&self) -> [(&'static str, Value); 5] {
        [
            ("commit", json!(self.commit)),
            ("dirty", json!(self.is_dirty)),
            ("machine", self.machine.clone()),
            ("bundle", self.bundle.clone()),
            ("plugins", self.plugins.clone()),
        ]
    }
}

/// Name and hash of the bundle that is measured.
fn bundle(program: &Program) -> Result<Value, String> {
    let shown = program.objects(&["policy", "show", super::BUNDLE])?;
    let shown = shown.first().cloned().unwrap_or_default();
    Ok(json!({
        "folder": super::BUNDLE,
        "blake3": shown["hash"],
        "parameters": shown["parameters"],
    }))
}

/// Hashes of the plugin libraries beside the program.
fn plugins(program: &Program) -> Result<Value, String> {
    let mut hashes = BTreeMap::new();
    for plugin in program.objects(&["plugin", "list"])? {
        if let (Some(id), Some(hash)) = (plugin["id"].as_str(), plugin["hash"].as_str()) {
            let library = id.split('/').next().unwrap_or(id);
            hashes.insert(library.to_owned(), hash.to_owned());
        }
    }
    Ok(json!(hashes))
}

/// The machine, as far as it tells.
fn machine() -> Value {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let memory_mib = field(&read("/proc/meminfo"), "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .map(|kib| kib / 1024);
    let load = read("/proc/loadavg");
    let load = load
        .split_whitespace()
        .next()
        .and_then(|word| word.parse::<f64>().ok());
    json!({
        "cores": cores,
        "cpu": field(&read("/proc/cpuinfo"), "model name"),
        "memory_mib": memory_mib,
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "load_before": load,
    })
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// This moment in UTC, as in `2026-01-31T09:05:00Z`.
pub(crate) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    date(since.map_or(0, |since| since.as_secs()))
}

/// Seconds since 1970 as date and time of the Gregorian calendar.
fn date(seconds: u64) -> String {
    let (mut days, day_seconds) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| {
        (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
    };
    let mut year = 1970;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (day_seconds / 3600, day_seconds / 60 % 60, day_seconds % 60);
    format!(
        "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
        days + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }

    #[test]
    fn the_system_s_tables_are_read() {
        let text = "processor\t: 0\nmodel name\t: A processor @ 2 GHz\nmodel name\t: other\n";
        assert_eq!(
            field(text, "model name").as_deref(),
            Some("A processor @ 2 GHz")
        );
        assert_eq!(field(text, "model"), None);
    }
}
