//! POST chat/completions, as Azure OpenAI answers it (both address forms): a simulated model. It reads the evidence in the prompt by a few
//! cues of its own, so that it often agrees with the rules and sometimes does not. It is no language model and says so by its name.

use serde_json::{Value, json};

use super::super::azure;
use super::super::call::Refusal;
use super::{Answer, Call, World};

/// What it calls itself: shown wherever a model's name is.
pub const NAME: &str = "simulated-model";
/// Bytes a token, roughly, for the usage it reports.
const TOKEN_BYTES: usize = 4;

/// What a line of evidence makes it say.
struct Reading {
    cue: &'static str,
    cause: &'static str,
    action: &'static str,
    confidence: f64,
    summary: &'static str,
    message: &'static str,
}

const fn reading(
    cue: &'static str,
    cause: &'static str,
    action: &'static str,
    confidence: f64,
    summary: &'static str,
    message: &'static str,
) -> Reading {
    Reading { cue, cause, action, confidence, summary, message }
}

/// The first cue that occurs decides; its line is the quote.
const READINGS: &[Reading] = &[
    reading(
        "No module named",
        "dependency",
        "notify",
        0.95,
        "A Python package is not installed on the cluster.",
        "The job imports a package that its cluster does not have. Please add it to the job's libraries.",
    ),
    reading(
        "No matching distribution",
        "dependency",
        "notify",
        0.95,
        "A library of that version does not exist.",
        "The job asks for a version that the index does not have. Please pin one that exists.",
    ),
    // A hasty reader's mistake, kept so that a differing opinion is seen.
    reading(
        "CANNOT_MERGE_SCHEMAS",
        "syntax",
        "notify",
        0.7,
        "The query reads files whose schemas do not fit together.",
        "The job reads files whose schemas differ. Please look at the write that changed them.",
    ),
    reading(
        "PATH_NOT_FOUND",
        "data",
        "notify",
        0.9,
        "The path that the job reads does not exist.",
        "The job's input path is missing. Please check whether its producer has run.",
    ),
    reading(
        "Quota exceeded",
        "quota",
        "retry",
        0.8,
        "A service limits how often it may be called.",
        "A service refused the job's calls for their number. Please spread them, or ask for a larger quota.",
    ),
    reading(
        "429",
        "quota",
        "retry",
        0.85,
        "A service answered that it is called too often.",
        "A service refused the job's calls for their number. Please spread them, or ask for a larger quota.",
    ),
    reading(
        "401",
        "permission",
        "notify",
        0.9,
        "The service does not accept the job's credentials.",
        "The job's credentials were refused. Please renew them.",
    ),
    reading(
        "PERMISSION",
        "permission",
        "notify",
        0.9,
        "The job's user lacks a right.",
        "The job's user lacks a right. Please ask for it, or use another user.",
    ),
    reading(
        "OutOfMemory",
        "resource",
        "retry_with_new_params",
        0.9,
        "A process ran out of memory.",
        "The job needs more memory than it has. Please enlarge its nodes or make partitions smaller.",
    ),
    reading(
        "exit code 137",
        "resource",
        "retry_with_new_params",
        0.85,
        "The machine killed a process that used too much memory.",
        "The job needs more memory than it has. Please enlarge its nodes or make partitions smaller.",
    ),
    reading(
        "ExecutorLostFailure",
        "platform",
        "retry",
        0.6,
        "An executor was lost.",
        "A machine of the cluster was lost. The run should pass when it is repeated.",
    ),
    reading(
        "Connection refused",
        "network",
        "retry",
        0.9,
        "A service refused the connection.",
        "A service that the job calls was not reachable. Nothing is to be done if it is back.",
    ),
    reading(
        "Connection reset",
        "network",
        "retry",
        0.85,
        "A connection broke off.",
        "A connection broke in the middle of the work. Nothing is to be done if it holds now.",
    ),
    reading(
        "timed out",
        "timeout",
        "retry",
        0.6,
        "Something took longer than it may.",
        "A time limit was reached. Please look at what took so long.",
    ),
    reading(
        "maximum duration",
        "timeout",
        "retry_with_new_params",
        0.8,
        "The run was stopped at its time limit.",
        "The run was stopped at its time limit. Please raise it, or look at what took so long.",
    ),
    reading(
        "Failed to commit",
        "concurrency",
        "retry",
        0.85,
        "Another writer changed the table at the same time.",
        "Two writers met on one table. Please let one of them wait.",
    ),
    reading(
        "Concurrent",
        "concurrency",
        "retry",
        0.85,
        "Another writer changed the table at the same time.",
        "Two writers met on one table. Please let one of them wait.",
    ),
    reading("Error", "code", "notify", 0.5, "The program failed by its own logic.", "The program failed. Please look at the quoted line."),
];

