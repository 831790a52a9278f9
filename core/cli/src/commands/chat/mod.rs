//! `vola chat`: a conversation with the robot.

mod looking;
mod page;
mod teaching;
mod teller;

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde_json::json;
use vola_bundle::PolicySettings;
use vola_planner::{RunReport, is_stop_word};
use vola_types::{RunOutcome, Scene};

use teller::Teller;
pub(crate) use teller::{Listener, Told};

use crate::{
    arguments::{Clock, SharedArguments},
    chat::{Answering, HoldToRun, Inbox, Said, Screen, Typist, start_editor, start_reader},
    conversation::Conversation,
    failure::{Failure, exit},
    film::{people_camera, write_png},
    hang_watch,
    interrupt::{INTERRUPTED, Interrupt, Leaving},
    learning::Learner,
    output::{Console, Story, Tone, scene_words},
    robot::{Pendant, SessionRobot},
    workplace::{SessionWish, Workplace},
};

/// Commands that are no sentences.
const COMMANDS: [&str; 7] = [
    "/scene", "/picture", "/reset", "/resume", "/teach", "/help", "/quit",
];
/// How often the loop looks whether someone wants to leave.
const GLANCE: Duration = Duration::from_millis(50);

/// `vola chat`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ChatArguments {
    /// Seed of the simulated scene and of the policy's draws
    #[arg(long, default_value_t = crate::arguments::USUAL_SEED)]
    pub(super) seed: u64,
    /// Virtual time: as fast as it can be computed
    #[arg(long)]
    pub(super) fast: bool,
    #[command(flatten)]
    pub(super) hold: HoldToRun,
    /// Write what the control loop takes in to a new file, for `vola replay`
    #[arg(long, value_name = "FILE")]
    pub(super) record_control: Option<PathBuf>,
    /// Record what happens into this folder, instead of the deployment's
    #[arg(long, value_name = "DIR")]
    pub(super) record: Option<PathBuf>,
    /// Serve the operator's page as well, to this machine alone, and show it where there is a screen
    #[arg(long, conflicts_with = "fast")]
    pub(super) page: bool,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &ChatArguments,
    console: Console,
) -> Result<u8, Failure> {
    let workplace = Workplace::open_recording(shared, own.record.as_deref())?;
    let wish = SessionWish::as_deployed(Clock::from_fast(own.fast), own.seed)
        .recording(own.record_control.as_deref());
    let mut robot = SessionRobot::new(workplace.session(wish)?);
    let stop = robot.session().stop_switch();
    let interrupt = Interrupt::install(stop.clone(), Leaving::InTime);
    if !own.fast {
        hang_watch::watch_over(robot.session(), workplace.deployment(), console)?;
    }
    let inbox = Inbox::new(stop);
    let moving = inbox.clone();
    robot.watch_motion(Box::new(move |is_moving| moving.set_moving(is_moving)));
    if robot.session().has_simulation() {
        robot
            .session()
            .reset_world(own.seed, &serde_json::Value::Null)?;
    }
    let dead_man = own.hold.key();
    if let Some(dead_man) = &dead_man {
        robot.hold_to_run(dead_man.clone());
    }
    let person = std::io::stdin().is_terminal() && !console.is_json();
    let typist = if person {
        Typist::Person
    } else {
        Typist::Program
    };
    let pendant = Pendant::new(inbox.clone(), typist);
    robot.hand_to(pendant.clone());
    let page = own
        .page
        .then(|| page::open(&workplace, &mut robot, (&inbox, pendant)))
        .transpose()?;
    let (stand, listener) = page.unzip();
    let talk = Talk {
        console,
        typist,
        // Who lets go of the key, or presses the page's stop, wants a stop, not the end.
        stays: dead_man.is_some() || own.page,
        clock: Clock::from_fast(own.fast),
        listener,
        learner: Learner::of(&workplace, shared, robot.session().has_simulation())?,
    };
    let mut chat = Chat::new(&workplace, robot, &inbox, &interrupt, talk, own.seed)?;
    if let Some(stand) = &stand {
        page::tell(stand, person, &mut chat.teller)?;
    }
    if person {
        chat.greet(&workplace)?;
        if let Some(dead_man) = &dead_man {
            chat.teller.line(&format!(
                "Hold the space bar (on an empty line) while the arm moves: let go, and it stops {} ms later at the latest; `/resume` leaves the stop.",
                dead_man.deadline().as_millis()
            ))?;
        }
        let screen = chat.teller.screen.clone();
        start_editor(
            inbox.clone(),
            &screen,
            interrupt.clone(),
            &COMMANDS,
            dead_man,
        )?;
    } else {
        start_reader(inbox.clone(), dead_man)?;
    }
    let code = chat.converse(&inbox, &interrupt)?;
    Ok(if interrupt.is_wanted() {
        INTERRUPTED
    } else {
        code
    })
}

