//! `export finetune`: what people confirmed or overrode, as training examples in the chat format that Azure OpenAI and others take.

use std::io::{self, Write};

use serde_json::{Value, json};

use runmend::config::Loaded;
use runmend::domain::action::Action;
use runmend::domain::cause::Cause;
use runmend::domain::classification::{Classification, Opinion};
use runmend::domain::event::Happening;
use runmend::domain::incident::Incident;
use runmend::ledger::{AuditLine, Ledger};
use runmend::llm::model::Message;
use runmend::llm::{Alike, Desk, Occasion, Prompt, Question};
use runmend::redact::control::plain_json;
use runmend::redact::prose::prose;
use runmend::redact::secrets::Redactor;

use crate::fault::{Exit, Fault};
use crate::{opinions, start};

/// What a person's word is worth: nobody is asked again, and nobody is infallible.
const CONFIDENCE: f64 = 0.95;
/// Lines that an answer quotes. Source: the prompt's template.
const QUOTES_MAX: usize = 3;
/// A person's reason as the answer's sentence, characters: no answer's is longer.
const NOTE_CHARS_MAX: usize = 400;

pub async fn finetune(loaded: &Loaded) -> Result<Exit, Fault> {
    let ledger = start::ledger(&loaded.config).await?;
    let redactor = std::sync::Arc::new(Redactor::new(loaded.config.redact));
    let desk = opinions::desk(&loaded.config, loaded.workspaces.as_deref().unwrap_or_default(), &redactor)?;
    let mut examples = 0;
    for incident in ledger.incidents(u32::MAX).await? {
        let Some(example) = example(&*ledger, &desk, &redactor, &incident).await? else { continue };
        // Answers are ours, but their words come from rules that a person may have written.
        let line = plain_json(serde_json::to_string(&example).unwrap_or_default());
        match writeln!(io::stdout().lock(), "{line}") {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
            Err(error) => return Err(Fault::usage(error.to_string(), "check where the output goes")),
            Ok(()) => examples += 1,
        }
    }
    eprintln!("{examples} examples from decisions that people confirmed or overrode");
    Ok(Exit::Done)
}

/// The last decision of the incident on which a person had the last word.
async fn example(ledger: &dyn Ledger, desk: &Desk, redactor: &Redactor, incident: &Incident) -> Result<Option<Value>, Fault> {
    let trail = ledger.audit(&incident.id).await?;
    let Some(word) = last_word(&trail, incident) else { return Ok(None) };
    let Some(evidence) = ledger.evidence(&incident.id, Some(word.attempt)).await? else { return Ok(None) };
    let question = Question {
        evidence: &evidence,
        classification: &word.classification,
        job: &incident.job,
        attempts: &[],
        alike: &Alike::default(),
        occasion: Occasion::Automatic,
    };
    let prompt = desk.prompt(&question);
    let said = |message: Message| json!({ "role": message.role.as_str(), "content": message.text });
    let mut messages: Vec<Value> = prompt.messages().into_iter().map(said).collect();
    messages.push(json!({ "role": "assistant", "content": answer(&word, &prompt, redactor) }));
    Ok(Some(json!({ "messages": messages })))
}

/// A person's word, with what it was said about.
struct Word {
    /// The attempt whose failure was judged.
    attempt: u32,
    classification: Classification,
    action: Action,
    /// Where the person said that it is another cause than the rules'.
    correction: Option<Correction>,
}

struct Correction {
    cause: Cause,
    /// The reason, as typed.
    note: String,
    /// The model's reading of that failure, where it named the same cause and made nothing up.
    reading: Option<Opinion>,
}

fn last_word(trail: &[AuditLine], incident: &Incident) -> Option<Word> {
    let (mut judged, mut decided, mut word) = (None, None, None);
    for line in trail {
        let (action, said) = match &line.event.what {
            Happening::Classified(verdict) => {
                // Overriding what was mailed is the next attempt; its failure, and its evidence, are still this one's.
                judged = line.event.attempt.map(|attempt| (attempt, (**verdict).clone()));
                continue;
            }
            Happening::Decided { action, .. } => {
                decided = Some(*action);
                continue;
            }
            Happening::Approved { .. } => (decided, None),
            Happening::Overridden { action, note, cause } => (Some(*action), cause.map(|cause| (cause, note.clone()))),
            _ => continue,
        };
        let (Some(action), Some((attempt, classification))) = (action, judged.clone()) else { continue };
        let correction = said.map(|(cause, note)| {
            // The incident has the opinion on its last failure only.
            let current = incident.approval.as_ref().is_some_and(|approval| approval.at == line.event.ts);
            let reading = incident.opinion.clone().filter(|opinion| current && opinion.grounded && opinion.cause == cause);
            Correction { cause, note, reading }
        });
        word = Some(Word { attempt, classification, action, correction });
    }
    word
}

