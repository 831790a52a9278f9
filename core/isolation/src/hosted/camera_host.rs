//! A robot's cameras in its child, each on a thread of its own.

use std::{io, sync::Arc};

use vola_abi::{CameraBox, FaultAbi, ImageBufferAbi, abi_stable::std_types::RSliceMut};

use super::{COMMON, MAX_CAMERAS, ROBOT, failed, fault_record, unwrap};
use crate::{
    channel::Channel,
    sys::{Mapping, receive},
    wire::{Reader, Writer, answer},
};

/// Starts a thread for each camera, each with the channel that the parent
/// reads its pictures over.
pub(super) fn start_cameras(
    list: Vec<(String, CameraBox)>,
    pictures: Option<&Arc<Mapping>>,
) -> Result<(), FaultAbi> {
    let system = |error: io::Error| failed(&error.to_string());
    let pictures = pictures.ok_or_else(|| failed("no memory for pictures"))?;
    if list.len() > MAX_CAMERAS {
        return Err(failed(&format!(
            "an isolated robot: expected at most {MAX_CAMERAS} cameras, got {}",
            list.len()
        )));
    }
    for (index, (_, camera)) in list.into_iter().enumerate() {
        let [socket] = receive::<1>(COMMON + ROBOT + index).map_err(system)?;
        let channel = Channel::received(socket).map_err(system)?;
        let pictures = Arc::clone(pictures);
        std::thread::Builder::new()
            .name("vola-camera".to_owned())
            .spawn(move || serve_camera(camera, channel, &pictures))
            .map_err(system)?;
    }
    Ok(())
}

/// Serves one camera on its own thread until the parent is gone. Pictures are
/// written where the parent says, into memory that it reads in place.
fn serve_camera(mut camera: CameraBox, mut channel: Channel, pictures: &Mapping) {
    while let Ok(record) = channel.receive(None, None) {
        let result = grab(&mut camera, &record, pictures);
        let answer = result.unwrap_or_else(|fault| fault_record(&fault));
        if channel.send(answer.bytes(), None).is_err() {
            return;
        }
    }
}

#[expect(
    unsafe_code,
    reason = "the picture is written where the parent reads it"
)]
fn grab(camera: &mut CameraBox, record: &[u8], pictures: &Mapping) -> Result<Writer, FaultAbi> {
    let mut reader = Reader::new(record);
    let (_, width, height) = (reader.u8()?, reader.u32()?, reader.u32()?);
    let (offset, length, now_ns) = (reader.size()?, reader.size()?, reader.u64()?);
    // SAFETY: the parent has this buffer for this one picture: no other camera
    // gets it, and nobody reads it before the answer was received.
    let data = unsafe { pictures.lend_mut(offset, length) };
    let data = data.ok_or_else(|| failed("a picture outside of the memory for pictures"))?;
    let mut image = ImageBufferAbi {
        width,
        height,
        capture_time_ns: now_ns,
        data: RSliceMut::from_mut_slice(data),
    };
    let result = camera.grab(&mut image);
    let captured_ns = image.capture_time_ns;
    unwrap(result).map(|()| Writer::new(answer::DONE).u64(captured_ns))
}
