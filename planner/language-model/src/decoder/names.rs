//! What the parts of a network are called in its file.

/// A part's names: in safetensors, and in GGUF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(super) folder: String,
    pub(super) gguf: String,
}

/// A part of the network, with its names; `{}` stands for the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Words,
    Norm,
    Output,
    BeforeAttention,
    AfterAttention,
    BeforeFeed,
    /// The norm before the feed-forward part, in families without a norm after
    /// the attention.
    OnlyBeforeFeed,
    AfterFeed,
    Query,
    Key,
    Value,
    QueryKeyValue,
    QueryBias,
    KeyBias,
    ValueBias,
    QueryNorm,
    KeyNorm,
    Mixed,
    MixedBias,
    Gate,
    Up,
    GateUp,
    Down,
    RotaryFactors,
    RotaryShortFactors,
}

impl Part {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Words => ("model.embed_tokens.weight", "token_embd.weight"),
            Self::Norm => ("model.norm.weight", "output_norm.weight"),
            Self::Output => ("lm_head.weight", "output.weight"),
            Self::BeforeAttention => (
                "model.layers.{}.input_layernorm.weight",
                "blk.{}.attn_norm.weight",
            ),
            Self::AfterAttention => (
                "model.layers.{}.post_attention_layernorm.weight",
                "blk.{}.post_attention_norm.weight",
            ),
            Self::BeforeFeed => (
                "model.layers.{}.pre_feedforward_layernorm.weight",
                "blk.{}.ffn_norm.weight",
            ),
            Self::OnlyBeforeFeed => (
                "model.layers.{}.post_attention_layernorm.weight",
                "blk.{}.ffn_norm.weight",
            ),
            Self::AfterFeed => (
                "model.layers.{}.post_feedforward_layernorm.weight",
                "blk.{}.post_ffw_norm.weight",
            ),
            Self::Query => (
                "model.layers.{}.self_attn.q_proj.weight",
                "blk.{}.attn_q.weight",
            ),
            Self::Key => (
                "model.layers.{}.self_attn.k_proj.weight",
                "blk.{}.attn_k.weight",
            ),
            Self::Value => (
                "model.layers.{}.self_attn.v_proj.weight",
                "blk.{}.attn_v.weight",
            ),
            Self::QueryKeyValue => (
                "model.layers.{}.self_attn.qkv_proj.weight",
                "blk.{}.attn_qkv.weight",
            ),
            Self::QueryBias => (
                "model.layers.{}.self_attn.q_proj.bias",
                "blk.{}.attn_q.bias",
            ),
            Self::KeyBias => (
                "model.layers.{}.self_attn.k_proj.bias",
                "blk.{}.attn_k.bias",
            ),
            Self::ValueBias => (
                "model.layers.{}.self_attn.v_proj.bias",
                "blk.{}.attn_v.bias",
            ),
            Self::QueryNorm => (
                "model.layers.{}.self_attn.q_norm.weight",
                "blk.{}.attn_q_norm.weight",
            ),
            Self::KeyNorm => (
                "model.layers.{}.self_attn.k_norm.weight",
                "blk.{}.attn_k_norm.weight",
            ),
            Self::Mixed => (
                "model.layers.{}.self_attn.o_proj.weight",
                "blk.{}.attn_output.weight",
            ),
            Self::MixedBias => (
                "model.layers.{}.self_attn.o_proj.bias",
                "blk.{}.attn_output.bias",
            ),
            Self::Gate => (
                "model.layers.{}.mlp.gate_proj.weight",
                "blk.{}.ffn_gate.weight",
            ),
            Self::Up => ("model.layers.{}.mlp.up_proj.weight", "blk.{}.ffn_up.weight"),
            Self::GateUp => (
                "model.layers.{}.mlp.gate_up_proj.weight",
                "blk.{}.ffn_up.weight",
            ),
            Self::Down => (
                "model.layers.{}.mlp.down_proj.weight",
                "blk.{}.ffn_down.weight",
            ),
            // In a folder these are settings, not weights.
            Self::RotaryFactors => ("", "rope_freqs.weight"),
            Self::RotaryShortFactors => ("", "rope_factors_short.weight"),
        }
    }

    /// The names in a layer.
    pub(super) fn at(self, layer: usize) -> Name {
        let (folder, gguf) = self.names();
        let layer = layer.to_string();
        Name {
            folder: folder.replace("{}", &layer),
            gguf: gguf.replace("{}", &layer),
        }
    }
}
