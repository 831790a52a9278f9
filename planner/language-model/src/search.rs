//! Beam search under a grammar: the likeliest lines a model may write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use llguidance::Matcher;

use crate::decoder::{Cache, Decoder, Sequence};
use crate::vocabulary::Vocabulary;
use crate::{LanguageModelError, Result};

/// What a completion may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Most tokens of a line.
    pub tokens: usize,
    /// How many lines. They are written together, so that more cost a large
    /// model little.
    pub lines: usize,
    /// When to give up.
    pub deadline: Option<Instant>,
    /// Set from outside when nobody waits any more.
    pub is_cancelled: &'a AtomicBool,
}

impl Limits<'_> {
    /// Whether to give up now.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
            || self.deadline.is_some_and(|end| Instant::now() >= end)
    }
}

/// A line in the making.
pub(crate) struct Beam {
    cache: Cache,
    matcher: Matcher,
    /// Of the next token.
    logits: Vec<f32>,
    pub(crate) written: Vec<u32>,
    pub(crate) probabilities: Vec<f32>,
    log_probability: f64,
}

impl Beam {
    /// The beginning of all lines: a prompt was read.
    pub(crate) fn new(cache: Cache, matcher: Matcher, logits: Vec<f32>) -> Self {
        Self {
            cache,
            matcher,
            logits,
            written: Vec::new(),
            probabilities: Vec::new(),
            log_probability: 0.0,
        }
    }

    /// The same line and one token more, whose logits are not known yet.
    fn with(&self, next: &Candidate) -> Self {
        let mut probabilities = self.probabilities.clone();
        probabilities.push(next.share);
        Self {
            cache: self.cache.clone(),
            matcher: self.matcher.deep_clone(),
            logits: Vec::new(),
            written: self.written.clone(),
            probabilities,
            log_probability: next.log_probability,
        }
    }
}

/// A beam and a token that it may go on with.
struct Candidate {
    beam: usize,
    token: u32,
    /// Among the tokens that the grammar allows.
    share: f32,
    log_probability: f64,
}

/// What searches.
pub(crate) struct Search<'a> {
    pub(crate) decoder: &'a Decoder,
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) limits: Limits<'a>,
}

impl Search<'_> {
    /// Lines that ended, and whether by the grammar; the likeliest first. When
    /// none has ended in time, the likeliest unfinished one.
    ///
    /// # Errors
    /// A failing network or grammar.
    pub(crate) fn run(&self, first: Beam) -> Result<Vec<(Beam, bool)>> {
        let width = self.limits.lines.max(1);
        let mut live = vec![first];
        let mut ended: Vec<(Beam, bool)> = Vec::new();
        for _ in 0..self.limits.tokens {
            if live.is_empty() || self.limits.is_over() {
                break;
            }
            let mut next = self.candidates(&mut live, width)?;
            next.truncate(width - ended.len().min(width - 1));
            let mut grown = self.grow(&live, &next, &mut ended)?;
            match self.read(&mut grown) {
                Ok(()) => live = grown,
                Err(LanguageModelError::Interrupted) => break,
                Err(error) => return Err(error),
            }
            // What is less likely than enough lines that have ended stays behind.
            ended.sort_by(|a, b| b.0.log_probability.total_cmp(&a.0.log_probability));
            if let Some((worst, _)) = ended.get(width - 1) {
                let bar = worst.log_probability;
                live.retain(|beam| beam.log_probability > bar);
            }
        }
        if ended.is_empty() {
            ended.extend(live.into_iter().map(|beam| (beam, false)).take(1));
        }
        ended.truncate(width);
        Ok(ended)
    }

    /// Every beam by every token it may go on with, the likeliest first.
    fn candidates(&self, live: &mut [Beam], width: usize) -> Result<Vec<Candidate>> {
        let mut next = Vec::new();
        for (index, beam) in live.iter_mut().enumerate() {
            let mask = beam.matcher.compute_mask_or_eos();
            let mask = mask.map_err(|error| broken(&error))?;
            let allowed = |token: usize| mask.is_allowed(u32::try_from(token).unwrap_or(u32::MAX));
            for (token, share) in best(&beam.logits, allowed, width) {
                let own = f64::from(share.max(f32::MIN_POSITIVE)).ln();
                next.push(Candidate {
                    beam: index,
                    token,
                    share,
                    log_probability: beam.log_probability + own,
                });
            }
        }
        next.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
        Ok(next)
    }

    /// The beams that go on; those that end here are put with the others.
    fn grow(
        &self,
        live: &[Beam],
        next: &[Candidate],
        ended: &mut Vec<(Beam, bool)>,
    ) -> Result<Vec<Beam>> {
        let mut grown = Vec::with_capacity(next.len());
        for candidate in next {
            let mut beam = live[candidate.beam].with(candidate);
            if self.vocabulary.ends(candidate.token) {
                ended.push((beam, true));
                continue;
            }
            let consumed = beam.matcher.consume_token(candidate.token);
            consumed.map_err(|error| broken(&error))?;
            beam.written.push(candidate.token);
            if beam.matcher.is_stopped() {
                ended.push((beam, true));
            } else {
                grown.push(beam);
            }
        }
        Ok(grown)
    }

    /// Reads the last token of every beam, in one step.
    fn read(&self, grown: &mut [Beam]) -> Result<()> {
        if grown.is_empty() {
            return Ok(());
        }
        let last: Vec<[u32; 1]> = grown
            .iter()
            .map(|beam| [beam.written.last().copied().unwrap_or_default()])
            .collect();
        let mut batch: Vec<Sequence<'_>> = grown
            .iter_mut()
            .zip(&last)
            .map(|(beam, tokens)| Sequence {
                cache: &mut beam.cache,
                tokens,
            })
            .collect();
        let logits = self.decoder.step(&mut batch, &|| self.limits.is_over())?;
        for (beam, logits) in grown.iter_mut().zip(logits) {
            beam.logits = logits;
        }
        Ok(())
    }
}

