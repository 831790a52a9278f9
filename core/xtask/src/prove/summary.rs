//! `reports/README.md`: one table of all reports in the folder.

use std::{fs, path::Path};

use serde_json::Value;

use super::{catalogue::PROOFS, figure::Figure};

/// Writes the table from the reports that lie in `folder`.
///
/// # Errors
/// When a report cannot be read or the table cannot be written.
pub(crate) fn write(folder: &Path) -> Result<(), String> {
    let mut reports = Vec::new();
    for proof in &PROOFS {
        let path = folder.join(format!("{}.json", proof.name));
        if !path.is_file() {
            continue;
        }
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
        reports.push(serde_json::from_str(&text).map_err(|error| wrong(&error))?);
    }
    let path = folder.join("README.md");
    fs::write(&path, text(&reports)).map_err(|error| format!("{}: {error}", path.display()))
}

/// A figure in words: its number, and the interval where there is one.
pub(crate) fn measured(figure: &Figure) -> String {
    let value = shown(figure.value, figure.unit);
    match figure.interval {
        Some((low, high)) => format!(
            "{value} ({} – {})",
            shown(low, figure.unit),
            shown(high, figure.unit)
        ),
        None => value,
    }
}

/// The page.
fn text(reports: &[Value]) -> String {
    let mut page = "# Measured figures\n\n\
        Written by `cargo xtask prove` from the reports beside this page; do not edit.\n\
        A share is given with its 95 % Wilson interval. `!` marks a bar that is missed.\n\n\
        | report | figure | measured | 95 % interval | of | bar | |\n\
        |---|---|---:|---:|---:|---:|---|\n"
        .to_owned();
    for report in reports {
        for figure in report["figures"].as_array().into_iter().flatten() {
            page.push_str(&row(report, figure));
        }
    }
    page.push_str("\n## How, where and of what\n");
    for report in reports {
        page.push_str(&section(report));
    }
    page
}

fn row(report: &Value, figure: &Value) -> String {
    let unit = figure["unit"].as_str().unwrap_or_default();
    let number = |value: &Value| value.as_f64().map(|value| shown(value, unit));
    let interval = match (number(&figure["low"]), number(&figure["high"])) {
        (Some(low), Some(high)) => format!("{low} – {high}"),
        _ => String::new(),
    };
    let bar = [("at_least", "≥"), ("at_most", "≤")]
        .into_iter()
        .find_map(|(key, sign)| Some(format!("{sign} {}", number(&figure["bar"][key])?)));
    let met = match figure["met"].as_bool() {
        Some(true) => "✓",
        Some(false) => "!",
        None => "",
    };
    let quick = if report["quick"] == true {
        " (quick)"
    } else {
        ""
    };
    format!(
        "| {}{quick} | {} | {} | {interval} | {} | {} | {met} |\n",
        report["name"].as_str().unwrap_or_default(),
        figure["name"].as_str().unwrap_or_default(),
        number(&figure["value"]).unwrap_or_else(|| "–".to_owned()),
        figure["count"]
            .as_u64()
            .map_or_else(String::new, |count| count.to_string()),
        bar.unwrap_or_default(),
    )
}

/// A number with its unit, as people read it.
fn shown(value: f64, unit: &str) -> String {
    match unit {
        "share" => format!("{:.1} %", 100.0 * value),
        "m" => format!("{:.1} mm", 1000.0 * value),
        "MB" | "ns" => format!("{value:.0} {unit}"),
        "s" | "ms" | "1/s" => format!("{value:.2} {unit}"),
        _ => format!("{value:.3} {unit}"),
    }
}

fn section(report: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let short = |value: &Value| word(value).chars().take(12).collect::<String>();
    let dirty = if report["dirty"] == true {
        " with changes that are not committed"
    } else {
        ""
    };
    let machine = &report["machine"];
    let mut section = format!(
        "\n**{}**: {}\n\n",
        word(&report["name"]),
        word(&report["what"])
    );
    for command in report["commands"].as_array().into_iter().flatten() {
        section.push_str(&format!("    {}\n", word(command)));
    }
    section.push_str(&format!(
        "\n{}, {:.0} s, commit {}{dirty}, bundle {}, {} cores of {}, {} MiB.\n",
        word(&report["date"]),
        report["seconds"].as_f64().unwrap_or(f64::NAN),
        short(&report["commit"]),
        short(&report["bundle"]["blake3"]),
        machine["cores"],
        word(&machine["cpu"]),
        machine["memory_mib"],
    ));
    section
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_figure_has_its_row() {
        let report = json!({
            "name": "policy-franka", "what": "how often tasks succeed",
            "commands": ["vola eval --json"], "quick": false, "dirty": true,
            "date": "2026-01-31T09:05:00Z", "seconds": 12.3, "commit": "0123456789abcdef",
            "bundle": {"blake3": "fedcba9876543210"},
            "machine": {"cores": 2, "cpu": "A processor", "memory_mib": 2048},
            "figures": [
                {"name": "pick", "value": 0.925, "unit": "share", "low": 0.9, "high": 0.95,
                 "count": 200, "bar": {"at_least": 0.97}, "met": false},
                {"name": "step", "value": 12.3456, "unit": "ms", "low": null, "high": null,
                 "count": null, "bar": {"at_most": 25.0}, "met": true},
                {"name": "error", "value": 0.0023, "unit": "m", "bar": null, "met": null}],
        });
        let page = text(&[report]);
        for line in [
            "| policy-franka | pick | 92.5 % | 90.0 % – 95.0 % | 200 | ≥ 97.0 % | ! |",
            "| policy-franka | step | 12.35 ms |  |  | ≤ 25.00 ms | ✓ |",
            "| policy-franka | error | 2.3 mm |  |  |  |  |",
            "    vola eval --json",
            "commit 0123456789ab with changes that are not committed, bundle fedcba987654, 2 cores of A processor, 2048 MiB.",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
    }
}
