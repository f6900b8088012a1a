//! `runmend evaluate`: how right the judgement is on labelled failures, and how well its confidence means what it says.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use crate::classify::Classifier;
use crate::decide::Policy;
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::classification::Classification;
use crate::domain::decision::{Authority, Decision};
use crate::domain::evidence::FailureText;
use crate::domain::job::JobFacts;
use crate::redact::control;

use super::decided;
use super::input::{self, LINE_BYTES_MAX, Line};

/// Bins of the reliability table.
const BINS: usize = 10;
/// The speed is measured over at least so long, or so many rounds.
const SPEED_TIME_MIN: Duration = Duration::from_millis(150);
const SPEED_ROUNDS_MAX: usize = 40;

/// One labelled failure.
#[derive(Clone, Debug)]
pub struct Labelled {
    pub id: String,
    pub source: String,
    pub text: FailureText,
    pub job: JobFacts,
    pub cause: Cause,
    pub other_causes: Vec<Cause>,
    pub action: Action,
    pub other_actions: Vec<Action>,
}

#[derive(Clone, Debug, Default)]
pub struct LabelledFile {
    pub cases: Vec<Labelled>,
    /// Lines that are no labelled case, with the reason.
    pub bad_lines: Vec<(usize, String)>,
}

/// Reads JSON Lines with `category`, `alt_categories`, `action`, `alt_actions`. Errors: the input can't be read.
pub fn read(mut input: impl BufRead) -> io::Result<LabelledFile> {
    let mut file = LabelledFile::default();
    let mut number = 0;
    while let Some(line) = input::next_line(&mut input)? {
        number += 1;
        let words = match line {
            Line::TooLong => {
                file.bad_lines.push((number, format!("longer than {} MiB", LINE_BYTES_MAX >> 20)));
                continue;
            }
            Line::Words(words) if words.trim_ascii().is_empty() => continue,
            Line::Words(words) => words,
        };
        match labelled(&words, number) {
            Ok(case) => file.cases.push(case),
            Err(error) => file.bad_lines.push((number, error)),
        }
    }
    Ok(file)
}

fn labelled(line: &[u8], number: usize) -> Result<Labelled, String> {
    let case = input::case(line)?;
    let word = |name: &str| match case.rest.get(name) {
        Some(Value::String(word)) => Ok(word.as_str()),
        _ => Err(format!("`{name}` is missing")),
    };
    let list = |name: &str| match case.rest.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(words)) => words.iter().map(|word| word.as_str().ok_or_else(|| format!("`{name}` holds no words"))).collect(),
        Some(_) => Err(format!("`{name}` is no list")),
    };
    let cause = word("category")?.parse::<Cause>().map_err(|error| error.to_string())?;
    let action = word("action")?.parse::<Action>().map_err(|error| error.to_string())?;
    let other_causes = list("alt_categories")?
        .into_iter()
        .map(|word| word.parse::<Cause>().map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    let other_actions =
        list("alt_actions")?.into_iter().map(|word| word.parse::<Action>().map_err(|error| error.to_string())).collect::<Result<_, _>>()?;
    let id = match &case.id {
        Some(Value::String(id)) => id.clone(),
        Some(id) => id.to_string(),
        None => format!("line {number}"),
    };
    let source = word("source").map_or_else(|_| String::new(), group);
    Ok(Labelled { id, source, text: case.text, job: case.job, cause, other_causes, action, other_actions })
}

