//! What the child gives up before it loads a plugin, as far as the system can.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, PathBeneath,
    PathFd, RestrictionStatus, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _,
    RulesetError, RulesetStatus, Scope,
};

use crate::sys::{
    Guarded, Rights, drop_capabilities, forbid_privileges, install_filter, limit_resources,
};

/// The newest set of rights that is asked for; an older kernel gives less.
const RIGHTS: ABI = ABI::V6;

/// What a stage may read beside its own: what programs are made of, what tells
/// of the machine, and nobody's data. Of `/etc` only what the loader, clocks and
/// drivers look at.
const SYSTEM: [&str; 21] = [
    "/bin",
    "/etc/OpenCL",
    "/etc/alternatives",
    "/etc/glvnd",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/vulkan",
    "/gnu",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix",
    "/opt",
    "/proc",
    "/run/opengl-driver",
    "/sbin",
    "/snap",
    "/sys",
    "/usr",
];
/// Devices without a state that matters, and the beginnings of the names of
/// those that compute.
const DEVICES: [&str; 10] = [
    "null", "zero", "full", "random", "urandom", "dri", "kfd", "nvidia", "accel", "apex",
];
/// Variables of a child that name what libraries are loaded from.
const PATHS: [&str; 2] = ["LD_LIBRARY_PATH", "ORT_DYLIB_PATH"];

/// How narrow a child's bounds are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bounds {
    /// Reads what it needs: the system's own and these.
    Stage {
        /// Files and folders.
        reads: Vec<PathBuf>,
    },
    /// Reads every file and uses devices and the network, as drivers do.
    Robot,
}

/// Confines this process; how far it came, in words.
///
/// No file may be written but devices, no program be started, no other process
/// touched; a stage may neither read others' files nor use the network. Every
/// part is best effort: a kernel that lacks one leaves it out of the words.
pub(super) fn confine(memory_bytes: u64, bounds: &Bounds) -> String {
    let mut level = Vec::new();
    let limited = limit_resources(memory_bytes);
    if !limited.is_empty() {
        level.push(format!("limits on {}", limited.join(", ")));
    }
    let (guarded, calls) = match bounds {
        Bounds::Stage { .. } => (
            Guarded::Stage,
            "seccomp: no network, no programs, no other processes, no priorities",
        ),
        Bounds::Robot => (Guarded::Robot, "seccomp: no programs, no other processes"),
    };
    if forbid_privileges().is_ok() {
        let rights = match drop_capabilities(guarded) {
            Ok(Rights::NoneLeft) => "no privileges",
            Ok(Rights::OfDrivers) => "privileges: raw sockets, locked memory, priorities",
            Err(_) => "no new privileges",
        };
        level.push(rights.to_owned());
        let files = match bounds {
            Bounds::Stage { .. } => "Landlock: own files only, read-only",
            Bounds::Robot => "Landlock: files read-only",
        };
        match restrict(bounds).map(|status| status.ruleset) {
            Ok(RulesetStatus::FullyEnforced) => level.push(files.to_owned()),
            Ok(RulesetStatus::PartiallyEnforced) => level.push(format!("{files}, older kernel")),
            Ok(RulesetStatus::NotEnforced) | Err(_) => {}
        }
        if install_filter(guarded).is_ok() {
            level.push(calls.to_owned());
        }
    }
    if level.is_empty() {
        level.push("a process of its own, nothing more".to_owned());
    }
    level.join("; ")
}

fn restrict(bounds: &Bounds) -> Result<RestrictionStatus, RulesetError> {
    let (all, read) = (AccessFs::from_all(RIGHTS), AccessFs::from_read(RIGHTS));
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?;
    if let Bounds::Stage { .. } = bounds {
        // Beside the filter, which cannot be told apart from a missing socket.
        rules = rules.handle_access(AccessNet::from_all(RIGHTS))?;
    }
    let mut rules = rules.scope(Scope::from_all(RIGHTS))?.create()?;
    match bounds {
        Bounds::Stage { reads } => {
            for path in SYSTEM.iter().map(Path::new) {
                rules = allow(rules, path, read)?;
            }
            for path in reads.iter().chain(&named_paths()) {
                rules = allow(rules, path, read)?;
            }
            for path in devices() {
                rules = allow(rules, &path, all)?;
            }
        }
        Bounds::Robot => {
            rules = allow(rules, Path::new("/"), read)?;
            rules = allow(rules, Path::new("/dev"), all)?;
        }
    }
    rules.restrict_self()
}

/// Allows what is there; a path that is not needs no rule.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    rights: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(fd) = PathFd::new(path) else {
        return Ok(rules);
    };
    let rights = if path.is_dir() {
        rights
    } else {
        rights & AccessFs::from_file(RIGHTS)
    };
    rules.add_rule(PathBeneath::new(fd, rights))
}

fn named_paths() -> Vec<PathBuf> {
    let values = PATHS.iter().filter_map(std::env::var_os);
    values
        .flat_map(|value| std::env::split_paths(&value).collect::<Vec<_>>())
        .filter(|path| path.is_absolute() && path.parent().is_some())
        .collect()
}

fn devices() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/dev").into_iter().flatten();
    entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            DEVICES.iter().any(|known| name.starts_with(known))
        })
        .map(|entry| entry.path())
        .collect()
}
