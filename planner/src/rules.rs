//! The `rules` back end: a grammar of everyday English over the plan language,
//! and what a reader makes of other sentences.
//!
//! Stages, each its own module: words (`token`, `typo`), clauses (`parse` into
//! `syntax`), meaning in the scene (`ground`), steps (`compose`), and what is
//! not a command (`question`, `reply`). What the grammar does not understand may
//! be read by a [`SentenceReader`] (`read`), which knows more wordings and more
//! languages and says how sure it is; its lines are grounded by the same code.
//! It is deterministic, needs no model, and answers within milliseconds; it is
//! the fast path for plain commands and the last resort when nothing else can be
//! reached.

pub mod compact;
mod compose;
mod condition;
mod correction;
mod cursor;
mod foreign;
mod ground;
mod hedged;
mod lexicon;
mod parse;
mod question;
mod read;
mod reply;
mod respond;
mod spoken;
mod stop;
mod strange_noun;
mod syntax;
mod token;
mod trouble;
mod typo;

use std::sync::Arc;

use async_trait::async_trait;
use vola_types::{Scene, Verdict};

use crate::backend::{Backend, BackendError};
use crate::draft::PlanDraft;
use crate::request::{MAX_SENTENCE_BYTES, PlanRequest};
use crate::sentence_reader::SentenceReader;
use condition::Condition;
use foreign::ForeignClauses;

pub use stop::is_stop_word;
pub(crate) use stop::{calls_to_rest, is_same as is_same_word};

/// Most ways to say a sentence plainly in which unknown clauses are read.
const MOST_WITH_FOREIGN: usize = 6;

/// What is said to an empty or unreadable sentence.
const HELP: &str = "Say what to do, for example: \"put the red block in the blue bowl\", \"push the green block to the left\" or \"what do you see?\"";

/// The grammar as a back end. Holds no state; the dialogue comes with each
/// request.
#[derive(Debug, Clone, Default)]
pub struct RulesBackend {
    reader: Option<Arc<dyn SentenceReader>>,
    is_cautious: bool,
}

impl RulesBackend {
    /// The grammar.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same back end; what the grammar does not understand is read by this
    /// reader.
    #[must_use]
    pub fn with_reader(mut self, reader: Arc<dyn SentenceReader>) -> Self {
        self.reader = Some(reader);
        self
    }

    /// The same back end; of the reader's readings it takes only those that leave
    /// no doubt. For a fast path that has a model behind it.
    #[must_use]
    pub fn cautious(mut self) -> Self {
        self.is_cautious = true;
        self
    }

    /// Answers without an async runtime. Never fails and never panics; a
    /// sentence it does not understand is answered in words.
    #[must_use]
    pub fn answer(&self, request: &PlanRequest) -> PlanDraft {
        match condition::settled(&request.sentence, &request.scene) {
            Some(Condition::Holds { command, about }) => {
                return self.answer(&of_condition(request, command, about));
            }
            Some(Condition::Fails(say)) => {
                return PlanDraft {
                    is_final: true,
                    ..PlanDraft::chat(say)
                };
            }
            None => {}
        }
        if request.dialogue.spoken.is_some() {
            return self.after_words(request);
        }
        let draft = self.understood(request);
        let acts = draft.verdict == Verdict::Execute;
        if acts && is_hedged(&request.sentence, &request.scene) {
            return read::confirm(&draft);
        }
        draft
    }

    /// The answer to what follows a sentence that was answered in words.
    fn after_words(&self, request: &PlanRequest) -> PlanDraft {
        let mut request = request.clone();
        let Some(before) = request.dialogue.spoken.take() else {
            return self.answer(&request);
        };
        let mut named = spoken::named(&before, &request);
        named.append(&mut request.dialogue.referents);
        request.dialogue.referents = named;
        let draft = self.answer(&request);
        if draft.verdict == Verdict::Execute {
            return draft;
        }
        // "And the green one as well": what was said before needed no doing.
        let Some(sentence) = spoken::gone_on(&before, &request.sentence) else {
            return draft;
        };
        let again = |sentence: String| {
            self.answer(&PlanRequest {
                sentence,
                ..request.clone()
            })
        };
        if again(before).verdict != Verdict::Chat {
            return draft;
        }
        let both = again(sentence);
        if both.verdict == Verdict::Execute {
            both
        } else {
            draft
        }
    }

