//! The operator's page before a robot: what a served robot and a chat with a page
//! share.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::json;
use vola_console::{Capability, Desk, EpisodeShelf, Feed, Pictures, Server, ServerSettings, Views};
use vola_runtime::HeartbeatKind;
use vola_types::RunEventKind;

use super::{
    desk::{LastLearned, RobotDesk},
    shelf::RecordedShelf,
};
use crate::{
    chat::Inbox,
    commands::chat::{Listener, Told},
    failure::Failure,
    health::Health,
    live_view::{LiveView, robot_card, show_cameras},
    monitor::Monitor,
    robot::{Pendant, SessionRobot},
    workplace::Workplace,
};

/// How a page is served.
pub(crate) struct StandWish {
    /// Where, and who is let in.
    pub(crate) settings: ServerSettings,
    /// How often somebody at the page must give a sign of life (ms).
    pub(crate) dead_man_ms: Option<u64>,
}

/// A page that is served until this is dropped.
pub(crate) struct Stand {
    server: Server,
    desk: Arc<RobotDesk>,
}

impl Stand {
    /// Serves the page of this robot. Lines from it go through the inbox, its hand on
    /// the arm through the pendant; the listener is to hear of everything that is told.
    ///
    /// # Errors
    /// When a camera of the description is not there, or the address cannot be had.
    pub(crate) fn open(
        workplace: &Workplace,
        robot: &mut SessionRobot,
        (inbox, pendant): (&Inbox, Pendant),
        wish: StandWish,
    ) -> Result<(Self, Listener), Failure> {
        let session = robot.session();
        let embodiment = session.embodiment_id().to_string();
        let monitor = Monitor::new(
            session.control_watch(),
            session.policy_telemetry(),
            embodiment.clone(),
            Health::new(workplace.deployment(), session),
        );
        let heartbeat = wish.dead_man_ms.map(|ms| {
            let deadline = Duration::from_millis(ms);
            session.expect_heartbeat(HeartbeatKind::Operator, deadline)
        });
        let mut card = robot_card(session, workplace.deployment(), wish.dead_man_ms);
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
        show_cameras(session, &card, &views.pictures)?;
        let (feed, learned) = (Feed::default(), LastLearned::default());
        let desk = Arc::new(RobotDesk {
            embodiment,
            dead_man_ms: wish.dead_man_ms,
            hand_dead_man_ms: hand_dead_man_ms(workplace),
            heartbeat,
            stop: session.stop_switch(),
            inbox: inbox.clone(),
            pendant,
            feed: feed.clone(),
            monitor: monitor.clone(),
            live: LiveView::new(session, &card),
            card,
            views: views.clone(),
            learned: learned.clone(),
            has_ended: false.into(),
        });
        let server = Server::start_with(
            wish.settings,
            Arc::clone(&desk) as Arc<dyn Desk>,
            feed.clone(),
            views.clone(),
        )?;
        Ok((
            Self { server, desk },
            listener(monitor, views, feed, learned),
        ))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

impl Drop for Stand {
    /// What comes from now on is not taken any more.
    fn drop(&mut self) {
        self.desk.has_ended.store(true, Ordering::Release);
    }
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
