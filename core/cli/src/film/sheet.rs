//! Rows of small pictures with titles, on one sheet.

use vola_runtime::Picture;

use super::{
    canvas::{Area, Canvas, Rgb},
    font::{ADVANCE, GLYPH_HEIGHT},
};

const BACKGROUND: Rgb = [24, 26, 32];
const TITLE: Rgb = [240, 240, 244];
const TIME: Rgb = [160, 168, 184];
/// Columns of one picture at most (px).
const WIDEST: usize = 160;
/// Smallest columns of one picture: smaller ones are shown in a frame of this (px).
const NARROWEST: usize = 96;
/// Space between things (px).
const GAP: usize = 6;

/// A sheet that grows by rows.
pub(crate) struct Sheet {
    columns: usize,
    rows: Vec<(String, Vec<(String, Canvas)>)>,
}

impl Sheet {
    /// An empty sheet for rows of so many pictures.
    pub(crate) fn new(columns: usize) -> Self {
        Self {
            columns: columns.max(1),
            rows: Vec::new(),
        }
    }

    /// Adds a row: its title, and pictures with their captions.
    pub(crate) fn row(&mut self, title: &str, pictures: Vec<(String, Picture)>) {
        let scaled = pictures
            .into_iter()
            .map(|(caption, picture)| (caption, Canvas::scaled(&picture, WIDEST)));
        self.rows.push((title.to_owned(), scaled.collect()));
    }

    /// The whole sheet.
    pub(crate) fn picture(&self) -> Picture {
        let cell = self.largest(|canvas| canvas.width).max(NARROWEST);
        let tall = self.largest(|canvas| canvas.height);
        let line = GLYPH_HEIGHT + GAP;
        let row_height = line + tall + GAP + line + GAP;
        let width = GAP + self.columns * (cell + GAP);
        let height = GAP + self.rows.len() * row_height;
        let mut sheet = Canvas::filled(width, height, BACKGROUND);
        for (number, (title, pictures)) in self.rows.iter().enumerate() {
            let top = GAP + number * row_height;
            let room = (width - 2 * GAP) / ADVANCE;
            let title: String = title.chars().take(room).collect();
            sheet.text((GAP, top), &title, 1, TITLE);
            for (column, (caption, canvas)) in pictures.iter().take(self.columns).enumerate() {
                let left = GAP + column * (cell + GAP);
                sheet.paste(canvas, left, top + line);
                sheet.text((left, top + line + tall + GAP / 2), caption, 1, TIME);
            }
            let groove = Area {
                left: 0,
                top: top + row_height - GAP,
                width,
                height: 1,
            };
            sheet.fill(groove, [52, 56, 66]);
        }
        Picture {
            width: u32::try_from(sheet.width).unwrap_or(0),
            height: u32::try_from(sheet.height).unwrap_or(0),
            rgb: sheet.rgb,
        }
    }

    fn largest(&self, size: impl Fn(&Canvas) -> usize) -> usize {
        let all = self.rows.iter().flat_map(|(_, pictures)| pictures);
        all.map(|(_, canvas)| size(canvas)).max().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_has_its_place() {
        let red = Picture {
            width: 96,
            height: 96,
            rgb: [200, 10, 10].repeat(96 * 96),
        };
        let mut sheet = Sheet::new(3);
        sheet.row("one", vec![("0.0 s".to_owned(), red.clone()); 3]);
        sheet.row("two", vec![("0.0 s".to_owned(), red); 2]);
        let picture = sheet.picture();
        assert_eq!(
            picture.rgb.len(),
            (picture.width * picture.height * 3) as usize
        );
        let (pixels, _) = picture.rgb.as_chunks::<3>();
        let reds = pixels.iter().filter(|pixel| **pixel == [200, 10, 10]);
        assert_eq!(reds.count(), 5 * 96 * 96);
    }
}
