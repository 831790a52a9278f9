use vola_types::{ColorOrder, DType};

use super::*;
use crate::fixtures::{manifest, manifest_with, statistics};
use crate::observation::{GoalPoints, ImageView, Pixels, StateVector};

/// What an observation is made of; tests change a part.
struct Parts {
    names: Vec<String>,
    values: Vec<f64>,
    pixels: Vec<u8>,
    size: (u32, u32),
    order: ColorOrder,
    key: &'static str,
    goal: GoalPoints,
    task: String,
}

impl Parts {
    fn new() -> Self {
        let names = ["tool.x", "tool.y", "tool.z", "gripper.position"];
        Self {
            names: names.iter().map(ToString::to_string).collect(),
            values: vec![0.6, -0.15, 0.15, 1.0],
            pixels: (0..24).collect(),
            size: (4, 2),
            order: ColorOrder::Rgb,
            key: "front",
            goal: GoalPoints {
                object: Some([0.45, 0.15, 0.0]),
                target: None,
            },
            task: "pick".to_owned(),
        }
    }

    fn run(&self, preprocessor: &mut Preprocessor) -> Result<(), BundleError> {
        let image = ImageView {
            key: self.key,
            width: self.size.0,
            height: self.size.1,
            pixels: Pixels::Bytes {
                order: self.order,
                values: &self.pixels,
            },
        };
        let observation = Observation {
            time_ns: 0,
            state: StateVector {
                names: &self.names,
                values: &self.values,
            },
            images: &[image],
            task: &self.task,
            goal: self.goal,
        };
        preprocessor.run(&observation).map(|_| ())
    }
}

fn preprocessor(manifest: &Manifest) -> Preprocessor {
    let embodiment = manifest.embodiment("tabletop/franka").unwrap();
    Preprocessor::new(manifest, embodiment, Some(&statistics())).unwrap()
}

fn close(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{got:?}");
    for (a, b) in got.iter().zip(expected) {
        assert!((a - b).abs() < 1e-5, "{got:?} is not {expected:?}");
    }
}

#[test]
fn an_observation_becomes_the_named_tensors() {
    let mut preprocessor = preprocessor(&manifest());
    Parts::new().run(&mut preprocessor).unwrap();
    let shapes: Vec<(&str, DType, Vec<usize>)> = preprocessor
        .outputs()
        .iter()
        .map(|tensor| (tensor.name(), tensor.dtype(), tensor.shape().to_vec()))
        .collect();
    assert_eq!(
        shapes,
        [
            ("embodiment.index", DType::I64, vec![1]),
            ("goal.object", DType::F32, vec![1, 3]),
            ("goal.object_mask", DType::F32, vec![1, 1]),
            ("goal.target", DType::F32, vec![1, 3]),
            ("goal.target_mask", DType::F32, vec![1, 1]),
            ("observation.images.front", DType::F32, vec![1, 3, 2, 4]),
            ("observation.state", DType::F32, vec![1, 4]),
            ("task", DType::U8, vec![1, 4]),
        ]
    );
    let values = |name: &str| preprocessor.output(name).unwrap().to_f32();
    close(&values("observation.state"), &[1.0, -1.0, 0.0, 1.0]);
    close(&values("goal.object"), &[0.0, 1.0, -1.0]);
    close(&values("goal.object_mask"), &[1.0]);
    close(&values("goal.target"), &[0.0; 3]);
    close(&values("goal.target_mask"), &[0.0]);
    close(
        &values("observation.images.front")[..3],
        &[0.0, 3.0 / 255.0, 6.0 / 255.0],
    );
    close(
        &values("observation.images.front")[8..10],
        &[1.0 / 255.0, 4.0 / 255.0],
    );
    assert_eq!(preprocessor.output("task").unwrap().bytes(), b"pick");
    for tensor in preprocessor.outputs() {
        let count: usize = tensor.shape().iter().product();
        assert_eq!(
            tensor.bytes().len(),
            count * tensor.dtype().size(),
            "{}",
            tensor.name()
        );
    }
}

#[test]
fn state_values_are_found_by_name_in_any_order() {
    let mut preprocessor = preprocessor(&manifest());
    let mut parts = Parts::new();
    parts.run(&mut preprocessor).unwrap();
    let first = preprocessor.output("observation.state").unwrap().clone();
    parts.names = ["extra", "gripper.position", "tool.z", "tool.y", "tool.x"]
        .map(String::from)
        .to_vec();
    parts.values = vec![9.0, 1.0, 0.15, -0.15, 0.6];
    parts.run(&mut preprocessor).unwrap();
    assert_eq!(&first, preprocessor.output("observation.state").unwrap());
}

