//! Measurements of answers from documents.

use serde_json::Value;

use super::{Bench, Measured, number, typed};
use crate::prove::figure::{Bar, Figure};

/// Classes of questions, with the share that must be right.
const CLASSES: [(&str, Option<f64>); 6] = [
    ("all", Some(0.85)),
    ("answerable", Some(0.90)),
    ("paraphrased", None),
    ("unanswerable", Some(0.90)),
    ("mixed", Some(0.85)),
    ("scene", Some(1.0)),
];

impl Bench<'_> {
    /// The questions over the shipped manual.
    pub(super) fn documents(&self) -> Result<Measured, String> {
        let arguments = ["eval", "--suite", "documents"];
        let printed = self.program.objects(&arguments)?;
        Ok((vec![typed(&arguments)], document_figures(&printed)?))
    }
}

fn document_figures(printed: &[Value]) -> Result<Vec<Figure>, String> {
    let mut figures = Vec::new();
    for (class, bar) in CLASSES {
        let row = printed.iter().find(|row| row["task"] == class);
        let row = row.ok_or_else(|| format!("no row `{class}`"))?;
        let count = number(row, "episodes")?;
        let right = (number(&row["success"], "rate")? * count).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts of questions"
        )]
        let figure = Figure::share_of(class, right as u64, count as u64);
        figures.push(figure.with_bar(bar.map(Bar::AtLeast)));
    }
    let summary = printed.iter().find_map(|row| row.get("summary"));
    let summary = summary.ok_or("no summary")?;
    figures.push(
        Figure::new(
            "answered though not in the manual",
            number(summary, "cited_without_ground")?,
            "questions",
        )
        .with_bar(Bar::AtMost(2.0)),
    );
    figures.push(Figure::new(
        "median time",
        number(&summary["millis"], "p50")?,
        "ms",
    ));
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_are_read_by_class() {
        let mut printed: Vec<Value> = CLASSES
            .iter()
            .map(|(class, _)| json!({"task": class, "episodes": 10, "success": {"rate": 0.9}}))
            .collect();
        assert!(document_figures(&printed).is_err());
        printed.push(json!({"summary": {"cited_without_ground": 3, "millis": {"p50": 1.0}}}));
        let figures = document_figures(&printed).unwrap();
        let met: Vec<Option<bool>> = figures.iter().map(Figure::is_met).collect();
        let expected = [
            Some(true),
            Some(true),
            None,
            Some(true),
            Some(true),
            Some(false),
            Some(false),
            None,
        ];
        assert_eq!(met, expected);
    }
}
