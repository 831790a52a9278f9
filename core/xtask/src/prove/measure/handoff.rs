//! Measurements of the confidence: false holds, and failures that are found.

use serde_json::Value;

use super::{Bench, Measured, number, typed};
use crate::prove::figure::{Bar, Figure};

/// Share of good episodes that may be held; the deployment's own is measured beside it.
pub(super) const FALSE_HOLDS: &str = "0.05";
/// Bars over all perturbations.
const AUROC: f64 = 0.85;
const BALANCED: f64 = 0.80;
const DETECTION_TIME: f64 = 0.6;

impl Bench<'_> {
    /// Clean and perturbed episodes with nothing held, judged afterwards.
    pub(super) fn handoff(&self) -> Result<Measured, String> {
        let episodes = self.count(42, 7);
        let mut arguments = vec!["eval", "--suite", "handoff", "--episodes", &episodes];
        arguments.extend(["--false-hold-rate", FALSE_HOLDS]);
        let printed = self.program.objects(&arguments)?;
        Ok((vec![typed(&arguments)], figures(&printed)?))
    }
}

fn figures(printed: &[Value]) -> Result<Vec<Figure>, String> {
    let summary = printed
        .iter()
        .find_map(|row| row.get("summary"))
        .ok_or("no summary was printed")?;
    let holds = &summary["false_holds"];
    let end = |index: usize| holds["interval"][index].as_f64();
    let is_inside = holds["inside"].as_bool().ok_or("`inside` is missing")?;
    let of_all = |name: &str, key: &str, bar: Bar| {
        Ok::<Figure, String>(Figure::new(name, number(summary, key)?, "share").with_bar(bar))
    };
    let mut figures = vec![
        Figure {
            interval: end(0).zip(end(1)),
            count: holds["of"].as_u64(),
            ..Figure::new(
                "false holds on clean episodes",
                number(holds, "rate")?,
                "share",
            )
        },
        Figure::new(
            "false holds are inside the exact interval",
            f64::from(u8::from(is_inside)),
            "share",
        )
        .with_bar(Bar::AtLeast(1.0)),
        of_all("all: AUROC", "auroc", Bar::AtLeast(AUROC))?,
        of_all(
            "all: balanced accuracy",
            "balanced_accuracy",
            Bar::AtLeast(BALANCED),
        )?,
        of_all(
            "all: failures are found at this share of the episode, median",
            "detection_time",
            Bar::AtMost(DETECTION_TIME),
        )?,
    ];
    figures.extend(reliability(&summary["reliability"]));
    if let Some(own) = printed.iter().find_map(|row| row.get("deployed")) {
        let rate = number(own, "false_hold_rate")?;
        for (name, value) in [
            (
                "false holds on clean episodes",
                number(&own["false_holds"], "rate")?,
            ),
            (
                "balanced accuracy",
                number(&own["all"], "balanced_accuracy")?,
            ),
            ("found at, median", number(&own["all"], "detection_time")?),
        ] {
            let name = format!("as shipped, at {:.0} %: {name}", rate * 100.0);
            figures.push(Figure::new(name, value, "share"));
        }
    }
    for baseline in ["velocity_limit", "random"] {
        let row = printed
            .iter()
            .find(|row| row["method"] == baseline)
            .ok_or_else(|| format!("no row `{baseline}`"))?;
        for (name, key) in [
            ("AUROC", "auroc"),
            ("balanced accuracy", "balanced_accuracy"),
        ] {
            let value = number(&row["all"], key)?;
            figures.push(Figure::new(format!("{baseline}: {name}"), value, "share"));
        }
    }
    for method in ["confidence", "velocity_limit"] {
        let row = printed
            .iter()
            .find(|row| row["method"] == method)
            .ok_or_else(|| format!("no row `{method}`"))?;
        let value = number(&row["without_stops"], "auroc")?;
        let name = format!("{method}: AUROC without the episodes that a watchdog stopped");
        figures.push(Figure::new(name, value, "share"));
    }
    for row in printed {
        let Some(perturb) = row["perturb"].as_str() else {
            continue;
        };
        let count = row["episodes"].as_u64().unwrap_or_default();
        let failed = row["failed"].as_u64().unwrap_or_default();
        figures.push(Figure::share_of(
            format!("{perturb}: failed"),
            failed,
            count,
        ));
        for (name, key) in [
            ("AUROC", "auroc"),
            ("balanced accuracy", "balanced_accuracy"),
        ] {
            // Where nothing failed there is nothing to find.
            if let Some(value) = row[key].as_f64() {
                let figure = Figure::new(format!("{perturb}: {name}"), value, "share");
                figures.push(figure.over(count));
            }
        }
    }
    Ok(figures)
}

/// How good the probabilities of failure are, where any are told.
fn reliability(told: &Value) -> impl Iterator<Item = Figure> + '_ {
    [
        ("bins of equal width", "ece_equal_width"),
        ("bins of equal numbers", "ece_equal_mass"),
    ]
    .into_iter()
    .filter_map(|(name, key)| {
        let name = format!("probability of failure: expected calibration error, {name}");
        let figure = Figure::new(name, told[key].as_f64()?, "share");
        Some(figure.over(told["episodes"].as_u64().unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_row_becomes_figures() {
        let printed = [
            json!({"perturb":"light","episodes":10,"failed":4,"auroc":0.9,"balanced_accuracy":null}),
            json!({"method":"confidence","without_stops":{"auroc":0.9}}),
            json!({"method":"velocity_limit","all":{"auroc":0.5,"balanced_accuracy":0.5},
                "without_stops":{"auroc":0.5}}),
            json!({"method":"random","all":{"auroc":0.5,"balanced_accuracy":0.5}}),
            json!({"deployed":{"false_hold_rate":0.01,"false_holds":{"rate":0.01},
                "all":{"balanced_accuracy":0.8,"detection_time":0.5}}}),
            json!({"summary":{"auroc":0.9,"balanced_accuracy":0.85,"detection_time":0.4,
                "reliability":{"ece_equal_width":0.05,"ece_equal_mass":0.06,"episodes":90},
                "false_holds":{"rate":0.04,"of":100,"interval":[0.01,0.1],"inside":true}}}),
        ];
        let figures = figures(&printed).unwrap();
        assert_eq!(figures.len(), 5 + 2 + 3 + 4 + 2 + 2);
        assert!(figures.iter().any(|figure| figure.name == "light: AUROC"));
        assert!(super::figures(&printed[..5]).is_err());
    }
}
