use super::*;

#[test]
fn orders_to_stop_stop() {
    let long = ["stop ".repeat(17), "رکو ".repeat(12), "stop ".repeat(400)];
    let lines = [
        "stop",
        "Stop!",
        " STOP!!! ",
        "stop stop stop",
        "halt.",
        "freeze",
        "please stop now",
        "stop right now",
        "stop everything",
        "hold it!",
        "Hold it right there!",
        "whoa",
        "emergency stop",
        "stop doing that",
        "stop what you are doing",
        "Stop what you're doing right now!",
        "can you stop",
        "Could you please stop?",
        "I said stop!",
        "why don't you stop",
        "Can’t you stop?",
        "stoooop",
        "STOPPP",
        "stopp",
        "stop!!1",
        "sotp",
        "haaalt",
        "cancel",
        "cancel, cancel!",
        "cancel that",
        "that's enough",
        "Ok, that’s enough now.",
        "enough",
        "don't move",
        "DON'T MOVE!!",
        "do not move please",
        "come to a full stop",
        "no, stop",
        "ruko",
        "rukooo",
        "Ruk jao!",
        "bas karo",
        "abhi ruko",
        "yaar ruko",
        "bhai ruk jao",
        "zara ruko",
        "zara ruko na",
        "nahi ruko",
        "isay roko",
        "robot ko rok do",
        "bas bohat ho gaya",
        "hilo mat",
        "رکو",
        "رک جاؤ!",
        "رُک جاؤ",
        "ركو",
        "رکووو",
        "رک جائیں",
        "فوراً رکو",
        "ذرا رکو",
        "یار رکو",
        "بھائی رک جاؤ",
        "اسے روکو",
        "بس",
        "بس کرو",
        "ہلو مت",
        "na na ruko",
        "nahi na ruko",
        "ruko nahi nahi",
        " - stop - ",
        "stop - stop",
        "stopstopstop",
        "rukoruko",
        "e-stop",
        "E-STOP NOW",
        "emergency!",
        "stop the motors",
        "stahp",
        "bas bas bas",
        "bas kar do",
        "rok do isko",
        "rukna",
        "shut it down",
        "turn it off!",
        "سٹاپ",
        "رکیئے",
        "why don`t you stop",
    ];
    for line in long.iter().map(String::as_str).chain(lines) {
        assert!(is_stop_word(line), "{line}");
    }
}

#[test]
fn nothing_else_is_an_order_to_stop() {
    for line in [
        "",
        "!!!",
        "1",
        "do not stop",
        "don't stop",
        "please don’t stop now",
        "put it by the stop sign",
        "stop at the bowl",
        "halt the block",
        "please",
        "now",
        "do it",
        "go",
        "what are you doing",
        "is that enough blocks",
        "don't move the red block",
        "cancel the last step",
        "bas lal block uthao",
        "drawer band karo",
        "karo",
        "mat ruko",
        "ruko mat",
        "ruko nahi",
        "na ruko",
        "مت رکو",
        "رکو مت",
        "بس لال بلاک اٹھاؤ",
        "کرو",
        "bas isko lo",
        "bas usko lo",
        "bas do",
        "بس اسے لو",
        "turn it",
        "don`t stop",
    ] {
        assert!(!is_stop_word(line), "{line}");
    }
}

#[test]
fn a_stop_word_at_an_end_calls_to_rest() {
    for line in [
        "stop, that is the wrong one",
        "stop that you fool",
        "not there, stop",
        "the green one, I said stop!",
        "oh no please stoooop it is going to fall",
        "why don't you stop this nonsense",
        "it won't stop",
        "stop at the bowl",
        "please move left stop now",
        "ye ghalat hai ruk jao",
        "ruko nahi to gir jayega",
        "ruko, ye ghalat hai",
        "nahi nahi ruko wo wala nahi",
        "ye ghalat hai, ruk jao",
        "are bhai ye kya kar rahe ho ruko",
        "رکو، یہ غلط ہے",
        "یہ غلط والا ہے رکو",
    ] {
        assert!(calls_to_rest(line), "{line}");
    }
}

