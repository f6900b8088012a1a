//! Classifications a second on recorded failures, each filled up to 2 KB of evidence. Aim: 50,000 a second on one core.
//! `cargo bench --bench classify`

#![allow(clippy::unwrap_used)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use runmend::classify::Classifier;
use runmend::domain::evidence::FailureText;

/// Bytes of evidence a case.
const CASE_BYTES: usize = 2048;
/// What logs hold around a failure.
const NOISE: &str =
    "25/06/12 08:15:32 INFO TaskSetManager: Finished task 7.0 in stage 14.0 (TID 2210) in 412 ms on 10.100.84.229 (executor 3)\n";

fn cases() -> Vec<FailureText> {
    let recordings = include_str!("../assets/scenarios/recordings.jsonl");
    recordings
        .lines()
        .map(|line| {
            let mut text: FailureText = serde_json::from_str(line).unwrap();
            let used: usize =
                [&text.error, &text.error_trace, &text.state_message, &text.logs].into_iter().flatten().map(String::len).sum();
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

fn classify(criterion: &mut Criterion) {
    let classifier = Classifier::shipped();
    let cases = cases();
    let mut group = criterion.benchmark_group("classify");
    group.throughput(Throughput::Elements(cases.len() as u64));
    group.bench_function("2 KB a case", |bencher| {
        bencher.iter_batched(
            || (),
            |()| cases.iter().map(|case| classifier.classify(case).confidence.get()).sum::<f64>(),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, classify);
criterion_main!(benches);
