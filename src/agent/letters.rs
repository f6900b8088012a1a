//! What is written to people: addressed, filled in, and enclosed in the transition that asks for it.

use crate::domain::Timestamp;
use crate::domain::action::Action;
use crate::domain::decision::Decision;
use crate::domain::event::{Actor, Happening};
use crate::domain::incident::{Incident, PlannedCall, Transition};
use crate::domain::mail::{Mail, MailKind};
use crate::ledger::LedgerError;
use crate::notify;

use super::house::House;

/// The mail, or why nobody can be written to.
pub async fn write(house: &House, incident: &Incident, kind: MailKind) -> Result<Result<Mail, String>, LedgerError> {
    let evidence = house.ledger.evidence(&incident.id, None).await?;
    Ok(address(house, incident, kind).map(|to| {
        let (subject, body) = notify::letter::compose(kind, incident, evidence.as_ref());
        Mail {
            dedup_key: format!("{}#{}/{}", incident.id, incident.attempt, kind.as_str()),
            incident: incident.id.clone(),
            kind,
            to,
            subject,
            body,
        }
    }))
}

fn address(house: &House, incident: &Incident, kind: MailKind) -> Result<String, String> {
    let settings = &house.settings;
    notify::addressee(kind, incident, settings.default_to.as_deref(), settings.on_call.as_deref()).map_err(|error| error.to_string())
}

pub fn enclose(mut next: Transition, mail: Mail, now: Timestamp) -> Transition {
    let queued = Happening::Queued { to: mail.to.clone(), subject: mail.subject.clone(), dedup_key: mail.dedup_key.clone() };
    next.mail = Some(mail);
    next.happening(now, Actor::Agent, queued)
}

/// The mail that a decision would send; `None` where it sends none.
pub fn preview(house: &House, incident: &Incident, decision: &Decision) -> Option<PlannedCall> {
    let kind = match decision.action {
        Action::Notify => MailKind::Owner,
        Action::Escalate => MailKind::OnCall,
        Action::Retry | Action::RetryWithNewParams | Action::Ignore => return None,
    };
    let mut incident = incident.clone();
    incident.decision = Some(decision.clone());
    let (subject, _) = notify::letter::compose(kind, &incident, None);
    let to = address(house, &incident, kind).unwrap_or_else(|why| format!("nobody: {why}"));
    Some(PlannedCall { method: "MAIL".to_owned(), path: house.channel.name().to_owned(), body: format!("To: {to}\nSubject: {subject}") })
}
