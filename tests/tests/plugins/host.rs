//! The host's side of the boundary, as small as it can be.

use std::sync::Mutex;

use vola_abi::{
    CallContext, EmbodimentBox, FaultAbi, FaultKind, HostData, HostServicesAbi, LoadedModule,
    LogLevel, StageBox, TensorAbi, TensorRefAbi,
    abi_stable::std_types::{ROption, RSlice, RStr, RString, RVec},
};
use vola_tests::workspace;
use vola_types::DType;

/// Everything that plugins logged in this process.
pub static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

extern "C" fn collect(level: LogLevel, target: RStr<'_>, message: RStr<'_>) {
    if let Ok(mut log) = LOG.lock() {
        log.push(format!("{level:?} {target}: {message}"));
    }
}

/// Services with nothing special.
pub fn services() -> HostServicesAbi {
    let data = serde_json::to_string(&HostData {
        threads: 1,
        ..HostData::default()
    })
    .unwrap();
    HostServicesAbi {
        log: collect,
        data: RString::from(data),
    }
}

/// A built library, loaded.
pub fn load(library: &str) -> LoadedModule {
    LoadedModule::load(&workspace().library(library)).unwrap_or_else(|error| panic!("{error}"))
}

/// A stage, configured.
pub fn stage(library: &str, name: &str, settings: &str) -> StageBox {
    let create = load(library).module().create_stage();
    let mut stage = create(RStr::from(name)).into_result().unwrap();
    stage.configure(RStr::from(settings)).into_result().unwrap();
    stage
}

/// A stage, ready to be called.
pub fn active_stage(library: &str, name: &str) -> StageBox {
    let mut stage = stage(library, name, "{}");
    stage.activate(services()).into_result().unwrap();
    stage.reset(1).into_result().unwrap();
    stage
}

/// A robot, ready to be opened.
pub fn robot(library: &str, name: &str) -> EmbodimentBox {
    let create = load(library).module().create_embodiment();
    let mut robot = create(RStr::from(name)).into_result().unwrap();
    robot.configure(RStr::from("{}")).into_result().unwrap();
    robot.activate(services()).into_result().unwrap();
    robot
}

/// An f32 tensor.
pub fn floats(name: &str, shape: &[u64], values: &[f32]) -> TensorAbi {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    TensorAbi {
        name: RString::from(name),
        dtype: TensorAbi::dtype_code(DType::F32),
        shape: shape.to_vec().into(),
        bytes: bytes.into(),
        resident: ROption::RNone,
    }
}

/// The elements of an f32 tensor.
pub fn values(tensor: &TensorAbi) -> Vec<f32> {
    assert_eq!(tensor.lend().check().unwrap(), DType::F32);
    tensor
        .bytes
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect()
}

/// One call.
pub fn call(
    stage: &mut StageBox,
    step: u64,
    inputs: &[TensorRefAbi<'_>],
) -> Result<RVec<TensorAbi>, FaultAbi> {
    let context = CallContext {
        seed: 1,
        step,
        deadline_ns: 0,
    };
    stage
        .call(&context, RSlice::from_slice(inputs))
        .into_result()
}

/// Checks that a call gave a fault of this kind and text.
#[track_caller]
pub fn assert_fault<T: std::fmt::Debug>(result: Result<T, FaultAbi>, kind: FaultKind, text: &str) {
    let fault = result.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (kind, text));
}
