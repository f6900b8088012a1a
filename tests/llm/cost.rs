//! What a question costs over the labelled failures: tokens of each prompt, money at list prices.

use std::time::{Duration, Instant};

use runmend::classify::Classifier;
use runmend::domain::cause::Cause;
use runmend::domain::classification::Tokens;
use runmend::domain::job::JobFacts;
use runmend::llm::{Alike, Ask, Occasion, PriceTable, Prompt, Question, ask, prompt};
use runmend::redact::secrets::Redactor;

use super::support;

/// A verdict with two quotes, as models write it.
const ANSWER_TOKENS: u64 = 150;
/// The response schema's tokens, which providers count as part of the prompt.
const SCHEMA_TOKENS: u64 = 170;
/// How often one cause is met within an opinion's age, in a day of a team with some hundred jobs: a job that fails is run again, and
/// neighbours fail of the same cause.
const ALIKE_A_DAY: f64 = 3.0;

#[test]
fn an_opinion_costs_less_than_a_fifth_of_a_cent() {
    let classifier = Classifier::shipped();
    let redact = Redactor::new(Default::default());
    let prices = PriceTable::shipped();
    for name in ["dev.jsonl", "recorded.jsonl"] {
        let Some(cases) = support::cases(&support::corpus(name)) else { continue };
        let (job, alike) = (JobFacts::default(), Alike::default());
        let mut counts = Vec::new();
        let mut longest = Duration::ZERO;
        for case in &cases {
            let failed = support::failed(&classifier, &case.text);
            let (evidence, classification) = (&failed.evidence, &failed.classification);
            let question = Question { evidence, classification, job: &job, attempts: &[], alike: &alike, occasion: Occasion::Automatic };
            let started = Instant::now();
            let built = Prompt::build(&question, &redact, prompt::EVIDENCE_BYTES_MAX);
            longest = longest.max(started.elapsed());
            counts.push(built.tokens());
        }
        counts.sort_unstable();
        let average = counts.iter().sum::<u64>() / counts.len() as u64;
        let at = |share: usize| counts[(counts.len() - 1) * share / 100];
        println!(
            "{name}: {} prompts; tokens average {average}, median {}, 90th {}, most {}; slowest {longest:?}",
            counts.len(),
            at(50),
            at(90),
            at(100)
        );
        for (model, most) in [("gpt-4o", 0.002), ("gpt-4o-mini", 0.0003)] {
            let tokens = Tokens { input: average + SCHEMA_TOKENS, output: ANSWER_TOKENS, ..Tokens::default() };
            let call = prices.get(model).unwrap().of(&tokens).get();
            println!("  {model}: ${call:.5} a call, ${:.5} a failure with the cache ({ALIKE_A_DAY} alike a day)", call / ALIKE_A_DAY);
            assert!(call / ALIKE_A_DAY < most, "{model} {name}");
        }
    }
}

/// Of the verdicts with a confidence that counts as sure, no more may be wrong.
const WRONG_WHEN_SURE_MAX: f64 = 1.0 / 30.0;

/// What the rules and the model of words said of 472 failures before they were changed for them; `causes` are what people say.
#[derive(serde::Deserialize)]
struct FirstSight {
    causes: Vec<Cause>,
    rules: Cause,
    rules_confidence: f64,
}

fn first_sight() -> Vec<FirstSight> {
    include_str!("../cases/first_sight.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The rule behind `llm.ask = unsure`: sure is the least confidence, in hundredths, from which on failures at first sight show the rules to be
/// right.
#[test]
fn what_counts_as_sure_is_shown_to_be_right() {
    let all = first_sight();
    let mut sure_from = 1.0;
    println!("confidence   cases  wrong  at most (95 %)");
    for hundredth in (80..100).rev() {
        let from = f64::from(hundredth) / 100.0;
        let told = all.iter().filter(|case| case.rules_confidence >= from);
        let (cases, wrong) = told.fold((0, 0), |(cases, wrong), case| (cases + 1, wrong + u32::from(!case.causes.contains(&case.rules))));
        let most = at_most(wrong, cases);
        println!("from {from:.2} {cases:>10} {wrong:>6} {most:>10.3}");
        if most <= WRONG_WHEN_SURE_MAX {
            sure_from = from;
        }
    }
    println!("sure from {sure_from:.2}; asked about below {}", ask::UNSURE_BELOW);
    assert!((ask::UNSURE_BELOW - sure_from).abs() < 1e-9, "the failures show {sure_from:.2}");
}

/// The share that may be wrong, of which so many were seen: the upper end of a one-sided 95 % interval (Wilson).
fn at_most(wrong: u32, cases: u32) -> f64 {
    if cases == 0 {
        return 1.0;
    }
    let (n, z) = (f64::from(cases), 1.645_f64);
    let p = f64::from(wrong) / n;
    (p + z * z / (2.0 * n) + z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt()) / (1.0 + z * z / n)
}

/// Where the rules are sure they are right, so asking buys little there; where they are not, it is worth its price.
#[test]
fn asking_when_unsure_asks_about_nearly_all_that_are_wrong() {
    let (mut all, mut wrong, mut asked, mut asked_wrong) = (0, 0, 0, 0);
    for case in first_sight() {
        let is_wrong = !case.causes.contains(&case.rules);
        let is_asked = case.rules_confidence < ask::UNSURE_BELOW;
        all += 1;
        wrong += usize::from(is_wrong);
        asked += usize::from(is_asked);
        asked_wrong += usize::from(is_wrong && is_asked);
    }
    println!("llm.ask = unsure, at first sight: {asked} of {all} asked about; {asked_wrong} of {wrong} wrong verdicts among them");
    assert!(asked < all && asked_wrong * 20 >= wrong * 19, "{asked_wrong} of {wrong}");
    // Failures as they are met every day are known better, and asked about less.
    let classifier = Classifier::shipped();
    for name in ["dev.jsonl", "recorded.jsonl"] {
        let cases = support::cases(&support::corpus(name)).unwrap_or_default();
        let is_asked = |case: &&support::Case| {
            ask::wanted(Ask::Unsure, Occasion::Automatic, &support::failed(&classifier, &case.text).classification).is_ok()
        };
        println!("{name}: {} of {} asked about", cases.iter().filter(is_asked).count(), cases.len());
    }
}
