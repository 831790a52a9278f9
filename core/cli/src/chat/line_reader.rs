//! Lines from a program or a file: no editing, no prompt.

use std::{
    io::{self, BufRead},
    thread::Builder,
};

use super::{DeadMan, Inbox};
use crate::failure::Failure;

/// Longest line that is read (bytes); more of it is another line.
const MOST_BYTES: u64 = 64 << 10;

/// Reads standard input on its own thread until it ends. The thread may outlive
/// the conversation: it then waits for input that nobody sends.
///
/// # Errors
/// When the thread cannot be started.
pub(crate) fn start_reader(inbox: Inbox, dead_man: Option<DeadMan>) -> Result<(), Failure> {
    let read = move || {
        let stdin = io::stdin();
        read_lines(&mut stdin.lock(), &inbox, dead_man.as_ref());
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

fn read_lines(input: &mut impl BufRead, inbox: &Inbox, dead_man: Option<&DeadMan>) {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match io::Read::take(&mut *input, MOST_BYTES).read_until(b'\n', &mut bytes) {
            Ok(0) => return,
            Ok(_) => {
                if let Some(dead_man) = dead_man {
                    dead_man.press();
                }
                inbox.typed(&String::from_utf8_lossy(&bytes));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::error!(%error, "standard input cannot be read");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vola_runtime::StopSwitch;

    use super::*;
    use crate::chat::Said;

    #[test]
    fn lines_are_read_whatever_they_hold() {
        let inbox = Inbox::new(StopSwitch::default());
        let text = b"first\r\n\n  \xff second\nlast without end";
        read_lines(&mut &text[..], &inbox, None);
        let mut lines = Vec::new();
        while let Some(Said::Line { text, .. }) = inbox.next(Duration::ZERO) {
            lines.push(text);
        }
        assert_eq!(lines, ["first", "\u{fffd} second", "last without end"]);
    }
}
