//! A person shows what a sentence means: `/teach pick up the red block`.

use serde_json::json;
use vola_planner::is_stop_word;

use super::Chat;
use crate::{
    chat::Inbox,
    failure::Failure,
    robot::{Lesson, LessonEnd},
};

/// Longest sentence that is taught (bytes).
const LONGEST: usize = 500;

/// A lesson and its end, or why there was none.
type Shown = Result<(Lesson, LessonEnd), String>;

impl Chat {
    /// Hands the arm to a person who shows what a sentence means, unless a stop was
    /// demanded since it was typed, when there had been so many.
    pub(super) fn teach(
        &mut self,
        sentence: &str,
        stops: u64,
        inbox: &Inbox,
    ) -> Result<(), Failure> {
        if sentence.is_empty() || sentence.len() > LONGEST {
            return self
                .teller
                .complain("say what you will show, for example `/teach pick up the red block`");
        }
        let taught = self.shown(sentence, stops, inbox);
        inbox.set_running(false);
        self.teller.screen.set_status(None);
        if let Some(fault) = self.teller.fault.take() {
            return Err(fault);
        }
        match taught? {
            Ok((lesson, end)) => self.say_what_was_taught(&lesson, &end),
            Err(reason) => self.teller.complain(&format!("not taught: {reason}")),
        }
    }

    /// What the person shows, or why nothing is shown.
    fn shown(&mut self, sentence: &str, stops: u64, inbox: &Inbox) -> Result<Shown, Failure> {
        self.robot.release_stop()?;
        // From here on a stop word throws the switch, and is no line of the conversation.
        inbox.set_running(true);
        if inbox.stops() != stops || inbox.take(is_stop_word).is_some() {
            self.robot.session().stop_switch().throw();
            return Ok(Err("a stop came first; say it again to teach it".to_owned()));
        }
        self.teller.notice(
            "When you have the arm, show it (jog z 0.05, open, close; or the page), then say keep or discard.",
        )?;
        let teller = &mut self.teller;
        let taught = self
            .conversation
            .teach(sentence, &mut self.robot, &mut |event| teller.tell(event));
        Ok(taught)
    }

    fn say_what_was_taught(&mut self, lesson: &Lesson, end: &LessonEnd) -> Result<(), Failure> {
        let (words, about) = match end {
            LessonEnd::Kept { steps, seconds } => {
                let shown = lesson.steps.get(..*steps).unwrap_or_default();
                (
                    format!(
                        "kept: {} ({seconds:.1} s by hand), an episode to learn from",
                        shown.join(", then ")
                    ),
                    json!({"sentence": lesson.sentence, "kept": true, "steps": shown, "seconds": seconds}),
                )
            }
            LessonEnd::Discarded(reason) => (
                format!("nothing is kept of “{}”: {reason}", lesson.sentence),
                json!({"sentence": lesson.sentence, "kept": false, "reason": reason}),
            ),
        };
        self.teller.news(&words, "taught", &about)
    }
}
