//! What the rules say of themselves: a list, one in full, and whether a person's own rules hold what their examples promise.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::classify::{Classifier, Origin, Rule};
use crate::domain::cause::Cause;
use crate::domain::evidence::FailureText;

/// One row of `rules list`.
#[derive(Clone, Debug, Serialize)]
pub struct Row<'a> {
    pub id: &'a str,
    pub cause: Cause,
    /// 0 to 100: how surely the words mean this cause.
    pub strength: u8,
    /// `shipped` or `user`.
    pub origin: &'static str,
    pub file: &'a str,
    pub why: &'a str,
}

pub fn list(classifier: &Classifier) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = classifier
        .rules()
        .iter()
        .map(|rule| Row {
            id: &rule.id,
            cause: rule.cause,
            strength: rule.strength,
            origin: match rule.origin {
                Origin::Shipped => "shipped",
                Origin::User => "user",
            },
            file: &rule.file,
            why: &rule.why,
        })
        .collect();
    rows.sort_by(|a, b| (a.cause, b.strength, a.id).cmp(&(b.cause, a.strength, b.id)));
    rows
}

/// Columns of a rule in full; an example longer than that stays on its line, so that it can be copied.
const WIDTH: usize = 100;
/// Columns of what a line is about, air included.
const HEAD: usize = 13;

/// A rule in full, as a person reads it.
pub fn show(classifier: &Classifier, id: &str) -> Option<String> {
    let rule = classifier.rules().iter().find(|rule| rule.id == id)?;
    let mut text = format!("{}  cause {}, strength {}  ({})\n", rule.id, rule.cause, rule.strength, rule.file);
    let mut lines = |head: &str, lines: Vec<String>| {
        for (at, line) in lines.iter().enumerate() {
            let head = if at == 0 { head } else { "" };
            text.push_str(&format!("  {head:<width$}{line}\n", width = HEAD - 2));
        }
    };
    lines("why", filled(rule.why.split_whitespace(), " "));
    lines("advice", filled(rule.advice.split_whitespace(), " "));
    lines("action", vec![rule.action.map_or("as its cause", |action| action.words()).to_owned()]);
    if rule.wrapper {
        lines("wrapper", vec!["it steps back behind whatever else names a cause".to_owned()]);
    }
    let changes: Vec<String> = rule.set.iter().map(ToString::to_string).collect();
    lines("change", filled(changes.iter().map(String::as_str), ", "));
    for (head, phrases) in [("any of", &rule.any), ("with", &rule.with), ("unless", &rule.unless), ("tasks", &rule.tasks)] {
        lines(head, filled(phrases.iter().map(String::as_str), " | "));
    }
    for (head, examples) in [("yes", &rule.yes), ("no", &rule.no)] {
        examples.iter().for_each(|example| lines(head, example.lines().map(str::to_owned).collect()));
    }
    Some(text)
}

/// The pieces on as many lines as they need, none of them broken.
fn filled<'a>(pieces: impl Iterator<Item = &'a str>, between: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if HEAD + line.chars().count() + between.len() + piece.chars().count() + between.trim_end().len() <= WIDTH => {
                line.push_str(between);
                line.push_str(piece);
            }
            Some(line) => {
                line.push_str(between.trim_end());
                lines.push(piece.to_owned());
            }
            None => lines.push(piece.to_owned()),
        }
    }
    lines
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It has no example that shows when it speaks, or none that it must keep quiet on.
    NoExample,
    /// It keeps quiet on its own example.
    Silent,
    /// It speaks where it says that it does not.
    Loud,
    /// It speaks, but another cause wins on its own example.
    Overruled,
    /// On none of its own examples does its cause win: nobody will see it decide.
    Dead,
    /// Another rule of another cause has the same phrase, as strong.
    Conflict,
}

#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub rule: String,
    pub file: String,
    pub fault: Fault,
    pub words: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: rule `{}`: {}", self.file, self.rule, self.words)
    }
}

/// Which rules a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    All,
    /// A person's own.
    User,
}

impl Whose {
    fn has(self, rule: &Rule) -> bool {
        self == Self::All || rule.origin == Origin::User
    }
}

/// Holds each rule against its own examples. Returns how many examples were tried, and what does not hold.
pub fn test(classifier: &Classifier, whose: Whose) -> (usize, Vec<Finding>) {
    let mut tried = 0;
    let mut findings = Vec::new();
    for rule in classifier.rules().iter().filter(|rule| whose.has(rule)) {
        for example in &rule.yes {
            tried += 1;
            let verdict = classifier.classify(&text(example));
            if !verdict.rules.contains(&rule.id) {
                findings.push(finding(
                    rule,
                    Fault::Silent,
                    format!("keeps quiet on its own example \"{example}\" ({} decided)", by(&verdict.rules)),
                ));
            } else if verdict.cause != rule.cause {
                let words = format!("is overruled on its own example \"{example}\": {} by {}", verdict.cause, by(&verdict.rules));
                findings.push(finding(rule, Fault::Overruled, words));
            }
        }
        for example in &rule.no {
            tried += 1;
            if classifier.classify(&text(example)).rules.contains(&rule.id) {
                findings.push(finding(rule, Fault::Loud, format!("speaks on \"{example}\", which it names as none of its own")));
            }
        }
    }
    (tried, findings)
}

