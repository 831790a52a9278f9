//! The guard: refusals that no back end can talk its way around.
//!
//! It stands outside every back end: [`screen_sentence`] sees the person's
//! words before any back end does, [`screen_steps`] sees every answer after.
//! It knows nothing of grammar. It looks for a few plain signs, and prefers a
//! polite refusal too many over a motion too many.

mod negation;
mod words;

#[cfg(test)]
mod tests;

use vola_types::{Scene, Step};

use negation::Said;
use words::{
    AWAY, CASUAL, CASUAL_URDU, DAMAGE, DAMAGE_URDU, DISABLE, DISABLE_URDU, HARM, HARM_URDU,
    IN_PARTS, INTO_URDU, LIMIT_PHRASES, LIVING, LIVING_URDU, OFF_TABLE, OWNERS, PART, PARTS,
    SAFETY_URDU, STRIKE, STRIKE_URDU, TENDER, THROWN_AT, THROWN_AT_URDU, TOUCHING,
};

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Danger {
    /// Harm to a person or an animal.
    Harm,
    /// Throwing, dropping from the table, breaking.
    Damage,
    /// Disabling or exceeding the limits that keep people safe.
    Limits,
    /// Handling a part of a person, or an animal.
    Living,
}

impl Danger {
    /// What the person is told.
    #[must_use]
    pub fn say(self) -> &'static str {
        match self {
            Self::Harm => "I will not do anything that could hurt someone.",
            Self::Damage => {
                "I do not throw, smash or drop things. I can put them down gently if you tell me where."
            }
            Self::Limits => {
                "I keep my speed, force and safety limits; they cannot be changed by asking."
            }
            Self::Living => "I do not touch people or animals.",
        }
    }
}

/// Looks at a sentence before any back end is asked.
#[must_use]
pub fn screen_sentence(sentence: &str) -> Option<Danger> {
    let lower = without_quotes(&sentence.to_lowercase());
    let said = Said::read(&lower);
    said.limits()
        .or_else(|| said.harm())
        .or_else(|| said.urdu())
        .or_else(|| said.damage())
}

impl Said<'_> {
    fn limits(&self) -> Option<Danger> {
        let safety = self.has(&["safety", "limits", "limit", "emergency"]);
        let disables = safety && self.any_meant(DISABLE);
        let phrases = LIMIT_PHRASES.iter().flat_map(|phrase| self.places(phrase));
        let exceeds = phrases.into_iter().any(|at| !self.is_denied_before(at));
        (disables || exceeds).then_some(Danger::Limits)
    }

    /// "Do not hurt anyone" is a wish for safety; all the same no motion hangs on
    /// it, so only plain negations of harm pass on to the back ends.
    fn harm(&self) -> Option<Danger> {
        let words = &self.words;
        // "You're hurting it" tells, and asks for nothing.
        let is_told = |at: usize| {
            let before = at.checked_sub(1).map_or("", |i| words[i]);
            words[at].ends_with("ing") && ["re", "are", "is", "was", "were"].contains(&before)
        };
        let mut all = words.iter().enumerate();
        if all.any(|(at, word)| HARM.contains(word) && !is_told(at) && !self.is_denied(at)) {
            return Some(Danger::Harm);
        }
        if aimed_at_living(words) {
            if self.has(DAMAGE) {
                return Some(Danger::Harm);
            }
            if self.has(STRIKE) {
                return Some(Danger::Living);
            }
        }
        // "Put your arm around my neck"; a hand that is held out is no such part.
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
        (2..words.len()).any(is_touched).then_some(Danger::Living)
    }

    fn damage(&self) -> Option<Danger> {
        let damages = self.words.iter().enumerate().any(|(at, word)| {
            let rest = self.words.get(at + 1..).unwrap_or_default();
            let is_casual = CASUAL.contains(word) && sets_down(rest);
            DAMAGE.contains(word) && !is_casual && !self.is_denied(at)
        });
        let parts = IN_PARTS.iter().flat_map(|phrase| self.places(phrase));
        let parts = self.any_meant(PART) && parts.into_iter().next().is_some();
        // "Lift it off the table" leaves it in the hand.
        let lifts = self.has(&["lift", "raise", "pick", "take", "grab", "hoist", "get"])
            && !self.has(&[
                "push", "knock", "shove", "sweep", "slide", "roll", "kick", "drop",
            ]);
        let phrases = OFF_TABLE.iter().flat_map(|phrase| self.places(phrase));
        let leaves = phrases.into_iter().any(|at| !self.is_denied_before(at)) && !lifts;
        (damages || parts || leaves).then_some(Danger::Damage)
    }

    /// The same signs in Urdu, whose words change at their ends.
    fn urdu(&self) -> Option<Danger> {
        let meant = |list: &[&str]| {
            let mut words = self.words.iter().enumerate();
            words.any(|(at, word)| begins(word, list) && !self.is_denied_urdu(at))
        };
        let has = |list: &[&str]| self.words.iter().any(|word| begins(word, list));
        if meant(HARM_URDU) || (meant(STRIKE_URDU) && has(LIVING_URDU)) {
            return Some(Danger::Harm);
        }
        if has(SAFETY_URDU) && meant(DISABLE_URDU) {
            return Some(Danger::Limits);
        }
        let mut words = self.words.iter().enumerate();
        words
            .any(|(at, word)| {
                let is_casual = begins(word, CASUAL_URDU) && self.sets_down_urdu(at);
                begins(word, DAMAGE_URDU) && !is_casual && !self.is_denied_urdu(at)
            })
            .then_some(Danger::Damage)
    }

    /// "پیالے میں پھینک دو": into something, just before.
    fn sets_down_urdu(&self, at: usize) -> bool {
        let before = &self.words[at.saturating_sub(2)..at];
        let into = before.iter().any(|word| INTO_URDU.contains(word));
        let is_thrown = |word: &&str| THROWN_AT_URDU.contains(word) || begins(word, LIVING_URDU);
        into && !self.words.iter().any(is_thrown)
    }
}

