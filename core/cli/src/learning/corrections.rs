//! Which recorded corrections nothing was learned from yet.

use std::path::{Path, PathBuf};

use vola_bundle::REPLAY;
use vola_recorder::{EpisodeFacts, count_episodes, list_some};
use vola_train::{ExampleKind, ReplayBuffer};

/// Episodes of what the policy does well that are enough for learning.
const ENOUGH_OLD: usize = 5;
/// Episodes that one look reads at most: it is made on the conversation's thread, and
/// a folder may hold thousands when the robot starts.
const AT_A_LOOK: usize = 50;

/// The corrections in a folder that a robot adds to. Every episode is read once, some
/// at each look.
#[derive(Debug)]
pub(super) struct Corrections {
    folder: PathBuf,
    replay: PathBuf,
    /// Hash of the weights that would learn: what others learned does not count.
    frozen: String,
    seen: usize,
    found: Found,
}

/// What the episodes so far were.
#[derive(Debug, Default)]
struct Found {
    /// Names of those in which a person moved the arm and the goal was reached.
    corrections: Vec<String>,
    /// How many the policy did well alone.
    old: usize,
}

impl Corrections {
    /// Nothing was read yet.
    pub(super) fn new(folder: &Path, bundle: &Path, frozen: String) -> Self {
        Self {
            folder: folder.to_owned(),
            replay: bundle.join(REPLAY),
            frozen,
            seen: 0,
            found: Found::default(),
        }
    }

    /// How many there are that nothing was learned from. What cannot be read is told
    /// in the log and counts as none. None while a large folder is still being read:
    /// what the policy does well may lie in the rest of it.
    pub(super) fn unlearned(&mut self) -> usize {
        if !self.look() {
            return 0;
        }
        let learned = match ReplayBuffer::open(&self.replay) {
            Ok(buffer) => buffer.recorded(ExampleKind::Correction, &self.frozen),
            Err(error) => {
                tracing::warn!("corrections are not counted: {error}");
                return 0;
            }
        };
        let names = self.found.corrections.iter();
        names.filter(|name| !learned.contains(*name)).count()
    }

    /// Whether the folder also holds enough of what the policy does well.
    pub(super) fn has_old(&self) -> bool {
        self.found.old >= ENOUGH_OLD
    }

    /// Reads some of what is new; whether all of it was read by now.
    fn look(&mut self) -> bool {
        // Nothing was recorded yet, or the first episode is being made.
        let Ok(total) = count_episodes(&self.folder) else {
            return true;
        };
        // One by one: what cannot be read takes none of its neighbours with it.
        let end = total.min(self.seen.saturating_add(AT_A_LOOK));
        for number in self.seen..end {
            match list_some(&self.folder, number..number + 1) {
                Ok(new) => {
                    let facts = new.iter().filter_map(|it| it.facts.as_ref());
                    self.found.take(facts);
                }
                Err(error) => {
                    tracing::warn!("episode {number} counts as no correction: {error}");
                }
            }
        }
        self.seen = self.seen.max(end);
        self.seen >= total
    }
}

