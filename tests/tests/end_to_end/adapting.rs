//! A policy learns from what was corrected, or is left as it was.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use vola_tests::{Finished, Lines, workspace};

use super::{LIMIT, vola};

/// Longest time in which an adaptation of a few steps ends.
const LEARNING: Duration = Duration::from_secs(600);

const MOVED: [&str; 4] = ["--perturb", "camera_moved", "--perturb-seed", "1"];

/// The shipped bundle, to be adapted elsewhere, and a deployment of it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
        copy(&configs.join("policies/tabletop"), &place.path("bundle"));
        let toml = fs::read_to_string(configs.join("tabletop.toml")).unwrap();
        let absolute = |toml: &str, name: &str, path: &Path| {
            toml.replace(&format!("\"{name}\""), &format!("\"{}\"", path.display()))
        };
        let toml = absolute(&toml, "policies/tabletop", &place.path("bundle"));
        let toml = absolute(&toml, "planner/tabletop", &configs.join("planner/tabletop"));
        let toml = absolute(&toml, "manual", &configs.join("manual"));
        fs::write(place.path("deployment.toml"), toml).unwrap();
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn word(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn vola(&self, arguments: &[&str]) -> Finished {
        let config = self.word("deployment.toml");
        vola(&[arguments, &["--config", &config, "--json"]].concat())
    }

    /// What a conversation in which nobody says anything learns in the end.
    fn learned_alone(&self) -> Value {
        let toml = fs::read_to_string(self.path("deployment.toml")).unwrap();
        let more = "\n[adaptation]\nafter_corrections = 6\nsteps = 120\n";
        fs::write(self.path("learning.toml"), toml + more).unwrap();
        let mut child = Command::new(workspace().vola())
            .args(["chat", "--fast", "--json", "--record", &self.word("runs")])
            .args(["--config", &self.word("learning.toml")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = Lines::of(child.stdout.take().unwrap());
        let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        told.until("the begin of learning", LIMIT, |line| {
            (parse(line)["learning"]["state"] == "learning").then_some(())
        });
        // It stands still while something is done, and goes on after that.
        let mut typed = child.stdin.take().unwrap();
        typed.write_all(b"go home\n").unwrap();
        told.until("the end of the sentence", LIMIT, |line| {
            (parse(line)["event"] == "finished").then_some(())
        });
        let learned = told.until("what was learned", LEARNING, |line| {
            Some(parse(line)).filter(|line| line["learning"].is_object())
        });
        drop(typed);
        // It ends when nobody can type any more.
        told.rest(LIMIT);
        child.wait().unwrap();
        // A process that failed has left the versions as they were, too.
        let state = learned["learning"]["state"].as_str();
        let is_verdict = matches!(state, Some("accepted" | "rolled_back"));
        assert!(is_verdict, "{learned}");
        learned
    }

    fn adapt(&self, more: &[&str]) -> (Option<i32>, Value) {
        let (bundle, runs) = (self.word("bundle"), self.word("runs"));
        // Who was in control tells which episodes are corrections.
        let fixed = ["policy", "adapt", &bundle, "--from", &runs, "--old", &runs];
        let done = self.vola(&[&fixed, more].concat());
        let told = done.json_lines().pop();
        (done.code, told.unwrap_or_else(|| panic!("{}", done.stderr)))
    }
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn corrections_make_a_version_that_can_be_chosen_and_left() {
    let place = Place::new();
    let runs = place.word("runs");
    let mut record = vec!["record", "--expert", "--takeovers", "--tasks", "pick"];
    record.extend(["--episodes", "6", "--seed", "500000", "--out", &runs]);
    record.extend(MOVED);
    let recorded = place.vola(&record);
    assert_eq!(
        recorded.json_lines()[0]["recorded"]["kept"],
        6,
        "{}",
        recorded.stderr
    );
    let mut record = vec![
        "eval",
        "--task",
        "place_in",
        "--episodes",
        "6",
        "--seed",
        "600000",
    ];
    record.extend(["--record", &runs]);
    record.extend(MOVED);
    assert_eq!(place.vola(&record).code, Some(0));

    // By itself: the corrections are enough, and the robot rests.
    let learned = place.learned_alone();
    assert_eq!(learned["learning"]["version"], "learned-1", "{learned}");
    assert_eq!(learned["learning"]["corrections"], 6, "{learned}");
    let rows = place.vola(&["policy", "versions", &place.word("bundle")]);
    let accepted = learned["learning"]["state"] == "accepted";
    assert_eq!(
        rows.json_lines().len(),
        1 + usize::from(accepted),
        "{learned}"
    );
    let _ = fs::remove_dir_all(place.path("bundle/versions"));

    // One step teaches nothing: it is rolled back.
    let (code, told) = place.adapt(&["--steps", "1", "--learning-rate", "1e-9", "--name", "none"]);
    assert_eq!(
        (code, &told["accepted"]),
        (Some(1), &false.into()),
        "{told}"
    );
    assert!(
        told["reason"].as_str().unwrap().contains("corrections"),
        "{told}"
    );
    let (code, told) = place.adapt(&["--steps", "120", "--name", "moved-1"]);
    assert_eq!((code, &told["accepted"]), (Some(0), &true.into()), "{told}");
    assert_eq!(told["figures"]["corrections"]["episodes"], 6);
    let (code, told) = place.adapt(&["--name", "moved-1"]);
    assert_eq!(code, Some(2), "the name is taken: {told}");

    let bundle = place.word("bundle");
    let chosen = [
        "policy", "versions", &bundle, "--use", "moved-1", "--share", "0.5",
    ];
    let listed = place.vola(&chosen).json_lines();
    let shares: Vec<(&Value, &Value)> = listed
        .iter()
        .map(|row| (&row["version"], &row["share"]))
        .collect();
    assert_eq!(
        shares,
        [
            (&"base".into(), &0.5.into()),
            (&"moved-1".into(), &0.5.into())
        ]
    );

    // Which one did a sentence stands in the run log, and the seed decides.
    let (runs, seeds) = (place.word("logs"), ["1", "2", "3", "4", "5", "6"]);
    let mut seen = std::collections::BTreeSet::new();
    for seed in seeds {
        let run = [
            "run", "go home", "--fast", "--seed", seed, "--record", &runs,
        ];
        assert_eq!(place.vola(&run).code, Some(0));
    }
    for entry in fs::read_dir(&runs).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let text = fs::read_to_string(&path).unwrap();
            let mut lines = text
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap());
            let header = lines.next().unwrap();
            assert_eq!(
                header["header"]["bundle"]["version"]["name"], "moved-1",
                "{header}"
            );
            let said = lines.find(|line| line["sentence"].is_string()).unwrap();
            seen.insert(said["policy_version"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["base", "moved-1"]);
}
