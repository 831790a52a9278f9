//! Files that are no models: each is refused with its name and a reason.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::path::{Path, PathBuf};

use vola_language_model::LanguageModel;

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference")
        .join(name)
}

fn refused(path: &Path) -> String {
    match LanguageModel::open(path) {
        Ok(_) => panic!("{}: was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

/// Some bytes of a file exchanged; the file must be refused with these words.
fn check_changed(file: &str, old: &[u8], new: &[u8], words: &[&str]) {
    let bytes = std::fs::read(reference(file)).unwrap();
    let at = bytes.windows(old.len()).position(|it| it == old);
    let at = at.unwrap_or_else(|| panic!("{file} has no {}", String::from_utf8_lossy(old)));
    let changed = [&bytes[..at], new, &bytes[at + old.len()..]].concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, changed).unwrap();
    let error = refused(&path);
    for word in ["model.gguf"].iter().chain(words) {
        assert!(error.contains(word), "expected `{word}` in: {error}");
    }
}

/// A GGUF text: its length, its bytes.
fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

#[test]
fn a_file_that_is_no_gguf_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.gguf");
    assert!(refused(&file).contains("model.gguf"));
    let counts = |tensors: u64, entries: u64| {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(entries.to_le_bytes());
        bytes
    };
    for (bytes, words) in [
        (b"".to_vec(), "the file ends at 0"),
        (b"GGUF".to_vec(), "the file ends at 4"),
        (b"hello, this is a text".to_vec(), "expected a GGUF file"),
        (counts(u64::MAX, u64::MAX), "expected at most 0 tensors"),
        (counts(0, u64::MAX), "entries of metadata"),
        (
            [
                counts(0, 1),
                (u64::MAX / 2).to_le_bytes().to_vec(),
                vec![0; 64],
            ]
            .concat(),
            "bytes of a text",
        ),
        (
            [b"GGUF".to_vec(), vec![0xff; 4096]].concat(),
            "version 2 or 3",
        ),
    ] {
        std::fs::write(&file, &bytes).unwrap();
        let error = refused(&file);
        assert!(
            error.contains("model.gguf") && error.contains(words),
            "{error}"
        );
        assert!(error.contains("help:"), "{error}");
    }
}

#[test]
fn what_a_gguf_file_says_wrongly_is_named() {
    let family = [text("general.architecture"), vec![8, 0, 0, 0]].concat();
    check_changed(
        "llama.gguf",
        &[family.clone(), text("llama")].concat(),
        &[family, text("mamba")].concat(),
        &["general.architecture", "got `mamba`", "help:"],
    );
    let number = |key: &str, value: u32| {
        [text(key), vec![4, 0, 0, 0], value.to_le_bytes().to_vec()].concat()
    };
    for (key, value, wrong, words) in [
        (
            "qwen2.block_count",
            2,
            3,
            "blk.2.attn_norm.weight: expected a tensor, got none",
        ),
        (
            "qwen2.block_count",
            2,
            u32::MAX,
            "qwen2.block_count: expected a whole number from 1 to 1024",
        ),
        (
            "qwen2.embedding_length",
            32,
            0,
            "qwen2.embedding_length: expected a whole number",
        ),
        (
            "qwen2.embedding_length",
            32,
            64,
            "token_embd.weight: expected shape [352, 64], got [352, 32]",
        ),
        (
            "qwen2.attention.head_count",
            4,
            3,
            "attention.head_count_kv: expected a divisor",
        ),
        (
            "qwen2.attention.key_length",
            8,
            7,
            "key_length: expected an even number, got 7",
        ),
        (
            "qwen2.feed_forward_length",
            64,
            65,
            "ffn_gate.weight: expected shape [65, 32]",
        ),
    ] {
        check_changed(
            "qwen2.gguf",
            &number(key, value),
            &number(key, wrong),
            &[words],
        );
    }
    check_changed(
        "qwen2.gguf",
        b"tokenizer.ggml.model",
        b"tokenizer.ggml.modem",
        &[
            "tokenizer.ggml.model: expected a tokenizer in the file, got none",
            "help:",
        ],
    );
}

#[test]
fn a_file_that_ends_too_soon_is_refused_wherever_it_ends() {
    let bytes = std::fs::read(reference("gemma.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.gguf");
    for part in 0..60 {
        std::fs::write(&file, &bytes[..bytes.len() * part / 60]).unwrap();
        assert!(refused(&file).contains("model.gguf"));
    }
}

/// A head that is right, and nothing behind it: a sparse file of a terabyte.
#[test]
fn a_model_larger_than_the_memory_is_refused_before_it_is_read() {
    let side = 1_u64 << 19;
    let head = [
        b"GGUF\x03\0\0\0".to_vec(),
        1_u64.to_le_bytes().to_vec(),
        1_u64.to_le_bytes().to_vec(),
        text("general.architecture"),
        vec![8, 0, 0, 0],
        text("llama"),
        text("token_embd.weight"),
        vec![2, 0, 0, 0],
        side.to_le_bytes().to_vec(),
        side.to_le_bytes().to_vec(),
        vec![0; 4 + 8],
    ]
    .concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, &head).unwrap();
    let error = refused(&path);
    assert!(error.contains("token_embd.weight: expected"), "{error}");
    assert!(error.contains("the file ends at"), "{error}");
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(side * side * 4 + 4096).unwrap();
    let error = refused(&path);
    assert!(
        error.contains("model.gguf: expected a model that fits"),
        "{error}"
    );
}

/// Whatever is changed in a file, it is refused or it answers; nothing panics.
#[test]
fn changed_bytes_never_bring_it_down() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = fastrand::Rng::with_seed(11);
    for name in ["qwen2.q8.gguf", "phi3.gguf", "gemma2.gguf"] {
        let bytes = std::fs::read(reference(name)).unwrap();
        let file = folder.path().join(name);
        // The head is where sizes stand.
        let head = bytes.len() / 4;
        for round in 0..60 {
            let mut changed = bytes.clone();
            for _ in 0..=round % 4 {
                let at = rng.usize(..if round % 5 == 0 { bytes.len() } else { head });
                changed[at] = rng.u8(..);
            }
            std::fs::write(&file, &changed).unwrap();
            if let Ok(model) = LanguageModel::open(&file) {
                let _ = model.logits(&[5, 6, 7]);
                let _ = model.tokens("put it there");
            }
        }
    }
}

