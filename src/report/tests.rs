//! `analyze` and `evaluate` by what a script reads from them.

use serde_json::Value;

use super::analyze::{AnalyzeError, AnalyzeOptions, AnalyzeSummary, Echo, Output, analyze};
use super::evaluate::{evaluate, read};
use crate::classify::Classifier;
use crate::decide::Policy;

fn shipped() -> &'static Classifier {
    static SHIPPED: std::sync::LazyLock<Classifier> = std::sync::LazyLock::new(Classifier::shipped);
    &SHIPPED
}

fn analyzed(input: &[u8], options: AnalyzeOptions) -> (String, AnalyzeSummary) {
    let mut out = Vec::new();
    let summary = analyze(shipped(), &Policy::default(), input, &mut out, &options).unwrap();
    (String::from_utf8(out).unwrap(), summary)
}

fn json(input: &[u8], echo: Echo) -> (Vec<Value>, AnalyzeSummary) {
    let (text, summary) = analyzed(input, AnalyzeOptions { output: Output::Json, echo });
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), summary)
}

#[test]
fn each_line_is_answered_in_its_place_and_a_bad_one_costs_only_itself() {
    let input = b"{\"id\": \"a\", \"error\": \"java.net.ConnectException: Connection refused\", \"team\": \"x\"}\n\
        \n\
        {\"id\": \"b\", \"error\": \n\
        [1]\n\
        {\"id\": \"c\", \"error\": 7}\n\
        {\"id\": \"d\"}\n\
        \xff\xfe\n\
        {\"id\": 5, \"error\": \"KeyError: 'x'\", \"logs\": null}\n";
    let (lines, summary) = json(input, Echo::Off);
    assert_eq!(summary, AnalyzeSummary { cases: 2, bad_lines: 5 });
    assert_eq!(lines[0]["id"], "a");
    assert_eq!(lines[0]["cause"], "network");
    assert_eq!(lines[0]["action"], "retry");
    assert_eq!(lines[0]["authority"], "auto");
    assert!(lines[0].get("input").is_none());
    let numbers: Vec<&Value> = lines[1..6].iter().map(|line| &line["line"]).collect();
    assert_eq!(numbers, [3, 4, 5, 6, 7]);
    assert!(lines[1..6].iter().all(|line| line["error"].as_str().is_some_and(|error| !error.is_empty())));
    assert_eq!(lines[6]["id"], 5);
    assert_eq!(lines[6]["cause"], "code");
}

#[test]
fn every_field_of_the_contract_is_there_and_the_span_is_exact() {
    let error =
        "Ä\nPy4JJavaError: An error occurred while calling o1.x.\n: java.io.IOException: No space left on device\n\tat a.b.C.d(E.java:1)";
    let input = serde_json::json!({ "id": "a", "error": error, "team": "x", "settings": {} }).to_string();
    let (lines, _) = json(input.as_bytes(), Echo::On);
    for name in [
        "id",
        "cause",
        "confidence",
        "alternatives",
        "action",
        "parameters",
        "authority",
        "rules",
        "evidence",
        "fingerprint",
        "explanation",
        "advice",
        "reasons",
    ] {
        assert!(lines[0].get(name).is_some(), "{name}");
    }
    let span = &lines[0]["evidence"];
    let (start, end) = (span["start"].as_u64().unwrap() as usize, span["end"].as_u64().unwrap() as usize);
    assert_eq!(&error[start..end], span["text"].as_str().unwrap());
    assert!(span["text"].as_str().unwrap().contains("No space left on device"));
    assert_eq!((span["field"].as_str(), lines[0]["cause"].as_str()), (Some("error"), Some("resource")));
    assert_eq!(lines[0]["input"], serde_json::json!({ "team": "x", "settings": {} }));
}

