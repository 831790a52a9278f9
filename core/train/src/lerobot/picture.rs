//! Encoded pictures to RGB bytes. PNG and JPEG; sizes are compared before anything is unpacked.

use std::io::Cursor;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Memory a decoder may use besides the picture (bytes).
const MAX_DECODER_BYTES: usize = 256 << 20;

/// Decodes one picture of `[height, width]` to `[height, width, 3]`; grey ones are spread.
///
/// # Errors
/// In words: another format or size, transparency, or data that is cut or damaged.
pub(super) fn decode(bytes: &[u8], size: [usize; 2]) -> Result<Vec<u8>, String> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        decode_png(bytes, size)
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        decode_jpeg(bytes, size)
    } else {
        let start = &bytes[..bytes.len().min(8)];
        Err(format!(
            "expected a PNG or JPEG picture, got {} bytes that begin with {start:02x?}",
            bytes.len()
        ))
    }
}

fn decode_png(bytes: &[u8], size: [usize; 2]) -> Result<Vec<u8>, String> {
    let limits = png::Limits {
        bytes: MAX_DECODER_BYTES,
    };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let fail = |e: png::DecodingError| format!("PNG: {e}");
    let info = decoder.read_header_info().map_err(fail)?;
    check_size(size, [info.height as usize, info.width as usize])?;
    let mut reader = decoder.read_info().map_err(fail)?;
    let (color, _) = reader.output_color_type();
    let channels = match color {
        png::ColorType::Rgb => 3,
        png::ColorType::Grayscale => 1,
        other => return Err(format!("expected RGB or grey pixels, got {other:?}")),
    };
    let mut pixels = vec![0_u8; size[0] * size[1] * channels];
    if reader.output_buffer_size() != Some(pixels.len()) {
        return Err(format!("expected {} bytes of pixels", pixels.len()));
    }
    reader.next_frame(&mut pixels).map_err(fail)?;
    Ok(spread(pixels, channels))
}

fn decode_jpeg(bytes: &[u8], size: [usize; 2]) -> Result<Vec<u8>, String> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_strict_mode(true)
        .set_max_height(size[0])
        .set_max_width(size[1]);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|e| format!("JPEG: {e:?}"))?;
    let (width, height) = decoder.dimensions().ok_or("JPEG: it has no size")?;
    check_size(size, [height, width])?;
    let pixels = decoder.decode().map_err(|e| format!("JPEG: {e:?}"))?;
    if pixels.len() == size[0] * size[1] * 3 {
        Ok(pixels)
    } else {
        Err(format!(
            "JPEG: expected RGB pixels, got {} bytes",
            pixels.len()
        ))
    }
}

fn check_size(expected: [usize; 2], got: [usize; 2]) -> Result<(), String> {
    if expected == got {
        return Ok(());
    }
    let [height, width] = expected;
    Err(format!(
        "expected {width}×{height} px as in info.json, got {}×{}",
        got[1], got[0]
    ))
}

/// One channel to three equal ones.
fn spread(pixels: Vec<u8>, channels: usize) -> Vec<u8> {
    match channels {
        1 => pixels.iter().flat_map(|grey| [*grey; 3]).collect(),
        _ => pixels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(color: png::ColorType, width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn pictures_are_decoded_and_others_are_refused() {
        let rgb: Vec<u8> = (0..2 * 3 * 3).collect();
        let good = png(png::ColorType::Rgb, 3, 2, &rgb);
        assert_eq!(decode(&good, [2, 3]).unwrap(), rgb);
        let grey = png(png::ColorType::Grayscale, 2, 1, &[7, 9]);
        assert_eq!(decode(&grey, [1, 2]).unwrap(), [7, 7, 7, 9, 9, 9]);

        let clear = png(png::ColorType::Rgba, 1, 1, &[1, 2, 3, 4]);
        assert!(decode(&clear, [1, 1]).unwrap_err().contains("Rgba"));
        assert!(
            decode(&good, [3, 3])
                .unwrap_err()
                .contains("expected 3×3 px")
        );
        assert!(
            decode(b"GIF89a", [1, 1])
                .unwrap_err()
                .contains("PNG or JPEG")
        );
        assert!(decode(&[0xff, 0xd8, 0xff, 0xe0], [1, 1]).is_err());
        for length in 0..good.len() - 12 {
            assert!(decode(&good[..length], [2, 3]).is_err(), "{length}");
        }
    }
}
