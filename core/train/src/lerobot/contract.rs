//! What the policy file wants, and where a data set keeps it.

use vola_bundle::{EmbodimentBinding, Manifest};
use vola_types::ActionSpace;

use super::fault;
use super::info::Info;
use crate::{ACTION_NAMES, FrameShape, Result, STATE_NAMES, TrainError};

/// Column of the state.
pub(super) const STATE: &str = "observation.state";
/// Column of the action.
pub(super) const ACTION: &str = "action";
/// Column that tells the end of a task, if there is one.
pub(super) const DONE: &str = "next.done";
/// Column that says who was in control, if there is one.
pub(super) const WHO: &str = "who";
/// The camera that policies are trained with.
const CAMERA: &str = "front";
/// Further state names that make turns exact, see [`super::chunk`].
const TILT: [&str; 2] = ["tool.r31", "tool.r32"];
/// Largest ratio of the data set's rate to the policy's.
const MAX_STRIDE: f64 = 100.0;

/// How the columns of a data set become what the policy sees.
#[derive(Debug)]
pub(super) struct Contract {
    /// Index of the embodiment in the policy file.
    pub(super) embodiment: i64,
    /// Sizes of the frames that come out; no objects.
    pub(super) shape: FrameShape,
    /// Frames of the data set in one row of a chunk.
    pub(super) stride: usize,
    /// Values of the state column, and where each wanted one stands.
    pub(super) state_width: usize,
    pub(super) state: Vec<usize>,
    /// Where `tool.r31` and `tool.r32` stand, if both are there.
    pub(super) tilt: Option<[usize; 2]>,
    /// Where each wanted action value stands.
    pub(super) action: Vec<usize>,
    /// Column of the pictures, and their rows and columns (px).
    pub(super) camera: String,
    pub(super) picture: [usize; 2],
    /// Whether there is a column `next.done`.
    pub(super) has_done: bool,
    /// Whether there is a column `who`, which says who was in control.
    pub(super) has_who: bool,
}

impl Contract {
    /// Compares a data set with the policy file.
    ///
    /// # Errors
    /// The first thing that does not fit: what, where, expected and got.
    pub(super) fn new(info: &Info, manifest: &Manifest) -> Result<Self> {
        let robot = embodiment(info, manifest)?;
        check_policy(robot, manifest)?;
        let camera = format!("observation.images.{CAMERA}");
        let (state_names, action_names) = (info.vector(STATE)?, info.vector(ACTION)?);
        let state = places(info, STATE, &state_names, robot.state().names(), &TILT)?;
        let action = places(info, ACTION, &action_names, robot.action().names(), &[])?;
        let tilt = TILT.map(|name| state_names.iter().position(|known| known == name));
        let [height, width] = camera_size(robot, manifest)?;
        if let Some(done) = info.find(DONE)
            && (done.dtype != "bool" || done.shape != [1])
        {
            return Err(fault(
                &info.path,
                format!("features.{DONE}"),
                format!("expected bool [1], got {} {:?}", done.dtype, done.shape),
                "leave the column out: the last tenth of an episode then counts as done",
            ));
        }
        Ok(Self {
            embodiment: robot.index(),
            shape: FrameShape {
                height,
                width,
                state: state.len(),
                horizon: robot.action().horizon(),
                action: action.len(),
                objects: 0,
            },
            stride: stride(info, robot.action().rate_hz())?,
            state_width: state_names.len(),
            state,
            tilt: match tilt {
                [Some(a), Some(b)] => Some([a, b]),
                _ => None,
            },
            action,
            picture: info.picture(&camera)?,
            camera,
            has_done: info.find(DONE).is_some(),
            has_who: info
                .find(WHO)
                .is_some_and(|who| who.dtype == "string" && who.shape == [1]),
        })
    }
}

