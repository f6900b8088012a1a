//! What happened to an incident: one audit record, and one JSON line of `--json`. Field names are the contract's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::{Action, Parameter};
use super::cause::Cause;
use super::classification::{Classification, Opinion, OpinionOrigin};
use super::decision::{Authority, Decision, Guardrail, Mode};
use super::ids::{IncidentId, JobId, Probability, RepairId, RunId, WorkspaceName};
use super::money::Usd;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", content = "who", rename_all = "snake_case")]
pub enum Actor {
    Agent,
    /// A person at a console: the login name.
    Person(String),
    /// Somebody in the workspace, not through runmend.
    Workspace,
}

/// Which door a failure came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    Poll,
    Webhook,
    SystemTables,
}

/// How an attempt, or the incident, came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Mended,
    FailedAgain,
    Superseded,
    Escalated,
    Notified,
    Ignored,
    /// A person closed it as dealt with.
    Handled,
}

impl Outcome {
    pub const ALL: [Self; 7] =
        [Self::Mended, Self::FailedAgain, Self::Superseded, Self::Escalated, Self::Notified, Self::Ignored, Self::Handled];

    /// As events, the ledger and the metrics write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mended => "mended",
            Self::FailedAgain => "failed_again",
            Self::Superseded => "superseded",
            Self::Escalated => "escalated",
            Self::Notified => "notified",
            Self::Ignored => "ignored",
            Self::Handled => "handled",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub method: String,
    pub path: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    Ready {
        version: String,
        mode: Mode,
        workspaces: Vec<WorkspaceName>,
    },
    Detected {
        via: Via,
        result_state: Option<String>,
        termination_code: Option<String>,
        ended_at: Option<Timestamp>,
    },
    /// Evidence was collected; the gaps are what could not be had.
    Collected {
        tasks: Vec<String>,
        gaps: Vec<String>,
    },
    Classified(Box<Classification>),
    Opinion {
        available: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<Action>,
        #[serde(skip_serializing_if = "Option::is_none")]
        confidence: Option<Probability>,
        #[serde(skip_serializing_if = "Option::is_none")]
        grounded: Option<bool>,
        /// Asked for this incident, or said of one alike not long ago: then it cost nothing. `None` without an opinion, and in the audit
        /// trail of a runmend that did not write it down yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<OpinionOrigin>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost_usd: Option<Usd>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        latency_ms: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// The prompt's name and hash: what was asked can be told from the audit trail.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prompt: Option<String>,
    },
    /// A person wants a model asked.
    Asked,
    Decided {
        action: Action,
        parameters: Vec<Parameter>,
        authority: Authority,
        not_before: Timestamp,
        confidence: Probability,
        success_probability: Option<Probability>,
        reasons: Vec<String>,
        guardrails: Vec<Guardrail>,
    },
    Approved {
        note: Option<String>,
    },
    Overridden {
        action: Action,
        note: String,
        /// The cause by the person's word, where it is another than the rules'.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
    },
    /// A side effect is about to be attempted.
    Intended {
        intent: String,
        call: Call,
    },
    Acted {
        action: Action,
        call: Call,
        #[serde(skip_serializing_if = "Option::is_none")]
        repair_id: Option<RepairId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        new_run_id: Option<RunId>,
        intent: String,
        /// The answer was lost; the workspace was asked and said that it had happened.
        reconciled: bool,
    },
    /// The workspace refused the call; nothing happened there.
    Refused {
        intent: String,
        reason: String,
    },
    Outcome {
        result: Outcome,
        duration_s: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    Notified {
        channel: String,
        to: String,
        dedup_key: String,
    },
    /// A mail was queued.
    Queued {
        to: String,
        subject: String,
        dedup_key: String,
    },
    Degraded {
        part: String,
        reason: String,
    },
    Recovered {
        part: String,
        reason: String,
    },
    Stopped {
        open_incidents: u64,
    },
}

impl Happening {
    /// The contract's name of the event.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Detected { .. } => "detected",
            Self::Collected { .. } => "collected",
            Self::Classified(_) => "classified",
            Self::Opinion { .. } => "opinion",
            Self::Asked => "asked",
            Self::Decided { .. } => "decided",
            Self::Approved { .. } => "approved",
            Self::Overridden { .. } => "overridden",
            Self::Intended { .. } => "intended",
            Self::Acted { .. } => "acted",
            Self::Refused { .. } => "refused",
            Self::Outcome { .. } => "outcome",
            Self::Notified { .. } => "notified",
            Self::Queued { .. } => "queued",
            Self::Degraded { .. } => "degraded",
            Self::Recovered { .. } => "recovered",
            Self::Stopped { .. } => "stopped",
        }
    }

    pub fn opinion(opinion: &Opinion) -> Self {
        Self::Opinion {
            available: true,
            reason: None,
            cause: Some(opinion.cause),
            action: Some(opinion.action),
            confidence: Some(opinion.confidence),
            grounded: Some(opinion.grounded),
            origin: Some(opinion.origin),
            cost_usd: opinion.cost_usd,
            latency_ms: Some(opinion.latency_ms),
            model: Some(opinion.model.clone()),
            prompt: Some(opinion.prompt.clone()),
        }
    }

    /// There is no opinion, and why.
    pub fn no_opinion(reason: impl Into<String>) -> Self {
        Self::Opinion {
            available: false,
            reason: Some(reason.into()),
            cause: None,
            action: None,
            confidence: None,
            grounded: None,
            origin: None,
            cost_usd: None,
            latency_ms: None,
            model: None,
            prompt: None,
        }
    }

    pub fn decided(decision: &Decision) -> Self {
        Self::Decided {
            action: decision.action,
            parameters: decision.parameters.clone(),
            authority: decision.authority,
            not_before: decision.not_before,
            confidence: decision.confidence,
            success_probability: decision.success.map(|success| success.p),
            reasons: decision.reasons.clone(),
            guardrails: decision.guardrails.clone(),
        }
    }
}

/// One event. Everything but `ts`, `actor` and the event's own fields may be absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub ts: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    pub actor: Actor,
    #[serde(flatten)]
    pub what: Happening,
}

impl Event {
    /// An event of the agent itself, not of an incident.
    pub fn of_agent(ts: Timestamp, what: Happening) -> Self {
        Self { ts, workspace: None, incident: None, job_id: None, job_name: None, run_id: None, attempt: None, actor: Actor::Agent, what }
    }
}
