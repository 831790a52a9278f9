//! Rotary positions: pairs of a head's numbers turned by an angle.

use std::f64::consts::PI;

use super::names::Part;
use super::settings::{Form, Key, Settings};
use super::weights::Weights;
use crate::Result;

const KIND: Key = Key(
    &[
        "rope_scaling.rope_type",
        "rope_scaling.type",
        "rope_parameters.rope_type",
        "rope_parameters.full_attention.rope_type",
    ],
    "rope.scaling.type",
);
const FACTOR: Key = Key(
    &[
        "rope_scaling.factor",
        "rope_parameters.factor",
        "rope_parameters.full_attention.factor",
    ],
    "rope.scaling.factor",
);
const BASE: Key = Key(
    &[
        "rope_theta",
        "rope_parameters.rope_theta",
        "rope_parameters.full_attention.rope_theta",
    ],
    "rope.freq_base",
);
const LOCAL_BASE: Key = Key(
    &[
        "rope_local_base_freq",
        "rope_parameters.sliding_attention.rope_theta",
    ],
    "rope.freq_base_swa",
);
const LOW: Key = Key(
    &[
        "rope_scaling.low_freq_factor",
        "rope_parameters.low_freq_factor",
    ],
    "",
);
const HIGH: Key = Key(
    &[
        "rope_scaling.high_freq_factor",
        "rope_parameters.high_freq_factor",
    ],
    "",
);
const SHORT: Key = Key(
    &["rope_scaling.short_factor", "rope_parameters.short_factor"],
    "",
);
const PART: Key = Key(
    &[
        "partial_rotary_factor",
        "rope_parameters.partial_rotary_factor",
    ],
    "",
);
const DIMENSIONS: Key = Key(&[], "rope.dimension_count");
const ATTENTION_FACTOR: Key = Key(
    &[
        "rope_scaling.attention_factor",
        "rope_parameters.attention_factor",
    ],
    "rope.scaling.attn_factor",
);
const WIDEST_FACTOR: Key = Key(&["max_position_embeddings"], "context_length");
/// Context before a long-context scaling.
pub(super) const ORIGINAL: Key = Key(
    &[
        "rope_scaling.original_max_position_embeddings",
        "rope_parameters.original_max_position_embeddings",
        "original_max_position_embeddings",
    ],
    "rope.scaling.original_context_length",
);

/// Which numbers of a head form a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pairs {
    /// `i` and `i + half`.
    Halves,
    /// `2 i` and `2 i + 1`: GGUF files of the Llama family are permuted so.
    Neighbours,
}

/// Angles of one kind of layer.
#[derive(Clone, Debug)]
pub(super) struct Rotary {
    /// Radians a position, of each pair.
    frequencies: Vec<f32>,
    pairs: Pairs,
    /// Times cosine and sine.
    scale: f32,
}

impl Rotary {
    /// The angles of layers that see everything.
    ///
    /// # Errors
    /// A scaling that is not known, or settings out of range.
    pub(super) fn read(
        settings: &Settings,
        weights: &mut dyn Weights,
        head: usize,
        is_llama: bool,
    ) -> Result<Self> {
        let base = settings.positive(BASE)?.unwrap_or(10_000.0);
        let turned = turned(settings, head)?;
        let mut rotary = Self::plain(base, turned);
        if settings.form() == Form::Gguf && is_llama {
            rotary.pairs = Pairs::Neighbours;
        }
        rotary.scale_frequencies(settings)?;
        if settings.form() == Form::Gguf {
            rotary.take_factors(settings, weights)?;
        }
        Ok(rotary)
    }

    /// The angles of layers that see a window, where these have their own.
    ///
    /// # Errors
    /// Settings out of range.
    pub(super) fn local(settings: &Settings, head: usize) -> Result<Self> {
        let base = settings.positive(LOCAL_BASE)?.unwrap_or(10_000.0);
        Ok(Self::plain(base, head))
    }

