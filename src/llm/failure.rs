//! A refusal's body, in each of the shapes that gateways and servers give it, and what it means.
//!
//! Shapes: OpenAI and Azure `{"error": {…}}`; LM Studio and Ollama `{"error": "…"}`; Databricks `{"error_code", "message"}`, and
//! `{"external_model_error": {…}}` around another provider's; API gateways `{"statusCode", "message"}`; FastAPI `{"detail": …}`; pages.

use std::time::Duration;

use serde_json::Value;

use crate::redact::control::one_line;

use super::model::ModelError;

/// So much of a message is kept, in characters: what people can use stands at its start.
const MESSAGE_CHARS_MAX: usize = 300;

/// What a server answered instead of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub message: String,
    /// The field of the request that it is about.
    pub param: String,
    code: String,
    kind: String,
    /// Content filter categories that fired.
    categories: Vec<String>,
    /// Prompt and window in tokens, where a too long prompt was counted.
    counted: Option<(f64, f64)>,
    pub retry_after: Option<Duration>,
    /// `x-should-retry`: what the server says of another try, whatever its status says.
    pub should_retry: Option<bool>,
}

/// Reads a refusal's body.
pub fn read(status: u16, body: &str, retry_after: Option<Duration>) -> Refusal {
    let mut refusal = Refusal { status, retry_after, ..Refusal::default() };
    match serde_json::from_str::<Value>(body) {
        Ok(value) => fill(&mut refusal, &value, 0),
        Err(_) => refusal.message = body.to_owned(),
    }
    refusal.message = short(&refusal.message);
    if refusal.message.is_empty() {
        refusal.message = "no reason given".to_owned();
    }
    refusal
}

/// An error that comes inside a stream that began well, or inside a 200.
pub fn in_stream(value: &Value) -> Option<Refusal> {
    let error = value.get("error").filter(|error| !error.is_null())?;
    let status = text(error, "code").parse::<u16>().ok().filter(|code| (400..600).contains(code));
    Some(read(status.unwrap_or(500), &value.to_string(), None))
}

/// Control characters gone, one line, bounded.
pub fn short(text: &str) -> String {
    let start: String = text.trim().chars().take(MESSAGE_CHARS_MAX * 4).collect();
    one_line(&start).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MESSAGE_CHARS_MAX).collect()
}

/// Wrappers within wrappers end here.
const DEPTH_MAX: u8 = 3;

fn fill(refusal: &mut Refusal, value: &Value, depth: u8) {
    if depth > DEPTH_MAX {
        return;
    }
    if let Some(inner) = value.get("external_model_error") {
        return fill(refusal, inner, depth + 1);
    }
    match value.get("error") {
        Some(Value::String(message)) => refusal.message = message.clone(),
        Some(Value::Object(_)) => {
            let error = &value["error"];
            refusal.message = text(error, "message");
            refusal.code = text(error, "code");
            refusal.param = text(error, "param");
            refusal.kind = text(error, "type");
            refusal.categories = categories(error);
            refusal.counted = error.get("n_prompt_tokens").and_then(Value::as_f64).zip(error.get("n_ctx").and_then(Value::as_f64));
        }
        _ => {
            refusal.code = text(value, "error_code");
            refusal.message = text(value, "message");
            if refusal.message.is_empty() {
                refusal.message = value.get("detail").map(ToString::to_string).unwrap_or_default();
            }
        }
    }
    // A relay puts the other provider's whole answer into its message.
    if let Some(inner) = refusal.message.find('{').and_then(|at| refusal.message.get(at..)) {
        let end = inner.rfind('}').map_or(inner.len(), |at| at + 1);
        let parsed = inner.get(..end).and_then(|inner| serde_json::from_str::<Value>(inner).ok());
        if let Some(inner) = parsed.filter(|inner| inner.get("error").is_some() || inner.get("external_model_error").is_some()) {
            fill(refusal, &inner, depth + 1);
        }
    }
}

/// A string, or a number as its digits; absent and null are empty.
fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn categories(error: &Value) -> Vec<String> {
    let inner = error.get("innererror").or_else(|| error.get("inner_error"));
    let results = inner.and_then(|inner| inner.get("content_filter_result").or_else(|| inner.get("content_filter_results")));
    fired(results)
}

/// The categories of a content filter result that stopped something. An open map: new categories come.
pub fn fired(results: Option<&Value>) -> Vec<String> {
    let Some(Value::Object(map)) = results else { return Vec::new() };
    map.iter()
        .filter(|(_, result)| result.get("filtered").and_then(Value::as_bool) == Some(true))
        .map(|(category, _)| short(category))
        .collect()
}

