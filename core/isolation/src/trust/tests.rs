use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

/// A minisign key pair made for this test, and its signature of [`BYTES`].
const KEY: &str = "RWR2b2xhdGVzdAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const OTHER_KEY: &str = "RWRvdGhlcnRzdHm1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZk";
const BYTES: &[u8] = b"bytes of a plugin library";
const SIGNATURE: &str = "untrusted comment: signature of a test key
RUR2b2xhdGVzdOpLdm/m17B9G9PPBDOkFaj/lo1PcsMhxRaw0/Kk6WW/reCZiTUySiioR/bdlruo4pchoiWwV8edSqczBUlxTwk=
trusted comment: for tests only
STz87eVSF035umOcsGtzmEflPQIBii70ZqeWEdTwQK9BMnE0YTrnO4UeSbz5HXa7eux6CFJJGmB0GVs5SITgBA==
";

struct Place {
    folder: tempfile::TempDir,
    library: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libheads.so");
    std::fs::write(&library, BYTES).unwrap();
    std::fs::set_permissions(&library, std::fs::Permissions::from_mode(0o644)).unwrap();
    Place { folder, library }
}

fn entry(bytes: &[u8], signature: Option<&str>) -> LockedLibrary {
    LockedLibrary {
        name: "heads".to_owned(),
        version: "0.1.0".to_owned(),
        blake3: blake3::hash(bytes).to_hex().to_string(),
        signature: signature.map(ToOwned::to_owned),
    }
}

impl Place {
    fn trust(&self, entries: &[LockedLibrary], keys: &[&str], allow_unlocked: bool) -> Trust {
        let file = self.folder.path().join("plugins.lock");
        let mut lock = PluginLock::empty(&file);
        entries.iter().cloned().for_each(|entry| lock.put(entry));
        lock.write().unwrap();
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        Trust::with_lock(&file, &keys, allow_unlocked).unwrap()
    }

    fn admit(&self, trust: &Trust) -> Result<Standing, String> {
        trust
            .admit(self.folder.path(), &self.library)
            .map(|admitted| admitted.standing)
            .map_err(|error| error.to_string())
    }
}

