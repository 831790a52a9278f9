//! Property tests: a small table on which a robot works, read badly.
//!
//! Whatever happens and however it is misread, every thing keeps its one id,
//! nothing appears that is not there, and what is in sight is where it is.

use proptest::prelude::*;
use vola_types::{BLOCK_SIZE_M, BOWL_RIM_RADIUS_M};

use super::*;

const COLORS: [&str; 6] = ["red", "blue", "green", "pink", "cyan", "orange"];
const HOME: [f64; 3] = [0.32, 0.0, 0.35];

/// A thing as it is.
#[derive(Debug, Clone)]
struct Thing {
    kind: &'static str,
    color: &'static str,
    at: [f64; 3],
    /// Index of the bowl it lies in, or of the block it stands on.
    on: Option<usize>,
}

/// The table as it is, and the arm.
#[derive(Debug, Clone)]
struct Table {
    things: Vec<Thing>,
    tool: [f64; 3],
    held: Option<usize>,
}

/// What a robot does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Pick(usize),
    PutInBowl(usize),
    Stack(usize),
    PutDown(f64, f64),
    Push(usize, f64, f64),
    Home,
}

fn act() -> impl Strategy<Value = Act> {
    let x = 0.31..0.59;
    let y = -0.29..0.29;
    prop_oneof![
        4 => (0..8_usize).prop_map(Act::Pick),
        3 => (0..8_usize).prop_map(Act::PutInBowl),
        2 => (0..8_usize).prop_map(Act::Stack),
        2 => (x.clone(), y.clone()).prop_map(|(x, y)| Act::PutDown(x, y)),
        1 => (0..8_usize, -0.08..0.08, -0.08..0.08).prop_map(|(i, x, y)| Act::Push(i, x, y)),
        1 => Just(Act::Home),
    ]
}

/// Random numbers in 0..1 that say how a look goes wrong, used in turn.
#[derive(Debug, Clone)]
struct Luck(Vec<f64>, usize);

impl Luck {
    fn next(&mut self) -> f64 {
        self.1 += 1;
        self.0[self.1 % self.0.len()]
    }

    fn chance(&mut self, share: f64) -> bool {
        self.next() < share
    }
}

impl Table {
    /// Bowls and blocks that do not touch.
    fn new(places: &[(f64, f64)]) -> Self {
        let mut things: Vec<Thing> = Vec::new();
        for (x, y) in places {
            let bowls = things.iter().filter(|t| t.kind == "bowl").count();
            let kind = if bowls < 2 { "bowl" } else { "block" };
            let number = things.iter().filter(|t| t.kind == kind).count();
            let room = footprint(kind) + 0.02;
            let is_free = things
                .iter()
                .all(|t| (t.at[0] - x).hypot(t.at[1] - y) >= footprint(t.kind) + room);
            if is_free && number < COLORS.len() {
                let color = COLORS[(number * 5 + usize::from(kind == "bowl")) % COLORS.len()];
                let at = [*x, *y, RESTING_Z_M];
                things.push(Thing {
                    kind,
                    color,
                    at,
                    on: None,
                });
            }
        }
        Self {
            things,
            tool: HOME,
            held: None,
        }
    }

    fn blocks(&self) -> Vec<usize> {
        let is_block = |index: &usize| self.things[*index].kind == "block";
        (0..self.things.len()).filter(is_block).collect()
    }

    fn is_covered(&self, index: usize) -> bool {
        self.things.iter().any(|t| t.on == Some(index))
    }

    /// Does it, if it can be done, and tells the memory as a robot does.
    fn act(&mut self, act: Act, memory: &mut SceneMemory) {
        let blocks = self.blocks();
        let nth = |n: usize| blocks.get(n % blocks.len().max(1)).copied();
        match (act, self.held) {
            (Act::Pick(n), None) => {
                let Some(index) = nth(n).filter(|index| !self.is_covered(*index)) else {
                    return;
                };
                let [x, y, _] = self.things[index].at;
                self.tool = [x, y, 0.2];
                self.held = Some(index);
                self.things[index].on = None;
                self.things[index].at = self.tool;
                memory.set_held(&self.id(index));
            }
            (Act::PutInBowl(n), Some(held)) => {
                let bowls: Vec<usize> = (0..self.things.len())
                    .filter(|i| self.things[*i].kind == "bowl" && !self.is_covered(*i))
                    .collect();
                if let Some(bowl) = bowls.get(n % bowls.len().max(1)) {
                    let [x, y, _] = self.things[*bowl].at;
                    self.let_go(held, [x + 0.01, y - 0.01, 0.026], Some(*bowl), memory);
                }
            }
            (Act::Stack(n), Some(held)) => {
                let below = nth(n).filter(|below| {
                    *below != held && !self.is_covered(*below) && self.things[*below].on.is_none()
                });
                if let Some(below) = below {
                    let [x, y, _] = self.things[below].at;
                    let place = [x + 0.004, y, RESTING_Z_M + BLOCK_SIZE_M];
                    self.let_go(held, place, Some(below), memory);
                }
            }
            (Act::PutDown(x, y), Some(held)) if self.is_free([x, y], held) => {
                self.let_go(held, [x, y, RESTING_Z_M], None, memory);
            }
            (Act::Push(n, dx, dy), None) => {
                let Some(index) = nth(n) else { return };
                let [x, y, z] = self.things[index].at;
                let to = [x + dx, y + dy];
                let stands = self.things[index].on.is_none() && !self.is_covered(index);
                if stands && (0.3..0.6).contains(&to[0]) && self.is_free(to, index) {
                    memory.expect_at(&self.id(index), [to[0] + 0.006, to[1], z]);
                    self.things[index].at = [to[0], to[1], z];
                    self.tool = [x, y, 0.2];
                }
            }
            (Act::Home, _) => {
                self.tool = HOME;
                if let Some(held) = self.held {
                    self.things[held].at = HOME;
                }
            }
            _ => {}
        }
    }

