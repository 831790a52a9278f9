use super::*;

/// A small generator of repeatable numbers (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from(u32::try_from(self.0 >> 40).unwrap()) / f64::from(1_u32 << 24)
    }

    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next()
    }

    fn index(&mut self, n: usize) -> usize {
        let picked = self.next() * n as f64;
        (picked as usize).min(n - 1)
    }
}

fn block(color: &str, x: f64, y: f64) -> Detection {
    Detection {
        kind: "block".to_owned(),
        color: Some(color.to_owned()),
        position: [x, y, 0.02],
        confidence: 0.9,
        openness: None,
    }
}

fn bowl(color: &str, x: f64, y: f64) -> Detection {
    Detection {
        kind: "bowl".to_owned(),
        ..block(color, x, y)
    }
}

fn reading(objects: Vec<Detection>) -> Detections {
    Detections {
        objects,
        gripper: GripperReading {
            open: true,
            ..GripperReading::default()
        },
        ..Detections::default()
    }
}

fn ids(scene: &Scene) -> Vec<&str> {
    scene.objects.iter().map(|o| o.id.as_str()).collect()
}

/// A table of objects at least 9 cm apart, colours repeated on purpose.
fn random_table(numbers: &mut Numbers) -> Vec<Detection> {
    let mut all: Vec<Detection> = Vec::new();
    for _ in 0..40 {
        let (x, y) = (numbers.within(0.31, 0.59), numbers.within(-0.29, 0.29));
        let apart = |d: &Detection| (d.position[0] - x).hypot(d.position[1] - y) >= 0.09;
        if all.len() < 7 && all.iter().all(apart) {
            let color = ["red", "green", "blue"][numbers.index(3)];
            all.push(block(color, x, y));
        }
    }
    all
}

fn shuffled(numbers: &mut Numbers, mut all: Vec<Detection>) -> Vec<Detection> {
    for i in (1..all.len()).rev() {
        all.swap(i, numbers.index(i + 1));
    }
    all
}

#[test]
fn numbering_runs_from_left_to_right() {
    let mut memory = SceneMemory::default();
    let scene = memory.update(&reading(vec![
        block("red", 0.4, -0.2),
        block("red", 0.4, 0.2),
        block("green", 0.5, 0.0),
    ]));
    assert_eq!(ids(&scene), ["green_block", "red_block_1", "red_block_2"]);
    assert!(scene.object("red_block_1").unwrap().position.unwrap()[1] > 0.0);
    scene.check().unwrap();
}

#[test]
fn a_second_of_a_look_does_not_rename_the_first() {
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![block("red", 0.4, 0.0)]));
    let scene = memory.update(&reading(vec![
        block("red", 0.4, 0.0),
        block("red", 0.5, 0.2),
    ]));
    assert_eq!(ids(&scene), ["red_block", "red_block_2"]);
}

#[test]
fn ids_survive_jitter_and_any_order() {
    let mut numbers = Numbers(0x5eed);
    for _ in 0..200 {
        let table = random_table(&mut numbers);
        let mut memory = SceneMemory::default();
        let first = memory.update(&reading(table.clone()));
        let mut other = SceneMemory::default();
        let mixed = other.update(&reading(shuffled(&mut numbers, table.clone())));
        assert_eq!(first, mixed, "order must not matter");
        for _ in 0..5 {
            let moved: Vec<Detection> = table
                .iter()
                .map(|d| {
                    let mut moved = d.clone();
                    moved.position[0] += numbers.within(-0.014, 0.014);
                    moved.position[1] += numbers.within(-0.014, 0.014);
                    moved
                })
                .collect();
            let scene = memory.update(&reading(shuffled(&mut numbers, moved)));
            assert_eq!(ids(&scene), ids(&first));
            scene.check().unwrap();
            for object in &scene.objects {
                let was = first.object(&object.id).unwrap().position.unwrap();
                assert!(
                    object.table_distance_m(was).unwrap() < 0.021,
                    "{}",
                    object.id
                );
            }
        }
    }
}

#[test]
fn ids_are_unique_whatever_is_detected() {
    let mut numbers = Numbers(77);
    for _ in 0..100 {
        let mut memory = SceneMemory::default();
        for _ in 0..8 {
            let mut objects = random_table(&mut numbers);
            if let Some(first) = objects.first().cloned() {
                objects.push(first);
            }
            objects.push(block("red", f64::NAN, 0.0));
            let mut reading = reading(objects);
            reading.gripper.holding = numbers.next() > 0.5;
            reading.gripper.position = Some([0.45, numbers.within(-0.2, 0.2), 0.05]);
            memory.update(&reading).check().unwrap();
        }
    }
}

