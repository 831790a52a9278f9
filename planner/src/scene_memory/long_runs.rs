//! Long runs: a small table on which a robot works, read badly.
//!
//! Whatever happens and however it is misread, every thing keeps its one id,
//! nothing appears that is not there, and good looks mend what bad ones did:
//! with hardly an exception, since a camera that is wrong in the same way twice
//! is believed.

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
            let missed = luck.chance(if inside || is_full { 0.15 } else { 0.03 });
            let noise = |luck: &mut Luck| 0.016 * (luck.next() - 0.5);
            let (dx, dy, dz) = (noise(luck), noise(luck), noise(luck));
            let wrong = luck.chance(if inside || is_full { 0.1 } else { 0.0 });
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

/// An act of a run.
fn drawn(rng: &mut fastrand::Rng) -> Act {
    let mut within = |low: f64, high: f64| low + (high - low) * rng.f64();
    let (x, y) = (within(0.31, 0.59), within(-0.29, 0.29));
    let (dx, dy) = (within(-0.08, 0.08), within(-0.08, 0.08));
    let index = rng.usize(0..8);
    match rng.usize(0..13) {
        0..4 => Act::Pick(index),
        4..7 => Act::PutInBowl(index),
        7..9 => Act::Stack(index),
        9..11 => Act::PutDown(x, y),
        11 => Act::Push(index, dx, dy),
        _ => Act::Home,
    }
}

/// Where the memory is wrong about a thing, if anywhere.
fn mistake(table: &Table, scene: &Scene, index: usize) -> Option<String> {
    let (id, thing) = (table.id(index), &table.things[index]);
    let known = scene.object(&id);
    let at = known.and_then(|o| o.position).unwrap_or_default();
    let carrier = thing.on.map(|on| &table.things[on]);
    let in_bowl = carrier.is_some_and(|carrier| carrier.kind == "bowl");
    let is_on = known.and_then(|o| o.on.clone()) == thing.on.map(|on| table.id(on));
    if (at[0] - thing.at[0]).hypot(at[1] - thing.at[1]) < 0.05 && (is_on || !in_bowl) {
        return None;
    }
    Some(format!("{id} is {known:?}, not {thing:?}"))
}

#[test]
fn ids_last_and_what_was_misread_is_mended() {
    const RUNS: u64 = 300;
    let (mut looks, mut strange, mut things, mut wrong) = (0, 0, 0, Vec::new());
    for seed in 0..RUNS {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut place = || (0.31 + 0.28 * rng.f64(), 0.58 * rng.f64() - 0.29);
        let places: Vec<(f64, f64)> = (0..20).map(|_| place()).collect();
        let mut table = Table::new(&places);
        let mut luck = Luck((0..997).map(|_| rng.f64()).collect(), 0);
        let mut good = Luck(vec![0.5], 0);
        let mut memory = SceneMemory::default();
        let mut perfect = table.read(&mut good);
        perfect.view.hidden.clear();
        memory.update(&perfect);
        let mut ids: Vec<String> = (0..table.things.len()).map(|i| table.id(i)).collect();
        ids.sort();
        for _ in 0..rng.usize(1..24) {
            table.act(drawn(&mut rng), &mut memory);
            let scene = memory.update(&table.read(&mut luck));
            let seen = scene.objects.iter().map(|o| &o.id);
            looks += 1;
            strange += usize::from(!seen.eq(ids.iter()));
        }
        // Some looks were bad; a few good ones, with the arm away, mend it.
        table.act(Act::Home, &mut memory);
        let mut scene = memory.scene();
        for _ in 0..4 {
            scene = memory.update(&table.read(&mut good));
        }
        things += table.things.len();
        wrong.extend((0..table.things.len()).filter_map(|index| mistake(&table, &scene, index)));
    }
    // One look in ten misreads the colour of what lies in a bowl or under a block,
    // one in seven does not see it.
    assert!(strange * 50 <= looks, "{strange} of {looks} looks");
    assert!(
        wrong.len() * 50 <= things,
        "{} of {things}: {wrong:#?}",
        wrong.len()
    );
}
