//! The learnt risk: from which episodes it is learnt, and how well it tells failures,
//! of kinds that it was learnt from and of others.

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;
use vola_confidence::{EpisodeCurves, RiskModel, auroc};
use vola_types::Signal;

use super::policy::part;
use crate::{commands::eval::name_of, confidence::Surveyed};

/// Of so many perturbed episodes one is kept for the probabilities of failure; from the
/// others the risk is learnt.
const THIRDS: usize = 3;

/// How well failures under perturbations are told, on episodes that taught nothing.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct RiskTold {
    /// Perturbed episodes.
    pub(super) episodes: usize,
    /// Area under the receiver operating characteristic of the greatest risk.
    pub(super) auroc: Option<f64>,
    /// The same, where the risk of an episode was learnt without its perturbation.
    pub(super) auroc_of_other_kinds: Option<f64>,
}

/// Which episodes the risk is learnt from: the first half of the good ones, those that
/// failed unperturbed, and two of three of the perturbed. Those that a watchdog stopped
/// are known to fail without it.
pub(super) fn taught(episodes: &[Surveyed]) -> Vec<bool> {
    let mut known = vec![false; episodes.len()];
    for index in part(episodes, &[0, 1]) {
        if let Some(known) = known.get_mut(index) {
            *known = true;
        }
    }
    let mut turn = 0;
    for (one, known) in episodes.iter().zip(&mut known) {
        if !has_ended(one) {
            continue;
        }
        if one.perturb == name_of(None) {
            *known |= !one.success;
        } else {
            *known = turn % THIRDS > 0;
            turn += 1;
        }
    }
    known
}

/// Learns the risk, and tells it at every decision of all episodes. None where too few
/// failed.
pub(super) fn learn(episodes: &mut [Surveyed]) -> Option<(RiskModel, RiskTold)> {
    let known = taught(episodes);
    let model = Arc::new(rounded(fit(episodes, &known, |_| true)?));
    let told = told(episodes, &known, &model);
    for one in episodes.iter_mut() {
        let values = model.over(&one.curves);
        one.put(Signal::LearnedRisk, values);
    }
    Some((Arc::unwrap_or_clone(model), told))
}

fn fit(
    episodes: &[Surveyed],
    known: &[bool],
    counts: impl Fn(&Surveyed) -> bool,
) -> Option<RiskModel> {
    let of: Vec<(&EpisodeCurves, bool)> = episodes
        .iter()
        .zip(known)
        .filter(|(one, known)| **known && counts(one))
        .map(|(one, _)| (&one.curves, !one.success))
        .collect();
    RiskModel::fit(&of)
}

fn told(episodes: &[Surveyed], known: &[bool], model: &Arc<RiskModel>) -> RiskTold {
    let new: Vec<&Surveyed> = episodes
        .iter()
        .zip(known)
        .filter(|(one, known)| !**known && has_ended(one) && one.perturb != name_of(None))
        .map(|(one, _)| one)
        .collect();
    let score = |model: &Arc<RiskModel>, one: &Surveyed| {
        let risks = model.over(&one.curves).into_iter().flatten();
        (risks.fold(f64::MIN, f64::max), !one.success)
    };
    let scored: Vec<(f64, bool)> = new.iter().map(|one| score(model, one)).collect();
    let kinds: BTreeSet<&str> = new.iter().map(|one| one.perturb.as_str()).collect();
    let mut others = Vec::with_capacity(new.len());
    for kind in kinds {
        let Some(without) = fit(episodes, known, |one| one.perturb != kind) else {
            continue;
        };
        let without = Arc::new(without);
        let own = new.iter().filter(|one| one.perturb == kind);
        others.extend(own.map(|one| score(&without, one)));
    }
    RiskTold {
        episodes: new.len(),
        auroc: auroc(&scored),
        auroc_of_other_kinds: auroc(&others),
    }
}

/// Whether it came to an end of its own.
fn has_ended(one: &Surveyed) -> bool {
    one.has_run() && !one.is_stopped()
}

/// Weights need no more than six digits.
fn rounded(mut risk: RiskModel) -> RiskModel {
    for curve in risk.curves.values_mut() {
        for number in curve.weights.iter_mut().chain([&mut curve.offset]) {
            *number = (*number * 1e5).round() * 1e-5;
        }
    }
    risk
}

#[cfg(test)]
mod tests {
    use vola_types::Op;

    use super::*;

    /// An episode that stalls if it is to.
    fn episode(perturb: &str, seed: u64, success: bool, stall: f64) -> Surveyed {
        let mut one = Surveyed {
            perturb: perturb.to_owned(),
            seed,
            success,
            end: "done".to_owned(),
            ..Surveyed::default()
        };
        one.curves.op = Some(Op::Pick);
        for step in 0..8 {
            let noise = f64::from(u8::try_from((seed * 7 + step) % 5).unwrap()) * 0.02;
            let time_s = f64::from(u8::try_from(step).unwrap()) * 0.2;
            one.curves
                .push(time_s, [(Signal::Stall, noise + stall * time_s)]);
        }
        one
    }

    fn episodes() -> Vec<Surveyed> {
        let clean = (0..80).map(|seed| episode(name_of(None), seed, seed % 20 > 0, 0.0));
        let light = (0..60).map(|seed| episode("light", seed, seed % 2 > 0, 0.4));
        let dark = (0..60).map(|seed| {
            let success = seed % 2 > 0;
            episode("dark", seed, success, if success { 0.0 } else { 0.5 })
        });
        let mut all: Vec<Surveyed> = clean.chain(light).chain(dark).collect();
        // Known without any risk, and nothing to learn from.
        all.push(Surveyed {
            end: "stopped".to_owned(),
            ..episode("dark", 99, false, 9.0)
        });
        all
    }

    #[test]
    fn it_is_learnt_from_some_and_told_of_all() {
        let mut all = episodes();
        let known = taught(&all);
        let count = |perturb: &str| {
            let both = all.iter().zip(&known);
            both.filter(|(one, known)| **known && one.perturb == perturb)
                .count()
        };
        // 38 of 76 good ones, and the 4 that failed.
        assert_eq!(count(name_of(None)), 42);
        assert_eq!((count("light"), count("dark")), (40, 40));
        assert!(!known[200]);
        let (model, told) = learn(&mut all).unwrap();
        assert_eq!((model.episodes, told.episodes), (122, 40));
        for one in &all {
            let values = &one.curves.values[&Signal::LearnedRisk];
            assert!(values.len() == 8 && values.iter().all(Option::is_some));
        }
        // A stall is what fails in the dark and is none in the light.
        let (same, other) = (told.auroc.unwrap(), told.auroc_of_other_kinds.unwrap());
        assert!(same > 0.6 && other < same, "{same} {other}");
    }

    #[test]
    fn without_failures_nothing_is_learnt() {
        let mut all: Vec<Surveyed> = (0..80)
            .map(|seed| episode(name_of(None), seed, true, 0.0))
            .collect();
        assert!(learn(&mut all).is_none());
        assert!(!all[0].curves.values.contains_key(&Signal::LearnedRisk));
    }
}
