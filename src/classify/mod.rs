//! Evidence -> classification: rule table, error conditions, termination codes, fingerprint. Pure.
//! May import: `domain`. Must not: read files or the clock (the rules' text is compiled in or handed over). Start at [`Classifier`]; then
//! `reading` (what a text is made of), `signal` (what in it speaks for a cause), `verdict` (what follows).

mod edges;
mod effort;
mod fingerprint;
mod fold;
mod line;
mod model;
mod naming;
mod pattern;
mod prefix;
mod quoted;
mod reading;
mod rule;
mod signal;
mod table;
mod template;
mod verdict;
mod wording;

use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::classification::{self, Alternative, Classification, Span};
use crate::domain::evidence::{Evidence, FailureText};
use crate::domain::ids::Probability;

use model::{Document, Features, Model};
use pattern::Matcher;
use reading::Page;
use signal::{Collector, Place, Signal, Source};
use table::Tables;
use verdict::Verdict;

pub use rule::{Origin, Rule, RuleError};
pub use verdict::usual as usual_action;

/// The shipped rule files, in the order of the causes.
const SHIPPED: [(&str, &str); 13] = [
    ("timeout.toml", include_str!("../../assets/rules/timeout.toml")),
    ("resource.toml", include_str!("../../assets/rules/resource.toml")),
    ("permission.toml", include_str!("../../assets/rules/permission.toml")),
    ("syntax.toml", include_str!("../../assets/rules/syntax.toml")),
    ("network.toml", include_str!("../../assets/rules/network.toml")),
    ("data.toml", include_str!("../../assets/rules/data.toml")),
    ("platform.toml", include_str!("../../assets/rules/platform.toml")),
    ("quota.toml", include_str!("../../assets/rules/quota.toml")),
    ("dependency.toml", include_str!("../../assets/rules/dependency.toml")),
    ("concurrency.toml", include_str!("../../assets/rules/concurrency.toml")),
    ("code.toml", include_str!("../../assets/rules/code.toml")),
    ("canceled.toml", include_str!("../../assets/rules/canceled.toml")),
    ("unknown.toml", include_str!("../../assets/rules/unknown.toml")),
];
const CONDITIONS: &str = include_str!("../../assets/rules/conditions.toml");
const CODES: &str = include_str!("../../assets/rules/codes.toml");

/// Trained by [`Classifier::train`].
const WEIGHTS: &[u8] = include_bytes!("../../assets/model/weights.bin");
const WORDS: &str = include_str!("../../assets/rules/words.toml");

/// The span shown to people goes this far to either side of what matched, within its line.
const SPAN_BYTES_MAX: usize = 160;
/// From here on the rules decide alone: on 444 failures that were new they were right for 97 of 100, and of more use than the model.
const SURE_SCORE: f32 = 86.0;
const SURE_LEAD: f32 = 6.0;
/// How much a rule's phrase counts in training, beside a whole labelled failure.
const PHRASE_WEIGHT: f32 = 0.3;
/// So many words explain what the model says.
const TERMS: usize = 3;
/// Alternatives under this confidence are noise.
const ALTERNATIVE_MIN: f64 = 0.05;
const ALTERNATIVES_MAX: usize = 3;

/// The rules, compiled once.
pub struct Classifier {
    rules: Vec<Rule>,
    matcher: Option<Matcher>,
    /// Does any rule ask for frames and source lines?
    reads_traces: bool,
    tables: Tables,
    model: Option<Model>,
}

impl Classifier {
    /// The shipped rules.
    pub fn shipped() -> Self {
        // The shipped files are part of the program; a test reads each of them, so the empty table is never met.
        Self::with_user_rules(&[]).unwrap_or_else(|_| Self {
            rules: Vec::new(),
            matcher: None,
            reads_traces: false,
            tables: Tables::default(),
            model: None,
        })
    }

