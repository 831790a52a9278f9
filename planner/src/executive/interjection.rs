//! What a line means to a plan that is running: read without a model.
//!
//! Only words that make sense in the middle of a run are taken: to wait, to go
//! on, to leave something out, to do it otherwise, to tell what is going on.
//! Everything else is a command of its own and waits for its turn, so that a
//! file of commands is still carried out one after the other.

mod words;

use words::{Words, is_about_one_of, is_one_of};

/// What is said to a running plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interjection {
    /// End the run, at rest.
    Stop,
    /// Come to rest and wait.
    Pause,
    /// Go on after a pause.
    Resume,
    /// Leave out the step that is being done.
    Skip,
    /// Give the arm to the person, who moves it by hand.
    TakeOver,
    /// A question about the run.
    Ask(RunQuestion),
    /// Do it otherwise.
    Edit(Edit),
}

/// What can be asked about a run; its log holds the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunQuestion {
    /// What are you doing?
    Doing,
    /// Why did you stop?
    Why,
    /// What is next?
    Next,
    /// What have you done?
    Done,
    /// What do you hold?
    Holding,
    /// Are you sure?
    Sure,
    /// What is the plan?
    Plan,
}

/// A wish to change the plan that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Without these steps.
    LeaveOut(LeftOut),
    /// This before the rest; the words without "first".
    First(String),
    /// This besides; the words without "also".
    Also(String),
    /// This in the place of what is being done; the words as they were said.
    Instead(String),
}

/// Steps to be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// The last one.
    Last,
    /// This one, counted from 1 as the plan was shown.
    Number(usize),
    /// Those with what these words mean.
    Named(String),
}

impl Interjection {
    /// Reads a line; `None` when it is no word to a running plan. Costs string
    /// comparisons, no model.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        if crate::rules::is_stop_word(line) {
            return Some(Self::Stop);
        }
        if line.len() > crate::request::MAX_SENTENCE_BYTES {
            return crate::rules::calls_to_rest(line).then_some(Self::Pause);
        }
        let words = Words::of(line);
        let plain = words.without_fillers();
        if plain.is_empty() {
            return None;
        }
        let text = plain.join(" ");
        if is_about_one_of(&text, words::PAUSE) {
            return Some(Self::Pause);
        }
        if is_one_of(&text, words::RESUME) {
            return Some(Self::Resume);
        }
        if is_one_of(&text, words::SKIP) {
            return Some(Self::Skip);
        }
        if is_one_of(&text, words::TAKE_OVER) {
            return Some(Self::TakeOver);
        }
        if let Some(question) = RunQuestion::of(&text) {
            return Some(Self::Ask(question));
        }
        // Whatever else it says: a rest too many costs little, one missed much.
        if crate::rules::calls_to_rest(line) {
            return Some(Self::Pause);
        }
        Edit::of(line, &words).map(Self::Edit)
    }

    /// Whether it must not wait behind commands that were said before it.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        !matches!(self, Self::Edit(_))
    }
}

impl RunQuestion {
    fn of(text: &str) -> Option<Self> {
        const ALL: [(RunQuestion, &[&str]); 7] = [
            (RunQuestion::Doing, words::DOING),
            (RunQuestion::Why, words::WHY),
            (RunQuestion::Next, words::NEXT),
            (RunQuestion::Done, words::DONE),
            (RunQuestion::Holding, words::HOLDING),
            (RunQuestion::Sure, words::SURE),
            (RunQuestion::Plan, words::PLAN),
        ];
        ALL.into_iter()
            .find_map(|(question, texts)| is_one_of(text, texts).then_some(question))
    }
}

impl Edit {
    fn of(line: &str, words: &Words) -> Option<Self> {
        if let Some(left_out) = LeftOut::of(words) {
            return Some(Self::LeaveOut(left_out));
        }
        let all: Vec<&str> = words.iter().collect();
        let (first, last) = (*all.first()?, *all.last()?);
        // "Not" and "no" only before something to do instead.
        if all.len() >= 2 && words::OBJECTIONS.contains(&first) {
            return Some(Self::Instead(line.trim().to_owned()));
        }
        if words.has_any(words::INSTEAD) {
            return Some(Self::Instead(line.trim().to_owned()));
        }
        // "First this, then that" is a command of its own.
        let is_sequence = words.has_any(words::SEQUENCE);
        if all.len() >= 2 && !is_sequence {
            if words::FIRST.contains(&first) || words::FIRST.contains(&last) {
                return Some(Self::First(words.text_without(words::FIRST)));
            }
            let besides = words::ALSO.contains(&first)
                || words::TOO.contains(&last)
                || words.ends_with(&["as", "well"])
                || words.has_any(words::ALSO_ANYWHERE);
            if besides {
                return Some(Self::Also(words.text_without(words::ALSO_ALL)));
            }
        }
        None
    }
}

