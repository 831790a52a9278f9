#!/usr/bin/env python3
"""Makes small random models of every family, and what the reference says of them.

    python make_reference.py [FOLDER]        (default: the folder of this script)

For each family: FAMILY/ (config.json, model.safetensors, tokenizer.json,
tokenizer_config.json), FAMILY.gguf with the same weights in F16, FAMILY.q8.gguf with
its matrices in Q8_0, and FAMILY.json with logits of transformers in f32, tokens of a
few texts and the versions used; qwen2.f32.gguf has its matrices in F32. Weights are
exact in f16, so that all files but those in Q8_0 hold the same numbers; for these the
logits are those of the weights as they are after rounding.

Made with torch 2.15.0 (CPU), transformers 5.24.0, tokenizers 0.23.3, gguf 0.19.0,
numpy 2.4.6. Tolerances stand in reference.rs.
"""

import json
import math
import sys
from pathlib import Path

import gguf
import numpy
import tokenizers
import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

SEED = 20261130
WORDS = 352
# Inside the windows and originals below; the first part ends before a window does.
FIRST, ALL = 6, 24
TEXTS = ["put the red block in the blue bowl", "  Stop!\nnow, please: 12 times", "ڈبہ اٹھاؤ ✓"]
CORPUS = [
    "put the red block in the blue bowl and the green block on the table",
    "take the yellow block, then push it to the left; go home, please!",
    "stack the blocks, open the drawer and put the bowl in the middle",
] * 4
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA = QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
CHAT = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] | trim"
    " + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SHAPE = dict(vocab_size=WORDS, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=512, rms_norm_eps=1e-6, attention_dropout=0.0)
ENDS = dict(bos_token_id=1, eos_token_id=2, pad_token_id=0)


def configs():
    """The configuration of each family, with what is special about it switched on."""
    t = transformers
    yield "llama", t.LlamaConfig(**SHAPE, **ENDS, tie_word_embeddings=False, rope_parameters=dict(
        rope_type="llama3", rope_theta=500.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=256))
    yield "qwen2", t.Qwen2Config(**SHAPE, **ENDS, tie_word_embeddings=True,
                                 rope_parameters=dict(rope_type="default", rope_theta=1000.0))
    yield "qwen3", t.Qwen3Config(**SHAPE, **ENDS, tie_word_embeddings=True, head_dim=16,
                                 rope_parameters=dict(rope_type="default", rope_theta=1000.0))
    yield "gemma", t.GemmaConfig(**SHAPE | dict(num_key_value_heads=1), **ENDS, head_dim=16)
    yield "gemma2", t.Gemma2Config(**SHAPE, **ENDS, head_dim=16, query_pre_attn_scalar=16, sliding_window=8,
                                   attn_logit_softcapping=5.0, final_logit_softcapping=3.0)
    yield "gemma3", t.Gemma3TextConfig(**SHAPE | dict(num_hidden_layers=6), **ENDS, head_dim=16,
                                       query_pre_attn_scalar=16, sliding_window=8, rope_parameters=dict(
        full_attention=dict(rope_type="linear", rope_theta=5000.0, factor=8.0),
        sliding_attention=dict(rope_type="default", rope_theta=100.0)))
    yield "phi3", t.Phi3Config(**SHAPE, **ENDS, tie_word_embeddings=False, sliding_window=8,
                               original_max_position_embeddings=256, rope_parameters=dict(
        rope_type="longrope", rope_theta=1000.0, short_factor=[1.0, 1.5, 2.0, 4.0],
        long_factor=[2.0, 3.0, 4.0, 8.0], original_max_position_embeddings=256, factor=2.0))


def random_model(config):
    """A model whose every number is drawn, and exact in f16."""
    torch.manual_seed(SEED)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            spread = 0.3 if weights.dim() == 1 else 1.2 / math.sqrt(weights.shape[1])
            middle = 1.0 if "norm" in name and "gemma" not in config.model_type else 0.0
            weights.copy_((middle + spread * torch.randn(weights.shape)).half().float())
    return model


def logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0, -1].tolist()


