//! Colours, only where a person looks at a terminal.

use std::io::IsTerminal;

/// What a piece of text is, from which its colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A heading or the robot's own words.
    Strong,
    /// Something beside the point.
    Faint,
    /// It went well.
    Good,
    /// Look at this.
    Warning,
    /// It went wrong.
    Bad,
    /// What a person may type.
    Typed,
}

/// Whether colours are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Text alone.
    Plain,
    /// With ANSI colours.
    Colored,
}

impl Style {
    /// Colours for standard output: a terminal, `NO_COLOR` unset or empty, and
    /// not `TERM=dumb`.
    pub(crate) fn for_stdout() -> Self {
        Self::choose(
            std::io::stdout().is_terminal(),
            std::env::var("NO_COLOR").ok().as_deref(),
            std::env::var("TERM").ok().as_deref(),
        )
    }

    /// Colours for standard error, by the same rules.
    pub(crate) fn for_stderr() -> Self {
        Self::choose(
            std::io::stderr().is_terminal(),
            std::env::var("NO_COLOR").ok().as_deref(),
            std::env::var("TERM").ok().as_deref(),
        )
    }

    fn choose(is_terminal: bool, no_color: Option<&str>, term: Option<&str>) -> Self {
        let unwanted = no_color.is_some_and(|value| !value.is_empty()) || term == Some("dumb");
        if is_terminal && !unwanted {
            Self::Colored
        } else {
            Self::Plain
        }
    }

    /// The text in the tone's colour.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "31",
            Tone::Typed => "36",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_need_a_terminal_that_wants_them() {
        for (terminal, no_color, term, expected) in [
            (true, None, Some("xterm"), Style::Colored),
            (true, Some(""), None, Style::Colored),
            (true, Some("1"), None, Style::Plain),
            (true, None, Some("dumb"), Style::Plain),
            (false, None, Some("xterm"), Style::Plain),
        ] {
            assert_eq!(Style::choose(terminal, no_color, term), expected);
        }
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(Style::Plain.paint(Tone::Bad, "x"), "x");
        assert_eq!(Style::Colored.paint(Tone::Bad, ""), "");
        assert_eq!(Style::Colored.paint(Tone::Good, "x"), "\x1b[32mx\x1b[0m");
    }
}
