//! Whom a mail goes to.

use super::message::bounded;
use super::way::is_address;
use crate::domain::incident::Incident;
use crate::domain::job::JobFacts;
use crate::domain::mail::MailKind;
use crate::redact::control::one_line;

/// Nobody is configured to hear of it. The agent shows this as a degraded part; the incident stays with people all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, and mail.default_to is not set: nobody is told")]
pub struct NoAddressee {
    reason: String,
}

/// The owner's mail goes to the owner, else to `default_to`, else to `on_call`; the others to `on_call`, else to `default_to`.
pub fn addressee(kind: MailKind, incident: &Incident, default_to: Option<&str>, on_call: Option<&str>) -> Result<String, NoAddressee> {
    let (to, reason) = match kind {
        MailKind::OnCall | MailKind::Approval => (on_call.or(default_to), "mail.on_call is not set".to_owned()),
        MailKind::Owner => match owner(&incident.job) {
            Ok(owner) => return Ok(owner.to_owned()),
            Err(reason) => (default_to.or(on_call), reason),
        },
    };
    to.map(str::to_owned).ok_or(NoAddressee { reason })
}

/// The owner's mail address, or why there is none: said in the letter that somebody else then gets.
pub(super) fn owner(job: &JobFacts) -> Result<&str, String> {
    match &job.owner {
        Some(owner) if is_address(owner) && one_line(owner) == *owner => Ok(owner),
        Some(owner) => Err(format!("the job's owner `{}` is no mail address", bounded(&one_line(owner), 60))),
        None => Err("the job names no owner".to_owned()),
    }
}
