//! A stage that breaks on purpose, in every way that ends or blocks a process.

use std::{path::PathBuf, time::Duration};

use vola_plugin::{
    CallContext, Fault, Inputs, Stage, Tensor,
    serde_json::{Value, json},
    types::{DType, ExampleInput, PluginDescription, PluginKind},
};

/// The ways to break.
const WAYS: [&str; 10] = [
    "never",
    "trespass",
    "panic",
    "segfault",
    "abort",
    "exit",
    "hang",
    "eat_memory",
    "fill_memory",
    "overflow_stack",
];

/// Doubles `x`, once it has read its file where it has one; at its call number
/// `at` it breaks.
pub(crate) struct Break {
    way: String,
    file: Option<PathBuf>,
    at: u64,
    calls: u64,
}

impl Stage for Break {
    fn describe() -> PluginDescription {
        PluginDescription {
            name: "break".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: PluginKind::Encoder,
            summary: "breaks as its settings say".to_owned(),
            produces: None,
            capabilities: vec![],
            settings_schema: json!({
                "type": "object",
                "properties": {
                    "way": {"type": "string", "enum": WAYS, "default": "never"},
                    "at": {"type": "integer", "default": 0},
                    "file": {"type": "string"},
                },
                "additionalProperties": false,
            }),
            example_inputs: vec![ExampleInput::new("x", DType::F32, &[1, 2])],
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        let table = settings
            .as_object()
            .ok_or_else(|| Fault::settings(format!("expected a table, got {settings}")))?;
        if let Some(key) = table
            .keys()
            .find(|key| !["way", "at", "file"].contains(&key.as_str()))
        {
            return Err(Fault::settings(format!("{key}: unknown key")));
        }
        let way = match table.get("way") {
            None => "never",
            Some(way) => way
                .as_str()
                .filter(|way| WAYS.contains(way))
                .ok_or_else(|| {
                    Fault::settings(format!("way: expected one of {WAYS:?}, got {way}"))
                })?,
        };
        let at = match table.get("at") {
            None => 0,
            Some(at) => at
                .as_u64()
                .ok_or_else(|| Fault::settings(format!("at: expected a whole number, got {at}")))?,
        };
        let file = match table.get("file") {
            None => None,
            Some(file) => Some(PathBuf::from(file.as_str().ok_or_else(|| {
                Fault::settings(format!("file: expected a path, got {file}"))
            })?)),
        };
        Ok(Self {
            way: way.to_owned(),
            file,
            at,
            calls: 0,
        })
    }

    fn reset(&mut self, _: u64) -> Result<(), Fault> {
        self.calls = 0;
        Ok(())
    }

    fn call(&mut self, context: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault> {
        if context.step != self.calls {
            return Err(Fault::input(format!(
                "step {}, expected {}",
                context.step, self.calls
            )));
        }
        if self.calls == self.at {
            break_down(&self.way);
        }
        self.calls += 1;
        #[cfg(target_os = "linux")]
        if self.way == "trespass" {
            return crate::trespassing::attempts();
        }
        if self.way == "fill_memory" {
            return Ok(vec![Tensor::f32("mib", &[1], &[fill_memory()])?]);
        }
        if let Some(file) = &self.file {
            std::fs::read(file).map_err(|error| Fault::failed(error.to_string()))?;
        }
        let x = inputs.get("x")?;
        let doubled: Vec<f32> = x.f32s()?.iter().map(|value| value * 2.0).collect();
        let shape: Vec<usize> = x.shape().iter().map(|size| *size as usize).collect();
        Ok(vec![Tensor::f32("y", &shape, &doubled)?])
    }
}

fn break_down(way: &str) {
    match way {
        "panic" => panic!("on purpose"),
        "segfault" => segfault(),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(7),
        "hang" => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        "eat_memory" => {
            let mut eaten: Vec<Vec<u8>> = Vec::new();
            loop {
                eaten.push(vec![1; 16 << 20]);
            }
        }
        "overflow_stack" => {
            std::hint::black_box(dig(1));
        }
        _ => {}
    }
}

/// Takes memory, and uses it, until there is none; how much it was (MiB). All of
/// it is given back.
fn fill_memory() -> f32 {
    const PIECE_MIB: usize = 4;
    let mut taken: Vec<Vec<u8>> = Vec::with_capacity(1 << 16);
    loop {
        let mut piece = Vec::new();
        if taken.len() == taken.capacity() || piece.try_reserve_exact(PIECE_MIB << 20).is_err() {
            return (taken.len() * PIECE_MIB) as f32;
        }
        piece.resize(PIECE_MIB << 20, 1);
        taken.push(piece);
    }
}

#[expect(unsafe_code, reason = "this is what the isolation must survive")]
fn segfault() {
    // SAFETY: there is none; address 1 is not mapped, and the write ends the
    // process, as the test wants.
    unsafe { std::ptr::without_provenance_mut::<u8>(1).write_volatile(1) };
}

/// Never returns: it calls itself until the stack ends.
#[allow(
    unconditional_recursion,
    reason = "this is what the isolation must survive"
)]
fn dig(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 512]);
    dig(room[depth as usize % 512] + 1) + room[0]
}
