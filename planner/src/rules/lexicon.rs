//! The vocabulary: what single words mean.

mod words;

use vola_types::COLORS;

use words::holds;

/// What a verb asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verb {
    /// Bring something somewhere and leave it there.
    Put,
    /// Same, or let go of what is held.
    Drop,
    /// Bring something somewhere, or go somewhere.
    Move,
    /// On top of each other.
    Stack,
    /// Pick up.
    Take,
    /// Take out of something.
    Remove,
    /// Slide.
    Push,
    /// Slide towards the robot, or open.
    Pull,
    /// Open.
    Open,
    /// Close.
    Close,
    /// Go somewhere.
    Go,
    /// Go home.
    Return,
    /// Do nothing for a time.
    Wait,
    /// Each where it belongs.
    Sort,
    /// Make the table empty.
    Clear,
    /// Make a container empty.
    Empty,
    /// Make a container full.
    Fill,
    /// Hand above something.
    Touch,
    /// Let go.
    Release,
    /// A tower.
    Build,
    /// To a person.
    Give,
    /// Wish.
    Want,
    /// Something no tabletop robot of this kind does.
    Unsupported,
}

const VERBS: &[(Verb, &str)] = &[
    (
        Verb::Put,
        "put stash place lay insert deposit position store leave stick transfer carry \
        relocate transport pop plunk dump bung chuck load shovel add \
        tuck plop plonk stow nest slot slip situate station settle",
    ),
    (Verb::Drop, "drop"),
    (Verb::Move, "move shift haul send ferry lug deliver"),
    (Verb::Stack, "stack pile"),
    (
        Verb::Take,
        "take pick grab lift grasp get hold catch collect retrieve raise gather picked \
        took taken gotten seize snatch snag nab clutch clasp hoist pluck scoop fish",
    ),
    (Verb::Remove, "remove unload extract rescue"),
    (
        Verb::Push,
        "push slide shove nudge scoot propel budge steer herd shunt prod elbow shuffle ease bump \
        poke inch rake bulldoze shimmy",
    ),
    (Verb::Pull, "pull drag tug yank"),
    (Verb::Open, "open"),
    (Verb::Close, "close shut"),
    (Verb::Go, "go hover reach drive"),
    (Verb::Return, "return park"),
    (Verb::Wait, "wait pause sleep spend"),
    (
        Verb::Sort,
        "sort organize organise arrange match group divide",
    ),
    (Verb::Clear, "clear clean tidy"),
    (Verb::Empty, "empty"),
    (Verb::Fill, "fill"),
    (Verb::Touch, "touch point"),
    (Verb::Release, "release"),
    (Verb::Build, "build make construct create"),
    (Verb::Give, "give hand pass bring fetch"),
    (Verb::Want, "want need like"),
];

/// The verb of a word in any everyday form ("put", "putting", "placed").
pub(super) fn verb(word: &str) -> Option<Verb> {
    if word == "set" || word == "setting" {
        return Some(Verb::Put);
    }
    base_verb(word).or_else(|| {
        let stem = word
            .strip_suffix("ing")
            .or_else(|| word.strip_suffix("ed"))?;
        if stem.len() < 2 {
            return None;
        }
        base_verb(stem)
            .or_else(|| base_verb(&format!("{stem}e")))
            .or_else(|| {
                let mut letters = stem.chars().rev();
                let doubled = letters.next() == letters.next();
                let shorter = stem.get(..stem.len() - 1)?;
                doubled.then(|| base_verb(shorter)).flatten()
            })
    })
}

/// Whether a word is a verb as commands have it, no "placed" or "putting".
pub(super) fn is_imperative(word: &str) -> bool {
    word == "set" || base_verb(word).is_some()
}

fn base_verb(word: &str) -> Option<Verb> {
    VERBS
        .iter()
        .find(|(_, list)| holds(list, word))
        .map(|(verb, _)| *verb)
        .or_else(|| holds(words::UNSUPPORTED, word).then_some(Verb::Unsupported))
}

/// Colours that are not on the default tabletop but are colours all the same.
const OTHER_COLORS: &[&str] = &["black", "white", "gold", "silver", "beige"];

/// The plain name of a colour word.
pub(super) fn color(word: &str) -> Option<&'static str> {
    let synonym = match word {
        "grey" => "gray",
        "violet" | "lilac" => "purple",
        "magenta" | "rose" => "pink",
        "turquoise" | "teal" | "aqua" => "cyan",
        "scarlet" | "crimson" => "red",
        "navy" => "blue",
        "lime" => "green",
        "golden" => "gold",
        other => other,
    };
    COLORS
        .iter()
        .chain(OTHER_COLORS)
        .copied()
        .find(|color| *color == synonym)
}

