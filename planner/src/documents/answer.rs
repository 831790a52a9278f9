//! From passages to an answer in words, and the check of a model's quotations.

use vola_types::{Citation, Plan, Verdict};

use super::{Asked, Inquiry, Passage};
use crate::draft::PlanDraft;
use crate::verifier::PlanFault;

/// Most quotations of one answer.
const MAX_QUOTES: usize = 8;
/// Fewest letters of a quotation: two words prove nothing.
const MIN_QUOTE_LETTERS: usize = 8;

/// Languages of what is said about documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    Urdu,
    UrduInLatin,
}

impl Language {
    fn of(text: &str) -> Self {
        let is_arabic = |letter: char| ('\u{600}'..='\u{6ff}').contains(&letter);
        let letters = text.chars().filter(|letter| letter.is_alphabetic());
        let (arabic, all) = letters.fold((0, 0), |(arabic, all), letter| {
            (arabic + usize::from(is_arabic(letter)), all + 1)
        });
        if 2 * arabic > all {
            return Self::Urdu;
        }
        const LATIN: [&str; 12] = [
            "kya", "hai", "hain", "kitna", "kitni", "kitne", "kaise", "kahan", "kaun", "konsa",
            "ki", "batao",
        ];
        let lower = text.to_lowercase();
        let words = lower.split(|letter: char| !letter.is_alphanumeric());
        if words.filter(|word| LATIN.contains(word)).count() >= 2 {
            Self::UrduInLatin
        } else {
            Self::English
        }
    }

    fn not_there(self) -> &'static str {
        match self {
            Self::English => "That is not in the documents.",
            Self::Urdu => "یہ بات دستاویزات میں نہیں ہے۔",
            Self::UrduInLatin => "Yeh baat dastavezat mein nahin hai.",
        }
    }
}

/// The answer to a sentence that only asks, in the words of the documents.
pub(crate) fn draft(inquiry: &Inquiry) -> PlanDraft {
    let (answer, citations) = quoted(inquiry);
    PlanDraft {
        answer: Some(answer.clone()),
        citations,
        ..PlanDraft::chat(answer)
    }
}

/// A model's answer, whose words are then all that is said; where it found none,
/// the passage that the search is sure of.
pub(crate) fn in_words(mut plan: Plan, inquiry: &Inquiry) -> Plan {
    if plan.answer.is_none() {
        let (answer, citations) = quoted(inquiry);
        (plan.answer, plan.citations) = (Some(answer), citations);
    }
    plan.say = plan.answer.clone().unwrap_or_default();
    plan
}

/// Puts an answer beside the plan of the rest of the sentence.
pub(crate) fn beside(mut plan: Plan, answered: Plan) -> Plan {
    let answer = answered.answer.unwrap_or_default();
    plan.say = format!("{} {answer}", plan.say.trim_end());
    plan.answer = Some(answer);
    plan.citations = answered.citations;
    plan
}

/// Every question with the passage that answers it, or that it is not there.
fn quoted(inquiry: &Inquiry) -> (String, Vec<Citation>) {
    let mut answers = Vec::new();
    let mut citations: Vec<Citation> = Vec::new();
    for asked in &inquiry.questions {
        match best(asked) {
            Some(passage) => {
                let citation = cited(passage, &passage.quote);
                answers.push(format!(
                    "{}: \u{201c}{}\u{201d}",
                    citation.place(),
                    citation.quote
                ));
                if !citations.contains(&citation) {
                    citations.push(citation);
                }
            }
            None => answers.push(Language::of(&asked.question).not_there().to_owned()),
        }
    }
    answers.dedup();
    (answers.join(" "), citations)
}

fn best(asked: &Asked) -> Option<&Passage> {
    asked.found.passages.first().filter(|_| asked.found.answers)
}

fn cited(passage: &Passage, quote: &str) -> Citation {
    Citation {
        file: passage.file.clone(),
        heading: passage.heading.clone(),
        line: passage.line,
        quote: quote.to_owned(),
    }
}

/// Checks what a model answered to a question: words alone, no steps, and
/// quotations of passages it was given, word by word, which become citations.
/// Without a question there is no answer to check.
///
/// # Errors
/// What is wrong, with the draft.
#[expect(
    clippy::result_large_err,
    reason = "the draft goes back to the model with its fault, once an answer"
)]
pub(crate) fn check_answer(
    mut draft: PlanDraft,
    inquiry: Option<&Inquiry>,
) -> Result<PlanDraft, (PlanDraft, PlanFault)> {
    let quotes = std::mem::take(&mut draft.quotes);
    let Some(inquiry) = inquiry else {
        draft.answer = None;
        return Ok(draft);
    };
    if draft.verdict != Verdict::Chat {
        let expected = "the verdict \"chat\" and no steps: the command is only a question";
        return Err((draft, PlanFault::Form { expected }));
    }
    if draft.answer.is_none() {
        return Ok(draft);
    }
    let wrong = |draft: PlanDraft, detail: String| Err((draft, PlanFault::Citation { detail }));
    if quotes.is_empty() || quotes.len() > MAX_QUOTES {
        let detail = format!(
            "expected 1 to {MAX_QUOTES} citations with an answer, got {}",
            quotes.len()
        );
        return wrong(draft, detail);
    }
    for (index, quote) in quotes.iter().enumerate() {
        let passage = inquiry.passages().find(|(id, _)| *id == quote.passage);
        let Some((_, passage)) = passage else {
            let given: Vec<String> = inquiry.passages().map(|(id, _)| id).collect();
            let id = crate::plan_reply::quote(&quote.passage);
            let detail = format!(
                "citations[{index}]: expected a passage of {}, got {id:?}",
                given.join(", ")
            );
            return wrong(draft, detail);
        };
        let words = single_spaced(&quote.quote);
        let letters = words
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .count();
        if letters < MIN_QUOTE_LETTERS || !single_spaced(&passage.text).contains(&words) {
            let got = crate::plan_reply::quote(&words);
            let detail = format!(
                "citations[{index}]: expected words of passage {} letter by letter, got {got:?}",
                quote.passage
            );
            return wrong(draft, detail);
        }
        let citation = cited(passage, &words);
        if !draft.citations.contains(&citation) {
            draft.citations.push(citation);
        }
    }
    Ok(draft)
}

fn single_spaced(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}
