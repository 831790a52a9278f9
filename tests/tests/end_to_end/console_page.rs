//! The operator's page in a browser, before the real robot's server.

use super::{browser::Browser, serving::serve};

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

    // A question is answered with a button.
    say(&mut browser, "pick up the block");
    browser.wait("!document.getElementById('asking').hidden && document.querySelectorAll('#choices button').length > 1");
    pictures(&mut browser, "asking");
    browser.value("document.querySelector('#choices button').click()");
    browser.wait(
        "document.getElementById('asking').hidden && document.querySelector('.step.running')",
    );
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
