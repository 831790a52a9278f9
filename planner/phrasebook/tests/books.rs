//! Every phrase of the books has a meaning that the planner reads.

use std::collections::BTreeMap;

use vola_phrasebook::{Class, Sampler, Split};
use vola_planner::compact;

#[test]
fn every_sentence_that_is_drawn_means_something() {
    for split in [
        Split::Train,
        Split::HeldOut,
        Split::Calibration,
        Split::Validation,
    ] {
        let sampler = Sampler::new(split).unwrap();
        let mut rng = fastrand::Rng::with_seed(1);
        let mut classes: BTreeMap<Class, usize> = BTreeMap::new();
        for _ in 0..20_000 {
            let sample = sampler.draw(&mut rng);
            if let Err(error) = compact::check(&sample.meaning, &[]) {
                panic!("`{}` ({}): {error}", sample.meaning, sample.sentence);
            }
            assert!(!sample.sentence.contains(['{', '}']), "{}", sample.sentence);
            *classes.entry(sample.class).or_default() += 1;
        }
        assert_eq!(classes.len(), 9, "{classes:?}");
    }
}

#[test]
fn sentences_are_a_function_of_the_seed() {
    let sampler = Sampler::new(Split::Train).unwrap();
    let draw = |seed| sampler.draw(&mut fastrand::Rng::with_seed(seed));
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
}
