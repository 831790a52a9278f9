//! Named versions of a bundle: heads that were fine-tuned, beside the bundle's own weights.
//!
//! A version lies in `versions/NAME/`: a snapshot for each head that changed, and `version.json`,
//! which says what it was made from and how good it is. The bundle's own files are never changed, so
//! going back is choosing another name. `versions/in_use.json` says which version runs where a
//! deployment leaves it open.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bundle::Bundle;
use crate::error::BundleError;

/// Folder of the versions in a bundle.
pub const VERSIONS: &str = "versions";
/// The bundle as it is, without a version.
pub const BASE_VERSION: &str = "base";
const RECORD: &str = "version.json";
const IN_USE: &str = "in_use.json";
const FORMAT: u32 = 1;
/// Longest name (bytes).
const MAX_NAME: usize = 64;
/// Most versions that are listed.
const MAX_VERSIONS: usize = 1024;
/// Largest snapshot that is read (bytes).
const MAX_SNAPSHOT: u64 = 16 << 30;
const DAMAGED: &str = "the version is damaged: make it again with `vola policy adapt`";

/// What a version was made from, and how good it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionRecord {
    /// Version of this layout.
    pub format: u32,
    /// Its name.
    pub name: String,
    /// Hash of the bundle that it belongs to ([`Bundle::policy_hash`]).
    pub bundle: String,
    /// The version that fine-tuning began with: a name, or `base`.
    pub parent: String,
    /// Hash of what it learned from.
    pub data: String,
    /// When it was made (s since 1970).
    pub made_unix_s: u64,
    /// Its heads.
    pub heads: Vec<HeadFile>,
    /// What was measured before and after.
    pub figures: Value,
}

/// The snapshot of one head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadFile {
    /// Name of the stage.
    pub stage: String,
    /// File beside `version.json`.
    pub file: String,
    /// Hash of its bytes.
    pub blake3: String,
}

/// A version with its snapshots, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyVersion {
    record: VersionRecord,
    hash: String,
    snapshots: Vec<HeadSnapshot>,
}

/// What a head gives and takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadSnapshot {
    /// Name of the stage.
    pub stage: String,
    /// Its weights, in a form that the head's plugin knows.
    pub bytes: Vec<u8>,
}

/// Which version runs, and in which share of the episodes; the bundle as it is runs in the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionShare {
    /// Name of a version, or `base`.
    pub version: String,
    /// 0 … 1.
    pub share: f64,
}

impl PolicyVersion {
    /// What it was made from, and how good it is.
    #[must_use]
    pub fn record(&self) -> &VersionRecord {
        &self.record
    }

    /// Hash of its record, which names the hashes of its snapshots.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The heads' weights.
    #[must_use]
    pub fn snapshots(&self) -> &[HeadSnapshot] {
        &self.snapshots
    }
}

impl VersionShare {
    /// Checks name and share.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        if self.version != BASE_VERSION {
            check_name(&self.version)?;
        }
        if !(0.0..=1.0).contains(&self.share) {
            return Err(format!("share: expected 0 to 1, got {}", self.share));
        }
        Ok(())
    }

    /// Whether the version runs in the episode with this seed. Repeats; the choices of different
    /// seeds are as independent as a hash is.
    #[must_use]
    pub fn chooses(&self, seed: u64) -> bool {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.version.as_bytes());
        hasher.update(&seed.to_le_bytes());
        let mut first = [0; 4];
        hasher.finalize_xof().fill(&mut first);
        f64::from(u32::from_le_bytes(first)) / (f64::from(u32::MAX) + 1.0) < self.share
    }
}

