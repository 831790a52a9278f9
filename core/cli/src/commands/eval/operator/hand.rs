//! The hand of a simulated operator: wishes as a person with a gamepad would have
//! them, from what the world's expert would do.

use std::collections::VecDeque;

use super::mind::has_progress;
use crate::robot::ArmHand;
use serde_json::{Value, json};
use vola_runtime::{HandInput, JogCommand, JogMotion, LabelTensor, RuntimeError, Session};

/// Time between two looks at the table (ns); each is followed by a wish.
pub(super) const LOOK_NS: u64 = 100_000_000;
/// Time from what is seen to the hand that follows it (ns).
pub(super) const EYE_TO_HAND_NS: u64 = 200_000_000;
/// Share of the expert's pace at which the hand moves: its way to a goal shrinks by
/// half in 0.1 s, which nobody who sees it 0.2 s later could steer.
pub(super) const PACE: f64 = 0.25;
/// Longest that the operator tries (ns).
pub(super) const LIMIT_NS: u64 = 60_000_000_000;
/// Time between two rows of the expert (s).
const ROW_S: f64 = 0.1;
/// Values of a row: way, turn, gripper.
const WIDTH: usize = 7;
/// Looks in a row at which it is seen to be done, and clear, before it is given back.
const SURE_LOOKS: u32 = 3;
/// The same where it is done and the hand is not clear of it.
const PATIENT_LOOKS: u32 = 40;
/// Looks in a row at which nothing can be done any more.
const LOST_LOOKS: u32 = 80;
/// Times that something is put right.
const MOST_MENDS: u32 = 3;

/// What the hand is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// The goal.
    Goal,
    /// What must be put right before: what fell is picked up again, what was pushed
    /// astray is pushed on from there.
    Mend,
}

/// What a look at the table leads to.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Way(JogCommand),
    Done,
    Lost,
}

/// A hand that brings the arm to the goal.
#[derive(Debug)]
pub(super) struct SimulatedHand {
    /// As the world describes it.
    goal: Value,
    aim: Aim,
    began_ns: Option<u64>,
    next_look_ns: u64,
    /// What was seen and is not followed yet, with its time (ns).
    seen: VecDeque<(u64, Seen)>,
    reached: u32,
    clear: u32,
    lost: u32,
    mends: u32,
}

impl SimulatedHand {
    /// A hand that takes the arm for a goal.
    pub(super) fn new(goal: Value) -> Self {
        Self {
            goal,
            aim: Aim::Goal,
            began_ns: None,
            next_look_ns: 0,
            seen: VecDeque::new(),
            reached: 0,
            clear: 0,
            lost: 0,
            mends: 0,
        }
    }

    /// The arm is somebody else's again: the world measures its own goal.
    pub(super) fn leave(&mut self, session: &mut Session) {
        if std::mem::replace(&mut self.aim, Aim::Goal) == Aim::Mend
            && let Err(error) = session.set_goal(&Value::Null)
        {
            tracing::debug!(%error, "the world does not take its own goal back");
        }
    }

    fn see(&mut self, session: &mut Session) -> Result<Seen, RuntimeError> {
        let Ok(labels) = session.world_labels() else {
            // There is no way from here.
            return Ok(Seen::Lost);
        };
        self.aim_anew(session, &labels)?;
        tracing::debug!(aim = ?self.aim, done = has_progress(&labels, 0), failing = has_progress(&labels, 1), object = ?position(&labels, "object"), "the operator looks");
        let is_reached = self.aim == Aim::Goal && session.goal_reached()?;
        let is_clear = is_reached && has_progress(&labels, 0);
        let is_lost = !is_reached && has_progress(&labels, 1);
        let count = |counter: u32, holds: bool| if holds { counter + 1 } else { 0 };
        self.reached = count(self.reached, is_reached);
        self.clear = count(self.clear, is_clear);
        self.lost = count(self.lost, is_lost);
        Ok(
            if self.clear >= SURE_LOOKS || self.reached >= PATIENT_LOOKS {
                Seen::Done
            } else if self.lost >= LOST_LOOKS {
                Seen::Lost
            } else {
                way(&labels).map_or(Seen::Lost, Seen::Way)
            },
        )
    }

    /// What went wrong is put right first, and then the goal is the goal again.
    fn aim_anew(
        &mut self,
        session: &mut Session,
        labels: &[LabelTensor],
    ) -> Result<(), RuntimeError> {
        match self.aim {
            Aim::Goal => {
                let place = position(labels, "object").filter(|_| has_progress(labels, 1));
                let mend = place.and_then(|place| mending(&self.goal, place));
                if let Some(mend) = mend.filter(|_| self.mends < MOST_MENDS) {
                    session.set_goal(&mend)?;
                    self.aim = Aim::Mend;
                    self.mends += 1;
                }
            }
            Aim::Mend => {
                if has_progress(labels, 0) {
                    session.set_goal(&Value::Null)?;
                    self.aim = Aim::Goal;
                }
            }
        }
        Ok(())
    }
}

/// What a person does where the expert of a goal has no way on: its object lies there
/// (m) now. None for what cannot be put right.
fn mending(goal: &Value, place: [f64; 3]) -> Option<Value> {
    let mut object = goal.get("object")?.clone();
    object["position"] = json!(place);
    match goal.get("op")?.as_str()? {
        "place" => Some(json!({"op": "pick", "object": object})),
        "push" => {
            let mut again = goal.clone();
            again["object"] = object;
            // Its old destination was seen from where it lay.
            if let Some(target) = again.get_mut("target").and_then(Value::as_object_mut) {
                target.remove("point");
            }
            Some(again)
        }
        _ => None,
    }
}

