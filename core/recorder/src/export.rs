//! Copies episodes into a new data set.
//!
//! Rows are copied column by column with the levels they have, so that columns
//! nobody here knows come along, and no value changes but the numbers that place
//! an episode.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use parquet::{
    basic::{Compression, Type},
    column::reader::{get_column_reader, get_typed_column_reader},
    data_type::{BoolType, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        reader::{FileReader, SerializedFileReader},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
};
use serde::Serialize;
use serde_json::json;

use crate::{
    Columns, EpisodeListing, Language, RecorderError, Result,
    columns::MAX_LIST,
    data_set::{DataSet, file_hash, layout_path, stats_rows, write_stats},
    error::{DAMAGED, fault},
    folder::{Force, Numbered, numbered, place, write_whole},
    info::{Totals, info_json, info_path, read_text, write_json},
    listing::{known_info, list},
    pages::CheckedPages,
    statistics::{Stats, add_stats},
    stream_reader::read_stream,
};

/// Which episodes are copied; everything that is asked for must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Their numbers; none: all.
    pub episodes: Option<Vec<usize>>,
    /// Only those in which this one was in control for a part.
    pub who: Option<String>,
    /// Only those whose goal was reached.
    pub successful: bool,
}

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    /// Episodes.
    pub episodes: usize,
    /// Frames.
    pub frames: usize,
}

/// Copies the selected episodes of a data set into a new folder.
///
/// # Errors
/// When nothing is selected, the folder has a data set already, pictures are
/// video, or files are damaged.
pub fn export(from: &Path, to: &Path, selection: &Selection) -> Result<ExportReport> {
    let info = known_info(from)?;
    check_free(to)?;
    if let Some(video) = info.of_type("video").next() {
        let reason = format!("`{video}` is video, which is not copied");
        return Err(RecorderError::Nothing {
            path: from.to_owned(),
            reason,
            help: "export data sets with pictures (dtype `image`)",
        });
    }
    let chosen = chosen(from, selection)?;
    let mut report = ExportReport::default();
    let mut all = Stats::new();
    for episode in &chosen {
        add_stats(&mut all, &copy_episode(to, episode, &report)?);
        report.episodes += 1;
        report.frames += episode.frames;
    }
    for name in ["meta/tasks.parquet", "meta/subtasks.parquet"] {
        let source = from.join(name);
        if source.exists() {
            fs::copy(&source, to.join(name)).map_err(RecorderError::io(&source))?;
        }
    }
    if let Some(layout) = read_text(&layout_path(from))? {
        let layout = serde_json::from_str(&layout).unwrap_or_default();
        write_json(&layout_path(to), &layout, Force::No)?;
    }
    write_stats(to, &all)?;
    // As many as were copied: a robot that records meanwhile may have added some.
    let sentences = to.join("meta/tasks.parquet");
    let tasks = if sentences.exists() {
        Columns::open(&sentences)?.rows()
    } else {
        info.total_tasks
    };
    let totals = Totals {
        episodes: report.episodes,
        frames: report.frames,
        tasks,
    };
    let features = json!(info.features);
    let robot = info.robot_type.as_deref();
    let written = info_json(robot, &json!(info.fps), totals, &features);
    write_json(&info_path(to), &written, Force::Yes)?;
    Ok(report)
}

/// Makes a new data set of streams.
///
/// # Errors
/// When there is none, one is damaged from its beginning, or they differ.
pub fn export_streams(streams: &[PathBuf], to: &Path, language: Language) -> Result<ExportReport> {
    check_free(to)?;
    let mut set: Option<DataSet> = None;
    let mut report = ExportReport::default();
    for path in streams {
        let episode = read_stream(path)?;
        let set = match &mut set {
            Some(set) => set,
            None => set.insert(DataSet::open(to, &episode.layout, language)?),
        };
        if set.append(&episode)?.is_some() {
            report.episodes += 1;
            report.frames += episode.kept();
        }
    }
    if report.episodes > 0 {
        return Ok(report);
    }
    Err(RecorderError::Nothing {
        path: to.to_owned(),
        reason: "no stream has a frame".to_owned(),
        help: "name .mcap files of recordings",
    })
}

