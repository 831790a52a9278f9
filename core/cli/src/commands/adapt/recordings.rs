//! From a folder of recordings to the replay buffer: only what is new, and of that
//! only what can be learned from.
//!
//! Own recordings say who was in control and how each episode ended, so the episodes
//! are chosen before a picture is decoded, and copied into a data set of their own. So
//! a folder that a robot adds to all the time can be adapted from again and again: its
//! size does not matter, and nothing is learned from twice. Data sets of others are
//! taken whole.

use std::path::{Path, PathBuf};

use vola_bundle::{REPLAY, hash_folder};
use vola_recorder::{EpisodeFacts, EpisodeListing, Selection, count_episodes, export, list_some};
use vola_runtime::OfflinePolicy;
use vola_train::{FrameSource, LerobotReader, ReplayBuffer, ShardSource, StepWords, parse_step};

use super::{
    examples::{Hands, examples_of},
    simulated::task_of,
};
use crate::failure::Failure;

/// Episodes of what the policy does well that are taken of one recording: the newest.
const MOST_OLD: usize = 200;

/// Brings what is new of one recording into the buffer; the tasks that all of it is of.
///
/// # Errors
/// When there is nothing to learn from, files are damaged, or a stage fails.
pub(super) fn add(
    policy: &mut OfflinePolicy,
    buffer: &mut ReplayBuffer,
    folder: &Path,
    hands: Hands,
    frozen: &str,
) -> Result<Vec<&'static str>, Failure> {
    if !folder.join("meta").join("info.json").is_file() {
        return Err(Failure::Content {
            path: folder.to_owned(),
            reason: "expected a LeRobot data set (with meta/info.json), got none".to_owned(),
            help: "`vola chat --record DIR` records one; take over and correct",
        });
    }
    let listed = list_some(folder, 0..count_episodes(folder)?)?;
    if listed.iter().all(|episode| episode.facts.is_none()) {
        return add_whole(policy, buffer, folder, hands, frozen);
    }
    let usable: Vec<(&EpisodeListing, &EpisodeFacts)> = listed
        .iter()
        .filter_map(|episode| Some((episode, episode.facts.as_ref()?)))
        .filter(|(_, facts)| hands.can_learn_from(facts))
        .collect();
    if usable.is_empty() {
        return Err(nothing(folder, hands));
    }
    let steps: Vec<StepWords> = usable
        .iter()
        .flat_map(|(_, facts)| facts.tasks.iter().filter_map(|task| parse_step(task)))
        .collect();
    let tasks = steps.iter().map(task_of).collect();
    let known = buffer.recorded(hands.kind(), frozen);
    let mut new = usable;
    if hands == Hands::Policy {
        keep_newest(&mut new);
    }
    new.retain(|(_, facts)| !known.contains(&facts.stream));
    if new.is_empty() {
        return Ok(tasks);
    }
    let names = new.iter().map(|(_, facts)| facts.stream.clone()).collect();
    let numbers = new.iter().map(|(episode, _)| episode.episode).collect();
    let scratch = Scratch::beside(policy);
    let selection = Selection {
        episodes: Some(numbers),
        ..Selection::default()
    };
    export(folder, &scratch.0, &selection)?;
    let source = (&*scratch.0, folder);
    append(policy, buffer, source, (hands, frozen), names)?;
    Ok(tasks)
}

/// The newest of what the policy does well. To be called before what is known is left
/// out: older ones, passed over once, would come in at the next call, and the buffer
/// grow by as many at each.
fn keep_newest<T>(episodes: &mut Vec<T>) {
    episodes.drain(..episodes.len().saturating_sub(MOST_OLD));
}

/// The whole of a data set that was recorded elsewhere.
fn add_whole(
    policy: &mut OfflinePolicy,
    buffer: &mut ReplayBuffer,
    folder: &Path,
    hands: Hands,
    frozen: &str,
) -> Result<Vec<&'static str>, Failure> {
    let source = (folder, folder);
    let reader = append(policy, buffer, source, (hands, frozen), Vec::new())?;
    let steps = (0..reader.episodes()).filter_map(|index| reader.episode(index).step.as_ref());
    Ok(steps.map(task_of).collect())
}

/// Makes examples of a data set, unless they are there; `named` is what people call it.
fn append(
    policy: &mut OfflinePolicy,
    buffer: &mut ReplayBuffer,
    (folder, named): (&Path, &Path),
    (hands, frozen): (Hands, &str),
    recorded: Vec<String>,
) -> Result<LerobotReader, Failure> {
    let reader = LerobotReader::open(folder, policy.bundle().manifest())?;
    let source = ShardSource {
        kind: hands.kind(),
        frozen: frozen.to_owned(),
        data: hash_folder(&folder.join("data"))?,
    };
    if buffer.has(&source) {
        return Ok(reader);
    }
    let set = examples_of(policy, &reader, hands)?;
    if set.is_empty() {
        return Err(nothing(named, hands));
    }
    buffer.append(source, recorded, &set)?;
    Ok(reader)
}

fn nothing(folder: &Path, hands: Hands) -> Failure {
    Failure::Content {
        path: folder.to_owned(),
        reason: format!(
            "expected episodes that reached their goal and frames in which {} moved the arm, got none",
            hands.who()
        ),
        help: "`vola dataset show DIR` tells who was in control",
    }
}

/// A folder in the bundle that is gone when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn beside(policy: &OfflinePolicy) -> Self {
        let replay = policy.bundle().folder().join(REPLAY);
        let folder = replay.join("new.partial");
        // What an earlier process left.
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_the_policy_does_well_the_newest_are_taken() {
        let mut episodes: Vec<usize> = (0..MOST_OLD + 3).collect();
        keep_newest(&mut episodes);
        assert_eq!((episodes[0], episodes.len()), (3, MOST_OLD));
        episodes.truncate(2);
        keep_newest(&mut episodes);
        assert_eq!(episodes, [3, 4], "few are all taken");
    }

    #[test]
    fn what_a_person_put_right_is_no_example_of_what_the_policy_does_well() {
        let facts = |who: &[&str], success| EpisodeFacts {
            who: who.iter().map(|who| ((*who).to_owned(), 10)).collect(),
            success,
            ..EpisodeFacts::default()
        };
        for (who, success, person, policy) in [
            (vec!["human"], true, true, false),
            (vec!["human", "policy"], true, true, false),
            (vec!["policy", "planner"], true, false, true),
            (vec!["human"], false, false, false),
            (vec!["policy"], false, false, false),
        ] {
            let facts = facts(&who, success);
            assert_eq!(Hands::Person.can_learn_from(&facts), person, "{who:?}");
            assert_eq!(Hands::Policy.can_learn_from(&facts), policy, "{who:?}");
        }
    }
}
