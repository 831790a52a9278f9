//! One measured number, with the bar that it must reach.

use serde_json::{Value, json};

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bar {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Bar {
    /// Whether a value reaches it; NaN does not.
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bar) => value >= bar,
            Self::AtMost(bar) => value <= bar,
        }
    }

    fn json(self) -> Value {
        match self {
            Self::AtLeast(bar) => json!({ "at_least": bar }),
            Self::AtMost(bar) => json!({ "at_most": bar }),
        }
    }
}

/// A measured number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    /// What was measured, as in `pick`.
    pub(crate) name: String,
    /// The number.
    pub(crate) value: f64,
    /// Its unit; `share` for a part of 1.
    pub(crate) unit: &'static str,
    /// 95 % interval, where one is known.
    pub(crate) interval: Option<(f64, f64)>,
    /// Over how many trials.
    pub(crate) count: Option<u64>,
    /// What it must reach, if anything is asked of it.
    pub(crate) bar: Option<Bar>,
}

impl Figure {
    /// A number without interval, count and bar.
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            interval: None,
            count: None,
            bar: None,
        }
    }

    /// A share of trials with its 95 % Wilson interval.
    pub(crate) fn share_of(name: impl Into<String>, part: u64, whole: u64) -> Self {
        Self {
            interval: wilson(part, whole),
            count: Some(whole),
            ..Self::new(name, ratio(part, whole), "share")
        }
    }

    /// The same over so many trials.
    pub(crate) fn over(self, count: u64) -> Self {
        Self {
            count: Some(count),
            ..self
        }
    }

    /// The same with a bar.
    pub(crate) fn with_bar(self, bar: impl Into<Option<Bar>>) -> Self {
        Self {
            bar: bar.into(),
            ..self
        }
    }

    /// Whether the bar is met; nothing without one.
    pub(crate) fn is_met(&self) -> Option<bool> {
        self.bar.map(|bar| bar.is_met(self.value))
    }

    /// Its object in a report.
    pub(crate) fn json(&self) -> Value {
        let (low, high) = self.interval.unzip();
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "low": low,
            "high": high,
            "count": self.count,
            "bar": self.bar.map(Bar::json),
            "met": self.is_met(),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of trials")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// Wilson's 95 % interval of a share.
#[expect(clippy::cast_precision_loss, reason = "counts of trials")]
fn wilson(part: u64, whole: u64) -> Option<(f64, f64)> {
    /// The normal distribution's quantile for 95 % in the middle.
    const Z: f64 = 1.959_964;
    if whole == 0 || part > whole {
        return None;
    }
    let (n, p) = (whole as f64, ratio(part, whole));
    let scale = 1.0 + Z * Z / n;
    let center = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(((center - half).max(0.0), (center + half).min(1.0)))
}

/// The middle one of measured values; NaN without any.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The figure of this name, for tests of how figures are read.
#[cfg(test)]
pub(crate) fn value(figures: &[Figure], name: &str) -> Figure {
    let found = figures.iter().find(|figure| figure.name == name);
    found
        .unwrap_or_else(|| panic!("no `{name}` in {figures:#?}"))
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_met_from_its_own_side() {
        let figure = |value, bar| Figure::new("x", value, "s").with_bar(bar);
        for (value, bar, expected) in [
            (0.97, Bar::AtLeast(0.97), true),
            (0.969, Bar::AtLeast(0.97), false),
            (25.0, Bar::AtMost(25.0), true),
            (25.1, Bar::AtMost(25.0), false),
            (f64::NAN, Bar::AtMost(25.0), false),
            (f64::NAN, Bar::AtLeast(0.0), false),
        ] {
            assert_eq!(
                figure(value, bar).is_met(),
                Some(expected),
                "{value} {bar:?}"
            );
        }
        assert_eq!(Figure::new("x", 1.0, "s").is_met(), None);
    }

    #[test]
    fn intervals_are_wilson_s() {
        // Values of the usual tables: 80 of 100.
        let (low, high) = Figure::share_of("x", 80, 100).interval.unwrap();
        assert!((low - 0.7112).abs() < 1e-4 && (high - 0.8666).abs() < 1e-4);
        let (low, high) = Figure::share_of("x", 0, 10).interval.unwrap();
        assert!(low <= 0.0 && (high - 0.2775).abs() < 1e-4);
        assert_eq!(Figure::share_of("x", 0, 0).interval, None);
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-12);
        assert!(median(&[]).is_nan());
    }
}
