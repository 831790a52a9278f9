//! How well a score tells episodes that fail from those that go well.

use crate::probability::Scored;

/// The area under the receiver operating characteristic: the chance that a
/// failed episode has the greater score than one that went well, ties counting
/// half. None where only one kind is there.
#[must_use]
pub fn auroc(scored: &[Scored]) -> Option<f64> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let failed = sorted.iter().filter(|(_, failed)| *failed).count() as f64;
    let went_well = sorted.len() as f64 - failed;
    if failed < 1.0 || went_well < 1.0 {
        return None;
    }
    // Sum of the mean ranks of the failed ones.
    let (mut rank_sum, mut start) = (0.0, 0);
    while let Some((score, _)) = sorted.get(start) {
        let rest = sorted.get(start..).unwrap_or_default();
        let ties = rest
            .iter()
            .take_while(|one| one.0.total_cmp(score).is_eq())
            .count();
        let tied_failures = rest.iter().take(ties).filter(|one| one.1).count() as f64;
        rank_sum += tied_failures * (start as f64 + 0.5 * (ties as f64 + 1.0));
        start += ties;
    }
    Some((rank_sum - 0.5 * failed * (failed + 1.0)) / (failed * went_well))
}

/// The mean of the shares of failed episodes that were found and of good ones
/// that were left alone. None where only one kind is there.
#[must_use]
pub fn balanced_accuracy(found: &[(bool, bool)]) -> Option<f64> {
    let count = |alarm: bool, failed: bool| {
        found.iter().filter(|one| **one == (alarm, failed)).count() as f64
    };
    let (failed, went_well) = (
        count(true, true) + count(false, true),
        count(true, false) + count(false, false),
    );
    (failed > 0.0 && went_well > 0.0)
        .then(|| 0.5 * (count(true, true) / failed + count(false, false) / went_well))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_those_of_counting_pairs() {
        let data = [
            (0.1, false),
            (0.4, true),
            (0.35, false),
            (0.8, true),
            (0.4, false),
        ];
        // Of six pairs: five won, one tied.
        assert!((auroc(&data).unwrap() - 5.5 / 6.0).abs() < 1e-12);
        assert!((auroc(&[(1.0, true), (1.0, false)]).unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(auroc(&[(1.0, true)]), None);
        let infinite = [(f64::INFINITY, true), (0.0, false)];
        assert!((auroc(&infinite).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn accuracy_is_balanced() {
        let data = [
            (true, true),
            (false, true),
            (false, false),
            (false, false),
            (true, false),
            (false, false),
        ];
        assert!((balanced_accuracy(&data).unwrap() - 0.5 * (0.5 + 0.75)).abs() < 1e-12);
        assert_eq!(balanced_accuracy(&[(true, true)]), None);
    }
}
