//! Prints sentences with their meaning: `cargo run --example show -- 40`; with
//! `held-out`, exercises of the held-out book.

use vola_phrasebook::{Sampler, Split, exercise};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args()
        .nth(1)
        .unwrap_or_default()
        .parse()
        .unwrap_or(40);
    let mut rng = fastrand::Rng::with_seed(std::process::id().into());
    if std::env::args().nth(2).as_deref() == Some("held-out") {
        let sampler = Sampler::new(Split::HeldOut)?;
        for _ in 0..count {
            let one = exercise(&sampler, &mut rng);
            println!(
                "{}\t{}\t{}\t{}",
                one.class, one.sample.sentence, one.sample.meaning, one.expected.say
            );
        }
        return Ok(());
    }
    let sampler = Sampler::new(Split::Train)?;
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
