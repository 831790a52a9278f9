//! Figures of speech: words of harm that mean none. "Kill the lights", "hit me with a
//! joke", "break the tower up". A figure is taken as one only where all of it stands
//! there: "hit me with the block" is none.

use super::negation::Said;

/// One place of a figure.
enum Place {
    /// One of these words.
    One(&'static [&'static str]),
    /// Up to so many words that join nothing else to it.
    Any(usize),
    /// A word that ends so follows, and is no part of the figure.
    Before(&'static str),
}

use Place::{Any, Before, One};

/// Words that join something else: "shoot him and send a message".
const JOINING: &[&str] = &[
    "and", "or", "but", "then", "with", "in", "into", "at", "on", "as", "for", "to", "from", "send",
];

const THE: &[&str] = &["the", "these", "those", "that", "this"];
const PILE: &[&str] = &["tower", "stack", "pile", "pair", "group"];

/// What may follow a figure in its clause. After any other word it may be something
/// else: "hit the road workers", "launch the game at him".
const AFTER: &[&str] = &[
    "please", "now", "today", "tomorrow", "tonight", "again", "first", "and", "but", "then", "so",
    "or", "if", "when", "while", "before", "after", "until", "because", "would", "will", "could",
    "can", "you", "for", "to", "about", "on", "of",
];

/// Figures with words that are otherwise looked for.
const FIGURES: &[&[Place]] = &[
    &[
        One(&["kill"]),
        One(THE),
        One(&["light", "lights", "lamp", "music", "noise", "tv", "radio"]),
    ],
    &[One(&["kill"]), One(&["time"])],
    &[One(&["kill"]), One(&["some", "the", "a"]), One(&["time"])],
    &[
        One(&["take", "have", "took"]),
        One(&["a", "another"]),
        One(&["stab"]),
        One(&["at"]),
        Before("ing"),
    ],
    &[
        One(&["hit"]),
        One(&["me", "us"]),
        One(&["with"]),
        One(&["a", "an", "another", "your", "the", "that", "some"]),
        Any(1),
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
        One(&["goal", "goals", "exam", "interview", "deadline"]),
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
            let next = self.words.get(at).filter(|_| self.goes_on(at - 1, 1));
            return next.is_none_or(|next| AFTER.contains(next)).then_some(0);
        };
        let word = self.words.get(at)?;
        let fits = match first {
            One(words) => words.contains(word),
            Before(end) => return (word.len() > end.len() + 1 && word.ends_with(end)).then_some(0),
            Any(most) => {
                let is_beside = |count: &usize| {
                    self.goes_on(at, *count)
                        && !self.words[at..at + count]
                            .iter()
                            .any(|word| JOINING.contains(word))
                };
                let mut skipped = (0..=*most).take_while(is_beside);
                return skipped.find_map(|count| Some(count + self.length(rest, at + count)?));
            }
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
            ("take a stab at killing the cat", Danger::Harm),
            ("shoot him and send a message", Danger::Harm),
            ("kill him in time", Danger::Harm),
            ("hit the road workers", Danger::Harm),
            ("throw a party hat at the wall", Danger::Damage),
            ("launch the game at the wall", Danger::Damage),
            ("smash the test tube", Danger::Damage),
            ("hit me with the ball as a joke", Danger::Harm),
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
