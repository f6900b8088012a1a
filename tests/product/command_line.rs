//! The commands that need no workspace, and the story.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{output, runmend};

fn fed(home: &TempDir, arguments: &[&str], input: &str) -> (String, String, Option<i32>) {
    let mut child =
        runmend(home.path()).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap(), output.status.code())
}

#[test]
fn analyze_answers_in_order_and_a_bad_line_costs_only_itself() {
    let home = TempDir::new().unwrap();
    let input = concat!(
        "{\"id\": \"a\", \"error\": \"ModuleNotFoundError: No module named 'pandaz'\", \"team\": \"x\"}\n",
        "{\"id\": \"b\", \"error\": \n",
        "{\"id\": \"c\", \"error\": \"java.net.ConnectException: Connection refused\"}\n",
    );
    let (stdout, _, code) = fed(&home, &["analyze", "--json", "-"], input);
    assert_eq!(code, Some(1));
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        (lines[0]["id"].as_str(), lines[0]["cause"].as_str(), lines[0]["action"].as_str()),
        (Some("a"), Some("dependency"), Some("notify"))
    );
    assert_eq!(lines[1]["line"], 2);
    assert!(lines[1]["error"].is_string());
    assert_eq!(
        (lines[2]["id"].as_str(), lines[2]["cause"].as_str(), lines[2]["action"].as_str()),
        (Some("c"), Some("network"), Some("retry"))
    );
    let span = &lines[0]["evidence"];
    let (start, end) = (span["start"].as_u64().unwrap() as usize, span["end"].as_u64().unwrap() as usize);
    assert_eq!(&"ModuleNotFoundError: No module named 'pandaz'"[start..end], span["text"].as_str().unwrap());
    for field in ["confidence", "alternatives", "parameters", "authority", "rules", "fingerprint", "explanation", "advice", "reasons"] {
        assert!(lines[0].get(field).is_some(), "{field} is missing: {}", lines[0]);
    }
}

#[test]
fn analyze_reads_plain_text() {
    let home = TempDir::new().unwrap();
    let text = "Traceback (most recent call last):\n  File \"job.py\", line 3, in <module>\n    main()\nKeyError: 'region'\n";
    let (stdout, _, code) = fed(&home, &["analyze"], text);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("code") && stdout.contains("KeyError"), "{stdout}");
}

#[test]
fn the_story_is_told_where_there_is_no_terminal() {
    let home = TempDir::new().unwrap();
    let (stdout, stderr, code) = output(runmend(home.path()).args(["--demo", "--for", "20s"]));
    assert_eq!(code, Some(0), "{stderr}");
    for word in ["simulated", "failed", "cause network", "MENDED", "mail to", "In this minute"] {
        assert!(stdout.contains(word), "no `{word}` in:\n{stdout}");
    }
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "the demo left {left:?}");
}

#[test]
fn help_names_the_modes_and_shows_examples() {
    let home = TempDir::new().unwrap();
    let (stdout, _, code) = output(runmend(home.path()).arg("--help"));
    assert_eq!(code, Some(0));
    for word in ["--demo", "--auto", "--observe", "analyze", "Exit codes", "poll.interval"] {
        assert!(stdout.contains(word), "no `{word}` in:\n{stdout}");
    }
}
