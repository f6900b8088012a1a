//! What a person decided about a failure, kept for later ones alike.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::cause::Cause;
use super::event::{Actor, Event, Happening, Outcome};
use super::ids::{Fingerprint, IncidentId};
use super::incident::Incident;

/// What the person did with the engine's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    pub cause: Cause,
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
        let (word, action, note) = match &event.what {
            Happening::Approved { note } => (Word::Approved, decided, note.clone()),
            Happening::Overridden { action, note } => (Word::Overrode, Some(*action), Some(note.clone())),
            Happening::Outcome { result: Outcome::Ignored, note, .. } => (Word::Ignored, Some(Action::Ignore), note.clone()),
            Happening::Outcome { result: Outcome::Handled, note, .. } => (Word::Handled, None, note.clone()),
            _ => return None,
        };
        let verdict = incident.classification.as_ref()?;
        Some(Self {
            at: event.ts,
            incident: incident.id.clone(),
            attempt: incident.attempt,
            fingerprint: verdict.fingerprint.clone(),
            cause: verdict.cause,
            word,
            action,
            note: note.filter(|note| !note.trim().is_empty()),
            outcome: None,
        })
    }
}
