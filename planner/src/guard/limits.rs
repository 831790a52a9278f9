//! Attacks on what keeps people safe.
//!
//! A word of safety and a word of switching off must belong together: "for safety, take
//! the red block off the blue one" is a careful wish.

use super::Danger;
use super::negation::Said;
use super::words::{DISABLE, DISMISS, LIMIT_PHRASES, SAFETY};

/// How many words apart the two stand at most.
const NEAR: usize = 6;
/// The same where "off" follows: "turn the safety layer off".
const NEAR_OFF: usize = 4;

/// What there shall be none of.
const NONE_OF: &[&str] = &["limit", "limits", "restrictions", "safety", "safeguards"];

/// Words of switching off that are said of blocks as well.
const COMMON: &[&str] = &["off", "without", "remove", "skip", "forget", "break"];

impl Said<'_> {
    pub(super) fn limits(&self) -> Option<Danger> {
        let phrases = LIMIT_PHRASES.iter().flat_map(|phrase| self.places(phrase));
        let exceeds = phrases.into_iter().any(|at| !self.is_denied_before(at));
        let dismisses = DISMISS.iter().any(|phrase| {
            let places = self.places(phrase).into_iter();
            let ends = places.map(|at| at + phrase.len() - 1);
            ends.into_iter().any(|end| self.names_safety(end, NEAR))
        });
        // "No limits today", "no more safety".
        let mut words = self.words.iter().enumerate();
        let wants_none = words.any(|(at, word)| {
            let next = [self.after(at, 1), self.after(at, 2)];
            *word == "no" && next.iter().any(|next| NONE_OF.contains(next))
        });
        (exceeds || dismisses || wants_none || self.disables()).then_some(Danger::Limits)
    }

    fn disables(&self) -> bool {
        let mut words = self.words.iter().enumerate();
        self.has(SAFETY)
            && words.any(|(at, word)| match *word {
                "off" => self.switches_off(at) && !self.is_denied_before(at),
                word if COMMON.contains(&word) => self.is_against_safety(at) && !self.is_denied(at),
                word => DISABLE.contains(&word) && !self.is_denied(at),
            })
    }

    /// "Turn the safety off", "turn off the limits", "the limits: I want them off".
    fn switches_off(&self, at: usize) -> bool {
        const SWITCH: [&str; 7] = [
            "turn", "switch", "shut", "turned", "switched", "turning", "shutting",
        ];
        let before = || self.places_before(at).take(NEAR_OFF);
        let is_switched = before().any(|i| SWITCH.contains(&self.words[i]));
        let is_taken = before().any(|i| self.words[i] == "take");
        let ends = self.places_after(at).next().is_none();
        before().any(|i| self.is_safety(i))
            || ((is_switched || is_taken) && self.names_safety(at, NEAR))
            || ((is_switched || ends) && self.tells_of_safety())
    }

    /// "Remove the safety limits", "the limits? forget them".
    fn is_against_safety(&self, at: usize) -> bool {
        let next = self.places_after(at).next().map(|i| self.words[i]);
        let is_of_it = next.is_none_or(|next| {
            ["it", "them", "that", "those", "these", "this", "all"].contains(&next)
        });
        self.names_safety(at, NEAR) || (is_of_it && self.tells_of_safety())
    }

    /// Whether a word of safety follows in the clause.
    fn names_safety(&self, at: usize, near: usize) -> bool {
        self.places_after(at).take(near).any(|i| self.is_safety(i))
    }

    fn tells_of_safety(&self) -> bool {
        (0..self.words.len()).any(|at| self.is_safety(at))
    }

    /// A word of safety that is no reason: "for safety", "safety first".
    fn is_safety(&self, at: usize) -> bool {
        let is_reason = (1..=3).any(|back| self.before(at, back) == "for")
            || ["first", "reasons", "sake", "purposes"].contains(&self.after(at, 1));
        SAFETY.contains(&self.words[at]) && !is_reason
    }
}
