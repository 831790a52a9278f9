//! Noun phrases with more about them than the book has: "that lovely cube, the
//! red one", "the dish whose colour is navy", "the block that is next to the bowl".
//!
//! People describe things in more ways than can be listed, but they put the same
//! few parts together: small words before a phrase, and a colour, a place or an
//! extreme after it. Here these are added to the phrases that were found, in
//! English only; their order in other languages is another.

use vola_types::COLORS;

use super::islands::{Island, Named, REGIONS};
use super::nouns::{NounPhrase, Sort, keep_best};
use super::word_lists::DECORATIONS;
use super::words::{Division, Word};

/// What a word that adds nothing, and what an addition costs.
const ADDED: f32 = 0.1;

/// Words before a phrase that say nothing, besides [`DECORATIONS`].
const BEFORE: &[&str] = &[
    "that", "this", "those", "these", "my", "our", "your", "only",
];

/// Words that lead to a colour, after a noun.
const TO_COLOR: &[&str] = &[
    "of", "in", "with", "that", "which", "is", "s", "thats", "are", "looks", "look", "whose",
    "color", "colour", "colored", "coloured", "painted", "tinted", "dyed", "a", "an", "its", "has",
    "having", "happens", "to", "be", "one", "i", "mean",
];

/// Words after such a colour.
const AFTER_COLOR: &[&str] = &[
    "color", "colour", "one", "ones", "shade", "hue", "paint", "ish", "looking", "coloured",
    "colored", "tint", "tone", "sides",
];

/// Words for being somewhere, which begin a clause about a noun and stand in one.
const PLACED: &[&str] = &[
    "lying",
    "sitting",
    "standing",
    "located",
    "placed",
    "resting",
    "situated",
    "positioned",
    "found",
];

/// Words that begin such a clause, and those that may follow in it, besides these.
const LINKS: &[&str] = &["that", "which", "thats", "parked"];
const AFTER_LINK: &[&str] = &[
    "is",
    "s",
    "are",
    "lies",
    "sits",
    "stands",
    "rests",
    "right",
    "just",
    "directly",
    "over",
    "currently",
    "still",
    "now",
    "stays",
    "you",
    "can",
    "see",
];

/// Relations as the compact language has them, longest wording first.
const RELATIONS: &[(&[&str], &str)] = &[
    (&["on", "left", "side", "of"], "left-of"),
    (&["on", "right", "side", "of"], "right-of"),
    (&["to", "left", "of"], "left-of"),
    (&["to", "right", "of"], "right-of"),
    (&["on", "left", "of"], "left-of"),
    (&["on", "right", "of"], "right-of"),
    (&["on", "top", "of"], "on"),
    (&["in", "front", "of"], "front-of"),
    (&["left", "of"], "left-of"),
    (&["right", "of"], "right-of"),
    (&["inside", "of"], "in"),
    (&["next", "to"], "by"),
    (&["close", "to"], "by"),
    (&["adjacent", "to"], "by"),
    (&["beside"], "by"),
    (&["alongside"], "by"),
    (&["near"], "by"),
    (&["by"], "by"),
    (&["behind"], "behind"),
    (&["inside"], "in"),
    (&["within"], "in"),
    (&["in"], "in"),
    (&["atop"], "on"),
    (&["on"], "on"),
];

/// Heads of noun phrases in the compact language.
const HEADS: [&str; 5] = ["block", "bowl", "drawer", "thing", "one"];

/// Adds to the phrases of a sentence, which are listed by their first word.
pub(super) fn add(
    phrases: &mut [Vec<NounPhrase>],
    words: &[Word],
    islands: &[Vec<Island>],
    most: usize,
) {
    for start in (0..phrases.len()).rev() {
        let parts = Parts {
            words,
            islands,
            phrases,
        };
        let mut more = parts.additions(&phrases[start]);
        // Twice: "the block that is red, next to the bowl".
        more.extend(parts.additions(&more));
        let word = words[start].text.as_str();
        let is_soft = BEFORE.contains(&word) || DECORATIONS.contains(&word);
        if is_soft && let Some(next) = phrases.get(start + 1) {
            let is_joined = words[start + 1].before == Division::None;
            let noun = next
                .iter()
                .filter(|it| is_joined && it.sort != Sort::Pronoun);
            more.extend(noun.map(|phrase| NounPhrase {
                cost: phrase.cost + ADDED,
                ..phrase.clone()
            }));
        }
        for phrase in more {
            add_one(&mut phrases[start], phrase);
        }
        keep_best(&mut phrases[start], most);
    }
}

