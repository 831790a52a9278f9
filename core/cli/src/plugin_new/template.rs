//! The templates and how they are filled.
//!
//! A mark `@LIKE_THIS@` is replaced; no other text of a template holds an `@`.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};

use vola_types::PluginKind;

/// A template's file: where it goes, and its text.
type File = (&'static str, &'static str);

const COMMON: [File; 4] = [
    (
        "Cargo.toml",
        include_str!("../../templates/common/Cargo.toml.in"),
    ),
    (
        "README.md",
        include_str!("../../templates/common/README.md.in"),
    ),
    (
        "clippy.toml",
        include_str!("../../templates/common/clippy.toml.in"),
    ),
    (
        ".gitignore",
        include_str!("../../templates/common/gitignore.in"),
    ),
];

const ENCODER: [File; 2] = [
    (
        "src/lib.rs",
        include_str!("../../templates/encoder/lib.rs.in"),
    ),
    (
        "src/picture.rs",
        include_str!("../../templates/encoder/picture.rs.in"),
    ),
];

const FUSION: [File; 1] = [(
    "src/lib.rs",
    include_str!("../../templates/fusion/lib.rs.in"),
)];

const HEAD: [File; 4] = [
    ("src/lib.rs", include_str!("../../templates/head/lib.rs.in")),
    (
        "src/controller.rs",
        include_str!("../../templates/head/controller.rs.in"),
    ),
    (
        "src/scale.rs",
        include_str!("../../templates/head/scale.rs.in"),
    ),
    (
        "src/tests.rs",
        include_str!("../../templates/head/tests.rs.in"),
    ),
];

const EMBODIMENT: [File; 9] = [
    (
        "src/lib.rs",
        include_str!("../../templates/embodiment/lib.rs.in"),
    ),
    (
        "src/actuator.rs",
        include_str!("../../templates/embodiment/actuator.rs.in"),
    ),
    (
        "src/arm.rs",
        include_str!("../../templates/embodiment/arm.rs.in"),
    ),
    (
        "src/arm.urdf",
        include_str!("../../templates/embodiment/arm.urdf.in"),
    ),
    (
        "src/camera.rs",
        include_str!("../../templates/embodiment/camera.rs.in"),
    ),
    (
        "src/kinematics.rs",
        include_str!("../../templates/embodiment/kinematics.rs.in"),
    ),
    (
        "src/simulation.rs",
        include_str!("../../templates/embodiment/simulation.rs.in"),
    ),
    (
        "src/tests.rs",
        include_str!("../../templates/embodiment/tests.rs.in"),
    ),
    (
        "src/world.rs",
        include_str!("../../templates/embodiment/world.rs.in"),
    ),
];

const STAGE_USE: &str = "In a policy bundle's `policy.toml` the plugin is a stage:

    [[stage]]
    name = \"mine\"
    plugin = \"@ID@\"
    inputs = [@INPUTS@]
    outputs = [\"@OUTPUT@\"]";

const ROBOT_USE: &str = "In a deployment, say `arm.toml`, the plugin is the robot:

    [robot]
    plugin = \"@ID@\"

    [plugins]
    paths = [\"target/release/@LIBRARY_FILE@\"]

It runs in a process of its own until `vola plugin lock` lists it in the deployment's
lock, or `[plugins.isolation]` says `\"none\"`: in the runtime's process it is commanded on
the control thread itself.

Without a `[policy]` it does what the runtime makes itself: home, gripper, wait, and
moving over a place of the table.

    vola run \"move to the middle\" --config arm.toml";

/// A crate's files with every mark replaced.
pub(super) struct Filled {
    pub(super) files: Vec<(&'static str, String)>,
    pub(super) id: String,
    pub(super) library_file: String,
}

/// One kind's plugin name, its files and how it is used.
struct Kind {
    plugin: &'static str,
    files: &'static [File],
    usage: &'static str,
    inputs: &'static str,
    output: &'static str,
}

fn of(kind: PluginKind) -> Kind {
    let stage = |plugin, files, inputs, output| Kind {
        plugin,
        files,
        usage: STAGE_USE,
        inputs,
        output,
    };
    match kind {
        PluginKind::Encoder => stage(
            "histogram",
            &ENCODER,
            "\"observation.images.front\"",
            "vision.features",
        ),
        PluginKind::Fusion => stage(
            "concat",
            &FUSION,
            "\"vision.features\", \"observation.state\"",
            "context",
        ),
        PluginKind::Head => stage(
            "controller",
            &HEAD,
            "\"observation.state\", \"task\", \"goal.object\", \"goal.object_mask\", \"goal.target\", \"goal.target_mask\"",
            "action",
        ),
        PluginKind::Embodiment => Kind {
            plugin: "arm",
            files: &EMBODIMENT,
            usage: ROBOT_USE,
            inputs: "",
            output: "",
        },
    }
}

/// Fills the templates of a kind.
pub(super) fn fill(name: &str, kind: PluginKind, dependency: &str) -> Filled {
    let kind = of(kind);
    let id = format!("{name}/{}", kind.plugin);
    let library_file = format!("{DLL_PREFIX}{name}{DLL_SUFFIX}");
    // A replacement may hold marks of those after it, never of those before.
    let marks = [
        ("@USE@", kind.usage),
        ("@INPUTS@", kind.inputs),
        ("@OUTPUT@", kind.output),
        ("@ID@", &id),
        ("@LIBRARY_FILE@", &library_file),
        ("@NAME@", name),
        ("@SDK@", dependency),
    ];
    let fill_one = |(path, text): &File| {
        let filled = marks
            .iter()
            .fold((*text).to_owned(), |text, (mark, value)| {
                text.replace(mark, value)
            });
        (*path, filled)
    };
    Filled {
        files: COMMON.iter().chain(kind.files).map(fill_one).collect(),
        id,
        library_file,
    }
}
