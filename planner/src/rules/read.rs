//! Answers by what a reader makes of a sentence.

use vola_types::{PlanOption, Step, Verdict};

use super::compact;
use crate::draft::PlanDraft;
use crate::request::PlanRequest;
use crate::sentence_reader::{ReadContext, Reading, SentenceReader};

/// Least lead of a reading before the next, in nats, to be taken.
const LEAD: f32 = 0.35;
/// The same where nobody is asked behind.
const CLEAR_LEAD: f32 = 3.0;
/// How much likelier, in nats, a command that makes no sense here may be than one
/// that does, which is taken.
const SENSE: f32 = 3.0;
/// By how much farther from known wordings that one may be.
const AS_NEAR: f32 = 0.5;
/// Distance from known wordings from which on half of all readings are wrong.
const STRANGE: f32 = 4.0;
/// How much farther for each clause more.
const MORE_STRANGE: f32 = 1.0;
/// Most distance from known wordings, to be certain.
const MOST_DISTANCE: f32 = 1.0;
/// Most words left unread, as a share of all, for a reading to be done.
const MOST_UNREAD: f32 = 0.34;

/// The answer of the likeliest reading; none when there is no reading, or when
/// it is not certain and only certain ones are wanted.
pub(super) fn answer(
    reader: &dyn SentenceReader,
    request: &PlanRequest,
    is_cautious: bool,
) -> Option<PlanDraft> {
    let context = ReadContext {
        has_command: request.dialogue.last.is_some(),
        has_question: request.dialogue.question.is_some(),
    };
    let readings = reader.read(&request.sentence, context);
    let mut answers = answers(&readings, request);
    let chosen = chosen(&answers)?;
    let (first, draft) = answers.remove(chosen);
    let other = answers
        .into_iter()
        .filter(|(_, other)| other.verdict == Verdict::Execute)
        .find(|(_, other)| other.steps != draft.steps);
    let lead = other
        .as_ref()
        .map_or(f32::MAX, |(other, _)| first.score - other.score);
    if is_cautious {
        let is_certain = chosen == 0
            && first.unread == 0
            && !first.is_denied
            && first.distance <= MOST_DISTANCE
            && lead >= CLEAR_LEAD
            && first.order_margin >= CLEAR_LEAD
            && draft.verdict == Verdict::Execute;
        return is_certain.then_some(draft);
    }
    if draft.verdict != Verdict::Execute {
        return Some(draft);
    }
    let words = request.sentence.split_whitespace().count();
    let unread = first.unread as f32 / words.max(1) as f32;
    let clauses = 1 + first.line.matches(';').count();
    let strange = STRANGE + MORE_STRANGE * (clauses - 1) as f32;
    if unread > MOST_UNREAD || first.is_denied || first.distance > strange {
        return Some(confirm(&draft));
    }
    match other {
        Some((_, other)) if lead < LEAD => Some(choose(&draft, &other)),
        _ => Some(draft),
    }
}

/// What the readings come to over the scene, likeliest first.
fn answers<'a>(readings: &'a [Reading], request: &PlanRequest) -> Vec<(&'a Reading, PlanDraft)> {
    let answer = |reading: &'a Reading| {
        let draft = compact::answer(&reading.line, request).ok()?;
        Some((reading, draft))
    };
    readings.iter().filter_map(answer).collect()
}

/// The likeliest answer; a command that makes no sense on this table gives way to
/// one nearly as likely that does.
fn chosen(answers: &[(&Reading, PlanDraft)]) -> Option<usize> {
    let (first, draft) = answers.first()?;
    let makes_sense = draft.verdict == Verdict::Execute || !first.line.starts_with("do ");
    if makes_sense {
        return Some(0);
    }
    let sensible = |(reading, draft): &(&Reading, PlanDraft)| {
        draft.verdict == Verdict::Execute
            && first.score - reading.score < SENSE
            && reading.unread == 0
            && !reading.is_denied
            && reading.distance <= first.distance + AS_NEAR
    };
    Some(answers.iter().position(sensible).unwrap_or(0))
}

