//! Settings against their schema, before any weight is read.
//!
//! The networks check ranges and how settings fit together when they are built,
//! which needs the bundle's files. Keys and types can be checked without, so
//! that a typing error is found by `vola config check` already. The schemas are
//! flat; this reads just what they use.

use vola_plugin::serde_json::{self, Value};

/// Checks keys and types.
pub(crate) fn check(settings: &Value, schema: &str) -> Result<(), String> {
    let schema: Value =
        serde_json::from_str(schema).map_err(|error| format!("the stage's own schema: {error}"))?;
    let known = schema.get("properties").and_then(Value::as_object);
    let given = match settings {
        Value::Null => return Ok(()),
        Value::Object(given) => given,
        other => {
            return Err(format!(
                "settings: expected a table, got {}",
                type_word(other)
            ));
        }
    };
    for (key, value) in given {
        let Some(property) = known.and_then(|known| known.get(key)) else {
            let names: Vec<&str> = known
                .into_iter()
                .flat_map(|known| known.keys().map(String::as_str))
                .collect();
            return Err(format!(
                "settings.{key}: unknown key\nhelp: known keys are {}",
                names.join(", ")
            ));
        };
        let expected = property.get("type").and_then(Value::as_str);
        if let Some(expected) = expected
            && !fits(value, expected)
        {
            return Err(format!(
                "settings.{key}: expected {expected}, got {}",
                type_word(value)
            ));
        }
    }
    Ok(())
}

fn fits(value: &Value, expected: &str) -> bool {
    match expected {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn type_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str =
        r#"{"type":"object","properties":{"width":{"type":"integer"},"film":{"type":"boolean"}}}"#;

    #[test]
    fn keys_and_types_are_named() {
        let ok = |text: &str| check(&serde_json::from_str(text).unwrap(), SCHEMA);
        assert_eq!(ok(r#"{"width":3,"film":true}"#), Ok(()));
        assert_eq!(ok("null"), Ok(()));
        assert!(
            ok(r#"{"widht":3}"#)
                .unwrap_err()
                .contains("widht: unknown key")
        );
        assert!(
            ok(r#"{"width":"3"}"#)
                .unwrap_err()
                .contains("width: expected integer, got a string")
        );
        assert!(ok("[1]").unwrap_err().contains("expected a table"));
    }
}