impl Found {
    fn take<'a>(&mut self, episodes: impl IntoIterator<Item = &'a EpisodeFacts>) {
        for facts in episodes {
            let moved = |who: &str| facts.who.get(who).is_some_and(|frames| *frames > 0);
            match (facts.success, moved("human"), moved("policy")) {
                (true, true, _) => self.corrections.push(facts.stream.clone()),
                (true, false, true) => self.old += 1,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use vola_recorder::{
        ActionMeaning, EpisodeEnd, EpisodeStart, Layout, MotionSample, Pace, Phase, Pose, Recorder,
        RecorderSettings, Who,
    };
    use vola_train::{ExampleSet, ShardSource};

    use super::*;

    fn episode(stream: &str, who: &str, success: bool) -> EpisodeFacts {
        EpisodeFacts {
            stream: stream.to_owned(),
            who: [(who.to_owned(), 12)].into(),
            success,
            ..EpisodeFacts::default()
        }
    }

    #[test]
    fn a_correction_counts_until_something_was_learned_from_it() {
        let bundle = tempfile::tempdir().unwrap();
        let folder = bundle.path().join("none");
        let mut all = Corrections::new(&folder, bundle.path(), "w".to_owned());
        assert_eq!(all.unlearned(), 0);
        all.found.take(&[
            episode("a", "human", true),
            episode("b", "human", false),
            episode("c", "policy", true),
            episode("d", "human", true),
        ]);
        assert_eq!((all.unlearned(), all.has_old()), (2, false));
        let mut buffer = ReplayBuffer::open(&bundle.path().join(REPLAY)).unwrap();
        let mut set = ExampleSet::default();
        set.push(0, &[("action".to_owned(), vec![1], vec![0.5])])
            .unwrap();
        for (frozen, left) in [("other", 2), ("w", 1)] {
            let source = ShardSource {
                kind: ExampleKind::Correction,
                frozen: frozen.to_owned(),
                data: "recording".to_owned(),
            };
            buffer.append(source, vec!["a".to_owned()], &set).unwrap();
            assert_eq!(all.unlearned(), left, "{frozen}");
        }
    }

    /// Records so many episodes in which a person moves an arm without cameras.
    fn record(folder: &Path, episodes: u64) {
        let names = vec!["j1".to_owned()];
        let layout = Layout {
            robot: "test/arm".to_owned(),
            fps: 10,
            joints: names.clone(),
            state: names.clone(),
            action: ActionMeaning::JointPosition,
            action_names: names,
            cameras: Vec::new(),
        };
        let (mut recorder, _) =
            Recorder::open(folder, layout, RecorderSettings::default()).unwrap();
        let feed = recorder.feed(Pace::Direct).unwrap();
        for number in 0..episodes {
            let from_ns = number * 1_000_000_000;
            feed.begin(EpisodeStart {
                task: "go home".to_owned(),
                time_ns: from_ns,
                epoch_ns: 0,
                header: serde_json::json!({}),
            });
            feed.primitive_began(from_ns, "go home", Who::Human);
            feed.control(from_ns, Who::Human, Phase::Correction);
            for step in 0..50 {
                feed.motion(MotionSample {
                    time_ns: from_ns + step * 10_000_000,
                    position: vec![0.0],
                    velocity: vec![0.0],
                    command: vec![0.0],
                    state: vec![0.0],
                    tool: Pose::default(),
                    tool_command: Pose::default(),
                });
            }
            let end = EpisodeEnd {
                success: true,
                outcome: "done".to_owned(),
            };
            feed.primitive_ended(from_ns + 500_000_000, "done");
            feed.end(from_ns + 500_000_000, end);
        }
    }

    #[test]
    fn a_damaged_episode_takes_no_other_with_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("runs");
        record(&folder, 3);
        let damaged = folder.join("meta/episodes/chunk-000/file-001.parquet");
        fs::write(damaged, "PAR1").unwrap();
        let mut all = Corrections::new(&folder, place.path(), "w".to_owned());
        assert_eq!(all.unlearned(), 2);
        assert_eq!(all.seen, 3);
    }

    #[test]
    fn a_large_folder_is_read_in_parts() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("meta/vola")).unwrap();
        fs::write(place.path().join("meta/vola/layout.json"), "{}").unwrap();
        let info = r#"{"codebase_version": "v3.0", "fps": 10, "total_episodes": 120,
            "total_frames": 120, "total_tasks": 1, "features": {}}"#;
        fs::write(place.path().join("meta/info.json"), info).unwrap();
        let mut all = Corrections::new(place.path(), place.path(), "w".to_owned());
        for (seen, is_all) in [(50, false), (100, false), (120, true), (120, true)] {
            assert_eq!((all.look(), all.seen), (is_all, seen));
        }
    }
}
