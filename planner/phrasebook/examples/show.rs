//! Prints sentences with their meaning: `cargo run --example show -- 40`.

use vola_phrasebook::{Sampler, Split};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args()
        .nth(1)
        .unwrap_or_default()
        .parse()
        .unwrap_or(40);
    let sampler = Sampler::new(Split::Train)?;
    let mut rng = fastrand::Rng::with_seed(std::process::id().into());
    for _ in 0..count {
        let sample = sampler.draw(&mut rng);
        println!(
            "{}\t{}\t{}",
            sample.language.tag(),
            sample.sentence,
            sample.meaning
        );
    }
    Ok(())
}
