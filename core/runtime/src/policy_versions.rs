//! Which version of its bundle a policy runs, chosen anew for each episode.
//!
//! A version is snapshots of heads. It reaches the stages through `restore`, as
//! a plugin of anybody would take it, and never while a primitive runs. A policy
//! whose heads took neither the one nor the other decides nothing until they do.

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
    /// Some heads took their weights and others did not: nobody knows what runs.
    is_mixed: bool,
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

    /// The version that may run in the place of the bundle as it is.
    pub(crate) fn candidate(&self) -> Option<&str> {
        let (version, _) = self.candidate.as_ref()?;
        Some(&version.record().name)
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
        if is_wanted == self.versions.is_in_use && !self.versions.is_mixed {
            return Ok(());
        }
        if !is_wanted {
            return self.return_to_base();
        }
        let snapshots = version.snapshots().to_vec();
        if self.versions.base.is_empty() {
            let stages = snapshots.iter().map(|head| head.stage.clone());
            self.versions.base = self.snapshots(stages)?;
        }
        self.versions.is_mixed = true;
        if let Err(error) = self.restore(&snapshots) {
            self.return_to_base()?;
            return Err(error);
        }
        self.versions.is_in_use = true;
        self.versions.is_mixed = false;
        Ok(())
    }

    fn return_to_base(&mut self) -> Result<(), RuntimeError> {
        let base = self.versions.base.clone();
        self.versions.is_mixed = true;
        self.restore(&base)?;
        self.versions.is_in_use = false;
        self.versions.is_mixed = false;
        Ok(())
    }

    /// Whether all heads are of the same version.
    ///
    /// # Errors
    /// When some took their weights and others did not.
    pub(crate) fn check_version(&self) -> Result<(), RuntimeError> {
        if !self.versions.is_mixed {
            return Ok(());
        }
        Err(RuntimeError::StageOutput {
            stage: self.binding().head().to_owned(),
            id: self.binding().id().clone(),
            reason: "the heads are of two versions: some refused their weights".to_owned(),
        })
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
