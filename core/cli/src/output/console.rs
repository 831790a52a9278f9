//! Where commands print to.

use std::io::{self, Write};

use serde::Serialize;

use super::Style;
use crate::failure::Failure;

/// Who reads standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A person.
    Text,
    /// A program: one JSON object a line.
    Json,
}

/// Standard output, written line by line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    format: Format,
    style: Style,
}

impl Console {
    /// Standard output in this format.
    pub(crate) fn stdout(format: Format) -> Self {
        let style = if format == Format::Json {
            Style::Plain
        } else {
            Style::for_stdout()
        };
        Self { format, style }
    }

    /// Whether a program reads.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// The colours in use.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Prints one object on one line, in either format.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn object(&self, value: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_string(value).map_err(Failure::Encoding)?;
        line.push('\n');
        self.write(&line)
    }

    /// Prints a line of text.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        self.write(&format!("{text}\n"))
    }

    /// Prints text as it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .map_err(Failure::from_stdout)
    }
}
