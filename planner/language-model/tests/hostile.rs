//! Files that are no models.

use std::path::Path;

use vola_language_model::LanguageModel;

fn refused(path: &Path) -> String {
    match LanguageModel::open(path) {
        Ok(_) => panic!("{}: was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_file_that_is_no_gguf_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.gguf");
    assert!(refused(&file).contains("model.gguf"));
    // A magic number and then: nothing, huge counts, garbage.
    let huge = [
        &b"GGUF"[..],
        &3_u32.to_le_bytes(),
        &u64::MAX.to_le_bytes(),
        &u64::MAX.to_le_bytes(),
    ]
    .concat();
    let long_key = [
        &b"GGUF"[..],
        &3_u32.to_le_bytes(),
        &1_u64.to_le_bytes(),
        &1_u64.to_le_bytes(),
        &(u64::MAX / 2).to_le_bytes(),
    ]
    .concat();
    for bytes in [
        b"".to_vec(),
        b"GGUF".to_vec(),
        b"hello, this is a text".to_vec(),
        huge,
        long_key,
        [b"GGUF".to_vec(), vec![0xff; 4096]].concat(),
    ] {
        std::fs::write(&file, &bytes).unwrap();
        assert!(
            refused(&file).contains("model.gguf"),
            "{} bytes",
            bytes.len()
        );
    }
}

#[test]
fn a_folder_says_what_is_missing_or_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(refused(path).contains("config.json"));
    std::fs::write(path.join("config.json"), "{").unwrap();
    assert!(refused(path).contains("config.json"));
    std::fs::write(path.join("config.json"), r#"{"model_type":"mystery"}"#).unwrap();
    assert!(refused(path).contains("tokenizer.json"));
    std::fs::write(path.join("tokenizer.json"), "{}").unwrap();
    assert!(refused(path).contains("tokenizer.json"));
}
