//! Statistics of a bundle: what normalisation subtracts and divides by.
//!
//! The file is safetensors with tensors `<feature>.<statistic>` of f32 or f64,
//! shape `[n]` (or `[3,1,1]` for pictures, one number a channel). The
//! statistics are mean, std, min, max, q01 and q99; others are ignored, since
//! imported files carry more. Names of the elements may stand in the file's
//! metadata under `<feature>.names` as a JSON list. The file is hostile input:
//! a number that is not finite or a deviation that is not positive would turn
//! into a motion, so it is refused here.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::error::BundleError;
use crate::files::{MAX_STATISTICS_BYTES, read_bounded};
use crate::manifest::NormaliseMode;
use crate::problem::{Problems, Reporter};
use crate::read_safetensors;
use crate::wording::quoted;

/// The statistics this code knows, in the order of [`FeatureStats`].
const KNOWN: [&str; 6] = ["mean", "std", "min", "max", "q01", "q99"];
/// Most elements of one feature.
const MAX_ELEMENTS: usize = 65_536;

/// Statistics of every feature of one robot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    file: String,
    features: BTreeMap<String, FeatureStats>,
}

/// Statistics of one feature: each absent, or one finite number an element.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureStats {
    /// Name of each element; empty when the file does not say.
    pub names: Vec<String>,
    /// Mean.
    pub mean: Option<Vec<f64>>,
    /// Standard deviation, above 0.
    pub std: Option<Vec<f64>>,
    /// Least value.
    pub min: Option<Vec<f64>>,
    /// Greatest value, not below `min`.
    pub max: Option<Vec<f64>>,
    /// 1 % quantile.
    pub q01: Option<Vec<f64>>,
    /// 99 % quantile, not below `q01`.
    pub q99: Option<Vec<f64>>,
}

impl FeatureStats {
    /// A statistic by its word in the file.
    #[must_use]
    pub fn get(&self, word: &str) -> Option<&[f64]> {
        let list = match word {
            "mean" => &self.mean,
            "std" => &self.std,
            "min" => &self.min,
            "max" => &self.max,
            "q01" => &self.q01,
            "q99" => &self.q99,
            _ => return None,
        };
        list.as_deref()
    }

    fn set(&mut self, word: &str, values: Vec<f64>) {
        let place = match word {
            "mean" => &mut self.mean,
            "std" => &mut self.std,
            "min" => &mut self.min,
            "max" => &mut self.max,
            "q01" => &mut self.q01,
            "q99" => &mut self.q99,
            _ => return,
        };
        *place = Some(values);
    }

    /// Elements, from the first statistic there is; 0 without any.
    #[must_use]
    pub fn len(&self) -> usize {
        KNOWN
            .iter()
            .find_map(|word| self.get(word))
            .map_or(0, <[f64]>::len)
    }

    /// Whether there is no statistic at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Statistics {
    /// Reads and checks a statistics file of at most 64 MB.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or holds any number that cannot be
    /// normalised with; all faults are in the one error.
    pub fn load(path: &Path) -> Result<Self, BundleError> {
        let bytes = read_bounded(path, MAX_STATISTICS_BYTES)?;
        Self::from_bytes(&bytes, &path.display().to_string())
    }

