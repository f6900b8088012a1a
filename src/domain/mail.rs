//! A message to people, queued in the ledger with the decision that asked for it, so that a mail server that is down loses none.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::IncidentId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// To the job's owner, with the analysis.
    Owner,
    /// To the on-call address.
    OnCall,
    /// To the on-call address: a decision waits for a person.
    Approval,
}

impl MailKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::OnCall => "on_call",
            Self::Approval => "approval",
        }
    }
}

/// What is asked to be sent. The text is made from a template when it is queued, so that it says what was known then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// `<incident>#<attempt>/<kind>`: two mails with one key are one mail. Also its Message-ID and its file name in the outbox.
    pub dedup_key: String,
    pub incident: IncidentId,
    pub kind: MailKind,
    pub to: String,
    pub subject: String,
    pub body: String,
}

/// A mail's way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Delivery {
    Queued,
    Sent {
        at: Timestamp,
    },
    /// Refused for good (an address that no server accepts): a person must see it.
    Failed {
        at: Timestamp,
        reason: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedMail {
    pub mail: Mail,
    pub delivery: Delivery,
    pub tries: u32,
    pub next_try: Timestamp,
    pub last_error: Option<String>,
}
