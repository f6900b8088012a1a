//! `runmend analyze`: error texts in, a verdict and the decision under the policy out, line by line.

use std::io::{self, BufRead, Read, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::classify::Classifier;
use crate::decide::Policy;
use crate::domain::action::{Action, Parameter};
use crate::domain::cause::Cause;
use crate::domain::classification::{Alternative, Classification, Span};
use crate::domain::decision::{Authority, Decision, Guardrail};
use crate::domain::evidence::FailureText;
use crate::domain::ids::Probability;
use crate::domain::job::JobFacts;
use crate::redact::control;

use super::decided;
use super::input::{self, CaseLine, LINE_BYTES_MAX, Line};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// For people.
    #[default]
    Words,
    /// One JSON object a case.
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    #[default]
    Off,
    /// The other fields of a case come back under `input`.
    On,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct AnalyzeOptions {
    pub output: Output,
    pub echo: Echo,
}

/// What was read. Exit code 1 when `bad_lines` is not 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnalyzeSummary {
    pub cases: usize,
    pub bad_lines: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError {
    #[error("the input cannot be read")]
    Read(#[source] io::Error),
    #[error("the result cannot be written")]
    Write(#[source] io::Error),
    #[error("there is no text to judge")]
    Empty,
}

/// One line of `analyze --json`.
#[derive(Serialize)]
struct Answer<'a> {
    id: &'a Value,
    cause: Cause,
    confidence: Probability,
    alternatives: &'a [Alternative],
    action: Action,
    parameters: &'a [Parameter],
    authority: Authority,
    rules: &'a [String],
    evidence: &'a Option<Span>,
    fingerprint: &'a str,
    explanation: &'a str,
    advice: &'a str,
    reasons: &'a [String],
    guardrails: &'a [Guardrail],
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a Map<String, Value>>,
}

/// Reads plain text as one case, JSON Lines as one case a line, and writes the verdicts in the same order as they are read.
///
/// A line that is no case gives `{"line": N, "error": "…"}` in its place. Errors: the input can't be read, the result can't be written,
/// or there is nothing to judge.
pub fn analyze(
    classifier: &Classifier,
    policy: &Policy,
    mut input: impl BufRead,
    mut out: impl Write,
    options: &AnalyzeOptions,
) -> Result<AnalyzeSummary, AnalyzeError> {
    let mut desk = Desk { classifier, policy, options, out: &mut out, summary: AnalyzeSummary::default() };
    each(&mut input, &mut |number, case| match case {
        Ok(case) => desk.case(&case),
        Err(error) => desk.bad(number, &error),
    })?;
    let summary = desk.summary;
    out.flush().map_err(AnalyzeError::Write)?;
    if summary == AnalyzeSummary::default() {
        return Err(AnalyzeError::Empty);
    }
    Ok(summary)
}

/// What is done with a case, or with why a line is none; the number is the line's, from 1.
pub type Visit<'a> = dyn FnMut(usize, Result<CaseLine, String>) -> io::Result<()> + 'a;

/// Every case of the input, in order: plain text is one, JSON Lines one a line.
pub fn each(input: &mut impl BufRead, visit: &mut Visit<'_>) -> Result<(), AnalyzeError> {
    match start(input).map_err(AnalyzeError::Read)? {
        Start::Lines(lines) => {
            let mut number = 0;
            for line in lines {
                number += 1;
                one(number, &line, visit).map_err(AnalyzeError::Write)?;
            }
            while let Some(line) = input::next_line(input).map_err(AnalyzeError::Read)? {
                number += 1;
                one(number, &line, visit).map_err(AnalyzeError::Write)?;
            }
        }
        Start::Plain(mut bytes) => {
            // The classifier reads a text's start and end; what a longer one has beyond the limit can't matter.
            input.by_ref().take(LINE_BYTES_MAX as u64).read_to_end(&mut bytes).map_err(AnalyzeError::Read)?;
            let words = String::from_utf8_lossy(&bytes).into_owned();
            if words.trim().is_empty() {
                return Err(AnalyzeError::Empty);
            }
            let text = FailureText { error: Some(words), ..FailureText::default() };
            let case = CaseLine { id: None, text, job: JobFacts::default(), rest: Map::new() };
            visit(1, Ok(case)).map_err(AnalyzeError::Write)?;
        }
    }
    Ok(())
}

fn one(number: usize, line: &Line, visit: &mut Visit<'_>) -> io::Result<()> {
    if is_blank(line) {
        return Ok(());
    }
    visit(
        number,
        match line {
            Line::TooLong => Err(format!("longer than {} MiB", LINE_BYTES_MAX >> 20)),
            Line::Words(words) => input::case(words),
        },
    )
}

enum Start {
    Lines(Vec<Line>),
    Plain(Vec<u8>),
}

/// JSON Lines or plain text: by the first line that is not blank. A `{` that its own line does not close may open a printed JSON object
/// (an API's answer, pasted): then the next line tells.
fn start(input: &mut impl BufRead) -> io::Result<Start> {
    let mut seen: Vec<Line> = Vec::new();
    while let Some(line) = input::next_line(input)? {
        let Line::Words(words) = &line else {
            seen.push(line);
            return Ok(Start::Lines(seen));
        };
        let trimmed = words.trim_ascii();
        let opens = trimmed.first() == Some(&b'{');
        let whole = opens && serde_json::from_slice::<Map<String, Value>>(trimmed).is_ok();
        let first = seen.iter().all(is_blank);
        let blank = trimmed.is_empty();
        seen.push(line);
        if blank {
            continue;
        }
        if whole || !first && opens {
            return Ok(Start::Lines(seen));
        }
        if !opens || !first {
            return Ok(Start::Plain(join(seen)));
        }
    }
    // One broken line alone: an object that was meant, or words in braces.
    let meant = seen.iter().any(|line| matches!(line, Line::Words(words) if words.trim_ascii().starts_with(b"{\"")));
    Ok(if meant { Start::Lines(seen) } else { Start::Plain(join(seen)) })
}

fn is_blank(line: &Line) -> bool {
    matches!(line, Line::Words(words) if words.trim_ascii().is_empty())
}

fn join(lines: Vec<Line>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        if let Line::Words(words) = line {
            bytes.extend_from_slice(&words);
            bytes.push(b'\n');
        }
    }
    bytes
}

struct Desk<'a, W: Write> {
    classifier: &'a Classifier,
    policy: &'a Policy,
    options: &'a AnalyzeOptions,
    out: &'a mut W,
    summary: AnalyzeSummary,
}