impl Refusal {
    /// Is it about this field of the request?
    pub fn names(&self, field: &str) -> bool {
        if self.param.is_empty() { self.message.contains(field) } else { self.param.starts_with(field) }
    }

    fn is_filtered(&self) -> bool {
        self.code == "content_filter"
            || self.code == "ResponsibleAIPolicyViolation"
            || !self.categories.is_empty()
            // A gateway such as LiteLLM keeps the words of Azure's refusal and puts a code of its own.
            || (self.status == 400 && ["content management policy", "ContentPolicyViolation"].iter().any(|words| self.message.contains(words)))
    }

    /// LiteLLM refuses a deployment that it does not know as a bad request.
    fn is_missing(&self) -> bool {
        self.code == "model_not_found" || self.code == "DeploymentNotFound" || self.message.contains("Invalid model name passed")
    }

    fn is_too_long(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        self.code == "context_length_exceeded"
            || self.kind == "exceed_context_size_error"
            || self.param == "input_tokens"
            || ["maximum context length", "context size", "context window", "request too large"].iter().any(|words| message.contains(words))
    }

    fn fits(&self) -> Option<f64> {
        let (prompt, window) = self.counted?;
        (prompt > 0.0).then(|| (window / prompt).clamp(0.0, 1.0))
    }
}