    fn understood(&self, request: &PlanRequest) -> PlanDraft {
        if request.sentence.len() > MAX_SENTENCE_BYTES {
            return PlanDraft::chat("That is too long for me. Please say it in short sentences.");
        }
        let vocabulary = parse::Vocabulary::of(&request.scene);
        let mut tokens = token::tokenize(&request.sentence);
        if tokens.is_empty() {
            return PlanDraft::chat(HELP);
        }
        if let Some(say) = other_script(&request.sentence) {
            return self
                .read(request)
                .unwrap_or_else(|| PlanDraft::chat(say).with_confidence(0.3));
        }
        typo::repair(&mut tokens, &vocabulary.words());
        if is_stop_word(&request.sentence) {
            return PlanDraft::chat("I have stopped. Nothing is moving.");
        }
        if let Some(draft) = reply::to_question(&tokens, request, &vocabulary) {
            return draft;
        }
        if hedged::only_tells_past(&tokens) {
            return PlanDraft {
                is_final: true,
                ..PlanDraft::chat("I see. Tell me if I shall do anything about it.")
            };
        }
        if let Some(say) = question::answer(&tokens, request, &vocabulary) {
            return PlanDraft::chat(say);
        }
        // "What if you put it there" asks for more than an answer.
        if let Some(say) = question::without_answer(&tokens) {
            return self.read(request).unwrap_or_else(|| PlanDraft::chat(say));
        }
        if let Some(draft) = correction::of_last(&tokens, request, &vocabulary) {
            return draft;
        }
        let none = ForeignClauses::none();
        let by_grammar = respond::to_command(&tokens, request, &vocabulary, &none);
        // Nor does another reading of a denial do what is denied.
        let is_left = by_grammar.verdict == Verdict::Chat && by_grammar.is_final;
        if by_grammar.verdict == Verdict::Execute || is_left {
            return by_grammar;
        }
        if let Some(draft) = self.in_plain_words(request, &vocabulary) {
            return draft;
        }
        let is_plain = match by_grammar.verdict {
            Verdict::Execute | Verdict::Ask => true,
            // What the grammar did not find may be said in words it does not know.
            Verdict::Infeasible => by_grammar.is_final,
            _ => by_grammar.confidence > respond::NOT_UNDERSTOOD,
        };
        if is_plain {
            // Half a phrase is read as a question more often than a question is
            // read as a command.
            return self.read_as(request, true).unwrap_or(by_grammar);
        }
        self.read(request).unwrap_or(by_grammar)
    }

    /// What the grammar does where names are said in the reader's plain words. Of
    /// several ways to say them the one that the reader agrees with.
    fn in_plain_words(
        &self,
        request: &PlanRequest,
        vocabulary: &parse::Vocabulary,
    ) -> Option<PlanDraft> {
        let reader = self.reader.as_deref()?;
        let ways = reader.plain(&request.sentence);
        let known = vocabulary.words();
        let acting = |foreign: &ForeignClauses<'_>, most: usize| {
            let mut drafts: Vec<PlanDraft> = Vec::new();
            for plain in ways.iter().take(most) {
                let mut tokens = token::tokenize_plain(plain);
                typo::repair(&mut tokens, &known);
                let draft = respond::to_command(&tokens, request, vocabulary, foreign);
                let is_new = drafts.iter().all(|other| other.steps != draft.steps);
                if draft.verdict == Verdict::Execute && is_new {
                    drafts.push(draft);
                }
            }
            drafts
        };
        let mut drafts = acting(&ForeignClauses::none(), usize::MAX);
        if drafts.is_empty() {
            let foreign = ForeignClauses::of(reader, request);
            drafts = acting(&foreign, MOST_WITH_FOREIGN);
        }
        if drafts.len() > 1 {
            let read = self.read(request);
            let agrees =
                |draft: &PlanDraft| read.as_ref().is_some_and(|it| it.steps == draft.steps);
            match drafts.iter().position(agrees) {
                Some(agreed) => drafts.swap(0, agreed),
                None if self.is_cautious => return None,
                None => {}
            }
        }
        drafts.into_iter().next()
    }

    /// The answer by the reader, where there is one and it knows what is meant.
    fn read(&self, request: &PlanRequest) -> Option<PlanDraft> {
        self.read_as(request, self.is_cautious)
    }

    fn read_as(&self, request: &PlanRequest, is_cautious: bool) -> Option<PlanDraft> {
        let reader = self.reader.as_ref()?;
        read::answer(reader.as_ref(), request, is_cautious)
    }
}

