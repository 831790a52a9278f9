//! The licences of the crates of others: a list, then every text once.

use std::{collections::BTreeMap, fs, path::Path};

use super::metadata::ForeignCrate;

/// How the names of files with licences begin, in small letters.
const FILES: [&str; 5] = ["licen", "copying", "copyright", "notice", "unlicense"];

/// The whole text.
///
/// # Errors
/// When a crate states no licence, or its files cannot be read.
pub(crate) fn text(crates: &[ForeignCrate]) -> Result<String, String> {
    let mut list = String::new();
    // Each text with those that it belongs to; most share a few.
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in crates {
        let files = licence_files(&one.folder)?;
        if one.licence.is_empty() && files.is_empty() {
            return Err(format!(
                "{} {} states no licence and carries none: it cannot be shipped",
                one.name, one.version
            ));
        }
        let licence = match one.licence.as_str() {
            "" => "see its text below",
            expression => expression,
        };
        let name = format!("{} {}", one.name, one.version);
        list.push_str(&format!("{name} · {licence}"));
        if !one.repository.is_empty() {
            list.push_str(&format!(" · {}", one.repository));
        }
        list.push('\n');
        for (file, text) in files {
            texts
                .entry(text)
                .or_default()
                .push(format!("{name}: {file}"));
        }
    }
    let mut texts: Vec<(Vec<String>, String)> =
        texts.into_iter().map(|(text, of)| (of, text)).collect();
    texts.sort();
    let mut all = format!(
        "Licences of the crates of others in this archive's programs and libraries.\n\
         One line each: name and version, licence, repository. The texts that the\n\
         crates carry follow, each once, under the names of those that it belongs to.\n\n{list}"
    );
    let line = "=".repeat(78);
    for (of, text) in texts {
        all.push_str(&format!("\n{line}\n{}\n{line}\n\n{text}\n", of.join("\n")));
    }
    Ok(all)
}

/// Names and texts of a crate's licence files, in the order of their names.
fn licence_files(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let failed = |error: std::io::Error| format!("{}: cannot be read: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let small = name.to_lowercase();
        if !entry.path().is_file() || !FILES.iter().any(|start| small.starts_with(start)) {
            continue;
        }
        let bytes = fs::read(entry.path()).map_err(failed)?;
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        files.push((name, text.trim_end().to_owned()));
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_in(folder: &Path, name: &str, files: &[(&str, &str)]) -> ForeignCrate {
        let own = folder.join(name);
        fs::create_dir(&own).unwrap();
        for (file, text) in files {
            fs::write(own.join(file), text).unwrap();
        }
        ForeignCrate {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            repository: "https://example.org/a".to_owned(),
            folder: own,
        }
    }

    #[test]
    fn every_crate_is_listed_and_every_text_stands_once() {
        let folder = tempfile::tempdir().unwrap();
        let crates = [
            crate_in(
                folder.path(),
                "a",
                &[("LICENSE-MIT", "may be used\r\n"), ("lib.rs", "code")],
            ),
            crate_in(folder.path(), "b", &[("license.txt", "may be used")]),
            crate_in(folder.path(), "c", &[]),
        ];
        let text = text(&crates).unwrap();
        for name in ["a", "b", "c"] {
            let line = format!("{name} 1.0.0 · MIT · https://example.org/a\n");
            assert!(text.contains(&line), "{line} is not in {text}");
        }
        assert_eq!(text.matches("may be used").count(), 1, "{text}");
        assert!(text.contains("a 1.0.0: LICENSE-MIT\nb 1.0.0: license.txt\n"));
        assert!(!text.contains("code"));
    }

    #[test]
    fn a_crate_without_any_licence_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut bare = crate_in(folder.path(), "bare", &[]);
        bare.licence.clear();
        let error = text(&[bare]).unwrap_err();
        assert!(error.contains("bare 1.0.0"), "{error}");
    }
}
