//! The answer of a chat-completions interface, put together from its events.

use serde_json::Value;

use super::super::connection::{ModelReply, ReplyReader};
use super::super::retry::{Again, CallFault};
use super::super::sse::SseEvent;
use crate::backend::BackendError;
use crate::plan_reply::{MAX_REPLY_BYTES, quote};

/// The event that ends a stream.
const DONE: &str = "[DONE]";
/// Bytes that are counted as one token where a server does not count.
const BYTES_PER_TOKEN: u64 = 4;

/// Collects text, usage and the reason of the end.
#[derive(Debug)]
pub(super) struct ChatReader {
    reply: ModelReply,
    prompt_bytes: usize,
    pieces: u64,
    is_counted: bool,
    is_over: bool,
}

impl ChatReader {
    /// A reader for the answer to a prompt of this length.
    pub(super) fn new(prompt_bytes: usize) -> Self {
        Self {
            reply: ModelReply::default(),
            prompt_bytes,
            pieces: 0,
            is_counted: false,
            is_over: false,
        }
    }

    fn take(&mut self, part: &Value, key: &str) -> Result<(), CallFault> {
        if !part["error"].is_null() {
            return Err(server_error(&part["error"]));
        }
        let choice = &part["choices"][0];
        if let Some(text) = choice[key]["content"].as_str().filter(|it| !it.is_empty()) {
            self.pieces += 1;
            self.reply.text.push_str(text);
        }
        if let Some(text) = choice[key]["refusal"].as_str().filter(|it| !it.is_empty()) {
            let detail = quote(text);
            return Err(CallFault::lasting(BackendError::Refused { detail }));
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.reply.stop_reason = Some(reason.to_owned());
        }
        let usage = &part["usage"];
        if let (Some(input), Some(output)) = (
            usage["prompt_tokens"].as_u64(),
            usage["completion_tokens"].as_u64(),
        ) {
            self.is_counted = true;
            self.reply.tokens.input = input;
            self.reply.tokens.output = output;
        }
        if self.reply.text.len() > MAX_REPLY_BYTES {
            let detail = format!("more than {MAX_REPLY_BYTES} bytes of text");
            return Err(CallFault::bad_reply(detail));
        }
        Ok(())
    }
}

impl ReplyReader for ChatReader {
    fn event(&mut self, event: &SseEvent) -> Result<(), CallFault> {
        if event.data.trim() == DONE {
            self.is_over = true;
            return Ok(());
        }
        match serde_json::from_str(&event.data) {
            Ok(part) => self.take(&part, "delta"),
            // Named events are extensions; unnamed ones are the answer.
            Err(_) if !event.name.is_empty() => Ok(()),
            Err(_) => {
                let got = quote(&event.data);
                Err(CallFault::bad_reply(format!(
                    "an event is not JSON: {got:?}"
                )))
            }
        }
    }

    fn whole(&mut self, answer: &Value) -> Result<(), CallFault> {
        self.take(answer, "message")?;
        if !answer["choices"][0].is_object() {
            return Err(CallFault::bad_reply("the answer has no \"choices\""));
        }
        self.is_over = true;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.is_over
    }

    fn finish(mut self) -> (ModelReply, Result<(), CallFault>) {
        if !self.is_counted {
            // Servers send about one token a piece.
            let bytes = u64::try_from(self.prompt_bytes).unwrap_or(u64::MAX);
            self.reply.tokens.input = bytes / BYTES_PER_TOKEN;
            self.reply.tokens.output = self.pieces;
        }
        let text = &self.reply.text;
        self.reply.turn = (!text.is_empty()).then(|| Value::String(text.clone()));
        let cut = |what: &str| Err(CallFault::bad_reply(what.to_owned()));
        let ending = match self.reply.stop_reason.as_deref() {
            Some("length") => cut("cut off at max_tokens"),
            Some("tool_calls" | "function_call") => cut("it stopped to use a tool, and has none"),
            Some("content_filter") => Err(CallFault::lasting(BackendError::Refused {
                detail: "content_filter".to_owned(),
            })),
            _ if self.reply.text.trim().is_empty() => cut("no text in it"),
            _ => Ok(()),
        };
        (self.reply, ending)
    }
}

/// An error in a stream or in an answer of status 200.
fn server_error(error: &Value) -> CallFault {
    let text = error["message"]
        .as_str()
        .or(error.as_str())
        .unwrap_or_default();
    let code = error["code"].as_u64().unwrap_or(500);
    CallFault {
        error: BackendError::Unreachable {
            detail: format!("error in the answer: {}", quote(text)),
        },
        again: if code >= 500 || code == 429 {
            Again::Backoff
        } else {
            Again::Never
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> (bool, ModelReply, Result<(), CallFault>) {
        let mut reader = ChatReader::new(400);
        for line in lines {
            let event = SseEvent {
                name: String::new(),
                data: (*line).to_owned(),
            };
            if let Err(fault) = reader.event(&event) {
                return (false, reader.finish().0, Err(fault));
            }
        }
        let over = reader.is_complete();
        let (reply, ending) = reader.finish();
        (over, reply, ending)
    }

    #[test]
    fn pieces_become_a_text_and_are_counted_when_the_server_does_not() {
        let (over, reply, ending) = read(&[
            r#"{"choices":[{"delta":{"role":"assistant","reasoning_content":"hm"}}]}"#,
            r#"{"choices":[{"delta":{"content":"{\"a\""}}]}"#,
            r#"{"choices":[{"delta":{"content":":1}"},"finish_reason":"stop"}]}"#,
            r#"{"choices":[]}"#,
            DONE,
        ]);
        assert!(over && ending.is_ok());
        assert_eq!(reply.text, "{\"a\":1}");
        assert_eq!((reply.tokens.input, reply.tokens.output), (100, 2));
        let (_, reply, _) =
            read(&[r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":8}}"#]);
        assert_eq!((reply.tokens.input, reply.tokens.output), (9, 8));
    }

    #[test]
    fn ends_that_are_no_plan_are_told_apart() {
        let ending = |reason: &str| {
            let line = format!(
                r#"{{"choices":[{{"delta":{{"content":"x"}},"finish_reason":"{reason}"}}]}}"#
            );
            read(&[&line]).2
        };
        assert!(ending("stop").is_ok());
        for (reason, expected) in [
            ("length", "max_tokens"),
            ("content_filter", "refused"),
            ("tool_calls", "tool"),
        ] {
            let text = ending(reason).unwrap_err().error.to_string();
            assert!(text.contains(expected), "{text}");
        }
        let fault = read(&[r#"{"error":{"message":"slot full","code":503}}"#])
            .2
            .unwrap_err();
        assert_eq!(fault.again, Again::Backoff);
        assert!(read(&["not json"]).2.is_err());
    }
}
