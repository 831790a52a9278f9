//! A model's own chat template: messages become the text it was trained on.
//!
//! Templates are written for Python's Jinja and call methods of Python's strings;
//! here they are rendered with these methods. They come with models, so they are
//! hostile until they have run: they reach nothing but the messages, and their
//! length, their steps and their output are bounded. What they hold in between is
//! not: take models from where you trust them.

mod date;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value, context};
use serde::Serialize;

use crate::{LanguageModelError, Result};

/// Name of the template inside the environment.
const NAME: &str = "chat";
/// Longest template (bytes).
pub(crate) const LONGEST_TEMPLATE: usize = 1 << 20;
/// Longest prompt (bytes).
const LONGEST_PROMPT: usize = 1 << 20;
/// Steps of a template at most.
const FUEL: u64 = 1_000_000;
/// Widest indentation of JSON (spaces).
const MOST_INDENT: usize = 16;

/// What a model's file says about its conversations.
#[derive(Clone, Debug)]
pub(crate) struct TemplateSource {
    /// The template's text.
    pub(crate) template: String,
    /// The word of the token that begins a text.
    pub(crate) begin: String,
    /// The word of the token that ends one.
    pub(crate) end: String,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// What is said.
    pub content: String,
}

/// A template, ready to be used.
pub(crate) struct ChatTemplate {
    file: PathBuf,
    environment: Environment<'static>,
    begin: String,
    end: String,
}

impl ChatTemplate {
    /// Reads a template; `clock` tells the day to those that ask for it.
    ///
    /// # Errors
    /// A template that is too long or cannot be read.
    pub(crate) fn new(
        file: &Path,
        source: TemplateSource,
        clock: fn() -> SystemTime,
    ) -> Result<Self> {
        let fail = |reason: String| LanguageModelError::Model {
            path: file.to_path_buf(),
            reason: format!("chat template: {reason}"),
        };
        let TemplateSource {
            template,
            begin,
            end,
        } = source;
        if template.len() > LONGEST_TEMPLATE {
            let got = template.len();
            return Err(fail(format!(
                "expected at most {LONGEST_TEMPLATE} bytes, got {got}"
            )));
        }
        let mut environment = environment(clock);
        environment
            .add_template_owned(NAME, without_marks(&template))
            .map_err(|error| fail(error.to_string()))?;
        Ok(Self {
            file: file.to_path_buf(),
            environment,
            begin,
            end,
        })
    }

    /// The prompt of messages, ready for an answer. Where the template refuses
    /// instructions of their own, they begin the first message of the person.
    ///
    /// # Errors
    /// A template that fails, does not end, or writes without end.
    pub(crate) fn prompt(&self, messages: &[ChatMessage], planner: &Value) -> Result<String> {
        let first = match self.render(messages, planner) {
            Ok(prompt) => return Ok(prompt),
            Err(error) => error,
        };
        let merged = merged(messages).map(|it| self.render(&it, planner));
        match merged {
            Some(Ok(prompt)) => Ok(prompt),
            Some(Err(second)) => Err(self.fail(&[&first, &second])),
            None => Err(self.fail(&[&first])),
        }
    }

    fn render(
        &self,
        messages: &[ChatMessage],
        planner: &Value,
    ) -> std::result::Result<String, Error> {
        let messages: Vec<Value> = messages
            .iter()
            .map(|it| context! { role => it.role, content => it.content })
            .collect();
        let template = self.environment.get_template(NAME)?;
        let mut prompt = Bounded(Vec::new());
        template.render_captured_to(
            context! {
                messages => messages,
                planner => planner,
                bos_token => self.begin,
                eos_token => self.end,
                add_generation_prompt => true,
                enable_thinking => false,
            },
            &mut prompt,
        )?;
        Ok(String::from_utf8_lossy(&prompt.0).into_owned())
    }

    /// What was said against the messages, and against those with the
    /// instructions inside the first turn.
    fn fail(&self, errors: &[&Error]) -> LanguageModelError {
        let mut reasons: Vec<String> = errors.iter().map(|error| told(error)).collect();
        reasons.dedup();
        LanguageModelError::Model {
            path: self.file.clone(),
            reason: format!("chat template: {}", reasons.join("; then ")),
        }
    }
}

/// An error with what caused it.
fn told(error: &Error) -> String {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        reason = format!("{reason}: {inner}");
        source = inner.source();
    }
    reason
}

/// What templates may use, as the library has it for which they are written.
fn environment(clock: fn() -> SystemTime) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(FUEL));
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function(
        "raise_exception",
        |said: String| -> std::result::Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, said))
        },
    );
    environment.add_function("strftime_now", move |format: &str| {
        date::formatted(format, clock())
    });
    environment.add_filter("tojson", to_json);
    environment
}

