//! What is done to the living.
//!
//! Someone must be what a verb is about. "My kids left the blocks here, pick up the
//! red one" tells of people and touches none; "that cat: pick it up" touches one.

use super::negation::Said;
use super::words::{LIVING, OWNERS, PARTS, TENDER, TOUCHING};

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

impl Said<'_> {
    /// Whether one of these verbs is about someone or a part of someone.
    pub(super) fn is_done_to_living(&self, verbs: &[&str]) -> bool {
        let mut words = self.words.iter().enumerate();
        words.any(|(verb, word)| verbs.contains(word) && self.is_about_living(verb))
    }

    fn is_about_living(&self, verb: usize) -> bool {
        if self.places_after(verb).any(|at| self.is_someone(at)) {
            return true;
        }
        let mut before = self.places_before(verb);
        before.any(|at| self.is_someone(at))
            || (self.names_nothing(verb) && (0..verb).any(|at| self.is_someone(at)))
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
        let owner = ["my", "his", "her", "their", "someone", "person"];
        if PARTS.contains(&word) && owner.contains(&before) {
            return true;
        }
        if ["me", "myself", "yourself", "him", "her", "arm", "head"].contains(&word) {
            let aimed = [
                "at", "hit", "poke", "kick", "pinch", "squeeze", "push", "shove", "grab", "strike",
            ];
            // "Push me the bowl": for me.
            let is_for = word == "me"
                && ["the", "a", "that", "this", "one", "my"].contains(&self.after(at, 1));
            return aimed.contains(&before) && !is_for;
        }
        LIVING.contains(&word) && !self.is_doer(at)
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
        (2..words.len()).any(is_touched)
    }
}
