//! Words and phrases that mean something to a running plan: English, Urdu and
//! Urdu in Latin letters.

/// Comes to rest and waits.
pub(super) const PAUSE: &[&str] = &[
    "pause",
    "pause it",
    "pause that",
    "pause karo",
    "wait",
    "wait a moment",
    "wait a minute",
    "wait a second",
    "wait a bit",
    "wait there",
    "wait here",
    "wait wait",
    "hold",
    "hold on",
    "hold still",
    "stand still",
    "stay still",
    "stay there",
    "stay where you are",
    "hang on",
    "one moment",
    "one minute",
    "one second",
    "a moment",
    "not yet",
    "watch out",
    "look out",
    "do not do that",
    "do not do it",
    "do not do this",
    "do not",
    "do not continue",
    "do not go on",
    "careful",
    "be careful",
    "do not touch it",
    "do not touch that",
    "do not touch anything",
    "no",
    "no no",
    "no no no",
    "nope",
    "thehro",
    "thero",
    "tehro",
    "thehr jao",
    "ek minute",
    "ek minat",
    "ek second",
    "intezar karo",
    "intizar karo",
    "waqfa",
    "mat karo",
    "na karo",
    "aisa mat karo",
    "ye mat karo",
    "yeh mat karo",
    "nahi",
    "nahin",
    "nahi nahi",
    "ٹھہرو",
    "ٹھہر جاؤ",
    "ٹھہریں",
    "ٹھہریے",
    "ایک منٹ",
    "ایک سیکنڈ",
    "انتظار کرو",
    "وقفہ",
    "وقفہ کرو",
    "مت کرو",
    "نہ کرو",
    "ایسا مت کرو",
    "یہ مت کرو",
    "نہیں",
    "نہیں نہیں",
];

/// Goes on.
pub(super) const RESUME: &[&str] = &[
    "resume",
    "unpause",
    "go on",
    "go ahead",
    "continue",
    "carry on",
    "proceed",
    "keep going",
    "start again",
    "you can go on",
    "you may go on",
    "jari rakho",
    "jaari rakho",
    "chalo",
    "chalte raho",
    "aage barho",
    "aagay barho",
    "aage chalo",
    "shuru karo",
    "phir se shuru karo",
    "جاری رکھو",
    "جاری رکھیں",
    "چلو",
    "چلتے رہو",
    "آگے بڑھو",
    "آگے چلو",
    "شروع کرو",
    "پھر سے شروع کرو",
];

/// Leaves out what is being done.
pub(super) const SKIP: &[&str] = &[
    "skip",
    "skip it",
    "skip this",
    "skip that",
    "skip this one",
    "skip this step",
    "skip the step",
    "skip that step",
    "skip the current step",
    "next",
    "next step",
    "next one",
    "leave this step out",
    "leave out this step",
    "leave it out",
    "leave that out",
    "leave this out",
    "go to the next step",
    "go on to the next step",
    "skip karo",
    "ye chhor do",
    "ye chor do",
    "yeh chhor do",
    "yeh chor do",
    "isay chhor do",
    "ise chhor do",
    "is ko chhor do",
    "isko chhor do",
    "ye rehne do",
    "yeh rehne do",
    "agla",
    "agla step",
    "agla kaam",
    "agla qadam",
    "یہ چھوڑ دو",
    "اسے چھوڑ دو",
    "اس کو چھوڑ دو",
    "یہ رہنے دو",
    "اسے رہنے دو",
    "اگلا",
    "اگلا کام",
    "اگلا قدم",
];

/// Gives the arm to the person.
pub(super) const TAKE_OVER: &[&str] = &[
    "take over",
    "i take over",
    "i will take over",
    "let me take over",
    "let me",
    "let me do it",
    "let me do that",
    "let me do this",
    "i do it myself",
    "i will do it myself",
    "give me the arm",
    "give me control",
    "mujhe karne do",
    "main karta hoon",
    "main karti hoon",
    "main khud karta hoon",
    "main khud karti hoon",
    "مجھے کرنے دو",
    "میں کرتا ہوں",
    "میں کرتی ہوں",
    "میں خود کرتا ہوں",
    "میں خود کرتی ہوں",
];

