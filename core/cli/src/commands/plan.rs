//! `vola plan`: what a sentence would lead to. Nothing moves.

use std::path::{Path, PathBuf};

use clap::Args;
use vola_bundle::read_text;
use vola_planner::{Capabilities, DecisionLog, PlanRequest, read_record};
use vola_runtime::{Robot, RuntimeError};
use vola_types::{Plan, RunEvent, RunEventKind, Scene};

use crate::{
    arguments::{Clock, SharedArguments},
    conversation::{Conversation, replay_decision},
    failure::{Failure, exit},
    output::{Console, Story, Tone, scene_words},
    robot::SessionRobot,
    rungs::backend_of,
    workplace::{SessionWish, Workplace},
};

/// Largest scene (bytes): thousands of objects.
const MAX_SCENE_BYTES: u64 = 16 << 20;

/// `vola plan`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlanArguments {
    /// What the robot should do
    #[arg(value_name = "SENTENCE", required_unless_present = "replay")]
    sentence: Option<String>,
    /// A scene in a file instead of the one that the camera shows
    #[arg(long, value_name = "FILE")]
    scene: Option<PathBuf>,
    /// The back end to ask first
    #[arg(long, value_name = "NAME", value_parser = ["claude", "openai", "local", "rules"])]
    backend: Option<String>,
    /// Run a recorded decision again, by its id or the record's file: nothing is asked, and the
    /// plan is compared
    #[arg(long, value_name = "ID", conflicts_with_all = ["sentence", "scene", "backend"])]
    replay: Option<String>,
    /// Seed of the simulated scene
    #[arg(long, default_value_t = crate::arguments::USUAL_SEED)]
    seed: u64,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &PlanArguments,
    console: Console,
) -> Result<u8, Failure> {
    if let Some(decision) = &own.replay {
        return replay(shared, decision, console);
    }
    let sentence = own.sentence.as_deref().unwrap_or_default();
    check_sentence(sentence)?;
    let first = own.backend.as_deref().and_then(backend_of);
    let workplace = Workplace::open(shared);
    let (request, deployment) = match &own.scene {
        Some(file) => {
            let mut request = PlanRequest::new(sentence, read_scene(file)?);
            // A scene in a file can be planned over without any robot.
            let workplace = match workplace {
                Ok(workplace) => Some(workplace),
                Err(error) if shared.config.is_some() => return Err(error),
                Err(_) => None,
            };
            request.capabilities = workplace.as_ref().and_then(declared).unwrap_or_default();
            (request, workplace.map(|it| it.deployment().clone()))
        }
        None => {
            let workplace = workplace?;
            let request = seen(&workplace, sentence, own.seed)?;
            (request, Some(workplace.deployment().clone()))
        }
    };
    let conversation = Conversation::starting_with(deployment.as_ref(), first)?;
    let plan = conversation.plan(&request);
    print_plan(&plan, &request.scene, console)?;
    Ok(exit::DONE)
}

/// Runs a recorded decision again.
fn replay(shared: &SharedArguments, decision: &str, console: Console) -> Result<u8, Failure> {
    let file = Path::new(decision);
    let record = if file.extension().is_some_and(|end| end == "json") {
        read_record(file)?
    } else {
        let workplace = Workplace::open(shared)?;
        let folder = workplace.deployment().planner().decisions();
        let folder = folder.ok_or_else(|| Failure::Argument {
            argument: "--replay".to_owned(),
            expected: "a deployment that records decisions, or a record's file".to_owned(),
            got: format!("{decision:?} and no `[planner] decisions`"),
            help: "set `[planner] decisions = \"FOLDER\"`; decisions are recorded from then on"
                .to_owned(),
        })?;
        DecisionLog::new(folder).read(decision)?
    };
    let replay = replay_decision(&record)?;
    if console.is_json() {
        console.object(&replay)?;
    } else {
        print_plan(&replay.plan, &record.asked.scene, console)?;
        let style = console.style();
        console.line(&if replay.identical {
            style.paint(Tone::Strong, "The replay is identical.")
        } else {
            let differences = replay.differences.join(", ");
            style.paint(Tone::Bad, &format!("The replay differs in: {differences}."))
        })?;
    }
    Ok(if replay.identical {
        exit::DONE
    } else {
        exit::ERROR
    })
}

