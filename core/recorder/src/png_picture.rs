//! Pictures as PNG: what streams and data sets hold.

use std::io::Cursor;

use crate::{Pixels, RecorderError, Result};

/// Widest side of a picture that is decoded (px).
const MAX_SIDE: u32 = 8192;

/// Encodes a picture, quickly rather than tightly.
///
/// # Errors
/// When the sizes do not fit the pixels.
pub fn encode_png(picture: &Pixels) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(picture.rgb.len() / 2);
    let mut encoder = png::Encoder::new(&mut bytes, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&picture.rgb)?;
        writer.finish()
    });
    match written {
        Ok(()) => Ok(bytes),
        Err(error) => Err(RecorderError::Picture {
            place: format!("a picture of {}×{} px", picture.width, picture.height),
            reason: error.to_string(),
        }),
    }
}

/// Decodes an 8-bit RGB picture.
///
/// # Errors
/// When it is damaged, too large, or of another kind.
pub fn decode_png(bytes: &[u8]) -> Result<Pixels> {
    let fail = |reason: String| RecorderError::Picture {
        place: "a PNG".to_owned(),
        reason,
    };
    let mut reader = png::Decoder::new(Cursor::new(bytes))
        .read_info()
        .map_err(|error| fail(error.to_string()))?;
    let (width, height) = (reader.info().width, reader.info().height);
    let kind = (reader.info().color_type, reader.info().bit_depth);
    if kind != (png::ColorType::Rgb, png::BitDepth::Eight) || width.max(height) > MAX_SIDE {
        return Err(fail(format!(
            "expected 8-bit RGB up to {MAX_SIDE} px, got {kind:?} with {width}×{height} px"
        )));
    }
    let mut rgb = vec![0; width as usize * height as usize * 3];
    reader
        .next_frame(&mut rgb)
        .map_err(|error| fail(error.to_string()))?;
    Ok(Pixels { width, height, rgb })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_round_trip() {
        let picture = Pixels {
            width: 5,
            height: 3,
            rgb: (0..45).map(|value| value * 5).collect(),
        };
        let bytes = encode_png(&picture).unwrap();
        assert_eq!(decode_png(&bytes).unwrap(), picture);
        assert!(decode_png(&bytes[..bytes.len() - 20]).is_err());
        let wrong = Pixels {
            height: 4,
            ..picture
        };
        assert!(encode_png(&wrong).is_err());
    }
}
