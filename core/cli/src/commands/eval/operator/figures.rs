//! What pairs of episodes come to, as a table and as objects.

use serde_json::{Value, json};

use super::{Attempt, Pair, about_operator};
use crate::{
    commands::eval::{NOT_SEEN, STOPPED, perturb::name_of},
    failure::Failure,
    measure::{Difference, Pairs, Rate, mean, paired, wilson},
    output::{Align, Console, Table, Tone, percent, seconds},
};

/// A whole measurement.
pub(super) struct Comparison<'a> {
    pub(super) arm: String,
    pub(super) pairs: &'a [Pair],
    /// Share of good episodes that may be held.
    pub(super) false_hold_rate: f64,
    pub(super) wall_seconds: f64,
}

/// What some pairs come to.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Figures {
    episodes: usize,
    not_seen: usize,
    stopped: usize,
    unanswered: Rate,
    alone: Rate,
    with: Rate,
    /// By an operator: over nobody who answers, over the robot alone.
    gained: [Difference; 2],
    /// Mean of an episode.
    handoffs: f64,
    take_overs: f64,
    operator_s: f64,
    /// Episodes in which nobody was asked.
    unasked: usize,
    /// Mean length of an episode (s).
    seconds: [f64; 2],
}

impl Figures {
    /// Rates are over the episodes that had something to do: the camera had found what
    /// the instruction names, as in the rest of the suite.
    fn of(all: &[&Pair]) -> Self {
        let began = |pair: &&&Pair| pair.with.end != NOT_SEEN;
        let pairs: Vec<&Pair> = all.iter().filter(began).copied().collect();
        let episodes = pairs.len();
        let count = |holds: &dyn Fn(&Pair) -> bool| pairs.iter().filter(|pair| holds(pair)).count();
        let gained = |before: &dyn Fn(&Pair) -> bool| {
            paired(Pairs {
                trials: episodes,
                gained: count(&|pair| pair.with.reached && !before(pair)),
                lost: count(&|pair| before(pair) && !pair.with.reached),
            })
        };
        let of_with = |value: &dyn Fn(&Attempt) -> f64| {
            let values: Vec<f64> = pairs.iter().map(|pair| value(&pair.with)).collect();
            mean(&values).unwrap_or(0.0)
        };
        let alone: Vec<f64> = pairs.iter().map(|pair| pair.alone.seconds).collect();
        Self {
            episodes,
            not_seen: all.len() - episodes,
            stopped: count(&|pair| pair.with.end == STOPPED),
            unanswered: wilson(count(&Pair::is_reached_unanswered), episodes),
            alone: wilson(count(&|pair| pair.alone.reached), episodes),
            with: wilson(count(&|pair| pair.with.reached), episodes),
            gained: [
                gained(&Pair::is_reached_unanswered),
                gained(&|pair| pair.alone.reached),
            ],
            handoffs: of_with(&|attempt| f64::from(attempt.handoffs)),
            take_overs: of_with(&|attempt| f64::from(attempt.take_overs)),
            operator_s: of_with(&|attempt| attempt.operator_s),
            unasked: count(&|pair| pair.with.handoffs == 0),
            seconds: [
                mean(&alone).unwrap_or(0.0),
                of_with(&|attempt| attempt.seconds),
            ],
        }
    }

    fn json(&self) -> Value {
        let points = |gained: &Difference| json!({"points": 100.0 * gained.rate, "low": 100.0 * gained.low, "high": 100.0 * gained.high});
        let [over_unanswered, over_alone] = &self.gained;
        let [alone_s, attended_s] = self.seconds;
        json!({
            "episodes": self.episodes, "not_seen": self.not_seen, "stopped": self.stopped,
            "unanswered": self.unanswered, "alone": self.alone, "with": self.with,
            "gained": {"over_unanswered": points(over_unanswered), "over_alone": points(over_alone)},
            "handoffs": self.handoffs, "take_overs": self.take_overs, "operator_s": self.operator_s,
            "unasked": self.unasked, "seconds": {"alone": alone_s, "with": attended_s},
        })
    }
}

