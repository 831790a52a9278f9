//! A plan for things that were called what nobody knows becomes a question.

use vola_types::{Plan, PlanOption, Verdict, object_phrase};

use crate::describe::capital;
use crate::draft::PlanDraft;
use crate::request::PlanRequest;
use crate::rules::strange_noun;

/// The plan itself, or a question whether it is what was meant.
pub(super) fn asked_about(plan: Plan, request: &PlanRequest) -> Plan {
    if plan.verdict != Verdict::Execute {
        return plan;
    }
    let Some(noun) = strange_noun(&request.sentence, &request.scene) else {
        return plan;
    };
    let mut things: Vec<String> = Vec::new();
    for id in plan.steps.iter().filter_map(|step| step.object()) {
        let thing = object_phrase(id, &request.scene);
        if !things.contains(&thing) {
            things.push(thing);
        }
    }
    let question = if things.is_empty() {
        format!("I know no {noun}. Shall I do this?")
    } else {
        format!("I know no {noun}. Do you mean {}?", things.join(" and "))
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
