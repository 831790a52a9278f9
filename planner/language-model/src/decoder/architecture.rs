//! Sizes and switches of a network, checked.

use super::names::Part;
use super::rotary::{ORIGINAL, Rotary};
use super::settings::{Form, Key, Settings};
use super::weights::Weights;
use crate::Result;

const WIDTH: Key = Key(&["hidden_size"], "embedding_length");
const LAYERS: Key = Key(&["num_hidden_layers"], "block_count");
const HIDDEN: Key = Key(&["intermediate_size"], "feed_forward_length");
const HEADS: Key = Key(&["num_attention_heads"], "attention.head_count");
const KEY_HEADS: Key = Key(&["num_key_value_heads"], "attention.head_count_kv");
const HEAD: Key = Key(&["head_dim"], "attention.key_length");
const VALUE_HEAD: Key = Key(&[], "attention.value_length");
const CONTEXT: Key = Key(&["max_position_embeddings"], "context_length");
const EPSILON: Key = Key(&["rms_norm_eps"], "attention.layer_norm_rms_epsilon");
const WINDOW: Key = Key(&["sliding_window"], "attention.sliding_window");
const IS_WINDOWED: Key = Key(&["use_sliding_window"], "");
const LAYER_TYPES: Key = Key(&["layer_types"], "");
const WINDOW_PATTERN: Key = Key(
    &["sliding_window_pattern", "_sliding_window_pattern"],
    "attention.sliding_window_pattern",
);
const QUERY_SCALAR: Key = Key(&["query_pre_attn_scalar"], "");
const ATTENTION_CAP: Key = Key(&["attn_logit_softcapping"], "attn_logit_softcapping");
const LOGIT_CAP: Key = Key(&["final_logit_softcapping"], "final_logit_softcapping");
const ACTIVATION: Key = Key(&["hidden_activation", "hidden_act"], "");
const EXPERTS: Key = Key(&["num_local_experts", "num_experts"], "expert_count");

/// Largest sizes that are taken for true; weights must have them as well.
const LARGEST: usize = 1 << 20;
/// Tokens of a vocabulary at most.
const MOST_WORDS: usize = 1 << 24;
/// Layers at most.
const MOST_LAYERS: usize = 1024;

/// What a network is built like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Llama,
    Qwen2,
    Qwen3,
    Gemma,
    Gemma2,
    Gemma3,
    Phi3,
}

/// Names of the families, for messages.
const FAMILIES: &str = "llama, mistral, qwen2, qwen3, gemma, gemma2, gemma3, phi3";

impl Family {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "llama" | "mistral" => Self::Llama,
            "qwen2" => Self::Qwen2,
            "qwen3" => Self::Qwen3,
            "gemma" => Self::Gemma,
            "gemma2" => Self::Gemma2,
            "gemma3" | "gemma3_text" => Self::Gemma3,
            "phi3" => Self::Phi3,
            _ => return None,
        })
    }

    pub(super) fn is_gemma(self) -> bool {
        matches!(self, Self::Gemma | Self::Gemma2 | Self::Gemma3)
    }

    /// Whether norms stand behind attention and feed-forward parts as well.
    pub(super) fn has_outer_norms(self) -> bool {
        matches!(self, Self::Gemma2 | Self::Gemma3)
    }

    pub(super) fn has_head_norms(self) -> bool {
        matches!(self, Self::Qwen3 | Self::Gemma3)
    }
}

/// Between the two products of the feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    Silu,
    /// The approximation by a hyperbolic tangent.
    Gelu,
}

/// Sizes and switches of one model.
#[derive(Clone, Debug)]
pub(super) struct Architecture {
    pub(super) family: Family,
    pub(super) vocabulary: usize,
    pub(super) width: usize,
    pub(super) hidden: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) key_heads: usize,
    pub(super) head: usize,
    pub(super) context: usize,
    pub(super) epsilon: f32,
    pub(super) activation: Activation,
    pub(super) query_scale: f32,
    pub(super) attention_cap: Option<f32>,
    pub(super) logit_cap: Option<f32>,
    pub(super) word_scale: f32,
    /// Added to the weights of norms.
    norm_offset: f32,
    /// Positions that a layer sees, itself included; none for all.
    windows: Vec<Option<usize>>,
    rotary: Rotary,
    local_rotary: Option<Rotary>,
}

