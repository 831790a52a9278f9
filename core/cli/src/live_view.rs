//! The robot as the operator's page shows it: what does not change, and what is
//! so at this moment.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use vola_bundle::{Deployment, PolicySettings};
use vola_console::{
    Attention, Authority, CameraCard, Capability, ControlPace, JointCard, LiveState, Mode,
    Pictures, PolicyPace, RawPicture, RobotCard,
};
use vola_runtime::{ControlMode, ControlWatch, PolicyTelemetry, Session};
use vola_types::{Gripper, JointKind};

use crate::failure::Failure;

/// Time between two pictures of a camera on the page (ns).
const PICTURE_NS: u64 = 100_000_000;
/// Pixels above which a camera is shown only to who asks: in a simulated world
/// such a picture costs as much as a decision.
const LARGE: u64 = 200_000;
/// Time over which the control loop's rate is measured.
const RATE_OVER: Duration = Duration::from_secs(1);

/// What a page is told once of a robot.
pub(crate) fn robot_card(
    session: &mut Session,
    deployment: &Deployment,
    dead_man_ms: Option<u64>,
) -> RobotCard {
    let is_simulated = session.has_simulation();
    let bundle = deployment.policy().map(PolicySettings::bundle);
    let name = bundle.and_then(Path::file_name);
    let about = session.description();
    let joints = about.joints.iter().map(|joint| JointCard {
        name: joint.name.clone(),
        unit: match joint.kind {
            JointKind::Revolute => "rad",
            JointKind::Prismatic => "m",
        },
        min: joint.position_min,
        max: joint.position_max,
    });
    let cameras = about.cameras.iter().map(|camera| CameraCard {
        key: camera.key.clone(),
        width: camera.width,
        height: camera.height,
        is_shown: !is_simulated || pixels(camera.width, camera.height) < LARGE,
    });
    RobotCard {
        embodiment: session.embodiment_id().to_string(),
        policy: name.map(|name| name.to_string_lossy().into_owned()),
        capabilities: [Capability::TakeOver, Capability::Jog, Capability::GiveBack]
            .into_iter()
            .chain(is_simulated.then_some(Capability::NewScene))
            .collect(),
        dead_man_ms,
        joints: joints.collect(),
        has_gripper: about.gripper != Gripper::None,
        cameras: cameras.collect(),
    }
}

fn pixels(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Leaves every camera's pictures for the page while somebody looks.
///
/// # Errors
/// When a camera of the description is not there.
pub(crate) fn show_cameras(
    session: &mut Session,
    card: &RobotCard,
    pictures: &Pictures,
) -> Result<(), Failure> {
    for camera in &card.cameras {
        let (asked, key) = (pictures.clone(), camera.key.clone());
        let (shown, name) = (pictures.clone(), camera.key.clone());
        session.watch_while(
            &camera.key,
            PICTURE_NS,
            Box::new(move || asked.is_wanted(&key)),
            Box::new(move |time_ns, picture| {
                let raw = RawPicture {
                    t: seconds(time_ns),
                    width: picture.width,
                    height: picture.height,
                    rgb: &picture.rgb,
                };
                shown.put(&name, raw);
            }),
        )?;
    }
    Ok(())
}

/// Reads the runtime's counters for the page. Waits for nobody.
pub(crate) struct LiveView {
    control: ControlWatch,
    policy: PolicyTelemetry,
    joints: usize,
    has_gripper: bool,
    pace: Mutex<Pace>,
}

/// How the control loop's ticks have come lately.
#[derive(Debug)]
struct Pace {
    /// Ticks at the beginning of the time that is measured over.
    from: (Instant, u64),
    /// Ticks last seen, and since when.
    last: (Instant, u64),
    hz: f64,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self {
            from: (now, 0),
            last: (now, 0),
            hz: 0.0,
        }
    }

    /// The loop has made so many ticks now; time since it made the last one.
    fn see(&mut self, now: Instant, ticks: u64) -> Duration {
        if ticks != self.last.1 {
            self.last = (now, ticks);
        }
        let (since, before) = self.from;
        let passed = now.saturating_duration_since(since);
        if passed >= RATE_OVER {
            self.hz = ticks.saturating_sub(before) as f64 / passed.as_secs_f64();
            self.from = (now, ticks);
        }
        now.saturating_duration_since(self.last.0)
    }
}

