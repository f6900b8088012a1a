//! An answer that is no success, read into [`ApiError`]. The platform has six ways to say no: `error_code` and `message`, `error`,
//! SCIM's `detail`, plain text, an HTML page, and nothing at all.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::lenient::Text;
use super::text;
use crate::databricks::error::ApiError;

/// Longest message of an error, bytes: it stands in log lines and on one line of the console.
const MESSAGE_BYTES_MAX: usize = 1 << 10;

/// What an answer said, apart from its status.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a str,
    /// `Location` of a redirect.
    pub location: Option<&'a str>,
    pub retry_after: Option<Duration>,
}

#[derive(Default, Deserialize)]
struct Body {
    error_code: Option<Text>,
    message: Option<Text>,
    error: Option<Text>,
    detail: Option<Text>,
}

/// Is this a web page? Databricks answers JSON to every API path; pages come from gateways, login screens and other products.
pub fn is_page(body: &str) -> bool {
    body.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('<')
}

pub fn read(call: &str, answer: &Answer<'_>) -> ApiError {
    let call = call.to_owned();
    let page = is_page(answer.body);
    let (code, message) = if page { (None, page_words(answer.body)) } else { words(answer.body) };
    let message = message.unwrap_or_else(|| format!("HTTP {} without a message", answer.status));
    let lower = message.to_lowercase();
    let code_is = |known: &[&str]| code.as_deref().is_some_and(|code| known.contains(&code));
    // Some services answer a rate limit as 400 (INVALID_STATE "… exceeding rate limit").
    let limited = code_is(&["REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"])
        || (answer.status == 400 && (lower.contains("exceeding rate limit") || lower.contains("token bucket limit")));
    match answer.status {
        429 => ApiError::RateLimited { call, message, retry_after: answer.retry_after },
        400..=499 if limited => ApiError::RateLimited { call, message, retry_after: answer.retry_after },
        300..=399 => ApiError::NotDatabricks { call, message: redirect(answer.location) },
        401 => ApiError::Unauthenticated { call, message },
        403 if refuses_token(&lower) => ApiError::Unauthenticated { call, message },
        403 => ApiError::Forbidden { call, message },
        501 => ApiError::NotOffered { call, message },
        404 if page => ApiError::NotDatabricks { call, message },
        404 if code_is(&["ENDPOINT_NOT_FOUND", "FEATURE_DISABLED", "NOT_IMPLEMENTED"]) => ApiError::NotOffered { call, message },
        404 if code.is_some() || says_missing(&lower) => ApiError::NotFound { call, message },
        // Our paths are right, so a 404 without a code is a server that does not know the path.
        404 => ApiError::NotOffered { call, message },
        400 if says_missing(&lower) => ApiError::NotFound { call, message },
        // The client is said to have gone away, or to have been too slow: what was done is not known.
        408 | 499 | 500..=599 => ApiError::Unavailable { call, status: answer.status, message },
        status => ApiError::Refused { call, status, error_code: code.unwrap_or_else(|| format!("HTTP_{status}")), message },
    }
}

/// "Run 5 does not exist", "Run: 5 in job: 3 doesn't exist". A repair that names a task which the job no longer has is refused in
/// like words, but there the run is not missing.
fn says_missing(lower: &str) -> bool {
    (lower.contains("does not exist") || lower.contains("doesn't exist")) && !lower.contains("task")
}

/// Some hosts answer 403 where others answer 401.
fn refuses_token(lower: &str) -> bool {
    ["invalid access token", "invalid token", "access token is invalid", "token expired", "token is expired", "token has expired"]
        .iter()
        .any(|words| lower.contains(words))
}

fn redirect(location: Option<&str>) -> String {
    // Without its query, which may hold a session.
    let target = location.and_then(|to| to.split(['?', '#']).next()).and_then(text::word);
    match target {
        Some(_) if location.is_some_and(|to| to.contains("private-link-validation-error")) => {
            "the workspace is reachable over private link only, and this network is not on it".to_owned()
        }
        Some(target) => format!("the host redirects to {target}; redirects are not followed, as the token would go with them"),
        None => "the host redirects without saying where to".to_owned(),
    }
}

fn words(body: &str) -> (Option<String>, Option<String>) {
    match serde_json::from_str::<Value>(body) {
        Ok(value @ Value::Object(_)) => {
            let body: Body = serde_json::from_value(value).unwrap_or_default();
            let said = [body.message, body.error, body.detail].into_iter().flatten().find(|text| !text.0.trim().is_empty());
            (body.error_code.and_then(|code| text::word(&code.0)), said.and_then(|text| short(&text.0)))
        }
        Ok(_) => (None, short(body)),
        Err(_) => plain(body),
    }
}

