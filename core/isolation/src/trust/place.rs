//! Where a library lies and who may write there.

use std::{fs::File, path::Path};

use super::TrustError;

/// Opens a library that lies in `folder`, once its place is found to be sound:
/// a file, inside the folder also after links were followed, and neither it nor
/// a folder above it open to anybody's writing. All further reading is from the
/// opened file, so that a later exchange of the path changes nothing.
pub(super) fn open(folder: &Path, path: &Path) -> Result<File, TrustError> {
    let target = path.canonicalize().map_err(TrustError::io(path, "find"))?;
    let home = folder
        .canonicalize()
        .map_err(TrustError::io(folder, "find"))?;
    if !target.starts_with(&home) {
        return Err(TrustError::Outside {
            path: path.to_owned(),
            folder: folder.to_owned(),
            target,
        });
    }
    let file = File::open(&target).map_err(TrustError::io(path, "open"))?;
    let opened = file.metadata().map_err(TrustError::io(path, "open"))?;
    if !opened.is_file() {
        return Err(TrustError::NotAFile {
            path: path.to_owned(),
        });
    }
    check_writers(path, &target, &opened)?;
    Ok(file)
}

#[cfg(unix)]
fn check_writers(path: &Path, target: &Path, opened: &std::fs::Metadata) -> Result<(), TrustError> {
    use std::os::unix::fs::PermissionsExt as _;

    /// Anybody may write.
    const OTHERS_WRITE: u32 = 0o002;
    /// In such a folder only its owner may exchange a file.
    const STICKY: u32 = 0o1000;

    let refuse = |writable: &Path| {
        Err(TrustError::WorldWritable {
            path: path.to_owned(),
            writable: writable.to_owned(),
        })
    };
    if opened.permissions().mode() & OTHERS_WRITE != 0 {
        return refuse(target);
    }
    for (above, folder) in target.ancestors().skip(1).enumerate() {
        let mode = folder
            .metadata()
            .map_err(TrustError::io(folder, "look at"))?
            .permissions()
            .mode();
        // Anybody may put a new library into the folder itself, sticky or not.
        let is_open = mode & OTHERS_WRITE != 0 && (above == 0 || mode & STICKY == 0);
        if is_open {
            return refuse(folder);
        }
    }
    Ok(())
}

/// Who may write is not asked on this system.
#[cfg(not(unix))]
fn check_writers(_: &Path, _: &Path, _: &std::fs::Metadata) -> Result<(), TrustError> {
    Ok(())
}