impl Comparison<'_> {
    /// Conditions in the order of the episodes.
    fn perturbs(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for pair in self.pairs {
            if !names.contains(&pair.perturb) {
                names.push(pair.perturb);
            }
        }
        names
    }

    fn figures(&self, is_meant: impl Fn(&str) -> bool) -> Figures {
        let own = self.pairs.iter().filter(|pair| is_meant(pair.perturb));
        Figures::of(&own.collect::<Vec<_>>())
    }

    /// Of all perturbed episodes together.
    fn perturbed(&self) -> Figures {
        self.figures(|perturb| perturb != name_of(None))
    }

    /// One object a condition, then the summary.
    fn objects(&self) -> Vec<Value> {
        let with = |mut figures: Value, key: &str, value: Value| {
            figures[key] = value;
            figures
        };
        let mut objects: Vec<Value> = self
            .perturbs()
            .into_iter()
            .map(|perturb| {
                let own = self.figures(|name| name == perturb).json();
                with(with(own, "perturb", json!(perturb)), "arm", json!(self.arm))
            })
            .collect();
        let summary = with(self.perturbed().json(), "arm", json!(self.arm));
        let summary = with(summary, "operator", about_operator());
        let summary = with(summary, "false_hold_rate", json!(self.false_hold_rate));
        let summary = with(summary, "wall_seconds", json!(self.wall_seconds));
        objects.push(json!({ "summary": summary }));
        objects
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("perturbation", Align::Left),
            ("episodes", Align::Right),
            ("not seen", Align::Right),
            ("stopped", Align::Right),
            ("unanswered", Align::Right),
            ("alone", Align::Right),
            ("operator", Align::Right),
            ("over unanswered", Align::Right),
            ("over alone", Align::Right),
            ("asked", Align::Right),
            ("took over", Align::Right),
            ("time", Align::Right),
        ]);
        let points = |gained: &Difference| {
            let [rate, low, high] = [gained.rate, gained.low, gained.high].map(|it| 100.0 * it);
            format!("{rate:+.1} ({low:+.1} … {high:+.1})")
        };
        let mut row = |name: &str, own: &Figures| {
            let [over_unanswered, over_alone] = &own.gained;
            table.row([
                name.to_owned(),
                own.episodes.to_string(),
                own.not_seen.to_string(),
                own.stopped.to_string(),
                percent(own.unanswered.rate),
                percent(own.alone.rate),
                percent(own.with.rate),
                points(over_unanswered),
                points(over_alone),
                format!("{:.2}", own.handoffs),
                format!("{:.2}", own.take_overs),
                seconds(own.operator_s),
            ]);
        };
        for perturb in self.perturbs() {
            row(perturb, &self.figures(|name| name == perturb));
        }
        row("all perturbed", &self.perturbed());
        table
    }
}

/// Prints what was measured.
///
/// # Errors
/// When nobody reads.
pub(super) fn print(comparison: &Comparison<'_>, console: Console) -> Result<(), Failure> {
    if console.is_json() {
        let objects = comparison.objects();
        return objects.iter().try_for_each(|object| console.object(object));
    }
    console.write(&comparison.table().render(console.style()))?;
    let text = format!(
        "{}: success by the world's word, of what the camera found, and points gained; asked, took over and the operator's time are means of an episode; in {}",
        comparison.arm,
        seconds(comparison.wall_seconds)
    );
    console.line(&console.style().paint(Tone::Faint, &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(perturb: &'static str, alone: bool, with: bool, handoffs: u32) -> Pair {
        let attempt = |reached| Attempt {
            reached,
            end: "done".to_owned(),
            seconds: 4.0,
            ..Attempt::default()
        };
        Pair {
            perturb,
            alone: attempt(alone),
            with: Attempt {
                handoffs,
                operator_s: 10.0 * f64::from(handoffs),
                was_reached: (handoffs > 0).then_some(false),
                ..attempt(with)
            },
        }
    }

    #[test]
    fn the_difference_is_of_perturbed_pairs_alone() {
        let pairs = [
            pair("none", true, true, 0),
            pair("light", false, true, 1),
            pair("light", true, true, 0),
            // Reached when it was asked about: nothing is gained by the answer.
            Pair {
                with: Attempt {
                    handoffs: 1,
                    was_reached: Some(true),
                    ..pair("light", true, true, 0).with
                },
                ..pair("light", true, true, 0)
            },
            pair("clutter", false, false, 2),
            pair("clutter", false, true, 1),
            Pair {
                with: Attempt {
                    end: NOT_SEEN.to_owned(),
                    ..Attempt::default()
                },
                ..pair("clutter", false, false, 0)
            },
        ];
        let comparison = Comparison {
            arm: "tabletop/franka".to_owned(),
            pairs: &pairs,
            false_hold_rate: 0.05,
            wall_seconds: 1.0,
        };
        let objects = comparison.objects();
        assert_eq!(objects.len(), 4);
        assert_eq!(objects[0]["perturb"], "none");
        let summary = &objects[3]["summary"];
        assert_eq!(
            (&summary["episodes"], &summary["not_seen"]),
            (&json!(5), &json!(1))
        );
        // Of those that went well two were not yet so when they were asked about.
        for (over, points) in [("over_alone", 40.0), ("over_unanswered", 40.0)] {
            let gained = summary["gained"][over]["points"].as_f64().unwrap();
            assert!((gained - points).abs() < 1e-9, "{over}: {gained}");
        }
        assert!((summary["handoffs"].as_f64().unwrap() - 1.0).abs() < 1e-9);
        assert!((summary["operator_s"].as_f64().unwrap() - 8.0).abs() < 1e-9);
        assert_eq!(summary["unasked"], 1);
        assert!(summary["operator"]["limit_s"].is_number());
    }
}