impl ArmHand for SimulatedHand {
    fn look(&mut self, session: &mut Session) -> Result<(), RuntimeError> {
        let now_ns = session.now_ns();
        self.began_ns.get_or_insert(now_ns);
        if now_ns >= self.next_look_ns {
            self.next_look_ns = now_ns + LOOK_NS;
            let seen = self.see(session)?;
            self.seen.push_back((now_ns, seen));
        }
        Ok(())
    }

    fn next(&mut self, now_ns: u64, is_still: bool) -> HandInput {
        let began_ns = self.began_ns.unwrap_or(now_ns);
        if now_ns.saturating_sub(began_ns) > LIMIT_NS {
            return HandInput::GiveUp;
        }
        let due = |(seen_ns, _): &(u64, Seen)| now_ns >= seen_ns + EYE_TO_HAND_NS;
        if !self.seen.front().is_some_and(due) {
            return HandInput::Silent;
        }
        match self.seen.pop_front().map(|(_, seen)| seen) {
            Some(Seen::Way(wish)) => HandInput::Jog(wish),
            Some(Seen::Done) if is_still => HandInput::GiveBack,
            // It comes to rest first.
            Some(Seen::Done) => HandInput::Jog(JogCommand::default()),
            Some(Seen::Lost) => HandInput::GiveUp,
            None => HandInput::Silent,
        }
    }
}

/// The expert's next row as a wish; none without an expert.
fn way(labels: &[LabelTensor]) -> Option<JogCommand> {
    let rows = labels.iter().find(|label| label.name == "action")?.f32s();
    let row: [f32; WIDTH] = rows.get(..WIDTH)?.try_into().ok()?;
    let [x, y, z, a, b, c, gripper] = row.map(f64::from);
    let rate = |by: f64| by / ROW_S * PACE;
    Some(JogCommand {
        motion: JogMotion::Tool {
            linear_m_per_s: [x, y, z].map(rate),
            angular_rad_per_s: [a, b, c].map(rate),
        },
        gripper: Some(gripper.clamp(0.0, 1.0)),
    })
}

fn position(labels: &[LabelTensor], name: &str) -> Option<[f64; 3]> {
    let label = labels.iter().find(|label| label.name == name)?;
    let place: [f32; 3] = label.f32s().try_into().ok()?;
    Some(place.map(f64::from))
}

#[cfg(test)]
mod tests {
    use vola_types::DType;

    use super::*;

    fn label(name: &str, values: &[f32]) -> LabelTensor {
        LabelTensor {
            name: name.to_owned(),
            dtype: DType::F32,
            shape: vec![1, values.len()],
            bytes: values.iter().flat_map(|it| it.to_le_bytes()).collect(),
        }
    }

    #[test]
    fn the_next_row_becomes_a_velocity_at_a_quarter_of_the_pace() {
        let mut rows = vec![0.02, 0.0, -0.01, 0.0, 0.0, 0.04, 0.0];
        rows.extend([9.0; WIDTH]);
        let wish = way(&[label("action", &rows)]).unwrap();
        let JogMotion::Tool {
            linear_m_per_s: [x, _, z],
            angular_rad_per_s: [_, _, turn],
        } = wish.motion
        else {
            panic!("the tool moves");
        };
        for (got, expected) in [(x, 0.05), (z, -0.025), (turn, 0.1)] {
            assert!((got - expected).abs() < 1e-6, "{got}");
        }
        assert_eq!(wish.gripper, Some(0.0));
        assert_eq!(way(&[label("action", &[0.0; 3])]), None);
        let labels = [label("progress", &[0.0, 1.0])];
        assert!(!has_progress(&labels, 0) && has_progress(&labels, 1));
    }

    #[test]
    fn what_went_wrong_is_put_right_from_where_it_lies() {
        let block = json!({"kind": "block", "color": "red", "position": [0.4, 0.1, 0.02]});
        let place = json!({"op": "place", "object": block, "target": {"region": "middle"}});
        let there = [0.5, 0.0, 0.02];
        let moved = json!({"kind": "block", "color": "red", "position": there});
        assert_eq!(
            mending(&place, there),
            Some(json!({"op": "pick", "object": moved}))
        );
        let push = json!({"op": "push", "object": block, "target": {"direction": "left", "point": [0.4, 0.2, 0.02]}});
        assert_eq!(
            mending(&push, there),
            Some(json!({"op": "push", "object": moved, "target": {"direction": "left"}}))
        );
        assert_eq!(mending(&json!({"op": "open"}), there), None);
    }

    #[test]
    fn what_is_seen_is_followed_a_moment_later_and_not_for_ever() {
        let mut hand = SimulatedHand::new(json!({"op": "pick"}));
        hand.began_ns = Some(0);
        let wish = JogCommand::default();
        hand.seen.push_back((0, Seen::Way(wish.clone())));
        hand.seen.push_back((LOOK_NS, Seen::Done));
        hand.seen.push_back((2 * LOOK_NS, Seen::Done));
        assert_eq!(hand.next(EYE_TO_HAND_NS - 1, true), HandInput::Silent);
        assert_eq!(
            hand.next(EYE_TO_HAND_NS, true),
            HandInput::Jog(wish.clone())
        );
        assert_eq!(hand.next(EYE_TO_HAND_NS, true), HandInput::Silent);
        let later_ns = EYE_TO_HAND_NS + 2 * LOOK_NS;
        assert_eq!(hand.next(later_ns, false), HandInput::Jog(wish));
        assert_eq!(hand.next(later_ns, true), HandInput::GiveBack);
        assert_eq!(hand.next(LIMIT_NS + 1, true), HandInput::GiveUp);
    }
}
