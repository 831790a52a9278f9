//! What a sentence should bring about, and whether a plan does, or a question offers
//! it.

use vola_types::{PlanOption, Step};

/// Accepted outcomes of a sentence.
#[derive(Clone, Debug, Default)]
pub(super) struct Goals {
    /// Steps without the picks that end in a place; any of these lists will do.
    pub(super) any_of: Vec<Vec<Step>>,
    /// Whether their order counts.
    pub(super) ordered: bool,
    /// Objects that must not be touched.
    pub(super) keep: Vec<String>,
    /// What a question must offer.
    pub(super) offer: Offer,
}

/// What the options of a question must hold to be a right answer.
#[derive(Clone, Debug, Default)]
pub(super) enum Offer {
    /// Whatever they say: that it is asked is the answer.
    #[default]
    Anything,
    /// Each of these outcomes, as `effects` gives them, and no other deed.
    Each(Vec<Vec<Step>>),
    /// An accepted outcome: the sentence says enough to be carried out.
    Goal,
}

impl Goals {
    /// Whether the answers to a question lead to what was wanted.
    pub(super) fn offered_by(&self, options: &[PlanOption]) -> bool {
        let offers = |outcome: &Vec<Step>| {
            let mut options = options.iter();
            options.any(|option| effects(&option.steps) == *outcome)
        };
        match &self.offer {
            Offer::Anything => true,
            Offer::Each(outcomes) => {
                let is_meant = |option: &PlanOption| {
                    let outcome = effects(&option.steps);
                    outcome.is_empty() || outcomes.contains(&outcome)
                };
                outcomes.iter().all(offers) && options.iter().all(is_meant)
            }
            Offer::Goal => options.iter().any(|option| self.reached_by(&option.steps)),
        }
    }

    /// Whether steps change the world as one of the accepted outcomes does.
    pub(super) fn reached_by(&self, steps: &[Step]) -> bool {
        let done = effects(steps);
        let touches = |step: &Step| {
            let object = step.object();
            object.is_some_and(|id| self.keep.iter().any(|kept| kept == id))
        };
        if done.iter().any(touches) {
            return false;
        }
        self.any_of.iter().any(|goal| {
            if self.ordered {
                goal == &done
            } else {
                same_in_any_order(goal, &done)
            }
        })
    }
}

/// Steps without the picks that end in a place.
pub(super) fn effects(steps: &[Step]) -> Vec<Step> {
    let is_placed = |object: &str, after: &[Step]| {
        let mut later = after.iter();
        later.any(|step| matches!(step, Step::Place { object: placed, .. } if placed == object))
    };
    let mut done = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let after = steps.get(index + 1..).unwrap_or_default();
        match step {
            Step::Pick { object } if is_placed(object, after) => {}
            other => done.push(other.clone()),
        }
    }
    done
}

fn same_in_any_order(goal: &[Step], done: &[Step]) -> bool {
    let mut left = done.to_vec();
    goal.iter().all(|step| {
        let found = left.iter().position(|other| other == step);
        found.map(|index| left.remove(index)).is_some()
    }) && left.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<Step> {
        serde_json::from_str(text).unwrap()
    }

    fn goals(any_of: &str, ordered: bool, keep: &[&str]) -> Goals {
        Goals {
            any_of: serde_json::from_str(any_of).unwrap(),
            ordered,
            keep: keep.iter().map(|id| (*id).to_owned()).collect(),
            offer: Offer::Anything,
        }
    }

    const PLACE: &str = r#"{"op":"place","object":"a","target":"b","relation":"in"}"#;
    const OPEN: &str = r#"{"op":"open","object":"drawer"}"#;

    #[test]
    fn a_plan_is_judged_by_what_it_changes() {
        let done = steps(&format!(r#"[{{"op":"pick","object":"a"}},{PLACE},{OPEN}]"#));
        let reached = |any_of: &str, ordered| goals(any_of, ordered, &[]).reached_by(&done);
        assert!(reached(&format!("[[{PLACE},{OPEN}]]"), true));
        assert!(!reached(&format!("[[{OPEN},{PLACE}]]"), true));
        assert!(reached(&format!("[[{OPEN},{PLACE}]]"), false));
        assert!(reached(&format!("[[{OPEN}],[{PLACE},{OPEN}]]"), false));
        for wrong in [
            format!("[[{PLACE}]]"),
            format!("[[{PLACE},{OPEN},{OPEN}]]"),
            "[]".to_owned(),
        ] {
            assert!(!reached(&wrong, false), "{wrong}");
        }
        let kept = goals(&format!("[[{PLACE},{OPEN}]]"), false, &["a"]);
        assert!(!kept.reached_by(&done));
        // A pick that ends in no place is an outcome.
        let held = steps(r#"[{"op":"pick","object":"a"}]"#);
        assert_eq!(effects(&held), held);
    }

    #[test]
    fn a_question_is_judged_by_what_it_offers() {
        let option = |text: &str| PlanOption {
            label: String::new(),
            steps: steps(text),
        };
        let place = option(&format!(r#"[{{"op":"pick","object":"a"}},{PLACE}]"#));
        let (open, nothing) = (option(&format!("[{OPEN}]")), option("[]"));
        let offered = |offer: Offer, options: &[&PlanOption]| {
            let options: Vec<PlanOption> = options.iter().map(|it| (*it).clone()).collect();
            Goals {
                offer,
                ..goals(&format!("[[{PLACE}]]"), false, &[])
            }
            .offered_by(&options)
        };
        let each = || Offer::Each(vec![effects(&place.steps), effects(&open.steps)]);
        assert!(offered(each(), &[&open, &nothing, &place]));
        assert!(!offered(each(), &[&open, &nothing]));
        let other = option(r#"[{"op":"pick","object":"b"}]"#);
        assert!(!offered(each(), &[&open, &place, &other]), "all is offered");
        assert!(offered(Offer::Goal, &[&open, &place]));
        assert!(!offered(Offer::Goal, &[&open, &nothing]));
        assert!(!offered(Offer::Goal, &[]));
        assert!(offered(Offer::Anything, &[&nothing]));
    }
}
