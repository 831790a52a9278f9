//! Measurements of the planner: its two examinations, and when it asks.

use serde_json::Value;

use super::{Bench, Measured, number, typed};
use crate::prove::figure::{Bar, Figure};

/// Bars of a back end: generated commands of these tasks, sentences of people, agreement of verdicts, time of a plan (ms).
struct Asked {
    /// None: the ladder as it is shipped.
    backend: Option<&'static str>,
    tasks: &'static [&'static str],
    generated: f64,
    sentences: f64,
    verdicts: Option<f64>,
    millis: f64,
}

const BACKENDS: [Asked; 3] = [
    Asked {
        backend: None,
        tasks: &["direct", "multi"],
        generated: 0.93,
        sentences: 0.85,
        verdicts: Some(0.85),
        millis: 400.0,
    },
    Asked {
        backend: Some("local"),
        tasks: &["direct", "multi"],
        generated: 0.93,
        sentences: 0.85,
        verdicts: Some(0.85),
        millis: 400.0,
    },
    Asked {
        backend: Some("rules"),
        tasks: &["direct", "multi"],
        generated: 0.85,
        sentences: 0.60,
        verdicts: None,
        millis: 5.0,
    },
];
/// Goals that the executive reaches where a step in five fails.
const REACHED: f64 = 0.92;
/// Splits of the calibration whose coverage must lie inside the exact interval.
const INSIDE: f64 = 0.90;

impl Bench<'_> {
    /// Both examiners: the ladder as it is shipped, and alone each back end that needs
    /// no network.
    pub(super) fn planner(&self) -> Result<Measured, String> {
        let commands = self.count(2000, 40);
        let (mut lines, mut figures) = (Vec::new(), Vec::new());
        for asked in BACKENDS {
            let mut arguments = vec!["eval", "--suite", "planner"];
            if let Some(backend) = asked.backend {
                arguments.extend(["--backend", backend]);
            }
            arguments.extend(["--commands", &commands]);
            let printed = self.program.objects(&arguments)?;
            lines.push(typed(&arguments));
            figures.extend(planner_figures(&asked, &printed)?);
            // The plans are the generator's own, so one back end is as good as
            // another.
            if asked.backend == Some("rules") {
                figures.extend(execution_figures(&printed)?);
            }
        }
        Ok((lines, figures))
    }

    /// Coverage of calibrated asking.
    pub(super) fn asking(&self) -> Result<Measured, String> {
        let sentences = self.count(1000, 250);
        let arguments = ["calibrate", "--planner", "--sentences", &sentences];
        let printed = self.program.objects(&arguments)?;
        let told = printed.first().ok_or("calibrate printed nothing")?;
        Ok((vec![typed(&arguments)], asking_figures(told)?))
    }
}

/// Coverage at the wanted target and at the one that is set, and what asking is
/// worth.
fn asking_figures(told: &Value) -> Result<Vec<Figure>, String> {
    let (at_bar, set, worth) = (&told["at_bar"], &told["calibration"], &told["asking"]);
    let splits = number(told, "splits")?;
    let covered = |name: &str, from: &Value, key: &str| -> Result<Figure, String> {
        Ok(Figure {
            interval: Some((end(from, 0)?, end(from, 1)?)),
            ..Figure::new(name, number(from, key)?, "share")
        })
    };
    let share = |name: &str, key: &str| -> Result<Figure, String> {
        Ok(Figure::new(name, number(worth, key)?, "share"))
    };
    Ok(vec![
        Figure::new("coverage wanted", number(at_bar, "target")?, "share"),
        covered("coverage", at_bar, "mean")?,
        Figure::new(
            "splits inside the exact interval",
            number(at_bar, "inside")? / splits,
            "share",
        )
        .with_bar(Bar::AtLeast(INSIDE)),
        Figure::new("coverage set", number(set, "target")?, "share"),
        covered("coverage at the set target", set, "coverage")?,
        share("plans that are asked about", "ask_rate")?,
        share("right plans when acting unasked", "success_when_acting")?,
        share("right plans without asking", "success_without_asking")?,
        share(
            "questions that offer the right plan",
            "questions_with_the_right_plan",
        )?,
    ])
}

/// One end of the interval.
fn end(calibration: &Value, index: usize) -> Result<f64, String> {
    calibration["interval"][index]
        .as_f64()
        .ok_or_else(|| "expected an interval of two numbers".to_owned())
}

/// The executive on a symbolic robot, with and without ways to recover.
fn execution_figures(printed: &[Value]) -> Result<Vec<Figure>, String> {
    let row = |way: &str| {
        let is_it = |row: &&Value| {
            row["examiner"] == "executive" && row["recovery"] == way && row["task"] == "all"
        };
        let found = printed.iter().find(is_it);
        found.ok_or_else(|| format!("no row of the executive, `{way}`"))
    };
    let figure = |way: &str, name: &str| -> Result<Figure, String> {
        let row = row(way)?;
        let success = &row["success"];
        let bound = |key| number(success, key);
        Ok(Figure {
            interval: Some((bound("low")?, bound("high")?)),
            ..Figure::new(name, bound("rate")?, "share")
        })
    };
    let with = figure("with", "20 % of steps fail: goals reached with replanning")?;
    Ok(vec![
        figure(
            "without",
            "20 % of steps fail: goals reached without replanning",
        )?,
        figure(
            "retries alone",
            "20 % of steps fail: goals reached by retries alone",
        )?,
        with.with_bar(Bar::AtLeast(REACHED)),
    ])
}

