//! Names that mean something by themselves: error conditions, SQLSTATEs, termination codes, and the words in names that no table has. Their tables are data in `assets/rules/`.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::domain::action::{Action, Change, Parameter, Setting};
use crate::domain::cause::Cause;

use super::rule::RuleError;

/// What a name says.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    pub cause: Cause,
    pub strength: u8,
    pub action: Option<Action>,
    pub set: Vec<Parameter>,
}

/// How surely a published name speaks through its SQLSTATE, and an SQLSTATE alone.
const PUBLISHED_STRENGTH: u8 = 74;
const SQLSTATE_STRENGTH: u8 = 62;
const WORDS_STRENGTH: u8 = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionsForm {
    sqlstate: HashMap<String, Cause>,
    own: Vec<EntryForm>,
    published: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodesForm {
    code: Vec<EntryForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsForm {
    condition: Vec<WordForm>,
    class: Vec<WordForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordForm {
    cause: Cause,
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryForm {
    names: Vec<String>,
    cause: Cause,
    strength: u8,
    action: Option<Action>,
    #[serde(default)]
    set: Vec<SetForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetForm {
    pub setting: String,
    pub scale: Option<f64>,
    pub to: Option<String>,
}

impl SetForm {
    /// `None`: neither or both of `scale` and `to`, or a scale that is no positive number.
    pub fn parameter(self) -> Option<Parameter> {
        let change = match (self.scale, self.to) {
            (Some(factor), None) if factor.is_finite() && factor > 0.0 => Change::Scale(factor),
            (None, Some(value)) => Change::Set(value),
            _ => return None,
        };
        let setting = match self.setting.as_str() {
            "driver_memory" => Setting::DriverMemory,
            "node_memory" => Setting::NodeMemory,
            "workers" => Setting::Workers,
            "disk" => Setting::Disk,
            "task_timeout" => Setting::TaskTimeout,
            "availability" => Setting::Availability,
            conf => Setting::SparkConf(conf.to_owned()),
        };
        Some(Parameter { setting, change })
    }
}

#[derive(Debug, Default)]
pub struct Tables {
    conditions: HashMap<String, Meaning>,
    sqlstates: HashMap<String, Cause>,
    codes: HashMap<String, Meaning>,
    /// The conditions' names as exceptions carry them: `concurrentappend`.
    condition_classes: HashSet<String>,
    condition_words: Vec<(String, Cause)>,
    class_words: Vec<(String, Cause)>,
}

impl Tables {
    pub fn parse(conditions: &str, codes: &str, words: &str) -> Result<Self, RuleError> {
        let fault = |file: &str, text: &str, error: toml::de::Error| RuleError {
            file: file.to_owned(),
            rule: None,
            line: error.span().map_or(1, |span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1),
            problem: error.message().to_owned(),
            fix: "see the comments at the head of the file".to_owned(),
        };
        let form: ConditionsForm = toml::from_str(conditions).map_err(|error| fault("conditions.toml", conditions, error))?;
        let mut tables = Self { sqlstates: form.sqlstate, ..Self::default() };
        for (state, names) in form.published {
            if let Some(cause) = tables.by_sqlstate(&state) {
                for name in names {
                    tables.conditions.insert(name, Meaning { cause, strength: PUBLISHED_STRENGTH, action: None, set: Vec::new() });
                }
            }
        }
        enter(&mut tables.conditions, form.own);
        // Delta's conflicts are met under both names; elsewhere a class of the same name says less than its message.
        let conflicts =
            tables.conditions.iter().filter(|(name, meaning)| name.starts_with("DELTA_") && meaning.cause == Cause::Concurrency);
        tables.condition_classes = conflicts.map(|(name, _)| super::naming::normal(name)).collect();
        let form: CodesForm = toml::from_str(codes).map_err(|error| fault("codes.toml", codes, error))?;
        enter(&mut tables.codes, form.code);
        let form: WordsForm = toml::from_str(words).map_err(|error| fault("words.toml", words, error))?;
        tables.condition_words = flat(form.condition);
        tables.class_words = flat(form.class);
        Ok(tables)
    }

    /// `NAME.SUB`, or `NAME`.
    pub fn condition(&self, name: &str) -> Option<&Meaning> {
        let name = name.trim_end_matches('.');
        self.conditions.get(name).or_else(|| self.conditions.get(name.split('.').next()?))
    }

    /// Does an exception's name, made normal, stand for a condition?
    pub fn is_condition_class(&self, normal: &str) -> bool {
        !normal.is_empty() && self.condition_classes.contains(normal)
    }

    pub fn code(&self, name: &str) -> Option<&Meaning> {
        self.codes.get(name)
    }

    pub fn sqlstate(&self, state: &str) -> Option<Meaning> {
        let cause = self.by_sqlstate(state)?;
        Some(Meaning { cause, strength: SQLSTATE_STRENGTH, action: None, set: Vec::new() })
    }

    fn by_sqlstate(&self, state: &str) -> Option<Cause> {
        (2..=5).rev().find_map(|length| self.sqlstates.get(state.get(..length)?).copied())
    }

    /// A condition that no table has.
    pub fn by_condition_words(&self, name: &str) -> Option<Meaning> {
        by_words(&self.condition_words, name)
    }

    /// An exception class that no rule names.
    pub fn by_class_words(&self, name: &str) -> Option<Meaning> {
        by_words(&self.class_words, name)
    }
}

fn by_words(table: &[(String, Cause)], name: &str) -> Option<Meaning> {
    let (_, cause) = table.iter().find(|(word, _)| holds(name.as_bytes(), word.as_bytes()))?;
    Some(Meaning { cause: *cause, strength: WORDS_STRENGTH, action: None, set: Vec::new() })
}

/// Names are short: comparing at each place is quicker than preparing a search.
fn holds(name: &[u8], word: &[u8]) -> bool {
    let (Some(first), Some(last)) = (word.first(), name.len().checked_sub(word.len())) else { return false };
    (0..=last).any(|at| name[at] == *first && name[at..at + word.len()] == *word)
}

fn flat(forms: Vec<WordForm>) -> Vec<(String, Cause)> {
    forms.into_iter().flat_map(|form| form.words.into_iter().map(move |word| (word, form.cause))).collect()
}

fn enter(table: &mut HashMap<String, Meaning>, entries: Vec<EntryForm>) {
    for entry in entries {
        let set: Vec<Parameter> = entry.set.into_iter().filter_map(SetForm::parameter).collect();
        for name in entry.names {
            table.insert(name, Meaning { cause: entry.cause, strength: entry.strength, action: entry.action, set: set.clone() });
        }
    }
}
