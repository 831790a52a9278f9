//! Planning anew from the middle: what is left to do, from what is now true.
//!
//! The rest of the steps are read as goals (this object there, that drawer
//! open) and recomposed over the scene: an object that slipped is picked
//! again, one that already lies right is left, a drawer that fell shut is
//! opened. That needs no sentence and no model, so it works for the plans of
//! every back end; only when it fails is the sentence planned again.

use vola_types::{Scene, Step};

use crate::capabilities::Capabilities;
use crate::request::PlanRequest;
use crate::rules::rebuild_steps;
use crate::verifier::verify_steps;

/// The steps that reach from `scene` what `rest` would have reached; empty
/// when all of it is already so, `None` when it cannot be reached.
#[must_use]
pub fn rebuild(rest: &[Step], scene: &Scene, capabilities: &Capabilities) -> Option<Vec<Step>> {
    let mut request = PlanRequest::new("", scene.clone());
    request.capabilities = capabilities.clone();
    let steps = rebuild_steps(rest, &request)?;
    verify_steps(&steps, scene, capabilities).ok()?;
    Some(steps)
}
