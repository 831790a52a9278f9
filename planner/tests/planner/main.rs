//! The planner from outside: sentences over scenes, dialogues, hostile input
//! and the ladder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test crate: a failed expectation is a failed test"
)]

mod dialogue;
mod hostile;
mod ladder;
mod sentences;

use vola_planner::{Ladder, PlanRequest};
use vola_types::{Plan, PushTo, Step};

/// Plans with a ladder on a small runtime.
fn plan_with(ladder: &Ladder, request: &PlanRequest) -> Plan {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(ladder.plan(request))
}

/// "pick red_block", "place a in b", "push a left", "push a > middle".
fn short(step: &Step) -> String {
    let op = step.op().as_str();
    match step {
        Step::MoveTo { target } => format!("{op} {target}"),
        Step::Pick { object } | Step::Open { object } | Step::Close { object } => {
            format!("{op} {object}")
        }
        Step::Place {
            object,
            target,
            relation,
        } => format!("{op} {object} {} {target}", relation.as_str()),
        Step::Push {
            object,
            to: PushTo::Direction(direction),
        } => format!("{op} {object} {}", direction.as_str()),
        Step::Push {
            object,
            to: PushTo::Region(region),
        } => format!("{op} {object} > {region}"),
        Step::Wait { seconds } => format!("{op} {seconds}"),
        Step::OpenGripper | Step::CloseGripper | Step::Home => op.to_owned(),
    }
}

fn shorts(steps: &[Step]) -> Vec<String> {
    steps.iter().map(short).collect()
}