/// How a conversation is held.
pub(super) struct Talk {
    pub(super) console: Console,
    pub(super) typist: Typist,
    /// Whether it goes on after a safety stop.
    pub(super) stays: bool,
    pub(super) clock: Clock,
    pub(super) listener: Option<Listener>,
    /// What learns from corrections by itself.
    pub(super) learner: Option<Learner>,
}

/// A conversation in progress.
pub(super) struct Chat {
    robot: SessionRobot,
    conversation: Conversation,
    operator: Answering,
    teller: Teller,
    pictures: u32,
    seed: u64,
    stays: bool,
    learner: Option<Learner>,
}

impl Chat {
    /// A conversation with this robot; lines come through the inbox.
    ///
    /// # Errors
    /// When the planner or the run log cannot be had.
    pub(super) fn new(
        workplace: &Workplace,
        mut robot: SessionRobot,
        inbox: &Inbox,
        interrupt: &Interrupt,
        talk: Talk,
        seed: u64,
    ) -> Result<Self, Failure> {
        let Talk {
            console,
            typist,
            stays,
            clock,
            listener,
            learner,
        } = talk;
        let screen = Screen::new(console.style());
        let handoff = workplace.deployment().handoff().clone();
        let operator = Answering::new(
            inbox.clone(),
            screen.clone(),
            interrupt.clone(),
            typist,
            handoff,
        );
        let teller = Teller {
            console,
            screen,
            story: Story::new(console.style()),
            interrupt: interrupt.clone(),
            fault: None,
            listener,
        };
        let mut conversation = Conversation::new(workplace.deployment())?;
        conversation.keep_log(workplace.deployment(), &mut robot, clock)?;
        Ok(Self {
            robot,
            conversation,
            operator,
            teller,
            pictures: 0,
            seed,
            stays,
            learner,
        })
    }

    /// Two lines on who is there and what may be said, then what is seen.
    fn greet(&mut self, workplace: &Workplace) -> Result<(), Failure> {
        let scene = self.robot.look()?;
        let style = self.teller.console.style();
        let bundle = workplace.deployment().policy().map(PolicySettings::bundle);
        let driver = match bundle.and_then(Path::file_name) {
            Some(name) => format!("driven by the policy `{}`", name.to_string_lossy()),
            None => "without a policy: home, gripper, wait and move to a place".to_owned(),
        };
        let name = style.paint(Tone::Strong, "vola");
        let who = self.robot.session().embodiment_id().to_string();
        self.teller.line(&format!("{name}  {who}, {driver}"))?;
        let example = style.paint(Tone::Typed, &format!("“{}”", example(&scene)));
        let more = style.paint(Tone::Faint, "stop stops · /help · Ctrl-D leaves");
        self.teller
            .line(&format!("Say what to do, for example {example}   {more}"))?;
        self.teller
            .line(&style.paint(Tone::Faint, &format!("I see {}.", scene_words(&scene))))
    }

    /// Takes lines until nothing more comes.
    pub(super) fn converse(&mut self, inbox: &Inbox, interrupt: &Interrupt) -> Result<u8, Failure> {
        while !interrupt.is_wanted() {
            let (text, stops) = match inbox.next(GLANCE) {
                None => {
                    self.learn()?;
                    continue;
                }
                Some(Said::End) => break,
                Some(Said::Line { text, stops, .. }) => (text, stops),
            };
            // Nothing is learned while the arm may move.
            self.rest_from_learning();
            let lesson = text.strip_prefix("/teach");
            if let Some(sentence) = lesson.filter(|it| it.is_empty() || it.starts_with(' ')) {
                self.teach(sentence.trim(), stops, inbox)?;
            } else if let Some(command) = text.strip_prefix('/') {
                if matches!(command, "quit" | "exit") {
                    break;
                }
                self.command(command)?;
            } else if text.eq_ignore_ascii_case("picture") {
                self.command("picture")?;
            } else {
                let report = self.sentence(&text, stops, inbox)?;
                if report.is_some_and(|report| report.outcome == RunOutcome::SafetyStop) {
                    if !self.stays {
                        return Ok(exit::SAFETY);
                    }
                    self.teller
                        .complain("the robot is stopped; `/resume` leaves the stop")?;
                }
            }
        }
        Ok(exit::DONE)
    }

    /// Looks whether there is enough to learn from, and how learning goes; called
    /// while the arm rests and nobody says anything.
    fn learn(&mut self) -> Result<(), Failure> {
        let Some(learner) = &mut self.learner else {
            return Ok(());
        };
        match learner.glance() {
            Some(news) => self.teller.news(&news.words, "learning", &news.about),
            None => Ok(()),
        }
    }

