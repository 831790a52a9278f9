//! The words that stop, and those beside them: English, Urdu in Latin letters, Urdu.
//! Without apostrophes; a letter said twice counts once.

/// Words that stop, alone or with others beside them.
pub(super) const WORDS: &[&str] = &[
    "stop",
    "sotp",
    "stpo",
    "tsop",
    "stp",
    "stopit",
    "halt",
    "freeze",
    "abort",
    "quit",
    "whoa",
    "woah",
    "ruko",
    "rukho",
    "ruk",
    "rukiye",
    "rukain",
    "rukein",
    "rukjao",
    "rukja",
    "roko",
    "rokiye",
    "rokein",
    "rok",
    "stahp",
    "srop",
    "syop",
    "dtop",
    "xtop",
    "stip",
    "stopnow",
    "plsstop",
    "stopplease",
    "rko",
    "stoip",
    "estop",
    "ruken",
    "rukna",
    "rukye",
    "rukjaen",
    "rukjayen",
    "rukjaiye",
    "roken",
    "rokna",
    "rokdo",
    "roklo",
    "bas",
    "سٹاپ",
    "اسٹاپ",
    "رکنا",
    "روکنا",
    "رکیئے",
    "روکئے",
    "روکیئے",
    "رکو",
    "رک",
    "رکیے",
    "رکیں",
    "رکئے",
    "روکو",
    "روک",
    "روکیں",
    "روکیے",
    "بس",
];

/// Those of them that say other things too, where they stand beside a command: "bas
/// ye rakho" is "just put this".
pub(super) const NAMED: &[&str] = &["bas", "بس"];

/// What makes an order of all of them.
pub(super) const NAMED_DOING: &[&str] = &[
    "karo",
    "karein",
    "karen",
    "kro",
    "kijiye",
    "کرو",
    "کریں",
    "کیجیے",
    "bas",
    "بس",
];

/// With these "bas" is "just": "bas isko lo", "bas do". "Bas kar do" ends it.
pub(super) const TAKING: &[&str] = &["lo", "do", "dein", "لو", "دو", "دیں"];

/// Before these, the others do not count: "bas kar do".
pub(super) const DOING: &[&str] = &["kar", "kr", "rok", "کر", "روک"];

/// What is said over and over without a space.
pub(super) const REPEATED: &[&str] = &["stop", "ruko", "رکو"];

/// Beginnings that call to rest without a stop word, by their words.
pub(super) const CALLS: &[&[&str]] = &[
    &["hold", "on"],
    &["hang", "on"],
    &["watch", "out"],
    &["watch", "it"],
    &["look", "out"],
    &["wait", "wait"],
    &["wait", "no"],
    &["wait", "not"],
    &["wait", "dont"],
    &["wait", "that"],
    &["wait", "thats"],
    &["wait", "its"],
    &["wait", "wrong"],
    &["ouch"],
    &["ow"],
    &["bachao"],
    &["khabardar"],
    &["thehro"],
    &["thero"],
    &["tehro"],
    &["ٹھہرو"],
    &["ٹھہریں"],
];

/// What makes something else of those: "hold on to it", "watch out for the cup".
pub(super) const CALLS_ELSE: &[&str] = &["to", "for", "of"];

/// Words that change nothing, wherever they stand.
pub(super) const SOFT: &[&str] = &[
    "please",
    "pls",
    "plz",
    "now",
    "right",
    "immediately",
    "oh",
    "ok",
    "okay",
    "no",
    "hey",
    "vola",
    "robot",
    "man",
    "dude",
    "god",
    "sake",
    "for",
    "gods",
    "damn",
    "already",
    "just",
    "quick",
    "quickly",
    "wait",
    "so",
    "yaar",
    "yar",
    "bhai",
    "bhaiya",
    "zara",
    "abhi",
    "ab",
    "foran",
    "fauran",
    "jaldi",
    "arey",
    "are",
    "oye",
    "ji",
    "nahi",
    "nahin",
    "meherbani",
    "khuda",
    "ke",
    "liye",
    "یار",
    "بھائی",
    "ذرا",
    "ابھی",
    "اب",
    "فورا",
    "جلدی",
    "ارے",
    "اوئے",
    "جی",
    "نہیں",
    "پلیز",
    "خدا",
    "کے",
    "لیے",
];

