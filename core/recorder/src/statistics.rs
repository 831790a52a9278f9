//! Statistics of features, as LeRobot keeps them: of an episode, and of all.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Quantiles that are kept, by name.
pub(crate) const QUANTILES: [(&str, f64); 5] = [
    ("q01", 0.01),
    ("q10", 0.10),
    ("q50", 0.50),
    ("q90", 0.90),
    ("q99", 0.99),
];
/// Names in the order of files: min, max, mean, std, count, quantiles.
pub(crate) const NAMES: [&str; 10] = [
    "min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99",
];
/// Most pictures of an episode and camera that are counted.
const MAX_PICTURES: usize = 100;

/// Statistics of one feature. Every list has one entry a dimension; pictures
/// have one a channel, 0..1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FeatureStats {
    pub(crate) min: Vec<f64>,
    pub(crate) max: Vec<f64>,
    pub(crate) mean: Vec<f64>,
    pub(crate) std: Vec<f64>,
    pub(crate) count: u64,
    /// In the order of [`QUANTILES`].
    pub(crate) quantiles: [Vec<f64>; 5],
    /// Whether the lists are channels of pictures: `[channels, 1, 1]` in files.
    pub(crate) is_picture: bool,
}

impl FeatureStats {
    /// Nothing counted yet of a feature with this name.
    pub(crate) fn of_feature(feature: &str) -> Self {
        Self {
            is_picture: feature.starts_with("observation.images."),
            ..Self::default()
        }
    }

    /// As `stats.json` has it.
    pub(crate) fn from_json(feature: &str, value: &Value) -> Self {
        let mut stats = Self::of_feature(feature);
        for name in NAMES {
            stats.set(name, flat_numbers(&value[name]));
        }
        stats
    }

    /// Of rows with `width` values each, flat. None without rows.
    pub(crate) fn of_rows(values: &[f64], width: usize) -> Option<Self> {
        if values.is_empty() || width == 0 {
            return None;
        }
        let mut stats = Self {
            count: (values.len() / width) as u64,
            ..Self::default()
        };
        for dimension in 0..width {
            let mut column: Vec<f64> = values
                .iter()
                .skip(dimension)
                .step_by(width)
                .copied()
                .collect();
            column.sort_by(f64::total_cmp);
            let count = column.len() as f64;
            let mean = column.iter().sum::<f64>() / count;
            let variance = column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
            stats.min.push(column.first().copied().unwrap_or(0.0));
            stats.max.push(column.last().copied().unwrap_or(0.0));
            stats.mean.push(mean);
            stats.std.push(variance.sqrt());
            for (list, (_, share)) in stats.quantiles.iter_mut().zip(QUANTILES) {
                list.push(quantile(&column, share));
            }
        }
        Some(stats)
    }

    /// The value of a name, one entry a dimension.
    pub(crate) fn values(&self, name: &str) -> Vec<f64> {
        let quantile = QUANTILES.iter().position(|(known, _)| *known == name);
        match (name, quantile) {
            ("min", _) => self.min.clone(),
            ("max", _) => self.max.clone(),
            ("mean", _) => self.mean.clone(),
            ("std", _) => self.std.clone(),
            (_, Some(place)) => self.quantiles[place].clone(),
            _ => vec![self.count as f64],
        }
    }

    /// Sets the value of a name, as read from a file.
    pub(crate) fn set(&mut self, name: &str, values: Vec<f64>) {
        let quantile = QUANTILES.iter().position(|(known, _)| *known == name);
        match (name, quantile) {
            ("min", _) => self.min = values,
            ("max", _) => self.max = values,
            ("mean", _) => self.mean = values,
            ("std", _) => self.std = values,
            ("count", _) => {
                let count = values.first().copied().unwrap_or(0.0);
                // A count is small, whole and positive.
                self.count = if count >= 0.0 { count as u64 } else { 0 };
            }
            (_, Some(place)) => self.quantiles[place] = values,
            _ => {}
        }
    }

    /// Of two sets together: exact but for quantiles, which are weighted means,
    /// as LeRobot does it. Sets of different widths keep the first.
    pub(crate) fn and(&self, other: &Self) -> Self {
        if self.mean.len() != other.mean.len() {
            return self.clone();
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let both = (n + m).max(1.0);
        let weighted = |a: &[f64], b: &[f64]| -> Vec<f64> {
            a.iter()
                .zip(b)
                .map(|(a, b)| (a * n + b * m) / both)
                .collect()
        };
        let pick = |a: &[f64], b: &[f64], best: fn(f64, f64) -> f64| -> Vec<f64> {
            a.iter().zip(b).map(|(a, b)| best(*a, *b)).collect()
        };
        let mean = weighted(&self.mean, &other.mean);
        let spread = |stats: &Self, i: usize, mean: f64| {
            let (own, std) = (
                stats.mean.get(i).copied().unwrap_or(mean),
                stats.std.get(i).copied().unwrap_or(0.0),
            );
            std * std + (own - mean) * (own - mean)
        };
        let std = mean
            .iter()
            .enumerate()
            .map(|(i, mean)| {
                ((spread(self, i, *mean) * n + spread(other, i, *mean) * m) / both).sqrt()
            })
            .collect();
        let mut quantiles = self.quantiles.clone();
        for (own, other) in quantiles.iter_mut().zip(&other.quantiles) {
            *own = weighted(own, other);
        }
        Self {
            min: pick(&self.min, &other.min, f64::min),
            max: pick(&self.max, &other.max, f64::max),
            mean,
            std,
            count: self.count + other.count,
            quantiles,
            is_picture: self.is_picture,
        }
    }

    /// As `stats.json` has it.
    pub(crate) fn to_json(&self) -> Value {
        let mut all = serde_json::Map::new();
        for name in NAMES {
            let values = self.values(name);
            let value = match (name, self.is_picture) {
                ("count", _) => json!([self.count]),
                (_, true) => json!(values.iter().map(|v| [[*v]]).collect::<Vec<_>>()),
                (_, false) => json!(values),
            };
            all.insert(name.to_owned(), value);
        }
        Value::Object(all)
    }
}

/// Statistics by feature.
pub(crate) type Stats = BTreeMap<String, FeatureStats>;

/// Adds an episode's statistics to those of all before it.
pub(crate) fn add_stats(all: &mut Stats, episode: &Stats) {
    for (feature, stats) in episode {
        let sum = all
            .get(feature)
            .map_or_else(|| stats.clone(), |before| before.and(stats));
        all.insert(feature.clone(), sum);
    }
}

/// Which of so many pictures are counted: evenly, a hundred at most.
pub(crate) fn counted_pictures(frames: usize) -> Vec<usize> {
    let wanted = frames.min(MAX_PICTURES);
    (0..wanted).map(|i| i * frames / wanted.max(1)).collect()
}

/// Counts the values of pictures by channel.
pub(crate) struct Histogram {
    channels: [[u64; 256]; 3],
    pictures: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            channels: [[0; 256]; 3],
            pictures: 0,
        }
    }
}

