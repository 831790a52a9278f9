//! The person, or the program, that answers questions in a conversation.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use vola_bundle::{Asked, HandoffSettings};
use vola_planner::{Heed, Interjection, Operator, Question, Reply};

use super::{Inbox, Said, Screen, parse_choice};
use crate::{interrupt::Interrupt, output::Tone};

/// How often waiting looks whether someone wants to leave.
const GLANCE: Duration = Duration::from_millis(50);

/// Who types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typist {
    /// A person: may need several tries, and types ahead.
    Person,
    /// A program or a file: the next line is the answer.
    Program,
}

/// Answers come through the inbox. The arm holds meanwhile.
pub(crate) struct Answering {
    inbox: Inbox,
    screen: Screen,
    interrupt: Interrupt,
    typist: Typist,
    handoff: HandoffSettings,
    /// Number of the question that was announced and not asked yet.
    announced: Option<u64>,
}

impl Answering {
    /// Answers from this inbox, as long as the deployment is willing to wait.
    pub(crate) fn new(
        inbox: Inbox,
        screen: Screen,
        interrupt: Interrupt,
        typist: Typist,
        handoff: HandoffSettings,
    ) -> Self {
        Self {
            inbox,
            screen,
            interrupt,
            typist,
            handoff,
            announced: None,
        }
    }

    /// The next line that may be an answer; nothing at the end, on leaving, or
    /// after the time.
    fn next_line(&self, question: u64, deadline: Option<Instant>) -> Option<Said> {
        loop {
            let is_late = deadline.is_some_and(|end| Instant::now() >= end);
            if self.interrupt.is_wanted() || self.inbox.is_stopped() || is_late {
                return None;
            }
            let said = match self.typist {
                Typist::Person => self.inbox.answer(question, GLANCE),
                Typist::Program => self.inbox.next(GLANCE),
            };
            match said {
                Some(Said::End) => return None,
                Some(line) => return Some(line),
                None => {}
            }
        }
    }

    fn hint(&self, text: &str) {
        let style = self.screen.style();
        // A lost hint is no reason to stop.
        let _ = self.screen.line(&style.paint(Tone::Faint, text));
    }
}

/// Whether a robot asks because it cannot go on, not because it does not
/// understand: then only its choices count, and it does not wait for ever.
fn is_handoff(choices: &[&str]) -> bool {
    choices.last() == Some(&"abort")
}

#[async_trait(?Send)]
impl Operator for Answering {
    fn announce(&mut self) {
        self.announced = Some(self.inbox.ask());
    }

    async fn ask(&mut self, question: &Question) -> Option<Reply> {
        let announced = self.announced.take();
        let choices: Vec<&str> = question.choices.iter().map(String::as_str).collect();
        let handoff = is_handoff(&choices);
        if handoff && self.handoff.ask() == Asked::Nobody {
            return None;
        }
        let deadline = handoff.then(|| Instant::now() + self.handoff.timeout());
        let number = announced.unwrap_or_else(|| self.inbox.ask());
        loop {
            let said = self.next_line(number, deadline)?;
            let Said::Line { text, .. } = &said else {
                return None;
            };
            if let Some(choice) = parse_choice(text, &choices) {
                return Some(Reply::Choice(choice));
            }
            if Interjection::read(text).is_some() {
                return Some(Reply::Text(text.clone()));
            }
            match (handoff, self.typist) {
                (false, _) => return Some(Reply::Text(text.clone())),
                (true, Typist::Program) => {
                    // It is the next sentence, not an answer.
                    self.inbox.put_back(said);
                    return None;
                }
                (true, Typist::Person) => {
                    self.hint(&format!(
                        "Please answer with a number, or: {}.",
                        choices.join(", ")
                    ));
                }
            }
        }
    }

    fn overhear(&mut self, heed: Heed) -> Option<String> {
        let is_meant = |text: &str| {
            Interjection::read(text).is_some_and(|it| heed == Heed::All || it.is_urgent())
        };
        let is_urgent = |text: &str| Interjection::read(text).is_some_and(|it| it.is_urgent());
        match self.typist {
            // The lines of a file are meant one after the other.
            Typist::Program => self.inbox.take_next(is_meant),
            // A person means now, whatever was said before and waits.
            Typist::Person => self
                .inbox
                .take(is_urgent)
                .or_else(|| self.inbox.take_next(is_meant)),
        }
    }

