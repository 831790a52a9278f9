//! Lines from a person: editing, history, completion, a live status row.

use std::{borrow::Cow, path::PathBuf, thread::Builder};

use rustyline::{
    ColorMode, Config, Context, Editor, EventHandler, Helper, KeyCode, KeyEvent, Modifiers,
    completion::Completer,
    error::ReadlineError,
    highlight::Highlighter,
    hint::{Hinter, HistoryHinter},
    history::FileHistory,
    validate::Validator,
};

use super::{DeadMan, Inbox, Screen};
use crate::{failure::Failure, interrupt::Interrupt, output::Tone};

/// The prompt's shape: a status row, then two columns. What is drawn in its
/// place has as many rows and ends in as many columns.
const PROMPT_SHAPE: &str = "\n› ";
/// Sentences kept in the history.
const HISTORY_LINES: usize = 1000;

/// Reads lines on their own thread until the person leaves.
///
/// # Errors
/// When the terminal cannot be used or the thread cannot be started.
pub(crate) fn start_editor(
    inbox: Inbox,
    screen: &Screen,
    interrupt: Interrupt,
    commands: &'static [&'static str],
    dead_man: Option<DeadMan>,
) -> Result<(), Failure> {
    let config = Config::builder()
        .max_history_size(HISTORY_LINES)
        .map_err(Failure::Terminal)?
        .history_ignore_dups(true)
        .map_err(Failure::Terminal)?
        .auto_add_history(true)
        // The status row is drawn by the highlighter, colours or not.
        .color_mode(ColorMode::Forced)
        .build();
    let mut editor: Editor<ChatHelper, FileHistory> =
        Editor::with_config(config).map_err(Failure::Terminal)?;
    if let Some(dead_man) = dead_man {
        let space = KeyEvent(KeyCode::Char(' '), Modifiers::NONE);
        editor.bind_sequence(space, EventHandler::Conditional(Box::new(dead_man)));
    }
    let hinter = HistoryHinter::new();
    editor.set_helper(Some(ChatHelper {
        screen: screen.clone(),
        hinter,
        commands,
    }));
    let history = history_file();
    if let Some(path) = &history {
        // The first conversation has no history.
        let _ = editor.load_history(path);
    }
    let printer = editor
        .create_external_printer()
        .map_err(Failure::Terminal)?;
    screen.attach(Box::new(printer))?;
    let screen = screen.clone();
    let read = move || {
        converse(&mut editor, &inbox, &screen, &interrupt);
        screen.detach();
        if let Some(path) = &history
            && let Err(error) = save_history(&mut editor, path)
        {
            tracing::debug!(%error, path = %path.display(), "the history was not saved");
        }
        inbox.end();
    };
    Builder::new()
        .name("input".to_owned())
        .spawn(read)
        .map(|_| ())
        .map_err(|source| Failure::System {
            what: "the input thread",
            source,
        })
}

/// Reads until Ctrl-D, Ctrl-C or the terminal's end.
fn converse(
    editor: &mut Editor<ChatHelper, FileHistory>,
    inbox: &Inbox,
    screen: &Screen,
    interrupt: &Interrupt,
) {
    while !interrupt.is_wanted() {
        if let Some((columns, _)) = editor.dimensions() {
            screen.set_columns(usize::from(columns));
        }
        match editor.readline(PROMPT_SHAPE) {
            Ok(line) => {
                let leaves = matches!(line.trim(), "/quit" | "/exit");
                if inbox.typed(&line) {
                    // Failing to say so does not keep the arm from stopping.
                    let _ = screen.line(&screen.style().paint(Tone::Warning, "Stopping."));
                }
                if leaves && !inbox.is_moving() {
                    return;
                }
            }
            Err(ReadlineError::Interrupted) => {
                interrupt.request();
                return;
            }
            Err(ReadlineError::Eof) => return,
            Err(error) => {
                tracing::error!(%error, "the terminal cannot be read");
                return;
            }
        }
    }
}

fn save_history(
    editor: &mut Editor<ChatHelper, FileHistory>,
    path: &PathBuf,
) -> Result<(), ReadlineError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    editor.save_history(path)
}

/// The history's file in the user's data folder.
fn history_file() -> Option<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = if cfg!(target_os = "macos") {
        from("HOME")?.join("Library/Application Support")
    } else if cfg!(windows) {
        from("APPDATA")?
    } else {
        from("XDG_DATA_HOME").or_else(|| from("HOME").map(|home| home.join(".local/share")))?
    };
    Some(folder.join("vola").join("history"))
}

/// Draws status and prompt, suggests earlier sentences, completes commands.
struct ChatHelper {
    screen: Screen,
    hinter: HistoryHinter,
    commands: &'static [&'static str],
}

impl Helper for ChatHelper {}
impl Validator for ChatHelper {}

impl Highlighter for ChatHelper {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        default: bool,
    ) -> Cow<'b, str> {
        if !default {
            // A search through the history has its own prompt.
            return Cow::Borrowed(prompt);
        }
        Cow::Owned(format!(
            "{}\n{}",
            self.screen.status_row(),
            self.screen.prompt()
        ))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(self.screen.style().paint(Tone::Faint, hint))
    }
}

impl Hinter for ChatHelper {
    type Hint = String;

    fn hint(&self, line: &str, position: usize, context: &Context<'_>) -> Option<String> {
        self.hinter.hint(line, position, context)
    }
}

impl Completer for ChatHelper {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..position).unwrap_or_default();
        if !typed.starts_with('/') {
            return Ok((position, Vec::new()));
        }
        let fitting = self
            .commands
            .iter()
            .filter(|command| command.starts_with(typed));
        Ok((0, fitting.map(|command| (*command).to_owned()).collect()))
    }
}
