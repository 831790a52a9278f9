//! How an examination of the planner went.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use vola_types::Verdict;

use crate::{
    failure::Failure,
    measure::{Quantiles, Rate, wilson},
    output::{Align, Console, Table, percent},
};

/// How one sentence was answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) class: String,
    /// Classes that lie across the others.
    pub(super) also: Vec<&'static str>,
    pub(super) language: String,
    pub(super) expected: Verdict,
    pub(super) got: Verdict,
    pub(super) is_right: bool,
    /// Whether its steps, and those of its options, verify in the scene.
    pub(super) is_valid: bool,
    pub(super) backend: String,
    pub(super) millis: f64,
}

/// One group of sentences.
#[derive(Debug, Serialize)]
struct Row {
    examiner: &'static str,
    task: String,
    episodes: usize,
    success: Rate,
}

/// Prints the answers of one examiner; its summary for the last line.
///
/// # Errors
/// When it cannot be written.
pub(super) fn report(
    examiner: &'static str,
    answers: &[Answer],
    console: Console,
) -> Result<serde_json::Value, Failure> {
    let mut groups: BTreeMap<String, Vec<&Answer>> = BTreeMap::new();
    for answer in answers {
        groups.entry(answer.class.clone()).or_default().push(answer);
        for class in &answer.also {
            groups
                .entry(format!("also {class}"))
                .or_default()
                .push(answer);
        }
        let language = format!("language {}", answer.language);
        groups.entry(language).or_default().push(answer);
    }
    let row = |task: String, answers: &[&Answer]| {
        let right = answers.iter().filter(|answer| answer.is_right).count();
        Row {
            examiner,
            task,
            episodes: answers.len(),
            success: wilson(right, answers.len()),
        }
    };
    let mut rows: Vec<Row> = groups
        .into_iter()
        .map(|(task, answers)| row(task, &answers))
        .collect();
    let all: Vec<&Answer> = answers.iter().collect();
    rows.push(row("all".to_owned(), &all));
    let f1: BTreeMap<&str, f64> = Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict.as_str(), f1(answers, verdict)))
        .collect();
    let macro_f1 = f1.values().sum::<f64>() / f1.len() as f64;
    let millis: Vec<f64> = answers.iter().map(|answer| answer.millis).collect();
    let times = Quantiles::of(&millis);
    if console.is_json() {
        for row in &rows {
            console.object(row)?;
        }
    }
    let invalid = answers.iter().filter(|answer| !answer.is_valid).count();
    let backends: std::collections::BTreeSet<&str> = answers
        .iter()
        .map(|answer| answer.backend.as_str())
        .collect();
    let acted = |answer: &&Answer| answer.got == Verdict::Execute;
    let acted = answers.iter().filter(acted);
    let acting = wilson(
        acted.clone().filter(|it| it.is_right).count(),
        acted.count(),
    );
    let asked = answers.iter().filter(|it| it.got == Verdict::Ask).count();
    let ask_rate = wilson(asked, answers.len());
    let summary = json!({
        "success_when_acting": acting, "ask_rate": ask_rate,
        "episodes": answers.len(), "success": rows.last().map(|row| row.success),
        "verdict_f1": f1, "verdict_macro_f1": macro_f1, "millis": times,
        "invalid_plans": invalid, "backends": backends, "confusion": confusion(answers),
    });
    if console.is_json() {
        return Ok(summary);
    }
    let mut table = Table::new(&[
        (examiner, Align::Left),
        ("number", Align::Right),
        ("right", Align::Right),
        ("95 % interval", Align::Right),
    ]);
    for row in &rows {
        let Rate { rate, low, high } = row.success;
        table.row([
            row.task.clone(),
            row.episodes.to_string(),
            percent(rate),
            format!("{} – {}", percent(low), percent(high)),
        ]);
    }
    console.write(&table.render(console.style()))?;
    console.write(&confusion_table(answers).render(console.style()))?;
    let each: Vec<String> = f1
        .iter()
        .map(|(verdict, value)| format!("{verdict} {value:.2}"))
        .collect();
    console.line(&format!(
        "verdicts: macro F1 {macro_f1:.2} ({}); {invalid} plans do not verify; {:.1} ms a plan (median)",
        each.join(", "),
        times.map_or(0.0, |times| times.p50)
    ))?;
    console.line(&format!(
        "{} of the plans that are carried out are right; {} of the sentences are answered by a question",
        percent(acting.rate),
        percent(ask_rate.rate)
    ))?;
    Ok(summary)
}

/// How often each verdict was given where each was expected: `[expected][got]`.
fn confusion(answers: &[Answer]) -> BTreeMap<&'static str, BTreeMap<&'static str, usize>> {
    let row = |expected: Verdict| {
        let count = |got: Verdict| {
            let is_it = |it: &&Answer| it.expected == expected && it.got == got;
            (got.as_str(), answers.iter().filter(is_it).count())
        };
        (
            expected.as_str(),
            Verdict::ALL.into_iter().map(count).collect(),
        )
    };
    Verdict::ALL.into_iter().map(row).collect()
}

/// The same as a table: a line for each expected verdict.
fn confusion_table(answers: &[Answer]) -> Table {
    let mut heads = vec![("expected, given", Align::Left)];
    heads.extend(Verdict::ALL.map(|verdict| (verdict.as_str(), Align::Right)));
    let mut table = Table::new(&heads);
    let counts = confusion(answers);
    for expected in Verdict::ALL.map(Verdict::as_str) {
        let given = |got: &str| counts.get(expected).and_then(|row| row.get(got));
        let mut cells = vec![expected.to_owned()];
        for got in Verdict::ALL.map(Verdict::as_str) {
            cells.push(given(got).copied().unwrap_or(0).to_string());
        }
        table.row(cells);
    }
    table
}

/// Harmonic mean of precision and recall of one verdict; 1 where it neither was
/// expected nor given.
fn f1(answers: &[Answer], verdict: Verdict) -> f64 {
    let count = |is_counted: fn(&Answer, Verdict) -> bool| {
        let counted = answers.iter().filter(|answer| is_counted(answer, verdict));
        counted.count() as f64
    };
    let both = count(|answer, verdict| answer.expected == verdict && answer.got == verdict);
    let sides = count(|answer, verdict| answer.expected == verdict)
        + count(|answer, verdict| answer.got == verdict);
    if sides > 0.0 { 2.0 * both / sides } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_is_that_of_each_verdict() {
        let answer = |expected, got| Answer {
            class: String::new(),
            also: Vec::new(),
            language: String::new(),
            expected,
            got,
            is_right: expected == got,
            is_valid: true,
            backend: String::new(),
            millis: 1.0,
        };
        use Verdict::{Ask, Chat, Execute};
        let answers = [
            answer(Execute, Execute),
            answer(Execute, Ask),
            answer(Ask, Ask),
        ];
        assert!((f1(&answers, Execute) - 2.0 / 3.0).abs() < 1e-12);
        assert!((f1(&answers, Ask) - 2.0 / 3.0).abs() < 1e-12);
        assert!((f1(&answers, Chat) - 1.0).abs() < 1e-12);
        let counts = confusion(&answers);
        assert_eq!(counts.len(), 5);
        let given = |expected: &str, got: &str| counts[expected][got];
        assert_eq!(
            [
                given("execute", "execute"),
                given("execute", "ask"),
                given("ask", "execute"),
                given("ask", "ask"),
            ],
            [1, 1, 0, 1]
        );
    }
}