fn add_one(known: &mut Vec<NounPhrase>, phrase: NounPhrase) {
    let same = |other: &&mut NounPhrase| other.end == phrase.end && other.meaning == phrase.meaning;
    match known.iter_mut().find(same) {
        Some(other) => other.cost = other.cost.min(phrase.cost),
        None => known.push(phrase),
    }
}

/// What additions are made of.
struct Parts<'a> {
    words: &'a [Word],
    islands: &'a [Vec<Island>],
    phrases: &'a [Vec<NounPhrase>],
}

impl Parts<'_> {
    fn text(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| word.text.as_str())
    }

    /// Skips words of some lists, over no mark but one before the first of them.
    fn skip(&self, from: usize, lists: &[&[&str]], most: usize) -> usize {
        let rest = self.words.iter().skip(from).take(most).enumerate();
        let is_one = |(index, word): &(usize, &Word)| {
            let is_joined = *index == 0 || word.before == Division::None;
            is_joined && lists.iter().any(|list| list.contains(&word.text.as_str()))
        };
        from + rest.take_while(is_one).count()
    }

    fn additions(&self, phrases: &[NounPhrase]) -> Vec<NounPhrase> {
        let nouns = phrases.iter().filter(|it| it.sort != Sort::Pronoun);
        let both = |it| [self.with_color(it), self.with_place(it)];
        nouns.flat_map(both).flatten().collect()
    }

    /// "of navy colour", "that is red", ", the red one".
    fn with_color(&self, phrase: &NounPhrase) -> Option<NounPhrase> {
        if has_color(&phrase.meaning) {
            return None;
        }
        let after_comma = self
            .words
            .get(phrase.end)
            .is_some_and(|word| word.before == Division::Comma);
        let link = self.skip(phrase.end, &[TO_COLOR], 5);
        let islands = self.islands.get(link)?;
        let (end, color) = islands.iter().rev().find_map(|island| match island.named {
            Named::Color(color) => Some((island.end, color)),
            _ => None,
        })?;
        let last = self.skip(end, &[AFTER_COLOR], 2);
        let is_led = link > phrase.end || after_comma;
        // "the block in the red bowl" is of no colour.
        let leads_on = self.islands.get(last).is_some_and(|islands| {
            let names = |it: &Island| matches!(it.named, Named::Kind(..) | Named::Color(_));
            islands.iter().any(names)
        });
        let is_joined = self.words[end - 1].before == Division::None || end - link == 1;
        if !is_led || leads_on || !is_joined {
            return None;
        }
        Some(NounPhrase {
            end: last,
            meaning: before_head(&phrase.meaning, COLORS[color])?,
            cost: phrase.cost + ADDED,
            names: phrase.names + 1,
            ..phrase.clone()
        })
    }

    /// "that is in the bowl", "lying next to the red block", "which is nearest
    /// to you".
    fn with_place(&self, phrase: &NounPhrase) -> Option<NounPhrase> {
        if phrase.has_phrase_inside || phrase.meaning.contains([']', '+', '|']) {
            return None;
        }
        let link = self.skip(phrase.end, &[LINKS, PLACED], 1);
        if link == phrase.end {
            return None;
        }
        let at = self.skip(link, &[AFTER_LINK, PLACED], 4);
        let denied = self.text(at) == "not";
        let at = at + usize::from(denied);
        if !denied && let Some(extreme) = self.with_extreme(phrase, at) {
            return Some(extreme);
        }
        let (words, relation) = RELATIONS.iter().find(|(words, _)| {
            let mut all = words.iter().enumerate();
            all.all(|(index, word)| self.text(at + index) == *word)
        })?;
        let place = at + words.len();
        let (end, condition, is_phrase) = self.place(place, relation)?;
        let not = if denied { "not " } else { "" };
        Some(NounPhrase {
            end,
            meaning: format!("{} [{not}{condition}]", phrase.meaning),
            cost: phrase.cost + ADDED,
            has_phrase_inside: is_phrase,
            names: phrase.names + 1,
            ..phrase.clone()
        })
    }

    /// Where a place ends, and what it means as a condition.
    fn place(&self, at: usize, relation: &str) -> Option<(usize, String, bool)> {
        let islands = self.islands.get(at)?;
        let region = islands.iter().rev().find_map(|island| match island.named {
            Named::Region(region) => Some((island.end, REGIONS[region])),
            _ => None,
        });
        if let Some((end, region)) = region {
            return Some((end, format!("at {region}"), false));
        }
        if self.text(at) == "table" && relation == "on" {
            return Some((at + 1, "on table".to_owned(), false));
        }
        let landmark = self.phrases.get(at)?.iter().find(|it| is_plain(it))?;
        Some((
            landmark.end,
            format!("{relation} {}", landmark.meaning),
            true,
        ))
    }

    /// "nearest to the bowl", "furthest to the left".
    fn with_extreme(&self, phrase: &NounPhrase, at: usize) -> Option<NounPhrase> {
        let first = phrase.meaning.split(' ').next().unwrap_or_default();
        let is_bare = HEADS.contains(&first) || has_color(first);
        if !is_bare {
            return None;
        }
        let is_near = match self.text(at) {
            "nearest" | "closest" => true,
            "farthest" | "furthest" => false,
            _ => return None,
        };
        let at = self.skip(at + 1, &[&["to", "from", "away"]], 3);
        let (end, extreme, is_phrase) = match self.text(at) {
            "you" | "robot" | "yourself" if is_near => (at + 1, "nearest".to_owned(), false),
            "you" | "robot" | "yourself" => (at + 1, "farthest".to_owned(), false),
            "left" if !is_near => (at + 1, "leftmost".to_owned(), false),
            "right" if !is_near => (at + 1, "rightmost".to_owned(), false),
            _ => {
                let landmark = self.phrases.get(at)?.iter().find(|it| is_plain(it))?;
                let how = if is_near {
                    "nearest-to"
                } else {
                    "farthest-from"
                };
                (landmark.end, format!("{how} ({})", landmark.meaning), true)
            }
        };
        Some(NounPhrase {
            end,
            meaning: format!("{extreme} {}", phrase.meaning),
            cost: phrase.cost + ADDED,
            has_phrase_inside: is_phrase,
            names: phrase.names + 1,
            ..phrase.clone()
        })
    }
}

