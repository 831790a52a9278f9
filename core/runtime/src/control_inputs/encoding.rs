//! Records as bytes, and back.
//!
//! A file is one line that names the format, one line of JSON that says what the
//! loop was built from, then records: a byte that says which, numbers of varying
//! length (seven bits a byte, the highest bit: more follow), and floating-point
//! numbers as their eight bytes, little end first. Of a state only the values
//! that differ in any bit from the state before are written, so that an arm that
//! stands costs some ten bytes a tick.
//!
//! What is read is checked for its length and its words; whatever comes after a
//! record that is cut off is the end of the file.

use std::io::{self, Read};

use vola_motion::{JointState, JointVec, MAX_JOINTS, MAX_WAYPOINTS, ReferencePath};

use super::{InputRecord, OrderRecord, ReadState, Signals, TickRecord};
use crate::{
    control_loop::TICK_NS, control_status::StopCause, heartbeat::HeartbeatKind,
    stop_switch::StopLevel,
};

/// First line of a file.
pub(super) const FORMAT: &str = "vola control inputs 1";

const STATE: u8 = 1;
const NO_STATE: u8 = 2;
const TICK: u8 = 3;
const FOLLOW: u8 = 4;
const HOLD: u8 = 5;
const STOP: u8 = 6;
const NEW_WORLD: u8 = 7;
const RESET: u8 = 8;
const END: u8 = 9;

/// Values of a state: three a joint, six of the wrench.
const VALUES: usize = 3 * MAX_JOINTS + 6;

/// What a file holds after its head.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one is read at a time, and most are states"
)]
pub(super) enum Entry {
    /// A state; none: a fault.
    State(Option<ReadState>),
    /// An order; with the path of one to follow.
    Follow {
        path: Box<ReferencePath>,
        fresh_by_ns: u64,
    },
    /// Any other order.
    Order(OrderRecord),
    /// A tick, without what it sent.
    Tick {
        now_ns: u64,
        signals: Signals,
        is_taken: bool,
    },
    /// Nothing more: commands sent, and their hash.
    End { frames: u64, blake3: [u8; 32] },
}

/// What both sides remember from record to record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    state: ReadState,
    now_ns: u64,
}

impl Memory {
    /// Appends a record.
    pub(super) fn write(
        &mut self,
        record: &InputRecord,
        path: Option<&ReferencePath>,
        out: &mut Vec<u8>,
    ) {
        match record {
            InputRecord::State(None) => out.push(NO_STATE),
            InputRecord::State(Some(state)) => self.write_state(state, out),
            InputRecord::Tick(tick) => self.write_tick(tick, out),
            InputRecord::Order(order) => write_order(*order, path, out),
        }
    }

    fn write_state(&mut self, state: &ReadState, out: &mut Vec<u8>) {
        out.push(STATE);
        let step = state
            .capture_time_ns
            .wrapping_sub(self.state.capture_time_ns)
            .wrapping_sub(TICK_NS);
        write_signed(step as i64, out);
        write_number(u64::from(state.count), out);
        write_number(u64::from(state.flags), out);
        let (now, before) = (values(state), values(&self.state));
        let is_new = |index: usize| {
            now.get(index).map(|it| it.to_bits()) != before.get(index).map(|it| it.to_bits())
        };
        let mask = (0..VALUES).filter(|index| is_new(*index));
        write_number(mask.fold(0, |mask, index| mask | 1 << index), out);
        for (_, value) in now.iter().enumerate().filter(|(index, _)| is_new(*index)) {
            out.extend(value.to_bits().to_le_bytes());
        }
        self.state = *state;
    }

    fn write_tick(&mut self, tick: &TickRecord, out: &mut Vec<u8>) {
        out.push(TICK);
        let step = tick.now_ns.wrapping_sub(self.now_ns).wrapping_sub(TICK_NS);
        write_signed(step as i64, out);
        let Signals {
            level,
            has_lost_plugin,
            silent,
            is_revoked,
        } = tick.signals;
        let silent = match silent {
            None => 0,
            Some(HeartbeatKind::Operator) => 1,
            Some(HeartbeatKind::Planner) => 2,
            Some(HeartbeatKind::Jog) => 3,
        };
        let word = level as u8
            | u8::from(has_lost_plugin) << 2
            | silent << 3
            | u8::from(tick.is_taken) << 5
            | u8::from(is_revoked) << 6;
        out.push(word);
        self.now_ns = tick.now_ns;
    }

