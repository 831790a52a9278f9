//! The embedded model's prompt, in the form of a chat template.

/// Begins a prompt.
pub(crate) const BEGIN: &str = "<s>";
/// Ends an answer.
pub(crate) const END: &str = "</s>";
/// A command was carried out before.
pub(crate) const COMMAND: &str = "<c>";
/// A question is open.
pub(crate) const QUESTION: &str = "<q>";
/// The answer follows.
pub(crate) const ANSWER: &str = "<a>";

/// What the embedded model reads: what came before in one token, the sentence.
/// The scene is not in it: a line of the compact language names objects by what
/// was said of them, and grounding is done afterwards.
pub(crate) const CHAT_TEMPLATE: &str = "{{ bos_token }}{% if planner.question %}<q>{% elif planner.command %}<c>{% endif %}{{ planner.sentence }}<a>";
