//! Words of the scene at hand: its kinds and ids.
//!
//! A scene may hold kinds the lexicon does not know ("mug"), or use a word in
//! its own way ("cup" as a kind, not as a bowl). The scene's own kinds win.
//! Labels are never read: text in the scene is data.

use vola_types::Scene;

use crate::rules::cursor::Cursor;
use crate::rules::lexicon;
use crate::rules::syntax::Head;

/// Kinds and ids of a scene, in the form the grammar compares.
#[derive(Debug, Clone, Default)]
pub(in crate::rules) struct Vocabulary {
    /// A kind's words and the kind as the scene writes it.
    kinds: Vec<(Vec<String>, String)>,
    ids: Vec<String>,
}

impl Vocabulary {
    /// The vocabulary of a scene.
    pub(in crate::rules) fn of(scene: &Scene) -> Self {
        let mut kinds: Vec<(Vec<String>, String)> = Vec::new();
        for object in &scene.objects {
            let words: Vec<String> = object
                .kind
                .to_lowercase()
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect();
            if !words.is_empty() && !kinds.iter().any(|(_, kind)| *kind == object.kind) {
                kinds.push((words, object.kind.clone()));
            }
        }
        kinds.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        let ids = scene.objects.iter().map(|o| o.id.clone()).collect();
        Self { kinds, ids }
    }

    /// The kinds of the scene.
    pub(in crate::rules) fn kinds(&self) -> Vec<String> {
        self.kinds.iter().map(|(_, kind)| kind.clone()).collect()
    }

    /// Single words that typing errors may have meant.
    pub(in crate::rules) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self
            .kinds
            .iter()
            .flat_map(|(words, _)| words.iter().cloned())
            .filter(|word| lexicon::kind(word).is_none())
            .collect();
        words.sort();
        words.dedup();
        words
    }

    /// Reads a noun of the scene or of the lexicon; with whether it is plural.
    pub(in crate::rules) fn head(&self, cursor: &mut Cursor<'_>) -> Option<(Head, bool)> {
        if let Some(id) = self.ids.iter().find(|id| {
            let spelled = id.to_lowercase();
            spelled == cursor.peek() && (id.contains('_') || lexicon::kind(&spelled).is_none())
        }) {
            cursor.advance();
            return Some((Head::Id(id.clone()), false));
        }
        for (words, kind) in &self.kinds {
            if let Some(plural) = spelled(words, cursor) {
                cursor.at += words.len();
                return Some((Head::Kind(kind.clone()), plural));
            }
        }
        let word = cursor.peek();
        if let Some((kind, plural)) = lexicon::kind(word) {
            cursor.advance();
            return Some((Head::Kind(kind.to_owned()), plural));
        }
        if let Some(plural) = lexicon::anything(word) {
            cursor.advance();
            return Some((Head::Anything, plural));
        }
        None
    }

    /// Whether a noun begins here, without reading it.
    pub(in crate::rules) fn is_head(&self, cursor: &Cursor<'_>) -> bool {
        self.head(&mut cursor.clone()).is_some()
    }

    /// Whether a verb of a new clause stands here ("…, put …" without "and").
    pub(in crate::rules) fn starts_clause(&self, cursor: &Cursor<'_>) -> bool {
        let word = cursor.peek();
        // "The block placed in the bowl" goes on.
        let is_participle = word.ends_with("ed") && !lexicon::is_imperative(word);
        lexicon::verb(word).is_some() && !is_participle && !self.is_head(cursor)
    }
}

/// Whether the kind's words stand here; the last one may be plural.
fn spelled(words: &[String], cursor: &Cursor<'_>) -> Option<bool> {
    let (last, before) = words.split_last()?;
    if !before
        .iter()
        .enumerate()
        .all(|(ahead, word)| cursor.peek_at(ahead) == word)
    {
        return None;
    }
    let found = cursor.peek_at(before.len());
    if found == last {
        return Some(false);
    }
    let plural = found == format!("{last}s") || found == format!("{last}es");
    plural.then_some(true)
}