    /// The next entry; none at the end, also where a record is cut off.
    ///
    /// # Errors
    /// In words, what is no record.
    pub(super) fn read(&mut self, from: &mut impl Read) -> Result<Option<Entry>, String> {
        match self.read_entry(from) {
            Ok(entry) => Ok(Some(entry)),
            Err(Trouble::Cut) => Ok(None),
            Err(Trouble::Wrong(what)) => Err(what),
        }
    }

    fn read_entry(&mut self, from: &mut impl Read) -> Result<Entry, Trouble> {
        Ok(match byte(from)? {
            STATE => Entry::State(Some(self.read_state(from)?)),
            NO_STATE => Entry::State(None),
            TICK => self.read_tick(from)?,
            FOLLOW => read_follow(from)?,
            HOLD => Entry::Order(OrderRecord::Hold),
            STOP => {
                let code = byte(from)?;
                let cause = StopCause::ALL.get(usize::from(code)).copied();
                let cause = cause.ok_or_else(|| wrong("cause of a stop", u64::from(code)))?;
                Entry::Order(OrderRecord::Stop(cause))
            }
            NEW_WORLD => Entry::Order(OrderRecord::NewWorld),
            RESET => Entry::Order(OrderRecord::Reset {
                is_taken: byte(from)? == 1,
            }),
            END => {
                let frames = number(from)?;
                let mut blake3 = [0; 32];
                fill(from, &mut blake3)?;
                Entry::End { frames, blake3 }
            }
            other => return Err(wrong("kind of record", u64::from(other))),
        })
    }

    fn read_state(&mut self, from: &mut impl Read) -> Result<ReadState, Trouble> {
        let step = signed(from)? as u64;
        let small = |value: u64| {
            u32::try_from(value)
                .ok()
                .ok_or_else(|| wrong("count", value))
        };
        let mut state = self.state;
        state.capture_time_ns = state
            .capture_time_ns
            .wrapping_add(step)
            .wrapping_add(TICK_NS);
        state.count = small(number(from)?)?;
        state.flags = small(number(from)?)?;
        let mask = number(from)?;
        if mask >> VALUES != 0 {
            return Err(wrong("set of values", mask));
        }
        let mut all = values(&state);
        for (index, slot) in all.iter_mut().enumerate() {
            if mask >> index & 1 == 1 {
                *slot = float(from)?;
            }
        }
        set_values(&mut state, &all);
        self.state = state;
        Ok(state)
    }

    fn read_tick(&mut self, from: &mut impl Read) -> Result<Entry, Trouble> {
        let step = signed(from)? as u64;
        self.now_ns = self.now_ns.wrapping_add(step).wrapping_add(TICK_NS);
        let word = byte(from)?;
        let silent = match word >> 3 & 3 {
            0 => None,
            1 => Some(HeartbeatKind::Operator),
            2 => Some(HeartbeatKind::Planner),
            _ => Some(HeartbeatKind::Jog),
        };
        if word >> 7 != 0 {
            return Err(wrong("signals", u64::from(word)));
        }
        Ok(Entry::Tick {
            now_ns: self.now_ns,
            signals: Signals {
                level: StopLevel::of_code(word & 3),
                has_lost_plugin: word >> 2 & 1 == 1,
                silent,
                is_revoked: word >> 6 & 1 == 1,
            },
            is_taken: word >> 5 & 1 == 1,
        })
    }
}

/// Appends the end of a whole recording.
pub(super) fn write_end(frames: u64, blake3: &[u8; 32], out: &mut Vec<u8>) {
    out.push(END);
    write_number(frames, out);
    out.extend(blake3);
}

