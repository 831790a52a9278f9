//! Small LeRobot folders, written column by column so that tests can damage any of them.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, FloatType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::{Value, json};

/// Frames of the two episodes.
const FRAMES: [usize; 2] = [6, 5];
/// Rows and columns of the pictures (px).
const SIZE: [usize; 2] = [24, 32];

/// The values of one column.
#[derive(Clone)]
pub(crate) enum Values {
    Integers(Vec<i64>),
    /// Lists of this width.
    Floats(usize, Vec<f32>),
    Float(Vec<f32>),
    Flags(Vec<bool>),
    Texts(Vec<String>),
    Pictures(Vec<Vec<u8>>),
}

/// A data set of two episodes that is good until a test changes it.
pub(crate) struct Folder {
    pub(crate) info: Value,
    pub(crate) data: Vec<(&'static str, Values)>,
    pub(crate) episodes: Vec<(&'static str, Values)>,
    pub(crate) tasks: Vec<(&'static str, Values)>,
}

impl Folder {
    pub(crate) fn good() -> Self {
        let total: usize = FRAMES.iter().sum();
        let count = |list: &mut dyn Iterator<Item = usize>| {
            Values::Integers(list.map(|x| x as i64).collect())
        };
        let episode = |row: usize| usize::from(row >= FRAMES[0]);
        let frame = |row: usize| row - episode(row) * FRAMES[0];
        let state = |row: usize| {
            [
                0.4 + 0.01 * row as f32,
                0.0,
                0.2,
                1.0,
                0.0,
                0.0,
                -1.0,
                1.0,
                1.0,
            ]
        };
        let action = |row: usize| [0.01, 0.0, 0.0, 0.0, 0.0, 0.1, (row % 2) as f32];
        Self {
            info: json!({
                "codebase_version": "v3.0", "robot_type": "tabletop/ur5e", "fps": 10,
                "total_episodes": 2, "total_frames": total, "total_tasks": 2, "unknown": [1],
                "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
                "features": {
                    "observation.state": {"dtype": "float32", "shape": [9], "names": vola_train::STATE_NAMES},
                    "action": {"dtype": "float32", "shape": [7], "names": {"motors": vola_train::ACTION_NAMES}},
                    "observation.images.front": {"dtype": "image", "shape": [SIZE[0], SIZE[1], 3], "names": null},
                },
            }),
            data: vec![
                (
                    "observation.state",
                    Values::Floats(9, (0..total).flat_map(state).collect()),
                ),
                (
                    "action",
                    Values::Floats(7, (0..total).flat_map(action).collect()),
                ),
                (
                    "observation.images.front",
                    Values::Pictures((0..total).map(picture).collect()),
                ),
                (
                    "timestamp",
                    Values::Float((0..total).map(|row| frame(row) as f32 / 10.0).collect()),
                ),
                ("frame_index", count(&mut (0..total).map(frame))),
                ("episode_index", count(&mut (0..total).map(episode))),
                ("index", count(&mut (0..total))),
                ("task_index", count(&mut (0..total).map(episode))),
            ],
            episodes: vec![
                ("episode_index", count(&mut [0, 1].into_iter())),
                ("length", count(&mut FRAMES.into_iter())),
                ("data/chunk_index", count(&mut [0, 0].into_iter())),
                ("data/file_index", count(&mut [0, 0].into_iter())),
                ("dataset_from_index", count(&mut [0, FRAMES[0]].into_iter())),
                (
                    "dataset_to_index",
                    count(&mut [FRAMES[0], total].into_iter()),
                ),
            ],
            tasks: vec![
                ("task_index", count(&mut [1, 0].into_iter())),
                (
                    "task",
                    Values::Texts(vec![
                        "fold the towel".into(),
                        "pick up the red block".into(),
                    ]),
                ),
            ],
        }
    }

    /// The values of a column of the data file.
    pub(crate) fn column(&mut self, name: &str) -> &mut Values {
        let found = self.data.iter_mut().find(|(known, _)| *known == name);
        &mut found.unwrap().1
    }

    pub(crate) fn write(&self, folder: &Path) {
        let file = |name: &str, columns: &[(&str, Values)]| {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            write_parquet(&path, columns);
        };
        file("meta/tasks.parquet", &self.tasks);
        file("meta/episodes/chunk-000/file-000.parquet", &self.episodes);
        file("data/chunk-000/file-000.parquet", &self.data);
        std::fs::write(folder.join("meta/info.json"), self.info.to_string()).unwrap();
    }
}

/// A PNG with some structure.
pub(crate) fn picture(row: usize) -> Vec<u8> {
    let pixels = (0..SIZE[0] * SIZE[1] * 3).map(|i| (i * 7 + row * 31) as u8);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE[1] as u32, SIZE[0] as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer
        .write_image_data(&pixels.collect::<Vec<u8>>())
        .unwrap();
    writer.finish().unwrap();
    bytes
}

fn write_parquet(path: &Path, columns: &[(&str, Values)]) {
    let fields: String = columns
        .iter()
        .map(|(name, values)| match values {
            Values::Integers(_) => format!("OPTIONAL INT64 {name};"),
            Values::Float(_) => format!("OPTIONAL FLOAT {name};"),
            Values::Flags(_) => format!("OPTIONAL BOOLEAN {name};"),
            Values::Texts(_) => format!("OPTIONAL BYTE_ARRAY {name} (UTF8);"),
            Values::Floats(..) => format!(
                "OPTIONAL group {name} (LIST) {{ REPEATED group list {{ OPTIONAL FLOAT element; }} }}"
            ),
            Values::Pictures(_) => format!("OPTIONAL group {name} {{ OPTIONAL BYTE_ARRAY bytes; }}"),
        })
        .collect();
    let schema = Arc::new(parse_message_type(&format!("message schema {{ {fields} }}")).unwrap());
    let properties = WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (_, values) in columns {
        let mut column = group.next_column().unwrap().unwrap();
        let ones = |count: usize, level: i16| vec![level; count];
        match values {
            Values::Integers(list) => {
                let typed = column.typed::<Int64Type>();
                typed
                    .write_batch(list, Some(&ones(list.len(), 1)), None)
                    .unwrap();
            }
            Values::Float(list) => {
                let typed = column.typed::<FloatType>();
                typed
                    .write_batch(list, Some(&ones(list.len(), 1)), None)
                    .unwrap();
            }
            Values::Flags(list) => {
                let typed = column.typed::<BoolType>();
                typed
                    .write_batch(list, Some(&ones(list.len(), 1)), None)
                    .unwrap();
            }
            Values::Texts(list) => {
                let list: Vec<ByteArray> = list.iter().map(|t| t.as_str().into()).collect();
                let typed = column.typed::<ByteArrayType>();
                typed
                    .write_batch(&list, Some(&ones(list.len(), 1)), None)
                    .unwrap();
            }
            Values::Floats(width, list) => {
                let reps: Vec<i16> = (0..list.len()).map(|i| i16::from(i % width != 0)).collect();
                let typed = column.typed::<FloatType>();
                typed
                    .write_batch(list, Some(&ones(list.len(), 3)), Some(&reps))
                    .unwrap();
            }
            Values::Pictures(list) => {
                let list: Vec<ByteArray> = list.iter().map(|b| b.clone().into()).collect();
                let typed = column.typed::<ByteArrayType>();
                typed
                    .write_batch(&list, Some(&ones(list.len(), 2)), None)
                    .unwrap();
            }
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}
