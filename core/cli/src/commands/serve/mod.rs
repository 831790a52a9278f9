//! `vola serve`: the robot with the operator's page, for people and programs on
//! the network.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::Args;
use serde_json::{Value, json};
use vola_console::{
    Attention, Authority, Decision, Desk, Feed, Jog, LiveState, Pictures, Refusal, RobotCard,
    Server, ServerSettings, StopKind, Token, Views,
};
use vola_runtime::{Heartbeat, HeartbeatKind, JogCommand, JogMotion, StopLevel, StopSwitch};
use vola_types::RunEventKind;

use super::chat::{Chat, Talk};
use crate::{
    arguments::{Clock, SharedArguments},
    chat::{Inbox, Typist},
    failure::{Failure, exit},
    hang_watch,
    health::Health,
    interrupt::{INTERRUPTED, Interrupt, Leaving},
    live_view::{LiveView, robot_card, show_cameras},
    monitor::Monitor,
    output::Console,
    robot::{Pendant, SessionRobot},
    workplace::{SessionWish, Workplace},
};

/// Commands that may come over the network: none writes a file or ends the robot.
const COMMANDS: [&str; 4] = ["/scene", "/reset", "/resume", "/help"];
/// Longest line (bytes).
const LONGEST: usize = 4096;

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
    #[arg(long, default_value_t = 0)]
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
    let card = robot_card(robot.session(), workplace.deployment(), own.dead_man_ms);
    let views = Views {
        pictures: Pictures::new(card.cameras.iter().map(|camera| camera.key.as_str())),
        ..Views::default()
    };
    show_cameras(robot.session(), &card, &views.pictures)?;
    let pendant = Pendant::new(inbox.clone(), Typist::Person);
    robot.hand_to(pendant.clone());
    let feed = Feed::default();
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
        has_ended: AtomicBool::new(false),
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
        listener: Some(Box::new(move |told| {
            if let Ok(event) = told {
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
            } else if let Err(complaint) = told {
                feed.tell(&json!({"error": {"message": complaint}}));
            }
        })),
    };
    let mut chat = Chat::new(&workplace, robot, &inbox, &interrupt, talk, own.seed)?;
    let code = chat.converse(&inbox, &interrupt);
    desk.has_ended.store(true, Ordering::Release);
    drop(server);
    Ok(if interrupt.is_wanted() {
        INTERRUPTED
    } else {
        code.map(|_| exit::DONE)?
    })
}

/// How long a hand may be silent, by the deployment (ms).
fn hand_dead_man_ms(workplace: &Workplace) -> u64 {
    let dead_man = workplace.deployment().handoff().dead_man();
    u64::try_from(dead_man.as_millis()).unwrap_or(u64::MAX)
}

/// What the page wishes, in the runtime's words.
fn wish(jog: Jog) -> JogCommand {
    let motion = match (
        jog.joints_rad_per_s,
        jog.linear_m_per_s,
        jog.angular_rad_per_s,
    ) {
        (Some(rates), _, _) => JogMotion::Joints(rates),
        (None, None, None) => JogMotion::Still,
        (None, linear, angular) => JogMotion::Tool {
            linear_m_per_s: linear.unwrap_or_default(),
            angular_rad_per_s: angular.unwrap_or_default(),
        },
    };
    JogCommand {
        motion,
        gripper: jog.gripper,
    }
}

/// The robot as the server sees it. Nothing here waits for it.
struct RobotDesk {
    embodiment: String,
    dead_man_ms: Option<u64>,
    /// Longest time between two signs of life of a person who has the arm.
    hand_dead_man_ms: u64,
    heartbeat: Option<Heartbeat>,
    stop: StopSwitch,
    inbox: Inbox,
    pendant: Pendant,
    feed: Feed,
    monitor: Monitor,
    live: LiveView,
    card: RobotCard,
    views: Views,
    has_ended: AtomicBool,
}

impl Desk for RobotDesk {
    fn stop(&self, kind: StopKind) {
        // First, so that no sentence from before it can release the switch.
        self.inbox.stopped();
        self.stop.demand(match kind {
            StopKind::Hold => StopLevel::Hold,
            StopKind::Controlled => StopLevel::ControlledStop,
            StopKind::Power => StopLevel::CutPower,
        });
        self.feed.tell(&json!({"stopped": kind}));
    }

    fn beat(&self) {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.beat();
        }
        self.pendant.beat();
    }

    fn decide(&self, decision: Decision) -> Result<(), Refusal> {
        let handoff = self.monitor.handoff();
        let is_fit = match decision {
            Decision::Abort => matches!(handoff.as_str(), "ask" | "take_over"),
            by_hand if by_hand.is_by_hand() => handoff == "take_over",
            _ => handoff == "ask",
        };
        if !is_fit {
            let reason = format!(
                "`{}` decides nothing now: the handoff is in the state `{handoff}`",
                decision.words()
            );
            return Err(Refusal { reason });
        }
        self.say(decision.words())
    }

    fn jog(&self, jog: Jog) -> Result<(), Refusal> {
        self.beat();
        if self.pendant.jog(wish(jog)) {
            return Ok(());
        }
        Err(Refusal {
            reason: "nobody has the arm: it is taken over when it holds and asks".to_owned(),
        })
    }

    fn say(&self, text: &str) -> Result<(), Refusal> {
        let text = text.trim();
        let refuse = |reason: String| Err(Refusal { reason });
        if self.has_ended.load(Ordering::Acquire) {
            return refuse("the robot is not served any more".to_owned());
        }
        if text.is_empty() || text.len() > LONGEST {
            return refuse(format!("expected a line of 1 to {LONGEST} bytes"));
        }
        let is_command = text.starts_with('/') || text.eq_ignore_ascii_case("picture");
        let known = text.split_whitespace().next().unwrap_or_default();
        if is_command && !COMMANDS.contains(&known) {
            let known = COMMANDS.join(", ");
            return refuse(format!("over the network there are only {known}"));
        }
        self.feed.tell(&json!({"said": text}));
        self.views.board.said(text);
        self.inbox.typed(text);
        Ok(())
    }

    fn state(&self) -> Value {
        json!({
            "embodiment": self.embodiment,
            "moving": self.inbox.is_moving(),
            "stopped": self.stop.is_thrown(),
            "dead_man_ms": self.dead_man_ms,
            "handoff": self.monitor.handoff(),
            "hand_dead_man_ms": self.hand_dead_man_ms,
        })
    }

    fn metrics(&self) -> String {
        self.monitor.exposition()
    }

    fn card(&self) -> RobotCard {
        self.card.clone()
    }

    fn live(&self) -> LiveState {
        let mut state = self.live.state(self.inbox.is_moving());
        if self.pendant.is_taken() {
            state.authority = Authority::Person;
        }
        state.health = self.monitor.figures();
        state
    }

    fn attention(&self) -> Option<Attention> {
        self.live.attention()
    }
}
