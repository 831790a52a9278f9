//! From the objects that fit to the objects that are meant.

use super::{Grounder, Role};
use crate::describe;
use crate::rules::syntax::{Head, NounPhrase, Quantity};
use crate::rules::trouble::{Choice, Pick, Trouble};

/// Most combinations offered for "the two blocks" out of many.
const MAX_COMBINATIONS: usize = 6;

impl Grounder<'_> {
    /// Applies the quantity to the non-empty candidates.
    pub(super) fn pick_quantity(
        &self,
        phrase: &NounPhrase,
        found: Vec<String>,
        role: Role,
    ) -> Result<Vec<String>, Trouble> {
        match &phrase.quantity {
            Quantity::All => Ok(self.only_suiting(found, role)),
            Quantity::The if phrase.plural => Ok(found),
            Quantity::The => self.the_one(phrase, found),
            Quantity::Any(n) => self.any(phrase, found, *n),
            Quantity::Exactly(n) => self.exactly(phrase, found, *n),
            Quantity::Both => self.exactly(phrase, found, 2),
            Quantity::Vague(word) => self.vague(phrase, found, word),
        }
    }

    /// "everything" means what can be handled, when there is such.
    fn only_suiting(&self, found: Vec<String>, role: Role) -> Vec<String> {
        let suiting: Vec<String> = found
            .iter()
            .filter(|id| self.scene.object(id).is_some_and(|o| self.suits(o, role)))
            .cloned()
            .collect();
        if suiting.is_empty() { found } else { suiting }
    }

    fn the_one(&self, phrase: &NounPhrase, found: Vec<String>) -> Result<Vec<String>, Trouble> {
        if found.len() == 1 {
            return Ok(found);
        }
        // "the block" after "the red block": the one spoken of.
        let plain = phrase.sides.is_empty() && phrase.superlative.is_none();
        if plain
            && let Some(id) = self
                .mentioned
                .iter()
                .rev()
                .flatten()
                .find(|id| found.contains(id))
        {
            return Ok(vec![id.clone()]);
        }
        if phrase.deictic
            && let Some(id) = self.dialogue.referents.iter().find(|id| found.contains(id))
        {
            return Ok(vec![id.clone()]);
        }
        let question = match phrase.head {
            Head::One | Head::Anything => "Which one do you mean?".to_owned(),
            _ => format!("Which {} do you mean?", self.noun_of(phrase)),
        };
        self.choose(phrase, found, question)
    }

    /// Whichever `n`: free ones first, then those nearest to the robot.
    fn any(
        &self,
        phrase: &NounPhrase,
        found: Vec<String>,
        n: usize,
    ) -> Result<Vec<String>, Trouble> {
        if n == 0 {
            return Err(Trouble::Puzzled("Then I do nothing.".to_owned()));
        }
        self.enough(phrase, &found, n)?;
        let mut ranked: Vec<(bool, f64, String)> = found
            .into_iter()
            .map(|id| {
                let covered = self.scene.resting_on(&id).next().is_some();
                let lifted = self.scene.object(&id).is_some_and(|o| {
                    o.is_held()
                        || o.on
                            .as_deref()
                            .is_some_and(|on| self.scene.object(on).is_some())
                });
                let far = self
                    .scene
                    .object(&id)
                    .and_then(|o| o.position)
                    .map_or(f64::MAX, |[x, y, _]| x.hypot(y));
                (covered || lifted, far, id)
            })
            .collect();
        ranked.sort_by(|a, b| {
            a.0.cmp(&b.0)
                .then(a.1.total_cmp(&b.1))
                .then_with(|| a.2.cmp(&b.2))
        });
        Ok(ranked.into_iter().take(n).map(|(_, _, id)| id).collect())
    }

    fn enough(&self, phrase: &NounPhrase, found: &[String], n: usize) -> Result<(), Trouble> {
        if found.len() >= n {
            return Ok(());
        }
        let noun = self.noun_of(phrase);
        Err(Trouble::Cannot(format!(
            "I see only {} like that.",
            describe::counted(&noun, found.len())
        )))
    }

    fn exactly(
        &self,
        phrase: &NounPhrase,
        found: Vec<String>,
        n: usize,
    ) -> Result<Vec<String>, Trouble> {
        self.enough(phrase, &found, n)?;
        if found.len() == n {
            return Ok(found);
        }
        if n == 1 {
            return self.the_one(phrase, found);
        }
        let picks = combinations(&found, n)
            .into_iter()
            .map(|ids| {
                (
                    describe::labels(&ids, self.scene).join(" and "),
                    Pick::Objects(ids),
                )
            })
            .collect();
        Err(Trouble::Choose(Choice {
            span: phrase.span,
            question: format!(
                "I see {}. Which {n} do you mean?",
                describe::counted(&self.noun_of(phrase), found.len())
            ),
            picks,
            or_nothing: false,
            is_about_pronoun: false,
        }))
    }

    /// "a few": the person says how many.
    fn vague(
        &self,
        phrase: &NounPhrase,
        found: Vec<String>,
        word: &str,
    ) -> Result<Vec<String>, Trouble> {
        if !phrase.plural && word == "some" {
            return self.any(phrase, found, 1);
        }
        if found.len() == 1 {
            return Ok(found);
        }
        let noun = self.noun_of(phrase);
        let all = found.len();
        let mut picks = Vec::new();
        for n in [1, 2, 3] {
            if n < all {
                let some = self.any(phrase, found.clone(), n)?;
                picks.push((describe::counted(&noun, n), Pick::Objects(some)));
            }
        }
        picks.push((
            format!("all {}", describe::counted(&noun, all)),
            Pick::Objects(found),
        ));
        Err(Trouble::Choose(Choice {
            span: phrase.span,
            question: format!("How many is \"{word}\"?"),
            picks,
            or_nothing: false,
            is_about_pronoun: false,
        }))
    }
}

/// The first few ways to choose `n` of `ids`, in order.
fn combinations(ids: &[String], n: usize) -> Vec<Vec<String>> {
    let mut chosen: Vec<usize> = (0..n).collect();
    let mut all = Vec::new();
    while all.len() < MAX_COMBINATIONS {
        all.push(chosen.iter().map(|i| ids[*i].clone()).collect());
        // Advance the rightmost index that can move.
        let Some(place) = (0..n).rev().find(|p| chosen[*p] < ids.len() - n + p) else {
            break;
        };
        chosen[place] += 1;
        for next in place + 1..n {
            chosen[next] = chosen[next - 1] + 1;
        }
    }
    all
}