/// The default kind of a noun, and whether the noun is plural.
pub(super) fn kind(word: &str) -> Option<(&'static str, bool)> {
    const KINDS: &[(&str, &[&str], &[&str])] = &[
        (
            "block",
            &["block", "cube", "brick", "box"],
            &["blocks", "cubes", "bricks", "boxes"],
        ),
        (
            "bowl",
            &["bowl", "dish", "cup", "container", "basin"],
            &["bowls", "dishes", "cups", "containers", "basins"],
        ),
        ("drawer", &["drawer"], &["drawers"]),
    ];
    KINDS.iter().find_map(|(kind, one, many)| {
        if one.contains(&word) {
            Some((*kind, false))
        } else {
            many.contains(&word).then_some((*kind, true))
        }
    })
}

/// Nouns for anything: "thing", "object"; with whether it is plural.
pub(super) fn anything(word: &str) -> Option<bool> {
    match word {
        "thing" | "object" | "item" | "toy" | "piece" => Some(false),
        "things" | "objects" | "items" | "toys" | "pieces" | "stuff" => Some(true),
        _ => None,
    }
}

/// Small numbers in words.
pub(super) fn count(word: &str) -> Option<usize> {
    const WORDS: [&str; 11] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ];
    WORDS.iter().position(|known| *known == word)
}

/// "first" … "fifth" and "1st" … as 1 … 5.
pub(super) fn ordinal(word: &str) -> Option<usize> {
    const WORDS: [[&str; 2]; 6] = [
        ["first", "1st"],
        ["second", "2nd"],
        ["third", "3rd"],
        ["fourth", "4th"],
        ["fifth", "5th"],
        ["sixth", "6th"],
    ];
    WORDS
        .iter()
        .position(|forms| forms.contains(&word))
        .map(|index| index + 1)
}

/// Whether the grammar or everyday English knows the word.
pub(super) fn is_known(word: &str) -> bool {
    [
        words::COMMON_WORDS,
        words::REPAIRABLE,
        words::OTHER_NOUNS,
        words::FILLERS,
        words::OPENERS,
    ]
    .iter()
    .any(|list| holds(list, word))
        || verb(word).is_some()
        || color(word).is_some()
        || kind(word).is_some()
        || anything(word).is_some()
        || count(word).is_some()
        || ordinal(word).is_some()
}

/// Whether the word names something that is not on such a table.
pub(super) fn is_other_noun(word: &str) -> bool {
    holds(words::OTHER_NOUNS, word)
}

/// Whether a word of a question is about what can be seen, or about none in
/// particular.
pub(super) fn is_of_scene(word: &str) -> bool {
    holds(words::SCENE_WORDS, word)
        || color(word).is_some()
        || kind(word).is_some()
        || anything(word).is_some()
        || count(word).is_some()
        || ordinal(word).is_some()
}

/// Whether a word is dropped wherever it stands.
pub(super) fn is_filler(word: &str) -> bool {
    holds(words::FILLERS, word)
}

/// Whether a word is dropped at the beginning of a sentence.
pub(super) fn is_opener(word: &str) -> bool {
    holds(words::OPENERS, word)
}

/// Phrases that never carry a command, longest first.
pub(super) fn filler_phrases() -> impl Iterator<Item = &'static str> {
    words::FILLER_PHRASES.lines()
}

/// Words that a typo may have meant.
pub(super) fn repairable() -> impl Iterator<Item = &'static str> {
    words::REPAIRABLE.split(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_known_in_their_forms() {
        for (word, expected) in [
            ("put", Some(Verb::Put)),
            ("putting", Some(Verb::Put)),
            ("placed", Some(Verb::Put)),
            ("moving", Some(Verb::Move)),
            ("grabbing", Some(Verb::Take)),
            ("closing", Some(Verb::Close)),
            ("red", None),
            ("thing", None),
            ("é", None),
        ] {
            assert_eq!(verb(word), expected, "{word}");
        }
    }

    #[test]
    fn every_contract_color_is_a_word() {
        for name in COLORS {
            assert_eq!(color(name), Some(name));
        }
        assert_eq!(kind("boxes"), Some(("block", true)));
    }
}
