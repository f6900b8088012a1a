//! `export finetune`: what people confirmed or overrode, as training examples in the chat format that Azure OpenAI and others take.

use std::io::{self, Write};

use serde_json::{Value, json};

use runmend::config::Loaded;
use runmend::domain::action::Action;
use runmend::domain::classification::Classification;
use runmend::domain::event::Happening;
use runmend::domain::incident::Incident;
use runmend::ledger::{AuditLine, Ledger};
use runmend::llm::{Alike, Desk, Occasion, Question};
use runmend::redact::secrets::{Options, Redactor};

use crate::fault::{Exit, Fault};
use crate::{opinions, start};

/// What a person's word is worth: nobody is asked again, and nobody is infallible.
const CONFIDENCE: f64 = 0.95;

pub async fn finetune(loaded: &Loaded) -> Result<Exit, Fault> {
    let ledger = start::ledger(&loaded.config).await?;
    let redactor = std::sync::Arc::new(Redactor::new(Options::default()));
    let desk = opinions::desk(&loaded.config, loaded.workspaces.as_deref().unwrap_or_default(), &redactor)?;
    let mut examples = 0;
    for incident in ledger.incidents(u32::MAX).await? {
        let Some(example) = example(&*ledger, &desk, &incident).await? else { continue };
        // Answers are ours, but their words come from rules that a person may have written.
        let line = serde_json::to_string(&example).unwrap_or_default();
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
async fn example(ledger: &dyn Ledger, desk: &Desk, incident: &Incident) -> Result<Option<Value>, Fault> {
    let trail = ledger.audit(&incident.id).await?;
    let Some(word) = last_word(&trail) else { return Ok(None) };
    let Some(evidence) = ledger.evidence(&incident.id, Some(word.attempt)).await? else { return Ok(None) };
    let question = Question {
        evidence: &evidence,
        classification: &word.classification,
        job: &incident.job,
        attempts: &[],
        alike: &Alike::default(),
        occasion: Occasion::Automatic,
    };
    let mut messages: Vec<Value> = desk
        .prompt(&question)
        .messages()
        .into_iter()
        .map(|message| json!({ "role": message.role.as_str(), "content": message.text }))
        .collect();
    messages.push(json!({ "role": "assistant", "content": answer(&word) }));
    Ok(Some(json!({ "messages": messages })))
}

struct Word {
    attempt: u32,
    classification: Classification,
    action: Action,
}

fn last_word(trail: &[AuditLine]) -> Option<Word> {
    let (mut classification, mut decided, mut word) = (None, None, None);
    for line in trail {
        let said = match &line.event.what {
            Happening::Classified(verdict) => {
                classification = Some((**verdict).clone());
                continue;
            }
            Happening::Decided { action, .. } => {
                decided = Some(*action);
                continue;
            }
            Happening::Approved { .. } => decided,
            Happening::Overridden { action, .. } => Some(*action),
            _ => continue,
        };
        if let (Some(action), Some(classification), Some(attempt)) = (said, classification.clone(), line.event.attempt) {
            word = Some(Word { attempt, classification, action });
        }
    }
    word
}

/// As the prompt asks for it, key by key.
fn answer(word: &Word) -> String {
    let verdict = &word.classification;
    let text = |words: &str| serde_json::to_string(words).unwrap_or_default();
    let quote = verdict.evidence.as_ref().map(|span| text(span.text.trim())).unwrap_or_default();
    format!(
        "{{\"quotes\": [{quote}], \"summary\": {}, \"cause\": \"{}\", \"action\": \"{}\", \"parameters\": [], \"confidence\": {CONFIDENCE}, \"message\": {}}}",
        text(&verdict.explanation),
        verdict.cause,
        word.action,
        text(&verdict.advice),
    )
}
