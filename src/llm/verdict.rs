//! An answer's text -> a verdict within the domain's words, or the fault in it. Nothing is guessed: what is repaired (a fence around the
//! JSON, a comma before a closing bracket) cannot mean anything else.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::action::{Action, Change, Parameter, Setting};
use crate::domain::cause::Cause;
use crate::domain::ids::Probability;
use crate::redact::control::one_line;
use crate::redact::prose::{invisible, prose};

use super::failure::short;

/// Quotes that are looked at; more prove nothing more.
const QUOTES_MAX: usize = 5;
const QUOTE_CHARS_MAX: usize = 600;
const SUMMARY_CHARS_MAX: usize = 400;
const MESSAGE_CHARS_MAX: usize = 1200;
/// Parameters, and things dropped, that are kept for the screen.
const LISTED_MAX: usize = 8;
/// A factor beyond this to either side is no adjustment.
const FACTOR_MAX: f64 = 8.0;

/// What a model said, in our words. Its texts are clean and bounded; whether its quotes are real is not known yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub quotes: Vec<String>,
    pub summary: String,
    pub cause: Cause,
    pub action: Action,
    pub parameters: Vec<Parameter>,
    pub confidence: Probability,
    pub message: String,
    pub dropped: Vec<String>,
}

/// The keys of `schema::KEYS`. A key that comes twice is an error: which one counts?
#[derive(Deserialize)]
struct Form {
    quotes: Vec<String>,
    summary: String,
    cause: String,
    action: String,
    #[serde(default)]
    parameters: Vec<Proposal>,
    confidence: f64,
    #[serde(default)]
    message: String,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Proposal {
    #[serde(default)]
    setting: String,
    #[serde(default)]
    value: Value,
}

/// Reads one answer. `Err` is the fault, in words that the model can mend it by.
pub fn read(text: &str) -> Result<Verdict, String> {
    let form = form(text)?;
    let cause: Cause = form.cause.parse().map_err(|error: crate::domain::cause::UnknownCause| short(&error.to_string()))?;
    let action: Action = form.action.parse().map_err(|error: crate::domain::action::UnknownAction| short(&error.to_string()))?;
    if !(0.0..=1.0).contains(&form.confidence) {
        return Err(format!("`confidence` is {}, which is not within 0 and 1", form.confidence));
    }
    let summary = prose(&form.summary, SUMMARY_CHARS_MAX);
    if summary.is_empty() {
        return Err("`summary` is empty".to_owned());
    }
    let mut dropped: Vec<String> = form.others.keys().map(|key| format!("{}: no part of an answer", prose(key, 60))).collect();
    let parameters = parameters(form.parameters, action, &mut dropped);
    dropped.truncate(LISTED_MAX);
    Ok(Verdict {
        quotes: form.quotes.iter().filter(|quote| !quote.trim().is_empty()).take(QUOTES_MAX).map(|quote| bounded(quote)).collect(),
        summary,
        cause,
        action,
        parameters,
        confidence: Probability::new(form.confidence),
        message: prose(&form.message, MESSAGE_CHARS_MAX),
        dropped,
    })
}

/// A quote keeps its characters, for it is compared; only what a screen would obey goes.
fn bounded(quote: &str) -> String {
    let clean: String = one_line(quote).chars().filter(|c| !invisible(*c)).collect();
    clean.trim().chars().take(QUOTE_CHARS_MAX).collect()
}

fn parameters(proposals: Vec<Proposal>, action: Action, dropped: &mut Vec<String>) -> Vec<Parameter> {
    let mut taken: Vec<Parameter> = Vec::new();
    for proposal in proposals {
        let value = match &proposal.value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let name = prose(&proposal.setting, 60);
        let why = match (Setting::proposed(&proposal.setting), change(&value)) {
            (_, _) if action != Action::RetryWithNewParams => "only a retry with new settings changes settings",
            (None, _) => "not in the catalogue",
            (_, None) => "no value that a setting takes",
            (Some(setting), _) if taken.iter().any(|parameter| parameter.setting == setting) => "named twice",
            (Some(_), Some(_)) if taken.len() >= LISTED_MAX => "too many",
            (Some(Setting::Availability), Some(Change::Set(word))) if !["on_demand", "spot_with_fallback"].contains(&word.as_str()) => {
                "no value that a setting takes"
            }
            (Some(setting), Some(change)) => {
                taken.push(Parameter { setting, change });
                continue;
            }
        };
        dropped.push(format!("{name} = {}: {why}", prose(&value, 40)));
    }
    taken
}

/// `x2`, `×1.5`, `2x` are factors; else one plain word or number.
fn change(value: &str) -> Option<Change> {
    let lower = value.to_ascii_lowercase();
    let factor = lower.strip_prefix(['x', '×', '*']).or_else(|| lower.strip_suffix(['x', '×'])).map(str::trim);
    if let Some(Ok(factor)) = factor.map(str::parse::<f64>) {
        return (1.0 / FACTOR_MAX..=FACTOR_MAX).contains(&factor).then_some(Change::Scale(factor));
    }
    let plain = value.len() <= 24 && value.trim_start_matches('-').starts_with(|c: char| c.is_ascii_alphanumeric());
    let plain = plain && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '%'));
    plain.then(|| Change::Set(value.to_owned()))
}