/// As the prompt asks for it, key by key.
fn answer(word: &Word, prompt: &Prompt, redactor: &Redactor) -> String {
    let Word { classification: rules, action, correction, .. } = word;
    let reading = correction.as_ref().and_then(|correction| correction.reading.as_ref());
    // What the rules say of their cause is wrong of another: then the person's reason stands in its place, or the model's sentences
    // where the person took its reading.
    let note = correction.as_ref().map(|correction| prose(&redactor.redact(&correction.note).text, NOTE_CHARS_MAX));
    let (cause, summary, message) = match (correction, &note, reading) {
        (Some(said), Some(note), Some(read)) => (said.cause, &read.summary, if read.action == *action { &read.message } else { note }),
        (Some(said), Some(note), None) => (said.cause, note, note),
        (Some(_), None, _) | (None, _, _) => (rules.cause, &rules.explanation, &rules.advice),
    };
    let quotes: Vec<String> = quotes(rules, reading, prompt).iter().map(|quote| text(quote)).collect();
    format!(
        "{{\"quotes\": [{}], \"summary\": {}, \"cause\": \"{cause}\", \"action\": \"{action}\", \"parameters\": [], \"confidence\": {CONFIDENCE}, \"message\": {}}}",
        quotes.join(", "),
        text(summary),
        text(message),
    )
}

fn text(words: &str) -> String {
    serde_json::to_string(words).unwrap_or_default()
}