impl Histogram {
    pub(crate) fn add(&mut self, rgb: &[u8]) {
        self.pictures += 1;
        let (pixels, _) = rgb.as_chunks::<3>();
        for pixel in pixels {
            for (counts, value) in self.channels.iter_mut().zip(pixel) {
                if let Some(count) = counts.get_mut(usize::from(*value)) {
                    *count += 1;
                }
            }
        }
    }

    /// None without pictures.
    pub(crate) fn stats(&self) -> Option<FeatureStats> {
        let mut stats = FeatureStats {
            count: self.pictures,
            is_picture: true,
            ..FeatureStats::default()
        };
        for counts in &self.channels {
            let total: u64 = counts.iter().sum();
            if total == 0 {
                return None;
            }
            let n = total as f64;
            let weighted = |f: &dyn Fn(f64) -> f64| {
                let terms = counts.iter().enumerate();
                terms
                    .map(|(v, count)| f(v as f64 / 255.0) * *count as f64)
                    .sum::<f64>()
                    / n
            };
            let mean = weighted(&|v| v);
            let at = |share: f64| {
                let mut seen = 0;
                let place = counts.iter().position(|count| {
                    seen += count;
                    seen as f64 >= share * n
                });
                place.unwrap_or(255) as f64 / 255.0
            };
            stats.min.push(at(f64::MIN_POSITIVE));
            stats.max.push(at(1.0));
            stats.mean.push(mean);
            stats
                .std
                .push(weighted(&|v| (v - mean) * (v - mean)).sqrt());
            for (list, (_, share)) in stats.quantiles.iter_mut().zip(QUANTILES) {
                list.push(at(share));
            }
        }
        Some(stats)
    }
}

/// Every number of nested lists, in order.
pub(crate) fn flat_numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(list) => list.iter().flat_map(flat_numbers).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

/// Between the two nearest of sorted values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len().saturating_sub(1)) as f64;
    // A share of 0 to 1 of a length.
    let low = place.floor() as usize;
    let at = |i: usize| sorted.get(i).or(sorted.last()).copied().unwrap_or(0.0);
    at(low) + (at(low + 1) - at(low)) * (place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        assert!(
            a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12),
            "{a:?} {b:?}"
        );
    }

    #[test]
    fn two_parts_together_are_the_whole() {
        let rows: Vec<f64> = (0..40).map(|i| f64::from(i * i % 17)).collect();
        let whole = FeatureStats::of_rows(&rows, 2).unwrap();
        let (a, b) = rows.split_at(12);
        let (a, b) = (
            FeatureStats::of_rows(a, 2).unwrap(),
            FeatureStats::of_rows(b, 2).unwrap(),
        );
        let sum = a.and(&b);
        for (got, expected) in [
            (&sum.min, &whole.min),
            (&sum.max, &whole.max),
            (&sum.mean, &whole.mean),
            (&sum.std, &whole.std),
        ] {
            close(got, expected);
        }
        assert_eq!(sum.count, 20);
        assert!(FeatureStats::of_rows(&[], 2).is_none());
    }

    #[test]
    fn a_picture_s_channels_are_shares_of_full() {
        let mut histogram = Histogram::default();
        histogram.add(&[0, 51, 255, 255, 51, 255]);
        let stats = histogram.stats().unwrap();
        close(&stats.mean, &[0.5, 0.2, 1.0]);
        close(&stats.min, &[0.0, 0.2, 1.0]);
        close(&stats.max, &[1.0, 0.2, 1.0]);
        close(&stats.std, &[0.5, 0.0, 0.0]);
        assert_eq!(stats.to_json()["mean"][1][0][0], 0.2);
        let read = FeatureStats::from_json("observation.images.front", &stats.to_json());
        assert_eq!(read, stats);
    }

    #[test]
    fn values_are_found_by_the_names_of_files() {
        let stats = FeatureStats::of_rows(&[0.0, 1.0, 2.0, 3.0, 4.0], 1).unwrap();
        let mut copy = FeatureStats::default();
        for name in NAMES {
            copy.set(name, stats.values(name));
        }
        assert_eq!(copy, stats);
        close(&stats.values("q50"), &[2.0]);
    }
}
