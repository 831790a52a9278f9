//! What a person may look at in a conversation: the words, and the scene.

use serde_json::json;
use vola_types::{RunEvent, RunEventKind};

use super::{COMMANDS, Chat};
use crate::{
    failure::Failure,
    output::{Tone, scene_words},
};

impl Chat {
    pub(super) fn help(&self) -> Result<(), Failure> {
        if self.teller.console.is_json() {
            return self.teller.console.object(&json!({"help": COMMANDS}));
        }
        for (what, meaning) in [
            (
                "a sentence",
                "I plan it, show the steps, and do them: pick, place, push, stack, open, close, …",
            ),
            ("stop", "I come to rest at once, whatever I am doing"),
            (
                "pause, go on, skip",
                "while I work: hold still, go on, leave out this step",
            ),
            (
                "no, the other one",
                "while I work: changes the plan; so do first the …, also …, leave out …",
            ),
            (
                "what are you doing?",
                "from my log; so are why did you stop, what is next, what have you done",
            ),
            (
                "take over",
                "while I work, or when I ask: move me by hand (jog x 0.05, open, close), then give back",
            ),
            (
                "/teach SENTENCE",
                "show me by hand what it means, then keep or discard it",
            ),
            ("/scene", "what I see, with names and places"),
            ("/picture [FILE]", "a picture as PNG"),
            ("/reset [SEED]", "another scene"),
            ("/resume", "leaves a stop of the safety layer"),
            ("/quit", "leave; so does Ctrl-D"),
        ] {
            let typed = self
                .teller
                .console
                .style()
                .paint(Tone::Typed, &format!("{what:<20}"));
            self.teller.line(&format!("  {typed} {meaning}"))?;
        }
        Ok(())
    }

    pub(super) fn show_scene(&mut self) -> Result<(), Failure> {
        let scene = self.robot.look()?;
        let t = vola_planner::Robot::seconds(&self.robot);
        if self.teller.console.is_json() {
            return self.teller.console.object(&RunEvent {
                t,
                kind: RunEventKind::Scene { scene },
            });
        }
        self.teller
            .line(&format!("I see {}.", scene_words(&scene)))?;
        for object in &scene.objects {
            let place = object.position.map_or_else(String::new, |[x, y, _]| {
                format!(
                    "{:.0} cm ahead, {:.0} cm {}",
                    100.0 * x,
                    (100.0 * y).abs(),
                    if y >= 0.0 { "left" } else { "right" }
                )
            });
            let sure = format!("{:.0} %", 100.0 * object.confidence);
            let faint = self.teller.console.style().paint(Tone::Faint, &sure);
            self.teller
                .line(&format!("  {:<16} {place}  {faint}", object.id))?;
        }
        Ok(())
    }
}
