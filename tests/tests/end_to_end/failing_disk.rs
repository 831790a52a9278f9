//! A disk that takes no more while the robot works.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use vola_tests::workspace;

use super::watchdogs::deployment;

/// From now on no file of this process grows: its writes fail.
#[expect(unsafe_code, reason = "the system's own limit of another process")]
fn fail_writes(child: &Child) {
    let limit = libc::rlimit {
        rlim_cur: 1,
        rlim_max: 1,
    };
    let process = i32::try_from(child.id()).unwrap();
    // SAFETY: `limit` is read during the call only; no old limit is asked for.
    let result = unsafe {
        libc::prlimit(
            process,
            libc::RLIMIT_FSIZE,
            &raw const limit,
            std::ptr::null_mut(),
        )
    };
    assert_eq!(result, 0);
}

/// The log ends, the recording ends, both are told; the robot does its work.
#[test]
fn a_run_goes_on_when_its_log_and_recording_cannot_be_written_any_more() {
    let (folder, config) = deployment("[record]\nfolder = 'recorded'");
    let mut child = Command::new("sh")
        // Else the system would end the process at its first write.
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(workspace().vola())
        .args([
            "chat", "--fast", "--seed", "2", "--json", "--config", &config,
        ])
        .current_dir(&workspace().root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut finished = || loop {
        let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if event["event"] == "finished" {
            return event;
        }
    };
    writeln!(input, "open the gripper").unwrap();
    assert_eq!(finished()["outcome"], "done");
    fail_writes(&child);
    writeln!(input, "put the yellow block in the red bowl").unwrap();
    let worked = finished();
    drop(input);
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert_eq!(
        (&worked["outcome"], &worked["success"]),
        (&"done".into(), &true.into()),
        "{worked}\n{said}"
    );
    let told = |words: &str| said.lines().filter(|line| line.contains(words)).count();
    println!("{said}");
    assert_eq!(told("the run log ends here"), 1, "{said}");
    assert!(told("recording") >= 1, "{said}");
    drop(folder);
}
