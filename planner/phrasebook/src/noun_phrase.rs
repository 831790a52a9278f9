//! Drawing noun phrases: what they mean and how they are said.

use fastrand::Rng;
use vola_types::COLORS;

use crate::book::{Book, Manner, Section};
use crate::inflection::{Form, Noun, adjective, agree, place};
use crate::realise::{Value, pick, weighted};
use crate::template::{Piece, base};

/// The nine regions and "some corner", as the compact language has them.
pub(crate) const REGIONS: [&str; 10] = [
    "top-left",
    "top",
    "top-right",
    "left",
    "middle",
    "right",
    "bottom-left",
    "bottom",
    "bottom-right",
    "corner",
];

/// English number words up to twenty, and round ones.
pub(crate) const SECONDS: [(&str, &str); 16] = [
    ("1", "one"),
    ("2", "two"),
    ("3", "three"),
    ("4", "four"),
    ("5", "five"),
    ("6", "six"),
    ("7", "seven"),
    ("8", "eight"),
    ("9", "nine"),
    ("10", "ten"),
    ("12", "twelve"),
    ("15", "fifteen"),
    ("20", "twenty"),
    ("30", "thirty"),
    ("45", "forty five"),
    ("60", "sixty"),
];

/// Part of the words and noun phrases of practice that are the first of their
/// list, the plain ones.
const PLAIN: f32 = 0.35;

/// Draws the phrase for a slot. `simple` phrases have no phrases inside.
pub(crate) fn draw(book: &Book, slot: &str, simple: bool, rng: &mut Rng) -> Value {
    let role = slot.trim_end_matches(|c: char| c.is_ascii_digit());
    // One of several in a list is a phrase without lists of its own.
    let is_listed = role.len() < slot.len() && role == "o";
    match role {
        "r" => {
            let name = REGIONS[rng.usize(..REGIONS.len())];
            let line = word(book, name, rng);
            Value {
                meaning: name.to_owned(),
                direct: place(&line, false).to_owned(),
                oblique: place(&line, true).to_owned(),
            }
        }
        "n" => {
            let (digits, spoken) = SECONDS[rng.usize(..SECONDS.len())];
            let is_english = book.list("red").first().is_some_and(|word| word == "red");
            let said = if is_english && rng.bool() {
                spoken
            } else {
                digits
            };
            Value::plain(digits, said)
        }
        "x" => {
            let noun = Noun::read(&word(book, "foreign", rng));
            let said = |is_oblique| {
                noun.form(Form {
                    is_oblique,
                    ..Form::default()
                })
                .to_owned()
            };
            Value {
                meaning: String::new(),
                direct: said(false),
                oblique: said(true),
            }
        }
        "c" => Value::plain(COLORS[rng.usize(..COLORS.len())], ""),
        "o" if is_listed => noun_phrase(book, "s", simple, rng),
        _ => noun_phrase(book, role, simple, rng),
    }
}

fn word(book: &Book, list: &str, rng: &mut Rng) -> String {
    let words = book.list(list);
    // The plain word comes first, and most often.
    let plain = COLORS.contains(&list) || list == "block" || list == "bowl";
    if book.manner == Manner::Practice && list != "foreign" && rng.f32() < PLAIN {
        return words[0].clone();
    }
    if plain && rng.f32() < 0.6 {
        return words[rng.usize(..words.len().min(2))].clone();
    }
    pick(&words, rng).cloned().unwrap_or_default()
}

fn noun_phrase(book: &Book, role: &str, simple: bool, rng: &mut Rng) -> Value {
    let kind = match role {
        "t" => {
            if rng.f32() < 0.2 {
                "drawer"
            } else {
                "bowl"
            }
        }
        "w" => "bowl",
        "d" => "drawer",
        "p" if rng.f32() < 0.5 => "bowl",
        _ => "block",
    };
    let weight = |section: &&Section| share(section, role, kind, simple);
    let Some(section) = weighted(&book.nouns, weight, rng) else {
        return Value::plain(kind, kind);
    };
    say(book, section, kind, rng)
}

