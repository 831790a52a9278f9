//! What was given is what the data set holds, and what other programs read.

use std::{fs, path::Path};

use vola_recorder::{
    Columns, Finding, Language, Pace, RecorderError, Selection, check, episode_pictures, export,
    export_streams, list, repair,
};

use crate::synthetic::{self, episode, folder, open, picture_time_ns, sample};

fn all_right(folder: &Path) {
    let wrong: Vec<Finding> = check(folder)
        .unwrap()
        .into_iter()
        .filter(|finding| !finding.ok)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn data(folder: &Path, episode: usize) -> Columns {
    Columns::open(&folder.join(format!("data/chunk-000/file-{episode:03}.parquet"))).unwrap()
}

#[test]
fn every_frame_comes_out_as_it_was_given() {
    let folder = folder(3);
    all_right(folder.path());
    let episodes = list(folder.path()).unwrap();
    assert_eq!(episodes.len(), 3);
    for (number, listed) in episodes.iter().enumerate() {
        let began_ns = number as u64 * 3_000_000_000;
        // Two seconds at 25 frames, less nothing: the first instant is a frame.
        assert_eq!(listed.frames, 50);
        let facts = listed.facts.as_ref().unwrap();
        assert_eq!((facts.success, facts.lost), (number % 2 == 0, 0));
        assert_eq!(facts.who["human"], 25);
        assert_eq!(facts.header["bundle"]["blake3"], "0123");
        let file = data(folder.path(), number);
        let state = file.floats("observation.state", 2).unwrap();
        let action = file.floats("action", 7).unwrap();
        for frame in 0..50 {
            let time_ns = began_ns + frame as u64 * 40_000_000;
            let given = sample(time_ns).state[0] as f32;
            assert_eq!(state[frame * 2].to_bits(), given.to_bits());
            // Towards the next frame's command; the last one has none.
            let next_ns = if frame < 49 {
                time_ns + 40_000_000
            } else {
                time_ns
            };
            let way = sample(next_ns).tool_command.position[0] - sample(time_ns).tool.position[0];
            assert!((f64::from(action[frame * 7]) - way).abs() < 1e-6);
            assert!((action[frame * 7 + 6] - 0.25).abs() < 1e-6);
        }
        let phases = file.texts("phase", 20).unwrap();
        assert_eq!(
            (phases[0].as_str(), phases[49].as_str()),
            ("auto", "correction")
        );
        let scores = file.floats("gate.score", 1).unwrap();
        assert_eq!((scores[0], scores[49]), (1.0, 0.25));
        let done = file.flags("next.done").unwrap();
        let ends: Vec<usize> = (0..50).filter(|i| done[*i]).collect();
        assert_eq!(ends, [24, 49], "each primitive has its end");
        assert_eq!(file.flags("next.success").unwrap()[49], number % 2 == 0);
        let pictures = episode_pictures(folder.path(), listed, Some("wrist"), 50).unwrap();
        for (frame, (_, pixels)) in pictures.iter().enumerate() {
            let time_ns = began_ns + frame as u64 * 40_000_000;
            assert_eq!(picture_time_ns(1, pixels), time_ns);
        }
    }
}

#[test]
fn virtual_time_gives_the_same_data_twice() {
    let (one, two) = (folder(2), folder(2));
    for name in [
        "data/chunk-000/file-000.parquet",
        "data/chunk-000/file-001.parquet",
        "meta/stats.json",
        "meta/info.json",
        "meta/tasks.parquet",
    ] {
        let read = |folder: &tempfile::TempDir| fs::read(folder.path().join(name)).unwrap();
        assert!(read(&one) == read(&two), "{name}");
    }
}

#[test]
fn a_queue_gives_what_a_call_gives() {
    let direct = folder(1);
    let queued = tempfile::tempdir().unwrap();
    {
        let (mut recorder, _) = open(queued.path());
        let feed = recorder.feed(Pace::Queued).unwrap();
        episode(&feed, 0, 200, true);
    }
    let name = "data/chunk-000/file-000.parquet";
    let read = |folder: &tempfile::TempDir| fs::read(folder.path().join(name)).unwrap();
    assert!(read(&direct) == read(&queued));
}

#[test]
fn recording_goes_on_where_it_ended_and_another_robot_is_refused() {
    let folder = folder(1);
    {
        let (mut recorder, mended) = open(folder.path());
        assert!(mended.is_clean());
        let feed = recorder.feed(Pace::Direct).unwrap();
        episode(&feed, 9_000_000_000, 100, true);
        let busy = vola_recorder::Recorder::open(
            folder.path(),
            synthetic::layout(),
            vola_recorder::RecorderSettings::default(),
        );
        assert!(matches!(busy.err(), Some(RecorderError::Busy { .. })));
    }
    assert_eq!(list(folder.path()).unwrap().len(), 2);
    all_right(folder.path());
    let other = vola_recorder::Layout {
        fps: 10,
        ..synthetic::layout()
    };
    let settings = vola_recorder::RecorderSettings::default();
    let refused = vola_recorder::Recorder::open(folder.path(), other, settings);
    let text = refused.err().unwrap().to_string();
    assert!(
        text.contains("fps") && text.contains("25") && text.contains("10"),
        "{text}"
    );
}

#[test]
fn a_selection_is_copied_and_numbered_anew() {
    let folder = folder(4);
    let to = tempfile::tempdir().unwrap();
    let (chosen, reached, nobody) = (
        to.path().join("a"),
        to.path().join("b"),
        to.path().join("c"),
    );
    let selection = Selection {
        episodes: Some(vec![1, 3]),
        ..Selection::default()
    };
    let report = export(folder.path(), &chosen, &selection).unwrap();
    assert_eq!((report.episodes, report.frames), (2, 100));
    all_right(&chosen);
    let (from, copied) = (data(folder.path(), 3), data(&chosen, 1));
    assert_eq!(
        from.floats("action", 7).unwrap(),
        copied.floats("action", 7).unwrap()
    );
    assert_eq!(copied.integers("index").unwrap()[0], 50);
    let selection = Selection {
        successful: true,
        who: Some("human".to_owned()),
        ..Selection::default()
    };
    assert_eq!(
        export(folder.path(), &reached, &selection)
            .unwrap()
            .episodes,
        2
    );
    assert!(
        export(folder.path(), &reached, &selection).is_err(),
        "not over another"
    );
    let selection = Selection {
        who: Some("expert".to_owned()),
        ..Selection::default()
    };
    assert!(export(folder.path(), &nobody, &selection).is_err());
}

#[test]
fn streams_become_a_data_set_with_language_columns() {
    let folder = folder(2);
    let to = tempfile::tempdir().unwrap();
    let to = to.path().join("set");
    let streams = [0, 1].map(|i| folder.path().join(format!("mcap/episode-{i:06}.mcap")));
    let report = export_streams(&streams, &to, Language::Columns).unwrap();
    assert_eq!(report.episodes, 2);
    all_right(&to);
    let info = fs::read_to_string(to.join("meta/info.json")).unwrap();
    assert!(info.contains("language_persistent"));
    // Of the list's struct, the first leaf: who says it.
    let roles = data(&to, 0).text_lists("language_persistent").unwrap();
    assert_eq!(roles.len(), 50);
    assert_eq!(roles[0], ["assistant", "assistant"], "two subtasks");
    let moments = data(&to, 0).text_lists("language_events").unwrap();
    assert_eq!(moments[25], ["user"], "a person corrects");
    assert_eq!(moments.iter().flatten().count(), 1);
}

#[test]
fn a_damaged_episode_is_found_and_made_anew() {
    let folder = folder(3);
    let path = folder.path().join("data/chunk-000/file-001.parquet");
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 0xFF;
    fs::write(&path, &bad).unwrap();
    let findings = check(folder.path()).unwrap();
    let hashes = findings.iter().find(|it| it.check == "hashes").unwrap();
    assert!(
        !hashes.ok && hashes.found.contains("episode 1"),
        "{hashes:?}"
    );
    let report = repair(folder.path()).unwrap();
    assert_eq!(report.rebuilt, [1]);
    assert!(fs::read(&path).unwrap() == good);
    all_right(folder.path());
    assert!(repair(folder.path()).unwrap().is_clean());
}

#[test]
fn what_info_json_does_not_count_is_found_and_removed() {
    let folder = folder(2);
    let extra = folder.path().join("data/chunk-000/file-002.parquet");
    fs::copy(
        folder.path().join("data/chunk-000/file-001.parquet"),
        &extra,
    )
    .unwrap();
    let left = |folder: &Path| {
        let findings = check(folder).unwrap();
        findings
            .into_iter()
            .any(|it| !it.ok && it.check == "left-over files")
    };
    assert!(left(folder.path()));
    repair(folder.path()).unwrap();
    assert!(!left(folder.path()) && !extra.exists());
    // Without its summaries the data set is made of its streams alone.
    fs::remove_dir_all(folder.path().join("meta")).unwrap();
    let report = repair(folder.path()).unwrap();
    assert_eq!(report.recovered.len(), 2);
    all_right(folder.path());
}

/// A process may be killed after an episode's last word and before its stream's end.
#[test]
fn a_stream_that_lacks_only_its_own_end_is_whole_once_it_is_taken_up() {
    let folder = folder(1);
    let stream = fs::read_dir(folder.path().join("mcap")).unwrap().next();
    let stream = stream.unwrap().unwrap().path();
    let whole = fs::read(&stream).unwrap();
    fs::write(&stream, &whole[..whole.len() - 10]).unwrap();
    let findings = check(folder.path()).unwrap();
    let streams = findings.iter().find(|it| it.check == "streams").unwrap();
    assert!(!streams.ok, "nobody has taken it up: {streams:?}");
    fs::remove_dir_all(folder.path().join("meta")).unwrap();
    let report = repair(folder.path()).unwrap();
    assert!(report.recovered.iter().all(|it| it.whole), "{report:?}");
    assert_eq!(report.recovered.len(), 1);
    all_right(folder.path());
}