def byte_level(split):
    """A tokenizer over bytes, as Qwen and Llama 3 have it."""
    made = Tokenizer(models.BPE())
    if split == QWEN:
        made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(split), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS, special_tokens=["<|pad|>", "<|begin|>", "<|im_end|>", "<|im_start|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    made.train_from_iterator(CORPUS, trainer)
    return made, None


def of_pieces(has_prefix):
    """A tokenizer over pieces with bytes as the last resort, as sentencepiece makes it."""
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.Replace(" ", "▁")
    special = ["<pad>", "<s>", "<|im_end|>", "<|im_start|>", "<unk>"]
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=80, show_progress=False))
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in json.loads(trained.to_str())["model"]["merges"]]
    joined = list(dict.fromkeys(a + b for a, b in merges))
    letters = sorted({c for a, b in merges for c in a + b} | set("\n:!?▁"))
    pieces = special + [f"<0x{b:02X}>" for b in range(256)] + joined + letters
    assert len(pieces) <= WORDS, len(pieces)
    pieces += [f"<unused{n}>" for n in range(WORDS - len(pieces))]
    made = Tokenizer(models.BPE(vocab={p: n for n, p in enumerate(pieces)}, merges=merges, unk_token="<unk>",
                                byte_fallback=True, fuse_unk=True))
    first = [normalizers.Prepend("▁")] if has_prefix else []
    made.normalizer = normalizers.Sequence([*first, normalizers.Replace(" ", "▁")])
    last = [decoders.Strip(" ", 1, 0)] if has_prefix else []
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *last])
    made.add_special_tokens(special)
    scores = [float(-joined.index(p)) if p in joined else (-1000.0 if p in letters else 0.0) for p in pieces]
    return made, scores


def tokenizer_of(family):
    if family in ("qwen2", "qwen3"):
        return byte_level(QWEN)
    if family == "llama":
        return byte_level(LLAMA)
    return of_pieces(has_prefix=family == "phi3")


RENAMED = [
    ("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"), ("lm_head", "output"),
    ("model.layers.", "blk."), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"), ("self_attn.qkv_proj", "attn_qkv"),
    ("self_attn.q_norm", "attn_q_norm"), ("self_attn.k_norm", "attn_k_norm"), ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"), ("mlp.gate_up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"),
    ("input_layernorm", "attn_norm"), ("pre_feedforward_layernorm", "ffn_norm"),
    ("post_feedforward_layernorm", "post_ffw_norm"),
]


def renamed(name, family):
    for old, new in RENAMED:
        name = name.replace(old, new)
    outer = family in ("gemma2", "gemma3")
    return name.replace("post_attention_layernorm", "post_attention_norm" if outer else "ffn_norm")


