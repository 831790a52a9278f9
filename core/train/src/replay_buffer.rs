//! Examples for the fine-tuning of heads, on disk: what people corrected, and what must not be
//! forgotten.
//!
//! An example is what a head reads and what it should say. Encoders and fusion are frozen while a head
//! is fine-tuned, so what they made of a picture is kept instead of the picture: some kilobytes less
//! a frame, and no second pass. It belongs to the weights that made it; shards of other weights are
//! passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use safetensors::{Dtype, tensor::TensorView};
use serde::{Deserialize, Serialize};
use vola_bundle::read_safetensors;

use crate::shard_writer::write_whole;
use crate::{Result, TrainError};

const INDEX: &str = "index.json";
const FORMAT: u32 = 1;
/// Tensor with the number of each example's episode.
const EPISODE: &str = "episode";
const DAMAGED: &str =
    "the replay buffer is damaged: delete its folder, and adapt from the recordings again";

/// Why an example is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExampleKind {
    /// A person did it: a correction or a demonstration.
    Correction,
    /// The policy did it well, and is to go on doing so.
    Old,
}

/// Examples in memory: rows of named tensors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExampleSet {
    episodes: Vec<u64>,
    tensors: BTreeMap<String, Column>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Column {
    sizes: Vec<usize>,
    values: Vec<f32>,
}

impl ExampleSet {
    /// Number of examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.episodes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.episodes.is_empty()
    }

    /// The episode of each example.
    #[must_use]
    pub fn episodes(&self) -> &[u64] {
        &self.episodes
    }

    /// Adds an example: tensors by name, each with the sizes of one row.
    ///
    /// # Errors
    /// In words: other names or sizes than before, or a number that is not finite.
    pub fn push(
        &mut self,
        episode: u64,
        row: &[(String, Vec<usize>, Vec<f32>)],
    ) -> std::result::Result<(), String> {
        let is_first = self.is_empty();
        if !is_first && row.len() != self.tensors.len() {
            return Err(format!(
                "expected {} tensors, got {}",
                self.tensors.len(),
                row.len()
            ));
        }
        for (name, sizes, values) in row {
            let fits = match self.tensors.get(name) {
                Some(column) => column.sizes == *sizes,
                None => is_first,
            };
            if !fits || values.len() != sizes.iter().product::<usize>() {
                return Err(format!("`{name}`: sizes {sizes:?} do not fit"));
            }
            if let Some(wrong) = values.iter().find(|value| !value.is_finite()) {
                return Err(format!("`{name}`: expected finite numbers, got {wrong}"));
            }
        }
        for (name, sizes, values) in row {
            let column = self.tensors.entry(name.clone()).or_default();
            column.sizes.clone_from(sizes);
            column.values.extend_from_slice(values);
        }
        self.episodes.push(episode);
        Ok(())
    }

    /// Adds all examples of another set; their episodes are counted after its own.
    ///
    /// # Errors
    /// In words: the sets have other names or sizes.
    pub fn extend(&mut self, other: &Self) -> std::result::Result<(), String> {
        if other.is_empty() {
            return Ok(());
        }
        let own: Vec<_> = self.tensors.iter().map(|(n, c)| (n, &c.sizes)).collect();
        let others: Vec<_> = other.tensors.iter().map(|(n, c)| (n, &c.sizes)).collect();
        if !self.is_empty() && own != others {
            return Err(format!("expected tensors {own:?}, got {others:?}"));
        }
        let next = self.episodes.iter().max().map_or(0, |last| last + 1);
        self.episodes
            .extend(other.episodes.iter().map(|e| e + next));
        for (name, column) in &other.tensors {
            let own = self.tensors.entry(name.clone()).or_default();
            own.sizes.clone_from(&column.sizes);
            own.values.extend_from_slice(&column.values);
        }
        Ok(())
    }

    /// The examples whose episode is accepted.
    #[must_use]
    pub fn of_episodes(&self, accepts: impl Fn(u64) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.len())
            .filter(|row| accepts(self.episodes[*row]))
            .collect();
        let chosen = |column: &Column| {
            let width: usize = column.sizes.iter().product();
            let values = rows
                .iter()
                .flat_map(|row| &column.values[row * width..][..width]);
            Column {
                sizes: column.sizes.clone(),
                values: values.copied().collect(),
            }
        };
        let columns = self.tensors.iter();
        Self {
            episodes: rows.iter().map(|row| self.episodes[*row]).collect(),
            tensors: columns.map(|(name, c)| (name.clone(), chosen(c))).collect(),
        }
    }

    /// A tensor: the sizes of one row, and all rows one after the other.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<(&[usize], &[f32])> {
        let column = self.tensors.get(name)?;
        Some((&column.sizes, &column.values))
    }
}

/// Where the examples of a shard come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardSource {
    /// Why they are kept.
    pub kind: ExampleKind,
    /// Hash of the weights that made them.
    pub frozen: String,
    /// Hash of the recording.
    pub data: String,
}