/// The policy's embodiment that `robot_type` names; a policy with only one takes that.
fn embodiment<'a>(info: &Info, manifest: &'a Manifest) -> Result<&'a EmbodimentBinding> {
    let all = manifest.embodiments();
    let named = info.robot_type.as_deref();
    if let Some(found) = all
        .iter()
        .find(|e| Some(e.id().to_string().as_str()) == named)
    {
        return Ok(found);
    }
    if let [only] = all {
        return Ok(only);
    }
    let ids: Vec<String> = all.iter().map(|e| e.id().to_string()).collect();
    Err(fault(
        &info.path,
        "robot_type",
        format!("expected one of {ids:?}, got {named:?}"),
        "write the policy's embodiment that the data was recorded with into the file",
    ))
}

/// Training has the units of one state and one action space only.
fn check_policy(robot: &EmbodimentBinding, manifest: &Manifest) -> Result<()> {
    let fail = |key: &str, reason: String| {
        Err(TrainError::Config {
            path: manifest.file().into(),
            key: format!("embodiment.{}.{key}", robot.id()),
            reason,
            help: "training knows the units of these values only",
        })
    };
    let action = robot.action();
    if action.space() != ActionSpace::ToolDelta || action.names() != ACTION_NAMES {
        let (space, names) = (action.space().as_str(), action.names());
        let reason =
            format!("expected tool_delta with {ACTION_NAMES:?}, got {space} with {names:?}");
        return fail("action", reason);
    }
    if robot.state().names() != STATE_NAMES {
        let reason = format!("expected {STATE_NAMES:?}, got {:?}", robot.state().names());
        return fail("state.names", reason);
    }
    Ok(())
}

/// Rows and columns (px) of the policy's camera.
fn camera_size(robot: &EmbodimentBinding, manifest: &Manifest) -> Result<[usize; 2]> {
    match robot.cameras() {
        [camera] if camera.key() == CAMERA => {
            Ok([camera.height() as usize, camera.width() as usize])
        }
        others => {
            let keys: Vec<&str> = others.iter().map(|camera| camera.key()).collect();
            Err(TrainError::Config {
                path: manifest.file().into(),
                key: format!("embodiment.{}.cameras", robot.id()),
                reason: format!("expected only `{CAMERA}`, got {keys:?}"),
                help: "training uses one camera",
            })
        }
    }
}

/// Frames in one row of a chunk.
fn stride(info: &Info, rate_hz: f64) -> Result<usize> {
    let ratio = info.fps / rate_hz;
    let whole = ratio.round();
    // A positive test, so that NaN fails.
    if (1.0..=MAX_STRIDE).contains(&whole) && (ratio - whole).abs() < 1e-6 * whole {
        return Ok(whole as usize);
    }
    Err(fault(
        &info.path,
        "fps",
        format!(
            "expected {rate_hz} (the policy's rate_hz) or a whole multiple of it, got {}",
            info.fps
        ),
        "record at such a rate, or set rate_hz in the policy file",
    ))
}

/// Where each wanted name stands among the given ones; every given one must be wanted or optional.
fn places(
    info: &Info,
    feature: &str,
    given: &[String],
    wanted: &[String],
    optional: &[&str],
) -> Result<Vec<usize>> {
    let fail = |reason: String| {
        Err(fault(
            &info.path,
            format!("features.{feature}.names"),
            format!("expected {wanted:?} in any order, got {given:?}: {reason}"),
            "convert the data to the policy's values, or train a policy file that lists these",
        ))
    };
    for (i, name) in given.iter().enumerate() {
        if given[..i].contains(name) {
            return fail(format!("`{name}` comes twice"));
        }
        if !wanted.contains(name) && !optional.contains(&name.as_str()) {
            return fail(format!("`{name}` is not wanted"));
        }
    }
    let mut all = Vec::with_capacity(wanted.len());
    for name in wanted {
        match given.iter().position(|known| known == name) {
            Some(place) => all.push(place),
            None => return fail(format!("`{name}` is missing")),
        }
    }
    Ok(all)
}