def interleaved(weights, heads):
    """Rows of a head in the order in which GGUF files of the Llama family have them."""
    rows = weights.reshape(heads, 2, weights.shape[0] // heads // 2, -1)
    return rows.swapaxes(1, 2).reshape(weights.shape)


def write_gguf(path, family, model, made, scores, kind="F16"):
    """Writes the model; returns the weights as the file has them, by their names here."""
    config = model.config
    out = gguf.GGUFWriter(path, family)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    out.add_context_length(config.max_position_embeddings)
    out.add_embedding_length(config.hidden_size)
    out.add_block_count(config.num_hidden_layers)
    out.add_feed_forward_length(config.intermediate_size)
    out.add_head_count(config.num_attention_heads)
    out.add_head_count_kv(config.num_key_value_heads)
    out.add_layer_norm_rms_eps(config.rms_norm_eps)
    out.add_key_length(head)
    out.add_value_length(head)
    rope = config.rope_parameters
    rope = rope.get("full_attention", rope)
    if rope.get("rope_theta"):
        out.add_rope_freq_base(rope["rope_theta"])
    if family == "gemma3":
        out.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        out.add_rope_scaling_factor(rope["factor"])
        out.add_float32("gemma3.rope.freq_base_swa", config.rope_parameters["sliding_attention"]["rope_theta"])
    if family in ("gemma2", "gemma3", "phi3"):
        out.add_sliding_window(config.sliding_window)
    if family == "gemma2":
        out.add_attn_logit_softcapping(config.attn_logit_softcapping)
        out.add_final_logit_softcapping(config.final_logit_softcapping)
    if family in ("llama", "phi3"):
        out.add_rope_dimension_count(head)
    if family == "llama":
        out.add_vocab_size(config.vocab_size)
        out.add_tensor("rope_freqs.weight", llama3_factors(rope, head))
    if family == "phi3":
        ratio = config.max_position_embeddings / config.original_max_position_embeddings
        out.add_rope_scaling_orig_ctx_len(config.original_max_position_embeddings)
        out.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(ratio) / math.log(config.original_max_position_embeddings)))
        for prompts in ("long", "short"):
            factors = numpy.array(rope[f"{prompts}_factor"], dtype=numpy.float32)
            out.add_tensor(f"rope_factors_{prompts}.weight", factors)
    write_words(out, family, made, scores)
    kept = {}
    for name, weights in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        weights = weights.numpy()
        numbers = weights
        if family.startswith("gemma") and "norm" in name:
            numbers = weights + 1
        if family == "llama" and ("q_proj" in name or "k_proj" in name):
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            numbers = interleaved(weights, heads)
        own = renamed(name, family)
        if weights.ndim == 1:
            out.add_tensor(own, numbers.astype(numpy.float32))
        elif kind == "Q8_0":
            packed = gguf.quants.quantize(numbers, gguf.GGMLQuantizationType.Q8_0)
            out.add_tensor(own, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
            # A row is rounded by itself, so that the order of rows makes no difference.
            rounded = gguf.quants.quantize(weights, gguf.GGMLQuantizationType.Q8_0)
            kept[name] = gguf.quants.dequantize(rounded, gguf.GGMLQuantizationType.Q8_0)
        else:
            out.add_tensor(own, numbers.astype(numpy.float32 if kind == "F32" else numpy.float16))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return kept


def llama3_factors(rope, head):
    """What each frequency is divided by."""
    factors = []
    for pair in range(head // 2):
        length = 2 * math.pi * rope["rope_theta"] ** (2 * pair / head)
        original = rope["original_max_position_embeddings"]
        low, high = original / rope["low_freq_factor"], original / rope["high_freq_factor"]
        if length < high:
            factors.append(1.0)
        elif length > low:
            factors.append(rope["factor"])
        else:
            kept = (original / length - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
            factors.append(1 / ((1 - kept) / rope["factor"] + kept))
    return numpy.array(factors, dtype=numpy.float32)


def write_words(out, family, made, scores):
    words = sorted(made.get_vocab().items(), key=lambda it: it[1])
    words = [word for word, _ in words]
    words += [f"<unused{n}>" for n in range(WORDS - len(words))]
    kinds = []
    for word in words:
        is_byte = scores is not None and word.startswith("<0x")
        is_special = word.startswith("<") and word.endswith(">") and len(word) > 3 and not is_byte
        kinds.append(6 if is_byte else 2 if word == "<unk>" else 3 if is_special else 1)
    if scores is None:
        out.add_tokenizer_model("gpt2")
        out.add_tokenizer_pre("llama-bpe" if family == "llama" else "qwen2")
        merges = json.loads(made.to_str())["model"]["merges"]
        out.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    else:
        out.add_tokenizer_model("llama")
        out.add_token_scores(scores)
        out.add_add_space_prefix(family == "phi3")
        out.add_unk_token_id(words.index("<unk>"))
    out.add_token_list(words)
    out.add_token_types(kinds)
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_add_bos_token(False)
    out.add_chat_template(CHAT)


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    versions = {m.__name__: m.__version__ for m in (torch, transformers, tokenizers, numpy)}
    rng = numpy.random.default_rng(SEED)
    ids = [int(n) for n in rng.integers(5, WORDS - 30, ALL)]
    for family, config in configs():
        model = random_model(config)
        made, scores = tokenizer_of(family)
        own = folder / family
        own.mkdir(parents=True, exist_ok=True)
        golden = dict(seed=SEED, versions=versions, ids=ids, first=FIRST,
                      logits_first=logits(model, ids[:FIRST]), logits_all=logits(model, ids),
                      texts=[dict(text=t, ids=made.encode(t, add_special_tokens=False).ids) for t in TEXTS])
        kept = {n: w.half().contiguous() for n, w in model.state_dict().items()
                if n != "lm_head.weight" or not config.tie_word_embeddings}
        from safetensors.torch import save_file
        save_file(kept, own / "model.safetensors")
        (own / "config.json").write_text(json.dumps(config.to_dict(), indent=1, sort_keys=True) + "\n")
        (own / "tokenizer.json").write_text(made.to_str() + "\n")
        (own / "tokenizer_config.json").write_text(json.dumps(dict(chat_template=CHAT)) + "\n")
        write_gguf(folder / f"{family}.gguf", family, model, made, scores)
        if family == "qwen2":
            write_gguf(folder / "qwen2.f32.gguf", family, model, made, scores, kind="F32")
        rounded = write_gguf(folder / f"{family}.q8.gguf", family, model, made, scores, kind="Q8_0")
        model.load_state_dict({n: torch.from_numpy(w.copy()) for n, w in rounded.items()}, strict=False)
        golden["logits_all_q8"] = logits(model, ids)
        (folder / f"{family}.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n")
        print(family, sum(p.numel() for p in model.parameters()), [len(t["ids"]) for t in golden["texts"]])


if __name__ == "__main__":
    main()