pub(super) const DOING: &[&str] = &[
    "what are you doing",
    "what are you up to",
    "what is happening",
    "what is going on",
    "what happens",
    "which step",
    "which step is this",
    "which step are you at",
    "which step are you on",
    "what step are you on",
    "how far are you",
    "status",
    "kya kar rahe ho",
    "kya kar rahay ho",
    "tum kya kar rahe ho",
    "tum kya kar rahay ho",
    "aap kya kar rahe hain",
    "kya ho raha hai",
    "کیا کر رہے ہو",
    "تم کیا کر رہے ہو",
    "آپ کیا کر رہے ہیں",
    "کیا ہو رہا ہے",
];

pub(super) const WHY: &[&str] = &[
    "why",
    "why not",
    "why did you stop",
    "why have you stopped",
    "why do you stop",
    "why are you stopping",
    "why are you waiting",
    "why do you wait",
    "why did you pause",
    "why are you paused",
    "why do you hold",
    "why are you holding still",
    "why did it fail",
    "why did you fail",
    "why did it not work",
    "why did that not work",
    "what went wrong",
    "what is wrong",
    "what is the matter",
    "what is the problem",
    "what happened",
    "why did you skip it",
    "why did you change the plan",
    "kyun",
    "kyon",
    "kyun ruke",
    "kyon ruke",
    "kyu ruke",
    "tum kyun ruke",
    "tum kyon ruke",
    "tum kyu ruke",
    "kyun ruk gaye",
    "kyon ruk gaye",
    "tum kyun ruk gaye",
    "tum kyon ruk gaye",
    "kya hua",
    "kya masla hai",
    "کیوں",
    "کیوں رکے",
    "کیوں رک گئے",
    "تم کیوں رکے",
    "تم کیوں رک گئے",
    "آپ کیوں رکے",
    "آپ کیوں رک گئے",
    "کیا ہوا",
    "کیا مسئلہ ہے",
];

pub(super) const NEXT: &[&str] = &[
    "what is next",
    "what comes next",
    "what will you do next",
    "what are you going to do next",
    "what do you do next",
    "and then",
    "what then",
    "then what",
    "what is left",
    "what remains",
    "what is still to do",
    "what is left to do",
    "aage kya hai",
    "aage kya",
    "ab kya karo ge",
    "ab kya karoge",
    "phir kya",
    "phir kya karo ge",
    "is ke baad kya",
    "iske baad kya",
    "iske baad kya karo ge",
    "آگے کیا ہے",
    "اب کیا کرو گے",
    "پھر کیا",
    "پھر کیا کرو گے",
    "اس کے بعد کیا",
    "اس کے بعد کیا کرو گے",
    "کیا باقی ہے",
];

pub(super) const DONE: &[&str] = &[
    "what have you done",
    "what did you do",
    "what is done",
    "what have you finished",
    "what have you managed",
    "what did you finish",
    "what have you done until now",
    "what have you already done",
    "kya kiya",
    "tum ne kya kiya",
    "tumne kya kiya",
    "ab tak kya kiya",
    "kya kya kiya",
    "kya ho gaya",
    "کیا کیا",
    "تم نے کیا کیا",
    "اب تک کیا کیا",
    "تم نے اب تک کیا کیا",
    "آپ نے کیا کیا",
    "کیا ہو گیا",
];

pub(super) const HOLDING: &[&str] = &[
    "what do you hold",
    "what are you holding",
    "what have you got",
    "what is in your hand",
    "what is in your gripper",
    "what is in the gripper",
    "what are you carrying",
    "do you hold anything",
    "do you hold something",
    "are you holding anything",
    "are you holding something",
    "kya pakra hai",
    "tum ne kya pakra hai",
    "kya pakra hua hai",
    "haath mein kya hai",
    "hath mein kya hai",
    "hath me kya hai",
    "tumhare haath mein kya hai",
    "tumhare hath mein kya hai",
    "کیا پکڑا ہے",
    "تم نے کیا پکڑا ہے",
    "تم نے کیا پکڑا ہوا ہے",
    "ہاتھ میں کیا ہے",
    "تمہارے ہاتھ میں کیا ہے",
    "آپ کے ہاتھ میں کیا ہے",
];

