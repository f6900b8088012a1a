//! What a person decided about a failure, kept for later ones alike.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::cause::Cause;
use super::event::{Actor, Event, Happening, Outcome};
use super::ids::{Fingerprint, IncidentId};
use super::incident::Incident;

/// What the person did with the engine's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Approved,
    Overrode,
    Ignored,
    /// Dealt with outside runmend.
    Handled,
}

/// Without the person's name: it goes to a model, and who it was is the audit trail's matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precedent {
    pub at: Timestamp,
    pub incident: IncidentId,
    pub attempt: u32,
    pub fingerprint: Fingerprint,
    /// By the person's word, where one was said; else the rules'.
    pub cause: Cause,
    /// What the rules said, where the person named another cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_said: Option<Cause>,
    pub word: Word,
    /// What was to be done by it; nothing of ours where it was handled elsewhere.
    pub action: Option<Action>,
    /// The person's reason, as typed.
    pub note: Option<String>,
    /// What came of that attempt, once it is known.
    #[serde(skip)]
    pub outcome: Option<Outcome>,
}

impl Precedent {
    /// `incident` as it is after the event. `None` where it is no person's word, or there was no verdict yet to have a word on.
    pub fn of(incident: &Incident, event: &Event) -> Option<Self> {
        let Actor::Person(_) = event.actor else { return None };
        let decided = incident.decision.as_ref().map(|decision| decision.action);
        let (word, action, note, said) = match &event.what {
            Happening::Approved { note } => (Word::Approved, decided, note.clone(), None),
            Happening::Overridden { action, note, cause } => (Word::Overrode, Some(*action), Some(note.clone()), *cause),
            Happening::Outcome { result: Outcome::Ignored, note, .. } => (Word::Ignored, Some(Action::Ignore), note.clone(), None),
            Happening::Outcome { result: Outcome::Handled, note, .. } => (Word::Handled, None, note.clone(), None),
            _ => return None,
        };
        let verdict = incident.classification.as_ref()?;
        let said = said.filter(|said| *said != verdict.cause);
        Some(Self {
            at: event.ts,
            incident: incident.id.clone(),
            attempt: incident.attempt,
            fingerprint: verdict.fingerprint.clone(),
            cause: said.unwrap_or(verdict.cause),
            rules_said: said.map(|_| verdict.cause),
            word,
            action,
            note: note.filter(|note| !note.trim().is_empty()),
            outcome: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::domain::incident::Approval;

    /// What was written before a person could name a cause is read, and written anew it is the same text.
    fn check<T: Serialize + DeserializeOwned>(old: &str) {
        let read: T = serde_json::from_str(old).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }

    #[test]
    fn what_older_ledgers_hold_is_read() {
        check::<Event>(
            r#"{"ts":"2025-11-24T16:00:00Z","incident":"acme/1","attempt":1,"actor":{"by":"person","who":"eli"},"event":"overridden","action":"notify","note":"schema"}"#,
        );
        check::<Precedent>(
            r#"{"at":"2025-11-24T16:00:00Z","incident":"acme/1","attempt":1,"fingerprint":"f1","cause":"data","word":"overrode","action":"notify","note":"schema"}"#,
        );
        check::<Approval>(r#"{"by":"eli","at":"2025-11-24T16:00:00Z","note":null}"#);
    }
}