fn planner_figures(asked: &Asked, printed: &[Value]) -> Result<Vec<Figure>, String> {
    let asked_of = asked.backend.unwrap_or("as shipped");
    let name = |what: &str| format!("{asked_of}: {what}");
    let row = |examiner: &str, task: &str| {
        printed
            .iter()
            .find(|row| row["examiner"] == examiner && row["task"] == task)
            .ok_or_else(|| format!("no row `{task}` of `{examiner}`"))
    };
    let share = |rows: &[&Value], what: &str| -> Result<Figure, String> {
        let (mut right, mut all) = (0.0, 0.0);
        for row in rows {
            let count = number(row, "episodes")?;
            right += (number(&row["success"], "rate")? * count).round();
            all += count;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts of sentences"
        )]
        let figure = Figure::share_of(name(what), right as u64, all as u64);
        Ok(figure)
    };
    let tasks: Vec<&Value> = asked
        .tasks
        .iter()
        .map(|task| row("generated", task))
        .collect::<Result<_, _>>()?;
    let summary = printed
        .iter()
        .find_map(|row| row.get("summary"))
        .ok_or("no summary")?;
    let mut figures = vec![
        share(&tasks, &format!("generated, {}", asked.tasks.join(" and ")))?
            .with_bar(Bar::AtLeast(asked.generated)),
        share(&[row("generated", "all")?], "generated, all classes")?,
        share(&[row("sentences", "all")?], "sentences of people")?
            .with_bar(Bar::AtLeast(asked.sentences)),
        share(&[row("sentences", "language en")?], "sentences, English")?,
        share(&[row("sentences", "language ur")?], "sentences, Urdu")?,
        Figure::new(
            name("verdicts, macro F1"),
            number(summary, "verdict_macro_f1")?,
            "F1",
        )
        .with_bar(asked.verdicts.map(Bar::AtLeast)),
        Figure::new(
            name("median time"),
            number(&summary["millis"], "p50")?,
            "ms",
        )
        .with_bar(Bar::AtMost(asked.millis)),
    ];
    let invalid =
        number(summary, "invalid_plans")? + number(&summary["generated"], "invalid_plans")?;
    figures.push(
        Figure::new(name("plans that do not verify"), invalid, "plans").with_bar(Bar::AtMost(0.0)),
    );
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_of_the_executive_are_read() {
        let row = |way: &str, rate: f64| {
            json!({"examiner": "executive", "recovery": way, "task": "all", "episodes": 10,
            "success": {"rate": rate, "low": 0.0, "high": 1.0}})
        };
        let printed = [
            row("without", 0.3),
            row("retries alone", 0.8),
            row("with", 0.95),
        ];
        let figures = execution_figures(&printed).unwrap();
        let met: Vec<Option<bool>> = figures.iter().map(Figure::is_met).collect();
        assert_eq!(met, [None, None, Some(true)]);
        assert!(execution_figures(&printed[..2]).is_err());
    }

    #[test]
    fn figures_of_asking_are_read() {
        let told = json!({
            "splits": 100, "calibration": {"target": 0.9, "coverage": 0.91, "interval": [0.86, 0.94]},
            "at_bar": {"target": 0.85, "mean": 0.85, "interval": [0.8, 0.9], "inside": 96},
            "asking": {"ask_rate": 0.1, "success_when_acting": 0.97, "success_without_asking": 0.93, "questions_with_the_right_plan": 0.8},
        });
        let figures = asking_figures(&told).unwrap();
        let met: Vec<Option<bool>> = figures.iter().map(Figure::is_met).collect();
        assert_eq!(met[2], Some(true));
        assert!((figures[5].value - 0.1).abs() < 1e-9);
        assert!(asking_figures(&json!({"splits": 100})).is_err());
    }

    #[test]
    fn figures_are_read_from_both_examiners() {
        let row = |examiner: &str, task: &str, rate: f64| json!({"examiner": examiner, "task": task, "episodes": 10, "success": {"rate": rate, "low": 0.0, "high": 1.0}});
        let printed = [
            row("generated", "direct", 0.9),
            row("generated", "multi", 0.5),
            row("generated", "all", 0.8),
            row("sentences", "all", 0.6),
            row("sentences", "language en", 0.7),
            row("sentences", "language ur", 0.5),
            json!({"summary": {"verdict_macro_f1": 0.4, "millis": {"p50": 2.0}, "invalid_plans": 0, "generated": {"invalid_plans": 1}}}),
        ];
        let figures = planner_figures(&BACKENDS[2], &printed).unwrap();
        let met: Vec<Option<bool>> = figures.iter().map(Figure::is_met).collect();
        assert!(
            (figures[0].value - 0.7).abs() < 1e-9,
            "{}",
            figures[0].value
        );
        assert_eq!(
            met,
            [
                Some(false),
                None,
                Some(true),
                None,
                None,
                None,
                Some(true),
                Some(false)
            ]
        );
        // The same commands are counted for every back end.
        let local = planner_figures(&BACKENDS[1], &printed).unwrap();
        assert!((local[0].value - 0.7).abs() < 1e-9);
        assert!(planner_figures(&BACKENDS[1], &printed[1..]).is_err());
        // Without a back end it is the ladder as it is shipped.
        let shipped = planner_figures(&BACKENDS[0], &printed).unwrap();
        assert_eq!(shipped[1].name, "as shipped: generated, all classes");
    }
}
