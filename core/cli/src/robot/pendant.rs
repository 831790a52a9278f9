//! A person's hand on the arm: lines of the conversation, and wishes that come
//! past it.
//!
//! Lines are for people and programs that type (`jog x 0.05`, `give back`); each is
//! a sign of life, so one line moves the arm for as long as the dead-man's deadline
//! and no longer. The page sends wishes and signs of life many times a second past
//! the conversation, so that they wait for nothing.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use vola_planner::Interjection;
use vola_runtime::{HandInput, JogCommand, JogMotion};

use super::LessonPlace;
use crate::chat::{Inbox, Said, Typist};

/// Who may hold the pendant; clones share it.
#[derive(Clone)]
pub(crate) struct Pendant {
    inbox: Inbox,
    typist: Typist,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    is_taken: AtomicBool,
    beats: AtomicU64,
    wish: Mutex<Option<JogCommand>>,
    lesson: Mutex<Option<LessonPlace>>,
}

/// What only a person who shows something says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LessonWord {
    /// The step is shown.
    Next,
    /// All is shown, and is kept.
    Keep,
    /// It is thrown away.
    Discard,
}

impl Pendant {
    /// A pendant for whoever types into this inbox.
    pub(crate) fn new(inbox: Inbox, typist: Typist) -> Self {
        Self {
            inbox,
            typist,
            shared: Arc::default(),
        }
    }

    /// Whether a person has the arm.
    pub(crate) fn is_taken(&self) -> bool {
        self.shared.is_taken.load(Ordering::Acquire)
    }

    /// A person takes the arm, or gives it back; wishes from before are forgotten. Whoever
    /// asked for the arm twice has it once; a program's lines are done one after the other.
    pub(crate) fn set_taken(&self, is_taken: bool) {
        *self.wish() = None;
        let asks_for_it = |text: &str| Interjection::read(text) == Some(Interjection::TakeOver);
        while self.typist == Typist::Person && self.inbox.take(asks_for_it).is_some() {}
        self.shared.is_taken.store(is_taken, Ordering::Release);
    }

