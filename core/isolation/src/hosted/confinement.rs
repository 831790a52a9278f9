//! What the child gives up before it loads a plugin, as far as the system can.

use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus,
};

use crate::sys::{Network, forbid_privileges, install_filter, limit_resources};

/// The newest set of file rights that is asked for; an older kernel gives less.
const RIGHTS: ABI = ABI::V5;

/// Confines this process; how far it came, in words.
///
/// Files may be read and none written but devices; no program may be started,
/// no other process touched, and a stage may not use the network. Every part is best effort: a
/// kernel that lacks one leaves that part out of the words.
pub(super) fn confine(memory_bytes: u64, network: Network) -> String {
    let mut level = Vec::new();
    let limited = limit_resources(memory_bytes);
    if !limited.is_empty() {
        level.push(format!("limits on {}", limited.join(", ")));
    }
    if forbid_privileges().is_ok() {
        level.push("no new privileges".to_owned());
        match restrict_files() {
            Ok(RulesetStatus::FullyEnforced) => level.push("Landlock: files read-only".to_owned()),
            Ok(RulesetStatus::PartiallyEnforced) => {
                level.push("Landlock: files read-only, older kernel".to_owned());
            }
            Ok(RulesetStatus::NotEnforced) | Err(_) => {}
        }
        if install_filter(network).is_ok() {
            level.push(match network {
                Network::Forbidden => {
                    "seccomp: no network, no programs, no other processes".to_owned()
                }
                Network::Allowed => "seccomp: no programs, no other processes".to_owned(),
            });
        }
    }
    if level.is_empty() {
        level.push("a process of its own, nothing more".to_owned());
    }
    level.join("; ")
}

fn restrict_files() -> Result<RulesetStatus, landlock::RulesetError> {
    let all = AccessFs::from_all(RIGHTS);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .create()?;
    for (folder, rights) in [("/", AccessFs::from_read(RIGHTS)), ("/dev", all)] {
        if Path::new(folder).exists()
            && let Ok(fd) = PathFd::new(folder)
        {
            rules = rules.add_rule(PathBeneath::new(fd, rights))?;
        }
    }
    Ok(rules.restrict_self()?.ruleset)
}
