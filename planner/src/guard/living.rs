//! What is done to the living.
//!
//! Someone must be what a verb is about. "My kids left the blocks here, pick up the
//! red one" tells of people and touches none; "that cat: pick it up" touches one.

use super::negation::Said;
use super::words::{DEAR, LIVING, OWNERS, PARTS, SAYING, SPEAKING, SPOKEN_TO, TENDER, TOUCHING};

/// What someone did with things, who is then no object.
const DEEDS: &[&str] = &[
    "left",
    "put",
    "moved",
    "placed",
    "dropped",
    "built",
    "stacked",
    "made",
    "took",
    "brought",
    "spilled",
    "mixed",
    "forgot",
    "hid",
    "arranged",
    "scattered",
    "opened",
    "closed",
    "pushed",
    "gave",
    "threw",
    "said",
    "says",
    "told",
    "asked",
    "wants",
    "wanted",
    "needs",
    "likes",
];

/// What stands before someone who did it.
const LEADING: &[&str] = &[
    "my", "the", "a", "some", "one", "of", "our", "your", "his", "her", "their", "little", "that",
    "this", "these", "those", "because", "since", "and", "but", "oh", "sorry", "well", "so",
    "then", "i", "think", "guess",
];

/// What comes after someone who is aimed at.
const ENDING: &[&str] = &[
    "now", "please", "hard", "too", "up", "down", "gently", "fast",
];

