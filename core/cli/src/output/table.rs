//! A table for people: aligned columns, no frame.

use super::{Style, Tone};

/// Which side a column is flush with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows of text under headings.
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<(String, Option<Tone>)>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let columns = columns
            .iter()
            .map(|(name, align)| ((*name).to_owned(), *align))
            .collect();
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row of plain cells.
    pub(crate) fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        self.rows
            .push(cells.into_iter().map(|cell| (cell, None)).collect());
    }

    /// Adds a row whose cells may have a tone.
    pub(crate) fn toned_row<I: IntoIterator<Item = (String, Option<Tone>)>>(&mut self, cells: I) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text, one line a row, each ended by a newline.
    pub(crate) fn render(&self, style: Style) -> String {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| self.width(column))
            .collect();
        let mut text = String::new();
        let heading = self
            .columns
            .iter()
            .map(|(name, _)| (name.as_str(), Some(Tone::Faint)));
        self.line(heading, &widths, style, &mut text);
        for row in &self.rows {
            self.line(
                row.iter().map(|(cell, tone)| (cell.as_str(), *tone)),
                &widths,
                style,
                &mut text,
            );
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        let heading = self
            .columns
            .get(column)
            .map_or(0, |(name, _)| name.chars().count());
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|(cell, _)| cell.chars().count())
            .fold(heading, usize::max)
    }

    fn line<'a>(
        &self,
        cells: impl Iterator<Item = (&'a str, Option<Tone>)>,
        widths: &[usize],
        style: Style,
        text: &mut String,
    ) {
        let mut line = String::new();
        for (((cell, tone), width), (_, align)) in cells.zip(widths).zip(&self.columns) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            let painted = tone.map_or_else(|| cell.to_owned(), |tone| style.paint(tone, cell));
            if !line.is_empty() {
                line.push_str("  ");
            }
            match align {
                Align::Left => line.extend([painted.as_str(), gap.as_str()]),
                Align::Right => line.extend([gap.as_str(), painted.as_str()]),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&[("task", Align::Left), ("success", Align::Right)]);
        table.row(["pick".to_owned(), "97.0 %".to_owned()]);
        table.row(["place_in".to_owned(), "100.0 %".to_owned()]);
        assert_eq!(
            table.render(Style::Plain),
            "task      success\npick       97.0 %\nplace_in  100.0 %\n"
        );
    }
}
