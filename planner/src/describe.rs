//! Words for objects and lists of objects, for people.

use vola_types::{ON_GRIPPER, ON_TABLE, Region, Scene, SceneObject, object_phrase};

/// Labels that tell objects apart: "the red block on the left (red_block_1)".
/// The words used are the first that differ: colour and kind, what it lies in
/// or on, then its place among the others.
#[must_use]
pub fn labels(ids: &[String], scene: &Scene) -> Vec<String> {
    let objects: Vec<Option<&SceneObject>> = ids.iter().map(|id| scene.object(id)).collect();
    ids.iter()
        .zip(&objects)
        .map(|(id, object)| match object {
            Some(object) => {
                let rivals: Vec<&SceneObject> = objects
                    .iter()
                    .flatten()
                    .copied()
                    .filter(|other| other.noun() == object.noun())
                    .collect();
                format!(
                    "{}{} ({id})",
                    object_phrase(id, scene),
                    place_words(object, &rivals, scene)
                )
            }
            None => object_phrase(id, scene),
        })
        .collect()
}

/// What tells one of several like objects apart, with a leading space.
fn place_words(object: &SceneObject, rivals: &[&SceneObject], scene: &Scene) -> String {
    if rivals.len() < 2 {
        return String::new();
    }
    let alike = |other: &&&SceneObject| other.on == object.on;
    if rivals.iter().filter(alike).count() == 1 {
        return match object.on.as_deref() {
            Some(ON_GRIPPER) => " in my gripper".to_owned(),
            Some(on) if scene.object(on).is_some() => format!(" {}", support_words(object, scene)),
            _ => " on the table".to_owned(),
        };
    }
    let mut order: Vec<(&str, [f64; 3])> = rivals
        .iter()
        .filter_map(|other| Some((other.id.as_str(), other.position?)))
        .collect();
    let spread = |axis: usize| {
        let values = order.iter().map(|(_, p)| p[axis]);
        values.clone().fold(f64::MIN, f64::max) - values.fold(f64::MAX, f64::min)
    };
    // Sideways words unless the objects stand one behind the other.
    let (axis, first, last) = if spread(1) + 0.02 >= spread(0) {
        (1, "on the left", "on the right")
    } else {
        (0, "farther away", "nearer to me")
    };
    order.sort_by(|a, b| b.1[axis].total_cmp(&a.1[axis]));
    let Some(place) = order.iter().position(|(id, _)| *id == object.id) else {
        return String::new();
    };
    match (place, order.len()) {
        (0, _) => format!(" {first}"),
        (n, len) if n + 1 == len => format!(" {last}"),
        (1, 3) => " in the middle".to_owned(),
        (n, _) => format!(", number {} from the left", n + 1),
    }
}

/// "in the blue bowl", "on the red block", "on the table".
#[must_use]
pub fn support_words(object: &SceneObject, scene: &Scene) -> String {
    match object.on.as_deref() {
        Some(ON_GRIPPER) => "in my gripper".to_owned(),
        Some(ON_TABLE) | None => match object.position.and_then(|[x, y, _]| Region::at(x, y)) {
            Some(Region::Middle) => "in the middle of the table".to_owned(),
            Some(region) => format!("on the table, in the {}", region.name()),
            None => "on the table".to_owned(),
        },
        Some(on) => match scene.object(on) {
            Some(below) if below.kind == "block" => format!("on {}", object_phrase(on, scene)),
            Some(_) => format!("in {}", object_phrase(on, scene)),
            None => format!("in the {on}"),
        },
    }
}

/// "a red block, two blue bowls and a drawer"; "nothing" for none.
#[must_use]
pub fn inventory(scene: &Scene) -> String {
    let mut nouns: Vec<(String, usize)> = Vec::new();
    for object in &scene.objects {
        let noun = object.noun();
        match nouns.iter_mut().find(|(known, _)| *known == noun) {
            Some((_, count)) => *count += 1,
            None => nouns.push((noun, 1)),
        }
    }
    let parts: Vec<String> = nouns
        .into_iter()
        .map(|(noun, count)| counted(&noun, count))
        .collect();
    if parts.is_empty() {
        return "nothing".to_owned();
    }
    and_list(&parts)
}

/// "a red block", "an orange bowl", "two blocks", "12 blocks".
#[must_use]
pub fn counted(noun: &str, count: usize) -> String {
    const WORDS: [&str; 9] = [
        "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ];
    match count {
        0 => format!("no {noun}"),
        1 if noun.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {noun}"),
        1 => format!("a {noun}"),
        n => match WORDS.get(n - 2) {
            Some(word) => format!("{word} {}", plural(noun)),
            None => format!("{n} {}", plural(noun)),
        },
    }
}

/// "blocks", "boxes".
#[must_use]
pub fn plural(noun: &str) -> String {
    if noun.ends_with(['s', 'x']) || noun.ends_with("sh") || noun.ends_with("ch") {
        format!("{noun}es")
    } else {
        format!("{noun}s")
    }
}

/// "a", "a and b", "a, b and c".
#[must_use]
pub fn and_list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// "the red block and the green block".
#[must_use]
pub fn phrases(ids: &[String], scene: &Scene) -> String {
    let parts: Vec<String> = ids.iter().map(|id| object_phrase(id, scene)).collect();
    and_list(&parts)
}

/// First letter in upper case.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
