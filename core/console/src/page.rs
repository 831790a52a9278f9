//! The page: a few files without anything from elsewhere.

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{Html, IntoResponse},
    routing::get,
};

const HTML: &str = include_str!("../page/index.html");
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, type and text of each file beside the page, the scripts in the order in
/// which they are run.
const FILES: [(&str, &str, &str); 9] = [
    ("/console.css", CSS, include_str!("../page/console.css")),
    ("/page.js", JAVASCRIPT, include_str!("../page/page.js")),
    ("/plan.js", JAVASCRIPT, include_str!("../page/plan.js")),
    ("/arm.js", JAVASCRIPT, include_str!("../page/arm.js")),
    (
        "/cameras.js",
        JAVASCRIPT,
        include_str!("../page/cameras.js"),
    ),
    ("/hand.js", JAVASCRIPT, include_str!("../page/hand.js")),
    ("/replay.js", JAVASCRIPT, include_str!("../page/replay.js")),
    (
        "/episodes.js",
        JAVASCRIPT,
        include_str!("../page/episodes.js"),
    ),
    (
        "/console.js",
        JAVASCRIPT,
        include_str!("../page/console.js"),
    ),
];

/// What the page may do: nothing but its own style, script and connections.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Files that hold nothing of the robot, and that a browser asks for without the
/// token of the page.
pub(crate) fn is_public(path: &str) -> bool {
    FILES.iter().any(|(own, ..)| *own == path)
}

/// The page's routes.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move {
            let kind = (header::CONTENT_TYPE, HeaderValue::from_static(kind));
            ([kind], text).into_response()
        })
    };
    let page = Router::new().route("/", get(|| async { Html(HTML) }));
    FILES.into_iter().fold(page, |router, (path, kind, text)| {
        router.route(path, file(kind, text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_without_a_network() {
        for text in FILES.map(|(.., text)| text).into_iter().chain([HTML]) {
            for foreign in ["http://", "https://", "@import", "url(", "eval("] {
                assert!(!text.contains(foreign), "{foreign}");
            }
        }
        // Nothing that the policy would refuse.
        for inline in ["<style", " style=", " onclick=", "javascript:"] {
            assert!(!HTML.contains(inline), "{inline}");
        }
        assert!(!POLICY.contains("unsafe"));
        // Every file is asked for, the scripts in their order.
        let scripts: Vec<String> = FILES
            .iter()
            .filter(|(_, kind, _)| *kind == JAVASCRIPT)
            .map(|(path, ..)| format!(r#"<script src="{}" defer></script>"#, &path[1..]))
            .collect();
        assert_eq!(HTML.matches("<script").count(), scripts.len());
        assert!(HTML.contains(&scripts.join("\n")), "{scripts:?}");
        assert!(HTML.contains(r#"href="console.css""#));
    }
}
