//! When something is learned, and what is said of it: states without files, clocks
//! and processes.
//!
//! *Waiting* until enough corrections are there of which nothing was learned →
//! *learning*, which stands still whenever the arm may move → *waiting*, with a
//! verdict. Where learning failed before it had taken the corrections in, as many
//! again must come before it is tried once more.

use serde_json::{Value, json};

/// What learns, until it ends.
pub(super) trait Pupil {
    /// What came of it, once it has ended.
    fn verdict(&mut self) -> Option<Verdict>;

    /// It stands still.
    fn pause(&mut self);

    /// It goes on.
    fn go_on(&mut self);
}

/// What came of learning.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// There is a version; what was measured, as `vola policy adapt` tells it.
    Accepted {
        /// Its figures.
        figures: Value,
    },
    /// Nothing is better than before, or something is forgotten.
    RolledBack {
        /// Why.
        reason: String,
    },
    /// It could not be tried.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Something that was begun, or came to its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lesson {
    /// Corrections that it is about.
    pub(super) corrections: usize,
    /// Name of the version.
    pub(super) version: String,
    /// What came of it; none: it begins.
    pub(super) verdict: Option<Verdict>,
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct News {
    /// For people.
    pub(crate) words: String,
    /// For programs.
    pub(crate) about: Value,
}

impl Lesson {
    /// What there is to tell.
    pub(super) fn news(&self) -> News {
        let (count, version) = (self.corrections, &self.version);
        let (words, state, reason) = match &self.verdict {
            None => (
                format!("learning from {count} corrections, while the arm rests"),
                "learning",
                None,
            ),
            Some(Verdict::Accepted { figures }) => (
                format!("version {version} accepted: {}", better(figures)),
                "accepted",
                None,
            ),
            Some(Verdict::RolledBack { reason }) => (
                format!("version {version} rolled back: {reason}"),
                "rolled_back",
                Some(reason),
            ),
            Some(Verdict::Failed { reason }) => (
                format!("nothing was learned from {count} corrections: {reason}"),
                "failed",
                Some(reason),
            ),
        };
        News {
            words,
            about: json!({"state": state, "corrections": count, "reason": reason}),
        }
    }
}

/// What got better, before and after.
fn better(figures: &Value) -> String {
    let success = &figures["success"];
    let share = |side: usize| {
        let of = success["corrected_episodes"].as_f64()?;
        Some(success["corrected"][side].as_f64()? / of)
    };
    if let (Some(before), Some(after)) = (share(0), share(1)) {
        return format!("{before:.2} → {after:.2} of the corrected tasks done");
    }
    let off = |side: &str| figures["held_out"][side]["correction_m"].as_f64();
    match (off("before"), off("after")) {
        (Some(before), Some(after)) => format!(
            "{:.0} → {:.0} mm off what people did",
            before * 1e3,
            after * 1e3
        ),
        _ => "better on what was held out".to_owned(),
    }
}

/// The course of learning, over the life of a robot.
#[derive(Debug)]
pub(super) struct Course<P> {
    after: usize,
    learning: Option<Learning<P>>,
    /// Corrections that were there when learning failed.
    failed_at: usize,
}

#[derive(Debug)]
struct Learning<P> {
    pupil: P,
    corrections: usize,
    version: String,
    is_resting: bool,
}

impl<P: Pupil> Course<P> {
    /// Nothing was begun; `after` so many corrections something is.
    pub(super) fn new(after: usize) -> Self {
        Self {
            after,
            learning: None,
            failed_at: 0,
        }
    }

    /// Whether something was begun and has not ended.
    pub(super) fn is_learning(&self) -> bool {
        self.learning.is_some()
    }

    /// Whether something stands still because the arm moved.
    pub(super) fn is_resting(&self) -> bool {
        self.learning.as_ref().is_some_and(|it| it.is_resting)
    }

    /// The arm rests: goes on with what was begun, or begins when `unlearned`
    /// corrections are enough. What began, or came to its end.
    pub(super) fn glance(
        &mut self,
        unlearned: usize,
        start: impl FnOnce() -> Result<(String, P), String>,
    ) -> Option<Lesson> {
        if let Some(learning) = &mut self.learning {
            if std::mem::take(&mut learning.is_resting) {
                learning.pupil.go_on();
            }
            let verdict = learning.pupil.verdict()?;
            let ended = self.learning.take()?;
            let has_failed = matches!(verdict, Verdict::Failed { .. });
            self.failed_at = if has_failed { ended.corrections } else { 0 };
            return Some(Lesson {
                corrections: ended.corrections,
                version: ended.version,
                verdict: Some(verdict),
            });
        }
        let corrections = unlearned;
        // Those that were taken in before learning failed are not there any more.
        self.failed_at = self.failed_at.min(corrections);
        if corrections < self.failed_at.saturating_add(self.after) {
            return None;
        }
        match start() {
            Ok((version, pupil)) => {
                self.learning = Some(Learning {
                    pupil,
                    corrections,
                    version: version.clone(),
                    is_resting: false,
                });
                Some(Lesson {
                    corrections,
                    version,
                    verdict: None,
                })
            }
            Err(reason) => {
                self.failed_at = corrections;
                Some(Lesson {
                    corrections,
                    version: String::new(),
                    verdict: Some(Verdict::Failed { reason }),
                })
            }
        }
    }

