//! Whatever the phrase book means can be written under the grammar.

use std::collections::BTreeSet;

use vola_language_model::accepts;
use vola_phrasebook::{Sampler, Split};
use vola_planner::{Capabilities, compact};
use vola_types::Scene;

#[test]
fn every_meaning_can_be_decoded_and_nothing_else() {
    let grammar = compact::grammar(&Scene::default(), &Capabilities::default());
    let sampler = Sampler::new(Split::Train).unwrap();
    let mut rng = fastrand::Rng::with_seed(3);
    let mut meanings = BTreeSet::new();
    while meanings.len() < 4000 {
        meanings.insert(sampler.draw(&mut rng).meaning);
    }
    let lines: Vec<String> = meanings.into_iter().collect();
    let refused: Vec<&String> = lines
        .iter()
        .zip(accepts(&grammar, &lines).unwrap())
        .filter(|(_, is_accepted)| !is_accepted)
        .map(|(line, _)| line)
        .collect();
    let shown: Vec<_> = refused.iter().take(20).collect();
    assert!(refused.is_empty(), "{} of 4000: {shown:#?}", refused.len());
    let wrong = [
        "do fly",
        "do take red apple",
        "hello",
        "do take red_block",
        "take block",
    ];
    let wrong = wrong.map(str::to_owned);
    let accepted = accepts(&grammar, &wrong).unwrap();
    assert!(
        accepted.iter().all(|is_accepted| !is_accepted),
        "{accepted:?}"
    );
}