/// Lines that stand in the prompt: an example that quotes anything else teaches to make things up, and one without a quote to give none.
fn quotes<'a>(rules: &'a Classification, reading: Option<&'a Opinion>, prompt: &'a Prompt) -> Vec<&'a str> {
    let read = reading.into_iter().flat_map(|opinion| &opinion.quotes).map(|quote| quote.text.trim());
    let read: Vec<&str> = read.filter(|quote| prompt.holds(quote)).take(QUOTES_MAX).collect();
    if !read.is_empty() {
        return read;
    }
    let hit = rules.evidence.iter().map(|span| span.text.trim());
    // No rule knew a line: the failure's own first words.
    let first = prompt.sent.iter().flat_map(|(_, text)| text.lines()).map(str::trim);
    hit.chain(first).find(|line| prompt.holds(line)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use runmend::domain::classification::{OpinionOrigin, Quote, Tokens};
    use runmend::domain::event::{Actor, Event, Via};
    use runmend::domain::evidence::{Evidence, FailureText, Field};
    use runmend::domain::ids::{Probability, RunId};
    use runmend::domain::incident::{Failure, Instead, State};
    use runmend::domain::job::JobFacts;
    use runmend::llm::prompt::EVIDENCE_BYTES_MAX;

    use super::*;

    const REFUSED: &str = "java.net.ConnectException: Connection refused";
    const NULLS: &str = "ERROR NullCheck: order_id has 12 nulls";

    fn reading(cause: Cause, quote: &str) -> Opinion {
        Opinion {
            cause,
            action: Action::Notify,
            confidence: Probability::new(0.8),
            summary: "The new feed has nulls.".to_owned(),
            grounded: true,
            model: "m".to_owned(),
            parameters: Vec::new(),
            dropped: Vec::new(),
            quotes: vec![Quote { text: quote.to_owned(), field: Some(Field::Logs) }],
            message: "Filter the feed.".to_owned(),
            tokens: Tokens::default(),
            cost_usd: None,
            latency_ms: 1,
            prompt: "p".to_owned(),
            origin: OpinionOrigin::Asked,
        }
    }

    fn evidence() -> Evidence {
        let run = FailureText { error: Some(REFUSED.to_owned()), logs: Some(format!("{NULLS}\n")), ..FailureText::default() };
        Evidence { run, ..Evidence::default() }
    }

    /// An incident that waits for a person, and its trail so far.
    fn waiting(opinion: Option<Opinion>) -> (Incident, Vec<Event>) {
        let failure = Failure {
            workspace: "acme-prod".into(),
            run: RunId(7),
            after_repair: None,
            job: JobFacts::default(),
            run_url: None,
            via: Via::Poll,
            result_state: None,
            termination_code: None,
            ended_at: None,
        };
        let (mut incident, detected) = Incident::detected(failure, at(0));
        let rules = runmend::classify::Classifier::shipped().classify_evidence(&evidence());
        assert_eq!(rules.cause, Cause::Network);
        let classified = incident.event(at(1), Actor::Agent, Happening::Classified(Box::new(rules.clone())));
        (incident.state, incident.classification, incident.opinion) = (State::AwaitingApproval, Some(rules), opinion);
        (incident, vec![detected, classified])
    }

    fn at(second: i64) -> runmend::domain::Timestamp {
        runmend::domain::Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    /// The answer that a person's override teaches, from the state in which it was said.
    fn taught(from: State, opinion: Option<Opinion>, action: Action, cause: Option<Cause>, note: &str) -> Value {
        let (mut incident, mut events) = waiting(opinion);
        incident.state = from;
        let instead = Instead { action, cause, note: note.to_owned() };
        let next = incident.override_with(instead, "dana", at(9)).unwrap();
        events.extend(next.events);
        let trail: Vec<AuditLine> = events.into_iter().zip(1..).map(|(event, seq)| AuditLine { seq, event, hash: String::new() }).collect();
        let word = last_word(&trail, &next.incident).unwrap();
        assert_eq!(word.attempt, 1, "the attempt that has the evidence");
        let (evidence, alike, redactor) = (evidence(), Alike::default(), Redactor::default());
        let question = Question {
            evidence: &evidence,
            classification: &word.classification,
            job: &incident.job,
            attempts: &[],
            alike: &alike,
            occasion: Occasion::Automatic,
        };
        let prompt = Prompt::build(&question, &redactor, EVIDENCE_BYTES_MAX);
        serde_json::from_str(&answer(&word, &prompt, &redactor)).unwrap()
    }

    #[test]
    fn what_a_person_says_of_the_cause_is_what_is_taught() {
        let (waits, mailed) = (State::AwaitingApproval, State::WithPeople);
        let rules = runmend::classify::Classifier::shipped().classify_evidence(&evidence());
        let why = rules.explanation.as_str();
        let note = "nulls since the new feed";
        let data = Some(Cause::Data);
        for (from, opinion, action, cause, want) in [
            // Nothing said of the cause: it is the rules'.
            (waits, None, Action::Notify, None, ("network", why, REFUSED, rules.advice.as_str())),
            (waits, Some(reading(Cause::Data, NULLS)), Action::Notify, None, ("network", why, REFUSED, &rules.advice)),
            (waits, None, Action::Notify, data, ("data", note, REFUSED, note)),
            (mailed, None, Action::Retry, data, ("data", note, REFUSED, note)),
            (waits, None, Action::Ignore, data, ("data", note, REFUSED, note)),
            // The model's reading taken, as far as it is the person's.
            (
                waits,
                Some(reading(Cause::Data, NULLS)),
                Action::Notify,
                data,
                ("data", "The new feed has nulls.", NULLS, "Filter the feed."),
            ),
            (waits, Some(reading(Cause::Data, NULLS)), Action::Retry, data, ("data", "The new feed has nulls.", NULLS, note)),
            (
                waits,
                Some(reading(Cause::Data, "made up line of a log")),
                Action::Notify,
                data,
                ("data", "The new feed has nulls.", REFUSED, "Filter the feed."),
            ),
            (waits, Some(reading(Cause::Quota, NULLS)), Action::Notify, data, ("data", note, REFUSED, note)),
            (waits, Some(Opinion { grounded: false, ..reading(Cause::Data, NULLS) }), Action::Notify, data, ("data", note, REFUSED, note)),
        ] {
            let said = taught(from, opinion.clone(), action, cause, note);
            let quote = said["quotes"][0].as_str().unwrap();
            let found = (said["cause"].as_str().unwrap(), said["summary"].as_str().unwrap(), said["message"].as_str().unwrap());
            assert_eq!(found, (want.0, want.1, want.3), "{from} {opinion:?} {cause:?}");
            assert!(want.2.contains(quote) && !quote.is_empty(), "{quote}");
            assert_eq!(said["action"], action.as_str());
        }
    }

    #[test]
    fn what_a_person_typed_goes_out_inert_and_without_secrets() {
        let secret = format!("{}{}", "dapi", "4f8c91ab27de6035c1f09e7b84d2a6f3");
        let note = format!("token {secret} leaked\n\u{1b}[2J{}", "\"x\" ".repeat(400));
        let said = taught(State::AwaitingApproval, None, Action::Escalate, Some(Cause::Permission), &note);
        let summary = said["summary"].as_str().unwrap();
        assert!(!summary.contains(&secret) && !summary.contains(['\u{1b}', '\n']), "{summary}");
        assert!(summary.chars().count() <= NOTE_CHARS_MAX);
    }
}
