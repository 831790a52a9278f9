//! Which version of its bundle a policy runs, chosen anew for each episode.
//!
//! A version is snapshots of heads. It reaches the stages through `restore`, as
//! a plugin of anybody would take it, and never while a primitive runs.

use serde_json::{Value, json};
use vola_bundle::{
    BASE_VERSION, Bundle, HeadSnapshot, PolicySettings, PolicyVersion, VersionShare,
};

use crate::{RuntimeError, policy::Policy};

/// The version that a policy may run, and the one that it runs.
#[derive(Default)]
pub(crate) struct Versions {
    candidate: Option<(PolicyVersion, VersionShare)>,
    is_in_use: bool,
    /// Heads of the bundle as it is, once one was replaced.
    base: Vec<HeadSnapshot>,
}

impl Versions {
    /// The version that the deployment names, else the bundle's own choice.
    pub(crate) fn named(
        bundle: &Bundle,
        settings: Option<&PolicySettings>,
    ) -> Result<Self, RuntimeError> {
        let chosen = match settings.and_then(PolicySettings::version) {
            Some(named) => Some(named.clone()),
            None => bundle.version_in_use()?,
        };
        let Some(share) = chosen.filter(|share| share.version != BASE_VERSION) else {
            return Ok(Self::default());
        };
        let version = bundle.version(&share.version)?;
        Ok(Self {
            candidate: Some((version, share)),
            ..Self::default()
        })
    }

    /// For the run's header: name, hash and share of the version that may run.
    pub(crate) fn header(&self) -> Value {
        self.candidate.as_ref().map_or(Value::Null, |(version, share)| {
            json!({"name": version.record().name, "blake3": version.hash(), "share": share.share})
        })
    }

    /// The name of what runs.
    pub(crate) fn running(&self) -> &str {
        match &self.candidate {
            Some((version, _)) if self.is_in_use => &version.record().name,
            _ => BASE_VERSION,
        }
    }
}

impl Policy {
    /// Chooses the version for the episode with this seed. Where its share is all
    /// episodes, or there is none, nothing changes after the first.
    ///
    /// # Errors
    /// When a stage does not take its snapshot; the heads are then those of the
    /// bundle as it is, as far as they take that.
    pub(crate) fn choose_version(&mut self, seed: u64) -> Result<(), RuntimeError> {
        let Some((version, share)) = &self.versions.candidate else {
            return Ok(());
        };
        let is_wanted = share.chooses(seed);
        if is_wanted == self.versions.is_in_use {
            return Ok(());
        }
        if !is_wanted {
            let base = self.versions.base.clone();
            self.restore(&base)?;
            self.versions.is_in_use = false;
            return Ok(());
        }
        let snapshots = version.snapshots().to_vec();
        if self.versions.base.is_empty() {
            let stages = snapshots.iter().map(|head| head.stage.clone());
            self.versions.base = self.snapshots(stages)?;
        }
        if let Err(error) = self.restore(&snapshots) {
            let base = self.versions.base.clone();
            self.restore(&base)?;
            return Err(error);
        }
        self.versions.is_in_use = true;
        Ok(())
    }

    /// The present weights of these stages.
    pub(crate) fn snapshots(
        &mut self,
        stages: impl Iterator<Item = String>,
    ) -> Result<Vec<HeadSnapshot>, RuntimeError> {
        stages
            .map(|stage| {
                let bytes = self.head(&stage)?.snapshot()?;
                Ok(HeadSnapshot { stage, bytes })
            })
            .collect()
    }

    /// Gives stages the weights of snapshots.
    pub(crate) fn restore(&mut self, snapshots: &[HeadSnapshot]) -> Result<(), RuntimeError> {
        snapshots
            .iter()
            .try_for_each(|head| self.head(&head.stage)?.restore(&head.bytes))
    }

    /// The stage with this name.
    pub(crate) fn head(
        &mut self,
        stage: &str,
    ) -> Result<&mut crate::stage_instance::StageInstance, RuntimeError> {
        let id = self.binding().id().clone();
        let stages = self.pipeline_mut();
        stages
            .stage_mut(stage)
            .ok_or_else(|| RuntimeError::StageOutput {
                stage: stage.to_owned(),
                id,
                reason: "the bundle has no such stage".to_owned(),
            })
    }
}
