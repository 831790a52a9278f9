//! A sentence in plain words: "that lovely navy cube" as "that blue block".
//!
//! The grammar of the planner knows how English clauses are built, but one word
//! for each colour and kind. With the book's names put into plain words it reads
//! most of what is built as it knows.

use vola_types::COLORS;

use super::covers;
use super::grammar::Grammar;
use super::islands::{Island, KINDS, Named, REGIONS};
use super::word_lists::DECORATIONS;
use super::words::{Division, Word, split};

/// The regions in plain words, in the order of [`REGIONS`].
const PLACES: [&str; REGIONS.len()] = [
    "top left corner",
    "top side",
    "top right corner",
    "left side",
    "middle of the table",
    "right side",
    "bottom left corner",
    "bottom side",
    "bottom right corner",
    "corner",
];

/// A word of a text with what stands before it.
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// Marks and spaces.
    pub(super) before: &'a str,
}

/// A text as its words stand in it.
pub(super) struct Text<'a> {
    pub(super) pieces: Vec<Piece<'a>>,
    /// What stands behind the last.
    pub(super) end: &'a str,
    /// The pieces that are words, and these words.
    pub(super) places: Vec<usize>,
    pub(super) words: Vec<Word>,
    pub(super) islands: Vec<Vec<Island>>,
}

/// The sentence in plain words, likeliest first: each name by its plain word, then
/// with whole noun phrases in the compact language.
pub(super) fn plain(sentence: &str, grammar: &Grammar) -> Vec<String> {
    let sentence = &without_courtesies(sentence, grammar);
    let Some(text) = Text::read(sentence, grammar) else {
        return vec![sentence.clone()];
    };
    let in_words = without_courtesies(&text.in_words(grammar), grammar);
    let mut all = vec![in_words];
    for covered in covers::covered(&text, grammar) {
        let covered = without_courtesies(&covered, grammar);
        if !all.contains(&covered) {
            all.push(covered);
        }
    }
    all
}

impl<'a> Text<'a> {
    /// The words of a text; none when they are not found one by one.
    fn read(text: &'a str, grammar: &Grammar) -> Option<Self> {
        let (pieces, end) = pieces(text);
        let (mut places, mut words) = (Vec::new(), Vec::new());
        let mut before = Division::None;
        for (index, piece) in pieces.iter().enumerate() {
            before = before.max(division(piece.before));
            if split(piece.text).is_empty() {
                continue;
            }
            let mut word = grammar.vocabulary.read(piece.text).into_iter().next()?;
            word.before = std::mem::take(&mut before);
            places.push(index);
            words.push(word);
        }
        let told = grammar.telling(&words).into_iter();
        let (places, words): (Vec<usize>, Vec<Word>) =
            told.map(|(at, word)| (places[at], word)).unzip();
        let islands = grammar.names.find(&words);
        Some(Self {
            pieces,
            end,
            places,
            words,
            islands,
        })
    }

    fn in_words(&self, grammar: &Grammar) -> String {
        let mut plain = String::new();
        let mut at = 0;
        let mut word_at = 0;
        while let Some(piece) = self.pieces.get(at) {
            plain.push_str(piece.before);
            if self.places.get(word_at) != Some(&at) {
                if is_article(piece.text) {
                    plain.push_str(piece.text);
                }
                at += 1;
                continue;
            }
            let (words, next) = self.plain_word(word_at, grammar);
            plain.push_str(&words);
            at = self.places[next - 1] + 1;
            word_at = next;
        }
        plain.push_str(self.end);
        plain
    }

