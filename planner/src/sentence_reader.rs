//! What reads sentences that the grammar of the `rules` back end does not.
//!
//! The planner knows no phrases of any language but its own grammar of English;
//! whoever has a collection of phrases can hand it a reader.

/// What came before a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadContext {
    /// A command was carried out or planned, which can be corrected or repeated.
    pub has_command: bool,
    /// A question of the robot is open.
    pub has_question: bool,
}

/// What a sentence may mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// In the compact language.
    pub line: String,
    /// How much better than chance it explains the words, in nats; comparable
    /// between readings of one sentence.
    pub score: f32,
    /// Words of the sentence that no phrase of this meaning has.
    pub unread: usize,
    /// How far its wording is from known phrases: about the number of telling
    /// words that one has and the other lacks.
    pub distance: f32,
    /// By how much the order of its clauses is likelier than another, in nats.
    pub order_margin: f32,
    /// Whether the sentence denies or leaves out something that this reading
    /// knows nothing of.
    pub is_denied: bool,
}

/// Reads sentences.
pub trait SentenceReader: Send + Sync + std::fmt::Debug {
    /// The likeliest readings, best first; none when the words are strange.
    ///
    /// # Timing
    /// Called for each sentence before any model is asked: a few milliseconds.
    fn read(&self, sentence: &str, context: ReadContext) -> Vec<Reading>;

    /// An English sentence said plainer, likeliest first: "the navy dish" as "the
    /// blue bowl", and whole noun phrases in the compact language, in braces and
    /// with their words: `put {red block|that crimson cube} on the left`. Empty:
    /// this reader knows no plainer words.
    ///
    /// # Timing
    /// As [`SentenceReader::read`], about a millisecond.
    fn plain(&self, _sentence: &str) -> Vec<String> {
        Vec::new()
    }
}
