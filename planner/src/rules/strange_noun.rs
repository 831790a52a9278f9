//! Names of things that nobody knows: "the purple elephant".
//!
//! A small model, and a reader that passes over what it does not know, take the
//! colour and choose what has it. So whoever says what a thing is, and says
//! something that this robot knows nothing of, is asked before it moves.
//! Only English is looked at, and only the word after a colour: anywhere else
//! an unknown word may be anything.

use vola_types::Scene;

use super::parse::Vocabulary;
use super::{lexicon, token, typo};

/// What may follow a colour and is no name of a thing.
const NO_NAMES: &str = "\
    thingy thingies thingamajig fella fellow fellas buddy item items piece pieces stuff bit chap \
    lad dude boy girl beauty cubelet cuboid cuboids square squares chunk chunks lump lumps \
    little round shiny bright toy toys wooden plastic lego atop upon within toward towards \
    alongside underneath beneath first carefully gently please pronto already colored coloured \
    coloring tinted hued painted because since whose goes belongs stays sits lands ends comes \
    gets needs wants should would could might must while though until unless where when \
    standing lying sitting next cheers receptacle vessel \
    wala walay wale wali waala waalay waali rang \
    katora katoray katore katori pyala pyalay pyale pyali piyala piyalay piyale piala pialay \
    piale daraz daraaz dabba dabbay dabbe dibba dibbay dibbe eent gutka gutkay tukra tukray blaak";

/// The first name of a thing in the sentence that neither the grammar nor the
/// scene knows.
pub(crate) fn strange_noun(sentence: &str, scene: &Scene) -> Option<String> {
    let vocabulary = Vocabulary::of(scene);
    let known = vocabulary.words();
    let mut tokens = token::tokenize(sentence);
    typo::repair(&mut tokens, &known);
    let is_name = |word: &str| {
        word.len() >= 4
            && word.chars().all(|letter| letter.is_ascii_lowercase())
            && !word.ends_with("ly")
            && lexicon::color(word).is_none()
            && (lexicon::is_other_noun(word) || !lexicon::is_known(word))
            && !NO_NAMES.split(' ').any(|other| other == word)
            && !known.iter().any(|other| other == word)
    };
    tokens
        .windows(2)
        .filter_map(|pair| match pair {
            [color, noun] => lexicon::color(&color.text).map(|_| noun),
            _ => None,
        })
        .find(|noun| noun.number.is_none() && is_name(&noun.text))
        .map(|noun| noun.text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strange(sentence: &str) -> Option<String> {
        let scene = Scene::from_json(
            r#"{"objects":[
                {"id":"a","kind":"block","color":"purple","position":[0.4,0.1,0.02],"on":"table"},
                {"id":"b","kind":"gear","color":"red","position":[0.5,0.1,0.02],"on":"table"}],
              "gripper":{"holding":null,"open":true}}"#,
        )
        .unwrap();
        strange_noun(sentence, &scene)
    }

    #[test]
    fn what_nobody_knows_is_named() {
        for (sentence, noun) in [
            ("pick up the purple elephant", "elephant"),
            ("red sanduq green pyale mein dalo", "sanduq"),
            ("put the red dinosaur in the blue bowl", "dinosaur"),
            ("Put the Red Apple in the blue bowl!", "apple"),
            ("slide the block next to the green helicopter", "helicopter"),
        ] {
            assert_eq!(strange(sentence).as_deref(), Some(noun), "{sentence}");
        }
    }

    #[test]
    fn other_words_after_a_colour_are_no_names() {
        for sentence in [
            "put the red block in the blue bowl",
            "grab the purple blok",
            "stack red on blue, then green on that",
            "the red one and the blue thing",
            "pick the red gear",
            "take the red thingy quickly",
            "put red atop blue",
            "move the purple colored cube",
            "laal block ko neele pyale me rakho",
            "push the elephant",
            "put the green in the red",
            "last of all the pink block goes in the bowl; blue goes in first",
        ] {
            assert_eq!(strange(sentence), None, "{sentence}");
        }
    }
}
