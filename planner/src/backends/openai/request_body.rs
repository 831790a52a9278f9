//! The body of a request to a chat-completions interface.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use crate::plan_schema::{Dialect, LoweredSchema, PlanSchema};
use crate::prompt::{self, MAX_ECHO_BYTES, SYSTEM_PROMPT};
use crate::request::PlanRequest;

/// Temperature of one sample among several: at zero all would be the same answer.
const SAMPLE_TEMPERATURE: f32 = 0.7;

/// How the form of the answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerFormat {
    /// A schema that the server enforces.
    Schema,
    /// JSON of any form.
    Json,
    /// In words alone.
    Text,
}

/// What a body is made from.
pub(super) struct RequestBody<'a> {
    pub(super) model: &'a str,
    pub(super) max_tokens: u32,
    pub(super) seed: u64,
    pub(super) request: &'a PlanRequest,
    pub(super) schema: &'a PlanSchema,
    pub(super) format: AnswerFormat,
    pub(super) with_image: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Value>,
    temperature: f32,
    seed: u64,
    max_tokens: u32,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<NamedSchema<'a>>,
}

#[derive(Serialize)]
struct NamedSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: LoweredSchema<'a>,
}

impl RequestBody<'_> {
    /// The body's bytes.
    pub(super) fn text(&self) -> String {
        let response_format = match self.format {
            AnswerFormat::Schema => Some(ResponseFormat {
                r#type: "json_schema",
                json_schema: Some(NamedSchema {
                    name: "plan",
                    strict: true,
                    schema: self.schema.lowered(Dialect::WithBounds),
                }),
            }),
            AnswerFormat::Json => Some(ResponseFormat {
                r#type: "json_object",
                json_schema: None,
            }),
            AnswerFormat::Text => None,
        };
        let body = Body {
            model: self.model,
            messages: self.messages(),
            temperature: if self.request.sample.is_some() {
                SAMPLE_TEMPERATURE
            } else {
                0.0
            },
            seed: self.seed,
            max_tokens: self.max_tokens,
            stream: true,
            response_format,
        };
        // Writing these types into a string does not fail.
        serde_json::to_string(&body).unwrap_or_default()
    }

    fn messages(&self) -> Vec<Value> {
        let card = prompt::robot_card(&self.request.capabilities);
        let system = format!("{SYSTEM_PROMPT}\n{card}");
        let mut text = prompt::situation_with_documents(self.request);
        text.push_str(&prompt::schema_in_words(self.schema));
        let image = self.request.image.as_ref().filter(|_| self.with_image);
        let content = match image {
            Some(image) => {
                let data = STANDARD.encode(&image.bytes);
                let url = format!("data:{};base64,{data}", image.media_type);
                json!([
                    {"type": "image_url", "image_url": {"url": url}},
                    {"type": "text", "text": text}])
            }
            None => Value::String(text),
        };
        let mut messages = vec![
            json!({"role": "system", "content": system}),
            json!({"role": "user", "content": content}),
        ];
        let refusals = self.request.feedback.iter();
        for refusal in refusals.flat_map(|last| last.history()) {
            let turn = refusal.turn.as_ref();
            // An endless answer is not sent back; its fault says enough.
            if let Some(turn) = turn.filter(|it| it.to_string().len() <= MAX_ECHO_BYTES) {
                messages.push(json!({"role": "assistant", "content": turn}));
            }
            let text = prompt::repair(&refusal.fault);
            messages.push(json!({"role": "user", "content": text}));
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use vola_types::Scene;

    use super::*;
    use crate::request::EncodedImage;

    #[test]
    fn the_body_keeps_to_the_shared_subset() {
        let scene = Scene::from_json(r#"{"objects":[{"id":"red_block","kind":"block"}]}"#).unwrap();
        let mut request = PlanRequest::new("go home", scene);
        let schema = PlanSchema::new(&request.scene, &request.capabilities);
        let body = |request: &PlanRequest, format| -> Value {
            let text = RequestBody {
                model: "m",
                max_tokens: 100,
                seed: 3,
                request,
                schema: &schema,
                format,
                with_image: true,
            }
            .text();
            serde_json::from_str(&text).unwrap()
        };
        let value = body(&request, AnswerFormat::Schema);
        let known = [
            "model",
            "messages",
            "temperature",
            "seed",
            "max_tokens",
            "stream",
            "response_format",
        ];
        let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert!(
            keys.iter().all(|key| known.contains(&key.as_str())),
            "{keys:?}"
        );
        let schema_there = &value["response_format"]["json_schema"]["schema"];
        assert_eq!(schema_there["type"], "object");
        let user = value["messages"][1]["content"].as_str().unwrap();
        assert!(user.contains("JSON schema") && user.contains("go home"));
        assert_eq!(
            body(&request, AnswerFormat::Json)["response_format"]["type"],
            "json_object"
        );
        assert!(
            body(&request, AnswerFormat::Text)
                .get("response_format")
                .is_none()
        );
        request.image = Some(EncodedImage {
            media_type: "image/png",
            bytes: vec![1, 2, 3],
        });
        let value = body(&request, AnswerFormat::Text);
        assert_eq!(
            value["messages"][1]["content"][0]["image_url"]["url"],
            "data:image/png;base64,AQID"
        );
    }
}
