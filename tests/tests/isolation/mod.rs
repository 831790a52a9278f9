//! Plugins in processes of their own: the same results, and every way to break.

mod aborting;
mod breaking;
mod decelerating;
mod pictures;
mod real_robots;
mod robots;
mod same_results;
mod trespassing;

use std::{
    path::Path,
    sync::{Arc, mpsc},
    time::Duration,
};

use vola_abi::{StageBox, abi_stable::std_types::RStr};
use vola_isolation::{
    Alarm, ChildEnd, ChildHealth, ChildLimits, HostSpec, IsolatedStage, SharedPool, Trust,
};
use vola_tests::workspace;

use crate::plugins::host::services;

/// Deadline of a call where a test wants to see it pass.
const SHORT: Duration = Duration::from_millis(100);
/// Memory of a child (MiB).
const MEMORY_MIB: u64 = 768;
/// Deadline of a call where the machine may be busy.
pub const PATIENT: Duration = Duration::from_secs(20);

/// A library in children, and the ends of children that came unasked.
pub struct Hosting {
    spec: HostSpec,
    pool: SharedPool,
    ends: mpsc::Receiver<ChildEnd>,
}

impl Hosting {
    pub fn of(library: &str, call: Duration) -> Self {
        Self::at(&workspace().library(library), call)
    }

    /// Of a library that lies elsewhere.
    fn at(path: &Path, call: Duration) -> Self {
        let admitted = Trust::without_lock()
            .admit(path.parent().unwrap(), path)
            .unwrap();
        let pool = SharedPool::new(64 << 20).unwrap();
        let limits = ChildLimits {
            call,
            memory_bytes: MEMORY_MIB << 20,
            ..ChildLimits::default()
        };
        let (sender, ends) = mpsc::sync_channel(64);
        let alarm: Alarm = Arc::new(move |end: &ChildEnd| {
            // Nobody reads them any more once the test is over.
            let _ = sender.try_send(end.clone());
        });
        let spec =
            HostSpec::new(&workspace().vola(), &admitted, pool.clone(), limits, alarm).unwrap();
        Self { spec, pool, ends }
    }

    /// A stage that may read a bundle, as it begins: nothing is configured.
    pub fn bare_stage(&self, name: &str, bundle: &Path) -> StageBox {
        let spec = self.spec.reading(bundle);
        IsolatedStage::start(&spec, name).unwrap().into_box()
    }

    /// A stage, configured, activated and reset.
    fn stage(&self, name: &str, settings: &str) -> (StageBox, Arc<ChildHealth>) {
        let stage = IsolatedStage::start(&self.spec, name).unwrap();
        let health = stage.health();
        let mut stage = stage.into_box();
        stage.configure(RStr::from(settings)).into_result().unwrap();
        stage.activate(services()).into_result().unwrap();
        stage.reset(1).into_result().unwrap();
        (stage, health)
    }
}