    /// The arm is about to move: what was begun stands still.
    pub(super) fn rest(&mut self) {
        if let Some(learning) = &mut self.learning
            && !std::mem::replace(&mut learning.is_resting, true)
        {
            learning.pupil.pause();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    /// A pupil that does as the test says, and writes down what it was told.
    #[derive(Clone, Default)]
    struct Told(Rc<RefCell<(Vec<&'static str>, Option<Verdict>)>>);

    impl Pupil for Told {
        fn verdict(&mut self) -> Option<Verdict> {
            self.0.borrow_mut().1.take()
        }

        fn pause(&mut self) {
            self.0.borrow_mut().0.push("pause");
        }

        fn go_on(&mut self) {
            self.0.borrow_mut().0.push("go on");
        }
    }

    fn begin(course: &mut Course<Told>, corrections: usize, pupil: &Told) -> Option<Lesson> {
        let pupil = pupil.clone();
        course.glance(corrections, || Ok(("learned-1".to_owned(), pupil)))
    }

    #[test]
    fn it_learns_once_enough_is_there_and_stands_still_while_the_arm_moves() {
        let (mut course, pupil) = (Course::new(5), Told::default());
        assert_eq!(begin(&mut course, 4, &pupil), None);
        course.rest();
        let begun = begin(&mut course, 6, &pupil).unwrap();
        assert_eq!(
            begun.news().words,
            "learning from 6 corrections, while the arm rests"
        );
        // Nothing more begins meanwhile, however many come.
        assert_eq!(begin(&mut course, 60, &pupil), None);
        course.rest();
        course.rest();
        assert!(course.is_resting());
        assert_eq!(begin(&mut course, 6, &pupil), None);
        assert_eq!(pupil.0.borrow().0, ["pause", "go on"]);
        pupil.0.borrow_mut().1 = Some(Verdict::Accepted {
            figures: json!({"success": {"corrected": [71, 93], "corrected_episodes": 100}}),
        });
        let ended = begin(&mut course, 6, &pupil).unwrap();
        assert_eq!(
            ended.news().words,
            "version learned-1 accepted: 0.71 → 0.93 of the corrected tasks done"
        );
        // What was learned from does not count any more.
        assert_eq!(begin(&mut course, 0, &pupil), None);
        assert!(begin(&mut course, 5, &pupil).is_some());
    }

    #[test]
    fn corrections_that_were_taken_in_before_it_failed_are_not_waited_for_again() {
        let (mut course, pupil) = (Course::new(5), Told::default());
        assert!(begin(&mut course, 5, &pupil).is_some());
        pupil.0.borrow_mut().1 = Some(Verdict::Failed {
            reason: "too few".to_owned(),
        });
        assert!(begin(&mut course, 5, &pupil).is_some());
        assert_eq!(begin(&mut course, 0, &pupil), None);
        assert_eq!(begin(&mut course, 4, &pupil), None);
        assert!(begin(&mut course, 5, &pupil).is_some());
    }

    #[test]
    fn what_failed_is_tried_again_when_as_many_more_have_come() {
        let (mut course, pupil) = (Course::new(5), Told::default());
        begin(&mut course, 5, &pupil).unwrap();
        let reason = "no old tasks".to_owned();
        pupil.0.borrow_mut().1 = Some(Verdict::Failed { reason });
        let ended = begin(&mut course, 5, &pupil).unwrap();
        assert!(ended.news().words.ends_with("no old tasks"), "{ended:?}");
        for few in [5, 9] {
            assert_eq!(begin(&mut course, few, &pupil), None);
        }
        let refused = course.glance(10, || Err("no such program".to_owned()));
        assert_eq!(refused.unwrap().news().about["state"], "failed");
        assert!(begin(&mut course, 15, &pupil).is_some());
        let reason = "forgot".to_owned();
        pupil.0.borrow_mut().1 = Some(Verdict::RolledBack { reason });
        let ended = begin(&mut course, 0, &pupil).unwrap();
        assert_eq!(ended.news().about["state"], "rolled_back");
        assert!(begin(&mut course, 5, &pupil).is_some());
    }

    #[test]
    fn without_episodes_the_path_tells_what_got_better() {
        let figures = json!({"held_out": {
            "before": {"correction_m": 0.0312}, "after": {"correction_m": 0.0084},
        }});
        assert_eq!(better(&figures), "31 → 8 mm off what people did");
        assert_eq!(better(&Value::Null), "better on what was held out");
    }
}
