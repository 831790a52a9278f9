//! A sentence in plain words: "that lovely navy cube" as "that blue block".
//!
//! The grammar of the planner knows how English clauses are built, but one word
//! for each colour and kind. With the book's names put into plain words it reads
//! most of what is built as it knows.

use vola_types::COLORS;

use super::grammar::Grammar;
use super::islands::{Island, KINDS, Named, REGIONS};
use super::word_lists::DECORATIONS;
use super::words::{Word, split};

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
struct Piece<'a> {
    text: &'a str,
    /// Marks and spaces.
    before: &'a str,
    word: Option<Word>,
}

/// The sentence in plain words.
pub(super) fn plain(sentence: &str, grammar: &Grammar) -> String {
    let (mut pieces, end) = pieces(sentence);
    let known: Vec<usize> = (0..pieces.len())
        .filter(|index| !split(pieces[*index].text).is_empty())
        .collect();
    for index in &known {
        let read = grammar.vocabulary.read(pieces[*index].text);
        pieces[*index].word = read.into_iter().next();
    }
    let words: Vec<Word> = pieces
        .iter()
        .filter_map(|piece| piece.word.clone())
        .collect();
    if words.len() != known.len() {
        return sentence.to_owned();
    }
    let islands = grammar.names.find(&words);
    let mut plain = String::with_capacity(sentence.len());
    let (mut at, mut word_at) = (0, 0);
    while let Some(piece) = pieces.get(at) {
        let Some(word) = &piece.word else {
            plain.push_str(piece.before);
            plain.push_str(piece.text);
            at += 1;
            continue;
        };
        let named = longest(&islands[word_at]).and_then(|island| {
            let last = known[island.end - 1];
            let is_one = pieces[at + 1..=last].iter().all(|it| !has_mark(it.before));
            let name = plain_name(*island, island.end - word_at, pieces[last].text)?;
            is_one.then_some((island.end, last, name))
        });
        match named {
            Some((end, last, name)) => {
                plain.push_str(piece.before);
                plain.push_str(&name);
                word_at = end;
                at = last + 1;
            }
            None => {
                if !DECORATIONS.contains(&word.text.as_str()) {
                    let mended = word.id.filter(|_| word.is_mended);
                    let text = mended.map_or(piece.text, |id| grammar.vocabulary.text(id));
                    plain.push_str(piece.before);
                    plain.push_str(text);
                }
                word_at += 1;
                at += 1;
            }
        }
    }
    plain.push_str(end);
    without_courtesies(&plain, grammar)
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
        all.push(Piece {
            text,
            before,
            word: None,
        });
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
    let lower = text.to_lowercase();
    if lower.len() != text.len() {
        return text.to_owned();
    }
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
