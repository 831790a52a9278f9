//! Any text as a deployment: an error, or settings whose numbers are in range.

use std::path::Path;

use vola_bundle::Deployment;

/// Panics where a text is accepted that must not be.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let deployment = match Deployment::parse(text, Path::new("fuzz.toml")) {
        Ok(deployment) => deployment,
        Err(error) => {
            assert!(error.to_string().contains("fuzz.toml"), "{error}");
            return;
        }
    };
    let safety = deployment.safety();
    assert!(safety.limit_scale() > 0.0 && safety.limit_scale() <= 1.0);
    assert!(safety.position_margin() >= 0.0 && safety.position_margin() <= 1.0);
    assert!(safety.collision_margin_m() >= 0.0 && safety.collision_margin_m() <= 1.0);
    for limit in [
        safety.max_tool_speed_m_per_s(),
        safety.force_stop_n(),
        safety.torque_stop_nm(),
        safety.gripper_force_n(),
    ] {
        assert!(limit.is_none_or(|value| value.is_finite() && value > 0.0));
    }
    for zone in safety.forbidden().iter().chain(&safety.workspace()) {
        assert!(zone.min.iter().zip(&zone.max).all(|(min, max)| min < max));
    }
    for limits in safety.joint_limits().values() {
        for limit in [
            limits.max_velocity,
            limits.max_acceleration,
            limits.max_jerk,
        ] {
            assert!(limit.is_none_or(|value| value.is_finite() && value > 0.0));
        }
    }
}
