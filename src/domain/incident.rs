//! An incident: runmend's record of one failed run, its states, and the legal transitions between them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::cause::Cause;
use super::classification::{Classification, Opinion};
use super::decision::{Authority, Decision};
use super::event::{Actor, Event, Happening, Outcome, Via};
use super::ids::{IncidentId, RepairId, RunId, WorkspaceName};
use super::intent::{Effect, Intent};
use super::job::JobFacts;
use super::mail::Mail;

/// How an incident ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The run, or a later run of its job, succeeded.
    Mended,
    /// A person closed it as dealt with.
    Handled,
    Ignored,
    /// A person acted on the run first.
    Superseded,
}

/// Where an incident stands. The ledger keeps exactly this; what to do next follows from it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "state", content = "ending", rename_all = "snake_case")]
pub enum State {
    Detected,
    Collecting,
    Analysed,
    /// Decided. Under `observe` an incident stays here: what would have been done is on record.
    Decided,
    Scheduled,
    AwaitingApproval,
    Acting,
    Watching,
    WithPeople,
    Closed(Ending),
}

impl State {
    /// The table of legal transitions. `Closed` opens again only when the same run fails anew (a person's repair that failed).
    pub fn may_become(self, next: Self) -> bool {
        use State::*;
        match (self, next) {
            // A person acted first, at any point; a person may also ignore or close at any point before the act.
            (Closed(_), Closed(_)) => false,
            (_, Closed(Ending::Superseded)) => true,
            (Acting, Closed(_)) => false,
            (_, Closed(_)) => true,
            (Closed(_), Detected) => true,
            (Detected, Collecting) => true,
            (Collecting, Analysed) => true,
            (Analysed, Decided) => true,
            (Decided, Scheduled | AwaitingApproval | WithPeople) => true,
            // Auto-apply was switched on, or a person overrode: decide again.
            (AwaitingApproval, Decided | Scheduled) => true,
            (Scheduled, Acting | AwaitingApproval | WithPeople | Decided) => true,
            (Acting, Watching | WithPeople | Scheduled) => true,
            (Watching, Collecting | WithPeople) => true,
            // A person overrides what was mailed: act after all. Or the run failed anew.
            (WithPeople, Scheduled | Collecting) => true,
            _ => false,
        }
    }

    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed(_))
    }

    /// The word that the console and the text story show.
    pub fn word(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Collecting => "collecting",
            Self::Analysed => "analysed",
            Self::Decided => "observed",
            Self::Scheduled => "scheduled",
            Self::AwaitingApproval => "awaiting",
            Self::Acting => "acting",
            Self::Watching => "watching",
            Self::WithPeople => "with people",
            Self::Closed(Ending::Mended) => "mended",
            Self::Closed(Ending::Handled) => "handled",
            Self::Closed(Ending::Ignored) => "ignored",
            Self::Closed(Ending::Superseded) => "superseded",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Which failure of the run this is: the same run fails anew after a repair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureKey {
    pub run: RunId,
    /// The newest repair when the run was seen failed; `None` for the first failure.
    pub after_repair: Option<RepairId>,
}

/// The call that a decision would make, exactly: shown before it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCall {
    pub method: String,
    pub path: String,
    /// JSON, indented, as it would be sent; for a mail: its head lines.
    pub body: String,
}

/// What people said about asking a model about this incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asking {
    /// Nothing: the policy says when.
    #[default]
    ByPolicy,
    /// It is to be asked now, whatever the policy says.
    Demanded,
    /// It was stopped, and is not asked again by itself.
    Cancelled,
}

/// Why there is no opinion after [`Incident::cancel_opinion`].
pub const CANCELLED: &str = "cancelled by a person";

/// A person's word on a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub by: String,
    pub at: Timestamp,
    pub note: Option<String>,
    /// The cause by the person's word, where it is another than the rules'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// What a person wants in place of the engine's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instead {
    pub action: Action,
    /// The cause as the person sees it; `None`: nothing was said of it, the rules' stands.
    pub cause: Option<Cause>,
    /// The reason why.
    pub note: String,
}

