//! Conditions that the scene answers: "if the drawer is closed, open it", "if there is
//! anything in the green bowl, take it out". What holds is done, what does not hold is
//! said; where the scene leaves it open the sentence stays a doubtful one.

use vola_types::{Scene, SceneObject};

use super::cursor::Cursor;
use super::ground::{Grounder, Role};
use super::parse::{self, Vocabulary};
use super::syntax::{Head, NounPhrase, PlaceRef, Prep, PrepKind, Quantity};
use super::token::{Token, tokenize};
use super::trouble::Choices;
use super::{lexicon, typo};
use crate::request::{Dialogue, MAX_SENTENCE_BYTES, PlanRequest};

/// What the scene says to the condition of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// It is so: what is to be done, and the objects that were spoken of.
    Holds { command: String, about: Vec<String> },
    /// It is not so: what is said to that.
    Fails(String),
}

/// What a condition begins with.
const IF: [&str; 3] = ["if", "agar", "اگر"];

/// What else is to be done when it is not so, or a second condition.
const MORE: [&str; 11] = [
    "if",
    "unless",
    "else",
    "otherwise",
    "until",
    "when",
    "agar",
    "warna",
    "اگر",
    "ورنہ",
    "nahi",
];

/// Looks a sentence's condition up in the scene; none where there is no condition at
/// its beginning or the scene does not tell.
pub(super) fn settled(sentence: &str, scene: &Scene) -> Option<Condition> {
    if sentence.len() > MAX_SENTENCE_BYTES {
        return None;
    }
    let mut tokens = tokenize(sentence);
    if !tokens.iter().any(|token| IF.contains(&token.text.as_str())) {
        return None;
    }
    let vocabulary = Vocabulary::of(scene);
    // The drawer is the only thing that is open or closed in Urdu here.
    if let Some(condition) = in_urdu(&tokens, scene) {
        return Some(condition);
    }
    typo::repair(&mut tokens, &vocabulary.words());
    let begun = tokens.iter().position(|token| {
        let word = token.text.as_str();
        !(token.is_punctuation() || lexicon::is_opener(word) || lexicon::is_filler(word))
    })?;
    let words = tokens.get(begun..)?;
    let mut cursor = Cursor::new(words);
    if !cursor.eat("if") {
        return None;
    }
    let said = cursor.at;
    let looked_up = looked_up(&mut cursor, scene, &vocabulary)?;
    let told = cursor.text_from(said);
    let is_divided = cursor.eat(",");
    let is_divided = cursor.eat("then") || is_divided;
    while cursor.eat_any(&[",", "please"]) {}
    if !is_divided && !vocabulary.starts_clause(&cursor) {
        return None;
    }
    let rest = words.get(cursor.at..)?;
    answered(looked_up, &told, rest, scene)
}

/// Whether a condition holds, and of which objects.
struct LookedUp {
    holds: bool,
    about: Vec<String>,
}

fn answered(found: LookedUp, told: &str, rest: &[Token], scene: &Scene) -> Option<Condition> {
    let is_more = |token: &Token| MORE.contains(&token.text.as_str());
    if rest.is_empty() || rest.iter().any(is_more) {
        return None;
    }
    if !found.holds {
        return Some(Condition::Fails(format!(
            "It is not so that {told}, so I leave everything as it is."
        )));
    }
    // "It" is what is in the hand before it is anything else.
    let held = scene.gripper.holding.as_ref();
    let is_clear = held.is_none_or(|id| found.about.contains(id));
    let says_it = rest.iter().any(|token| token.text == "it");
    if says_it && (!is_clear || found.about.len() > 1) {
        return None;
    }
    let words: Vec<&str> = rest.iter().map(|token| token.text.as_str()).collect();
    Some(Condition::Holds {
        command: words.join(" "),
        about: found.about,
    })
}

fn looked_up(cursor: &mut Cursor<'_>, scene: &Scene, vocabulary: &Vocabulary) -> Option<LookedUp> {
    let look = Look::new(scene);
    if cursor.eat_phrase(&[&["there", "is"], &["there", "are"]]) {
        cursor.eat_any(&["still", "already"]);
        let is_denied = cursor.eat_any(&["nothing", "no", "not"]);
        let phrase = match parse::noun_phrase(cursor, vocabulary) {
            Some(phrase) => phrase,
            None if is_denied => NounPhrase::new(cursor.at, Head::Anything),
            None => return None,
        };
        let place = parse::prep(cursor, vocabulary)?;
        let found = look.things_at(&phrase, &place)?;
        let holds = found.is_empty() == is_denied;
        let about = if is_denied { Vec::new() } else { found };
        return Some(LookedUp { holds, about });
    }
    let phrase = parse::noun_phrase(cursor, vocabulary)?;
    if !cursor.eat_any(&["is", "are"]) {
        return None;
    }
    cursor.eat_any(&["still", "already", "currently"]);
    let is_denied = cursor.eat("not");
    cursor.eat_any(&["still", "already", "currently"]);
    let state = cursor.peek();
    if let Some(is_so) = look.state(&phrase, state) {
        cursor.advance();
        let (id, is_so) = is_so?;
        return Some(LookedUp {
            holds: is_so != is_denied,
            about: vec![id],
        });
    }
    let place = parse::prep(cursor, vocabulary)?;
    let id = look.only(&phrase, Role::Movable)?;
    let found = look.things_at(&phrase, &place)?;
    Some(LookedUp {
        holds: found.contains(&id) != is_denied,
        about: vec![id],
    })
}

