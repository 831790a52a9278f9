//! Recording: what `kill -9` loses, and what it costs.

use std::process::Stdio;

use super::{Bench, Measured};
use crate::{
    prove::figure::{Bar, Figure},
    workspace::words,
};

/// Kills that count, and those that only try the way.
const KILLS: (u32, u32) = (200, 4);

impl Bench<'_> {
    /// By the recorder's own tests, which start, kill and compare.
    pub(super) fn recording(&self) -> Result<Measured, String> {
        let kills = self.count(KILLS.0, KILLS.1);
        let mut command = self.workspace.cargo();
        command.args(["test", "--workspace", "--test", "recorder"]);
        command.args(["--", "crash", "--nocapture", "--test-threads", "1"]);
        command.env("VOLA_RECORDING_KILLS", &kills);
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cannot run {}: {error}", words(&command)))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(format!("{}: {}\n{said}", words(&command), output.status));
        }
        let line = format!("VOLA_RECORDING_KILLS={kills} {}", words(&command));
        Ok((vec![line], recording_figures(&said)?))
    }
}

/// What the tests print.
pub(super) fn recording_figures(said: &str) -> Result<Vec<Figure>, String> {
    // Each figure: the words before its number, name, unit, bar.
    let wanted = [
        (
            " finished episodes, ",
            "finished episodes lost",
            "",
            Some(Bar::AtMost(0.0)),
        ),
        (
            "recovered, at most ",
            "of an open episode lost, at most",
            "s",
            Some(Bar::AtMost(1.0)),
        ),
        (
            "mended in at most ",
            "mended by itself in at most",
            "s",
            Some(Bar::AtMost(2.0)),
        ),
        (
            "frames/s, ",
            "processor time of a frame",
            "ms",
            Some(Bar::AtMost(20.0)),
        ),
        ("included), ", "stream of a minute", "MB", None),
    ];
    let kills = number_after(said, "recording: ")?;
    let figure = |(before, name, unit, bar): (&str, &'static str, &'static str, Option<Bar>)| {
        let value = number_after(said, before)?;
        let mut figure = Figure::new(name, value, unit).with_bar(bar);
        if !matches!(unit, "ms" | "MB") {
            // A count of kills: small, whole, positive.
            figure = figure.over(kills as u64);
        }
        Ok(figure)
    };
    wanted.into_iter().map(figure).collect()
}

/// The number that follows a text.
fn number_after(said: &str, before: &str) -> Result<f64, String> {
    let missing = || format!("the recorder's tests: no number after `{before}`");
    let (_, rest) = said.split_once(before).ok_or_else(missing)?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    rest.get(..end)
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_what_the_tests_print() {
        let said = "recording: 10 kills, 12 finished episodes, 0 lost, 7 open ones recovered, at most 0.570 s of an \
                    open one lost, mended in at most 0.031 s\nok\n\
                    recording: 400 frames/s, 2.500 ms of one core a frame (two 96x96 cameras at 25 Hz, states at \
                    100 Hz, data set included), 41.20 MB a minute\n";
        let figures = recording_figures(said).unwrap();
        for (figure, expected) in figures.iter().zip([0.0, 0.57, 0.031, 2.5, 41.2]) {
            assert!((figure.value - expected).abs() < 1e-9, "{figure:?}");
        }
        assert!(recording_figures("recording: 3 kills").is_err());
    }
}