impl LiveView {
    /// The view of a session's robot.
    pub(crate) fn new(session: &Session, card: &RobotCard) -> Self {
        Self {
            control: session.control_watch(),
            policy: session.policy_telemetry(),
            joints: card.joints.len(),
            has_gripper: card.has_gripper,
            pace: Mutex::new(Pace::new(Instant::now())),
        }
    }

    /// The robot at this moment.
    pub(crate) fn state(&self, is_busy: bool) -> LiveState {
        let arm = self.control.arm();
        let report = self.control.report();
        let (age, hz) = {
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            let age = pace.see(Instant::now(), arm.ticks);
            (age, pace.hz)
        };
        let (mode, reason) = match arm.mode {
            ControlMode::Following => (Mode::Following, None),
            ControlMode::Holding => (Mode::Holding, None),
            ControlMode::Stopped(cause) => (Mode::Stopped, Some(cause.as_str().to_owned())),
        };
        let gripper = arm.positions.get(self.joints).copied();
        LiveState {
            t: seconds(arm.time_ns),
            age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
            mode,
            reason,
            at_rest: arm.at_rest,
            is_busy,
            authority: if mode == Mode::Following || (is_busy && mode != Mode::Stopped) {
                Authority::Robot
            } else {
                Authority::Nobody
            },
            joints: arm.positions.into_iter().take(self.joints).collect(),
            gripper: gripper.filter(|_| self.has_gripper),
            control: ControlPace {
                hz,
                missed_ticks: report.missed_ticks,
                late_p99_ms: report.lateness.p99_us * 1e-3,
            },
            policy: self.policy_pace(),
            health: Vec::new(),
            teaching: None,
            learning: None,
        }
    }

    fn policy_pace(&self) -> Option<PolicyPace> {
        let last = self.policy.last_decision()?;
        let parts = self.policy.quantiles();
        let whole = parts.get("decision").copied().unwrap_or_default();
        Some(PolicyPace {
            last_ms: last.millis,
            p50_ms: whole.p50_us * 1e-3,
            p95_ms: whole.p95_us * 1e-3,
        })
    }

    /// Where the policy looked in its last decision.
    pub(crate) fn attention(&self) -> Option<Attention> {
        let last = self.policy.last_decision()?;
        let map = last.attention?;
        Some(Attention {
            t: seconds(last.time_ns),
            camera: map.camera,
            columns: map.columns,
            rows: map.rows,
            weights: map.weights.iter().map(|weight| to_byte(*weight)).collect(),
        })
    }
}

fn seconds(time_ns: u64) -> f64 {
    time_ns as f64 * 1e-9
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=255"
)]
fn to_byte(weight: f32) -> u8 {
    (weight * 255.0).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_s_rate_and_silence_are_measured() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin);
        let at = |millis: u64| begin + Duration::from_millis(millis);
        assert_eq!(pace.see(at(500), 490), Duration::ZERO);
        assert!(pace.hz.abs() < 1e-9, "not measured yet");
        pace.see(at(1000), 995);
        assert!((pace.hz - 995.0).abs() < 1e-6, "{}", pace.hz);
        // It makes no ticks any more.
        assert_eq!(pace.see(at(1200), 995), Duration::from_millis(200));
        assert_eq!(pace.see(at(2500), 995), Duration::from_millis(1500));
        assert!(pace.hz.abs() < 1e-9);
        assert_eq!(pace.see(at(2600), 1000), Duration::ZERO);
    }

    #[test]
    fn weights_become_bytes() {
        assert_eq!(
            [0.0, 0.5, 1.0, 2.0, -1.0].map(to_byte),
            [0, 128, 255, 255, 0]
        );
    }
}
