//! The strip of text under an animation: the sentence, the step, the confidence.

use super::{
    canvas::{Area, Canvas, Rgb},
    font::{ADVANCE, GLYPH_HEIGHT},
};

const BACKGROUND: Rgb = [24, 26, 32];
const SENTENCE: Rgb = [240, 240, 244];
const STEP: Rgb = [160, 168, 184];
const SURE: Rgb = [88, 190, 120];
const UNSURE: Rgb = [232, 150, 60];
const GROOVE: Rgb = [52, 56, 66];

/// What the strip says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Caption {
    /// What the person said.
    pub(crate) sentence: String,
    /// What is being done.
    pub(crate) step: String,
    /// Score and threshold of the confidence, each 0..=1, while a step runs.
    pub(crate) confidence: Option<(f64, f64)>,
}

impl Caption {
    /// Rows of the strip for a picture of this width.
    pub(super) fn height(width: usize) -> usize {
        let scale = scale(width);
        2 * GLYPH_HEIGHT * scale + 3 * 4 * scale
    }

    /// Draws the strip over the last rows of a canvas.
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let scale = scale(canvas.width);
        let height = Self::height(canvas.width);
        let top = canvas.height.saturating_sub(height);
        canvas.fill(
            Area {
                left: 0,
                top,
                width: canvas.width,
                height,
            },
            BACKGROUND,
        );
        let gap = 4 * scale;
        let sentence = format!("\"{}\"", self.sentence);
        canvas.text(
            (gap, top + gap),
            &shortened(&sentence, canvas.width, scale),
            scale,
            SENTENCE,
        );
        let line = top + 2 * gap + GLYPH_HEIGHT * scale;
        let bar_width = canvas.width / 6;
        let room = canvas.width - bar_width - gap;
        canvas.text(
            (gap, line),
            &shortened(&self.step, room, scale),
            scale,
            STEP,
        );
        if let Some((score, threshold)) = self.confidence {
            let area = Area {
                left: canvas.width - bar_width - gap,
                top: line + scale,
                width: bar_width,
                height: GLYPH_HEIGHT * scale - 2 * scale,
            };
            draw_bar(canvas, area, score, threshold);
        }
    }
}

fn draw_bar(canvas: &mut Canvas, area: Area, score: f64, threshold: f64) {
    let columns = |share: f64| {
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of 0..=1 of a width in pixels"
        )]
        let columns = (share * area.width as f64).round() as usize;
        columns
    };
    canvas.fill(area, GROOVE);
    let color = if score >= threshold { SURE } else { UNSURE };
    canvas.fill(
        Area {
            width: columns(score),
            ..area
        },
        color,
    );
    let mark = area.left + columns(threshold).min(area.width.saturating_sub(1));
    canvas.fill(
        Area {
            left: mark,
            width: 1,
            ..area
        },
        SENTENCE,
    );
}

/// Pixels of one font pixel.
fn scale(width: usize) -> usize {
    (width / 320).max(1)
}

/// The text, cut with an ellipsis where it does not fit.
fn shortened(text: &str, width: usize, scale: usize) -> String {
    let letters = (width / (ADVANCE * scale)).saturating_sub(2);
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars()
        .take(letters.saturating_sub(1))
        .chain(['…'])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strip_fills_the_bottom_and_shows_the_confidence() {
        let mut canvas = Canvas::filled(320, 100, [1, 2, 3]);
        let caption = Caption {
            sentence:
                "put the red block in the blue bowl and then do a very long thing to it, please"
                    .into(),
            step: "1/2 pick up the red block".into(),
            confidence: Some((0.9, 0.5)),
        };
        caption.draw(&mut canvas);
        let top = 100 - Caption::height(320);
        assert_eq!(canvas.get(5, top - 1), [1, 2, 3]);
        assert_eq!(canvas.get(0, top), BACKGROUND);
        assert!(canvas.rgb.chunks_exact(3).any(|pixel| pixel == SURE));
        assert!(!canvas.rgb.chunks_exact(3).any(|pixel| pixel == UNSURE));
    }
}
