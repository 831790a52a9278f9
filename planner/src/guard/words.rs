//! The words that the guard looks for.

mod safety;

pub(super) use safety::*;

/// Words of harm, whatever they are aimed at.
pub(super) const HARM: &[&str] = &[
    "hurt",
    "kill",
    "injure",
    "harm",
    "punch",
    "slap",
    "stab",
    "attack",
    "choke",
    "strangle",
    "murder",
    "maim",
    "bite",
    "wound",
    "shoot",
    "assault",
    "hurting",
    "killing",
    "burn",
    "suffocate",
    "electrocute",
    "impale",
    "mutilate",
    "torture",
    "punching",
    "stabbing",
    "choking",
    "attacking",
    "injuring",
    "harming",
];

/// Words of harm when aimed at the living.
pub(super) const STRIKE: &[&str] = &[
    "hit",
    "poke",
    "strike",
    "squeeze",
    "pinch",
    "scratch",
    "crush",
    "kick",
    "whack",
    "scare",
    "grab",
    "push",
    "shove",
    "touch",
    "pull",
    "pick",
    "lift",
    "hold",
    "cut",
    "grip",
    "grasp",
    "press",
    "nudge",
    "bump",
    "jab",
    "prod",
    "smack",
    "ram",
    "swat",
    "clamp",
    "squish",
    "trap",
    "pinching",
    "squeezing",
    "poking",
    "grabbing",
    "pushing",
    "crash",
    "snip",
    "drag",
    "tug",
    "yank",
];

/// Words of damage.
pub(super) const DAMAGE: &[&str] = &[
    "throw",
    "toss",
    "hurl",
    "fling",
    "launch",
    "catapult",
    "smash",
    "break",
    "shatter",
    "destroy",
    "crush",
    "throwing",
    "wreck",
    "chuck",
    "hit",
    "bash",
    "slam",
    "lob",
    "tossing",
    "hurling",
    "smashing",
    "breaking",
    "whack",
    "wallop",
    "clobber",
    "pummel",
    "demolish",
    "yeet",
    "crash",
    "ruin",
    "squash",
    "pulverize",
    "pulverise",
    "explode",
    "ram",
    "stomp",
    "trample",
    "shred",
    "ignite",
    "incinerate",
    "wrecking",
    "destroying",
    "shattering",
    "crushing",
    "slamming",
    "flinging",
    "launching",
    "annihilate",
    "obliterate",
    "mangle",
    "vandalize",
];

/// The living, and parts of them.
pub(super) const LIVING: &[&str] = &[
    "person",
    "people",
    "human",
    "man",
    "woman",
    "child",
    "children",
    "kid",
    "kids",
    "baby",
    "boy",
    "girl",
    "cat",
    "dog",
    "pet",
    "animal",
    "finger",
    "face",
    "eye",
    "eyes",
    "arm",
    "head",
    "hair",
    "neck",
    "leg",
    "foot",
    "someone",
    "somebody",
    "anyone",
    "everyone",
    "him",
    "her",
    "me",
    "myself",
    "yourself",
    "brother",
    "sister",
    "mom",
    "dad",
    "friend",
    "visitor",
    "persons",
    "humans",
    "men",
    "women",
    "boys",
    "girls",
    "babies",
    "toddler",
    "toddlers",
    "infant",
    "cats",
    "dogs",
    "pets",
    "animals",
    "puppy",
    "kitten",
    "kitty",
    "mother",
    "father",
    "mum",
    "mommy",
    "daddy",
    "son",
    "daughter",
    "brothers",
    "sisters",
    "wife",
    "husband",
    "guest",
    "guests",
    "friends",
    "visitors",
    "colleague",
    "operator",
    "worker",
    "workers",
    "bystander",
    "bystanders",
    "everybody",
    "anybody",
    "guy",
    "lady",
    "grandma",
    "grandpa",
    "thumb",
    "thumbs",
    "wrist",
    "throat",
    "toe",
    "toes",
];

/// Of these, how one speaks to someone: "push the block, man".
pub(super) const SPOKEN_TO: &[&str] = &[
    "man",
    "kid",
    "kids",
    "boy",
    "girl",
    "friend",
    "friends",
    "baby",
    "people",
    "everyone",
    "everybody",
    "someone",
    "somebody",
    "anyone",
    "anybody",
    "brother",
    "sister",
    "mom",
    "mum",
    "dad",
    "son",
    "human",
    "guy",
    "lady",
    "dog",
    "operator",
    "mommy",
    "daddy",
];