    /// What is plainly said for a word, or for the name that begins with it, and
    /// the word behind.
    pub(super) fn plain_word(&self, at: usize, grammar: &Grammar) -> (String, usize) {
        let piece = &self.pieces[self.places[at]];
        let named = longest(&self.islands[at]).and_then(|island| {
            let last = self.places[island.end - 1];
            let is_one = self.pieces[self.places[at] + 1..=last]
                .iter()
                .all(|it| !has_mark(it.before));
            let name = plain_name(*island, island.end - at, self.pieces[last].text)?;
            is_one.then_some((name, island.end))
        });
        if let Some(named) = named {
            return named;
        }
        let word = &self.words[at];
        if DECORATIONS.contains(&word.text.as_str()) {
            return (String::new(), at + 1);
        }
        let mended = word.id.filter(|_| word.is_mended);
        let text = mended.map_or(piece.text, |id| grammar.vocabulary.text(id));
        (text.to_owned(), at + 1)
    }
}

/// Of the words that say nothing alone, an article may begin a phrase.
pub(super) fn is_article(word: &str) -> bool {
    word.eq_ignore_ascii_case("the")
}

/// How marks before a word divide a text.
fn division(before: &str) -> Division {
    if before.contains(['.', ';', '!', '?', '\n']) {
        Division::Stop
    } else if before.contains([',', ':', '(', ')', '/']) || before.contains("- ") {
        Division::Comma
    } else {
        Division::None
    }
}

/// The words of a text, and what stands behind the last.
fn pieces(text: &str) -> (Vec<Piece<'_>>, &str) {
    let is_letter = |c: char| c.is_alphanumeric() || c == '\'' || c == '\u{2019}';
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_letter) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c| !is_letter(c)).unwrap_or(word.len());
        let (text, after) = word.split_at(end);
        all.push(Piece { text, before });
        rest = after;
    }
    (all, rest)
}

fn has_mark(before: &str) -> bool {
    before.contains([',', '.', ';', ':', '!', '?', '>', '(', ')', '/', '+'])
}

fn longest(islands: &[Island]) -> Option<&Island> {
    let named = islands.iter().filter(|it| it.named != Named::Foreign);
    named.max_by_key(|island| island.end)
}

/// The plain word for what some words name; single words for places are the
/// grammar's own.
fn plain_name(island: Island, count: usize, last: &str) -> Option<String> {
    Some(match island.named {
        Named::Color(color) => COLORS[color].to_owned(),
        Named::Kind(kind, [can_be_one, can_be_many]) => {
            let is_many = can_be_many && !can_be_one;
            let is_many = is_many || (can_be_many && last.ends_with(['s', 'S']));
            format!("{}{}", KINDS[kind], if is_many { "s" } else { "" })
        }
        Named::Region(region) if count > 1 => PLACES[region].to_owned(),
        Named::Region(_) | Named::Foreign => return None,
    })
}

/// The sentence without an opening and a closing that the book knows.
fn without_courtesies(sentence: &str, grammar: &Grammar) -> String {
    let mut text = sentence.trim();
    let trim = |c: char| c.is_whitespace() || ",.!?".contains(c);
    // Of the same length, so that places in one are places in the other.
    let lower = text.to_ascii_lowercase();
    let bare = lower.trim_end_matches(trim);
    let ends_with = |closer: &&String| {
        let rest = bare.strip_suffix(closer.as_str());
        let is_apart = rest.is_some_and(|rest| rest.ends_with([' ', ',']) && rest.contains(' '));
        // "Push it to the right" ends with a place.
        is_apart && closer.as_str() != "right"
    };
    let closer = grammar
        .closers
        .iter()
        .filter(ends_with)
        .max_by_key(|it| it.len());
    if let Some(closer) = closer {
        text = text[..bare.len() - closer.len()].trim_end_matches(trim);
    }
    let begins_with = |opener: &&String| {
        let rest = lower.strip_prefix(opener.as_str());
        rest.is_some_and(|rest| rest.starts_with([' ', ',']))
    };
    let opener = grammar
        .openers
        .iter()
        .filter(begins_with)
        .max_by_key(|it| it.len());
    if let Some(opener) = opener
        && opener.len() < text.len()
    {
        text = text[opener.len()..].trim_start_matches(trim);
    }
    text.to_owned()
}
