//! Classifications a second on recorded failures: at 2 KB of evidence a case, and at their own length, 4.4 KB on average. Aim: 50,000 a
//! second on one core at 2 KB.
//! `cargo bench --bench classify`

#![allow(clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use runmend::classify::Classifier;
use runmend::domain::evidence::FailureText;

/// Bytes of evidence a case.
const CASE_BYTES: usize = 2048;
/// What logs hold around a failure.
const NOISE: &str =
    "25/06/12 08:15:32 INFO TaskSetManager: Finished task 7.0 in stage 14.0 (TID 2210) in 412 ms on 10.100.84.229 (executor 3)\n";

/// Short failures are filled up with log lines to [`CASE_BYTES`].
fn recorded() -> Vec<FailureText> {
    let recordings = include_str!("../assets/scenarios/recordings.jsonl");
    recordings
        .lines()
        .map(|line| {
            let mut text: FailureText = serde_json::from_str(line).unwrap();
            let used = length(&text);
            let mut logs = String::new();
            while used + logs.len() + NOISE.len() < CASE_BYTES {
                logs.push_str(NOISE);
            }
            logs.push_str(text.logs.as_deref().unwrap_or_default());
            text.logs = Some(logs).filter(|logs| !logs.is_empty());
            text
        })
        .collect()
}

fn length(text: &FailureText) -> usize {
    [&text.error, &text.error_trace, &text.state_message, &text.logs].into_iter().flatten().map(String::len).sum()
}

/// Long failures lose the start of their trace, then of their logs and error: what went wrong stands at the end.
fn cut(mut text: FailureText) -> FailureText {
    let mut over = length(&text).saturating_sub(CASE_BYTES);
    for field in [&mut text.error_trace, &mut text.logs, &mut text.error].into_iter().flatten() {
        let mut at = over.min(field.len());
        while !field.is_char_boundary(at) {
            at += 1;
        }
        field.drain(..at);
        over = over.saturating_sub(at);
    }
    text
}

fn classify(criterion: &mut Criterion) {
    let classifier = Classifier::shipped();
    let mut group = criterion.benchmark_group("classify");
    for (name, cases) in [("2 KB a case", recorded().into_iter().map(cut).collect()), ("as recorded", recorded())] {
        let cases: Vec<FailureText> = cases;
        group.throughput(Throughput::Elements(cases.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| cases.iter().map(|case| classifier.classify(case).confidence.get()).sum::<f64>());
        });
    }
    group.finish();
}

criterion_group!(benches, classify);
criterion_main!(benches);
