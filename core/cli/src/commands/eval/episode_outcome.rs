//! What one measured episode came to.

use vola_runtime::PrimitiveReport;
use vola_types::Outcome;

use super::scene_quality::SceneCounts;

/// One episode's result.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct EpisodeOutcome {
    /// The world shows the goal, and nobody had to help.
    pub(crate) success: bool,
    /// The robot says that it is done.
    pub(crate) claimed: bool,
    /// It held because it was unsure.
    pub(crate) held: bool,
    /// Length on the runtime's clock (s).
    pub(crate) seconds: f64,
    /// Root mean square of the commanded joint jerk (rad/s³).
    pub(crate) jerk: f64,
    /// How the run ended, in one word.
    pub(crate) end: String,
    /// Of a scene episode: what was found.
    pub(crate) scene: Option<SceneCounts>,
}

impl EpisodeOutcome {
    /// Of one primitive.
    pub(crate) fn of_primitive(report: &PrimitiveReport, reached: bool) -> Self {
        let claimed = report.outcome == Outcome::Done;
        Self {
            success: reached && !report.held,
            claimed,
            held: report.held,
            seconds: report.seconds,
            jerk: report.rms_jerk_rad_per_s3,
            end: if report.held {
                "held".to_owned()
            } else {
                report.outcome.to_string()
            },
            scene: None,
        }
    }
}