impl Bundle {
    /// What is known of every version, by name.
    ///
    /// # Errors
    /// A record that cannot be read.
    pub fn versions(&self) -> Result<Vec<VersionRecord>, BundleError> {
        let folder = self.folder().join(VERSIONS);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(io(&folder, "read"))? {
            let entry = entry.map_err(io(&folder, "read"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if check_name(&name).is_ok() && entry.path().join(RECORD).is_file() {
                names.push(name);
            }
        }
        names.sort();
        names.truncate(MAX_VERSIONS);
        let records = names.iter().map(|name| Ok(self.record(name)?.0));
        records.collect()
    }

    /// A version with its snapshots.
    ///
    /// # Errors
    /// No such version, one of another bundle, or damaged files.
    pub fn version(&self, name: &str) -> Result<PolicyVersion, BundleError> {
        let (record, hash) = self.record(name)?;
        let folder = self.version_folder(name);
        let own = self.policy_hash()?;
        if record.bundle != own {
            return Err(BundleError::Version {
                path: folder,
                reason: format!(
                    "expected a version of this bundle ({own}), got one of {}",
                    record.bundle
                ),
                help: "the bundle was trained anew since: adapt it again",
            });
        }
        let snapshots = record
            .heads
            .iter()
            .map(|head| read_snapshot(&folder, head))
            .collect::<Result<_, _>>()?;
        Ok(PolicyVersion {
            record,
            hash,
            snapshots,
        })
    }

    fn record(&self, name: &str) -> Result<(VersionRecord, String), BundleError> {
        let path = self.version_folder(name).join(RECORD);
        let wrong = |reason: String, help: &'static str| BundleError::Version {
            path: path.clone(),
            reason,
            help,
        };
        check_name(name).map_err(|reason| wrong(reason, "`vola policy versions` lists them"))?;
        if !path.is_file() {
            let reason = format!("expected a version `{name}`, got none");
            return Err(wrong(reason, "`vola policy versions` lists them"));
        }
        let text = fs::read_to_string(&path).map_err(io(&path, "read"))?;
        let record: VersionRecord =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string(), DAMAGED))?;
        if record.format != FORMAT || record.name != name {
            let reason = format!(
                "expected format {FORMAT} of `{name}`, got format {} of `{}`",
                record.format, record.name
            );
            return Err(wrong(reason, DAMAGED));
        }
        Ok((record, blake3::hash(text.as_bytes()).to_hex().to_string()))
    }

    /// Writes a version; it is there as a whole or not at all. Gives its hash.
    ///
    /// # Errors
    /// A name that is taken or cannot be one, or a failing write.
    pub fn save_version(
        &self,
        mut record: VersionRecord,
        snapshots: &[HeadSnapshot],
    ) -> Result<String, BundleError> {
        let folder = self.version_folder(&record.name);
        let wrong = |reason: String| BundleError::Version {
            path: folder.clone(),
            reason,
            help: "give another name with `--name`",
        };
        check_name(&record.name).map_err(wrong)?;
        if folder.exists() {
            return Err(wrong(
                "expected a new name, got one that is taken".to_owned(),
            ));
        }
        let partial = folder.with_extension("partial");
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir_all(&partial).map_err(io(&partial, "make"))?;
        record.format = FORMAT;
        record.bundle = self.policy_hash()?;
        record.heads.clear();
        for head in snapshots {
            let file = format!("{}.snapshot", head.stage);
            let path = partial.join(&file);
            fs::write(&path, &head.bytes).map_err(io(&path, "write"))?;
            record.heads.push(HeadFile {
                stage: head.stage.clone(),
                file,
                blake3: blake3::hash(&head.bytes).to_hex().to_string(),
            });
        }
        let path = partial.join(RECORD);
        let text =
            serde_json::to_string_pretty(&record).map_err(|error| wrong(error.to_string()))?;
        fs::write(&path, &text).map_err(io(&path, "write"))?;
        fs::rename(&partial, &folder).map_err(io(&folder, "make"))?;
        Ok(blake3::hash(text.as_bytes()).to_hex().to_string())
    }

    /// Deletes a version, unless it is in use.
    ///
    /// # Errors
    /// No such version, one in use, or a failing delete.
    pub fn remove_version(&self, name: &str) -> Result<(), BundleError> {
        self.record(name)?;
        let folder = self.version_folder(name);
        if self
            .version_in_use()?
            .is_some_and(|share| share.version == name)
        {
            return Err(BundleError::Version {
                path: folder,
                reason: "expected a version that is not in use".to_owned(),
                help: "`vola policy versions BUNDLE --use base` lets the bundle run as it is",
            });
        }
        fs::remove_dir_all(&folder).map_err(io(&folder, "delete"))
    }

    /// Which version runs where the deployment leaves it open.
    ///
    /// # Errors
    /// A damaged file.
    pub fn version_in_use(&self) -> Result<Option<VersionShare>, BundleError> {
        let path = self.folder().join(VERSIONS).join(IN_USE);
        if !path.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(io(&path, "read"))?;
        let read: Result<VersionShare, String> = serde_json::from_str(&text)
            .map_err(|error| error.to_string())
            .and_then(|share: VersionShare| share.check().map(|()| share));
        read.map(Some).map_err(|reason| BundleError::Version {
            path,
            reason,
            help: "`vola policy versions BUNDLE --use NAME` writes it anew",
        })
    }

    /// Chooses the version that runs where the deployment leaves it open.
    ///
    /// # Errors
    /// No such version, a share out of range, or a failing write.
    pub fn use_version(&self, share: &VersionShare) -> Result<(), BundleError> {
        let folder = self.folder().join(VERSIONS);
        let path = folder.join(IN_USE);
        let wrong = |reason: String| BundleError::Version {
            path: path.clone(),
            reason,
            help: "`vola policy versions BUNDLE` lists them",
        };
        share.check().map_err(wrong)?;
        if share.version != BASE_VERSION {
            self.version(&share.version)?;
        }
        fs::create_dir_all(&folder).map_err(io(&folder, "make"))?;
        let text = serde_json::to_string_pretty(share).map_err(|error| wrong(error.to_string()))?;
        let partial = path.with_extension("partial");
        fs::write(&partial, text).map_err(io(&partial, "write"))?;
        fs::rename(&partial, &path).map_err(io(&path, "write"))
    }

    fn version_folder(&self, name: &str) -> PathBuf {
        self.folder().join(VERSIONS).join(name)
    }
}

