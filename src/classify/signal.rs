//! Everything in a failure's texts that speaks for a cause: phrases of rules, error conditions, SQLSTATEs, termination codes, and
//! exceptions that nobody has named yet.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::domain::action::{Action, Parameter};
use crate::domain::cause::Cause;
use crate::domain::evidence::{FailureText, Field};

use super::effort;
use super::line;
use super::pattern::Matcher;
use super::reading::{Kind, Page, Segment};
use super::rule::{Origin, Rule};
use super::table::{Meaning, Tables};

/// A text of a million condition names says no more than one of a few hundred.
const SIGNALS_MAX: usize = 256;
/// An exception that no rule knows is its author's: the program's own word that it failed. A weak word: of 38 such failures at first
/// sight it was right for 10, the statistical model for 29.
const OWN_EXCEPTION_STRENGTH: f32 = 20.0;
const PLAIN_EXCEPTION_STRENGTH: f32 = 14.0;
/// A library's exception may mean anything.
const VENDOR_EXCEPTION_STRENGTH: f32 = 8.0;
/// Above the strength of a class name's words, even with support.
const WORDS_MATTER_BELOW: f32 = 62.0;
/// No shorter name means anything.
const NAME_BYTES_MIN: usize = 4;
/// The longest reason code, spelled out.
const REASON_BYTES_MAX: usize = 64;
/// A reason that a cluster gives for its own end goes before the words around it.
const SPELLED_BONUS: f32 = 14.0;
/// What a wrapper carries must be at least so strong, and then takes this share of the wrapper's strength away.
const CARRIED_MIN: f32 = 55.0;
const STEPPED_BACK: f32 = 0.5;
/// What a code counts that only the failed program repeats.
const HEARSAY: f32 = 0.5;
/// Among equals a user's rule comes first.
const USER_BONUS: f32 = 5.0;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Index into the rules.
    Rule(usize),
    Condition(String),
    Sqlstate(String),
    Code(String),
    /// An exception class that no rule knows, by the words in its name.
    Class(String),
    /// An exception class whose name says nothing.
    Exception,
    /// The words alone, by the statistical model.
    Model,
}

#[derive(Clone, Debug)]
pub struct Signal {
    pub source: Source,
    pub cause: Cause,
    pub action: Option<Action>,
    pub set: Vec<Parameter>,
    /// 0..=100, after the place's weight.
    pub strength: f32,
    /// Where: a page and a range in its piece; `None` for the termination code.
    pub place: Option<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub page: usize,
    pub start: usize,
    pub end: usize,
    /// The segment's index in its page.
    pub segment: usize,
}

/// A phrase's role, coded into the matcher's owner.
pub const ROLES: usize = 3;
pub const ROLE_ANY: usize = 0;
pub const ROLE_WITH: usize = 1;
pub const ROLE_UNLESS: usize = 2;
/// What the names of exceptions end with: looked for beside the rules' phrases.
pub const CLASS_ENDINGS: [&str; 3] = ["*Exception", "*Error", "*Failure"];

pub struct Collector<'a> {
    pub rules: &'a [Rule],
    pub matcher: Option<&'a Matcher>,
    pub reads_traces: bool,
    pub tables: &'a Tables,
}

