//! The shipped rules by their own examples, texts by rows, hostile texts by properties.

use proptest::prelude::*;

use super::*;
use crate::classify::effort;
use crate::domain::evidence::Field;
use crate::domain::ids::{Fingerprint, RunId, TaskKey};

fn shipped() -> &'static Classifier {
    static SHIPPED: std::sync::LazyLock<Classifier> = std::sync::LazyLock::new(|| Classifier::with_user_rules(&[]).unwrap());
    &SHIPPED
}

fn error(words: &str) -> FailureText {
    FailureText { error: Some(words.to_owned()), ..FailureText::default() }
}

#[test]
fn each_rule_wins_its_own_examples_and_is_silent_on_the_near_misses() {
    let mut wrong = Vec::new();
    for rule in shipped().rules() {
        if rule.yes.is_empty() || rule.no.is_empty() {
            wrong.push(format!("{}: has no `yes` or no `no`", rule.id));
        }
        for yes in &rule.yes {
            let verdict = shipped().classify(&error(yes));
            if verdict.cause != rule.cause || !verdict.rules.contains(&rule.id) {
                wrong.push(format!("{}: `{yes}` was won by {} {:?}", rule.id, verdict.cause, verdict.rules));
            }
        }
        for no in &rule.no {
            let verdict = shipped().classify(&error(no));
            if verdict.rules.contains(&rule.id) {
                wrong.push(format!("{}: spoke on its near miss `{no}`", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ids_are_used_once_and_every_cause_has_rules() {
    let mut ids: Vec<&str> = shipped().rules().iter().map(|rule| rule.id.as_str()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for cause in Cause::ALL {
        assert!(cause == Cause::Unknown || shipped().rules().iter().any(|rule| rule.cause == cause), "{cause}");
    }
}

/// A text, its cause and action.
fn check(text: &FailureText, want: (Cause, Action)) {
    let verdict = shipped().classify(text);
    assert_eq!((verdict.cause, verdict.action), want, "{text:?}\n{:?}", verdict.rules);
}

#[test]
fn the_root_outweighs_its_wrapper() {
    use Action::*;
    for (words, want) in [
        (
            "org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 7.0 failed 4 times, most recent failure: Lost task 0.3: java.io.IOException: No space left on device",
            (Cause::Resource, RetryWithNewParams),
        ),
        (
            "Py4JJavaError: An error occurred while calling o1.load.\n: java.lang.ClassNotFoundException: com.mysql.cj.jdbc.Driver",
            (Cause::Dependency, Notify),
        ),
        (
            "AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `x` cannot be resolved. SQLSTATE: 42703",
            (Cause::Syntax, Notify),
        ),
        ("", (Cause::Unknown, Escalate)),
        ("Workload failed, see run output for details", (Cause::Unknown, Escalate)),
    ] {
        check(&error(words), want);
    }
}

#[test]
fn a_termination_code_is_read_as_a_code() {
    use Action::*;
    for (code, want) in [
        ("SPOT_INSTANCE_TERMINATION", (Cause::Platform, RetryWithNewParams)),
        ("WORKSPACE_RUN_LIMIT_EXCEEDED", (Cause::Quota, Retry)),
        ("AZURE_QUOTA_EXCEEDED_EXCEPTION", (Cause::Quota, Notify)),
        ("INVALID_CLUSTER_REQUEST", (Cause::Syntax, Notify)),
        ("USER_CANCELED", (Cause::Canceled, Ignore)),
    ] {
        check(&FailureText { termination_code: Some(code.to_owned()), ..FailureText::default() }, want);
    }
}

#[test]
fn a_clusters_reason_is_read_as_its_code() {
    use Action::*;
    for (words, want) in [
        ("Cluster terminated. Reason: Azure Quota Exceeded Exception. Operation could not be completed", (Cause::Quota, Notify)),
        ("Cluster terminated.Reason:Network Configuration Failure\n\nThe data plane", (Cause::Network, Notify)),
        ("Cluster terminated. Reason: Spot Instance Termination", (Cause::Platform, RetryWithNewParams)),
        ("Cluster terminated. Reason: Invalid Argument. The instance type is not there", (Cause::Syntax, Notify)),
        ("Cluster terminated. Reason: Cloud Provider Launch Failure. An error", (Cause::Platform, Retry)),
    ] {
        check(&error(words), want);
    }
}

#[test]
fn the_span_is_the_fields_own_bytes() {
    let trace =
        "Ärger\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n    x()\nModuleNotFoundError: No module named 'azure'\n";
    let text = FailureText { error: Some("failed".to_owned()), error_trace: Some(trace.to_owned()), ..FailureText::default() };
    let span = shipped().classify(&text).evidence.unwrap();
    assert_eq!(span.field, Field::ErrorTrace);
    assert_eq!(&trace[span.start..span.end], span.text);
    assert_eq!(span.text, "ModuleNotFoundError: No module named 'azure'");
}

#[test]
fn a_runs_verdict_is_the_one_least_safe_to_run_again() {
    let task = |key: &str, words: &str| crate::domain::evidence::TaskEvidence {
        task_key: TaskKey::from(key),
        task_run: RunId(1),
        attempt_number: 0,
        text: error(words),
        result_state: None,
        termination_type: None,
        logs_truncated: false,
        settings: Vec::new(),
    };
    let evidence = Evidence { tasks: vec![task("a", "Connection refused"), task("b", "KeyError: 'x'")], ..Evidence::default() };
    let verdict = shipped().classify_evidence(&evidence);
    assert_eq!((verdict.cause, verdict.task), (Cause::Code, Some(TaskKey::from("b"))));
}

#[test]
fn a_users_rule_goes_first_and_replaces_one_of_its_id() {
    let own = r#"
[[rule]]
id = "acme-gateway"
cause = "network"
strength = 80
any = ["acme gateway says no"]
why = "The gateway is down."
do = "Call the gateway team."
[[rule]]
id = "broadcast-timeout"
cause = "timeout"
strength = 10
any = ["never said"]
why = "Replaced."
do = "Nothing."
"#;
    let classifier = Classifier::with_user_rules(&[("own.toml".to_owned(), own.to_owned())]).unwrap();
    let verdict = classifier.classify(&error("ValueError: Acme gateway says no"));
    assert_eq!((verdict.cause, verdict.rules[0].as_str()), (Cause::Network, "acme-gateway"));
    assert_eq!(classifier.rules().iter().filter(|rule| rule.id == "broadcast-timeout").count(), 1);
}

#[test]
fn a_faulty_rules_file_is_told_with_rule_line_and_fix() {
    let head = "[[rule]]\nid = \"mine\"\n";
    for (rest, line, says) in [
        ("cause = \"nonsense\"\n", 3, "nonsense"),
        ("cause = \"data\"\nstrength = 50\nwhy = \"a\"\ndo = \"b\"\n", 2, "no phrase"),
        ("cause = \"data\"\nstrength = 50\nany = [\"*\"]\nwhy = \"a\"\ndo = \"b\"\n", 2, "is empty"),
        ("cause = \"data\"\nstrength = 0\nany = [\"abc\"]\nwhy = \"a\"\ndo = \"b\"\n", 2, "strength 0"),
        ("cause = \"data\"\nstrengh = 50\n", 4, "strengh"),
        ("cause = \"data\"\nstrength = 50\nany = [\"abc\"]\nset = [{ setting = \"disk\" }]\nwhy = \"a\"\ndo = \"b\"\n", 2, "disk"),
    ] {
        let text = format!("{head}{rest}");
        let fault = Classifier::with_user_rules(&[("own.toml".to_owned(), text.clone())]).err().unwrap();
        assert_eq!((fault.file.as_str(), fault.rule.as_deref(), fault.line), ("own.toml", Some("mine"), line), "{fault}\n{text}");
        assert!(fault.problem.contains(says) && !fault.fix.is_empty(), "{fault}");
    }
}

/// Each would take minutes if any step looked at the text more than a bounded number of times.
#[test]
fn a_hostile_text_costs_no_more_than_a_long_one() {
    for unit in [
        "x",
        "Caused by: ",
        ": java.io.IOException: ",
        "[A_B",
        "out of memory ",
        "FooException\n",
        "connection * refused ",
        "'\"`",
        "Lost task in ",
    ] {
        let text = unit.repeat((2 << 20) / unit.len());
        let verdict = shipped().classify(&FailureText { error: Some(text.clone()), logs: Some(text), ..FailureText::default() });
        assert!(verdict.evidence.is_none_or(|span| span.text.len() <= 2 * SPAN_BYTES_MAX + 100), "{unit}");
    }
}

/// What a text costs, in bytes looked at.
fn effort(text: &str) -> usize {
    let text = FailureText { logs: Some(text.to_owned()), ..error(text) };
    effort::of(|| shipped().classify(&text)).0
}

#[test]
fn the_work_grows_with_the_text_and_ends_where_reading_ends() {
    const LONG: usize = 64 << 10;
    for unit in [
        "x",
        "((a)",
        "[[A_B.C:",
        "[A_B] ",
        "{\"a\":[",
        "\u{1b}[31mx",
        "Caused by: ",
        "Caused by: a.b.IOException: c\n",
        "aException_",
        "Exception ",
        "Traceback (most recent call last):\n",
        "status code: 404 ",
        "rows violate ",
        "spill rows footer failed ",
        "Lost task in ",
    ] {
        let [short, long, huge] = [LONG / 8, LONG, 10 << 20].map(|bytes| effort(&unit.repeat(bytes / unit.len())));
        assert!(long <= 9 * short, "{unit:?}: {short} for an eighth, {long}");
        // Of a longer text 160 KB are read.
        assert!(huge <= 3 * long, "{unit:?}: {long} for {LONG} bytes, {huge} for 10 MB");
        assert!(long <= 60 * 2 * LONG, "{unit:?}: {} looks a byte", long / (2 * LONG));
    }
}

#[test]
fn of_ten_megabytes_on_a_line_little_is_kept() {
    let text = error(&"Caused by: java.io.IOException: [A_B] out of memory ".repeat(200_000));
    let pages = reading::read(&text);
    let kept: usize = pages.iter().map(|page| page.piece.folded.len() + std::mem::size_of_val(page.segments.as_slice())).sum();
    assert!(kept <= 2 << 20, "{kept} bytes");
    let signals = shipped().collector().collect(&text, &pages).len();
    assert!(signals <= 256 + shipped().rules().len() + 2 * pages.len(), "{signals} signals");
}

/// Texts of one root cause stand together: other ids, paths, jobs, wrappers and runtime versions.
const ALIKE: [&[&str]; 14] = [
    &[
        "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or function parameter with name `a` cannot be resolved. Did you mean [`b`]?",
        "AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name `zz` cannot be resolved. SQLSTATE: 42703",
    ],
    &[
        "[PARSE_SYNTAX_ERROR] Syntax error at or near 'FORM'. SQLSTATE: 42601",
        "ParseException: \n[PARSE_SYNTAX_ERROR] Syntax error at or near '('.(line 3, pos 9)",
        "HiveSQLException: Error running query: [PARSE_SYNTAX_ERROR] Syntax error at or near 'x': extra input",
    ],
    &[
        "io.delta.exceptions.ConcurrentAppendException: [DELTA_CONCURRENT_APPEND] Files were added",
        "ConcurrentAppendException: Files were added to partition [dt=2022-01-01] by a concurrent update.",
        "com.databricks.sql.transaction.tahoe.ConcurrentAppendException: Files were added to the root of the table by a concurrent update.",
    ],
    &[
        "io.delta.exceptions.MetadataChangedException: The metadata of the Delta table has been changed",
        "[DELTA_METADATA_CHANGED] MetadataChangedException: The metadata",
    ],
    &[
        "java.io.IOException: No space left on device",
        "org.apache.spark.SparkException: Job aborted due to stage failure: Task 3 in stage 1.0 failed 4 times, most recent failure: Lost task 3.3 in stage 1.0 (TID 7) (10.0.0.1 executor 2): java.io.IOException: No space left on device",
    ],
    &[
        "Lost task 0.0 in stage 4.0 (TID 1, 10.1.1.1, executor 1): ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: Executor heartbeat timed out after 147206 ms",
        "Lost task 9.2 in stage 12.0 (TID 88) (h executor 7): ExecutorLostFailure (executor 7 exited caused by one of the running tasks) Reason: Executor heartbeat timed out after 12940 ms",
    ],
    &[
        "ERROR Lost executor 6 on a.b.internal: Container killed by YARN for exceeding memory limits. 9.1 GB of 9 GB physical memory used.",
        "16/10/07 23:50:32 ERROR Lost executor 9 on node-17.cs.x.edu: Container killed by YARN for exceeding memory limits. 7.2 GB of 4.2 GB virtual memory used.",
    ],
    &[
        "FileNotFoundError: [Errno 2] No such file or directory: '/Volumes/a/b.json'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/dbfs/x/2024-01-01.csv'",
    ],
    &[
        "KeyError: 'sku'",
        "KeyError: 'price'",
        "Py4JJavaError: An error occurred while calling o77.x.\n: org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    d['sku']\nKeyError: 'sku'",
    ],
    &["KeyError: 'TARGET_CATALOG'"],
    &[
        "HTTPError: 403 Client Error: Forbidden for url: https://a.example.com/x?id=1",
        "HTTPError: 403 Client Error: Forbidden for url: https://b.example.com/y",
    ],
    &[
        "java.net.ConnectException: Connection refused",
        "java.net.ConnectException: Connection refused\n\tat java.net.Socket.connect(Socket.java:12)",
    ],
    &["ModuleNotFoundError: No module named 'azure'"],
    &[
        "Could not execute broadcast in 300 secs. You can increase the timeout for broadcasts via spark.sql.broadcastTimeout",
        "Could not execute broadcast in 3 secs. You can disable broadcast join",
    ],
];

#[test]
fn fingerprints_group_by_root_cause() {
    let all: Vec<(usize, Fingerprint)> = ALIKE
        .iter()
        .enumerate()
        .flat_map(|(group, texts)| texts.iter().map(move |text| (group, shipped().classify(&error(text)).fingerprint)))
        .collect();
    let (mut alike, mut found, mut wrong) = (0, 0, Vec::new());
    for (i, (group, print)) in all.iter().enumerate() {
        for (other, second) in &all[i + 1..] {
            alike += usize::from(group == other);
            found += usize::from(group == other && print == second);
            if group != other && print == second {
                wrong.push((group, other));
            }
        }
    }
    assert!(wrong.is_empty(), "different causes under one name: {wrong:?}");
    assert!(found * 100 >= alike * 90, "{found} of {alike} pairs of one cause have one name");
}

fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("Caused by: ".to_owned()),
        Just("java.lang.OutOfMemoryError: Java heap space\n".to_owned()),
        Just("Traceback (most recent call last):\n".to_owned()),
        Just("\nDuring handling of the above exception, another exception occurred:\n".to_owned()),
        Just("[UNRESOLVED_COLUMN".to_owned()),
        Just("SQLSTATE: ".to_owned()),
        Just("exit code ".to_owned()),
        Just("'`\"".to_owned()),
        Just("\u{1b}[31m".to_owned()),
        Just("éConnectionError(e, '".to_owned()),
        Just("errorCode".to_owned()),
        Just("An error occurred (".to_owned()),
        Just("Error Code: ".to_owned()),
        Just(" does not have ".to_owned()),
        Just("controlled by ".to_owned()),
        Just("most recent failure: Lost task [Errno ".to_owned()),
        Just("é".to_owned()),
        ".{0,40}".prop_map(|words| words),
        "[A-Z_\\.\\[\\]:]{0,30}".prop_map(|words| words),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_gets_a_verdict_with_an_exact_span(error in words(), trace in words(), logs in words()) {
        let text = FailureText { error: Some(error), error_trace: Some(trace), logs: Some(logs), ..FailureText::default() };
        let verdict = shipped().classify(&text);
        if let Some(span) = &verdict.evidence {
            let field = text.field(span.field).unwrap();
            prop_assert_eq!(&field[span.start..span.end], span.text.as_str());
        }
        prop_assert_eq!(verdict.fingerprint.0.len(), 12);
        prop_assert_eq!(&shipped().classify(&text), &verdict);
    }
}

#[test]
fn what_the_model_says_is_explained_by_words_of_the_text() {
    let text = error("The vCore allotment of the tenant is used up; ask for more throughput units");
    let verdict = shipped().classify(&text);
    assert_eq!(verdict.rules, ["model"], "{verdict:?}");
    let words: Vec<&str> = verdict.explanation.split(['“', '”']).skip(1).step_by(2).collect();
    assert!(!words.is_empty() && words.iter().all(|word| text.error.as_ref().unwrap().contains(word)), "{}", verdict.explanation);
    assert!(words.iter().any(|word| verdict.evidence.as_ref().unwrap().text.contains(word)));
}
