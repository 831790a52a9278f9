//! A library built on the first published interface, without an SDK.
//!
//! `frozen/double` doubles its input `x`; `frozen/still` is a robot of one
//! joint that stays where it is sent.

use vola_abi::{
    ActuatorAbi, ActuatorAbi_TO, CallContext, CallResult, CommandFrame, EmbodimentAbi,
    EmbodimentAbi_TO, EmbodimentBox, EmbodimentPartsAbi, FaultAbi, FaultKind, HostServicesAbi,
    PluginModule, PluginModule_Ref, StageAbi, StageAbi_TO, StageBox, StateFrame, StopCategory,
    TensorAbi, TensorRefAbi,
    abi_stable::{
        library::{__call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult},
        prefix_type::PrefixTypeTrait as _,
        sabi_trait::TD_Opaque,
        std_types::{ROption, RResult, RSlice, RStr, RString, RVec},
    },
};

const MANIFEST: &str = r#"{"library":"frozen","version":"0.1.0","sdk":"0.1.0","plugins":[
    {"name":"double","version":"0.1.0","kind":"encoder","summary":"doubles its input",
     "capabilities":[],"settings_schema":{"type":"object"}},
    {"name":"still","version":"0.1.0","kind":"embodiment","summary":"one joint",
     "capabilities":[],"settings_schema":{"type":"object"}}]}"#;

fn fault<T>(kind: FaultKind, message: &str) -> CallResult<T> {
    RResult::RErr(FaultAbi::new(kind, message))
}

#[derive(Default)]
struct Double {
    calls: u64,
    data: String,
}

impl StageAbi for Double {
    fn configure(&mut self, settings: RStr<'_>) -> CallResult<()> {
        if settings.as_str() == "{}" {
            RResult::ROk(())
        } else {
            fault(FaultKind::Settings, "no settings, please")
        }
    }

    fn activate(&mut self, host: HostServicesAbi) -> CallResult<()> {
        (host.log)(
            vola_abi::LogLevel::Info,
            RStr::from("frozen"),
            RStr::from("activated"),
        );
        self.data = host.data.into_string();
        RResult::ROk(())
    }

    fn reset(&mut self, _: u64) -> CallResult<()> {
        self.calls = 0;
        RResult::ROk(())
    }

    fn call<'a>(
        &mut self,
        context: &CallContext,
        inputs: RSlice<'a, TensorRefAbi<'a>>,
    ) -> CallResult<RVec<TensorAbi>> {
        let Some(x) = inputs.iter().find(|it| it.name.as_str() == "x") else {
            return fault(FaultKind::Input, "no input `x`");
        };
        self.calls += 1;
        let doubled: Vec<u8> = x
            .bytes
            .chunks_exact(4)
            .flat_map(|it| (2.0 * f32::from_le_bytes([it[0], it[1], it[2], it[3]])).to_le_bytes())
            .collect();
        let tensor = |name: &str, dtype, shape: Vec<u64>, bytes: Vec<u8>| TensorAbi {
            name: RString::from(name),
            dtype,
            shape: shape.into(),
            bytes: bytes.into(),
            resident: ROption::RNone,
            #[cfg(feature = "changed_layout")]
            device: 0,
        };
        let told = [context.seed, context.step, self.calls]
            .map(u64::to_le_bytes)
            .concat();
        RResult::ROk(RVec::from(vec![
            tensor("y", 3, x.shape.to_vec(), doubled),
            tensor("told", 2, vec![3], told),
        ]))
    }

    fn deactivate(&mut self) -> CallResult<()> {
        RResult::ROk(())
    }

    fn adapt<'a>(
        &mut self,
        _: &CallContext,
        _: RSlice<'a, TensorRefAbi<'a>>,
    ) -> CallResult<RString> {
        RResult::RErr(FaultAbi::unsupported("adapt"))
    }

    fn snapshot(&mut self) -> CallResult<RVec<u8>> {
        RResult::ROk(self.data.clone().into_bytes().into())
    }

    fn restore(&mut self, _: RSlice<'_, u8>) -> CallResult<()> {
        RResult::RErr(FaultAbi::unsupported("restore"))
    }
}

struct Still;

impl EmbodimentAbi for Still {
    fn configure(&mut self, _: RStr<'_>) -> CallResult<()> {
        RResult::ROk(())
    }

    fn describe(&mut self) -> CallResult<RString> {
        fault(FaultKind::Unsupported, "nothing to tell")
    }

    fn activate(&mut self, _: HostServicesAbi) -> CallResult<()> {
        RResult::ROk(())
    }

    fn open(&mut self) -> CallResult<EmbodimentPartsAbi> {
        RResult::ROk(EmbodimentPartsAbi {
            actuator: ActuatorAbi_TO::from_value(Joint(StateFrame::default()), TD_Opaque),
            cameras: RVec::new(),
            simulation: ROption::RNone,
        })
    }

    fn deactivate(&mut self) -> CallResult<()> {
        RResult::ROk(())
    }
}

struct Joint(StateFrame);

impl ActuatorAbi for Joint {
    fn state(&mut self, frame: &mut StateFrame) -> CallResult<()> {
        *frame = self.0;
        RResult::ROk(())
    }

    fn command(&mut self, frame: &CommandFrame) -> CallResult<()> {
        self.0.capture_time_ns = frame.time_ns;
        self.0.count = frame.count;
        self.0.position = frame.position;
        RResult::ROk(())
    }

    fn hold(&mut self) -> CallResult<()> {
        RResult::ROk(())
    }

    fn stop(&mut self, category: StopCategory) -> CallResult<()> {
        self.0.has_wrench = category as u32 + 1;
        RResult::ROk(())
    }

    fn reset(&mut self) -> CallResult<()> {
        RResult::ROk(())
    }
}

extern "C" fn manifest() -> RString {
    RString::from(MANIFEST)
}

extern "C" fn create_stage(name: RStr<'_>) -> CallResult<StageBox> {
    match name.as_str() {
        "double" => RResult::ROk(StageAbi_TO::from_value(Double::default(), TD_Opaque)),
        _ => fault(FaultKind::Settings, "only `double`"),
    }
}

extern "C" fn create_embodiment(name: RStr<'_>) -> CallResult<EmbodimentBox> {
    match name.as_str() {
        "still" => RResult::ROk(EmbodimentAbi_TO::from_value(Still, TD_Opaque)),
        _ => fault(FaultKind::Settings, "only `still`"),
    }
}

fn root() -> PluginModule_Ref {
    PluginModule {
        manifest,
        create_stage,
        create_embodiment,
    }
    .leak_into_prefix()
}

extern "C" fn erased_root() -> RootModuleResult {
    __call_root_module_loader(root)
}

/// What the host's loader looks for.
#[unsafe(no_mangle)]
pub static _1as_0lib_1header_0root_bmodule_bloader: LibHeader =
    // SAFETY: `erased_root` returns the module whose type is named here.
    unsafe {
        LibHeader::from_constructor::<PluginModule_Ref>(erased_root, CheckTypeLayout::Yes)
    };

/// Read by the host before anything else.
#[unsafe(no_mangle)]
pub static VOLA_ABI_REVISION: u32 = vola_abi::ABI_REVISION;
