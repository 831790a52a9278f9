//! `kill -9` at random moments of recording, and what it costs to record.
//!
//! The victim is this test's own program, started again with a folder in its
//! environment. It says on standard output what it has given and which episodes it
//! has ended; after its death that is compared with what the folder holds.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use vola_recorder::{Columns, EpisodeListing, Pace, check, episode_pictures, list, repair};

use crate::synthetic::{FPS, STEP_NS, done, episode, give, open, picture_time_ns, start};

/// Names the victim's folder.
const VICTIM: &str = "VOLA_RECORDING_VICTIM";
/// How often to kill; few where nothing says otherwise.
const KILLS: &str = "VOLA_RECORDING_KILLS";
/// Instants of one of the victim's episodes.
const INSTANTS: u64 = 130;
/// Most instants of a victim's life.
const LONGEST: u64 = 400;
/// What may be lost of the open episode (ns).
const MOST_LOST_NS: u64 = 1_000_000_000;

/// Records until it is killed. Does nothing when it is run as a test.
#[test]
fn victim() {
    let Some(folder) = env::var_os(VICTIM) else {
        return;
    };
    // Many kills go through time faster than the clock; what counts is recorded time.
    let pace = if env::var_os(KILLS).is_some() { 1 } else { 2 };
    let (mut recorder, _) = open(Path::new(&folder));
    let feed = recorder.feed(Pace::Queued).unwrap();
    let mut said = std::io::stdout().lock();
    let begun = Instant::now();
    for instant in 0..10 * LONGEST {
        let time_ns = instant * STEP_NS;
        if instant % INSTANTS == 0 {
            feed.begin(start(time_ns, "stay"));
            feed.primitive_began(time_ns, "stay", vola_recorder::Who::Policy);
        }
        give(&feed, time_ns);
        writeln!(said, "given {time_ns}").unwrap();
        if instant % INSTANTS == INSTANTS - 1 {
            feed.end(time_ns, done(true));
            writeln!(said, "ended {}", instant / INSTANTS).unwrap();
        }
        said.flush().unwrap();
        let due = Duration::from_nanos(time_ns / pace);
        std::thread::park_timeout(due.saturating_sub(begun.elapsed()));
    }
}

/// What a victim said before it died.
#[derive(Debug, Default)]
struct LastWords {
    given_ns: u64,
    ended: u64,
}

/// Starts a victim and kills it after so many instants.
fn kill_after(folder: &Path, instants: u64) -> LastWords {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::victim",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(VICTIM, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    let mut words = LastWords::default();
    let mut alive = true;
    for line in said.lines() {
        let line = line.unwrap();
        // The harness writes the test's name before its first line.
        if let Some((_, time)) = line.split_once("given ") {
            words.given_ns = time.parse().unwrap();
        } else if let Some((_, _)) = line.split_once("ended ") {
            words.ended += 1;
        }
        if alive && words.given_ns >= instants * STEP_NS {
            // What it says until the signal arrives still counts.
            child.kill().unwrap();
            alive = false;
        }
    }
    child.wait().unwrap();
    words
}

/// Frames of an episode are those that were given, without a gap.
fn compare(folder: &Path, listed: &EpisodeListing) -> u64 {
    let began_ns = listed.episode as u64 * INSTANTS * STEP_NS;
    let frame_ns = 1_000_000_000 / u64::from(FPS);
    let first_ns = began_ns.next_multiple_of(frame_ns);
    let file = format!("data/chunk-000/file-{:03}.parquet", listed.episode);
    let state = Columns::open(&folder.join(file)).unwrap();
    let state = state.floats("observation.state", 2).unwrap();
    let pictures = episode_pictures(folder, listed, Some("front"), listed.frames).unwrap();
    for (frame, (_, pixels)) in pictures.iter().enumerate() {
        let time_ns = first_ns + frame as u64 * frame_ns;
        let given = (time_ns as f64 * 1e-9) as f32;
        assert_eq!(state[frame * 2].to_bits(), given.to_bits(), "{frame}");
        assert_eq!(picture_time_ns(0, pixels), time_ns, "frame {frame}");
    }
    first_ns + (listed.frames as u64 - 1) * frame_ns
}