/// Looks things up in a scene.
struct Look {
    request: PlanRequest,
    choices: Choices,
    dialogue: Dialogue,
}

impl Look {
    fn new(scene: &Scene) -> Self {
        Self {
            request: PlanRequest::new(String::new(), scene.clone()),
            choices: Choices::new(),
            dialogue: Dialogue::default(),
        }
    }

    fn grounder(&self) -> Grounder<'_> {
        Grounder::over(&self.request, &self.choices, &self.dialogue)
    }

    /// The one object that a phrase names.
    fn only(&self, phrase: &NounPhrase, role: Role) -> Option<String> {
        let mut found = self.grounder().phrase(phrase, &[], role, &[]).ok()?;
        (found.len() == 1).then(|| found.pop()).flatten()
    }

    /// Whether the named thing is in a state; none when the word is no state, and an
    /// inner none when the scene does not tell.
    fn state(&self, phrase: &NounPhrase, word: &str) -> Option<Option<(String, bool)>> {
        let role = match word {
            "open" | "opened" | "closed" | "shut" => Role::Openable,
            "empty" => Role::Container,
            _ => return None,
        };
        let look = || {
            let id = self.only(phrase, role)?;
            let object = self.request.scene.object(&id)?;
            let is_so = match word {
                "open" | "opened" => object.open?,
                "closed" | "shut" => !object.open?,
                _ => {
                    self.can_look_into(object).then_some(())?;
                    self.request.scene.resting_on(&id).next().is_none()
                }
            };
            Some((id, is_so))
        };
        Some(look())
    }

    /// What is hidden in a closed drawer cannot be told.
    fn can_look_into(&self, object: &SceneObject) -> bool {
        object.open != Some(false)
    }

    /// The things of this description at a place; none when the place is not known
    /// or cannot be seen into.
    fn things_at(&self, phrase: &NounPhrase, place: &Prep) -> Option<Vec<String>> {
        let PlaceRef::Object(landmark) = &place.place else {
            return None;
        };
        let role = match place.kind {
            PrepKind::In => Role::Container,
            PrepKind::On => Role::Landmark,
            _ => return None,
        };
        let landmark = self.only(landmark, role)?;
        let object = self.request.scene.object(&landmark)?;
        if !self.can_look_into(object) || phrase.other {
            return None;
        }
        let mut every = phrase.clone();
        every.quantity = Quantity::All;
        every.plural = true;
        let fitting = self.grounder().phrase(&every, &[], Role::Movable, &[]);
        let on = |id: &String| {
            let object = self.request.scene.object(id);
            object.is_some_and(|it| it.on.as_deref() == Some(landmark.as_str()))
        };
        Some(fitting.unwrap_or_default().into_iter().filter(on).collect())
    }
}

