//! That nothing moves while the arm holds or a person is asked.

use super::{Bench, Measured, motion::said};
use crate::prove::figure::{Bar, Figure};

/// Sequences that count, and those that only try the way.
const SEQUENCES: (u32, u32) = (100_000, 100);
/// The test that makes them, on a running control loop.
const TEST: &str = "cargo test --workspace --lib nothing_moves_while_the_arm_holds -- --nocapture";

impl Bench<'_> {
    /// By the runtime's own test.
    pub(super) fn handoff_rest(&self) -> Result<Measured, String> {
        let sequences = self.count(SEQUENCES.0, SEQUENCES.1);
        let mut command = self.workspace.cargo();
        command
            .args(TEST.split(' ').skip(1))
            .env("VOLA_HANDOFF_SEQUENCES", &sequences);
        let said = said(&mut command, true)?;
        let line = format!("VOLA_HANDOFF_SEQUENCES={sequences} {TEST}");
        Ok((vec![line], figures(&said)?))
    }
}

/// What the test prints.
fn figures(said: &str) -> Result<Vec<Figure>, String> {
    let line = said
        .lines()
        .find_map(|line| line.split_once("handoffs: "))
        .map(|(_, rest)| rest)
        .ok_or("the test of handoffs printed nothing")?;
    let before = |mark: &str| -> Result<f64, String> {
        let number = line
            .split_once(mark)
            .and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok());
        number.ok_or_else(|| format!("the test of handoffs: no number before `{mark}`"))
    };
    let sequences = before(" sequences")? as u64;
    let still = before(" ticks at rest")? as u64;
    Ok(vec![
        Figure::new(
            "random sequences of a handoff's events",
            sequences as f64,
            "",
        ),
        Figure::new("events taken", before(" events taken")?, ""),
        Figure::new("events refused", before(" refused")?, ""),
        Figure::new(
            "motions while the arm holds or a person is asked",
            before(" motions")?,
            "",
        )
        .over(still)
        .with_bar(Bar::AtMost(0.0)),
        Figure::new(
            "ticks in which the policy moved it",
            before(" ticks by the policy")?,
            "",
        ),
        Figure::new(
            "ticks in which a person moved it",
            before(" by a person")?,
            "",
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::figure::value;

    #[test]
    fn figures_are_read_from_what_the_test_prints() {
        let said = "running 1 test\nhandoffs: 100 sequences, 800 events taken, 90 refused; 0 motions in \
                    7000 ticks at rest in which nobody had the arm; moved in 500 ticks by the policy, in 300 by a person\nok\n";
        let figures = figures(said).unwrap();
        let motions = value(&figures, "motions while the arm holds or a person is asked");
        assert_eq!((motions.is_met(), motions.count), (Some(true), Some(7000)));
        for (name, expected) in [
            ("random sequences of a handoff's events", 100.0),
            ("events refused", 90.0),
            ("ticks in which the policy moved it", 500.0),
            ("ticks in which a person moved it", 300.0),
        ] {
            assert!(
                (value(&figures, name).value - expected).abs() < 1e-9,
                "{name}"
            );
        }
        assert!(super::figures("ok").is_err());
    }
}