    async fn listen(&mut self) -> Option<String> {
        let mut hinted = false;
        loop {
            if self.interrupt.is_wanted() || self.inbox.is_stopped() {
                return None;
            }
            if let Some(line) = self.overhear(Heed::All) {
                return Some(line);
            }
            let text = match self.inbox.peek(GLANCE) {
                None => continue,
                Some(Said::End) => return None,
                Some(Said::Line { text, .. }) => text,
            };
            match self.typist {
                // It came meanwhile.
                _ if Interjection::read(&text).is_some() => {}
                Typist::Program => return None,
                Typist::Person if hinted => {}
                Typist::Person => {
                    hinted = true;
                    self.hint("I am paused and keep that for later; say go on, skip or stop.");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use vola_bundle::Deployment;
    use vola_runtime::StopSwitch;

    use super::*;
    use crate::output::Style;

    fn answering(typist: Typist, handoff: &str) -> (Inbox, Answering) {
        let text = format!(
            "[robot]\nplugin = \"tabletop/franka\"\n[policy]\nbundle = \"b\"\n[handoff]\n{handoff}\n"
        );
        let deployment = Deployment::parse(&text, Path::new("a.toml")).unwrap();
        let inbox = Inbox::new(StopSwitch::default());
        let answering = Answering::new(
            inbox.clone(),
            Screen::new(Style::Plain),
            Interrupt::idle(),
            typist,
            deployment.handoff().clone(),
        );
        (inbox, answering)
    }

    fn ask(answering: &mut Answering, choices: &[&str]) -> Option<Reply> {
        let question = Question {
            text: "?".to_owned(),
            choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(answering.ask(&question))
    }

    const HOLD: [&str; 4] = ["continue", "retry", "skip", "abort"];

    #[test]
    fn a_program_s_next_line_answers_or_stays_the_next_sentence() {
        let (inbox, mut answering) = answering(Typist::Program, "");
        inbox.typed("2");
        assert_eq!(ask(&mut answering, &HOLD), Some(Reply::Choice(1)));
        inbox.typed("the left one");
        assert_eq!(
            ask(&mut answering, &["the red one", "the blue one"]),
            Some(Reply::Text("the left one".to_owned()))
        );
        inbox.typed("open the drawer");
        assert_eq!(ask(&mut answering, &HOLD), None);
        assert!(
            matches!(inbox.next(Duration::ZERO), Some(Said::Line { text, .. }) if text == "open the drawer")
        );
        inbox.end();
        assert_eq!(ask(&mut answering, &HOLD), None);
    }

    #[test]
    fn an_answer_between_announcing_and_asking_counts_and_one_before_does_not() {
        let stop = "safe_stop = 'hold'\ntimeout_s = 0.2";
        for (is_announced, expected) in [(true, Some(Reply::Choice(0))), (false, None)] {
            let (inbox, mut answering) = answering(Typist::Person, stop);
            if is_announced {
                answering.announce();
            }
            inbox.typed("continue");
            assert_eq!(ask(&mut answering, &HOLD), expected, "{is_announced}");
        }
    }

    #[test]
    fn lines_to_a_running_plan_are_taken_and_others_wait() {
        let taken = |typist, heed| {
            let (inbox, mut answering) = answering(typist, "");
            for line in [
                "open the drawer",
                "no, the other one",
                "what are you doing?",
            ] {
                inbox.typed(line);
            }
            answering.overhear(heed)
        };
        let question = Some("what are you doing?".to_owned());
        assert_eq!(taken(Typist::Person, Heed::Urgent), question);
        assert_eq!(taken(Typist::Person, Heed::All), question);
        assert_eq!(taken(Typist::Program, Heed::All), None);
        let (inbox, mut answering) = answering(Typist::Program, "");
        inbox.typed("no, the other one");
        assert_eq!(answering.overhear(Heed::Urgent), None);
        assert!(answering.overhear(Heed::All).is_some());
    }

    #[test]
    fn a_paused_run_of_a_program_ends_with_its_lines() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let (inbox, mut answering) = answering(Typist::Program, "");
        inbox.typed("go on");
        assert!(runtime.block_on(answering.listen()).is_some());
        inbox.typed("open the drawer");
        assert_eq!(runtime.block_on(answering.listen()), None);
        let (inbox, mut answering) = self::answering(Typist::Person, "");
        inbox.end();
        assert_eq!(runtime.block_on(answering.listen()), None);
    }

    #[test]
    fn nobody_answers_in_time() {
        let stop = "safe_stop = 'hold'";
        let (_, mut answering) = answering(Typist::Person, &format!("timeout_s = 0.05\n{stop}"));
        assert_eq!(ask(&mut answering, &HOLD), None);
        let (_, mut answering) =
            self::answering(Typist::Person, &format!("ask = 'nobody'\n{stop}"));
        assert_eq!(ask(&mut answering, &HOLD), None);
    }
}
