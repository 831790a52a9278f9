//! Which failures are worth another try, and when.
//!
//! Pure: takes a status, headers and a body, gives an error for the ladder and
//! the advice whether to ask again.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::http_date::parse_http_date;
use crate::backend::BackendError;
use crate::plan_reply::quote;

/// How often and how fast a failed call is repeated. All repeats stay inside
/// of the request's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySettings {
    /// Most repeats of one call.
    pub retries: u32,
    /// Pause before the first repeat; it doubles with each.
    pub first_pause: Duration,
    /// Longest pause that is chosen here. A server may ask for more.
    pub longest_pause: Duration,
    /// Seed of the jitter, which shortens each pause by up to a quarter.
    pub seed: u64,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            retries: 2,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(8),
            seed: 0,
        }
    }
}

impl RetrySettings {
    /// The pause before repeat number `attempt`, from 0.
    #[must_use]
    pub fn pause(&self, attempt: u32) -> Duration {
        let doubled = self
            .first_pause
            .saturating_mul(2_u32.saturating_pow(attempt));
        let whole = doubled.min(self.longest_pause);
        whole.mul_f64(1.0 - 0.25 * unit_draw(self.seed, attempt))
    }
}

/// A number in 0..1 that depends on both arguments (SplitMix64).
fn unit_draw(seed: u64, attempt: u32) -> f64 {
    let mut state = seed.wrapping_add(
        u64::from(attempt)
            .wrapping_add(1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15),
    );
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^= state >> 31;
    #[expect(clippy::cast_precision_loss, reason = "32 bits fit exactly")]
    let unit = (state >> 32) as f64 / 4_294_967_296.0;
    unit
}

/// Whether a failed call may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It would fail again.
    Never,
    /// After a pause of our own.
    Backoff,
    /// After the pause that the server asked for.
    After(Duration),
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallFault {
    pub(crate) error: BackendError,
    pub(crate) again: Again,
}

impl CallFault {
    /// A fault that stays.
    pub(crate) fn lasting(error: BackendError) -> Self {
        Self {
            error,
            again: Again::Never,
        }
    }

    /// A fault that may pass.
    pub(crate) fn passing(detail: impl Into<String>) -> Self {
        Self {
            error: BackendError::Unreachable {
                detail: detail.into(),
            },
            again: Again::Backoff,
        }
    }

    /// An answer that cannot be used.
    pub(crate) fn bad_reply(detail: impl Into<String>) -> Self {
        Self::lasting(BackendError::BadReply {
            detail: detail.into(),
        })
    }
}

/// The names of the error in a body: its type, code and message.
#[derive(Debug, Default)]
struct ErrorBody {
    kind: String,
    code: String,
    message: String,
}

impl ErrorBody {
    fn read(body: &str) -> Self {
        let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let error = &value["error"];
        let text = |value: &Value| value.as_str().map(quote).unwrap_or_default();
        if error.is_null() {
            return Self {
                message: quote(body),
                ..Self::default()
            };
        }
        let message = [&error["message"], error].map(text);
        Self {
            kind: text(&error["type"]),
            code: [&error["details"]["error_code"], &error["code"]]
                .map(text)
                .concat(),
            message: message
                .into_iter()
                .find(|it| !it.is_empty())
                .unwrap_or_default(),
        }
    }

    fn says(&self, words: &[&str]) -> bool {
        let all = format!("{} {} {}", self.kind, self.code, self.message).to_lowercase();
        words.iter().any(|word| all.contains(word))
    }
}

/// What an answer that is not 2xx means. `header` looks a header up by its
/// lower-case name; `body` must be scrubbed of keys.
pub(crate) fn classify(
    status: u16,
    header: &dyn Fn(&str) -> Option<String>,
    body: &str,
    now: SystemTime,
) -> CallFault {
    let error = ErrorBody::read(body);
    let named = if error.kind.is_empty() {
        format!("HTTP {status}")
    } else {
        format!("HTTP {status} {}", error.kind)
    };
    let detail = if error.message.is_empty() {
        named
    } else {
        format!("{named}: {}", error.message)
    };
    let rejected = |detail: String| CallFault::lasting(BackendError::Rejected { detail });
    let spent = error.says(&[
        "spend_limit",
        "spend limit",
        "insufficient_quota",
        "credit balance",
        "billing",
    ]);
    if status == 402 || (spent && matches!(status, 400 | 403 | 429)) {
        return CallFault::lasting(BackendError::Budget { detail });
    }
    match status {
        300..=399 => rejected(format!(
            "HTTP {status}: the address sends elsewhere, which is not followed; set the final address"
        )),
        401 | 403 => rejected(format!("{detail} (is the key right?)")),
        408 | 409 | 429 | 500..=599 => {
            let again = match header("x-should-retry").as_deref() {
                Some("false") => Again::Never,
                _ => asked_pause(header, now).map_or(Again::Backoff, Again::After),
            };
            CallFault {
                error: BackendError::Unreachable { detail },
                again,
            }
        }
        _ if header("x-should-retry").as_deref() == Some("true") => CallFault {
            error: BackendError::Unreachable { detail },
            again: asked_pause(header, now).map_or(Again::Backoff, Again::After),
        },
        _ => rejected(detail),
    }
}

