//! The same signs in Urdu, in both scripts.
//!
//! Its verbs change at their ends, so stems are compared with the endings that go on
//! them, and nothing by its beginning alone: "ڈراور" is a drawer and no "ڈرا", which
//! frightens. What is denied has its negation before the verb, or behind it at the end.

mod words;

use super::Danger;
use super::negation::Said;
use words::{
    AFTER_THING, APPEALS, AUXILIARIES, CASUAL, DAMAGE, DAMAGE_WORDS, DISABLE, DISABLE_LOANS,
    DISABLE_WORDS, DOING, DOWN, ENDINGS, FALL, FLOOR, FROM, HANDLE, HANDLE_WORDS, HARM, HARM_WORDS,
    HARMLESS, HEED, HIT, INTO, LAMPS, LIMIT_PHRASES, LIVING, NAMELESS, NEGATIONS, NO_DENIAL,
    NOUN_ENDINGS, NOUN_VOWELS, ONTO, OR_ELSE, OVERLOOK, OWNERS, PARTS, POINTING, REMAINING, SAFETY,
    SOMEONE, SPOKEN_TO, STANCE, STRIKE, STRIKE_WORDS, TABLE, TENDER, THINGS, THROWN_AT, UNDER,
};

/// How many words from a verb its negation stands at most.
const REACH: usize = 2;
/// How many words from someone the verb stands that handles them.
const NEAR: usize = 4;