impl Architecture {
    /// Takes sizes and switches from the settings; weights tell what settings
    /// may leave out.
    ///
    /// # Errors
    /// A family that is not known, and settings that are missing, out of range
    /// or do not fit one another.
    #[allow(
        clippy::cast_precision_loss,
        reason = "sizes lie far below what f32 holds exactly"
    )]
    pub(super) fn read(settings: &Settings, weights: &mut dyn Weights) -> Result<Self> {
        let family = family(settings)?;
        if settings
            .whole(EXPERTS, 0..=LARGEST)?
            .is_some_and(|it| it > 1)
        {
            return Err(settings.wrong(EXPERTS, "a model without experts", "several"));
        }
        let width = settings.needed(WIDTH, 1..=LARGEST)?;
        let heads = settings.needed(HEADS, 1..=LARGEST)?;
        let key_heads = settings.whole(KEY_HEADS, 1..=heads)?.unwrap_or(heads);
        if !heads.is_multiple_of(key_heads) {
            let expected = format!("a divisor of the {heads} heads");
            return Err(settings.wrong(KEY_HEADS, &expected, &key_heads.to_string()));
        }
        let head = settings.whole(HEAD, 2..=LARGEST)?.unwrap_or(width / heads);
        if head == 0 || !head.is_multiple_of(2) {
            return Err(settings.wrong(HEAD, "an even number", &head.to_string()));
        }
        let values = settings.whole(VALUE_HEAD, 1..=LARGEST)?.unwrap_or(head);
        if values != head {
            return Err(settings.wrong(VALUE_HEAD, &head.to_string(), &values.to_string()));
        }
        let layers = settings.needed(LAYERS, 1..=MOST_LAYERS)?;
        let vocabulary = weights.height(&Part::Words.at(0)).unwrap_or_default();
        if vocabulary > MOST_WORDS {
            return Err(settings.fault(format!(
                "words: expected at most {MOST_WORDS}, got {vocabulary}"
            )));
        }
        let rotary = Rotary::read(settings, weights, head, family == Family::Llama)?;
        let scalar = settings.positive(QUERY_SCALAR)?;
        let is_gguf = settings.form() == Form::Gguf;
        // The largest Gemma divides by width over heads; GGUF files do not say so.
        let by_width = is_gguf
            && matches!(
                (family, layers),
                (Family::Gemma2, 46) | (Family::Gemma3, 62)
            );
        let scalar = scalar.unwrap_or(if by_width { width / heads } else { head } as f64);
        let cap = |key| settings.positive(key).map(|it| it.map(|cap| cap as f32));
        Ok(Self {
            family,
            vocabulary,
            width,
            hidden: settings.needed(HIDDEN, 1..=LARGEST)?,
            layers,
            heads,
            key_heads,
            head,
            context: context(settings)?,
            epsilon: settings.positive(EPSILON)?.unwrap_or(1e-6) as f32,
            activation: activation(settings, family)?,
            query_scale: (1.0 / scalar.sqrt()) as f32,
            attention_cap: cap(ATTENTION_CAP)?,
            logit_cap: cap(LOGIT_CAP)?,
            word_scale: if family.is_gemma() {
                (width as f32).sqrt()
            } else {
                1.0
            },
            norm_offset: if family.is_gemma() && !is_gguf {
                1.0
            } else {
                0.0
            },
            windows: windows(settings, family, layers)?,
            rotary,
            local_rotary: (family == Family::Gemma3)
                .then(|| Rotary::local(settings, head))
                .transpose()?,
        })
    }

    /// Numbers of a key, or a value, of one position.
    pub(super) fn key_width(&self) -> usize {
        self.key_heads * self.head
    }

    /// The weights of a norm as they are multiplied.
    pub(super) fn norm(&self, mut weights: Vec<f32>) -> Vec<f32> {
        weights.iter_mut().for_each(|it| *it += self.norm_offset);
        weights
    }

    /// Positions that a layer sees, itself included; none for all.
    pub(super) fn window(&self, layer: usize) -> Option<usize> {
        self.windows.get(layer).copied().flatten()
    }

    pub(super) fn rotary(&self, layer: usize) -> &Rotary {
        match &self.local_rotary {
            Some(local) if self.window(layer).is_some() => local,
            _ => &self.rotary,
        }
    }
}