pub(super) const SURE: &[&str] = &[
    "are you sure",
    "are you certain",
    "are you confident",
    "how sure are you",
    "how certain are you",
    "how confident are you",
    "really",
    "sure",
    "pakka",
    "pakki baat hai",
    "yaqeen hai",
    "kya yaqeen hai",
    "kya tumhein yaqeen hai",
    "kya tumhe yaqeen hai",
    "tumhein yaqeen hai",
    "یقین ہے",
    "کیا یقین ہے",
    "کیا تمہیں یقین ہے",
    "تمہیں یقین ہے",
    "کیا آپ کو یقین ہے",
    "پکا",
];

pub(super) const PLAN: &[&str] = &[
    "what is the plan",
    "what is your plan",
    "show the plan",
    "show me the plan",
    "tell me the plan",
    "what are the steps",
    "which steps are there",
    "plan kya hai",
    "mansooba kya hai",
    "منصوبہ کیا ہے",
];

/// What a line begins with that takes something back.
pub(super) const OBJECTIONS: &[&str] = &[
    "no", "nope", "not", "wrong", "sorry", "actually", "rather", "nahi", "nahin", "nai", "na",
    "نہیں", "نہ",
];

/// What stands anywhere in a line that asks for something else.
pub(super) const INSTEAD: &[&str] = &["instead", "meant", "bajaye", "bajae", "بجائے"];

/// This before the others.
pub(super) const FIRST: &[&str] = &["first", "pehle", "pehlay", "pahle", "پہلے"];

/// Several things in an order: a command of its own.
pub(super) const SEQUENCE: &[&str] = &[
    "then",
    "after",
    "afterwards",
    "before",
    "finally",
    "phir",
    "uske",
    "baad",
    "پھر",
    "بعد",
];

/// Besides, at the beginning.
pub(super) const ALSO: &[&str] = &["also", "additionally", "besides"];
/// Besides, at the end.
pub(super) const TOO: &[&str] = &["too", "also"];
/// Besides, anywhere.
pub(super) const ALSO_ANYWHERE: &[&str] = &["bhi", "بھی"];
/// All of these.
pub(super) const ALSO_ALL: &[&str] = &["also", "additionally", "besides", "too", "bhi", "بھی"];

/// What stands before what is to be left out.
pub(super) const LEAVE_OUT: &[&[&str]] = &[
    &["leave", "out"],
    &["skip"],
    &["omit"],
    &["drop", "the", "last"],
    &["without", "the"],
    &["forget", "about"],
    &["forget", "the"],
    &["do", "not", "do"],
    &["not", "the", "last"],
    &["cancel", "the"],
    &["skip", "over"],
];

/// What stands after it.
pub(super) const LEAVE_OUT_AFTER: &[&[&str]] = &[
    &["chhor", "do"],
    &["chor", "do"],
    &["rehne", "do"],
    &["mat", "karo"],
    &["چھوڑ", "دو"],
    &["چھوڑ", "دیں"],
    &["رہنے", "دو"],
    &["رہنے", "دیں"],
    &["مت", "کرو"],
];

/// Words beside the name of what is left out.
pub(super) const STEP_WORDS: &[&str] = &[
    "the", "step", "steps", "number", "part", "of", "it", "kaam", "qadam", "wala", "ko", "کام",
    "قدم", "والا", "کو",
];

pub(super) const LAST: &[&str] = &["last", "final", "aakhri", "akhri", "آخری"];

/// Words that say nothing.
const FILLERS: &[&str] = &[
    "please",
    "now",
    "hey",
    "robot",
    "vola",
    "ok",
    "okay",
    "just",
    "um",
    "uh",
    "oh",
    "so",
    "well",
    "right",
    "currently",
    "exactly",
    "far",
    "there",
    "yes",
    "zara",
    "yaar",
    "bhai",
    "meherbani",
    "then",
    "ذرا",
    "پلیز",
    "براہ",
    "کرم",
    "مہربانی",
    "جی",
    "ہاں",
];

/// Short forms, written out.
const SHORT: &[(&str, &[&str])] = &[
    ("what's", &["what", "is"]),
    ("whats", &["what", "is"]),
    ("why'd", &["why", "did"]),
    ("what're", &["what", "are"]),
    ("don't", &["do", "not"]),
    ("dont", &["do", "not"]),
    ("you've", &["you", "have"]),
    ("isn't", &["is", "not"]),
    ("didn't", &["did", "not"]),
    ("where's", &["where", "is"]),
];

