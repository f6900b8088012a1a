//! Faults on request: answers that say no, come late, are no JSON, or never come.

use serde::Deserialize;
use serde_json::{Value, json};

use super::azure;
use super::span::Span;

/// What stands in front of a workspace when it is down.
const HTML: &str =
    "<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body><pre>upstream connect error</pre></body></html>";

/// The body that stands for Azure's own.
const CONTENT_FILTER: &str = "content_filter";

/// One fault of `{"do": "fault"}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// The end of the paths that it hits, such as `/runs/get-output`; empty for all.
    pub path: String,
    /// GET or POST; both when not given.
    pub method: Option<String>,
    /// Hits only calls about this run, task run or job.
    pub id: Option<i64>,
    /// The answer's status. Without it the call is answered as ever, only late or not at all.
    pub status: Option<u16>,
    /// Seconds, as the header Retry-After.
    pub retry_after: Option<u64>,
    /// `"html"` for a page, `"content_filter"` for Azure's refusal of a prompt, else the JSON itself; without it an error of the API's shape.
    pub body: Option<Value>,
    /// How many calls it hits; without it all, until they are cleared.
    pub times: Option<u32>,
    /// The call takes effect and the connection is closed without an answer.
    pub drop_answer: bool,
    /// With `drop_answer` or `status`: whether the call takes effect first. By default it does with `drop_answer` and does not with `status`.
    pub takes_effect: Option<bool>,
    /// The answer comes so much later; the effect does not.
    #[serde(alias = "delay_ms")]
    pub delay: Span,
    /// A model's streamed answer breaks off after so many pieces.
    pub cut_after: Option<usize>,
}

/// What a fault does to one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hit {
    pub takes_effect: bool,
    pub answer: Option<Replaced>,
    pub drop_answer: bool,
    pub delay_ms: u64,
    pub cut_after: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Replaced {
    pub status: u16,
    pub retry_after: Option<u64>,
    pub content_type: &'static str,
    pub body: String,
}

impl Fault {
    /// What is wrong, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("`status` is 200 to 599".to_owned());
        }
        if self.status.is_none() && !self.drop_answer && self.delay == Span::default() && self.body.is_none() && self.cut_after.is_none() {
            return Err("nothing would happen; give `status`, `body`, `drop_answer`, `delay_ms` or `cut_after`".to_owned());
        }
        Ok(())
    }

    fn hits(&self, method: &str, path: &str, ids: &[i64]) -> bool {
        path.ends_with(&self.path)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.id.is_none_or(|id| ids.contains(&id))
    }

    fn hit(&self, path: &str) -> Hit {
        let usual = |body: &Value| if body == CONTENT_FILTER { 400 } else { 200 };
        let replaced = self.status.or_else(|| self.body.as_ref().map(usual));
        Hit {
            takes_effect: self.takes_effect.unwrap_or(replaced.is_none()),
            answer: replaced.map(|status| self.replaced(status, path)),
            drop_answer: self.drop_answer,
            delay_ms: u64::try_from(self.delay.as_ms()).unwrap_or_default(),
            cut_after: self.cut_after,
        }
    }

    fn replaced(&self, status: u16, path: &str) -> Replaced {
        let (content_type, body) = match &self.body {
            Some(Value::String(word)) if word == "html" => ("text/html; charset=utf-8", HTML.to_owned()),
            Some(Value::String(word)) if word == CONTENT_FILTER => ("application/json", azure::filtered().to_string()),
            Some(Value::String(text)) => ("text/plain; charset=utf-8", text.clone()),
            Some(json) => ("application/json", json.to_string()),
            None if azure::speaks(path) => ("application/json", azure::error(status, self.retry_after).to_string()),
            None => ("application/json", error(status).to_string()),
        };
        Replaced { status, retry_after: self.retry_after, content_type, body }
    }
}

/// The error that a workspace gives with this status.
fn error(status: u16) -> Value {
    let (code, message) = match status {
        400 => ("BAD_REQUEST", "The request was not understood."),
        401 => ("UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API."),
        403 => ("PERMISSION_DENIED", "User does not have View or Admin or Manage Run or Owner permissions on this job."),
        404 => ("RESOURCE_DOES_NOT_EXIST", "The resource does not exist."),
        409 => ("RESOURCE_CONFLICT", "The request conflicts with another one."),
        429 => ("REQUEST_LIMIT_EXCEEDED", "Too many requests. Please wait a bit and try again."),
        501 => ("NOT_IMPLEMENTED", "This endpoint is not implemented."),
        503 => ("TEMPORARILY_UNAVAILABLE", "The service is temporarily unavailable. Please try again later."),
        504 => ("DEADLINE_EXCEEDED", "The request timed out."),
        _ => ("INTERNAL_ERROR", "An internal error occurred."),
    };
    json!({"error_code": code, "message": message})
}

#[derive(Debug, Default)]
pub struct Faults {
    faults: Vec<Fault>,
}

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub fn clear(&mut self) {
        self.faults.clear();
    }

    /// The first fault that hits this call, counted down.
    pub fn take(&mut self, method: &str, path: &str, ids: &[i64]) -> Option<Hit> {
        let at = self.faults.iter().position(|fault| fault.hits(method, path, ids))?;
        let fault = self.faults.get_mut(at)?;
        let hit = fault.hit(path);
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.faults.remove(at);
            }
        }
        Some(hit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: Value) -> Fault {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_fault_hits_as_often_as_it_says_and_what_it_says() {
        let mut faults = Faults::default();
        faults.add(fault(json!({"path": "/runs/get-output", "status": 429, "retry_after": 3, "times": 2, "id": 7})));
        let mut take =
            |path: &str, ids: &[i64]| faults.take("GET", path, ids).map(|hit| hit.answer.map(|answer| (answer.status, answer.retry_after)));
        assert_eq!(take("/api/2.2/jobs/runs/get", &[7]), None);
        assert_eq!(take("/api/2.2/jobs/runs/get-output", &[8]), None);
        for want in [Some(Some((429, Some(3)))), Some(Some((429, Some(3)))), None] {
            assert_eq!(take("/api/2.2/jobs/runs/get-output", &[7]), want);
        }
    }

    fn check(json: Value, takes_effect: bool, status: Option<u16>, drop_answer: bool) {
        let hit = fault(json.clone()).hit("/api/2.2/jobs/runs/get");
        assert_eq!(
            (hit.takes_effect, hit.answer.map(|answer| answer.status), hit.drop_answer),
            (takes_effect, status, drop_answer),
            "{json}"
        );
    }

    #[test]
    fn whether_the_call_takes_effect() {
        check(json!({"status": 503}), false, Some(503), false);
        check(json!({"status": 503, "takes_effect": true}), true, Some(503), false);
        check(json!({"drop_answer": true}), true, None, true);
        check(json!({"drop_answer": true, "takes_effect": false}), false, None, true);
        check(json!({"delay_ms": 5}), true, None, false);
        check(json!({"body": "html"}), false, Some(200), false);
        assert!(Fault::default().check().is_err());
    }
}
