//! Pictures as a person and as the policy sees them.

use std::{sync::Arc, time::Instant};

use super::*;
use crate::{
    arm::{ArmModel, FRANKA, UR5E},
    scene::{DrawerChoice, Start, TaskKind, TaskSpec, plan},
    world::{PhysicsSettings, World, reset},
};

pub(crate) fn world(spec: crate::arm::ArmSpec, seed: u64, task: TaskKind, start: Start) -> World {
    let arm = Arc::new(ArmModel::new(spec).unwrap());
    let spec = TaskSpec {
        task,
        start,
        ..TaskSpec::default()
    };
    let plan = plan(seed, &spec, DrawerChoice::Default).unwrap();
    reset(&arm, PhysicsSettings::default(), seed, &plan).unwrap()
}

/// Writes a picture where `VOLA_TABLETOP_PICTURES` says, for people to look at.
pub(crate) fn save(name: &str, [width, height]: [usize; 2], pixels: &[u8]) {
    let Some(folder) = std::env::var_os("VOLA_TABLETOP_PICTURES") else {
        return;
    };
    let path = std::path::Path::new(&folder).join(format!("{name}.png"));
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(pixels)
        .unwrap();
}

pub(crate) fn picture(world: &World, view: &CameraView, size: [usize; 2]) -> Vec<u8> {
    let mut pixels = vec![0; size[0] * size[1] * 3];
    Renderer::default().render(&world.snapshot(0), view, size, &mut pixels);
    pixels
}

#[test]
fn pictures_show_the_scene() {
    for (spec, name) in [(FRANKA, "franka"), (UR5E, "ur5e")] {
        for (task, start) in [
            (TaskKind::Free, Start::Home),
            (TaskKind::Drawer, Start::Varied),
            (TaskKind::PlaceIn, Start::Varied),
        ] {
            let world = world(spec, 3, task, start);
            let wrist = wrist_camera(&world.snapshot(0).tool_pose());
            let label = format!("{name}_{}", task.word());
            for (view, key, sizes) in [
                (front_camera(), "front", [[128, 96], [640, 480]]),
                (wrist, "wrist", [[64, 64], [320, 320]]),
            ] {
                for size in sizes {
                    let pixels = picture(&world, &view, size);
                    save(&format!("{label}_{key}_{}", size[0]), size, &pixels);
                    let mean = pixels.iter().map(|byte| f64::from(*byte)).sum::<f64>()
                        / pixels.len() as f64;
                    assert!((60.0..230.0).contains(&mean), "{label} {key}: mean {mean}");
                }
            }
            save(
                &format!("{label}_people"),
                [640, 480],
                &picture(&world, &overview_camera(), [640, 480]),
            );
        }
    }
}

#[test]
fn objects_appear_in_their_colours_where_they_are() {
    let mut found = 0;
    let mut seen = 0;
    for seed in 0..12 {
        let world = world(FRANKA, seed, TaskKind::Pick, Start::Home);
        let size = [128, 96];
        let pixels = picture(&world, &front_camera(), size);
        let mut renderer = Renderer::default();
        let snapshot = world.snapshot(0);
        for object in world.object_states() {
            let Some(color) = object.color else { continue };
            let top = [
                object.position[0] as f32,
                object.position[1] as f32,
                if object.kind == crate::catalog::Kind::Bowl {
                    0.006
                } else {
                    0.04
                },
            ];
            let [u, v] = front_camera().project(top.into(), 128.0 / 96.0).unwrap();
            let (column, row) = ((u * 128.0) as usize, (v * 96.0) as usize);
            let samples = renderer.depth(&snapshot, &front_camera(), size);
            let part = &snapshot.model.parts[usize::from(samples.part[row * 128 + column])];
            seen += 1;
            if part.color.map(f32::to_bits) == color.linear_rgb().map(f32::to_bits) {
                found += 1;
                let at = (row * 128 + column) * 3;
                let rgb = [0, 1, 2].map(|k| f32::from(pixels[at + k]) / 255.0);
                let strongest = (0..3)
                    .max_by(|a, b| color.linear_rgb()[*a].total_cmp(&color.linear_rgb()[*b]))
                    .unwrap();
                assert!(
                    rgb[strongest] + 0.03 >= rgb.iter().copied().fold(0.0, f32::max),
                    "{} {rgb:?}",
                    color.word()
                );
            }
        }
    }
    assert!(
        found * 100 >= seen * 93,
        "{found} of {seen} objects seen at their place"
    );
}

#[test]
fn a_policy_picture_takes_milliseconds() {
    let world = world(FRANKA, 5, TaskKind::Free, Start::Home);
    let snapshot = world.snapshot(0);
    let mut renderer = Renderer::default();
    for (view, size) in [
        (front_camera(), [128, 96]),
        (wrist_camera(&snapshot.tool_pose()), [64, 64]),
        (front_camera(), [640, 480]),
    ] {
        let mut pixels = vec![0; size[0] * size[1] * 3];
        renderer.render(&snapshot, &view, size, &mut pixels);
        let start = Instant::now();
        let count = if size[0] > 200 { 5 } else { 50 };
        for _ in 0..count {
            renderer.render(&snapshot, &view, size, &mut pixels);
        }
        let each = start.elapsed().as_secs_f64() * 1e3 / f64::from(count);
        let triangles: usize = snapshot
            .model
            .parts
            .iter()
            .map(|part| part.mesh.triangles.len())
            .sum();
        println!("{size:?}: {each:.2} ms a picture, {triangles} triangles");
        // Generous: the machine may be loaded.
        assert!(each < 400.0);
    }
}
