//! One fault of a file, and the list of all of them.
//!
//! A person who mends a configuration wants every fault at once, so the readers
//! of this crate collect problems and never stop at the first.

use std::fmt;

/// One fault in a file: where it is, what would be right, what was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as the user named it.
    pub file: String,
    /// Path of the key inside the file, as in `stage[2].inputs[0]`.
    pub key: String,
    /// What would be right.
    pub expected: String,
    /// What was there.
    pub got: String,
    /// What to do next.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.file)?;
        if !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        write!(formatter, "expected {}, got {}", self.expected, self.got)?;
        match &self.help {
            Some(help) => write!(formatter, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// All faults of one file or comparison, in the order they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    /// The faults.
    #[must_use]
    pub fn as_slice(&self) -> &[Problem] {
        &self.list
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a fault, unless this key or one above it already has one: a fault
    /// that follows from another only hides its cause.
    pub(crate) fn push(&mut self, problem: Problem) {
        let covered = self.list.iter().any(|old| {
            old.file == problem.file
                && !old.key.is_empty()
                && is_at_or_below(&problem.key, &old.key)
        });
        if !covered {
            self.list.push(problem);
        }
    }

    /// Moves all faults of another list into this one.
    pub(crate) fn absorb(&mut self, other: Self) {
        for problem in other.list {
            self.push(problem);
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            write!(formatter, "{problem}")?;
        }
        Ok(())
    }
}

fn is_at_or_below(key: &str, ancestor: &str) -> bool {
    match key.strip_prefix(ancestor) {
        Some(rest) => rest.is_empty() || rest.starts_with(['.', '[']),
        None => false,
    }
}

/// Collects the faults of one file.
#[derive(Debug)]
pub(crate) struct Reporter<'a> {
    file: &'a str,
    problems: &'a mut Problems,
}

impl<'a> Reporter<'a> {
    /// A reporter that writes into `problems` under this file name.
    pub(crate) fn new(file: &'a str, problems: &'a mut Problems) -> Self {
        Self { file, problems }
    }

    /// Adds a fault.
    pub(crate) fn report(
        &mut self,
        key: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) {
        self.add(key.into(), expected.into(), got.into(), None);
    }

    /// Adds a fault with advice.
    pub(crate) fn report_with_help(
        &mut self,
        key: impl Into<String>,
        (expected, got): (impl Into<String>, impl Into<String>),
        help: impl Into<String>,
    ) {
        self.add(key.into(), expected.into(), got.into(), Some(help.into()));
    }

    /// A required value; its absence is a fault.
    pub(crate) fn require<T>(&mut self, value: Option<T>, key: &str, expected: &str) -> Option<T> {
        if value.is_none() {
            self.report(key, expected, "nothing");
        }
        value
    }

    /// A finite number in a closed range; NaN is never inside.
    pub(crate) fn in_range(&mut self, value: f64, key: &str, (low, high): (f64, f64)) -> f64 {
        if !(value.is_finite() && value >= low && value <= high) {
            self.report(
                key,
                format!("a number from {low} to {high}"),
                value.to_string(),
            );
        }
        value
    }

    /// A finite number above zero.
    pub(crate) fn positive(&mut self, value: f64, key: &str) -> f64 {
        if !(value.is_finite() && value > 0.0) {
            self.report(key, "a finite number > 0", value.to_string());
        }
        value
    }

    /// A whole number in a closed range.
    pub(crate) fn count_in(&mut self, value: u64, key: &str, (low, high): (u64, u64)) -> u64 {
        if !(low..=high).contains(&value) {
            self.report(
                key,
                format!("a whole number from {low} to {high}"),
                value.to_string(),
            );
        }
        value
    }

    /// Whether nothing was reported so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, key: String, expected: String, got: String, help: Option<String>) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            key,
            expected,
            got,
            help,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_below_a_known_fault_is_left_out() {
        let mut problems = Problems::default();
        let mut reporter = Reporter::new("a.toml", &mut problems);
        reporter.report("stage[1]", "a table", "a number");
        reporter.report("stage[1].name", "a name", "nothing");
        reporter.report("stage[10].name", "a name", "nothing");
        let keys: Vec<_> = problems.as_slice().iter().map(|p| p.key.as_str()).collect();
        assert_eq!(keys, ["stage[1]", "stage[10].name"]);
    }

    #[test]
    fn nan_is_in_no_range() {
        let mut problems = Problems::default();
        let mut reporter = Reporter::new("a.toml", &mut problems);
        reporter.in_range(f64::NAN, "a", (0.0, 1.0));
        reporter.positive(f64::NAN, "b");
        reporter.positive(f64::INFINITY, "c");
        assert_eq!(problems.as_slice().len(), 3);
        assert_eq!(
            problems.as_slice()[1].to_string(),
            "a.toml: b: expected a finite number > 0, got NaN"
        );
    }
}
