//! A rule: readable data, with its examples. Shipped ones live in `assets/rules/`, a user's own beside their configuration.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;

use crate::domain::action::{Action, Parameter};
use crate::domain::cause::Cause;

use super::pattern;
use super::table::SetForm;

/// Rules a file and phrases a rule: far above what a person writes, low enough that a wrong file can't take the memory.
const RULES_MAX: usize = 5_000;
const PHRASES_MAX: usize = 500;
const PHRASE_BYTES_MAX: usize = 400;

/// What is wrong with a rules file, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    pub file: String,
    /// The rule's id, where the fault is in one rule.
    pub rule: Option<String>,
    /// From 1.
    pub line: usize,
    pub problem: String,
    pub fix: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule `{rule}`: ")?;
        }
        write!(f, "{}; {}", self.problem, self.fix)
    }
}

impl std::error::Error for RuleError {}

/// Where a rule comes from: a user's rule beats a shipped one of the same strength, and replaces one of the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Shipped,
    User,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub id: String,
    pub file: String,
    pub origin: Origin,
    pub cause: Cause,
    /// Any of these phrases makes the rule speak.
    pub any: Vec<String>,
    /// One of these must occur too, anywhere in the failure.
    pub with: Vec<String>,
    /// None of these may occur anywhere in the failure.
    pub unless: Vec<String>,
    /// Frames and source lines are read too.
    pub trace: bool,
    /// Its words carry another error: they count in full only where nothing else names a cause.
    pub wrapper: bool,
    /// Only for these task types; empty: all.
    pub tasks: Vec<String>,
    /// 0..=100: how surely the words mean this cause. 90 names the fault itself, 70 its class, 50 hints, 30 is a last resort.
    pub strength: u8,
    /// Where it differs from the cause's own.
    pub action: Option<Action>,
    pub set: Vec<Parameter>,
    pub why: String,
    pub advice: String,
    pub yes: Vec<String>,
    pub no: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(default)]
    rule: Vec<RuleForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleForm {
    id: String,
    cause: Cause,
    #[serde(default)]
    any: Vec<String>,
    #[serde(default)]
    http: Vec<u16>,
    #[serde(default)]
    exit: Vec<i32>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
    #[serde(default)]
    trace: bool,
    #[serde(default)]
    wrapper: bool,
    #[serde(default)]
    tasks: Vec<String>,
    strength: u8,
    action: Option<Action>,
    #[serde(default)]
    set: Vec<SetForm>,
    why: String,
    #[serde(rename = "do")]
    advice: String,
    #[serde(default)]
    yes: Vec<String>,
    #[serde(default)]
    no: Vec<String>,
}

/// The rules of one file, checked.
pub fn parse(file: &str, text: &str, origin: Origin) -> Result<Vec<Rule>, RuleError> {
    let form: FileForm = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        let rule = id_above(text, line);
        let fix = "see assets/rules/README.md for a rule's fields".to_owned();
        RuleError { file: file.to_owned(), rule, line, problem: error.message().to_owned(), fix }
    })?;
    let fault = |id: &str, problem: String, fix: &str| RuleError {
        file: file.to_owned(),
        rule: Some(id.to_owned()),
        line: line_of_id(text, id),
        problem,
        fix: fix.to_owned(),
    };
    if form.rule.len() > RULES_MAX {
        let problem = format!("{} rules in one file", form.rule.len());
        let fix = format!("at most {RULES_MAX}: split the file");
        return Err(RuleError { file: file.to_owned(), rule: None, line: 1, problem, fix });
    }
    let mut seen = HashSet::new();
    let mut rules = Vec::with_capacity(form.rule.len());
    for form in form.rule {
        if form.id.is_empty() || !form.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(fault(&form.id, "the id is no word of small letters, digits and `-`".to_owned(), "rename it"));
        }
        if !seen.insert(form.id.clone()) {
            return Err(fault(&form.id, "the id stands twice in this file".to_owned(), "rename or remove one of the two"));
        }
        let id = form.id.clone();
        rules.push(form.into_rule(file, origin).map_err(|(problem, fix)| fault(&id, problem, fix))?);
    }
    Ok(rules)
}

