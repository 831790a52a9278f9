//! Made-up input tensors.

use vola_abi::{
    TensorAbi,
    abi_stable::std_types::{ROption, RString, RVec},
    byte_length,
};
use vola_types::{DType, ExampleInput};

use super::report::Flaw;

/// Most bytes of one made-up tensor.
const MAX_BYTES: usize = 256 << 20;

/// The example inputs, filled from a seed.
pub(super) fn make(examples: &[ExampleInput], seed: u64) -> Result<Vec<TensorAbi>, Flaw> {
    if examples.is_empty() {
        return Err(Flaw::skipped(
            "the plugin gives no `example_inputs` to call it with",
        ));
    }
    examples
        .iter()
        .enumerate()
        .map(|(index, example)| one(example, seed ^ index as u64))
        .collect()
}

fn one(example: &ExampleInput, seed: u64) -> Result<TensorAbi, Flaw> {
    let name = &example.name;
    if example.dtype == DType::Resident {
        return Err(Flaw::skipped(format!(
            "the resident input `{name}` cannot be made up"
        )));
    }
    let length = match byte_length(&example.shape, example.dtype) {
        Some(length) if length <= MAX_BYTES => length,
        _ => {
            return Err(Flaw::fault(
                format!(
                    "example input `{name}` of shape {:?} is too large",
                    example.shape
                ),
                "give a small example, with a batch of 1",
            ));
        }
    };
    let bytes = match example.dtype {
        DType::F32 => floats(length / 4, name, seed)
            .flat_map(|x| (x as f32).to_le_bytes())
            .collect(),
        DType::F64 => floats(length / 8, name, seed)
            .flat_map(f64::to_le_bytes)
            .collect(),
        DType::U8 if example.shape.len() == 2 => sentence(&example.shape, length),
        DType::U8 | DType::U32 | DType::I64 | DType::Resident => vec![0; length],
    };
    Ok(TensorAbi {
        name: RString::from(name.as_str()),
        dtype: TensorAbi::dtype_code(example.dtype),
        shape: example.shape.iter().copied().collect(),
        bytes: RVec::from(bytes),
        resident: ROption::RNone,
    })
}

/// Numbers in 0..1, or ones for a mask.
fn floats(count: usize, name: &str, seed: u64) -> impl Iterator<Item = f64> {
    let mask = name.ends_with("mask");
    (0..count as u64).map(move |index| if mask { 1.0 } else { unit(seed, index) })
}

/// The `index`-th number of a seed's sequence (splitmix64), in 0..1.
fn unit(seed: u64, index: u64) -> f64 {
    let mut z = seed.wrapping_add((index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn sentence(shape: &[u64], length: usize) -> Vec<u8> {
    let row = shape
        .get(1)
        .map_or(0, |size| usize::try_from(*size).unwrap_or(0));
    let text = b"pick up the red block";
    (0..length)
        .map(|index| {
            text.get(index.checked_rem(row).unwrap_or(0))
                .copied()
                .unwrap_or(0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_fit_their_shapes_and_differ_by_seed() {
        let examples = [
            ExampleInput::new("observation.state", DType::F32, &[1, 9]),
            ExampleInput::new("goal.object_mask", DType::F32, &[1, 1]),
            ExampleInput::new("task", DType::U8, &[2, 40]),
            ExampleInput::new("embodiment.index", DType::I64, &[1]),
        ];
        let Ok(made) = make(&examples, 1) else {
            panic!("refused")
        };
        for tensor in &made {
            tensor.lend().check().unwrap();
        }
        assert_eq!(&made[1].bytes[..], 1.0_f32.to_le_bytes());
        assert_eq!(&made[2].bytes[40..61], b"pick up the red block");
        let Ok(other) = make(&examples, 2) else {
            panic!("refused")
        };
        assert_ne!(made[0].bytes, other[0].bytes);
        assert!(
            (0..1000)
                .map(|index| unit(3, index))
                .all(|x| (0.0..1.0).contains(&x))
        );
    }

    #[test]
    fn what_cannot_be_made_is_said() {
        let huge = [ExampleInput::new("x", DType::F32, &[1 << 40])];
        assert!(matches!(make(&huge, 0), Err(Flaw::Fault { .. })));
        let resident = [ExampleInput::new("x", DType::Resident, &[1])];
        assert!(matches!(make(&resident, 0), Err(Flaw::Skipped(_))));
    }
}