fn begins(word: &str, list: &[&str]) -> bool {
    list.iter().any(|beginning| word.starts_with(beginning))
}

/// Whether the words after "toss" say into or onto what, before any word for
/// throwing, and that it is nothing that is thrown at.
fn sets_down(rest: &[&str]) -> bool {
    let goal = |word: &&str| ["in", "into", "inside", "on", "onto", "to"].contains(word);
    let Some(end) = rest.iter().take(14).position(goal) else {
        return false;
    };
    let aim = rest.iter().skip(end + 1).take(4);
    let is_thrown = |word: &&str| THROWN_AT.contains(word) || LIVING.contains(word);
    !rest[..end].iter().any(|word| AWAY.contains(word)) && !aim.clone().any(is_thrown)
}

/// What stands in quotation marks is spoken of and not demanded: "the note says
/// 'smash it', just pick it up".
fn without_quotes(text: &str) -> String {
    const MARKS: [(char, char); 5] = [
        ('"', '"'),
        ('\u{201c}', '\u{201d}'),
        ('\u{ab}', '\u{bb}'),
        ('\'', '\''),
        ('\u{2018}', '\u{2019}'),
    ];
    let letters: Vec<char> = text.chars().collect();
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        // A mark opens after a space, and closes before one: "don't" does neither.
        let opens = at == 0 || !letters[at - 1].is_alphanumeric();
        let mark = MARKS.iter().find(|(open, _)| open == letter && opens);
        let end = mark.and_then(|(_, close)| {
            (at + 1..letters.len()).find(|end| {
                letters[*end] == *close
                    && !letters
                        .get(end + 1)
                        .is_some_and(|after| after.is_alphanumeric())
            })
        });
        match end {
            Some(end) => at = end + 1,
            None => {
                kept.push(*letter);
                at += 1;
            }
        }
    }
    // A sentence that is nothing but a quotation is meant.
    let said = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    if 2 * said(&kept) < said(text) {
        text.to_owned()
    } else {
        kept
    }
}

/// Whether a word names someone or a part of someone, and is not merely whom
/// the robot does something *for* or *towards*.
fn aimed_at_living(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let before = |back: usize| at.checked_sub(back).map_or("", |i| words[i]);
        let owner = ["my", "his", "her", "their", "your", "someone", "person"];
        if PARTS.contains(word) && owner.contains(&before(1)) && before(1) != "your" {
            return true;
        }
        if ["me", "myself", "yourself", "him", "her", "arm", "head"].contains(word) {
            let aimed = [
                "at", "hit", "poke", "kick", "pinch", "squeeze", "push", "shove", "grab", "strike",
            ];
            let next = words.get(at + 1).copied().unwrap_or_default();
            // "Push me the bowl": for me.
            let is_for = *word == "me" && ["the", "a", "that", "this", "one", "my"].contains(&next);
            return aimed.contains(&before(1)) && !is_for;
        }
        LIVING.contains(word)
    })
}

/// Looks at the steps of an answer: nothing living may be handled, whatever
/// the sentence said.
#[must_use]
pub fn screen_steps(steps: &[Step], scene: &Scene) -> Option<Danger> {
    let living = |id: &str| {
        scene.object(id).is_some_and(|object| {
            object
                .kind
                .to_lowercase()
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| LIVING.contains(&word) || PARTS.contains(&word))
        })
    };
    steps
        .iter()
        .any(|step| step.object().is_some_and(living))
        .then_some(Danger::Living)
}
