//! Lines and cases: what `analyze` and `evaluate` read.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::evidence::FailureText;
use crate::domain::job::JobFacts;

/// A line of JSON Lines may be so long. A log's tail of 5 MB, escaped, fits; a file without line ends does not take the memory.
pub const LINE_BYTES_MAX: usize = 32 << 20;

/// One line, without its end.
pub enum Line {
    Words(Vec<u8>),
    /// Longer than [`LINE_BYTES_MAX`]; skipped to its end.
    TooLong,
}

/// The next line, or `None` at the end.
pub fn next_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(match (too_long, line.is_empty()) {
                (true, _) => Some(Line::TooLong),
                (false, true) => None,
                (false, false) => Some(Line::Words(line)),
            });
        }
        let (taken, ended) = match buffer.iter().position(|b| *b == b'\n') {
            Some(at) => (at, true),
            None => (buffer.len(), false),
        };
        if line.len() + taken > LINE_BYTES_MAX {
            too_long = true;
            line.clear();
        }
        if !too_long {
            line.extend_from_slice(&buffer[..taken]);
        }
        input.consume(taken + usize::from(ended));
        if ended {
            return Ok(Some(if too_long { Line::TooLong } else { Line::Words(line) }));
        }
    }
}

/// One case of JSON Lines.
#[derive(Debug)]
pub struct CaseLine {
    pub id: Option<Value>,
    pub text: FailureText,
    pub job: JobFacts,
    /// Every field that is no text of the failure.
    pub rest: Map<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JobForm {
    name: Option<String>,
    tags: BTreeMap<String, String>,
}

const TEXTS: [&str; 6] = ["error", "error_trace", "state_message", "termination_code", "task_type", "logs"];

/// Why a line is no case, in words for its owner.
pub fn case(line: &[u8]) -> Result<CaseLine, String> {
    let words = std::str::from_utf8(line).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))?;
    let value: Value = serde_json::from_str(words).map_err(|error| format!("not JSON: {error}"))?;
    let Value::Object(mut fields) = value else { return Err("not a JSON object".to_owned()) };
    let id = match fields.remove("id") {
        None | Some(Value::Null) => None,
        Some(id @ (Value::String(_) | Value::Number(_))) => Some(id),
        Some(_) => return Err("`id` is neither a string nor a number".to_owned()),
    };
    let mut text = FailureText::default();
    for name in TEXTS {
        let words = match fields.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(words)) => Some(words),
            Some(_) => return Err(format!("`{name}` is no string")),
        };
        match name {
            "error" => text.error = words,
            "error_trace" => text.error_trace = words,
            "state_message" => text.state_message = words,
            "termination_code" => text.termination_code = words,
            "task_type" => text.task_type = words,
            _ => text.logs = words,
        }
    }
    if text == FailureText::default() {
        return Err(format!("no text to judge: give one of {}", TEXTS.join(", ")));
    }
    Ok(CaseLine { id, text, job: job(fields.get("job"))?, rest: fields })
}

/// A job's name, or an object with `name` and `tags`.
fn job(value: Option<&Value>) -> Result<JobFacts, String> {
    match value {
        None | Some(Value::Null | Value::Number(_)) => Ok(JobFacts::default()),
        Some(Value::String(name)) => Ok(JobFacts { name: name.clone(), ..JobFacts::default() }),
        Some(value) => {
            let form: JobForm = serde_json::from_value(value.clone())
                .map_err(|error| format!("`job` is neither a name nor an object with name and tags: {error}"))?;
            Ok(JobFacts { name: form.name.unwrap_or_default(), tags: form.tags, ..JobFacts::default() })
        }
    }
}
