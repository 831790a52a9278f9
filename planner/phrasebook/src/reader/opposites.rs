//! Meanings that some word must say, and words that say the opposite.
//!
//! A clause is read by all of its words together, and so a rare verb could
//! outweigh "left". These words decide: who says "left" and nowhere "right"
//! does not mean the right, and nobody means "behind" without a word for it.

use super::clauses::Item;
use super::words::{Vocabulary, WordId, split};

/// A meaning that a clause has by its own words.
struct Said {
    /// How the compact language writes it.
    names: &'static [&'static str],
    words: &'static [&'static str],
    /// Words that exclude its rivals; others of its words may be said of them.
    strict: &'static [&'static str],
    /// Of the meanings of one group a clause has one.
    group: Option<u8>,
    must_be_said: Must,
}

/// Where a meaning is always said by one of its words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    Everywhere,
    InEnglish,
    /// In Urdu of both scripts.
    InUrdu,
    Nowhere,
}

const LEFT: &[&str] = &[
    "left",
    "leftward",
    "leftwards",
    "lefthand",
    "west",
    "بائیں",
    "بایاں",
    "الٹے",
    "الٹی",
    "لیفٹ",
    "baen",
    "bayen",
    "baayen",
    "baain",
    "bain",
    "ulte",
    "ulti",
];
const RIGHT: &[&str] = &[
    "right",
    "rightward",
    "rightwards",
    "righthand",
    "east",
    "دائیں",
    "دایاں",
    "داہنے",
    "داہنی",
    "سیدھے",
    "سیدھی",
    "رائٹ",
    "daen",
    "dayen",
    "daayen",
    "daain",
    "dain",
    "seedhe",
    "seedhi",
];
const OPEN: &[&str] = &[
    "open",
    "opened",
    "opening",
    "unlock",
    "کھول",
    "کھولو",
    "کھولنا",
    "اوپن",
    "پھیلا",
    "kholo",
    "khol",
    "kholna",
];
const CLOSE: &[&str] = &[
    "close",
    "closed",
    "closing",
    "shut",
    "shutting",
    "بند",
    "کلوز",
    "مٹھی",
    "بھینچ",
    "سمیٹ",
    "band",
    "bnd",
    "muthi",
    "bheench",
];

/// A number that a meaning has of itself.
const fn number(names: &'static [&'static str], words: &'static [&'static str], group: u8) -> Said {
    Said {
        names,
        words,
        strict: words,
        group: Some(group),
        must_be_said: Must::InEnglish,
    }
}

/// A deed that is not meant without a word for it.
const fn deed(names: &'static [&'static str], words: &'static [&'static str]) -> Said {
    Said {
        names,
        words,
        strict: &[],
        group: None,
        must_be_said: Must::InEnglish,
    }
}

