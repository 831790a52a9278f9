//! A picture one can draw on.

use vola_runtime::Picture;

use super::font::{ADVANCE, GLYPH_HEIGHT, GLYPH_WIDTH, glyph};

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    /// First column.
    pub(super) left: usize,
    /// First row.
    pub(super) top: usize,
    /// Columns.
    pub(super) width: usize,
    /// Rows.
    pub(super) height: usize,
}

/// `[height, width, 3]` bytes, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) rgb: Vec<u8>,
}

impl Canvas {
    /// A canvas of one colour.
    pub(super) fn filled(width: usize, height: usize, color: Rgb) -> Self {
        Self {
            width,
            height,
            rgb: color.repeat(width * height),
        }
    }

    /// A picture scaled to a width by averaging areas; never enlarged. A picture
    /// whose bytes do not fit its size gives a black one.
    pub(super) fn scaled(picture: &Picture, max_width: usize) -> Self {
        let (width, height) = (picture.width as usize, picture.height as usize);
        if width == 0 || height == 0 || picture.rgb.len() != width * height * 3 {
            return Self::filled(width.max(1), height.max(1), [0; 3]);
        }
        if width <= max_width {
            return Self {
                width,
                height,
                rgb: picture.rgb.to_vec(),
            };
        }
        let new_height = (height * max_width / width).max(1);
        let mut scaled = Self::filled(max_width, new_height, [0; 3]);
        for y in 0..new_height {
            let rows = (y * height / new_height)..((y + 1) * height).div_ceil(new_height);
            for x in 0..max_width {
                let columns = (x * width / max_width)..((x + 1) * width).div_ceil(max_width);
                let color = mean_color(&picture.rgb, width, rows.clone(), columns);
                scaled.set(x, y, color);
            }
        }
        scaled
    }

    /// Copies another canvas to a place; what does not fit is cut off.
    pub(super) fn paste(&mut self, other: &Self, left: usize, top: usize) {
        let columns = other.width.min(self.width.saturating_sub(left));
        for row in 0..other.height.min(self.height.saturating_sub(top)) {
            let from = row * other.width * 3;
            let to = ((top + row) * self.width + left) * 3;
            let source = other.rgb.get(from..from + columns * 3);
            if let (Some(source), Some(target)) = (source, self.rgb.get_mut(to..to + columns * 3)) {
                target.copy_from_slice(source);
            }
        }
    }

    /// Sets one pixel; outside nothing happens.
    pub(super) fn set(&mut self, x: usize, y: usize, color: Rgb) {
        if x < self.width
            && let Some(pixel) = self
                .rgb
                .get_mut((y * self.width + x) * 3..(y * self.width + x) * 3 + 3)
        {
            pixel.copy_from_slice(&color);
        }
    }

    /// The colour of a pixel; black outside.
    pub(super) fn get(&self, x: usize, y: usize) -> Rgb {
        let start = (y * self.width + x) * 3;
        match self.rgb.get(start..start + 3) {
            Some(&[red, green, blue]) => [red, green, blue],
            _ => [0; 3],
        }
    }

    /// Fills a rectangle.
    pub(super) fn fill(&mut self, area: Area, color: Rgb) {
        for y in area.top..(area.top + area.height).min(self.height) {
            for x in area.left..(area.left + area.width).min(self.width) {
                self.set(x, y, color);
            }
        }
    }

    /// Writes a line of text with its upper left corner at a place, each font
    /// pixel `scale` pixels wide; what does not fit is cut off.
    pub(super) fn text(
        &mut self,
        (left, top): (usize, usize),
        text: &str,
        scale: usize,
        color: Rgb,
    ) {
        for (index, letter) in text.chars().enumerate() {
            let x = left + index * ADVANCE * scale;
            if x + GLYPH_WIDTH * scale > self.width {
                break;
            }
            for (row, bits) in glyph(letter).into_iter().enumerate().take(GLYPH_HEIGHT) {
                for column in 0..GLYPH_WIDTH {
                    if bits >> (GLYPH_WIDTH - 1 - column) & 1 == 1 {
                        let (left, top) = (x + column * scale, top + row * scale);
                        self.fill(
                            Area {
                                left,
                                top,
                                width: scale,
                                height: scale,
                            },
                            color,
                        );
                    }
                }
            }
        }
    }