    fn is_free(&self, [x, y]: [f64; 2], mover: usize) -> bool {
        self.things.iter().enumerate().all(|(index, t)| {
            index == mover || (t.at[0] - x).hypot(t.at[1] - y) >= footprint(t.kind) + 0.055
        })
    }

    fn let_go(&mut self, held: usize, at: [f64; 3], on: Option<usize>, memory: &mut SceneMemory) {
        memory.expect_at(&self.id(held), [at[0] + 0.005, at[1], at[2]]);
        self.things[held].at = at;
        self.things[held].on = on;
        self.held = None;
        self.tool = [at[0], at[1], 0.2];
    }

    fn id(&self, index: usize) -> String {
        format!("{}_{}", self.things[index].color, self.things[index].kind)
    }

    fn is_hidden(&self, at: [f64; 3]) -> bool {
        (at[0] - self.tool[0]).hypot(at[1] - self.tool[1]) < 0.09
    }

    /// What a bad camera says of it.
    fn read(&self, luck: &mut Luck) -> Detections {
        let mut objects = Vec::new();
        for (index, thing) in self.things.iter().enumerate() {
            let is_full = self.is_covered(index);
            let inside = thing.on.is_some();
            let missed = luck.chance(if inside || is_full { 0.3 } else { 0.03 });
            let noise = |luck: &mut Luck| 0.016 * (luck.next() - 0.5);
            let (dx, dy, dz) = (noise(luck), noise(luck), noise(luck));
            let wrong = luck.chance(if inside || is_full { 0.3 } else { 0.0 });
            let other = COLORS[(luck.next() * 5.99) as usize];
            let doubled = luck.chance(0.1);
            let in_hand = self.held == Some(index);
            if missed || (self.is_hidden(thing.at) && luck.chance(0.5)) && !in_hand {
                continue;
            }
            let shift = if in_hand { 0.06 } else { 0.0 };
            let detection = Detection {
                kind: thing.kind.to_owned(),
                color: Some(if wrong { other } else { thing.color }.to_owned()),
                position: [
                    thing.at[0] + dx - shift,
                    thing.at[1] + dy,
                    thing.at[2] + dz - shift,
                ],
                confidence: 0.95,
                openness: None,
            };
            // A full bowl is sometimes also taken for another one.
            if is_full && thing.kind == "bowl" && doubled {
                objects.push(Detection {
                    color: Some(other.to_owned()),
                    ..detection.clone()
                });
            }
            objects.push(detection);
        }
        Detections {
            objects,
            view: View {
                hidden: vec![Disc {
                    center: [self.tool[0], self.tool[1]],
                    radius: 0.09,
                }],
                ..View::default()
            },
            gripper: GripperReading {
                position: Some(self.tool),
                open: self.held.is_none(),
                holding: self.held.is_some(),
            },
        }
    }
}

fn footprint(kind: &str) -> f64 {
    if kind == "bowl" {
        BOWL_RIM_RADIUS_M
    } else {
        0.5 * BLOCK_SIZE_M * std::f64::consts::SQRT_2
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn ids_last_and_nothing_is_born_or_lost(
        places in proptest::collection::vec((0.31..0.59, -0.29..0.29), 12..30),
        acts in proptest::collection::vec(act(), 1..24),
        luck in proptest::collection::vec(0.0..1.0, 97),
    ) {
        let mut table = Table::new(&places);
        let mut luck = Luck(luck, 0);
        let mut memory = SceneMemory::default();
        let mut perfect = table.read(&mut Luck(vec![0.5], 0));
        perfect.view.hidden.clear();
        memory.update(&perfect);
        let mut ids: Vec<String> = (0..table.things.len()).map(|i| table.id(i)).collect();
        ids.sort();
        for act in acts {
            table.act(act, &mut memory);
            let scene = memory.update(&table.read(&mut luck));
            let seen: Vec<&str> = scene.objects.iter().map(|o| o.id.as_str()).collect();
            prop_assert_eq!(&seen, &ids, "after {:?}", act);
            for (index, thing) in table.things.iter().enumerate() {
                let id = table.id(index);
                let known = scene.object(&id).and_then(|o| o.position).unwrap_or_default();
                let off = (known[0] - thing.at[0]).hypot(known[1] - thing.at[1]);
                prop_assert!(off < 0.05, "{} is {:?}, not {:?} after {:?}", id, known, thing.at, act);
                let on = scene.object(&id).and_then(|o| o.on.clone());
                let carrier = thing.on.map(|on| &table.things[on]);
                if carrier.is_some_and(|carrier| carrier.kind == "bowl") {
                    prop_assert_eq!(on, thing.on.map(|on| table.id(on)), "{}", id);
                }
            }
        }
    }
}
