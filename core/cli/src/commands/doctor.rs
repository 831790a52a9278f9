//! `vola doctor`: what this machine has, and whether the deployment can run on it.

use clap::Args;
use serde::Serialize;
use vola_bundle::{Bundle, ControlSettings, Deployment, compare, compare_deployment};
use vola_runtime::{PluginRegistry, PluginRules, Robot};

use crate::{
    arguments::SharedArguments,
    documents,
    failure::{Failure, exit},
    output::{Align, Console, Table, Tone},
    shipped_libraries::{Difference, ShippedLibraries},
    workplace::{config_path, plugin_options, program_folders},
};

/// `vola doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Break one part after the other in the simulation, and judge what follows
    #[arg(long)]
    pub(super) faults: bool,
    /// Only this fault (may be repeated) [default: all]
    #[arg(long, value_name = "NAME", requires = "faults")]
    pub(super) fault: Vec<String>,
    /// At the deadlines of a deployment that names none (20 ms, 20 ticks), not at its own; the faults that depend on them
    #[arg(long, requires = "faults")]
    pub(super) usual_deadlines: bool,
    /// Trials of every fault, each at another moment of another motion
    #[arg(long, default_value_t = 1, value_name = "N", requires = "faults", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) times: u32,
    /// Seed of the first trial
    #[arg(long, default_value_t = 1, requires = "faults")]
    pub(super) seed: u64,
    /// Test a real robot's bus (not in this version)
    #[arg(long, hide = true)]
    robot: bool,
}

impl DoctorArguments {
    /// Whether parts are broken on purpose.
    pub(crate) fn makes_faults(&self) -> bool {
        self.faults
    }
}

/// How a finding is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// As it should be.
    Fine,
    /// Works, but not as well as it could.
    Weak,
    /// Does not work.
    Broken,
}

/// One row.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    detail: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    help: String,
}

impl Finding {
    fn fine(check: &'static str, detail: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Fine,
            detail: detail.into(),
            help: String::new(),
        }
    }

    fn weak(check: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Weak,
            detail: detail.into(),
            help: help.into(),
        }
    }

    /// A finding from an error's message, whose `help:` line is kept apart.
    fn broken(check: &'static str, error: &impl std::fmt::Display) -> Self {
        let text = error.to_string();
        let (lines, help): (Vec<&str>, Vec<&str>) = text
            .lines()
            .partition(|line| !line.trim_start().starts_with("help:"));
        let help = help
            .first()
            .map(|line| line.trim_start().trim_start_matches("help:").trim());
        Self {
            check,
            verdict: Verdict::Broken,
            detail: lines.join(" "),
            help: help.unwrap_or_default().to_owned(),
        }
    }

    /// The same for an error whose help the command line knows.
    fn failed(check: &'static str, failure: &Failure) -> Self {
        let finding = Self::broken(check, failure);
        match failure.help() {
            Some(help) => Self {
                help: help.to_owned(),
                ..finding
            },
            None => finding,
        }
    }
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &DoctorArguments,
    console: Console,
) -> Result<u8, Failure> {
    if own.faults {
        return super::doctor_faults::run(shared, own, console);
    }
    if own.robot {
        return Err(super::later::missing("doctor --robot"));
    }
    let mut findings = machine();
    deployment_findings(shared, &mut findings);
    if console.is_json() {
        for finding in &findings {
            console.object(finding)?;
        }
    } else {
        print_table(&findings, console)?;
    }
    let failed = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Broken)
        .count();
    if failed == 0 {
        return Ok(exit::DONE);
    }
    Err(Failure::Checks {
        failed,
        all: findings.len(),
        code: exit::USAGE,
    })
}

