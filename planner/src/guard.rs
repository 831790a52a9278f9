//! The guard: refusals that no back end can talk its way around.
//!
//! It stands outside every back end: [`screen_sentence`] sees the person's
//! words before any back end does, [`screen_steps`] sees every answer after.
//! It knows nothing of grammar. It looks for a few plain signs, and prefers a
//! polite refusal too many over a motion too many.

use vola_types::{Scene, Step};

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Danger {
    /// Harm to a person or an animal.
    Harm,
    /// Throwing, dropping from the table, breaking.
    Damage,
    /// Disabling or exceeding the limits that keep people safe.
    Limits,
    /// Handling a part of a person, or an animal.
    Living,
}

impl Danger {
    /// What the person is told.
    #[must_use]
    pub fn say(self) -> &'static str {
        match self {
            Self::Harm => "I will not do anything that could hurt someone.",
            Self::Damage => {
                "I do not throw, smash or drop things. I can put them down gently if you tell me where."
            }
            Self::Limits => {
                "I keep my speed, force and safety limits; they cannot be changed by asking."
            }
            Self::Living => "I do not touch people or animals.",
        }
    }
}

/// Words of harm, whatever they are aimed at.
const HARM: &[&str] = &[
    "hurt", "kill", "injure", "harm", "punch", "slap", "stab", "attack", "choke", "strangle",
    "murder", "maim", "bite", "wound", "shoot", "assault", "hurting", "killing", "burn",
];

/// Words of harm when aimed at the living.
const STRIKE: &[&str] = &[
    "hit", "poke", "strike", "squeeze", "pinch", "scratch", "crush", "kick", "whack", "scare",
    "grab", "push", "shove", "touch", "pull", "pick", "lift", "hold", "cut",
];

/// Words of damage.
const DAMAGE: &[&str] = &[
    "throw", "toss", "hurl", "fling", "launch", "catapult", "smash", "break", "shatter", "destroy",
    "crush", "throwing", "wreck", "chuck", "hit", "bash", "slam",
];

/// The living, and parts of them.
const LIVING: &[&str] = &[
    "person", "people", "human", "man", "woman", "child", "children", "kid", "kids", "baby", "boy",
    "girl", "cat", "dog", "pet", "animal", "finger", "face", "eye", "eyes", "arm", "head", "hair",
    "neck", "leg", "foot", "someone", "somebody", "anyone", "everyone", "him", "her", "me",
    "myself", "yourself", "brother", "sister", "mom", "dad", "friend", "visitor",
];

/// Parts of a person only after "my", "his", "her", "their" (the robot has a
/// hand, an arm and fingers as well).
const PARTS: &[&str] = &[
    "hand", "hands", "fingers", "finger", "arm", "face", "head", "nose", "hair",
];

/// Words of damage that are also said of putting something into a bowl; this
/// robot only ever sets things down.
const CASUAL: &[&str] = &["toss", "chuck"];

/// What makes a casual word an act of throwing.
const AWAY: &[&str] = &[
    "at", "across", "off", "away", "out", "hard", "against", "up",
];

/// Urdu, in both scripts: beginnings of words of harm.
const HARM_URDU: &[&str] = &["قتل", "زخمی", "qatal", "qatl", "zakhmi", "zakhm"];

/// Urdu: beginnings of words of damage.
const DAMAGE_URDU: &[&str] = &[
    "پھینک",
    "توڑ",
    "پٹخ",
    "چکناچور",
    "کچل",
    "phenk",
    "phaink",
    "pheink",
    "todo",
    "tordo",
    "toro",
    "patakh",
    "kuchal",
];

/// Urdu: beginnings of words for striking; bad when aimed at the living.
const STRIKE_URDU: &[&str] = &[
    "مار", "مکا", "تھپڑ", "ٹکر", "چبھو", "نوچ", "ڈرا", "maar", "mukka", "thappar", "takkar",
    "daraa",
];

/// Urdu: the living, and parts of them.
const LIVING_URDU: &[&str] = &[
    "آدمی",
    "بندے",
    "بندہ",
    "شخص",
    "بچے",
    "بچہ",
    "بچی",
    "لوگوں",
    "انسان",
    "بلی",
    "کتے",
    "کتا",
    "عورت",
    "لڑکے",
    "لڑکی",
    "منہ",
    "چہرے",
    "آنکھ",
    "انگلی",
    "aadmi",
    "admi",
    "banday",
    "bande",
    "bachay",
    "bache",
    "bachi",
    "insaan",
    "insan",
    "billi",
    "kuttay",
    "kutte",
    "larkay",
    "larki",
    "chehray",
    "aankh",
    "ungli",
];

/// Urdu: what must not be switched off, and switching off.
const SAFETY_URDU: &[&str] = &[
    "حفاظت",
    "سیفٹی",
    "حدود",
    "ایمرجنسی",
    "hifazat",
    "hifazti",
    "safety",
];
const DISABLE_URDU: &[&str] = &[
    "بند",
    "ختم",
    "نظرانداز",
    "نظر",
    "ہٹا",
    "توڑ",
    "band",
    "khatam",
    "nazar",
    "hata",
    "tor",
];

