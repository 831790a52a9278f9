//! The page: three files without anything from elsewhere.

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{Html, IntoResponse},
    routing::get,
};

const HTML: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../page/console.css");
const SCRIPT: &str = include_str!("../page/console.js");

/// What the page may do: nothing but its own style, script and connections.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Files that hold nothing of the robot, and that a browser asks for without the
/// token of the page.
pub(crate) fn is_public(path: &str) -> bool {
    matches!(path, "/console.css" | "/console.js")
}

/// The page's routes.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move {
            let kind = (header::CONTENT_TYPE, HeaderValue::from_static(kind));
            ([kind], text).into_response()
        })
    };
    Router::new()
        .route("/", get(|| async { Html(HTML) }))
        .route("/console.css", file("text/css; charset=utf-8", STYLE))
        .route(
            "/console.js",
            file("text/javascript; charset=utf-8", SCRIPT),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_without_a_network() {
        for text in [HTML, STYLE, SCRIPT] {
            for foreign in ["http://", "https://", "@import", "url(", "eval("] {
                assert!(!text.contains(foreign), "{foreign}");
            }
        }
        // Nothing that the policy would refuse.
        for inline in ["<style", " style=", " onclick=", "javascript:"] {
            assert!(!HTML.contains(inline), "{inline}");
        }
        assert!(!POLICY.contains("unsafe"));
        assert_eq!(HTML.matches("<script").count(), 1);
        assert!(HTML.contains(r#"<script src="console.js""#));
        assert!(HTML.contains(r#"href="console.css""#));
    }
}