/// Words beside a stop word that change nothing.
pub(super) const BESIDE: &[&str] = &[
    "e",
    "em",
    "motor",
    "motors",
    "machine",
    "gripper",
    "program",
    "it",
    "that",
    "this",
    "at",
    "once",
    "everything",
    "anything",
    "moving",
    "all",
    "emergency",
    "the",
    "arm",
    "there",
    "here",
    "doing",
    "what",
    "whatever",
    "you",
    "youre",
    "ur",
    "can",
    "could",
    "will",
    "would",
    "must",
    "should",
    "need",
    "have",
    "to",
    "i",
    "said",
    "say",
    "want",
    "told",
    "working",
    "jao",
    "ja",
    "jaen",
    "jain",
    "jayen",
    "jaiye",
    "jaye",
    "karo",
    "karein",
    "kar",
    "do",
    "dein",
    "lo",
    "yahin",
    "wahin",
    "na",
    "sab",
    "kuch",
    "isay",
    "ise",
    "isko",
    "isey",
    "usay",
    "use",
    "usko",
    "ko",
    "haath",
    "hath",
    "tum",
    "aap",
    "جاؤ",
    "جاو",
    "جا",
    "جائیں",
    "جائیے",
    "کرو",
    "کریں",
    "کر",
    "دو",
    "دیں",
    "لو",
    "یہیں",
    "وہیں",
    "نا",
    "سب",
    "کچھ",
    "اسے",
    "اس",
    "کو",
    "ہاتھ",
    "تم",
    "آپ",
    "روبوٹ",
    "بازو",
];

/// How an order begins that has the form of a question.
pub(super) const LEADS: &[&[&str]] = &[
    &["why", "dont", "you"],
    &["why", "do", "not", "you"],
    &["why", "do", "you", "not"],
    &["why", "wont", "you"],
    &["why", "not"],
    &["cant", "you"],
    &["wont", "you"],
    &["couldnt", "you"],
    &["wouldnt", "you"],
];

/// Whole lines that stop although none of their words does.
pub(super) const LINES: &[&str] = &[
    "hold it",
    "hold it there",
    "cut it out",
    "thats enough",
    "that is enough",
    "this is enough",
    "enough",
    "enough of that",
    "enough of this",
    "cancel",
    "cancel it",
    "cancel that",
    "cancel this",
    "cancel all",
    "cancel everything",
    "cancel the plan",
    "cancel the task",
    "cancel the run",
    "call it off",
    "dont move",
    "do not move",
    "dont you move",
    "nobody move",
    "emergency",
    "shut down",
    "shut it down",
    "power off",
    "power down",
    "turn off",
    "turn it off",
    "switch off",
    "switch it off",
    "come to a stop",
    "come to a full stop",
    "come to a halt",
    "kafi hai",
    "kaafi hai",
    "bohat ho gaya",
    "bas bohat ho gaya",
    "bas kafi hai",
    "cancel karo",
    "cancel kar do",
    "cancel kr do",
    "hilo mat",
    "mat hilo",
    "hilna mat",
    "کافی ہے",
    "بہت ہو گیا",
    "بس بہت ہو گیا",
    "کینسل کرو",
    "کینسل کر دو",
    "منسوخ کرو",
    "منسوخ کر دو",
    "ہلو مت",
    "مت ہلو",
    "ہلنا مت",
];

/// What makes "stop" before it the name of a thing.
pub(super) const BUTTONS: &[&str] = &[
    "sign", "signs", "button", "buttons", "light", "lights", "line", "watch", "bar",
];

/// Words before a stop word that deny it. "Nahi ruko" is "no, stop", and "it didn't
/// stop" complains.
pub(super) const DENYING: &[&str] = &[
    "dont", "donot", "dnt", "not", "never", "without", "neednt", "shouldnt", "mustnt", "mat", "na",
    "bina", "baghair", "مت", "نہ", "بنا", "بغیر",
];