/// The pause that the server asks for, in any of its three forms.
fn asked_pause(header: &dyn Fn(&str) -> Option<String>, now: SystemTime) -> Option<Duration> {
    let number = |name: &str, unit: f64| {
        let value: f64 = header(name)?.trim().parse().ok()?;
        let seconds = value * unit;
        // NaN, negative and endless pauses are no answer.
        if seconds > 0.0 && seconds < 1e6 {
            Duration::try_from_secs_f64(seconds).ok()
        } else {
            None
        }
    };
    number("retry-after-ms", 1e-3)
        .or_else(|| number("retry-after", 1.0))
        .or_else(|| {
            let until = parse_http_date(&header("retry-after")?)?;
            let now = header("date")
                .and_then(|date| parse_http_date(&date))
                .unwrap_or(now);
            until.duration_since(now).ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, headers: &[(&str, &str)], body: &str) -> CallFault {
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        classify(status, &header, body, SystemTime::UNIX_EPOCH)
    }

    const LIMITED: &str =
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#;
    const CAPPED: &str = r#"{"type":"error","error":{"type":"rate_limit_error","message":"no more",
        "details":{"error_code":"enforced_spend_limit_reached"}}}"#;

    #[test]
    fn what_may_pass_is_tried_again_when_the_server_says() {
        for (status, headers, expected) in [
            (429, vec![], Again::Backoff),
            (
                429,
                vec![("retry-after", "3")],
                Again::After(Duration::from_secs(3)),
            ),
            (
                503,
                vec![("retry-after-ms", "250"), ("retry-after", "9")],
                Again::After(Duration::from_millis(250)),
            ),
            (
                429,
                vec![
                    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                    ("retry-after", "Sun, 06 Nov 1994 08:49:39 GMT"),
                ],
                Again::After(Duration::from_secs(2)),
            ),
            (429, vec![("retry-after", "NaN")], Again::Backoff),
            (429, vec![("retry-after", "-1")], Again::Backoff),
            (529, vec![("x-should-retry", "false")], Again::Never),
            (400, vec![("x-should-retry", "true")], Again::Backoff),
            (500, vec![], Again::Backoff),
            (400, vec![], Again::Never),
            (404, vec![], Again::Never),
            (307, vec![("location", "http://elsewhere")], Again::Never),
        ] {
            assert_eq!(
                fault(status, &headers, LIMITED).again,
                expected,
                "{status} {headers:?}"
            );
        }
    }

    #[test]
    fn a_spend_cap_is_a_used_up_budget_and_never_tried_again() {
        for headers in [
            vec![],
            vec![("retry-after", "1"), ("x-should-retry", "true")],
        ] {
            let capped = fault(429, &headers, CAPPED);
            assert_eq!(capped.again, Again::Never);
            assert!(
                matches!(capped.error, BackendError::Budget { .. }),
                "{capped:?}"
            );
        }
    }

    #[test]
    fn bodies_of_any_kind_give_one_short_line() {
        for body in [
            "<html>\n<h1>413</h1>",
            "",
            "{\"error\":\"plain\"}",
            &"x".repeat(100_000),
        ] {
            let text = fault(413, &[], body).error.to_string();
            assert!(
                text.contains("413") && text.len() < 500 && !text.contains('\n'),
                "{text}"
            );
        }
        let detail = fault(
            401,
            &[],
            r#"{"error":{"type":"authentication_error","message":"no"}}"#,
        );
        assert!(
            detail
                .error
                .to_string()
                .contains("authentication_error: no")
        );
    }

    #[test]
    fn pauses_grow_and_are_shortened_by_a_seeded_quarter_at_most() {
        let settings = RetrySettings::default();
        for attempt in 0..40 {
            let whole = Duration::from_millis(500)
                .saturating_mul(2_u32.saturating_pow(attempt))
                .min(Duration::from_secs(8));
            let pause = settings.pause(attempt);
            assert!(pause <= whole && pause >= whole.mul_f64(0.75));
            assert_eq!(pause, settings.pause(attempt));
        }
        let other = RetrySettings {
            seed: 1,
            ..settings
        };
        assert_ne!(other.pause(0), settings.pause(0));
    }
}
