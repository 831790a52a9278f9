//! Attacks on what keeps people safe.
//!
//! A word of safety and a word of switching off must belong together: "for safety, take
//! the red block off the blue one" is a careful wish.

use super::Danger;
use super::negation::Said;
use super::words::{
    BEYOND, DIRECT, DISABLE, DISMISS, DISMISS_VERBS, DISMISSED, GOALS, HEED, HEEDING, KEEPING,
    LIMIT_PHRASES, MORE, MOTTO, QUALIFIERS, SAFETY, WORRIES,
};

/// How many words apart the two stand at most.
const NEAR: usize = 6;
/// The same where nothing between says where to: "remove every single one of your limits".
const FAR: usize = 14;
/// The same where "off" follows: "turn the safety layer off".
const NEAR_OFF: usize = 4;

/// What there shall be none of.
const NONE_OF: &[&str] = &[
    "limit",
    "limits",
    "restrictions",
    "safety",
    "safeguards",
    "constraints",
];

/// Words of switching off that are said of blocks as well.
const COMMON: &[&str] = &["off", "without", "remove", "skip", "forget", "break"];

const SWITCH: &[&str] = &[
    "turn",
    "switch",
    "shut",
    "turned",
    "switched",
    "turning",
    "switching",
    "shutting",
];

impl Said<'_> {
    pub(super) fn limits(&self) -> Option<Danger> {
        let is_asked = self.exceeds()
            || self.dismisses()
            || self.wants_none()
            || self.goes_beyond()
            || self.disables();
        is_asked.then_some(Danger::Limits)
    }

    /// "At full speed"; "no full speed" declines it, "no speed limit" does not.
    fn exceeds(&self) -> bool {
        let is_declined = |at: usize, phrase: &[&str]| {
            let is_check = |word: &&str| word.starts_with("limit") || word.starts_with("check");
            let before = at.checked_sub(1).filter(|i| self.is_with(*i, at));
            !phrase.iter().any(is_check) && before.is_some_and(|i| self.words[i] == "no")
        };
        LIMIT_PHRASES.iter().any(|phrase| {
            let places = self.places(phrase).into_iter();
            let mut meant = places.filter(|at| !self.is_denied_before(*at) && !self.is_kept(*at));
            meant.any(|at| !is_declined(at, phrase))
        })
    }

    /// "Respect the speed limit".
    fn is_kept(&self, at: usize) -> bool {
        let mut before = self.places_before(at).take(3);
        self.after(at, 1).starts_with("limit")
            && before.any(|i| KEEPING.contains(&self.words[i]) && !self.is_denied(i))
    }

    /// "Never mind the limits", "off with the safety", "safety does not matter".
    fn dismisses(&self) -> bool {
        let names = |phrase: &[&str], at: usize| self.names_safety(at + phrase.len() - 1, NEAR);
        let makes_light = DISMISS
            .iter()
            .any(|phrase| self.places(phrase).into_iter().any(|at| names(phrase, at)));
        let does_away = DISMISS_VERBS.iter().any(|phrase| {
            let mut places = self.places(phrase).into_iter();
            places.any(|at| names(phrase, at) && !self.is_denied(at))
        });
        let is_dismissed = DISMISSED.iter().any(|phrase| {
            let mut places = self.places(phrase).into_iter();
            places.any(|at| self.places_before(at).take(NEAR).any(|i| self.is_safety(i)))
        });
        makes_light || does_away || is_dismissed
    }

    /// "No limits today", "no more safety", "no regard for safety".
    fn wants_none(&self) -> bool {
        let mut words = self.words.iter().enumerate();
        words.any(|(at, word)| {
            if !matches!(*word, "no" | "zero") {
                return false;
            }
            let is_none = (1..=2).any(|ahead| {
                NONE_OF.contains(&self.after(at, ahead))
                    && !WORRIES.contains(&self.after(at, ahead + 1))
            });
            is_none || (HEED.contains(&self.after(at, 1)) && self.names_safety(at + 1, NEAR))
        })
    }

    /// "Go beyond your limits".
    fn goes_beyond(&self) -> bool {
        let mut words = self.words.iter().enumerate();
        words.any(|(at, word)| {
            let is_line = |i: usize| matches!(self.after(i, 1), "line" | "mark" | "sign");
            let limit = self.directly_named(at).filter(|i| !is_line(*i));
            let is_more =
                *word == "than" && MORE.contains(&self.before(at, 1)) && self.before(at, 2) != "no";
            (BEYOND.contains(word) || is_more)
                && limit.is_some_and(|i| self.words[i] != "emergency")
                && !self.is_denied_before(at)
        })
    }

    fn disables(&self) -> bool {
        let mut words = self.words.iter().enumerate();
        self.has(SAFETY)
            && words.any(|(at, word)| match *word {
                "off" => self.switches_off(at) && !self.is_denied_before(at),
                // "Without exceeding the limits" keeps them.
                "without" if self.after(at, 1).ends_with("ing") => {
                    HEEDING.contains(&self.after(at, 1)) && self.names_safety(at, NEAR)
                }
                word if COMMON.contains(&word) => self.is_against_safety(at) && !self.is_denied(at),
                word if DIRECT.contains(&word) => {
                    self.directly_named(at).is_some() && !self.is_denied(at)
                }
                word => DISABLE.contains(&word) && !self.is_denied(at),
            })
    }

    /// "Turn the safety off", "turn off the limits", "the limits: I want them off".
    fn switches_off(&self, at: usize) -> bool {
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
        let mut goes_to = false;
        let mut rest = self.places_after(at).take(FAR).enumerate();
        rest.any(|(distance, i)| {
            goes_to |= GOALS.contains(&self.words[i]);
            self.is_safety(i) && (distance < near || !goes_to)
        })
    }

    /// Where safety is named after a word with nothing but words beside it between.
    fn directly_named(&self, at: usize) -> Option<usize> {
        let mut rest = self.places_after(at).take(FAR);
        rest.find(|i| self.is_safety(*i) || !QUALIFIERS.contains(&self.words[*i]))
            .filter(|i| self.is_safety(*i))
    }

    fn tells_of_safety(&self) -> bool {
        (0..self.words.len()).any(|at| self.is_safety(at))
    }

    /// A word of safety that is no reason: "for safety", "safety first". "Turn off the
    /// safety first" and "without regard for safety" are none.
    fn is_safety(&self, at: usize) -> bool {
        if !SAFETY.contains(&self.words[at]) {
            return false;
        }
        let before = || self.places_before(at).map(|i| self.words[i]);
        let is_motto = self.after(at, 1) == "first" && before().all(|word| MOTTO.contains(&word));
        let is_purpose = ["reasons", "sake", "purposes"].contains(&self.after(at, 1))
            && !before().any(|word| DISABLE.contains(&word) || SWITCH.contains(&word));
        let qualifiers = before()
            .take_while(|word| QUALIFIERS.contains(word))
            .count();
        let is_for = qualifiers < NEAR_OFF
            && self.before(at, qualifiers + 1) == "for"
            && !HEED.contains(&self.before(at, qualifiers + 2));
        !(is_motto || is_purpose || is_for)
    }
}
