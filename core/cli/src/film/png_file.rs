//! Writes a picture as PNG.

use std::{fs::File, io::BufWriter, path::Path};

use vola_runtime::Picture;

use crate::failure::Failure;

/// Writes a picture.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_png(path: &Path, picture: &Picture) -> Result<(), Failure> {
    let file = File::create(path).map_err(Failure::file(path, "write"))?;
    let fault = |error: png::EncodingError| Failure::Picture {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut encoder = png::Encoder::new(BufWriter::new(file), picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(fault)?;
    writer.write_image_data(&picture.rgb).map_err(fault)?;
    writer.finish().map_err(fault)
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
            rgb: vec![1, 2, 3, 4, 5, 6],
        };
        write_png(&path, &picture).unwrap();
        let decoder = png::Decoder::new(std::io::BufReader::new(File::open(&path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut rgb).unwrap();
        assert_eq!(rgb, picture.rgb);
        let wrong = Picture {
            width: 3,
            height: 1,
            rgb: vec![1],
        };
        assert!(write_png(&path, &wrong).is_err());
    }
}