impl<W: Write> Desk<'_, W> {
    fn bad(&mut self, number: usize, error: &str) -> io::Result<()> {
        self.summary.bad_lines += 1;
        match self.options.output {
            Output::Json => self.json(&serde_json::json!({ "line": number, "error": error })),
            Output::Words => writeln!(self.out, "line {number}: {}\n", control::one_line(error)),
        }
    }

    fn case(&mut self, case: &CaseLine) -> io::Result<()> {
        self.summary.cases += 1;
        let verdict = self.classifier.classify(&case.text);
        let decision = decided(verdict.clone(), case.job.clone(), self.policy);
        let id = case.id.clone().unwrap_or_else(|| Value::from(self.summary.cases));
        match self.options.output {
            Output::Json => {
                let echo = match self.options.echo {
                    Echo::On => Some(&case.rest),
                    Echo::Off => None,
                };
                self.json(&answer(&id, &verdict, &decision, echo))
            }
            Output::Words => self.out.write_all(words(&id, &verdict, &decision).as_bytes()),
        }
    }

    /// One object a line, handed on at once: the next program in the pipe need not wait.
    fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.out.write_all(control::plain_json(serde_json::to_string(value)?).as_bytes())?;
        self.out.write_all(b"\n")
    }
}

fn answer<'a>(id: &'a Value, verdict: &'a Classification, decision: &'a Decision, input: Option<&'a Map<String, Value>>) -> Answer<'a> {
    Answer {
        id,
        cause: verdict.cause,
        confidence: verdict.confidence,
        alternatives: &verdict.alternatives,
        action: decision.action,
        parameters: &decision.parameters,
        authority: decision.authority,
        rules: &verdict.rules,
        evidence: &verdict.evidence,
        fingerprint: verdict.fingerprint.as_str(),
        explanation: &verdict.explanation,
        advice: &verdict.advice,
        reasons: &decision.reasons,
        guardrails: &decision.guardrails,
        input,
    }
}

/// A verdict for people. Whatever came from the text loses its control sequences.
fn words(id: &Value, verdict: &Classification, decision: &Decision) -> String {
    let id = match id {
        Value::String(id) => control::one_line(id),
        id => id.to_string(),
    };
    let mut text =
        format!("{id}: {} {}  ->  {} ({})\n", verdict.cause, verdict.confidence, decision.action.words(), decision.authority.as_str());
    let mut line = |name: &str, words: &str| {
        if !words.is_empty() {
            text.push_str(&format!("  {name:<12} {words}\n"));
        }
    };
    if let Some(span) = &verdict.evidence {
        line("evidence", &format!("{} ({} {}..{})", control::one_line(&span.text), span.field.as_str(), span.start, span.end));
    }
    line("rules", &verdict.rules.join(", "));
    line("why", &verdict.explanation);
    line("advice", &verdict.advice);
    let parameters: Vec<String> = decision.parameters.iter().map(ToString::to_string).collect();
    line("change", &parameters.join(", "));
    let others: Vec<String> = verdict.alternatives.iter().map(|other| format!("{} {}", other.cause, other.confidence)).collect();
    line("or", &others.join(", "));
    for reason in &decision.reasons {
        line("reason", &control::one_line(reason));
    }
    line("fingerprint", verdict.fingerprint.as_str());
    text.push('\n');
    text
}
