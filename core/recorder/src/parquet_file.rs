//! Writes parquet files column by column, in the shapes that LeRobot reads.

use std::{fs::File, path::Path, sync::Arc};

use parquet::{
    basic::Compression,
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};

use crate::{
    Result,
    error::fault,
    folder::{Force, write_whole},
    stream_reader::Picture,
};

/// The values of one column, a row each.
pub(crate) enum Values<'a> {
    Integers(Vec<i64>),
    Float(Vec<f32>),
    Flags(Vec<bool>),
    Texts(Vec<String>),
    /// Lists of texts.
    TextLists(Vec<Vec<String>>),
    /// Lists of this width, flat.
    Floats(usize, Vec<f32>),
    /// Lists of any length.
    Doubles(Vec<Vec<f64>>),
    /// Lists of whole numbers.
    IntegerLists(Vec<Vec<i64>>),
    /// `[channels, 1, 1]` of each row.
    ChannelDoubles(Vec<Vec<f64>>),
    /// PNGs, embedded.
    Pictures(Vec<&'a Picture>),
    /// LeRobot's language rows that last until another of their style.
    Persistent(Vec<Arc<Vec<LanguageRow>>>),
    /// LeRobot's language rows of one moment.
    Moments(Vec<Vec<LanguageRow>>),
}

/// One row of a language column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LanguageRow {
    pub(crate) role: &'static str,
    pub(crate) content: String,
    /// None only among moments.
    pub(crate) style: Option<&'static str>,
    /// Since the episode began (s); not written for moments.
    pub(crate) time_s: f32,
}

/// A column with its name.
pub(crate) type Column<'a> = (String, Values<'a>);

/// Writes a file with one row group, whole or not at all. `notes` are key-value
/// metadata.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_parquet(
    path: &Path,
    columns: &[Column<'_>],
    notes: Vec<(String, String)>,
    force: Force,
) -> Result<()> {
    let notes = notes
        .into_iter()
        .map(|(key, value)| KeyValue::new(key, value))
        .collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("vola ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(notes))
        .build();
    write_whole(path, force, |file| {
        write_columns(file, columns, properties).map_err(|error| {
            let help = "see whether the disk is full";
            fault(path, "(writing)", error.to_string(), help)
        })
    })
}

fn write_columns(
    file: &mut File,
    columns: &[Column<'_>],
    properties: WriterProperties,
) -> std::result::Result<(), ParquetError> {
    let fields: String = columns
        .iter()
        .map(|(name, values)| values.field(name))
        .collect();
    let schema = Arc::new(parse_message_type(&format!(
        "message schema {{ {fields} }}"
    ))?);
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (_, values) in columns {
        values.write(&mut group)?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

const PERSISTENT_TIME: &str = "REQUIRED FLOAT timestamp;";

impl Values<'_> {
    /// The column in the schema's language.
    fn field(&self, name: &str) -> String {
        let list = |element: &str| {
            format!(
                "OPTIONAL group {name} (LIST) {{ REPEATED group list {{ OPTIONAL {element} }} }}"
            )
        };
        let language = |time: &str| {
            list(&format!(
                "group element {{ REQUIRED BYTE_ARRAY role (UTF8); OPTIONAL BYTE_ARRAY content (UTF8); \
                 OPTIONAL BYTE_ARRAY style (UTF8); {time} OPTIONAL BYTE_ARRAY camera (UTF8); \
                 OPTIONAL group tool_calls (LIST) {{ REPEATED group list {{ OPTIONAL BYTE_ARRAY element (UTF8); }} }} }}"
            ))
        };
        match self {
            Self::Integers(_) => format!("OPTIONAL INT64 {name};"),
            Self::Float(_) => format!("OPTIONAL FLOAT {name};"),
            Self::Flags(_) => format!("OPTIONAL BOOLEAN {name};"),
            Self::Texts(_) => format!("OPTIONAL BYTE_ARRAY {name} (UTF8);"),
            Self::TextLists(_) => list("BYTE_ARRAY element (UTF8);"),
            Self::Floats(..) => list("FLOAT element;"),
            Self::Doubles(_) => list("DOUBLE element;"),
            Self::IntegerLists(_) => list("INT64 element;"),
            Self::ChannelDoubles(_) => list(
                "group element (LIST) { REPEATED group list { OPTIONAL group element (LIST) \
                 { REPEATED group list { OPTIONAL DOUBLE element; } } } }",
            ),
            Self::Pictures(_) => format!(
                "OPTIONAL group {name} {{ OPTIONAL BYTE_ARRAY bytes; OPTIONAL BYTE_ARRAY path (UTF8); }}"
            ),
            Self::Persistent(_) => language(PERSISTENT_TIME),
            Self::Moments(_) => language(""),
        }
    }

    fn write(&self, group: &mut Group<'_, '_>) -> Done {
        let bytes = |text: &String| ByteArray::from(text.as_str());
        match self {
            Self::Integers(list) => plain::<Int64Type>(group, list, 1),
            Self::Float(list) => plain::<FloatType>(group, list, 1),
            Self::Flags(list) => plain::<BoolType>(group, list, 1),
            Self::Texts(list) => {
                let list: Vec<ByteArray> = list.iter().map(bytes).collect();
                plain::<ByteArrayType>(group, &list, 1)
            }
            Self::TextLists(rows) => {
                let rows: Vec<Vec<ByteArray>> = rows
                    .iter()
                    .map(|row| row.iter().map(bytes).collect())
                    .collect();
                lists::<ByteArrayType>(group, &rows)
            }
            Self::Floats(width, list) => {
                let starts: Vec<i16> = (0..list.len())
                    .map(|i| i16::from(i % (*width).max(1) != 0))
                    .collect();
                leaf::<FloatType>(group, list, &vec![3; list.len()], &starts)
            }
            Self::Doubles(rows) => lists::<DoubleType>(group, rows),
            Self::IntegerLists(rows) => lists::<Int64Type>(group, rows),
            Self::ChannelDoubles(rows) => {
                let values: Vec<f64> = rows.iter().flatten().copied().collect();
                let starts: Vec<i16> = rows
                    .iter()
                    .flat_map(|row| (0..row.len()).map(|i| i16::from(i != 0)))
                    .collect();
                leaf::<DoubleType>(group, &values, &vec![7; values.len()], &starts)
            }
            Self::Pictures(list) => {
                let pictures: Vec<ByteArray> = list
                    .iter()
                    .map(|picture| ByteArray::from(picture.to_vec()))
                    .collect();
                plain::<ByteArrayType>(group, &pictures, 2)?;
                // No path: the picture is embedded.
                leaf::<ByteArrayType>(group, &[], &vec![1; list.len()], &[])
            }
            Self::Persistent(rows) => {
                let rows: Vec<&[LanguageRow]> = rows.iter().map(|row| row.as_slice()).collect();
                language(group, &rows, Lasting::Yes)
            }
            Self::Moments(rows) => {
                let rows: Vec<&[LanguageRow]> = rows.iter().map(Vec::as_slice).collect();
                language(group, &rows, Lasting::No)
            }
        }
    }
}

type Group<'a, 'f> = SerializedRowGroupWriter<'a, &'f mut File>;
type Done = std::result::Result<(), ParquetError>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lasting {
    Yes,
    No,
}

/// One value a row, at its full definition level.
fn plain<T: DataType>(group: &mut Group<'_, '_>, values: &[T::T], level: i16) -> Done {
    leaf::<T>(group, values, &vec![level; values.len()], &[])
}

/// A list a row; an empty one is an empty list.
fn lists<T: DataType>(group: &mut Group<'_, '_>, rows: &[Vec<T::T>]) -> Done {
    let (mut values, mut defs, mut reps) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        if row.is_empty() {
            defs.push(1);
            reps.push(0);
        }
        for (i, value) in row.iter().enumerate() {
            values.push(value.clone());
            defs.push(3);
            reps.push(i16::from(i != 0));
        }
    }
    leaf::<T>(group, &values, &defs, &reps)
}

/// One leaf column with its levels; no repetitions where nothing repeats.
fn leaf<T: DataType>(
    group: &mut Group<'_, '_>,
    values: &[T::T],
    defs: &[i16],
    reps: &[i16],
) -> Done {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("more columns than fields".to_owned()));
    };
    let reps = (!reps.is_empty()).then_some(reps);
    column.typed::<T>().write_batch(values, Some(defs), reps)?;
    column.close()
}

