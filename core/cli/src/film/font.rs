//! A small bitmap font, 5 × 7 pixels a letter, for captions in animations.
//!
//! A glyph is seven rows from top to bottom, each a digit of base 32 whose five
//! bits are the row's pixels, the highest bit left. A font file would bring a
//! dependency and a licence for a strip of text.

/// Columns of a glyph.
pub(crate) const GLYPH_WIDTH: usize = 5;
/// Rows of a glyph.
pub(crate) const GLYPH_HEIGHT: usize = 7;
/// Columns from one letter to the next.
pub(crate) const ADVANCE: usize = GLYPH_WIDTH + 1;

/// A letter without a drawing.
const UNKNOWN: &str = "vhhhhhv";

/// Letters and their drawings, `letter` then seven digits.
const GLYPHS: &[&str] = &[
    " 0000000",
    "Aehhvhhh",
    "Buhhuhhu",
    "Cehggghe",
    "Duhhhhhu",
    "Evgguggv",
    "Fvgguggg",
    "Gehgnhhf",
    "Hhhhvhhh",
    "Ie44444e",
    "J72222ic",
    "Khikokih",
    "Lggggggv",
    "Mhrllhhh",
    "Nhhpljhh",
    "Oehhhhhe",
    "Puhhuggg",
    "Qehhhlid",
    "Ruhhukih",
    "Sfgge11u",
    "Tv444444",
    "Uhhhhhhe",
    "Vhhhhha4",
    "Whhhllla",
    "Xhha4ahh",
    "Yhhha444",
    "Zv1248gv",
    "a00e1fhf",
    "bggmphhu",
    "c00egghe",
    "d11djhhf",
    "e00ehvge",
    "f698s888",
    "g0fhhf1e",
    "hggmphhh",
    "i40c444e",
    "j20622ic",
    "kggikoki",
    "lc44444e",
    "m00qllhh",
    "n00mphhh",
    "o00ehhhe",
    "p00uhugg",
    "q00djf11",
    "r00mpggg",
    "s00ege1u",
    "t88s8896",
    "u00hhhjd",
    "v00hhha4",
    "w00hhlla",
    "x00ha4ah",
    "y00hhf1e",
    "z00v248v",
    "0ehjlphe",
    "14c4444e",
    "2eh1248v",
    "3v2421he",
    "426aiv22",
    "5vgu11he",
    "668guhhe",
    "7v124888",
    "8ehhehhe",
    "9ehhf12c",
    ".00000cc",
    ",0000c48",
    "!4444404",
    "?eh12404",
    ":0cc0cc0",
    ";0cc0c48",
    "'c480000",
    "\"aaa0000",
    "-000v000",
    "–000v000",
    "+044v440",
    "/01248g0",
    "(2488842",
    ")8422248",
    "%op248j3",
    "_000000v",
    "=00v0v00",
    "#aavavaa",
    "<248g842",
    ">8421248",
    "·0004000",
    "→042v240",
    "✓0012k80",
    "…000000l",
];

/// The seven rows of a letter's drawing; bit 4 is the left pixel.
pub(crate) fn glyph(letter: char) -> [u8; GLYPH_HEIGHT] {
    let drawing = GLYPHS
        .iter()
        .find_map(|entry| entry.strip_prefix(letter))
        .unwrap_or(UNKNOWN);
    let mut rows = [0; GLYPH_HEIGHT];
    for (row, digit) in rows.iter_mut().zip(drawing.chars()) {
        *row = digit
            .to_digit(32)
            .and_then(|value| u8::try_from(value).ok())
            .unwrap_or(0);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_glyph_has_seven_rows_and_is_drawn_once() {
        for (index, entry) in GLYPHS.iter().enumerate() {
            assert_eq!(entry.chars().count(), 1 + GLYPH_HEIGHT, "{entry}");
            assert!(
                entry.chars().skip(1).all(|digit| digit.is_digit(32)),
                "{entry}"
            );
            let letter = entry.chars().next().unwrap();
            assert!(
                GLYPHS[..index]
                    .iter()
                    .all(|other| !other.starts_with(letter)),
                "{entry}"
            );
        }
        for letter in ('a'..='z').chain('A'..='Z').chain('0'..='9') {
            assert_ne!(glyph(letter), glyph('\u{1}'), "{letter}");
        }
        assert_eq!(glyph('T'), [0b11111, 4, 4, 4, 4, 4, 4]);
    }
}
