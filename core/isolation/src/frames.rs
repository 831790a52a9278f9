//! Frames of the control loop between a robot's child and the runtime.
//!
//! Two newest-value slots (command out, state in) and a short list of orders
//! (hold, stop, reset) in shared memory, by the means of `shared_words`. Nobody
//! waits for the other side: the control loop writes and reads a few
//! hundred words a tick, whatever the child does.

use std::{io, sync::Arc};

use vola_abi::{CommandFrame, FRAME_JOINTS, StateFrame, StopCategory};

use crate::{
    shared_words::{NewestWords, OrderList, SharedWords},
    sync::AtomicU64,
    sys::{Access, Mapping, Memfd},
};

/// Orders that may wait; a child takes them within a tick.
const ORDERS: usize = 64;

/// Words of a command: number of orders before it, time, count, values.
const COMMAND_WORDS: usize = 3 + 2 * FRAME_JOINTS;
/// Words of a state: fault, orders obeyed, time, count, wrench flag, values,
/// wrench.
const STATE_WORDS: usize = 5 + 3 * FRAME_JOINTS + 6;

const COMMAND: NewestWords = NewestWords {
    at: 0,
    words: COMMAND_WORDS,
};
const STATE: NewestWords = NewestWords {
    at: COMMAND.end(),
    words: STATE_WORDS,
};
const ORDER_LIST: OrderList = OrderList {
    at: STATE.end(),
    room: ORDERS,
};
const WORDS: usize = ORDER_LIST.end();

/// What the robot is told beside commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Hold,
    Stop(StopCategory),
    Reset,
}

impl Order {
    fn code(self) -> u64 {
        match self {
            Self::Hold => 1,
            Self::Stop(StopCategory::Zero) => 2,
            Self::Stop(StopCategory::One) => 3,
            Self::Stop(StopCategory::Two) => 4,
            Self::Reset => 5,
        }
    }

    /// Anything unknown is a hold.
    fn of(code: u64) -> Self {
        match code {
            2 => Self::Stop(StopCategory::Zero),
            3 => Self::Stop(StopCategory::One),
            4 => Self::Stop(StopCategory::Two),
            5 => Self::Reset,
            _ => Self::Hold,
        }
    }
}

/// What a child says beside a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The robot refused a command or an order since it was last reset.
    pub(crate) has_refused: bool,
    /// It could not be measured: the state beside this is an older one.
    pub(crate) is_unmeasured: bool,
    /// Orders that were carried out so far.
    pub(crate) obeyed: u64,
}

/// The shared frames, from either side.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    mapping: Arc<Mapping>,
}

impl Frames {
    /// New memory for frames.
    pub(crate) fn memory() -> io::Result<Memfd> {
        Memfd::zeroed("vola-frames", WORDS * size_of::<u64>())
    }

    /// Frames in memory that was made by [`memory`](Self::memory).
    pub(crate) fn over(memory: &Memfd) -> io::Result<Self> {
        let mapping = memory.map(Access::Write)?;
        if mapping.length() < WORDS * size_of::<u64>() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(Self {
            mapping: Arc::new(mapping),
        })
    }

    /// The runtime commands.
    pub(crate) fn put_command(&self, frame: &CommandFrame) {
        let orders = ORDER_LIST.given(self);
        let values = frame.position.iter().chain(&frame.velocity);
        let words = [orders, frame.time_ns, u64::from(frame.count)]
            .into_iter()
            .chain(values.map(|value| value.to_bits()));
        COMMAND.write(self, words);
    }

    /// The newest command, unless it is the one numbered `seen` or was written
    /// before the order numbered `after`; its number.
    pub(crate) fn take_command(
        &self,
        seen: u64,
        after: u64,
        frame: &mut CommandFrame,
    ) -> Option<u64> {
        let mut words = [0; COMMAND_WORDS];
        let number = COMMAND.read(self, &mut words)?;
        let [orders, time_ns, count, values @ ..] = &words;
        if number == seen || *orders < after {
            return None;
        }
        frame.time_ns = *time_ns;
        frame.count = u32::try_from(*count).unwrap_or(u32::MAX);
        let (positions, velocities) = values.split_at(FRAME_JOINTS);
        copy(positions, &mut frame.position);
        copy(velocities, &mut frame.velocity);
        Some(number)
    }

    /// The runtime orders.
    pub(crate) fn order(&self, order: Order) {
        ORDER_LIST.push(self, order.code());
    }

    /// The next order after the `taken` first; none when all were taken. When
    /// more came than there is room for, the oldest are lost.
    pub(crate) fn next_order(&self, taken: &mut u64) -> Option<Order> {
        ORDER_LIST.next(self, taken).map(Order::of)
    }

    /// The child tells the measured state, and whether the robot takes commands.
    pub(crate) fn put_state(&self, frame: &StateFrame, seen: Seen) {
        let head = [
            u64::from(seen.has_refused) | u64::from(seen.is_unmeasured) << 1,
            seen.obeyed,
            frame.capture_time_ns,
            u64::from(frame.count),
            u64::from(frame.has_wrench),
        ];
        let values = frame
            .position
            .iter()
            .chain(&frame.velocity)
            .chain(&frame.effort)
            .chain(&frame.wrench);
        let words = head.into_iter().chain(values.map(|value| value.to_bits()));
        STATE.write(self, words);
    }