#[test]
fn killed_at_random_moments_nothing_finished_is_lost() {
    if env::var_os(VICTIM).is_some() {
        return;
    }
    let kills: u64 = env::var(KILLS).map_or(10, |text| text.parse().unwrap());
    let (mut finished, mut most_lost_ns, mut longest_s, mut open_kept) = (0, 0_u64, 0.0_f64, 0);
    for kill in 0..kills {
        let folder = tempfile::tempdir().unwrap();
        // Spread evenly, and off the beat of chunks and episodes.
        let instants = 1 + (kill * 0x9E37_79B9 + 17) % LONGEST;
        let words = kill_after(folder.path(), instants);
        let started = Instant::now();
        let (recorder, _) = open(folder.path());
        longest_s = longest_s.max(started.elapsed().as_secs_f64());
        drop(recorder);
        let episodes = list_all(folder.path());
        assert!(
            episodes.len() as u64 >= words.ended,
            "{words:?}: {}",
            episodes.len()
        );
        let mut last_ns = 0;
        for listed in &episodes {
            last_ns = compare(folder.path(), listed);
        }
        for listed in episodes.iter().take(words.ended as usize) {
            let facts = listed.facts.as_ref().unwrap();
            assert_eq!(
                (facts.outcome.as_str(), facts.lost),
                ("done", 0),
                "{facts:?}"
            );
            assert!(
                listed.frames as u64 >= INSTANTS * STEP_NS / 40_000_000,
                "{listed:?}"
            );
        }
        finished += words.ended;
        open_kept += (episodes.len() as u64).saturating_sub(words.ended);
        let lost_ns = words.given_ns.saturating_sub(last_ns);
        assert!(
            lost_ns <= MOST_LOST_NS,
            "{words:?}: last frame at {last_ns}"
        );
        most_lost_ns = most_lost_ns.max(lost_ns);
        if !episodes.is_empty() {
            let wrong: Vec<_> = check(folder.path()).unwrap();
            let wrong: Vec<_> = wrong.into_iter().filter(|it| !it.ok).collect();
            assert!(wrong.is_empty(), "{wrong:?}");
            assert!(repair(folder.path()).unwrap().is_clean(), "mended twice");
        }
    }
    println!(
        "recording: {kills} kills, {finished} finished episodes, 0 lost, {open_kept} open ones recovered, \
         at most {:.3} s of an open one lost, mended in at most {longest_s:.3} s",
        most_lost_ns as f64 * 1e-9
    );
}

/// None when the victim died before its first frame.
fn list_all(folder: &Path) -> Vec<EpisodeListing> {
    list(folder).unwrap_or_default()
}

/// Processor time of this thread (s); the clock's where the system does not say.
fn spent_s() -> f64 {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_core_ns = counted.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    on_core_ns.map_or_else(
        || {
            std::time::UNIX_EPOCH
                .elapsed()
                .map_or(0.0, |it| it.as_secs_f64())
        },
        |ns| ns * 1e-9,
    )
}

#[test]
fn what_recording_costs() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, _) = open(folder.path());
    let feed = recorder.feed(Pace::Direct).unwrap();
    let seconds = 10;
    // Making the pictures is not the recorder's work.
    let began_s = spent_s();
    for i in 0..seconds * 100 {
        if i % 4 == 0 {
            std::hint::black_box(
                [0, 1].map(|camera| crate::synthetic::picture(camera, i * STEP_NS)),
            );
        }
    }
    let making_s = spent_s() - began_s;
    let began_s = spent_s();
    episode(&feed, 0, seconds * 100, true);
    let spent = spent_s() - began_s - making_s;
    let frames = (seconds * u64::from(FPS)) as f64;
    let bytes = std::fs::metadata(folder.path().join("mcap/episode-000000.mcap"))
        .unwrap()
        .len();
    println!(
        "recording: {:.0} frames/s, {:.3} ms of one core a frame (two 96x96 cameras at {FPS} Hz, states at 100 Hz, \
         data set included), {:.2} MB a minute",
        frames / spent,
        spent * 1e3 / frames,
        bytes as f64 * 60.0 / seconds as f64 / 1e6
    );
    assert_eq!(recorder.episodes(), 1);
}