impl Said<'_> {
    /// Whether one of these verbs is about someone or a part of someone.
    pub(super) fn is_done_to_living(&self, verbs: &[&str]) -> bool {
        let all = 0..self.words.len();
        let someone: Vec<bool> = all.map(|at| self.is_someone(at)).collect();
        let mut words = self.words.iter().enumerate();
        someone.contains(&true)
            && words
                .any(|(verb, word)| verbs.contains(word) && self.is_about_living(verb, &someone))
    }

    fn is_about_living(&self, verb: usize, someone: &[bool]) -> bool {
        let mut after = self.places_after(verb);
        let mut before = self.places_before(verb);
        after.any(|at| someone[at])
            || before.any(|at| someone[at])
            || (self.names_nothing(verb) && someone[..verb].contains(&true))
            || self.goes_on_to_living(verb, someone)
    }

    /// "Squeeze the block and my finger", "push it hard, into the kid": clauses without a
    /// verb of their own go on with what it is about.
    fn goes_on_to_living(&self, verb: usize, someone: &[bool]) -> bool {
        let mut start = self.places_after(verb).last().unwrap_or(verb) + 1;
        while start < self.words.len() {
            let end = self.places_after(start).last().unwrap_or(start) + 1;
            if (start..end).any(|at| self.says_more(at)) {
                return false;
            }
            if someone[start..end].contains(&true) && !self.speaks_to(start, end) {
                return true;
            }
            start = end;
        }
        false
    }

    /// Whether a word makes its clause more than the name of something.
    fn says_more(&self, at: usize) -> bool {
        let word = self.words[at];
        // "The cat left of the bowl".
        let is_side = word == "left" && (self.after(at, 1) == "of" || self.before(at, 1) == "the");
        SAYING.contains(&word) || (!is_side && (DEEDS.contains(&word) || self.is_verb(at)))
    }

    /// "Push the block, man", "pick it up, my friend".
    fn speaks_to(&self, start: usize, end: usize) -> bool {
        let words = &self.words[start..end];
        let is_dear = words.iter().any(|word| DEAR.contains(word));
        words.iter().all(|word| {
            SPOKEN_TO.contains(word) || SPEAKING.contains(word) || (*word == "my" && is_dear)
        })
    }

    /// "Pick it up", "push": what it is about was named before.
    fn names_nothing(&self, verb: usize) -> bool {
        const AFTER: [&str; 9] = [
            "up", "down", "now", "on", "in", "with", "hard", "away", "off",
        ];
        let is_pointed = |at: usize| match self.words[at] {
            "it" | "them" | "him" | "her" => true,
            "that" | "this" | "these" | "those" => {
                let next = self.places_after(at).next();
                next.is_none_or(|next| AFTER.contains(&self.words[next]))
            }
            _ => false,
        };
        let rest = || self.places_after(verb);
        rest().any(is_pointed) || rest().all(|at| AFTER.contains(&self.words[at]))
    }

    /// Whether a word names someone or a part of someone, and is neither whom the
    /// robot does something *for* or *towards* nor who did something.
    fn is_someone(&self, at: usize) -> bool {
        let (word, before) = (self.words[at], self.before(at, 1));
        let owner = ["my", "his", "her", "their", "our", "someone", "person", "s"];
        let is_part = PARTS.contains(&word) || (TENDER.contains(&word) && word != "back");
        if is_part && owner.contains(&before) {
            return true;
        }
        if ["me", "myself", "yourself", "him", "her", "arm", "head"].contains(&word) {
            let aimed = [
                "at", "hit", "poke", "kick", "pinch", "squeeze", "push", "shove", "grab", "strike",
            ];
            // "Push me the bowl": for me.
            let is_for = word == "me"
                && ["the", "a", "that", "this", "one", "my"].contains(&self.after(at, 1));
            return (aimed.contains(&before) && !is_for) || self.is_aimed_at(at);
        }
        LIVING.contains(&word) && !self.is_doer(at)
    }

    /// "Push it into me", "squeeze the block and me"; "between the bowl and me" is a place.
    fn is_aimed_at(&self, at: usize) -> bool {
        let mut after = self.places_after(at);
        let ends = after.next().is_none_or(|i| ENDING.contains(&self.words[i]));
        let is_into = ["into", "against", "onto", "through", "on"].contains(&self.before(at, 1));
        let is_joined = ["and", "or"].contains(&self.before(at, 1))
            && !["you", "him", "her", "me", "us"].contains(&self.before(at, 2))
            && !(2..=8).any(|back| ["between", "for", "to"].contains(&self.before(at, back)));
        let is_person = !["arm", "head", "yourself"].contains(&self.words[at]);
        ends && is_person && (is_into || is_joined)
    }

    /// "My kids left …", "someone put it …", at the beginning of a clause.
    fn is_doer(&self, at: usize) -> bool {
        let is_soon = matches!(
            self.after(at, 1),
            "already" | "just" | "has" | "have" | "had" | "also" | "must" | "probably"
        );
        let deed = at + 1 + usize::from(is_soon);
        let does = self
            .words
            .get(deed)
            .is_some_and(|word| DEEDS.contains(word));
        // "The person left of the bowl".
        does && self.is_with(at, deed)
            && self.after(deed, 1) != "of"
            && self
                .places_before(at)
                .all(|i| LEADING.contains(&self.words[i]))
    }

    /// "Put your arm around my neck"; a hand that is held out is no such part.
    pub(super) fn touches_someone(&self) -> bool {
        let words = &self.words;
        let is_touched = |at: usize| {
            // "into someone's eye"
            let of_someone = words[at - 1] == "s" && LIVING.contains(&words[at - 2]);
            let before = if of_someone {
                at.checked_sub(3)
            } else {
                Some(at - 2)
            };
            let to = before.is_some_and(|i| TOUCHING.contains(&words[i]));
            let owned = of_someone || OWNERS.contains(&words[at - 1]);
            TENDER.contains(&words[at]) && owned && to && !self.is_denied_before(at)
        };
        (2..words.len()).any(is_touched) || self.is_put_to_someone()
    }

    /// "Close the drawer on the cat", "put it against a baby"; "on the man's plate" is a place.
    fn is_put_to_someone(&self) -> bool {
        const ONTO: [&str; 6] = ["on", "onto", "into", "against", "upon", "through"];
        const ARTICLES: [&str; 10] = [
            "the", "a", "that", "this", "those", "my", "his", "her", "their", "our",
        ];
        (2..self.words.len()).any(|at| {
            let article = usize::from(ARTICLES.contains(&self.before(at, 1)));
            let to = at - 1 - article;
            LIVING.contains(&self.words[at])
                && ONTO.contains(&self.words[to])
                && (article == 1 || self.is_someone(at))
                && self.after(at, 1) != "s"
                && self.is_with(to, at)
                && !self.is_denied_before(at)
        })
    }
}
