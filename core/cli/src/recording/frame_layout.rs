//! What a session's frames hold: the names that its policy reads, or those that
//! training knows.

use vola_bundle::RecordSettings;
use vola_recorder::{ActionMeaning, CameraLayout, FRAME_RATES, Layout};
use vola_runtime::Session;
use vola_types::{ActionSpace, Gripper};

/// Frames a second where neither deployment nor policy says any.
const USUAL_FPS: u32 = 10;
/// With these, turns can be computed without error: training reads them.
const BOTTOM_ROW: [&str; 2] = ["tool.r31", "tool.r32"];

/// The layout of a session's recordings.
pub(super) fn frame_layout(session: &Session, settings: &RecordSettings) -> Layout {
    let description = session.description();
    let mut joints: Vec<String> = description
        .joints
        .iter()
        .map(|joint| joint.name.clone())
        .collect();
    let has_gripper = description.gripper != Gripper::None;
    if has_gripper {
        joints.push("gripper".to_owned());
    }
    let contract = session.policy_contract();
    let rate = contract.as_ref().map(|contract| contract.rate_hz);
    let action = match contract.as_ref().map(|contract| contract.space) {
        None | Some(ActionSpace::ToolDelta | ActionSpace::ToolPose) => ActionMeaning::ToolDelta,
        Some(_) => ActionMeaning::JointPosition,
    };
    let wanted = contract.map(|contract| contract.state);
    let cameras = session.observed_cameras();
    let camera = |key: &String| {
        let found = description.cameras.iter().find(|it| it.key == *key)?;
        Some(CameraLayout {
            key: key.clone(),
            width: found.width,
            height: found.height,
        })
    };
    Layout {
        robot: session.embodiment_id().to_string(),
        fps: settings.fps().unwrap_or_else(|| frame_rate(rate)),
        action_names: action.names(&joints, has_gripper),
        state: state_names(session.state_names(), wanted),
        action,
        cameras: if settings.images() {
            cameras.iter().filter_map(camera).collect()
        } else {
            Vec::new()
        },
        joints,
    }
}

/// The policy's decisions a second where frames can have that rate.
fn frame_rate(rate_hz: Option<f64>) -> u32 {
    let rate = rate_hz.unwrap_or_default();
    let fits = |fps: &u32| (f64::from(*fps) - rate).abs() < 1e-6;
    FRAME_RATES.into_iter().find(fits).unwrap_or(USUAL_FPS)
}

/// The policy's state, else training's, else all; with the bottom row of the
/// tool's rotation where there is one.
fn state_names(offered: &[String], wanted: Option<Vec<String>>) -> Vec<String> {
    let known = || vola_train::STATE_NAMES.map(str::to_owned).to_vec();
    let mut names = wanted.unwrap_or_else(known);
    if !names.iter().all(|name| offered.contains(name)) {
        return offered.to_vec();
    }
    for name in BOTTOM_ROW.map(str::to_owned) {
        if offered.contains(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_policy_s_rate_where_they_can() {
        for (rate, fps) in [
            (None, 10),
            (Some(25.0), 25),
            (Some(15.0), 10),
            (Some(5.0), 5),
        ] {
            assert_eq!(frame_rate(rate), fps, "{rate:?}");
        }
    }

    #[test]
    fn a_state_that_an_arm_does_not_offer_gives_all_that_it_does() {
        let offered: Vec<String> = ["a.position", "tool.r31"].map(str::to_owned).to_vec();
        assert_eq!(state_names(&offered, None), offered);
        let policy = vec!["a.position".to_owned()];
        assert_eq!(state_names(&offered, Some(policy)), offered);
    }
}
