//! `vola run`: one sentence, done and measured.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vola_planner::{AnswerOnce, NoOperator, Operator, Reply};
use vola_runtime::CommandDigest;
use vola_types::{RunEvent, RunEventKind};

use super::{eval::conditions_of, plan::check_sentence};
use crate::{
    arguments::{Clock, SharedArguments},
    chat::HoldToRun,
    conversation::Conversation,
    failure::Failure,
    film::{Film, people_camera, write_png},
    hang_watch,
    interrupt::{INTERRUPTED, Interrupt, Leaving},
    output::{Console, Story, Tone, scene_words},
    robot::SessionRobot,
    workplace::{SessionWish, Workplace},
};

/// `vola run`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArguments {
    /// What the robot should do
    #[arg(value_name = "SENTENCE")]
    sentence: String,
    /// Seed of the simulated scene and of the policy's draws
    #[arg(long, default_value_t = crate::arguments::USUAL_SEED)]
    seed: u64,
    /// Virtual time: as fast as it can be computed, and repeatable
    #[arg(long)]
    fast: bool,
    #[command(flatten)]
    hold: HoldToRun,
    /// The answer to the first question, by its number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    answer: Option<u32>,
    /// Record what happens into this folder, instead of the deployment's
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Write an animation of the run
    #[arg(long, value_name = "FILE")]
    gif: Option<PathBuf>,
    /// Width of the animation (px)
    #[arg(long, default_value_t = 640, value_name = "PX", value_parser = clap::value_parser!(u16).range(160..=640))]
    gif_width: u16,
    /// Write a picture of the end
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Write what the control loop takes in to a new file, for `vola replay`
    #[arg(long, value_name = "FILE")]
    record_control: Option<PathBuf>,
    /// The camera of the picture [default: the one for people]
    #[arg(long, value_name = "KEY", requires = "picture")]
    camera: Option<String>,
    /// Disturb the simulated scene: names as in `vola eval --perturb`
    #[arg(long, value_name = "NAME[,NAME…]", default_value = "none")]
    perturb: String,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &RunArguments,
    console: Console,
) -> Result<u8, Failure> {
    check_sentence(&own.sentence)?;
    let files = [&own.gif, &own.picture, &own.record_control];
    for file in files.into_iter().flatten() {
        check_writable(file)?;
    }
    let scene = disturbed_scene(&own.perturb)?;
    let workplace = Workplace::open_recording(shared, own.record.as_deref())?;
    let wish = SessionWish::as_deployed(Clock::from_fast(own.fast), own.seed)
        .recording(own.record_control.as_deref());
    let mut robot = SessionRobot::new(workplace.session(wish)?);
    let interrupt = Interrupt::install(robot.session().stop_switch(), Leaving::InTime);
    if !own.fast {
        hang_watch::watch_over(robot.session(), workplace.deployment(), console)?;
    }
    if robot.session().has_simulation() {
        robot.session().reset_world(own.seed, &scene)?;
    }
    if let Some(dead_man) = own.hold.key() {
        dead_man.listen()?;
        if !console.is_json() {
            console.line(&format!(
                "Hold the space bar while the arm moves: let go, and it stops {} ms later at the latest, and the run is over.",
                dead_man.deadline().as_millis()
            ))?;
        }
        robot.hold_to_run(dead_man);
    }
    let film = match &own.gif {
        Some(_) => Some(Film::start(
            robot.session(),
            &own.sentence,
            usize::from(own.gif_width),
        )?),
        None => None,
    };
    let digest = robot.session().command_digest();
    let mut teller = Teller::new(console, film.clone(), interrupt.clone(), digest);
    let mut operator: Box<dyn Operator> = match own.answer {
        Some(number) => Box::new(AnswerOnce::new(Reply::Choice(number as usize - 1))),
        None => Box::new(NoOperator),
    };
    let mut conversation = Conversation::new(workplace.deployment())?;
    conversation.keep_log(
        workplace.deployment(),
        &mut robot,
        Clock::from_fast(own.fast),
    )?;
    let report = conversation.say(&own.sentence, &mut robot, operator.as_mut(), &mut |event| {
        teller.tell(event)
    });
    teller.end()?;
    if let (Some(film), Some(path)) = (&film, &own.gif) {
        film.finish(robot.session(), path)?;
    }
    if let Some(path) = &own.picture {
        let usual = || people_camera(robot.session());
        let camera = own.camera.clone().unwrap_or_else(usual);
        let picture = robot.session().picture(&camera)?;
        write_png(path, &picture)?;
    }
    if interrupt.is_wanted() {
        return Ok(INTERRUPTED);
    }
    // Done, but not in the world: an error to whoever called.
    let code = report.outcome.exit_code();
    Ok(if code == 0 && !report.success {
        crate::failure::exit::ERROR
    } else {
        code
    })
}

