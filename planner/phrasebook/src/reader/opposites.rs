//! Words that say the opposite of a meaning, and meanings that no word speaks of.
//!
//! A clause is read by all of its words together, and so a rare verb could
//! outweigh "left". These words decide: who says "left" and nowhere "right"
//! does not mean the right.

use super::words::{Vocabulary, WordId, split};

/// What a word of a meaning is opposed to.
const PAIRS: [Pair; 3] = [
    Pair {
        sides: [&["left", "left-of"], &["right", "right-of"]],
        words: [
            &[
                "left", "leftward", "leftwards", "lefthand", "west", "بائیں", "بایاں", "الٹے",
                "الٹی", "لیفٹ", "baen", "bayen", "baayen", "baain", "bain", "ulte", "ulti",
            ],
            &[
                "right", "rightward", "rightwards", "righthand", "east", "دائیں", "دایاں",
                "داہنے", "داہنی", "سیدھے", "سیدھی", "رائٹ", "daen", "dayen", "daayen", "daain",
                "dain", "seedhe", "seedhi",
            ],
        ],
        must_be_said: true,
    },
    Pair {
        sides: [&["open"], &["close", "closed"]],
        words: [
            &["open", "opened", "opening", "unlock", "کھول", "کھولو", "kholo", "khol"],
            &["close", "closed", "closing", "shut", "shutting", "بند", "band"],
        ],
        must_be_said: false,
    },
    Pair {
        sides: [&["forward"], &["back"]],
        words: [
            &["forward", "forwards", "ahead", "onward", "onwards", "آگے", "aagay", "aage"],
            &["backward", "backwards", "پیچھے", "peechay", "peeche"],
        ],
        must_be_said: false,
    },
];

/// What the opposite of a word that was said costs.
const CONTRADICTED: f32 = 9.0;
/// A side that no word names.
const UNSAID: f32 = 4.0;

/// Two meanings that exclude each other, and the words that say them.
struct Pair {
    sides: [&'static [&'static str]; 2],
    words: [&'static [&'static str]; 2],
    must_be_said: bool,
}

/// The words of [`PAIRS`] that a vocabulary has.
#[derive(Debug, Default)]
pub(super) struct Opposites {
    words: Vec<[Vec<WordId>; 2]>,
    /// "too far to the left" asks for the right.
    excess: Vec<WordId>,
}

/// The sides of the pairs that a meaning has, as [`Opposites::cost`] wants them.
pub(super) type Sides = [Option<usize>; PAIRS.len()];

/// The sides that a meaning names by itself, outside of its phrases.
pub(super) fn sides_of(meaning: &str) -> Sides {
    PAIRS.map(|pair| {
        let names = |side: &[&str]| meaning.split([' ', ';']).any(|word| side.contains(&word));
        match pair.sides.map(names) {
            [true, false] => Some(0),
            [false, true] => Some(1),
            _ => None,
        }
    })
}

impl Opposites {
    pub(super) fn of(vocabulary: &Vocabulary) -> Self {
        let ids = |words: &[&str]| -> Vec<WordId> {
            let spelled = words.iter().flat_map(|word| split(word));
            let known = spelled.filter_map(|word| vocabulary.exact(&word.text));
            known.collect()
        };
        Self {
            words: PAIRS.map(|pair| pair.words.map(ids)).into(),
            excess: ids(&["too", "زیادہ", "zyada", "ziada"]),
        }
    }

    /// What it costs that a clause of these words has a meaning of these sides.
    pub(super) fn cost(&self, words: &[WordId], sides: &Sides) -> f32 {
        if self.excess.iter().any(|too| words.contains(too)) {
            return 0.0;
        }
        let of_pair = |(index, side): (usize, &Option<usize>)| {
            let Some(side) = *side else {
                return 0.0;
            };
            let said = |side: usize| self.words[index][side].iter().any(|id| words.contains(id));
            match (said(side), said(1 - side)) {
                (false, true) => CONTRADICTED,
                (false, false) if PAIRS[index].must_be_said => UNSAID,
                _ => 0.0,
            }
        };
        sides.iter().enumerate().map(of_pair).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opposite_of_what_was_said_costs_most() {
        let mut vocabulary = Vocabulary::default();
        let [push, left, right, too] = ["push", "left", "right", "too"].map(|it| vocabulary.learn(it));
        let opposites = Opposites::of(&vocabulary);
        let cost = |words: &[WordId], meaning: &str| opposites.cost(words, &sides_of(meaning));
        assert_eq!(cost(&[push, left], "push {o} left"), 0.0);
        assert_eq!(cost(&[push, left], "push {o} right"), CONTRADICTED);
        assert_eq!(cost(&[push, right], "put {o} left-of {p}"), CONTRADICTED);
        assert_eq!(cost(&[push], "push {o} left"), UNSAID);
        assert_eq!(cost(&[push, too, right], "push {o} left"), 0.0);
        assert_eq!(cost(&[push, left], "take {o}"), 0.0);
        assert_eq!(sides_of("push {o} left; push it right"), [None; 3]);
    }
}
