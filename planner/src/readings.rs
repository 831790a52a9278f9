//! Choosing among the lines that a model thinks likely.
//!
//! The embedded model does not see the scene: it says what the words mean, and
//! grounding says whether that exists. A line about something that is not there
//! gives way to one that is nearly as likely and is there; words that are hard
//! to read are mended that way. A line that leaves out a colour that was plainly
//! said, or has one in its place, loses weight. Whether the plan is then carried
//! out or asked about is [`answer`]'s to say.

mod said;

use serde::{Deserialize, Serialize};
use vola_types::{PlanOption, Step, Verdict};

use said::Said;

use crate::draft::PlanDraft;
use crate::request::PlanRequest;
use crate::rules::compact;

/// How little a line weighs, against one that is a plan in the scene, when there
/// is nothing there to do it with, or nothing to do.
const IDLE: f64 = 0.12;
/// The same for a pronoun that nothing stands for.
const EMPTY_PRONOUN: f64 = 0.1;
/// The same for a refusal: words the model does not know sound like things and
/// skills the robot does not have.
const REFUSAL: f64 = 0.35;
/// The same for a question about which of several things is meant.
const QUESTION: f64 = 0.4;

/// What the model writes for the bowl of the same colour.
const MATCHING: &str = "matching bowl";

/// A bar that no probability reaches: everything is asked about.
pub const NOTHING_KEPT: f64 = 2.0;

/// Most plans that one question offers.
const MOST_OPTIONS: usize = 4;

/// A line of the compact language and how likely its model found it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredLine {
    /// The line.
    pub line: String,
    /// 0..=1.
    pub probability: f64,
}

/// What one reading of the sentence comes to.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The answer.
    pub draft: PlanDraft,
    /// The likeliest line that comes to it.
    pub line: String,
    /// Probability of all lines that come to it, among those that were found.
    pub probability: f64,
}

/// When a plan of a model's own reading is asked about first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Asking {
    /// Always: nothing is known about what the probabilities are worth.
    Always,
    /// Unless exactly one reading is at least as likely as this.
    From(f64),
    /// Never: back ends whose plans are shown before they are carried out.
    Never,
}

impl Asking {
    /// The least probability of a reading that is kept, as records hold it;
    /// none: never asked. No reading reaches [`NOTHING_KEPT`].
    #[must_use]
    pub fn bar(self) -> Option<f64> {
        match self {
            Self::Always => Some(NOTHING_KEPT),
            Self::From(bar) => Some(bar),
            Self::Never => None,
        }
    }

    /// The other way round.
    #[must_use]
    pub fn of_bar(bar: Option<f64>) -> Self {
        match bar {
            None => Self::Never,
            Some(bar) if bar >= NOTHING_KEPT => Self::Always,
            Some(bar) => Self::From(bar),
        }
    }

    /// Whether a reading of this probability is kept.
    #[must_use]
    pub fn keeps(self, probability: f64) -> bool {
        match self {
            Self::Always | Self::Never => true,
            Self::From(bar) => probability >= bar,
        }
    }
}

/// The answer to readings: the first one, or a question. Only motions are asked
/// about: words do no harm, and what is unsafe stands.
#[must_use]
pub fn answer(readings: Vec<Reading>, asking: Asking) -> Option<PlanDraft> {
    let first = readings.first()?;
    let confidence = first.draft.confidence.min(first.probability);
    let kept = readings.iter().filter(|it| asking.keeps(it.probability));
    let is_sure = match asking {
        Asking::Never => true,
        Asking::Always => false,
        Asking::From(_) => kept.count() == 1 && asking.keeps(first.probability),
    };
    if first.draft.verdict == Verdict::Execute && !is_sure {
        return Some(doubt(&readings, asking).with_confidence(confidence));
    }
    let first = readings.into_iter().next()?;
    Some(first.draft.with_confidence(confidence))
}