/// A copy of a model's folder, with a change.
fn changed_folder(family: &str, change: impl Fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(reference(family)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    change(folder.path());
    refused(folder.path())
}

fn rewrite(path: &Path, old: &str, new: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(old), "{}: no {old}", path.display());
    std::fs::write(path, text.replace(old, new)).unwrap();
}

#[test]
fn a_folder_says_what_is_missing_or_unknown() {
    let check = |words: &str, change: &dyn Fn(&Path)| {
        let error = changed_folder("qwen3", change);
        assert!(error.contains(words), "expected `{words}` in: {error}");
    };
    let remove =
        |name: &'static str| move |folder: &Path| std::fs::remove_file(folder.join(name)).unwrap();
    check("config.json", &remove("config.json"));
    check(
        "tokenizer.json: expected the model's tokenizer",
        &remove("tokenizer.json"),
    );
    check(
        "expected weights in `.safetensors` files, found none",
        &remove("model.safetensors"),
    );
    check("expected a chat template", &remove("tokenizer_config.json"));
    check("config.json", &|it| {
        std::fs::write(it.join("config.json"), "{").unwrap()
    });
    check("tokenizer.json", &|it| {
        std::fs::write(it.join("tokenizer.json"), "{}").unwrap()
    });
    check("model.safetensors", &|it| {
        std::fs::write(it.join("model.safetensors"), "no").unwrap()
    });
    let config = |old: &'static str, new: &'static str| {
        move |folder: &Path| rewrite(&folder.join("config.json"), old, new)
    };
    check(
        "model_type: expected one of",
        &config("\"qwen3\"", "\"mystery\""),
    );
    check(
        "model.embed_tokens.weight: expected shape [352, 48], got [352, 32]",
        &config("\"hidden_size\": 32", "\"hidden_size\": 48"),
    );
    check(
        "num_hidden_layers: expected a whole number from 1 to 1024, got 99999999999",
        &config(
            "\"num_hidden_layers\": 2",
            "\"num_hidden_layers\": 99999999999",
        ),
    );
    check("hidden_act: expected silu", &config("\"silu\"", "\"tanh\""));
    check(
        "rope_parameters.rope_type: expected default, linear, llama3 or longrope, got `yarn`",
        &config("\"rope_type\": \"default\"", "\"rope_type\": \"yarn\""),
    );
    check("chat template", &|it| {
        std::fs::write(it.join("chat_template.jinja"), "{% for %}").unwrap();
    });
}

/// The library would panic.
#[test]
fn a_piece_that_is_too_long_is_refused() {
    let long = format!("\"{}\":4", "x".repeat(1025));
    let error = changed_folder("qwen3", |it| {
        rewrite(&it.join("tokenizer.json"), "\"!\":4", &long);
    });
    assert!(
        error.contains("piece 4: expected at most 1024 bytes, got 1025"),
        "{error}"
    );
}

#[test]
fn a_template_that_cannot_be_read_gives_way_to_no_other() {
    let check = |words: &str, change: &dyn Fn(&Path)| {
        let error = changed_folder("qwen3", |it| change(&it.join("chat_template.jinja")));
        assert!(error.contains(words), "expected `{words}` in: {error}");
    };
    let longer = vec![b'x'; (1 << 20) + 1];
    check(
        "chat_template.jinja: expected at most 1048576 bytes, got more",
        &|it| std::fs::write(it, &longer).unwrap(),
    );
    check("chat_template.jinja: invalid utf-8", &|it| {
        std::fs::write(it, [0xff]).unwrap();
    });
    check("chat_template.jinja: expected a file", &|it| {
        std::fs::create_dir(it).unwrap();
    });
}