impl RuleForm {
    fn into_rule(self, file: &str, origin: Origin) -> Result<Rule, (String, &'static str)> {
        let fail = |problem: String, fix: &'static str| (problem, fix);
        let mut any = self.any;
        any.extend(self.http.iter().flat_map(|status| http_phrases(*status)));
        any.extend(self.exit.iter().flat_map(|code| exit_phrases(*code)));
        if any.is_empty() {
            return Err(fail("it has no phrase to look for".to_owned(), "give it `any`, `http` or `exit`"));
        }
        if any.len() + self.with.len() + self.unless.len() > PHRASES_MAX {
            return Err(fail(format!("it has more than {PHRASES_MAX} phrases"), "split the rule"));
        }
        for phrase in any.iter().chain(&self.with).chain(&self.unless) {
            if phrase.len() > PHRASE_BYTES_MAX {
                return Err(fail(format!("a phrase is longer than {PHRASE_BYTES_MAX} bytes"), "keep what is typical of it"));
            }
            if let Err(error) = pattern::Builder::default().add(phrase, 0) {
                return Err(fail(format!("the phrase `{phrase}` {error}"), "give a longer one"));
            }
        }
        if self.strength == 0 || self.strength > 100 {
            return Err(fail(format!("strength {} is not in 1..=100", self.strength), "90 names the fault itself, 50 hints"));
        }
        if self.why.trim().is_empty() || self.advice.trim().is_empty() {
            return Err(fail("`why` or `do` is empty".to_owned(), "people read both: a sentence each"));
        }
        let mut set = Vec::new();
        for form in self.set {
            let setting = form.setting.clone();
            match form.parameter() {
                Some(parameter) => set.push(parameter),
                None => return Err(fail(format!("`set` of {setting} needs `scale` or `to`"), "give exactly one of the two")),
            }
        }
        Ok(Rule {
            id: self.id,
            file: file.to_owned(),
            origin,
            cause: self.cause,
            any,
            with: self.with,
            unless: self.unless,
            trace: self.trace,
            wrapper: self.wrapper,
            tasks: self.tasks,
            strength: self.strength,
            action: self.action,
            set,
            why: self.why,
            advice: self.advice,
            yes: self.yes,
            no: self.no,
        })
    }
}

/// The ways in which clients print an HTTP status.
fn http_phrases(status: u16) -> Vec<String> {
    [
        "status code: {}",
        "status code {}",
        "status code = {}",
        "statuscode: {}",
        "statuscode={}",
        "status_code={}",
        "status_code: {}",
        "status: {}",
        "status={}",
        "status {}",
        "http {}",
        "http error {}",
        "http/1.1 {}",
        "http/2 {}",
        "http response code: {}",
        "response code: {}",
        "response code {}",
        "response status {}",
        "responded with {}",
        "returned {}",
        "answered {}",
        "error code: {}",
        "error code {}",
        "{} client error",
        "{} server error",
        "error {}:",
        "error: {}",
        "error ({})",
        "error({})",
        "<httperror {}",
        "httperror: {}",
        "http status {}",
        "http status: {}",
        "http code {}",
        "httpstatuscode: {}",
        "httpstatus: {}",
        "code={}",
        "code\": {}",
        "'code': {}",
        "\", {},",
        "http_status={}",
        "<response [{}]>",
        "[{}] ",
        "({}) ",
    ]
    .iter()
    .map(|form| form.replace("{}", &status.to_string()))
    .collect()
}

/// The ways in which shells, YARN, Kubernetes and Databricks print how a process ended.
fn exit_phrases(code: i32) -> Vec<String> {
    [
        "exit code {}",
        "exit code: {}",
        "exit code is {}",
        "exit code of {}",
        "exitcode {}",
        "exitcode: {}",
        "exitcode={}",
        "exit code={}",
        "exit status {}",
        "exit status: {}",
        "exited with code {}",
        "exited with status {}",
        "exit value {}",
        "exit value: {}",
        "return code {}",
        "return code: {}",
        "returncode={}",
        "returned non-zero exit status {}",
        "command exited with code {}",
        "non-zero exit code {}",
        "non-zero exit code: {}",
        "exit_code={}",
        "exit_code: {}",
        "(exit code {})",
        "error code {}",
    ]
    .iter()
    .map(|form| form.replace("{}", &code.to_string()))
    .collect()
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

fn line_of_id(text: &str, id: &str) -> usize {
    let quoted = format!("\"{id}\"");
    text.lines().position(|line| line.trim_start().starts_with("id") && line.contains(&quoted)).map_or(1, |line| line + 1)
}

/// The id of the rule in which a line stands.
fn id_above(text: &str, line: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().take(line).collect();
    lines
        .iter()
        .rev()
        .take_while(|line| !line.trim_start().starts_with("[[rule]]"))
        .find(|line| line.trim_start().starts_with("id"))
        .and_then(|line| line.split('"').nth(1))
        .map(str::to_owned)
}