/// Asks whether a doubtful reading is meant.
pub(super) fn confirm(draft: &PlanDraft) -> PlanDraft {
    let options = vec![
        option(&draft.tree.goal, &draft.steps),
        option("leave everything as it is", &[]),
    ];
    let mut asked = PlanDraft::ask("I did not understand every word. Shall I do this?", options)
        .with_confidence(0.4);
    asked.model.clone_from(&draft.model);
    asked
}

/// Asks which of two readings is meant.
fn choose(one: &PlanDraft, other: &PlanDraft) -> PlanDraft {
    let options = [one, other].map(|draft| option(&draft.tree.goal, &draft.steps));
    PlanDraft::ask("Which of these do you mean?", options.to_vec()).with_confidence(0.5)
}

fn option(label: &str, steps: &[Step]) -> PlanOption {
    PlanOption {
        label: label.to_owned(),
        steps: steps.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use vola_types::Scene;

    use super::*;

    /// A reader that always has these readings.
    #[derive(Debug)]
    struct Fixed(Vec<Reading>);

    impl SentenceReader for Fixed {
        fn read(&self, _: &str, _: ReadContext) -> Vec<Reading> {
            self.0.clone()
        }
    }

    fn reading(line: &str, score: f32) -> Reading {
        Reading {
            line: line.to_owned(),
            score,
            unread: 0,
            distance: 0.0,
            order_margin: 9.0,
            is_denied: false,
        }
    }

    fn verdict(readings: &[Reading], is_cautious: bool) -> Option<Verdict> {
        let scene = Scene::from_json(
            r#"{"objects":[
            {"id":"red_block","kind":"block","color":"red","position":[0.42,-0.10,0.02],"on":"table"},
            {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.50,0.15,0.03],"on":"table"},
            {"id":"drawer","kind":"drawer","open":false}]}"#,
        )
        .unwrap();
        let request = PlanRequest::new("one two three four five six", scene);
        let draft = answer(&Fixed(readings.to_vec()), &request, is_cautious)?;
        let is_question = draft.verdict == Verdict::Ask;
        assert_eq!(is_question, draft.options.len() >= 2);
        assert!(crate::verify_draft(&draft, &request.scene, &request.capabilities).is_ok());
        Some(draft.verdict)
    }

    #[test]
    fn a_clear_reading_is_done_and_a_doubtful_one_asked_about() {
        let put = || reading("do put red block in blue bowl", 5.0);
        let open = |score| reading("do open drawer", score);
        assert_eq!(verdict(&[put(), open(0.0)], false), Some(Verdict::Execute));
        assert_eq!(verdict(&[put(), open(4.9)], false), Some(Verdict::Ask));
        // The same steps in other words leave no doubt.
        let same = reading("do put red one in blue bowl", 4.9);
        assert_eq!(verdict(&[put(), same], false), Some(Verdict::Execute));
        let half = Reading { unread: 4, ..put() };
        assert_eq!(verdict(&[half], false), Some(Verdict::Ask));
        let denied = Reading {
            is_denied: true,
            ..put()
        };
        assert_eq!(verdict(&[denied], false), Some(Verdict::Ask));
        assert_eq!(verdict(&[], false), None);
        assert_eq!(verdict(&[reading("no such line", 9.0)], false), None);
    }

    #[test]
    fn the_cautious_take_only_what_is_certain() {
        let put = || reading("do put red block in blue bowl", 5.0);
        assert_eq!(verdict(&[put()], true), Some(Verdict::Execute));
        for doubtful in [
            Reading { unread: 1, ..put() },
            Reading {
                is_denied: true,
                ..put()
            },
            Reading {
                order_margin: 1.0,
                ..put()
            },
            Reading {
                distance: 2.0,
                ..put()
            },
            reading("unsafe person", 5.0),
            reading("ask", 5.0),
        ] {
            assert_eq!(
                verdict(std::slice::from_ref(&doubtful), true),
                None,
                "{doubtful:?}"
            );
        }
        let close = reading("do open drawer", 3.5);
        assert_eq!(verdict(&[put(), close], true), None);
    }
}
