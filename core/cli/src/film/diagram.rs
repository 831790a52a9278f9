//! A reliability diagram: how often episodes failed, over how probable it was
//! said to be.

use vola_confidence::{BINS, Reliability, ReliabilityBin};
use vola_runtime::Picture;

use super::canvas::{Area, Canvas, Rgb};

/// Side of the square in which probabilities are drawn (px).
const SIDE: usize = 420;
/// Room on the left, for the axis.
const LEFT: usize = 76;
/// Room on top, for the title.
const TOP: usize = 64;
/// Height of the counts below.
const COUNTS: usize = 70;
/// Between the square and the counts, for the axis.
const GAP: usize = 44;
const WHITE: Rgb = [255; 3];
const INK: Rgb = [40, 44, 52];
const GRID: Rgb = [224, 226, 230];
const EXACT: Rgb = [150, 154, 162];
const PLATT: Rgb = [36, 98, 184];
const ISOTONIC: Rgb = [214, 118, 30];

/// Draws both curves' bins: above the diagonal more episodes failed than was
/// said, below it fewer. The bars count the episodes of the logistic curve's
/// bins.
pub(crate) fn reliability_picture(platt: &Reliability, isotonic: &Reliability) -> Picture {
    let mut canvas = Canvas::filled(LEFT + SIDE + 40, TOP + SIDE + GAP + COUNTS + 36, WHITE);
    axes(&mut canvas);
    counts(&mut canvas, &platt.bins);
    curve(&mut canvas, &isotonic.bins, ISOTONIC);
    curve(&mut canvas, &platt.bins, PLATT);
    let mut legend = |row: usize, name: &str, of: &Reliability, color: Rgb| {
        let text = format!(
            "{name}: ECE {:.3}, Brier {:.3}",
            of.ece_equal_width, of.brier
        );
        let top = 12 + row * 24;
        canvas.fill(square(LEFT, top + 2, 10), color);
        canvas.text((LEFT + 18, top), &text, 2, INK);
    };
    legend(0, "logistic", platt, PLATT);
    legend(1, "isotonic", isotonic, ISOTONIC);
    Picture {
        width: u32::try_from(canvas.width).unwrap_or(0),
        height: u32::try_from(canvas.height).unwrap_or(0),
        rgb: canvas.rgb,
    }
}

fn axes(canvas: &mut Canvas) {
    for step in 0..=4_u8 {
        let share = f64::from(step) * 0.25;
        let (x, y) = place(share, share);
        let line = |left, top, width, height| Area {
            left,
            top,
            width,
            height,
        };
        canvas.fill(line(LEFT, y, SIDE + 1, 1), GRID);
        canvas.fill(line(x, TOP, 1, SIDE + 1), GRID);
        let label = format!("{share:.2}");
        canvas.text((LEFT - 54, y.saturating_sub(6)), &label, 2, INK);
        canvas.text((x.saturating_sub(20), TOP + SIDE + 10), &label, 2, INK);
    }
    for step in 0..=SIDE {
        #[expect(clippy::cast_precision_loss, reason = "pixels")]
        let share = step as f64 / SIDE as f64;
        let (x, y) = place(share, share);
        if step % 8 < 5 {
            canvas.fill(square(x, y, 2), EXACT);
        }
    }
    canvas.text((4, TOP.saturating_sub(34)), "failed", 2, INK);
    let below = TOP + SIDE + GAP + COUNTS + 12;
    canvas.text((LEFT, below), "said probability of failure", 2, INK);
}

fn counts(canvas: &mut Canvas, bins: &[ReliabilityBin]) {
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(1).max(1);
    let base = TOP + SIDE + GAP + COUNTS;
    let width = SIDE / BINS;
    for bin in bins {
        let (x, _) = place(bin.predicted, 0.0);
        let height = (bin.count * COUNTS / most).max(1);
        let bar = Area {
            left: x.saturating_sub(width / 3),
            top: base - height,
            width: width * 2 / 3,
            height,
        };
        canvas.fill(bar, GRID);
    }
    canvas.text((8, base.saturating_sub(COUNTS)), &most.to_string(), 2, INK);
}

fn curve(canvas: &mut Canvas, bins: &[ReliabilityBin], color: Rgb) {
    for pair in bins.windows(2) {
        let [from, to] = [0, 1].map(|end| (pair[end].predicted, pair[end].observed));
        for step in 0..200_u8 {
            let share = f64::from(step) / 200.0;
            let mix = |a: f64, b: f64| a + (b - a) * share;
            let (x, y) = place(mix(from.0, to.0), mix(from.1, to.1));
            canvas.fill(square(x, y, 2), color);
        }
    }
    for bin in bins {
        let (x, y) = place(bin.predicted, bin.observed);
        canvas.fill(square(x.saturating_sub(4), y.saturating_sub(4), 9), color);
    }
}

/// A point of the unit square as a pixel.
fn place(x: f64, y: f64) -> (usize, usize) {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "pixels of a square, clamped"
    )]
    let pixel = |share: f64| (share.clamp(0.0, 1.0) * SIDE as f64).round() as usize;
    (LEFT + pixel(x), TOP + SIDE - pixel(y))
}

fn square(left: usize, top: usize, side: usize) -> Area {
    Area {
        left,
        top,
        width: side,
        height: side,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_curves_are_drawn() {
        let reliability = Reliability::of(&[(0.1, false), (0.1, true), (0.9, true)]);
        let picture = reliability_picture(&reliability, &reliability);
        let size = picture.width as usize * picture.height as usize * 3;
        assert_eq!(picture.rgb.len(), size);
        let has = |color: Rgb| picture.rgb.chunks_exact(3).any(|pixel| pixel == color);
        assert!(has(PLATT) && has(EXACT) && has(INK));
    }
}
