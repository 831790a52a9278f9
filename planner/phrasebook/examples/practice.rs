//! Where the `rules` back end fails on phrases it was not built from:
//! `cargo run --example practice -- COUNT [CLASS] [PART] [nouns|-] [en|ur|ur-latn]`.
//!
//! Of the training books' phrases every fifth is kept from the reader, and the
//! exercises are put together from those. So what is found here is about new
//! wordings, and the held-out books are not looked at. (With `examination` as the
//! class it is about those, and only the shares of each class are shown.) Failures are printed one
//! a line: class, cause, sentence, meaning, and what was read instead.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vola_phrasebook::{Book, Exercise, Language, PhraseReader, Sampler, Split, exercise};
use vola_planner::{PlanDraft, ReadContext, Reading, RulesBackend, SentenceReader};
use vola_types::{Step, Verdict};

/// A reader that says names plainly and reads nothing.
#[derive(Debug)]
struct OnlyPlain(Arc<PhraseReader>);

impl SentenceReader for OnlyPlain {
    fn read(&self, _: &str, _: ReadContext) -> Vec<Reading> {
        Vec::new()
    }

    fn plain(&self, sentence: &str) -> Vec<String> {
        self.0.plain(sentence)
    }
}

/// Of so many phrases one is kept back.
const PARTS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().unwrap_or_default().parse().unwrap_or(500);
    let wanted = arguments.next().unwrap_or_else(|| "all".to_owned());
    let part: usize = arguments.next().unwrap_or_default().parse().unwrap_or(2);
    let are_nouns_new = arguments.next().as_deref() == Some("nouns");
    let (language, folder) = match arguments.next().as_deref() {
        Some("ur") => (Language::Urdu, "ur"),
        Some("ur-latn") => (Language::RomanUrdu, "ur-latn"),
        _ => (Language::English, "en"),
    };
    let is_examination = wanted == "examination";
    let (reader, sampler) = if is_examination {
        (PhraseReader::new(), Sampler::new(Split::HeldOut)?)
    } else {
        let (known, kept_back) = divided(folder, part, are_nouns_new)?;
        let reader = PhraseReader::of(&[(language, known)]);
        (reader, Sampler::of(language, kept_back))
    };
    let examinee = Examinee::of(reader);
    let mut seed = 7_000;
    let mut report = Report {
        is_secret: is_examination,
        ..Report::default()
    };
    let mut done = 0;
    while done < count {
        // Each by itself, so that a change of one exercise leaves the others as they are.
        seed += 1;
        let one = exercise(&sampler, &mut fastrand::Rng::with_seed(seed));
        if is_examination
            || wanted == "all"
            || one.class == wanted
            || one.also.contains(&wanted.as_str())
        {
            done += 1;
            report.note(&examinee, &one);
        }
    }
    report.print();
    Ok(())
}

/// The back end, and parts of it.
struct Examinee {
    reader: Arc<PhraseReader>,
    rules: RulesBackend,
    grammar: RulesBackend,
    plainly: RulesBackend,
}

impl Examinee {
    fn of(reader: PhraseReader) -> Self {
        let reader = Arc::new(reader);
        Self {
            rules: RulesBackend::new().with_reader(reader.clone()),
            grammar: RulesBackend::new(),
            plainly: RulesBackend::new().with_reader(Arc::new(OnlyPlain(reader.clone()))),
            reader,
        }
    }

    /// Which part answers so.
    fn answered_by(&self, one: &Exercise, draft: &PlanDraft) -> &'static str {
        if self.grammar.answer(&one.request) == *draft {
            "grammar"
        } else if self.plainly.answer(&one.request) == *draft {
            "plain"
        } else {
            "reader"
        }
    }
}

/// What came of the exercises.
#[derive(Default)]
struct Report {
    /// By class: all, right, acted on and wrong.
    tallies: BTreeMap<String, [usize; 3]>,
    times: Vec<Duration>,
    /// The sentences are not shown.
    is_secret: bool,
}

impl Report {
    fn note(&mut self, examinee: &Examinee, one: &Exercise) {
        let begun = Instant::now();
        let draft = examinee.rules.answer(&one.request);
        self.times.push(begun.elapsed());
        let is_right = is_right(&draft, one);
        let acts = draft.verdict == Verdict::Execute;
        let by = examinee.answered_by(one, &draft);
        let context = ReadContext {
            has_command: one.request.dialogue.last.is_some(),
            has_question: one.request.dialogue.question.is_some(),
        };
        let lines = examinee.reader.read(&one.sample.sentence, context);
        let far = lines.first().map_or(0.0, |it| it.distance.min(9.0));
        let line = lines.first().map_or("", |it| it.line.as_str());
        let clauses = line.matches(';').count() + 1;
        let classes = one.also.iter().copied().chain([one.class, "= all"]);
        for class in classes {
            self.count(class.to_owned(), is_right, acts);
        }
        let tag = one.sample.language.tag();
        self.count(format!("{} {tag}", one.class), is_right, acts);
        let verdict = format!("{:?}", one.expected.verdict);
        self.count(
            format!("expects {verdict}"),
            draft.verdict == one.expected.verdict,
            false,
        );
        match (acts, by) {
            _ if self.is_secret => {}
            (true, "reader") => {
                self.count(
                    format!("acts by reader, clauses {clauses}, far {far:.0}"),
                    is_right,
                    acts,
                );
            }
            (true, _) => self.count(format!("acts by {by}, {}", one.class), is_right, acts),
            (false, _) if draft.verdict == Verdict::Ask => {
                let offered = draft.options.first().map(|option| effects(&option.steps));
                let is_offered = offered == Some(effects(&one.expected.steps));
                self.count(
                    format!("asks, clauses {clauses}, far {far:.0}"),
                    is_offered,
                    false,
                );
            }
            _ => {}
        }
        if !is_right && !self.is_secret {
            let plain = examinee.reader.plain(&one.sample.sentence);
            println!(
                "{}\t{:?}->{:?} by {by}\t{}\n\tmeant {}\n\tread  {line}\n\tsays  {}\n\tplain {}",
                one.class,
                one.expected.verdict,
                draft.verdict,
                one.sample.sentence,
                one.sample.meaning,
                draft.say,
                plain.get(2).or(plain.first()).map_or("", String::as_str),
            );
        }
    }

    fn count(&mut self, class: String, is_right: bool, acts: bool) {
        let tally = self.tallies.entry(class).or_default();
        tally[0] += 1;
        tally[1] += usize::from(is_right);
        tally[2] += usize::from(acts && !is_right);
    }

    fn print(mut self) {
        self.times.sort_unstable();
        let at = |share: usize| {
            let place = self.times.len() * share / 100;
            self.times.get(place).copied().unwrap_or_default()
        };
        println!(
            "## time p50 {:?}, p90 {:?}, p99 {:?}",
            at(50),
            at(90),
            at(99)
        );
        for (class, [all, right, wrong_acts]) in self.tallies {
            println!(
                "## {class:<36} {right:>5} of {all:<5} {:>5.1} %   wrong acts {wrong_acts}",
                percent(right, all)
            );
        }
    }
}

fn percent(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

/// A training book without every fifth phrase, and a book of those.
fn divided(folder: &str, part: usize, are_nouns_new: bool) -> Result<(Book, Book), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
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
