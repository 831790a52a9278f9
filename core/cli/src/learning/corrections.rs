//! Which recorded corrections nothing was learned from yet.

use std::path::{Path, PathBuf};

use vola_bundle::REPLAY;
use vola_recorder::{EpisodeFacts, count_episodes, list_some};
use vola_train::{ExampleKind, ReplayBuffer};

/// Episodes of what the policy does well that are enough for learning.
const ENOUGH_OLD: usize = 5;

/// The corrections in a folder that a robot adds to. Every episode is read once.
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
    /// in the log and counts as none.
    pub(super) fn unlearned(&mut self) -> usize {
        self.look();
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

    fn look(&mut self) {
        // Nothing was recorded yet, or the first episode is being made.
        let Ok(total) = count_episodes(&self.folder) else {
            return;
        };
        if total <= self.seen {
            return;
        }
        match list_some(&self.folder, self.seen..total) {
            Ok(new) => {
                self.found
                    .take(new.iter().filter_map(|it| it.facts.as_ref()));
                self.seen = total;
            }
            Err(error) => {
                tracing::warn!("new corrections are not counted: {error}");
                self.seen = total;
            }
        }
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
}