#[track_caller]
fn refused(got: Result<Standing, String>, words: &[&str]) {
    let text = got.unwrap_err();
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[test]
fn the_lock_decides_by_hash() {
    let place = place();
    let locked = place.trust(&[entry(BYTES, None)], &[], false);
    assert_eq!(place.admit(&locked), Ok(Standing::Locked));
    let without = Trust::without_lock();
    assert_eq!(place.admit(&without), Ok(Standing::Unlocked));

    let other = entry(b"other bytes", None);
    let changed = place.trust(std::slice::from_ref(&other), &[], false);
    let hashes = [other.blake3.as_str(), &blake3::hash(BYTES).to_hex()];
    refused(place.admit(&changed), &["`heads`", "expected blake3"]);
    refused(place.admit(&changed), &hashes);
    // A changed library is no unlisted one.
    let lenient = place.trust(&[other], &[], true);
    refused(place.admit(&lenient), &["vola plugin lock"]);

    let empty = place.trust(&[], &[], false);
    refused(place.admit(&empty), &["is not in", "--allow-unlocked"]);
    let allowed = place.trust(&[], &[], true);
    assert_eq!(place.admit(&allowed), Ok(Standing::Unlocked));
}

#[test]
fn with_keys_a_signature_must_hold() {
    let place = place();
    let unsigned = place.trust(&[entry(BYTES, None)], &[KEY], false);
    refused(place.admit(&unsigned), &["has no signature", "minisign -S"]);
    let signed = [entry(BYTES, Some(SIGNATURE))];
    assert_eq!(
        place.admit(&place.trust(&signed, &[OTHER_KEY, KEY], false)),
        Ok(Standing::Signed)
    );
    refused(
        place.admit(&place.trust(&signed, &[OTHER_KEY], false)),
        &["`heads`", "signature is refused"],
    );
    // The right hash with a signature of other bytes.
    std::fs::write(&place.library, b"other bytes").unwrap();
    let moved = [entry(b"other bytes", Some(SIGNATURE))];
    refused(
        place.admit(&place.trust(&moved, &[KEY], false)),
        &["signature is refused"],
    );
    let error = SigningKey::parse("RWnonsense").unwrap_err().to_string();
    assert!(error.contains("`RWnonsense`"), "{error}");
}

#[test]
fn places_that_anybody_may_write_to_are_refused() {
    let place = place();
    let trust = Trust::without_lock();
    let set = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(&place.library, 0o646);
    refused(place.admit(&trust), &["chmod o-w", "libheads.so"]);
    set(&place.library, 0o644);
    for mode in [0o777, 0o1777] {
        set(place.folder.path(), mode);
        refused(place.admit(&trust), &["anybody may write"]);
    }
    set(place.folder.path(), 0o755);
    assert_eq!(place.admit(&trust), Ok(Standing::Unlocked));
}

#[test]
fn a_link_out_of_the_folder_is_refused() {
    let (here, elsewhere) = (place(), place());
    std::fs::remove_file(&here.library).unwrap();
    symlink(&elsewhere.library, &here.library).unwrap();
    refused(
        here.admit(&Trust::without_lock()),
        &["expected a library inside", "[plugins] paths"],
    );
    std::fs::remove_file(&here.library).unwrap();
    std::fs::create_dir(&here.library).unwrap();
    refused(here.admit(&Trust::without_lock()), &["expected a file"]);
}

#[test]
fn a_library_must_be_what_its_entry_says() {
    let place = place();
    let trust = place.trust(&[entry(BYTES, None)], &[], false);
    let admitted = trust.admit(place.folder.path(), &place.library).unwrap();
    admitted.check_identity("heads", "0.1.0").unwrap();
    for (name, version) in [("tails", "0.1.0"), ("heads", "0.2.0")] {
        let error = admitted.check_identity(name, version).unwrap_err();
        assert!(error.to_string().contains("heads 0.1.0"), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_image_is_what_was_checked_whatever_becomes_of_the_file() {
    let place = place();
    for trust in [
        place.trust(&[entry(BYTES, None)], &[], false),
        Trust::without_lock(),
    ] {
        std::fs::write(&place.library, BYTES).unwrap();
        let admitted = trust.admit(place.folder.path(), &place.library).unwrap();
        assert_ne!(admitted.image, place.library);
        std::fs::write(&place.library, b"exchanged").unwrap();
        assert_eq!(std::fs::read(&admitted.image).unwrap(), BYTES);
        // Nobody writes to it, not even this process.
        assert!(std::fs::write(&admitted.image, b"x").is_err());
        // The same bytes are one image.
        std::fs::write(&place.library, BYTES).unwrap();
        let again = trust.admit(place.folder.path(), &place.library).unwrap();
        assert_eq!(again.image, admitted.image);
    }
}

#[test]
fn faults_of_a_lock_file_have_their_place() {
    let good = "format = 1\n[[library]]\nname = 'a'\nversion = '1.0.0'\nblake3 = 'HASH'\n"
        .replace("HASH", &"0".repeat(64));
    let file = Path::new("plugins.lock");
    assert_eq!(PluginLock::parse(&good, file).unwrap().libraries().len(), 1);
    let twice = format!("{good}{}", good.replace("format = 1\n", ""));
    for (text, words) in [
        (
            "format = 2".to_owned(),
            "plugins.lock: format: expected 1, got 2",
        ),
        (good.replace("'a'", "'../a'"), "library[0].name"),
        (good.replace("1.0.0", "one"), "library[0].version"),
        (good.replace("00000", "x"), "library[0].blake3"),
        (good.replace("version", "verison"), "line 4"),
        ("format = ".to_owned(), "line 1"),
        (String::new(), "format"),
        (twice, "library[1].name: expected each library once"),
    ] {
        let error = PluginLock::parse(&text, file).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}
