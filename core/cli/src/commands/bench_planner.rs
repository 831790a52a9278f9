//! `vola bench planner`: what the planner's local model costs here.

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use vola_language_model::{LanguageModel, LocalSettings, Reader};
use vola_planner::PlanRequest;
use vola_types::Scene;

use crate::{arguments::SharedArguments, failure::Failure, output::Console, workplace::Workplace};

/// What is planned over: a table with a few things.
const SCENE: &str = r#"{"objects":[
 {"id":"red_block","kind":"block","color":"red","position":[0.42,-0.10,0.02],"on":"table"},
 {"id":"green_block","kind":"block","color":"green","position":[0.38,0.12,0.02],"on":"table"},
 {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.50,0.15,0.03],"on":"table"}],
 "regions":["left side","middle","right side"],"gripper":{"holding":null,"open":true}}"#;
/// The first one also reads the instructions.
const SENTENCES: [&str; 4] = [
    "could you get the red one into the bowl for me?",
    "now shove the green block away from you a little",
    "open your hand please",
    "the thing on the right belongs on the green block",
];

/// What came out (s, tokens).
struct Measured {
    opened: f64,
    reading: f64,
    writing: f64,
    tokens: usize,
    /// Of keys and values, a token.
    token_bytes: usize,
    sentences: Vec<Sentence>,
}

struct Sentence {
    seconds: f64,
    read: usize,
    known: usize,
    written: usize,
}

/// Runs the bench: opens the model, reads and writes tokens without a grammar,
/// and plans sentences under one.
pub(super) fn run(
    shared: &SharedArguments,
    model: Option<&Path>,
    tokens: usize,
    console: Console,
) -> Result<(), Failure> {
    let settings = match model {
        Some(model) => LocalSettings {
            model: model.to_owned(),
            max_tokens: None,
            lines: 4,
        },
        None => settings(shared)?,
    };
    let measured = measure(&settings, tokens)?;
    let threads = std::env::var("CANDLE_NUM_THREADS").unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "counts of tokens")]
    let rate = |seconds: f64| measured.tokens as f64 / seconds;
    if console.is_json() {
        let sentences: Vec<_> = measured
            .sentences
            .iter()
            .map(|it| json!({"seconds": it.seconds, "read": it.read, "known": it.known, "written": it.written}))
            .collect();
        return console.object(&json!({
            "bench": "planner", "model": settings.model, "lines": settings.lines, "threads": threads,
            "open_seconds": measured.opened, "tokens": measured.tokens,
            "token_bytes": measured.token_bytes,
            "read_tokens_per_second": rate(measured.reading),
            "written_tokens_per_second": rate(measured.writing),
            "sentences": sentences,
        }));
    }
    console.line(&format!(
        "{}, {threads} threads: opened in {:.2} s; reads {:.1} and writes {:.1} tokens a second; a token takes {} bytes",
        settings.model.display(),
        measured.opened,
        rate(measured.reading),
        rate(measured.writing),
        measured.token_bytes,
    ))?;
    for (index, it) in measured.sentences.iter().enumerate() {
        console.line(&format!(
            "sentence {}: {:.3} s; {} tokens of the prompt, {} of them known, {} written in {} lines",
            index + 1,
            it.seconds,
            it.read,
            it.known,
            it.written,
            settings.lines,
        ))?;
    }
    Ok(())
}

/// The deployment's model.
fn settings(shared: &SharedArguments) -> Result<LocalSettings, Failure> {
    let workplace = Workplace::open(shared)?;
    let local = workplace.deployment().planner().local();
    let model = local.model().ok_or_else(|| Failure::Argument {
        argument: "planner".to_owned(),
        expected: "a deployment with `[planner.local] model`, or `--model PATH`".to_owned(),
        got: "neither".to_owned(),
        help: "name a GGUF file or a model's folder".to_owned(),
    })?;
    Ok(LocalSettings {
        model: model.to_owned(),
        max_tokens: None,
        lines: local.lines(),
    })
}

fn measure(settings: &LocalSettings, tokens: usize) -> Result<Measured, Failure> {
    let started = Instant::now();
    let mut reader = Reader::open(settings)?;
    let opened = started.elapsed().as_secs_f64();
    let (reading, writing) = speed(reader.model(), tokens)?;
    let scene = Scene::from_json(SCENE).map_err(|error| Failure::Argument {
        argument: "planner".to_owned(),
        expected: "a scene".to_owned(),
        got: error.to_string(),
        help: "this is a fault of the program".to_owned(),
    })?;
    let mut sentences = Vec::new();
    for sentence in SENTENCES {
        let request = PlanRequest::new(sentence, scene.clone());
        let started = Instant::now();
        let lines = reader.lines(&request)?;
        sentences.push(Sentence {
            seconds: started.elapsed().as_secs_f64(),
            read: lines.first().map_or(0, |line| line.read),
            known: lines.first().map_or(0, |line| line.known),
            written: lines.iter().map(|line| line.probabilities.len()).sum(),
        });
    }
    Ok(Measured {
        opened,
        reading,
        writing,
        tokens,
        token_bytes: reader.model().token_bytes(),
        sentences,
    })
}

/// Seconds of reading so many tokens, and of writing as many. A first round
/// brings the weights into memory and does not count.
fn speed(model: &LanguageModel, tokens: usize) -> Result<(f64, f64), Failure> {
    let prompt = model.tokens(&"put the red block in the bowl and ".repeat(tokens))?;
    let prompt = prompt.get(..tokens).unwrap_or(&prompt);
    model.run_freely(prompt, 2, &mut || {})?;
    let started = Instant::now();
    let mut marks = Vec::with_capacity(tokens + 1);
    model.run_freely(prompt, tokens, &mut || {
        marks.push(started.elapsed().as_secs_f64());
    })?;
    let read = marks.first().copied().unwrap_or_default();
    let all = marks.last().copied().unwrap_or_default();
    Ok((read, all - read))
}
