//! What a simulated operator answers, and how long that takes.

use std::{cell::RefCell, rc::Rc};

use async_trait::async_trait;
use fastrand::Rng;
use vola_planner::{Operator, Question, Reply};
use vola_runtime::{LabelTensor, Session};

/// Time from a question to the answer: log-normal, with this median (s) …
pub(super) const THINKS_MEDIAN_S: f64 = 2.5;
/// … and this standard deviation of its logarithm: 19 of 20 between 1.1 and 5.5 s.
pub(super) const THINKS_SIGMA: f64 = 0.4;
/// Times that the operator takes the arm in one episode.
pub(super) const MOST_TAKE_OVERS: u32 = 3;

/// What is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Word {
    /// It is done already: leave it as it is.
    Skip,
    /// I do it.
    TakeOver,
    /// I cannot help either.
    #[default]
    Abort,
}

impl Word {
    /// What an offered choice begins with that means this.
    fn start(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::TakeOver => "take over",
            Self::Abort => "abort",
        }
    }
}

/// What an episode cost the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    /// Times asked.
    pub(super) handoffs: u32,
    /// Times the arm was taken.
    pub(super) take_overs: u32,
    /// Time, thinking and with the arm (ns).
    pub(super) busy_ns: u64,
    /// Whether the goal was reached when the robot asked first; none where it did not ask.
    pub(super) was_reached: Option<bool>,
}

/// The operator's mind in one episode.
#[derive(Debug)]
pub(super) struct Mind {
    rng: Rng,
    word: Word,
    spent: Spent,
}

impl Mind {
    /// A mind whose times follow from the seed.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            word: Word::default(),
            spent: Spent::default(),
        }
    }

    /// What it cost so far.
    pub(super) fn spent(&self) -> Spent {
        self.spent
    }

    /// The robot asks: the operator looks at the table and makes up an answer.
    pub(super) fn consider(&mut self, session: &mut Session) {
        self.spent.handoffs += 1;
        let is_reached = session.goal_reached().unwrap_or(false);
        self.spent.was_reached.get_or_insert(is_reached);
        let knows_how = session
            .world_labels()
            .is_ok_and(|labels| labels.iter().any(|label| label.name == "action"));
        self.word = self.answer(is_reached, knows_how);
    }

    fn answer(&self, is_reached: bool, knows_how: bool) -> Word {
        if is_reached {
            Word::Skip
        } else if knows_how && self.spent.take_overs < MOST_TAKE_OVERS {
            Word::TakeOver
        } else {
            Word::Abort
        }
    }

    /// The time until the answer is given (ns), which is the operator's.
    pub(super) fn think(&mut self) -> u64 {
        let seconds = THINKS_MEDIAN_S * (THINKS_SIGMA * normal(&mut self.rng)).exp();
        let thought = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let thought_ns = u64::try_from(thought.as_nanos()).unwrap_or(u64::MAX);
        self.spent.busy_ns += thought_ns;
        thought_ns
    }

    /// The operator had the arm for so long.
    pub(super) fn worked(&mut self, duration_ns: u64) {
        self.spent.take_overs += 1;
        self.spent.busy_ns += duration_ns;
    }
}

/// A draw from the standard normal distribution (Box and Muller, 1958).
fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

/// Whether a flag of the expert's `progress` is set: 0 done, 1 failing.
pub(super) fn has_progress(labels: &[LabelTensor], index: usize) -> bool {
    let progress = labels.iter().find(|label| label.name == "progress");
    let flags = progress.map(LabelTensor::f32s).unwrap_or_default();
    flags.get(index).is_some_and(|flag| *flag >= 0.5)
}

/// The operator's voice: says what was made up.
pub(super) struct Voice(pub(super) Rc<RefCell<Mind>>);

#[async_trait(?Send)]
impl Operator for Voice {
    async fn ask(&mut self, question: &Question) -> Option<Reply> {
        let start = self.0.borrow().word.start();
        let fits = |choice: &String| choice.starts_with(start);
        question.choices.iter().position(fits).map(Reply::Choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_takes_some_seconds_and_follows_from_the_seed() {
        let times = |seed| {
            let mut mind = Mind::new(seed);
            (0..1000).map(|_| mind.think()).collect::<Vec<u64>>()
        };
        assert_eq!(times(7), times(7));
        assert_ne!(times(7), times(8));
        let mut sorted = times(7);
        sorted.sort_unstable();
        let seconds = |index: usize| sorted[index] as f64 * 1e-9;
        assert!((2.3..2.7).contains(&seconds(500)), "{}", seconds(500));
        assert!((0.9..1.4).contains(&seconds(25)), "{}", seconds(25));
        assert!((4.7..6.5).contains(&seconds(975)), "{}", seconds(975));
        let mut mind = Mind::new(7);
        let all: u64 = (0..1000).map(|_| mind.think()).sum();
        assert_eq!(mind.spent().busy_ns, all);
    }

    #[test]
    fn what_is_done_is_left_and_what_cannot_be_helped_is_ended() {
        let mut mind = Mind::new(1);
        assert_eq!(mind.answer(true, true), Word::Skip);
        assert_eq!(mind.answer(false, false), Word::Abort);
        for _ in 0..MOST_TAKE_OVERS {
            assert_eq!(mind.answer(false, true), Word::TakeOver);
            mind.worked(10);
        }
        assert_eq!(mind.answer(false, true), Word::Abort);
        let mind = Rc::new(RefCell::new(Mind {
            word: Word::TakeOver,
            ..mind
        }));
        let mut voice = Voice(Rc::clone(&mind));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut ask = |choices: &[&str]| {
            let question = Question {
                text: "?".to_owned(),
                choices: choices.iter().map(|it| (*it).to_owned()).collect(),
            };
            runtime.block_on(voice.ask(&question))
        };
        let stuck = ["try again", "skip this step", "take over", "abort"];
        assert_eq!(ask(&stuck), Some(Reply::Choice(2)));
        mind.borrow_mut().word = Word::Skip;
        assert_eq!(ask(&stuck), Some(Reply::Choice(1)));
        assert_eq!(ask(&["yes", "no"]), None);
    }
}
