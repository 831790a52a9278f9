//! Figures from what the tests of isolated plugins print.

use super::nanoseconds;
use crate::prove::figure::{Bar, Figure};

/// A figure that is a time of one line: its name, the line's beginning, what
/// stands before the time, and the most that it may be (ms).
type Timed = (&'static str, &'static str, &'static str, Option<f64>);

/// Beginnings of lines.
const KILLED: &str = "killed child noticed";
const HUNG: &str = "hung child noticed";
const STAGE: &str = "killed stage of a moving arm";
const HUNG_STAGE: &str = "hung stage of a moving arm";
const RUNTIME: &str = "runtime killed in motion, ";
const REAL: &str = "runtime of a real arm killed in motion, ";
const REACHED: &str = "commands that reach a real robot in its own process: ";

const TIMED: [Timed; 9] = [
    (
        "killed process noticed (half of them within)",
        KILLED,
        "p50 ",
        None,
    ),
    (
        "killed process noticed, at most",
        KILLED,
        "max ",
        Some(20.0),
    ),
    (
        "hung process noticed after its deadline, at most",
        HUNG,
        "max ",
        Some(20.0),
    ),
    (
        "killed stage, arm moving in real time: slower after, at most",
        STAGE,
        "slower after ",
        Some(22.0),
    ),
    (
        "hung stage, arm moving in real time: slower after the call's deadline, at most",
        HUNG_STAGE,
        "slower after ",
        Some(20.0),
    ),
    (
        "runtime killed: arm slower after, at most",
        RUNTIME,
        "slower after ",
        Some(20.0),
    ),
    (
        "runtime killed: arm at rest after, at most",
        RUNTIME,
        "at rest after ",
        Some(500.0),
    ),
    (
        "runtime killed, no simulated arm: slower after the kill, at most",
        REAL,
        "slower after ",
        Some(20.0),
    ),
    (
        "runtime killed, no simulated arm: at rest after the kill, at most",
        REAL,
        "at rest after ",
        Some(500.0),
    ),
];

/// What the tests of isolation print.
pub(super) fn isolation_figures(said: &str) -> Result<Vec<Figure>, String> {
    let said = Said(said);
    let mut figures = Vec::new();
    for (name, line, most) in [
        (
            "call with 1 MiB, more than in process",
            "a call in its own, 1 MiB in the pool: ",
            Some(60.0),
        ),
        (
            "the same, copied into the pool",
            "a call in its own, 1 MiB copied into the pool: ",
            None,
        ),
        (
            "the same, calls 20 ms apart",
            "a call in its own, 1 MiB in the pool, calls 20 ms apart: ",
            None,
        ),
    ] {
        let more = said.time(line, "more than in this process ")?;
        figures.push(
            Figure::new(
                format!("{name} (the middle of several rounds)"),
                more * 1e-3,
                "µs",
            )
            .over(said.trials(line)?)
            .with_bar(most.map(Bar::AtMost)),
        );
    }
    for (name, line, mark, most) in TIMED {
        figures.push(
            Figure::new(name, said.time(line, mark)? * 1e-6, "ms")
                .over(said.trials(line)?)
                .with_bar(most.map(Bar::AtMost)),
        );
    }
    for (name, line) in [("killed", STAGE), ("hung", HUNG_STAGE)] {
        figures.push(
            Figure::new(
                format!("{name} stage, arm moving in real time: slower after it was told, at most"),
                said.word(line, "told ")?,
                "ticks",
            )
            .over(said.trials(line)?)
            .with_bar(Bar::AtMost(2.0)),
        );
    }
    figures.push(
        Figure::new(
            "runtime killed: motion logged of the time before, at least",
            said.time(RUNTIME, "at least ")? * 1e-9,
            "s",
        )
        .over(said.trials(RUNTIME)?)
        .with_bar(Bar::AtLeast(2.0)),
    );
    let reached = said.rest(REACHED)?.split(' ').next();
    let reached = reached.and_then(|share| share.parse().ok());
    let reached =
        reached.ok_or_else(|| format!("the tests of isolation: no number in `{REACHED}`"))?;
    figures.push(
        Figure::new(
            "commands that reach a robot without a simulation",
            reached,
            "share",
        )
        .over(said.trials(REACHED)?),
    );
    Ok(figures)
}

/// The lines of the tests.
struct Said<'a>(&'a str);