    /// The newest state, and what the child says of it. None before the first
    /// state, or when the child stopped in the middle of one.
    pub(crate) fn take_state(&self, frame: &mut StateFrame) -> Option<Seen> {
        let mut words = [0; STATE_WORDS];
        let number = STATE.read(self, &mut words)?;
        if number == 0 {
            return None;
        }
        let [fault, obeyed, time_ns, count, flags, values @ ..] = &words;
        frame.capture_time_ns = *time_ns;
        frame.count = u32::try_from(*count).unwrap_or(u32::MAX);
        // Nonsense raises every flag: then the arm is stopped.
        frame.has_wrench = u32::try_from(*flags).unwrap_or(u32::MAX);
        let (positions, rest) = values.split_at(FRAME_JOINTS);
        let (velocities, rest) = rest.split_at(FRAME_JOINTS);
        let (efforts, wrench) = rest.split_at(FRAME_JOINTS);
        copy(positions, &mut frame.position);
        copy(velocities, &mut frame.velocity);
        copy(efforts, &mut frame.effort);
        copy(wrench, &mut frame.wrench);
        Some(Seen {
            has_refused: fault & 1 != 0,
            // Nonsense is no measurement.
            is_unmeasured: fault & !1 != 0,
            obeyed: *obeyed,
        })
    }
}

impl SharedWords for Frames {
    fn word(&self, index: usize) -> &AtomicU64 {
        static NOWHERE: AtomicU64 = AtomicU64::new(0);
        // Every index here is a constant below WORDS, which the mapping holds.
        self.mapping.word(index).unwrap_or(&NOWHERE)
    }
}

fn copy(words: &[u64], values: &mut [f64]) {
    for (value, word) in values.iter_mut().zip(words) {
        *value = f64::from_bits(*word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> (Frames, Frames) {
        let memory = Frames::memory().unwrap();
        (
            Frames::over(&memory).unwrap(),
            Frames::over(&memory).unwrap(),
        )
    }

    #[test]
    fn frames_come_through_bit_by_bit() {
        let (runtime, child) = frames();
        let mut state = StateFrame::default();
        assert_eq!(runtime.take_state(&mut state), None, "nothing measured yet");
        let mut sent = StateFrame {
            capture_time_ns: 7,
            count: 3,
            has_wrench: StateFrame::WRENCH | StateFrame::EMERGENCY_STOP,
            ..StateFrame::default()
        };
        sent.position[2] = -0.1;
        sent.velocity[63] = f64::MIN_POSITIVE;
        sent.wrench[5] = 9.0;
        for seen in [
            Seen::default(),
            Seen {
                has_refused: true,
                is_unmeasured: false,
                obeyed: 3,
            },
        ] {
            child.put_state(&sent, seen);
            assert_eq!(runtime.take_state(&mut state), Some(seen));
            assert_eq!(state, sent);
        }

        let mut command = CommandFrame {
            time_ns: 5,
            count: 8,
            ..CommandFrame::default()
        };
        command.position[7] = 1.0 / 3.0;
        runtime.put_command(&command);
        let mut got = CommandFrame::default();
        assert_eq!(child.take_command(0, 0, &mut got), Some(1));
        assert_eq!(got, command);
        assert_eq!(child.take_command(1, 0, &mut got), None, "seen already");
    }

    #[test]
    fn a_command_from_before_an_order_is_none_after_it() {
        let (runtime, child) = frames();
        let (mut got, mut taken) = (CommandFrame::default(), 0);
        runtime.put_command(&CommandFrame::default());
        runtime.order(Order::Stop(StopCategory::Two));
        assert_eq!(
            child.next_order(&mut taken),
            Some(Order::Stop(StopCategory::Two))
        );
        assert_eq!(child.next_order(&mut taken), None);
        assert_eq!(child.take_command(0, taken, &mut got), None);
        runtime.order(Order::Reset);
        runtime.put_command(&CommandFrame::default());
        assert_eq!(child.next_order(&mut taken), Some(Order::Reset));
        assert_eq!(child.take_command(0, taken, &mut got), Some(2));
        // More orders than there is room for: the newest are kept.
        for _ in 0..ORDERS {
            runtime.order(Order::Hold);
        }
        runtime.order(Order::Stop(StopCategory::Zero));
        let orders: Vec<Order> = std::iter::from_fn(|| child.next_order(&mut taken)).collect();
        assert_eq!(orders.len(), ORDERS);
        assert_eq!(orders.last(), Some(&Order::Stop(StopCategory::Zero)));
    }

    #[test]
    fn readers_never_see_half_a_frame() {
        let (runtime, child) = frames();
        let writer = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || {
                for round in 1..20_000_u64 {
                    let mut frame = StateFrame {
                        capture_time_ns: round,
                        ..StateFrame::default()
                    };
                    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
                    frame.position.fill(round as f64);
                    child.put_state(&frame, Seen::default());
                }
            })
            .unwrap();
        let (mut frame, mut last) = (StateFrame::default(), 0);
        while last < 19_999 {
            if runtime.take_state(&mut frame).is_none() {
                continue;
            }
            let time = frame.capture_time_ns;
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let expected = time as f64;
            assert!(
                frame
                    .position
                    .iter()
                    .all(|value| (value - expected).abs() < 0.5)
            );
            assert!(time >= last);
            last = time;
        }
        writer.join().unwrap();
    }
}
