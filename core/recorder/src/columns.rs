//! Columns of a parquet file, checked before they are believed.
//!
//! Every column is read row by row with as many values as its feature says; nulls, other lengths and
//! other types are errors. The decoder is another crate's: should it panic on a damaged file, that is
//! an error of the file too.

use std::fs::File;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parquet::basic::Type;
use parquet::column::reader::{get_column_reader, get_typed_column_reader};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::error::{DAMAGED, fault};
use crate::pages::CheckedPages;
use crate::{MAX_FRAMES, RecorderError, Result};

/// Rows decoded at once.
const BATCH: usize = 64;
/// Longest footer (bytes): the file's own description of itself.
const MAX_FOOTER_BYTES: u32 = 64 << 20;

/// Longest list in a row of a column whose lists have any length.
pub(crate) const MAX_LIST: usize = 4096;

/// Called with the number and the values of a row.
pub type EachRow<'a, T> = &'a mut dyn FnMut(usize, &[T]) -> Result<()>;

/// An open parquet file.
pub struct Columns {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    rows: usize,
    /// The rows that are read.
    window: Range<usize>,
}

/// A column found in the schema.
#[derive(Clone, Copy)]
struct Leaf<'a> {
    name: &'a str,
    index: usize,
    /// Values a row.
    width: usize,
    physical: Type,
}

impl Columns {
    /// Opens a file and reads its footer.
    ///
    /// # Errors
    /// A file that is missing, damaged, or claims more rows than a data set may have.
    pub fn open(path: &Path) -> Result<Self> {
        let size = std::fs::metadata(path).map_err(RecorderError::io(path))?;
        if !size.is_file() {
            let reason = "expected a file, got something else".to_string();
            return Err(fault(path, "(whole file)", reason, DAMAGED));
        }
        let file = File::open(path).map_err(RecorderError::io(path))?;
        check_footer(path, &file, size.len())?;
        let reader = guarded(path, "(footer)", || {
            SerializedFileReader::new(file).map_err(|e| damaged(path, "(footer)", &e))
        })?;
        let mut rows = 0_usize;
        for group in reader.metadata().row_groups() {
            let more = usize::try_from(group.num_rows()).ok();
            rows = more
                .and_then(|more| rows.checked_add(more))
                .filter(|rows| *rows <= MAX_FRAMES)
                .ok_or_else(|| {
                    let reason = format!(
                        "expected 0 to {MAX_FRAMES} rows, got a group of {}",
                        group.num_rows()
                    );
                    fault(path, "(footer)", reason, DAMAGED)
                })?;
        }
        Ok(Self {
            path: path.to_path_buf(),
            reader,
            rows,
            window: 0..rows,
        })
    }

