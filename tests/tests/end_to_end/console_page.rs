//! The operator's page in a browser, before the real robot's server.

use super::{
    browser::Browser,
    handing_over::UNSURE,
    serving::{serve, serve_with},
};

/// What the page is asked for again and again.
const MODE: &str = "document.getElementById('mode').textContent";

fn say(browser: &mut Browser, text: &str) {
    browser.value("document.getElementById('text').focus()");
    browser.write(text);
    browser.press("Enter");
}

/// Nothing is wider than the window.
fn assert_fits(browser: &mut Browser, name: &str) {
    let wide = browser.value(
        "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.hidden')).map(e => e.tagName + '#' + e.id + '.' + e.className)",
    );
    assert_eq!(wide, serde_json::json!([]), "{name}");
}

/// The page at this size, light and dark.
fn pictures(browser: &mut Browser, name: &str) {
    for (size, word) in [((1280, 1000), "desktop"), ((360, 780), "phone")] {
        for (is_dark, tone) in [(false, "light"), (true, "dark")] {
            browser.look(size, is_dark);
            let picture = browser.picture(&format!("{name}-{word}-{tone}"));
            assert!(picture.len() > 10_000, "an empty picture");
            assert_fits(browser, &format!("{name}-{word}"));
            let stop = browser.value(
                "(() => { const r = document.getElementById('stop').getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight && document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2).id === 'stop'; })()",
            );
            assert_eq!(stop, true, "STOP is on the screen: {name}-{word}");
        }
    }
    browser.look((1280, 1000), false);
}

#[test]
fn a_person_tells_watches_stops_and_resets_a_robot_on_the_page() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let served = serve(&[]);
    browser.look((1280, 1000), false);
    browser.open(&format!("http://{}/", served.address()));
    // Live: a state came, with joints, a rate and a picture.
    browser.wait("document.body.classList.contains('fresh')");
    browser.wait("document.querySelectorAll('.joint').length === 8");
    browser.wait("parseFloat(document.getElementById('hz').textContent) > 300");
    browser.wait("cameras.get('front').bitmap && cameras.get('wrist').bitmap");
    browser.wait("document.getElementById('trip').textContent.endsWith('ms')");
    // Keyboard: the first stop of Tab is STOP.
    browser.press("Tab");
    let first = browser.value("document.activeElement.id");
    assert_eq!(first, "stop");

    // A command, its plan, and a step that is measured to be done.
    say(&mut browser, "go home");
    browser.wait("document.querySelector('.step.done') && document.getElementById('ended').textContent.startsWith('✓')");
    say(&mut browser, "put the yellow block in the red bowl");
    browser.wait("document.querySelector('.step.running')");
    browser.wait("page.points.length > 3");
    browser.wait("cameras.get('front').gaze !== null");
    pictures(&mut browser, "running");

    // STOP by key, while something else has the focus; latched.
    browser.value("document.getElementById('text').focus()");
    browser.press("Escape");
    browser.wait(&format!("{MODE} === 'stopped'"));
    browser.wait("!document.getElementById('halted').hidden && document.getElementById('why').textContent.includes('person')");
    browser.wait("document.querySelector('.step.interrupted') && document.getElementById('ended').textContent !== ''");
    pictures(&mut browser, "stopped");
    browser.wait("!document.getElementById('reset').disabled");
    browser.value("document.getElementById('reset').click()");
    browser.wait(&format!("{MODE} === 'at rest'"));
    browser.wait("document.getElementById('halted').hidden");
    say(&mut browser, "go home");
    browser.wait("document.getElementById('ended').textContent.startsWith('✓')");

    // A question is answered with a button; the log has the answer's words.
    say(&mut browser, "pick up the block");
    browser.wait("!document.getElementById('asking').hidden && document.querySelectorAll('#choices button').length > 1");
    pictures(&mut browser, "asking");
    browser.value("window.chosen = document.querySelector('#choices button').textContent");
    browser.value("document.querySelector('#choices button').click()");
    browser.wait(
        "document.getElementById('asking').hidden && document.querySelector('.step.running')",
    );
    browser.wait("[...document.querySelectorAll('#log .you')].pop().textContent === chosen");
    // STOP by pointer.
    browser.value("document.getElementById('stop').click()");
    browser.wait(&format!("{MODE} === 'stopped'"));

    // Without a server nothing is shown as if it were now.
    drop(served);
    browser.wait(
        "document.body.classList.contains('stale') && !document.getElementById('lost').hidden",
    );
    pictures(&mut browser, "lost");
}

