//! Opening a model: a GGUF file, or a folder.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;
use std::time::SystemTime;

use candle_core::quantized::gguf_file::{Content, Value};
use tokenizers::Tokenizer;

use crate::chat_template::{ChatTemplate, LONGEST_TEMPLATE, TemplateSource};
use crate::decoder::{Decoder, GgufWeights, SafetensorsWeights, Settings, check_family};
use crate::vocabulary::Vocabulary;
use crate::{LanguageModelError, Result, gguf_header, gguf_tokenizer, memory};

/// Largest configuration file that is read (bytes).
const LARGEST_CONFIG: u64 = 4 << 20;
/// Largest tokenizer (bytes); Gemma's has 33 MB.
const LARGEST_TOKENIZER: u64 = 128 << 20;
/// Words that end a turn in the chat forms of the known families, besides the
/// one that the file names.
const TURN_ENDS: [&str; 6] = [
    "</s>",
    "<|im_end|>",
    "<|endoftext|>",
    "<end_of_turn>",
    "<|eot_id|>",
    "<|end|>",
];

/// The parts of a model.
pub(crate) struct Opened {
    pub(crate) decoder: Decoder,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) template: ChatTemplate,
}

/// What a file says about words.
struct Words {
    tokenizer: Tokenizer,
    begin: Option<u32>,
    ends: Vec<u32>,
    template: Option<String>,
}

/// Opens `path`.
///
/// # Errors
/// What is missing, damaged or not known, with its file.
pub(crate) fn open(path: &Path) -> Result<Opened> {
    if path.is_dir() {
        from_folder(path)
    } else {
        from_gguf(path)
    }
}

fn from_folder(folder: &Path) -> Result<Opened> {
    let file = folder.join("config.json");
    let config = json(&file)?;
    let settings = Settings::from_config(&file, &config);
    check_family(&settings)?;
    let words = words_of_folder(folder, &config)?;
    memory::check(folder, memory_of_folder(folder))?;
    let mut weights = SafetensorsWeights::read(folder)?;
    let decoder = Decoder::new(&settings, &mut weights)?;
    assemble(folder, decoder, words)
}

/// Bytes that a folder's weights will take at most while they are read: as they
/// lie there, and in f32.
fn memory_of_folder(folder: &Path) -> u64 {
    let sizes = SafetensorsWeights::files(folder).into_iter().flatten();
    let sizes = sizes.filter_map(|file| std::fs::metadata(file).ok());
    sizes.fold(0_u64, |all, it| {
        all.saturating_add(it.len().saturating_mul(3))
    })
}

fn words_of_folder(folder: &Path, config: &serde_json::Value) -> Result<Words> {
    let file = folder.join("tokenizer.json");
    let fail = |reason: String| LanguageModelError::Model {
        path: file.clone(),
        reason,
    };
    let bytes = bounded(&file, LARGEST_TOKENIZER).map_err(|error| {
        fail(format!(
            "expected the model's tokenizer: {error}\n  help: take the file from where the model came from; `tokenizer.model` alone is not read"
        ))
    })?;
    let tokenizer = Tokenizer::from_bytes(&bytes).map_err(|error| fail(error.to_string()))?;
    let text = config.get("text_config").unwrap_or(config);
    let id = |value: &serde_json::Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    let settings = json(&folder.join("tokenizer_config.json")).unwrap_or_default();
    let generation = json(&folder.join("generation_config.json")).unwrap_or_default();
    let mut ends = Vec::new();
    for place in [&generation, config, text] {
        let named = &place["eos_token_id"];
        let listed = named
            .as_array()
            .map_or(std::slice::from_ref(named), Vec::as_slice);
        ends.extend(listed.iter().filter_map(id));
    }
    let begin = id(&config["bos_token_id"]).or_else(|| id(&text["bos_token_id"]));
    Ok(Words {
        tokenizer,
        begin,
        ends,
        template: template_of_folder(folder, &settings)?,
    })
}

/// A folder's chat template: a file of its own, or, where there is none, what the
/// tokenizer's settings say.
fn template_of_folder(folder: &Path, settings: &serde_json::Value) -> Result<Option<String>> {
    let file = folder.join("chat_template.jinja");
    let bytes = match bounded(&file, LONGEST_TEMPLATE as u64) {
        Ok(bytes) => bytes,
        Err(LanguageModelError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return Ok(settings["chat_template"].as_str().map(str::to_owned));
        }
        Err(error) => return Err(error),
    };
    let template = String::from_utf8(bytes).map_err(|error| LanguageModelError::Model {
        path: file,
        reason: error.to_string(),
    })?;
    Ok(Some(template))
}