/// "agar daraz band hai to khol dein", "اگر دراز بند ہے تو کھول دیں".
fn in_urdu(tokens: &[Token], scene: &Scene) -> Option<Condition> {
    const DRAWER: [&str; 7] = [
        "daraz",
        "daraaz",
        "draaz",
        "draz",
        "drawer",
        "دراز",
        "درازہ",
    ];
    const OPEN: [&str; 9] = [
        "khula",
        "khuli",
        "khuly",
        "khulli",
        "open",
        "کھلا",
        "کھلی",
        "کھولی",
        "اوپن",
    ];
    const CLOSED: [&str; 4] = ["band", "bnd", "closed", "بند"];
    const BEFORE_STATE: [&str; 6] = ["abhi", "ki", "ye", "ابھی", "یہ", "mez"];
    const AFTER_STATE: [&str; 11] = [
        "hai", "he", "hay", "ho", "hui", "hua", "huwi", "ہے", "ہو", "ہوئی", "ہوا",
    ];
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let start = words
        .iter()
        .position(|word| matches!(*word, "agar" | "اگر"))?;
    let split = words
        .iter()
        .position(|word| matches!(*word, "to" | "tou" | "تو"))?;
    let told = words.get(start + 1..split)?;
    if start > 1 {
        return None;
    }
    let (mut is_named, mut state) = (false, None);
    for word in told {
        if DRAWER.contains(word) {
            is_named = true;
        } else if OPEN.contains(word) {
            state = Some(true);
        } else if CLOSED.contains(word) {
            state = Some(false);
        } else if !BEFORE_STATE.contains(word) && !AFTER_STATE.contains(word) {
            return None;
        }
    }
    let mut drawers = scene.objects.iter().filter(|it| it.open.is_some());
    let (Some(drawer), None, true) = (drawers.next(), drawers.next(), is_named) else {
        return None;
    };
    let rest = tokens.get(split + 1..)?;
    let is_urdu_script = words.get(start) == Some(&"اگر");
    let is_open = state?;
    let found = LookedUp {
        holds: drawer.open == Some(is_open),
        about: vec![drawer.id.clone()],
    };
    let told = if is_open {
        "the drawer is open"
    } else {
        "the drawer is closed"
    };
    let mut condition = answered(found, told, rest, scene)?;
    if let Condition::Holds { command, .. } = &mut condition {
        let is_said_again = |word: &str| DRAWER.contains(&word) || BY_PRONOUN.contains(&word);
        let names_other = command.split(' ').count() > 3;
        if !names_other && !command.split(' ').any(is_said_again) {
            let name = if is_urdu_script { "دراز" } else { "daraz" };
            *command = format!("{name} {command}");
        }
    }
    Some(condition)
}

/// What stands for a thing in Urdu.
const BY_PRONOUN: [&str; 8] = ["use", "usay", "usey", "isay", "ise", "us", "اسے", "اس"];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sentence: &str) -> Option<Condition> {
        let scene = Scene::from_json(
            r#"{"objects":[
            {"id":"red_block","kind":"block","color":"red","position":[0.52,0.17,0.04],"on":"blue_bowl"},
            {"id":"green_block","kind":"block","color":"green","position":[0.35,0.15,0.02],"on":"table"},
            {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.52,0.17,0.03],"on":"table"},
            {"id":"pink_bowl","kind":"bowl","color":"pink","position":[0.52,-0.17,0.03],"on":"table"},
            {"id":"drawer","kind":"drawer","open":false}]}"#,
        )
        .unwrap();
        settled(sentence, &scene)
    }

    #[test]
    fn what_the_scene_knows_is_settled() {
        for (sentence, command, about) in [
            ("If the drawer is closed, open it.", "open it .", "drawer"),
            ("if the drawer is shut then open it", "open it", "drawer"),
            ("ok, if the drawer isn't open open it", "open it", "drawer"),
            (
                "if there's something in the blue bowl, take it out",
                "take it out",
                "red_block",
            ),
            (
                "if the red block is in the blue bowl, take it out",
                "take it out",
                "red_block",
            ),
            (
                "if the green block isn't in the blue bowl, put it there",
                "put it there",
                "green_block",
            ),
            (
                "if the pink bowl is empty, put the green block in it",
                "put the green block in it",
                "pink_bowl",
            ),
            (
                "agar daraz band hai to khol dein",
                "daraz khol dein",
                "drawer",
            ),
            (
                "agar daraaz band ho to usay khol do",
                "usay khol do",
                "drawer",
            ),
            ("اگر دراز بند ہے تو کھول دیں", "دراز کھول دیں", "drawer"),
        ] {
            let expected = Condition::Holds {
                command: command.to_owned(),
                about: vec![about.to_owned()],
            };
            assert_eq!(of(sentence), Some(expected), "{sentence}");
        }
        for sentence in [
            "if the drawer is open, put the red block in it",
            "if there is anything in the pink bowl, take it out",
            "if the blue bowl is empty, put the green block in it",
            "if the green block is in the blue bowl, take it out",
            "agar daraz khuli hai to band kar do",
        ] {
            assert!(
                matches!(of(sentence), Some(Condition::Fails(_))),
                "{sentence}"
            );
        }
    }

    #[test]
    fn what_the_scene_leaves_open_is_not() {
        for sentence in [
            // What lies in a closed drawer is not seen.
            "if the drawer is empty, put the red block in it",
            "if there is anything in the drawer, take it out",
            "if the bowl is empty, put the green block in it",
            "if the light is on, open the drawer",
            "if I clap, open the drawer",
            "if the drawer is closed, open it, otherwise close it",
            "if the drawer is closed and I clap, open it",
            "open the drawer",
            "if the drawer is closed",
            "agar main kahun to daraz khol do",
            "agar daraz band hai to khol do warna band karo",
        ] {
            assert_eq!(of(sentence), None, "{sentence}");
        }
    }
}
