//! The course of the losses as a picture: one line a part, the loss on a logarithmic axis.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use crate::font;
use crate::{History, Result, TrainError};

const WIDTH: usize = 960;
const HEIGHT: usize = 540;
/// Plot area: left, top, right, bottom.
const PLOT: [usize; 4] = [70, 30, 760, 490];
const BACKGROUND: [u8; 3] = [255, 255, 255];
const GRID: [u8; 3] = [226, 228, 232];
const INK: [u8; 3] = [60, 64, 72];
/// Distinct line colours; the first seven also for people who do not see red and green apart (Okabe
/// and Ito, 2008).
const LINES: [[u8; 3]; 12] = [
    [0, 0, 0],
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [204, 121, 167],
    [0, 114, 178],
    [213, 94, 0],
    [140, 140, 140],
    [120, 60, 20],
    [0, 190, 190],
    [150, 120, 255],
    [170, 170, 0],
];
/// Dots of a sign are this many pixels wide.
const DOT: usize = 2;

struct Canvas {
    pixels: Vec<u8>,
}

impl Canvas {
    fn new() -> Self {
        Self {
            pixels: BACKGROUND.repeat(WIDTH * HEIGHT),
        }
    }

    fn put(&mut self, x: usize, y: usize, color: [u8; 3]) {
        if x < WIDTH && y < HEIGHT {
            let at = (y * WIDTH + x) * 3;
            self.pixels[at..at + 3].copy_from_slice(&color);
        }
    }

    fn text(&mut self, x: usize, y: usize, text: &str, color: [u8; 3]) {
        font::draw(text, |dx, dy| {
            for i in 0..DOT * DOT {
                self.put(x + dx * DOT + i % DOT, y + dy * DOT + i / DOT, color);
            }
        });
    }

    /// A line two pixels thick.
    fn line(&mut self, from: (f64, f64), to: (f64, f64), color: [u8; 3]) {
        let steps = (to.0 - from.0)
            .abs()
            .max((to.1 - from.1).abs())
            .ceil()
            .clamp(1.0, 4000.0) as usize;
        for i in 0..=steps {
            let part = i as f64 / steps as f64;
            let x = (from.0 + (to.0 - from.0) * part).max(0.0) as usize;
            let y = (from.1 + (to.1 - from.1) * part).max(0.0) as usize;
            self.put(x, y, color);
            self.put(x, y + 1, color);
        }
    }
}

/// Lines of the picture: name and points (minutes, loss).
fn series(history: &History) -> Vec<(String, Vec<(f64, f64)>)> {
    let mut names: Vec<String> = history
        .training
        .iter()
        .flat_map(|p| p.parts.keys().cloned())
        .collect();
    names.sort();
    names.dedup();
    let point =
        |seconds: f64, loss: f64| (loss.is_finite() && loss > 0.0).then(|| (seconds / 60.0, loss));
    let total = (
        "loss".to_string(),
        history
            .training
            .iter()
            .filter_map(|p| point(p.seconds, p.loss))
            .collect(),
    );
    let parts = names.into_iter().map(|name| {
        let points = history
            .training
            .iter()
            .filter_map(|p| point(p.seconds, *p.parts.get(&name)?))
            .collect();
        (name, points)
    });
    std::iter::once(total).chain(parts).collect()
}

/// Writes the picture; an empty history gives empty axes.
///
/// # Errors
/// A failing write.
pub fn save_curve(history: &History, path: &Path) -> Result<()> {
    let series = series(history);
    let all = || series.iter().flat_map(|(_, points)| points.iter());
    let end = all().map(|p| p.0).fold(0.1, f64::max);
    let low = all()
        .map(|p| p.1.log10())
        .fold(0.0, f64::min)
        .floor()
        .max(-4.0);
    let high = all().map(|p| p.1.log10()).fold(low + 1.0, f64::max).ceil();
    let [left, top, right, bottom] = PLOT;
    let x = |minutes: f64| left as f64 + minutes / end * (right - left) as f64;
    let y = |log: f64| {
        bottom as f64 - ((log - low) / (high - low)).clamp(0.0, 1.0) * (bottom - top) as f64
    };
    let mut canvas = Canvas::new();
    for exponent in low as i32..=high as i32 {
        let at = y(f64::from(exponent));
        canvas.line((left as f64, at), (right as f64, at), GRID);
        let value = 10_f64.powi(exponent);
        let digits = usize::try_from(-exponent).unwrap_or(0);
        canvas.text(
            4,
            (at as usize).saturating_sub(5),
            &format!("{value:>7.digits$}"),
            INK,
        );
    }
    for i in 0..=5 {
        let minutes = end * f64::from(i) / 5.0;
        canvas.line((x(minutes), top as f64), (x(minutes), bottom as f64), GRID);
        canvas.text(
            (x(minutes) as usize).saturating_sub(12),
            bottom + 10,
            &format!("{minutes:.1}"),
            INK,
        );
    }
    canvas.text((left + right) / 2 - 28, bottom + 30, "minutes", INK);
    for (i, (name, points)) in series.iter().enumerate() {
        let color = LINES[i % LINES.len()];
        for pair in points.windows(2) {
            canvas.line(
                (x(pair[0].0), y(pair[0].1.log10())),
                (x(pair[1].0), y(pair[1].1.log10())),
                color,
            );
        }
        let row = (top + 22 * i) as f64;
        canvas.line(
            (right as f64 + 12.0, row + 4.0),
            (right as f64 + 36.0, row + 4.0),
            color,
        );
        let last = points
            .last()
            .map_or(String::new(), |p| format!(" {:.3}", p.1));
        canvas.text(
            right + 42,
            top + 22 * i,
            &format!("{}{last}", name.trim_start_matches("scene_")),
            color,
        );
    }
    canvas.line(
        (left as f64, bottom as f64),
        (right as f64, bottom as f64),
        INK,
    );
    canvas.line((left as f64, top as f64), (left as f64, bottom as f64), INK);
    write_png(path, &canvas.pixels)
}

fn write_png(path: &Path, pixels: &[u8]) -> Result<()> {
    let fail = |source| TrainError::Picture {
        path: path.to_path_buf(),
        source,
    };
    let file = File::create(path).map_err(TrainError::io(path))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), WIDTH as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(fail)?;
    writer.write_image_data(pixels).map_err(fail)?;
    writer.finish().map_err(fail)
}