/// The one JSON object of the answer.
fn form(text: &str) -> Result<Form, String> {
    let text = text.rsplit_once("</think>").map_or(text, |(_, said)| said).trim_start_matches('\u{feff}');
    let mut forms: Vec<Result<Form, String>> = Vec::new();
    let candidates = objects(text)?;
    for candidate in &candidates {
        let parsed = parse(candidate);
        // A brace in the words around it is no answer.
        if parsed.is_ok() || candidate.contains("\"cause\"") {
            forms.push(parsed);
        }
    }
    match (forms.pop(), forms.is_empty()) {
        (Some(form), true) => form,
        (Some(_), false) => Err("more than one JSON object; give exactly one".to_owned()),
        (None, _) => match candidates.first() {
            Some(candidate) => parse(candidate),
            None => Err("no JSON object in the answer".to_owned()),
        },
    }
}

fn parse(candidate: &str) -> Result<Form, String> {
    serde_json::from_str(candidate)
        .or_else(|error: serde_json::Error| {
            let mended = without_trailing_commas(candidate);
            if mended.len() == candidate.len() { Err(error) } else { serde_json::from_str(&mended) }
        })
        .map_err(|error| short(&format!("not the JSON that was asked for: {error}")))
}

/// The outermost `{…}` of a text, braces within strings left alone.
fn objects(text: &str) -> Result<Vec<&str>, String> {
    let mut found = Vec::new();
    let (mut depth, mut start, mut in_string, mut escaped) = (0usize, 0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' if depth > 0 => in_string = !in_string,
            _ if in_string => {}
            b'{' => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            b'}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    found.extend(text.get(start..=at));
                }
            }
            _ => {}
        }
    }
    if depth > 0 { Err("the JSON object never ends".to_owned()) } else { Ok(found) }
}