/// Sources of one kind in one row: a recording's program, an issue tracker's host, a stored file.
fn group(source: &str) -> String {
    if let Some(rest) = source.strip_prefix("https://") {
        return rest.split('/').next().unwrap_or(rest).to_owned();
    }
    match source.split_once(" id ") {
        Some((kind, _)) => kind.to_owned(),
        None => source.to_owned(),
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct CauseRow {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub support: usize,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct SourceRow {
    pub cases: usize,
    pub cause_accuracy: f64,
    pub cause_accuracy_with_alternatives: f64,
    pub action_accuracy_with_alternatives: f64,
}

/// A row of the reliability table: of the answers with a confidence in this range, how many were right.
#[derive(Clone, Debug, Serialize)]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    pub cases: usize,
    pub confidence: f64,
    pub right: f64,
}

/// A wrong automatic re-run may write data twice and hides the failure for hours; a withheld one costs a look.
const WRONG_RERUN_COST: usize = 20;
const WITHHELD_COST: usize = 1;

/// What re-running only from this confidence on would have cost on these cases: the table from which `policy.min_confidence` is chosen.
#[derive(Clone, Debug, Serialize)]
pub struct Threshold {
    pub min_confidence: f64,
    /// Re-runs that a label allows, at this confidence or surer.
    pub reruns_right: usize,
    /// Re-runs that no label allows.
    pub reruns_wrong: usize,
    /// Re-runs held back for a person.
    pub withheld: usize,
    pub cost: usize,
}

/// An answer that no label allows.
#[derive(Clone, Debug, Serialize)]
pub struct Miss {
    pub id: String,
    pub label: Cause,
    pub cause: Cause,
    pub label_action: Action,
    pub action: Action,
    pub confidence: f64,
    pub dangerous: bool,
    pub rules: Vec<String>,
}

/// The contract's object, and more. Shares are 0..=1. `ece` and `brier` count an answer as right when the label or its alternatives allow it.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    pub cases: usize,
    pub cause_accuracy: f64,
    pub cause_accuracy_with_alternatives: f64,
    pub action_accuracy: f64,
    pub action_accuracy_with_alternatives: f64,
    pub macro_f1: f64,
    pub dangerous: f64,
    pub abstained: f64,
    pub ece: f64,
    pub brier: f64,
    pub per_cause: BTreeMap<Cause, CauseRow>,
    /// Label -> answer -> cases.
    pub confusion: BTreeMap<Cause, BTreeMap<Cause, usize>>,
    pub cases_per_second: f64,
    pub per_source: BTreeMap<String, SourceRow>,
    pub reliability: Vec<Bin>,
    pub thresholds: Vec<Threshold>,
    pub misses: Vec<Miss>,
    pub bad_lines: usize,
}

struct Judged<'a> {
    case: &'a Labelled,
    verdict: Classification,
    decision: Decision,
}

impl Judged<'_> {
    fn cause_right(&self) -> bool {
        self.verdict.cause == self.case.cause
    }

    fn cause_allowed(&self) -> bool {
        self.cause_right() || self.case.other_causes.contains(&self.verdict.cause)
    }

    fn action_right(&self) -> bool {
        self.decision.action == self.case.action
    }

    fn action_allowed(&self) -> bool {
        self.action_right() || self.case.other_actions.contains(&self.decision.action)
    }

    /// Re-run without a person, where neither the label nor its alternatives allow a re-run of any kind.
    fn dangerous(&self) -> bool {
        self.decision.action.reruns()
            && self.decision.authority == Authority::Auto
            && !self.case.action.reruns()
            && !self.case.other_actions.iter().any(|action| action.reruns())
    }
}