/// The question which of the plans is meant: those that are kept, or the
/// likeliest ones where none is.
fn doubt(readings: &[Reading], asking: Asking) -> PlanDraft {
    let plans = readings
        .iter()
        .filter(|reading| reading.draft.verdict == Verdict::Execute);
    let kept = plans
        .clone()
        .filter(|reading| asking.keeps(reading.probability));
    let has_kept = kept.clone().count() > 0;
    let option = |reading: &Reading| PlanOption {
        label: reading.draft.tree.goal.clone(),
        steps: reading.draft.steps.clone(),
    };
    let mut options: Vec<PlanOption> = if has_kept {
        kept.take(MOST_OPTIONS).map(option).collect()
    } else {
        plans.take(MOST_OPTIONS).map(option).collect()
    };
    let question = match options.as_slice() {
        [only] => format!("Did you mean: {}?", only.label),
        _ => "I am not sure what you mean. Which of these?".to_owned(),
    };
    options.push(PlanOption {
        label: "none of these: leave everything as it is".to_owned(),
        steps: Vec::new(),
    });
    PlanDraft {
        is_correction: readings.first().is_some_and(|it| it.draft.is_correction),
        ..PlanDraft::ask(question, options)
    }
}

/// The readings, the one to follow first; none when no line can be read.
#[must_use]
pub fn readings(lines: &[ScoredLine], request: &PlanRequest) -> Vec<Reading> {
    let mut all: Vec<Reading> = Vec::new();
    let said = Said::in_sentence(&request.sentence);
    let weight = |line: &ScoredLine| line.probability * said.agreement(&line.line);
    let lines = with_plain_bowls(lines, &said);
    let total: f64 = lines.iter().map(weight).sum();
    for line in &lines {
        let Ok(draft) = compact::answer(&line.line, request) else {
            continue;
        };
        let share = weight(line) / total.max(f64::MIN_POSITIVE);
        match all.iter_mut().find(|known| is_same(&known.draft, &draft)) {
            Some(known) => known.probability += share,
            None => all.push(Reading {
                draft,
                line: line.line.clone(),
                probability: share,
            }),
        }
    }
    sort(&mut all);
    if let Some(prior) = all.first().and_then(prior)
        && !is_rather_unsafe(&all)
    {
        weigh(&mut all, prior);
    }
    all
}

fn sort(readings: &mut [Reading]) {
    readings.sort_by(|a, b| b.probability.total_cmp(&a.probability));
}

/// Whether what must not be done is likelier than every plan.
fn is_rather_unsafe(readings: &[Reading]) -> bool {
    let of = |verdict| {
        let found = readings.iter().find(|it| it.draft.verdict == verdict);
        found.map_or(0.0, |it| it.probability)
    };
    of(Verdict::Unsafe) > of(Verdict::Execute)
}

/// Lets the scene speak: what makes no sense in it weighs as little as `prior`
/// against plans, and questions lie between.
fn weigh(readings: &mut [Reading], prior: f64) {
    for reading in readings.iter_mut() {
        reading.probability *= match reading.draft.verdict {
            Verdict::Execute => 1.0,
            Verdict::Ask if !reading.draft.is_about_pronoun => QUESTION.max(prior),
            _ => prior,
        };
    }
    let total: f64 = readings.iter().map(|it| it.probability).sum();
    for reading in readings.iter_mut() {
        reading.probability /= total.max(f64::MIN_POSITIVE);
    }
    sort(readings);
}

/// The lines, and where one speaks of the bowl of the same colour without anyone
/// having spoken of colours that match, the same line with the bowl there is.
fn with_plain_bowls(lines: &[ScoredLine], said: &Said) -> Vec<ScoredLine> {
    let mut all = lines.to_vec();
    if said.speaks_of_matching {
        return all;
    }
    for line in lines.iter().filter(|line| line.line.contains(MATCHING)) {
        let plain = line.line.replace(MATCHING, "bowl");
        match all.iter_mut().find(|known| known.line == plain) {
            Some(known) => known.probability += line.probability,
            None => all.push(ScoredLine {
                line: plain,
                probability: line.probability,
            }),
        }
    }
    all
}

/// How little the likeliest reading weighs against a plan, for what it comes to;
/// none where it stands as it is. What is unsafe always stands, and so does a
/// wish that something be left alone: no motion comes out of it.
fn prior(first: &Reading) -> Option<f64> {
    let spares = first.line.contains("keep ");
    let is_command = first.line.starts_with("do ") && !spares;
    match first.draft.verdict {
        Verdict::Infeasible | Verdict::Chat if is_command => Some(IDLE),
        Verdict::Ask if is_command && first.draft.is_about_pronoun => Some(EMPTY_PRONOUN),
        Verdict::Infeasible if ["cannot skill", "cannot thing"].contains(&&*first.line) => {
            Some(REFUSAL)
        }
        _ => None,
    }
}

