//! Pictures and state put together into an observation.

use vola_bundle::{GoalPoints, ImageView, Observation, Pixels, StateVector};
use vola_types::{ColorOrder, EmbodimentDescription, PrimitiveGoal};

use crate::{
    Picture, RuntimeError,
    body::Body,
    camera_watch::{CameraDeadlines, CameraVerdict, CameraWatch},
    policy::Policy,
    proprioception::Proprioception,
};

/// The pictures of the newest observation.
pub(crate) struct Eyes {
    cameras: Vec<String>,
    orders: Vec<(String, ColorOrder)>,
    pictures: Vec<(String, Picture)>,
    covered: bool,
    deadlines: CameraDeadlines,
    watches: Vec<(String, CameraWatch)>,
}

/// What the watchdogs say of the pictures just taken: the camera with the worst
/// verdict, if any is not fine.
pub(crate) type Sighting = Option<(String, CameraVerdict)>;

impl Eyes {
    /// Cameras of the policy; without one, those asked for, or all.
    pub(crate) fn new(
        policy: Option<&Policy>,
        asked: &[String],
        description: &EmbodimentDescription,
        deadlines: CameraDeadlines,
    ) -> Self {
        let all = || {
            description
                .cameras
                .iter()
                .map(|camera| camera.key.clone())
                .collect()
        };
        let cameras = match policy {
            Some(policy) => policy.cameras(),
            None if asked.is_empty() => all(),
            None => asked.to_vec(),
        };
        let orders = description
            .cameras
            .iter()
            .map(|camera| (camera.key.clone(), camera.order))
            .collect();
        Self {
            cameras,
            orders,
            pictures: Vec::new(),
            covered: false,
            deadlines,
            watches: Vec::new(),
        }
    }

    /// Whether every picture is black. The watchdogs judge what the camera gave.
    pub(crate) fn cover(&mut self, covered: bool) {
        self.covered = covered;
    }

    /// The watchdogs begin anew: the scene is another, or the arm was reset.
    pub(crate) fn restart(&mut self) {
        self.watches
            .iter_mut()
            .for_each(|(_, watch)| watch.restart());
    }

    /// Cameras of a decision.
    pub(crate) fn cameras(&self) -> Vec<String> {
        self.cameras.clone()
    }

    /// Takes the newest picture of each camera, and asks the watchdogs; `tool`
    /// is where the tool is (m).
    pub(crate) fn look(
        &mut self,
        body: &mut dyn Body,
        cameras: &[String],
        tool: [f64; 3],
    ) -> Result<Sighting, RuntimeError> {
        self.pictures.retain(|(key, _)| cameras.contains(key));
        let mut worst: Sighting = None;
        for camera in cameras {
            let picture = entry(&mut self.pictures, camera, Picture::default);
            let taken = body.picture(camera);
            let deadlines = self.deadlines;
            let watch = entry(&mut self.watches, camera, || CameraWatch::new(deadlines));
            let verdict = match taken {
                Ok((taken, captured_ns)) => {
                    *picture = taken;
                    watch.look(body.now_ns(), captured_ns, &picture.rgb, tool)
                }
                Err(error) => {
                    let Some(verdict) = watch.miss(body.now_ns()) else {
                        return Err(error);
                    };
                    tracing::warn!("{error}");
                    verdict
                }
            };
            let so_far = worst.as_ref().map_or(0, |(_, verdict)| verdict.rank());
            if verdict.rank() > so_far {
                worst = Some((camera.clone(), verdict));
            }
            // Only now, so that the watchdogs saw the picture as it was.
            if self.covered {
                picture.rgb = vec![0; picture.rgb.len()].into();
            }
        }
        Ok(worst)
    }

    pub(crate) fn pictures(&self) -> &[(String, Picture)] {
        &self.pictures
    }

    /// The newest pictures with a measured state and a goal.
    pub(crate) fn observation<'a>(
        &'a self,
        measured: &'a Proprioception,
        names: &'a [String],
        values: &'a [f64],
        goal: Option<&'a PrimitiveGoal>,
    ) -> Seen<'a> {
        let images = self
            .pictures
            .iter()
            .map(|(key, picture)| {
                let order = self.orders.iter().find(|(camera, _)| camera == key);
                ImageView {
                    key,
                    width: picture.width,
                    height: picture.height,
                    pixels: Pixels::Bytes {
                        order: order.map_or(ColorOrder::Rgb, |(_, order)| *order),
                        values: &picture.rgb,
                    },
                }
            })
            .collect();
        Seen {
            measured,
            images,
            state: StateVector { names, values },
            goal,
        }
    }
}

/// The value of a key, made when it is not there yet.
fn entry<'a, T>(list: &'a mut Vec<(String, T)>, key: &str, make: impl FnOnce() -> T) -> &'a mut T {
    let index = list.iter().position(|(known, _)| known == key);
    let index = index.unwrap_or_else(|| {
        list.push((key.to_owned(), make()));
        list.len() - 1
    });
    #[allow(clippy::indexing_slicing, reason = "found or pushed just before")]
    let (_, value) = &mut list[index];
    value
}

/// An observation that owns its list of picture views.
pub(crate) struct Seen<'a> {
    measured: &'a Proprioception,
    images: Vec<ImageView<'a>>,
    state: StateVector<'a>,
    goal: Option<&'a PrimitiveGoal>,
}

impl Seen<'_> {
    /// Lends the observation.
    pub(crate) fn with<R>(&self, body: impl FnOnce(&Observation<'_>) -> R) -> R {
        body(&Observation {
            time_ns: self.measured.time_ns,
            state: self.state,
            images: &self.images,
            task: self.goal.map_or("", |goal| goal.task.as_str()),
            goal: self.goal.map(GoalPoints::from).unwrap_or_default(),
        })
    }
}
