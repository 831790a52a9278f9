//! What a person is worth who is asked, and what that costs.

use serde_json::Value;

use super::{Bench, Measured, handoff::FALSE_HOLDS, number, typed};
use crate::prove::figure::{Bar, Figure};

/// Points of success that perturbed episodes gain by an operator, over nobody who
/// answers.
const GAIN: f64 = 25.0;

impl Bench<'_> {
    /// Every episode without and with a simulated operator.
    pub(super) fn operator(&self) -> Result<Measured, String> {
        let episodes = self.count(18, 2);
        let mut arguments = vec!["eval", "--suite", "handoff", "--operator", "simulated"];
        arguments.extend(["--episodes", &episodes, "--false-hold-rate", FALSE_HOLDS]);
        let printed = self.program.objects(&arguments)?;
        Ok((vec![typed(&arguments)], figures(&printed)?))
    }
}

fn figures(printed: &[Value]) -> Result<Vec<Figure>, String> {
    let summary = printed
        .iter()
        .find_map(|row| row.get("summary"))
        .ok_or("no summary was printed")?;
    let mut figures = of_condition("all perturbed", summary, Some(Bar::AtLeast(GAIN)))?;
    figures.push(
        Figure::new(
            "all perturbed: length of an episode, alone",
            number(&summary["seconds"], "alone")?,
            "s",
        )
        .over(count(summary)),
    );
    for row in printed {
        if let Some(perturb) = row["perturb"].as_str() {
            figures.extend(of_condition(perturb, row, None)?);
        }
    }
    Ok(figures)
}

fn count(row: &Value) -> u64 {
    row["episodes"].as_u64().unwrap_or_default()
}

fn of_condition(name: &str, row: &Value, bar: Option<Bar>) -> Result<Vec<Figure>, String> {
    let episodes = count(row);
    let mut figures = Vec::new();
    for (key, words) in [
        ("unanswered", "success where nobody answers"),
        ("alone", "success of the robot alone, which never asks"),
        ("with", "success with an operator"),
    ] {
        let rate = &row[key];
        figures.push(Figure {
            interval: Some((number(rate, "low")?, number(rate, "high")?)),
            ..Figure::new(format!("{name}: {words}"), number(rate, "rate")?, "share").over(episodes)
        });
    }
    for (key, words, bar) in [
        ("over_unanswered", "gained over nobody who answers", bar),
        ("over_alone", "gained over the robot alone", None),
    ] {
        let gained = &row["gained"][key];
        figures.push(Figure {
            interval: Some((number(gained, "low")?, number(gained, "high")?)),
            ..Figure::new(
                format!("{name}: {words}"),
                number(gained, "points")?,
                "points",
            )
            .over(episodes)
            .with_bar(bar)
        });
    }
    for (key, words, unit) in [
        ("handoffs", "handoffs an episode", ""),
        ("take_overs", "take-overs an episode", ""),
        ("operator_s", "an operator's time an episode", "s"),
    ] {
        let value = number(row, key)?;
        figures.push(Figure::new(format!("{name}: {words}"), value, unit).over(episodes));
    }
    let unasked = row["unasked"].as_u64().ok_or("`unasked` is missing")?;
    figures.push(Figure::share_of(
        format!("{name}: nobody was asked"),
        unasked,
        episodes,
    ));
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::prove::figure::value;

    #[test]
    fn every_condition_becomes_figures_and_all_together_has_the_bar() {
        let rate = |rate: f64| json!({"rate":rate,"low":rate - 0.1,"high":rate + 0.1});
        let points = |it: f64| json!({"points":it,"low":it - 10.0,"high":it + 10.0});
        let row = json!({"perturb":"light","episodes":10,"unanswered":rate(0.4),"alone":rate(0.5),"with":rate(0.8),
            "gained":{"over_unanswered":points(40.0),"over_alone":points(20.0)},"handoffs":0.6,"take_overs":0.5,
            "operator_s":9.5,"unasked":4,"seconds":{"alone":9.0,"with":12.0}});
        let printed = [row.clone(), json!({ "summary": row })];
        let figures = figures(&printed).unwrap();
        assert_eq!(figures.len(), 9 + 1 + 9);
        assert_eq!(
            value(&figures, "all perturbed: gained over nobody who answers").is_met(),
            Some(true)
        );
        assert_eq!(
            value(&figures, "light: gained over nobody who answers").is_met(),
            None
        );
        assert!(super::figures(&printed[..1]).is_err());
    }
}
