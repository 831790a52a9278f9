use serde::Deserialize;

use super::read;
use crate::problem::Problems;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Outer {
    name: Option<String>,
    count: u32,
    inner: Vec<Inner>,
    free: toml::Table,
    point: Option<[f64; 3]>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Inner {
    rate_hz: f64,
    color: Color,
    on: bool,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Color {
    #[default]
    Red,
    DarkBlue,
}

fn problems(text: &str) -> (Outer, String) {
    let mut problems = Problems::default();
    let outer = read(text.parse().unwrap(), "x.toml", &mut problems);
    (outer, problems.to_string())
}

#[test]
fn a_sound_file_is_read_whole() {
    let (outer, text) = problems(
        "name = 'a'\ncount = 3\npoint = [1, 2.5, -3]\ninner = [{rate_hz = 10, color = 'dark_blue', on = true}]\n[free]\na = [1, {b = 'c'}]",
    );
    assert_eq!(text, "");
    assert_eq!(outer.name.as_deref(), Some("a"));
    assert_eq!(outer.count, 3);
    assert_eq!(outer.point, Some([1.0, 2.5, -3.0]));
    assert_eq!(outer.inner[0].color, Color::DarkBlue);
    assert!(outer.inner[0].on && outer.inner[0].rate_hz > 9.0);
    assert_eq!(outer.free.to_string().trim(), "a = [1, { b = \"c\" }]");
}

#[test]
fn every_fault_is_reported_with_its_path() {
    let (_, text) = problems(
        "nam = 'a'\ncount = -1\npoint = [1, 2]\n[[inner]]\nrate_hz = 'fast'\ncolor = 'dark_blu'\non = 1\n[[inner]]\nrate_h = 3",
    );
    for expected in [
        "x.toml: nam: expected a known key, got unknown key `nam` (\"a\")\n  help: did you mean `name`?",
        "x.toml: count: expected a whole number from 0 to 4294967295, got -1",
        "x.toml: point: expected a list of 3, got a list of 2",
        "x.toml: inner[0].rate_hz: expected a number, got \"fast\"",
        "x.toml: inner[0].color: expected a known word, got \"dark_blu\"\n  help: did you mean `dark_blue`?",
        "x.toml: inner[0].on: expected true or false, got 1",
        "x.toml: inner[1].rate_h: expected a known key",
    ] {
        assert!(text.contains(expected), "{expected}\nnot in\n{text}");
    }
}

#[test]
fn wrong_shapes_never_panic() {
    for bad in [
        "inner = 3",
        "inner = [3]",
        "free = 'x'",
        "point = {}",
        "name = [1]",
        "count = 1.5",
    ] {
        let (_, text) = problems(bad);
        assert!(text.contains("expected"), "{bad}: {text}");
    }
}