    /// Reads only these rows from now on, of columns whose rows are no lists of any
    /// length; what lies before and behind is not decoded. Rows keep their numbers.
    #[must_use]
    pub fn only(mut self, rows: Range<usize>) -> Self {
        self.window = rows.start.min(self.rows)..rows.end.min(self.rows);
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Rows of the file.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether there is a column with this name.
    pub fn has(&self, name: &str) -> bool {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let mut paths = schema.columns().iter().map(|column| column.path().parts());
        paths.any(|parts| parts.first().is_some_and(|first| first == name))
    }

    /// Whole numbers, one a row.
    ///
    /// # Errors
    /// As all of these: no such column, another type, nulls, or a damaged file.
    pub fn integers(&self, name: &str) -> Result<Vec<i64>> {
        let leaf = self.leaf(name, &[], 1, &[Type::INT64])?;
        let mut all = Vec::new();
        self.visit::<Int64Type>(leaf, &mut |_, row| {
            all.extend_from_slice(row);
            Ok(())
        })?;
        Ok(all)
    }

    /// Truth values, one a row.
    ///
    /// # Errors
    /// As [`Columns::integers`].
    pub fn flags(&self, name: &str) -> Result<Vec<bool>> {
        let leaf = self.leaf(name, &[], 1, &[Type::BOOLEAN])?;
        let mut all = Vec::new();
        self.visit::<BoolType>(leaf, &mut |_, row| {
            all.extend_from_slice(row);
            Ok(())
        })?;
        Ok(all)
    }

    /// Finite numbers, `width` a row, as `[rows, width]` flat.
    ///
    /// # Errors
    /// As [`Columns::integers`], and a number that is not finite.
    pub fn floats(&self, name: &str, width: usize) -> Result<Vec<f32>> {
        let leaf = self.leaf(name, &[], width, &[Type::FLOAT, Type::DOUBLE])?;
        let mut all = Vec::new();
        let mut take = |row: usize, values: &mut dyn Iterator<Item = f32>| {
            for (column, value) in values.enumerate() {
                if !value.is_finite() {
                    let reason = format!("expected finite numbers, got {value} at {column}");
                    let help = "remove the episode, or mend what recorded it";
                    return Err(fault(
                        &self.path,
                        format!("{name}, row {row}"),
                        reason,
                        help,
                    ));
                }
                all.push(value);
            }
            Ok(())
        };
        if leaf.physical == Type::FLOAT {
            self.visit::<FloatType>(leaf, &mut |row, values| {
                take(row, &mut values.iter().copied())
            })?;
        } else {
            self.visit::<DoubleType>(leaf, &mut |row, values| {
                take(row, &mut values.iter().map(|value| *value as f32))
            })?;
        }
        Ok(all)
    }

    /// UTF-8 texts of at most `longest` bytes, one a row.
    ///
    /// # Errors
    /// As [`Columns::integers`], and a text that is too long or not UTF-8.
    pub fn texts(&self, name: &str, longest: usize) -> Result<Vec<String>> {
        let leaf = self.leaf(name, &[], 1, &[Type::BYTE_ARRAY])?;
        let mut all = Vec::new();
        self.bytes(leaf, &mut |row, bytes| {
            let text = std::str::from_utf8(bytes)
                .ok()
                .filter(|text| text.len() <= longest && !text.chars().any(char::is_control));
            match text {
                Some(text) => {
                    all.push(text.to_string());
                    Ok(())
                }
                None => Err(fault(
                    &self.path,
                    format!("{name}, row {row}"),
                    format!("expected UTF-8 text of at most {longest} bytes in one line"),
                    DAMAGED,
                )),
            }
        })?;
        Ok(all)
    }

    /// Calls `each` with row and bytes of every encoded picture of a column.
    ///
    /// # Errors
    /// As [`Columns::integers`], and what `each` returns.
    pub fn pictures(&self, name: &str, each: EachRow<'_, u8>) -> Result<()> {
        self.bytes(self.leaf(name, &["bytes"], 1, &[Type::BYTE_ARRAY])?, each)
    }

    /// Lists of numbers of any length and nesting, flat, one a row.
    ///
    /// # Errors
    /// As [`Columns::integers`].
    pub fn number_lists(&self, name: &str) -> Result<Vec<Vec<f64>>> {
        let (index, physical) = self.any_leaf(name)?;
        match physical {
            Type::DOUBLE => self.ragged::<DoubleType, f64>(name, index, |value| *value),
            #[expect(clippy::cast_precision_loss, reason = "counts of frames")]
            Type::INT64 => self.ragged::<Int64Type, f64>(name, index, |value| *value as f64),
            Type::FLOAT => self.ragged::<FloatType, f64>(name, index, |value| f64::from(*value)),
            other => {
                let reason = format!("expected lists of numbers, got lists of {other}");
                Err(fault(&self.path, name, reason, DAMAGED))
            }
        }
    }

    /// Lists of UTF-8 texts, one a row.
    ///
    /// # Errors
    /// As [`Columns::integers`].
    pub fn text_lists(&self, name: &str) -> Result<Vec<Vec<String>>> {
        let (index, physical) = self.any_leaf(name)?;
        if physical != Type::BYTE_ARRAY {
            let reason = format!("expected lists of texts, got lists of {physical}");
            return Err(fault(&self.path, name, reason, DAMAGED));
        }
        self.ragged::<ByteArrayType, String>(name, index, |value| {
            String::from_utf8_lossy(value.data()).into_owned()
        })
    }

    /// Names of all columns, in the file's order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let mut names: Vec<String> = Vec::new();
        for column in schema.columns() {
            if let Some(name) = column.path().parts().first()
                && names.last() != Some(name)
            {
                names.push(name.clone());
            }
        }
        names
    }