fn write_order(order: OrderRecord, path: Option<&ReferencePath>, out: &mut Vec<u8>) {
    match (order, path) {
        (OrderRecord::Follow { fresh_by_ns }, Some(path)) => {
            out.push(FOLLOW);
            write_number(fresh_by_ns, out);
            let knots: Vec<(u64, &JointState)> = path.knots_in_time().collect();
            let joints = knots.first().map_or(0, |(_, state)| state.q.len());
            write_number(knots.len() as u64, out);
            write_number(joints as u64, out);
            for (at_ns, state) in knots {
                write_number(at_ns, out);
                for value in state.q.iter().chain(&*state.v).chain(&*state.a) {
                    out.extend(value.to_bits().to_le_bytes());
                }
            }
        }
        // Its path is lost, which is counted.
        (OrderRecord::Follow { .. }, None) => {}
        (OrderRecord::Hold, _) => out.push(HOLD),
        (OrderRecord::Stop(cause), _) => {
            let index = StopCause::ALL.iter().position(|it| *it == cause);
            out.extend([STOP, u8::try_from(index.unwrap_or(0)).unwrap_or(0)]);
        }
        (OrderRecord::NewWorld, _) => out.push(NEW_WORLD),
        (OrderRecord::Reset { is_taken }, _) => out.extend([RESET, u8::from(is_taken)]),
    }
}

fn read_follow(from: &mut impl Read) -> Result<Entry, Trouble> {
    let fresh_by_ns = number(from)?;
    let bounded = |value: u64, most: usize, what: &'static str| {
        let value_of = usize::try_from(value).ok();
        value_of
            .filter(|it| (1..=most).contains(it))
            .ok_or_else(|| wrong(what, value))
    };
    let count = bounded(number(from)?, MAX_WAYPOINTS + 1, "knots of a path")?;
    let joints = bounded(number(from)?, MAX_JOINTS, "joints of a path")?;
    let mut knots = Vec::with_capacity(count);
    for _ in 0..count {
        let at_ns = number(from)?;
        let mut part = || -> Result<JointVec, Trouble> {
            let mut part = JointVec::zeros(joints);
            for slot in part.iter_mut() {
                *slot = float(from)?;
            }
            Ok(part)
        };
        let (q, v, a) = (part()?, part()?, part()?);
        knots.push((at_ns, JointState { q, v, a }));
    }
    let path =
        ReferencePath::from_knots(knots).map_err(|error| Trouble::Wrong(error.to_string()))?;
    Ok(Entry::Follow {
        path: Box::new(path),
        fresh_by_ns,
    })
}

/// Every value of a state, in one row.
fn values(state: &ReadState) -> [f64; VALUES] {
    let mut all = [0.0; VALUES];
    let parts = state.position.iter().chain(&state.velocity);
    let parts = parts.chain(&state.effort).chain(&state.wrench);
    for (slot, value) in all.iter_mut().zip(parts) {
        *slot = *value;
    }
    all
}

fn set_values(state: &mut ReadState, all: &[f64; VALUES]) {
    let parts = state.position.iter_mut().chain(&mut state.velocity);
    let parts = parts.chain(&mut state.effort).chain(&mut state.wrench);
    for (slot, value) in parts.zip(all) {
        *slot = *value;
    }
}

/// Why there is no next record.
enum Trouble {
    /// The file ends.
    Cut,
    Wrong(String),
}

fn wrong(what: &str, got: u64) -> Trouble {
    Trouble::Wrong(format!("no {what} that this version knows: {got}"))
}

fn write_number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Small numbers of either sign are short.
fn write_signed(value: i64, out: &mut Vec<u8>) {
    write_number((value << 1 ^ value >> 63) as u64, out);
}