    /// The shipped rules and a user's own, as (name, text) of each file. A user's rule replaces a shipped one of the same id and goes
    /// before one of equal strength. Errors: the first fault found, with file, rule, line and what to do.
    pub fn with_user_rules(files: &[(String, String)]) -> Result<Self, RuleError> {
        let mut rules: Vec<Rule> = Vec::new();
        for (name, text) in SHIPPED {
            rules.extend(rule::parse(name, text, Origin::Shipped)?);
        }
        for (name, text) in files {
            for own in rule::parse(name, text, Origin::User)? {
                rules.retain(|known| known.id != own.id);
                rules.push(own);
            }
        }
        let mut phrases = pattern::Builder::default();
        for (index, rule) in rules.iter().enumerate() {
            for (list, role) in [(&rule.any, signal::ROLE_ANY), (&rule.with, signal::ROLE_WITH), (&rule.unless, signal::ROLE_UNLESS)] {
                for phrase in list {
                    // `parse` has checked each phrase.
                    let _ = phrases.add(phrase, index * signal::ROLES + role);
                }
            }
        }
        for ending in signal::CLASS_ENDINGS {
            let _ = phrases.add(ending, rules.len() * signal::ROLES);
        }
        let reads_traces = rules.iter().any(|rule| rule.trace);
        Ok(Self {
            matcher: phrases.build(),
            rules,
            reads_traces,
            tables: Tables::parse(CONDITIONS, CODES, WORDS)?,
            model: Model::load(WEIGHTS),
        })
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// One failure's texts.
    pub fn classify(&self, text: &FailureText) -> Classification {
        let pages = reading::read(text);
        let mut signals = self.collector().collect(text, &pages);
        let mut verdict = verdict::by_rules(&signals);
        // The model is asked where the rules are silent, unsure or of two minds; a user's own rule needs nobody's consent.
        if (verdict.score < SURE_SCORE || verdict.lead < SURE_LEAD)
            && !self.users_own(&signals, &verdict)
            && let Some(model) = &self.model
        {
            let likely = model.read(&pages);
            if signal::of_model(&likely, &mut signals) || !signals.is_empty() {
                verdict = verdict::weighed(&signals, &likely);
            }
        }
        self.classification(&pages, &signals, verdict)
    }

    fn collector(&self) -> Collector<'_> {
        Collector { rules: &self.rules, matcher: self.matcher.as_ref(), reads_traces: self.reads_traces, tables: &self.tables }
    }

    fn users_own(&self, signals: &[Signal], verdict: &Verdict) -> bool {
        let top = verdict.because.first().and_then(|index| signals.get(*index));
        match top.map(|signal| &signal.source) {
            Some(Source::Rule(index)) => self.rules.get(*index).is_some_and(|rule| rule.origin == Origin::User),
            Some(Source::Condition(_) | Source::Sqlstate(_) | Source::Code(_) | Source::Class(_) | Source::Exception | Source::Model)
            | None => false,
        }
    }

    /// Trains the statistical model from the rules' own words and labelled failures: the bytes of `assets/model/weights.bin`. The same
    /// input gives the same bytes.
    pub fn train(&self, labelled: &[(FailureText, Cause)]) -> Vec<u8> {
        model::train(&self.documents(labelled))
    }

    /// The same classifier with another model; one that can't be read leaves the rules alone.
    pub fn with_model(mut self, weights: &[u8]) -> Self {
        self.model = Model::load(weights);
        self
    }

    /// What the statistical model says alone, likeliest first; empty where there is no model.
    pub fn by_words(&self, text: &FailureText) -> Vec<Alternative> {
        let Some(model) = &self.model else { return Vec::new() };
        let likely = model.read(&reading::read(text));
        let mut all: Vec<Alternative> = Cause::ALL
            .into_iter()
            .zip(likely)
            .map(|(cause, p)| Alternative { cause, confidence: Probability::new(f64::from(p)) })
            .collect();
        all.sort_by(|a, b| b.confidence.get().total_cmp(&a.confidence.get()));
        all
    }

    fn documents(&self, labelled: &[(FailureText, Cause)]) -> Vec<Document> {
        let phrases = self.rules.iter().flat_map(|rule| {
            let weight = PHRASE_WEIGHT * f32::from(rule.strength) / 100.0;
            let examples = rule.yes.iter().map(move |text| (text.clone(), 1.0));
            let phrases = rule.any.iter().map(move |phrase| (phrase.replace('*', " "), weight));
            examples.chain(phrases).map(|(text, weight)| Document { features: Features::of_text(&text), cause: rule.cause, weight })
        });
        let failures = labelled.iter().map(|(text, cause)| Document {
            features: Features::of_pages(&reading::read(text)),
            cause: *cause,
            weight: 1.0,
        });
        phrases.chain(failures).collect()
    }

    /// A run's failure: each root failing task is judged; where they differ, the verdict is the one that is least safe to re-run.
    pub fn classify_evidence(&self, evidence: &Evidence) -> Classification {
        let mut worst: Option<Classification> = None;
        for task in &evidence.tasks {
            let mut verdict = self.classify(&task.text);
            verdict.task = Some(task.task_key.clone());
            let better = worst.as_ref().is_none_or(|known| caution(&verdict) > caution(known));
            if better {
                worst = Some(verdict);
            }
        }
        let known = worst.as_ref().is_some_and(|verdict| verdict.cause != Cause::Unknown);
        if known {
            return worst.unwrap_or_else(|| self.classify(&evidence.run));
        }
        let run = self.classify(&evidence.run);
        match worst {
            Some(tasks) if run.cause == Cause::Unknown => tasks,
            _ => run,
        }
    }

