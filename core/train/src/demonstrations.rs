//! All the data of a training: shards and LeRobot data sets as one source.

use std::ops::Range;
use std::path::PathBuf;

use vola_bundle::Manifest;

use crate::{
    EpisodeMeta, Frame, FrameShape, FrameSource, LerobotReader, Result, ShardReader, TrainConfig,
    TrainError,
};

/// The folders of a configuration's `data`, whatever their kinds; shards come first.
///
/// A folder with `meta/info.json` is a LeRobot data set, any other one holds shards.
pub struct Demonstrations {
    shape: FrameShape,
    parts: Vec<Part>,
    frames: usize,
    episodes: usize,
    notes: Vec<String>,
}

/// One source and where it begins in the whole.
struct Part {
    source: Box<dyn FrameSource>,
    frame: usize,
    episode: usize,
}

impl Demonstrations {
    /// Reads and checks every folder.
    ///
    /// # Errors
    /// A damaged or unsuitable folder, an unreadable policy file, or folders whose frames differ in
    /// their sizes.
    pub fn open(config: &TrainConfig) -> Result<Self> {
        let (lerobot, shards): (Vec<PathBuf>, Vec<PathBuf>) = config
            .data
            .iter()
            .cloned()
            .partition(|folder| LerobotReader::is_data_set(folder));
        let mut all = Self {
            shape: FrameShape::tabletop(),
            parts: Vec::new(),
            frames: 0,
            episodes: 0,
            notes: Vec::new(),
        };
        if !shards.is_empty() || lerobot.is_empty() {
            all.add(Box::new(ShardReader::open(&shards)?));
        }
        if lerobot.is_empty() {
            return Ok(all);
        }
        let manifest = Manifest::load(&config.policy)?;
        for folder in lerobot {
            let source = LerobotReader::open(&folder, &manifest)?;
            let got = FrameShape {
                objects: all.shape.objects,
                ..source.shape()
            };
            if !all.parts.is_empty() && got != all.shape {
                return Err(TrainError::Dataset {
                    path: folder,
                    place: "frames".to_string(),
                    reason: format!("expected {:?} as in the shards, got {got:?}", all.shape),
                    help: "record the shards again with the robot that the policy file names",
                });
            }
            all.notes.push(source.summary());
            all.add(Box::new(source));
        }
        Ok(all)
    }

    /// What is worth a line about the data.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn add(&mut self, source: Box<dyn FrameSource>) {
        if self.parts.is_empty() {
            self.shape = source.shape();
        }
        let (frames, episodes) = (source.len(), source.episodes());
        self.parts.push(Part {
            source,
            frame: self.frames,
            episode: self.episodes,
        });
        self.frames += frames;
        self.episodes += episodes;
    }

    /// The part that holds what the key function counts to `index`.
    fn part(&self, index: usize, start: impl Fn(&Part) -> usize) -> &Part {
        &self.parts[self.parts.partition_point(|part| start(part) <= index) - 1]
    }
}

impl FrameSource for Demonstrations {
    fn shape(&self) -> FrameShape {
        self.shape
    }

    fn len(&self) -> usize {
        self.frames
    }

    fn frame(&self, index: usize) -> Frame<'_> {
        let part = self.part(index, |part| part.frame);
        let frame = part.source.frame(index - part.frame);
        Frame {
            episode: part.episode + frame.episode,
            ..frame
        }
    }

    fn episodes(&self) -> usize {
        self.episodes
    }

    fn episode(&self, index: usize) -> &EpisodeMeta {
        let part = self.part(index, |part| part.episode);
        part.source.episode(index - part.episode)
    }

    fn frames_of(&self, index: usize) -> Range<usize> {
        let part = self.part(index, |part| part.episode);
        let frames = part.source.frames_of(index - part.episode);
        part.frame + frames.start..part.frame + frames.end
    }
}