/// One attempt that was carried out, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    pub action: Action,
    pub acted_at: Timestamp,
    pub repair: Option<RepairId>,
    pub new_run: Option<RunId>,
    /// Carried out without a person's approval.
    pub automatic: bool,
    pub outcome: Option<Outcome>,
    pub ended_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub workspace: WorkspaceName,
    pub job: JobFacts,
    pub run: RunId,
    pub run_url: Option<String>,
    pub via: Via,
    pub result_state: Option<String>,
    pub termination_code: Option<String>,
    /// When this run was first seen failed.
    pub detected_at: Timestamp,
    /// When the run, in its current failure, ended.
    pub failed_at: Option<Timestamp>,
    pub failure: FailureKey,
    #[serde(flatten)]
    pub state: State,
    /// The attempt that is being decided or carried out, from 1.
    pub attempt: u32,
    /// The failing tasks of this attempt, for the table.
    pub failed_tasks: Vec<String>,
    pub classification: Option<Classification>,
    pub opinion: Option<Opinion>,
    /// Why there is none, for the LLM's pane.
    #[serde(default)]
    pub no_opinion: Option<String>,
    #[serde(default)]
    pub asking: Asking,
    /// What a model has said so far, while it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
    pub decision: Option<Decision>,
    pub planned: Option<PlannedCall>,
    pub approval: Option<Approval>,
    /// Attempts carried out so far, oldest first.
    pub attempts: Vec<Attempt>,
    /// When the agent looks again. `None`: only an event moves it.
    pub next_due: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    /// What keeps it from moving right now, in words for the console.
    pub hold: Option<String>,
    /// Counts commits; a commit names the version it read.
    pub version: i64,
}

/// A new failure, as an intake door reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub workspace: WorkspaceName,
    pub run: RunId,
    pub after_repair: Option<RepairId>,
    pub job: JobFacts,
    pub run_url: Option<String>,
    pub via: Via,
    pub result_state: Option<String>,
    pub termination_code: Option<String>,
    pub ended_at: Option<Timestamp>,
}

/// A change of an incident that the state machine does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("incident {incident}: {from} cannot become {to}")]
pub struct IllegalTransition {
    pub incident: IncidentId,
    pub from: State,
    pub to: State,
}

/// One ledger transaction: the incident as it is to be, what happened, and the side effect or mail that goes with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The incident after the change; its `version` is still the one that was read.
    pub incident: Incident,
    /// The state that was read: the ledger refuses when it holds another by now.
    pub from: State,
    pub events: Vec<Event>,
    /// An intent to open (before the call), or a settled one (after it).
    pub intent: Option<Intent>,
    pub mail: Option<Mail>,
}

impl Incident {
    pub fn detected(failure: Failure, now: Timestamp) -> (Self, Event) {
        let incident = Self {
            id: IncidentId::new(&failure.workspace, failure.run),
            workspace: failure.workspace,
            job: failure.job,
            run: failure.run,
            run_url: failure.run_url,
            via: failure.via,
            result_state: failure.result_state.clone(),
            termination_code: failure.termination_code.clone(),
            detected_at: now,
            failed_at: failure.ended_at,
            failure: FailureKey { run: failure.run, after_repair: failure.after_repair },
            state: State::Detected,
            attempt: 1,
            failed_tasks: Vec::new(),
            classification: None,
            opinion: None,
            no_opinion: None,
            asking: Asking::ByPolicy,
            draft: None,
            decision: None,
            planned: None,
            approval: None,
            attempts: Vec::new(),
            next_due: Some(now),
            closed_at: None,
            hold: None,
            version: 0,
        };
        let what = Happening::Detected {
            via: failure.via,
            result_state: failure.result_state,
            termination_code: failure.termination_code,
            ended_at: failure.ended_at,
        };
        let event = incident.event(now, Actor::Agent, what);
        (incident, event)
    }