impl Collector<'_> {
    pub fn collect(&self, text: &FailureText, pages: &[Page<'_>]) -> Vec<Signal> {
        let mut signals = Vec::new();
        let classes = self.phrases(text, pages, &mut signals);
        for (number, page) in pages.iter().enumerate() {
            self.names(number, page, &mut signals);
        }
        // The words of a class name matter only where nothing better is known.
        if !signals.iter().any(|signal| signal.strength >= WORDS_MATTER_BELOW) {
            self.classes(pages, &classes, &mut signals);
        }
        exceptions(pages, &mut signals);
        self.step_back(&mut signals);
        if let Some(code) = text.termination_code.as_deref().map(str::trim).filter(|code| !code.is_empty()) {
            let meaning =
                self.tables.code(code).or_else(|| self.tables.condition(code)).cloned().or_else(|| self.tables.by_condition_words(code));
            if let Some(meaning) = meaning {
                signals.push(of_meaning(Source::Code(code.to_owned()), &meaning, 1.0, None));
            }
        }
        signals
    }

    /// `Unexpected failure while waiting for the cluster … exceeding quota limits of Core`: the wrapper steps back behind what it carries.
    fn step_back(&self, signals: &mut [Signal]) {
        let wraps = |signal: &Signal| match &signal.source {
            Source::Rule(index) => self.rules.get(*index).is_some_and(|rule| rule.wrapper),
            Source::Condition(_) | Source::Sqlstate(_) | Source::Code(_) | Source::Class(_) | Source::Exception | Source::Model => false,
        };
        let carried: Vec<Cause> = signals
            .iter()
            .filter(|signal| signal.cause != Cause::Unknown && signal.strength >= CARRIED_MIN && !wraps(signal))
            .map(|signal| signal.cause)
            .collect();
        for signal in signals.iter_mut().filter(|signal| wraps(signal)) {
            if carried.iter().any(|cause| *cause != signal.cause) {
                signal.strength *= STEPPED_BACK;
            }
        }
    }

    /// What the rules say; the exception classes met on the way are given back.
    fn phrases(&self, text: &FailureText, pages: &[Page<'_>], signals: &mut Vec<Signal>) -> Vec<(Place, f32)> {
        let Some(matcher) = self.matcher else { return Vec::new() };
        let mut heard: Vec<(usize, f32, Place)> = Vec::new();
        let mut with: Vec<usize> = Vec::new();
        let mut unless: Vec<usize> = Vec::new();
        let mut classes: Vec<(Place, f32)> = Vec::new();
        for (number, page) in pages.iter().enumerate() {
            for (index, segment) in page.segments.iter().enumerate() {
                let trace = segment.kind == Kind::Trace;
                if trace && !self.reads_traces {
                    continue;
                }
                matcher.find(&page.piece.folded, (segment.start, segment.end), |hit| {
                    let place = Place { page: number, start: hit.start, end: hit.end, segment: index };
                    let (rule, role) = (hit.owner / ROLES, hit.owner % ROLES);
                    let weight = page.weight(segment, hit.start, hit.end);
                    match role {
                        _ if rule >= self.rules.len() => {
                            if !trace && classes.len() < SIGNALS_MAX {
                                classes.push((place, weight));
                            }
                        }
                        ROLE_WITH => note(&mut with, rule),
                        ROLE_UNLESS => note(&mut unless, rule),
                        _ if trace && !self.rules.get(rule).is_some_and(|rule| rule.trace) => {}
                        _ => hear(&mut heard, rule, weight, place),
                    }
                });
            }
        }
        for (index, weight, place) in heard {
            let Some(rule) = self.rules.get(index) else { continue };
            let task = rule.tasks.is_empty() || text.task_type.as_ref().is_some_and(|task| rule.tasks.contains(task));
            if !task || (!rule.with.is_empty() && !with.contains(&index)) || unless.contains(&index) {
                continue;
            }
            let bonus = match rule.origin {
                Origin::User => USER_BONUS,
                Origin::Shipped => 0.0,
            };
            signals.push(Signal {
                source: Source::Rule(index),
                cause: rule.cause,
                action: rule.action,
                set: rule.set.clone(),
                strength: f32::from(rule.strength) * weight + bonus,
                place: Some(place),
            });
        }
        classes
    }

    /// Exception classes that no rule names, by the words in their names.
    fn classes(&self, pages: &[Page<'_>], classes: &[(Place, f32)], signals: &mut Vec<Signal>) {
        let known: Vec<Place> = signals.iter().filter_map(|signal| signal.place).collect();
        let mut seen: Vec<&str> = Vec::new();
        for (place, weight) in classes {
            let Some(text) = pages.get(place.page).and_then(|page| page.piece.text.get(..place.end)) else { continue };
            let length = text.bytes().rev().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            effort::looked(length);
            let name = text.get(place.end - length..).unwrap_or_default();
            let place = Place { start: place.end - length, ..*place };
            let heard = known.iter().any(|known| known.page == place.page && known.start < place.end && known.end > place.start);
            if heard || seen.contains(&name) || !line::is_exception_name(name) || signals.len() >= SIGNALS_MAX {
                continue;
            }
            seen.push(name);
            if let Some(meaning) = self.tables.by_class_words(name) {
                signals.push(of_meaning(Source::Class(name.to_owned()), &meaning, *weight, Some(place)));
            }
        }
    }

    /// `[CONDITION.SUB]`, `ERROR_CODE`, `SQLSTATE: xxxxx`.
    fn names(&self, number: usize, page: &Page<'_>, signals: &mut Vec<Signal>) {
        let bytes = page.piece.text.as_bytes();
        for (index, segment) in page.segments.iter().enumerate() {
            if segment.kind == Kind::Trace {
                continue;
            }
            effort::looked(segment.end - segment.start);
            self.spelled_reason(number, index, page, segment, signals);
            let mut at = segment.start;
            while at + NAME_BYTES_MIN <= segment.end && signals.len() < SIGNALS_MAX {
                // A byte of no name four on: no name long enough starts before it. Most of a text is small letters.
                let last = bytes[at + NAME_BYTES_MIN - 1];
                if !is_name(last) && last != b'.' {
                    at += NAME_BYTES_MIN;
                    continue;
                }
                if !bytes[at].is_ascii_uppercase() || at > 0 && is_name(bytes[at - 1]) {
                    at += 1;
                    continue;
                }
                let length = bytes[at..segment.end].iter().take_while(|b| is_name(**b) || **b == b'.').count();
                let word = page.piece.text.get(at..at + length).unwrap_or_default().trim_end_matches('.');
                let place = Place { page: number, start: at, end: at + word.len(), segment: index };
                let bracketed = at > 0 && bytes[at - 1] == b'[' && bytes.get(at + word.len()) == Some(&b']');
                let lower = bytes.get(at + length).is_some_and(u8::is_ascii_lowercase);
                if !lower && word.len() >= NAME_BYTES_MIN {
                    self.name(word, bracketed, segment, place, page, signals);
                }
                at += length.max(1);
            }
        }
    }

    /// A cluster's termination reason as the workspace spells it for people: `Reason: Azure Quota Exceeded Exception`.
    fn spelled_reason(&self, number: usize, index: usize, page: &Page<'_>, segment: &Segment, signals: &mut Vec<Signal>) {
        const MARK: &str = "Reason:";
        static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));
        let text = page.piece.text.get(segment.start..segment.end).unwrap_or_default();
        let Some(start) = FINDER.find(text.as_bytes()).map(|at| at + MARK.len()) else { return };
        let words = text[start..].split(['.', '\n', '(', ',', ':']).next().unwrap_or_default();
        let name = words.trim();
        if name.is_empty() || name.len() > REASON_BYTES_MAX {
            return;
        }
        let code: String = name.chars().map(|c| if c.is_whitespace() { '_' } else { c.to_ascii_uppercase() }).collect();
        if let Some(meaning) = self.tables.code(&code) {
            let from = segment.start + start + (words.len() - words.trim_start().len());
            let place = Place { page: number, start: from, end: from + name.len(), segment: index };
            let mut signal = of_meaning(Source::Code(code), meaning, segment.weight, Some(place));
            signal.strength += SPELLED_BONUS;
            signals.push(signal);
        }
    }

    fn name(&self, word: &str, bracketed: bool, segment: &Segment, place: Place, page: &Page<'_>, signals: &mut Vec<Signal>) {
        let told = page.weight(segment, place.start, place.end);
        if word == "SQLSTATE" {
            let rest = page.piece.text.get(place.end..segment.end).unwrap_or_default();
            let state: String =
                rest.chars().take(12).skip_while(|c| !c.is_ascii_alphanumeric()).take_while(char::is_ascii_alphanumeric).collect();
            if state.len() == 5
                && let Some(meaning) = self.tables.sqlstate(&state)
            {
                signals.push(of_meaning(Source::Sqlstate(state), &meaning, told, Some(place)));
            }
            return;
        }
        // A plain word in capitals (`TIMEOUT`, `CONNECT`) is a name only within brackets or quotes.
        let single = !word.contains('_');
        let quoted = page.piece.text.as_bytes().get(place.start.wrapping_sub(1)).is_some_and(|b| matches!(b, b'\'' | b'"'));
        if single && !bracketed && !quoted {
            return;
        }
        // The Jobs API calls every run with a failed task so: it says nothing of the platform.
        let state = page
            .piece
            .text
            .get(..place.start)
            .is_some_and(|before| before.get(before.len().saturating_sub(24)..).is_some_and(|near| near.contains("life_cycle_state")));
        if state {
            return;
        }
        if let Some(meaning) = self.tables.condition(word) {
            // Whether somebody stopped the run is the workspace's to say: in an error's own text the code may be anybody's.
            let is_hearsay = meaning.cause == Cause::Canceled
                && page.piece.field != Field::StateMessage
                && !page.piece.text.get(..place.start).is_some_and(|before| before.trim_matches(|c: char| !c.is_alphanumeric()).is_empty());
            let weight = if is_hearsay { told * HEARSAY } else { told };
            signals.push(of_meaning(Source::Condition(word.to_owned()), meaning, weight, Some(place)));
        } else if let Some(meaning) = self.tables.code(word) {
            signals.push(of_meaning(Source::Code(word.to_owned()), meaning, told * 0.95, Some(place)));
        } else if bracketed
            && !single
            && let Some(meaning) = self.tables.by_condition_words(word)
        {
            signals.push(of_meaning(Source::Condition(word.to_owned()), &meaning, told, Some(place)));
        }
    }
}

