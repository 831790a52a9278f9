//! Passages of a document: its sections by heading, long ones cut at paragraphs.
//!
//! Of Markdown only headings (`#` and underlined), fences, comments and the
//! block of settings at the top are understood; everything else stays as it is
//! written, so that a quotation is what the file says. Lines of a paragraph are
//! joined.

use crate::reading::{Document, visible};

/// Longest passage, in bytes; longer sections become several.
pub const MAX_PASSAGE_BYTES: usize = 1500;
/// Longest heading that is kept, in bytes.
const MAX_HEADING_BYTES: usize = 120;
/// Deepest heading of Markdown.
const LEVELS: usize = 6;

/// A part of a document under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The document's name, relative to the folder that was named.
    pub file: String,
    /// The headings above it, the outermost first.
    pub headings: Vec<String>,
    /// Line of the file where it begins, counted from 1.
    pub line: usize,
    /// Its text, paragraphs separated by a line break.
    pub text: String,
}

impl Passage {
    /// "Gripper › Payload".
    #[must_use]
    pub fn heading(&self) -> String {
        self.headings.join(" › ")
    }
}

/// The passages of a document in its order.
pub(crate) fn passages(document: &Document) -> Vec<Passage> {
    let mut splitter = Splitter {
        file: &document.name,
        headings: vec![None; LEVELS],
        paragraphs: Vec::new(),
        paragraph: Paragraph::default(),
        passages: Vec::new(),
    };
    let lines: Vec<String> = document.text.lines().map(visible).collect();
    if document.is_markdown {
        splitter.markdown(&lines);
    } else {
        for (index, line) in lines.iter().enumerate() {
            splitter.line(index + 1, line);
        }
    }
    splitter.close_section();
    splitter.passages
}

/// Lines that belong together.
#[derive(Debug, Clone, Default)]
struct Paragraph {
    line: usize,
    text: String,
}

struct Splitter<'a> {
    file: &'a str,
    headings: Vec<Option<String>>,
    paragraphs: Vec<Paragraph>,
    paragraph: Paragraph,
    passages: Vec<Passage>,
}

impl Splitter<'_> {
    fn markdown(&mut self, lines: &[String]) {
        let mut at = front_matter(lines);
        let mut fence: Option<&str> = None;
        let mut in_comment = false;
        while let Some(line) = lines.get(at) {
            let number = at + 1;
            let trimmed = line.trim_start();
            at += 1;
            if let Some(mark) = fence {
                if trimmed.starts_with(mark) {
                    fence = None;
                    self.close_paragraph();
                } else {
                    self.line(number, line);
                }
                continue;
            }
            if in_comment || (trimmed.starts_with("<!--")) {
                in_comment = !line.contains("-->");
                continue;
            }
            fence = ["```", "~~~"]
                .into_iter()
                .find(|mark| trimmed.starts_with(mark));
            if fence.is_some() {
                self.close_paragraph();
            } else if let Some((level, title)) = heading(line) {
                self.open_section(level, title);
            } else if let Some(level) = underline(line)
                && !self.paragraph.text.is_empty()
                && self.paragraph.line + 1 == number
            {
                let title = std::mem::take(&mut self.paragraph).text;
                self.open_section(level, &title);
            } else {
                self.line(number, line);
            }
        }
    }

    /// A line of running text; an empty one ends the paragraph.
    fn line(&mut self, number: usize, line: &str) {
        let text = line.trim();
        if text.is_empty() {
            return self.close_paragraph();
        }
        // An item of a list stands for itself.
        if is_item(text) {
            self.close_paragraph();
        }
        if self.paragraph.text.is_empty() {
            self.paragraph.line = number;
        } else {
            self.paragraph.text.push(' ');
        }
        self.paragraph.text.push_str(text);
        while self.paragraph.text.len() > MAX_PASSAGE_BYTES {
            let end = cut(&self.paragraph.text, MAX_PASSAGE_BYTES);
            let rest = self.paragraph.text.split_off(end).trim_start().to_owned();
            self.close_paragraph();
            self.paragraph = Paragraph {
                line: number,
                text: rest,
            };
        }
    }

    fn close_paragraph(&mut self) {
        if !self.paragraph.text.is_empty() {
            self.paragraphs.push(std::mem::take(&mut self.paragraph));
        }
    }

    fn open_section(&mut self, level: usize, title: &str) {
        self.close_section();
        let title = title[..cut(title, MAX_HEADING_BYTES)].trim().to_owned();
        for (index, heading) in self.headings.iter_mut().enumerate() {
            if index + 1 == level {
                *heading = Some(title.clone()).filter(|title| !title.is_empty());
            } else if index + 1 > level {
                *heading = None;
            }
        }
    }

    /// Makes passages of what stands under the present heading.
    fn close_section(&mut self) {
        self.close_paragraph();
        let headings: Vec<String> = self.headings.iter().flatten().cloned().collect();
        let mut open: Option<Passage> = None;
        for paragraph in std::mem::take(&mut self.paragraphs) {
            match &mut open {
                Some(passage) if passage.text.len() + paragraph.text.len() < MAX_PASSAGE_BYTES => {
                    passage.text.push('\n');
                    passage.text.push_str(&paragraph.text);
                }
                _ => {
                    let next = Passage {
                        file: self.file.to_owned(),
                        headings: headings.clone(),
                        line: paragraph.line,
                        text: paragraph.text,
                    };
                    self.passages.extend(open.replace(next));
                }
            }
        }
        self.passages.extend(open);
    }
}

