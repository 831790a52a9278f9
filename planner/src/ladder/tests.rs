//! The watch over what people make of a plan, from the ladder.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use vola_types::{Scene, Step, Verdict};

use super::*;
use crate::request::Dialogue;
use crate::rules::RulesBackend;

/// A calibrated model that always takes the red block.
struct TakesRed;

#[async_trait]
impl Backend for TakesRed {
    fn name(&self) -> &'static str {
        "local"
    }

    fn knows_other_things(&self) -> bool {
        true
    }

    async fn plan(&self, _: &PlanRequest) -> Result<PlanDraft, BackendError> {
        let object = "red_block".to_owned();
        let steps = vec![Step::Pick { object }];
        Ok(PlanDraft::execute(
            "take it",
            vec![("take it".to_owned(), steps)],
        ))
    }
}

/// Whether the watch warns when each command is followed by this sentence.
fn warns_after(next: &str) -> bool {
    let ladder = Ladder::new(vec![Arc::new(TakesRed)])
        .with_fast_path(Arc::new(RulesBackend::new()))
        .with_watch(CoverageWatch::new("local", 0.85));
    let scene = Scene::from_json(
        r#"{"objects":[
        {"id":"red_block","kind":"block","color":"red","position":[0.40,0.20,0.02],"on":"table"},
        {"id":"green_block","kind":"block","color":"green","position":[0.40,-0.20,0.02],"on":"table"}]}"#,
    )
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    for _ in 0..40 {
        let mut dialogue = Dialogue::default();
        for (sentence, backend) in [("fetch me the crimson doodad", "local"), (next, "rules")] {
            let mut request = PlanRequest::new(sentence, scene.clone());
            request.dialogue = dialogue.clone();
            let plan = runtime.block_on(ladder.plan(&request));
            assert_eq!(
                (plan.backend.as_str(), plan.verdict),
                (backend, Verdict::Execute),
                "{sentence}"
            );
            dialogue.note(sentence, &plan);
        }
    }
    let watch = ladder.watch.as_ref().unwrap();
    let watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
    watch.has_drifted()
}

#[test]
fn a_correction_counts_against_the_plan_whoever_reads_it() {
    assert!(warns_after("no, the green one"));
    assert!(!warns_after("push the green block to the left"));
}
