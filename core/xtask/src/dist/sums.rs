//! Hashes of all files, in the form that `b3sum --check` reads.

use super::Contents;

/// One line a file: hash, two spaces, path.
pub(crate) fn text(contents: &Contents) -> String {
    contents
        .iter()
        .map(|(path, file)| format!("{}  {path}\n", file.hash()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::Packed;

    #[test]
    fn one_line_a_file() {
        let mut contents = Contents::new();
        contents.insert("b".to_owned(), Packed::text(b"2".to_vec()));
        contents.insert("a/c".to_owned(), Packed::text(b"1".to_vec()));
        let (one, two) = (blake3::hash(b"1"), blake3::hash(b"2"));
        assert_eq!(text(&contents), format!("{one}  a/c\n{two}  b\n"));
    }
}