#[test]
fn a_held_object_moves_with_the_gripper_and_keeps_its_id() {
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![
        block("red", 0.4, 0.0),
        block("red", 0.4, 0.2),
    ]));
    let mut held = reading(vec![block("red", 0.4, 0.2)]);
    held.gripper = GripperReading {
        position: Some([0.4, 0.0, 0.03]),
        open: false,
        holding: true,
    };
    let scene = memory.update(&held);
    assert_eq!(scene.gripper.holding.as_deref(), Some("red_block_2"));
    for (y, z) in [(-0.05, 0.2), (-0.15, 0.2), (-0.25, 0.05)] {
        held.gripper.position = Some([0.5, y, z]);
        let scene = memory.update(&held);
        assert_eq!(scene.held().unwrap().position, Some([0.5, y, z]));
        assert_eq!(scene.objects.len(), 2);
        scene.check().unwrap();
    }
    let scene = memory.update(&reading(vec![
        block("red", 0.4, 0.2),
        block("red", 0.51, -0.25),
    ]));
    assert_eq!(ids(&scene), ["red_block_1", "red_block_2"]);
    let placed = scene.object("red_block_2").unwrap();
    assert_eq!(placed.on.as_deref(), Some("table"));
    assert!(placed.position.unwrap()[1] < -0.2);
    assert!(scene.gripper.holding.is_none());
}

#[test]
fn hidden_objects_stay_and_places_seen_empty_are_forgotten() {
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![
        block("red", 0.4, 0.0),
        block("green", 0.5, 0.2),
    ]));
    let mut without = reading(vec![block("green", 0.5, 0.2)]);
    without.view.hidden.push(Disc {
        center: [0.4, 0.01],
        radius: 0.05,
    });
    let mut last = 0.9;
    for _ in 0..30 {
        let scene = memory.update(&without);
        let red = scene.object("red_block").expect("hidden, not gone");
        assert!(red.confidence < last || red.confidence <= 0.05 + 1e-12);
        last = red.confidence;
    }
    without.view.hidden.clear();
    for _ in 1..MemorySettings::default().empty_readings_to_drop {
        assert_eq!(memory.update(&without).objects.len(), 2);
    }
    assert_eq!(memory.update(&without).objects.len(), 1);
    // It comes back under a new number, never as somebody else.
    let scene = memory.update(&reading(vec![
        block("green", 0.5, 0.2),
        block("red", 0.35, -0.2),
    ]));
    assert_eq!(ids(&scene), ["green_block", "red_block_2"]);
}

#[test]
fn a_pushed_object_keeps_its_id() {
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![
        block("red", 0.4, 0.0),
        block("green", 0.5, 0.2),
    ]));
    let scene = memory.update(&reading(vec![
        block("red", 0.4, -0.12),
        block("green", 0.5, 0.2),
    ]));
    assert_eq!(ids(&scene), ["green_block", "red_block"]);
    // Two of a look: the announcement says which one it is.
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![
        block("red", 0.4, 0.1),
        block("red", 0.4, -0.1),
    ]));
    memory.expect_at("red_block_1", [0.4, 0.18, 0.02]);
    let scene = memory.update(&reading(vec![
        block("red", 0.4, 0.19),
        block("red", 0.4, -0.1),
    ]));
    assert!(scene.object("red_block_1").unwrap().position.unwrap()[1] > 0.15);
}

#[test]
fn supports_come_from_positions() {
    let mut memory = SceneMemory::default();
    let mut top = block("green", 0.401, 0.002);
    top.position[2] = 0.06;
    let drawer = Detection {
        kind: "drawer".to_owned(),
        color: None,
        position: [0.5, -0.25, 0.03],
        confidence: 0.9,
        openness: Some(0.9),
    };
    let scene = memory.update(&reading(vec![
        block("red", 0.4, 0.0),
        top,
        bowl("blue", 0.5, 0.2),
        block("pink", 0.51, 0.22),
        drawer,
    ]));
    let on = |id: &str| scene.object(id).unwrap().on.clone().unwrap();
    assert_eq!(on("green_block"), "red_block");
    assert_eq!(on("red_block"), "table");
    assert_eq!(on("pink_block"), "blue_bowl");
    assert_eq!(scene.object("drawer").unwrap().open, Some(true));
    scene.check().unwrap();
}

fn drawer(x: f64, openness: f64) -> Detection {
    Detection {
        kind: "drawer".to_owned(),
        color: None,
        position: [x, 0.05, 0.033],
        confidence: 0.9,
        openness: Some(openness),
    }
}

/// What the arm hides when the tool is here.
fn under(mut reading: Detections, tool: [f64; 3]) -> Detections {
    reading.gripper.position = Some(tool);
    reading.view.hidden.push(Disc {
        center: [tool[0], tool[1]],
        radius: 0.09,
    });
    reading
}