/// A finished shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// File in the buffer's folder.
    pub file: String,
    /// Hash of its bytes.
    pub blake3: String,
    /// Where its examples come from.
    #[serde(flatten)]
    pub source: ShardSource,
    /// How many there are.
    pub examples: usize,
    /// Names of the recorded episodes that they were made from, where episodes have
    /// names: none is learned from twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Index {
    format: u32,
    shards: Vec<ShardEntry>,
}

/// A folder of shards. A shard counts once the index names it, so one that was not finished is not
/// there.
#[derive(Debug)]
pub struct ReplayBuffer {
    folder: PathBuf,
    index: Index,
}

impl ReplayBuffer {
    /// Opens a buffer, or an empty one where there is none yet.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(INDEX);
        let index = if path.is_file() {
            let text = std::fs::read_to_string(&path).map_err(TrainError::io(&path))?;
            let index: Index =
                serde_json::from_str(&text).map_err(|error| damaged(&path, error.to_string()))?;
            if index.format != FORMAT {
                let reason = format!("expected format {FORMAT}, got {}", index.format);
                return Err(damaged(&path, reason));
            }
            index
        } else {
            Index {
                format: FORMAT,
                shards: Vec::new(),
            }
        };
        Ok(Self {
            folder: folder.to_path_buf(),
            index,
        })
    }

    /// The finished shards.
    #[must_use]
    pub fn shards(&self) -> &[ShardEntry] {
        &self.index.shards
    }

    /// Whether the examples of a recording are there already.
    #[must_use]
    pub fn has(&self, source: &ShardSource) -> bool {
        self.index
            .shards
            .iter()
            .any(|shard| shard.source == *source)
    }

    /// Names of the recorded episodes whose examples of a kind are there, made by the
    /// weights `frozen`.
    #[must_use]
    pub fn recorded(&self, kind: ExampleKind, frozen: &str) -> BTreeSet<String> {
        let shards = self.index.shards.iter();
        shards
            .filter(|shard| shard.source.kind == kind && shard.source.frozen == frozen)
            .flat_map(|shard| shard.recorded.iter().cloned())
            .collect()
    }

    /// Writes examples of recorded episodes with these names as one more shard.
    ///
    /// # Errors
    /// A failing write.
    pub fn append(
        &mut self,
        source: ShardSource,
        recorded: Vec<String>,
        set: &ExampleSet,
    ) -> Result<()> {
        std::fs::create_dir_all(&self.folder).map_err(TrainError::io(&self.folder))?;
        let file = format!("shard-{:04}.safetensors", self.index.shards.len());
        let path = self.folder.join(&file);
        let bytes = serialised(set).map_err(|reason| damaged(&path, reason))?;
        write_whole(&path, &bytes)?;
        self.index.shards.push(ShardEntry {
            file,
            blake3: blake3::hash(&bytes).to_hex().to_string(),
            source,
            examples: set.len(),
            recorded,
        });
        let index = self.folder.join(INDEX);
        let text = serde_json::to_string_pretty(&self.index)
            .map_err(|error| damaged(&index, error.to_string()))?;
        write_whole(&index, text.as_bytes())
    }

    /// All examples of a kind that the weights `frozen` made.
    ///
    /// # Errors
    /// A shard that is missing or damaged.
    pub fn read(&self, kind: ExampleKind, frozen: &str) -> Result<ExampleSet> {
        let mut all = ExampleSet::default();
        let wanted = self
            .index
            .shards
            .iter()
            .filter(|shard| shard.source.kind == kind && shard.source.frozen == frozen);
        for shard in wanted {
            // The index is a file like any other: no name in it leads out of the folder.
            let name = Path::new(&shard.file).file_name().unwrap_or_default();
            let path = self.folder.join(name);
            let bytes = std::fs::read(&path).map_err(TrainError::io(&path))?;
            let got = blake3::hash(&bytes).to_hex().to_string();
            if got != shard.blake3 {
                let reason = format!("expected blake3 {}, got {got}", shard.blake3);
                return Err(damaged(&path, reason));
            }
            let set = parsed(&bytes).map_err(|reason| damaged(&path, reason))?;
            all.extend(&set).map_err(|reason| damaged(&path, reason))?;
        }
        Ok(all)
    }
}

fn damaged(path: &Path, reason: String) -> TrainError {
    TrainError::Dataset {
        path: path.to_path_buf(),
        place: "(whole file)".to_owned(),
        reason,
        help: DAMAGED,
    }
}

