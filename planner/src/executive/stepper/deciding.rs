//! Questions of a holding robot.

use vola_types::RunEventKind;

use super::Stepper;
use super::taking_over::NOT_BY_HAND;
use crate::executive::attention::Wish;
use crate::executive::choices::{Choice, Choices, labels, named};
use crate::executive::interjection::{Interjection, RunQuestion};
use crate::executive::{Cast, HandoffTurn, Question, Reply};

/// Most things said before a question is answered.
const MOST_SAID: usize = 32;

/// What became of a question.
pub(super) enum Decision {
    /// One of the choices.
    Choice(Choice),
    /// A wish was said instead; it waits to be met.
    Wished,
    /// A stop was ordered meanwhile.
    Stopped,
    /// No answer, or none that names a choice.
    Nobody,
}

/// What a decision means for who has the arm.
fn turn(decision: &Decision) -> HandoffTurn {
    match decision {
        Decision::Choice(Choice::Continue) => HandoffTurn::Continued,
        // A change of the plan is a person's word as well.
        Decision::Choice(Choice::Retry | Choice::DoIt) | Decision::Wished => HandoffTurn::Retried,
        Decision::Choice(Choice::Skip | Choice::LeaveOut) => HandoffTurn::LeftOut,
        Decision::Choice(Choice::TakeOver) => HandoffTurn::TakenOver,
        Decision::Choice(Choice::Abort) | Decision::Stopped => HandoffTurn::Aborted,
        Decision::Nobody => HandoffTurn::Unanswered,
    }
}

/// The question after a reason to hold.
pub(super) fn question(reason: &str) -> String {
    format!("{reason} What shall I do?")
}

impl Stepper<'_> {
    /// Tells that the robot holds, and asks; the robot hears what came of it.
    pub(super) async fn decide(
        &self,
        reason: &str,
        confidence: Option<(f64, f64)>,
        choices: Choices,
        cast: &mut Cast<'_>,
    ) -> Decision {
        // Before anybody is told: who hears of it early may answer early.
        cast.operator.announce();
        cast.hand_off(HandoffTurn::Asked);
        let decision = self.ask_about(reason, confidence, choices, cast).await;
        cast.hand_off(turn(&decision));
        decision
    }

    /// What else is said meanwhile is answered, or becomes a wish.
    async fn ask_about(
        &self,
        reason: &str,
        confidence: Option<(f64, f64)>,
        choices: Choices,
        cast: &mut Cast<'_>,
    ) -> Decision {
        cast.emit(RunEventKind::Handoff {
            reason: reason.to_owned(),
            score: confidence.map(|(score, _)| score),
            threshold: confidence.map(|(_, threshold)| threshold),
            choices: labels(choices),
        });
        let question = Question {
            text: question(reason),
            choices: labels(choices),
        };
        for _ in 0..MOST_SAID {
            let text = match cast.operator.ask(&question).await {
                None if self.executive.is_stopped(cast) => return Decision::Stopped,
                None => return Decision::Nobody,
                Some(Reply::Choice(index)) => {
                    let choice = choices.get(index).map(|(choice, _)| *choice);
                    return choice.map_or(Decision::Nobody, Decision::Choice);
                }
                Some(Reply::Text(text)) => text,
            };
            if let Some(choice) = named(choices, &text) {
                return Decision::Choice(choice);
            }
            if let Some(decision) = self.said_instead(text, choices, cast) {
                return decision;
            }
        }
        Decision::Nobody
    }

    /// Something else than a choice was said; `None` to ask again.
    fn said_instead(
        &self,
        text: String,
        choices: Choices,
        cast: &mut Cast<'_>,
    ) -> Option<Decision> {
        let offered = |wanted: Choice| choices.iter().any(|(choice, _)| *choice == wanted);
        let Some(meaning) = Interjection::read(&text) else {
            return Some(Decision::Nobody);
        };
        match meaning {
            Interjection::Ask(question) => {
                let say = cast.journal.answer(question);
                cast.emit(RunEventKind::Answered {
                    question: text,
                    say,
                });
                None
            }
            Interjection::Pause => {
                let say = cast.journal.answer(RunQuestion::Doing);
                cast.emit(RunEventKind::Answered {
                    question: text,
                    say,
                });
                None
            }
            Interjection::Stop => Some(Decision::Choice(Choice::Abort)),
            Interjection::Resume => {
                let first = choices.first().map(|(choice, _)| *choice);
                Some(first.map_or(Decision::Nobody, Decision::Choice))
            }
            Interjection::Skip if offered(Choice::Skip) => Some(Decision::Choice(Choice::Skip)),
            Interjection::Skip => Some(Decision::Choice(Choice::LeaveOut)),
            // Where it was offered, it was a choice.
            Interjection::TakeOver if !cast.robot.can_be_taken_over() => {
                let say = NOT_BY_HAND.to_owned();
                cast.emit(RunEventKind::Answered {
                    question: text,
                    say,
                });
                None
            }
            Interjection::TakeOver | Interjection::Edit(_) => {
                let at = self.next;
                cast.wishes.push_back(Wish {
                    line: text,
                    meaning,
                    at,
                });
                Some(Decision::Wished)
            }
        }
    }
}