    /// The smallest rectangle that holds every pixel which differs from another
    /// canvas of the same size; nothing when they are equal.
    pub(super) fn difference(&self, other: &Self) -> Option<Area> {
        let row_bytes = self.width * 3;
        let mut rows = self
            .rgb
            .chunks_exact(row_bytes)
            .zip(other.rgb.chunks_exact(row_bytes));
        let top = rows.position(|(a, b)| a != b)?;
        let bottom = self
            .rgb
            .chunks_exact(row_bytes)
            .zip(other.rgb.chunks_exact(row_bytes))
            .rposition(|(a, b)| a != b)?;
        let (mut left, mut right) = (self.width, 0);
        for row in top..=bottom {
            let range = row * row_bytes..(row + 1) * row_bytes;
            let (Some(a), Some(b)) = (self.rgb.get(range.clone()), other.rgb.get(range)) else {
                continue;
            };
            if let Some(first) = a.iter().zip(b).position(|(a, b)| a != b) {
                left = left.min(first / 3);
            }
            if let Some(last) = a.iter().zip(b).rposition(|(a, b)| a != b) {
                right = right.max(last / 3);
            }
        }
        Some(Area {
            left,
            top,
            width: right + 1 - left,
            height: bottom + 1 - top,
        })
    }

    /// The pixels of a rectangle, row-major.
    pub(super) fn cut(&self, area: Area) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(area.width * area.height * 3);
        for row in area.top..area.top + area.height {
            let start = (row * self.width + area.left) * 3;
            rgb.extend_from_slice(
                self.rgb
                    .get(start..start + area.width * 3)
                    .unwrap_or_default(),
            );
        }
        rgb
    }
}

fn mean_color(
    rgb: &[u8],
    width: usize,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> Rgb {
    let mut sums = [0_usize; 3];
    let mut count = 0;
    for y in rows {
        for pixel in rgb
            .get((y * width + columns.start) * 3..(y * width + columns.end) * 3)
            .unwrap_or_default()
            .chunks_exact(3)
        {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += usize::from(*value);
            }
            count += 1;
        }
    }
    sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_the_smallest_rectangle() {
        let before = Canvas::filled(10, 8, [9; 3]);
        let mut after = before.clone();
        assert_eq!(after.difference(&before), None);
        after.set(3, 2, [0; 3]);
        after.set(6, 5, [0, 9, 9]);
        let area = after.difference(&before).unwrap();
        assert_eq!(
            area,
            Area {
                left: 3,
                top: 2,
                width: 4,
                height: 4
            }
        );
        assert_eq!(after.cut(area).len(), 4 * 4 * 3);
    }

    #[test]
    fn scaling_averages_and_never_enlarges() {
        let picture = Picture {
            width: 4,
            height: 2,
            rgb: [[0; 3], [100; 3]].concat().repeat(4).into(),
        };
        let half = Canvas::scaled(&picture, 2);
        assert_eq!((half.width, half.height, half.get(1, 0)), (2, 1, [50; 3]));
        assert_eq!(Canvas::scaled(&picture, 100).rgb, *picture.rgb);
        let broken = Picture {
            width: 4,
            height: 2,
            rgb: vec![1].into(),
        };
        assert_eq!(Canvas::scaled(&broken, 2).rgb.len(), 4 * 2 * 3);
    }

    #[test]
    fn text_is_cut_at_the_edge() {
        let mut canvas = Canvas::filled(14, 9, [0; 3]);
        canvas.text((1, 1), "TTTT", 1, [255; 3]);
        assert_eq!(canvas.get(1, 1), [255; 3]);
        assert_eq!(canvas.get(3, 7), [255; 3]);
        assert_eq!(canvas.get(13, 1), [0; 3]);
    }
}
