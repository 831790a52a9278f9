//! Something between a session and the parts of a simulated robot.

use vola_abi::{ActuatorBox, CameraBox, StageBox};

/// Puts wrappers around the parts of a simulated robot and of its policy, to
/// break them on purpose or to record what passes. Never between a session and
/// a robot that is not simulated.
///
/// Called once for every part, on the thread that opens the session. A wrapper
/// is called as the part is; one around the actuator runs on the control thread.
pub trait Interposer: std::fmt::Debug + Send + Sync {
    /// The part that moves.
    fn actuator(&self, actuator: ActuatorBox) -> ActuatorBox {
        actuator
    }

    /// The camera with this key.
    fn camera(&self, key: &str, camera: CameraBox) -> CameraBox {
        let _ = key;
        camera
    }

    /// How long a decision takes in virtual time (ns), asked of each; `usual_ns`
    /// is the deployment's.
    fn latency_ns(&self, usual_ns: u64) -> u64 {
        usual_ns
    }

    /// The stage of the policy with this name; it is configured and active.
    fn stage(&self, name: &str, stage: StageBox) -> StageBox {
        let _ = name;
        stage
    }
}