fn print_table(findings: &[Finding], console: Console) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("check", Align::Left),
        ("found", Align::Left),
    ]);
    for finding in findings {
        let (sign, tone) = match finding.verdict {
            Verdict::Fine => ("✓", Tone::Good),
            Verdict::Weak => ("!", Tone::Warning),
            Verdict::Broken => ("✗", Tone::Bad),
        };
        table.toned_row([
            (sign.to_owned(), Some(tone)),
            (finding.check.to_owned(), None),
            (finding.detail.clone(), None),
        ]);
        if !finding.help.is_empty() {
            table.toned_row([
                (String::new(), None),
                (String::new(), None),
                (format!("help: {}", finding.help), Some(Tone::Typed)),
            ]);
        }
    }
    console.write(&table.render(console.style()))
}

fn deployment_findings(shared: &SharedArguments, findings: &mut Vec<Finding>) {
    let path = config_path(shared.config.as_deref());
    let mut folders = shared.plugin_folders.clone();
    let deployment = match Deployment::load(&path) {
        Ok(deployment) => {
            findings.push(Finding::fine("deployment", path.display().to_string()));
            folders.extend(deployment.plugin_paths().iter().cloned());
            findings.extend(real_time(deployment.control()));
            Some(deployment)
        }
        Err(error) => {
            findings.push(Finding::failed("deployment", &error.into()));
            None
        }
    };
    folders.extend(program_folders());
    let rules = match &deployment {
        Some(deployment) => PluginRules::of(deployment, &plugin_options(shared)),
        None => PluginRules::without_deployment(&plugin_options(shared)),
    };
    let rules = rules.unwrap_or_else(|error| {
        findings.push(Finding::broken("plugin lock", &error));
        PluginRules::default()
    });
    let registry = PluginRegistry::search(&folders, &rules);
    findings.push(plugins(&registry));
    for library in registry.libraries() {
        if let Some(level) = library.confinement() {
            let words = format!("{}: {level}", library.name());
            findings.push(Finding::fine("isolation", words));
        }
    }
    for (_, error) in registry.refused() {
        findings.push(Finding {
            verdict: Verdict::Weak,
            ..Finding::broken("refused library", error)
        });
    }
    lock_findings(&registry, findings);
    let Some(deployment) = deployment else { return };
    let robot = Robot::configure(
        &registry,
        deployment.robot().plugin(),
        deployment.robot().settings(),
    );
    match &robot {
        Ok(robot) => findings.push(Finding::fine("robot", robot_words(&deployment, robot))),
        Err(error) => findings.push(Finding::broken("robot", error)),
    }
    findings.extend(document_finding(&deployment));
    let Some(policy) = deployment.policy() else {
        let text = "none named: home, gripper, wait and move to a place";
        findings.push(Finding::fine("bundle", text));
        return;
    };
    match Bundle::open(policy.bundle()) {
        Ok(bundle) => {
            findings.push(Finding::fine(
                "bundle",
                bundle.folder().display().to_string(),
            ));
            for stage in bundle.manifest().stages() {
                if let Err(error) = registry.find(stage.plugin()) {
                    findings.push(Finding::broken("stage", &error));
                }
            }
            if let Ok(robot) = &robot {
                findings.push(fit(&deployment, &bundle, robot));
            }
        }
        Err(error) => findings.push(Finding::failed("bundle", &error.into())),
    }
}

fn plugins(registry: &PluginRegistry) -> Finding {
    let ids: Vec<String> = registry
        .libraries()
        .iter()
        .flat_map(|library| {
            library
                .plugins()
                .iter()
                .map(move |plugin| format!("{}/{}", library.name(), plugin.name))
        })
        .collect();
    if ids.is_empty() {
        return Finding {
            verdict: Verdict::Broken,
            ..Finding::weak(
                "plugins",
                "none found",
                "build them: `cargo build --workspace`",
            )
        };
    }
    Finding::fine("plugins", format!("{}: {}", ids.len(), ids.join(", ")))
}