/// Lines at the top that hold settings between two `---`.
fn front_matter(lines: &[String]) -> usize {
    let is_rule = |line: &&String| line.trim_end() == "---";
    if lines.first().filter(is_rule).is_none() {
        return 0;
    }
    let end = lines.iter().skip(1).position(|line| is_rule(&line));
    end.map_or(0, |end| end + 2)
}

/// Level and title of a heading with `#`.
fn heading(line: &str) -> Option<(usize, &str)> {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let line = line.trim_start_matches(' ');
    let level = line.len() - line.trim_start_matches('#').len();
    let rest = line.get(level..)?;
    let is_heading = indent < 4 && (1..=LEVELS).contains(&level);
    if !is_heading || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    Some((level, rest.trim().trim_end_matches('#').trim_end()))
}

/// Level of the heading that this line underlines.
fn underline(line: &str) -> Option<usize> {
    let line = line.trim();
    let is_all = |mark: char| line.len() >= 3 && line.chars().all(|letter| letter == mark);
    if is_all('=') {
        Some(1)
    } else {
        is_all('-').then_some(2)
    }
}

fn is_item(text: &str) -> bool {
    let digits = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    text.starts_with("- ")
        || text.starts_with("* ")
        || text.starts_with("+ ")
        || (digits.len() < text.len() && (digits.starts_with(". ") || digits.starts_with(") ")))
}

/// The last place at or before `most` bytes where a text may be cut.
fn cut(text: &str, most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    let end = text.floor_char_boundary(most);
    let space = text[..end].rfind(' ').filter(|at| *at > most / 2);
    space.unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, is_markdown: bool) -> Vec<(String, usize, String)> {
        let document = Document {
            name: "a.md".to_owned(),
            text: text.to_owned(),
            is_markdown,
        };
        let all = passages(&document);
        all.into_iter()
            .map(|one| (one.heading(), one.line, one.text))
            .collect()
    }

    fn row(heading: &str, line: usize, text: &str) -> (String, usize, String) {
        (heading.to_owned(), line, text.to_owned())
    }

    #[test]
    fn sections_carry_their_headings_and_lines() {
        let text = "---\ntitle: x\n---\nbefore\n\n# One #\nfirst\nline\n\nsecond\n## Two\n- a\n- b\n# Three\n<!-- not\n# this -->\nend\n";
        assert_eq!(
            split(text, true),
            [
                row("", 4, "before"),
                row("One", 7, "first line\nsecond"),
                row("One › Two", 12, "- a\n- b"),
                row("Three", 17, "end"),
            ]
        );
    }

    #[test]
    fn underlined_headings_and_fences() {
        let text =
            "Title\n=====\nx\n\nPart\n----\n```sh\n# no heading\n```\n#nor this\n    # nor code\n";
        assert_eq!(
            split(text, true),
            [
                row("Title", 3, "x"),
                row("Title › Part", 8, "# no heading\n#nor this # nor code"),
            ]
        );
        assert_eq!(split("# a\nb", false), [row("", 1, "# a b")]);
    }

    #[test]
    fn long_sections_are_cut_and_nothing_is_lost() {
        let word = "سلام wörter ";
        for text in [
            word.repeat(900),
            format!("# h\n{}", (word.to_owned() + "\n\n").repeat(900)),
        ] {
            let all = split(&text, true);
            assert!(all.len() > 5);
            assert!(all.iter().all(|one| one.2.len() <= MAX_PASSAGE_BYTES));
            let words: usize = all.iter().map(|one| one.2.split_whitespace().count()).sum();
            assert_eq!(words, 1800);
        }
        // Without a space there is nothing to cut at.
        assert!(split(&"ü".repeat(4000), true).len() > 5);
    }

    #[test]
    fn odd_text_gives_passages_or_none() {
        for text in [
            "",
            "\n\n\n",
            "#",
            "# \n## \n",
            "---\n",
            "```\n",
            "<!--",
            "===\n---",
        ] {
            let _ = split(text, true);
        }
        assert!(split("# only\n## headings\n", true).is_empty());
    }
}