    fn rest_from_learning(&mut self) {
        if let Some(learner) = &mut self.learner {
            learner.rest();
        }
    }

    /// Plans a sentence and does it, unless a stop was demanded since it was
    /// typed, when there had been so many.
    fn sentence(
        &mut self,
        text: &str,
        stops: u64,
        inbox: &Inbox,
    ) -> Result<Option<RunReport>, Failure> {
        if is_stop_word(text) && !self.teller.console.is_json() {
            self.teller.line("I am at rest.")?;
            return Ok(None);
        }
        self.robot.release_stop()?;
        // Asked after the release: a stop from now on finds the switch its own.
        if inbox.stops() != stops {
            self.robot.session().stop_switch().throw();
            self.teller
                .complain("a stop came first; say it again to have it done")?;
            return Ok(None);
        }
        let teller = &mut self.teller;
        // A stop word that came since the release waits as a line, and is heard
        // first of all.
        inbox.set_running(true);
        let report =
            self.conversation
                .say(text, &mut self.robot, &mut self.operator, &mut |event| {
                    teller.tell(event)
                });
        inbox.set_running(false);
        self.teller.screen.set_status(None);
        match self.teller.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(Some(report)),
        }
    }

    /// A line that began with a slash.
    fn command(&mut self, command: &str) -> Result<(), Failure> {
        let (name, argument) = command.split_once(' ').unwrap_or((command, ""));
        let argument = argument.trim();
        match name {
            "scene" => self.show_scene(),
            "picture" => self.take_picture(argument),
            "reset" => self.reset(argument),
            "resume" => self.resume(),
            "help" => self.help(),
            _ => {
                let known = COMMANDS.join(", ");
                self.teller
                    .complain(&format!("`/{name}` is no command; there are {known}"))
            }
        }
    }

    fn take_picture(&mut self, argument: &str) -> Result<(), Failure> {
        let path = if argument.is_empty() {
            self.pictures += 1;
            PathBuf::from(format!("vola-{}.png", self.pictures))
        } else {
            PathBuf::from(argument)
        };
        let camera = people_camera(self.robot.session());
        let picture = self.robot.session().picture(&camera)?;
        // A wrong file name does not end a conversation.
        match write_png(&path, &picture) {
            Ok(()) if self.teller.console.is_json() => {
                self.teller.console.object(&json!({"picture": path}))
            }
            Ok(()) => self
                .teller
                .line(&format!("A picture is in {}.", path.display())),
            Err(error) => self.teller.complain(&error.to_string()),
        }
    }

    /// Leaves a latched stop.
    fn resume(&mut self) -> Result<(), Failure> {
        self.robot.release_stop()?;
        match self.robot.session().reset_stop() {
            Ok(()) => self
                .teller
                .notice("The arm holds where it stands and may move again."),
            Err(error) => self.teller.complain(&error.to_string()),
        }
    }

    fn reset(&mut self, argument: &str) -> Result<(), Failure> {
        let seed = if argument.is_empty() {
            Ok(self.seed + 1)
        } else {
            argument.parse()
        };
        let Ok(seed) = seed else {
            return self.teller.complain(&format!(
                "/reset: expected a whole number, got `{argument}`"
            ));
        };
        if !self.robot.session().has_simulation() {
            return self
                .teller
                .complain("/reset: a real table is put in order by hand");
        }
        self.seed = seed;
        self.robot
            .session()
            .reset_world(seed, &serde_json::Value::Null)?;
        self.robot.release_stop()?;
        self.robot.forget();
        self.conversation.forget();
        if !self.teller.console.is_json() {
            self.teller
                .line(&format!("Another scene, number {seed}."))?;
        }
        self.show_scene()
    }
}

/// A sentence that fits the scene.
fn example(scene: &Scene) -> String {
    let first = |kind: &str| scene.objects.iter().find(|object| object.kind == kind);
    match (first("block"), first("bowl")) {
        (Some(block), Some(bowl)) => format!("put the {} in the {}", block.noun(), bowl.noun()),
        (Some(block), None) => format!("pick up the {}", block.noun()),
        _ => "what do you see?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_fits_the_scene() {
        let mut scene = Scene::from_json(
            r#"{"objects":[{"id":"a","kind":"bowl","color":"pink"},{"id":"b","kind":"block","color":"cyan"}]}"#,
        )
        .unwrap();
        assert_eq!(example(&scene), "put the cyan block in the pink bowl");
        scene.objects.remove(0);
        assert_eq!(example(&scene), "pick up the cyan block");
        assert_eq!(example(&Scene::default()), "what do you see?");
    }
}
