//! Questions about documents on the ladder.
//!
//! The command of a sentence is planned first and sees no document. The question
//! is a request of its own: a rung that reads documents answers it in words, with
//! quotations that are checked, and may give no step; without such a rung the best
//! passage is quoted.

use std::sync::Arc;
use std::time::Instant;

use vola_types::{Plan, Verdict};

use super::{Ladder, named};
use crate::backend::Backend;
use crate::decision_record::RungRecord;
use crate::documents::{self, Inquiry};
use crate::request::PlanRequest;

impl Ladder {
    /// The same ladder; questions are answered by these rungs. For replays, where
    /// each rung is one call.
    pub(crate) fn with_readers(mut self, readers: Vec<Arc<dyn Backend>>) -> Self {
        self.readers = Some(readers);
        self
    }

    /// Plans the command of a sentence, and answers its question.
    pub(super) async fn with_answer(
        &self,
        request: &PlanRequest,
        inquiry: &Inquiry,
        started: Instant,
        records: &mut Vec<RungRecord>,
    ) -> Plan {
        if inquiry.is_settled() {
            return self
                .answer_question(request, inquiry, started, records)
                .await;
        }
        let mut asked = request.clone();
        asked.inquiry = None;
        if let Some(command) = &inquiry.command {
            asked.sentence.clone_from(command);
        }
        let plan = self.answer(&asked, started, records).await;
        // What turns out to be more than a question is none for the documents.
        let is_other = inquiry.is_alone() && plan.verdict != Verdict::Chat;
        if is_other || plan.verdict == Verdict::Unsafe {
            return plan;
        }
        let answered = self
            .answer_question(request, inquiry, started, records)
            .await;
        if inquiry.is_alone() {
            return answered;
        }
        documents::beside(plan, answered)
    }

    async fn answer_question(
        &self,
        request: &PlanRequest,
        inquiry: &Inquiry,
        started: Instant,
        records: &mut Vec<RungRecord>,
    ) -> Plan {
        let first: Vec<Arc<dyn Backend>> = match &self.readers {
            _ if !inquiry.has_passages() => Vec::new(),
            Some(readers) => readers.clone(),
            None => {
                let readers = self.rungs.iter().take_while(|rung| rung.reads_documents());
                readers.cloned().collect()
            }
        };
        let mut asked = request.clone();
        asked.sentence = inquiry.question();
        asked.inquiry = Some(inquiry.clone());
        match self.ask_in_turn(&first, &asked, started, records).await {
            Ok(plan) => documents::in_words(plan, inquiry),
            Err(none) => {
                let mut plan = named(documents::draft(inquiry), "documents");
                plan.fallbacks = none.fallbacks;
                plan
            }
        }
    }
}
