//! `vola serve`: the robot with the operator's page, for people and programs on
//! the network.

mod desk;
mod shelf;
mod stand;

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use serde_json::{Value, json};
use vola_console::{ServerSettings, Token};

pub(crate) use stand::{Stand, StandWish};

use super::chat::{Chat, Talk};
use crate::{
    arguments::{Clock, SharedArguments},
    chat::{Inbox, Typist},
    failure::{Failure, exit},
    hang_watch,
    interrupt::{Interrupt, Leaving},
    learning::Learner,
    output::Console,
    robot::{Pendant, SessionRobot},
    workplace::{SessionWish, Workplace},
};

/// `vola serve`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8088", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// A file with the word that lets in, of mode 0600; needed where other machines can reach the address
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Stop the robot when nobody at the page, or `POST /api/beat`, gives a sign of life this often
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(20..=60_000))]
    dead_man_ms: Option<u64>,
    /// Seed of the simulated scene and of the policy's draws
    #[arg(long, default_value_t = crate::arguments::USUAL_SEED)]
    seed: u64,
    /// Record what happens into this folder, instead of the deployment's
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Write what the control loop takes in to a new file, for `vola replay`
    #[arg(long, value_name = "FILE")]
    record_control: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &ServeArguments,
    console: Console,
) -> Result<u8, Failure> {
    let token = own.token_file.as_deref().map(Token::read).transpose()?;
    let workplace = Workplace::open_recording(shared, own.record.as_deref())?;
    let wish =
        SessionWish::as_deployed(Clock::Real, own.seed).recording(own.record_control.as_deref());
    let mut robot = SessionRobot::new(workplace.session(wish)?);
    let stop = robot.session().stop_switch();
    let interrupt = Interrupt::install(stop.clone(), Leaving::InTime);
    hang_watch::watch_over(robot.session(), workplace.deployment(), console)?;
    let inbox = Inbox::new(stop);
    let moving = inbox.clone();
    robot.watch_motion(Box::new(move |is_moving| moving.set_moving(is_moving)));
    if robot.session().has_simulation() {
        robot.session().reset_world(own.seed, &Value::Null)?;
    }
    let pendant = Pendant::new(inbox.clone(), Typist::Person);
    robot.hand_to(pendant.clone());
    let wish = StandWish {
        settings: ServerSettings {
            address: own.listen,
            token,
        },
        dead_man_ms: own.dead_man_ms,
    };
    let (stand, listener) = Stand::open(&workplace, &mut robot, (&inbox, pendant), wish)?;
    let address = stand.address();
    if console.is_json() {
        console.object(&json!({"listening": address}))?;
    } else {
        console.line(&format!(
            "the console is at http://{address}/  (Ctrl-C ends)"
        ))?;
    }
    let talk = Talk {
        console,
        typist: Typist::Person,
        // A stop is left by whoever looks at the page, not by ending.
        stays: true,
        clock: Clock::Real,
        listener: Some(listener),
        learner: Learner::of(&workplace, shared, robot.session().has_simulation())?,
    };
    let mut chat = Chat::new(&workplace, robot, &inbox, &interrupt, talk, own.seed)?;
    let code = chat.converse(&inbox, &interrupt);
    drop(stand);
    // A server ends by being interrupted.
    Ok(if interrupt.is_wanted() {
        exit::DONE
    } else {
        code.map(|_| exit::DONE)?
    })
}