    /// The first leaf of a column, whatever it is.
    fn any_leaf(&self, name: &str) -> Result<(usize, Type)> {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let found = schema
            .columns()
            .iter()
            .position(|column| column.path().parts().first().is_some_and(|it| it == name));
        let Some(index) = found else {
            let reason = "expected this column, got none".to_string();
            return Err(fault(&self.path, name, reason, DAMAGED));
        };
        Ok((index, schema.column(index).physical_type()))
    }

    /// Rows of lists; a row without values is an empty list.
    fn ragged<T: DataType, V>(
        &self,
        name: &str,
        index: usize,
        value: impl Fn(&T::T) -> V,
    ) -> Result<Vec<Vec<V>>> {
        let fail = |e: ParquetError| damaged(&self.path, name, &e);
        guarded(&self.path, name, || {
            let mut all: Vec<Vec<V>> = Vec::new();
            for group in 0..self.reader.num_row_groups() {
                let group = self.reader.get_row_group(group).map_err(fail)?;
                let rows = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
                let pages = group.get_column_page_reader(index).map_err(fail)?;
                let pages = CheckedPages::new(pages, rows.saturating_mul(MAX_LIST));
                let column = group.metadata().column(index).column_descr_ptr();
                let (full, nested) = (column.max_def_level(), column.max_rep_level() > 0);
                let reader = get_column_reader(column, Box::new(pages));
                let mut reader = get_typed_column_reader::<T>(reader);
                let (mut values, mut defs, mut reps) = (Vec::new(), Vec::new(), Vec::new());
                reader
                    .read_records(
                        rows,
                        (full > 0).then_some(&mut defs),
                        nested.then_some(&mut reps),
                        &mut values,
                    )
                    .map_err(fail)?;
                let mut given = values.iter();
                let slots = defs.len().max(values.len());
                for slot in 0..slots {
                    if !nested || reps.get(slot) == Some(&0) {
                        all.push(Vec::new());
                    }
                    if (full == 0 || defs.get(slot) == Some(&full))
                        && let (Some(row), Some(one)) = (all.last_mut(), given.next())
                    {
                        row.push(value(one));
                    }
                }
            }
            if all.len() == self.rows {
                return Ok(all);
            }
            let reason = format!("expected {} rows, got {}", self.rows, all.len());
            Err(fault(&self.path, name, reason, DAMAGED))
        })
    }

    fn bytes(&self, leaf: Leaf<'_>, each: EachRow<'_, u8>) -> Result<()> {
        self.visit::<ByteArrayType>(leaf, &mut |row, values| {
            values
                .iter()
                .try_for_each(|value: &ByteArray| each(row, value.data()))
        })
    }