#[test]
fn a_drawer_that_was_opened_is_the_same_drawer() {
    // The hand still over the handle, which hides where the handle was.
    for tool in [[0.613, 0.05, 0.2], [0.50, 0.05, 0.2], [0.32, 0.0, 0.35]] {
        let mut memory = SceneMemory::default();
        memory.update(&reading(vec![drawer(0.613, 0.02), block("red", 0.4, -0.2)]));
        for (x, openness) in [(0.50, 0.98), (0.61, 0.03), (0.505, 0.9)] {
            let seen = vec![drawer(x, openness), block("red", 0.4, -0.2)];
            let scene = memory.update(&under(reading(seen), tool));
            assert_eq!(ids(&scene), ["drawer", "red_block"], "{tool:?}");
            let now = scene.object("drawer").unwrap();
            assert_eq!(now.open, Some(openness > 0.5));
            assert!((now.position.unwrap()[0] - x).abs() < 1e-9);
        }
    }
}

#[test]
fn what_was_put_in_a_drawer_is_seen_there_and_kept_when_it_closes() {
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![drawer(0.50, 0.98), block("red", 0.4, -0.2)]));
    memory.set_held("red_block");
    let tray = [0.61, 0.05, 0.026];
    memory.expect_at("red_block", tray);
    // Not where it was brought: the camera says so.
    let mut beside = memory.clone();
    let fell = vec![drawer(0.50, 0.98), block("red", 0.42, 0.05)];
    let scene = beside.update(&under(reading(fell), [0.61, 0.05, 0.2]));
    assert_eq!(
        scene.object("red_block").unwrap().on.as_deref(),
        Some("table")
    );
    let mut there = vec![drawer(0.50, 0.98), block("red", 0.60, 0.06)];
    there[1].position[2] = 0.03;
    let scene = memory.update(&under(reading(there), [0.61, 0.05, 0.2]));
    let red = scene.object("red_block").unwrap();
    assert_eq!(red.on.as_deref(), Some("drawer"));
    for _ in 0..10 {
        let scene = memory.update(&reading(vec![drawer(0.613, 0.02)]));
        let red = scene.object("red_block").unwrap();
        assert_eq!(red.on.as_deref(), Some("drawer"));
        assert!(red.position.unwrap()[0] > 0.68, "it moved with the tray");
    }
}

#[test]
fn a_full_bowl_keeps_its_colour_and_gives_birth_to_nothing() {
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![
        bowl("purple", 0.355, 0.109),
        block("cyan", 0.57, 0.11),
    ]));
    memory.set_held("cyan_block");
    // Ghosts of the block in the hand.
    let mut ghost = block("cyan", 0.478, 0.142);
    ghost.position[2] = 0.091;
    let mut held = reading(vec![
        bowl("purple", 0.355, 0.109),
        ghost,
        bowl("cyan", 0.41, 0.144),
    ]);
    held.gripper = GripperReading {
        position: Some([0.572, 0.111, 0.2]),
        open: false,
        holding: true,
    };
    assert_eq!(ids(&memory.update(&held)), ["cyan_block", "purple_bowl"]);
    memory.expect_at("cyan_block", [0.355, 0.109, 0.02]);
    for seen in [
        vec![bowl("blue", 0.348, 0.11)],
        vec![bowl("purple", 0.355, 0.109), block("blue", 0.34, 0.12)],
        vec![bowl("purple", 0.355, 0.109), block("cyan", 0.34, 0.12)],
        vec![bowl("blue", 0.35, 0.11), block("cyan", 0.35, 0.12)],
        vec![bowl("purple", 0.355, 0.109)],
        vec![],
    ] {
        for tool in [[0.34, 0.10, 0.197], [0.32, 0.0, 0.35]] {
            let scene = memory.update(&under(reading(seen.clone()), tool));
            assert_eq!(ids(&scene), ["cyan_block", "purple_bowl"], "{seen:?}");
            let cyan = scene.object("cyan_block").unwrap();
            assert_eq!(cyan.on.as_deref(), Some("purple_bowl"), "{seen:?}");
        }
    }
    // Lying on the table it is no longer in the bowl.
    let seen = vec![bowl("purple", 0.355, 0.109), block("cyan", 0.45, 0.1)];
    let scene = memory.update(&reading(seen));
    assert_eq!(ids(&scene), ["cyan_block", "purple_bowl"]);
    let cyan = scene.object("cyan_block").unwrap();
    assert_eq!(cyan.on.as_deref(), Some("table"));
}

