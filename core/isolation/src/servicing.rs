//! What a robot's child asks of the system, so that it is serviced on time.

#[cfg(target_os = "linux")]
use crate::wire::{Malformed, Reader, Writer};

/// What the thread that services a robot without a simulated world asks for.
///
/// A simulated world is stepped when the runtime says; it asks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Servicing {
    /// First-in first-out priority, 1 to 99; 0: none.
    pub priority: u8,
    /// Processor that the thread stays on; none: any.
    pub core: Option<u32>,
    /// Whether what is in memory by then stays there.
    pub lock_memory: bool,
}

impl Servicing {
    /// Beside a control thread of these wishes: one below its priority, so that
    /// a driver that runs wild never keeps the control loop from ticking.
    #[must_use]
    pub fn beside_control(priority: u8, core: Option<u32>, lock_memory: bool) -> Self {
        Self {
            priority: priority.saturating_sub(1),
            core,
            lock_memory,
        }
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn write(self, record: Writer) -> Writer {
        let record = record.u8(self.priority).u8(u8::from(self.lock_memory));
        record.u32(self.core.unwrap_or(u32::MAX))
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (priority, lock_memory) = (reader.u8()?, reader.u8()? == 1);
        let core = Some(reader.u32()?).filter(|core| *core != u32::MAX);
        Ok(Self {
            priority,
            core,
            lock_memory,
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn wishes_cross_as_they_are_and_stay_below_the_control_loop_s() {
        for wish in [
            Servicing::default(),
            Servicing::beside_control(80, Some(3), true),
            Servicing::beside_control(1, None, false),
        ] {
            let record = wish.write(Writer::default());
            assert_eq!(Servicing::read(&mut Reader::new(record.bytes())), Ok(wish));
        }
        assert_eq!(Servicing::beside_control(80, None, true).priority, 79);
        assert_eq!(Servicing::beside_control(1, None, true).priority, 0);
        assert_eq!(Servicing::beside_control(0, None, true).priority, 0);
    }
}
