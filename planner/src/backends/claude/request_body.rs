//! The body of a request to the Messages interface.
//!
//! The order of the keys is fixed and the instructions come before anything
//! that changes, so that the interface's cache finds the same bytes again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use crate::plan_schema::{Dialect, LoweredSchema, PlanSchema};
use crate::prompt::{self, MAX_ECHO_BYTES, SYSTEM_PROMPT};
use crate::request::PlanRequest;

/// What a body is made from.
pub(super) struct RequestBody<'a> {
    pub(super) model: &'a str,
    pub(super) max_tokens: u32,
    pub(super) request: &'a PlanRequest,
    pub(super) schema: &'a PlanSchema,
    pub(super) with_format: bool,
    pub(super) with_image: bool,
    pub(super) low_effort: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    stream: bool,
    system: [SystemBlock; 2],
    messages: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'a>>,
}

#[derive(Serialize)]
struct SystemBlock {
    r#type: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct CacheControl {
    r#type: &'static str,
}

#[derive(Serialize)]
struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format<'a>>,
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    schema: LoweredSchema<'a>,
}

impl RequestBody<'_> {
    /// The body's bytes.
    pub(super) fn text(&self) -> String {
        let block = |text: String, cache_control| SystemBlock {
            r#type: "text",
            text,
            cache_control,
        };
        let ephemeral = CacheControl {
            r#type: "ephemeral",
        };
        let card = prompt::robot_card(&self.request.capabilities);
        let format = self.with_format.then(|| Format {
            r#type: "json_schema",
            schema: self.schema.lowered(Dialect::WithoutBounds),
        });
        let effort = self.low_effort.then_some("low");
        let body = Body {
            model: self.model,
            max_tokens: self.max_tokens,
            stream: true,
            system: [
                block(SYSTEM_PROMPT.to_owned(), None),
                block(card, Some(ephemeral)),
            ],
            messages: self.messages(),
            output_config: (effort.is_some() || format.is_some())
                .then_some(OutputConfig { effort, format }),
        };
        // Writing these types into a string does not fail.
        serde_json::to_string(&body).unwrap_or_default()
    }

    fn messages(&self) -> Vec<Value> {
        let mut content = Vec::new();
        if let Some(image) = self.request.image.as_ref().filter(|_| self.with_image) {
            content.push(json!({"type": "image", "source": {
                "type": "base64",
                "media_type": image.media_type,
                "data": STANDARD.encode(&image.bytes)}}));
        }
        let mut text = prompt::situation_with_documents(self.request);
        if !self.with_format {
            text.push_str(&prompt::schema_in_words(self.schema));
        }
        content.push(json!({"type": "text", "text": text}));
        let mut messages = vec![json!({"role": "user", "content": content})];
        let refusals = self.request.feedback.iter();
        for refusal in refusals.flat_map(|last| last.history()) {
            let turn = refusal.turn.as_ref();
            // An endless answer is not sent back; its fault says enough.
            if let Some(turn) = turn.filter(|it| it.to_string().len() <= MAX_ECHO_BYTES) {
                messages.push(json!({"role": "assistant", "content": turn}));
            }
            let text = prompt::repair(&refusal.fault);
            messages.push(json!({"role": "user", "content": [{"type": "text", "text": text}]}));
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use vola_types::Scene;

    use super::*;
    use crate::request::{EncodedImage, Feedback};
    use crate::verifier::PlanFault;

    fn request(color: &str) -> PlanRequest {
        let scene = format!(
            r#"{{"objects":[{{"id":"{color}_block","kind":"block","color":"{color}","position":[0.4,0.1,0.02]}}]}}"#
        );
        PlanRequest::new(
            format!("pick up the {color} block"),
            Scene::from_json(&scene).unwrap(),
        )
    }

    fn body(request: &PlanRequest, with_format: bool) -> String {
        let schema = PlanSchema::new(&request.scene, &request.capabilities);
        RequestBody {
            model: "claude-haiku-5-5",
            max_tokens: 4096,
            request,
            schema: &schema,
            with_format,
            with_image: true,
            low_effort: true,
        }
        .text()
    }

    #[test]
    fn two_scenes_share_the_bytes_up_to_their_own() {
        let (red, blue) = (body(&request("red"), true), body(&request("blue"), true));
        let mark = r#"],"messages":["#;
        let prefix = |text: &str| text[..text.find(mark).unwrap()].to_owned();
        assert_eq!(prefix(&red), prefix(&blue));
        assert!(prefix(&red).ends_with(r#""cache_control":{"type":"ephemeral"}}"#));
        assert!(prefix(&red).len() > 3000 && red != blue);
        assert_eq!(red, body(&request("red"), true));
    }

    #[test]
    fn the_body_has_the_documented_form() {
        let mut request = request("red");
        request.image = Some(EncodedImage {
            media_type: "image/png",
            bytes: vec![1, 2, 3],
        });
        let value: Value = serde_json::from_str(&body(&request, true)).unwrap();
        assert_eq!(value["stream"], true);
        assert_eq!(value["output_config"]["effort"], "low");
        assert_eq!(value["output_config"]["format"]["type"], "json_schema");
        for absent in ["tools", "tool_choice", "temperature", "top_p", "thinking"] {
            assert!(value.get(absent).is_none(), "{absent}");
        }
        // Pictures before text.
        let content = &value["messages"][0]["content"];
        assert_eq!(content[0]["source"]["data"], "AQID");
        assert_eq!(content[1]["type"], "text");
        let plain: Value = serde_json::from_str(&body(&request, false)).unwrap();
        assert!(plain["output_config"].get("format").is_none());
        let text = plain["messages"][0]["content"][1]["text"].as_str().unwrap();
        assert!(text.contains("JSON schema") && text.contains("red_block"));
    }

    #[test]
    fn refusals_are_appended_in_order() {
        let mut request = request("red");
        let feedback = |detail: &str, before| Feedback {
            draft: None,
            fault: PlanFault::Unreadable {
                detail: detail.to_owned(),
            },
            turn: Some(json!([{"type": "text", "text": detail}])),
            before,
        };
        let first = feedback("first", None);
        request.feedback = Some(feedback("second", Some(Box::new(first))));
        let value: Value = serde_json::from_str(&body(&request, true)).unwrap();
        let messages = value["messages"].as_array().unwrap();
        let roles: Vec<&str> = messages
            .iter()
            .map(|it| it["role"].as_str().unwrap())
            .collect();
        assert_eq!(roles, ["user", "assistant", "user", "assistant", "user"]);
        assert_eq!(messages[1]["content"][0]["text"], "first");
        assert!(
            messages[4]["content"][0]["text"]
                .as_str()
                .unwrap()
                .contains("second")
        );
        request.feedback = Some(feedback(&"x".repeat(MAX_ECHO_BYTES), None));
        let value: Value = serde_json::from_str(&body(&request, true)).unwrap();
        assert_eq!(value["messages"].as_array().unwrap().len(), 2);
    }
}
