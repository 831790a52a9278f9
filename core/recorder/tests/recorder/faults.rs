//! A disk that cannot be written stops the recording, never the robot.

use std::fs;

use vola_recorder::{Pace, Who, list};

use crate::synthetic::{STEP_NS, done, episode, give, open, start};

#[test]
fn an_unwritable_folder_costs_one_episode() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (mut recorder, _) = open(folder.path());
        let feed = recorder.feed(Pace::Queued).unwrap();
        let streams = folder.path().join("mcap");
        fs::remove_dir(&streams).unwrap();
        fs::write(&streams, "in the way").unwrap();
        episode(&feed, 0, 100, true);
        let is_whole = feed.end(1_000_000_000, done(true));
        assert!(!is_whole, "nothing was recorded, and that is told");
        fs::remove_file(&streams).unwrap();
        fs::create_dir(&streams).unwrap();
        feed.begin(start(2_000_000_000, "tidy up"));
        feed.primitive_began(2_000_000_000, "go home", Who::Policy);
        (0..100).for_each(|i| give(&feed, 2_000_000_000 + i * STEP_NS));
        feed.primitive_ended(3_000_000_000, "done");
        assert!(feed.end(3_000_000_000, done(true)));
    }
    let episodes = list(folder.path()).unwrap();
    assert_eq!(episodes.len(), 1);
    assert_eq!(episodes[0].frames, 25);
}

#[test]
fn an_episode_without_motion_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, _) = open(folder.path());
    let feed = recorder.feed(Pace::Direct).unwrap();
    feed.begin(crate::synthetic::start(0, "what do you see?"));
    for i in 0..50 {
        crate::synthetic::give(&feed, i * crate::synthetic::STEP_NS);
    }
    feed.end(500_000_000, crate::synthetic::done(true));
    assert_eq!(recorder.episodes(), 0);
    assert_eq!(fs::read_dir(folder.path().join("mcap")).unwrap().count(), 0);
}
