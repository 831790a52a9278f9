//! From a model's text to a draft: strict, bounded, the same for every model.
//!
//! The text is hostile until it was read here, and what was read is a draft
//! until the verifier accepted it. Code fences and words around the JSON are
//! passed over, since models without structured output write them; anything
//! else that does not fit is an error that goes back to the model.

use serde::Deserialize;
use serde_json::Value;
use vola_types::{PlanOption, Step, Verdict};

use crate::draft::{PlanDraft, Quote};

/// Longest text that is read, in bytes.
pub const MAX_REPLY_BYTES: usize = 256 * 1024;

/// Longest part of foreign text that is quoted in a message, in bytes.
const MAX_QUOTE_BYTES: usize = 300;

/// Arguments that a step may have.
const STEP_KEYS: [&str; 6] = ["op", "object", "target", "relation", "direction", "seconds"];

/// Why a text is not a draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// More than [`MAX_REPLY_BYTES`].
    #[error("{bytes} bytes, at most {MAX_REPLY_BYTES} are read")]
    TooLong {
        /// Length found.
        bytes: usize,
    },
    /// There is no JSON object in it.
    #[error("expected one JSON object, got {got:?}")]
    NoJson {
        /// Its beginning.
        got: String,
    },
    /// The JSON is broken or not in the form of the schema.
    #[error("{detail}")]
    Schema {
        /// Where and why.
        detail: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireReply {
    verdict: Verdict,
    say: String,
    question: Option<String>,
    options: Vec<WireOption>,
    goal: String,
    subtasks: Vec<WireSubtask>,
    confidence: f64,
    /// Only where passages were given.
    #[serde(default)]
    answer: Option<String>,
    #[serde(default)]
    citations: Vec<Quote>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireOption {
    label: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSubtask {
    goal: String,
    steps: Vec<Step>,
}

/// Reads a model's answer.
///
/// # Errors
/// [`ReplyError`] when it is too long, no JSON, or not in the form of
/// [`PlanSchema`](crate::PlanSchema).
pub fn read_reply(text: &str) -> Result<PlanDraft, ReplyError> {
    if text.len() > MAX_REPLY_BYTES {
        return Err(ReplyError::TooLong { bytes: text.len() });
    }
    let value = first_object(text)?;
    check_step_keys(&value)?;
    let wire: WireReply = serde_json::from_value(value).map_err(|error| schema(&error))?;
    let parts = wire
        .subtasks
        .into_iter()
        .map(|part| (clean(&part.goal), part.steps))
        .collect();
    let drafted = PlanDraft::execute(clean(&wire.goal), parts);
    Ok(PlanDraft {
        verdict: wire.verdict,
        say: clean(&wire.say),
        question: wire
            .question
            .map(|question| clean(&question))
            .filter(|question| !question.trim().is_empty()),
        options: wire
            .options
            .into_iter()
            .map(|option| PlanOption {
                label: clean(&option.label),
                steps: option.steps,
            })
            .collect(),
        confidence: wire.confidence,
        answer: wire
            .answer
            .map(|answer| clean(&answer))
            .filter(|answer| !answer.trim().is_empty()),
        quotes: wire.citations,
        ..drafted
    })
}

/// Foreign text for a person: without control characters.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// The beginning of foreign text for a message: one line, bounded.
pub(crate) fn quote(text: &str) -> String {
    let mut end = text.len().min(MAX_QUOTE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut short = clean(&text[..end]);
    if end < text.len() {
        short.push('…');
    }
    short
}

/// The first JSON object, whatever stands before it.
fn first_object(text: &str) -> Result<Value, ReplyError> {
    // Models that think aloud close their thoughts with this mark.
    let text = text.rsplit("</think>").next().unwrap_or(text);
    let Some(start) = text.find('{') else {
        return Err(ReplyError::NoJson { got: quote(text) });
    };
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    match values.next() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(schema(&error)),
        None => Err(ReplyError::NoJson { got: quote(text) }),
    }
}

/// A step with an argument that no step has is refused rather than read
/// without it: "pick, but slowly" is not "pick".
fn check_step_keys(reply: &Value) -> Result<(), ReplyError> {
    for list in ["subtasks", "options"] {
        let parts = reply[list].as_array().into_iter().flatten();
        let steps = parts.filter_map(|part| part["steps"].as_array()).flatten();
        for step in steps.filter_map(Value::as_object) {
            if let Some(key) = step.keys().find(|key| !STEP_KEYS.contains(&key.as_str())) {
                let detail = format!(
                    "{list}: a step has the unknown argument {:?}; expected one of {STEP_KEYS:?}",
                    quote(key)
                );
                return Err(ReplyError::Schema { detail });
            }
        }
    }
    Ok(())
}

fn schema(error: &serde_json::Error) -> ReplyError {
    ReplyError::Schema {
        detail: quote(&error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use vola_types::Op;

    use super::*;

    const GOOD: &str = r#"{"verdict":"execute","say":"I will lift it.","question":null,"options":[],
      "goal":"lift the red block","subtasks":[{"goal":"lift","steps":[{"op":"pick","object":"red_block"}]}],
      "confidence":0.9}"#;

    #[test]
    fn a_good_answer_becomes_a_draft() {
        for text in [
            GOOD.to_owned(),
            format!("```json\n{GOOD}\n```"),
            format!("<think>{{\"verdict\":</think>Here it is: {GOOD} Done."),
        ] {
            let draft = read_reply(&text).unwrap();
            assert_eq!(draft.verdict, Verdict::Execute);
            assert_eq!(draft.steps[0].op(), Op::Pick);
            assert_eq!(draft.tree.subtasks[0].steps, [0]);
            assert_eq!(draft.say, "I will lift it.");
        }
    }

    #[test]
    fn other_answers_are_refused_with_a_short_reason() {
        let wrong = |from: &str, to: &str| GOOD.replace(from, to);
        for (text, expected) in [
            (String::new(), "expected one JSON object"),
            ("no".to_owned(), "\"no\""),
            (GOOD[..120].to_owned(), "EOF"),
            (wrong("execute", "explode"), "unknown variant"),
            (wrong("\"confidence\":0.9", "\"speed\":9"), "speed"),
            (wrong(",\n      \"confidence\":0.9", ""), "confidence"),
            (wrong("\"pick\"", "\"throw\""), "throw"),
            (
                wrong("\"op\":\"pick\"", "\"force\":99,\"op\":\"pick\""),
                "force",
            ),
            (wrong("\"object\":\"red_block\"", "\"object\":7"), "invalid"),
            (wrong("execute", &"x".repeat(9000)), "unknown variant `xxx"),
            ("x".repeat(MAX_REPLY_BYTES + 1), "at most"),
            ("{\"a\":".repeat(5000), "recursion"),
        ] {
            let error = read_reply(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
            assert!(error.len() < 700, "{} bytes", error.len());
        }
    }

    #[test]
    fn text_for_people_holds_no_control_characters() {
        let text = GOOD.replace("I will lift it.", "I\\u001b[2J will\\nlift.");
        assert_eq!(read_reply(&text).unwrap().say, "I [2J will lift.");
        assert_eq!(quote("é".repeat(400).as_str()).chars().count(), 151);
    }
}
