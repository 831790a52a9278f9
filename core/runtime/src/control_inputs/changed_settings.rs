//! What a deployment sets otherwise than a recording was made with.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use vola_bundle::{Deployment, RawControl, RawSafety};

use super::RecordedSetup;

impl RecordedSetup {
    /// Takes the settings of a deployment; those that were others, with both values.
    pub(super) fn take_over(&mut self, deployment: &Deployment) -> Vec<String> {
        let settings = |robot: &str, safety: &RawSafety, control: &RawControl| serde_json::json!({"robot": {"plugin": robot}, "safety": safety, "control": control});
        let recorded = settings(&self.embodiment, &self.safety, &self.control);
        let (safety, control) = (deployment.raw_safety(), deployment.raw_control());
        let robot = deployment.robot().plugin().to_string();
        let now = settings(&robot, safety, control);
        self.safety.clone_from(safety);
        self.control.clone_from(control);
        let mut changed = Vec::new();
        differences("", &recorded, &now, &mut changed);
        changed
    }
}

/// Appends what differs between two values, each with its key.
fn differences(key: &str, recorded: &Value, now: &Value, into: &mut Vec<String>) {
    if let (Value::Object(was), Value::Object(is)) = (recorded, now) {
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for name in names {
            let of = |table: &Map<String, Value>| table.get(name).cloned().unwrap_or_default();
            let inner = if key.is_empty() {
                name.clone()
            } else {
                format!("{key}.{name}")
            };
            differences(&inner, &of(was), &of(is), into);
        }
    } else if recorded != now {
        let words = |value: &Value| match value {
            Value::Null => "not set".to_owned(),
            value => value.to_string(),
        };
        into.push(format!(
            "{key}: recorded with {}, now {}",
            words(recorded),
            words(now)
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_told_with_its_key_and_both_values() {
        let recorded = json!({"safety": {"a": 1, "b": null, "c": {"d": [1]}}, "same": "x"});
        let now = json!({"safety": {"a": 2, "b": 0.5, "c": {}}, "same": "x"});
        let mut changed = Vec::new();
        differences("", &recorded, &now, &mut changed);
        assert_eq!(
            changed,
            [
                "safety.a: recorded with 1, now 2",
                "safety.b: recorded with not set, now 0.5",
                "safety.c.d: recorded with [1], now not set",
            ]
        );
        let none = changed.len();
        differences("", &now, &now, &mut changed);
        assert_eq!(changed.len(), none);
    }
}