impl Said<'_> {
    /// The line that has this in it, from there on.
    fn rest(&self, start: &str) -> Result<&str, String> {
        let mut lines = self.0.lines();
        let found = lines.find_map(|line| line.split_once(start));
        found
            .map(|(_, rest)| rest)
            .ok_or_else(|| format!("the tests of isolation: no line with `{start}`"))
    }

    /// The time (ns) after a mark.
    fn time(&self, start: &str, mark: &str) -> Result<f64, String> {
        let rest = self.rest(start)?.split_once(mark);
        rest.and_then(|(_, rest)| nanoseconds(rest))
            .ok_or_else(|| format!("the tests of isolation: no time after `{mark}` in `{start}`"))
    }

    /// The number after a mark.
    fn word(&self, start: &str, mark: &str) -> Result<f64, String> {
        let rest = self.rest(start)?.split_once(mark);
        rest.and_then(|(_, rest)| rest.split(' ').next()?.parse().ok())
            .ok_or_else(|| format!("the tests of isolation: no number after `{mark}` in `{start}`"))
    }

    /// How many trials a line tells of.
    fn trials(&self, start: &str) -> Result<u64, String> {
        let words: Vec<&str> = self.rest(start)?.split([' ', ':']).collect();
        let mut pairs = words.windows(2);
        let count = pairs.find_map(|pair| match pair {
            [count, "trials" | "times"] => count.parse().ok(),
            _ => None,
        });
        count.ok_or_else(|| format!("the tests of isolation: no trials in the line `{start}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::figure::value;

    #[test]
    fn figures_and_counts_are_read_from_the_lines() {
        let said = "a call in its own, 1 MiB in the pool: p50 21.5µs, p99 40µs; more than in this process 20µs, the middle of 5 trials of 2000 calls\n\
            a call in its own, 1 MiB copied into the pool: p50 90µs, p99 1ms; more than in this process 88.5µs, the middle of 5 trials of 2000 calls\n\
            a call in its own, 1 MiB in the pool, calls 20 ms apart: p50 120.5µs, p99 340µs; more than in this process 95.25µs, the middle of 5 trials of 60 calls\n\
            commands that reach a real robot in its own process: 0.9935 of 2000 trials\n\
            runtime of a real arm killed in motion, 20 times: slower after 2.5ms, at rest after 190ms of the machine's clock since the kill at most\n\
            killed child noticed (with the start of `kill`): p50 1.1ms, max 3ms of 200 trials\n\
            hung child noticed after its deadline: p50 100µs, max 21ms of 200 trials\n\
            killed stage of a moving arm (with the start of `kill`): slower after 3.5ms at most, told 1 ticks before, of 10 trials\n\
            hung stage of a moving arm, after the call's deadline: slower after 5ms at most, half of them 2ms, told 1 ticks before, of 10 trials\n\
            runtime killed in motion, 20 times: slower after 2ms, at rest after 120ms of the robot's clock at most; at least 2.05s before it logged\n";
        let figures = isolation_figures(said).unwrap();
        let name = "call with 1 MiB, more than in process (the middle of several rounds)";
        let more = value(&figures, name);
        assert!((more.value - 20.0).abs() < 1e-9 && more.is_met() == Some(true));
        assert_eq!(more.count, Some(5));
        let hung = value(&figures, "hung process noticed after its deadline, at most");
        assert_eq!(hung.is_met(), Some(false));
        assert_eq!(hung.count, Some(200));
        let before = value(
            &figures,
            "runtime killed: motion logged of the time before, at least",
        );
        assert_eq!((before.count, before.is_met()), (Some(20), Some(true)));
        let apart = value(
            &figures,
            "the same, calls 20 ms apart (the middle of several rounds)",
        );
        assert!((apart.value - 95.25).abs() < 1e-9 && apart.is_met().is_none());
        let real = value(
            &figures,
            "runtime killed, no simulated arm: at rest after the kill, at most",
        );
        assert!((real.value - 190.0).abs() < 1e-9 && real.is_met() == Some(true));
        assert_eq!((real.count, more.count), (Some(20), Some(5)));
        let reached = value(&figures, "commands that reach a robot without a simulation");
        assert!((reached.value - 0.9935).abs() < 1e-9);
        assert_eq!(reached.count, Some(2000));
        assert!(isolation_figures("").is_err());
    }
}
