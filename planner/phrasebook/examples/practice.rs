//! Where the `rules` back end fails on phrases it was not built from:
//! `cargo run --example practice -- COUNT [CLASS] [PART]`.
//!
//! Of the training books' phrases every fifth is kept from the reader, and the
//! exercises are put together from those. So what is found here is about new
//! wordings, and the held-out books are not looked at. Failures are printed one
//! a line: class, cause, sentence, meaning, and what was read instead.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use vola_phrasebook::{Book, Exercise, Language, PhraseReader, Sampler, exercise};
use vola_planner::{PlanDraft, ReadContext, RulesBackend, SentenceReader};
use vola_types::{Step, Verdict};

/// Of so many phrases one is kept back.
const PARTS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().unwrap_or_default().parse().unwrap_or(500);
    let wanted = arguments.next().unwrap_or_else(|| "all".to_owned());
    let part: usize = arguments.next().unwrap_or_default().parse().unwrap_or(2);
    let are_nouns_new = arguments.next().as_deref() == Some("nouns");
    let (known, kept_back) = divided(part, are_nouns_new)?;
    let reader = Arc::new(PhraseReader::of(&[(Language::English, known)]));
    let sampler = Sampler::of(Language::English, kept_back);
    let rules = RulesBackend::new().with_reader(reader.clone());
    let grammar = RulesBackend::new();
    let mut rng = fastrand::Rng::with_seed(7);
    let mut tallies: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut done = 0;
    while done < count {
        let one = exercise(&sampler, &mut rng);
        if wanted != "all" && one.class != wanted && !one.also.contains(&wanted.as_str()) {
            continue;
        }
        done += 1;
        let draft = rules.answer(&one.request);
        let is_right = is_right(&draft, &one);
        let acts = draft.verdict == Verdict::Execute;
        let classes = one.also.iter().copied().chain([one.class, "= all"]);
        for class in classes {
            let tally = tallies.entry(class.to_owned()).or_default();
            tally[0] += 1;
            tally[1] += usize::from(is_right);
            tally[2] += usize::from(acts && !is_right);
        }
        let context = ReadContext {
            has_command: one.request.dialogue.last.is_some(),
            has_question: one.request.dialogue.question.is_some(),
        };
        let is_by_grammar = grammar.answer(&one.request) == draft;
        let by = if is_by_grammar { "grammar" } else { "reader" };
        let lines = reader.read(&one.sample.sentence, context);
        if acts {
            let far = lines.first().map_or(0.0, |it| it.distance.min(9.0));
            let name = if is_by_grammar {
                "acts by grammar".to_owned()
            } else {
                let line = lines.first().map_or("", |it| it.line.as_str());
                let clauses = line.matches(';').count() + 1;
                format!("acts, clauses {clauses}, far {far:.0}")
            };
            let tally = tallies.entry(name).or_default();
            tally[0] += 1;
            tally[1] += usize::from(is_right);
        }
        if !is_right {
            let line = lines.first().map_or("", |it| it.line.as_str());
            let mut plain = one.request.clone();
            plain.sentence = reader.plain(&one.sample.sentence).unwrap_or_default();
            let stop = grammar.answer(&plain).say;
            println!(
                "{}\t{:?}->{:?} by {by}\t{}\n\tmeant {}\n\tread  {line}\n\tsays  {}\n\tplain {} ({stop})",
                one.class,
                one.expected.verdict,
                draft.verdict,
                one.sample.sentence,
                one.sample.meaning,
                draft.say,
                plain.sentence,
            );
        }
    }
    for (class, [all, right, wrong_acts]) in tallies {
        println!(
            "## {class:<24} {right:>5} of {all:<5} {:>5.1} %   wrong acts {wrong_acts}",
            percent(right, all)
        );
    }
    Ok(())
}

fn percent(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

/// The English training book without every fifth phrase, and a book of those.
fn divided(part: usize, are_nouns_new: bool) -> Result<(Book, Book), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("en");
    let mut names: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|it| it.path()))
        .collect::<Result<_, _>>()?;
    names.retain(|path| !path.to_string_lossy().contains("held_out"));
    names.sort();
    let (mut known, mut kept_back) = (Book::default(), Book::default());
    for path in names {
        let text = std::fs::read_to_string(&path)?;
        let name = path.to_string_lossy();
        let (mut mine, mut other) = (String::new(), String::new());
        let mut is_words = false;
        for (number, line) in text.lines().enumerate() {
            let sign = line.split(' ').next().unwrap_or_default();
            let is_header = ["=", "~", "@", "%", "^", "^f", "^s", "^r"].contains(&sign)
                && line.len() > sign.len();
            if is_header {
                is_words = sign == "%" || (sign == "@" && !are_nouns_new);
            }
            let is_shared =
                is_header || is_words || line.trim().is_empty() || line.starts_with("# ");
            if is_shared || number % PARTS != part {
                mine.push_str(line);
                mine.push('\n');
            }
            if is_shared || number % PARTS == part {
                other.push_str(line);
                other.push('\n');
            }
        }
        known.add(&name, &mine)?;
        kept_back.add(&name, &other)?;
    }
    kept_back.sentences.retain(|section| !section.is_empty());
    kept_back.clauses.retain(|section| !section.is_empty());
    kept_back.nouns.retain(|section| !section.is_empty());
    Ok((known, kept_back))
}

fn is_right(draft: &PlanDraft, one: &Exercise) -> bool {
    draft.verdict == one.expected.verdict && effects(&draft.steps) == effects(&one.expected.steps)
}

/// Steps without the picks that end in a place.
fn effects(steps: &[Step]) -> Vec<Step> {
    let is_placed = |object: &str| {
        let places = |step: &Step| matches!(step, Step::Place { object: o, .. } if o == object);
        steps.iter().any(places)
    };
    let mut left = steps.to_vec();
    left.retain(|step| !matches!(step, Step::Pick { object } if is_placed(object)));
    left
}