/// Judges each case as `analyze` does and compares with the labels.
pub fn evaluate(classifier: &Classifier, policy: &Policy, file: &LabelledFile) -> Evaluation {
    let judged: Vec<Judged<'_>> = file
        .cases
        .iter()
        .map(|case| {
            let verdict = classifier.classify(&case.text);
            let decision = decided(verdict.clone(), case.job.clone(), policy);
            Judged { case, verdict, decision }
        })
        .collect();
    let share = |test: &dyn Fn(&Judged<'_>) -> bool| ratio(judged.iter().filter(|one| test(one)).count(), judged.len());
    let per_cause = per_cause(&judged);
    let supported: Vec<f64> = per_cause.values().filter(|row| row.support > 0).map(|row| row.f1).collect();
    let reliability = reliability(&judged);
    let brier: f64 = judged.iter().map(|one| (one.verdict.confidence.get() - f64::from(u8::from(one.cause_allowed()))).powi(2)).sum();
    Evaluation {
        cases: judged.len(),
        cause_accuracy: share(&|one| one.cause_right()),
        cause_accuracy_with_alternatives: share(&|one| one.cause_allowed()),
        action_accuracy: share(&|one| one.action_right()),
        action_accuracy_with_alternatives: share(&|one| one.action_allowed()),
        macro_f1: mean(&supported),
        dangerous: share(&|one| one.dangerous()),
        abstained: share(&|one| one.verdict.cause == Cause::Unknown),
        ece: reliability.iter().map(|bin| (bin.confidence - bin.right).abs() * ratio(bin.cases, judged.len())).sum(),
        brier: if judged.is_empty() { 0.0 } else { brier / judged.len() as f64 },
        confusion: confusion(&judged),
        per_source: per_source(&judged),
        cases_per_second: speed(classifier, policy, &file.cases),
        thresholds: thresholds(&judged),
        misses: misses(&judged),
        bad_lines: file.bad_lines.len(),
        per_cause,
        reliability,
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

fn confusion(judged: &[Judged<'_>]) -> BTreeMap<Cause, BTreeMap<Cause, usize>> {
    let mut table: BTreeMap<Cause, BTreeMap<Cause, usize>> = BTreeMap::new();
    for one in judged {
        *table.entry(one.case.cause).or_default().entry(one.verdict.cause).or_default() += 1;
    }
    table
}

fn per_cause(judged: &[Judged<'_>]) -> BTreeMap<Cause, CauseRow> {
    Cause::ALL
        .into_iter()
        .map(|cause| {
            let support = judged.iter().filter(|one| one.case.cause == cause).count();
            let answered = judged.iter().filter(|one| one.verdict.cause == cause).count();
            let both = judged.iter().filter(|one| one.cause_right() && one.verdict.cause == cause).count();
            let (precision, recall) = (ratio(both, answered), ratio(both, support));
            let f1 = if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
            (cause, CauseRow { precision, recall, f1, support })
        })
        .filter(|(_, row)| row.support > 0 || row.precision > 0.0)
        .collect()
}

fn per_source(judged: &[Judged<'_>]) -> BTreeMap<String, SourceRow> {
    let mut groups: BTreeMap<String, Vec<&Judged<'_>>> = BTreeMap::new();
    for one in judged {
        groups.entry(one.case.source.clone()).or_default().push(one);
    }
    groups
        .into_iter()
        .map(|(source, ones)| {
            let share = |test: &dyn Fn(&Judged<'_>) -> bool| ratio(ones.iter().filter(|one| test(one)).count(), ones.len());
            let row = SourceRow {
                cases: ones.len(),
                cause_accuracy: share(&|one| one.cause_right()),
                cause_accuracy_with_alternatives: share(&|one| one.cause_allowed()),
                action_accuracy_with_alternatives: share(&|one| one.action_allowed()),
            };
            (source, row)
        })
        .collect()
}

fn reliability(judged: &[Judged<'_>]) -> Vec<Bin> {
    (0..BINS)
        .filter_map(|number| {
            let (from, to) = (number as f64 / BINS as f64, (number + 1) as f64 / BINS as f64);
            let ones: Vec<&Judged<'_>> = judged
                .iter()
                .filter(|one| {
                    let confidence = one.verdict.confidence.get();
                    confidence >= from && (confidence < to || number + 1 == BINS)
                })
                .collect();
            if ones.is_empty() {
                return None;
            }
            let confidence = mean(&ones.iter().map(|one| one.verdict.confidence.get()).collect::<Vec<_>>());
            Some(Bin {
                from,
                to,
                cases: ones.len(),
                confidence,
                right: ratio(ones.iter().filter(|one| one.cause_allowed()).count(), ones.len()),
            })
        })
        .collect()
}

fn thresholds(judged: &[Judged<'_>]) -> Vec<Threshold> {
    // What the verdict asks for, before policy holds it back.
    let asked: Vec<(f64, bool)> = judged
        .iter()
        .filter(|one| one.verdict.action.reruns())
        .map(|one| {
            let allowed = one.case.action.reruns() || one.case.other_actions.iter().any(|action| action.reruns());
            (one.verdict.confidence.get(), allowed)
        })
        .collect();
    (2..=9)
        .map(|tenth| {
            let min_confidence = f64::from(tenth) / 10.0;
            let count = |test: &dyn Fn(f64, bool) -> bool| asked.iter().filter(|(confidence, allowed)| test(*confidence, *allowed)).count();
            let reruns_wrong = count(&|confidence, allowed| confidence >= min_confidence && !allowed);
            let withheld = count(&|confidence, _| confidence < min_confidence);
            let reruns_right = count(&|confidence, allowed| confidence >= min_confidence && allowed);
            let cost = reruns_wrong * WRONG_RERUN_COST + withheld * WITHHELD_COST;
            Threshold { min_confidence, reruns_right, reruns_wrong, withheld, cost }
        })
        .collect()
}

fn misses(judged: &[Judged<'_>]) -> Vec<Miss> {
    judged
        .iter()
        .filter(|one| !one.cause_allowed() || !one.action_allowed() || one.dangerous())
        .map(|one| Miss {
            id: one.case.id.clone(),
            label: one.case.cause,
            cause: one.verdict.cause,
            label_action: one.case.action,
            action: one.decision.action,
            confidence: one.verdict.confidence.into(),
            dangerous: one.dangerous(),
            rules: one.verdict.rules.clone(),
        })
        .collect()
}

/// Classifications and decisions a second on this core, over the file's own cases.
fn speed(classifier: &Classifier, policy: &Policy, cases: &[Labelled]) -> f64 {
    let begun = Instant::now();
    let mut done = 0_usize;
    for _ in 0..SPEED_ROUNDS_MAX {
        for case in cases {
            std::hint::black_box(decided(classifier.classify(&case.text), JobFacts::default(), policy));
        }
        done += cases.len();
        if begun.elapsed() >= SPEED_TIME_MIN {
            break;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    if seconds > 0.0 { done as f64 / seconds } else { 0.0 }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        writeln!(f, "cases                     {}", self.cases)?;
        writeln!(
            f,
            "cause                     {}   with alternatives {}",
            percent(self.cause_accuracy),
            percent(self.cause_accuracy_with_alternatives)
        )?;
        writeln!(
            f,
            "action                    {}   with alternatives {}",
            percent(self.action_accuracy),
            percent(self.action_accuracy_with_alternatives)
        )?;
        writeln!(f, "macro F1                  {:.3}", self.macro_f1)?;
        writeln!(f, "dangerous                 {}   (re-run without a person where no label allows one)", percent(self.dangerous))?;
        writeln!(f, "abstained                 {}", percent(self.abstained))?;
        writeln!(f, "calibration               ECE {:.3}, Brier {:.3}", self.ece, self.brier)?;
        writeln!(f, "cases a second            {:.0}", self.cases_per_second)?;
        if self.bad_lines > 0 {
            writeln!(f, "lines that are no case    {}", self.bad_lines)?;
        }
        writeln!(f, "\ncause         precision  recall    F1   cases")?;
        for (cause, row) in &self.per_cause {
            writeln!(f, "{cause:<12} {:>10.3} {:>7.3} {:>5.3} {:>7}", row.precision, row.recall, row.f1, row.support)?;
        }
        writeln!(f, "\nlabel \\ answer{}", Cause::ALL.map(|cause| format!("{:>5.4}", cause.as_str())).concat())?;
        for (label, row) in &self.confusion {
            let cells = Cause::ALL.map(|cause| row.get(&cause).map_or_else(|| "    .".to_owned(), |count| format!("{count:>5}"))).concat();
            writeln!(f, "{label:<14}{cells}")?;
        }
        writeln!(f, "\nsource                                                        cases   cause  with alt.  action with alt.")?;
        for (source, row) in &self.per_source {
            let name: String = control::one_line(source).chars().take(60).collect();
            writeln!(
                f,
                "{name:<60} {:>6} {:>7} {:>10} {:>16}",
                row.cases,
                percent(row.cause_accuracy),
                percent(row.cause_accuracy_with_alternatives),
                percent(row.action_accuracy_with_alternatives)
            )?;
        }
        writeln!(f, "\nconfidence      cases   mean   right")?;
        for bin in &self.reliability {
            writeln!(f, "{:.1} to {:.1} {:>10} {:>6.3} {:>7.3}", bin.from, bin.to, bin.cases, bin.confidence, bin.right)?;
        }
        writeln!(f, "\nre-run from   right   wrong  withheld    cost   (wrong {WRONG_RERUN_COST}, withheld {WITHHELD_COST})")?;
        for row in &self.thresholds {
            let Threshold { min_confidence, reruns_right, reruns_wrong, withheld, cost } = row;
            writeln!(f, "{min_confidence:>10.1} {reruns_right:>7} {reruns_wrong:>7} {withheld:>9} {cost:>7}")?;
        }
        if !self.misses.is_empty() {
            writeln!(f, "\nwrong answers (label -> answer)")?;
        }
        for miss in &self.misses {
            let mark = if miss.dangerous { "  DANGEROUS" } else { "" };
            writeln!(
                f,
                "{:<8} {} -> {} {:.2}, {} -> {}  [{}]{mark}",
                control::one_line(&miss.id),
                miss.label,
                miss.cause,
                miss.confidence,
                miss.label_action,
                miss.action,
                miss.rules.join(", ")
            )?;
        }
        Ok(())
    }
}
