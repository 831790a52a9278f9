//! Meanings that some word must say, and words that say the opposite.
//!
//! A clause is read by all of its words together, and so a rare verb could
//! outweigh "left". These words decide: who says "left" and nowhere "right"
//! does not mean the right, and nobody means "behind" without a word for it.

mod said;

use super::clauses::Item;
use super::words::{Vocabulary, WordId, split};
use said::{Must, SAID, Said};

/// What a meaning costs that no word says.
const UNSAID: f32 = 4.0;
/// What a side costs that is said and not meant, where its words mean nothing else.
const UNHEARD: f32 = 6.0;
/// The places of left and right in [`SAID`].
const LEFT_AND_RIGHT: [usize; 2] = [0, 1];

/// The words of [`SAID`] that a vocabulary has.
#[derive(Debug, Default)]
pub(super) struct Opposites {
    words: Vec<Vec<WordId>>,
    strict: Vec<Vec<WordId>>,
    /// "too far to the left" asks for the right.
    excess: Vec<WordId>,
    is_english: bool,
}

/// The places in [`SAID`] of what a meaning names by itself.
pub(super) type Sides = Vec<usize>;

/// What a meaning names by itself, outside of its phrases.
pub(super) fn sides_of(meaning: &str) -> Sides {
    let names = |said: &Said| {
        let mut words = meaning.split([' ', ';']);
        words.any(|word| said.names.contains(&word))
    };
    let all = SAID.iter().enumerate();
    all.filter_map(|(index, said)| names(said).then_some(index))
        .collect()
}

impl Opposites {
    pub(super) fn of(vocabulary: &Vocabulary, is_english: bool) -> Self {
        let ids = |words: &[&str]| -> Vec<WordId> {
            let spelled = words.iter().flat_map(|word| split(word));
            let known = spelled.filter_map(|word| vocabulary.exact(&word.text));
            known.collect()
        };
        Self {
            words: SAID.iter().map(|said| ids(said.words)).collect(),
            strict: SAID.iter().map(|said| ids(said.strict)).collect(),
            excess: ids(&["too", "much", "زیادہ", "zyada", "ziada"]),
            is_english,
        }
    }

    /// What it costs that a clause of these words means these; `None` when the
    /// words exclude it.
    pub(super) fn cost(&self, words: &[WordId], sides: &[usize]) -> Option<f32> {
        let says = |list: &Vec<WordId>| list.iter().any(|id| words.contains(id));
        if says(&self.excess) {
            return Some(0.0);
        }
        let is_said = |side: &usize| says(&self.strict[*side]);
        let is_heard = LEFT_AND_RIGHT.iter().any(|side| sides.contains(side));
        let mut cost = if !self.is_english && !is_heard && LEFT_AND_RIGHT.iter().any(is_said) {
            UNHEARD
        } else {
            0.0
        };
        for side in sides {
            if says(&self.words[*side]) {
                continue;
            }
            let own = &SAID[*side];
            let is_rival = |other: &usize| {
                other != side && own.group.is_some() && SAID[*other].group == own.group
            };
            // What opens and closes says both.
            if sides.iter().any(is_rival) {
                cost += UNSAID;
                continue;
            }
            let mut rivals = (0..SAID.len()).filter(is_rival);
            if rivals.any(|rival| says(&self.strict[rival])) {
                return None;
            }
            let must = match own.must_be_said {
                Must::Everywhere => true,
                Must::InEnglish => self.is_english,
                Must::InUrdu => !self.is_english,
                Must::Nowhere => false,
            };
            // "Three" is never meant by "one of the blocks".
            if must && own.is_number {
                return None;
            }
            if must {
                cost += UNSAID;
            }
        }
        Some(cost)
    }
}

impl Opposites {
    /// Left and right in the order in which some words name them.
    fn order(&self, words: impl Iterator<Item = WordId>) -> Vec<usize> {
        let side = |word: WordId| {
            let says = |side: &usize| self.strict[*side].contains(&word);
            LEFT_AND_RIGHT.into_iter().find(says)
        };
        words.filter_map(side).collect()
    }

    /// Whether a word names a side and is never mere talk: "to the right", but not
    /// "right away".
    pub(super) fn is_side(&self, word: WordId, before: &str) -> bool {
        let [left, right] = LEFT_AND_RIGHT.map(|side| self.strict[side].contains(&word));
        let leads = ["to", "on", "at", "towards", "toward", "your", "my"].contains(&before);
        left || (right && (!self.is_english || leads))
    }

    /// Whether the words name left and right in the order of a phrase, where a
    /// meaning has both: "this one to the left and that one to the right".
    pub(super) fn is_in_order(
        &self,
        words: &[WordId],
        sides: &[usize],
        phrases: &[Vec<Item>],
    ) -> bool {
        if !LEFT_AND_RIGHT.iter().all(|side| sides.contains(side)) {
            return true;
        }
        let own = self.order(words.iter().copied());
        let of_phrase = |phrase: &Vec<Item>| {
            self.order(phrase.iter().filter_map(|item| match item {
                Item::Word(word) => Some(*word),
                Item::Slot(_) => None,
            }))
        };
        phrases.iter().any(|phrase| of_phrase(phrase) == own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opposite_of_what_was_said_is_excluded() {
        let mut vocabulary = Vocabulary::default();
        let words = ["push", "left", "right", "too", "forward", "shut"];
        let [push, left, right, too, forward, shut] = words.map(|it| vocabulary.learn(it));
        let opposites = Opposites::of(&vocabulary, true);
        let cost = |words: &[WordId], meaning: &str| opposites.cost(words, &sides_of(meaning));
        for (words, meaning, expected) in [
            (&[push, left], "push {o} left", Some(0.0)),
            (&[push, left], "push {o} right", None),
            (&[push, left], "push {o} forward", None),
            (&[push, right], "put {o} left-of {p}", None),
            (&[push, forward], "push {o} left", None),
            (&[push, shut], "open {d}", None),
            (&[push, push], "push {o} left", Some(UNSAID)),
            (&[push, push], "put {o} behind {p}", Some(UNSAID)),
            (&[push, push], "push {o} forward", Some(0.0)),
            (&[push, left], "take {o}", Some(0.0)),
        ] {
            assert_eq!(cost(words, meaning), expected, "{meaning}");
        }
        assert_eq!(cost(&[push, too, right], "push {o} left"), Some(0.0));
        let both = "push {o} left; push {o} forward";
        assert_eq!(cost(&[left, forward], both), Some(0.0));
    }
}
