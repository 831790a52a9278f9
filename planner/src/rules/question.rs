//! Questions about the scene and the robot, answered from the scene alone.

mod robot;
mod truth;

use vola_types::{Scene, object_phrase};

use super::cursor::Cursor;
use super::ground::{Grounder, Role};
use super::lexicon;
use super::parse::{self, Vocabulary};
use super::syntax::{NounPhrase, Prep, Quantity};
use super::token::Token;
use super::trouble::{Choices, Trouble};
use crate::describe;
use crate::describe::capital;
use crate::request::PlanRequest;

/// Words that say nothing in a question.
const SOFT: &[&str] = &[
    "please",
    "hey",
    "robot",
    "vola",
    "ok",
    "okay",
    "so",
    "well",
    "hi",
    "hello",
    "currently",
    "exactly",
    "now",
    "right",
    "tell",
    "us",
    "me",
    "um",
    "uh",
    "oh",
    "and",
    "just",
];

/// Answers a question; `None` when the sentence is none.
pub(super) fn answer(
    tokens: &[Token],
    request: &PlanRequest,
    vocabulary: &Vocabulary,
) -> Option<String> {
    if let Some(greeting) = small_talk(tokens) {
        return Some(greeting);
    }
    let (words, _) = asking_words(tokens)?;
    if goes_on_to_command(&words, vocabulary) {
        return None;
    }
    from_scene(&words, request, vocabulary)
}

/// What is said to a question that the scene does not answer; `None` when the
/// sentence is none.
pub(super) fn without_answer(tokens: &[Token]) -> Option<String> {
    let asks = asking_words(tokens)?.1;
    // "How about …" asks to do something.
    let (words, _) = asking_words(&parse::without_fillers(tokens))?;
    unanswerable(&Cursor::new(&words), asks)
}

/// "Do you see the red block? Put it away."
fn goes_on_to_command(words: &[Token], vocabulary: &Vocabulary) -> bool {
    let mut cursor = Cursor::new(words);
    while !cursor.at_end() {
        let is_mark = words[cursor.at].is_punctuation();
        cursor.advance();
        if is_mark {
            while cursor.eat_any(&["please", "then", "and", "now"]) {}
            if vocabulary.starts_clause(&cursor) {
                return true;
            }
        }
    }
    false
}

/// Whether the scene or the robot's state answers a question, and every word of
/// it is about those: "where is the red block?", not "where is the manual?".
pub(super) fn is_about_scene(
    tokens: &[Token],
    request: &PlanRequest,
    vocabulary: &Vocabulary,
) -> bool {
    if small_talk(tokens).is_some() {
        return true;
    }
    let Some((words, _)) = asking_words(tokens) else {
        return false;
    };
    let is_of_scene = |at: usize| {
        let word = words[at].text.as_str();
        let is_noun = || {
            let mut cursor = Cursor::new(&words);
            cursor.at = at;
            vocabulary.is_head(&cursor)
        };
        SOFT.contains(&word)
            || lexicon::is_of_scene(word)
            || words[at].is_punctuation()
            || is_noun()
    };
    (0..words.len()).all(is_of_scene) && from_scene(&words, request, vocabulary).is_some()
}

/// The words of a question without what is said before and after it, and
/// whether it ends with a question mark.
fn asking_words(tokens: &[Token]) -> Option<(Vec<Token>, bool)> {
    let start = tokens
        .iter()
        .position(|t| !SOFT.contains(&t.text.as_str()) && !t.is_punctuation())?;
    let mut words = tokens[start..].to_vec();
    let asks = words.last().is_some_and(|t| t.text == "?");
    while words
        .last()
        .is_some_and(|t| t.is_punctuation() || t.text == "please")
    {
        words.pop();
    }
    Some((words, asks))
}

fn from_scene(words: &[Token], request: &PlanRequest, vocabulary: &Vocabulary) -> Option<String> {
    let asker = Asker {
        request,
        vocabulary,
        choices: Choices::new(),
    };
    let cursor = Cursor::new(words);
    asker
        .about_robot(&cursor)
        .or_else(|| asker.about_scene(&cursor))
        .or_else(|| asker.where_is(&cursor))
        .or_else(|| asker.how_many(&cursor))
        .or_else(|| asker.which(words))
        .or_else(|| asker.yes_or_no(&cursor))
}

fn small_talk(tokens: &[Token]) -> Option<String> {
    const GREETINGS: &[&str] = &[
        "hi",
        "hello",
        "hey",
        "morning",
        "evening",
        "afternoon",
        "yo",
        "greetings",
        "salam",
    ];
    const THANKS: &[&str] = &[
        "thanks", "thank", "thx", "great", "nice", "perfect", "awesome", "well", "cool", "bravo",
    ];
    const OTHER: &[&str] = &[
        "good", "you", "there", "robot", "vola", "job", "done", "work", "so", "much", "very", "a",
        "lot", "for", "that", "ok", "okay", "day", "bye", "goodbye", "night",
    ];
    let words: Vec<&str> = tokens
        .iter()
        .filter(|t| !t.is_punctuation())
        .map(|t| t.text.as_str())
        .collect();
    let all = !words.is_empty()
        && words
            .iter()
            .all(|w| GREETINGS.contains(w) || THANKS.contains(w) || OTHER.contains(w));
    if !all {
        return None;
    }
    let has = |list: &[&str]| words.iter().any(|w| list.contains(w));
    if has(GREETINGS) {
        return Some("Hello! Tell me what to do, or ask what I see.".to_owned());
    }
    if has(&["bye", "goodbye", "night"]) {
        return Some("Goodbye.".to_owned());
    }
    Some("You are welcome.".to_owned())
}