/// Nothing can be planned for nothing.
///
/// # Errors
/// When the sentence has no words.
pub(crate) fn check_sentence(sentence: &str) -> Result<(), Failure> {
    if !sentence.trim().is_empty() {
        return Ok(());
    }
    Err(Failure::Argument {
        argument: "SENTENCE".to_owned(),
        expected: "words".to_owned(),
        got: "nothing".to_owned(),
        help: "for example `vola run \"put the red block in the blue bowl\"`".to_owned(),
    })
}

fn read_scene(file: &Path) -> Result<Scene, Failure> {
    let text = read_text(file, MAX_SCENE_BYTES)?;
    Scene::from_json(&text).map_err(|source| Failure::Scene {
        path: file.to_owned(),
        source,
    })
}

/// What the deployment's robot declares; nothing when it cannot be asked.
fn declared(workplace: &Workplace) -> Option<Capabilities> {
    let robot = workplace.deployment().robot();
    let configured = Robot::configure(
        &workplace.registry().ok()?,
        robot.plugin(),
        robot.settings(),
    );
    match configured {
        Ok(robot) => Some(Capabilities::with_ops(&robot.description().ops)),
        Err(error) => {
            tracing::debug!(%error, "the robot cannot be asked what it can do");
            None
        }
    }
}

/// Opens the robot, reads one scene, commands nothing.
fn seen(workplace: &Workplace, sentence: &str, seed: u64) -> Result<PlanRequest, Failure> {
    let session = match workplace.session(SessionWish::as_deployed(Clock::Virtual, seed)) {
        // A real robot has no virtual time.
        Err(Failure::Runtime(error)) if matches!(*error, RuntimeError::MissingPart { .. }) => {
            workplace.session(SessionWish::as_deployed(Clock::Real, seed))
        }
        other => other,
    }?;
    let mut robot = SessionRobot::new(session);
    if robot.session().has_simulation() {
        robot
            .session()
            .reset_world(seed, &serde_json::Value::Null)?;
    }
    robot.show_pictures(workplace.deployment().planner().send_image());
    let mut request = PlanRequest::new(sentence, robot.look()?);
    request.capabilities = vola_planner::Robot::capabilities(&robot);
    request.image = robot.picture_for_planner();
    Ok(request)
}

fn print_plan(plan: &Plan, scene: &Scene, console: Console) -> Result<(), Failure> {
    if console.is_json() {
        return console.object(plan);
    }
    let style = console.style();
    console.line(&style.paint(Tone::Faint, &format!("I see {}.", scene_words(scene))))?;
    let mut story = Story::new(style);
    for kind in [
        RunEventKind::Scene {
            scene: scene.clone(),
        },
        RunEventKind::Plan { plan: plan.clone() },
    ] {
        for line in story.tell(&RunEvent { t: 0.0, kind }) {
            console.line(&line)?;
        }
    }
    let made = format!(
        "{} by {} in {:.1} ms, decision {}",
        plan.verdict.as_str(),
        plan.backend,
        plan.millis,
        plan.id
    );
    console.line(&style.paint(Tone::Faint, &made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_sentence_is_wrong_usage() {
        for sentence in ["", "   ", "\n\t"] {
            assert_eq!(check_sentence(sentence).unwrap_err().exit_code(), 2);
        }
        assert!(check_sentence("hello").is_ok());
    }

    #[test]
    fn a_bad_scene_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scene.json");
        let missing = read_scene(&file).unwrap_err();
        assert_eq!(missing.exit_code(), 2);
        std::fs::write(&file, "{\"objects\":[{}]}").unwrap();
        let bad = read_scene(&file).unwrap_err();
        assert_eq!(bad.exit_code(), 2);
        assert!(bad.to_string().contains("scene.json"), "{bad}");
    }
}