/// `CODE: message`, or only words.
fn plain(body: &str) -> (Option<String>, Option<String>) {
    let is_code = |word: &str| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    match body.trim().split_once(": ") {
        Some((code, rest)) if is_code(code) => (text::word(code), short(rest)),
        _ => (None, short(body)),
    }
}

/// A page's `<pre>` or `<title>`.
fn page_words(body: &str) -> Option<String> {
    let inside = |tag: &str| {
        let start = body.find(&format!("<{tag}"))?;
        let (_, rest) = body.split_at_checked(start)?;
        let (_, rest) = rest.split_once('>')?;
        short(rest.split('<').next()?)
    };
    inside("pre").or_else(|| inside("title")).or_else(|| Some("an HTML page".to_owned()))
}

fn short(raw: &str) -> Option<String> {
    text::name(raw).map(|line| text::head(&line, MESSAGE_BYTES_MAX).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, want: &str) {
        let answer = Answer { status, body, location: Some("https://elsewhere.example/login.html?error=x"), retry_after: None };
        let error = read("GET /x", &answer);
        let kind = format!("{error:?}");
        let got = format!("{} | {error}", kind.split_whitespace().next().unwrap_or_default());
        assert_eq!(got, want, "{status} {body}");
    }

    #[test]
    fn every_way_to_say_no_is_read() {
        check(
            400,
            r#"{"error_code":"INVALID_PARAMETER_VALUE","message":"Run 5 does not exist"}"#,
            "NotFound | not found: Run 5 does not exist",
        );
        check(
            400,
            r#"{"error_code":"X","message":"Run: 5 in job: 3 doesn't exist"}"#,
            "NotFound | not found: Run: 5 in job: 3 doesn't exist",
        );
        check(
            400,
            r#"{"error_code":"X","message":"Task a does not exist in job 3"}"#,
            "Refused | the workspace refused the call: X: Task a does not exist in job 3",
        );
        check(
            400,
            r#"{"error_code":"INVALID_STATE","message":"There were already 1000 jobs created, exceeding rate limit"}"#,
            "RateLimited | the workspace limits our rate (There were already 1000 jobs created, exceeding rate limit)",
        );
        check(400, r#"{"error_code":400,"message":"no"}"#, "Refused | the workspace refused the call: 400: no");
        check(400, r#"{"error":"old style"}"#, "Refused | the workspace refused the call: HTTP_400: old style");
        check(409, "ABORTED: try later", "Refused | the workspace refused the call: ABORTED: try later");
        check(401, "", "Unauthenticated | the workspace refused our token (HTTP 401 without a message)");
        check(403, "Invalid access token.", "Unauthenticated | the workspace refused our token (Invalid access token.)");
        check(403, r#"{"detail":"no rights","status":"403"}"#, "Forbidden | the workspace forbids this (no rights)");
        check(404, r#"{"error_code":"NOT_FOUND","message":"Run 8 not found"}"#, "NotFound | not found: Run 8 not found");
        check(
            404,
            r#"{"error_code":"ENDPOINT_NOT_FOUND","message":"No API found"}"#,
            "NotOffered | this workspace does not offer GET /x (No API found)",
        );
        check(404, r#"{"detail":"Not Found"}"#, "NotOffered | this workspace does not offer GET /x (Not Found)");
        check(501, r#"{"error_code":"NOT_IMPLEMENTED","message":"no"}"#, "NotOffered | this workspace does not offer GET /x (no)");
        check(404, "<html><title>404 nginx</title></html>", "NotDatabricks | the answer is not from a Databricks API: 404 nginx");
        check(502, "<html><pre>bad gateway</pre>", "Unavailable | the workspace failed to answer: HTTP 502 bad gateway");
        check(503, "", "Unavailable | the workspace failed to answer: HTTP 503 HTTP 503 without a message");
        check(429, "", "RateLimited | the workspace limits our rate (HTTP 429 without a message)");
        check(
            302,
            "",
            "NotDatabricks | the answer is not from a Databricks API: the host redirects to https://elsewhere.example/login.html; \
             redirects are not followed, as the token would go with them",
        );
        check(400, "{\"message\":\"\\u001b[2Jhi\\nthere\"}", "Refused | the workspace refused the call: HTTP_400: hi there");
    }
}
