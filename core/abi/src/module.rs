//! The root module that a plugin library exports.

use abi_stable::{
    StableAbi,
    library::RootModule,
    package_version_strings,
    sabi_types::VersionStrings,
    std_types::{RStr, RString},
};

use crate::{CallResult, EmbodimentBox, StageBox};

/// Revision of the boundary's meaning. Raised when a call means something else
/// although its layout is unchanged.
pub const ABI_REVISION: u32 = 1;

/// Name of the exported `u32` that holds [`ABI_REVISION`].
pub const REVISION_SYMBOL: &str = "VOLA_ABI_REVISION";

/// Name of a symbol that a library exports when it was built so that a panic ends
/// the process (`panic = "abort"`): no guard can catch one.
pub const ABORTS_SYMBOL: &str = "VOLA_PANIC_ABORTS";

/// What a plugin library offers.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModule_Ref)))]
// A field appended later is an `Option` for the host: old libraries lack it.
#[sabi(missing_field(option))]
pub struct PluginModule {
    /// The library's manifest: [`LibraryManifest`](crate::LibraryManifest) as JSON.
    pub manifest: extern "C" fn() -> RString,
    /// A new instance of the stage with this name.
    pub create_stage: extern "C" fn(RStr<'_>) -> CallResult<StageBox>,
    /// A new instance of the embodiment with this name.
    #[sabi(last_prefix_field)]
    pub create_embodiment: extern "C" fn(RStr<'_>) -> CallResult<EmbodimentBox>,
}

impl RootModule for PluginModule_Ref {
    abi_stable::declare_root_module_statics! {PluginModule_Ref}
    const BASE_NAME: &'static str = "vola_plugin";
    const NAME: &'static str = "vola_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