impl Said<'_> {
    pub(super) fn urdu(&self) -> Option<Danger> {
        let meant = |stems: &[&str], words: &[&str]| {
            let mut places = (0..self.words.len()).filter(|at| self.is(*at, stems, words));
            places.any(|at| !self.is_denied_urdu(at))
        };
        let hits = self.hits();
        if meant(HARM, HARM_WORDS)
            || ((hits || meant(STRIKE, STRIKE_WORDS)) && self.tells_of_living())
            || self.handles_someone()
        {
            return Some(Danger::Harm);
        }
        if self.limits_urdu() {
            return Some(Danger::Limits);
        }
        let damages = |at: usize| {
            let is_casual = is_form(self.words[at], CASUAL) && self.sets_down_urdu(at);
            // "Khaas tor par" is "especially".
            let is_manner = self.words[at] == "tor" && ONTO.contains(&self.after(at, 1));
            self.is(at, DAMAGE, DAMAGE_WORDS)
                && !is_casual
                && !is_manner
                && !self
                    .places_before(at)
                    .any(|i| LAMPS.contains(&self.words[i]))
                && !self.is_denied_urdu(at)
        };
        let damaged = hits || (0..self.words.len()).any(damages);
        (damaged || self.drops_from_table()).then_some(Danger::Damage)
    }

    /// Whether a negation belongs to the verb at a place.
    fn is_denied_urdu(&self, at: usize) -> bool {
        let is_negation = |i: usize| {
            // "Phenk do nahi to dekh lena".
            let is_no = matches!(self.words[i], "nahi" | "nahin" | "نہیں");
            let is_or_else = is_no && OR_ELSE.contains(&self.after(i, 1));
            // "Bhoolna mat tor dena"; "mat ruko" stands the other way round.
            let is_stance = i < at && is_form(self.before(i, 1), STANCE);
            NEGATIONS.contains(&self.words[i])
                && !NO_DENIAL.contains(&self.before(i, 1))
                && !(is_or_else || is_stance)
        };
        // "Mat ruko, phenk do": what stands between is another verb's.
        let before = self.places_before(at).take(REACH);
        let mut before = before.take_while(|i| !self.is_order(*i));
        // "Phenk do mat ruko": it is the next verb's.
        let after = self.places_after(at).take(REACH);
        let after = after.take_while(|i| is_negation(*i) || !self.is_order(*i));
        let is_last = |i: usize| {
            self.places_after(i)
                .next()
                .is_none_or(|next| !self.is_order(next))
        };
        let is_appeal = |i: usize| APPEALS.contains(&self.words[i]);
        let denies = |i: usize| is_negation(i) && is_last(i) && !is_appeal(i);
        before.any(is_negation) || after.into_iter().any(denies)
    }

    /// Whether a word has the form of an order.
    fn is_order(&self, at: usize) -> bool {
        let word = self.words[at];
        let ends = ["o", "و", "ؤ", "iye", "یے", "یں", "na", "نا"];
        word.len() > 2
            && !AUXILIARIES.contains(&word)
            && !NEGATIONS.contains(&word)
            && ends.iter().any(|end| word.ends_with(end))
    }

    fn is(&self, at: usize, stems: &[&str], words: &[&str]) -> bool {
        words.contains(&self.words[at]) || is_form(self.words[at], stems)
    }

    /// "Maro", but not "dhakka maro".
    fn hits(&self) -> bool {
        (0..self.words.len()).any(|at| {
            let is_light = HARMLESS.contains(&self.before(at, 1));
            // "Mar" alone is to die, and half a word of many.
            let is_verb = is_form(self.words[at], HIT) && self.words[at] != "mar";
            is_verb && !is_light && !self.is_denied_urdu(at)
        })
    }

    fn tells_of_living(&self) -> bool {
        (0..self.words.len()).any(|at| self.is_living(at) || SOMEONE.contains(&self.words[at]))
    }

    /// Someone, or a part of someone. "Bache hue" are those that are left.
    fn is_living(&self, at: usize) -> bool {
        let of_someone = OWNERS.contains(&self.before(at, 1))
            || (["us", "is", "kisi", "اس", "کسی"].contains(&self.before(at, 2))
                && ["ka", "ki", "ke", "کا", "کی", "کے"].contains(&self.before(at, 1)));
        (is_noun(self.words[at], LIVING) && !REMAINING.contains(&self.after(at, 1)))
            || (is_noun(self.words[at], PARTS) && of_someone)
    }

    /// "Bachay ko dhakka do", "mera gala dabao"; "bachay ke liye" helps.
    fn handles_someone(&self) -> bool {
        (0..self.words.len()).any(|at| {
            let word = self.words[at];
            let next = self.after(at, 1);
            let is_object = if SOMEONE.contains(&word) || is_noun(word, PARTS) {
                !INTO.contains(&next) && !FROM.contains(&next)
            } else {
                ["ko", "par", "pe", "کو", "پر"].contains(&next)
            };
            // "Bachay par block gira do" does not.
            let is_given = SOMEONE.contains(&word) || ["ko", "کو"].contains(&next);
            let is_someone = self.is_living(at) && !SPOKEN_TO.contains(&word)
                || SOMEONE.contains(&word) && word != "kisi" && word != "کسی"
                || SPOKEN_TO.contains(&word) && OWNERS.contains(&self.before(at, 1));
            let mut verbs = self.places_after(at).take(NEAR);
            let is_tender = is_noun(word, TENDER)
                && (INTO.contains(&next) || ONTO.contains(&next))
                && self
                    .places_after(at + 1)
                    .take(NEAR)
                    .any(|verb| self.is_order(verb) && !self.is_denied_urdu(verb));
            is_tender
                || is_object
                    && is_someone
                    && verbs.any(|verb| {
                        self.is(verb, HANDLE, HANDLE_WORDS)
                            && !self.is_denied_urdu(verb)
                            && !(is_given && self.names_a_thing(at, verb))
                    })
        })
    }

    fn limits_urdu(&self) -> bool {
        let is_safety = |at: usize| SAFETY.contains(&self.words[at]);
        let all = || 0..self.words.len();
        let exceeds = LIMIT_PHRASES.iter().any(|phrase| {
            let ends = self.places(phrase).into_iter();
            let mut ends = ends.map(|at| at + phrase.len() - 1);
            let is_denied = |end: usize| {
                let mut next = self.places_after(end).take(REACH);
                next.any(|i| NEGATIONS.contains(&self.words[i]))
            };
            ends.any(|end| !is_denied(end))
        });
        let disables = all().any(|at| {
            let near = || self.places_before(at).chain(self.places_after(at));
            let is_of_it = near().any(|i| POINTING.contains(&self.words[i]));
            let next = self.after(at, 1);
            let is_ignored = OVERLOOK.contains(&(self.words[at], next));
            let is_loan = DISABLE_LOANS.contains(&self.words[at]) && DOING.contains(&next);
            (self.is(at, DISABLE, DISABLE_WORDS) || is_ignored || is_loan)
                && (near().any(is_safety)
                    || (is_of_it && all().any(is_safety))
                    || self.is_of_safety_beside(at))
                && !self.is_denied_urdu(at)
        });
        let dismisses = all().any(|at| {
            let near = || self.places_before(at).chain(self.places_after(at));
            HEED.contains(&self.words[at])
                && near().any(is_safety)
                && self
                    .places_after(at)
                    .any(|i| NEGATIONS.contains(&self.words[i]))
        });
        exceeds || disables || dismisses
    }

    /// "Safety limits, band kar do": a verb that names nothing is about what the clause
    /// before it names; "band kar do, safety limits" about what is named after.
    fn is_of_safety_beside(&self, at: usize) -> bool {
        let names = |i: usize| {
            let word = self.words[i];
            let is_verb = self.is(i, DISABLE, DISABLE_WORDS) || DISABLE_LOANS.contains(&word);
            let is_overlooked = OVERLOOK
                .iter()
                .any(|(first, second)| word == *first || word == *second);
            !(is_verb || is_overlooked || NAMELESS.contains(&word))
        };
        if self
            .places_before(at)
            .chain(self.places_after(at))
            .any(names)
        {
            return false;
        }
        let is_safety = |i: usize| SAFETY.contains(&self.words[i]);
        let first = self.places_before(at).last().unwrap_or(at);
        let last = self.places_after(at).last().unwrap_or(at);
        let before = first.checked_sub(1);
        let told =
            before.is_some_and(|end| is_safety(end) || self.places_before(end).any(is_safety));
        let start = last + 1;
        let mut after = self.places_after(last + 1);
        told || (start < self.words.len()
            && (is_safety(start) || after.any(is_safety))
            && !(start..self.words.len())
                .take_while(|i| self.is_with(start, *i))
                .any(|i| self.is_order(i)))
    }

    /// Whether a thing of the scene stands between someone and a verb, so that it is
    /// handled for them: "mujhe drawer kheench do". "Mujhe block se dabao" is no such.
    fn names_a_thing(&self, someone: usize, verb: usize) -> bool {
        (someone + 1..verb).any(|i| {
            let is_thing = THINGS.contains(&self.words[i]);
            is_thing && !AFTER_THING.contains(&self.after(i, 1))
        })
    }

    /// "پیالے میں پھینک دو": into something, just before.
    fn sets_down_urdu(&self, at: usize) -> bool {
        let before = &self.words[at.saturating_sub(2)..at];
        let into = before.iter().any(|word| INTO.contains(word));
        let is_thrown = |at: usize| THROWN_AT.contains(&self.words[at]) || self.is_living(at);
        into && !(0..self.words.len()).any(is_thrown)
    }

    /// "Mez se neeche gira do", "zameen par phenk do".
    fn drops_from_table(&self) -> bool {
        (0..self.words.len()).any(|at| {
            let (word, next) = (self.words[at], self.after(at, 1));
            let rest: Vec<usize> = self.places_after(at + 1).collect();
            let is_left = rest.iter().any(|i| NEGATIONS.contains(&self.words[*i]));
            let on_floor = FLOOR.contains(&word) && ONTO.contains(&next);
            let from_table = TABLE.contains(&word) && FROM.contains(&next);
            if !(on_floor || from_table) {
                return false;
            }
            let mut falls = rest
                .iter()
                .filter(|i| is_form(self.words[**i], FALL))
                .peekable();
            if falls.peek().is_some() {
                return falls.any(|i| !self.is_denied_urdu(*i));
            }
            let is_down =
                |i: &usize| DOWN.contains(&self.words[*i]) && !UNDER.contains(&self.before(*i, 1));
            from_table && rest.iter().any(is_down) && !is_left
        })
    }
}

/// Whether a word is one of these stems with an ending of a verb.
fn is_form(word: &str, stems: &[&str]) -> bool {
    let ends = |stem: &&str| {
        word.strip_prefix(stem)
            .is_some_and(|end| ENDINGS.contains(&end))
    };
    stems.iter().any(ends)
}

/// Whether a word is one of these nouns in any number and case: "larki", "larkiyon".
fn is_noun(word: &str, nouns: &[&str]) -> bool {
    let goes_on = |stem: &str| {
        word.strip_prefix(stem)
            .is_some_and(|end| NOUN_ENDINGS.contains(&end))
    };
    nouns.iter().any(|noun| {
        let stem = noun.strip_suffix(NOUN_VOWELS);
        word == *noun || goes_on(noun) || stem.is_some_and(goes_on)
    })
}
