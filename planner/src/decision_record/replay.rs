//! Runs a recorded decision again: stored replies, today's parser, verifier and
//! ladder.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use vola_types::Plan;

use super::{AttemptRecord, DecisionRecord};
use crate::backend::{Backend, BackendError};
use crate::backends::{agreement_of, draft_of};
use crate::draft::PlanDraft;
use crate::ladder::Ladder;
use crate::readings::{self, Asking};
use crate::request::PlanRequest;
use crate::rules::RulesBackend;
use crate::transcript::Exchange;

/// Nothing in a replay waits; this only bounds a fault.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a replay gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replay {
    /// Id of the decision.
    pub id: String,
    /// Whether the plan is the same, times aside.
    pub identical: bool,
    /// Keys of the plan that differ.
    pub differences: Vec<String>,
    /// The plan now.
    pub plan: Plan,
    /// The plan then.
    pub recorded: Plan,
}

/// Replays a decision; what `rules` answered is asked of it again. Nothing is sent anywhere and nothing moves.
///
/// # Timing
/// Needs a tokio runtime with its time driver enabled.
pub async fn replay(record: &DecisionRecord, rules: &RulesBackend) -> Replay {
    let rungs = |of_question: bool| {
        let rungs = record.rungs.iter();
        let rungs = rungs.filter(|rung| rung.is_of_question == of_question);
        let rungs = rungs.map(|rung| {
            Arc::new(Recorded {
                name: rung.backend.clone(),
                rules: rules.clone(),
                attempts: Mutex::new(rung.attempts.clone().into()),
            }) as Arc<dyn Backend>
        });
        rungs.collect()
    };
    let ladder = Ladder::new(rungs(false))
        .with_readers(rungs(true))
        .with_deadline(DEADLINE)
        .with_repairs(record.repairs_allowed);
    let plan = ladder.plan(&record.asked.request()).await;
    let differences = differences(&record.plan, &plan);
    Replay {
        id: record.id.clone(),
        identical: differences.is_empty(),
        differences,
        plan,
        recorded: record.plan.clone(),
    }
}

/// Keys in which two plans differ; how long they took does not count.
fn differences(then: &Plan, now: &Plan) -> Vec<String> {
    let object = |plan: &Plan| match serde_json::to_value(plan) {
        Ok(Value::Object(map)) => map,
        _ => serde_json::Map::new(),
    };
    let (then, now) = (object(then), object(now));
    let mut keys: Vec<&String> = then.keys().chain(now.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter(|key| key.as_str() != "millis" && then.get(*key) != now.get(*key))
        .cloned()
        .collect()
}

/// A local model's lines, read again.
fn local_draft(exchange: &Exchange, request: &PlanRequest) -> Result<PlanDraft, BackendError> {
    let readings = readings::readings(&exchange.lines, request);
    let draft = readings::answer(readings, Asking::of_bar(exchange.ask_from)).ok_or_else(|| {
        let detail = "the record holds no line that can be read".to_owned();
        BackendError::Recorded { detail }
    })?;
    let model = std::path::Path::new(&exchange.model).file_name();
    Ok(PlanDraft {
        model: model.map(|name| name.to_string_lossy().into_owned()),
        tokens: exchange.tokens,
        ..draft
    })
}

/// A back end that says again what it said.
struct Recorded {
    name: String,
    rules: RulesBackend,
    attempts: Mutex<VecDeque<AttemptRecord>>,
}

#[async_trait]
impl Backend for Recorded {
    fn name(&self) -> &str {
        &self.name
    }

    async fn plan(&self, request: &PlanRequest) -> Result<PlanDraft, BackendError> {
        let attempt = {
            let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
            attempts.pop_front()
        };
        let Some(attempt) = attempt else {
            let detail = "the record holds no further answer".to_owned();
            return Err(BackendError::Recorded { detail });
        };
        for exchange in &attempt.exchanges {
            request.transcript.open(exchange.clone());
        }
        if let Some(detail) = attempt.error {
            return Err(BackendError::Recorded { detail });
        }
        match attempt.exchanges.last() {
            Some(exchange) if self.name == "local" => local_draft(exchange, request),
            Some(exchange) => match agreement_of(&attempt.exchanges) {
                Some(draft) => Ok(PlanDraft {
                    model: Some(exchange.model.clone()),
                    ..draft
                }),
                None => draft_of(exchange),
            },
            None if self.name == "rules" => Ok(self.rules.answer(request)),
            None => Err(BackendError::Recorded {
                detail: format!("the record holds no reply of `{}`", self.name),
            }),
        }
    }
}