/// Whether a packed program has the libraries that it came with.
fn lock_findings(registry: &PluginRegistry, findings: &mut Vec<Finding>) {
    const CHECK: &str = "plugin lock";
    let shipped = match ShippedLibraries::of_program() {
        Ok(Some(shipped)) => shipped,
        Ok(None) => return,
        Err(error) => return findings.push(Finding::failed(CHECK, &error)),
    };
    let differences = shipped.differences(registry.libraries());
    if differences.is_empty() {
        let text = format!("{} libraries as they were shipped", shipped.len());
        findings.push(Finding::fine(CHECK, text));
    }
    findings.extend(differences.into_iter().map(|difference| match difference {
        Difference::Spoiled(text) => Finding {
            verdict: Verdict::Broken,
            ..Finding::weak(CHECK, text, "unpack the archive again")
        },
        Difference::Replaced(text) => Finding::weak(
            CHECK,
            text,
            "take the other library out of the search folders, unless it is meant to be there",
        ),
    }));
}

fn robot_words(deployment: &Deployment, robot: &Robot) -> String {
    let description = robot.description();
    format!(
        "{}: {} joints, cameras {}, {} ops",
        deployment.robot().plugin(),
        description.joints.len(),
        description
            .cameras
            .iter()
            .map(|camera| camera.key.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        description.ops.len()
    )
}

/// The documents that the planner may be asked about, if there are to be any.
fn document_finding(deployment: &Deployment) -> Option<Finding> {
    const CHECK: &str = "documents";
    match documents::library(deployment.planner()) {
        Ok(None) => None,
        Ok(Some(library)) => Some(Finding::fine(CHECK, documents::words(&library))),
        Err(error) => Some(Finding::failed(CHECK, &error)),
    }
}

/// The handshake, without opening the robot.
fn fit(deployment: &Deployment, bundle: &Bundle, robot: &Robot) -> Finding {
    let id = deployment.robot().plugin().to_string();
    let compared = compare_deployment(deployment, robot.description())
        .and_then(|()| bundle.manifest().embodiment(&id))
        .and_then(|binding| compare(bundle, binding, robot.description()));
    match compared {
        Ok(()) => Finding::fine(
            "handshake",
            format!("bundle, limits and `{id}` fit together"),
        ),
        Err(error) => Finding::broken("handshake", &error),
    }
}

/// What the machine has.
fn machine() -> Vec<Finding> {
    let mut findings = Vec::new();
    match std::thread::available_parallelism() {
        Ok(cores) if cores.get() >= 2 => {
            findings.push(Finding::fine("processors", cores.to_string()))
        }
        Ok(cores) => findings.push(Finding::weak(
            "processors",
            cores.to_string(),
            "control loop and policy share one processor; `--fast` is not affected",
        )),
        Err(error) => findings.push(Finding::broken("processors", &error)),
    }
    findings
}

/// What the control thread would be permitted, tried on a thread of its own.
fn real_time(settings: &ControlSettings) -> Vec<Finding> {
    let report = vola_runtime::probe_real_time(settings);
    report
        .grants()
        .into_iter()
        .map(|(check, grant)| {
            if grant.granted {
                Finding::fine(check, grant.detail.as_str())
            } else {
                Finding::weak(check, grant.detail.as_str(), grant.help.as_str())
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_s_help_is_kept_apart() {
        let finding = Finding::broken("x", &"a.toml: wrong\n  twice\nhelp: mend it");
        assert_eq!(
            (finding.detail.as_str(), finding.help.as_str()),
            ("a.toml: wrong   twice", "mend it")
        );
    }

    #[test]
    fn what_the_control_thread_lacks_is_weak_and_never_broken() {
        let text = "[robot]\nplugin = 'a/b'\n[policy]\nbundle = 'b'\n[control]\npriority = 0\nlock_memory = false";
        let deployment = Deployment::parse(text, std::path::Path::new("d.toml")).unwrap();
        let findings = real_time(deployment.control());
        assert_eq!(findings.len(), 3);
        assert_eq!(findings[0].verdict, Verdict::Fine, "{findings:?}");
        assert!(findings.iter().all(|it| it.verdict != Verdict::Broken));
    }
}
