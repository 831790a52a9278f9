//! From the camera to a scene with lasting ids.

use vola_planner::{
    Detection, Detections, Disc, GripperReading, MemorySettings, SceneMemory, View,
};
use vola_runtime::{SceneReading, Session};
use vola_types::Scene;

use crate::failure::Failure;

/// What the arm hides of the table around the tool, seen from the far side (m).
const ARM_SHADOW_M: f64 = 0.09;

/// Reads scenes and remembers them, for the length of a run.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    memory: SceneMemory,
    /// Where the tool was at the last look (m, base frame).
    tool_position: Option<[f64; 3]>,
}

impl Sight {
    /// Without memories.
    pub(crate) fn new() -> Self {
        Self {
            memory: SceneMemory::new(MemorySettings::default()),
            tool_position: None,
        }
    }

    /// Forgets everything: another scene follows.
    pub(crate) fn forget(&mut self) {
        self.memory.clear();
    }

    /// What is remembered; to tell it what the robot is about to do.
    pub(crate) fn memory(&mut self) -> &mut SceneMemory {
        &mut self.memory
    }

    /// Reads one scene from the camera.
    ///
    /// # Errors
    /// When there is no scene head, or it fails.
    pub(crate) fn look(&mut self, session: &mut Session) -> Result<Scene, Failure> {
        Ok(self.remember(session.read_scene()?))
    }

    /// Takes a scene that was read into the memory.
    pub(crate) fn remember(&mut self, reading: SceneReading) -> Scene {
        self.tool_position = Some(reading.tool_position);
        self.memory.update(&detections(reading))
    }

    /// Says what the hand holds when the camera was never shown it outside the
    /// hand; it is where the tool was at the last look.
    pub(crate) fn put_in_hand(&mut self, kind: &str, color: Option<&str>) {
        if let Some(tool) = self.tool_position {
            self.memory.put_in_hand(kind, color, tool);
        }
    }
}

/// A reading in the planner's terms.
pub(crate) fn detections(reading: SceneReading) -> Detections {
    let [x, y, _] = reading.tool_position;
    let hidden = vec![Disc {
        center: [x, y],
        radius: ARM_SHADOW_M,
    }];
    let objects = reading.objects.into_iter().map(|seen| Detection {
        kind: seen.kind,
        color: seen.color,
        position: seen.position,
        confidence: seen.confidence,
        openness: seen.openness,
    });
    Detections {
        objects: objects.collect(),
        view: View {
            hidden,
            ..View::default()
        },
        gripper: GripperReading {
            position: Some(reading.tool_position),
            open: reading.gripper_open,
            holding: reading.gripper_holding,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_becomes_a_scene_with_the_held_object() {
        let seen = |color: &str, position| vola_runtime::Detection {
            kind: "block".to_owned(),
            color: Some(color.to_owned()),
            position,
            confidence: 0.9,
            openness: None,
        };
        let reading = SceneReading {
            objects: vec![
                seen("red", [0.4, 0.1, 0.11]),
                seen("blue", [0.5, -0.1, 0.02]),
            ],
            gripper_open: false,
            gripper_holding: true,
            tool_position: [0.4, 0.1, 0.12],
            time_ns: 0,
        };
        let mut sight = Sight::new();
        let mut before = reading.clone();
        before.gripper_holding = false;
        before.objects[0].position = [0.4, 0.1, 0.02];
        sight.memory().update(&detections(before));
        let scene = sight.memory().update(&detections(reading));
        assert_eq!(scene.gripper.holding.as_deref(), Some("red_block"));
        assert_eq!(scene.objects.len(), 2);
    }
}