    fn plain(base: f64, turned: usize) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "sizes of heads")]
        let frequency = |pair: usize| base.powf(-2.0 * pair as f64 / turned as f64) as f32;
        Self {
            frequencies: (0..turned / 2).map(frequency).collect(),
            pairs: Pairs::Halves,
            scale: 1.0,
        }
    }

    fn divide(&mut self, factors: &[f32]) {
        for (frequency, factor) in self.frequencies.iter_mut().zip(factors) {
            *frequency /= factor;
        }
    }

    /// A GGUF file has the results of a scaling instead of its settings.
    fn take_factors(&mut self, settings: &Settings, weights: &mut dyn Weights) -> Result<()> {
        for part in [Part::RotaryFactors, Part::RotaryShortFactors] {
            if weights.has(&part.at(0)) {
                let factors = weights.vector(&part.at(0), self.frequencies.len())?;
                self.divide(&factors);
            }
        }
        if weights.has(&Part::RotaryShortFactors.at(0)) {
            self.scale = settings.positive(ATTENTION_FACTOR)?.unwrap_or(1.0) as f32;
        }
        Ok(())
    }

    fn scale_frequencies(&mut self, settings: &Settings) -> Result<()> {
        let factor = || settings.positive(FACTOR).map(|it| it.unwrap_or(1.0));
        match settings.word(KIND).unwrap_or("default") {
            "default" | "none" => {}
            "linear" => {
                let factor = factor()? as f32;
                self.frequencies.iter_mut().for_each(|it| *it /= factor);
            }
            "llama3" => self.scale_by_wavelength(settings, factor()?)?,
            "longrope" | "su" => self.scale_for_short(settings)?,
            other => {
                let expected = "default, linear, llama3 or longrope";
                return Err(settings.wrong(KIND, expected, &format!("`{other}`")));
            }
        }
        Ok(())
    }

    /// Slow angles are divided, fast ones stay, between them it is mixed.
    ///
    /// # Source
    /// Llama 3.1, `rope_type: llama3`.
    fn scale_by_wavelength(&mut self, settings: &Settings, factor: f64) -> Result<()> {
        let original = settings.positive(ORIGINAL)?.unwrap_or(8192.0);
        let low = settings.positive(LOW)?.unwrap_or(1.0);
        let high = settings.positive(HIGH)?.unwrap_or(4.0);
        for frequency in &mut self.frequencies {
            let turns = original * f64::from(*frequency) / (2.0 * PI);
            let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
            let kept = if kept.is_finite() { kept } else { 1.0 };
            *frequency = (f64::from(*frequency) * (kept + (1.0 - kept) / factor)) as f32;
        }
        Ok(())
    }

    /// The factors for prompts within the original context; longer ones are
    /// not read (see `Architecture::context`).
    fn scale_for_short(&mut self, settings: &Settings) -> Result<()> {
        if let Some(factors) = settings.numbers(SHORT) {
            let is_fit = factors.len() == self.frequencies.len()
                && factors.iter().all(|it| it.is_finite() && *it > 0.0);
            if !is_fit {
                let expected = format!("{} numbers above 0", self.frequencies.len());
                return Err(settings.wrong(SHORT, &expected, &format!("{factors:?}")));
            }
            let factors: Vec<f32> = factors.iter().map(|it| *it as f32).collect();
            self.divide(&factors);
        }
        let own = settings.positive(ATTENTION_FACTOR)?;
        let widest = settings.positive(WIDEST_FACTOR)?;
        let original = settings.positive(ORIGINAL)?;
        let scale = match (own, widest, original) {
            (Some(own), _, _) => own,
            (None, Some(widest), Some(original)) if widest > original => {
                (1.0 + (widest / original).ln() / original.ln()).sqrt()
            }
            _ => 1.0,
        };
        self.scale = scale as f32;
        Ok(())
    }

    /// Cosines and sines at a position.
    pub(super) fn at(&self, position: usize) -> Vec<(f32, f32)> {
        #[allow(clippy::cast_precision_loss, reason = "positions lie far below 2^24")]
        let position = position as f32;
        let angle = |frequency: &f32| {
            let (sin, cos) = (position * frequency).sin_cos();
            (cos * self.scale, sin * self.scale)
        };
        self.frequencies.iter().map(angle).collect()
    }

    /// Turns the first numbers of a head; the rest stays.
    pub(super) fn turn(&self, head: &mut [f32], angles: &[(f32, f32)]) {
        let half = angles.len();
        for (pair, (cos, sin)) in angles.iter().enumerate() {
            let (a, b) = match self.pairs {
                Pairs::Halves => (pair, pair + half),
                Pairs::Neighbours => (2 * pair, 2 * pair + 1),
            };
            let (x, y) = (head[a], head[b]);
            head[a] = x * cos - y * sin;
            head[b] = y * cos + x * sin;
        }
    }
}

/// How many numbers of a head are turned: an even count, all unless a part is
/// named.
fn turned(settings: &Settings, head: usize) -> Result<usize> {
    let part = match settings.positive(PART)? {
        #[allow(clippy::cast_precision_loss, reason = "sizes of heads")]
        Some(part) if part <= 1.0 => (head as f64 * part) as usize,
        Some(part) => return Err(settings.wrong(PART, "a part up to 1", &part.to_string())),
        None => settings.whole(DIMENSIONS, 2..=head)?.unwrap_or(head),
    };
    Ok(part / 2 * 2)
}
