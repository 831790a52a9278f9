//! What a person sees while typing: the conversation, and above the prompt one
//! live line of status.
//!
//! The line editor owns the last two rows of the terminal: the status row and
//! the prompt. Everything else is printed through it, so that neither a word of
//! the robot nor a fresh status ever lands in the middle of what is being typed.

use std::{
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::Builder,
    time::Duration,
};

use rustyline::ExternalPrinter;

use crate::{
    failure::Failure,
    output::{Style, Tone},
};

/// Time between two frames of the status row.
const FRAME: Duration = Duration::from_millis(120);
/// The turning sign while the arm moves.
const TURNING: [&str; 8] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"];
/// Up one row and down again: text without a trace, after which the editor
/// draws its rows anew.
const REDRAW: &str = "\x1b[A\n";

/// The terminal during a conversation; clones share it.
///
/// The line editor calls back for the status row while somebody prints through
/// it, and printing waits for the editor: therefore status and printer have a
/// lock each, and the callback takes the first alone.
#[derive(Clone)]
pub(crate) struct Screen {
    status: Arc<Mutex<Status>>,
    printer: Arc<Mutex<Option<Printer>>>,
    style: Style,
}

/// Prints above the line that is being edited.
type Printer = Box<dyn ExternalPrinter + Send>;

struct Status {
    text: Option<String>,
    frame: usize,
    columns: usize,
}

impl Screen {
    /// A screen without a line editor: text goes straight to standard output.
    pub(crate) fn new(style: Style) -> Self {
        let status = Status {
            text: None,
            frame: 0,
            columns: 80,
        };
        Self {
            status: Arc::new(Mutex::new(status)),
            printer: Arc::default(),
            style,
        }
    }

    /// Prints through a line editor from now on and keeps the status turning.
    ///
    /// # Errors
    /// When the thread that turns it cannot be started.
    pub(super) fn attach(&self, printer: Printer) -> Result<(), Failure> {
        *self.printer() = Some(printer);
        let screen = self.clone();
        Builder::new()
            .name("status".to_owned())
            .spawn(move || {
                while screen.turn() {
                    std::thread::sleep(FRAME);
                }
            })
            .map(|_| ())
            .map_err(|source| Failure::System {
                what: "the status thread",
                source,
            })
    }

    /// The line editor has ended: text goes straight to standard output again.
    pub(super) fn detach(&self) {
        *self.printer() = None;
    }

    /// Shows the next frame of the status; whether to go on.
    fn turn(&self) -> bool {
        {
            let mut status = self.status();
            if status.text.is_none() {
                return true;
            }
            status.frame += 1;
        }
        self.printer()
            .as_mut()
            .is_some_and(|printer| printer.print(REDRAW.to_owned()).is_ok())
    }

    /// Width of the terminal, for cutting the status.
    pub(super) fn set_columns(&self, columns: usize) {
        self.status().columns = columns.max(20);
    }

    /// Prints a line of the conversation.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        if let Some(printer) = self.printer().as_mut() {
            return printer
                .print(format!("{text}\n"))
                .map_err(Failure::Terminal);
        }
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{text}")
            .and_then(|()| stdout.flush())
            .map_err(Failure::from_stdout)
    }

    /// Sets or clears the status row.
    pub(crate) fn set_status(&self, text: Option<String>) {
        let before = std::mem::replace(&mut self.status().text, text.clone());
        if before.is_some()
            && text.is_none()
            && let Some(printer) = self.printer().as_mut()
        {
            // A lost frame is drawn with the next key.
            let _ = printer.print(REDRAW.to_owned());
        }
    }

    /// The status row as it is drawn, one row at most.
    pub(super) fn status_row(&self) -> String {
        let status = self.status();
        let Some(text) = &status.text else {
            return String::new();
        };
        let sign = TURNING[status.frame % TURNING.len()];
        let row: String = text
            .chars()
            .take(status.columns.saturating_sub(24))
            .collect();
        format!(
            "{} {row} {}",
            self.style.paint(Tone::Good, sign),
            self.style.paint(Tone::Faint, "· type stop to stop")
        )
    }

    /// The prompt as it is drawn.
    pub(super) fn prompt(&self) -> String {
        format!("{} ", self.style.paint(Tone::Typed, "›"))
    }

    /// The colours in use.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn printer(&self) -> MutexGuard<'_, Option<Printer>> {
        self.printer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_stays_on_one_row() {
        let screen = Screen::new(Style::Plain);
        assert_eq!(screen.status_row(), "");
        screen.set_columns(60);
        screen.set_status(Some("x".repeat(200)));
        let row = screen.status_row();
        assert!(row.chars().count() < 60 && row.contains("stop"), "{row}");
        screen.set_status(None);
        assert_eq!(screen.status_row(), "");
    }
}