fn is_name(b: u8) -> bool {
    NAME[b as usize]
}

/// A look at a table is the quickest answer, and the question is asked of every fourth byte at least.
const NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0_u8;
    while b < 128 {
        table[b as usize] = b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        b += 1;
    }
    table
};

/// A rule is heard at its weightiest place, the first of equals.
fn hear(heard: &mut Vec<(usize, f32, Place)>, rule: usize, weight: f32, place: Place) {
    match heard.iter_mut().find(|(known, ..)| *known == rule) {
        Some(known) if known.1 < weight => *known = (rule, weight, place),
        Some(_) => {}
        None => heard.push((rule, weight, place)),
    }
}

fn note(list: &mut Vec<usize>, rule: usize) {
    if !list.contains(&rule) {
        list.push(rule);
    }
}

fn of_meaning(source: Source, meaning: &Meaning, weight: f32, place: Option<Place>) -> Signal {
    Signal {
        source,
        cause: meaning.cause,
        action: meaning.action,
        set: meaning.set.clone(),
        strength: f32::from(meaning.strength) * weight,
        place,
    }
}

/// Packages of libraries and services: their exceptions are not the program's own.
const VENDORS: [&str; 34] = [
    "org.apache.",
    "com.databricks.",
    "databricks.",
    "com.microsoft.",
    "com.azure.",
    "azure.",
    "com.google.",
    "google.",
    "com.amazonaws.",
    "software.amazon.",
    "botocore.",
    "boto3.",
    "com.amazon.",
    "shaded.",
    "io.delta.",
    "io.netty.",
    "io.grpc.",
    "grpc.",
    "com.mongodb.",
    "pymongo.",
    "org.postgresql.",
    "psycopg2.",
    "com.mysql.",
    "oracle.",
    "net.snowflake.",
    "snowflake.",
    "com.datastax.",
    "org.elasticsearch.",
    "airflow.",
    "mlflow.",
    "dbt.",
    "requests.",
    "urllib3.",
    "reactor.",
];

