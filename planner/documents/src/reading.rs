//! Files of documents, bounded: which are read, and their text.
//!
//! A named folder is searched for `.md`, `.markdown` and `.txt`; other files are
//! passed over, and so are names that begin with a dot. Links inside of it are
//! followed to regular files of the same folder only, and never to folders, so
//! that no document shows what lies elsewhere and no circle is walked.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::Problem;

/// Largest document, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 20;
/// Largest sum of all documents, in bytes.
pub const MAX_TOTAL_BYTES: u64 = 16 << 20;
/// Most documents.
pub const MAX_FILES: usize = 500;
/// Deepest folder below a named one.
pub const MAX_DEPTH: usize = 8;

/// Entries of a folder that are looked at; bounds the time in a huge one.
const MAX_ENTRIES: usize = 20_000;

/// A document's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// Name for citations: relative to the named folder.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
    /// Whether headings are looked for.
    pub(crate) is_markdown: bool,
}

/// Reads everything that `paths` name, in the order of paths and then of names.
///
/// # Errors
/// Every problem found.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<Document>, Vec<Problem>> {
    let mut reader = Reader::default();
    for path in paths {
        reader.named(path);
    }
    if reader.problems.is_empty() {
        Ok(reader.documents)
    } else {
        Err(reader.problems)
    }
}

#[derive(Default)]
struct Reader {
    documents: Vec<Document>,
    problems: Vec<Problem>,
    bytes: u64,
    entries: usize,
}

impl Reader {
    /// A path of the deployment.
    fn named(&mut self, path: &Path) {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.report(path, format!("cannot be read: {error}")),
        };
        if metadata.is_dir() {
            match path.canonicalize() {
                Ok(root) => self.folder(&root, &root, 0),
                Err(error) => self.report(path, format!("cannot be read: {error}")),
            }
            return;
        }
        if is_markdown(path).is_none() {
            let expected = "expected a folder, or a file that ends in .md, .markdown or .txt";
            return self.report(path, expected);
        }
        let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
        let root = parent.unwrap_or(Path::new(".")).canonicalize();
        match root {
            Ok(root) => self.file(&root, path),
            Err(error) => self.report(path, format!("cannot be read: {error}")),
        }
    }

    fn folder(&mut self, root: &Path, folder: &Path, depth: usize) {
        let listed = fs::read_dir(folder).and_then(|entries| {
            let left = MAX_ENTRIES.saturating_sub(self.entries);
            let entries = entries.take(left + 1).collect::<Result<Vec<_>, _>>()?;
            Ok(entries)
        });
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(error) => return self.report(folder, format!("cannot be read: {error}")),
        };
        self.entries += entries.len();
        if self.entries > MAX_ENTRIES {
            return self.report(
                folder,
                format!("expected at most {MAX_ENTRIES} entries in all folders, got more"),
            );
        }
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth >= MAX_DEPTH => {
                    let reason =
                        format!("expected folders at most {MAX_DEPTH} deep, this one is deeper");
                    self.report(&path, reason);
                }
                Ok(kind) if kind.is_dir() => self.folder(root, &path, depth + 1),
                Ok(_) if is_markdown(&path).is_some() => self.file(root, &path),
                Ok(_) => {}
                Err(error) => self.report(&path, format!("cannot be read: {error}")),
            }
        }
    }

    /// Reads one file, which must lie inside of `root` when links are followed.
    fn file(&mut self, root: &Path, path: &Path) {
        if self.documents.len() >= MAX_FILES {
            // Told once.
            if self.documents.len() == MAX_FILES && self.problems.is_empty() {
                let reason = format!("expected at most {MAX_FILES} documents, got more");
                self.report(path, reason);
            }
            return;
        }
        match self.text(root, path) {
            Ok(text) => {
                self.bytes = self.bytes.saturating_add(text.len() as u64);
                if self.bytes > MAX_TOTAL_BYTES {
                    let reason = format!(
                        "expected at most {MAX_TOTAL_BYTES} bytes in all, this file is over"
                    );
                    return self.report(path, reason);
                }
                let name = self.name(root, path);
                self.documents.push(Document {
                    name,
                    text,
                    is_markdown: is_markdown(path).unwrap_or(false),
                });
            }
            Err(reason) => self.report(path, reason),
        }
    }

    fn text(&self, root: &Path, path: &Path) -> Result<String, String> {
        let real = path
            .canonicalize()
            .map_err(|error| format!("cannot be read: {error}"))?;
        if !real.starts_with(root) {
            return Err(
                "expected a file inside of its folder, this link leads out of it".to_owned(),
            );
        }
        let metadata = fs::metadata(&real).map_err(|error| format!("cannot be read: {error}"))?;
        if !metadata.is_file() {
            return Err("expected a regular file".to_owned());
        }
        let file = fs::File::open(&real).map_err(|error| format!("cannot be read: {error}"))?;
        let mut bytes = Vec::new();
        // The file may grow while it is read.
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("cannot be read: {error}"))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(format!("expected at most {MAX_FILE_BYTES} bytes, got more"));
        }
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..at]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            format!("expected UTF-8, got other bytes in line {line} (byte {at})")
        })
    }

    /// The name in citations, with the folder's where two would be the same.
    fn name(&self, root: &Path, path: &Path) -> String {
        let inside = path.strip_prefix(root).ok();
        let inside = inside
            .or_else(|| path.file_name().map(Path::new))
            .unwrap_or(path);
        let short = visible(&inside.to_string_lossy());
        if !self.documents.iter().any(|other| other.name == short) {
            return short;
        }
        let folder = root.file_name().map(|name| name.to_string_lossy());
        format!("{}/{short}", visible(&folder.unwrap_or_default()))
    }

    fn report(&mut self, path: &Path, reason: impl Into<String>) {
        self.problems.push(Problem::new(path, reason));
    }
}

