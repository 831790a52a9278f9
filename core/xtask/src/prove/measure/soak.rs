//! What grows in two hours at full rate.

use serde_json::Value;

use super::{Bench, Measured, number, typed};
use crate::prove::figure::{Bar, Figure};

impl Bench<'_> {
    /// The robot at full rate for two hours.
    pub(super) fn soak(&self) -> Result<Measured, String> {
        let seconds = self.count(7200, 10);
        let arguments = ["bench", "soak", "--seconds", &seconds];
        let printed = self.program.objects(&arguments)?;
        let soaked = printed.first().ok_or("bench soak printed nothing")?;
        Ok((vec![typed(&arguments)], soak_figures(soaked)?))
    }
}

/// What `vola bench soak` prints.
fn soak_figures(soaked: &Value) -> Result<Vec<Figure>, String> {
    let none = Some(Bar::AtMost(0.0));
    let mut figures = Vec::new();
    for (key, name, unit, bar) in [
        ("seconds", "duration", "s", None),
        (
            "ticks_of_due",
            "ticks of those due",
            "share",
            Some(Bar::AtLeast(0.99)),
        ),
        ("in_time_share", "ticks less than 1 ms late", "share", None),
        ("stops", "stops by the safety layer", "", None),
        (
            "samples",
            "looks at memory, threads and descriptors",
            "",
            None,
        ),
        (
            "memory_growth_mb",
            "growth of memory",
            "MB",
            Some(Bar::AtMost(5.0)),
        ),
        ("thread_growth", "growth of threads", "", none),
        ("descriptor_growth", "growth of descriptors", "", none),
    ] {
        figures.push(Figure::new(name, number(soaked, key)?, unit).with_bar(bar));
    }
    let ended = soaked["ended"]
        .as_object()
        .ok_or("bench soak: no `ended`")?;
    for (end, count) in ended {
        let name = format!("primitives that ended as {end}");
        figures.push(Figure::new(name, count.as_f64().unwrap_or(f64::NAN), ""));
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::prove::figure::value;

    #[test]
    fn a_soak_that_was_not_at_full_rate_meets_no_bar() {
        let soaked = json!({"seconds": 60.1, "ticks_of_due": 0.98, "in_time_share": 0.97,
            "stops": 1, "samples": 60, "memory_growth_mb": 0.1, "thread_growth": 0,
            "descriptor_growth": 0, "ended": {"done": 9, "stopped": 1}});
        let figures = soak_figures(&soaked).unwrap();
        assert_eq!(value(&figures, "ticks of those due").is_met(), Some(false));
        let done = value(&figures, "primitives that ended as done");
        assert!((done.value - 9.0).abs() < 1e-9);
        assert!(soak_figures(&json!({"seconds": 60.1})).is_err());
    }
}