static SAID: [Said; 27] = [
    Said {
        names: &["left", "left-of"],
        words: LEFT,
        strict: LEFT,
        group: Some(0),
        must_be_said: Must::Everywhere,
    },
    Said {
        names: &["right", "right-of"],
        words: RIGHT,
        strict: RIGHT,
        group: Some(0),
        must_be_said: Must::Everywhere,
    },
    Said {
        names: &["forward"],
        words: &[
            "forward", "forwards", "ahead", "away", "further", "farther", "onward", "onwards",
            "back", "far", "up", "advance", "آگے", "دور", "aage", "aagay", "door",
        ],
        strict: &["forward", "forwards", "ahead", "onward", "onwards"],
        group: Some(0),
        must_be_said: Must::Nowhere,
    },
    Said {
        names: &["back"],
        words: &[
            "back",
            "backward",
            "backwards",
            "toward",
            "towards",
            "closer",
            "nearer",
            "near",
            "close",
            "down",
            "reach",
            "pull",
            "پیچھے",
            "قریب",
            "طرف",
            "peeche",
            "peechay",
            "qareeb",
            "taraf",
        ],
        strict: &["backward", "backwards"],
        group: Some(0),
        must_be_said: Must::Nowhere,
    },
    Said {
        names: &["open"],
        words: OPEN,
        strict: OPEN,
        group: Some(1),
        must_be_said: Must::InUrdu,
    },
    Said {
        names: &["close", "closed"],
        words: CLOSE,
        strict: CLOSE,
        group: Some(1),
        must_be_said: Must::InUrdu,
    },
    Said {
        names: &["front-of"],
        words: &[
            "front", "before", "near", "nearer", "closer", "side", "ahead",
        ],
        strict: &[],
        group: None,
        must_be_said: Must::InEnglish,
    },
    Said {
        names: &["behind"],
        words: &[
            "behind", "back", "rear", "far", "past", "beyond", "other", "hide",
        ],
        strict: &[],
        group: None,
        must_be_said: Must::InEnglish,
    },
    Said {
        names: &["here"],
        words: &[
            "here", "me", "my", "mine", "us", "reach", "closer", "hand", "pass", "way", "towards",
            "nearer", "i", "gimme", "lemme", "bring",
        ],
        strict: &[],
        group: None,
        must_be_said: Must::InEnglish,
    },
    Said {
        names: &["there"],
        words: &["there", "that", "spot", "place", "same"],
        strict: &[],
        group: None,
        must_be_said: Must::InEnglish,
    },
    Said {
        names: &["it"],
        words: &[
            "it", "its", "that", "this", "him", "her", "one", "thing", "top", "whatever", "them",
        ],
        strict: &[],
        group: None,
        must_be_said: Must::InEnglish,
    },
    number(&["2", "=2"], &["2", "two", "pair", "couple"], 2),
    number(&["3", "=3"], &["3", "three", "trio"], 2),
    number(&["4", "=4"], &["4", "four"], 2),
    number(&["5", "=5"], &["5", "five"], 2),
    number(&["10"], &["10", "ten"], 3),
    number(&["12"], &["12", "twelve", "dozen"], 3),
    number(&["15"], &["15", "fifteen", "quarter"], 3),
    number(&["20"], &["20", "twenty"], 3),
    number(&["30"], &["30", "thirty", "half"], 3),
    number(&["45"], &["45", "forty"], 3),
    deed(&["60"], &["60", "sixty", "minute"]),
    Said {
        names: &["home"],
        words: &[
            "home",
            "rest",
            "resting",
            "base",
            "park",
            "start",
            "starting",
            "back",
            "initial",
            "neutral",
            "default",
            "sleep",
            "reset",
            "retreat",
            "retract",
            "tuck",
            "away",
            "withdraw",
            "zero",
            "idle",
            "original",
            "day",
            "down",
            "off",
            "barracks",
            "گھر",
            "ہوم",
            "واپس",
            "واپسی",
            "جگہ",
            "آرام",
            "پوزیشن",
            "ٹھکانے",
            "لوٹ",
            "ghar",
            "wapis",
            "wapas",
            "waapis",
            "waapas",
            "jagah",
            "araam",
            "aaram",
            "aram",
            "position",
        ],
        strict: &[],
        group: None,
        must_be_said: Must::Everywhere,
    },
    deed(
        &["hand"],
        &[
            "hand",
            "hands",
            "gripper",
            "grip",
            "finger",
            "fingers",
            "claw",
            "claws",
            "jaw",
            "jaws",
            "palm",
            "fist",
            "pincer",
            "pincers",
            "clamp",
            "grabber",
            "tong",
            "tongs",
            "clench",
            "unclench",
            "clenching",
            "unclenching",
        ],
    ),
    deed(
        &["tower"],
        &[
            "tower",
            "towers",
            "stack",
            "stacking",
            "pile",
            "piling",
            "column",
            "skyscraper",
            "tall",
            "heap",
            "another",
            "each",
            "top",
            "high",
            "piled",
            "stacked",
        ],
    ),
    deed(
        &["sort"],
        &[
            "sort",
            "sorting",
            "color",
            "colour",
            "colors",
            "colours",
            "match",
            "matching",
            "own",
            "group",
            "grouping",
            "organise",
            "organize",
            "organising",
            "organizing",
            "pair",
            "pairing",
            "separate",
            "separating",
            "belong",
            "belongs",
            "same",
            "its",
            "their",
            "corresponding",
            "each",
        ],
    ),
    deed(
        &["tidy"],
        &[
            "tidy",
            "tidying",
            "tidied",
            "clean",
            "cleaning",
            "clear",
            "clearing",
            "neat",
            "neaten",
            "neatly",
            "mess",
            "messy",
            "order",
            "away",
            "up",
            "place",
            "belongs",
            "clutter",
            "declutter",
            "organise",
            "organize",
            "lying",
            "rid",
        ],
    ),
];

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