impl LeftOut {
    fn of(words: &Words) -> Option<Self> {
        let rest = words
            .after_any(words::LEAVE_OUT)
            .or_else(|| words.before_any(words::LEAVE_OUT_AFTER))?;
        let rest: Vec<&str> = rest
            .into_iter()
            .filter(|word| !words::STEP_WORDS.contains(word))
            .collect();
        let [only] = rest.as_slice() else {
            return (!rest.is_empty()).then(|| Self::Named(rest.join(" ")));
        };
        if words::LAST.contains(only) {
            return Some(Self::Last);
        }
        match words::ordinal(only) {
            Some(number) => Some(Self::Number(number)),
            None => Some(Self::Named((*only).to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<Interjection>) {
        assert_eq!(Interjection::read(line), expected, "{line}");
    }

    #[test]
    fn short_orders_are_read_in_three_scripts() {
        for (expected, lines) in [
            (
                Interjection::Stop,
                vec![
                    "stop!",
                    "can you stop",
                    "cancel",
                    "ruko",
                    "yaar ruko",
                    "رکو",
                ],
            ),
            (
                Interjection::Pause,
                vec![
                    "pause",
                    "Wait a moment, please.",
                    "hold on",
                    "no!",
                    "thehro",
                    "ek minute",
                    "ٹھہرو",
                    "ذرا ٹھہرو!",
                    "ایک منٹ",
                    "waaait!",
                    "watch out!",
                    "mat karo",
                    "مت کرو",
                    "stop, that is the wrong one",
                    "no, not there, stop",
                    "ye ghalat hai, ruko",
                    "یہ غلط ہے، رکو",
                ],
            ),
            (
                Interjection::Resume,
                vec!["resume", "ok go on", "carry on", "jari rakho", "جاری رکھو"],
            ),
            (
                Interjection::Skip,
                vec!["skip", "skip this step", "ye chhor do", "یہ چھوڑ دو", "اگلا"],
            ),
            (
                Interjection::TakeOver,
                vec![
                    "take over",
                    "Let me do it, please.",
                    "mujhe karne do",
                    "مجھے کرنے دو",
                ],
            ),
        ] {
            for line in lines {
                check(line, Some(expected.clone()));
            }
        }
    }

    #[test]
    fn questions_about_the_run_are_told_from_others() {
        for (question, lines) in [
            (
                RunQuestion::Doing,
                vec![
                    "what are you doing?",
                    "What are you doing right now?",
                    "tum kya kar rahe ho?",
                    "تم کیا کر رہے ہو؟",
                ],
            ),
            (
                RunQuestion::Why,
                vec!["why did you stop?", "tum kyun ruke?", "تم کیوں رکے؟"],
            ),
            (
                RunQuestion::Next,
                vec!["what is next?", "what's next?", "اب کیا کرو گے؟"],
            ),
            (
                RunQuestion::Done,
                vec!["what have you done so far?", "تم نے کیا کیا؟"],
            ),
            (
                RunQuestion::Holding,
                vec!["what do you hold?", "tumhare haath mein kya hai?"],
            ),
            (
                RunQuestion::Sure,
                vec!["are you sure?", "کیا تمہیں یقین ہے؟"],
            ),
            (RunQuestion::Plan, vec!["what is the plan?"]),
        ] {
            for line in lines {
                check(line, Some(Interjection::Ask(question)));
            }
        }
        for line in [
            "what do you see?",
            "where is the red block?",
            "put the red block in the blue bowl",
            "open the drawer",
            "wait 5 seconds",
            "first open the drawer, then put the red block in it",
            "the left one",
            "2",
            "do not touch the red block",
            "don't stop",
            "put it next to the stop sign",
            "ruko mat",
            "",
            "?",
        ] {
            check(line, None);
        }
    }

    #[test]
    fn edits_keep_the_words_that_a_planner_needs() {
        let instead = |text: &str| Edit::Instead(text.to_owned());
        for (line, expected) in [
            ("no, the other one", instead("no, the other one")),
            (
                "not that one, the green one",
                instead("not that one, the green one"),
            ),
            (
                "put it in the blue bowl instead",
                instead("put it in the blue bowl instead"),
            ),
            ("nahi, dusra wala", instead("nahi, dusra wala")),
            ("نہیں، دوسرا والا", instead("نہیں، دوسرا والا")),
            (
                "first the green one",
                Edit::First("the green one".to_owned()),
            ),
            (
                "do the green one first",
                Edit::First("do the green one".to_owned()),
            ),
            ("pehle hara wala", Edit::First("hara wala".to_owned())),
            (
                "also put the yellow one there",
                Edit::Also("put the yellow one there".to_owned()),
            ),
            (
                "put the yellow one there too",
                Edit::Also("put the yellow one there".to_owned()),
            ),
            (
                "پیلا بلاک بھی وہاں رکھو",
                Edit::Also("پیلا بلاک وہاں رکھو".to_owned()),
            ),
            ("leave out the last step", Edit::LeaveOut(LeftOut::Last)),
            ("skip the last step", Edit::LeaveOut(LeftOut::Last)),
            ("leave out step 3", Edit::LeaveOut(LeftOut::Number(3))),
            (
                "leave out the green block",
                Edit::LeaveOut(LeftOut::Named("green block".to_owned())),
            ),
            ("aakhri kaam chhor do", Edit::LeaveOut(LeftOut::Last)),
            ("آخری قدم رہنے دو", Edit::LeaveOut(LeftOut::Last)),
        ] {
            check(line, Some(Interjection::Edit(expected)));
        }
    }
}