    /// The column `name`, below which `parts` lead to the values. A list has any inner names.
    fn leaf<'a>(
        &self,
        name: &'a str,
        parts: &[&str],
        width: usize,
        types: &[Type],
    ) -> Result<Leaf<'a>> {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let found = schema.columns().iter().enumerate().find(|(_, column)| {
            let path = column.path().parts();
            let is_list = column.max_rep_level() == 1;
            path.first().is_some_and(|first| first == name)
                && column.max_rep_level() <= 1
                && (is_list && parts.is_empty() || !is_list && path[1..] == *parts)
        });
        let Some((index, column)) = found else {
            let names: Vec<&str> = schema
                .columns()
                .iter()
                .filter_map(|column| column.path().parts().first())
                .map(String::as_str)
                .take(100)
                .collect();
            let reason = format!("expected this column, got only {names:?}");
            return Err(fault(&self.path, name, reason, DAMAGED));
        };
        let physical = column.physical_type();
        let is_list = column.max_rep_level() == 1;
        if !types.contains(&physical) || (!is_list && width > 1) {
            let list = if is_list { "lists of " } else { "" };
            let reason = format!("expected {width} of {types:?} a row, got {list}{physical}");
            return Err(fault(&self.path, name, reason, DAMAGED));
        }
        Ok(Leaf {
            name,
            index,
            width,
            physical,
        })
    }

    /// Calls `each` with row and values of every row of a column.
    fn visit<T: DataType>(&self, leaf: Leaf<'_>, each: EachRow<'_, T::T>) -> Result<()> {
        guarded(&self.path, leaf.name, || {
            let mut first = 0;
            for group in 0..self.reader.num_row_groups() {
                first += self.visit_group::<T>(leaf, group, first, each)?;
            }
            Ok(())
        })
    }

    /// The same for one row group, whose first row is `first`; returns its rows.
    fn visit_group<T: DataType>(
        &self,
        leaf: Leaf<'_>,
        group: usize,
        first: usize,
        each: EachRow<'_, T::T>,
    ) -> Result<usize> {
        let fail = |e: ParquetError| damaged(&self.path, leaf.name, &e);
        let group = self.reader.get_row_group(group).map_err(fail)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
        let (mut done, end) = (
            self.window.start.saturating_sub(first).min(rows),
            self.window.end.saturating_sub(first).min(rows),
        );
        if done >= end {
            return Ok(rows);
        }
        let width = leaf.width;
        let pages = group.get_column_page_reader(leaf.index).map_err(fail)?;
        let pages = CheckedPages::new(pages, rows.saturating_mul(width));
        let column = group.metadata().column(leaf.index).column_descr_ptr();
        let (max_def, max_rep) = (column.max_def_level(), column.max_rep_level());
        let mut reader = get_typed_column_reader::<T>(get_column_reader(column, Box::new(pages)));
        if done > 0 && reader.skip_records(done).map_err(fail)? != done {
            let reason = format!("expected {rows} rows, got less than {done}");
            return Err(fault(&self.path, leaf.name, reason, DAMAGED));
        }
        let (mut values, mut defs, mut reps) = (Vec::new(), Vec::new(), Vec::new());
        while done < end {
            values.clear();
            defs.clear();
            reps.clear();
            let (records, _, _) = reader
                .read_records(
                    BATCH.min(end - done),
                    (max_def > 0).then_some(&mut defs),
                    (max_rep > 0).then_some(&mut reps),
                    &mut values,
                )
                .map_err(fail)?;
            let whole = max_rep == 0
                || reps.len() == values.len()
                    && (reps.iter().enumerate()).all(|(i, rep)| (*rep == 0) == (i % width == 0));
            if records == 0 || values.len() != records * width || !whole {
                let reason = format!(
                    "expected {end} rows of {width} values without gaps, got {} in {records}",
                    values.len()
                );
                let place = format!("{}, rows from {}", leaf.name, first + done);
                return Err(fault(&self.path, place, reason, DAMAGED));
            }
            for (i, row) in values.chunks_exact(width).enumerate() {
                each(first + done + i, row)?;
            }
            done += records;
        }
        Ok(rows)
    }
}

/// The last eight bytes: the footer's length, which must lie in the file, and a mark.
fn check_footer(path: &Path, mut file: &File, size: u64) -> Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    let fail = |reason: String| Err(fault(path, "(footer)", reason, DAMAGED));
    if size < 12 {
        return fail(format!("expected a parquet file, got {size} bytes"));
    }
    let mut end = [0_u8; 8];
    file.seek(SeekFrom::End(-8))
        .map_err(RecorderError::io(path))?;
    file.read_exact(&mut end).map_err(RecorderError::io(path))?;
    file.rewind().map_err(RecorderError::io(path))?;
    let [a, b, c, d, mark @ ..] = end;
    if mark != *b"PAR1" {
        return fail("expected the mark PAR1 at the end, got something else".to_string());
    }
    let length = u32::from_le_bytes([a, b, c, d]);
    if length > MAX_FOOTER_BYTES || u64::from(length) + 12 > size {
        let most = u64::from(MAX_FOOTER_BYTES).min(size - 12);
        return fail(format!("expected at most {most} bytes, got {length}"));
    }
    Ok(())
}

fn damaged(path: &Path, place: &str, error: &ParquetError) -> RecorderError {
    fault(path, place, error.to_string(), DAMAGED)
}

/// Runs the decoder; its panic is an error of the file.
fn guarded<T>(path: &Path, place: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
    // Nothing that `run` changes is read after a panic: the whole file is given up.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let reason = "the decoder could not make sense of it".to_string();
        Err(fault(path, place, reason, DAMAGED))
    })
}