/// What a rule's words promise and cannot keep: conflicts with other rules, rules that never decide, missing examples.
pub fn lint(classifier: &Classifier, whose: Whose) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut phrases: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in classifier.rules() {
        for phrase in &rule.any {
            phrases.entry(phrase).or_default().push(rule);
        }
    }
    for rule in classifier.rules().iter().filter(|rule| whose.has(rule)) {
        if rule.yes.is_empty() || rule.no.is_empty() {
            findings.push(finding(rule, Fault::NoExample, "has no `yes`, or no `no`, example: nobody can check what it means".to_owned()));
        }
        let wins = |example: &String| {
            let verdict = classifier.classify(&text(example));
            verdict.cause == rule.cause && verdict.rules.contains(&rule.id)
        };
        if !rule.yes.is_empty() && !rule.yes.iter().any(wins) {
            findings.push(finding(rule, Fault::Dead, "never decides: on each of its examples another rule is stronger".to_owned()));
        }
        for phrase in &rule.any {
            let rivals = phrases.get(phrase.as_str()).into_iter().flatten();
            // A rule that needs further words, or excludes some, is told apart by them.
            let bare = |rule: &Rule| rule.with.is_empty() && rule.unless.is_empty() && rule.tasks.is_empty();
            for rival in rivals.filter(|rival| {
                rival.id != rule.id && rival.cause != rule.cause && rival.strength == rule.strength && bare(rival) && bare(rule)
            }) {
                let words =
                    format!("has the phrase \"{phrase}\" in common with `{}`, which means {} and is as strong", rival.id, rival.cause);
                findings.push(finding(rule, Fault::Conflict, words));
            }
        }
    }
    findings
}

fn finding(rule: &Rule, fault: Fault, words: String) -> Finding {
    Finding { rule: rule.id.clone(), file: rule.file.clone(), fault, words }
}

fn text(example: &str) -> FailureText {
    FailureText { error: Some(example.to_owned()), ..FailureText::default() }
}

fn by(rules: &[String]) -> String {
    if rules.is_empty() { "no rule".to_owned() } else { rules.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(rules: &str) -> Classifier {
        Classifier::with_user_rules(&[("mine.toml".to_owned(), rules.to_owned())]).unwrap()
    }

    #[test]
    fn shipped_rules_keep_what_their_examples_promise() {
        let (tried, findings) = test(&Classifier::shipped(), Whose::All);
        assert!(tried > 200, "{tried}");
        assert!(findings.is_empty(), "{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_persons_rule_that_breaks_its_promise_is_named() {
        let good = "[[rule]]\nid = \"our-gateway\"\ncause = \"network\"\nstrength = 95\nany = [\"frobnicator offline\"]\nwhy = \"w\"\ndo = \"d\"\nyes = [\"frobnicator offline again\"]\nno = [\"frobnicator online\"]\n";
        assert!(test(&with(good), Whose::User).1.is_empty());
        assert!(lint(&with(good), Whose::User).is_empty());
        let faults = |rules: &str| -> Vec<Fault> {
            let classifier = with(rules);
            let mut found = test(&classifier, Whose::User).1;
            found.extend(lint(&classifier, Whose::User));
            found.into_iter().map(|finding| finding.fault).collect()
        };
        assert_eq!(faults(&good.replace("offline again", "is on fire")), [Fault::Silent, Fault::Dead]);
        assert_eq!(faults(&good.replace("frobnicator online", "the frobnicator offline")), [Fault::Loud]);
        assert_eq!(faults(&good.replace("no = [\"frobnicator online\"]\n", "")), [Fault::NoExample]);
        let twin = good.replace("our-gateway", "our-other").replace("network", "quota");
        assert!(faults(&format!("{good}{twin}")).contains(&Fault::Conflict));
    }

    #[test]
    fn a_persons_rule_of_a_shipped_id_takes_its_place() {
        let classifier = with(
            "[[rule]]\nid = \"connect-failed\"\ncause = \"platform\"\nstrength = 90\nany = [\"connection refused\"]\nwhy = \"w\"\ndo = \"d\"\nyes = [\"connection refused\"]\nno = [\"x\"]\n",
        );
        let rows = list(&classifier);
        let row = rows.iter().find(|row| row.id == "connect-failed").unwrap();
        assert_eq!((row.origin, row.cause), ("user", Cause::Platform));
        assert!(show(&classifier, "connect-failed").unwrap().contains("mine.toml"));
        assert_eq!(show(&classifier, "no-such-rule"), None);
    }

    #[test]
    fn a_rule_in_full_is_read_on_a_screen_and_says_every_phrase() {
        let classifier = Classifier::shipped();
        for rule in classifier.rules() {
            let text = show(&classifier, &rule.id).unwrap();
            // What cannot be broken stays whole.
            let whole = [&rule.any, &rule.with, &rule.unless, &rule.tasks, &rule.yes, &rule.no].into_iter().flatten();
            let whole: Vec<&str> = whole.flat_map(|piece| piece.lines()).collect();
            for line in text.lines().skip(1) {
                let alone = line.get(HEAD..).unwrap_or_default().trim_end_matches(" |");
                assert!(line.chars().count() <= WIDTH || whole.contains(&alone), "{}: {line}", rule.id);
            }
            // Unwrapped it is all there, in order.
            let said: Vec<&str> = text.split_whitespace().collect();
            let any = rule.any.join(" | ");
            assert!(said.join(" ").contains(&any.split_whitespace().collect::<Vec<_>>().join(" ")), "{text}");
        }
        let phrases = ["one phrase", "another phrase"].repeat(5);
        let wrapped = filled(phrases.into_iter(), " | ");
        let line = "one phrase | another phrase | one phrase | another phrase | one phrase |";
        assert_eq!(wrapped, [line, "another phrase | one phrase | another phrase | one phrase | another phrase"]);
        assert_eq!(filled([].into_iter(), " | "), [""; 0]);
    }
}
