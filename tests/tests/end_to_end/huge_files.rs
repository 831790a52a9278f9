//! Files of a hundred megabytes where a few kilobytes belong: refused by their size,
//! in a process that could not hold them.

use std::{fs, io::Write as _, path::Path, process::Command};

use vola_tests::{Finished, run_limited, workspace};

/// Size of the files.
const BYTES: usize = 100 << 20;
/// Memory for data of a process that refuses them (KiB): three times what the
/// program needs to begin, and less than such a file takes. Not the address
/// space: libraries take of that what their symbols for debugging weigh.
const MOST_KIB: &str = "80000";

/// `vola` in a process that gets no more memory.
fn bounded(arguments: &[&str]) -> Finished {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -d \"$0\" && exec \"$@\"", MOST_KIB])
        .arg(workspace().vola())
        .args(arguments)
        .current_dir(&workspace().root);
    run_limited(&mut command, "", super::LIMIT)
}

/// A valid beginning, then lines of comment without end.
fn write_huge(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    file.write_all(b"[robot]\nplugin = 'tabletop/franka'\n")
        .unwrap();
    let comment =
        b"# nothing to see here, go on, there is more of the same to come\n".repeat(1 << 14);
    let mut written = 0;
    while written < BYTES {
        file.write_all(&comment).unwrap();
        written += comment.len();
    }
}

fn write(path: &Path, text: &str) -> String {
    fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_file_of_100_megabytes_is_refused_by_its_size_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let huge = at("huge.toml");
    write_huge(&huge);
    let huge = huge.to_str().unwrap();
    // A bundle whose manifest it is, and a lock file that it is.
    fs::create_dir(at("bundle")).unwrap();
    fs::hard_link(huge, at("bundle/policy.toml")).unwrap();
    let robot = "[robot]\nplugin = 'tabletop/franka'\n";
    let policy = write(
        &at("policy.toml"),
        &format!("{robot}[policy]\nbundle = 'bundle'\n"),
    );
    let lock = write(
        &at("lock.toml"),
        &format!("{robot}[plugins]\nlock = 'huge.toml'\n"),
    );
    let endless = "/dev/zero";
    let cases: [(&[&str], &str); 7] = [
        (
            &["config", "check", "--config", huge],
            "at most 1048576 bytes",
        ),
        (
            &["run", "go home", "--fast", "--config", huge],
            "at most 1048576 bytes",
        ),
        (
            &["config", "check", "--config", endless],
            "at most 1048576 bytes",
        ),
        (
            &["config", "check", "--config", &policy],
            "at most 1048576 bytes",
        ),
        (&["plugin", "list", "--config", &lock], "at most 1 MiB"),
        (&["train", huge], "at most 1048576 bytes"),
        (
            &["plan", "go home", "--scene", huge],
            "at most 16777216 bytes",
        ),
    ];
    for (arguments, expected) in cases {
        let run = bounded(arguments);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(run.code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
    // The bound is no hindrance to files as they are.
    let usual = bounded(&["config", "check"]);
    assert_eq!(usual.code, Some(0), "{}", usual.stderr);
}