    /// Where the lesson is, while one is given.
    pub(crate) fn lesson(&self) -> Option<LessonPlace> {
        let lesson = self.shared.lesson.lock();
        lesson.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A lesson goes on here, or is over.
    pub(super) fn set_lesson(&self, place: Option<LessonPlace>) {
        let mut lesson = self
            .shared
            .lesson
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *lesson = place;
    }

    /// What was said about the lesson since the last call. A program's lines wait
    /// until the arm has done what was said before.
    pub(super) fn lesson_word(&self, is_still: bool) -> Option<LessonWord> {
        let is_meant = |text: &str| of_lesson(text).is_some();
        let line = match self.typist {
            Typist::Person => self.inbox.take(is_meant),
            Typist::Program if is_still => self.inbox.take_next(is_meant),
            Typist::Program => None,
        };
        of_lesson(&line?)
    }

    /// A sign of life.
    pub(crate) fn beat(&self) {
        self.shared.beats.fetch_add(1, Ordering::AcqRel);
    }

    /// A wish, which is a sign of life as well; whether anybody has the arm.
    pub(crate) fn jog(&self, command: JogCommand) -> bool {
        let is_taken = self.is_taken();
        if is_taken {
            *self.wish() = Some(command);
        }
        is_taken
    }

    fn wish(&self) -> std::sync::MutexGuard<'_, Option<JogCommand>> {
        self.shared
            .wish
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What came since the last call. A program's lines are done one after the
    /// other; a person means now.
    pub(crate) fn next(&self, heard: &mut u64, is_still: bool) -> HandInput {
        if let Some(command) = self.wish().take() {
            return HandInput::Jog(command);
        }
        let beats = self.shared.beats.load(Ordering::Acquire);
        if beats != *heard {
            *heard = beats;
            return HandInput::Alive;
        }
        let is_meant = |text: &str| by_hand(text).is_some();
        let line = match self.typist {
            Typist::Person => self.inbox.take(is_meant),
            Typist::Program if is_still => self.inbox.take_next(is_meant),
            Typist::Program => return HandInput::Silent,
        };
        if let Some(input) = line.as_deref().and_then(by_hand) {
            return input;
        }
        match (self.typist, self.inbox.peek(std::time::Duration::ZERO)) {
            (_, Some(Said::End)) => HandInput::Gone,
            // It speaks of something else: nobody moves the arm any more.
            (Typist::Program, Some(Said::Line { .. })) => HandInput::Gone,
            _ => HandInput::Silent,
        }
    }
}

/// What a line means to somebody who shows something.
fn of_lesson(line: &str) -> Option<LessonWord> {
    let said = line.trim().trim_end_matches(['.', '!']).to_lowercase();
    Some(match said.as_str() {
        "next" | "next step" => LessonWord::Next,
        "keep" | "keep it" => LessonWord::Keep,
        "discard" | "discard it" | "throw it away" => LessonWord::Discard,
        _ => return None,
    })
}

/// What a line means to somebody who has the arm.
fn by_hand(line: &str) -> Option<HandInput> {
    let said = line.trim().trim_end_matches(['.', '!']).to_lowercase();
    let grip = |gripper| {
        HandInput::Jog(JogCommand {
            motion: JogMotion::Still,
            gripper: Some(gripper),
        })
    };
    Some(match said.as_str() {
        "give back" | "give it back" | "done" => HandInput::GiveBack,
        "correct" | "recovered" => HandInput::Recovered,
        "abort" | "give up" => HandInput::GiveUp,
        "still" => HandInput::Jog(JogCommand::default()),
        "open" => grip(1.0),
        "close" => grip(0.0),
        _ => HandInput::Jog(JogCommand {
            motion: motion(said.strip_prefix("jog ")?)?,
            gripper: None,
        }),
    })
}

/// `x 0.05 rz -0.2` (m/s, rad/s in the base frame) or `joints 0.1 0 0 …` (rad/s).
fn motion(words: &str) -> Option<JogMotion> {
    let number = |word: &str| word.parse::<f64>().ok().filter(|it| it.is_finite());
    if let Some(rates) = words.strip_prefix("joints ") {
        let rates: Option<Vec<f64>> = rates.split_whitespace().map(number).collect();
        return rates.map(JogMotion::Joints);
    }
    let mut rates = [0.0; 6];
    let mut words = words.split_whitespace();
    while let Some(axis) = words.next() {
        let index = ["x", "y", "z", "rx", "ry", "rz"]
            .iter()
            .position(|known| *known == axis)?;
        *rates.get_mut(index)? = number(words.next()?)?;
    }
    let [x, y, z, rx, ry, rz] = rates;
    Some(JogMotion::Tool {
        linear_m_per_s: [x, y, z],
        angular_rad_per_s: [rx, ry, rz],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vola_runtime::StopSwitch;

    fn tool(linear: [f64; 3], angular: [f64; 3]) -> HandInput {
        HandInput::Jog(JogCommand {
            motion: JogMotion::Tool {
                linear_m_per_s: linear,
                angular_rad_per_s: angular,
            },
            gripper: None,
        })
    }

    #[test]
    fn lines_move_the_arm_by_hand() {
        assert_eq!(
            by_hand("jog x 0.05 rz -0.2"),
            Some(tool([0.05, 0.0, 0.0], [0.0, 0.0, -0.2]))
        );
        assert_eq!(by_hand("Give back."), Some(HandInput::GiveBack));
        let Some(HandInput::Jog(joints)) = by_hand("jog joints 0.1 -0.2") else {
            panic!("a wish");
        };
        assert_eq!(joints.motion, JogMotion::Joints(vec![0.1, -0.2]));
        for other in ["jog", "jog x", "jog w 1", "jog x fast", "open the drawer"] {
            assert_eq!(by_hand(other), None, "{other}");
        }
    }

    #[test]
    fn whoever_asks_for_the_arm_twice_has_it_once() {
        for (typist, left) in [(Typist::Person, 1), (Typist::Program, 2)] {
            let inbox = Inbox::new(StopSwitch::default());
            let pendant = Pendant::new(inbox.clone(), typist);
            inbox.typed("take over");
            inbox.typed("then go home");
            pendant.set_taken(true);
            let lines = std::iter::from_fn(|| inbox.take(|_| true));
            assert_eq!(lines.count(), left, "{typist:?}");
        }
    }

    #[test]
    fn a_program_s_lines_wait_for_the_arm_and_a_page_s_wishes_do_not() {
        let inbox = Inbox::new(StopSwitch::default());
        let pendant = Pendant::new(inbox.clone(), Typist::Program);
        let mut heard = 0;
        let one = JogCommand::default();
        assert!(!pendant.jog(one.clone()), "nobody has the arm");
        pendant.set_taken(true);
        inbox.typed("jog y 0.1");
        assert_eq!(pendant.next(&mut heard, false), HandInput::Silent);
        assert!(pendant.jog(one.clone()));
        pendant.beat();
        assert_eq!(pendant.next(&mut heard, false), HandInput::Jog(one));
        assert_eq!(pendant.next(&mut heard, false), HandInput::Alive);
        let wish = tool([0.0, 0.1, 0.0], [0.0; 3]);
        assert_eq!(pendant.next(&mut heard, true), wish);
        assert_eq!(pendant.next(&mut heard, true), HandInput::Silent);
        inbox.typed("open the drawer");
        assert_eq!(pendant.next(&mut heard, true), HandInput::Gone);
    }
}
