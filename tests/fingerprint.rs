//! Do fingerprints group what an engineer on call would call the same failure again? Pairwise precision and recall on labelled failures.
//!
//! `cases/fingerprint_groups.tsv` gives each failure of the corpus (see `accuracy.rs`) a group; one that is alike to no other has its own id
//! as group. It was labelled by hand from the texts alone, before the fingerprints were looked at, by this rule:
//!
//! - One group: the same published condition or service error code, or the same exception with the same kind of root message; whatever the
//!   names of data (columns, tables, keys, paths, hosts, users, settings), ids, numbers, wrappers, job and runtime version, and also where
//!   an older runtime words the same failure differently. One stored opinion must hold for all of a group.
//! - Different groups: another symbol of code is missing (module, class, attribute, package: another library is to be installed), another
//!   privilege is missing, another exit code, signal, errno or HTTP status is given, or only the class or a catch-all code
//!   (`PERMISSION_DENIED`, `INTERNAL_ERROR`, `STREAM_FAILED`, `FAILED_READ_FILE`) is shared and the message beneath is another.
//! - Where a chain shows what lies beneath (a trace, a log), that decides and not the wrapper.
//!
//! Each failure also comes as the next run would tell it: [`next_run`] with other ids, times, hosts, paths, numbers and line numbers,
//! [`retold`] with a wrapper put on or taken off and the last frames cut. Both are fixed rules, without chance.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use regex::{Captures, Regex};

use runmend::classify::Classifier;
use runmend::domain::evidence::FailureText;
use runmend::report::evaluate::read;

/// A failure, its group, its fingerprint.
struct Told {
    id: String,
    group: String,
    fingerprint: String,
}

fn corpus() -> PathBuf {
    std::env::var_os("RUNMEND_CORPUS").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from)
}

fn labelled() -> Vec<(String, String, FailureText)> {
    let groups: HashMap<&str, &str> =
        include_str!("cases/fingerprint_groups.tsv").lines().filter_map(|line| line.split_once('\t')).collect();
    let mut all = Vec::new();
    for name in ["dev.jsonl", "recorded.jsonl"] {
        let path = corpus().join(name);
        let Ok(file) = File::open(&path) else {
            println!("skipped: {} is not here", path.display());
            continue;
        };
        for case in read(BufReader::new(file)).unwrap().cases {
            if let Some(group) = groups.get(case.id.as_str()) {
                all.push((case.id, (*group).to_owned(), case.text));
            }
        }
    }
    all
}

#[derive(Default)]
struct Score {
    alike: usize,
    found: usize,
    right: usize,
    /// A few of the pairs that are wrong, for reading.
    wrong: Vec<String>,
}

impl Score {
    fn of(all: &[Told]) -> Self {
        let mut score = Self::default();
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                let (alike, found) = (a.group == b.group, a.fingerprint == b.fingerprint);
                score.alike += usize::from(alike);
                score.found += usize::from(found);
                score.right += usize::from(alike && found);
                if alike != found {
                    score.wrong.push(format!("{} {} {}: {}", if found { "joined" } else { "parted" }, a.id, b.id, a.group));
                }
            }
        }
        score
    }

    fn precision(&self) -> f64 {
        self.right as f64 / self.found.max(1) as f64
    }

    fn recall(&self) -> f64 {
        self.right as f64 / self.alike.max(1) as f64
    }

    fn print(&self, name: &str) {
        println!(
            "{name}: precision {:.3} ({} of {}), recall {:.3} ({} of {})",
            self.precision(),
            self.right,
            self.found,
            self.recall(),
            self.right,
            self.alike
        );
    }
}

