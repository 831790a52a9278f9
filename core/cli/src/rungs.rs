//! The ladder of back ends that a deployment names.

use std::sync::{Arc, OnceLock};

use vola_bundle::{Backend, ModelSettings, PlannerSettings};
use vola_language_model::{LocalBackend, LocalSettings, calibration};
use vola_phrasebook::PhraseReader;
use vola_planner::asking::CoverageWatch;
use vola_planner::{
    Agreement, Backend as Rung, DecisionLog, Ladder, ModelOptions, RulesBackend, Unavailable,
    claude_rung, openai_rung,
};

/// The ladder of these settings (without any: the grammar alone), with `first`
/// asked before the others.
pub(crate) fn ladder(settings: Option<&PlannerSettings>, first: Option<Backend>) -> Ladder {
    let mut backends = settings.map_or_else(
        || vec![Backend::Rules],
        |settings| settings.backends().to_vec(),
    );
    if let Some(first) = first {
        backends.retain(|backend| *backend != first);
        backends.insert(0, first);
    }
    // `[planner] model` is meant for the first back end that has a choice.
    let chooser = backends.iter().find(|it| **it != Backend::Rules).copied();
    let rungs = backends.iter().map(|backend| {
        let shared = settings.filter(|_| chooser == Some(*backend));
        rung(*backend, settings, shared.and_then(PlannerSettings::model))
    });
    let mut ladder = Ladder::new(rungs.collect());
    // A back end that was asked for by name is asked first.
    let is_fast = settings.is_some_and(PlannerSettings::fast_path) && first.is_none();
    let begins_with_model = backends.first().is_some_and(|it| *it != Backend::Rules);
    if is_fast && begins_with_model && backends.contains(&Backend::Rules) {
        ladder = ladder.with_fast_path(Arc::new(rules().cautious()));
    }
    let Some(settings) = settings else {
        return ladder;
    };
    let calibration = settings.local().model().and_then(calibration);
    if let Some(calibration) = calibration {
        ladder = ladder.with_watch(CoverageWatch::new("local", calibration.target));
    }
    let budget = settings.budget();
    let ladder = ladder
        .with_deadline(budget.answer)
        .with_tokens(budget.tokens)
        .with_repairs(budget.repairs);
    match settings.decisions() {
        Some(folder) => ladder.with_log(DecisionLog::new(folder)),
        None => ladder,
    }
}

/// The grammar, with the phrase book to read what it does not understand. The book
/// is learned at the first sentence that needs it, once for the process.
pub(crate) fn rules() -> RulesBackend {
    static READER: OnceLock<Arc<PhraseReader>> = OnceLock::new();
    let reader = READER.get_or_init(|| Arc::new(PhraseReader::new()));
    RulesBackend::new().with_reader(Arc::clone(reader) as _)
}

/// The back end that goes by this word.
pub(crate) fn backend_of(word: &str) -> Option<Backend> {
    match word {
        "claude" => Some(Backend::Claude),
        "openai" => Some(Backend::Openai),
        "local" => Some(Backend::Local),
        "rules" => Some(Backend::Rules),
        _ => None,
    }
}

fn rung(
    backend: Backend,
    settings: Option<&PlannerSettings>,
    shared_model: Option<&str>,
) -> Arc<dyn Rung> {
    let environment = |name: &str| std::env::var(name).ok();
    let options = |own: Option<&ModelSettings>| ModelOptions {
        model: own
            .and_then(ModelSettings::model)
            .or(shared_model)
            .map(str::to_owned),
        base_url: own.and_then(ModelSettings::base_url).map(str::to_owned),
        key_file: own.and_then(ModelSettings::key_file).map(Into::into),
        max_tokens: own.and_then(ModelSettings::max_tokens),
        seed: settings.map_or(0, PlannerSettings::seed),
    };
    let samples = settings.map_or(1, PlannerSettings::samples);
    let agreeing = |rung: Arc<dyn Rung>| -> Arc<dyn Rung> {
        if samples > 1 {
            Arc::new(Agreement::new(rung, samples))
        } else {
            rung
        }
    };
    match backend {
        Backend::Rules => Arc::new(rules()),
        Backend::Claude => agreeing(claude_rung(
            &options(settings.map(PlannerSettings::claude)),
            &environment,
        )),
        Backend::Openai => agreeing(openai_rung(
            &options(settings.map(PlannerSettings::openai)),
            &environment,
        )),
        Backend::Local => match settings.and_then(|it| it.local().model()) {
            Some(model) => Arc::new(LocalBackend::new(LocalSettings {
                model: model.to_owned(),
                max_tokens: settings.and_then(|it| it.local().max_tokens()),
                lines: settings.map_or(1, |it| it.local().lines()),
            })),
            None => Arc::new(Unavailable::new(
                "local",
                "`[planner.local] model` is not set; name a GGUF file or a model's folder",
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use vola_bundle::Deployment;

    use super::*;

    #[test]
    fn the_named_back_end_is_asked_first_and_the_rest_stays() {
        let text = "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = 'b'\n\
                    [planner]\nbackends = ['claude', 'openai', 'rules']";
        let deployment = Deployment::parse(text, Path::new("a.toml")).unwrap();
        let names = |first| {
            let ladder = ladder(Some(deployment.planner()), first);
            ladder.names().join(" ")
        };
        assert_eq!(names(None), "claude openai rules");
        assert_eq!(names(Some(Backend::Openai)), "openai claude rules");
        assert_eq!(names(Some(Backend::Local)), "local claude openai rules");
        assert_eq!(
            ladder(None, backend_of("claude")).names(),
            ["claude", "rules"]
        );
        assert_eq!(backend_of("magic"), None);
    }
}