fn from_gguf(path: &Path) -> Result<Opened> {
    let file = LanguageModelError::file;
    // A pipe would be waited for.
    if !std::fs::metadata(path).map_err(file(path))?.is_file() {
        return Err(LanguageModelError::Model {
            path: path.to_path_buf(),
            reason: "expected a GGUF file or a folder, got neither".to_owned(),
        });
    }
    let mut reader = BufReader::new(File::open(path).map_err(file(path))?);
    let mut content = gguf_header::read(&mut reader).map_err(|reason| LanguageModelError::Model {
        path: path.to_path_buf(),
        reason: format!("{reason}\n  help: the file is damaged or no GGUF model; take it anew from where it came from"),
    })?;
    let settings = Settings::from_gguf(path, &content);
    check_family(&settings)?;
    memory::check(path, memory_of_gguf(&content))?;
    let words = words_of_gguf(path, &mut content)?;
    let mut weights = GgufWeights::new(path, &content, reader);
    let decoder = Decoder::new(&settings, &mut weights)?;
    assemble(path, decoder, words)
}

/// Bytes that the weights of a GGUF file will take: those of 16 bits become
/// twice as long, packed ones may be laid out a second time for their product.
fn memory_of_gguf(content: &Content) -> u64 {
    let bytes = content.tensor_infos.values().filter_map(gguf_header::bytes);
    bytes.fold(0_u64, |all, it| all.saturating_add(it.saturating_mul(2)))
}

fn words_of_gguf(path: &Path, content: &mut Content) -> Result<Words> {
    let tokenizer = gguf_tokenizer::tokenizer(path, content)?;
    let id = |key: &str| {
        let value = content.metadata.get(key)?;
        u32::try_from(value.to_u64().ok()?).ok()
    };
    let ends = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"];
    Ok(Words {
        tokenizer,
        begin: id("tokenizer.ggml.bos_token_id"),
        ends: ends.into_iter().filter_map(id).collect(),
        template: match content.metadata.get("tokenizer.chat_template") {
            Some(Value::String(template)) => Some(template.clone()),
            _ => None,
        },
    })
}

fn assemble(path: &Path, decoder: Decoder, words: Words) -> Result<Opened> {
    let Words {
        tokenizer,
        begin,
        mut ends,
        template,
    } = words;
    let template = template.ok_or_else(|| LanguageModelError::Model {
        path: path.to_path_buf(),
        reason: "expected a chat template (in the GGUF file; of a folder in `chat_template.jinja` or `tokenizer_config.json`), got none\n  help: take a model that was trained for conversation, usually called `instruct` or `it`".to_owned(),
    })?;
    let word = |id: Option<u32>| {
        id.and_then(|id| tokenizer.id_to_token(id))
            .unwrap_or_default()
    };
    let source = TemplateSource {
        template,
        begin: word(begin),
        end: word(ends.first().copied()),
    };
    let template = ChatTemplate::new(path, source, SystemTime::now)?;
    ends.extend(
        TURN_ENDS
            .iter()
            .filter_map(|end| tokenizer.token_to_id(end)),
    );
    ends.sort_unstable();
    ends.dedup();
    ends.retain(|end| (*end as usize) < decoder.vocabulary());
    let vocabulary = Vocabulary::new(tokenizer, decoder.vocabulary(), ends)?;
    Ok(Opened {
        decoder,
        vocabulary,
        template,
    })
}

/// A file's content, if it is not too large. What it says about its size is not
/// trusted: it may grow, and some files that the system makes up say none.
fn bounded(path: &Path, most: u64) -> Result<Vec<u8>> {
    let file = LanguageModelError::file;
    let fail = |reason: String| LanguageModelError::Model {
        path: path.to_path_buf(),
        reason,
    };
    // A pipe would be waited for.
    if !std::fs::metadata(path).map_err(file(path))?.is_file() {
        return Err(fail("expected a file, got something else".to_owned()));
    }
    let opened = File::open(path).map_err(file(path))?;
    let mut bytes = Vec::new();
    opened
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(file(path))?;
    if bytes.len() as u64 > most {
        return Err(fail(format!("expected at most {most} bytes, got more")));
    }
    Ok(bytes)
}

fn json(path: &Path) -> Result<serde_json::Value> {
    let bytes = bounded(path, LARGEST_CONFIG)?;
    serde_json::from_slice(&bytes).map_err(|error| LanguageModelError::Model {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}
