//! What holds of every sequence of events.

use proptest::prelude::*;
use vola_bundle::SafeStop;
use vola_types::Signal;

use super::*;
use crate::authority::AuthorityWord;

const SAFE_STOPS: [SafeStop; 3] = [SafeStop::Hold, SafeStop::ControlledStop, SafeStop::PowerOff];

/// One of the events, by its number.
pub(crate) fn event(code: u8) -> HandoffEvent {
    let options = Options::offered(code.is_multiple_of(2));
    match code % 16 {
        0 => HandoffEvent::Held(HoldReason::Unsure(Some(Signal::Stall))),
        1 => HandoffEvent::Held(HoldReason::Stuck),
        2 | 3 => HandoffEvent::Asked {
            options,
            timeout_ns: u64::from(code),
        },
        4 => HandoffEvent::Answered(HandoffChoice::Continue),
        5 => HandoffEvent::Answered(HandoffChoice::Retry),
        6 => HandoffEvent::Answered(HandoffChoice::Skip),
        7 | 8 => HandoffEvent::Answered(HandoffChoice::TakeOver),
        9 => HandoffEvent::Answered(HandoffChoice::Abort),
        10 => HandoffEvent::Recovered,
        11 => HandoffEvent::GivenBack,
        12 => HandoffEvent::GivenUp,
        13 => HandoffEvent::TimedOut,
        14 => HandoffEvent::Stopped,
        _ if code < 128 => HandoffEvent::Dropped,
        _ => HandoffEvent::Begun,
    }
}

/// A person's own act, or the owner's who begins anew.
fn is_act(event: HandoffEvent) -> bool {
    matches!(
        event,
        HandoffEvent::Answered(_)
            | HandoffEvent::Recovered
            | HandoffEvent::GivenBack
            | HandoffEvent::GivenUp
            | HandoffEvent::Begun
    )
}

fn check(from: HandoffState, event: HandoffEvent, to: HandoffState, safe_stop: SafeStop) {
    let rests = from.authority() == Authority::Nobody;
    if rests && to.authority() != Authority::Nobody {
        assert!(is_act(event), "{from:?} {event:?} {to:?}");
    }
    match event {
        HandoffEvent::TimedOut => {
            assert_eq!(to, HandoffState::Over(HandoffEnd::Unanswered(safe_stop)));
        }
        HandoffEvent::Held(_) | HandoffEvent::Stopped | HandoffEvent::Dropped => {
            assert_eq!(to.authority(), Authority::Nobody, "{from:?} {event:?}");
        }
        HandoffEvent::Begun => assert!(
            matches!(from, HandoffState::Auto | HandoffState::Over(_)),
            "a beginning passes no question by: {from:?}"
        ),
        HandoffEvent::Answered(choice) => {
            let HandoffState::Ask { options, .. } = from else {
                panic!("an answer without a question: {from:?}");
            };
            assert!(options.has(choice));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    /// 100 000 events: authority is somebody's only in `auto` and `take_over`;
    /// nothing but a person's act leads back to motion; no answer is a safe stop.
    #[test]
    fn nothing_moves_between_a_hold_and_a_person_s_act(codes in prop::collection::vec(any::<u8>(), 100), stop in 0_usize..3) {
        let safe_stop = SAFE_STOPS[stop];
        let word = AuthorityWord::default();
        let mut handoff = Handoff::new(word.clone(), safe_stop);
        let mut given = vec![handoff.mandate()];
        for (now_ns, code) in codes.into_iter().enumerate() {
            let (from, event) = (handoff.state(), event(code));
            let taken = handoff.take(event, now_ns as u64);
            let to = handoff.state();
            match taken {
                Ok(()) => check(from, event, to, safe_stop),
                Err(_) => assert_eq!(from, to, "a refused event changes nothing"),
            }
            given.push(handoff.mandate());
            let mut valid: Vec<_> = given.iter().filter(|it| word.confirms(**it)).collect();
            valid.dedup();
            let moves = to.authority() != Authority::Nobody;
            assert_eq!(valid.len(), usize::from(moves), "one authority or none");
            assert_eq!(word.mandate().authority(), to.authority());
        }
    }
}

#[test]
fn every_end_is_reached_and_left_only_by_beginning_anew() {
    let asked = HandoffEvent::Asked {
        options: Options::offered(true),
        timeout_ns: 1,
    };
    let hold = HandoffEvent::Held(HoldReason::Stuck);
    for (events, end) in [
        (
            vec![hold, asked, HandoffEvent::Answered(HandoffChoice::Abort)],
            "aborted",
        ),
        (vec![hold, asked, HandoffEvent::TimedOut], "safe_stop"),
        (vec![hold, HandoffEvent::TimedOut], "safe_stop"),
        (vec![hold, HandoffEvent::Dropped], "dropped"),
        (vec![hold, asked, HandoffEvent::Stopped], "stopped"),
    ] {
        let mut handoff = Handoff::new(AuthorityWord::default(), SafeStop::Hold);
        for event in events {
            handoff.take(event, 0).unwrap();
        }
        assert_eq!(handoff.state().as_str(), end);
        for code in 0..=u8::MAX {
            let event = event(code);
            let mut state = handoff.state();
            if let Ok(next) = transition(state, event, SafeStop::Hold) {
                state = next;
            }
            let began = event == HandoffEvent::Begun;
            assert_eq!(state == HandoffState::Auto, began, "{event:?}");
        }
    }
}