pub fn chat(_: &mut World, call: &Call) -> Answer {
    let messages = call.body["messages"].as_array().ok_or_else(|| Refusal::invalid("'messages' is a required property"))?;
    azure::check(call)?;
    let prompt: String = messages.iter().filter_map(|message| message["content"].as_str()).collect::<Vec<_>>().join("\n");
    let user = messages.iter().rev().find(|message| message["role"] == "user").and_then(|message| message["content"].as_str());
    let content = verdict(user.unwrap_or_default()).to_string();
    Ok(json!({
        "id": format!("chatcmpl-{}", call.now),
        "object": "chat.completion",
        "created": call.now / 1000,
        "model": NAME,
        "choices": [{
            "index": 0, "finish_reason": "stop", "logprobs": null, "content_filter_results": azure::unfiltered(),
            "message": {"role": "assistant", "content": content, "refusal": null},
        }],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": azure::unfiltered()}],
        "usage": {
            "prompt_tokens": prompt.len() / TOKEN_BYTES,
            "completion_tokens": content.len() / TOKEN_BYTES,
            "total_tokens": prompt.len() / TOKEN_BYTES + content.len() / TOKEN_BYTES,
        },
    }))
}

fn verdict(prompt: &str) -> Value {
    // What follows the facts is the evidence.
    let evidence = prompt.split_once("\n[error]\n").or_else(|| prompt.split_once("\n[state_message]\n")).map_or(prompt, |(_, rest)| rest);
    for reading in READINGS {
        if let Some(line) = evidence.lines().find(|line| line.contains(reading.cue)) {
            return json!({
                "quotes": [line.trim()],
                "summary": reading.summary,
                "cause": reading.cause,
                "action": reading.action,
                "parameters": [],
                "confidence": reading.confidence,
                "message": reading.message,
            });
        }
    }
    json!({
        "quotes": [], "summary": "The evidence names no cause.", "cause": "unknown", "action": "escalate", "parameters": [],
        "confidence": 0.3, "message": "The run failed without a cause that can be seen. Please look at its output.",
    })
}

/// A completion as the pieces of a stream, in the order in which they are sent.
pub fn pieces(completion: &Value, usage: bool) -> Vec<String> {
    let chunk = |choices: Value, usage: &Value| {
        json!({
            "id": completion["id"], "object": "chat.completion.chunk", "created": completion["created"], "model": completion["model"],
            "choices": choices, "usage": usage,
        })
    };
    let content = completion["choices"][0]["message"]["content"].as_str().unwrap_or_default();
    let characters: Vec<char> = content.chars().collect();
    // First comes what the filter says of the prompt, of no model and without a choice; then the role.
    let filter = json!({
        "id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": completion["prompt_filter_results"],
    });
    let said = characters.chunks(PIECE_CHARS).map(|piece| {
        let delta = json!({"content": piece.iter().collect::<String>()});
        json!([{"index": 0, "delta": delta, "finish_reason": null, "content_filter_results": azure::unfiltered()}])
    });
    let role = json!([{"index": 0, "delta": {"role": "assistant", "content": "", "refusal": null}, "finish_reason": null}]);
    let end = json!([{"index": 0, "delta": {}, "finish_reason": "stop", "content_filter_results": {}}]);
    let chunks = std::iter::once(role).chain(said).chain([end]).map(|choices| chunk(choices, &Value::Null).to_string());
    let mut pieces: Vec<String> = std::iter::once(filter.to_string()).chain(chunks).collect();
    if usage {
        pieces.push(chunk(json!([]), &completion["usage"]).to_string());
    }
    pieces.push("[DONE]".to_owned());
    pieces.into_iter().map(|piece| format!("data: {piece}\n\n")).collect()
}

/// Characters a piece: a few tokens.
const PIECE_CHARS: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_quotes_the_line_that_it_reads_by() {
        let verdict = verdict("[facts]\nError count 3\n[error]\nTraceback\nModuleNotFoundError: No module named 'x'\n");
        assert_eq!(
            (verdict["cause"].as_str(), verdict["quotes"][0].as_str()),
            (Some("dependency"), Some("ModuleNotFoundError: No module named 'x'"))
        );
        assert_eq!(super::verdict("[facts]\nError\n[error]\nnothing here\n")["cause"], "unknown");
    }

    #[test]
    fn a_stream_gives_the_same_text() {
        let completion = json!({"id": "c", "created": 1, "model": NAME, "choices": [{"message": {"content": "{\"a\": \"größer als ein Stück\"}"}}], "usage": {"prompt_tokens": 5}});
        let pieces = pieces(&completion, true);
        let text: String = pieces
            .iter()
            .filter_map(|piece| {
                serde_json::from_str::<Value>(piece.trim().strip_prefix("data: ")?).ok()?["choices"][0]["delta"]["content"]
                    .as_str()
                    .map(str::to_owned)
            })
            .collect();
        assert_eq!(text, "{\"a\": \"größer als ein Stück\"}");
        assert_eq!(pieces.last().unwrap(), "data: [DONE]\n\n");
    }
}