    /// An event of this incident.
    pub fn event(&self, ts: Timestamp, actor: Actor, what: Happening) -> Event {
        Event {
            ts,
            workspace: Some(self.workspace.clone()),
            incident: Some(self.id.clone()),
            job_id: self.job.job_id,
            job_name: Some(self.job.name.clone()),
            run_id: Some(self.run),
            attempt: Some(self.attempt),
            actor,
            what,
        }
    }

    /// Re-runs that were carried out and have ended or still run.
    pub fn reruns(&self) -> u32 {
        self.attempts.iter().filter(|attempt| attempt.action.reruns()).count() as u32
    }

    /// What it failed of: by a person's word, where one was said on this failure, else by the rules'.
    pub fn cause(&self) -> Option<Cause> {
        self.corrected().map(|(said, _)| said).or_else(|| self.classification.as_ref().map(|rules| rules.cause))
    }

    /// The cause that a person named against the rules, and who it was.
    pub fn corrected(&self) -> Option<(Cause, &str)> {
        self.approval.as_ref().and_then(|approval| Some((approval.cause?, approval.by.as_str())))
    }

    /// [`Incident::corrected`] in words: `cause by dana: data, the rules said platform`.
    pub fn correction(&self) -> Option<String> {
        let (said, by) = self.corrected()?;
        Some(correction(by, said, self.classification.as_ref().map(|rules| rules.cause)))
    }

    /// Starts a transition to `to`; fill the incident's fields and add events before it is committed.
    pub fn become_state(&self, to: State) -> Result<Transition, IllegalTransition> {
        if !self.state.may_become(to) {
            return Err(IllegalTransition { incident: self.id.clone(), from: self.state, to });
        }
        let mut incident = self.clone();
        incident.state = to;
        incident.hold = None;
        incident.draft = None;
        Ok(Transition { incident, from: self.state, events: Vec::new(), intent: None, mail: None })
    }

    /// A transition that keeps the state: only the due time, the hold or the facts change.
    pub fn stay(&self) -> Transition {
        Transition { incident: self.clone(), from: self.state, events: Vec::new(), intent: None, mail: None }
    }
}

impl Transition {
    pub fn due(mut self, at: Option<Timestamp>) -> Self {
        self.incident.next_due = at;
        self
    }

    pub fn happening(mut self, ts: Timestamp, actor: Actor, what: Happening) -> Self {
        let event = self.incident.event(ts, actor, what);
        self.events.push(event);
        self
    }
}

/// What a person decides at a console. Each gives a transition for the ledger, or says why not.
impl Incident {
    /// The decision as it stands may be carried out.
    pub fn approve(&self, by: &str, at: Timestamp, note: Option<String>) -> Result<Transition, IllegalTransition> {
        let mut next = self.become_state(State::Scheduled)?;
        if self.state != State::AwaitingApproval {
            return Err(IllegalTransition { incident: self.id.clone(), from: self.state, to: State::Scheduled });
        }
        next.incident.approval = Some(Approval { by: by.to_owned(), at, note: note.clone(), cause: None });
        let not_before = self.decision.as_ref().map_or(at, |decision| decision.not_before.max(at));
        Ok(next.due(Some(not_before)).happening(at, Actor::Person(by.to_owned()), Happening::Approved { note }))
    }

