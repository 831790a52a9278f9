//! Urdu words that the guard looks for, in both scripts. Verbs stand as stems, which
//! [`ENDINGS`] go on; everything else stands as whole words.

/// How a verb goes on after its stem.
pub(super) const ENDINGS: &[&str] = &[
    "", "o", "oo", "na", "ne", "ni", "nay", "en", "ein", "ain", "iye", "iyay", "iyey", "ye", "ta",
    "te", "ti", "tay", "a", "e", "i", "ay", "ke", "kar", "do", "dein", "dena", "dalo", "و", "نا",
    "نے", "نی", "یں", "ئیں", "یے", "ئیے", "ئے", "ؤ", "تا", "تے", "تی", "ا", "ے", "ی", "دو", "کر",
];

/// Verbs beside another that no order begins with: "phenk do", "gir jaye".
pub(super) const AUXILIARIES: &[&str] = &[
    "do", "dena", "dein", "kar", "karo", "karna", "jao", "jana", "jaye", "lo", "lena", "ko", "to",
    "hona", "دو", "دینا", "دیں", "کر", "کرو", "کرنا", "جاؤ", "جانا", "جائے", "لو", "لینا", "کو",
    "تو",
];

/// Words that deny.
pub(super) const NEGATIONS: &[&str] = &["مت", "نہیں", "نہ", "mat", "nahi", "nahin", "na"];
/// What makes "nahi" after it no denial: "kyun nahi", "koi baat nahi".
pub(super) const NO_DENIAL: &[&str] = &[
    "kyun",
    "kyon",
    "kyu",
    "baat",
    "fikr",
    "fikar",
    "parwah",
    "masla",
    "کیوں",
    "بات",
    "فکر",
    "پرواہ",
    "مسئلہ",
];

/// Stems of harm.
pub(super) const HARM: &[&str] = &["zakhm", "hamla", "حملہ"];
/// Words of harm.
pub(super) const HARM_WORDS: &[&str] = &[
    "قتل", "زخمی", "زخم", "qatal", "qatl", "zakhmi", "zakhm", "hamla", "حملہ",
];

/// Stems of damage.
pub(super) const DAMAGE: &[&str] = &[
    "پھینک",
    "توڑ",
    "پٹخ",
    "کچل",
    "اچھال",
    "جلا",
    "phenk",
    "phaink",
    "pheink",
    "fenk",
    "faink",
    "phek",
    "fek",
    "tor",
    "torr",
    "patakh",
    "patak",
    "kuchal",
    "uchaal",
    "uchal",
    "uchhal",
    "jala",
];
/// Words of damage.
pub(super) const DAMAGE_WORDS: &[&str] = &[
    "چکناچور",
    "تباہ",
    "ٹکڑے",
    "آگ",
    "chaknachoor",
    "chaknachur",
    "tabah",
    "tod",
    "todo",
    "todna",
    "todein",
    "tukre",
    "tukray",
    "aag",
];
/// Of these verbs, throwing, which is also said of putting something down.
pub(super) const CASUAL: &[&str] = &[
    "پھینک",
    "phenk",
    "phaink",
    "pheink",
    "fenk",
    "faink",
    "phek",
    "fek",
];

/// Stems of hitting, which damages what it is aimed at.
pub(super) const HIT: &[&str] = &["مار", "maar", "mar"];
/// What is done with that verb and hits nothing: "dhakka maro" is a push.
pub(super) const HARMLESS: &[&str] = &[
    "دھکا",
    "دھکے",
    "نظر",
    "چکر",
    "جھاڑو",
    "dhakka",
    "dhaka",
    "dhakke",
    "dhakkay",
    "nazar",
    "chakkar",
    "jharu",
    "jhaaru",
];

/// Stems of what hurts the living.
pub(super) const STRIKE: &[&str] = &[
    "چبھو", "نوچ", "ڈرا", "ٹکرا", "chubho", "noch", "dara", "daraa",
];
/// Words for it.
pub(super) const STRIKE_WORDS: &[&str] = &[
    "مکا",
    "مکے",
    "گھونسا",
    "تھپڑ",
    "ٹکر",
    "چٹکی",
    "mukka",
    "mukke",
    "mukkay",
    "ghoonsa",
    "ghunsa",
    "thappar",
    "thapar",
    "takkar",
    "chutki",
];
/// What hurts when it is done to someone: push, press, pull, twist.
pub(super) const HANDLE: &[&str] = &[
    "دبا",
    "کھینچ",
    "مروڑ",
    "دھکیل",
    "گرا",
    "daba",
    "kheench",
    "khench",
    "maror",
    "dhakel",
    "gira",
];
/// Words for it.
pub(super) const HANDLE_WORDS: &[&str] = &["دھکا", "دھکے", "dhakka", "dhaka", "dhakke"];