/// Whether a phrase can stand inside another.
fn is_plain(phrase: &NounPhrase) -> bool {
    !phrase.has_phrase_inside && !phrase.is_plural && phrase.sort != Sort::Pronoun
}

/// Whether the phrase names a colour of its own thing.
fn has_color(meaning: &str) -> bool {
    let own = meaning.split('[').next().unwrap_or_default();
    let own = own.rsplit(')').next().unwrap_or_default();
    let mut words = own.split([' ', '/']);
    words.any(|word| COLORS.contains(&word.trim_start_matches("not-")))
}

/// The meaning with a word more, before the thing that it names.
fn before_head(meaning: &str, word: &str) -> Option<String> {
    if meaning.contains([']', '+', '|']) || meaning.contains(" except ") {
        return None;
    }
    let own = meaning.rfind(')').map_or(0, |at| at + 1);
    let (outer, inner) = meaning.split_at(own);
    let mut words: Vec<&str> = inner.split(' ').collect();
    let head = words.iter().position(|it| HEADS.contains(it))?;
    words.insert(head, word);
    Some(format!("{outer}{}", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_goes_before_the_thing_that_has_it() {
        for (meaning, expected) in [
            ("block", Some("red block")),
            ("leftmost block", Some("leftmost red block")),
            (
                "nearest-to (blue bowl) one #2",
                Some("nearest-to (blue bowl) red one #2"),
            ),
            ("it", None),
            ("block [in bowl]", None),
        ] {
            assert_eq!(
                before_head(meaning, "red").as_deref(),
                expected,
                "{meaning}"
            );
        }
        assert!(has_color("not-red block"));
        assert!(!has_color("nearest-to (blue bowl) block [on red block]"));
    }
}