fn read_snapshot(folder: &Path, head: &HeadFile) -> Result<HeadSnapshot, BundleError> {
    let is_plain = Path::new(&head.file).components().count() == 1 && !head.file.starts_with('.');
    let path = folder.join(&head.file);
    let wrong = |reason: String| BundleError::Version {
        path: path.clone(),
        reason,
        help: DAMAGED,
    };
    if !is_plain {
        return Err(wrong("expected a file beside version.json".to_owned()));
    }
    let size = fs::metadata(&path).map_err(io(&path, "read"))?.len();
    if size > MAX_SNAPSHOT {
        return Err(wrong(format!(
            "expected at most {MAX_SNAPSHOT} bytes, got {size}"
        )));
    }
    let bytes = fs::read(&path).map_err(io(&path, "read"))?;
    let got = blake3::hash(&bytes).to_hex().to_string();
    if got != head.blake3 {
        return Err(wrong(format!("expected blake3 {}, got {got}", head.blake3)));
    }
    Ok(HeadSnapshot {
        stage: head.stage.clone(),
        bytes,
    })
}

/// Whether a version can have this name.
fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let is_name = !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(fits);
    if is_name && name != BASE_VERSION {
        return Ok(());
    }
    Err(format!(
        "expected a name of a-z, 0-9, - and _, {MAX_NAME} at most, other than `{BASE_VERSION}`, got `{name}`"
    ))
}

