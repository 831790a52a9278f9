//! The answer of the Messages interface, put together from its events.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::connection::{ModelReply, ReplyReader};
use super::super::retry::{Again, CallFault};
use super::super::sse::SseEvent;
use crate::backend::BackendError;
use crate::plan_reply::{MAX_REPLY_BYTES, quote};

/// Most blocks of an answer.
const MAX_BLOCKS: usize = 256;

/// A block of the answer.
#[derive(Debug)]
enum Block {
    Text(String),
    Thinking {
        thinking: String,
        signature: String,
    },
    /// Kept as it is, to be sent back as it is.
    Redacted(Value),
    /// Of a kind that means nothing here.
    Other(String),
}

/// Collects blocks, usage and the reason of the end.
#[derive(Debug, Default)]
pub(super) struct MessageReader {
    blocks: BTreeMap<u64, Block>,
    reply: ModelReply,
    stop_details: Value,
    bytes: usize,
    is_over: bool,
}

impl ReplyReader for MessageReader {
    fn event(&mut self, event: &SseEvent) -> Result<(), CallFault> {
        let Ok(data) = serde_json::from_str::<Value>(&event.data) else {
            // A new kind of event may hold anything; the known ones are JSON.
            return if KNOWN.contains(&event.name.as_str()) {
                let got = quote(&event.data);
                Err(CallFault::bad_reply(format!(
                    "{}: not JSON: {got:?}",
                    event.name
                )))
            } else {
                Ok(())
            };
        };
        let kind = data["type"].as_str().unwrap_or(&event.name);
        match kind {
            "message_start" => {
                self.usage(&data["message"]["usage"]);
                Ok(())
            }
            "content_block_start" => self.start(&data),
            "content_block_delta" => self.delta(&data),
            "message_delta" => {
                self.usage(&data["usage"]);
                self.ending(&data["delta"]);
                Ok(())
            }
            "message_stop" => {
                self.is_over = true;
                Ok(())
            }
            "error" => Err(stream_error(&data["error"])),
            // `ping`, `content_block_stop` and whatever comes to be.
            _ => Ok(()),
        }
    }

    fn whole(&mut self, answer: &Value) -> Result<(), CallFault> {
        if answer["type"] == "error" {
            return Err(stream_error(&answer["error"]));
        }
        let Some(blocks) = answer["content"].as_array() else {
            return Err(CallFault::bad_reply("the answer has no \"content\""));
        };
        for (index, block) in blocks.iter().take(MAX_BLOCKS).enumerate() {
            self.start(&json!({"index": index, "content_block": block}))?;
        }
        self.usage(&answer["usage"]);
        self.ending(answer);
        self.is_over = true;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.is_over
    }

    fn finish(mut self) -> (ModelReply, Result<(), CallFault>) {
        let mut turn = Vec::new();
        for block in std::mem::take(&mut self.blocks).into_values() {
            match block {
                Block::Text(text) => {
                    if !text.is_empty() {
                        turn.push(json!({"type": "text", "text": text}));
                    }
                    self.reply.text.push_str(&text);
                }
                Block::Thinking {
                    thinking,
                    signature,
                } => turn.push(
                    json!({"type": "thinking", "thinking": thinking, "signature": signature}),
                ),
                Block::Redacted(block) => turn.push(block),
                Block::Other(kind) => {
                    tracing::debug!(kind = %quote(&kind), "a block of an unknown kind is passed over");
                }
            }
        }
        self.reply.turn = (!turn.is_empty()).then_some(Value::Array(turn));
        let ending = self.judge();
        (self.reply, ending)
    }
}

/// Events whose data must be JSON.
const KNOWN: [&str; 7] = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "error",
];

impl MessageReader {
    fn start(&mut self, data: &Value) -> Result<(), CallFault> {
        let (index, block) = (data["index"].as_u64().unwrap_or(0), &data["content_block"]);
        let text = |key: &str| block[key].as_str().unwrap_or_default().to_owned();
        let block = match block["type"].as_str() {
            Some("text") => Block::Text(text("text")),
            Some("thinking") => Block::Thinking {
                thinking: text("thinking"),
                signature: text("signature"),
            },
            Some("redacted_thinking") => Block::Redacted(block.clone()),
            other => Block::Other(other.unwrap_or_default().to_owned()),
        };
        if let Block::Text(text) = &block {
            self.count(text.len())?;
        }
        if self.blocks.len() >= MAX_BLOCKS {
            return Err(CallFault::bad_reply(format!(
                "more than {MAX_BLOCKS} blocks"
            )));
        }
        self.blocks.insert(index, block);
        Ok(())
    }

    fn delta(&mut self, data: &Value) -> Result<(), CallFault> {
        let (index, delta) = (data["index"].as_u64().unwrap_or(0), &data["delta"]);
        let piece = |key: &str| delta[key].as_str().unwrap_or_default();
        match (delta["type"].as_str(), self.blocks.get_mut(&index)) {
            (Some("text_delta"), Some(Block::Text(text))) => text.push_str(piece("text")),
            (Some("thinking_delta"), Some(Block::Thinking { thinking, .. })) => {
                thinking.push_str(piece("thinking"));
            }
            (Some("signature_delta"), Some(Block::Thinking { signature, .. })) => {
                signature.push_str(piece("signature"));
            }
            // Unknown deltas, and known ones for a block that never began.
            _ => {}
        }
        self.count(piece("text").len())
    }

    fn count(&mut self, bytes: usize) -> Result<(), CallFault> {
        self.bytes += bytes;
        if self.bytes > MAX_REPLY_BYTES {
            let detail = format!("more than {MAX_REPLY_BYTES} bytes of text");
            return Err(CallFault::bad_reply(detail));
        }
        Ok(())
    }