    /// Another action than the engine's, another cause than the rules', or both, at once, with the reason why. Allowed wherever nothing
    /// is in flight. Ignoring closes the incident; anything else is scheduled.
    pub fn override_with(&self, instead: Instead, by: &str, at: Timestamp) -> Result<Transition, IllegalTransition> {
        let Instead { action, cause, note } = instead;
        let mut next = self.become_state(if action == Action::Ignore { State::Closed(Ending::Ignored) } else { State::Scheduled })?;
        let rules = self.classification.as_ref().map(|classification| classification.cause);
        let cause = cause.filter(|said| Some(*said) != rules);
        let confidence = self.classification.as_ref().map(|classification| classification.confidence).unwrap_or_default();
        let mut reasons = vec![format!("{by} chose {} instead: {note}", action.words())];
        reasons.extend(cause.map(|said| correction(by, said, rules)));
        if let Some(engine) = &self.decision {
            reasons.push(format!("the engine had said {}", engine.action.words()));
        }
        next.incident.decision = Some(Decision {
            action,
            // New settings are the engine's to propose: a person changes them in the workspace.
            parameters: Vec::new(),
            authority: Authority::Approval,
            not_before: at,
            confidence,
            success: None,
            reasons,
            guardrails: Vec::new(),
        });
        next.incident.planned = None;
        next.incident.approval = Some(Approval { by: by.to_owned(), at, note: Some(note.clone()), cause });
        let who = || Actor::Person(by.to_owned());
        let said = Happening::Overridden { action, note, cause };
        if action == Action::Ignore {
            next.incident.closed_at = Some(at);
            let ended = Happening::Outcome { result: Outcome::Ignored, duration_s: self.age_s(at), note: None };
            return Ok(next.due(None).happening(at, who(), said).happening(at, who(), ended));
        }
        // What was mailed was this attempt's decision; the person's is the next one, with an intent of its own.
        if self.state == State::WithPeople {
            next.incident.attempt += 1;
        }
        Ok(next.due(Some(at)).happening(at, who(), said))
    }

    /// A model is to be asked, though it was not, or gave no opinion that counts. The agent does it; the decision stands meanwhile.
    pub fn ask_model(&self, by: &str, at: Timestamp) -> Transition {
        let mut next = self.stay().due(Some(at)).happening(at, Actor::Person(by.to_owned()), Happening::Asked);
        next.incident.asking = Asking::Demanded;
        next
    }

    /// The question to a model ends here, and the rules decide alone.
    pub fn cancel_opinion(&self, by: &str, at: Timestamp) -> Transition {
        let mut next = self.stay().due(Some(at)).happening(at, Actor::Person(by.to_owned()), Happening::no_opinion(CANCELLED));
        next.incident.asking = Asking::Cancelled;
        next.incident.draft = None;
        if next.incident.opinion.is_none() {
            next.incident.no_opinion = Some(CANCELLED.to_owned());
        }
        next
    }

    /// Nothing is to be done about it.
    pub fn ignore(&self, by: &str, at: Timestamp, note: Option<String>) -> Result<Transition, IllegalTransition> {
        self.close(Ending::Ignored, Outcome::Ignored, Actor::Person(by.to_owned()), at, note)
    }

    /// It was dealt with outside runmend.
    pub fn close_handled(&self, by: &str, at: Timestamp, note: Option<String>) -> Result<Transition, IllegalTransition> {
        self.close(Ending::Handled, Outcome::Handled, Actor::Person(by.to_owned()), at, note)
    }

    pub fn close(
        &self,
        ending: Ending,
        outcome: Outcome,
        actor: Actor,
        at: Timestamp,
        note: Option<String>,
    ) -> Result<Transition, IllegalTransition> {
        let mut next = self.become_state(State::Closed(ending))?;
        next.incident.closed_at = Some(at);
        let duration_s = self.age_s(at);
        Ok(next.due(None).happening(at, actor, Happening::Outcome { result: outcome, duration_s, note }))
    }

    fn age_s(&self, at: Timestamp) -> i64 {
        at.duration_since(self.detected_at).as_secs()
    }

    /// What is asked of the workspace in this attempt.
    pub fn intent(&self, word: &str, effect: Effect, at: Timestamp) -> Intent {
        Intent {
            id: Intent::id_for(&self.id, self.attempt, word),
            incident: self.id.clone(),
            attempt: self.attempt,
            effect,
            created_at: at,
            settlement: super::intent::Settlement::Open,
            settled_at: None,
        }
    }
}

/// A person's word on the cause, beside the rules'.
pub fn correction(by: &str, said: Cause, rules: Option<Cause>) -> String {
    let rules = rules.map_or("the rules said nothing".to_owned(), |rules| format!("the rules said {rules}"));
    format!("cause by {by}: {said}, {rules}")
}
