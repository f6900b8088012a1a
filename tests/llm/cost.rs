//! What a question costs over the labelled failures: tokens of each prompt, money at list prices.

use std::time::{Duration, Instant};

use runmend::classify::Classifier;
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
const WRONG_WHEN_SURE_MAX: f64 = 0.02;

/// The rule behind `llm.ask = unsure`: sure is a tenth of the confidences that the labelled failures show to be right, as are all above
/// it. A tenth that few failures fall into shows nothing, so it is asked about.
#[test]
fn what_counts_as_sure_is_shown_to_be_right() {
    let classifier = Classifier::shipped();
    let mut bands = [(0u32, 0u32); 10];
    for name in ["dev.jsonl", "recorded.jsonl"] {
        for case in support::cases(&support::corpus(name)).unwrap_or_default() {
            let rules = support::failed(&classifier, &case.text).classification;
            let (cases, wrong) = &mut bands[((rules.confidence.get() * 10.0) as usize).min(9)];
            *cases += 1;
            *wrong += u32::from(case.cause != Some(rules.cause) && !case.category_alternatives.contains(&rules.cause));
        }
    }
    let mut sure_from = 1.0;
    println!("confidence   cases  wrong  at most (95 %)");
    for (band, (cases, wrong)) in bands.into_iter().enumerate().rev() {
        let (from, most) = (band as f64 / 10.0, at_most(wrong, cases));
        println!("from {from:.1} {cases:>11} {wrong:>6} {most:>10.3}");
        if most <= WRONG_WHEN_SURE_MAX && sure_from == from + 0.1 {
            sure_from = from;
        }
    }
    if bands.iter().map(|(cases, _)| cases).sum::<u32>() == 0 {
        return;
    }
    println!("sure from {sure_from:.1}; asked about below {}", ask::UNSURE_BELOW);
    assert!(ask::UNSURE_BELOW >= sure_from - 1e-9, "below {sure_from:.1} the rules were not shown to be right: ask there");
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

/// Where the rules are sure they are right, so asking buys nothing there; where they are not, it is worth its price.
#[test]
fn asking_when_unsure_asks_about_few_and_about_the_wrong_ones() {
    let classifier = Classifier::shipped();
    let (mut all, mut wrong, mut asked, mut asked_wrong) = (0, 0, 0, 0);
    for name in ["dev.jsonl", "recorded.jsonl"] {
        for case in support::cases(&support::corpus(name)).unwrap_or_default() {
            let rules = support::failed(&classifier, &case.text).classification;
            let is_wrong = case.cause != Some(rules.cause) && !case.category_alternatives.contains(&rules.cause);
            let is_asked = ask::wanted(Ask::Unsure, Occasion::Automatic, &rules).is_ok();
            all += 1;
            wrong += usize::from(is_wrong);
            asked += usize::from(is_asked);
            asked_wrong += usize::from(is_wrong && is_asked);
        }
    }
    println!("llm.ask = unsure: {asked} of {all} asked about; {asked_wrong} of {wrong} wrong verdicts among them");
    // Asked at random, as large a share of the wrong ones would be among them as of all.
    assert!(asked * 4 <= all, "{asked} of {all}");
    assert!(asked_wrong * all >= asked * wrong, "{asked_wrong} of {wrong}");
}