/// Whether a name is that of Markdown or of plain text; none for other files.
fn is_markdown(path: &Path) -> Option<bool> {
    let end = path.extension()?.to_str()?.to_ascii_lowercase();
    match end.as_str() {
        "md" | "markdown" => Some(true),
        "txt" => Some(false),
        _ => None,
    }
}

/// Text that is shown to people: without control characters and without the
/// marks that turn the direction of writing.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .map(|letter| if is_shown(letter) { letter } else { ' ' })
        .collect()
}

fn is_shown(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(paths: &[PathBuf]) -> String {
        let problems = read_all(paths).unwrap_err();
        let told: Vec<String> = problems
            .iter()
            .map(|one| format!("{} {}", one.path.display(), one.reason))
            .collect();
        told.join("\n")
    }

    #[test]
    fn folders_are_read_by_name_and_other_files_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("more")).unwrap();
        for (name, text) in [
            ("b.md", "# B"),
            ("a.txt", "A"),
            ("more/c.markdown", "# C"),
            ("picture.png", "\u{0}"),
            (".hidden.md", "# no"),
        ] {
            fs::write(root.join(name), text).unwrap();
        }
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let documents = read_all(paths).unwrap();
            documents.into_iter().map(|one| one.name).collect()
        };
        let all = names(&[root.to_owned()]);
        assert_eq!(all, ["a.txt", "b.md", "more/c.markdown"]);
        assert_eq!(names(&[root.join("b.md")]), ["b.md"]);
        // The same file twice gets two names.
        let twice = names(&[root.join("b.md"), root.to_owned()]);
        assert!(
            twice[0] == "b.md" && twice[2].ends_with("/b.md"),
            "{twice:?}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_all_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("bad.md"), b"# fine\n\xff\xfe").unwrap();
        fs::write(root.join("huge.txt"), vec![b'x'; (1 << 20) + 1]).unwrap();
        fs::write(root.join("picture.png"), "x").unwrap();
        let told = problems(&[
            root.to_owned(),
            root.join("missing"),
            root.join("picture.png"),
        ]);
        for part in [
            "bad.md expected UTF-8, got other bytes in line 2 (byte 7)",
            "huge.txt expected at most 1048576 bytes",
            "missing cannot be read",
            "picture.png expected a folder, or a file that ends in .md",
        ] {
            assert!(told.contains(part), "{told:?} lacks {part:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_are_refused_and_circles_not_walked() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(outside.path().join("secret.md"), "secret").unwrap();
        fs::write(root.join("a.md"), "# A").unwrap();
        symlink(root.join("a.md"), root.join("b.md")).unwrap();
        symlink(root, root.join("circle.md")).unwrap();
        symlink(outside.path().join("secret.md"), root.join("c.md")).unwrap();
        let told = problems(&[root.to_owned()]);
        assert!(
            told.contains("c.md expected a file inside of its folder"),
            "{told}"
        );
        assert!(told.contains("circle.md expected a regular file"), "{told}");
        assert!(
            !told.contains("b.md") && !told.contains("secret.md"),
            "{told}"
        );
        // Named by itself, a link out is refused as well.
        assert!(problems(&[root.join("c.md")]).contains("leads out of it"));
    }

    #[test]
    fn deep_folders_and_many_bytes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut deep = folder.path().to_owned();
        for _ in 0..=MAX_DEPTH {
            deep.push("d");
        }
        fs::create_dir_all(&deep).unwrap();
        assert!(problems(&[folder.path().to_owned()]).contains("at most 8 deep"));
        let wide = tempfile::tempdir().unwrap();
        for number in 0..17 {
            let text = vec![b'a'; 1 << 20];
            fs::write(wide.path().join(format!("{number}.txt")), text).unwrap();
        }
        assert!(problems(&[wide.path().to_owned()]).contains("bytes in all"));
    }

    #[test]
    fn marks_that_deceive_the_eye_are_taken_out() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c"), "a [2Jb c");
    }
}
