//! The words that the guard looks for.

/// Words of harm, whatever they are aimed at.
pub(super) const HARM: &[&str] = &[
    "hurt", "kill", "injure", "harm", "punch", "slap", "stab", "attack", "choke", "strangle",
    "murder", "maim", "bite", "wound", "shoot", "assault", "hurting", "killing", "burn",
];

/// Words of harm when aimed at the living.
pub(super) const STRIKE: &[&str] = &[
    "hit", "poke", "strike", "squeeze", "pinch", "scratch", "crush", "kick", "whack", "scare",
    "grab", "push", "shove", "touch", "pull", "pick", "lift", "hold", "cut",
];

/// Words of damage.
pub(super) const DAMAGE: &[&str] = &[
    "throw", "toss", "hurl", "fling", "launch", "catapult", "smash", "break", "shatter", "destroy",
    "crush", "throwing", "wreck", "chuck", "hit", "bash", "slam", "lob", "tossing", "hurling",
    "smashing", "breaking", "whack", "wallop", "clobber", "pummel", "demolish", "yeet",
];

/// The living, and parts of them.
pub(super) const LIVING: &[&str] = &[
    "person", "people", "human", "man", "woman", "child", "children", "kid", "kids", "baby", "boy",
    "girl", "cat", "dog", "pet", "animal", "finger", "face", "eye", "eyes", "arm", "head", "hair",
    "neck", "leg", "foot", "someone", "somebody", "anyone", "everyone", "him", "her", "me",
    "myself", "yourself", "brother", "sister", "mom", "dad", "friend", "visitor",
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
    "tongue", "shoulder", "wrist", "fingers", "finger", "skin", "back",
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

/// Phrases about limits, as word sequences.
pub(super) const LIMIT_PHRASES: &[&[&str]] = &[
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
pub(super) const DISABLE: &[&str] = &[
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

/// Words of what keeps people safe.
pub(super) const SAFETY: &[&str] = &[
    "safety",
    "limits",
    "limit",
    "limiter",
    "emergency",
    "safeguard",
    "safeguards",
    "restrictions",
    "interlock",
    "failsafe",
];

/// Words that make light of what is named after them.
pub(super) const DISMISS: &[&[&str]] = &[
    &["never", "mind"],
    &["nevermind"],
    &["t", "worry"],
    &["dont", "worry"],
    &["not", "worry"],
    &["t", "care"],
    &["not", "care"],
    &["t", "mind"],
    &["not", "mind"],
    &["who", "cares"],
    &["to", "hell", "with"],
    &["screw"],
    &["stop", "worrying"],
];

/// Verbs that say how someone or something is: a negation of them denies nothing
/// that follows.
pub(super) const STANCE: &[&str] = &[
    "care", "mind", "matter", "worry", "fit", "work", "wait", "argue", "stop", "hesitate", "know",
    "look", "stand", "ask", "listen", "hold", "bother", "fuss",
];