fn check_free(to: &Path) -> Result<()> {
    if !info_path(to).exists() && !to.join("data").exists() {
        return Ok(());
    }
    Err(RecorderError::Nothing {
        path: to.to_owned(),
        reason: "there is a data set already".to_owned(),
        help: "name a folder that does not exist yet",
    })
}

fn chosen(from: &Path, selection: &Selection) -> Result<Vec<EpisodeListing>> {
    let all = list(from)?;
    if let Some(wrong) = selection
        .episodes
        .iter()
        .flatten()
        .find(|number| **number >= all.len())
    {
        return Err(RecorderError::Nothing {
            path: from.to_owned(),
            reason: format!("expected episodes below {}, got {wrong}", all.len()),
            help: "`vola dataset show` lists them",
        });
    }
    let is_wanted = |episode: &EpisodeListing| {
        let facts = episode.facts.as_ref();
        let by = |who: &String| facts.is_some_and(|facts| facts.who.contains_key(who));
        selection
            .episodes
            .as_ref()
            .is_none_or(|numbers| numbers.contains(&episode.episode))
            && selection.who.as_ref().is_none_or(by)
            && (!selection.successful || facts.is_some_and(|facts| facts.success))
    };
    let chosen: Vec<EpisodeListing> = all.into_iter().filter(is_wanted).collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    Err(RecorderError::Nothing {
        path: from.to_owned(),
        reason: "no episode is selected".to_owned(),
        help: "`vola dataset show` lists what there is",
    })
}

/// Copies one episode behind those before it; its statistics.
fn copy_episode(to: &Path, episode: &EpisodeListing, before: &ExportReport) -> Result<Stats> {
    let whole = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
    let number = before.episodes;
    let rows = episode.place.first_row..episode.place.first_row + episode.frames;
    let index = (0..episode.frames).map(|i| whole(before.frames + i));
    let data = numbered(to, Numbered::Data, number);
    let placed = BTreeMap::from([
        ("index", index.collect()),
        ("episode_index", vec![whole(number); episode.frames]),
    ]);
    copy_rows(&episode.place.data, rows, &data, &placed)?;
    let (chunk, file) = place(number);
    let placed = BTreeMap::from([
        ("episode_index", vec![whole(number)]),
        ("data/chunk_index", vec![whole(chunk)]),
        ("data/file_index", vec![whole(file)]),
        ("dataset_from_index", vec![whole(before.frames)]),
        (
            "dataset_to_index",
            vec![whole(before.frames + episode.frames)],
        ),
        ("meta/episodes/chunk_index", vec![whole(chunk)]),
        ("meta/episodes/file_index", vec![whole(file)]),
    ]);
    let (meta, row) = &episode.place.meta;
    let path = numbered(to, Numbered::Episodes, number);
    copy_rows(meta, *row..row + 1, &path, &placed)?;
    if let Some(facts) = &episode.facts {
        let mut facts = facts.clone();
        facts.episode = number;
        facts.blake3 = file_hash(&data)?;
        write_json(
            &numbered(to, Numbered::Facts, number),
            &json!(facts),
            Force::No,
        )?;
    }
    let mut stats = stats_rows(&Columns::open(&path)?)?;
    Ok(stats.pop().unwrap_or_default())
}

