//! What the safety filter costs in success.

use serde_json::Value;

use super::{Bench, Measured, number, typed};
use crate::prove::figure::{Bar, Figure};

/// Tasks that are done with and without the safety filter.
const FILTERED: [&str; 5] = ["pick", "place_in", "stack", "push", "drawer"];

impl Bench<'_> {
    /// Success with the safety filter and without it.
    pub(super) fn filter_cost(&self) -> Result<Measured, String> {
        let episodes = self.count(200, 2);
        let mut arguments = vec!["eval", "--episodes", &episodes];
        for task in FILTERED {
            arguments.extend(["--task", task]);
        }
        let with = self.program.objects(&arguments)?;
        let mut without_filter = arguments.clone();
        without_filter.push("--no-filter");
        let without = self.program.objects(&without_filter)?;
        let commands = vec![typed(&arguments), typed(&without_filter)];
        Ok((commands, cost_figures(&with, &without)?))
    }
}

/// Success with the filter, without it, and what it costs.
fn cost_figures(with: &[Value], without: &[Value]) -> Result<Vec<Figure>, String> {
    let rate = |printed: &[Value], task: &str| {
        let found = printed.iter().find(|object| object["task"] == task);
        let found = found.ok_or_else(|| format!("vola eval: no figure `{task}`"))?;
        let count = found["episodes"].as_u64().unwrap_or_default();
        Ok::<_, String>((number(&found["success"], "rate")?, count))
    };
    let (mut figures, mut lost) = (Vec::new(), 0.0);
    for task in FILTERED {
        let ((on, count), (off, _)) = (rate(with, task)?, rate(without, task)?);
        figures.push(Figure::new(format!("{task}, filter on"), on, "share").over(count));
        figures.push(Figure::new(format!("{task}, filter off"), off, "share").over(count));
        lost += (off - on) / FILTERED.len() as f64;
    }
    figures
        .push(Figure::new("success lost to the filter", lost, "share").with_bar(Bar::AtMost(0.02)));
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::prove::figure::value;

    #[test]
    fn the_filter_s_cost_is_the_mean_of_what_is_lost() {
        let of = |rate: f64| -> Vec<Value> {
            let object =
                |task: &&str| json!({"task": task, "episodes": 200, "success": {"rate": rate}});
            FILTERED.iter().map(object).collect()
        };
        let figures = cost_figures(&of(0.95), &of(0.98)).unwrap();
        let lost = value(&figures, "success lost to the filter");
        assert!((lost.value - 0.03).abs() < 1e-9 && lost.is_met() == Some(false));
        assert!(cost_figures(&of(0.95), &[]).is_err());
    }
}
