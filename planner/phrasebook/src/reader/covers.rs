//! A sentence with its noun phrases put into the compact language: "stick that
//! lovely cube, the red one, inside the dish nearest to you" as "stick {red block}
//! inside {nearest bowl}".
//!
//! The grammar of the planner knows how clauses are built, the book what people
//! call things. Where a phrase ends is often open ("the block in the bowl"), so
//! there are several ways; the grammar takes the first that it understands, and
//! what it understands it understands as a whole.

use super::decorated;
use super::grammar::Grammar;
use super::islands::{Island, Named};
use super::nouns::{NounPhrase, Sort};
use super::plain::{Text, is_article};

/// Most ways of one sentence.
const MOST: usize = 12;
/// Phrases kept that begin at one word: the short ones as well.
const MOST_PHRASES: usize = 24;
/// Most that is passed over or missing in a phrase.
const MOST_COST: f32 = 0.8;

/// How far a phrase reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// To its noun.
    Core,
    /// With what else is said of the thing itself.
    Plain,
    /// With other things that tell where it is.
    Inside,
    /// As one of a list.
    List,
}

/// The ways to cover a sentence with noun phrases, likeliest first.
pub(super) fn covered(text: &Text<'_>, grammar: &Grammar) -> Vec<String> {
    let mut phrases = grammar.noun_phrases(&text.words, &text.islands, MOST_PHRASES);
    decorated::add(&mut phrases, &text.words, &text.islands, MOST_PHRASES);
    let cover = Cover {
        text,
        grammar,
        phrases: &phrases,
    };
    let mut all: Vec<String> = Vec::new();
    let mut keep = |way: String| {
        if all.len() < MOST && !all.contains(&way) {
            all.push(way);
        }
    };
    let reaches = [Reach::Core, Reach::Plain, Reach::Inside, Reach::List];
    let mut sites = 0;
    for reach in reaches {
        let (way, count) = cover.way(|_| reach);
        sites = sites.max(count);
        keep(way);
    }
    // One phrase reaches farther than the others, or less far.
    for site in 0..sites {
        for [one, others] in [
            [Reach::Inside, Reach::Core],
            [Reach::Core, Reach::Inside],
            [Reach::List, Reach::Core],
        ] {
            keep(cover.way(|at| if at == site { one } else { others }).0);
        }
    }
    all
}

struct Cover<'a> {
    text: &'a Text<'a>,
    grammar: &'a Grammar,
    /// By their first word.
    phrases: &'a [Vec<NounPhrase>],
}

impl Cover<'_> {
    /// The sentence, with how many phrases were put in.
    fn way(&self, reach: impl Fn(usize) -> Reach) -> (String, usize) {
        let text = self.text;
        let mut way = String::new();
        let (mut at, mut word_at, mut sites) = (0, 0, 0);
        while let Some(piece) = text.pieces.get(at) {
            push_marks(&mut way, piece.before);
            if text.places.get(word_at) != Some(&at) {
                if is_article(piece.text) {
                    way.push_str(piece.text);
                }
                at += 1;
                continue;
            }
            if self.is_list_mark(at) {
                way.push_str(". ");
                at += 1;
                word_at += 1;
                continue;
            }
            let next = match self.phrase(word_at, reach(sites)) {
                Some(phrase) => {
                    sites += 1;
                    let said = self.words(at, text.places[phrase.end - 1]);
                    way.push_str(&format!("{{{}|{said}}}", phrase.meaning));
                    phrase.end
                }
                None => {
                    let (words, next) = text.plain_word(word_at, self.grammar);
                    way.push_str(&words);
                    next
                }
            };
            at = text.places[next - 1] + 1;
            word_at = next;
        }
        way.push_str(text.end);
        (way, sites)
    }

    /// The pieces from one to another as they were said.
    fn words(&self, first: usize, last: usize) -> String {
        let mut words = String::new();
        for (index, piece) in self.text.pieces[first..=last].iter().enumerate() {
            if index > 0 {
                words.push_str(piece.before);
            }
            words.push_str(piece.text);
        }
        words.replace(['{', '}', '|'], " ")
    }

    /// The phrase that begins at a word.
    fn phrase(&self, at: usize, reach: Reach) -> Option<&NounPhrase> {
        let fits = |phrase: &&NounPhrase| {
            let has_inside = phrase.meaning.contains(['[', '(']);
            let is_list = phrase.meaning.contains(" + ");
            let reaches = match reach {
                Reach::Core | Reach::Plain => !has_inside && !is_list,
                Reach::Inside => !is_list,
                Reach::List => true,
            };
            reaches
                && phrase.sort != Sort::Pronoun
                && phrase.names > 0
                && phrase.cost <= MOST_COST
                && !phrase.meaning.contains('|')
                && !self.cuts_a_name(phrase.end)
                && !self.begins_with_deed(at, &phrase.meaning)
        };
        let phrases = self.phrases[at].iter().filter(fits);
        let by_cost = |a: &&NounPhrase, b: &&NounPhrase| a.cost.total_cmp(&b.cost);
        match reach {
            Reach::Core => phrases.min_by(|a, b| a.end.cmp(&b.end).then(by_cost(a, b))),
            _ => phrases.min_by(|a, b| b.end.cmp(&a.end).then(by_cost(a, b))),
        }
    }

    /// Whether the noun itself follows: "the red" of "the red block".
    fn cuts_a_name(&self, end: usize) -> bool {
        let names = |it: &Island| matches!(it.named, Named::Color(_) | Named::Kind(..));
        let is_joined = |at: usize| {
            let word = self.text.words.get(at);
            word.is_some_and(|it| it.before == super::words::Division::None)
        };
        let next = self.text.islands.get(end);
        is_joined(end) && next.is_some_and(|islands| islands.iter().any(names))
    }

    /// "Open the drawer" is to be done, "the open drawer" is a thing.
    fn begins_with_deed(&self, at: usize, meaning: &str) -> bool {
        let is_state = ["open ", "closed ", "empty "]
            .iter()
            .any(|state| meaning.starts_with(state));
        let place = self.text.places[at];
        let before = place.checked_sub(1).map(|it| self.text.pieces[it].text);
        let has_article = before.is_some_and(is_article);
        let word = self.text.words[at].text.as_str();
        is_state && !has_article && !["a", "an", "that", "this", "any", "one"].contains(&word)
    }

    /// "1.", "2)", "b)": they only count what is told.
    fn is_list_mark(&self, piece: usize) -> bool {
        let text = self.text.pieces[piece].text;
        let marks = ["1", "2", "3", "4", "5", "a", "b", "c", "d"];
        let next = self.text.pieces.get(piece + 1);
        marks.contains(&text) && next.is_some_and(|it| it.before.starts_with(['.', ')']))
    }
}

/// Marks as the grammar knows them: an arrow leads somewhere, a plus joins.
fn push_marks(way: &mut String, marks: &str) {
    if marks.contains(['>', '\u{2192}']) {
        way.push_str(" to ");
    } else if marks.contains(['+', '&']) {
        way.push_str(" and ");
    } else if marks.contains(['(', ')', '/']) || marks.contains(" - ") {
        way.push_str(", ");
    } else {
        way.push_str(marks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_said_in_words() {
        let marks = |text: &str| {
            let mut way = String::new();
            push_marks(&mut way, text);
            way
        };
        for (text, expected) in [
            (" -> ", " to "),
            (" + ", " and "),
            (" (", ", "),
            (". ", ". "),
            (" - ", ", "),
            ("-", "-"),
        ] {
            assert_eq!(marks(text), expected, "{text}");
        }
    }
}
