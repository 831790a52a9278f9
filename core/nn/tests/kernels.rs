//! Kernels against candle's own operations and against finite differences.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_cmp,
    reason = "helpers of tests may fail loudly and compare exactly"
)]

use candle_core::{Device, Result, Tensor, Var};
use vola_nn::kernels::{self, Activation, CausalAttention, Conv2d, InputLayout};

/// Fixed numbers that look random, about -1..1.
fn numbers(dims: &[usize], seed: u32) -> Tensor {
    let count: usize = dims.iter().product();
    let values: Vec<f32> = (0..count as u32)
        .map(|i| {
            let mixed = (i.wrapping_mul(2_654_435_761) ^ seed.wrapping_mul(40_503))
                .wrapping_mul(2_246_822_519);
            (mixed >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn var(dims: &[usize], seed: u32) -> Var {
    Var::from_tensor(&numbers(dims, seed)).unwrap()
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    (a - b)
        .unwrap()
        .abs()
        .unwrap()
        .flatten_all()
        .unwrap()
        .max(0)
        .unwrap()
        .to_scalar()
        .unwrap()
}

/// Compares the gradient of `f` (any shape) by every variable with central differences.
fn check_gradients(vars: &[&Var], f: impl Fn() -> Result<Tensor>) {
    // A fixed random weighting makes every output count with its own slope.
    let loss = || -> Tensor {
        let out = f().unwrap();
        (&out * numbers(out.dims(), 99)).unwrap().sum_all().unwrap()
    };
    let grads = loss().backward().unwrap();
    for (which, var) in vars.iter().enumerate() {
        let analytic = grads
            .get(var)
            .expect("a gradient")
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        let start = var.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let set = |i: usize, x: f32| {
            let mut moved = start.clone();
            moved[i] = x;
            var.set(&Tensor::from_vec(moved, var.dims(), &Device::Cpu).unwrap())
                .unwrap();
        };
        for i in 0..start.len() {
            let step = 1e-2;
            set(i, start[i] + step);
            let high: f32 = loss().to_scalar().unwrap();
            set(i, start[i] - step);
            let low: f32 = loss().to_scalar().unwrap();
            set(i, start[i]);
            let numeric = (high - low) / (2.0 * step);
            let error = (numeric - analytic[i]).abs();
            assert!(
                error < 2e-2 * (1.0 + numeric.abs()),
                "variable {which} element {i}: numeric {numeric}, analytic {}",
                analytic[i]
            );
        }
    }
}

fn check_conv(
    layout: InputLayout,
    size: [usize; 4],
    outer: usize,
    (kernel, stride, padding): (usize, usize, usize),
) {
    let [batch, height, width, channels] = size;
    let dims = match layout {
        InputLayout::Nhwc => [batch, height, width, channels],
        InputLayout::Nchw => [batch, channels, height, width],
    };
    let (x, w, b) = (
        var(&dims, 1),
        var(&[kernel * kernel * channels, outer], 2),
        var(&[outer], 3),
    );
    let conv = Conv2d {
        layout,
        kernel,
        stride,
        padding,
        activation: Activation::Relu,
    };
    let ours = kernels::conv2d(&x, &w, &b, conv).unwrap();

    let image = if layout == InputLayout::Nhwc {
        x.permute((0, 3, 1, 2)).unwrap()
    } else {
        x.as_tensor().clone()
    };
    let weight = w
        .reshape((kernel, kernel, channels, outer))
        .unwrap()
        .permute((3, 2, 0, 1))
        .unwrap();
    let bias = b.reshape((1, outer, 1, 1)).unwrap();
    let theirs = image
        .contiguous()
        .unwrap()
        .conv2d(&weight.contiguous().unwrap(), padding, stride, 1, 1)
        .unwrap();
    let theirs = theirs
        .broadcast_add(&bias)
        .unwrap()
        .relu()
        .unwrap()
        .permute((0, 2, 3, 1))
        .unwrap();
    assert!(largest_difference(&ours, &theirs) < 1e-4);

    let weighting = numbers(ours.dims(), 4);
    let backward = |y: &Tensor| {
        (y * &weighting)
            .unwrap()
            .sum_all()
            .unwrap()
            .backward()
            .unwrap()
    };
    let (a, b_) = (backward(&ours), backward(&theirs));
    for v in [&x, &w, &b] {
        assert!(largest_difference(a.get(v).unwrap(), b_.get(v).unwrap()) < 2e-3);
    }
}

#[test]
fn convolution_equals_the_one_of_candle() {
    check_conv(InputLayout::Nchw, [2, 12, 16, 3], 5, (4, 2, 1));
    check_conv(InputLayout::Nhwc, [2, 12, 16, 3], 5, (4, 2, 1));
    check_conv(InputLayout::Nhwc, [1, 7, 5, 4], 3, (3, 1, 1));
    check_conv(InputLayout::Nhwc, [1, 7, 10, 4], 3, (5, 3, 2));
    check_conv(InputLayout::Nchw, [1, 8, 8, 3], 6, (4, 4, 0));
    check_conv(InputLayout::Nhwc, [1, 60, 60, 24], 8, (3, 1, 1)); // more than one band
}

#[test]
fn convolution_refuses_what_does_not_fit() {
    let conv = Conv2d {
        layout: InputLayout::Nhwc,
        kernel: 3,
        stride: 1,
        padding: 0,
        activation: Activation::Linear,
    };
    let run = |x: &[usize], w: &[usize]| {
        kernels::conv2d(&numbers(x, 1), &numbers(w, 2), &numbers(&[4], 3), conv)
    };
    assert!(run(&[1, 5, 5, 2], &[18, 4]).is_ok());
    assert!(run(&[1, 2, 5, 2], &[18, 4]).is_err());
    assert!(run(&[1, 5, 5, 3], &[18, 4]).is_err());
    assert!(run(&[5, 5, 2], &[18, 4]).is_err());
}

#[test]
fn gradients_equal_finite_differences() {
    let (x, w, b) = (var(&[2, 3, 4], 1), var(&[4, 5], 2), var(&[5], 3));
    check_gradients(&[&x, &w, &b], || {
        kernels::affine(&x, &w, &b, Activation::Linear)
    });
    let (scale, shift) = (var(&[2, 4], 4), var(&[2, 4], 5));
    // Shifted away from the kink of the ReLU, where differences mean nothing.
    check_gradients(&[&x, &scale], || {
        kernels::film_relu(&x, &scale, &(shift.as_tensor() + 4.0)?)
    });
    check_gradients(&[&x], || kernels::softmax(&x));
    let (gain, offset) = (var(&[4], 6), var(&[4], 7));
    check_gradients(&[&x, &gain, &offset], || {
        kernels::layer_norm(&x, &gain, &offset)
    });
    let logits = var(&[3, 6], 8);
    let target = kernels::softmax(&numbers(&[3, 6], 9)).unwrap();
    check_gradients(&[&logits], || kernels::soft_cross_entropy(&logits, &target));
    let heat = Tensor::from_vec(
        [1.0_f32, 0.7, 0.0, -1.0, 1.0, 0.2].repeat(3),
        (3, 6),
        &Device::Cpu,
    )
    .unwrap();
    check_gradients(&[&logits], || {
        kernels::centre_focal(&(logits.as_tensor() * 3.0)?, &heat)
    });
}

#[test]
fn gradients_of_language_models_equal_finite_differences() {
    let (x, w) = (var(&[5, 4], 1), var(&[3, 4], 2));
    check_gradients(&[&x, &w], || kernels::linear(&x, &w));
    let gain = var(&[4], 3);
    check_gradients(&[&x, &gain], || kernels::rms_norm(&x, &gain, 1e-5));
    let up = var(&[5, 4], 4);
    check_gradients(&[&x, &up], || kernels::silu_gate(&x, &up));
    // Two heads of four channels; sequences of one, three and two tokens.
    let qkv = var(&[6, 24], 5);
    let sizes = CausalAttention {
        heads: 2,
        rope_theta: 100.0,
        lengths: vec![1, 3, 2],
    };
    check_gradients(&[&qkv], || kernels::causal_attention(&qkv, &sizes));
    let logits = var(&[3, 6], 6);
    check_gradients(&[&logits], || {
        kernels::class_cross_entropy(&logits, &[5, 0, 2])
    });
    assert!(kernels::class_cross_entropy(&logits, &[5, 0, 6]).is_err());
    assert!(kernels::class_cross_entropy(&logits, &[5, 0]).is_err());
    let short = CausalAttention {
        lengths: vec![1, 3],
        ..sizes
    };
    assert!(kernels::causal_attention(&qkv, &short).is_err());
}

#[test]
fn attention_sees_its_own_sequence_up_to_its_own_token() {
    let sizes = |lengths: &[usize]| CausalAttention {
        heads: 1,
        rope_theta: 10_000.0,
        lengths: lengths.to_vec(),
    };
    let qkv = numbers(&[5, 12], 1);
    let run =
        |qkv: &Tensor, lengths: &[usize]| kernels::causal_attention(qkv, &sizes(lengths)).unwrap();
    let together = run(&qkv, &[2, 3]);
    let second = run(&qkv.narrow(0, 2, 3).unwrap(), &[3]);
    assert!(largest_difference(&together.narrow(0, 2, 3).unwrap(), &second) < 1e-6);
    let begin = run(&qkv.narrow(0, 2, 2).unwrap(), &[2]);
    assert!(largest_difference(&second.narrow(0, 0, 2).unwrap(), &begin) < 1e-6);
}

#[test]
fn transposed_inputs_and_gradients_are_read_right() {
    let x = var(&[4, 3], 1);
    let (w, b) = (var(&[4, 2], 2), var(&[2], 3));
    check_gradients(&[&x, &w, &b], || {
        kernels::affine(&x.t()?, &w, &b, Activation::Linear)?.t()
    });
    check_gradients(&[&x], || kernels::softmax(&x.t()?)?.t());
}

#[test]
fn softmax_sums_to_one_and_survives_large_numbers() {
    let x = Tensor::from_vec(
        vec![1e4_f32, 1e4, -1e4, 0.0, 0.0, 0.0],
        (2, 3),
        &Device::Cpu,
    )
    .unwrap();
    let y = kernels::softmax(&x).unwrap().to_vec2::<f32>().unwrap();
    assert_eq!(y[0], [0.5, 0.5, 0.0]);
    assert!(y[1].iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-6));
}