    /// Checks the bytes of a statistics file; `file` is the name shown to people.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, BundleError> {
        let corrupt = |error: safetensors::SafeTensorError| BundleError::Corrupt {
            file: file.to_owned(),
            message: error.to_string(),
        };
        let tensors = read_safetensors(bytes).map_err(|error| BundleError::Corrupt {
            file: file.to_owned(),
            message: error.to_string(),
        })?;
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(corrupt)?;
        let mut problems = Problems::default();
        let mut reporter = Reporter::new(file, &mut problems);
        let mut features: BTreeMap<String, FeatureStats> = BTreeMap::new();
        let mut names = tensors.names();
        names.sort_unstable();
        for name in names {
            let Some((feature, word)) = name.rsplit_once('.') else {
                continue;
            };
            if !KNOWN.contains(&word) {
                continue;
            }
            let view = tensors.tensor(name).map_err(corrupt)?;
            if let Some(values) = read_values(&view, name, &mut reporter) {
                features
                    .entry(feature.to_owned())
                    .or_default()
                    .set(word, values);
            }
        }
        if let Some(extra) = metadata.metadata() {
            read_names(extra, &mut features, &mut reporter);
        }
        for (name, feature) in &features {
            check_feature(name, feature, &mut reporter);
        }
        BundleError::check(problems)?;
        Ok(Self {
            file: file.to_owned(),
            features,
        })
    }

    /// Checks statistics that a program computed.
    ///
    /// # Errors
    /// All numbers that cannot be normalised with.
    pub fn from_features(
        features: BTreeMap<String, FeatureStats>,
        file: &str,
    ) -> Result<Self, BundleError> {
        let mut problems = Problems::default();
        let mut reporter = Reporter::new(file, &mut problems);
        for (name, feature) in &features {
            check_feature(name, feature, &mut reporter);
        }
        BundleError::check(problems)?;
        Ok(Self {
            file: file.to_owned(),
            features,
        })
    }

    /// The bytes of a statistics file that says the same, f64.
    ///
    /// # Errors
    /// When safetensors refuses to write them.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BundleError> {
        let unwritable = |error: safetensors::SafeTensorError| BundleError::Unwritable {
            file: self.file.clone(),
            message: error.to_string(),
        };
        let mut data: Vec<(String, Vec<u8>)> = Vec::new();
        let mut metadata = HashMap::new();
        for (name, feature) in &self.features {
            for word in KNOWN {
                if let Some(values) = feature.get(word) {
                    let bytes = values
                        .iter()
                        .flat_map(|value| value.to_le_bytes())
                        .collect();
                    data.push((format!("{name}.{word}"), bytes));
                }
            }
            if !feature.names.is_empty() {
                let list = serde_json::Value::from(feature.names.clone()).to_string();
                metadata.insert(format!("{name}.names"), list);
            }
        }
        let mut views = Vec::new();
        for (name, bytes) in &data {
            let view =
                TensorView::new(Dtype::F64, vec![bytes.len() / 8], bytes).map_err(unwritable)?;
            views.push((name.as_str(), view));
        }
        safetensors::serialize(views, Some(metadata)).map_err(unwritable)
    }

    /// The file, as shown to people.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Statistics of a feature.
    #[must_use]
    pub fn get(&self, feature: &str) -> Option<&FeatureStats> {
        self.features.get(feature)
    }

    /// All features, sorted by name.
    pub fn features(&self) -> impl Iterator<Item = (&str, &FeatureStats)> {
        self.features
            .iter()
            .map(|(name, stats)| (name.as_str(), stats))
    }

    /// Statistics of a feature, complete for a mode and of the right length.
    ///
    /// # Errors
    /// Names the feature and what is missing.
    pub fn require(
        &self,
        feature: &str,
        mode: NormaliseMode,
        length: usize,
    ) -> Result<&FeatureStats, BundleError> {
        let mut problems = Problems::default();
        let mut reporter = Reporter::new(&self.file, &mut problems);
        let found = self.features.get(feature);
        match found {
            None => reporter.report_with_help(
                feature,
                (
                    format!("statistics for `{}`", mode.as_str()),
                    format!("none; the file has {}", quoted(self.features.keys())),
                ),
                "the bundle is without statistics for this feature: train or import it again",
            ),
            Some(stats) => {
                for word in mode.needs() {
                    let key = format!("{feature}.{word}");
                    match stats.get(word) {
                        None => {
                            let expected = format!("numbers for `{}`", mode.as_str());
                            reporter.report(key, expected, "nothing");
                        }
                        Some(values) if values.len() != length => {
                            let got = values.len().to_string();
                            reporter.report(key, format!("{length} numbers"), got);
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        match found {
            Some(stats) if problems.is_empty() => Ok(stats),
            _ => Err(BundleError::Invalid(problems)),
        }
    }

    /// Faults where a feature's element names differ from a contract's.
    ///
    /// # Errors
    /// When the file names its elements and they are others.
    pub fn check_names(&self, feature: &str, expected: &[String]) -> Result<(), BundleError> {
        let mut problems = Problems::default();
        if let Some(stats) = self.features.get(feature)
            && !stats.names.is_empty()
            && stats.names != expected
        {
            Reporter::new(&self.file, &mut problems).report_with_help(
                format!("{feature}.names"),
                (quoted(expected), quoted(&stats.names)),
                "the statistics belong to another state or action; their order counts",
            );
        }
        BundleError::check(problems)
    }
}

fn read_values(view: &TensorView<'_>, name: &str, reporter: &mut Reporter<'_>) -> Option<Vec<f64>> {
    let is_vector = match view.shape() {
        [] | [_] => true,
        [_, rest @ ..] => rest.iter().all(|&side| side == 1),
    };
    let count: usize = view.shape().iter().product();
    if !is_vector || count == 0 || count > MAX_ELEMENTS {
        let got = format!("shape {:?}", view.shape());
        reporter.report(
            name,
            format!("shape [n] or [n,1,1] with 1 to {MAX_ELEMENTS} numbers"),
            got,
        );
        return None;
    }
    let data = view.data();
    match view.dtype() {
        Dtype::F32 => Some(
            crate::flat_tensor::f32_values(data)
                .map(f64::from)
                .collect(),
        ),
        Dtype::F64 => Some(
            data.chunks_exact(8)
                .map(|chunk| {
                    let mut word = [0; 8];
                    word.copy_from_slice(chunk);
                    f64::from_le_bytes(word)
                })
                .collect(),
        ),
        other => {
            reporter.report(name, "element type F32 or F64", format!("{other:?}"));
            None
        }
    }
}

fn read_names(
    metadata: &HashMap<String, String>,
    features: &mut BTreeMap<String, FeatureStats>,
    reporter: &mut Reporter<'_>,
) {
    for (feature, stats) in features {
        let key = format!("{feature}.names");
        let Some(text) = metadata.get(&key) else {
            continue;
        };
        match serde_json::from_str::<Vec<String>>(text) {
            Ok(names) => stats.names = names,
            Err(error) => {
                reporter.report(
                    key,
                    "a JSON list of texts in the metadata",
                    error.to_string(),
                );
            }
        }
    }
}

fn check_feature(name: &str, feature: &FeatureStats, reporter: &mut Reporter<'_>) {
    let length = feature.len();
    for word in KNOWN {
        let Some(values) = feature.get(word) else {
            continue;
        };
        let key = format!("{name}.{word}");
        if values.len() != length {
            let expected = format!("{length} numbers, as the feature's others");
            reporter.report(&key, expected, values.len().to_string());
        }
        let bad = |value: f64| !value.is_finite() || (word == "std" && value <= 0.0);
        if let Some((index, value)) = values.iter().enumerate().find(|(_, value)| bad(**value)) {
            let expected = if word == "std" {
                "a finite number > 0"
            } else {
                "a finite number"
            };
            let key = format!("{key}[{index}]");
            reporter.report_with_help(
                key,
                (expected, value.to_string()),
                "the statistics were never computed, or an element never changes",
            );
        }
    }
    if !feature.names.is_empty() && feature.names.len() != length {
        let expected = format!("{length} names");
        reporter.report(
            format!("{name}.names"),
            expected,
            feature.names.len().to_string(),
        );
    }
    for (low_word, high_word) in [("min", "max"), ("q01", "q99")] {
        let (Some(low), Some(high)) = (feature.get(low_word), feature.get(high_word)) else {
            continue;
        };
        if let Some(index) = low.iter().zip(high).position(|(low, high)| low > high) {
            let (low, high) = (low[index], high[index]);
            let key = format!("{name}.{high_word}[{index}]");
            reporter.report(
                key,
                format!("at least `{low_word}` = {low}"),
                high.to_string(),
            );
        }
    }
}

#[cfg(test)]
mod tests;