#[test]
fn a_stop_word_beside_another_clause_calls_to_rest() {
    for line in [
        // A denial of something else.
        "not that one stop",
        "don't do that stop",
        "don't touch it stop",
        "not the red block stop",
        "not now stop",
        "don't please stop",
        "no don't, stop",
        "ugh why don't you just stop",
        "it did not stop",
        "ye mat karo ruko",
        "girao mat ruko",
        "na na ruko",
        "mat mat ruko",
        "ruko mat karo aisa",
        "ruko mat girao isay",
        "یہ مت کرو رکو",
        "نہ نہ رکو",
        "رکو مت کرو ایسا",
        // A time of something else.
        "before it falls stop",
        "when it tips over stop",
        "before you break it stop",
        // Something that is no thing.
        "stop watch out",
        "stop watch it",
        "the bowl is full stop",
        "close the door stop",
        // Amid a part of a line.
        "that's wrong stop it will fall",
        "careful with it stop it is hot",
        "the arm is going to hit it stop pull back now",
        "ye gir raha hai ruko dekho to sahi",
        "I am begging you to stop it is breaking",
        "یہ غلط ہے رکو گر جائے گا",
        "back off and stop you are crushing it",
        // Between signs.
        " - stop - ",
        "the red one - stop - not that",
        "wrong one (stop) wrong one",
        "oh no/stop/oh no",
        "galat hai – ruko – galat",
        // Lines that stop, and those that wait, before something else.
        "don't move, it will fall",
        "that's enough, it is full",
        "cancel, wrong bowl",
        "hold on, that is the wrong one",
        "wait that's wrong",
        "watch out it is falling",
        "thehro ye ghalat hai",
        "bas karo gir jayega",
        "rok do isay gir jayega",
        "rok isko gir raha hai",
        "bas bas gir jayega",
        "ouch, my hand",
        "STOP STOP ITS GONNA HIT",
        "my hand is stuck stop stop",
        "stop the robot its crushing my hand",
        "dont stop NO stop",
        "can't you hear me stop",
        "do not go further stop",
        "ruko nahi warna gir jayega",
        "khabardar, gir raha hai",
        "روک دو اسے گر جائے گا",
        "arey bas karo lal wala nahi",
    ] {
        assert!(calls_to_rest(line), "{line}");
    }
}

#[test]
fn denied_told_and_planned_stops_call_none() {
    for line in [
        "",
        "?!",
        "don't stop",
        "don't stop until the drawer is open",
        "please never stop",
        "go on until I say stop",
        "put it next to the stop sign",
        "stop sign left of the bowl",
        "put it at the bus stop",
        "bas lal block uthao",
        "that is high enough",
        "ruko mat",
        "mat ruko",
        "kabhi na ruko",
        "ruke bina chalte raho",
        "رکو مت",
        "مت رکو",
        "put the red block in the bowl",
        "لال بلاک پیالے میں رکھو",
        "don't you ever stop",
        "don't you dare stop",
        "don't let it stop",
        "I don't want you to stop",
        "you do not have to stop",
        "go on until I tell you to stop",
        "when I say stop",
        "ruko mat chalte raho",
        "ruko mat ruko mat",
        "kabhi mat ruko",
        "robot ko mat roko",
        "isko mat roko",
        "bring me the stop watch",
        "move left and stop at the bowl",
        "go to the bowl then stop near it",
        "aage jao aur bowl ke paas ruko phir block chhoro",
        "do second ruko phir lal block uthao",
        "thora ruk kar lal block uthao",
        "bas isko lo",
        "bas ek block do",
        "lal block uthao bas",
        "block ko rok ke rakho",
        "kyun ruk gaye tum",
        "ruko mat jaldi karo",
        "keep going don't stop",
        "where is the stop sign",
        "hold on to the block",
        "watch out for the cup",
        "wait for me",
        "put the non-stop label on the bowl",
    ] {
        assert!(!calls_to_rest(line), "{line}");
    }
    // A stop at the end of a plan is one as well.
    assert!(calls_to_rest(
        "put the red block in the bowl and stop there"
    ));
}

/// The cost grows with the line and no faster.
#[test]
fn long_lines_are_read_in_bounded_time() {
    for words in ["na ruko ", "until ruko mat ", "stop the ", "mat "] {
        let line = words.repeat(50_000);
        let begun = std::time::Instant::now();
        let _ = (is_stop_word(&line), calls_to_rest(&line));
        let taken = begun.elapsed();
        assert!(taken.as_secs_f64() < 10.0, "{words}: {taken:?}");
    }
}
