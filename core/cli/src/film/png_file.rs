//! Writes a picture as PNG.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use vola_runtime::Picture;

use crate::failure::Failure;

/// Writes a picture.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_png(path: &Path, picture: &Picture) -> Result<(), Failure> {
    let file = File::create(path).map_err(Failure::file(path, "write"))?;
    encode(picture, BufWriter::new(file)).map_err(|error| Failure::Picture {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// A picture as the bytes of a PNG file.
///
/// # Errors
/// When its size and its bytes do not fit.
pub(crate) fn png_bytes(picture: &Picture) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    encode(picture, &mut bytes)?;
    Ok(bytes)
}

fn encode(picture: &Picture, target: impl Write) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(target, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.rgb)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let picture = Picture {
            width: 2,
            height: 1,
            rgb: vec![1, 2, 3, 4, 5, 6].into(),
        };
        write_png(&path, &picture).unwrap();
        let decoder = png::Decoder::new(std::io::BufReader::new(File::open(&path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut rgb).unwrap();
        assert_eq!(rgb, *picture.rgb);
        let wrong = Picture {
            width: 3,
            height: 1,
            rgb: vec![1].into(),
        };
        assert!(write_png(&path, &wrong).is_err());
    }
}