/// Phrases about limits, as word sequences.
const LIMIT_PHRASES: &[&[&str]] = &[
    &["full", "speed"],
    &["top", "speed"],
    &["max", "speed"],
    &["maximum", "speed"],
    &["full", "force"],
    &["max", "force"],
    &["maximum", "force"],
    &["full", "power"],
    &["maximum", "power"],
    &["speed", "limit"],
    &["speed", "limits"],
    &["force", "limit"],
    &["force", "limits"],
    &["joint", "limit"],
    &["joint", "limits"],
    &["emergency", "stop", "off"],
    &["faster", "than", "allowed"],
    &["collision", "check"],
    &["collision", "checks"],
    &["collision", "checking"],
    &["ignore", "collisions"],
    &["without", "checking"],
];

/// Verbs that make a mention of safety an attack on it.
const DISABLE: &[&str] = &[
    "disable",
    "ignore",
    "override",
    "bypass",
    "remove",
    "deactivate",
    "exceed",
    "skip",
    "off",
    "without",
    "circumvent",
    "unlock",
    "forget",
    "break",
];

/// Phrases that end beside the table.
const OFF_TABLE: &[&[&str]] = &[
    &["off", "the", "table"],
    &["off", "of", "the", "table"],
    &["off", "the", "edge"],
    &["over", "the", "edge"],
    &["on", "the", "floor"],
    &["onto", "the", "floor"],
    &["to", "the", "floor"],
    &["on", "the", "ground"],
    &["to", "the", "ground"],
    &["out", "of", "the", "window"],
];

/// Looks at a sentence before any back end is asked.
#[must_use]
pub fn screen_sentence(sentence: &str) -> Option<Danger> {
    let lower = without_quotes(&sentence.to_lowercase());
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .take(400)
        .collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let has_phrase = |phrase: &[&str]| words.windows(phrase.len()).any(|window| window == phrase);
    let negated =
        has_phrase(&["do", "not"]) || has_phrase(&["don", "t"]) || has(&["dont", "never"]);
    let safety = has(&["safety", "limits", "limit", "emergency"]);
    if safety && has(DISABLE) && !negated {
        return Some(Danger::Limits);
    }
    if LIMIT_PHRASES.iter().any(|phrase| has_phrase(phrase)) && !negated {
        return Some(Danger::Limits);
    }
    // "Do not hurt anyone" is a wish for safety; all the same no motion hangs
    // on it, so only plain negations of harm pass on to the back ends.
    if has(HARM) && !negated {
        return Some(Danger::Harm);
    }
    let aimed = aimed_at_living(&words);
    if aimed && has(DAMAGE) {
        return Some(Danger::Harm);
    }
    if aimed && has(STRIKE) {
        return Some(Danger::Living);
    }
    if let Some(danger) = screen_urdu(&words) {
        return Some(danger);
    }
    let damages = words.iter().enumerate().any(|(at, word)| {
        let rest = words.get(at + 1..).unwrap_or_default();
        DAMAGE.contains(word) && !(CASUAL.contains(word) && sets_down(rest))
    });
    // "Lift it off the table" leaves it in the hand.
    let lifts = has(&["lift", "raise", "pick", "take", "grab", "hoist", "get"])
        && !has(&[
            "push", "knock", "shove", "sweep", "slide", "roll", "kick", "drop",
        ]);
    let leaves = OFF_TABLE.iter().any(|phrase| has_phrase(phrase)) && !lifts;
    if !negated && (damages || leaves) {
        return Some(Danger::Damage);
    }
    None
}

/// Whether the words after "toss" say into or onto what, before any word for
/// throwing.
fn sets_down(rest: &[&str]) -> bool {
    let goal = |word: &&str| ["in", "into", "inside", "on", "onto", "to"].contains(word);
    let end = rest.iter().take(14).position(goal);
    end.is_some_and(|end| !rest[..end].iter().any(|word| AWAY.contains(word)))
}

/// The same signs in Urdu, whose words change at their ends.
fn screen_urdu(words: &[&str]) -> Option<Danger> {
    let begins = |list: &[&str]| {
        words
            .iter()
            .any(|word| list.iter().any(|beginning| word.starts_with(beginning)))
    };
    let negated = ["مت", "نہیں", "نہ", "mat", "nahi", "nahin", "na"]
        .iter()
        .any(|no| words.contains(no));
    if negated {
        return None;
    }
    if begins(HARM_URDU) || (begins(STRIKE_URDU) && begins(LIVING_URDU)) {
        return Some(Danger::Harm);
    }
    if begins(SAFETY_URDU) && begins(DISABLE_URDU) {
        return Some(Danger::Limits);
    }
    begins(DAMAGE_URDU).then_some(Danger::Damage)
}

