//! What the ledger holds, as the console last read it. Complete before it reaches the model: drawing asks nobody anything.

use std::sync::Arc;

use crate::domain::Timestamp;
use crate::domain::incident::Incident;
use crate::ledger::{AgentStatus, AutoApply, Counts};

use super::words;

/// An incident with the text that a filter looks at, made once per change and not once per key.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub incident: Incident,
    haystack: String,
}

impl Entry {
    pub fn new(incident: Incident) -> Self {
        let mut haystack = format!("{} {} {}", incident.job.name, incident.run, incident.state.word());
        for task in &incident.failed_tasks {
            haystack.push(' ');
            haystack.push_str(task);
        }
        if let Some(classification) = &incident.classification {
            haystack.push_str(&format!(" {} {} {}", classification.cause, classification.fingerprint, classification.rules.join(" ")));
        }
        if let Some((said, _)) = incident.corrected() {
            haystack.push_str(&format!(" {said}"));
        }
        if let Some(decision) = &incident.decision {
            haystack.push_str(&format!(" {} {}", decision.action.as_str(), decision.action.words()));
        }
        haystack.push_str(&format!(" {} llm:{}", incident.workspace, words::llm(&incident)));
        Self { incident, haystack: haystack.to_lowercase() }
    }

    /// Would a person decide about the other as about this one? The agent looks at a waiting incident every few minutes and says so in
    /// the ledger: that alone takes no question off the screen.
    pub fn poses_the_same_question(&self, other: &Self) -> bool {
        let (a, b) = (&self.incident, &other.incident);
        a.state == b.state && a.attempt == b.attempt && a.decision == b.decision && a.planned == b.planned && a.job == b.job
    }

    /// Every word of the filter occurs somewhere; `lower` is lower case.
    pub fn matches(&self, lower: &str) -> bool {
        lower.split_whitespace().all(|word| self.haystack.contains(word))
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Open incidents and the newest closed ones, in no order.
    pub entries: Vec<Arc<Entry>>,
    pub counts: Counts,
    pub agents: Vec<AgentStatus>,
    pub auto_apply: Option<AutoApply>,
    /// When it was read.
    pub at: Timestamp,
}

impl Snapshot {
    /// Nothing but the agents' signs of life and the time differs.
    pub fn shows_the_same(&self, other: &Self) -> bool {
        self.counts == other.counts
            && self.auto_apply == other.auto_apply
            && self.entries.len() == other.entries.len()
            && self.entries.iter().zip(&other.entries).all(|(a, b)| Arc::ptr_eq(a, b))
    }

    /// Open incidents, by the ledger's count.
    pub fn open(&self) -> u64 {
        let Counts { awaiting, scheduled, acting, watching, with_people, observed, in_analysis, .. } = self.counts;
        awaiting + scheduled + acting + watching + with_people + observed + in_analysis
    }
}
