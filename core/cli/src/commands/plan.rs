//! `vola plan`: what a sentence would lead to. Nothing moves.

use std::path::{Path, PathBuf};

use clap::Args;
use vola_bundle::{Backend, Deployment};
use vola_planner::{Capabilities, PlanRequest};
use vola_runtime::{Robot, RuntimeError};
use vola_types::{Plan, RunEvent, RunEventKind, Scene};

use super::later;
use crate::{
    arguments::{Clock, SharedArguments},
    conversation::Conversation,
    failure::{Failure, exit},
    output::{Console, Story, Tone, scene_words},
    robot::SessionRobot,
    workplace::{SessionWish, Workplace},
};

/// `vola plan`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlanArguments {
    /// What the robot should do
    #[arg(value_name = "SENTENCE")]
    sentence: String,
    /// A scene in a file instead of the one that the camera shows
    #[arg(long, value_name = "FILE")]
    scene: Option<PathBuf>,
    /// The back end to ask first
    #[arg(long, value_name = "NAME", value_parser = ["claude", "openai", "local", "rules"])]
    backend: Option<String>,
    /// Seed of the simulated scene
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &PlanArguments,
    console: Console,
) -> Result<u8, Failure> {
    check_sentence(&own.sentence)?;
    if let Some(backend) = own.backend.as_deref().filter(|backend| *backend != "rules") {
        return Err(later::missing(&format!("plan --backend {backend}")));
    }
    let workplace = Workplace::open(shared);
    let (scene, capabilities, deployment) = match &own.scene {
        Some(file) => {
            let scene = read_scene(file)?;
            // A scene in a file can be planned over without any robot.
            let deployment = match workplace {
                Ok(workplace) => Some(workplace),
                Err(error) if shared.config.is_some() => return Err(error),
                Err(_) => None,
            };
            let capabilities = deployment.as_ref().and_then(declared).unwrap_or_default();
            (
                scene,
                capabilities,
                deployment.map(|workplace| workplace.deployment().clone()),
            )
        }
        None => {
            let workplace = workplace?;
            let (scene, capabilities) = seen(&workplace, own.seed)?;
            (scene, capabilities, Some(workplace.deployment().clone()))
        }
    };
    let mut request = PlanRequest::new(own.sentence.clone(), scene);
    request.capabilities = capabilities;
    let plan = make_plan(deployment.as_ref(), own.backend.as_deref(), &request)?;
    print_plan(&plan, &request.scene, console)?;
    Ok(exit::DONE)
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
    let text = std::fs::read_to_string(file).map_err(Failure::file(file, "read"))?;
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
fn seen(workplace: &Workplace, seed: u64) -> Result<(Scene, Capabilities), Failure> {
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
    let scene = robot.look()?;
    Ok((scene, vola_planner::Robot::capabilities(&robot)))
}

fn make_plan(
    deployment: Option<&Deployment>,
    backend: Option<&str>,
    request: &PlanRequest,
) -> Result<Plan, Failure> {
    // `rules` is the only back end that can be asked for, so it is asked alone.
    let named = backend.is_some();
    let usable = deployment
        .filter(|deployment| !named || deployment.planner().backends() == [Backend::Rules]);
    Ok(match usable {
        Some(deployment) => Conversation::new(deployment)?.plan(request),
        None => Conversation::with_rules()?.plan(request),
    })
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
        "{} by {} in {:.1} ms",
        plan.verdict.as_str(),
        plan.backend,
        plan.millis
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
