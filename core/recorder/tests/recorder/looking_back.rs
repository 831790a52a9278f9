//! What is shown of a recorded episode is what was given; damage is told.

use std::fs;

use vola_recorder::{
    Pace, Phase, Who, count_episodes, decode_png, encoded_picture, episode_course, list, list_some,
};

use crate::synthetic::{STEP_NS, done, episode, folder, give, open, picture_time_ns, start};

#[test]
fn a_course_has_its_bands_curves_and_single_pictures() {
    let folder = folder(3);
    let folder = folder.path();
    assert_eq!(count_episodes(folder).unwrap(), 3);
    let some = list_some(folder, 1..9).unwrap();
    assert_eq!(some, list(folder).unwrap()[1..]);
    let course = episode_course(folder, &some[0], 1000).unwrap();
    let band = |bands: &[vola_recorder::Band]| -> Vec<(usize, String)> {
        let all = bands.iter().map(|band| (band.from, band.word.clone()));
        all.collect()
    };
    assert_eq!((course.frames, course.cameras.len()), (50, 2));
    assert_eq!(
        band(&course.who),
        [(0, "policy".to_owned()), (25, "human".to_owned())]
    );
    assert_eq!(band(&course.phases)[1], (25, "correction".to_owned()));
    let steps = [
        "pick up the red block",
        "place the red block in the blue bowl",
    ];
    assert_eq!(
        band(&course.steps),
        [(0, steps[0].to_owned()), (25, steps[1].to_owned())]
    );
    assert_eq!((course.joints[0].as_str(), course.at.len()), ("j1", 50));
    assert!(
        (course.positions[1][49] + 4.96).abs() < 1e-5,
        "{:?}",
        course.positions[1]
    );
    assert_eq!((course.scores[49], course.thresholds[49]), (0.25, 0.5));
    // Fewer points, the same bands.
    let thin = episode_course(folder, &some[0], 20).unwrap();
    assert_eq!(
        (thin.at.len(), thin.at[16], thin.scores.len()),
        (17, 48, 17)
    );
    assert_eq!(thin.who, course.who);

    for frame in [0, 24, 49] {
        let picture = encoded_picture(folder, &some[0], "wrist", frame).unwrap();
        assert_eq!(picture.media_type, "image/png");
        let pixels = decode_png(&picture.bytes).unwrap();
        let time_ns = 3_000_000_000 + frame as u64 * 40_000_000;
        assert_eq!(picture_time_ns(1, &pixels), time_ns);
    }
    for (camera, frame, word) in [("wrist", 50, "below 50"), ("../front", 0, "cameras")] {
        let error = encoded_picture(folder, &some[0], camera, frame).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn no_changed_byte_of_a_data_file_is_fatal() {
    let folder = folder(1);
    let listed = list(folder.path()).unwrap().remove(0);
    let path = folder.path().join("data/chunk-000/file-000.parquet");
    let bytes = fs::read(&path).unwrap();
    let mut refused = 0;
    // Every part of the file: pages, their headers, the footer.
    let places = (0..bytes.len()).step_by(bytes.len() / 150);
    for place in places.chain(bytes.len() - 60..bytes.len()) {
        let mut wrong = bytes.clone();
        wrong[place] ^= 0x55;
        fs::write(&path, &wrong).unwrap();
        let course = episode_course(folder.path(), &listed, 100);
        let picture = encoded_picture(folder.path(), &listed, "front", 30);
        refused += usize::from(course.is_err() || picture.is_err());
    }
    assert!(refused > 0);
    fs::write(&path, b"PAR1").unwrap();
    let error = episode_course(folder.path(), &listed, 100).unwrap_err();
    assert!(error.to_string().contains("file-000.parquet"), "{error}");
    fs::remove_file(&path).unwrap();
    assert!(encoded_picture(folder.path(), &listed, "front", 0).is_err());
}

#[test]
fn an_episode_that_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, _) = open(folder.path());
    for pace in [Pace::Direct, Pace::Queued] {
        let feed = recorder.feed(pace).unwrap();
        feed.begin(start(0, "pick up the red block"));
        feed.primitive_began(0, "pick up the red block", Who::Human);
        feed.control(0, Who::Human, Phase::Correction);
        (0..20).for_each(|i| give(&feed, i * STEP_NS));
        feed.discard();
        let streams = fs::read_dir(folder.path().join("mcap")).unwrap();
        assert_eq!(streams.count(), 0, "{pace:?}");
        // The next one is recorded as ever.
        feed.end(0, done(true));
    }
    let feed = recorder.feed(Pace::Direct).unwrap();
    episode(&feed, 0, 100, true);
    assert_eq!(recorder.episodes(), 1);
}
