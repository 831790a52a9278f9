//! The robot as the page's server sees it: orders in, state out.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use vola_console::{
    Attention, Authority, ChosenAnswer, Decision, Desk, Feed, Jog, LiveState, Refusal, RobotCard,
    StopKind, Teaching, Views,
};
use vola_runtime::{Heartbeat, JogCommand, JogMotion, StopLevel, StopSwitch};

use crate::{chat::Inbox, live_view::LiveView, monitor::Monitor, robot::Pendant};

/// Commands that may come over the network: none writes a file outside of the folder
/// of recordings, or ends the robot.
const COMMANDS: [&str; 5] = ["/scene", "/reset", "/resume", "/teach", "/help"];
/// Longest line (bytes).
const LONGEST: usize = 4096;

/// What was said last of learning; clones share it.
#[derive(Clone, Default)]
pub(super) struct LastLearned(Arc<Mutex<Option<String>>>);

impl LastLearned {
    /// Keeps the words of what is about learning.
    pub(super) fn see(&self, news: &Value) {
        if news["learning"].is_object() {
            let words = news["notice"].as_str().map(str::to_owned);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = words;
        }
    }

    fn words(&self) -> Option<String> {
        let words = self.0.lock();
        words.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is to be taught, where a line asks for that.
fn lesson_in(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix("/teach")?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(rest)
}

/// What the page wishes, in the runtime's words.
fn wish(jog: Jog) -> JogCommand {
    let motion = match (
        jog.joints_rad_per_s,
        jog.linear_m_per_s,
        jog.angular_rad_per_s,
    ) {
        (Some(rates), _, _) => JogMotion::Joints(rates),
        (None, None, None) => JogMotion::Still,
        (None, linear, angular) => JogMotion::Tool {
            linear_m_per_s: linear.unwrap_or_default(),
            angular_rad_per_s: angular.unwrap_or_default(),
        },
    };
    JogCommand {
        motion,
        gripper: jog.gripper,
    }
}

/// The robot as the server sees it. Nothing here waits for it.
pub(super) struct RobotDesk {
    pub(super) embodiment: String,
    pub(super) dead_man_ms: Option<u64>,
    /// Longest time between two signs of life of a person who has the arm.
    pub(super) hand_dead_man_ms: u64,
    pub(super) heartbeat: Option<Heartbeat>,
    pub(super) stop: StopSwitch,
    pub(super) inbox: Inbox,
    pub(super) pendant: Pendant,
    pub(super) feed: Feed,
    pub(super) monitor: Monitor,
    pub(super) live: LiveView,
    pub(super) card: RobotCard,
    pub(super) views: Views,
    pub(super) learned: LastLearned,
    pub(super) has_ended: AtomicBool,
}

impl RobotDesk {
    /// Takes a line, as if typed; the log shows other words where they say more.
    fn take(&self, text: &str, shown: &str) -> Result<(), Refusal> {
        let text = text.trim();
        let refuse = |reason: String| Err(Refusal { reason });
        if self.has_ended.load(Ordering::Acquire) {
            return refuse("the robot is not served any more".to_owned());
        }
        if text.is_empty() || text.len() > LONGEST {
            return refuse(format!("expected a line of 1 to {LONGEST} bytes"));
        }
        let is_command = text.starts_with('/') || text.eq_ignore_ascii_case("picture");
        let known = text.split_whitespace().next().unwrap_or_default();
        if is_command && !COMMANDS.contains(&known) {
            let known = COMMANDS.join(", ");
            return refuse(format!("over the network there are only {known}"));
        }
        self.feed.tell(&json!({"said": shown.trim()}));
        self.views.board.said(text);
        self.inbox.typed(text);
        Ok(())
    }
}

impl Desk for RobotDesk {
    fn stop(&self, kind: StopKind) {
        // First, so that no sentence from before it can release the switch.
        self.inbox.stopped();
        self.stop.demand(match kind {
            StopKind::Hold => StopLevel::Hold,
            StopKind::Controlled => StopLevel::ControlledStop,
            StopKind::Power => StopLevel::CutPower,
        });
        self.feed.tell(&json!({"stopped": kind}));
    }

    fn beat(&self) {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.beat();
        }
        self.pendant.beat();
    }

    fn decide(&self, decision: Decision) -> Result<(), Refusal> {
        let handoff = self.monitor.handoff();
        let is_fit = match decision {
            Decision::Abort => matches!(handoff.as_str(), "ask" | "take_over"),
            of_lesson if of_lesson.is_of_lesson() => self.pendant.lesson().is_some(),
            by_hand if by_hand.is_by_hand() => {
                handoff == "take_over" && self.pendant.lesson().is_none()
            }
            // Also unasked: the arm is brought to rest, and is the person's then.
            Decision::TakeOver => {
                let runs = self.inbox.is_running() && self.pendant.lesson().is_none();
                handoff == "ask" || (runs && !self.pendant.is_taken())
            }
            _ => handoff == "ask",
        };
        if !is_fit {
            let reason = format!(
                "`{}` decides nothing now: the handoff is in the state `{handoff}`",
                decision.words()
            );
            return Err(Refusal { reason });
        }
        self.say(decision.words())
    }

    fn jog(&self, jog: Jog) -> Result<(), Refusal> {
        if self.pendant.jog(wish(jog)) {
            self.beat();
            return Ok(());
        }
        Err(Refusal {
            reason: "nobody has the arm: take it over first, while it works or when it asks"
                .to_owned(),
        })
    }

    fn answer(&self, chosen: &ChosenAnswer) -> Result<(), Refusal> {
        self.take(&chosen.typed, &chosen.words)
    }

    fn teach(&self, sentence: &str) -> Result<(), Refusal> {
        let sentence = sentence.trim();
        let refuse = |reason: &str| {
            Err(Refusal {
                reason: reason.to_owned(),
            })
        };
        if self.views.episodes.is_none() {
            return refuse("nothing is recorded here: `--record DIR`, or `[record] folder`");
        }
        if sentence.is_empty() || sentence.chars().any(char::is_control) {
            return refuse("expected a sentence of one line: what will be shown");
        }
        if self.inbox.is_moving() || self.inbox.is_running() {
            return refuse("the robot is busy; teach it when it rests");
        }
        self.take(&format!("/teach {sentence}"), &format!("teach: {sentence}"))
    }

    fn say(&self, text: &str) -> Result<(), Refusal> {
        // Typed as in the chat, it is checked as what the page's own button asks for.
        if let Some(sentence) = lesson_in(text) {
            return self.teach(sentence);
        }
        // A number is an answer: people see what it stands for.
        let meaning = self.views.board.meaning(text);
        self.take(text, meaning.as_deref().unwrap_or(text))
    }

    fn state(&self) -> Value {
        json!({
            "embodiment": self.embodiment,
            "moving": self.inbox.is_moving(),
            "stopped": self.stop.is_thrown(),
            "dead_man_ms": self.dead_man_ms,
            "handoff": self.monitor.handoff(),
            "hand_dead_man_ms": self.hand_dead_man_ms,
        })
    }

    fn metrics(&self) -> String {
        self.monitor.exposition()
    }

    fn card(&self) -> RobotCard {
        self.card.clone()
    }

    fn live(&self) -> LiveState {
        let mut state = self.live.state(self.inbox.is_moving());
        if self.pendant.is_taken() {
            state.authority = Authority::Person;
        }
        state.health = self.monitor.figures();
        state.teaching = self.pendant.lesson().map(|place| Teaching {
            sentence: place.sentence,
            step: place.step,
            next: place.next,
        });
        state.learning = self.learned.words();
        state
    }

    fn attention(&self) -> Option<Attention> {
        self.live.attention()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_teaches_is_known_however_it_is_spaced() {
        assert_eq!(
            lesson_in(" /teach pick up the block").map(str::trim),
            Some("pick up the block")
        );
        assert_eq!(lesson_in("/teach\tgo home").map(str::trim), Some("go home"));
        assert_eq!(lesson_in("/teach "), Some(""));
        assert_eq!(lesson_in("/teacher"), None);
        assert_eq!(lesson_in("teach it"), None);
    }
}
