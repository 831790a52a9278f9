//! Speed of whole training steps, and how well the recipe does on a painted world, by minutes:
//! `cargo bench -p vola-train -- 2.0`, or by steps: `STEPS=1000 cargo bench -p vola-train`, with the
//! allocator settings in `vola-nn`'s crate documentation.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use vola_train::{Budget, Flow, Observer, StepReport, TrainConfig, ValidationReport, train};

struct Print {
    start: Instant,
}

impl Observer for Print {
    fn step(&mut self, report: &StepReport<'_>) -> Flow {
        if report.step.is_multiple_of(500) {
            let millis = report.seconds * 1e3 / report.step as f64;
            println!(
                "step {:6} {millis:6.1} ms/step loss {:.3} {:.3?}",
                report.step, report.loss, report.parts
            );
        }
        Flow::Continue
    }

    fn validation(&mut self, report: &ValidationReport) {
        println!("{report:.4?}");
    }

    fn note(&mut self, text: &str) {
        println!("{:.1} s: {text}", self.start.elapsed().as_secs_f64());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let minutes = std::env::args()
        .skip(1)
        .find_map(|a| a.parse().ok())
        .unwrap_or(0.5);
    let folder = tempfile::tempdir()?;
    let start = Instant::now();
    support::record(&folder.path().join("data"), 400, 6);
    println!("painted in {:.1} s", start.elapsed().as_secs_f64());
    let base = support::config(folder.path(), 1);
    let steps = std::env::var("STEPS")
        .ok()
        .and_then(|steps| steps.parse().ok());
    let budget = Budget {
        minutes: if steps.is_none() { Some(minutes) } else { None },
        steps,
        checkpoint_minutes: 1e4,
        validate_every: 1000,
    };
    let config = TrainConfig {
        batch: Default::default(),
        optimizer: Default::default(),
        budget,
        ..base
    };
    train(
        &config,
        &mut Print {
            start: Instant::now(),
        },
    )?;
    if let Some(kept) = std::env::args().skip(1).find(|a| a.ends_with(".png")) {
        std::fs::copy(config.work.join("loss.png"), kept)?;
    }
    Ok(())
}