/// Some templates mark what an assistant says, for training: `{% generation %}`.
/// The marks become blocks that change nothing.
fn without_marks(template: &str) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(begin) = rest.find("{%") {
        let Some(length) = rest[begin..].find("%}") else {
            break;
        };
        let inner = &rest[begin + 2..begin + length];
        text.push_str(&rest[..begin + 2]);
        match inner.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+') {
            "generation" => text.push_str(&inner.replace("generation", "if true")),
            "endgeneration" => text.push_str(&inner.replace("endgeneration", "endif")),
            _ => text.push_str(inner),
        }
        rest = &rest[begin + length..];
    }
    text.push_str(rest);
    text
}

/// The messages with the instructions inside the first of the person; none
/// where there are no instructions.
fn merged(messages: &[ChatMessage]) -> Option<Vec<ChatMessage>> {
    let [system, user, rest @ ..] = messages else {
        return None;
    };
    if system.role != "system" || user.role != "user" {
        return None;
    }
    let first = ChatMessage {
        role: "user",
        content: format!("{}\n\n{}", system.content, user.content),
    };
    Some([&[first], rest].concat())
}

/// JSON as Python writes it: with spaces, or indented.
fn to_json(value: &Value, options: Kwargs) -> std::result::Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let mut text = Vec::new();
    let done = match indent.filter(|it| *it <= MOST_INDENT) {
        Some(indent) => {
            let indent = " ".repeat(indent);
            let form = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, form))
        }
        None => value.serialize(&mut serde_json::Serializer::with_formatter(
            &mut text, Spaced,
        )),
    };
    done.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    Ok(Value::from_safe_string(
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

/// JSON on one line with a space after each comma and colon.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        is_first: bool,
    ) -> std::io::Result<()> {
        writer.write_all(if is_first { b"" } else { b", " })
    }

    fn begin_object_key<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        is_first: bool,
    ) -> std::io::Result<()> {
        writer.write_all(if is_first { b"" } else { b", " })
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

/// Takes so many bytes and no more.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST_PROMPT {
            return Err(std::io::Error::other(format!(
                "expected a prompt of at most {LONGEST_PROMPT} bytes, got more"
            )));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    /// Monday, 30 November 2026.
    fn clock() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_796_040_000)
    }

    fn messages() -> Vec<ChatMessage> {
        let said = |role, content: &str| ChatMessage {
            role,
            content: content.to_owned(),
        };
        vec![said("system", "be brief"), said("user", " hello ")]
    }

    fn render(template: &str) -> std::result::Result<String, String> {
        let source = TemplateSource {
            template: template.to_owned(),
            begin: "<s>".to_owned(),
            end: "</s>".to_owned(),
        };
        let template = ChatTemplate::new(Path::new("m.gguf"), source, clock);
        let prompt = template.and_then(|it| it.prompt(&messages(), &Value::UNDEFINED));
        prompt.map_err(|error| error.to_string())
    }

    /// `tests/reference/make_templates.py` wrote templates with what those of the
    /// families use, and what Python's Jinja makes of them.
    #[test]
    fn templates_are_rendered_as_where_they_were_written() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/templates.json");
        let golden: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() >= 8);
        for case in cases {
            let source = TemplateSource {
                template: case["template"].as_str().unwrap().to_owned(),
                begin: "<s>".to_owned(),
                end: "</s>".to_owned(),
            };
            let said = case["messages"].as_array().unwrap().iter().map(|it| {
                let role = match it["role"].as_str().unwrap() {
                    "system" => "system",
                    "user" => "user",
                    _ => "assistant",
                };
                ChatMessage {
                    role,
                    content: it["content"].as_str().unwrap().to_owned(),
                }
            });
            let template = ChatTemplate::new(Path::new("m"), source, clock).unwrap();
            let prompt = template.prompt(&said.collect::<Vec<_>>(), &Value::UNDEFINED);
            assert_eq!(
                prompt.unwrap(),
                case["prompt"].as_str().unwrap(),
                "{}",
                case["name"]
            );
        }
    }

    #[test]
    fn instructions_move_where_a_template_refuses_them() {
        let prompt = render(
            "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{% for m in messages %}{{ m.content }}|{% endfor %}",
        );
        assert_eq!(prompt.unwrap(), "be brief\n\n hello |");
    }

    #[test]
    fn what_fails_or_does_not_end_is_told() {
        for (template, words) in [
            ("{{ raise_exception('never') }}", "never"),
            ("{% for %}", "chat template"),
            (
                "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
                "fuel",
            ),
            (
                "{% for a in range(9999) %}{{ 'x' * 1000 }}{% endfor %}",
                "at most",
            ),
            ("{% include 'etc' %}", "chat template"),
            ("{{ messages.drop_all() }}", "chat template"),
        ] {
            let error = render(template).unwrap_err();
            assert!(
                error.contains("m.gguf") && error.contains(words),
                "{template}: {error}"
            );
        }
    }
}