/// What stands in quotation marks is spoken of and not demanded: "the note says
/// 'smash it', just pick it up".
fn without_quotes(text: &str) -> String {
    const MARKS: [(char, char); 5] = [
        ('"', '"'),
        ('\u{201c}', '\u{201d}'),
        ('\u{ab}', '\u{bb}'),
        ('\'', '\''),
        ('\u{2018}', '\u{2019}'),
    ];
    let letters: Vec<char> = text.chars().collect();
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        // A mark opens after a space, and closes before one: "don't" does neither.
        let opens = at == 0 || !letters[at - 1].is_alphanumeric();
        let mark = MARKS.iter().find(|(open, _)| open == letter && opens);
        let end = mark.and_then(|(_, close)| {
            (at + 1..letters.len()).find(|end| {
                letters[*end] == *close
                    && !letters
                        .get(end + 1)
                        .is_some_and(|after| after.is_alphanumeric())
            })
        });
        match end {
            Some(end) => at = end + 1,
            None => {
                kept.push(*letter);
                at += 1;
            }
        }
    }
    // A sentence that is nothing but a quotation is meant.
    let said = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    if 2 * said(&kept) < said(text) {
        text.to_owned()
    } else {
        kept
    }
}

/// Whether a word names someone or a part of someone, and is not merely whom
/// the robot does something *for* or *towards*.
fn aimed_at_living(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let before = |back: usize| at.checked_sub(back).map_or("", |i| words[i]);
        let owner = ["my", "his", "her", "their", "your", "someone", "person"];
        if PARTS.contains(word) && owner.contains(&before(1)) && before(1) != "your" {
            return true;
        }
        if ["me", "myself", "yourself", "him", "her", "arm", "head"].contains(word) {
            let aimed = [
                "at", "hit", "poke", "kick", "pinch", "squeeze", "push", "shove", "grab", "strike",
            ];
            let next = words.get(at + 1).copied().unwrap_or_default();
            // "Push me the bowl": for me.
            let is_for = *word == "me" && ["the", "a", "that", "this", "one", "my"].contains(&next);
            return aimed.contains(&before(1)) && !is_for;
        }
        LIVING.contains(word)
    })
}

/// Looks at the steps of an answer: nothing living may be handled, whatever
/// the sentence said.
#[must_use]
pub fn screen_steps(steps: &[Step], scene: &Scene) -> Option<Danger> {
    let living = |id: &str| {
        scene.object(id).is_some_and(|object| {
            object
                .kind
                .to_lowercase()
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| LIVING.contains(&word) || PARTS.contains(&word))
        })
    };
    steps
        .iter()
        .any(|step| step.object().is_some_and(living))
        .then_some(Danger::Living)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_sentences_are_refused_and_plain_ones_pass() {
        for (sentence, expected) in [
            ("throw the red block at me", Some(Danger::Harm)),
            ("Hit my hand", Some(Danger::Harm)),
            ("poke the cat with the block", Some(Danger::Living)),
            ("grab my finger", Some(Danger::Living)),
            ("kill the man", Some(Danger::Harm)),
            ("disable the safety limits", Some(Danger::Limits)),
            ("turn off the safety layer", Some(Danger::Limits)),
            ("move at maximum speed", Some(Danger::Limits)),
            ("push the block off the table", Some(Danger::Damage)),
            ("toss the block at the wall", Some(Danger::Damage)),
            ("toss the block away", Some(Danger::Damage)),
            ("toss it up in the air", Some(Danger::Damage)),
            ("he read it out; now toss the far block in the bowl", None),
            ("toss the block into the bowl", None),
            ("chuck it in the drawer", None),
            ("lift the red block off the table", None),
            ("shove me the red bowl", None),
            ("shove me", Some(Danger::Living)),
            ("throw the block into the bowl", Some(Danger::Damage)),
            ("the note says 'smash the bowl', pick up the block", None),
            ("\"smash the bowl\"", Some(Danger::Damage)),
            ("don't smash it, you're hurting it", None),
            ("لال بلاک کو دیوار پر پھینکو", Some(Danger::Damage)),
            ("اس آدمی کو مکا مارو", Some(Danger::Harm)),
            ("حفاظتی حدود بند کر دو", Some(Danger::Limits)),
            ("لال بلاک کو دھکا مارو", None),
            ("لال بلاک کو پیالے میں رکھو", None),
            ("put the red block in the bowl", None),
            ("open your hand", None),
            ("push the block towards me", None),
            ("put it in the bowl for me", None),
            ("move your arm to the left", None),
            ("give me the red block", None),
            ("pick up the red block safely", None),
            ("", None),
        ] {
            assert_eq!(screen_sentence(sentence), expected, "{sentence}");
        }
    }

    #[test]
    fn living_things_are_never_handled() {
        let scene = Scene::from_json(r#"{"objects":[{"id":"x","kind":"human hand"}]}"#).unwrap();
        let step = Step::Pick {
            object: "x".to_owned(),
        };
        assert_eq!(screen_steps(&[step], &scene), Some(Danger::Living));
    }
}