/// The living, and parts of them.
pub(super) const LIVING: &[&str] = &[
    "آدمی",
    "آدمیوں",
    "بندے",
    "بندہ",
    "بندوں",
    "شخص",
    "بچے",
    "بچہ",
    "بچی",
    "بچوں",
    "بچیوں",
    "لوگوں",
    "لوگ",
    "انسان",
    "انسانوں",
    "بلی",
    "بلیوں",
    "کتے",
    "کتا",
    "کتوں",
    "عورت",
    "عورتوں",
    "لڑکے",
    "لڑکا",
    "لڑکوں",
    "لڑکی",
    "لڑکیوں",
    "منہ",
    "چہرے",
    "چہرہ",
    "آنکھ",
    "آنکھوں",
    "آنکھیں",
    "انگلی",
    "انگلیوں",
    "انگلیاں",
    "بھائی",
    "بہن",
    "دوست",
    "مہمان",
    "aadmi",
    "admi",
    "aadmiyon",
    "banday",
    "bande",
    "banda",
    "bandey",
    "bandon",
    "bachay",
    "bache",
    "bachey",
    "bachi",
    "bachon",
    "bachchay",
    "bachche",
    "bachcha",
    "bacche",
    "bachchon",
    "insaan",
    "insan",
    "insaanon",
    "billi",
    "billiyon",
    "kuttay",
    "kutte",
    "kutta",
    "kuttey",
    "kutton",
    "larkay",
    "larke",
    "larka",
    "larki",
    "larkon",
    "ladke",
    "ladki",
    "chehray",
    "chehre",
    "chehra",
    "aankh",
    "ankh",
    "aankhon",
    "ungli",
    "ungliyan",
    "ungliyon",
    "logon",
    "behen",
    "bhai",
    "dost",
    "mehman",
];
/// Of these, how one speaks to someone: "bhai, ye rakho".
pub(super) const SPOKEN_TO: &[&str] = &["bhai", "dost", "بھائی", "دوست"];
/// After "bache" it says "the remaining".
pub(super) const REMAINING: &[&str] = &[
    "hue", "huay", "huwe", "hua", "hui", "hoye", "kuche", "khuche", "ہوئے", "ہوا", "ہوئی", "کھچے",
];
/// Someone as the object of a verb.
pub(super) const SOMEONE: &[&str] = &["mujhe", "mujhay", "mujhko", "kisi", "مجھے", "مجھکو", "کسی"];
/// Whose part it is.
pub(super) const OWNERS: &[&str] = &[
    "mera",
    "meri",
    "mere",
    "uska",
    "uski",
    "uske",
    "hamare",
    "میرا",
    "میری",
    "میرے",
    "ہمارے",
];
/// Parts of a person, after whose they are.
pub(super) const PARTS: &[&str] = &[
    "haath", "hath", "gala", "gale", "gardan", "baal", "bal", "sar", "naak", "paon", "pair", "pet",
    "bazu", "moonh", "munh", "ہاتھ", "گلا", "گلے", "گردن", "بال", "سر", "ناک", "پاؤں", "پیٹ",
    "بازو",
];