/// Words beside one who is spoken to.
pub(super) const SPEAKING: &[&str] =
    &["oh", "hey", "please", "dear", "good", "thanks", "now", "ok"];

/// Whom "my" before speaks to as well.
pub(super) const DEAR: &[&str] = &["friend", "friends", "man", "boy", "dear"];

/// What says more than a thing that a verb before is about as well.
pub(super) const SAYING: &[&str] = &[
    "is",
    "are",
    "was",
    "were",
    "am",
    "be",
    "been",
    "will",
    "would",
    "has",
    "have",
    "had",
    "can",
    "could",
    "should",
    "must",
    "may",
    "might",
    "do",
    "does",
    "did",
    "s",
    "re",
    "there",
    "i",
    "you",
    "we",
    "they",
    "he",
    "she",
    "if",
    "when",
    "because",
    "until",
    "unless",
    "while",
    "before",
    "after",
    "not",
    "no",
    "never",
    "without",
    "avoid",
    "except",
    "careful",
    "carefully",
    "mind",
    "beware",
    "from",
    "for",
    "t",
];

/// Parts of a person only after "my", "his", "her", "their" (the robot has a
/// hand, an arm and fingers as well).
pub(super) const PARTS: &[&str] = &[
    "hand", "hands", "fingers", "finger", "arm", "face", "head", "nose", "hair",
];

/// Words of damage that are also said of putting something into a bowl; this
/// robot only ever sets things down.
pub(super) const CASUAL: &[&str] = &["toss", "chuck", "throw", "fling", "lob", "whack", "yeet"];

/// What is thrown at, if it stands where something is to go.
pub(super) const THROWN_AT: &[&str] = &[
    "wall", "window", "air", "floor", "ground", "room", "ceiling", "door", "camera", "screen",
    "lamp", "outside", "us", "them", "street", "hand", "hands", "lap",
];

/// Verbs that take a thing apart, with [`IN_PARTS`].
pub(super) const PART: &[&str] = &[
    "snap", "split", "tear", "rip", "cut", "saw", "chop", "crack", "slice",
];

/// How a thing is taken apart.
pub(super) const IN_PARTS: &[&[&str]] = &[
    &["in", "two"],
    &["in", "half"],
    &["in", "halves"],
    &["into", "two"],
    &["into", "halves"],
    &["into", "pieces"],
    &["to", "pieces"],
    &["into", "bits"],
    &["to", "bits"],
    &["to", "shreds"],
];

/// Parts of a person that nothing is put to, after "my", "his", "her", "their".
pub(super) const TENDER: &[&str] = &[
    "neck", "throat", "face", "eye", "eyes", "mouth", "nose", "ear", "ears", "head", "hair",
    "chest", "stomach", "belly", "leg", "legs", "foot", "feet", "arm", "arms", "cheek", "lips",
    "tongue", "shoulder", "wrist", "fingers", "finger", "skin", "back", "thumb", "thumbs", "toe",
    "toes", "elbow", "knee", "knuckles", "palm", "palms", "ankle", "tail", "paw", "paws",
];

/// Where something is put to a part of a person.
pub(super) const TOUCHING: &[&str] = &[
    "around", "round", "on", "onto", "in", "into", "against", "over", "at", "up", "through",
    "inside", "across", "down", "behind", "to",
];

/// Whose part it is.
pub(super) const OWNERS: &[&str] = &["my", "his", "her", "their", "our"];

/// What makes a casual word an act of throwing.
pub(super) const AWAY: &[&str] = &[
    "at", "across", "off", "away", "out", "hard", "against", "up",
];

/// Phrases that end beside the table.
pub(super) const OFF_TABLE: &[&[&str]] = &[
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

/// Verbs that say how someone or something is: a negation of them denies nothing
/// that follows.
pub(super) const STANCE: &[&str] = &[
    "care", "mind", "matter", "worry", "fit", "work", "wait", "argue", "stop", "hesitate", "know",
    "look", "stand", "ask", "listen", "hold", "bother", "fuss",
];