#[async_trait]
impl Backend for RulesBackend {
    fn name(&self) -> &'static str {
        "rules"
    }

    async fn plan(&self, request: &PlanRequest) -> Result<PlanDraft, BackendError> {
        Ok(self.answer(request))
    }
}

pub(crate) use strange_noun::strange_noun;

/// What is to be done because a condition holds, over what the condition spoke of.
fn of_condition(request: &PlanRequest, command: String, mut about: Vec<String>) -> PlanRequest {
    let mut request = request.clone();
    request.sentence = command;
    let before = std::mem::take(&mut request.dialogue.referents);
    about.extend(before);
    request.dialogue.referents = about;
    request
}

/// Whether a sentence says when, whose or whether, not only what to do. A condition
/// that the scene says to hold is none.
pub(crate) fn is_hedged(sentence: &str, scene: &Scene) -> bool {
    if let Some(Condition::Holds { command, .. }) = condition::settled(sentence, scene) {
        return is_hedged(&command, scene);
    }
    let kinds = parse::Vocabulary::of(scene).words();
    hedged::is_hedged(&token::tokenize(sentence), &kinds)
}

/// Whether a question is about the scene or the robot's state, which the grammar
/// answers itself.
pub(crate) fn asks_about_scene(question: &str, request: &PlanRequest) -> bool {
    let vocabulary = parse::Vocabulary::of(&request.scene);
    let mut tokens = token::tokenize(question);
    typo::repair(&mut tokens, &vocabulary.words());
    question::is_about_scene(&tokens, request, &vocabulary)
}

/// Whether a command may begin with this word.
pub(crate) fn is_command_verb(word: &str) -> bool {
    lexicon::verb(word).is_some()
}

/// A polite answer to a sentence that is mostly not in Latin letters and that nobody read.
fn other_script(sentence: &str) -> Option<&'static str> {
    let letters = sentence.chars().filter(|c| c.is_alphabetic());
    let (mut latin, mut arabic, mut other) = (0_usize, 0_usize, 0_usize);
    for letter in letters {
        match letter {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' => latin += 1,
            '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => arabic += 1,
            _ => other += 1,
        }
    }
    if arabic > latin + other {
        return Some(
            "معاف کیجیے، میں یہ نہیں سمجھا۔ مثال کے طور پر کہیے: \"لال بلاک نیلے پیالے میں رکھو\"۔",
        );
    }
    (arabic + other > latin).then_some(
        "I am sorry, I understand English and Urdu only. For example: \"put the red block in the blue bowl\".",
    )
}

/// The objects among `among` that a noun phrase fits; none when the text is no
/// noun phrase of the grammar.
pub(crate) fn objects_named(text: &str, request: &PlanRequest, among: &[String]) -> Vec<String> {
    let vocabulary = parse::Vocabulary::of(&request.scene);
    let mut tokens = token::tokenize(text);
    typo::repair(&mut tokens, &vocabulary.words());
    let words = parse::without_fillers(&tokens);
    let mut cursor = cursor::Cursor::new(&words);
    let Some(mut phrase) = parse::noun_phrase(&mut cursor, &vocabulary) else {
        return Vec::new();
    };
    let mut preps = Vec::new();
    while let Some(prep) = parse::prep(&mut cursor, &vocabulary) {
        preps.push(prep);
    }
    if !cursor.at_end() {
        return Vec::new();
    }
    if phrase.head == syntax::Head::One {
        phrase.head = syntax::Head::Anything;
    }
    phrase.plural = true;
    phrase.quantity = syntax::Quantity::All;
    let others: Vec<String> = request
        .scene
        .objects
        .iter()
        .map(|object| object.id.clone())
        .filter(|id| !among.contains(id))
        .collect();
    let (choices, dialogue) = (trouble::Choices::new(), crate::request::Dialogue::default());
    let grounder = ground::Grounder::over(request, &choices, &dialogue);
    grounder
        .phrase(&phrase, &preps, ground::Role::Landmark, &others)
        .unwrap_or_default()
}

/// The steps that reach from the request's scene what `steps` would have
/// reached; `None` when that is not possible.
pub(crate) fn rebuild_steps(
    steps: &[vola_types::Step],
    request: &PlanRequest,
) -> Option<Vec<vola_types::Step>> {
    match compose::recompose(steps, request, &trouble::Choices::new()) {
        Ok(parts) => Some(parts.into_iter().flat_map(|(_, steps)| steps).collect()),
        Err(trouble::Trouble::Already(_)) => Some(Vec::new()),
        Err(_) => None,
    }
}