/// The family that a file names.
///
/// # Errors
/// One that is not known.
pub(super) fn family(settings: &Settings) -> Result<Family> {
    let name = settings.family();
    let key = match settings.form() {
        Form::Folder => "model_type",
        Form::Gguf => "general.architecture",
    };
    Family::of(name).ok_or_else(|| {
        settings.fault(format!(
            "{key}: expected one of {FAMILIES}, got `{name}`\n  help: other families can be asked through `openai` and a server such as llama-server"
        ))
    })
}

/// Tokens of a sequence at most. Long-context scalings change all angles of a
/// longer prompt; a planner's prompts are short, so these stay out.
fn context(settings: &Settings) -> Result<usize> {
    let declared = settings.whole(CONTEXT, 1..=usize::MAX)?.unwrap_or(4096);
    let original = settings.whole(ORIGINAL, 1..=usize::MAX)?;
    // A prompt of a planner; memory is taken as it grows.
    Ok(declared.min(original.unwrap_or(declared)).min(1 << 16))
}

fn activation(settings: &Settings, family: Family) -> Result<Activation> {
    let default = if family.is_gemma() {
        "gelu_pytorch_tanh"
    } else {
        "silu"
    };
    // Gemma's first files say `gelu` and mean the approximation.
    match settings.word(ACTIVATION).unwrap_or(default) {
        "silu" | "swish" => Ok(Activation::Silu),
        "gelu_pytorch_tanh" | "gelu_new" => Ok(Activation::Gelu),
        "gelu" if family == Family::Gemma => Ok(Activation::Gelu),
        other => Err(settings.wrong(
            ACTIVATION,
            "silu or gelu_pytorch_tanh",
            &format!("`{other}`"),
        )),
    }
}

/// The window of each layer.
fn windows(settings: &Settings, family: Family, layers: usize) -> Result<Vec<Option<usize>>> {
    let is_off = settings.flag(IS_WINDOWED) == Some(false);
    let window = settings.whole(WINDOW, 0..=usize::MAX)?;
    let window = window.filter(|it| *it > 0 && !is_off);
    if let Some(types) = settings.words(LAYER_TYPES) {
        if types.len() != layers {
            let expected = format!("{layers} words, one a layer");
            return Err(settings.wrong(LAYER_TYPES, &expected, &types.len().to_string()));
        }
        let own = |kind: &String| window.filter(|_| kind == "sliding_attention");
        return Ok(types.iter().map(own).collect());
    }
    // Every how many layers one sees everything; 0 for none.
    let pattern = match family {
        Family::Gemma2 => 2,
        Family::Gemma3 => settings.whole(WINDOW_PATTERN, 1..=LARGEST)?.unwrap_or(6),
        Family::Phi3 | Family::Llama => 0,
        // Qwen leaves its window to the last layers and switches it off.
        Family::Qwen2 | Family::Qwen3 | Family::Gemma => return Ok(vec![None; layers]),
    };
    let is_windowed = |layer: usize| pattern == 0 || !(layer + 1).is_multiple_of(pattern);
    Ok((0..layers)
        .map(|it| window.filter(|_| is_windowed(it)))
        .collect())
}