/// Of these, the Urdu ones, which stand just before their verb.
pub(super) const URDU_DENYING: &[&str] =
    &["mat", "na", "bina", "baghair", "مت", "نہ", "بنا", "بغیر"];

/// Words after it that do. "Ruko na" is a friendly "do stop".
pub(super) const DENYING_AFTER: &[&str] = &["mat", "nahi", "nahin", "مت", "نہیں"];

/// Words that carry a negation on to a stop word.
pub(super) const CARRYING: &[&str] = &["ever", "even", "just", "dare", "suddenly", "abruptly"];

/// Verbs that carry it on with "to" before the stop word.
pub(super) const WISHING: &[&str] = &[
    "want", "need", "have", "going", "wish", "try", "tell", "ask", "allow", "allowed", "plan",
    "mean", "supposed", "dare", "like", "order",
];

/// Verbs that carry it on without: "don't let it stop", "don't say stop".
pub(super) const LETTING: &[&str] = &["let", "make", "say"];

/// Whom a wish is about; none of them is a verb.
pub(super) const PRONOUNS: &[&str] = &[
    "it",
    "you",
    "me",
    "us",
    "him",
    "her",
    "them",
    "the",
    "arm",
    "robot",
    "isko",
    "usko",
    "inko",
    "unko",
    "tumko",
    "mujhko",
    "hamko",
    "sabko",
    "kisko",
    "اسکو",
    "تمکو",
    "مجھکو",
];

/// What goes on, beside a denied stop.
pub(super) const GOING_ON: &[&str] = &[
    "chalte", "chalo", "chalao", "chalna", "raho", "jaldi", "جلدی", "jari", "jaari", "rakho",
    "aage", "aagay", "age", "barho", "badho", "karte", "kaam", "lage", "چلتے", "چلو", "چلاؤ", "رہو",
    "جاری", "رکھو", "آگے", "بڑھو", "کرتے", "کام", "لگے",
];

/// What begins a clause that says when.
pub(super) const LATER: &[&str] = &["until", "till", "unless", "before", "when"];

/// Who says it there.
pub(super) const SUBJECTS: &[&str] = &[
    "i", "we", "you", "he", "she", "they", "it", "me", "us", "someone", "the", "arm", "robot",
    "to", "a", "word", "button",
];

/// What is done there.
pub(super) const SAYING: &[&str] = &[
    "say", "says", "said", "tell", "tells", "told", "shout", "yell", "call", "scream", "type",
    "write", "ask", "order", "hear", "press", "want", "need", "have",
];

/// After "ruk" and "rok", no order.
pub(super) const VERB_ENDS: &[&str] = &[
    "kar", "ke", "gaya", "gaye", "gayi", "gaya", "raha", "rahe", "rahi", "sakte", "sakta", "jata",
    "jate", "کر", "کے", "گیا", "گئے", "گئی", "رہا", "رہے", "رہی", "سکتے", "سکتا",
];

/// What joins a step to another.
pub(super) const JOINTS: &[&str] = &["and", "then", "aur", "phir", "اور", "پھر"];

/// Where or when a step ends.
pub(super) const PLACES: &[&str] = &[
    "at", "in", "on", "when", "once", "after", "before", "there", "near", "by", "above", "over",
    "until", "till", "for", "next", "right", "left", "just", "short", "close", "beside", "behind",
    "then", "and",
];

/// How long is waited, before the stop word.
pub(super) const WAITS: &[&str] = &[
    "second",
    "seconds",
    "minute",
    "minat",
    "minutes",
    "lamha",
    "lamhe",
    "der",
    "dair",
    "سیکنڈ",
    "منٹ",
    "لمحہ",
    "لمحے",
    "دیر",
];

/// Who or what makes a statement of a stop word after it.
pub(super) const TELLING: &[&str] = &[
    "will", "would", "could", "should", "may", "might", "does", "did", "i", "we", "they", "who",
    "which", "always", "cannot",
];

/// What a question about stopping begins with.
pub(super) const SPEAKERS: &[&str] = &[
    "did", "do", "does", "why", "when", "where", "how", "what", "will", "would", "if",
];