#[test]
fn what_is_seen_where_it_was_is_not_in_the_hand() {
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![
        block("red", 0.4, 0.0),
        block("blue", 0.4, 0.05),
        block("green", 0.5, 0.2),
    ]));
    memory.set_held("red_block");
    let mut held = reading(vec![block("red", 0.41, 0.01), block("green", 0.5, 0.2)]);
    held.gripper = GripperReading {
        position: Some([0.4, 0.12, 0.2]),
        open: false,
        holding: true,
    };
    let scene = memory.update(&held);
    assert_eq!(scene.gripper.holding.as_deref(), Some("blue_block"));
    let red = scene.object("red_block").unwrap();
    assert_eq!(red.on.as_deref(), Some("table"));
    scene.check().unwrap();
}

#[test]
fn near_the_arm_nothing_is_born_of_one_look() {
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![block("red", 0.4, 0.0)]));
    let seen = || reading(vec![block("red", 0.4, 0.0), block("pink", 0.5, 0.2)]);
    let tool = [0.5, 0.08, 0.15];
    for _ in 0..3 {
        assert_eq!(memory.update(&under(seen(), tool)).objects.len(), 1);
    }
    let other_tool = [0.5, 0.04, 0.15];
    assert_eq!(memory.update(&under(seen(), other_tool)).objects.len(), 2);
    // With the arm away one sure look is enough.
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![block("red", 0.4, 0.0)]));
    let home = [0.32, 0.0, 0.35];
    assert_eq!(memory.update(&under(seen(), home)).objects.len(), 2);
}

/// A red block that was carried onto a green one at (0.4, 0), and what is seen
/// of the two afterwards.
fn tower(seen: Vec<Detection>) -> Scene {
    let mut memory = SceneMemory::default();
    memory.update(&reading(vec![
        block("green", 0.4, 0.0),
        block("red", 0.5, 0.2),
    ]));
    memory.set_held("red_block");
    memory.update(&Detections {
        gripper: GripperReading {
            position: Some([0.5, 0.2, 0.2]),
            open: false,
            holding: true,
        },
        ..reading(vec![block("green", 0.4, 0.0)])
    });
    memory.expect_at("red_block", [0.4, 0.0, 0.06]);
    memory.update(&reading(seen))
}

#[test]
fn a_tower_is_known_although_its_heights_are_seen_badly() {
    let towers = [
        // Both at the height of the table, the upper one seen behind.
        vec![block("green", 0.4, 0.0), block("red", 0.378, 0.018)],
        // The lower one seen higher, but not by enough to say so.
        vec![
            Detection {
                position: [0.401, 0.0, 0.03],
                ..block("green", 0.0, 0.0)
            },
            block("red", 0.39, 0.01),
        ],
        // Only one of the two seen.
        vec![block("green", 0.403, 0.004)],
    ];
    for seen in towers {
        let scene = tower(seen.clone());
        let red = scene.object("red_block").unwrap();
        assert_eq!(red.on.as_deref(), Some("green_block"), "{seen:?}");
        assert!((red.position.unwrap()[2] - 0.06).abs() < 1e-9, "{red:?}");
        let green = scene.object("green_block").unwrap();
        assert_eq!(green.on.as_deref(), Some("table"), "{seen:?}");
        assert!((green.position.unwrap()[2] - 0.02).abs() < 1e-9);
    }
    // A block that fell off lies beside.
    let scene = tower(vec![block("green", 0.4, 0.0), block("red", 0.36, 0.012)]);
    assert_eq!(
        scene.object("red_block").unwrap().on.as_deref(),
        Some("table")
    );
    // Nothing is there where it should be: it is not believed to be.
    let scene = tower(vec![block("green", 0.33, 0.1)]);
    assert_ne!(
        scene.object("red_block").unwrap().on.as_deref(),
        Some("green_block")
    );
}

#[test]
fn rows_of_a_scene_head_are_read() {
    let row = [0.0, 1.0, 0.4, -0.1, 0.02, 0.9, 0.0, 0.0];
    let detection = Detection::from_row(&row).unwrap();
    assert_eq!(detection.base_name(), "red_block");
    assert!(Detection::from_row(&[0.0; 8]).is_none());
    assert!(Detection::from_row(&[9.0, 1.0, 0.4, 0.0, 0.0, 0.9, 0.0, 0.0]).is_none());
    assert!(Detection::from_row(&[0.0, 1.0, f32::NAN, 0.0, 0.0, 0.9, 0.0, 0.0]).is_none());
    let drawer = Detection::from_row(&[2.0, 0.0, 0.5, 0.0, 0.0, 0.9, 0.7, 0.0]).unwrap();
    assert_eq!(
        (drawer.color.as_deref(), drawer.is_open()),
        (None, Some(true))
    );
}
