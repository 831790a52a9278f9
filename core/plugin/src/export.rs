//! `export!`: the root module of a plugin library.

use vola_abi::{
    CallResult, EmbodimentAbi_TO, EmbodimentBox, FaultAbi, FaultKind, LibraryManifest, StageAbi_TO,
    StageBox,
    abi_stable::{
        sabi_trait::TD_Opaque,
        std_types::{RResult, RString},
    },
};
use vola_types::PluginDescription;

use crate::{
    Embodiment, Stage,
    bridge::{EmbodimentBridge, StageBridge},
    guard::guard,
};

/// Exports a plugin library: call it once, at the root of a `cdylib` crate.
///
/// `library` is the first half of the ids of its plugins. The types implement
/// [`Stage`] and [`Embodiment`]; either list may be empty. The crate may keep
/// `deny(unsafe_code)`, not `forbid`: the exported symbols need an `allow`.
///
/// ```text
/// vola_plugin::export! {
///     library: "my_arm",
///     stages: [],
///     embodiments: [MyArm],
/// }
/// ```
/// The crate's documentation has a complete library.
#[macro_export]
macro_rules! export {
    (library: $library:literal, stages: [$($stage:ty),* $(,)?], embodiments: [$($embodiment:ty),* $(,)?] $(,)?) => {
        #[doc(hidden)]
        #[allow(
            unsafe_code,
            missing_docs,
            unreachable_pub,
            unused_imports,
            reason = "the exported symbols of a plugin library"
        )]
        mod __vola_export {
            use super::*;
            use $crate::__private::{
                self as sdk, CallResult, EmbodimentBox, PluginModule, PluginModule_Ref, StageBox,
                abi_stable::{
                    library::{CheckTypeLayout, LibHeader, RootModuleResult, __call_root_module_loader},
                    prefix_type::PrefixTypeTrait as _,
                    std_types::{RStr, RString},
                },
            };

            extern "C" fn manifest() -> RString {
                let plugins: [fn() -> $crate::types::PluginDescription; _] = [
                    $(<$stage as $crate::Stage>::describe as fn() -> _,)*
                    $(<$embodiment as $crate::Embodiment>::describe_plugin as fn() -> _,)*
                ];
                sdk::manifest($library, env!("CARGO_PKG_VERSION"), &plugins)
            }

            extern "C" fn create_stage(name: RStr<'_>) -> CallResult<StageBox> {
                sdk::guard("create_stage", || {
                    $(if let Some(stage) = sdk::find_stage::<$stage>(name.as_str()) {
                        return sdk::abi_stable::std_types::RResult::ROk(stage);
                    })*
                    sdk::unknown_plugin($library, name.as_str())
                })
            }

            extern "C" fn create_embodiment(name: RStr<'_>) -> CallResult<EmbodimentBox> {
                sdk::guard("create_embodiment", || {
                    $(if let Some(embodiment) = sdk::find_embodiment::<$embodiment>(name.as_str()) {
                        return sdk::abi_stable::std_types::RResult::ROk(embodiment);
                    })*
                    sdk::unknown_plugin($library, name.as_str())
                })
            }

            fn root() -> PluginModule_Ref {
                PluginModule { manifest, create_stage, create_embodiment }.leak_into_prefix()
            }

            extern "C" fn erased_root() -> RootModuleResult {
                __call_root_module_loader(root)
            }

            /// What the host's loader looks for; the name is the ABI crate's.
            #[unsafe(no_mangle)]
            pub static _1as_0lib_1header_0root_bmodule_bloader: LibHeader =
                // SAFETY: `erased_root` returns the module whose type is named here.
                unsafe {
                    LibHeader::from_constructor::<PluginModule_Ref>(
                        erased_root,
                        CheckTypeLayout::Yes,
                    )
                };

            /// Revision of the boundary's meaning, read before anything else.
            #[unsafe(no_mangle)]
            pub static VOLA_ABI_REVISION: u32 = sdk::ABI_REVISION;

            /// A panic of this library ends the process, and no guard catches it.
            #[cfg(panic = "abort")]
            #[unsafe(no_mangle)]
            pub static VOLA_PANIC_ABORTS: u32 = 1;
        }
    };
}

/// The library's manifest as JSON; a panicking `describe` leaves its plugin out
/// and leaves its reason among the faults.
#[doc(hidden)]
#[must_use]
pub fn manifest(library: &str, version: &str, plugins: &[fn() -> PluginDescription]) -> RString {
    let mut manifest = LibraryManifest {
        library: library.to_owned(),
        version: version.to_owned(),
        sdk: env!("CARGO_PKG_VERSION").to_owned(),
        plugins: Vec::new(),
        faults: Vec::new(),
    };
    for (index, describe) in plugins.iter().enumerate() {
        match guard("describe", || RResult::ROk(describe())) {
            RResult::ROk(description) => manifest.plugins.push(description),
            RResult::RErr(fault) => {
                manifest
                    .faults
                    .push(format!("plugin {index} of the library: {}", fault.message));
            }
        }
    }
    // A struct of texts, numbers and JSON values always serialises.
    RString::from(serde_json::to_string(&manifest).unwrap_or_default())
}

/// A new stage, when the name is this type's. A type whose `describe` panics
/// has no name, and must not hide those listed after it.
#[doc(hidden)]
#[must_use]
pub fn find_stage<S: Stage>(name: &str) -> Option<StageBox> {
    is_named(S::describe, name).then(|| StageAbi_TO::from_value(StageBridge::<S>::new(), TD_Opaque))
}

/// A new embodiment, when the name is this type's.
#[doc(hidden)]
#[must_use]
pub fn find_embodiment<E: Embodiment>(name: &str) -> Option<EmbodimentBox> {
    is_named(E::describe_plugin, name)
        .then(|| EmbodimentAbi_TO::from_value(EmbodimentBridge::<E>::new(), TD_Opaque))
}

fn is_named(describe: fn() -> PluginDescription, name: &str) -> bool {
    matches!(guard("describe", || RResult::ROk(describe())), RResult::ROk(it) if it.name == name)
}

/// The answer for a name that the library does not hold.
#[doc(hidden)]
pub fn unknown_plugin<T>(library: &str, name: &str) -> CallResult<T> {
    RResult::RErr(FaultAbi::new(
        FaultKind::Settings,
        format!("library `{library}` holds no plugin `{name}` of this kind"),
    ))
}