/// How often a section is drawn for a role: by what kind of phrase it is.
fn share(section: &Section, role: &str, kind: &str, simple: bool) -> f32 {
    let meaning = section.meaning.as_str();
    let first = meaning.split(' ').next().unwrap_or_default();
    let is_list = meaning.contains(" + ");
    let is_many = is_list
        || ["all", "both", "some", "them"].contains(&first)
        || first.starts_with(|c: char| c == '=' || ('2'..='9').contains(&c))
            && !first.contains('n')
            && !first.contains('r')
            && !first.contains('t');
    if is_many != (role == "g") {
        return 0.0;
    }
    if meaning.contains(" | ") && role != "o" {
        return 0.0;
    }
    let nests = section
        .slots()
        .iter()
        .any(|slot| !(slot == "k" || is_color(slot)));
    if simple && nests {
        return 0.0;
    }
    if kind == "drawer" {
        return f32::from(u8::from(meaning == "{k}"));
    }
    let named = |word: &str| {
        meaning
            .split([' ', '[', ']', '(', ')'])
            .any(|part| part == word)
    };
    if meaning == "matching bowl" {
        return if role == "t" && !simple { 2.0 } else { 0.0 };
    }
    if meaning == "it" || meaning == "them" || meaning == "other one" || meaning == "all other one"
    {
        return 0.0;
    }
    if (named("thing") || named("held")) && (kind != "block" || role == "s" || role == "p") {
        return 0.0;
    }
    // A section of a kind of its own is for nothing else.
    let own = meaning.split(['[', '(']).next().unwrap_or_default();
    let says = |word: &str| own.split(' ').any(|part| part == word);
    if says("bowl") && kind != "bowl" || says("block") && kind != "block" {
        return 0.0;
    }
    // A block is not "empty"; what is held is no landmark.
    if (named("empty") || named("full")) && kind == "block" {
        return 0.0;
    }
    if kind == "bowl" && (meaning.contains("[in") || meaning.contains("[on") || named("highest")) {
        return 0.0;
    }
    let base = match meaning {
        "{c} {k}" => 150.0,
        "{k}" => 9.0,
        "{c} one" => 9.0,
        "a {c} {k}" | "a {k}" => 5.0,
        "{c} thing" => 1.0,
        "all {c} {k}" | "all {k}" => 25.0,
        "both {k}" | "both {c} {k}" => 9.0,
        "{c} {k} + {c2} {k}" => 25.0,
        "{c} {k} + {c2} {k} + {c3} {k}" => 22.0,
        "{c} {k} + {c2} {k} + {c3} {k} + {c4} {k}" => 7.0,
        "{c} one + {c2} one" | "{c} one + {c2} one + {c3} one" => 8.0,
        "{c} one + {c2} one + {c3} one + {c4} one" => 3.0,
        "{o1} + {o2}" => 5.0,
        "{o1} + {o2} + {o3}" => 4.0,
        "all thing" => 3.0,
        _ if meaning.contains("-to (") || meaning.contains("-from (") => 1.2,
        _ if meaning.contains("from-") => 0.35,
        _ if meaning.contains('[') || meaning.contains("except") => 1.0,
        _ if named("other") || meaning.contains("not-") || meaning.contains('|') => 0.7,
        _ => 1.0,
    };
    if simple && !["{c} {k}", "{k}", "{c} one"].contains(&meaning) {
        base * 0.3
    } else {
        base
    }
}

/// Whether a slot is a colour: `c`, `c2`, `c3`, `c4`.
fn is_color(slot: &str) -> bool {
    slot.strip_prefix('c')
        .is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
}

/// Draws the words of a section.
fn say(book: &Book, section: &Section, kind: &str, rng: &mut Rng) -> Value {
    let is_plain = book.manner == Manner::Practice && rng.f32() < PLAIN;
    let pieces = match section.phrases.first() {
        Some(first) if is_plain => first,
        Some(first) => pick(&section.phrases, rng).unwrap_or(first),
        None => return Value::plain(kind, kind),
    };
    let mut colors: Vec<&str> = COLORS.to_vec();
    rng.shuffle(&mut colors);
    let noun = Noun::read(&word(book, kind, rng));
    let mut values: Vec<(String, Value)> = Vec::new();
    let mut meaning = section.meaning.clone();
    for (index, slot) in section.slots().into_iter().enumerate() {
        let value = match slot.as_str() {
            "k" => Value::plain(kind, ""),
            name if is_color(name) => Value::plain(colors[index], &word(book, colors[index], rng)),
            _ => draw(book, &slot, true, rng),
        };
        meaning = meaning.replace(&format!("{{{slot}}}"), &value.meaning);
        values.push((slot, value));
    }
    let is_plural = pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Slot { name, .. } if name == "ks"));
    let in_form = |is_oblique: bool| {
        let form = Form {
            is_plural,
            is_oblique,
            is_feminine: noun.is_feminine,
        };
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(words) => text.push_str(words),
                Piece::Agreeing(forms) => text.push_str(agree(forms, form)),
                Piece::Slot { name, is_oblique } => match name.as_str() {
                    "k" | "ks" => text.push_str(noun.form(Form {
                        is_plural: name == "ks",
                        ..form
                    })),
                    name if is_color(name) => {
                        let said = values.iter().find(|(slot, _)| slot == name);
                        let line = said.map_or("", |(_, value)| value.direct.as_str());
                        text.push_str(agree(&adjective(line), form));
                    }
                    _ => {
                        let said = values.iter().find(|(slot, _)| slot == base(name));
                        text.push_str(said.map_or("", |(_, value)| value.form(*is_oblique)));
                    }
                },
            }
        }
        text
    };
    Value {
        meaning,
        direct: in_form(false),
        oblique: in_form(true),
    }
}