/// Number of an ordinal or a numeral, from 1.
pub(super) fn ordinal(word: &str) -> Option<usize> {
    const ORDINALS: [&[&str]; 10] = [
        &["first", "one", "pehla", "پہلا"],
        &["second", "two", "dusra", "doosra", "دوسرا"],
        &["third", "three", "teesra", "تیسرا"],
        &["fourth", "four", "chautha", "چوتھا"],
        &["fifth", "five", "panchwan", "پانچواں"],
        &["sixth", "six", "چھٹا"],
        &["seventh", "seven", "ساتواں"],
        &["eighth", "eight", "آٹھواں"],
        &["ninth", "nine", "نواں"],
        &["tenth", "ten", "دسواں"],
    ];
    let digits: String = word
        .chars()
        .map_while(|letter| letter.to_digit(10).and_then(|d| char::from_digit(d, 10)))
        .collect();
    ORDINALS
        .iter()
        .position(|words| words.contains(&word))
        .map(|index| index + 1)
        .or_else(|| digits.parse().ok().filter(|number| *number > 0))
}

/// Whether a text is one of these, whole, also with letters held too long: "waaait".
pub(super) fn is_about_one_of(text: &str, texts: &[&str]) -> bool {
    texts
        .iter()
        .any(|known| crate::rules::is_same_word(text, known))
}

/// Whether a text is one of these, whole.
pub(super) fn is_one_of(text: &str, texts: &[&str]) -> bool {
    texts.contains(&text)
}

/// The words of a line: small letters, without signs, short forms written out.
#[derive(Debug)]
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn of(line: &str) -> Self {
        let mut words = Vec::new();
        let letters = crate::letters::usual(line);
        let is_inner = |letter: char| letter.is_alphanumeric() || letter == '\'';
        for word in letters.split(|letter: char| !is_inner(letter)) {
            match SHORT.iter().find(|(short, _)| *short == word) {
                Some((_, long)) => words.extend(long.iter().map(|word| (*word).to_owned())),
                None => {
                    let word = word.replace('\'', "");
                    if !word.is_empty() {
                        words.push(word);
                    }
                }
            }
        }
        Self(words)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Without words that say nothing; all of them where nothing else is left.
    pub(super) fn without_fillers(&self) -> Vec<&str> {
        let kept: Vec<&str> = self.iter().filter(|word| !FILLERS.contains(word)).collect();
        if kept.is_empty() || self.0.len() == kept.len() {
            return self.iter().collect();
        }
        // "And then?" is a question, "then" at its end no filler.
        let all = self.0.join(" ");
        if is_one_of(&all, NEXT) {
            return self.iter().collect();
        }
        kept
    }

    pub(super) fn has_any(&self, wanted: &[&str]) -> bool {
        self.iter().any(|word| wanted.contains(&word))
    }

    pub(super) fn ends_with(&self, end: &[&str]) -> bool {
        let all: Vec<&str> = self.iter().collect();
        all.ends_with(end)
    }

    /// The line without some words and without "please" and "and" before it.
    pub(super) fn text_without(&self, dropped: &[&str]) -> String {
        let mut kept: Vec<&str> = self.iter().filter(|word| !dropped.contains(word)).collect();
        while kept
            .first()
            .is_some_and(|word| FILLERS.contains(word) || *word == "and")
        {
            kept.remove(0);
        }
        if kept.ends_with(&["as", "well"]) {
            kept.truncate(kept.len() - 2);
        }
        kept.join(" ")
    }

    /// What stands after one of these beginnings.
    pub(super) fn after_any<'a>(&'a self, beginnings: &[&[&'a str]]) -> Option<Vec<&'a str>> {
        let all = self.without_fillers();
        let beginning = beginnings.iter().find(|words| all.starts_with(words))?;
        // A word of the beginning may be the name: "drop the last".
        let kept = beginning
            .iter()
            .filter(|word| LAST.contains(word))
            .copied()
            .chain(all[beginning.len()..].iter().copied());
        Some(kept.collect())
    }

    /// What stands before one of these ends.
    pub(super) fn before_any(&self, ends: &[&[&str]]) -> Option<Vec<&str>> {
        let all = self.without_fillers();
        let end = ends.iter().find(|words| all.ends_with(words))?;
        Some(all[..all.len() - end.len()].to_vec())
    }
}