/// The world's task of a scene that is free, and disturbed as asked.
fn disturbed_scene(words: &str) -> Result<serde_json::Value, Failure> {
    let perturbs = conditions_of(words)?;
    let names: Vec<&str> = perturbs
        .iter()
        .flatten()
        .filter_map(|one| one.of_world())
        .collect();
    if names.is_empty() {
        return Ok(serde_json::Value::Null);
    }
    Ok(serde_json::json!({"task": "free", "perturb": names}))
}

/// Finds out before the motion whether the result can be written after it.
fn check_writable(file: &Path) -> Result<(), Failure> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if file.is_dir() {
        return Err(Failure::Content {
            path: file.to_owned(),
            reason: "expected a file to write, found a folder".to_owned(),
            help: "name a file in it",
        });
    }
    if folder.is_dir() {
        return Ok(());
    }
    Err(Failure::Content {
        path: file.to_owned(),
        reason: format!("the folder {} does not exist", folder.display()),
        help: "make the folder first, or name another",
    })
}

/// Tells the events of a run, as lines of JSON or as a story with a live status.
struct Teller {
    console: Console,
    story: Story,
    film: Option<Film>,
    status: Option<ProgressBar>,
    interrupt: Interrupt,
    digest: Option<CommandDigest>,
    saw_scene: bool,
    fault: Option<Failure>,
}

impl Teller {
    fn new(
        console: Console,
        film: Option<Film>,
        interrupt: Interrupt,
        digest: Option<CommandDigest>,
    ) -> Self {
        let story = Story::new(console.style());
        Self {
            console,
            story,
            film,
            status: None,
            interrupt,
            digest,
            saw_scene: false,
            fault: None,
        }
    }

    fn tell(&mut self, event: RunEvent) {
        if let RunEventKind::Finished { .. } = &event.kind
            && let Some(digest) = self.digest.take()
            && digest.is_whole()
        {
            let (frames, blake3) = digest.read();
            let kind = RunEventKind::Commands { frames, blake3 };
            self.tell(RunEvent { t: event.t, kind });
        }
        let lines = self.story.tell(&event);
        if let Some(film) = &self.film {
            film.caption(&event, &self.story);
        }
        if self.fault.is_some() {
            return;
        }
        self.fault = if self.console.is_json() {
            self.console.object(&event).err()
        } else {
            self.show(&event, &lines).err()
        };
        if self.fault.is_some() {
            // Nobody reads any more: the arm comes to rest and the run ends.
            self.interrupt.request();
        }
    }

    fn show(&mut self, event: &RunEvent, lines: &[String]) -> Result<(), Failure> {
        if let RunEventKind::Scene { scene } = &event.kind
            && !self.saw_scene
        {
            self.saw_scene = true;
            let seen = format!("I see {}.", scene_words(scene));
            self.console
                .line(&self.console.style().paint(Tone::Faint, &seen))?;
        }
        match self.story.status() {
            Some(status) => self.status.get_or_insert_with(spinner).set_message(status),
            None => self.clear_status(),
        }
        let print = || lines.iter().try_for_each(|line| self.console.line(line));
        match &self.status {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn clear_status(&mut self) {
        if let Some(bar) = self.status.take() {
            bar.finish_and_clear();
        }
    }

    fn end(mut self) -> Result<(), Failure> {
        self.clear_status();
        self.fault.map_or(Ok(()), Err)
    }
}

/// A turning sign with a message, on standard error where that is a terminal.
fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_that_cannot_be_written_are_told_first() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_writable(&folder.path().join("a.gif")).is_ok());
        assert!(check_writable(Path::new("a.gif")).is_ok());
        for wrong in [
            folder.path().to_owned(),
            folder.path().join("no/such/a.gif"),
        ] {
            assert_eq!(check_writable(&wrong).unwrap_err().exit_code(), 2);
        }
    }
}