fn serialised(set: &ExampleSet) -> std::result::Result<Vec<u8>, String> {
    let numbers: Vec<u8> = set.episodes.iter().flat_map(|e| e.to_le_bytes()).collect();
    let mut flat = vec![(EPISODE, Dtype::U64, vec![set.len()], numbers)];
    for (name, column) in &set.tensors {
        let bytes = column.values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let sizes = std::iter::once(set.len()).chain(column.sizes.iter().copied());
        flat.push((name, Dtype::F32, sizes.collect(), bytes));
    }
    let views = flat
        .iter()
        .map(|(name, dtype, sizes, bytes)| {
            Ok((*name, TensorView::new(*dtype, sizes.clone(), bytes)?))
        })
        .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| error.to_string())?;
    safetensors::serialize(views, None).map_err(|error| error.to_string())
}

fn parsed(bytes: &[u8]) -> std::result::Result<ExampleSet, String> {
    let file = read_safetensors(bytes).map_err(|error| error.to_string())?;
    let mut set = ExampleSet::default();
    for (name, view) in file.iter() {
        let sizes = view.shape();
        if name == EPISODE && view.dtype() == Dtype::U64 && sizes.len() == 1 {
            let words = view.data().as_chunks::<8>().0;
            set.episodes = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
            continue;
        }
        let words = view.data().as_chunks::<4>().0;
        let values: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
        if view.dtype() != Dtype::F32 || !values.iter().all(|value| value.is_finite()) {
            return Err(format!("`{name}`: expected finite f32"));
        }
        let column = Column {
            sizes: sizes.get(1..).unwrap_or_default().to_vec(),
            values,
        };
        set.tensors.insert(name.to_owned(), column);
    }
    let rows = set.len();
    let wrong = set
        .tensors
        .iter()
        .find(|(_, column)| column.values.len() != rows * column.sizes.iter().product::<usize>());
    match wrong {
        Some((name, _)) => Err(format!("`{name}`: expected {rows} rows")),
        None => Ok(set),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(first: u64, rows: usize) -> ExampleSet {
        let mut set = ExampleSet::default();
        for row in 0..rows {
            let value = row as f32;
            set.push(
                first + row as u64 / 2,
                &[
                    ("context".to_owned(), vec![3], vec![value; 3]),
                    ("action".to_owned(), vec![2, 1], vec![-value; 2]),
                ],
            )
            .unwrap();
        }
        set
    }

    fn source(kind: ExampleKind, frozen: &str) -> ShardSource {
        ShardSource {
            kind,
            frozen: frozen.to_owned(),
            data: "recording".to_owned(),
        }
    }

    #[test]
    fn shards_come_back_by_kind_and_weights() {
        let folder = tempfile::tempdir().unwrap();
        let mut buffer = ReplayBuffer::open(folder.path()).unwrap();
        let correction = source(ExampleKind::Correction, "w");
        let names = vec!["a".to_owned(), "b".to_owned()];
        buffer
            .append(correction.clone(), names, &set(0, 4))
            .unwrap();
        buffer
            .append(source(ExampleKind::Old, "w"), Vec::new(), &set(7, 2))
            .unwrap();
        buffer
            .append(
                source(ExampleKind::Correction, "other"),
                vec!["c".to_owned()],
                &set(0, 6),
            )
            .unwrap();
        buffer
            .append(correction.clone(), vec!["d".to_owned()], &set(0, 2))
            .unwrap();
        let again = ReplayBuffer::open(folder.path()).unwrap();
        assert!(again.has(&correction) && again.shards().len() == 4);
        let recorded = again.recorded(ExampleKind::Correction, "w");
        assert_eq!(recorded.into_iter().collect::<Vec<_>>(), ["a", "b", "d"]);
        let read = again.read(ExampleKind::Correction, "w").unwrap();
        assert_eq!(read.episodes(), [0, 0, 1, 1, 2, 2]);
        assert_eq!(
            read.of_episodes(|e| e == 2).tensor("action").unwrap().1,
            [-0.0, -0.0, -1.0, -1.0]
        );
        assert_eq!(
            again.read(ExampleKind::Old, "w").unwrap(),
            set(7, 2).of_episodes(|_| true)
        );
        assert!(again.read(ExampleKind::Old, "none").unwrap().is_empty());
    }

    #[test]
    fn damaged_shards_and_rows_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut buffer = ReplayBuffer::open(folder.path()).unwrap();
        buffer
            .append(source(ExampleKind::Old, "w"), Vec::new(), &set(0, 2))
            .unwrap();
        let path = folder.path().join("shard-0000.safetensors");
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = buffer.read(ExampleKind::Old, "w").unwrap_err();
        assert!(error.to_string().contains("expected blake3"), "{error}");
        let mut rows = set(0, 1);
        let mut push = |name: &str, values: Vec<f32>| {
            let row = [
                (name.to_owned(), vec![values.len()], values),
                ("action".to_owned(), vec![2, 1], vec![0.0; 2]),
            ];
            rows.push(0, &row)
        };
        assert!(
            push("context", vec![f32::NAN; 3])
                .unwrap_err()
                .contains("finite")
        );
        assert!(push("context", vec![0.0; 4]).is_err());
        assert!(push("other", vec![0.0; 3]).is_err());
        assert!(push("context", vec![0.0; 3]).is_ok());
    }
}
