//! A camera that can freeze, fall silent, lag or fail.

use std::{collections::VecDeque, sync::Arc};

use vola_abi::{
    CallResult, CameraAbi, CameraAbi_TO, CameraBox, FaultAbi, FaultKind, ImageBufferAbi,
    abi_stable::{sabi_trait::TD_Opaque, std_types::RResult},
};

use crate::{Fault, injection::Injection};

/// How late pictures come (ns).
const LATE_NS: u64 = 350_000_000;
/// Pictures kept for that.
const KEPT: usize = 64;

struct FaultyCamera {
    inner: CameraBox,
    injection: Arc<Injection>,
    /// Stamps and pixels of the newest true pictures, oldest first.
    past: VecDeque<(u64, Vec<u8>)>,
}

/// Wraps a camera.
pub(crate) fn faulty_camera(inner: CameraBox, injection: Arc<Injection>) -> CameraBox {
    let faulty = FaultyCamera {
        inner,
        injection,
        past: VecDeque::new(),
    };
    CameraAbi_TO::from_value(faulty, TD_Opaque)
}

impl FaultyCamera {
    fn keep(&mut self, image: &ImageBufferAbi<'_>) {
        if self.past.len() == KEPT {
            self.past.pop_front();
        }
        let picture = (image.capture_time_ns, image.data.as_slice().to_vec());
        self.past.push_back(picture);
    }

    fn show(&self, index: usize, image: &mut ImageBufferAbi<'_>) -> Option<u64> {
        let (stamp_ns, pixels) = self.past.get(index)?;
        let shown = image.data.as_mut_slice();
        if shown.len() == pixels.len() {
            shown.copy_from_slice(pixels);
        }
        Some(*stamp_ns)
    }
}

impl CameraAbi for FaultyCamera {
    fn grab(&mut self, image: &mut ImageBufferAbi<'_>) -> CallResult<()> {
        let broken = self.injection.active();
        if broken == Some(Fault::CameraError) {
            return RResult::RErr(FaultAbi {
                kind: FaultKind::Failed,
                message: "the cable is out (fault lab)".into(),
            });
        }
        if let RResult::RErr(own) = self.inner.grab(image) {
            return RResult::RErr(own);
        }
        let newest = self.past.len().saturating_sub(1);
        match broken {
            Some(Fault::CameraFrozen) => {
                self.show(newest, image);
            }
            Some(Fault::CameraSilent) => {
                if let Some(stamp_ns) = self.show(newest, image) {
                    image.capture_time_ns = stamp_ns;
                }
            }
            Some(Fault::CameraDelayed) => {
                let now_ns = image.capture_time_ns;
                self.keep(image);
                let is_due = |(stamp_ns, _): &(u64, Vec<u8>)| stamp_ns + LATE_NS <= now_ns;
                let index = self.past.iter().rposition(is_due).unwrap_or(0);
                if let Some(stamp_ns) = self.show(index, image) {
                    image.capture_time_ns = stamp_ns;
                }
            }
            _ => self.keep(image),
        }
        RResult::ROk(())
    }
}