fn io<'a>(path: &'a Path, action: &'static str) -> impl Fn(std::io::Error) -> BundleError + 'a {
    move |source| BundleError::Io {
        path: path.to_owned(),
        action,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> (tempfile::TempDir, Bundle) {
        let folder = tempfile::tempdir().unwrap();
        let manifest = crate::fixtures::manifest();
        fs::write(folder.path().join("policy.toml"), crate::fixtures::POLICY).unwrap();
        let weights = manifest.stages().iter().filter_map(|stage| stage.weights());
        let files = weights.map(|weights| weights.file().to_owned());
        let stats = manifest.embodiments().iter().filter_map(|one| one.stats());
        for file in files.chain(stats.map(Path::to_owned)) {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "not read here").unwrap();
        }
        let bundle = Bundle::open(folder.path()).unwrap();
        (folder, bundle)
    }

    fn record(name: &str) -> VersionRecord {
        VersionRecord {
            format: 0,
            name: name.to_owned(),
            bundle: String::new(),
            parent: BASE_VERSION.to_owned(),
            data: "d".to_owned(),
            made_unix_s: 1,
            heads: Vec::new(),
            figures: serde_json::json!({"before": 1.0}),
        }
    }

    fn heads() -> Vec<HeadSnapshot> {
        vec![HeadSnapshot {
            stage: "actions".to_owned(),
            bytes: vec![1, 2, 3],
        }]
    }

    #[test]
    fn versions_come_back_and_do_not_change_the_bundle() {
        let (_folder, bundle) = bundle();
        let (hash, policy_hash) = (bundle.hash().unwrap(), bundle.policy_hash().unwrap());
        let saved = bundle.save_version(record("camera-1"), &heads()).unwrap();
        let read = bundle.version("camera-1").unwrap();
        assert_eq!(
            (read.hash(), read.snapshots()),
            (saved.as_str(), heads().as_slice())
        );
        assert_eq!(bundle.versions().unwrap(), [read.record().clone()]);
        assert_eq!(
            (bundle.hash().unwrap(), bundle.policy_hash().unwrap()),
            (hash, policy_hash)
        );
        let again = bundle
            .save_version(record("camera-1"), &heads())
            .unwrap_err();
        assert!(again.to_string().contains("taken"), "{again}");
        for name in ["base", "../x", "", "A"] {
            assert!(
                bundle.save_version(record(name), &heads()).is_err(),
                "{name}"
            );
            assert!(bundle.version(name).is_err(), "{name}");
        }
    }

    #[test]
    fn damaged_and_foreign_versions_are_refused() {
        let (folder, bundle) = bundle();
        bundle.save_version(record("a"), &heads()).unwrap();
        let at = folder.path().join("versions/a");
        fs::write(at.join("actions.snapshot"), [1, 2, 4]).unwrap();
        let error = bundle.version("a").unwrap_err().to_string();
        assert!(error.contains("expected blake3"), "{error}");
        let text = fs::read_to_string(at.join("version.json")).unwrap();
        fs::write(
            at.join("version.json"),
            text.replace("actions.snapshot", "../../x"),
        )
        .unwrap();
        let error = bundle.version("a").unwrap_err().to_string();
        assert!(error.contains("beside version.json"), "{error}");
        bundle.save_version(record("b"), &heads()).unwrap();
        fs::write(folder.path().join("more"), "trained anew").unwrap();
        let error = bundle.version("b").unwrap_err().to_string();
        assert!(error.contains("version of this bundle"), "{error}");
    }

    #[test]
    fn the_choice_is_kept_and_repeats_for_a_seed() {
        let (_folder, bundle) = bundle();
        assert_eq!(bundle.version_in_use().unwrap(), None);
        let half = VersionShare {
            version: "a".to_owned(),
            share: 0.5,
        };
        assert!(bundle.use_version(&half).is_err(), "there is none yet");
        bundle.save_version(record("a"), &heads()).unwrap();
        bundle.use_version(&half).unwrap();
        assert!(bundle.remove_version("a").is_err(), "it is in use");
        bundle.save_version(record("b"), &heads()).unwrap();
        bundle.remove_version("b").unwrap();
        assert_eq!(bundle.versions().unwrap().len(), 1);
        assert_eq!(bundle.version_in_use().unwrap(), Some(half.clone()));
        let chosen = (0..2000).filter(|seed| half.chooses(*seed)).count();
        assert!((900..1100).contains(&chosen), "{chosen}");
        let all = VersionShare {
            share: 1.0,
            ..half.clone()
        };
        let none = VersionShare { share: 0.0, ..half };
        assert!((0..100).all(|seed| all.chooses(seed) && !none.chooses(seed)));
        assert!(
            VersionShare {
                share: f64::NAN,
                ..all
            }
            .check()
            .is_err()
        );
    }
}
