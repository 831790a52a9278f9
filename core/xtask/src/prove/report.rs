//! A report: what was measured, how, and what came out.

use serde_json::{Map, Value, json};

use super::{circumstances::Circumstances, figure::Figure};

/// Version of the form; goes up when a field changes its meaning.
const FORM: u32 = 1;

/// What one proof measured.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Name of the proof and of the file.
    pub(crate) name: &'static str,
    /// What was measured, in words.
    pub(crate) what: &'static str,
    /// The commands, as typed in the workspace's root.
    pub(crate) commands: Vec<String>,
    /// The numbers.
    pub(crate) figures: Vec<Figure>,
    /// Whether counts were small: such figures prove nothing.
    pub(crate) is_quick: bool,
    /// When it began (UTC).
    pub(crate) date: String,
    /// How long it took (s).
    pub(crate) seconds: f64,
}

impl Report {
    /// Whether every bar is met.
    pub(crate) fn is_met(&self) -> bool {
        self.figures
            .iter()
            .all(|figure| figure.is_met() != Some(false))
    }

    /// The report as it is written.
    pub(crate) fn json(&self, circumstances: &Circumstances) -> Value {
        let figures: Vec<Value> = self.figures.iter().map(Figure::json).collect();
        let mut object = Map::new();
        for (key, value) in [
            ("form", json!(FORM)),
            ("name", json!(self.name)),
            ("what", json!(self.what)),
            ("commands", json!(self.commands)),
            ("figures", json!(figures)),
            ("met", json!(self.is_met())),
            ("quick", json!(self.is_quick)),
            ("date", json!(self.date)),
            ("seconds", json!(self.seconds)),
        ] {
            object.insert(key.to_owned(), value);
        }
        for (key, value) in circumstances.fields() {
            object.insert(key.to_owned(), value);
        }
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::figure::Bar;

    #[test]
    fn a_report_says_how_to_measure_again() {
        let report = Report {
            name: "x",
            what: "something",
            commands: vec!["vola eval --json".to_owned()],
            figures: vec![
                Figure::share_of("pick", 9, 10).with_bar(Bar::AtLeast(0.95)),
                Figure::new("memory", 30.0, "MB"),
            ],
            is_quick: false,
            date: "2026-01-31T09:05:00Z".to_owned(),
            seconds: 1.5,
        };
        let circumstances = Circumstances::example();
        let value = report.json(&circumstances);
        assert_eq!(value["met"], false);
        let (pick, memory) = (&value["figures"][0], &value["figures"][1]);
        assert_eq!(pick["bar"], json!({"at_least": 0.95}));
        assert_eq!((&pick["met"], &pick["count"]), (&json!(false), &json!(10)));
        assert!(pick["low"].as_f64() < pick["high"].as_f64());
        assert_eq!(
            (&memory["bar"], &memory["met"]),
            (&Value::Null, &Value::Null)
        );
        let keys: Vec<&str> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        for key in [
            "form", "name", "what", "commands", "figures", "met", "quick", "date", "seconds",
            "commit", "dirty", "machine", "bundle", "plugins",
        ] {
            assert!(keys.contains(&key), "no `{key}` in {keys:?}");
        }
    }
}
