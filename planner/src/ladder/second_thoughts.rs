//! A plan becomes a question where it is for things that were called what nobody
//! knows, or was made from words that are no plain command.

use vola_types::{Plan, PlanOption, Verdict, object_phrase};

use crate::describe::capital;
use crate::draft::PlanDraft;
use crate::request::PlanRequest;
use crate::rules::{is_hedged, strange_noun};

/// The plan itself, or a question whether it is what was meant.
pub(super) fn asked_about(plan: Plan, request: &PlanRequest) -> Plan {
    if plan.verdict != Verdict::Execute {
        return plan;
    }
    let question = match strange_noun(&request.sentence, &request.scene) {
        Some(noun) => of_noun(&noun, &plan, request),
        None if is_hedged(&request.sentence, &request.scene) => {
            "That was not only what to do, and I cannot weigh the rest. Shall I do this?".to_owned()
        }
        None => return plan,
    };
    let meant = PlanOption {
        label: capital(&plan.say),
        steps: plan.steps,
    };
    let nothing = PlanOption {
        label: "do nothing".to_owned(),
        steps: Vec::new(),
    };
    let asked = PlanDraft::ask(question, vec![meant, nothing]).into_plan();
    Plan {
        backend: plan.backend,
        model: plan.model,
        repairs: plan.repairs,
        tokens: plan.tokens,
        fallbacks: plan.fallbacks,
        confidence: plan.confidence,
        ..asked
    }
}

/// Which of the things that are there is meant by a word that is unknown.
fn of_noun(noun: &str, plan: &Plan, request: &PlanRequest) -> String {
    let mut things: Vec<String> = Vec::new();
    for id in plan.steps.iter().filter_map(|step| step.object()) {
        let thing = object_phrase(id, &request.scene);
        if !things.contains(&thing) {
            things.push(thing);
        }
    }
    if things.is_empty() {
        format!("I know no {noun}. Shall I do this?")
    } else {
        format!("I know no {noun}. Do you mean {}?", things.join(" and "))
    }
}
