//! Pictures and state put together into an observation.

use vola_bundle::{GoalPoints, ImageView, Observation, Pixels, StateVector};
use vola_types::{ColorOrder, EmbodimentDescription, PrimitiveGoal};

use crate::{Picture, RuntimeError, body::Body, policy::Policy, proprioception::Proprioception};

/// The pictures of the newest observation. The buffers are kept.
pub(crate) struct Eyes {
    cameras: Vec<String>,
    orders: Vec<(String, ColorOrder)>,
    pictures: Vec<(String, Picture)>,
    covered: bool,
}

impl Eyes {
    /// Cameras of the policy; without one, those asked for, or all.
    pub(crate) fn new(
        policy: Option<&Policy>,
        asked: &[String],
        description: &EmbodimentDescription,
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
        }
    }

    /// Whether every picture is black.
    pub(crate) fn cover(&mut self, covered: bool) {
        self.covered = covered;
    }

    /// Cameras of a decision.
    pub(crate) fn cameras(&self) -> Vec<String> {
        self.cameras.clone()
    }

    /// Takes the newest picture of each camera.
    pub(crate) fn look(
        &mut self,
        body: &mut dyn Body,
        cameras: &[String],
    ) -> Result<(), RuntimeError> {
        self.pictures.retain(|(key, _)| cameras.contains(key));
        for camera in cameras {
            let index = self.pictures.iter().position(|(key, _)| key == camera);
            let index = index.unwrap_or_else(|| {
                self.pictures.push((camera.clone(), Picture::default()));
                self.pictures.len() - 1
            });
            if let Some((_, picture)) = self.pictures.get_mut(index) {
                body.picture(camera, picture)?;
                if self.covered {
                    picture.rgb.fill(0);
                }
            }
        }
        Ok(())
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