fn broken(error: &impl ToString) -> LanguageModelError {
    LanguageModelError::Grammar {
        reason: error.to_string(),
    }
}

/// The likeliest allowed tokens with their shares among the allowed.
fn best(logits: &[f32], allowed: impl Fn(usize) -> bool, count: usize) -> Vec<(u32, f32)> {
    let mut candidates: Vec<(usize, f32)> = logits
        .iter()
        .copied()
        .enumerate()
        .filter(|(token, logit)| logit.is_finite() && allowed(*token))
        .collect();
    let Some(top) = candidates.iter().map(|it| it.1).max_by(f32::total_cmp) else {
        return Vec::new();
    };
    let sum: f32 = candidates
        .iter()
        .map(|(_, logit)| (logit - top).exp())
        .sum();
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    candidates
        .into_iter()
        .take(count)
        .filter_map(|(token, logit)| Some((u32::try_from(token).ok()?, (logit - top).exp() / sum)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::opening::{self, Opened};

    const GRAMMAR: &str =
        r#"start: "do " ("take " | "push ") ("red" | "blue" | "green") " " ("block" | "bowl")"#;
    const FILES: [&str; 9] = [
        "llama",
        "qwen2",
        "qwen2.q8.gguf",
        "qwen3.gguf",
        "qwen3",
        "gemma.gguf",
        "gemma2",
        "gemma3.gguf",
        "phi3",
    ];

    fn open(name: &str) -> Opened {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
        opening::open(&folder.join(name)).unwrap()
    }

    fn lines(model: &Opened, prompt: &[u32], lines: usize) -> Vec<Beam> {
        let mut cache = model.decoder.cache();
        let logits = model.decoder.read(&mut cache, prompt, &|| false).unwrap();
        let search = Search {
            decoder: &model.decoder,
            vocabulary: &model.vocabulary,
            limits: Limits {
                tokens: 40,
                lines,
                deadline: None,
                is_cancelled: &AtomicBool::new(false),
            },
        };
        let matcher = model.vocabulary.constrain(GRAMMAR).unwrap();
        cache.freeze();
        let ended = search.run(Beam::new(cache, matcher, logits)).unwrap();
        assert!(ended.iter().all(|(_, is_whole)| *is_whole));
        ended.into_iter().map(|(beam, _)| beam).collect()
    }

    /// Tokens and shares of a line when everything is read anew for each of its
    /// tokens; `choose` takes the next one, none for the likeliest.
    fn anew(model: &Opened, prompt: &[u32], line: Option<&[u32]>) -> (Vec<u32>, Vec<f32>) {
        let mut matcher = model.vocabulary.constrain(GRAMMAR).unwrap();
        let (mut written, mut shares) = (Vec::new(), Vec::new());
        loop {
            let all = [prompt, &written[..]].concat();
            let mut cache = model.decoder.cache();
            let logits = model.decoder.read(&mut cache, &all, &|| false).unwrap();
            let mask = matcher.compute_mask_or_eos().unwrap();
            let allowed = |token: usize| mask.is_allowed(token as u32);
            let next = best(&logits, allowed, logits.len());
            let wanted = line.map(|line| line.get(written.len()).copied());
            let (token, share) = match wanted {
                None => next[0],
                Some(Some(token)) => *next.iter().find(|it| it.0 == token).unwrap(),
                // Behind the line stands whichever end is likeliest.
                Some(None) => *next.iter().find(|it| model.vocabulary.ends(it.0)).unwrap(),
            };
            shares.push(share);
            if model.vocabulary.ends(token) {
                return (written, shares);
            }
            matcher.consume_token(token).unwrap();
            written.push(token);
            if matcher.is_stopped() {
                return (written, shares);
            }
        }
    }

    fn assert_near(name: &str, a: &[f32], b: &[f32]) {
        assert_eq!(a.len(), b.len(), "{name}");
        let pairs = a.iter().zip(b);
        let off = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // Many rows are multiplied by unpacked weights, few are rounded.
        let most = if name.contains("q8") { 0.05 } else { 1e-4 };
        assert!(off < most, "{name}: {off}");
    }

    #[test]
    fn one_beam_is_the_greedy_line() {
        for name in FILES {
            let model = open(name);
            let prompt = model.vocabulary.encode("take the red block").unwrap();
            let beams = lines(&model, &prompt, 1);
            let (written, shares) = anew(&model, &prompt, None);
            assert_eq!(beams[0].written, written, "{name}");
            assert_near(name, &beams[0].probabilities, &shares);
        }
    }

    /// What one beam reads is not in the memory of another.
    #[test]
    fn beams_say_what_each_line_alone_says() {
        for name in FILES {
            let model = open(name);
            let prompt = model.vocabulary.encode("take the red block").unwrap();
            let beams = lines(&model, &prompt, 4);
            assert_eq!(beams.len(), 4, "{name}");
            for beam in &beams {
                let (written, shares) = anew(&model, &prompt, Some(&beam.written));
                assert_eq!(beam.written, written, "{name}");
                assert_near(name, &beam.probabilities, &shares);
                // Of its own a beam has its line, not the prompt.
                let bytes = beam.cache.own_bytes();
                assert!(bytes <= beam.written.len() * model.decoder.position_bytes());
            }
        }
    }
}