#[test]
fn the_page_asks_for_a_person_s_hand_where_the_server_does() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let served = serve(&["--dead-man-ms", "1500"]);
    browser.look((1280, 1000), false);
    browser.open(&format!("http://{}/", served.address()));
    browser.wait("!document.getElementById('presence').hidden");
    // Nobody was there: the robot stops, and a reset alone does not help.
    browser.wait(&format!("{MODE} === 'stopped'"));
    browser.value("hold(true)");
    browser.wait("document.getElementById('hold').getAttribute('aria-pressed') === 'true'");
    browser.wait("!document.getElementById('reset').disabled");
    browser.value("document.getElementById('reset').click()");
    browser.wait(&format!("{MODE} === 'at rest'"));
    say(&mut browser, "go home");
    browser.wait("document.querySelector('.step.done')");
    browser.value("hold(false)");
    browser.wait(&format!("{MODE} === 'stopped'"));
}

#[test]
fn a_person_takes_a_moving_arm_on_the_page() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let served = serve(&[]);
    browser.look((1280, 1000), false);
    browser.open(&format!("http://{}/", served.address()));
    browser.wait("document.body.classList.contains('fresh')");
    let is_hidden = browser.value("document.getElementById('take-over').hidden");
    assert_eq!(is_hidden, true, "nothing runs");
    say(&mut browser, "put the yellow block in the red bowl");
    browser.wait(
        "document.querySelector('.step.running') && !document.getElementById('take-over').hidden",
    );
    browser.value("document.getElementById('take-over').click()");
    // One picture: the arm does not wait for more.
    browser.picture("taking-desktop-light");
    browser.wait("!document.getElementById('hand').hidden && document.getElementById('authority').textContent === 'a person'");
    browser.wait("document.getElementById('take-over').hidden && document.getElementById('log').textContent.includes('(by hand)')");
    pictures(&mut browser, "taken");
    browser.value("document.querySelector('[data-choose=give_back]').click()");
    browser.wait("document.getElementById('hand').hidden");
    browser.wait("document.getElementById('ended').textContent.startsWith('✓')");
}

/// Presses the button with these words among the answers of a question.
fn choose(browser: &mut Browser, words: &str) {
    browser.value(&format!(
        "[...document.querySelectorAll('#choices button')].find(b => b.textContent === '{words}').click()"
    ));
}

#[test]
fn a_person_takes_the_arm_over_on_the_page_corrects_and_gives_it_back() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let served = serve_with(UNSURE, &[]);
    browser.look((1280, 1000), false);
    browser.open(&format!("http://{}/", served.address()));
    browser.wait("document.body.classList.contains('fresh')");
    browser.value(
        "document.querySelectorAll('#doing div').length === 6 || (() => { throw 'no health' })()",
    );

    // Command, hold, question.
    say(&mut browser, "pick up any block");
    browser.wait("!document.getElementById('asking').hidden && [...document.querySelectorAll('#choices button')].some(b => b.textContent === 'take over')");
    pictures(&mut browser, "unsure");
    let is_hidden = browser.value("document.getElementById('hand').hidden");
    assert_eq!(is_hidden, true, "nobody has the arm yet");

    // The arm in a person's hand: it moves while a key is held, and no longer.
    choose(&mut browser, "take over");
    browser.wait("!document.getElementById('hand').hidden && document.getElementById('authority').textContent === 'a person'");
    pictures(&mut browser, "hand");
    browser.value("window.before = page.state.joints.slice()");
    let moved = "Math.max(...page.state.joints.map((at, i) => Math.abs(at - before[i])))";
    browser.value("document.querySelector('[aria-keyshortcuts=PageUp]').dispatchEvent(new PointerEvent('pointerdown', { pointerId: 1 }))");
    browser.wait("wished !== null");
    browser.wait(&format!("{moved} > 0.02"));
    browser.value("still()");
    browser.wait("page.state.at_rest && wished === null");
    browser.value("window.before = page.state.joints.slice()");
    browser.wait("page.state.t > (window.after = window.after || page.state.t) + 1");
    let drift = browser.value(moved).as_f64().unwrap();
    assert!(drift < 0.01, "let go and still moving: {drift} rad");

    // What follows is the correction; then the policy has the arm again.
    browser.value("document.querySelector('[data-choose=correct]').click()");
    browser.wait(
        "document.getElementById('log').textContent.includes('what you do now is the correction')",
    );
    browser.value("document.querySelector('[data-choose=give_back]').click()");
    browser.wait("document.getElementById('hand').hidden");
    // It goes on by itself; when it is unsure again it is told to.
    for _ in 0..8 {
        browser.wait("document.getElementById('ended').textContent !== '' || !document.getElementById('asking').hidden");
        let is_over = browser.value("document.getElementById('ended').textContent !== ''");
        if is_over == true {
            break;
        }
        choose(&mut browser, "continue");
        browser.wait("document.getElementById('ended').textContent !== '' || document.getElementById('asking').hidden");
    }
    browser.wait("document.getElementById('ended').textContent.startsWith('✓')");
    pictures(&mut browser, "done");
}