/// A question that the scene cannot answer.
fn unanswerable(cursor: &Cursor<'_>, asks: bool) -> Option<String> {
    let first = cursor.peek();
    let wonders = matches!(
        first,
        "what" | "why" | "who" | "where" | "how" | "which" | "whose"
    ) || first == "when"
        && matches!(
            cursor.peek_at(1),
            "is" | "are" | "did" | "do" | "will" | "was"
        );
    let other =
        asks && matches!(
            first,
            "is" | "are"
                | "do"
                | "does"
                | "did"
                | "have"
                | "has"
                | "am"
                | "was"
                | "were"
                | "shall"
                | "should"
        ) && !(0..6).any(|ahead| lexicon::verb(cursor.peek_at(ahead)).is_some());
    (wonders || other).then(|| {
        "I can only answer questions about what I see and what I can do, for example \"where is the red block?\"".to_owned()
    })
}

struct Asker<'a> {
    request: &'a PlanRequest,
    vocabulary: &'a Vocabulary,
    choices: Choices,
}

impl Asker<'_> {
    fn scene(&self) -> &Scene {
        &self.request.scene
    }

    fn grounder(&self) -> Grounder<'_> {
        Grounder::over(self.request, &self.choices, &self.request.dialogue)
    }

    /// All objects that a phrase may mean, whatever its number.
    fn all_of(&self, phrase: &NounPhrase, preps: &[Prep]) -> Result<Vec<String>, Trouble> {
        let mut every = phrase.clone();
        if every.superlative.is_none() && every.sides.is_empty() && every.ordinal.is_none() {
            every.quantity = Quantity::The;
            every.plural = true;
        }
        self.grounder().phrase(&every, preps, Role::Landmark, &[])
    }

    fn about_scene(&self, cursor: &Cursor<'_>) -> Option<String> {
        let mut c = cursor.clone();
        c.eat("me");
        let general = c.eat_phrase(&[
            &["what", "do", "you", "see"],
            &["what", "can", "you", "see"],
            &["what", "you", "see"],
            &["what", "you", "can", "see"],
            &["what", "is", "on", "the", "table"],
            &["what", "is", "on", "the", "desk"],
            &["what", "is", "there"],
            &["what", "things"],
            &["what", "objects"],
            &["what", "items"],
            &["which", "objects"],
            &["what", "is", "in", "front", "of", "you"],
            &["what", "is", "around"],
            &["describe"],
            &["list"],
            &["show", "me"],
            &["look", "around"],
            &["look", "at", "the", "table"],
        ]);
        // "Show me how you open the drawer" asks for more.
        let is_of_scene = |ahead: usize| {
            let mut noun = c.clone();
            noun.at += ahead;
            lexicon::is_of_scene(noun.peek()) || self.vocabulary.is_head(&noun)
        };
        let rest = cursor.left().saturating_sub(c.at - cursor.at);
        if general && (0..rest).all(is_of_scene) {
            return Some(format!("I see {}.", describe::inventory(self.scene())));
        }
        let mut c = cursor.clone();
        if c.eat_all(&["what", "is"]) || c.eat_all(&["what", "lies"]) {
            let colors = c.eat_phrase(&[&["the", "color", "of"], &["the", "colour", "of"]]);
            if colors {
                return self.color_of(&mut c);
            }
            let Some(place) = parse::prep(&mut c, self.vocabulary) else {
                return self.what_is(&mut c);
            };
            let found = self.where_place_holds(&place);
            return Some(match found {
                Ok(ids) if ids.is_empty() => "There is nothing.".to_owned(),
                Ok(ids) => format!("{}.", capital(&describe::phrases(&ids, self.scene()))),
                Err(trouble) => in_words(trouble),
            });
        }
        if c.eat_phrase(&[
            &["what", "color", "is"],
            &["what", "colour", "is"],
            &["which", "color", "is"],
            &["which", "colour", "is"],
        ]) {
            return self.color_of(&mut c);
        }
        if c.eat_phrase(&[
            &["what", "colors"],
            &["what", "colours"],
            &["which", "colors"],
            &["which", "colours"],
        ]) {
            return Some(format!("I see {}.", describe::inventory(self.scene())));
        }
        None
    }

    /// "what is the leftmost block?"
    fn what_is(&self, cursor: &mut Cursor<'_>) -> Option<String> {
        let phrase = parse::noun_phrase(cursor, self.vocabulary)?;
        let known = !matches!(phrase.head, super::syntax::Head::Unknown(_));
        if !known || !cursor.at_end() {
            return None;
        }
        Some(match self.all_of(&phrase, &[]) {
            Ok(ids) => format!(
                "{}.",
                capital(&describe::labels(&ids, self.scene()).join(" and "))
            ),
            Err(trouble) => in_words(trouble),
        })
    }

    fn color_of(&self, cursor: &mut Cursor<'_>) -> Option<String> {
        let phrase = parse::noun_phrase(cursor, self.vocabulary)?;
        let preps = preps(cursor, self.vocabulary);
        Some(match self.all_of(&phrase, &preps) {
            Ok(ids) => {
                let parts: Vec<String> = ids
                    .iter()
                    .filter_map(|id| self.scene().object(id)?.color.clone())
                    .collect();
                if parts.is_empty() {
                    "I cannot tell its colour.".to_owned()
                } else {
                    format!("{}.", capital(&describe::and_list(&parts)))
                }
            }
            Err(trouble) => in_words(trouble),
        })
    }

    fn where_is(&self, cursor: &Cursor<'_>) -> Option<String> {
        let mut c = cursor.clone();
        c.eat_any(&["me"]);
        let asked = c.eat("where");
        let placed = asked && c.eat_any(&["is", "are", "did"]);
        if !asked && !c.eat("locate") {
            return None;
        }
        let phrase = parse::noun_phrase(&mut c, self.vocabulary)?;
        // "(tell me) where the red block is"
        if asked && !placed && !c.eat_any(&["is", "are", "lies"]) {
            return None;
        }
        let preps = preps(&mut c, self.vocabulary);
        Some(match self.all_of(&phrase, &preps) {
            Ok(ids) => {
                let labels = describe::labels(&ids, self.scene());
                let parts: Vec<String> = ids
                    .iter()
                    .zip(labels)
                    .filter_map(|(id, label)| {
                        let object = self.scene().object(id)?;
                        let name = if ids.len() > 1 {
                            label
                        } else {
                            object_phrase(id, self.scene())
                        };
                        Some(format!(
                            "{name} is {}",
                            describe::support_words(object, self.scene())
                        ))
                    })
                    .collect();
                format!("{}.", capital(&describe::and_list(&parts)))
            }
            Err(trouble) => in_words(trouble),
        })
    }

    fn how_many(&self, cursor: &Cursor<'_>) -> Option<String> {
        let mut c = cursor.clone();
        let counts = c.peek_at(1) != "to" && c.eat("count");
        if !(counts || c.eat_all(&["how", "many"])) {
            return None;
        }
        let phrase = parse::noun_phrase(&mut c, self.vocabulary).or_else(|| {
            Some(NounPhrase::new(
                0,
                super::syntax::Head::Kind(c.peek().to_owned()),
            ))
        })?;
        c.eat_phrase(&[
            &["are", "there"],
            &["do", "you", "see"],
            &["can", "you", "see"],
            &["are"],
            &["is"],
        ]);
        let preps = preps(&mut c, self.vocabulary);
        let noun = self.grounder().noun_of(&phrase);
        let count = self.all_of(&phrase, &preps).map_or(0, |ids| ids.len());
        Some(match count {
            0 => format!("I see no {}.", describe::plural(&noun)),
            n => format!("I see {}.", describe::counted(&noun, n)),
        })
    }

    /// "which block is nearest to the bowl?" is "the block that is …".
    fn which(&self, words: &[Token]) -> Option<String> {
        if words.first()?.text != "which" && words.first()?.text != "what" {
            return None;
        }
        let is = words
            .iter()
            .position(|t| t.text == "is" || t.text == "are")?;
        if is < 2 && words.first()?.text == "what" {
            return None;
        }
        let mut statement = words.to_vec();
        statement[0] = Token::word("the");
        statement.insert(is, Token::word("that"));
        let mut c = Cursor::new(&statement);
        let phrase = parse::noun_phrase(&mut c, self.vocabulary)?;
        let preps = preps(&mut c, self.vocabulary);
        if !c.at_end() {
            return None;
        }
        Some(match self.all_of(&phrase, &preps) {
            Ok(ids) => format!(
                "{}.",
                capital(&describe::labels(&ids, self.scene()).join(" and "))
            ),
            Err(trouble) => in_words(trouble),
        })
    }
}

fn preps(cursor: &mut Cursor<'_>, vocabulary: &Vocabulary) -> Vec<Prep> {
    let mut all = Vec::new();
    while let Some(prep) = parse::prep(cursor, vocabulary) {
        all.push(prep);
    }
    // "on the table" narrows nothing.
    all.retain(|p| {
        p.place != super::syntax::PlaceRef::Table && p.place != super::syntax::PlaceRef::There
    });
    all
}

fn yes_no(yes: bool, more: &str) -> String {
    format!("{}. {more}", if yes { "Yes" } else { "No" })
}

fn in_words(trouble: Trouble) -> String {
    match trouble {
        Trouble::Cannot(say)
        | Trouble::Refused(say)
        | Trouble::Already(say)
        | Trouble::LeftAlone(say)
        | Trouble::Puzzled(say) => say,
        Trouble::Choose(choice) => choice.question,
    }
}
