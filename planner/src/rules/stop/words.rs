//! The words that stop, and those beside them: English, Urdu in Latin letters, Urdu.
//! Without apostrophes; a letter said twice counts once.

/// Words that stop, alone or with others beside them.
pub(super) const WORDS: &[&str] = &[
    "stop", "sotp", "stpo", "tsop", "stp", "stopit", "halt", "freeze", "abort", "quit", "whoa",
    "woah", "ruko", "rukho", "ruk", "rukiye", "rukain", "rukein", "rukjao", "rukja", "roko",
    "rokiye", "rokein", "rok", "bas", "رکو", "رک", "رکیے", "رکیں", "رکئے", "روکو", "روک", "روکیں",
    "روکیے", "بس",
];

/// Those of them that say other things too, where they stand beside a command: "bas
/// ye rakho" is "just put this".
pub(super) const NAMED: &[&str] = &["bas", "بس", "rok", "روک"];

/// Words that change nothing, wherever they stand.
pub(super) const SOFT: &[&str] = &[
    "please", "pls", "plz", "now", "right", "immediately", "oh", "ok", "okay", "no", "hey", "vola",
    "robot", "man", "dude", "god", "sake", "for", "gods", "damn", "already", "just", "quick",
    "quickly", "wait", "so", "yaar", "yar", "bhai", "bhaiya", "zara", "abhi", "ab", "foran",
    "fauran", "jaldi", "arey", "are", "oye", "ji", "nahi", "nahin", "meherbani", "khuda", "ke",
    "liye", "یار", "بھائی", "ذرا", "ابھی", "اب", "فورا", "جلدی", "ارے", "اوئے", "جی", "نہیں",
    "پلیز", "خدا", "کے", "لیے",
];

/// Words beside a stop word that change nothing.
pub(super) const BESIDE: &[&str] = &[
    "it", "that", "this", "at", "once", "everything", "anything", "moving", "all", "emergency",
    "the", "arm", "there", "here", "doing", "what", "whatever", "you", "youre", "ur", "can",
    "could", "will", "would", "must", "should", "need", "have", "to", "i", "said", "say", "want",
    "told", "working", "jao", "ja", "jaen", "jain", "jayen", "jaiye", "jaye", "karo", "karein",
    "kar", "do", "dein", "lo", "yahin", "wahin", "na", "sab", "kuch", "isay", "ise", "isko",
    "isey", "usay", "use", "usko", "ko", "haath", "hath", "tum", "aap", "جاؤ", "جاو", "جا",
    "جائیں", "جائیے", "کرو", "کریں", "کر", "دو", "دیں", "لو", "یہیں", "وہیں", "نا", "سب", "کچھ",
    "اسے", "اس", "کو", "ہاتھ", "تم", "آپ", "روبوٹ", "بازو",
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

/// Words before a stop word that deny it. "Nahi ruko" is "no, stop".
pub(super) const DENYING: &[&str] = &[
    "dont", "not", "never", "without", "neednt", "shouldnt", "mustnt", "didnt", "mat", "na", "bina",
    "baghair", "مت", "نہ", "بنا", "بغیر",
];

/// Words after it that do. "Ruko na" is a friendly "do stop".
pub(super) const DENYING_AFTER: &[&str] = &["mat", "nahi", "nahin", "مت", "نہیں"];