#[test]
fn the_same_root_cause_groups_and_different_ones_do_not() {
    let fingerprint = |text: &FailureText| SHIPPED.classify(text).fingerprint.as_str().to_owned();
    let cases = labelled();
    if cases.is_empty() {
        return;
    }
    let (mut corpus, mut all) = (Vec::new(), Vec::new());
    let (mut next_kept, mut retold_kept, mut moved) = (0, 0, Vec::new());
    let variants = Variants::new();
    for (id, group, text) in &cases {
        let told = |mark: &str, fingerprint: String| Told { id: format!("{id}{mark}"), group: group.clone(), fingerprint };
        let first = fingerprint(text);
        let next = fingerprint(&variants.next_run(text));
        let again = fingerprint(&variants.retold(&variants.next_run(text)));
        next_kept += usize::from(first == next);
        retold_kept += usize::from(first == again);
        if first != next || first != again {
            moved.push(format!("{id}{}{}", if first == next { "" } else { "+next" }, if first == again { "" } else { "+retold" }));
        }
        corpus.push(told("", first.clone()));
        all.extend([told("", first), told("+next", next), told("+retold", again)]);
    }
    let alone = Score::of(&corpus);
    println!("{}", alone.wrong.join("\n"));
    println!("moved: {}", moved.join(" "));
    alone.print("corpus");
    println!("of {} failures, {next_kept} keep their fingerprint in the next run, {retold_kept} when retold", cases.len());
    let both = Score::of(&all);
    both.print("corpus and next runs");
    for (name, score) in [("corpus", &alone), ("corpus and next runs", &both)] {
        assert!(score.precision() >= 0.98, "{name}: precision {}", score.precision());
        assert!(score.recall() >= 0.90, "{name}: recall {}", score.recall());
    }
    assert!(next_kept * 100 >= cases.len() * 97, "{next_kept} of {}", cases.len());
    assert!(retold_kept * 100 >= cases.len() * 97, "{retold_kept} of {}", cases.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_changes_from_run_to_run_never_changes_the_fingerprint(
        template in prop::sample::select(FAILURES.to_vec()),
        first in any::<[u32; 4]>(),
        second in any::<[u32; 4]>(),
    ) {
        let of = |error: String| SHIPPED.classify(&FailureText { error: Some(error), ..FailureText::default() }).fingerprint;
        prop_assert_eq!(of(filled(template, first)), of(filled(template, second)), "{}\n{}", filled(template, first), filled(template, second));
    }

    #[test]
    fn two_failures_of_another_kind_never_share_a_fingerprint(a in 0..FAILURES.len(), b in 0..FAILURES.len(), values in any::<[u32; 4]>()) {
        let of = |error: String| SHIPPED.classify(&FailureText { error: Some(error), ..FailureText::default() }).fingerprint;
        prop_assume!(a != b);
        prop_assert_ne!(of(filled(FAILURES[a], values)), of(filled(FAILURES[b], values)));
    }
}

static SHIPPED: LazyLock<Classifier> = LazyLock::new(Classifier::shipped);

/// Failures with places for what changes: `{n}` a number, `{id}` an id, `{path}`, `{host}`, `{name}` a name of data, `{at}` a time.
const FAILURES: [&str; 14] = [
    "java.io.IOException: Cannot write {path}: the lease {id} is held by task {n}",
    "Job aborted due to stage failure: Task {n} in stage {n}.0 failed 4 times, most recent failure: Lost task {n}.3 in stage {n}.0 (TID {n}) ({host} executor {n}): java.io.IOException: No space left on device",
    "py4j.protocol.Py4JJavaError: An error occurred while calling o{n}.save.\n: org.apache.spark.SparkException: Could not execute broadcast in {n} secs.",
    "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column with name `{name}` cannot be resolved. Did you mean one of the following? [`{name}`, `{name}`]. SQLSTATE: 42703",
    "java.lang.RuntimeException: {path} is not a Parquet file. Expected magic number at tail, but found [{n}, {n}, {n}, {n}]",
    "{at} ERROR Ingest: batch {id} was refused by {host}: the offset {n} lies before the first one",
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='{host}', port=443): Max retries exceeded with url: {path}?run={n} (Caused by NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x{id}>: Failed to establish a new connection: [Errno 111] Connection refused'))",
    "ValueError: invalid literal for int() with base 10: '{name}'",
    "Cluster {id} could not be started at {at}: the init script {path} failed on {host}",
    "pyspark.errors.exceptions.captured.AnalysisException: [PATH_NOT_FOUND] Path does not exist: {path}. SQLSTATE: 42K03",
    "Command exited with code 137 on executor {n} ({host})",
    "Command exited with code 143 on executor {n} ({host})",
    "KeyError: '{name}'",
    "Query {id} was stopped after {n} seconds: the warehouse's limit for one statement",
];

/// The places filled, each time with other values.
fn filled(template: &str, values: [u32; 4]) -> String {
    let mut text = String::new();
    let mut rest = template;
    let mut at = 0usize;
    while let Some((before, place)) = rest.split_once('{') {
        let (kind, after) = place.split_once('}').unwrap();
        let value = values[at % 4].wrapping_add(at as u32 * 7919);
        at += 1;
        text.push_str(before);
        match kind {
            "n" => text.push_str(&(value % 9000).to_string()),
            "id" => text.push_str(&format!("{value:08x}1{:07x}", value % 0xfff_ffff)),
            "path" => text.push_str(&format!("dbfs:/mnt/lake{}/day={}/part-{:05}.parquet", value % 7, value % 28, value % 100)),
            "host" => text.push_str(&format!("10.{}.{}.{}", value % 250, value / 7 % 250, value / 11 % 250)),
            "name" => text.push_str(&format!("col{}", value % 1000)),
            "at" => text.push_str(&format!("2025-{:02}-{:02} {:02}:{:02}:00", value % 12 + 1, value % 28 + 1, value % 24, value % 60)),
            other => panic!("{other}"),
        }
        rest = after;
    }
    text + rest
}

type Change = fn(&Captures<'_>) -> String;

struct Variants {
    rules: Vec<(Regex, Change)>,
    wrapper: Regex,
    package: Regex,
    jvm: Regex,
}

impl Variants {
    fn new() -> Self {
        let rules: [(&str, Change); 21] = [
            // Query, run and file ids; hashes; addresses of objects.
            (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", |m| rotated(&m[0])),
            (r"\b(?:0x[0-9a-f]{6,16}|[0-9a-f]{20,64})\b", |m| rotated(&m[0])),
            (r"@[0-9a-f]{7,8}\b", |m| rotated(&m[0])),
            // Clusters: 0523-101010-abcd1234.
            (r"\b\d{4}-\d{6}-[a-z0-9]{8}\b", |m| rotated(&m[0])),
            (r"\b\d{9,22}\b", |m| rotated(&m[0])),
            // Times and addresses.
            (r"\b(20\d\d-\d\d)-(\d\d)", |m| format!("{}-{:02}", &m[1], (number(&m[2]) + 3) % 28 + 1)),
            (r"\b(\d\d):(\d\d):(\d\d)\b", |m| format!("{}:{:02}:{:02}", &m[1], (number(&m[2]) + 7) % 60, (number(&m[3]) + 11) % 60)),
            (r"\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\b", |m| {
                format!("{}.{}.{}.{}", &m[1], &m[2], (number(&m[3]) + 9) % 250, (number(&m[4]) + 41) % 250)
            }),
            // Stages, tasks, executors, jobs.
            (r"\b([Tt]ask) (\d+)(\.\d+)? in stage (\d+)\.(\d+)", |m| {
                format!(
                    "{} {}{} in stage {}.{}",
                    &m[1],
                    number(&m[2]) + 5,
                    m.get(3).map_or("", |part| part.as_str()),
                    number(&m[4]) + 2,
                    &m[5]
                )
            }),
            (r"\b(TID|executor|executor Id:|Executor|Stage|Job) (\d+)\b", |m| format!("{} {}", &m[1], number(&m[2]) + 6)),
            (r"failed (\d) times", |m| format!("failed {} times", number(&m[1]) % 4 + 1)),
            // Line numbers; what the compiler numbers.
            (r"\((\w+\.(?:scala|java)):(\d+)\)", |m| format!("({}:{})", &m[1], number(&m[2]) + 17)),
            (r"\bline (\d+), in\b", |m| format!("line {}, in", number(&m[1]) + 17)),
            (r"\.py:(\d+)\b", |m| format!(".py:{}", number(&m[1]) + 17)),
            (r"\b(anon|anonfun|Lambda)\$(\d+)", |m| format!("{}${}", &m[1], number(&m[2]) + 3)),
            (r"(\$anonfun\$\w+)\$(\d+)", |m| format!("{}${}", &m[1], number(&m[2]) + 3)),
            (r"calling o\d+\.", |m| format!("calling o{}.", m[0].len() * 31)),
            // Sizes and durations.
            (r"\b(\d+)(\.\d+)? (bytes|[KMG]i?B|ms|milliseconds|seconds|secs)\b", |m| format!("{}.4 {}", number(&m[1]) + 13, &m[3])),
            // Paths, hosts, people.
            (r"(?:dbfs:/|s3a?://|abfss://|hdfs://|file:/|/Volumes/|/Workspace/|/mnt/|/tmp/)[^\s'\x22,;:)\]]+", |m| {
                m[0].replace("main", "prod").replace("pipelines/", "flows/").replace("orders", "returns").replace('e', "o")
            }),
            (r"\b([a-z0-9-]+)((?:\.[a-z0-9-]+)+\.(?:internal|net|com|invalid|edu))([:/'\x22\s,\])])", |m| {
                format!("{}-b{}{}", &m[1], &m[2], &m[3])
            }),
            // Names and values where the messages of Spark and Python put them.
            (r"(with name |with the name |near |[Vv]alue |KeyError: |Reference |label: )([`'])([^`']+)([`'])", |m| {
                match m[3].contains('_') {
                    // A setting that is not set (`KeyError: 'TARGET_CATALOG'`) is another failure where it is another setting.
                    true if m[3].to_ascii_uppercase() == m[3] => m[0].to_owned(),
                    _ => format!("{}{}{}x{}", &m[1], &m[2], &m[3], &m[4]),
                }
            }),
        ];
        let rules = rules.into_iter().map(|(pattern, change)| (Regex::new(pattern).unwrap(), change)).collect();
        Self {
            rules,
            wrapper: Regex::new(r"^(?:py4j\.protocol\.)?Py4JJavaError: An error occurred while calling [\w.:]+\.\n: ").unwrap(),
            package: Regex::new(r"^(?:pyspark|databricks|requests)[\w.]*\.(\w+: )").unwrap(),
            jvm: Regex::new(r"^(?:java|org|com|io|net)\.[\w.$]+(?:Exception|Error): ").unwrap(),
        }
    }

    /// The same failure a day later, in another job.
    fn next_run(&self, text: &FailureText) -> FailureText {
        let change = |words: &Option<String>| {
            words.as_ref().map(|words| {
                let mut words = words.clone();
                for (pattern, change) in &self.rules {
                    words = pattern.replace_all(&words, change).into_owned();
                }
                words
            })
        };
        FailureText {
            error: change(&text.error),
            error_trace: change(&text.error_trace),
            state_message: change(&text.state_message),
            logs: change(&text.logs),
            ..text.clone()
        }
    }

    /// The same failure with its wrapper taken off or put on, and without the frames that end its trace.
    fn retold(&self, text: &FailureText) -> FailureText {
        let error = text.error.as_ref().map(|words| {
            if self.wrapper.is_match(words) {
                return self.wrapper.replace(words, "").into_owned();
            }
            if self.package.is_match(words) {
                return self.package.replace(words, "$1").into_owned();
            }
            if self.jvm.is_match(words) {
                return format!("Py4JJavaError: An error occurred while calling o77.count.\n: {words}");
            }
            words.clone()
        });
        let error_trace = text.error_trace.as_ref().map(|words| {
            let kept = words.lines().collect::<Vec<_>>();
            let end = kept.iter().rposition(|line| !line.trim_start().starts_with("at ") && !line.trim_start().starts_with("... "));
            kept[..end.map_or(0, |at| (at + 2).min(kept.len()))].join("\n")
        });
        FailureText { error, error_trace, ..text.clone() }
    }
}

fn number(digits: &str) -> u64 {
    digits.parse().unwrap_or(0)
}

/// Each digit another digit, each hex letter another hex letter; the first two stay (`0x`).
fn rotated(id: &str) -> String {
    let turn = |at: usize, c: char| match c {
        _ if at < 2 => c,
        '0'..='9' => char::from(b'0' + (c as u8 - b'0' + 3) % 10),
        'a'..='f' => char::from(b'a' + (c as u8 - b'a' + 2) % 6),
        other => other,
    };
    id.chars().enumerate().map(|(at, c)| turn(at, c)).collect()
}
