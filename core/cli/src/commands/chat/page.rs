//! The operator's page beside a conversation.

use std::process::{Command, Stdio};

use serde_json::json;
use vola_console::ServerSettings;

use super::{Listener, Teller};
use crate::{
    chat::Inbox,
    commands::serve::{Stand, StandWish},
    failure::Failure,
    robot::{Pendant, SessionRobot},
    workplace::Workplace,
};

/// Serves the page to this machine, at a free port.
///
/// # Errors
/// As [`Stand::open`].
pub(super) fn open(
    workplace: &Workplace,
    robot: &mut SessionRobot,
    hands: (&Inbox, Pendant),
) -> Result<(Stand, Listener), Failure> {
    let wish = StandWish {
        settings: ServerSettings {
            address: ([127, 0, 0, 1], 0).into(),
            token: None,
        },
        dead_man_ms: None,
    };
    Stand::open(workplace, robot, hands, wish)
}

/// Says where the page is; a person with a screen is shown it.
///
/// # Errors
/// When nobody reads.
pub(super) fn tell(stand: &Stand, is_person: bool, teller: &mut Teller) -> Result<(), Failure> {
    let address = stand.address();
    if teller.console.is_json() {
        return teller.console.object(&json!({"listening": address}));
    }
    teller.line(&format!("The page is at http://{address}/"))?;
    if is_person && has_screen() {
        show(&format!("http://{address}/"));
    }
    Ok(())
}

/// Whether a window could be seen here.
fn has_screen() -> bool {
    let names_one = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || names_one("DISPLAY") || names_one("WAYLAND_DISPLAY")
}

/// Asks the desktop to show an address. Without a browser it was told anyway.
fn show(address: &str) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let started = Command::new(opener)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let waited = started.and_then(|mut child| {
        // It may stay as long as the browser does.
        let wait = move || drop(child.wait());
        std::thread::Builder::new()
            .name(opener.to_owned())
            .spawn(wait)
    });
    if let Err(error) = waited {
        tracing::debug!(%error, opener, "the page is not opened by itself");
    }
}