    fn usage(&mut self, usage: &Value) {
        let number = |key: &str| usage[key].as_u64();
        let tokens = &mut self.reply.tokens;
        if let Some(input) = number("input_tokens") {
            let cached = [
                number("cache_creation_input_tokens"),
                number("cache_read_input_tokens"),
            ];
            let cached = cached.into_iter().flatten();
            tokens.input = cached.fold(input, u64::saturating_add);
        }
        if let Some(output) = number("output_tokens") {
            tokens.output = output;
        }
    }

    fn ending(&mut self, delta: &Value) {
        if let Some(reason) = delta["stop_reason"].as_str() {
            self.reply.stop_reason = Some(reason.to_owned());
        }
        if !delta["stop_details"].is_null() {
            self.stop_details = delta["stop_details"].clone();
        }
    }

    /// Whether the answer may be read as a plan.
    fn judge(&self) -> Result<(), CallFault> {
        let cut = |what: &str| Err(CallFault::bad_reply(what.to_owned()));
        match self.reply.stop_reason.as_deref() {
            Some("refusal") => {
                let word = |key: &str| self.stop_details[key].as_str().map(quote);
                let mut detail = word("category").unwrap_or_else(|| "no reason given".to_owned());
                if let Some(explanation) = word("explanation") {
                    detail = format!("{detail}: {explanation}");
                }
                Err(CallFault::lasting(BackendError::Refused { detail }))
            }
            Some("max_tokens") => cut("cut off at max_tokens"),
            Some("model_context_window_exceeded") => cut("cut off: the context is full"),
            Some("tool_use" | "pause_turn") => cut("it stopped to use a tool, and has none"),
            // `end_turn`, `stop_sequence`, and reasons that come to be: the
            // text itself shows whether it is a plan.
            _ if self.reply.text.trim().is_empty() => cut("no text in it"),
            _ => Ok(()),
        }
    }
}

/// An error in mid-stream; nothing of the answer is used.
fn stream_error(error: &Value) -> CallFault {
    let word = |key: &str| error[key].as_str().map(quote).unwrap_or_default();
    let (kind, message) = (word("type"), word("message"));
    let passes = matches!(
        kind.as_str(),
        "overloaded_error" | "api_error" | "timeout_error" | "rate_limit_error"
    );
    CallFault {
        error: BackendError::Unreachable {
            detail: format!("error in the answer: {kind}: {message}"),
        },
        again: if passes { Again::Backoff } else { Again::Never },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(events: &[Value]) -> (ModelReply, Result<(), CallFault>) {
        let mut reader = MessageReader::default();
        for data in events {
            let event = SseEvent {
                name: data["type"].as_str().unwrap_or_default().to_owned(),
                data: data.to_string(),
            };
            if let Err(fault) = reader.event(&event) {
                return (reader.finish().0, Err(fault));
            }
        }
        reader.finish()
    }

    fn text(index: u64, text: &str) -> Value {
        json!({"type":"content_block_delta","index":index,"delta":{"type":"text_delta","text":text}})
    }

    fn end(reason: &str) -> Value {
        json!({"type":"message_delta","delta":{"stop_reason":reason,
            "stop_details":{"type":"refusal","category":"general_harms","explanation":"no"}},
            "usage":{"output_tokens":7}})
    }

    #[test]
    fn blocks_are_chosen_by_kind_and_unknown_things_passed_over() {
        let (reply, ending) = read(&[
            json!({"type":"message_start","message":{"usage":{"input_tokens":5,"cache_read_input_tokens":100,"output_tokens":1}}}),
            json!({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}),
            json!({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"abc"}}),
            json!({"type":"content_block_start","index":1,"content_block":{"type":"hologram"}}),
            json!({"type":"content_block_delta","index":1,"delta":{"type":"light","text":"no"}}),
            json!({"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}),
            text(2, "{\"a\""),
            json!({"type":"weather","text":"rain"}),
            text(2, ":1}"),
            text(9, "lost"),
            end("end_turn"),
        ]);
        assert!(ending.is_ok());
        assert_eq!(reply.text, "{\"a\":1}");
        assert_eq!((reply.tokens.input, reply.tokens.output), (105, 7));
        assert_eq!(
            reply.turn.unwrap(),
            json!([{"type":"thinking","thinking":"","signature":"abc"},
                   {"type":"text","text":"{\"a\":1}"}])
        );
    }

    #[test]
    fn ends_that_are_no_plan_are_told_apart() {
        let start = json!({"type":"content_block_start","index":0,"content_block":{"type":"text","text":"{"}});
        let fault = |reason: &str| read(&[start.clone(), end(reason)]).1.unwrap_err().error;
        assert_eq!(
            fault("refusal"),
            BackendError::Refused {
                detail: "general_harms: no".to_owned()
            }
        );
        for reason in [
            "max_tokens",
            "tool_use",
            "pause_turn",
            "model_context_window_exceeded",
        ] {
            assert!(
                matches!(fault(reason), BackendError::BadReply { .. }),
                "{reason}"
            );
        }
        assert!(read(&[start.clone(), end("a_new_reason")]).1.is_ok());
        let overloaded =
            json!({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}});
        assert_eq!(
            read(&[start, overloaded]).1.unwrap_err().again,
            Again::Backoff
        );
        let flood = json!({"type":"content_block_start","index":0,
            "content_block":{"type":"text","text":"x".repeat(MAX_REPLY_BYTES + 1)}});
        assert!(
            read(&[flood])
                .1
                .unwrap_err()
                .error
                .to_string()
                .contains("more than")
        );
    }
}