impl From<Refusal> for ModelError {
    fn from(refusal: Refusal) -> Self {
        let status = refusal.status;
        if refusal.is_filtered() {
            let category = if refusal.categories.is_empty() { "unnamed".to_owned() } else { refusal.categories.join(", ") };
            return Self::Filtered { category };
        }
        if matches!(status, 400 | 413 | 422 | 429) && refusal.is_too_long() {
            return Self::TooLong { fits: refusal.fits(), message: refusal.message };
        }
        if status == 400 && refusal.is_missing() {
            return Self::Missing { message: refusal.message };
        }
        let message = refusal.message;
        match refusal.should_retry {
            Some(true) if status < 500 && !matches!(status, 401 | 403 | 404 | 410 | 429) => return Self::Failed { status, message },
            Some(false) if status >= 500 || matches!(status, 408 | 409) => return Self::Refused { status, message },
            Some(_) | None => {}
        }
        match status {
            401 | 403 => Self::Denied { status, message },
            404 | 410 => Self::Missing { message },
            429 if refusal.code == "insufficient_quota" => Self::Exhausted { message },
            429 | 503 => Self::Busy { status, message, retry_after: refusal.retry_after },
            408 | 409 | 500.. => Self::Failed { status, message },
            _ => Self::Refused { status, message },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, want: &str) {
        let error = ModelError::from(read(status, body, None));
        assert_eq!(error.to_string(), want, "{body}");
    }

    #[test]
    fn every_shape_says_what_it_means() {
        check(
            400,
            r#"{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,
               "innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":false,"severity":"safe"},"jailbreak":{"filtered":true,"detected":true}}}}}"#,
            "the provider's content filter stopped it (jailbreak)",
        );
        check(
            400,
            r#"{"error":{"message":"filtered","code":"content_filter","inner_error":{"content_filter_results":{"violence":{"filtered":true}}}}}"#,
            "the provider's content filter stopped it (violence)",
        );
        check(400, r#"{"error":{"message":"x","code":"content_filter"}}"#, "the provider's content filter stopped it (unnamed)");
        check(
            404,
            r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment does not exist."}}"#,
            "there is no such model, deployment or API version: The API deployment does not exist.",
        );
        check(
            404,
            r#"{"error":{"code":"404","message":"Resource not found"}}"#,
            "there is no such model, deployment or API version: Resource not found",
        );
        let litellm = r#"{"error":{"message":"/chat/completions: Invalid model name passed in model=d.","type":"invalid_request_error","param":null,"code":"400"}}"#;
        check(400, litellm, "there is no such model, deployment or API version: /chat/completions: Invalid model name passed in model=d.");
        check(
            400,
            r#"{"error":{"message":"litellm.BadRequestError: AzureException - The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":"invalid_request_error","param":null,"code":"400"}}"#,
            "the provider's content filter stopped it (unnamed)",
        );
        check(401, r#"{"statusCode":401,"message":"Unauthorized."}"#, "the model's server refused our credential (401): Unauthorized.");
        check(
            403,
            r#"{"error_code":"PERMISSION_DENIED","message":"no right"}"#,
            "the model's server refused our credential (403): no right",
        );
        check(429, r#"{"error_code":"REQUEST_LIMIT_EXCEEDED","message":"slow down"}"#, "the model is busy (429): slow down");
        check(429, r#"{"error":{"message":"pay","code":"insufficient_quota"}}"#, "the account's quota is used up: pay");
        check(
            400,
            r#"{"error":"'response_format.type' must be 'json_schema'"}"#,
            "the model's server refused the question (400): 'response_format.type' must be 'json_schema'",
        );
        check(
            503,
            r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
            "the model is busy (503): Loading model",
        );
        check(
            422,
            r#"{"detail":[{"loc":["body"],"msg":"bad"}]}"#,
            r#"the model's server refused the question (422): [{"loc":["body"],"msg":"bad"}]"#,
        );
        check(502, "<html>\u{1b}[2J<h1>Bad Gateway</h1>\n</html>", "the model's server failed (502): <html><h1>Bad Gateway</h1> </html>");
        check(500, "", "the model's server failed (500): no reason given");
        check(
            400,
            r#"{"external_model_provider":"azure","external_model_error":{"error":{"message":"Unsupported value","param":"temperature"}}}"#,
            "the model's server refused the question (400): Unsupported value",
        );
        check(
            400,
            r#"{"error_code":"BAD_REQUEST","message":"{\"external_model_provider\":\"x\",\"external_model_error\":{\"error\":{\"message\":\"inner\",\"code\":\"content_filter\"}}}"}"#,
            "the provider's content filter stopped it (unnamed)",
        );
    }

    #[test]
    fn an_error_within_a_stream_has_its_status_in_its_code() {
        for (code, want) in [("429", 429), ("\"429\"", 429), ("\"rate_limit_exceeded\"", 500), ("200", 500), ("null", 500)] {
            let event = format!(r#"{{"error":{{"message":"x","code":{code}}}}}"#);
            assert_eq!(in_stream(&serde_json::from_str(&event).unwrap()).unwrap().status, want, "{code}");
        }
    }

    #[test]
    fn what_the_server_says_of_another_try_goes_before_its_status() {
        for (status, should_retry, transient) in [
            (500, None, true),
            (500, Some(false), false),
            (503, Some(false), false),
            (400, None, false),
            (400, Some(true), true),
            (401, Some(true), false),
            (429, Some(true), true),
        ] {
            let refusal = Refusal { should_retry, ..read(status, r#"{"error":{"message":"x"}}"#, None) };
            assert_eq!(ModelError::from(refusal).is_transient(), transient, "{status} {should_retry:?}");
        }
    }

    #[test]
    fn too_long_says_what_fits() {
        let llama = r#"{"error":{"code":400,"message":"request (9047 tokens) exceeds the available context size (8192 tokens)","type":"exceed_context_size_error","n_prompt_tokens":9047,"n_ctx":8192}}"#;
        let ModelError::TooLong { fits: Some(fits), .. } = ModelError::from(read(400, llama, None)) else { panic!("{llama}") };
        assert!((fits - 0.905).abs() < 0.001);
        for body in [
            r#"{"error":{"message":"This model's maximum context length is 128000 tokens","code":"context_length_exceeded"}}"#,
            r#"{"error":{"message":"too many","type":"BadRequestError","param":"input_tokens","code":400}}"#,
        ] {
            assert!(matches!(ModelError::from(read(400, body, None)), ModelError::TooLong { fits: None, .. }), "{body}");
        }
        let big = r#"{"error":{"message":"Request too large for gpt-4o on tokens per min","code":"rate_limit_exceeded"}}"#;
        assert!(matches!(ModelError::from(read(429, big, None)), ModelError::TooLong { .. }), "retrying never helps");
    }

    #[test]
    fn a_message_is_bounded_and_harmless() {
        let refusal = read(400, &format!(r#"{{"error":"\u001b]0;x\u0007{}"}}"#, "ä".repeat(5000)), None);
        assert!(refusal.message.chars().count() <= MESSAGE_CHARS_MAX && !refusal.message.contains('\u{1b}'));
        let mut nested = r#"{"error":{"message":"deep"}}"#.to_owned();
        for _ in 0..200 {
            nested = format!(r#"{{"external_model_error":{nested}}}"#);
        }
        read(400, &nested, None);
    }
}