/// The leaves of a language column: role, content, style, time, camera, tools.
fn language(group: &mut Group<'_, '_>, rows: &[&[LanguageRow]], lasting: Lasting) -> Done {
    let (mut present, mut missing, mut reps, mut styles) = (vec![], vec![], vec![], vec![]);
    let mut flat = Vec::new();
    for row in rows {
        if row.is_empty() {
            // The list is there, and empty.
            present.push([1, 1]);
            styles.push(1);
            missing.push(1);
            reps.push(0);
        }
        for (i, one) in row.iter().enumerate() {
            // A required field of an element that is there, an optional one.
            present.push([3, 4]);
            styles.push(if one.style.is_some() { 4 } else { 3 });
            missing.push(3);
            reps.push(i16::from(i != 0));
            flat.push(one);
        }
    }
    let required: Vec<i16> = present.iter().map(|[required, _]| *required).collect();
    let optional: Vec<i16> = present.iter().map(|[_, optional]| *optional).collect();
    let roles: Vec<ByteArray> = flat.iter().map(|one| one.role.into()).collect();
    let contents: Vec<ByteArray> = flat.iter().map(|one| one.content.as_str().into()).collect();
    let named: Vec<ByteArray> = flat
        .iter()
        .filter_map(|one| one.style.map(Into::into))
        .collect();
    leaf::<ByteArrayType>(group, &roles, &required, &reps)?;
    leaf::<ByteArrayType>(group, &contents, &optional, &reps)?;
    leaf::<ByteArrayType>(group, &named, &styles, &reps)?;
    if lasting == Lasting::Yes {
        let times: Vec<f32> = flat.iter().map(|one| one.time_s).collect();
        leaf::<FloatType>(group, &times, &required, &reps)?;
    }
    leaf::<ByteArrayType>(group, &[], &missing, &reps)?;
    leaf::<ByteArrayType>(group, &[], &missing, &reps)
}