/// Copies rows of a parquet file; whole-number columns named in `placed` get new
/// values, one a row.
fn copy_rows(
    from: &Path,
    rows: Range<usize>,
    to: &Path,
    placed: &BTreeMap<&str, Vec<i64>>,
) -> Result<()> {
    // Reads the footer with all its checks.
    let checked = Columns::open(from)?;
    if checked.rows() < rows.end {
        let reason = format!("expected {} rows, got {}", rows.end, checked.rows());
        return Err(fault(from, "rows", reason, DAMAGED));
    }
    let file = File::open(from).map_err(RecorderError::io(from))?;
    let damaged = |error: ParquetError| fault(from, "(copying)", error.to_string(), DAMAGED);
    let reader = SerializedFileReader::new(file).map_err(damaged)?;
    let about = reader.metadata().file_metadata();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("vola ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(about.key_value_metadata().cloned())
        .build();
    let schema = about.schema_descr().root_schema_ptr();
    write_whole(to, Force::Yes, |file| {
        let copy = || -> std::result::Result<(), ParquetError> {
            let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
            let mut group = writer.next_row_group()?;
            for column in 0..about.schema_descr().num_columns() {
                copy_column(&reader, column, &rows, &mut group, placed)?;
            }
            group.close()?;
            writer.close()?;
            Ok(())
        };
        copy().map_err(damaged)
    })
}

type Done = std::result::Result<(), ParquetError>;
type Group<'a, 'f> = SerializedRowGroupWriter<'a, &'f mut File>;

fn copy_column(
    reader: &SerializedFileReader<File>,
    column: usize,
    rows: &Range<usize>,
    group: &mut Group<'_, '_>,
    placed: &BTreeMap<&str, Vec<i64>>,
) -> Done {
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let leaf = schema.column(column);
    let name = leaf.path().parts().first().cloned().unwrap_or_default();
    let new = placed.get(name.as_str());
    match leaf.physical_type() {
        Type::BOOLEAN => copy_leaf::<BoolType>(reader, column, rows, group, None),
        Type::INT32 => copy_leaf::<Int32Type>(reader, column, rows, group, None),
        Type::INT64 => copy_leaf::<Int64Type>(reader, column, rows, group, new),
        Type::FLOAT => copy_leaf::<FloatType>(reader, column, rows, group, None),
        Type::DOUBLE => copy_leaf::<DoubleType>(reader, column, rows, group, None),
        Type::BYTE_ARRAY => copy_leaf::<ByteArrayType>(reader, column, rows, group, None),
        other => Err(ParquetError::General(format!(
            "column `{name}`: values of type {other} are not copied"
        ))),
    }
}

/// Copies the part of a leaf that belongs to the rows.
fn copy_leaf<T: DataType>(
    reader: &SerializedFileReader<File>,
    column: usize,
    rows: &Range<usize>,
    group: &mut Group<'_, '_>,
    new: Option<&Vec<T::T>>,
) -> Done {
    let (mut values, mut defs, mut reps) = (Vec::new(), Vec::new(), Vec::new());
    let (mut first, mut levels) = (0, (0, 0));
    for number in 0..reader.num_row_groups() {
        let source = reader.get_row_group(number)?;
        let count = usize::try_from(source.metadata().num_rows()).unwrap_or_default();
        let own = rows.start.max(first)..rows.end.min(first + count);
        let about = source.metadata().column(column).column_descr_ptr();
        levels = (about.max_def_level(), about.max_rep_level());
        if own.start < own.end {
            let pages = source.get_column_page_reader(column)?;
            let pages = CheckedPages::new(pages, count.saturating_mul(MAX_LIST));
            let leaf = get_column_reader(about, Box::new(pages));
            let mut leaf = get_typed_column_reader::<T>(leaf);
            leaf.skip_records(own.start - first)?;
            let mut left = own.len();
            while left > 0 {
                let (records, _, _) = leaf.read_records(
                    left,
                    (levels.0 > 0).then_some(&mut defs),
                    (levels.1 > 0).then_some(&mut reps),
                    &mut values,
                )?;
                if records == 0 {
                    return Err(ParquetError::General("rows are missing".to_owned()));
                }
                left -= records;
            }
        }
        first += count;
    }
    let values = match new {
        Some(new) if new.len() == values.len() => new,
        _ => &values,
    };
    let Some(mut writer) = group.next_column()? else {
        return Err(ParquetError::General("more columns than fields".to_owned()));
    };
    writer.typed::<T>().write_batch(
        values,
        (levels.0 > 0).then_some(&defs),
        (levels.1 > 0).then_some(&reps),
    )?;
    writer.close()
}