/// Without commas that stand right before a closing bracket, outside strings.
fn without_trailing_commas(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '}' | ']' if !in_string => {
                let end = out.trim_end().len();
                if out.get(..end).is_some_and(|before| before.ends_with(',')) {
                    out.truncate(end - 1);
                }
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::schema::KEYS;

    const GOOD: &str = r#"{"quotes":["java.lang.OutOfMemoryError: Java heap space"],"summary":"The driver ran out of heap.","cause":"resource",
        "action":"retry_with_new_params","parameters":[{"setting":"driver_memory","value":"x2"}],"confidence":0.8,"message":"Give it more."}"#;

    fn with(key: &str, value: Value) -> String {
        let mut form: Value = serde_json::from_str(GOOD).unwrap();
        form[key] = value;
        form.to_string()
    }

    #[test]
    fn the_form_and_the_schema_have_the_same_keys() {
        let good: Value = serde_json::from_str(GOOD).unwrap();
        let mut keys: Vec<&str> = good.as_object().unwrap().keys().map(String::as_str).collect();
        let mut wanted = KEYS.to_vec();
        keys.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(keys, wanted);
        assert!(read(GOOD).unwrap().dropped.is_empty(), "each key of the schema is read");
    }

    #[test]
    fn wrappings_are_taken_off_and_nothing_is_guessed() {
        let want = read(GOOD).unwrap();
        for wrapped in [
            format!("```json\n{GOOD}\n```"),
            format!("<think>perhaps {{\"cause\": \"network\"}}?</think>\n{GOOD}"),
            format!("Here is my verdict about ${{x}}: {GOOD} I hope it helps."),
            format!("\u{feff}{GOOD}"),
            GOOD.replace("\"Give it more.\"}", "\"Give it more.\",\n}"),
            GOOD.replace("heap space\"]", "heap space\", ]"),
        ] {
            assert_eq!(read(&wrapped).as_ref(), Ok(&want), "{wrapped}");
        }
        let comma = with("summary", Value::from("a list [1,] and {x,} stays"));
        assert_eq!(read(&comma).unwrap().summary, "a list [1,] and {x,} stays", "a comma within a string is the model's");
    }

    #[test]
    fn what_is_no_verdict_says_why() {
        let twice = GOOD.replacen("\"cause\":\"resource\"", "\"cause\":\"resource\",\"cause\":\"network\"", 1);
        for (text, want) in [
            (String::new(), "no JSON object in the answer"),
            ("I would retry it.".to_owned(), "no JSON object in the answer"),
            (GOOD[..200].to_owned(), "the JSON object never ends"),
            (format!("{GOOD}\n{GOOD}"), "more than one JSON object; give exactly one"),
            (with("cause", "oom".into()), "`oom` is no cause; use one of"),
            (with("cause", "Resource".into()), "`Resource` is no cause"),
            (with("action", "restart_cluster".into()), "`restart_cluster` is no action"),
            (with("confidence", 16.into()), "`confidence` is 16, which is not within 0 and 1"),
            (with("confidence", (-0.1).into()), "`confidence` is -0.1"),
            (with("confidence", "high".into()), "invalid type"),
            (with("quotes", "one".into()), "invalid type"),
            (with("summary", " \u{200b} ".into()), "`summary` is empty"),
            (twice, "duplicate field `cause`"),
            (r#"{"verdict":"retry"}"#.to_owned(), "missing field"),
            ("[1,2]".to_owned(), "no JSON object"),
        ] {
            let fault = read(&text).unwrap_err();
            assert!(fault.contains(want), "{text}: {fault}");
        }
    }

    #[test]
    fn what_is_outside_the_catalogue_is_dropped_and_said() {
        let check = |setting: &str, value: Value, want: Result<&str, &str>| {
            let verdict = read(&with("parameters", serde_json::json!([{"setting": setting, "value": value}]))).unwrap();
            match want {
                Ok(words) => assert_eq!((verdict.parameters[0].to_string().as_str(), verdict.dropped.len()), (words, 0)),
                Err(words) => assert_eq!((verdict.parameters, verdict.dropped), (vec![], vec![words.to_owned()])),
            }
        };
        check("driver_memory", "x2".into(), Ok("driver memory × 2"));
        check("node_memory", "1.5x".into(), Ok("node memory × 1.5"));
        check("driver_memory", "16g".into(), Ok("driver memory → 16g"));
        check("spark.sql.shuffle.partitions", 400.into(), Ok("spark.sql.shuffle.partitions → 400"));
        check("availability", "on_demand".into(), Ok("availability → on_demand"));
        check("availability", "mars".into(), Err("availability = mars: no value that a setting takes"));
        check("max_retries", 100.into(), Err("max_retries = 100: not in the catalogue"));
        check(
            "spark.driver.extraJavaOptions",
            "-javaagent:x".into(),
            Err("spark.driver.extraJavaOptions = -javaagent:x: not in the catalogue"),
        );
        check("spark.hadoop.fs.s3a.secret.key", "x".into(), Err("spark.hadoop.fs.s3a.secret.key = x: not in the catalogue"));
        check("workers", "x500".into(), Err("workers = x500: no value that a setting takes"));
        check("workers", "4; rm -rf /".into(), Err("workers = 4; rm -rf /: no value that a setting takes"));
        check("workers", serde_json::json!({"a": 1}), Err("workers = : no value that a setting takes"));
        let extra = read(&with("max_retries", 100.into())).unwrap();
        assert_eq!(extra.dropped, ["max_retries: no part of an answer"]);
        let retry = read(&with("action", "retry".into())).unwrap();
        assert_eq!(retry.dropped, ["driver_memory = x2: only a retry with new settings changes settings"]);
    }

    #[test]
    fn a_message_is_bounded() {
        let long = read(&with("message", "word ".repeat(5000).into())).unwrap().message;
        assert!(long.chars().count() <= MESSAGE_CHARS_MAX && long.ends_with('…'));
    }
}