/// Exceptions that carry others and say nothing of their own.
const WRAPPERS: [&str; 24] = [
    "Py4JJavaError",
    "Py4JError",
    "SparkException",
    "PythonException",
    "StreamingQueryException",
    "ExecutionException",
    "InvocationTargetException",
    "UndeclaredThrowableException",
    "UncheckedExecutionException",
    "ExecutionError",
    "HiveSQLException",
    "SparkRuntimeException",
    "AnalysisException",
    "WorkflowException",
    "DriverException",
    "SQLException",
    "PySparkException",
    "PySparkRuntimeError",
    "SparkConnectGrpcException",
    "DatabaseError",
    "ServerOperationError",
    "IOException",
    "CalledProcessError",
    "ClientError",
];

/// The outermost and the deepest exception of each page, where no rule knows their class.
fn exceptions(pages: &[Page<'_>], signals: &mut Vec<Signal>) {
    let known: Vec<Place> = signals.iter().filter_map(|signal| signal.place).collect();
    let mut found = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        let mut heads =
            page.segments.iter().enumerate().filter(|(_, segment)| segment.kind == Kind::Message && segment.class.1 > segment.class.0);
        let first = heads.next();
        let last = heads.next_back();
        for (index, segment) in first.into_iter().chain(last) {
            let (start, end) = segment.class;
            let name = page.piece.text.get(start..end).unwrap_or_default();
            let simple = name.rsplit(['.', '$']).next().unwrap_or_default();
            let heard = known.iter().any(|place| place.page == number && place.start < end && place.end > start);
            if heard || WRAPPERS.contains(&simple) || !line::is_exception_name(name) {
                continue;
            }
            let strength = if VENDORS.iter().any(|vendor| name.starts_with(vendor)) {
                VENDOR_EXCEPTION_STRENGTH
            } else if matches!(simple, "Exception" | "RuntimeException" | "RuntimeError" | "Throwable") {
                PLAIN_EXCEPTION_STRENGTH
            } else {
                OWN_EXCEPTION_STRENGTH
            };
            found.push(Signal {
                source: Source::Exception,
                cause: Cause::Code,
                action: None,
                set: Vec::new(),
                strength: strength * segment.weight,
                place: Some(Place { page: number, start, end, segment: index }),
            });
        }
    }
    signals.extend(found);
}

/// A cause that the model gives less than this is not worth a word.
const MODEL_MIN: f32 = 0.2;
/// What the model is sure of, in the order of the signals beside a rule's strength.
const MODEL_STRENGTH: f32 = 58.0;

/// What the model holds likely, as signals. False where it knows too little of the words.
pub fn of_model(likely: &[f32], signals: &mut Vec<Signal>) -> bool {
    let before = signals.len();
    for (cause, p) in Cause::ALL.into_iter().zip(likely) {
        if *p >= MODEL_MIN {
            signals.push(Signal { source: Source::Model, cause, action: None, set: Vec::new(), strength: MODEL_STRENGTH * p, place: None });
        }
    }
    signals.len() > before
}
