//! The newest picture of each camera, on its way to pages.
//!
//! A camera's thread leaves a copy and goes on; whoever encodes takes the newest
//! one, and what was not taken in time is gone. Nothing is copied or encoded
//! while nobody looks.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use axum::body::Bytes;
use jpeg_encoder::{ColorType, Encoder};
use serde_json::json;

use crate::{live::LIVE_VERSION, message::binary};

/// Quality of the pictures (of 100): edges of small objects stay clean.
const QUALITY: u8 = 85;

/// A camera's picture as it was taken.
#[derive(Clone, Copy, Debug)]
pub struct RawPicture<'a> {
    /// When (s, on the runtime's clock).
    pub t: f64,
    /// Columns (px).
    pub width: u32,
    /// Rows (px).
    pub height: u32,
    /// `[height, width, 3]`, row-major, red green blue.
    pub rgb: &'a [u8],
}

/// The newest pictures of a robot's cameras; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    slots: Arc<[Slot]>,
}

#[derive(Debug, Default)]
struct Slot {
    key: String,
    viewers: AtomicUsize,
    newest: Mutex<Newest>,
    sent: Mutex<Option<EncodedPicture>>,
}

/// What a camera left.
#[derive(Debug, Default)]
struct Newest {
    /// Pictures left so far; 0 is none.
    number: u64,
    t: f64,
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

/// A picture as a whole message.
#[derive(Clone, Debug)]
pub(crate) struct EncodedPicture {
    /// Which of its camera's pictures it is.
    pub(crate) number: u64,
    pub(crate) message: Bytes,
}

impl Pictures {
    /// Room for these cameras.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        let slots = keys.into_iter().map(|key| Slot {
            key: key.to_owned(),
            ..Slot::default()
        });
        Self {
            slots: slots.collect(),
        }
    }

    /// Whether somebody looks at a camera.
    #[must_use]
    pub fn is_wanted(&self, key: &str) -> bool {
        self.slot(key)
            .is_some_and(|slot| slot.viewers.load(Ordering::Acquire) > 0)
    }

    /// Leaves a camera's picture in place of the one before. A picture whose size
    /// and bytes do not fit is left out.
    ///
    /// # Timing
    /// A copy; nobody holds the lock for longer than that.
    pub fn put(&self, key: &str, picture: RawPicture<'_>) {
        let Some(slot) = self.slot(key) else { return };
        let bytes = u64::from(picture.width) * u64::from(picture.height) * 3;
        if bytes != picture.rgb.len() as u64 || bytes == 0 {
            return;
        }
        let mut newest = lock(&slot.newest);
        newest.number += 1;
        (newest.t, newest.width, newest.height) = (picture.t, picture.width, picture.height);
        newest.rgb.clear();
        newest.rgb.extend_from_slice(picture.rgb);
    }

    /// Encodes what is new and looked at. Blocks for as long as that takes.
    pub(crate) fn encode(&self) {
        for slot in self.slots.iter() {
            if slot.viewers.load(Ordering::Acquire) > 0 {
                slot.encode();
            }
        }
    }

    /// The newest encoded picture of a camera.
    pub(crate) fn encoded(&self, key: &str) -> Option<EncodedPicture> {
        lock(&self.slot(key)?.sent).clone()
    }

    /// Somebody looks at a camera until this is dropped; none without it.
    pub(crate) fn look(&self, key: &str) -> Option<Look> {
        let index = self.slots.iter().position(|slot| slot.key == key)?;
        let slots = Arc::clone(&self.slots);
        slots.get(index)?.viewers.fetch_add(1, Ordering::AcqRel);
        Some(Look { slots, index })
    }

    fn slot(&self, key: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.key == key)
    }
}

impl Slot {
    fn encode(&self) {
        let known = lock(&self.sent).as_ref().map_or(0, |sent| sent.number);
        let taken = {
            let mut newest = lock(&self.newest);
            if newest.number == known {
                return;
            }
            let rgb = std::mem::take(&mut newest.rgb);
            Newest { rgb, ..*newest }
        };
        // Taken by an encoder before, and no new one since.
        if taken.rgb.is_empty() {
            return;
        }
        if let Some(message) = message(&self.key, &taken) {
            *lock(&self.sent) = Some(EncodedPicture {
                number: taken.number,
                message,
            });
        }
        let mut newest = lock(&self.newest);
        // Its memory serves the next one.
        if newest.rgb.capacity() == 0 {
            newest.rgb = taken.rgb;
            newest.rgb.clear();
        }
    }
}

/// The message of a picture; none when it is larger than the format can hold.
fn message(key: &str, picture: &Newest) -> Option<Bytes> {
    let mut file = Vec::with_capacity(picture.rgb.len() / 8);
    let size = (
        u16::try_from(picture.width).ok()?,
        u16::try_from(picture.height).ok()?,
    );
    Encoder::new(&mut file, QUALITY)
        .encode(&picture.rgb, size.0, size.1, ColorType::Rgb)
        .ok()?;
    let header = json!({
        "v": LIVE_VERSION, "type": "picture", "camera": key, "t": picture.t,
        "width": picture.width, "height": picture.height, "format": "jpeg",
    });
    Some(binary(&header, &file))
}

/// A page that looks at a camera.
#[derive(Debug)]
pub(crate) struct Look {
    slots: Arc<[Slot]>,
    index: usize,
}

impl Drop for Look {
    fn drop(&mut self) {
        if let Some(slot) = self.slots.get(self.index) {
            slot.viewers.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(rgb: &[u8]) -> RawPicture<'_> {
        RawPicture {
            t: 1.5,
            width: 4,
            height: 2,
            rgb,
        }
    }

    #[test]
    fn only_the_newest_picture_is_encoded_and_only_for_who_looks() {
        let pictures = Pictures::new(["front", "wrist"]);
        pictures.put("front", raw(&[9; 24]));
        pictures.encode();
        assert!(pictures.encoded("front").is_none() && !pictures.is_wanted("front"));
        let look = pictures.look("front").unwrap();
        assert!(pictures.is_wanted("front") && !pictures.is_wanted("wrist"));
        pictures.put("front", raw(&[200; 24]));
        pictures.encode();
        let first = pictures.encoded("front").unwrap();
        assert_eq!(first.number, 2);
        let length = u32::from_le_bytes(first.message[..4].try_into().unwrap()) as usize;
        let header: serde_json::Value =
            serde_json::from_slice(&first.message[4..4 + length]).unwrap();
        assert_eq!(
            (&header["camera"], &header["width"]),
            (&json!("front"), &json!(4))
        );
        assert_eq!(first.message[4 + length..][..2], [0xff, 0xd8], "a JPEG");
        pictures.encode();
        assert_eq!(pictures.encoded("front").unwrap().number, 2);
        pictures.put("front", raw(&[100; 24]));
        pictures.encode();
        assert_eq!(pictures.encoded("front").unwrap().number, 3);
        drop(look);
        assert!(!pictures.is_wanted("front"));
        assert!(pictures.look("none").is_none());
    }

    #[test]
    fn a_picture_that_does_not_fit_its_size_is_left_out() {
        let pictures = Pictures::new(["front"]);
        let _look = pictures.look("front");
        pictures.put("front", raw(&[0; 23]));
        pictures.put("other", raw(&[0; 24]));
        pictures.put(
            "front",
            RawPicture {
                width: 0,
                ..raw(&[])
            },
        );
        pictures.encode();
        assert!(pictures.encoded("front").is_none());
    }
}
