//! A policy learns from what was corrected, or is left as it was.

use std::{fs, path::Path};

use serde_json::Value;
use vola_tests::Finished;

use super::vola;

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

    fn adapt(&self, more: &[&str]) -> (Option<i32>, Value) {
        let (bundle, from, old) = (
            self.word("bundle"),
            self.word("corrections"),
            self.word("old"),
        );
        let fixed = ["policy", "adapt", &bundle, "--from", &from, "--old", &old];
        let done = self.vola(&[&fixed, more].concat());
        let told = done.json_lines().pop();
        (done.code, told.unwrap_or_else(|| panic!("{}", done.stderr)))
    }
}

fn copy(from: &Path, to: &Path) {
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
    let (corrections, old) = (place.word("corrections"), place.word("old"));
    let mut record = vec!["record", "--expert", "--takeovers", "--tasks", "pick"];
    record.extend(["--episodes", "6", "--seed", "500000", "--out", &corrections]);
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
    record.extend(["--record", &old]);
    record.extend(MOVED);
    assert_eq!(place.vola(&record).code, Some(0));

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
    let (runs, seeds) = (place.word("runs"), ["1", "2", "3", "4", "5", "6"]);
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
