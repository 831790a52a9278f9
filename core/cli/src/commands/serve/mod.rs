//! `vola serve`: the robot with the operator's page, for people and programs on
//! the network.

mod desk;
mod shelf;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use clap::Args;
use serde_json::{Value, json};
use vola_console::{
    Capability, Desk, EpisodeShelf, Feed, Pictures, Server, ServerSettings, Token, Views,
};
use vola_runtime::HeartbeatKind;
use vola_types::RunEventKind;

use desk::{LastLearned, RobotDesk};
use shelf::RecordedShelf;

use super::chat::{Chat, Listener, Talk, Told};
use crate::{
    arguments::{Clock, SharedArguments},
    chat::{Inbox, Typist},
    failure::{Failure, exit},
    hang_watch,
    health::Health,
    interrupt::{Interrupt, Leaving},
    learning::Learner,
    live_view::{LiveView, robot_card, show_cameras},
    monitor::Monitor,
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
    let inbox = Inbox::new(stop.clone());
    let moving = inbox.clone();
    robot.watch_motion(Box::new(move |is_moving| moving.set_moving(is_moving)));
    if robot.session().has_simulation() {
        robot.session().reset_world(own.seed, &Value::Null)?;
    }
    let session = robot.session();
    let embodiment = session.embodiment_id().to_string();
    let monitor = Monitor::new(
        session.control_watch(),
        session.policy_telemetry(),
        embodiment.clone(),
        Health::new(workplace.deployment(), session),
    );
    let heartbeat = own.dead_man_ms.map(|ms| {
        let deadline = Duration::from_millis(ms);
        session.expect_heartbeat(HeartbeatKind::Operator, deadline)
    });
    let mut card = robot_card(robot.session(), workplace.deployment(), own.dead_man_ms);
    let shelf = RecordedShelf::of(workplace.deployment());
    if shelf.is_some() {
        card.capabilities
            .extend([Capability::Episodes, Capability::Teach]);
    }
    let views = Views {
        pictures: Pictures::new(card.cameras.iter().map(|camera| camera.key.as_str())),
        episodes: shelf.map(|shelf| Arc::new(shelf) as Arc<dyn EpisodeShelf>),
        ..Views::default()
    };
    show_cameras(robot.session(), &card, &views.pictures)?;
    let pendant = Pendant::new(inbox.clone(), Typist::Person);
    robot.hand_to(pendant.clone());
    let feed = Feed::default();
    let learned = LastLearned::default();
    let desk = Arc::new(RobotDesk {
        embodiment,
        dead_man_ms: own.dead_man_ms,
        hand_dead_man_ms: hand_dead_man_ms(&workplace),
        heartbeat,
        stop,
        inbox: inbox.clone(),
        pendant,
        feed: feed.clone(),
        monitor: monitor.clone(),
        live: LiveView::new(robot.session(), &card),
        card,
        views: views.clone(),
        learned: learned.clone(),
        has_ended: false.into(),
    });
    let settings = ServerSettings {
        address: own.listen,
        token,
    };
    let server = Server::start_with(
        settings,
        Arc::clone(&desk) as Arc<dyn Desk>,
        feed.clone(),
        views.clone(),
    )?;
    let address = server.address();
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
        listener: Some(listener(monitor, views, feed, learned)),
        learner: Learner::of(&workplace, shared, robot.session().has_simulation())?,
    };
    let mut chat = Chat::new(&workplace, robot, &inbox, &interrupt, talk, own.seed)?;
    let code = chat.converse(&inbox, &interrupt);
    desk.has_ended.store(true, Ordering::Release);
    drop(server);
    // A server ends by being interrupted.
    Ok(if interrupt.is_wanted() {
        exit::DONE
    } else {
        code.map(|_| exit::DONE)?
    })
}

/// What the page, the counters and those who listen are told.
fn listener(monitor: Monitor, views: Views, feed: Feed, learned: LastLearned) -> Listener {
    Box::new(move |told| match told {
        Told::Event(event) => {
            monitor.see(event);
            views.board.see(event);
            if matches!(
                event.kind,
                RunEventKind::Confidence { .. } | RunEventKind::State { .. }
            ) {
                feed.pass(event);
            } else {
                feed.tell(event);
            }
        }
        Told::Complaint(complaint) => {
            feed.tell(&json!({"error": {"message": complaint}}));
        }
        Told::News(news) => {
            learned.see(news);
            feed.tell(news);
        }
    })
}

/// How long a hand may be silent, by the deployment (ms).
fn hand_dead_man_ms(workplace: &Workplace) -> u64 {
    let dead_man = workplace.deployment().handoff().dead_man();
    u64::try_from(dead_man.as_millis()).unwrap_or(u64::MAX)
}