#[test]
fn a_bgr_picture_gives_the_same_tensor() {
    let mut preprocessor = preprocessor(&manifest());
    let mut parts = Parts::new();
    parts.run(&mut preprocessor).unwrap();
    let first = preprocessor
        .output("observation.images.front")
        .unwrap()
        .clone();
    parts.pixels.chunks_exact_mut(3).for_each(<[u8]>::reverse);
    parts.order = ColorOrder::Bgr;
    parts.run(&mut preprocessor).unwrap();
    assert_eq!(
        &first,
        preprocessor.output("observation.images.front").unwrap()
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    type Spoil = fn(&mut Parts);
    let cases: [(Spoil, &str); 8] = [
        (
            |parts| parts.names[1] = "tool.yy".into(),
            "observation.state: missing `tool.y`\n  policy needs: `tool.x`, `tool.y`, `tool.z`, `gripper.position`\n  robot gives:  `tool.x`, `tool.yy`",
        ),
        (
            |parts| parts.values[2] = f64::NAN,
            "observation.state: `tool.z`: expected a finite number, got NaN",
        ),
        (
            |parts| parts.values.truncate(3),
            "observation.state: expected 4 values, got 3",
        ),
        (
            |parts| parts.key = "wrist",
            "observation.images.front: no picture of this camera in the observation; it has `wrist`",
        ),
        (
            |parts| parts.size = (2, 4),
            "observation.images.front: expected (4, 2) pixels (width, height), got (2, 4)",
        ),
        (
            |parts| parts.pixels.truncate(23),
            "expected 24 values for 4×2 Rgb, got 23",
        ),
        (
            |parts| parts.goal.target = Some([0.0, f64::INFINITY, 0.0]),
            "goal.target: expected a finite number, got inf",
        ),
        (
            |parts| parts.task = "x".repeat(1025),
            "task: expected at most 1024 bytes of text, got 1025",
        ),
    ];
    for (spoil, expected) in cases {
        let mut parts = Parts::new();
        spoil(&mut parts);
        let text = parts
            .run(&mut preprocessor(&manifest()))
            .unwrap_err()
            .to_string();
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
}

const STEPS: &str = "[[preprocess]]\nstep = \"normalise\"\nfeature = \"observation.state\"";

#[test]
fn a_resize_step_takes_any_camera() {
    let resize = "[[preprocess]]\nstep = \"resize\"\nfeature = \"observation.images.front\"\nwidth = 4\nheight = 2\n\n";
    let manifest = manifest_with(&[(STEPS, &format!("{resize}{STEPS}"))]);
    assert!(manifest.embodiments()[0].cameras()[0].accepts_any_size());
    let mut preprocessor = preprocessor(&manifest);
    let mut parts = Parts::new();
    parts.size = (8, 4);
    parts.pixels = vec![51; 96];
    parts.run(&mut preprocessor).unwrap();
    let front = preprocessor.output("observation.images.front").unwrap();
    assert_eq!(front.shape(), [1, 3, 2, 4]);
    close(&front.to_f32(), &[0.2; 24]);
}

#[test]
fn history_is_filled_then_rolls_and_forgets() {
    let history = "[[preprocess]]\nstep = \"history\"\nfeature = \"observation.state\"\nlength = 2\n\n[[postprocess]]";
    let manifest = manifest_with(&[("[[postprocess]]", history)]);
    let mut preprocessor = preprocessor(&manifest);
    assert_eq!(preprocessor.history(), 2);
    let mut parts = Parts::new();
    let mut x = |preprocessor: &mut Preprocessor, value: f64| {
        parts.values[0] = value;
        parts.run(preprocessor).unwrap();
        let state = preprocessor.output("observation.state").unwrap();
        assert_eq!(state.shape(), [1, 2, 4]);
        let values = state.to_f32();
        (values[0], values[4])
    };
    let near = |got: (f32, f32), expected: (f32, f32)| {
        close(&[got.0, got.1], &[expected.0, expected.1]);
    };
    near(x(&mut preprocessor, 0.45), (0.0, 0.0));
    near(x(&mut preprocessor, 0.60), (0.0, 1.0));
    near(x(&mut preprocessor, 0.75), (1.0, 2.0));
    preprocessor.reset();
    near(x(&mut preprocessor, 0.30), (-1.0, -1.0));
}

#[test]
fn a_renamed_feature_keeps_its_source() {
    let rename = "[[preprocess]]\nstep = \"rename\"\nfrom = \"observation.images.front\"\nto = \"observation.image\"\n\n";
    let manifest = manifest_with(&[
        (STEPS, &format!("{rename}{STEPS}")),
        (
            "\"observation.images.front\", \"language.features\"",
            "\"observation.image\", \"language.features\"",
        ),
        (
            "inputs = [\"observation.images.front\"]",
            "inputs = [\"observation.image\"]",
        ),
    ]);
    let mut preprocessor = preprocessor(&manifest);
    Parts::new().run(&mut preprocessor).unwrap();
    assert_eq!(
        preprocessor.output("observation.image").unwrap().shape(),
        [1, 3, 2, 4]
    );
    let source = preprocessor.source_of("observation.image");
    assert_eq!(source.as_deref(), Some("observation.images.front"));
    assert_eq!(preprocessor.cameras(), ["front"]);
}

#[test]
fn missing_statistics_refuse_the_bundle() {
    let manifest = manifest();
    let embodiment = manifest.embodiment("tabletop/franka").unwrap();
    let text = Preprocessor::new(&manifest, embodiment, None)
        .unwrap_err()
        .to_string();
    assert!(text.contains("the bundle is without statistics"), "{text}");
}