#[test]
fn plain_text_is_one_case_also_where_it_looks_like_json() {
    for (text, cause) in [
        ("Traceback (most recent call last):\n  File \"a.py\", line 1\nModuleNotFoundError: No module named 'x'\n", "dependency"),
        ("{\n  \"error_code\": \"PERMISSION_DENIED\",\n  \"message\": \"no\"\n}\n", "permission"),
        ("{'error_code': 'TEMPORARILY_UNAVAILABLE', 'message': 'later'}", "platform"),
    ] {
        let (lines, summary) = json(text.as_bytes(), Echo::Off);
        assert_eq!(summary, AnalyzeSummary { cases: 1, bad_lines: 0 }, "{text}");
        assert_eq!(lines[0]["cause"], cause, "{text}");
    }
}

#[test]
fn a_single_broken_object_is_a_bad_line_and_nothing_is_an_error() {
    let (lines, summary) = json(b"{\"id\": \"a\", \"error\": \"x", Echo::Off);
    assert_eq!((summary.bad_lines, &lines[0]["line"]), (1, &Value::from(1)));
    for nothing in [&b""[..], b"\n \n"] {
        let found = analyze(shipped(), &Policy::default(), nothing, Vec::new(), &AnalyzeOptions::default());
        assert!(matches!(found, Err(AnalyzeError::Empty)), "{nothing:?}");
    }
}

#[test]
fn words_for_people_carry_no_terminal_commands() {
    let (text, _) = analyzed(b"\x1b[31mKeyError: '\x1b]0;owned\x07x'\x1b[0m", AnalyzeOptions::default());
    assert!(text.contains("code") && text.contains("KeyError"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
}

#[test]
fn a_jobs_own_tags_are_heard() {
    let input = br#"{"error": "Connection refused", "job": {"name": "pay", "tags": {"runmend.critical": "true"}}}"#;
    assert_eq!(json(input, Echo::Off).0[0]["authority"], "approval");
}

#[test]
fn the_evaluation_counts_as_the_contract_says() {
    let rows = [
        // Right; right by an alternative; wrong and dangerous; wrong; no labelled case.
        r#"{"id":"a","source":"s","error":"KeyError: 'x'","category":"code","action":"notify"}"#,
        r#"{"id":"b","source":"s","error":"KeyError: 'x'","category":"data","alt_categories":["code"],"action":"escalate","alt_actions":["notify"]}"#,
        r#"{"id":"c","source":"t","error":"Connection refused","category":"data","action":"notify"}"#,
        r#"{"id":"d","source":"t","error":"Connection refused","category":"code","action":"notify","alt_actions":["retry"]}"#,
        r#"{"id":"e","error":"x","category":"weather","action":"notify"}"#,
    ];
    let file = read(rows.join("\n").as_bytes()).unwrap();
    assert_eq!(file.bad_lines.len(), 1);
    assert!(file.bad_lines[0].1.contains("weather") && file.bad_lines[0].0 == 5, "{:?}", file.bad_lines);
    let found = evaluate(shipped(), &Policy::default(), &file);
    assert_eq!(found.cases, 4);
    assert_eq!((found.cause_accuracy, found.cause_accuracy_with_alternatives), (0.25, 0.5));
    assert_eq!((found.action_accuracy, found.action_accuracy_with_alternatives), (0.25, 0.75));
    assert_eq!(found.dangerous, 0.25);
    let json = serde_json::to_value(&found).unwrap();
    for name in [
        "cases",
        "cause_accuracy",
        "cause_accuracy_with_alternatives",
        "action_accuracy",
        "action_accuracy_with_alternatives",
        "macro_f1",
        "dangerous",
        "abstained",
        "ece",
        "brier",
        "per_cause",
        "confusion",
        "cases_per_second",
    ] {
        assert!(json.get(name).is_some(), "{name}");
    }
    assert_eq!(json["confusion"]["data"]["network"], 1);
    assert_eq!(json["per_cause"]["code"]["support"], 2);
    assert!(found.to_string().contains("DANGEROUS"));
    // Two re-runs were asked for, one of them against every label: 20, or 2 where both are held back.
    let costs: Vec<usize> = found.thresholds.iter().map(|row| row.cost).collect();
    assert_eq!(costs.first(), Some(&20));
    assert_eq!(found.thresholds.iter().map(|row| (row.reruns_right, row.reruns_wrong)).next(), Some((1, 1)));
}
