//! The guard: refusals that no back end can talk its way around.
//!
//! It stands outside every back end: [`screen_sentence`] sees the person's
//! words before any back end does, [`screen_steps`] sees every answer after.
//! It knows nothing of grammar. It looks for a few plain signs, and prefers a
//! polite refusal too many over a motion too many.

mod figures;
mod limits;
mod living;
mod negation;
mod urdu;
mod words;

#[cfg(test)]
mod tests;

use vola_types::{Scene, Step};

use crate::letters::usual;
use negation::Said;
use words::{
    AWAY, CASUAL, DAMAGE, HARM, IN_PARTS, LIVING, OFF_TABLE, PART, PARTS, STRIKE, THROWN_AT,
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
    let lower = without_quotes(&usual(sentence));
    let said = Said::read(&lower).without_figures();
    said.limits()
        .or_else(|| said.harm())
        .or_else(|| said.urdu())
        .or_else(|| said.damage())
}

impl Said<'_> {
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
        let is_meant = |at: usize| !is_told(at) && !self.is_exclaimed(at) && !self.is_denied(at);
        if all.any(|(at, word)| HARM.contains(word) && is_meant(at)) {
            return Some(Danger::Harm);
        }
        if self.is_done_to_living(DAMAGE) {
            return Some(Danger::Harm);
        }
        (self.is_done_to_living(STRIKE) || self.touches_someone()).then_some(Danger::Living)
    }

    /// "Oh shoot, I meant the green one": a sigh before something else.
    fn is_exclaimed(&self, at: usize) -> bool {
        const SIGHS: [&str; 6] = ["oh", "ah", "aw", "ugh", "aww", "well"];
        const AFTER: [&str; 8] = [
            "i", "sorry", "wrong", "no", "not", "that", "wait", "actually",
        ];
        let is_first = (0..at).all(|i| SIGHS.contains(&self.words[i]));
        let is_alone = self.places_after(at).next().is_none();
        let goes_on = AFTER.contains(&self.after(at, 1));
        self.words[at] == "shoot" && is_first && is_alone && goes_on
    }

    fn damage(&self) -> Option<Danger> {
        // "Take a break".
        const BEFORE_REST: [&str; 8] = [
            "a", "short", "quick", "little", "coffee", "lunch", "tea", "another",
        ];
        let damages = self.words.iter().enumerate().any(|(at, word)| {
            let rest = self.words.get(at + 1..).unwrap_or_default();
            let is_casual = CASUAL.contains(word) && sets_down(rest);
            let is_rest = *word == "break" && BEFORE_REST.contains(&self.before(at, 1));
            DAMAGE.contains(word) && !is_casual && !is_rest && !self.is_denied(at)
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
