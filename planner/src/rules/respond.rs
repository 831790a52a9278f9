//! From clauses to an answer: execute, ask, infeasible or words.

use vola_types::PlanOption;

use super::compose::{Parts, compose};
use super::foreign::ForeignClauses;
use super::parse::{self, NotUnderstood, Vocabulary};
use super::syntax::Clause;
use super::token::Token;
use super::trouble::{Choice, Choices, Trouble};
use crate::draft::PlanDraft;
use crate::request::PlanRequest;

/// Most options of one question.
const MAX_ANSWERS: usize = 8;

/// Most readings tried for one question; bounds the time in a crowded scene.
const MAX_TRIED: usize = 64;

/// Deepest nesting of questions inside an option.
const MAX_DEPTH: usize = 2;

/// The confidence of an answer to a sentence that the grammar does not read.
pub(super) const NOT_UNDERSTOOD: f64 = 0.3;

/// Steps for the given choices.
type Compose<'a> = dyn Fn(&Choices) -> Result<Parts, Trouble> + 'a;

/// Answers a command.
pub(super) fn to_command(
    tokens: &[Token],
    request: &PlanRequest,
    vocabulary: &Vocabulary,
    foreign: &ForeignClauses<'_>,
) -> PlanDraft {
    let (_, words) = super::correction::without_objection(tokens);
    if repeats(&words)
        && let Some(last) = &request.dialogue.last
        && !repeats(&parse::without_fillers(&super::token::tokenize(
            &last.sentence,
        )))
    {
        let mut again = request.clone();
        again.sentence.clone_from(&last.sentence);
        return super::RulesBackend::new().answer(&again);
    }
    if let Some(draft) = set_answer(&words) {
        return draft;
    }
    match parse::sentence(&words, vocabulary, foreign) {
        Ok(clauses) => to_clauses(&clauses, request),
        Err(failure) => not_understood(&failure),
    }
}

/// Sentences that are answered whatever else they say.
fn set_answer(words: &[Token]) -> Option<PlanDraft> {
    let text: Vec<&str> = words.iter().map(|t| t.text.as_str()).collect();
    let still = matches!(
        text.as_slice(),
        ["do", "nothing"]
            | ["do", "not", "move" | "do"]
            | ["do", "not", "do", "anything"]
            | ["hold", "still"]
    );
    if still {
        return Some(PlanDraft::chat("All right, I do nothing."));
    }
    let measured = words.windows(2).any(|pair| {
        let number = pair[0].number.is_some() || super::lexicon::count(&pair[0].text).is_some();
        number
            && matches!(
                pair[1].text.as_str(),
                "cm" | "centimeter"
                    | "centimeters"
                    | "centimetre"
                    | "centimetres"
                    | "mm"
                    | "millimeters"
                    | "inch"
                    | "inches"
                    | "meter"
                    | "meters"
                    | "m"
                    | "degrees"
            )
    });
    measured.then(|| {
        PlanDraft::infeasible(
            "I cannot measure distances that finely. A push moves a thing about 8 cm; or name a place instead.",
        )
    })
}

/// "do it again", "repeat that".
fn repeats(words: &[Token]) -> bool {
    let text: Vec<&str> = words.iter().map(|t| t.text.as_str()).collect();
    matches!(
        text.as_slice(),
        ["do", "it"]
            | ["do", "that"]
            | ["repeat"]
            | ["repeat", "it" | "that"]
            | ["once", "more"]
            | ["one", "more", "time"]
    )
}

/// Answers parsed clauses.
pub(super) fn to_clauses(clauses: &[Clause], request: &PlanRequest) -> PlanDraft {
    with_choices(&|choices| compose(clauses, request, choices))
}

/// Answers whatever `composed` gives, turning questions into options.
pub(super) fn with_choices(composed: &Compose<'_>) -> PlanDraft {
    match composed(&Choices::new()) {
        Ok(parts) => execute(parts),
        Err(Trouble::Choose(choice)) => ask(choice, composed),
        Err(trouble) => in_words(trouble),
    }
}

fn execute(parts: Parts) -> PlanDraft {
    let words: Vec<&str> = parts.iter().map(|(words, _)| words.as_str()).collect();
    let goal = words.join(", then ");
    PlanDraft::execute(goal, parts)
}

fn in_words(trouble: Trouble) -> PlanDraft {
    match trouble {
        Trouble::Cannot(say) => PlanDraft::infeasible(say),
        Trouble::Refused(say) => PlanDraft {
            is_final: true,
            ..PlanDraft::infeasible(say)
        },
        Trouble::LeftAlone(say) => PlanDraft {
            is_final: true,
            ..PlanDraft::chat(say)
        },
        Trouble::Already(say) | Trouble::Puzzled(say) => PlanDraft::chat(say),
        Trouble::Choose(choice) => PlanDraft::chat(choice.question),
    }
}

fn not_understood(failure: &NotUnderstood) -> PlanDraft {
    let say = if failure.word.is_empty() {
        format!("I did not understand that. {}", super::HELP)
    } else {
        let word: String = failure.word.chars().take(40).collect();
        format!("I did not understand \"{word}\" there. {}", super::HELP)
    };
    PlanDraft::chat(say).with_confidence(NOT_UNDERSTOOD)
}

/// The question with one option a possible plan; reasons when there is none.
fn ask(choice: Choice, composed: &Compose<'_>) -> PlanDraft {
    let question = choice.question.clone();
    let mut branches = Branches {
        composed,
        options: Vec::new(),
        refused: None,
        tried: 0,
    };
    let (or_nothing, is_about_pronoun) = (choice.or_nothing, choice.is_about_pronoun);
    branches.grow(choice, &Choices::new(), "", 0);
    let Branches {
        mut options,
        refused,
        ..
    } = branches;
    if options.is_empty() {
        return in_words(refused.unwrap_or(Trouble::Puzzled(question)));
    }
    if or_nothing || options.len() < 2 {
        options.push(PlanOption {
            label: "leave everything as it is".to_owned(),
            steps: Vec::new(),
        });
    }
    PlanDraft {
        is_about_pronoun,
        ..PlanDraft::ask(question, options).with_confidence(0.5)
    }
}

/// The plans that the answers to a question lead to.
struct Branches<'a> {
    composed: &'a Compose<'a>,
    options: Vec<PlanOption>,
    refused: Option<Trouble>,
    tried: usize,
}

impl Branches<'_> {
    fn grow(&mut self, choice: Choice, made: &Choices, before: &str, depth: usize) {
        for (label, pick) in choice.picks {
            if self.options.len() >= MAX_ANSWERS || self.tried >= MAX_TRIED {
                return;
            }
            self.tried += 1;
            let label = if before.is_empty() {
                label
            } else {
                format!("{before}; {label}")
            };
            let mut choices = made.clone();
            choices.insert(choice.span, pick);
            match (self.composed)(&choices) {
                Ok(parts) => self.options.push(PlanOption {
                    label,
                    steps: parts.into_iter().flat_map(|(_, steps)| steps).collect(),
                }),
                Err(Trouble::Choose(next)) if depth < MAX_DEPTH && next.span != choice.span => {
                    self.grow(next, &choices, &label, depth + 1);
                }
                Err(trouble) => {
                    self.refused.get_or_insert(trouble);
                }
            }
        }
    }
}
