//! Reads a stream back, whole or cut off anywhere.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use serde_json::Value;
use vola_types::{Plan, Scene, step_sentence};

use crate::{
    EpisodeEnd, Layout, Result, Who,
    channels::{Own, camera_topic},
    error::{DAMAGED, fault},
    foxglove,
    mcap_reader::{Record, visit_records},
    stream_writer::{FrameMessage, METADATA},
};

/// Most frames of one episode.
const MAX_FRAMES: usize = 1_000_000;

/// An encoded picture, shared by the frames that show it.
pub(crate) type Picture = Arc<[u8]>;

/// One episode, as its stream tells it.
#[derive(Debug)]
pub(crate) struct Episode {
    pub(crate) layout: Layout,
    /// Name that no other stream has.
    pub(crate) stream: String,
    pub(crate) task: String,
    pub(crate) header: Value,
    pub(crate) began_ns: u64,
    /// Every frame with the pictures of the cameras, in the layout's order.
    pub(crate) frames: Vec<(FrameMessage, Vec<Picture>)>,
    /// What was planned, and when (ns).
    pub(crate) plans: Vec<(u64, String)>,
    /// None when the stream stops before it.
    pub(crate) end: Option<EpisodeEnd>,
    /// Whether the stream stops before its own end, which comes after the episode's.
    pub(crate) is_cut: bool,
    /// What could not be taken, as far as it was told.
    pub(crate) lost: u64,
    /// Time of the newest message (ns, on the runtime's clock).
    pub(crate) last_ns: u64,
}

impl Episode {
    /// Whether a frame belongs to the data set: a primitive ran, or a person
    /// moved the arm.
    pub(crate) fn counts(frame: &FrameMessage) -> bool {
        frame.running || frame.who == Who::Human
    }

    /// Frames of the data set.
    pub(crate) fn kept(&self) -> usize {
        let kept = self.frames.iter().filter(|(frame, _)| Self::counts(frame));
        kept.count()
    }
}

/// Reads a stream as far as it is whole.
///
/// # Errors
/// When the file cannot be read, or does not begin as a recording does. A file
/// that stops in the middle is no error.
pub(crate) fn read_stream(path: &Path) -> Result<Episode> {
    let mut reading = Reading::default();
    let cut = visit_records(path, &mut |record| reading.take(record))?;
    reading.finish(path, cut)
}

/// Why a stream is not whole; none when it is.
///
/// # Errors
/// When it cannot be read at all.
pub(crate) fn stream_fault(path: &Path) -> Result<Option<String>> {
    visit_records(path, &mut |_| {})
}

/// What is put together while reading.
#[derive(Debug, Default)]
struct Reading {
    about: Option<BTreeMap<String, String>>,
    topics: Vec<(u16, String)>,
    layout: Option<Layout>,
    newest: Vec<Option<Picture>>,
    frames: Vec<(FrameMessage, Vec<Picture>)>,
    plans: Vec<(u64, String)>,
    end: Option<EpisodeEnd>,
    lost: u64,
    epoch_ns: u64,
    last_ns: u64,
}

impl Reading {
    fn take(&mut self, record: Record<'_>) {
        match record {
            Record::Metadata { name, values } if name == METADATA => {
                let about: BTreeMap<String, String> = values
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect();
                self.layout = about
                    .get("layout")
                    .and_then(|text| serde_json::from_str(text).ok());
                let epoch = about.get("epoch_ns").and_then(|text| text.parse().ok());
                self.epoch_ns = epoch.unwrap_or(0);
                let cameras = self.layout.as_ref().map_or(0, |it| it.cameras.len());
                self.newest = vec![None; cameras];
                self.about = Some(about);
            }
            Record::Channel { id, topic } => self.topics.push((id, topic.to_owned())),
            Record::Message {
                channel,
                time_ns,
                data,
            } => {
                let time_ns = time_ns.saturating_sub(self.epoch_ns);
                self.last_ns = self.last_ns.max(time_ns);
                let known = self.topics.iter().find(|(id, _)| *id == channel);
                if let Some((_, topic)) = known {
                    let topic = topic.clone();
                    self.message(&topic, time_ns, data);
                }
            }
            Record::Metadata { .. } => {}
        }
    }

    fn message(&mut self, topic: &str, time_ns: u64, data: &[u8]) {
        if topic == Own::Frame.topic() {
            self.frame(data);
        } else if topic == Own::Episode.topic() {
            let value: Value = serde_json::from_slice(data).unwrap_or_default();
            if value["state"] == "ended" {
                self.end = serde_json::from_value(value.clone()).ok();
                self.lost = value["lost"].as_u64().unwrap_or(0);
            }
        } else if topic == Own::Plan.topic() {
            let value: Value = serde_json::from_slice(data).unwrap_or_default();
            if let Some(steps) = plan_text(&value) {
                self.plans.push((time_ns, steps));
            }
        } else if let Some(layout) = &self.layout {
            let place = layout
                .cameras
                .iter()
                .position(|camera| camera_topic(&camera.key) == topic);
            if let (Some(place), Some(bytes)) = (place, foxglove::image_bytes(data))
                && let Some(slot) = self.newest.get_mut(place)
            {
                *slot = Some(bytes.into());
            }
        }
    }

    fn frame(&mut self, data: &[u8]) {
        let Ok(frame) = serde_json::from_slice::<FrameMessage>(data) else {
            return;
        };
        let follows = self
            .frames
            .last()
            .is_none_or(|(last, _)| frame.frame > last.frame);
        let Some(layout) = &self.layout else { return };
        let fits = frame.state.len() == layout.state.len()
            && frame.position.len() == layout.joints.len()
            && frame.command.len() == layout.joints.len();
        let pictures: Option<Vec<Picture>> = self.newest.iter().cloned().collect();
        if let (true, true, Some(pictures)) = (follows, fits, pictures)
            && self.frames.len() < MAX_FRAMES
        {
            self.frames.push((frame, pictures));
        }
    }

    fn finish(self, path: &Path, cut: Option<String>) -> Result<Episode> {
        let (Some(about), Some(layout)) = (self.about, self.layout) else {
            let reason = format!(
                "expected a recording's header, got none{}",
                cut.map(|cut| format!(": {cut}")).unwrap_or_default()
            );
            return Err(fault(path, "(beginning)", reason, DAMAGED));
        };
        let text = |key: &str| about.get(key).cloned().unwrap_or_default();
        Ok(Episode {
            layout,
            stream: text("stream"),
            task: text("task"),
            header: serde_json::from_str(&text("header")).unwrap_or_default(),
            began_ns: text("began_ns").parse().unwrap_or(0),
            frames: self.frames,
            plans: self.plans,
            end: self.end,
            is_cut: cut.is_some(),
            lost: self.lost,
            last_ns: self.last_ns,
        })
    }
}

/// The steps of a plan, one a line, as they would be said.
fn plan_text(plan: &Value) -> Option<String> {
    let plan: Plan = serde_json::from_value(plan.clone()).ok()?;
    if plan.steps.is_empty() {
        return None;
    }
    let lines = plan.steps.iter().enumerate().map(|(number, step)| {
        let words = step_sentence(step, &Scene::default());
        format!("{}. {words}", number + 1)
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}
