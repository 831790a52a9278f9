//! Figures of speech: words of harm that mean none. "Kill the lights", "hit me with a
//! joke", "break the tower up". A figure is taken as one only where all of it stands
//! there: "hit me with the block" is none.

use super::negation::Said;

/// One place of a figure.
enum Place {
    /// One of these words.
    One(&'static [&'static str]),
    /// Up to so many words.
    Any(usize),
    /// A word that ends so.
    Ending(&'static str),
}

use Place::{Any, Ending, One};

const THE: &[&str] = &["the", "these", "those", "that", "this"];
const PILE: &[&str] = &["tower", "stack", "pile", "pair", "group"];

/// Figures with words that are otherwise looked for.
const FIGURES: &[&[Place]] = &[
    &[
        One(&["kill"]),
        One(THE),
        One(&["light", "lights", "lamp", "music", "noise", "tv", "radio"]),
    ],
    &[One(&["kill"]), Any(1), One(&["time", "minute", "minutes"])],
    &[
        One(&["take", "have", "took"]),
        One(&["a", "another"]),
        One(&["stab", "shot", "crack"]),
        One(&["at"]),
        Ending("ing"),
    ],
    &[
        One(&["hit"]),
        One(&["me", "us"]),
        One(&["with"]),
        Any(3),
        One(&[
            "fact", "facts", "joke", "jokes", "story", "question", "quote", "idea", "riddle",
            "tip", "tips", "news",
        ]),
    ],
    &[
        One(&["hit"]),
        One(THE),
        One(&["hay", "sack", "road", "jackpot"]),
    ],
    &[
        One(&["knock"]),
        One(&["yourself", "yourselves"]),
        One(&["out"]),
    ],
    &[One(&["break"]), One(THE), One(PILE), One(&["up", "apart"])],
    &[One(&["break"]), One(&["up", "apart"]), One(THE), One(PILE)],
    &[One(&["break"]), One(THE), One(&["ice", "silence", "news"])],
    &[
        One(&["break"]),
        One(&["it", "this", "that"]),
        One(&["down"]),
        One(&["for"]),
        One(&["me", "us"]),
    ],
    &[
        One(&["smash", "crush", "crushed", "smashed"]),
        One(&["the", "that", "this", "your", "my", "our"]),
        Any(1),
        One(&[
            "goal",
            "goals",
            "exam",
            "test",
            "record",
            "interview",
            "deadline",
        ]),
    ],
    &[
        One(&["shoot", "fire"]),
        Any(3),
        One(&["a", "an", "that"]),
        Any(1),
        One(&["email", "mail", "message", "text", "note", "reply"]),
    ],
    &[One(&["bite"]), One(&["the"]), One(&["bullet"])],
    &[
        One(&["burn"]),
        One(&["the"]),
        One(&["midnight"]),
        One(&["oil"]),
    ],
    &[One(&["throw", "throwing"]), One(&["a"]), One(&["party"])],
    &[
        One(&["throw"]),
        One(&["in"]),
        One(&["the"]),
        One(&["towel"]),
    ],
    &[
        One(&["launch"]),
        One(THE),
        One(&["app", "program", "browser", "demo", "game"]),
    ],
];

impl Said<'_> {
    /// Leaves out figures of speech; each within one clause.
    pub(super) fn without_figures(mut self) -> Self {
        let mut at = 0;
        while at < self.words.len() {
            let lengths = FIGURES.iter();
            let length = lengths.filter_map(|figure| self.length(figure, at)).max();
            for word in self.words.iter_mut().skip(at).take(length.unwrap_or(0)) {
                *word = "";
            }
            at += length.unwrap_or(0).max(1);
        }
        self
    }

    /// Words of a figure that begins here; none where it does not.
    fn length(&self, figure: &[Place], at: usize) -> Option<usize> {
        let Some((first, rest)) = figure.split_first() else {
            return Some(0);
        };
        if let Any(most) = first {
            let mut skipped = (0..=*most).take_while(|count| self.goes_on(at, *count));
            return skipped.find_map(|count| Some(count + self.length(rest, at + count)?));
        }
        let word = self.words.get(at)?;
        let fits = match first {
            One(words) => words.contains(word),
            Ending(end) => word.len() > end.len() + 1 && word.ends_with(end),
            Any(_) => false,
        };
        let goes_on = rest.is_empty() || self.goes_on(at, 1);
        let more = (fits && goes_on).then(|| self.length(rest, at + 1))?;
        more.map(|length| length + 1)
    }

    /// Whether the clause of a word goes on for so many more.
    fn goes_on(&self, at: usize, more: usize) -> bool {
        at + more < self.words.len() && self.is_with(at, at + more)
    }
}

#[cfg(test)]
mod tests {
    use crate::guard::{Danger, screen_sentence};

    #[test]
    fn a_figure_of_speech_is_no_harm_and_what_only_begins_like_one_is() {
        for harmless in [
            "kill the lights please",
            "let's kill some time",
            "take a stab at getting the gray block down",
            "Hit me with a fun fact about drawers.",
            "knock yourself out, there's no rush",
            "break the tower up: the orange cube goes in the cyan bowl",
            "break up the stack",
            "smash that goal today, buddy!",
            "shoot my manager an email about this",
            "can you shoot a quick message to Ali",
            "bite the bullet and put it in the bowl",
        ] {
            assert_eq!(screen_sentence(harmless), None, "{harmless}");
        }
        for (meant, danger) in [
            ("kill the lights and then kill the cat", Danger::Harm),
            ("kill the man with the lights", Danger::Harm),
            ("take a stab at my hand", Danger::Harm),
            ("hit me with the block", Danger::Harm),
            ("hit me with it, funny joke", Danger::Harm),
            (
                "knock the cup off the table and knock yourself out",
                Danger::Damage,
            ),
            ("break the block up", Danger::Damage),
            ("break the tower", Danger::Damage),
            ("smash that bowl", Danger::Damage),
            ("shoot my manager", Danger::Harm),
            ("shoot him. send a message", Danger::Harm),
            ("launch the block at the wall", Danger::Damage),
        ] {
            assert_eq!(screen_sentence(meant), Some(danger), "{meant}");
        }
    }
}