/// Whether two answers come to the same.
#[must_use]
pub fn is_same(a: &PlanDraft, b: &PlanDraft) -> bool {
    let options = |draft: &PlanDraft| -> Vec<Vec<Step>> {
        draft.options.iter().map(|it| it.steps.clone()).collect()
    };
    let is_same = a.verdict == b.verdict && a.steps == b.steps && options(a) == options(b);
    // Refusals and talk come to the same where they say the same.
    is_same && (!a.steps.is_empty() || !a.options.is_empty() || a.say == b.say)
}

#[cfg(test)]
mod tests {
    use vola_types::Scene;

    use super::*;

    fn read(sentence: &str, lines: &[(&str, f64)]) -> Vec<Reading> {
        let scene = r#"{"objects":[
            {"id":"red_block","kind":"block","color":"red","position":[0.4,0.1,0.02],"on":"table"},
            {"id":"blue_block","kind":"block","color":"blue","position":[0.4,-0.1,0.02],"on":"table"}
        ]}"#;
        let request = PlanRequest::new(sentence, Scene::from_json(scene).unwrap());
        let scored = |(line, probability): &(&str, f64)| ScoredLine {
            line: (*line).to_owned(),
            probability: *probability,
        };
        let lines: Vec<ScoredLine> = lines.iter().map(scored).collect();
        readings(&lines, &request)
    }

    fn verdict(lines: &[(&str, f64)]) -> Verdict {
        answer(read("", lines), Asking::Never).unwrap().verdict
    }

    #[test]
    fn only_one_kept_reading_is_carried_out_unasked() {
        let (red, blue) = ("do take red block", "do take blue block");
        let lines = |p: f64| read("take it", &[(red, p), (blue, 1.0 - p)]);
        for (p, asking, wanted, options) in [
            (0.9, Asking::From(0.5), Verdict::Execute, 0),
            // Both are kept.
            (0.6, Asking::From(0.3), Verdict::Ask, 3),
            // None is kept.
            (0.6, Asking::From(0.7), Verdict::Ask, 3),
            // Nothing is known about the model.
            (1.0, Asking::Always, Verdict::Ask, 3),
            (0.6, Asking::Never, Verdict::Execute, 0),
            (0.9, Asking::From(f64::NAN), Verdict::Ask, 3),
        ] {
            let draft = answer(lines(p), asking).unwrap();
            assert_eq!(draft.verdict, wanted, "{p} {asking:?}");
            assert_eq!(draft.options.len(), options, "{p} {asking:?}");
        }
        let alone = answer(read("", &[(red, 0.4)]), Asking::Always).unwrap();
        assert!(
            alone.say.starts_with("Did you mean: pick up"),
            "{}",
            alone.say
        );
        let words = answer(read("", &[("chat greet", 0.4)]), Asking::Always).unwrap();
        assert_eq!(words.verdict, Verdict::Chat);
    }

    #[test]
    fn the_bowl_is_not_that_of_the_same_colour_unless_that_was_said() {
        let lines = [("do put red block in matching bowl", 0.9)];
        let first = |sentence: &str| read(sentence, &lines)[0].line.clone();
        assert_eq!(
            first("the red block into the bowl"),
            "do put red block in bowl"
        );
        assert_eq!(first("into the bowl of its colour"), lines[0].0);
    }

    #[test]
    fn a_line_with_the_colours_that_were_said_comes_first() {
        let lines = [("do take blue block", 0.7), ("do take red block", 0.3)];
        assert_eq!(read("pick up the red one", &lines)[0].line, lines[1].0);
        assert_eq!(read("pick up that one", &lines)[0].line, lines[0].0);
    }

    #[test]
    fn what_is_not_there_gives_way_and_a_wish_to_do_nothing_does_not() {
        let take = "do take red block";
        assert_eq!(
            verdict(&[("do take pink block", 0.7), (take, 0.3)]),
            Verdict::Execute
        );
        assert_eq!(
            verdict(&[("do take pink block", 0.95), (take, 0.05)]),
            Verdict::Infeasible
        );
        for standing in ["do keep red block", "unsafe throw", "chat nothing"] {
            assert_ne!(
                verdict(&[(standing, 0.55), (take, 0.45)]),
                Verdict::Execute,
                "{standing}"
            );
        }
    }
}