    fn classification(&self, pages: &[Page<'_>], signals: &[Signal], verdict: Verdict) -> Classification {
        let confidence = confidence(&verdict);
        let top = verdict.because.first().and_then(|i| signals.get(*i));
        let mut rules: Vec<String> = Vec::new();
        for signal in verdict.because.iter().filter_map(|i| signals.get(*i)) {
            let id = self.id(&signal.source);
            if rules.len() < 5 && !rules.contains(&id) {
                rules.push(id);
            }
        }
        let terms = match (top.map(|signal| &signal.source), &self.model) {
            (Some(Source::Model), Some(model)) => model.strongest(pages, verdict.cause, TERMS),
            _ => Vec::new(),
        };
        let place = top.and_then(|signal| signal.place).or_else(|| terms.first().copied());
        let terms: Vec<&str> =
            terms.iter().filter_map(|term| pages.get(term.page).and_then(|page| page.piece.text.get(term.start..term.end))).collect();
        let (explanation, advice) = self.words(&verdict, top, &terms);
        Classification {
            cause: verdict.cause,
            confidence: Probability::new(confidence),
            alternatives: alternatives(&verdict, confidence),
            action: verdict.action,
            parameters: verdict.set.clone(),
            rules,
            evidence: place.and_then(|place| span(pages, place)),
            task: None,
            fingerprint: fingerprint::of(&self.tables, pages, signals, &verdict),
            explanation,
            advice,
        }
    }

    fn id(&self, source: &Source) -> String {
        match source {
            Source::Rule(index) => self.rules.get(*index).map_or_else(String::new, |rule| rule.id.clone()),
            Source::Condition(name) => format!("condition/{name}"),
            Source::Sqlstate(state) => format!("sqlstate/{state}"),
            Source::Code(code) => format!("code/{code}"),
            Source::Model => classification::MODEL.to_owned(),
            Source::Exception => classification::OWN_EXCEPTION.to_owned(),
            Source::Class(name) => format!("class/{name}"),
        }
    }

    fn words(&self, verdict: &Verdict, top: Option<&Signal>, terms: &[&str]) -> (String, String) {
        let cause = verdict.cause;
        let usual = advice(cause).to_owned();
        match top.map(|signal| &signal.source) {
            Some(Source::Rule(index)) => match self.rules.get(*index) {
                Some(rule) => (rule.why.clone(), rule.advice.clone()),
                None => (String::new(), usual),
            },
            Some(Source::Condition(name)) => (format!("The error condition {name} means: {}.", meaning(cause)), usual),
            Some(Source::Sqlstate(state)) => (format!("SQLSTATE {state} means: {}.", meaning(cause)), usual),
            Some(Source::Code(code)) => (format!("The termination code {code} means: {}.", meaning(cause)), usual),
            Some(Source::Model) => {
                let terms: Vec<String> = terms.iter().map(|term| format!("“{term}”")).collect();
                (format!("No rule knows this text; its words ({}) read as: {}.", terms.join(", "), meaning(cause)), usual)
            }
            Some(Source::Exception) => ("The program raised an exception of its own.".to_owned(), usual),
            Some(Source::Class(name)) => (format!("The exception {name} reads as: {}.", meaning(cause)), usual),
            None => ("The text names no cause.".to_owned(), usual),
        }
    }
}

/// The less safe a re-run, the more it counts: one task that must not run again decides for its run.
fn caution(verdict: &Classification) -> u8 {
    match verdict.action {
        Action::Escalate => 4,
        Action::Notify => 3,
        Action::RetryWithNewParams => 2,
        Action::Retry => 1,
        Action::Ignore => 0,
    }
}

/// What the probability of rules and model together was worth: (probability, share of answers that a fair expert allows), on the same
/// failures as the weights in `verdict`, by cross-validation.
const TOGETHER: [(f64, f64); 10] = [
    (0.0, 0.1),
    (0.26, 0.36),
    (0.35, 0.54),
    (0.46, 0.72),
    (0.55, 0.78),
    (0.65, 0.79),
    (0.75, 0.82),
    (0.86, 0.93),
    (0.97, 0.97),
    (1.0, 0.985),
];

/// What a raw score of the rules alone was worth on texts that no rule had been written for: (raw, share of right answers), measured on five
/// lists of errors before they were learned from.
const CALIBRATION: [(f64, f64); 10] =
    [(0.0, 0.05), (0.3, 0.3), (0.4, 0.42), (0.5, 0.55), (0.6, 0.66), (0.7, 0.78), (0.8, 0.87), (0.9, 0.92), (0.98, 0.945), (1.0, 0.975)];

fn confidence(verdict: &Verdict) -> f64 {
    if let Some(likely) = verdict.likely {
        return worth(&TOGETHER, f64::from(likely));
    }
    let (score, lead) = (f64::from(verdict.score), f64::from(verdict.lead));
    let sure = 1.0 / (1.0 + (-(score - 30.0) / 14.0).exp());
    let raw = sure * (0.8 + 0.2 * (lead / 20.0).clamp(0.0, 1.0));
    let known = worth(&CALIBRATION, raw);
    match verdict.cause {
        // No cause seen: that is sure only where the text itself says that it has none.
        Cause::Unknown => known.clamp(0.4, 0.8),
        _ => known,
    }
}

/// Between the points of a table, in proportion.
fn worth(table: &[(f64, f64)], raw: f64) -> f64 {
    let above = table.iter().position(|(at, _)| *at >= raw).unwrap_or(table.len() - 1).max(1);
    let ((x0, y0), (x1, y1)) = (table[above - 1], table[above]);
    y0 + (y1 - y0) * ((raw - x0) / (x1 - x0)).clamp(0.0, 1.0)
}

fn alternatives(verdict: &Verdict, confidence: f64) -> Vec<Alternative> {
    let others: Vec<(Cause, f64)> = verdict
        .ranking
        .iter()
        .skip(1)
        .filter(|(cause, _)| *cause != Cause::Unknown)
        .map(|(cause, score)| (*cause, f64::from(*score)))
        .collect();
    let total: f64 = others.iter().map(|(_, score)| score.max(1.0)).sum();
    others
        .into_iter()
        .map(|(cause, score)| Alternative { cause, confidence: Probability::new((1.0 - confidence) * score.max(1.0) / total) })
        .filter(|alternative| alternative.confidence.get() >= ALTERNATIVE_MIN)
        .take(ALTERNATIVES_MAX)
        .collect()
}

/// The line in which the match lies, at most [`SPAN_BYTES_MAX`] to either side; offsets in the field.
fn span(pages: &[Page<'_>], place: Place) -> Option<Span> {
    let page = pages.get(place.page)?;
    let text = page.piece.original;
    let segment = page.segments.get(place.segment)?;
    let low = segment.start.max(fold::floor_boundary(text, place.start.saturating_sub(SPAN_BYTES_MAX)));
    let high = segment.end.min(fold::floor_boundary(text, place.end + SPAN_BYTES_MAX));
    let start = text.get(low..place.start)?.rfind('\n').map_or(low, |at| low + at + 1);
    let end = text.get(place.end..high)?.find('\n').map_or(high, |at| place.end + at);
    let words = text.get(start..end)?;
    let start = start + (words.len() - words.trim_start().len());
    let words = words.trim();
    let (start, end) = (page.piece.base + start, page.piece.base + start + words.len());
    Some(Span { field: page.piece.field, text: words.to_owned(), start, end })
}

/// A cause in words.
fn meaning(cause: Cause) -> &'static str {
    match cause {
        Cause::Timeout => "a time limit was exceeded",
        Cause::Resource => "memory, disk or another limit of the job's own compute was exhausted",
        Cause::Permission => "authentication or authorisation failed",
        Cause::Syntax => "the code, query or configuration is invalid",
        Cause::Network => "a host could not be reached or a connection broke",
        Cause::Data => "the data, or where it lies, is wrong",
        Cause::Platform => "the platform or the cloud failed to provide or keep the compute",
        Cause::Quota => "a limit set by cloud, workspace or service was reached",
        Cause::Dependency => "a library could not be found, installed or loaded",
        Cause::Concurrency => "another writer got in the way",
        Cause::Code => "the program failed by its own logic",
        Cause::Canceled => "it was stopped on purpose",
        Cause::Unknown => "no cause is named",
    }
}

/// What an owner may do, where no rule knows better.
fn advice(cause: Cause) -> &'static str {
    match cause {
        Cause::Timeout => "Look at what took so long; raise the limit only where the work is really that large.",
        Cause::Resource => "Give it more of what ran out, or make it need less: smaller partitions, no collect of large results.",
        Cause::Permission => "Grant the missing right to the identity that runs the job, or renew its token or key.",
        Cause::Syntax => "Correct the code, query or setting that the message names.",
        Cause::Network => "If it comes back: check address, firewall and the health of the service that was called.",
        Cause::Data => "Check the path, table or rows that the message names, and who produces them.",
        Cause::Platform => "If it comes back: another node type, zone or on-demand nodes; tell the platform's support.",
        Cause::Quota => "Spread the load over time, or ask for a higher limit.",
        Cause::Dependency => "Install the library in the version the code needs, or pin the one that fits the runtime.",
        Cause::Concurrency => "Let only one writer touch the table at a time, or separate them by partition.",
        Cause::Code => "Correct the program where the trace points to.",
        Cause::Canceled => "Nothing, unless nobody meant to stop it.",
        Cause::Unknown => "Look at the run's output and the cluster's log.",
    }
}

#[cfg(test)]
mod tests;
