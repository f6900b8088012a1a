//! What Azure OpenAI says where it says no, and what it demands of a question. Sources: Microsoft's "Azure OpenAI REST API reference",
//! "Content filtering" and "Structured outputs".

use serde_json::{Value, json};

use super::call::{Call, Refusal};

/// Is this an address of Azure OpenAI's rather than of the workspace's?
pub fn speaks(path: &str) -> bool {
    path.starts_with("/openai/")
}

/// Does a completion answer there?
pub fn is_chat(path: &str) -> bool {
    let deployment = path.strip_prefix("/openai/deployments/").and_then(|rest| rest.split_once('/'));
    path == "/openai/v1/chat/completions" || deployment.is_some_and(|(_, end)| end == "chat/completions")
}

/// The error that it gives with this status.
pub fn error(status: u16, retry_after: Option<u64>) -> Value {
    let message = match status {
        400 => "The request was not understood.".to_owned(),
        401 => {
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.".to_owned()
        }
        403 => "Access denied due to Virtual Network/Firewall rules.".to_owned(),
        404 => return json!({"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."}}),
        408 => return json!({"error": {"code": "Timeout", "message": "The operation was timeout."}}),
        429 => format!(
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after {} seconds.",
            retry_after.unwrap_or(1)
        ),
        503 => return json!({"error": {"code": "ServiceUnavailable", "message": "The service is temporarily unable to process your request. Please try again later."}}),
        _ => return json!({"error": {"code": "InternalServerError", "message": "Internal server error"}}),
    };
    json!({"error": {"code": status.to_string(), "message": message}})
}

/// The workspace's refusal in Azure's words.
pub fn refused(refusal: &Refusal) -> (u16, Value) {
    match refusal.status {
        401 | 403 => (401, error(401, None)),
        404 => (404, json!({"error": {"code": "404", "message": "Resource not found"}})),
        status => {
            let error = json!({"message": refusal.message, "type": "invalid_request_error", "param": null, "code": null});
            (status, json!({"error": error}))
        }
    }
}

/// A prompt that the content filter stopped; comes with status 400.
pub fn filtered() -> Value {
    json!({"error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
        "type": null, "param": "prompt", "code": "content_filter", "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {
            "hate": {"filtered": false, "severity": "safe"}, "self_harm": {"filtered": false, "severity": "safe"},
            "sexual": {"filtered": false, "severity": "safe"}, "violence": {"filtered": false, "severity": "safe"},
            "jailbreak": {"filtered": true, "detected": true},
        }},
    }})
}

/// A filter's word on text that it let pass.
pub fn unfiltered() -> Value {
    let safe = json!({"filtered": false, "severity": "safe"});
    json!({"hate": safe, "self_harm": safe, "sexual": safe, "violence": safe})
}

/// What must be in a question beside its messages, by the form of its address.
pub fn check(call: &Call) -> Result<(), Refusal> {
    let dated = call.path.starts_with("/openai/deployments/");
    if dated && call.query.get("api-version").is_none_or(String::is_empty) {
        return Err(Refusal { status: 404, error_code: "404", message: "Resource not found".to_owned() });
    }
    if !dated && call.body["model"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::invalid("you must provide a model parameter"));
    }
    let format = &call.body["response_format"];
    match format["type"].as_str() {
        Some("json_schema") => schema(&format["json_schema"]).map_err(Refusal::invalid),
        Some("text" | "json_object") => Ok(()),
        None if format.is_null() => Ok(()),
        Some(_) | None => Err(Refusal::invalid(
            "Invalid value for 'response_format.type'. Supported values are: 'json_object', 'json_schema', and 'text'.",
        )),
    }
}

fn schema(named: &Value) -> Result<(), String> {
    let name = named["name"].as_str().ok_or("Missing required parameter: 'response_format.json_schema.name'.")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(
            "Invalid 'response_format.json_schema.name': expected a string that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'.".to_owned()
        );
    }
    if named["strict"] != true {
        return Ok(());
    }
    let wrong = |what: String| format!("Invalid schema for response_format '{name}': {what}");
    if named["schema"]["type"] != "object" {
        return Err(wrong("schema must be a JSON Schema of 'type: \"object\"'.".to_owned()));
    }
    strict(&named["schema"]).map_err(wrong)
}

/// Of every object all properties are required and no others allowed.
fn strict(node: &Value) -> Result<(), String> {
    if let Some(properties) = node["properties"].as_object() {
        if node["additionalProperties"] != false {
            return Err("'additionalProperties' is required to be supplied and to be false.".to_owned());
        }
        let required = node["required"].as_array().map_or(&[][..], Vec::as_slice);
        if let Some(missing) = properties.keys().find(|key| !required.iter().any(|name| name == key.as_str())) {
            return Err(format!(
                "'required' is required to be supplied and to be an array including every key in properties. Missing '{missing}'."
            ));
        }
    }
    match node {
        Value::Object(fields) => fields.values().try_for_each(strict),
        Value::Array(items) => items.iter().try_for_each(strict),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Value, want: Result<(), &str>) {
        let said = schema(&format);
        match (&said, want) {
            (Ok(()), Ok(())) => {}
            (Err(message), Err(words)) => assert!(message.contains(words), "{format}: {message}"),
            _ => panic!("{format}: {said:?}, not {want:?}"),
        }
    }

    #[test]
    fn a_strict_schema_names_everything() {
        let one = |required: Value, more: Value| json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": required, "additionalProperties": more});
        let named = |schema: Value| json!({"name": "v", "strict": true, "schema": schema});
        check(named(one(json!(["a"]), json!(false))), Ok(()));
        check(named(one(json!(["a"]), json!(true))), Err("'additionalProperties' is required"));
        check(named(one(json!([]), json!(false))), Err("Missing 'a'"));
        let nested = json!({"type": "object", "properties": {"b": {"type": "array", "items": one(json!([]), json!(false))}}, "required": ["b"], "additionalProperties": false});
        check(named(nested), Err("Missing 'a'"));
        check(named(json!({"type": "array"})), Err("'type: \"object\"'"));
        check(json!({"name": "v", "schema": {"type": "object", "properties": {"a": {}}}}), Ok(()));
        check(json!({"strict": true}), Err("json_schema.name"));
        check(json!({"name": "a b"}), Err("expected a string that matches"));
    }
}
