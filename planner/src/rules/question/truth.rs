//! Yes-or-no questions: "is there …", "do you see …", "is the block in …".

use vola_types::object_phrase;

use super::{Asker, in_words, preps, yes_no};
use crate::describe;
use crate::describe::capital;
use crate::rules::cursor::Cursor;
use crate::rules::lexicon;
use crate::rules::parse;
use crate::rules::syntax::{Head, NounPhrase, Prep, Quantity, State};
use crate::rules::trouble::Trouble;

impl Asker<'_> {
    pub(super) fn yes_or_no(&self, cursor: &Cursor<'_>) -> Option<String> {
        self.is_there(cursor).or_else(|| self.is_so(cursor))
    }

    /// Everything a place holds.
    pub(super) fn where_place_holds(&self, place: &Prep) -> Result<Vec<String>, Trouble> {
        let mut all = NounPhrase::new(usize::MAX, Head::Anything);
        all.plural = true;
        all.quantity = Quantity::All;
        match self.all_of(&all, std::slice::from_ref(place)) {
            Err(Trouble::Cannot(_)) => {
                // Nothing there, or the place itself is missing.
                if let crate::rules::syntax::PlaceRef::Object(phrase) = &place.place {
                    self.all_of(phrase, &[])?;
                }
                Ok(Vec::new())
            }
            other => other,
        }
    }

    fn is_there(&self, cursor: &Cursor<'_>) -> Option<String> {
        let mut c = cursor.clone();
        let thing = matches!(c.peek_at(1), "anything" | "something");
        let asked = (thing && c.eat("is"))
            || c.eat_phrase(&[
                &["is", "there"],
                &["are", "there"],
                &["do", "you", "see"],
                &["can", "you", "see"],
                &["do", "you", "have"],
                &["have", "you", "got"],
                &["can", "you", "find"],
            ]);
        if !asked {
            return None;
        }
        if c.eat_any(&["anything", "something"]) {
            let place = parse::prep(&mut c, self.vocabulary);
            let found = match place {
                Some(place) => self.where_place_holds(&place),
                None => Ok(self.scene().objects.iter().map(|o| o.id.clone()).collect()),
            };
            return Some(match found {
                Ok(ids) if ids.is_empty() => "No, nothing.".to_owned(),
                Ok(ids) => yes_no(
                    true,
                    &format!("{}.", capital(&describe::phrases(&ids, self.scene()))),
                ),
                Err(trouble) => in_words(trouble),
            });
        }
        let phrase = parse::noun_phrase(&mut c, self.vocabulary)?;
        let preps = preps(&mut c, self.vocabulary);
        Some(match self.all_of(&phrase, &preps) {
            Ok(ids) => {
                let noun = self.grounder().noun_of(&phrase);
                yes_no(
                    true,
                    &format!("I see {}.", describe::counted(&noun, ids.len())),
                )
            }
            Err(trouble) => yes_no(false, &in_words(trouble)),
        })
    }

    fn is_so(&self, cursor: &Cursor<'_>) -> Option<String> {
        let mut c = cursor.clone();
        if !c.eat_any(&["is", "are"]) {
            return None;
        }
        let phrase = parse::noun_phrase(&mut c, self.vocabulary)?;
        let ids = match self.all_of(&phrase, &[]) {
            Ok(ids) => ids,
            Err(trouble) => return Some(in_words(trouble)),
        };
        let negated = c.eat("not");
        c.eat_any(&["still", "already"]);
        let mut question = NounPhrase::new(usize::MAX, Head::Anything);
        question.quantity = Quantity::All;
        let word = c.peek();
        if let Some(color) = lexicon::color(word) {
            question.colors.push(color.to_owned());
        } else if let Some(state) = state(word) {
            question.state = Some(state);
        } else {
            question
                .conditions
                .push((parse::prep(&mut c, self.vocabulary)?, true));
        }
        let holds = self.all_of(&question, &[]).unwrap_or_default();
        let all = ids.iter().all(|id| holds.contains(id));
        let parts: Vec<String> = ids
            .iter()
            .filter_map(|id| {
                let object = self.scene().object(id)?;
                let what = match object.open {
                    Some(true) => "open".to_owned(),
                    Some(false) => "closed".to_owned(),
                    None => describe::support_words(object, self.scene()),
                };
                Some(format!("{} is {what}", object_phrase(id, self.scene())))
            })
            .collect();
        let more = format!("{}.", capital(&describe::and_list(&parts)));
        Some(yes_no(all != negated, &more))
    }
}

fn state(word: &str) -> Option<State> {
    match word {
        "open" => Some(State::Open),
        "closed" | "shut" => Some(State::Closed),
        "empty" => Some(State::Empty),
        "full" => Some(State::Full),
        _ => None,
    }
}
