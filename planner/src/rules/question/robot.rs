//! Questions about the robot: what it can do, what it does, what it holds.

use vola_types::{object_phrase, step_sentence};

use super::{Asker, yes_no};
use crate::describe;
use crate::rules::cursor::Cursor;
use crate::rules::{lexicon, parse};

impl Asker<'_> {
    /// "Can you open drawers?": of any, and so a question.
    fn asks_ability(&self, cursor: &Cursor<'_>) -> bool {
        let mut c = cursor.clone();
        let asked = c.eat_phrase(&[
            &["can", "you"],
            &["can", "the", "robot"],
            &["are", "you", "able", "to"],
            &["do", "you", "know", "how", "to"],
        ]);
        if !asked || lexicon::verb(c.peek()).is_none() {
            return false;
        }
        c.advance();
        c.eat_any(&["up", "down", "away"]);
        let is_any = match self.vocabulary.head(&mut c) {
            Some((_, is_plural)) => is_plural,
            None => c.eat_any(&["anything", "something"]),
        };
        c.eat_any(&["up", "down", "away", "around"]);
        is_any && c.at_end()
    }

    pub(super) fn about_robot(&self, cursor: &Cursor<'_>) -> Option<String> {
        let mut c = cursor.clone();
        if self.asks_ability(cursor)
            || c.eat_phrase(&[
                &["what", "can", "you", "do"],
                &["what", "are", "you", "able"],
                &["what", "do", "you", "do"],
                &["what", "all", "can", "you", "do"],
                &["how", "can", "you", "help"],
                &["how", "do", "i", "use"],
                &["what", "can", "i", "say"],
                &["what", "can", "i", "ask"],
                &["who", "are", "you"],
                &["what", "are", "your"],
                &["what", "is", "your"],
                &["what", "commands"],
                &["show", "help"],
                &["help"],
            ])
        {
            let ops: Vec<String> = self
                .request
                .capabilities
                .ops
                .iter()
                .map(|op| op.as_str().replace('_', " "))
                .collect();
            return Some(format!(
                "I am a robot arm. I can {}. For example: \"put the red block in the blue bowl\".",
                describe::and_list(&ops)
            ));
        }
        if c.eat_phrase(&[
            &["what", "are", "you", "doing"],
            &["what", "is", "the", "plan"],
            &["what", "is", "your", "plan"],
        ]) {
            return Some(self.doing());
        }
        let holding = c.eat_phrase(&[
            &["what", "are", "you", "holding"],
            &["what", "do", "you", "hold"],
            &["what", "is", "in", "your"],
            &["what", "do", "you", "have"],
            &["are", "you", "holding", "something"],
            &["are", "you", "holding", "anything"],
            &["do", "you", "hold", "anything"],
            &["do", "you", "hold", "something"],
            &["do", "you", "have", "something", "in"],
            &["do", "you", "have", "anything", "in"],
            &["is", "there", "anything", "in", "your"],
            &["is", "there", "something", "in", "your"],
            &["is", "your", "gripper", "empty"],
            &["is", "your", "hand", "empty"],
            &["is", "the", "gripper", "empty"],
        ]);
        if holding {
            return Some(match self.scene().held() {
                Some(held) => format!("I am holding {}.", object_phrase(&held.id, self.scene())),
                None => "I am holding nothing.".to_owned(),
            });
        }
        if c.eat_phrase(&[
            &["is", "your", "gripper"],
            &["is", "your", "hand"],
            &["is", "the", "gripper"],
        ]) {
            let state = if self.scene().gripper.open {
                "open"
            } else {
                "closed"
            };
            return Some(format!("My gripper is {state}."));
        }
        if c.eat_all(&["are", "you", "holding"]) {
            let phrase = parse::noun_phrase(&mut c, self.vocabulary)?;
            let yes = self
                .all_of(&phrase, &[])
                .is_ok_and(|ids| self.scene().held().is_some_and(|h| ids.contains(&h.id)));
            return Some(yes_no(
                yes,
                &match self.scene().held() {
                    Some(held) => {
                        format!("I am holding {}.", object_phrase(&held.id, self.scene()))
                    }
                    None => "I am holding nothing.".to_owned(),
                },
            ));
        }
        None
    }

    fn doing(&self) -> String {
        match &self.request.dialogue.last {
            Some(last) => match last.steps.get(last.finished_steps) {
                Some(step) => format!("I am to {}.", step_sentence(step, self.scene())),
                None => "I have finished what you asked for.".to_owned(),
            },
            None => "Nothing at the moment.".to_owned(),
        }
    }
}