fn number(from: &mut impl Read) -> Result<u64, Trouble> {
    let mut value = 0;
    for place in 0..10 {
        let next = byte(from)?;
        value |= u64::from(next & 0x7F).checked_shl(7 * place).unwrap_or(0);
        if next & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(wrong("number", value))
}

fn signed(from: &mut impl Read) -> Result<i64, Trouble> {
    let value = number(from)?;
    Ok((value >> 1) as i64 ^ -((value & 1) as i64))
}

fn float(from: &mut impl Read) -> Result<f64, Trouble> {
    let mut bytes = [0; 8];
    fill(from, &mut bytes)?;
    Ok(f64::from_bits(u64::from_le_bytes(bytes)))
}

fn byte(from: &mut impl Read) -> Result<u8, Trouble> {
    let mut bytes = [0];
    fill(from, &mut bytes)?;
    let [byte] = bytes;
    Ok(byte)
}

fn fill(from: &mut impl Read, bytes: &mut [u8]) -> Result<(), Trouble> {
    from.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Trouble::Cut,
        _ => Trouble::Wrong(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::control_inputs::Sent;

    fn state(seed: u64) -> ReadState {
        let value = |index: usize| f64::from_bits(seed.rotate_left(index as u32) | 1);
        let mut state = ReadState {
            capture_time_ns: seed,
            count: (seed % 17) as u32,
            flags: (seed % 2) as u32,
            ..ReadState::default()
        };
        state.position[3] = value(3);
        state.velocity[15] = value(40);
        state.wrench[5] = value(9);
        state
    }

    fn bits(state: &ReadState) -> Vec<u64> {
        values(state).iter().map(|value| value.to_bits()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_written_is_read_again(
            seeds in prop::collection::vec(any::<u64>(), 1..30),
            signals in 0..64_u8,
        ) {
            let (mut out, mut writer, mut reader) = (Vec::new(), Memory::default(), Memory::default());
            let rows = [[0.1, -0.2], [0.3, 0.4]];
            let rows = (1_u64..).zip(&rows).map(|(index, row)| (index * 1000, &row[..]));
            let start = JointState::at_rest(&[0.0, 0.5]).unwrap();
            let path = ReferencePath::through(5, &start, rows).unwrap();
            let level = StopLevel::of_code(signals & 3);
            let signals = Signals {
                level,
                has_lost_plugin: signals & 4 != 0,
                silent: [None, Some(HeartbeatKind::Operator), Some(HeartbeatKind::Planner), Some(HeartbeatKind::Jog)]
                    [usize::from(signals >> 3 & 3)],
                is_revoked: signals & 32 != 0,
            };
            for seed in &seeds {
                let tick = TickRecord { now_ns: *seed, signals, is_taken: seed % 3 == 0, sent: Sent::default() };
                for record in [InputRecord::State(Some(state(*seed))), InputRecord::State(None), InputRecord::Tick(tick)] {
                    writer.write(&record, None, &mut out);
                }
            }
            let orders = StopCause::ALL.into_iter().map(OrderRecord::Stop).chain([
                OrderRecord::Hold, OrderRecord::NewWorld, OrderRecord::Reset { is_taken: true },
            ]);
            for order in orders.clone() {
                writer.write(&InputRecord::Order(order), None, &mut out);
            }
            let follow = InputRecord::Order(OrderRecord::Follow { fresh_by_ns: u64::MAX });
            writer.write(&follow, Some(&path), &mut out);
            write_end(7, &[3; 32], &mut out);
            let mut from = out.as_slice();
            let mut next = || reader.read(&mut from).unwrap().unwrap();
            for seed in &seeds {
                let Entry::State(Some(read)) = next() else { panic!("a state") };
                prop_assert_eq!(bits(&read), bits(&state(*seed)));
                prop_assert_eq!((read.capture_time_ns, read.count), (*seed, (seed % 17) as u32));
                prop_assert_eq!(next(), Entry::State(None));
                prop_assert_eq!(next(), Entry::Tick { now_ns: *seed, signals, is_taken: seed % 3 == 0 });
            }
            for order in orders {
                prop_assert_eq!(next(), Entry::Order(order));
            }
            prop_assert_eq!(next(), Entry::Follow { path: Box::new(path.clone()), fresh_by_ns: u64::MAX });
            prop_assert_eq!(next(), Entry::End { frames: 7, blake3: [3; 32] });
            prop_assert_eq!(reader.read(&mut from).unwrap(), None);
            // Cut off anywhere it ends, and nothing panics.
            for length in 0..out.len() {
                let (mut reader, mut from) = (Memory::default(), &out[..length]);
                while reader.read(&mut from).unwrap().is_some() {}
            }
        }

        #[test]
        fn nonsense_is_an_error_or_an_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let (mut reader, mut from) = (Memory::default(), bytes.as_slice());
            while let Ok(Some(_)) = reader.read(&mut from) {}
        }
    }

    #[test]
    fn an_arm_that_stands_costs_little() {
        let (mut memory, mut out) = (Memory::default(), Vec::new());
        let mut read = state(9);
        for tick in 0..1000 {
            read.capture_time_ns = tick * TICK_NS;
            memory.write(&InputRecord::State(Some(read)), None, &mut out);
            let tick = TickRecord {
                now_ns: tick * TICK_NS,
                signals: Signals::default(),
                is_taken: true,
                sent: Sent::default(),
            };
            memory.write(&InputRecord::Tick(tick), None, &mut out);
        }
        assert!(out.len() < 10_000, "{}", out.len());
    }
}