#[test]
fn a_person_teaches_on_the_page_and_looks_back_on_it() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let served = serve(&["--record", folder.path().to_str().unwrap()]);
    browser.look((1280, 1000), false);
    browser.open(&format!("http://{}/", served.address()));
    browser.wait(
        "document.body.classList.contains('fresh') && !document.getElementById('episodes').hidden",
    );
    browser.wait(
        "document.getElementById('episode-list').textContent.includes('Nothing was recorded')",
    );

    // A sentence, then the arm is the person's until it is kept.
    browser.value("document.getElementById('text').focus()");
    browser.write("put the yellow block in the red bowl");
    browser.wait("!document.getElementById('teach').disabled");
    browser.value("document.getElementById('teach').click()");
    browser.wait("!document.getElementById('hand').hidden && document.getElementById('hand-title').textContent === 'Show me: pick up the yellow block'");
    pictures(&mut browser, "teaching");
    let hold = |browser: &mut Browser, key: &str, joint_rad: f64| {
        browser.value("window.before = page.state.joints.slice()");
        browser.value(&format!("document.querySelector('[aria-keyshortcuts={key}]').dispatchEvent(new PointerEvent('pointerdown', {{ pointerId: 1 }}))"));
        browser.wait(&format!(
            "Math.max(...page.state.joints.map((at, i) => Math.abs(at - before[i]))) > {joint_rad}"
        ));
        browser.value("still()");
        browser.wait("page.state.at_rest");
    };
    hold(&mut browser, "PageDown", 0.3);
    browser.value("document.getElementById('lesson-next').click()");
    browser.wait("document.getElementById('hand-title').textContent.includes('place the yellow block') && document.getElementById('lesson-next').hidden");
    hold(&mut browser, "ArrowLeft", 0.2);
    browser.value("document.querySelector('[data-choose=keep]').click()");
    browser.wait("document.getElementById('hand').hidden && document.getElementById('log').textContent.includes('kept: ')");

    // The episode is listed, and is shown with pictures, curves and bands.
    browser.wait("document.querySelectorAll('.episode').length === 1");
    browser.value("document.querySelector('.episode').click()");
    browser.wait(
        "replay.course && hasPictures(0) && [...replay.kept.values()].every(picture => picture)",
    );
    let bands = browser.value("[replay.course.who.map(b => b.word), replay.course.steps.length]");
    assert_eq!(bands, serde_json::json!([["human"], 2]));
    let focus = browser.value("document.activeElement.id");
    assert_eq!(focus, "replay-play", "a keyboard goes on from there");
    browser.press("Enter");
    browser.wait("replay.frame > 3");
    browser.press("Enter");
    browser.wait("!replay.isPlaying");
    // The scrub bar is a slider: the last moment by key.
    browser.value("document.getElementById('replay-at').focus()");
    browser.press("End");
    browser.wait("replay.frame === replay.course.frames - 1 && hasPictures(replay.frame)");
    browser.wait(
        "document.getElementById('replay-now').textContent.includes('place the yellow block')",
    );
    for id in ["curve-joints", "curve-trust"] {
        browser.value(&format!("document.getElementById('{id}').click()"));
        browser.value("document.getElementById('replay').scrollIntoView()");
        pictures(&mut browser, id);
    }
}