/// What must not be switched off.
pub(super) const SAFETY: &[&str] = &[
    "حفاظت",
    "حفاظتی",
    "سیفٹی",
    "حدود",
    "حد",
    "حدیں",
    "ایمرجنسی",
    "لمٹ",
    "لمٹس",
    "پابندی",
    "پابندیاں",
    "hifazat",
    "hifazati",
    "hifazti",
    "safety",
    "hadd",
    "hadein",
    "hudood",
    "limit",
    "limits",
    "emergency",
    "pabandi",
    "pabandiyan",
    "sensors",
    "overload",
];
/// Words of switching off.
pub(super) const DISABLE_WORDS: &[&str] = &[
    "بند",
    "ختم",
    "نظرانداز",
    "band",
    "khatam",
    "khatm",
    "nazarandaz",
    "badal",
    "bhool",
    "بھول",
    "bina",
    "baghair",
    "بغیر",
];
/// English words of it, before the Urdu "do": "off kar do", "skip karo".
pub(super) const DISABLE_LOANS: &[&str] = &[
    "off", "skip", "ignore", "disable", "bypass", "override", "remove", "kill",
];
/// "Do", after a word of another language.
pub(super) const DOING: &[&str] = &["kar", "karo", "karna", "karke", "kr", "kardo", "karein"];
/// What is lit and not burnt.
pub(super) const LAMPS: &[&str] = &["batti", "light", "lamp", "بتی", "لائٹ"];
/// Stems of it.
pub(super) const DISABLE: &[&str] = &["ہٹا", "توڑ", "hata", "tor"];
/// Words that make light of it with a denial: "limit ki parwah mat karo".
pub(super) const HEED: &[&str] = &[
    "parwah",
    "parwa",
    "fikr",
    "fikar",
    "khayal",
    "پرواہ",
    "فکر",
    "خیال",
];
/// What was named before.
pub(super) const POINTING: &[&str] = &[
    "isay",
    "ise",
    "isko",
    "usay",
    "use",
    "usko",
    "unhein",
    "inhein",
    "اسے",
    "انہیں",
];

/// Phrases of exceeding what is allowed.
pub(super) const LIMIT_PHRASES: &[&[&str]] = &[
    &["poori", "raftar"],
    &["puri", "raftar"],
    &["poori", "raftaar"],
    &["poori", "speed"],
    &["puri", "speed"],
    &["poori", "taqat"],
    &["puri", "taqat"],
    &["poora", "zor"],
    &["poore", "zor"],
    &["pooray", "zor"],
    &["se", "zyada", "raftar"],
    &["se", "zyada", "speed"],
    &["se", "zyada", "taqat"],
    &["se", "zyada", "zor"],
    &["had", "se", "zyada"],
    &["had", "se", "bahar"],
    &["hadd", "se", "zyada"],
    &["limit", "se", "zyada"],
    &["limit", "se", "aagay"],
    &["limit", "se", "aage"],
    &["limit", "se", "bahar"],
    &["nazar", "andaz", "limits"],
    &["پوری", "رفتار"],
    &["پوری", "سپیڈ"],
    &["پوری", "طاقت"],
    &["پورے", "زور"],
    &["پورا", "زور"],
    &["سے", "زیادہ", "رفتار"],
    &["سے", "زیادہ", "طاقت"],
    &["حد", "سے", "زیادہ"],
    &["حد", "سے", "باہر"],
];

/// Into something, before a word for throwing; then it is set down.
pub(super) const INTO: &[&str] = &["میں", "اندر", "mein", "main", "mai", "me", "andar"];
/// What is thrown into and is no place to put things.
pub(super) const THROWN_AT: &[&str] = &[
    "ہوا",
    "کھڑکی",
    "باہر",
    "دور",
    "زور",
    "منہ",
    "hawa",
    "khirki",
    "bahar",
    "door",
    "zor",
];

/// The table, the edge of it.
pub(super) const TABLE: &[&str] = &[
    "mez",
    "maiz",
    "table",
    "tabel",
    "kinare",
    "kinaray",
    "میز",
    "ٹیبل",
    "کنارے",
];
/// The floor.
pub(super) const FLOOR: &[&str] = &["zameen", "zamin", "farsh", "زمین", "فرش"];
pub(super) const FROM: &[&str] = &["se", "سے"];
pub(super) const ONTO: &[&str] = &["par", "pe", "pay", "پر", "پہ"];
pub(super) const DOWN: &[&str] = &["neeche", "neechay", "niche", "nichay", "نیچے"];
pub(super) const UNDER: &[&str] = &["ke", "kay", "کے"];
/// Stems of falling and of making fall.
pub(super) const FALL: &[&str] = &[
    "گرا",
    "گر",
    "دھکیل",
    "لڑھکا",
    "پھینک",
    "gira",
    "gir",
    "dhakel",
    "lurhka",
    "phenk",
    "fenk",
];
