//! Quantities that a question asks for, and whether a passage names one.
//!
//! "How wide …?" is answered by a length and by nothing else; a passage about the
//! right thing without a number of that kind is no answer.

use crate::words::Word;

/// Kinds of quantities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    Length,
    Time,
    /// "How long" may be either.
    LengthOrTime,
    Mass,
    /// "How quickly does it stop" is a time, "how quickly does it move" a speed.
    SpeedOrTime,
    Force,
    Frequency,
    /// How old something is.
    Age,
    /// Any number.
    Count,
}

/// How well a passage names a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// There is no number.
    Nothing,
    /// A number without a fitting unit.
    Number,
    /// A number with a fitting unit.
    Fitting,
}

const ADJECTIVES: &[(&str, Quantity)] = &[
    ("long", Quantity::LengthOrTime),
    ("far", Quantity::Length),
    ("wide", Quantity::Length),
    ("high", Quantity::Length),
    ("tall", Quantity::Length),
    ("deep", Quantity::Length),
    ("thick", Quantity::Length),
    ("big", Quantity::Length),
    ("large", Quantity::Length),
    ("small", Quantity::Length),
    ("close", Quantity::Length),
    ("near", Quantity::Length),
    ("heavy", Quantity::Mass),
    ("fast", Quantity::SpeedOrTime),
    ("quick", Quantity::SpeedOrTime),
    ("quickly", Quantity::SpeedOrTime),
    ("slow", Quantity::SpeedOrTime),
    ("slowly", Quantity::SpeedOrTime),
    ("soon", Quantity::Time),
    ("strong", Quantity::Force),
    ("strongly", Quantity::Force),
    ("hard", Quantity::Force),
    ("tight", Quantity::Force),
    ("tightly", Quantity::Force),
    ("firmly", Quantity::Force),
    ("often", Quantity::Frequency),
    ("frequently", Quantity::Frequency),
    ("old", Quantity::Age),
    ("many", Quantity::Count),
    ("much", Quantity::Count),
];

const LENGTHS: &[&str] = &[
    "mm",
    "cm",
    "m",
    "km",
    "metre",
    "metres",
    "meter",
    "meters",
    "centimetre",
    "centimetres",
    "centimeter",
    "centimeters",
    "millimetre",
    "millimetres",
    "inch",
    "inches",
    "pixel",
    "pixels",
];
const TIMES: &[&str] = &[
    "ms",
    "s",
    "second",
    "seconds",
    "minute",
    "minutes",
    "hour",
    "hours",
    "day",
    "days",
    "millisecond",
    "milliseconds",
];
const MASSES: &[&str] = &[
    "g",
    "kg",
    "gram",
    "grams",
    "kilogram",
    "kilograms",
    "kilo",
    "kilos",
    "pound",
    "pounds",
];
const FORCES: &[&str] = &["n", "newton", "newtons"];
const ANGLES: &[&str] = &["radian", "radians", "rad", "degree", "degrees"];
const PER_SECOND: &[&str] = &["second", "s"];
const NUMBERS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "twenty", "hundred", "thousand", "twice", "once", "no",
];

/// The quantity that a question asks for with "how …", and the word for it.
pub(crate) fn asked(words: &[Word]) -> Option<(Quantity, &Word)> {
    words.windows(2).find_map(|pair| {
        let [how, adjective] = pair else { return None };
        let known = ADJECTIVES
            .iter()
            .find(|(word, _)| *word == adjective.written);
        let (_, quantity) = known.filter(|_| how.written == "how")?;
        Some((*quantity, adjective))
    })
}

/// How well a passage names a quantity of this kind.
pub(crate) fn named(quantity: Quantity, words: &[Word]) -> Named {
    let mut best = Named::Nothing;
    for (at, word) in words.iter().enumerate() {
        let is_digits = word
            .written
            .starts_with(|letter: char| letter.is_ascii_digit());
        if !is_digits && !NUMBERS.contains(&word.written.as_str()) {
            continue;
        }
        // "2.175 radians a second" are four words after the first digits.
        let after: Vec<&str> = words
            .iter()
            .skip(at + 1)
            .take(5)
            .map(|word| word.written.as_str())
            .collect();
        let fits = fits(quantity, &after);
        best = best.max(if fits { Named::Fitting } else { Named::Number });
    }
    best
}

fn fits(quantity: Quantity, after: &[&str]) -> bool {
    let has =
        |list: &[&str], within: usize| after.iter().take(within).any(|word| list.contains(word));
    let speed = (has(LENGTHS, 3) || has(ANGLES, 3)) && has(PER_SECOND, 5);
    match quantity {
        Quantity::Count => true,
        Quantity::Length => has(LENGTHS, 4),
        Quantity::Time => has(TIMES, 3),
        Quantity::LengthOrTime => has(LENGTHS, 4) || has(TIMES, 3),
        Quantity::Mass => has(MASSES, 3),
        Quantity::Force => has(FORCES, 3),
        Quantity::SpeedOrTime => speed || has(TIMES, 3),
        Quantity::Age => has(&["year", "years", "month", "months"], 3),
        Quantity::Frequency => has(&["times", "hz", "pictures", "rows"], 2) || has(PER_SECOND, 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Words;

    #[test]
    fn quantities_are_recognised_with_their_units() {
        let words = Words::new();
        for (question, text, expected) in [
            (
                "how wide does it open?",
                "It opens 80 mm.",
                Some(Named::Fitting),
            ),
            ("how heavy is it?", "It opens 80 mm.", Some(Named::Number)),
            (
                "how heavy is it?",
                "Each weighs 60 g.",
                Some(Named::Fitting),
            ),
            (
                "how fast is it?",
                "up to 2.175 radians a second",
                Some(Named::Fitting),
            ),
            (
                "how long does it take?",
                "It stands still.",
                Some(Named::Nothing),
            ),
            (
                "how many cameras are there?",
                "There are three cameras.",
                Some(Named::Fitting),
            ),
            ("how do I stop it?", "Press 1.", None),
        ] {
            let asked =
                asked(&words.of(question)).map(|(quantity, _)| named(quantity, &words.of(text)));
            assert_eq!(asked, expected, "{question} {text}");
        }
    }
}
